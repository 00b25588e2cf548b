/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arguments and environment of living processes. They lie in the processes' own memory, and a page
 * of it may be backed by something that never answers (FUSE, userfaultfd): reading it hangs. So a
 * helper process reads, one process after the other: one that is stuck (see patience.h: it sleeps,
 * and does not merely wait for a CPU) is killed, that process is noted, the next helper goes on
 * behind it. Whatever they do, all is over at a deadline.
 */
#ifndef FR_RECORDER_COLLECT_ARGS_H
#define FR_RECORDER_COLLECT_ARGS_H

#include "formats/abi/collect.h"
#include "formats/base/bytes.h"
#include "probes.h"

#define FR_ARGS_HELPERS_MAX 16 /* that may get stuck: then no more is asked */

struct fr_args_wanted {
	uint32_t tgid;
	uint32_t reserved;
	uint64_t start_ns; /* of its leader: a tgid may be another's by now */
};

/* What was read of process number i; error 0 or a negative errno: -ETIMEDOUT its memory hangs,
 * -ESRCH it is gone, -ECANCELED not asked: out of time. */
struct fr_args_got {
	uint32_t i;
	int error;
	struct fr_slice args;
	struct fr_slice environment;
	bool args_cut;
};

/*
 * Asks for all of them in order; got() is called exactly once for each, in order, also when nothing
 * could be read. until_ns is CLOCK_MONOTONIC. 0, or the first negative errno that got() returned.
 */
int fr_args_collect(const struct fr_probes *p, const struct fr_args_wanted *wanted, uint32_t cnt,
		    uint64_t until_ns, int (*got)(const struct fr_args_got *g, void *ctx),
		    void *ctx);

#endif
