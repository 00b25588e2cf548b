/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the merged records to spans: transfers go to their connection (conns.h), which cuts them
 * into requests (wire/stitch.h); each request gets its place among the others (parents.h) when it
 * begins, and is handed out when it has ended. A child is handed out before its parent, most of the
 * time: ids are known from a request's first byte on.
 *
 *	client span ---- PEER ----> server span ---- LINE ----> client span --> ...
 *	(socket A)                  (socket B = A's other end)   (socket C)
 *
 * Memory is bounded (conns.h), whatever the dump: what is pushed out is counted.
 */
#ifndef FR_MODEL_SPANS_H
#define FR_MODEL_SPANS_H

#include "session.h"
#include "span.h"
#include "threads.h"

typedef void fr_span_fn(void *ctx, const struct fr_span *span);

struct fr_spans_config {
	const struct fr_session *session; /* borrowed, as all else */
	struct fr_threads *threads;
	uint64_t from_ns, to_ns; /* spans that lie outside are not handed out */
	fr_span_fn *fn;
	void *ctx;
};

struct fr_spans_stats {
	uint64_t spans;		/* handed out */
	uint64_t evicted_conns; /* connections that gave way for room: their requests are halves */
	uint64_t deaf_conns;	/* in which no protocol was found */
	uint64_t nostate;	/* transfers of sockets that the recorder had no room for */
	uint64_t overflow;	/* requests beyond what one connection may have open */
	uint64_t guesses_dropped; /* callers not told, as too much waited to know them */
	uint64_t crowded;	  /* times that a transfer met a request beyond those followed */
	uint64_t late_peers;	  /* the other end was found when the trace was settled already */
	uint64_t links[FR_LINK_INFERRED + 1]; /* spans by enum fr_link */
	uint64_t conns_max, opens_max;	      /* at one time */
	uint32_t conns_room;		      /* for conns_max */
};

struct fr_spans;

int fr_spans_new(const struct fr_spans_config *config,
		 struct fr_spans **ret_spans);	    /* or -ENOMEM */
struct fr_spans *fr_spans_free(struct fr_spans *s); /* NULL is fine; hands out nothing */

/* Each sound record, after the threads took it. 0 or -ENOMEM. */
int fr_spans_record(struct fr_spans *s, const struct fr_merged *m, const struct fr_step *step);
/* Something may have happened unseen (as the sinks' blind()). */
void fr_spans_blind(struct fr_spans *s, uint64_t at_ns);
/* Every CPU is covered from here on, as not all were before. */
void fr_spans_whole(struct fr_spans *s);
/* The recording, or the range, ends: hands out what is open. 0 or -ENOMEM. */
int fr_spans_end(struct fr_spans *s);

const struct fr_spans_stats *fr_spans_stats(struct fr_spans *s);

#endif
