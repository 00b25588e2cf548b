/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trigger runqueue: a thread gets its CPU after a long wait. When it was queued is known by the
 * scheduler's clock only, which no program may read: how far it is ahead of ours follows from the
 * thread that leaves, which came at this CPU's last switch. A thread that is moved while it waits
 * counts from then on.
 */
#ifndef FR_BPF_RUNQUEUE_H
#define FR_BPF_RUNQUEUE_H

#include "filter.bpf.h"
#include "notice.bpf.h"

struct fr_cpu_clock {
	__u64 switch_ns; /* MONOTONIC, of this CPU's last switch: like the scheduler's clock it
			    stands still while the host sleeps */
	__u64 lead_ns;	 /* of the scheduler's clock; 0 = not known */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fr_cpu_clock);
} fr_cpu_clocks SEC(".maps");

#define FR_LEAD_SLACK_NS 1000000ull

/* Finds the lead anew; false when it isn't sure (the trigger was just switched on). */
FR_INLINE bool fr_cpu_lead(struct fr_cpu_clock *c, const struct task_struct *prev, __u64 now)
{
	__u64 before = c->lead_ns, switch_ns = c->switch_ns;

	c->switch_ns = now;
	if (prev->pid && switch_ns) /* the idle thread keeps no account */
		c->lead_ns = prev->sched_info.last_arrival - switch_ns;
	return before && c->lead_ns - before + FR_LEAD_SLACK_NS < 2 * FR_LEAD_SLACK_NS;
}

/* The trigger is on. */
FR_INLINE void fr_runqueue_wait(const struct fr_gate_table *t, const struct task_struct *prev,
				const struct task_struct *next)
{
	struct fr_cpu_clock *c;
	__u64 now, queued, wait;
	struct fr_comm comm;
	__u32 zero = 0;

	c = bpf_map_lookup_elem(&fr_cpu_clocks, &zero);
	if (!c)
		return;
	now = bpf_ktime_get_ns();
	if (!fr_cpu_lead(c, prev, now) || !next->pid)
		return;
	queued = next->sched_info.last_queued;
	wait = now + c->lead_ns - queued;
	if (!queued || wait >> 63 || wait <= t->gates[FR_GATE_RUNQUEUE].limit_ns ||
	    fr_is_self(next))
		return;
	fr_comm_of(&comm, next);
	fr_gate_tell(FR_GATE_RUNQUEUE, (__u64)next->tgid << 32 | (__u32)next->pid, &comm, wait, 0);
}

/* Of sched_switch's arguments. */
FR_INLINE void fr_runqueue_look(__u64 *ctx)
{
	struct fr_gate_table *t = fr_gates_of(FR_GATE_RUNQUEUE);

	if (fr_unlikely(t) && fr_feature(FR_FEAT_SCHED_INFO))
		fr_runqueue_wait(t, (void *)ctx[1], (void *)ctx[2]);
}

#endif
