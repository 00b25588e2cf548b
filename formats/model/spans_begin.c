/* SPDX-License-Identifier: BSD-2-Clause */
/* A request begins: whose it is, under which other one, in which trace. */
#include <errno.h>

#include "../wire/sql.h"
#include "spans_internal.h"

/* ---- who ------------------------------------------------------------------------------------ */

/* Is the program Go's? Once seen as such, it stays one: C code called from Go shows no goroutine.
 */
static bool is_go_program(struct fr_spans *s, const struct fr_actor *a, bool shows_go)
{
	uint64_t key = a->leader != FR_WHO_NONE ? a->leader : UINT64_MAX - a->tgid;
	const struct fr_process *process;
	uint32_t is_go = 0;

	if (!fr_map_get(&s->programs, key, &is_go) || (shows_go && !is_go)) {
		process = shows_go ? NULL : fr_names_process_of(s->names, a->who);
		is_go = shows_go || (process && process->go_version.len_bytes);
		if (fr_map_put(&s->programs, key, is_go))
			fr_spans_note(s, -ENOMEM);
	}
	return is_go;
}

struct fr_actor fr_spans_actor(struct fr_spans *s, uint32_t tid, uint64_t goid, uint32_t io_flags,
			       uint64_t time_ns)
{
	struct fr_thread *th = fr_threads_get(s->cfg.threads, tid, time_ns);
	struct fr_actor a = {
		.who = th ? th->who : fr_names_thread(s->names, tid, time_ns),
		.tid = tid,
		.goid = goid,
		.leader = FR_WHO_NONE,
	};
	const struct fr_who *w;

	if (a.who == FR_WHO_NONE) {
		fr_spans_note(s, -ENOMEM);
		a.who = FR_WHO_IDLE;
		return a;
	}
	w = fr_names_who(s->names, a.who);
	a.tgid = w->tgid;
	a.leader = w->leader;
	/* GO_UNKNOWN says nothing of the program: any has it until the recorder looked at it. */
	a.is_go = is_go_program(s, &a, goid) || io_flags & FR_IO_GO_UNKNOWN;
	if (tid && !(io_flags & FR_IO_KTHREAD) && (goid ? a.tgid != 0 : !a.is_go))
		a.line = fr_parents_line(&a);
	return a;
}

/* Whoever stands at this point of the wire. */
static struct fr_actor actor_at(struct fr_spans *s, const struct fr_wire_point *p)
{
	return fr_spans_actor(s, p->tid, p->goid, 0, p->time_ns);
}

/* ---- a request begins ----------------------------------------------------------------------- */

/* The same bytes at both ends, as far as both ends show them. */
static bool same_request(const struct fr_request *a, const struct fr_request *b)
{
	size_t n = a->text.len_bytes < b->text.len_bytes ? a->text.len_bytes : b->text.len_bytes;

	return a->protocol == b->protocol && a->kind == b->kind &&
	       (!n || !memcmp(a->text.data, b->text.data, n));
}

/* client becomes the parent of server, if that is not settled yet. */
static void join_ends(struct fr_spans *s, uint32_t client, uint32_t server, enum fr_link link)
{
	struct fr_open *o = fr_spans_open_at(s, server);

	if (o->parent || fr_opens_is_above(&s->opens, server, client))
		return;
	if (o->settled) {
		s->stats.late_peers++;
		return;
	}
	fr_opens_hold(&s->opens, client);
	o->parent = client;
	o->link = (uint8_t)link;
}

/* Where a request at off lies at the other end, which counts from elsewhere. */
static uint64_t off_at_peer(const struct fr_conn *c, const struct fr_conn *peer, bool is_server,
			    uint64_t off)
{
	return is_server ? off - c->ahead_bytes : off + peer->ahead_bytes;
}

/* The i-th open request of the other end, if it is this one. */
static uint32_t same_at_peer(const struct fr_conn *peer, uint32_t i, const struct fr_request *r)
{
	struct fr_request at_peer;

	if (!peer->wire->pending[i].tag)
		return FR_OPEN_NONE;
	fr_wire_conn_peek(peer->wire, i, &at_peer);
	return at_peer.server != r->server && same_request(r, &at_peer) ? peer->wire->pending[i].tag
									: FR_OPEN_NONE;
}

