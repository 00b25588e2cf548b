// SPDX-License-Identifier: GPL-2.0-only
/* A probe that the verifier refuses: it reads beyond what it has checked. For probes_test.c. */
#include "ring.bpf.h"

SEC("tp_btf/sched_switch")
int FR_PROG(fr_test_refused)
{
	struct fr_slot s;
	__u64 *e;

	if (fr_reserve(&s, sizeof(*e) / 8, sizeof(*e)))
		return 0;
	e = s.record;
	return e[FR_SUB_BYTES]; /* far outside */
}
