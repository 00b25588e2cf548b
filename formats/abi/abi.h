/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What every header in abi/ uses. These headers are compiled unchanged by gcc, by clang and by
 * clang -target bpf; they may use fixed-width integers only (no pointer, long, enum or bool
 * member), and a hole in a struct is a compile error: fields named reserved_zero fill it.
 */
#ifndef FR_ABI_ABI_H
#define FR_ABI_ABI_H

#define FR_ABI_PRAGMA(x) _Pragma(#x)

/* Around every shared struct: an implicit hole would carry stale bytes to the disk. */
#if defined(__clang__)
#define FR_ABI_BEGIN                                                                               \
	FR_ABI_PRAGMA(clang diagnostic push) FR_ABI_PRAGMA(clang diagnostic error "-Wpadded")
#define FR_ABI_END FR_ABI_PRAGMA(clang diagnostic pop)
#else
#define FR_ABI_BEGIN                                                                               \
	FR_ABI_PRAGMA(GCC diagnostic push) FR_ABI_PRAGMA(GCC diagnostic error "-Wpadded")
#define FR_ABI_END FR_ABI_PRAGMA(GCC diagnostic pop)
#endif

#define FR_ABI_SIZE(type, bytes)                                                                   \
	_Static_assert(sizeof(struct type) == (bytes), #type " changed its size")

#endif