/* The only open request that is told of, unless its place is inferred; FR_WIRE_PENDING_MAX. */
static uint32_t only_one(const struct fr_wire_conn *w)
{
	uint32_t only = FR_WIRE_PENDING_MAX;

	for (uint32_t i = 0; i < w->pending_cnt; i++) {
		if (w->pending[i].quiet)
			continue;
		if (only != FR_WIRE_PENDING_MAX || w->pending[i].marks & FR_MARK_MATCH_INFERRED)
			return FR_WIRE_PENDING_MAX;
		only = i;
	}
	return w->unkept_cnt ? FR_WIRE_PENDING_MAX : only;
}

/* Was the client's request sent after it had the server's latest reply? */
static bool is_in_turn(const struct fr_wire_conn *server, const struct fr_wire_conn *client,
		       const struct fr_wire_pending *request)
{
	const struct fr_wire_stream *sent = &server->streams[FR_WIRE_SEND];
	const struct fr_wire_stream *got = &client->streams[FR_WIRE_RECV];

	return sent->seen && got->seen && sent->last.time_ns <= got->last.time_ns &&
	       got->last.time_ns <= request->start.time_ns;
}

/*
 * The ends count from elsewhere, nobody knows by how much: a server's request that begins while it
 * is the only open one, with the same bytes as the only open one of the client, in its turn, is
 * that one. It cannot be an older one: that would have to be answered before the client sent
 * another. A younger one takes threads that don't wait for replies: this is likely, and no proof.
 */
static void find_only_one(struct fr_spans *s, struct fr_conn *c, const struct fr_conn *peer,
			  uint32_t open, const struct fr_request *r)
{
	uint32_t client, i = only_one(peer->wire);

	if (!r->server || i == FR_WIRE_PENDING_MAX || only_one(c->wire) == FR_WIRE_PENDING_MAX ||
	    !r->text.len_bytes)
		return;
	client = same_at_peer(peer, i, r);
	if (!client || !is_in_turn(c->wire, peer->wire, &peer->wire->pending[i]))
		return;
	c->ahead_bytes = fr_spans_open_at(s, open)->start_off -
			 fr_spans_open_at(s, client)->start_off;
	c->ahead_guessed = true;
	join_ends(s, client, open, FR_LINK_INFERRED);
}

/* A server's request that is over already, and waits at the other end for this one. */
static void find_awaited(struct fr_spans *s, const struct fr_conn *peer, uint32_t open,
			 uint64_t off, const struct fr_request *r, enum fr_link link)
{
	const struct fr_request *there = fr_spans_awaited(s, peer);

	if (there && there->start.stream_off == off && same_request(r, there))
		join_ends(s, open, peer->awaited, link);
}

/* Looks for what lies at off at the other end. False when that is another request. */
static bool find_at(struct fr_spans *s, struct fr_conn *c, const struct fr_conn *peer,
		    uint32_t open, const struct fr_request *r, uint64_t off, enum fr_link link)
{
	uint32_t other;

	for (uint32_t i = 0; i < peer->wire->pending_cnt; i++) {
		if (!peer->wire->pending[i].tag || peer->wire->pending[i].start.stream_off != off)
			continue;
		other = same_at_peer(peer, i, r);
		if (!other)
			return false;
		if (r->server)
			join_ends(s, other, open, link);
		else
			join_ends(s, open, other, link);
	}
	if (!r->server)
		find_awaited(s, peer, open, off, r, link);
	else if (!fr_spans_open_at(s, open)->parent)
		fr_spans_await(s, c, open);
	return true;
}

