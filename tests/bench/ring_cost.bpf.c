// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bodies that are measured in a tight loop: nothing, the clock, one event into our ring, and the
 * same into the kernel's own two buffers.
 */
#include "ring.bpf.h"

/* of the kernel's interface; vmlinux.h holds what probes use */
#define RC_MAP_TYPE_PERF_EVENT_ARRAY 4
#define RC_F_CURRENT_CPU 0xffffffffull

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 << 20);
} rc_ringbuf SEC(".maps");

struct {
	__uint(type, RC_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} rc_perf SEC(".maps");

struct rc_event {
	__u64 a, b, c, d;
};

#define RC_BODY(name)                                                                              \
	int name(struct __sk_buff *ctx);                                                           \
	SEC("tc") int name(struct __sk_buff *ctx)

RC_BODY(rc_empty)
{
	return 0;
}

RC_BODY(rc_clock)
{
	__u64 now = bpf_ktime_get_boot_ns();

	barrier_var(now);
	return 0;
}

FR_INLINE int rc_ring(const __u32 units)
{
	struct fr_slot s;
	__u64 *e;

	if (fr_reserve(&s, units, units * 8))
		return 1;
	e = s.record;
	for (__u32 i = 1; i < units; i++)
		e[i] = i;
	fr_commit(&s, 1, units);
	return 0;
}

RC_BODY(rc_ring16)
{
	return rc_ring(2);
}

RC_BODY(rc_ring24)
{
	return rc_ring(3);
}

RC_BODY(rc_ring32)
{
	return rc_ring(4);
}

RC_BODY(rc_ringbuf32)
{
	struct rc_event *e = bpf_ringbuf_reserve(&rc_ringbuf, sizeof(*e), 0);

	if (!e)
		return 1;
	e->a = bpf_ktime_get_boot_ns();
	e->b = 1;
	e->c = 2;
	e->d = 3;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

RC_BODY(rc_perf32)
{
	struct rc_event e = { bpf_ktime_get_boot_ns(), 1, 2, 3 };

	return bpf_perf_event_output(ctx, &rc_perf, RC_F_CURRENT_CPU, &e, sizeof(e)) ? 1 : 0;
}
