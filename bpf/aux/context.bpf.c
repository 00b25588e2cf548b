// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the kernel keeps preempt_count, for kernels that don't name their data to BPF programs.
 * Run on each CPU before anything is attached:
 *
 *   fr_cpu_base   writes the CPU's per-CPU offset: the place of a per-CPU map's element less the
 *                 map's per-CPU pointer
 *   fr_cpu_id     never run: the verifier writes the address of the kernel's cpu_number into it,
 *                 and BTF tells how far preempt_count lies from that
 *   fr_cpu_check  reads the count: run from another CPU it must show a hard interrupt, run here
 *                 it must not. Only then is the address believed.
 */
#include "context.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} cpu_anchor SEC(".maps");

/* Result of fr_cpu_base and of fr_cpu_check, by CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* possible CPUs */
	__type(key, __u32);
	__type(value, __u64);
} fr_cpu_found SEC(".maps");

FR_INLINE void fr_cpu_tell(__u64 value)
{
	__u32 cpu = bpf_get_smp_processor_id();

	bpf_map_update_elem(&fr_cpu_found, &cpu, &value, BPF_ANY);
}

SEC("raw_tp")
int FR_PROG(fr_cpu_base)
{
	void *map = &cpu_anchor, *element;
	__u64 at = 0, pointer = 0;
	__u32 zero = 0;

	element = bpf_map_lookup_elem(&cpu_anchor, &zero);
	if (!element)
		return 1;
	/* both addresses as plain numbers */
	bpf_probe_read_kernel(&at, sizeof(at), &map);
	bpf_probe_read_kernel(&pointer, sizeof(pointer),
			      (void *)(at + bpf_core_field_offset(struct bpf_array, pptrs)));
	bpf_probe_read_kernel(&at, sizeof(at), &element);
	fr_cpu_tell(at - pointer);
	return 0;
}

SEC("raw_tp")
int FR_PROG(fr_cpu_id)
{
	return bpf_get_smp_processor_id();
}

SEC("raw_tp")
int FR_PROG(fr_cpu_check)
{
	__u32 cpu = bpf_get_smp_processor_id(), count = 0;
	__u64 *address = bpf_map_lookup_elem(&fr_cpus, &cpu);

	if (!address || bpf_probe_read_kernel(&count, sizeof(count), (void *)*address))
		return 1;
	fr_cpu_tell(count);
	return 0;
}
