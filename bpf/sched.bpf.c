// SPDX-License-Identifier: GPL-2.0-only
/* Family sched: who leaves a CPU and who gets it. 24 bytes, one hook, always whole. */
#include "ring.bpf.h"
#include "runqueue.bpf.h"

FR_INLINE int fr_switch(bool preempt, struct task_struct *prev, struct task_struct *next,
			__u32 state)
{
	struct fr_sched_switch *e;
	struct fr_slot s;

	if (fr_reserve(&s, sizeof(*e) / 8, sizeof(*e)))
		return 0;
	e = s.record;
	e->who = FR_SWITCH_WHO(prev->pid, next->pid, state, preempt);
	e->run_delay_ns = 0;
	if (fr_feature(FR_FEAT_SCHED_INFO))
		e->run_delay_ns = prev->sched_info.run_delay;
	e->reserved_zero = 0;
	fr_commit(&s, FR_EV_SCHED_SWITCH, sizeof(*e) / 8);
	return 0;
}

SEC("tp_btf/sched_switch")
int FR_PROG(fr_sched_switch)
{
	struct task_struct *prev = (void *)ctx[1], *next = (void *)ctx[2];

	fr_runqueue_look(prev, next);
	/* without the argument the state may already have been changed by a waker */
	if (fr_feature(FR_FEAT_SWITCH_STATE))
		return fr_switch(ctx[0], prev, next, ctx[3]);
	return fr_switch(ctx[0], prev, next, prev->__state);
}
