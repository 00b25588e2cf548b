// SPDX-License-Identifier: GPL-2.0-only
/* Family waking: who makes whom runnable. A family of its own, as a hook more costs 70-150 ns. */
#include "context.bpf.h"
#include "ring.bpf.h"

SEC("tp_btf/sched_waking")
int FR_PROG(fr_sched_waking)
{
	const struct task_struct *wakee;
	struct fr_sched_waking *e;
	__u32 context, waker;
	struct fr_slot s;

	if (fr_reserve(&s, sizeof(*e) / 8, sizeof(*e)))
		return 0;
	fr_read_late(ctx);
	wakee = (void *)ctx[0];
	context = fr_context();
	/* an interrupt must not blame the bystander that it interrupted */
	waker = context == FR_WAKER_TASK || context == FR_WAKER_UNKNOWN ?
			(__u32)bpf_get_current_task_btf()->pid : 0;
	e = s.record;
	e->who = FR_WAKING_WHO(wakee->pid, waker, wakee->wake_cpu, context);
	fr_commit(&s, FR_EV_SCHED_WAKING, sizeof(*e) / 8);
	return 0;
}