/* Looks for the same request at the connection's other end. */
static void find_other_end(struct fr_spans *s, struct fr_conn *c, uint32_t open,
			   const struct fr_request *r)
{
	struct fr_conn *peer = fr_conns_at(s->conns, c->peer), *server = r->server ? c : peer;
	uint32_t dir = r->server ? FR_WIRE_RECV : FR_WIRE_SEND;
	enum fr_link link = FR_LINK_PEER;
	uint64_t off;

	if (!peer || !peer->wire || !peer->wire->proto || r->marks & FR_MARK_START_UNSEEN)
		return;
	if (c->first_sight[dir] || peer->first_sight[!dir]) {
		link = FR_LINK_INFERRED;
		if (!server->ahead_guessed) {
			find_only_one(s, c, peer, open, r);
			return;
		}
	}
	off = off_at_peer(c, peer, r->server, fr_spans_open_at(s, open)->start_off);
	if (!find_at(s, c, peer, open, r, off, link))
		server->ahead_guessed = false; /* other bytes lie there: guessed wrong */
}

static bool is_sql(const struct fr_request *r)
{
	return r->protocol == FR_WIRE_POSTGRES || r->protocol == FR_WIRE_MYSQL;
}

/* A valid trace context of its own: in a header, or in a comment behind an SQL statement. */
static void read_context(struct fr_open *o, const struct fr_request *r)
{
	struct fr_sql_text in = { .sql = r->text, .is_cut = r->marks & FR_MARK_CUT };
	struct fr_sql_facts facts = { 0 };
	struct fr_traceparent t;

	if (r->traceparent_cnt == 1 && r->traceparent.len_bytes) {
		if (fr_traceparent_parse(r->traceparent, &t))
			return;
	} else if (is_sql(r) && r->text.len_bytes >= FR_TRACEPARENT_BYTES &&
		   memmem(r->text.data, r->text.len_bytes, "traceparent", 11)) {
		in.dialect = r->protocol == FR_WIRE_POSTGRES ? FR_SQL_POSTGRESQL : FR_SQL_MYSQL;
		if (fr_sql_normalize(&in, NULL, NULL, &facts) || !facts.has_parent)
			return;
		t = facts.parent;
	} else {
		return;
	}
	memcpy(o->trace_id, t.trace_id, sizeof(o->trace_id));
	memcpy(o->wire_parent_id, t.parent_id, sizeof(o->wire_parent_id));
	o->trace_flags = t.flags;
	o->has_wire = true;
}

/* By writeLoop's rule. Not for the first request of a connection: who wanted it waited while it was
 * dialled, so that it was somebody else's goroutine that parked. */
static uint32_t who_parked(struct fr_spans *s, const struct fr_actor *a, const struct fr_open *o,
			   uint32_t *ret_by)
{
	const struct fr_thread *th;

	if (!a->is_go || !a->goid || o->protocol != FR_WIRE_HTTP1 || !o->start_off)
		return FR_OPEN_NONE;
	th = fr_threads_get(s->cfg.threads, a->tid, s->now_ns);
	return th ? fr_parents_who_parked(s->parents, th, s->now_ns, ret_by) : FR_OPEN_NONE;
}

/* The server request that this client's request was sent for. */
static void find_caller(struct fr_spans *s, const struct fr_actor *a, uint32_t open)
{
	struct fr_open *o = fr_spans_open_at(s, open);
	uint32_t caller = fr_parents_of(s->parents, a), by = FR_OPEN_NONE;
	bool is_guess = !caller;

	if (is_guess)
		caller = who_parked(s, a, o, &by);
	if (!caller)
		return;
	o->link = is_guess || fr_parents_is_loop(s->parents, a) ? FR_LINK_INFERRED : FR_LINK_LINE;
	o->caller = o->parent = caller;
	o->caller_serial = fr_spans_open_at(s, caller)->serial;
	fr_opens_hold(&s->opens, caller);
	if (is_guess)
		fr_spans_doubt(s, open, by);
}

static void put_on_conn(struct fr_spans *s, struct fr_conn *c, uint32_t open)
{
	struct fr_open *o = fr_spans_open_at(s, open);

	o->conn = fr_conns_index(s->conns, c);
	o->socket = c->socket;
	o->older_on_conn = c->newest_open;
	if (c->newest_open)
		fr_spans_open_at(s, c->newest_open)->newer_on_conn = open;
	c->newest_open = open;
	c->open_cnt++;
}

