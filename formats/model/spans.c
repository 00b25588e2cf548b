/* SPDX-License-Identifier: BSD-2-Clause */
/* Records to transfers, transfers to connections. */
#include <errno.h>
#include <stdlib.h>

#include "../events/event.h"
#include "spans_internal.h"

/* ---- requests on a connection --------------------------------------------------------------- */

/* Those that the queue dropped without a word (its guess of who asks whom was wrong). */
static void sweep(struct fr_spans *s, struct fr_conn *c)
{
	uint32_t open = c->newest_open, older;

	for (; open; open = older) {
		bool there = false;

		older = fr_spans_open_at(s, open)->older_on_conn;
		for (uint32_t i = 0; c->wire && i < c->wire->pending_cnt; i++)
			there |= c->wire->pending[i].tag == open;
		if (!there)
			fr_spans_forget(s, c, open);
	}
}

static void begin_new(struct fr_spans *s, struct fr_conn *c)
{
	struct fr_request r;
	uint32_t known = 0;

	for (uint32_t i = 0; i < c->wire->pending_cnt; i++) {
		struct fr_wire_pending *e = &c->wire->pending[i];

		if (!e->tag && !e->quiet && s->opens.live_cnt >= FR_OPENS_MAX) {
			s->stats.crowded++;
		} else if (!e->tag && !e->quiet) {
			fr_wire_conn_peek(c->wire, i, &r);
			e->tag = fr_spans_begin(s, c, &r);
		}
		known += e->tag != 0;
	}
	if (known != c->open_cnt)
		sweep(s, c);
}

/* One end sends, or will send no more: the request that waits at the other has its client by now,
 * or none. */
static void settle_other_end(struct fr_spans *s, const struct fr_conn *c)
{
	struct fr_conn *peer = fr_conns_at(s->conns, c->peer);

	if (peer)
		fr_spans_await_end(s, peer);
}

static void flush_conn(void *ctx, struct fr_conn *c, bool closed)
{
	struct fr_spans *s = ctx;

	s->conn = c;
	if (closed)
		fr_wire_conn_close(c->wire, fr_spans_take, s);
	else
		fr_wire_conn_flush(c->wire, fr_spans_take, s);
	while (c->newest_open)
		fr_spans_forget(s, c, c->newest_open);
	fr_spans_await_end(s, c);
	settle_other_end(s, c);
	s->stats.overflow += c->wire->overflow_cnt;
}

/* ---- who runs on the thread ----------------------------------------------------------------- */

/* The request that is next to be answered on this connection, before the transfer. */
static uint32_t oldest_open(const struct fr_conn *c)
{
	return c->wire && c->wire->pending_cnt ? c->wire->pending[0].tag : FR_OPEN_NONE;
}

static bool is_client(const struct fr_conn *c)
{
	return c->wire->request_dir == FR_WIRE_SEND;
}

static void note_answer(struct fr_spans *s, uint32_t caller, uint32_t request)
{
	struct fr_open *o = fr_spans_open_at(s, request);

	if (!o->answered_ns)
		o->answered_ns = s->now_ns;
	fr_spans_note(s, fr_parents_runs(s->parents, &s->move->actor, caller, request, s->now_ns));
}

/* A reply to a client's request came: to the goroutine that waited for it, or to net/http's
 * readLoop, which wakes the one that waits and parks. */
static void note_reply(struct fr_spans *s, uint32_t own, uint32_t caller, uint32_t request)
{
	const struct fr_actor *a = &s->move->actor;

	if (own)
		fr_spans_note(s, fr_parents_runs(s->parents, a, own, FR_OPEN_NONE, s->now_ns));
	else if (caller)
		note_answer(s, caller, request);
	else
		fr_parents_other(s->parents, a->who);
}

/* The goroutine of a server request is seen: what was guessed of it is settled. The request. */
static uint32_t meet_caller(struct fr_spans *s, const struct fr_actor *a)
{
	uint32_t open = a->goid ? fr_parents_of(s->parents, a) : FR_OPEN_NONE, by = FR_OPEN_NONE;
	const struct fr_thread *th;

	if (!open || !fr_spans_open_at(s, open)->newest_unsure)
		return open;
	th = fr_threads_get(s->cfg.threads, a->tid, s->now_ns);
	if (!th || fr_parents_seated(s->parents, th, &by) != open)
		by = FR_OPEN_NONE;
	fr_spans_decide(s, open, by);
	return open;
}

/* ---- transfers ------------------------------------------------------------------------------ */

static enum fr_line_event event_of(const struct fr_conn *c, enum fr_wire_dir dir)
{
	if (!c->wire || (!c->wire->proto && !c->wire->side_known))
		return FR_LINE_OTHER;
	if (!is_client(c))
		return FR_LINE_SERVES;
	return dir == FR_WIRE_SEND ? FR_LINE_ASKS : FR_LINE_ANSWERED;
}

