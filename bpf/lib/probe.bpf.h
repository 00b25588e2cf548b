/* SPDX-License-Identifier: GPL-2.0-only */
/* What every probe includes: kernel types, helpers, the constants from the loader, counters. */
#ifndef FR_BPF_PROBE_H
#define FR_BPF_PROBE_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "formats/abi/event.h"
#include "formats/abi/knobs.h"
#include "formats/abi/notice.h"
#include "formats/abi/ring.h"

#define FR_INLINE static __always_inline

/* The usual way lies in one piece, the rest behind it: what a program costs in place is mostly the
 * instruction cache lines that it touches. */
#define fr_likely(x) __builtin_expect(!!(x), 1)
#define fr_unlikely(x) __builtin_expect(!!(x), 0)

/* A program by its tracepoint arguments ctx[0], ctx[1], ...: read only what this kernel has. */
#define FR_PROG(name)                                                                              \
	name(__u64 *ctx);                                                                          \
	int name(__u64 *ctx)

/* What is read through ctx from here on is not read before: values kept across calls take stack,
 * and a program with less than 64 bytes of it needs no stack of its own, whose lines are cold. */
#define fr_read_late(ctx) asm volatile("" : "+r"(ctx))

/* A section of its own: the loader writes it in every object alike. Frozen after loading, so the
 * verifier folds what is in it. */
const volatile struct fr_knobs fr_knobs SEC(".rodata.knobs");

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, FR_COUNTER_CNT);
	__type(key, __u32);
	__type(value, __u64);
} fr_counters SEC(".maps");

/* Exact also when an interrupt's program counts in the middle of it. */
FR_INLINE void fr_count(__u32 id)
{
	__u64 *c = bpf_map_lookup_elem(&fr_counters, &id);

	if (c)
		__sync_fetch_and_add(c, 1);
}

FR_INLINE bool fr_feature(__u32 bit)
{
	return fr_knobs.features & bit;
}

/* Kernel structs behind an address, read like ordinary memory (6.2 and later). */
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __weak;
#define fr_view(ptr, type) ((type *)bpf_rdonly_cast((ptr), bpf_core_type_id_kernel(type)))
/* A trusted pointer as one that isn't: for each pointer that is loaded through a trusted one, the
 * verifier searches the names of all kernel types, some ms each time that it comes by. */
#define fr_untrusted(ptr, type)                                                                    \
	(fr_feature(FR_FEAT_RDONLY_CAST) ? fr_view((ptr), type) : (type *)(ptr))

/* Always zero, but the verifier cannot know. */
__u32 fr_opaque_zero;

/* The same value, of which the verifier has forgotten all: paths that differ in constants only
 * become one to it. Costs a load; a global function would cost a call and a return, which hardened
 * kernels make dear. */
FR_INLINE __u32 fr_forget(__u32 value)
{
	return value + *(volatile __u32 *)&fr_opaque_zero;
}

#endif
