/* SPDX-License-Identifier: BSD-2-Clause */
#include "clock.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <time.h>

#include "formats/abi/collect.h"

#define FR_CLOCK_TRIES 7

static uint64_t realtime_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* A time set back or a pre-emption between the reads makes a pair worse, so the tightest wins. */
int fr_clock_pair(const struct fr_probes *p, enum fr_clock_when when,
		  struct fr_clock_pair *ret_pair)
{
	int prog_fd = fr_probes_prog_fd(p, "fr_clock"), err;
	struct fr_clock_ctx ctx = { 0 };
	uint64_t best = UINT64_MAX, before, after;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));

	if (prog_fd < 0)
		return prog_fd;
	for (int i = 0; i < FR_CLOCK_TRIES; i++) {
		before = realtime_ns();
		err = bpf_prog_test_run_opts(prog_fd, &opts);
		after = realtime_ns();
		if (err)
			return err;
		if (after < before || after - before >= best)
			continue;
		best = after - before;
		*ret_pair = (struct fr_clock_pair){
			.when = when,
			.boot_ns = ctx.boot_ns,
			.unix_ns = before + best / 2,
			.bound_ns = best - best / 2,
		};
	}
	return best == UINT64_MAX ? -ETIME : 0;
}
