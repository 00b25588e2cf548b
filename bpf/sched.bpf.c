// SPDX-License-Identifier: GPL-2.0-only
/* Family sched: who leaves a CPU and who gets it. 24 bytes, one hook, always whole. */
#include "ring.bpf.h"
#include "runqueue.bpf.h"

FR_INLINE void fr_switch_fill(struct fr_sched_switch *e, __u64 *ctx)
{
	const struct task_struct *prev = (void *)ctx[1], *next = (void *)ctx[2];
	/* without the argument the state may already have been changed by a waker */
	__u32 state = fr_feature(FR_FEAT_SWITCH_STATE) ? ctx[3] : prev->__state;

	e->who = FR_SWITCH_WHO(prev->pid, next->pid, state, !!ctx[0]);
	e->run_delay_ns = fr_feature(FR_FEAT_SCHED_INFO) ? prev->sched_info.run_delay : 0;
	e->reserved_zero = 0;
}

SEC("tp_btf/sched_switch")
int FR_PROG(fr_sched_switch)
{
	struct fr_slot s;

	if (!fr_reserve(&s, sizeof(struct fr_sched_switch) / 8, sizeof(struct fr_sched_switch))) {
		fr_read_late(ctx);
		fr_switch_fill(s.record, ctx);
		fr_commit(&s, FR_EV_SCHED_SWITCH, sizeof(struct fr_sched_switch) / 8);
	}
	fr_runqueue_look(ctx);
	return 0;
}
