// SPDX-License-Identifier: GPL-2.0-only
/* Family sched: who leaves a CPU and who gets it. 24 bytes, one hook, always whole. */
#include "procstate.bpf.h"
#include "ring.bpf.h"
#include "runqueue.bpf.h"

/* Of prev. Without the argument it may already have been changed by a waker. */
FR_INLINE __u32 fr_switch_state(__u64 *ctx)
{
	return fr_feature(FR_FEAT_SWITCH_STATE) ? ctx[3] : ((struct task_struct *)ctx[1])->__state;
}

FR_INLINE void fr_switch_fill(struct fr_sched_switch *e, __u64 *ctx)
{
	const struct task_struct *prev = (void *)ctx[1], *next = (void *)ctx[2];

	e->who = FR_SWITCH_WHO(prev->pid, next->pid, fr_switch_state(ctx), !!ctx[0]);
	e->run_delay_ns = fr_feature(FR_FEAT_SCHED_INFO) ? prev->sched_info.run_delay : 0;
	e->reserved_zero = 0;
}

/*
 * A thread that has told its exit still runs: it may have much to throw away, and wait for its CPU
 * long after the record of its exit is overwritten. No list of threads has it any more, and it is
 * freed after its last switch only. So each of its switches is followed by its name; for most
 * threads there is one.
 */
static __attribute__((noinline)) int fr_switch_ended(__u64 *ctx)
{
	const struct task_struct *prev = (void *)ctx[1], *next = (void *)ctx[2];

	__u32 cpu = bpf_get_smp_processor_id();

	if (prev->exit_state)
		fr_procstate_record(prev, fr_switch_state(ctx), cpu, FR_STATE_ENDED);
	if (next->exit_state)
		fr_procstate_record(next, 0, cpu, FR_STATE_ENDED | FR_STATE_ON_CPU);
	return 0;
}

/* Two loads from lines that the record needs, too. */
FR_INLINE bool fr_any_ended(__u64 *ctx)
{
	const struct task_struct *prev = (void *)ctx[1], *next = (void *)ctx[2];

	return prev->exit_state | next->exit_state;
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
	if (fr_unlikely(fr_any_ended(ctx)))
		fr_switch_ended(ctx);
	fr_runqueue_look(ctx);
	return 0;
}
