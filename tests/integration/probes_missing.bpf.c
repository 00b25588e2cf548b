// SPDX-License-Identifier: GPL-2.0-only
/* A family that this kernel has in part: one tracepoint exists, one doesn't. For probes_test.c. */
#include "ring.bpf.h"

SEC("tp_btf/sched_waking")
int FR_PROG(fr_test_present)
{
	return 0;
}

SEC("tp_btf/fr_no_such_tracepoint")
int FR_PROG(fr_test_missing)
{
	return 0;
}
