/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request as an OTLP span: what all protocols have in common. Own attributes are under
 * "flightrec."; all others are of semantic conventions 1.44.
 */
#include <errno.h>

#include "../events/event.h"
#include "../wire/traceparent.h"
#include "otlp_internal.h"

#define IP_BYTES 48

uint64_t fr_otlp_unix(const struct fr_convert *c, uint64_t boot_ns)
{
	uint64_t unix_ns = fr_session_to_unix(c->session, boot_ns);

	return unix_ns ? unix_ns : boot_ns;
}

/* ---- ends ----------------------------------------------------------------------------------- */

/* A unix socket has one name, that of the end that is bound to one. */
static struct fr_otlp_end unix_end(struct fr_otlp_text *t, struct fr_slice path)
{
	struct fr_otlp_end none = { 0 };
	char *room;

	if (!path.len_bytes)
		return none;
	if (path.data[0])
		return (struct fr_otlp_end){ .address = fr_otlp_utf8(t, path) };
	room = fr_otlp_room(t, path.len_bytes); /* an abstract name: as others write it */
	if (!room)
		return none;
	memcpy(room, path.data, path.len_bytes);
	room[0] = '@';
	path.data = (const uint8_t *)room;
	return (struct fr_otlp_end){ .address = fr_otlp_utf8(t, path) };
}

struct fr_otlp_end fr_otlp_end_of(struct fr_otlp_text *t, const struct fr_socket *s, bool remote)
{
	struct fr_otlp_end end = { 0 };
	size_t ip_bytes;
	char *room;

	if (s->addr.family == FR_AF_UNIX)
		return unix_end(t, s->path);
	room = fr_otlp_room(t, IP_BYTES);
	if (!room)
		return end;
	ip_bytes = fr_addr_ip(&s->addr, remote, room);
	t->at = room + ip_bytes;
	if (!ip_bytes)
		return end;
	end.address = (struct fr_slice){ (const uint8_t *)room, ip_bytes };
	end.port = remote ? s->addr.remote_port : s->addr.local_port;
	return end;
}

static void add_transport(struct fr_otlp_maker *m, const struct fr_socket *s)
{
	if (!s->addr.family)
		return;
	fr_otlp_str(&m->span.attrs, FR_LIT("network.transport"),
		    s->addr.family == FR_AF_UNIX ? FR_LIT("unix")
		    : s->type == FR_SOCK_DGRAM	 ? FR_LIT("udp")
						 : FR_LIT("tcp"));
}

/* ---- who, how well seen ---------------------------------------------------------------------- */

static struct fr_slice comm_of(struct fr_otlp_maker *m, uint32_t who, uint64_t time_ns)
{
	char *room = fr_otlp_room(&m->text, FR_COMM_BYTES);

	if (!room)
		return (struct fr_slice){ 0 };
	fr_names_comm_at(m->c->session->names, who, time_ns, room);
	return fr_otlp_utf8(&m->text, fr_otlp_z(room));
}

static void add_thread(struct fr_otlp_maker *m, const struct fr_span *s)
{
	struct fr_otlp_attrs *a = &m->span.attrs;
	struct fr_slice comm;

	/* thread.id is "as opposed to OS thread id": the kernel's number needs a name of its own */
	if (s->who != FR_WHO_NONE) {
		fr_otlp_int(a, FR_LIT("flightrec.thread.id"),
			    fr_names_who(m->c->session->names, s->who)->tid);
		comm = comm_of(m, s->who, s->start_ns);
		if (comm.len_bytes)
			fr_otlp_str(a, FR_LIT("flightrec.thread.name"), comm);
	}
	if (s->goid)
		fr_otlp_int(a, FR_LIT("flightrec.goid"), (int64_t)s->goid);
	if (s->socket && s->socket->id)
		fr_otlp_int(a, FR_LIT("flightrec.socket.id"), (int64_t)s->socket->id);
	if (s->link != FR_LINK_NONE)
		fr_otlp_str(a, FR_LIT("flightrec.link"), fr_otlp_z(fr_span_link_name(s->link)));
}