static void feed(struct fr_spans *s, struct fr_conn *c, const struct fr_merged *m,
		 const struct fr_sock_io *io)
{
	struct fr_wire_part p = {
		.dir = s->move->dir,
		.start = io->flags & FR_IO_MSG_START,
		.first_sight = io->flags & FR_IO_FIRST_SIGHT || (!c->met && io->stream_off),
		.time_ns = s->now_ns,
		.stream_off = io->stream_off,
		.transfer_bytes = (uint64_t)io->result,
		.captured = fr_io_captured(&m->rec),
		.goid = io->goid,
		.tid = io->tid,
	};

	if (io->flags & FR_IO_ADDR) /* a datagram is a message */
		p.start = p.datagram = fr_datagrams_ends(&s->datagrams, c->instance, &m->rec,
							 &p.ends);
	c->met = true;
	c->first_sight[p.dir] |= (io->flags & FR_IO_FIRST_SIGHT) != 0;
	c->tries += !c->wire->proto && p.captured.len_bytes;
	s->conn = c;
	fr_wire_conn_part(c->wire, &p, fr_spans_take, s);
}

/* The server request that the one which this transfer answers was sent for, while both are open. */
static uint32_t caller_of(struct fr_spans *s, uint32_t request)
{
	const struct fr_open *o = fr_spans_open_at(s, request);

	return o->caller && fr_spans_open_at(s, o->caller)->serial == o->caller_serial
		       ? o->caller
		       : FR_OPEN_NONE;
}

/* Bytes moved on a connection that may be understood. */
static void take_bytes(struct fr_spans *s, struct fr_conn *c, const struct fr_merged *m,
		       const struct fr_sock_io *io)
{
	uint32_t own = s->move->own, oldest = oldest_open(c), caller;
	bool is_reply = is_client(c) && s->move->dir == FR_WIRE_RECV;
	uint64_t serial = s->opens.serial;

	if (oldest && !is_client(c) && fr_spans_open_at(s, oldest)->who != s->move->actor.who)
		fr_spans_open_at(s, oldest)->shared = true;
	caller = oldest && is_reply ? caller_of(s, oldest) : FR_OPEN_NONE;
	if (oldest)
		fr_opens_hold(&s->opens, oldest);
	feed(s, c, m, io);
	begin_new(s, c);
	if (s->move->dir == FR_WIRE_SEND)
		settle_other_end(s, c);
	if (caller && !fr_spans_open_at(s, caller)->conn)
		caller = FR_OPEN_NONE;
	if (s->opens.serial != serial) {
		/* whoever began one has been noted */
	} else if (is_reply && s->move->actor.is_go) {
		note_reply(s, own, caller, oldest);
	} else if (own && own == oldest_open(c)) { /* more of its request, or of its response */
		note_reply(s, own, FR_OPEN_NONE, FR_OPEN_NONE);
	} else {
		fr_parents_other(s->parents, s->move->actor.who);
	}
	fr_opens_drop(&s->opens, oldest);
	if (c->wire->raw || (!c->wire->proto && c->tries > FR_CONN_TRIES_MAX))
		fr_conns_deafen(s->conns, c);
}

/* The other end has said all that it will. */
static void take_eof(struct fr_spans *s, struct fr_conn *c)
{
	s->conn = c;
	if (c->wire && c->wire->proto && is_client(c)) {
		fr_wire_conn_close(c->wire, fr_spans_take, s);
		sweep(s, c);
	}
}

static void take_io(struct fr_spans *s, const struct fr_merged *m, uint32_t instance)
{
	struct fr_move move = { .time_ns = s->now_ns };
	struct fr_sock_io io;
	struct fr_conn *c;

	memcpy(&io, m->rec.data, sizeof(io));
	if (!io.sock_id) {
		s->stats.nostate++;
		return;
	}
	if (io.flags & FR_IO_PEEK)
		return;
	c = fr_conns_use(s->conns, instance, io.sock_id);
	if (!c) {
		fr_spans_note(s, -ENOMEM);
		return;
	}
	move.dir = m->rec.kind == FR_EV_SOCK_SEND ? FR_WIRE_SEND : FR_WIRE_RECV;
	move.actor = fr_spans_actor(s, io.tid, io.goid, io.flags, s->now_ns);
	move.own = meet_caller(s, &move.actor);
	s->move = &move;
	fr_spans_note(s, fr_accounts_event(s->budgets, &move.actor, c, event_of(c, move.dir),
					   s->now_ns));
	if (io.result > 0 && c->wire)
		take_bytes(s, c, m, &io);
	else
		fr_parents_other(s->parents, move.actor.who);
	if (!io.result && move.dir == FR_WIRE_RECV && !(io.flags & FR_IO_ADDR))
		take_eof(s, c);
	s->move = NULL;
}

