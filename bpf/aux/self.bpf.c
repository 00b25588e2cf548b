// SPDX-License-Identifier: GPL-2.0-only
/*
 * The number by which probes know the process that runs this. The process itself cannot tell when
 * it lives in a pid namespace: getpid() then is a number that somebody else has outside.
 */
#include "probe.bpf.h"

#include "formats/abi/collect.h"

int fr_self(struct fr_self_ctx *ctx);

SEC("syscall")
int fr_self(struct fr_self_ctx *ctx)
{
	ctx->tgid = bpf_get_current_pid_tgid() >> 32;
	return 0;
}