static void add_marks(struct fr_otlp_maker *m, uint32_t marks)
{
	const char *name;
	size_t cnt = 0;
	uint32_t bit;

	if (!marks)
		return;
	for (unsigned int i = 0; (name = fr_span_mark_at(i, &bit)) && cnt < FR_OTLP_MARKS; i++)
		if (marks & bit)
			m->marks[cnt++] = fr_otlp_z(name);
	fr_otlp_strs(&m->span.attrs, FR_LIT("flightrec.marks"), m->marks, cnt);
}

/* ---- where the time went --------------------------------------------------------------------- */

#define KEY(text)                                                                                  \
	{                                                                                          \
		(const uint8_t *)(text), sizeof(text) - 1                                          \
	}

static const struct fr_slice blocked_keys[] = {
	[FR_BLOCK_NETWORK] = KEY("flightrec.time.blocked.network_ns"),
	[FR_BLOCK_DISK] = KEY("flightrec.time.blocked.disk_ns"),
	[FR_BLOCK_OTHER] = KEY("flightrec.time.blocked.other_ns"),
};

static const struct fr_slice wait_names[] = {
	[FR_BLOCK_NETWORK] = KEY("flightrec.wait.network"),
	[FR_BLOCK_DISK] = KEY("flightrec.wait.disk"),
	[FR_BLOCK_OTHER] = KEY("flightrec.wait.other"),
};

_Static_assert(sizeof(blocked_keys) / sizeof(*blocked_keys) == FR_BLOCK_CNT, "a key for each");

/* "127.0.0.1:5432", "[::1]:80", "/run/db.sock"; empty when it is not known. */
static struct fr_slice peer_of(struct fr_otlp_maker *m, uint32_t instance, uint64_t socket_id)
{
	const struct fr_socket *s;
	struct fr_otlp_end end;
	uint32_t index;
	bool v6;

	s = fr_names_socket(m->c->session->names, instance, socket_id, &index);
	if (!s)
		return (struct fr_slice){ 0 };
	end = fr_otlp_end_of(&m->text, s, true);
	if (!end.address.len_bytes || !end.port)
		return end.address;
	v6 = memchr(end.address.data, ':', end.address.len_bytes) != NULL;
	return fr_otlp_printf(&m->text, v6 ? "[%.*s]:%u" : "%.*s:%u", (int)end.address.len_bytes,
			      end.address.data, end.port);
}

/* What a server waited for its own calls, "PEER NS" each. A client's span is about one peer. */
static void add_peers(struct fr_otlp_maker *m, const struct fr_span *s)
{
	const struct fr_peer_wait *w;
	struct fr_slice peer;
	size_t cnt = 0;

	if (!s->request->server)
		return;
	for (uint32_t i = 0; i < s->budget.peer_cnt && i < FR_BUDGET_PEERS; i++) {
		w = &s->budget.peers[i];
		if (!w->socket_id || !w->wait_ns)
			continue;
		peer = peer_of(m, w->instance, w->socket_id);
		if (!peer.len_bytes)
			peer = FR_LIT("?");
		m->peers[cnt] = fr_otlp_printf(&m->text, "%.*s %llu", (int)peer.len_bytes,
					       peer.data, (unsigned long long)w->wait_ns);
		cnt += m->peers[cnt].data != NULL;
	}
	if (cnt)
		fr_otlp_strs(&m->span.attrs, FR_LIT("flightrec.network.waits"), m->peers, cnt);
}