static void take_off_conn(struct fr_spans *s, struct fr_conn *c, uint32_t open)
{
	struct fr_open *o = fr_spans_open_at(s, open);

	if (o->newer_on_conn)
		fr_spans_open_at(s, o->newer_on_conn)->older_on_conn = o->older_on_conn;
	else
		c->newest_open = o->older_on_conn;
	if (o->older_on_conn)
		fr_spans_open_at(s, o->older_on_conn)->newer_on_conn = o->newer_on_conn;
	o->newer_on_conn = o->older_on_conn = FR_OPEN_NONE;
	o->conn = FR_CONN_NONE;
	c->open_cnt--;
}

static void set_place(struct fr_open *o, const struct fr_conn *c, const struct fr_request *r)
{
	enum fr_wire_dir dir = r->server ? FR_WIRE_RECV : FR_WIRE_SEND;
	bool unseen = r->marks & FR_MARK_START_UNSEEN;

	o->start_off = unseen ? r->first.stream_off : r->start.stream_off;
	if (unseen)
		dir = dir == FR_WIRE_RECV ? FR_WIRE_SEND : FR_WIRE_RECV;
	o->place = (struct fr_id_place){
		.sock_id = c->sock_id,
		.instance = c->instance,
		.stream_off = o->start_off,
		.dir = (uint8_t)dir,
		.kind = r->kind,
		.reply = unseen,
	};
}

static void set_actor(struct fr_open *o, const struct fr_actor *a)
{
	o->line = a->line;
	o->goid = a->goid;
	o->who = a->who;
	o->tid = a->tid;
	o->tgid = a->tgid;
	o->is_go = a->is_go;
}

/* A server's request belongs to who read the last part of its head, a client's to who sent its
 * first byte. */
static struct fr_actor actor_for(struct fr_spans *s, const struct fr_request *r)
{
	const struct fr_move *m = s->move;

	if (r->marks & FR_MARK_START_UNSEEN) /* the reply tells at least which process it is */
		return actor_at(s, &r->first);
	if (m && r->server && m->dir == FR_WIRE_RECV && (m->actor.goid || !r->start.goid))
		return m->actor;
	if (m && !r->server && r->start.time_ns == m->time_ns && r->start.tid == m->actor.tid)
		return m->actor;
	return actor_at(s, &r->start);
}

static void begin_server(struct fr_spans *s, const struct fr_actor *a, uint32_t open)
{
	fr_spans_note(s, fr_parents_begin(s->parents, open));
	if (a->is_go && a->goid)
		fr_spans_note(s, fr_parents_runs(s->parents, a, open, FR_OPEN_NONE, s->now_ns));
	else
		fr_parents_other(s->parents, a->who);
}

static void begin_client(struct fr_spans *s, const struct fr_actor *a, uint32_t open)
{
	find_caller(s, a, open);
	fr_parents_other(s->parents, a->who); /* whoever asked waits now */
}

uint32_t fr_spans_begin(struct fr_spans *s, struct fr_conn *c, const struct fr_request *r)
{
	struct fr_actor a = actor_for(s, r);
	uint32_t open = fr_opens_take(&s->opens);
	struct fr_open *o;

	if (!open) {
		fr_spans_note(s, -ENOMEM);
		return FR_OPEN_NONE;
	}
	o = fr_spans_open_at(s, open);
	o->server = r->server;
	o->protocol = (uint8_t)r->protocol;
	o->start_ns = r->start.time_ns;
	set_place(o, c, r);
	set_actor(o, &a);
	fr_ids_span(&s->ids, &o->place, o->span_id);
	read_context(o, r);
	put_on_conn(s, c, open);
	if (r->server)
		begin_server(s, &a, open);
	else if (o->start_ns)
		begin_client(s, &a, open);
	find_other_end(s, c, open, r);
	if (o->start_ns)
		fr_accounts_open(s->budgets, o, c);
	return open;
}

void fr_spans_forget(struct fr_spans *s, struct fr_conn *c, uint32_t open)
{
	struct fr_span unwanted = { .end_ns = s->now_ns };

	fr_accounts_close(s->budgets, fr_spans_open_at(s, open), &unwanted);
	if (fr_spans_open_at(s, open)->server) {
		fr_spans_decide(s, open, FR_OPEN_NONE);
		fr_parents_end(s->parents, open);
	}
	take_off_conn(s, c, open);
	fr_opens_drop(&s->opens, open);
}
