/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In which context does this program run: task, softirq or hard interrupt? Told by the kernel's
 * per-CPU preempt_count, whose address the loader puts into fr_cpus (0 = not known).
 */
#ifndef FR_BPF_CONTEXT_H
#define FR_BPF_CONTEXT_H

#include "probe.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* possible CPUs */
	__type(key, __u32);
	__type(value, __u64);
} fr_cpus SEC(".maps");

/* <linux/preempt.h>: bits 8..15 softirq (the lowest of them = serving one; bottom halves merely
 * switched off count in steps of two), 16..19 hard interrupts, 20..23 NMI */
#define FR_PREEMPT_SOFTIRQ 0x00000100u
#define FR_PREEMPT_HARDIRQ 0x00ff0000u

FR_INLINE __u32 fr_context(void)
{
	__u32 cpu = bpf_get_smp_processor_id(), count = 0;
	__u64 *address;

	if (!fr_feature(FR_FEAT_IRQ_CONTEXT))
		return FR_WAKER_UNKNOWN;
	address = bpf_map_lookup_elem(&fr_cpus, &cpu);
	if (!address || !*address)
		return FR_WAKER_UNKNOWN;
	if (fr_feature(FR_FEAT_RDONLY_CAST))
		count = fr_view((void *)*address, struct refcount_struct)->refs.counter;
	else if (bpf_probe_read_kernel(&count, sizeof(count), (void *)*address))
		return FR_WAKER_UNKNOWN;
	if (count & FR_PREEMPT_HARDIRQ)
		return FR_WAKER_HARDIRQ;
	if (count & FR_PREEMPT_SOFTIRQ)
		return FR_WAKER_SOFTIRQ;
	return FR_WAKER_TASK;
}

#endif
