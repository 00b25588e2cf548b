/* SPDX-License-Identifier: BSD-2-Clause */
/* A recording through the merge and the threads into a sink. Streams: memory does not grow with the
 * dump. */
#ifndef FR_OUT_CONVERT_H
#define FR_OUT_CONVERT_H

#include "sink.h"

/* Told now and then how far it is; of_bytes may be 0. */
struct fr_progress {
	void (*tell)(void *ctx, uint64_t done_bytes, uint64_t of_bytes);
	void *ctx;
};

/*
 * c: session, out, range, filter, version are set. 0; -ENOMEM. Errors of the output are in the
 * output. Damage is no error: it is counted in *ret_stats.
 */
int fr_convert_run(struct fr_convert *c, const struct fr_sink *sink,
		   const struct fr_progress *progress, struct fr_convert_stats *ret_stats);

#endif