static void add_budget(struct fr_otlp_maker *m, const struct fr_span *s)
{
	const struct fr_request *r = s->request;
	struct fr_otlp_attrs *a = &m->span.attrs;

	if (r->start.time_ns && r->first.time_ns > r->start.time_ns)
		fr_otlp_int(a, FR_LIT("flightrec.time.to_first_byte_ns"),
			    (int64_t)(r->first.time_ns - r->start.time_ns));
	if (!s->budget_known) {
		fr_otlp_int(a, FR_LIT("flightrec.time.unattributed_ns"),
			    (int64_t)(s->end_ns - s->start_ns));
		return;
	}
	fr_otlp_int(a, FR_LIT("flightrec.time.on_cpu_ns"), (int64_t)s->budget.on_cpu_ns);
	fr_otlp_int(a, FR_LIT("flightrec.time.runqueue_ns"), (int64_t)s->budget.runqueue_ns);
	for (size_t i = 0; i < FR_BLOCK_CNT; i++)
		fr_otlp_int(a, blocked_keys[i], (int64_t)s->budget.blocked_ns[i]);
	fr_otlp_int(a, FR_LIT("flightrec.time.unattributed_ns"),
		    (int64_t)s->budget.unattributed_ns);
	add_peers(m, s);
	if (s->budget.maybe_on_cpu_ns)
		fr_otlp_int(a, FR_LIT("flightrec.time.maybe_on_cpu_ns"),
			    (int64_t)s->budget.maybe_on_cpu_ns);
}

static void make_wait(struct fr_otlp_maker *m, const struct fr_wait *w, uint32_t i)
{
	struct fr_otlp_event *e = &m->span.events[i];
	struct fr_slice text;

	e->time_unix_ns = fr_otlp_unix(m->c, w->from_ns);
	if (w->kind == FR_WAIT_RUNQUEUE)
		e->name = FR_LIT("flightrec.wait.runqueue");
	else
		e->name = wait_names[w->cause < FR_BLOCK_CNT ? w->cause : FR_BLOCK_OTHER];
	e->attrs = (struct fr_otlp_attrs){ .at = m->event_attrs[i], .cap = FR_OTLP_EVENT_ATTRS };
	fr_otlp_int(&e->attrs, FR_LIT("flightrec.wait.duration_ns"),
		    (int64_t)(w->to_ns - w->from_ns));
	if (w->socket_id) {
		fr_otlp_int(&e->attrs, FR_LIT("flightrec.socket.id"), (int64_t)w->socket_id);
		text = peer_of(m, w->instance, w->socket_id);
		if (text.len_bytes)
			fr_otlp_str(&e->attrs, FR_LIT("flightrec.wait.peer"), text);
	}
	if (w->waker == FR_WHO_NONE)
		return;
	text = comm_of(m, w->waker, w->to_ns);
	fr_otlp_str(&e->attrs,
		    w->kind == FR_WAIT_RUNQUEUE ? FR_LIT("flightrec.wait.ran_instead")
						: FR_LIT("flightrec.wait.waker"),
		    text);
	fr_otlp_int(&e->attrs,
		    w->kind == FR_WAIT_RUNQUEUE ? FR_LIT("flightrec.wait.ran_instead_thread_id")
						: FR_LIT("flightrec.wait.waker_thread_id"),
		    fr_names_who(m->c->session->names, w->waker)->tid);
}

/* The longest waits, in order of time. */
static void add_waits(struct fr_otlp_maker *m, const struct fr_span *s)
{
	const struct fr_wait *order[FR_BUDGET_WAITS], *w;
	uint32_t cnt = s->budget_known ? s->budget.wait_cnt : 0, k;

	if (cnt > FR_BUDGET_WAITS)
		cnt = FR_BUDGET_WAITS;
	for (uint32_t i = 0; i < cnt; i++) {
		w = &s->budget.waits[i];
		for (k = i; k && order[k - 1]->from_ns > w->from_ns; k--)
			order[k] = order[k - 1];
		order[k] = w;
	}
	for (uint32_t i = 0; i < cnt; i++)
		make_wait(m, order[i], i);
	m->span.event_cnt = cnt;
}

/* ---- the span ------------------------------------------------------------------------------- */

static bool is_zero(const uint8_t *id, size_t id_bytes)
{
	for (size_t i = 0; i < id_bytes; i++)
		if (id[i])
			return false;
	return true;
}

/* Of the request's own headers, and only where they are what the trace id is from. */
static void add_trace_state(struct fr_otlp_maker *m, const struct fr_span *s)
{
	struct fr_trace_headers h = { .tracestate = &m->tracestate };
	const struct fr_request *r = s->request;
	struct fr_traceparent parent;

	if (!r->tracestate.len_bytes || r->traceparent_cnt != 1)
		return;
	fr_buf_clear(&m->tracestate);
	fr_trace_headers_add(&h, FR_LIT("traceparent"), r->traceparent);
	fr_trace_headers_add(&h, FR_LIT("tracestate"), r->tracestate);
	if (fr_trace_headers_end(&h, &parent) || memcmp(parent.trace_id, s->trace_id, 16))
		return;
	m->span.trace_state = fr_otlp_utf8(&m->text, (struct fr_slice){ m->tracestate.data,
									m->tracestate.len_bytes });
}

