// SPDX-License-Identifier: GPL-2.0-only
/* A family none of whose tracepoints this kernel has. For probes_test.c. */
#include "ring.bpf.h"

SEC("tp_btf/fr_no_such_tracepoint")
int FR_PROG(fr_test_absent)
{
	return 0;
}
