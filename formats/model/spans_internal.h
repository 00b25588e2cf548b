/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by spans.c (records), spans_begin.c (a request begins), spans_end.c (it is handed out). */
#ifndef FR_MODEL_SPANS_INTERNAL_H
#define FR_MODEL_SPANS_INTERNAL_H

#include "accounts.h"
#include "datagrams.h"
#include "spans.h"

/* One transfer, while it is in hand. */
struct fr_move {
	struct fr_actor actor;
	uint64_t time_ns;
	enum fr_wire_dir dir;
	uint32_t own; /* the server request that the actor has open; FR_OPEN_NONE */
};

struct fr_spans {
	struct fr_spans_config cfg;
	struct fr_names *names;
	struct fr_conns *conns;
	struct fr_parents *parents;
	struct fr_budgets *budgets;
	struct fr_ids ids;
	struct fr_opens opens;
	struct fr_map programs; /* process (index of its leader into the names) to: is it Go's? */
	struct fr_conn *conn;	/* whose requests come out */
	const struct fr_move *move; /* the transfer in hand; NULL = none */
	struct fr_datagrams datagrams;
	uint64_t now_ns;
	uint32_t unsure_oldest, unsure_newest;
	uint64_t held_bytes;
	int err; /* latched */
	struct fr_spans_stats stats;
};

static inline struct fr_open *fr_spans_open_at(struct fr_spans *s, uint32_t index)
{
	return &s->opens.opens[index];
}

static inline void fr_spans_note(struct fr_spans *s, int err)
{
	if (err && !s->err)
		s->err = err;
}

/* ---- spans_begin.c ---- */

struct fr_actor fr_spans_actor(struct fr_spans *s, uint32_t tid, uint64_t goid, uint32_t io_flags,
			       uint64_t time_ns);
/* A request has begun: makes it known to all who must know. FR_OPEN_NONE when memory is out. */
uint32_t fr_spans_begin(struct fr_spans *s, struct fr_conn *c, const struct fr_request *r);
/* It is open no more. */
void fr_spans_forget(struct fr_spans *s, struct fr_conn *c, uint32_t open);

/* ---- spans_end.c ---- */

/* Hands out what comes from s->conn. */
void fr_spans_take(void *ctx, const struct fr_request *r);

/* ---- spans_hold.c ---- */

/* A span is complete but for its place in the trace: hands it out, or keeps it until that is sure.
 * Its request is copied then. */
void fr_spans_deliver(struct fr_spans *s, uint32_t open, const struct fr_span *span);
/* open's caller is only a guess, until the caller is seen again. */
void fr_spans_doubt(struct fr_spans *s, uint32_t open, uint32_t derived_from);
/* The caller is seen, and was last woken by the reply to `by`: settles all its guesses. */
void fr_spans_decide(struct fr_spans *s, uint32_t caller, uint32_t by);
/* A server's request begins before its client's was seen to be sent: it waits for that. */
void fr_spans_await(struct fr_spans *s, struct fr_conn *c, uint32_t open);
/* What waits so and is over already; NULL. Valid until the next call. */
const struct fr_request *fr_spans_awaited(struct fr_spans *s, const struct fr_conn *c);
/* The client of what waits on c is known by now, or will not be. */
void fr_spans_await_end(struct fr_spans *s, struct fr_conn *c);
/* Frees what is held without handing it out. */
void fr_spans_free_held(struct fr_spans *s);

#endif
