/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which async track a request goes to: what a request caused in its own process lies under it, on
 * its track. That needs siblings that don't overlap and a parent that lasts longer, so whatever
 * does not fit gets a track of its own. Requests come when they have ended, children first.
 */
#ifndef FR_OUT_NEST_H
#define FR_OUT_NEST_H

#include "../model/span.h"

#define FR_NEST_ROWS 4096u /* a power of two: requests that ended or have children under way */

/* A request that meets another one's row takes it: what comes of the other is taken for new. */
struct fr_nest_row {
	uint64_t span;	   /* span id of the request on top; 0 = unused */
	uint64_t until_ns; /* end of its latest child */
	bool ended;	   /* no child fits any more */
};

/* Zeroed is empty. */
struct fr_nest {
	struct fr_nest_row rows[FR_NEST_ROWS];
};

/* The span id of the request on top of the track; borrowed from the span. */
const uint8_t *fr_nest_place(struct fr_nest *n, const struct fr_span *s);

#endif
