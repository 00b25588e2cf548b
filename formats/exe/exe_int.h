/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of formats/exe share among themselves. */
#ifndef FR_EXE_INT_H
#define FR_EXE_INT_H

#include "exe.h"

/* Asks the callback. Lengths beyond a window are -EINVAL, addresses that wrap -EFAULT; a callback
 * that breaks its contract by returning something positive gives -EIO. */
int fr_exe_read(const struct fr_exe_mem *mem, uint64_t addr, void *buf, uint32_t len_bytes);

/* How many bytes from addr on lie in the file part of one segment; 0 = none. */
uint64_t fr_exe_room(const struct fr_exe_elf *elf, uint64_t addr);

/*
 * Copies the contents of the first note of that name and type, at most cap_bytes of it.
 * Returns -ENOENT if there is none, -errno of read() if none was found and one couldn't be read.
 */
int fr_exe_note(const struct fr_exe_mem *mem, const struct fr_exe_elf *elf, const char name[4],
		uint32_t type, void *buf, uint32_t cap_bytes, uint32_t *ret_bytes);

#endif
