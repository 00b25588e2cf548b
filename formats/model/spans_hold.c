/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spans that wait. Who sent an HTTP request through writeLoop is guessed when it is sent, and known
 * to be right or wrong when the caller is seen again (parents.h). What ends meanwhile below the
 * guess (the call, the server that it called, what that did) has no trace yet: it is held by the
 * unsure one nearest above it. In the same way a server's request may wait for its client: the
 * hooks fire when a transfer is over, and a reply can be on its way before the thread that sent the
 * request has come that far.
 */
#include <errno.h>
#include <stdlib.h>

#include "spans_internal.h"

#define HELD_BYTES_MAX (8u << 20) /* beyond it the oldest guesses are given up */
#define CHAIN_MAX 64
#define SLICES 9

struct fr_held {
	struct fr_held *next;
	uint32_t open; /* held */
	uint32_t held_bytes;
	struct fr_span span;
	struct fr_request request;
	uint8_t bytes[];
};

static void slices_of(struct fr_request *r, struct fr_slice *ret[SLICES])
{
	struct fr_slice *all[SLICES] = {
		&r->command, &r->text,	   &r->host, &r->traceparent, &r->tracestate,
		&r->code,    &r->severity, &r->user, &r->database,
	};

	memcpy(ret, all, sizeof(all));
}

static struct fr_held *copy_of(const struct fr_span *span, uint32_t open)
{
	struct fr_request r = *span->request;
	struct fr_slice *slices[SLICES];
	struct fr_held *h;
	size_t bytes = 0;
	uint8_t *at;

	slices_of(&r, slices);
	for (int i = 0; i < SLICES; i++)
		bytes += slices[i]->len_bytes;
	h = malloc(sizeof(*h) + bytes);
	if (!h)
		return NULL;
	*h = (struct fr_held){ .open = open,
			       .held_bytes = (uint32_t)(sizeof(*h) + bytes),
			       .span = *span };
	at = h->bytes;
	for (int i = 0; i < SLICES; i++) {
		if (slices[i]->len_bytes)
			memcpy(at, slices[i]->data, slices[i]->len_bytes);
		slices[i]->data = at;
		at += slices[i]->len_bytes;
	}
	h->request = r;
	h->span.request = &h->request;
	return h;
}

/* ---- delivery ------------------------------------------------------------------------------- */

static void hand_out(struct fr_spans *s, uint32_t open, struct fr_span *span)
{
	struct fr_socket datagrams;
	const struct fr_open *o;

	fr_opens_settle(&s->opens, &s->ids, open);
	o = fr_spans_open_at(s, open);
	memcpy(span->trace_id, o->trace_id, sizeof(span->trace_id));
	memcpy(span->span_id, o->span_id, sizeof(span->span_id));
	memcpy(span->parent_id, o->parent_id, sizeof(span->parent_id));
	span->trace_flags = o->trace_flags;
	span->link = (enum fr_link)o->link;
	span->socket = fr_names_socket_at(s->names, o->socket);
	if (span->request->ends.family) { /* a socket of datagrams has another end each time */
		datagrams = *span->socket;
		datagrams.type = FR_SOCK_DGRAM;
		datagrams.addr = span->request->ends;
		span->socket = &datagrams;
	}
	s->stats.spans++;
	s->stats.links[span->link]++;
	s->cfg.fn(s->cfg.ctx, span);
}

/* The nearest unsure one from it upwards; FR_OPEN_NONE. */
static uint32_t unsure_above(struct fr_spans *s, uint32_t open)
{
	for (unsigned i = 0; open && i < CHAIN_MAX; i++) {
		const struct fr_open *o = fr_spans_open_at(s, open);

		if (o->settled)
			return FR_OPEN_NONE;
		if (o->unsure || o->awaited_on)
			return open;
		open = o->parent;
	}
	return FR_OPEN_NONE;
}

static void hold(struct fr_spans *s, struct fr_held *h, uint32_t unsure)
{
	struct fr_open *o = fr_spans_open_at(s, unsure);

	h->next = NULL;
	if (o->held_last)
		o->held_last->next = h;
	else
		o->held_first = h;
	o->held_last = h;
}

static void settle_guess(struct fr_spans *s, uint32_t open, bool right);

void fr_spans_deliver(struct fr_spans *s, uint32_t open, const struct fr_span *span)
{
	uint32_t unsure = unsure_above(s, open);
	struct fr_span now = *span;
	struct fr_held *h;

	if (!unsure) {
		hand_out(s, open, &now);
		return;
	}
	h = copy_of(span, open);
	if (!h) {
		fr_spans_note(s, -ENOMEM);
		return;
	}
	fr_opens_hold(&s->opens, open);
	s->held_bytes += h->held_bytes;
	hold(s, h, unsure);
	if (s->held_bytes > HELD_BYTES_MAX && fr_spans_open_at(s, unsure)->awaited_on)
		fr_spans_await_end(s, fr_conns_at(s->conns,
						  fr_spans_open_at(s, unsure)->awaited_on));
	while (s->held_bytes > HELD_BYTES_MAX && s->unsure_oldest) {
		s->stats.guesses_dropped++;
		settle_guess(s, s->unsure_oldest, false);
	}
}

/* ---- guesses -------------------------------------------------------------------------------- */

