/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoders of the families sched and waking. */
#include "fields.h"

void fr_ev_fields_sched_switch(const struct fr_record *r, const struct fr_field_sink *out)
{
	struct fr_sched_switch e;

	memcpy(&e, r->data, sizeof(e));
	fr_field_u64(out, "prev_tid", FR_SWITCH_PREV(e.who));
	fr_field_letter(out, "prev_state", fr_task_state_letter(FR_SWITCH_STATE(e.who)));
	fr_field_u64(out, "preempted", FR_SWITCH_PREEMPT(e.who));
	fr_field_u64(out, "next_tid", FR_SWITCH_NEXT(e.who));
	/* a sum: only its differences are times, so that it isn't handed out as one */
	fr_field_u64(out, "run_delay_sum_ns", e.run_delay_ns);
}

void fr_ev_fields_sched_waking(const struct fr_record *r, const struct fr_field_sink *out)
{
	static const char *const contexts[4] = {
		[FR_WAKER_TASK] = "task",
		[FR_WAKER_SOFTIRQ] = "softirq",
		[FR_WAKER_HARDIRQ] = "hardirq",
		[FR_WAKER_UNKNOWN] = "unknown",
	};
	struct fr_sched_waking e;
	uint32_t context;

	memcpy(&e, r->data, sizeof(e));
	context = FR_WAKING_CONTEXT(e.who);
	fr_field_u64(out, "wakee_tid", FR_WAKING_WAKEE(e.who));
	fr_field_u64(out, "wakee_cpu", FR_WAKING_CPU(e.who));
	fr_field_str(out, "context", contexts[context]);
	/* an interrupt must not blame a bystander */
	if (context == FR_WAKER_TASK)
		fr_field_u64(out, "waker_tid", FR_WAKING_WAKER(e.who));
	else if (context == FR_WAKER_UNKNOWN)
		fr_field_u64(out, "running_tid", FR_WAKING_WAKER(e.who));
}