/* ---- records -------------------------------------------------------------------------------- */

static void take_close(struct fr_spans *s, const struct fr_merged *m, uint32_t instance)
{
	struct fr_sock_open e;
	struct fr_conn *c;

	memcpy(&e, m->rec.data, sizeof(e));
	c = e.sock_id ? fr_conns_find(s->conns, instance, e.sock_id) : NULL;
	if (c)
		fr_conns_close(s->conns, c, true);
}

/* A connection changes its state: somebody other than who was seen last may run there. */
static void take_state(struct fr_spans *s, uint16_t cpu)
{
	const struct fr_thread *th = fr_threads_on_cpu(s->cfg.threads, cpu);

	if (th)
		fr_parents_other(s->parents, th->who);
}

static void take_switch(struct fr_spans *s, const struct fr_step *step)
{
	for (uint32_t i = 0; i < step->stint_cnt; i++) {
		const struct fr_thread *th = step->stints[i].thread;

		if (th->run != FR_RUN_ON)
			fr_parents_leaves(s->parents, th);
	}
}

static void take_family(struct fr_spans *s, const struct fr_merged *m)
{
	struct fr_rec_family e;

	memcpy(&e, m->rec.data, sizeof(e));
	if (e.family == FR_FAMILY_SOCK)
		fr_conns_flush_all(s->conns);
}

int fr_spans_record(struct fr_spans *s, const struct fr_merged *m, const struct fr_step *step)
{
	uint32_t instance = s->cfg.session->dumps[m->dump].instance;
	int err = fr_accounts_record(s->budgets, m, instance, step);

	fr_spans_note(s, err);
	s->now_ns = m->order_ns;
	switch (m->rec.kind) {
	case FR_EV_SOCK_SEND:
	case FR_EV_SOCK_RECV:
		take_io(s, m, instance);
		break;
	case FR_EV_SOCK_CLOSE:
		take_close(s, m, instance);
		break;
	case FR_EV_DNS_SOURCE:
		fr_datagrams_came(&s->datagrams, instance, &m->rec);
		break;
	case FR_EV_SOCK_OPEN:
	case FR_EV_SOCK_STATE:
		take_state(s, m->rec.cpu);
		break;
	case FR_EV_SCHED_SWITCH:
		take_switch(s, step);
		break;
	case FR_EV_REC_FAMILY:
		take_family(s, m);
		break;
	default:
		break;
	}
	return s->err;
}

void fr_spans_blind(struct fr_spans *s, uint64_t at_ns)
{
	fr_accounts_blind(s->budgets, at_ns);
	fr_parents_forget(s->parents);
}

void fr_spans_whole(struct fr_spans *s)
{
	fr_conns_settle_all(s->conns);
}

int fr_spans_end(struct fr_spans *s)
{
	s->now_ns = s->cfg.to_ns > s->now_ns ? s->cfg.to_ns : s->now_ns;
	fr_conns_flush_all(s->conns);
	return s->err;
}

const struct fr_spans_stats *fr_spans_stats(struct fr_spans *s)
{
	s->stats.evicted_conns = fr_conns_stats(s->conns)->evicted_cnt;
	s->stats.deaf_conns = fr_conns_stats(s->conns)->deaf_cnt;
	s->stats.conns_max = fr_conns_stats(s->conns)->wired_max;
	s->stats.conns_room = fr_conns_stats(s->conns)->wired_room;
	s->stats.opens_max = s->opens.live_max;
	return &s->stats;
}

static uint32_t cpus_of(const struct fr_session *session)
{
	uint32_t cnt = 0;

	for (size_t i = 0; i < session->dump_cnt; i++)
		cnt += session->dumps[i].cpu_cnt;
	return cnt;
}

int fr_spans_new(const struct fr_spans_config *config, struct fr_spans **ret_spans)
{
	struct fr_spans *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->cfg = *config;
	s->names = config->session->names;
	err = fr_ids_init(&s->ids, config->session);
	if (!err)
		err = fr_conns_new(s->names, cpus_of(config->session), flush_conn, s, &s->conns);
	if (!err)
		err = fr_parents_new(&s->opens, &s->parents);
	if (!err)
		err = fr_accounts_new(s->names, config->threads, &s->budgets);
	if (err) {
		fr_spans_free(s);
		return err;
	}
	*ret_spans = s;
	return 0;
}

struct fr_spans *fr_spans_free(struct fr_spans *s)
{
	if (!s)
		return NULL;
	fr_spans_free_held(s);
	fr_accounts_free(s->budgets);
	fr_parents_free(s->parents);
	fr_conns_free(s->conns);
	fr_opens_done(&s->opens);
	fr_ids_done(&s->ids);
	fr_map_done(&s->programs);
	free(s);
	return NULL;
}
