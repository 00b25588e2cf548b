// SPDX-License-Identifier: GPL-2.0-only
/*
 * The least that any recorder of these events does: the hooks that a request of the service comes
 * by, with programs that do nothing, read the clock, or write one small event.
 */
#include "ring.bpf.h"
#include "service_floor.h"

#define SF_EAGAIN 11
#define SF_UNITS 3

volatile __u32 sf_state SEC(".data.state");

FR_INLINE int sf_event(void)
{
	__u32 state = sf_state;
	struct fr_slot s;
	__u64 now, *e;

	if (state == SF_CLOCK) {
		now = bpf_ktime_get_boot_ns();
		barrier_var(now);
	} else if (state == SF_RECORD && !fr_reserve(&s, SF_UNITS, SF_UNITS * 8)) {
		e = s.record;
		e[1] = s.time_ns;
		e[2] = s.cpu;
		fr_commit(&s, FR_EV_SCHED_SWITCH, SF_UNITS);
	}
	return 0;
}

#define SF_HOOK(tracepoint)                                                                        \
	SEC("tp_btf/" #tracepoint)                                                                 \
	int FR_PROG(sf_##tracepoint)                                                               \
	{                                                                                          \
		return sf_event();                                                                 \
	}

SF_HOOK(sched_switch)
SF_HOOK(sched_waking)
SF_HOOK(sock_send_length)
SF_HOOK(block_rq_issue)
SF_HOOK(block_rq_complete)

/* Half of a server's receives find nothing, and are no event. */
SEC("tp_btf/sock_recv_length")
int FR_PROG(sf_sock_recv_length)
{
	return (__s32)ctx[1] == -SF_EAGAIN ? 0 : sf_event();
}