/* Above a server's span is the other end's, however it was found. */
static uint32_t flags_of(const struct fr_span *s)
{
	uint32_t known = s->trace_flags | FR_OTLP_PARENT_KNOWN;

	switch (s->link) {
	case FR_LINK_WIRE:
	case FR_LINK_PEER:
		return known | FR_OTLP_PARENT_REMOTE;
	case FR_LINK_LINE:
		return known;
	case FR_LINK_INFERRED:
		return s->request->server ? known | FR_OTLP_PARENT_REMOTE : known;
	case FR_LINK_NONE:
		break;
	}
	return s->trace_flags;
}

static void make_identity(struct fr_otlp_maker *m, const struct fr_span *s)
{
	struct fr_otlp_span *o = &m->span;

	o->trace_id = s->trace_id;
	o->span_id = s->span_id;
	o->parent_id = is_zero(s->parent_id, sizeof(s->parent_id)) ? NULL : s->parent_id;
	o->flags = flags_of(s);
	o->kind = s->request->server ? FR_OTLP_SERVER : FR_OTLP_CLIENT;
	o->start_unix_ns = fr_otlp_unix(m->c, s->start_ns);
	o->end_unix_ns = fr_otlp_unix(m->c, s->end_ns);
	/* the wall clock may have been set back in between: what it took is what it took */
	if (o->end_unix_ns < o->start_unix_ns)
		o->end_unix_ns = o->start_unix_ns + (s->end_ns - s->start_ns);
	add_trace_state(m, s);
}

static void make_protocol(struct fr_otlp_maker *m, const struct fr_span *s)
{
	switch (s->request->protocol) {
	case FR_WIRE_HTTP1:
		fr_otlp_http(m, s);
		break;
	case FR_WIRE_POSTGRES:
	case FR_WIRE_MYSQL:
	case FR_WIRE_REDIS:
		fr_otlp_db(m, s);
		break;
	case FR_WIRE_DNS:
		fr_otlp_dns(m, s);
		break;
	case FR_WIRE_NONE:
		break;
	}
}

int fr_otlp_make_span(struct fr_otlp_maker *m, const struct fr_span *s)
{
	int err = fr_span_text_of(&m->span_text, s->request);
	struct fr_otlp_attrs *a = &m->span.attrs;

	if (err)
		return err;
	fr_otlp_text_reset(&m->text);
	m->span.trace_state = m->span.status_text = (struct fr_slice){ 0 };
	*a = (struct fr_otlp_attrs){ .at = m->attrs, .cap = FR_OTLP_SPAN_ATTRS };
	m->socket = s->socket ? *s->socket : (struct fr_socket){ 0 };
	if (s->request->ends.family)
		m->socket.addr = s->request->ends; /* a socket without a connection has none */
	make_identity(m, s);
	m->span.name = fr_otlp_utf8(&m->text, (struct fr_slice){ m->span_text.name.data,
								 m->span_text.name.len_bytes });
	m->span.status = fr_span_failed(s->request) ? FR_OTLP_ERROR : FR_OTLP_UNSET;
	make_protocol(m, s);
	add_transport(m, &m->socket);
	fr_otlp_int(a, FR_LIT("flightrec.request.bytes"), (int64_t)s->request->request_bytes);
	fr_otlp_int(a, FR_LIT("flightrec.response.bytes"), (int64_t)s->request->response_bytes);
	add_thread(m, s);
	add_marks(m, s->request->marks);
	add_budget(m, s);
	add_waits(m, s);
	return m->tracestate.err;
}

void fr_otlp_maker_done(struct fr_otlp_maker *m)
{
	fr_span_text_done(&m->span_text);
	fr_buf_done(&m->tracestate);
}
