/* SPDX-License-Identifier: BSD-2-Clause */
/* The notice ring, the only thing of the probes that wakes the daemon: takes notices out of it and
 * passes each to whom it is for. */
#ifndef FR_RECORDER_NOTICES_H
#define FR_RECORDER_NOTICES_H

#include "binaries.h"
#include "formats/abi/notice.h"
#include "loop.h"

struct ring_buffer;

struct fr_notices {
	struct ring_buffer *ring; /* NULL = the probes have none */
	struct fr_loop *loop;
	struct fr_binaries *binaries;
	void (*on_trigger)(void *ctx, const struct fr_notice_trigger *n);
	void *ctx;
};

/* Joins the loop, and takes what has come since the probes were attached. The rest of *n is set.
 * 0 or a negative errno. */
int fr_notices_open(struct fr_notices *n, const struct fr_recorder *rec, struct fr_loop *loop);
void fr_notices_close(struct fr_notices *n);

#endif
