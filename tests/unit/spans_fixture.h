/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Synthetic records into spans, and what came out. Threads: 101..103 of Go program 100, 201 and 202
 * of program 200 (not Go's), 301 of client 300. Sockets come in pairs: sp_pair() makes both ends of
 * one connection.
 */
#ifndef FR_TESTS_SPANS_FIXTURE_H
#define FR_TESTS_SPANS_FIXTURE_H

#include "cm.h"

#include "formats/model/conns.h"
#include "formats/model/spans.h"
#include "make_dump.h"

enum { GO = 100, M1, M2, M3, PROG = 200, T1, T2, CLIENT = 300, C1, BASE = 400, B1 };

#define SP_SPANS_MAX 4096
#define SP_TEXT 64

/* A span, with copies of what ends with the call. */
struct sp_span {
	struct fr_span span;
	struct fr_request request;
	uint64_t sock_id;
	char text[SP_TEXT], command[SP_TEXT];
};

struct sp {
	struct mk mk;
	struct fr_session *session;
	struct fr_threads *threads;
	struct fr_spans *spans;
	uint64_t last_ns;
	uint64_t from_ns, to_ns;
	struct sp_span got[SP_SPANS_MAX];
	uint32_t got_cnt;
	uint64_t offs[4096][2]; /* by socket and direction */
	uint32_t first_sight;	/* FR_IO_FIRST_SIGHT for all that follows */
};

static struct sp sp;

static inline void sp_take(void *ctx, const struct fr_span *span)
{
	struct sp_span *g = &sp.got[sp.got_cnt++];

	(void)ctx;
	assert_true(sp.got_cnt < SP_SPANS_MAX);
	assert_true(span->start_ns <= span->end_ns);
	assert_true(span->span_id[0] | span->span_id[1] | span->span_id[2] | span->span_id[3]);
	g->span = *span;
	g->request = *span->request;
	g->sock_id = span->socket->id;
	snprintf(g->text, SP_TEXT, "%.*s", (int)span->request->text.len_bytes,
		 (const char *)span->request->text.data);
	snprintf(g->command, SP_TEXT, "%.*s", (int)span->request->command.len_bytes,
		 (const char *)span->request->command.data);
}

/* Both ends of connection n: socket 2n is the client's, 2n+1 the server's. */
static inline void sp_pair(uint64_t n, uint32_t client_tgid, uint32_t server_tgid)
{
	struct fr_meta_socket s = { .type = FR_SOCK_STREAM, .netns_inum = 7 };

	for (unsigned side = 0; side < 2; side++) {
		uint16_t port = (uint16_t)(20000 + n);

		s.id = 2 * n + side;
		s.tgid = side ? server_tgid : client_tgid;
		s.flags = side ? FR_SOCK_ACCEPTED : FR_SOCK_CONNECTED;
		s.addr = (struct fr_sock_addr){
			.family = FR_AF_INET,
			.local_port = side ? 80 : port,
			.remote_port = side ? port : 80,
			.local = { 127, 0, 0, 1 },
			.remote = { 127, 0, 0, 1 },
		};
		fr_meta_add_socket(&sp.mk.sockets, &s);
	}
}

static inline int sp_start(void **state)
{
	(void)state;
	memset(&sp, 0, sizeof(sp));
	mk_begin(&sp.mk, 1);
	for (uint32_t tgid = GO; tgid <= BASE; tgid += 100)
		for (uint32_t tid = tgid; tid < tgid + 4; tid++)
			mk_thread(&sp.mk, tid, tgid, 5, 0, "thread");
	sp.to_ns = 1000000000;
	return 0;
}

/* The sockets are there: what follows is fed. */
static inline void sp_go(void)
{
	struct fr_spans_config config;
	struct fr_session_dump in = { .name = "made" };
	char err[200];

	in.dump = mk_end(&sp.mk, NULL);
	assert_int_equal(fr_session_open(&in, 1, &sp.session, err, sizeof(err)), 0);
	assert_int_equal(fr_threads_new(sp.session->names, true, &sp.threads), 0);
	config = (struct fr_spans_config){
		.session = sp.session,
		.threads = sp.threads,
		.from_ns = sp.from_ns,
		.to_ns = sp.to_ns,
		.fn = sp_take,
	};
	assert_int_equal(fr_spans_new(&config, &sp.spans), 0);
}

static inline int sp_end(void **state)
{
	(void)state;
	sp.spans = fr_spans_free(sp.spans);
	sp.threads = fr_threads_free(sp.threads);
	sp.session = fr_session_close(sp.session);
	mk_close(&sp.mk);
	return 0;
}

static inline void sp_feed(uint16_t cpu, uint64_t t, uint32_t kind, void *record, size_t bytes)
{
	uint64_t word = FR_RECORD_WORD(t, kind, bytes / 8);
	struct fr_step step;
	struct fr_merged m = {
		.rec = { .time_ns = t,
			 .kind = kind,
			 .bytes = (uint32_t)bytes,
			 .cpu = cpu,
			 .data = record },
		.order_ns = t,
	};

	assert_true(t >= sp.last_ns);
	sp.last_ns = t;
	memcpy(record, &word, sizeof(word));
	assert_true(fr_record_sound(&m.rec));
	assert_int_equal(fr_threads_record(sp.threads, &m, &step), 0);
	assert_int_equal(fr_spans_record(sp.spans, &m, &step), 0);
}

static inline void sp_switch(uint16_t cpu, uint64_t t, uint32_t prev, uint32_t next, uint32_t state)
{
	struct fr_sched_switch e = { .who = FR_SWITCH_WHO(prev, next, state, 0) };

	sp_feed(cpu, t, FR_EV_SCHED_SWITCH, &e, sizeof(e));
}

static inline void sp_wake(uint16_t cpu, uint64_t t, uint32_t wakee, uint32_t waker)
{
	struct fr_sched_waking e = { .who = FR_WAKING_WHO(wakee, waker, 0, FR_WAKER_TASK) };

	sp_feed(cpu, t, FR_EV_SCHED_WAKING, &e, sizeof(e));
}

/* A transfer with its bytes; flags beside GOID and the fixture's. result_bytes 0 = all of them. */
static inline void sp_move(uint64_t t, bool send, uint64_t sock, uint32_t tid, uint64_t goid,
			   uint32_t flags, const char *bytes, size_t result_bytes)
{
	_Alignas(8) uint8_t record[sizeof(struct fr_sock_io) + 1024] = { 0 };
	struct fr_sock_io *io = (struct fr_sock_io *)record;
	size_t len = strlen(bytes);

	io->sock_id = sock;
	io->tid = tid;
	io->result = (int32_t)(result_bytes ? result_bytes : len);
	io->captured_bytes = (uint16_t)len;
	io->fd = 5;
	io->stream_off = sp.offs[sock][send];
	io->goid = goid;
	io->flags = flags | sp.first_sight | (goid ? FR_IO_GOID : 0);
	sp.offs[sock][send] += (uint64_t)io->result;
	memcpy(record + sizeof(*io), bytes, len);
	sp_feed(0, t, send ? FR_EV_SOCK_SEND : FR_EV_SOCK_RECV, record,
		sizeof(*io) + (len + 7) / 8 * 8);
}

static inline void sp_send(uint64_t t, uint64_t sock, uint32_t tid, uint64_t goid,
			   const char *bytes)
{
	sp_move(t, true, sock, tid, goid, FR_IO_MSG_START, bytes, 0);
}

static inline void sp_recv(uint64_t t, uint64_t sock, uint32_t tid, uint64_t goid,
			   const char *bytes)
{
	sp_move(t, false, sock, tid, goid, FR_IO_MSG_START, bytes, 0);
}

static inline void sp_close(uint64_t t, uint64_t sock)
{
	struct fr_sock_open e = { .sock_id = sock, .type = FR_SOCK_STREAM };

	sp_feed(0, t, FR_EV_SOCK_CLOSE, &e, sizeof(e));
}

static inline void sp_finish(void)
{
	assert_int_equal(fr_spans_end(sp.spans), 0);
}

/* The only span of this text on this side. */
static inline const struct sp_span *sp_find(const char *text, bool server)
{
	const struct sp_span *found = NULL;

	for (uint32_t i = 0; i < sp.got_cnt; i++) {
		const struct sp_span *g = &sp.got[i];

		if (strcmp(g->text, text) || g->request.server != server)
			continue;
		if (found)
			fail_msg("two spans '%s'", text);
		found = g;
	}
	if (!found)
		fail_msg("no span '%s' of a %s", text, server ? "server" : "client");
	return found;
}

static inline void sp_assert_parent(const struct sp_span *child, const struct sp_span *parent,
				    enum fr_link link)
{
	assert_int_equal(child->span.link, link);
	assert_memory_equal(child->span.parent_id, parent->span.span_id, 8);
	assert_memory_equal(child->span.trace_id, parent->span.trace_id, 16);
}

static inline void sp_assert_root(const struct sp_span *s)
{
	static const uint8_t none[8];

	assert_int_equal(s->span.link, FR_LINK_NONE);
	assert_memory_equal(s->span.parent_id, none, 8);
}

#define SP_GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
#define SP_OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

#endif
