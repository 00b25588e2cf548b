/* SPDX-License-Identifier: GPL-2.0-only */
/* One thread as it is now, as a record: when recording begins, and at its last switches. */
#ifndef FR_BPF_PROCSTATE_H
#define FR_BPF_PROCSTATE_H

#include "ring.bpf.h"

FR_INLINE void fr_procstate_record(const struct task_struct *t, __u32 state, __u32 cpu, __u32 flags)
{
	struct fr_proc_state *e;
	struct fr_slot s;

	if (fr_reserve(&s, sizeof(*e) / 8, sizeof(*e)))
		return;
	e = s.record;
	e->tid = t->pid;
	e->tgid = t->tgid;
	e->start_ns = t->start_boottime;
	bpf_probe_read_kernel(e->comm, FR_COMM_BYTES, t->comm);
	e->state = state;
	e->cpu = cpu;
	e->flags = flags;
	fr_commit(&s, FR_EV_PROC_STATE, sizeof(*e) / 8);
}

#endif