void fr_spans_doubt(struct fr_spans *s, uint32_t open, uint32_t derived_from)
{
	struct fr_open *o = fr_spans_open_at(s, open);
	struct fr_open *caller = fr_spans_open_at(s, o->caller);

	o->unsure = true;
	o->derived_from = derived_from;
	o->older_unsure = caller->newest_unsure;
	caller->newest_unsure = open;
	o->unsure_older = s->unsure_newest;
	if (s->unsure_newest)
		fr_spans_open_at(s, s->unsure_newest)->unsure_newer = open;
	else
		s->unsure_oldest = open;
	s->unsure_newest = open;
	fr_opens_hold(&s->opens, open); /* until it is settled */
}

static void leave_unsure(struct fr_spans *s, uint32_t open)
{
	struct fr_open *o = fr_spans_open_at(s, open);
	uint32_t *at = &fr_spans_open_at(s, o->caller)->newest_unsure;

	while (*at != open)
		at = &fr_spans_open_at(s, *at)->older_unsure;
	*at = o->older_unsure;
	if (o->unsure_older)
		fr_spans_open_at(s, o->unsure_older)->unsure_newer = o->unsure_newer;
	else
		s->unsure_oldest = o->unsure_newer;
	if (o->unsure_newer)
		fr_spans_open_at(s, o->unsure_newer)->unsure_older = o->unsure_older;
	else
		s->unsure_newest = o->unsure_older;
	o->older_unsure = o->unsure_newer = o->unsure_older = FR_OPEN_NONE;
	o->unsure = false;
}

/* What was held by it goes out, or waits for the next unsure one above. */
static void release(struct fr_spans *s, struct fr_held *h)
{
	struct fr_held *next;
	uint32_t unsure;

	for (; h; h = next) {
		next = h->next;
		unsure = unsure_above(s, h->open);
		if (unsure) {
			hold(s, h, unsure);
			continue;
		}
		hand_out(s, h->open, &h->span);
		fr_opens_drop(&s->opens, h->open);
		s->held_bytes -= h->held_bytes;
		free(h);
	}
}

static void settle_guess(struct fr_spans *s, uint32_t open, bool right)
{
	struct fr_open *o = fr_spans_open_at(s, open);
	struct fr_held *held = o->held_first;
	uint32_t caller = o->caller;

	leave_unsure(s, open);
	if (right)
		fr_spans_note(s, fr_accounts_called(s->budgets, fr_spans_open_at(s, caller), o));
	o->held_first = o->held_last = NULL;
	if (!right) {
		o->parent = o->caller = FR_OPEN_NONE;
		o->link = FR_LINK_NONE;
	}
	release(s, held);
	if (!right)
		fr_opens_drop(&s->opens, caller);
	fr_opens_drop(&s->opens, open);
}

/* Says of each whether it is right, and turns their list round: oldest first. */
static uint32_t judge(struct fr_spans *s, uint32_t open, uint32_t by)
{
	uint32_t first = FR_OPEN_NONE, older;

	for (; open; open = older) {
		struct fr_open *o = fr_spans_open_at(s, open);

		o->right = open == by;
		if (o->right) /* so is that from whose reply it went on */
			by = o->derived_from;
		older = o->older_unsure;
		o->older_unsure = first;
		first = open;
	}
	return first;
}

void fr_spans_decide(struct fr_spans *s, uint32_t caller, uint32_t by)
{
	struct fr_open *c = fr_spans_open_at(s, caller);
	uint32_t open = judge(s, c->newest_unsure, by), next;

	c->newest_unsure = open;
	for (; open; open = next) {
		next = fr_spans_open_at(s, open)->older_unsure;
		settle_guess(s, open, fr_spans_open_at(s, open)->right);
	}
}

/* ---- the other end -------------------------------------------------------------------------- */

void fr_spans_await(struct fr_spans *s, struct fr_conn *c, uint32_t open)
{
	fr_spans_await_end(s, c);
	c->awaited = open;
	fr_spans_open_at(s, open)->awaited_on = fr_conns_index(s->conns, c);
	fr_opens_hold(&s->opens, open);
}

const struct fr_request *fr_spans_awaited(struct fr_spans *s, const struct fr_conn *c)
{
	const struct fr_held *h;

	if (!c->awaited)
		return NULL;
	h = fr_spans_open_at(s, c->awaited)->held_first;
	while (h && h->open != c->awaited)
		h = h->next;
	return h ? &h->request : NULL;
}

void fr_spans_await_end(struct fr_spans *s, struct fr_conn *c)
{
	uint32_t open = c->awaited;
	struct fr_held *held;
	struct fr_open *o;

	if (!open)
		return;
	o = fr_spans_open_at(s, open);
	held = o->held_first;
	c->awaited = FR_OPEN_NONE;
	o->awaited_on = FR_CONN_NONE;
	o->held_first = o->held_last = NULL;
	release(s, held);
	fr_opens_drop(&s->opens, open);
}

void fr_spans_free_held(struct fr_spans *s)
{
	struct fr_held *h, *next;

	for (uint32_t i = 1; i < s->opens.open_cnt; i++) {
		for (h = s->opens.opens[i].held_first; h; h = next) {
			next = h->next;
			free(h);
		}
	}
}
