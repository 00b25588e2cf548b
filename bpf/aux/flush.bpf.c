// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run by the reader on one CPU (BPF_PROG_TEST_RUN with BPF_F_TEST_RUN_ON_CPU): closes the running
 * sub-buffer there, when it cannot be read in place. Costs a sub-buffer, so it is the last resort.
 */
#include "ring.bpf.h"

SEC("raw_tp")
int FR_PROG(fr_flush)
{
	struct fr_slot s;

	/* asking for a whole sub-buffer of room makes the reservation turn to the next one */
	if (fr_reserve(&s, sizeof(struct fr_rec_flush) / 8, FR_SUB_BYTES))
		return 1;
	fr_commit(&s, FR_EV_REC_FLUSH, sizeof(struct fr_rec_flush) / 8);
	__sync_fetch_and_add(&s.ctl->flushes, 1);
	return 0;
}

/* arg 0: family bit, 1: on, 2: why (FR_FAMILY_WHY_*) */
SEC("raw_tp")
int FR_PROG(fr_note_family)
{
	struct fr_rec_family *e;
	struct fr_slot s;

	if (fr_reserve(&s, sizeof(*e) / 8, sizeof(*e)))
		return 1;
	e = s.record;
	__builtin_memset(&e->reserved_zero, 0, sizeof(e->reserved_zero));
	e->family = ctx[0];
	e->on = ctx[1];
	e->why = ctx[2];
	fr_commit(&s, FR_EV_REC_FAMILY, sizeof(*e) / 8);
	return 0;
}
