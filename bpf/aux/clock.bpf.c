// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clock of the records, read on demand: user space cannot, as a time namespace shifts its
 * CLOCK_BOOTTIME. The daemon runs this between two CLOCK_REALTIME reads.
 */
#include "probe.bpf.h"

#include "formats/abi/collect.h"

int fr_clock(struct fr_clock_ctx *ctx);

SEC("syscall")
int fr_clock(struct fr_clock_ctx *ctx)
{
	ctx->boot_ns = bpf_ktime_get_boot_ns();
	ctx->mono_ns = bpf_ktime_get_ns();
	return 0;
}
