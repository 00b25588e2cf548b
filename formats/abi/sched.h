/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Families sched and waking: who ran on a CPU, who made whom runnable. */
#ifndef FR_ABI_SCHED_H
#define FR_ABI_SCHED_H

#ifndef __BPF__
#include <stdint.h>
#endif
#include "abi.h"

/* Thread ids are below 2^22 (PID_MAX_LIMIT); tid 0 is the idle task of the record's CPU. */
#define FR_TID_BITS 22
#define FR_TID_MASK ((1ull << FR_TID_BITS) - 1)

/*
 * fr_sched_switch.who
 *      21..0   tid that leaves the CPU        43..22  tid that gets it
 *      59..44  state of the leaving task as the tracepoint passes it (0 = still runnable;
 *              TASK_* bits of <linux/sched.h>, low 16)
 *      60      the leaving task was preempted (it stays runnable whatever the state says)
 */
#define FR_SWITCH_WHO(prev, next, state, preempt)                                                  \
	(((uint64_t)(prev) & FR_TID_MASK) | ((uint64_t)(next) & FR_TID_MASK) << 22 |               \
	 ((uint64_t)(state) & 0xffff) << 44 | (uint64_t)!!(preempt) << 60)
#define FR_SWITCH_PREV(who) ((uint32_t)((who) & FR_TID_MASK))
#define FR_SWITCH_NEXT(who) ((uint32_t)((who) >> 22 & FR_TID_MASK))
#define FR_SWITCH_STATE(who) ((uint32_t)((who) >> 44 & 0xffff))
#define FR_SWITCH_PREEMPT(who) ((uint32_t)((who) >> 60 & 1))

/*
 * fr_sched_waking.who
 *      21..0   tid that becomes runnable      43..22  tid that wakes it (0 outside task context)
 *      56..44  CPU that the woken task last ran on
 *      58..57  context of the waker, FR_WAKER_*
 */
#define FR_WAKER_TASK 0u
#define FR_WAKER_SOFTIRQ 1u
#define FR_WAKER_HARDIRQ 2u /* or NMI */
#define FR_WAKER_UNKNOWN 3u /* this kernel does not tell; the waker tid is only who was running */
#define FR_WAKING_WHO(wakee, waker, cpu, context)                                                  \
	(((uint64_t)(wakee) & FR_TID_MASK) | ((uint64_t)(waker) & FR_TID_MASK) << 22 |             \
	 ((uint64_t)(cpu) & 0x1fff) << 44 | ((uint64_t)(context) & 3) << 57)
#define FR_WAKING_WAKEE(who) ((uint32_t)((who) & FR_TID_MASK))
#define FR_WAKING_WAKER(who) ((uint32_t)((who) >> 22 & FR_TID_MASK))
#define FR_WAKING_CPU(who) ((uint32_t)((who) >> 44 & 0x1fff))
#define FR_WAKING_CONTEXT(who) ((uint32_t)((who) >> 57 & 3))

FR_ABI_BEGIN

/* sched_switch: prev left the CPU of this record and next got it. */
struct fr_sched_switch {
	uint64_t word;
	uint64_t who;		/* FR_SWITCH_* */
	uint32_t run_delay_ns;	/* low 32 bits of prev's summed run-queue wait: its difference to
				   the value at prev's last switch is the exact wait before the
				   stint that ends here; 0 for ever where the kernel keeps none */
	uint32_t reserved_zero;
};

/* sched_waking: a task is about to become runnable. */
struct fr_sched_waking {
	uint64_t word;
	uint64_t who; /* FR_WAKING_* */
};

FR_ABI_END

FR_ABI_SIZE(fr_sched_switch, 24);
FR_ABI_SIZE(fr_sched_waking, 16);

#endif
