/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests as spans: whose they are, under which other one, in which trace, from when to when. */
#include <malloc.h>

#include "formats/model/opens.h"
#include "spans_fixture.h"

/* PostgreSQL: a simple query, its reply. */
static const char query[] = "Q\0\0\0\rSELECT 1";
static const char done[] = "C\0\0\0\rSELECT 1\0Z\0\0\0\5I";

static void sp_bytes(uint64_t t, bool send, uint64_t sock, uint32_t tid, uint64_t goid,
		     const char *bytes, size_t len)
{
	_Alignas(8) uint8_t record[sizeof(struct fr_sock_io) + 256] = { 0 };
	struct fr_sock_io io = {
		.sock_id = sock,
		.tid = tid,
		.result = (int32_t)len,
		.captured_bytes = (uint16_t)len,
		.stream_off = sp.offs[sock][send],
		.goid = goid,
		.flags = FR_IO_MSG_START | sp.first_sight | (goid ? FR_IO_GOID : 0),
	};

	sp.offs[sock][send] += len;
	memcpy(record, &io, sizeof(io));
	memcpy(record + sizeof(io), bytes, len);
	sp_feed(0, t, send ? FR_EV_SOCK_SEND : FR_EV_SOCK_RECV, record,
		sizeof(io) + (len + 7) / 8 * 8);
}

static void sp_ask(uint64_t t, uint64_t sock, uint32_t tid, uint64_t goid)
{
	sp_bytes(t, true, sock, tid, goid, query, 14);
}

static void sp_answer(uint64_t t, uint64_t sock, uint32_t tid, uint64_t goid)
{
	sp_bytes(t, false, sock, tid, goid, done, 20);
}

/* ---- both ends ------------------------------------------------------------------------------ */

static void both_ends_of_a_connection_are_client_and_server(void **state)
{
	const struct sp_span *client, *server;

	(void)state;
	sp_pair(1, CLIENT, GO);
	sp_go();
	sp_send(1000, 2, C1, 0, SP_GET("/a"));
	sp_recv(1200, 3, M1, 7, SP_GET("/a"));
	sp_send(1800, 3, M1, 7, SP_OK);
	sp_recv(2000, 2, C1, 0, SP_OK);
	assert_int_equal(sp.got_cnt, 2);
	client = sp_find("/a", false);
	server = sp_find("/a", true);
	sp_assert_root(client);
	sp_assert_parent(server, client, FR_LINK_PEER);
	assert_int_equal(client->span.start_ns, 1000);
	assert_int_equal(client->span.end_ns, 2000);
	assert_int_equal(server->span.start_ns, 1200);
	assert_int_equal(server->span.end_ns, 1800);
	assert_int_equal(server->span.goid, 7);
	assert_int_equal(server->span.tgid, GO);
	assert_int_equal(client->span.tgid, CLIENT);
	assert_int_equal(client->span.trace_flags, 1);
	assert_int_equal(server->request.status, 200);
}

/* The hook fires when the transfer is done: a server on another CPU may be seen first. */
static void the_server_may_be_seen_before_the_client(void **state)
{
	(void)state;
	sp_pair(1, CLIENT, GO);
	sp_go();
	sp_recv(1000, 3, M1, 7, SP_GET("/a"));
	sp_send(1001, 2, C1, 0, SP_GET("/a"));
	sp_recv(1500, 2, C1, 0, SP_OK);
	sp_send(1501, 3, M1, 7, SP_OK);
	sp_assert_parent(sp_find("/a", true), sp_find("/a", false), FR_LINK_PEER);
	assert_int_equal(fr_spans_stats(sp.spans)->late_peers, 0);
}

/* ... even with its reply sent: span and children wait for the client's. */
static void a_whole_request_may_be_seen_before_its_client(void **state)
{
	(void)state;
	sp_pair(1, CLIENT, GO);
	sp_pair(2, GO, BASE);
	sp_go();
	sp_send(1000, 2, C1, 0, SP_GET("/a"));
	sp_recv(1001, 3, M1, 7, SP_GET("/a"));
	sp_send(1002, 3, M1, 7, SP_OK);
	sp_recv(1003, 2, C1, 0, SP_OK);

	sp_recv(2000, 3, M1, 7, SP_GET("/b"));
	sp_send(2001, 4, M1, 7, SP_GET("/child"));
	sp_recv(2002, 4, M1, 7, SP_OK);
	sp_send(2003, 3, M1, 7, SP_OK);
	sp_send(2004, 2, C1, 0, SP_GET("/b"));
	sp_recv(2005, 2, C1, 0, SP_OK);
	sp_assert_parent(sp_find("/b", true), sp_find("/b", false), FR_LINK_PEER);
	sp_assert_parent(sp_find("/child", false), sp_find("/b", true), FR_LINK_LINE);
	assert_int_equal(sp_find("/b", true)->span.start_ns, 2000);
	assert_int_equal(sp_find("/b", true)->request.status, 200);
}

/* What waits in vain comes out without a parent: the client's sending was lost, other bytes came,
 * an end closed. */
static void a_request_whose_client_is_not_seen_comes_out(void **state)
{
	(void)state;
	sp_pair(1, CLIENT, GO);
	sp_go();
	sp_send(1000, 2, C1, 0, SP_GET("/a"));
	sp_recv(1001, 3, M1, 7, SP_GET("/a"));
	sp_send(1002, 3, M1, 7, SP_OK);
	sp_recv(1003, 2, C1, 0, SP_OK);

	sp_recv(2000, 3, M1, 7, SP_GET("/lost"));
	sp_send(2001, 3, M1, 7, SP_OK);
	assert_int_equal(sp.got_cnt, 2);
	sp_recv(3000, 3, M1, 7, SP_GET("/here"));
	sp_send(3001, 3, M1, 7, SP_OK);
	sp_assert_root(sp_find("/lost", true));
	sp.offs[2][1] = sp.offs[3][0] - strlen(SP_GET("/here"));
	sp_send(3002, 2, C1, 0, SP_GET("/else"));
	sp_assert_root(sp_find("/here", true));

	sp.offs[2][1] = sp.offs[3][0];
	sp_recv(4000, 3, M1, 7, SP_GET("/last"));
	sp_send(4001, 3, M1, 7, SP_OK);
	sp_close(4002, 2);
	sp_assert_root(sp_find("/last", true));
	sp_recv(5000, 3, M1, 7, SP_GET("/none"));
	sp_finish();
	sp_assert_root(sp_find("/none", true));
}

/* A thread that is seen to ask itself: the question cannot be asked for its own answer. */
static void nothing_is_above_itself(void **state)
{
	(void)state;
	sp_pair(1, PROG, PROG);
	sp_go();
	sp_recv(1000, 3, T1, 0, SP_GET("/a"));
	sp_send(1001, 2, T1, 0, SP_GET("/a"));
	sp_send(1002, 3, T1, 0, SP_OK);
	sp_recv(1003, 2, T1, 0, SP_OK);
	sp_assert_root(sp_find("/a", true));
	sp_assert_parent(sp_find("/a", false), sp_find("/a", true), FR_LINK_LINE);
}

static void other_bytes_at_the_same_place_are_no_peer(void **state)
{
	(void)state;
	sp_pair(1, CLIENT, GO);
	sp_go();
	sp_send(1000, 2, C1, 0, SP_GET("/a"));
	sp_recv(1200, 3, M1, 7, SP_GET("/b"));
	sp_send(1800, 3, M1, 7, SP_OK);
	sp_finish(); /* until then the client's may come */
	sp_assert_root(sp_find("/b", true));
}

/* Recorded from the middle on, each end counts from its own first sight. */
static void ends_that_count_from_elsewhere_are_matched(void **state)
{
	(void)state;
	sp_pair(1, CLIENT, GO);
	sp_go();
	sp.first_sight = FR_IO_FIRST_SIGHT;
	sp.offs[3][0] = 1000; /* the server was seen earlier */
	sp_send(900, 3, M1, 7, SP_OK);
	sp.got_cnt = 0;
	sp_send(1000, 2, C1, 0, SP_GET("/a")); /* something may have gone before: not sure */
	sp_recv(1100, 3, M1, 7, SP_GET("/a"));
	sp_send(1200, 3, M1, 7, SP_OK);
	sp_recv(1300, 2, C1, 0, SP_OK);
	sp_assert_root(sp_find("/a", true));
	sp_send(2000, 2, C1, 0, SP_GET("/b"));
	sp_recv(2100, 3, M1, 7, SP_GET("/b"));
	sp_send(2200, 3, M1, 7, SP_OK);
	sp_recv(2300, 2, C1, 0, SP_OK);
	sp_assert_parent(sp_find("/b", true), sp_find("/b", false), FR_LINK_INFERRED);
	sp_recv(3000, 3, M1, 7, SP_GET("/c")); /* from now on by offset, as far as that is known */
	sp_send(3001, 2, C1, 0, SP_GET("/c"));
	sp_send(3200, 3, M1, 7, SP_OK);
	sp_recv(3300, 2, C1, 0, SP_OK);
	sp_assert_parent(sp_find("/c", true), sp_find("/c", false), FR_LINK_INFERRED);
}

/* Whoever connects to a unix socket does not know yet who will accept. */
static void unix_sockets_meet_by_either_inode(void **state)
{
	(void)state;
	for (uint64_t n = 0; n < 2; n++) {
		struct fr_meta_socket s = { .id = 10 + n, .type = FR_SOCK_STREAM, .tgid = PROG };

		s.addr.family = FR_AF_UNIX;
		s.addr.local[0] = (uint8_t)(n ? 77 : 66);
		s.addr.remote[0] = n ? 66 : 0;
		fr_meta_add_socket(&sp.mk.sockets, &s);
		s.id += 10;
		s.addr.local[1] = 1;
		s.addr.remote[1] = n ? 1 : 0;
		fr_meta_add_socket(&sp.mk.sockets, &s);
	}
	sp_go();
	sp_send(1000, 10, T1, 0, SP_GET("/a"));
	sp_recv(1100, 11, T2, 0, SP_GET("/a"));
	sp_send(1200, 11, T2, 0, SP_OK);
	sp_recv(1300, 10, T1, 0, SP_OK);
	sp_assert_parent(sp_find("/a", true), sp_find("/a", false), FR_LINK_PEER);
	sp_recv(2000, 21, T2, 0, SP_GET("/b")); /* this end first */
	sp_send(2001, 20, T1, 0, SP_GET("/b"));
	sp_send(2200, 21, T2, 0, SP_OK);
	sp_recv(2300, 20, T1, 0, SP_OK);
	sp_assert_parent(sp_find("/b", true), sp_find("/b", false), FR_LINK_PEER);
}

/* The client's next request may be seen before the server's answer to the one before. */
static void an_older_request_is_not_taken_for_the_next(void **state)
{
	(void)state;
	sp_pair(1, CLIENT, GO);
	sp_go();
	sp.first_sight = FR_IO_FIRST_SIGHT;
	sp_recv(900, 3, M1, 7, SP_GET("/"));
	sp_send(950, 3, M1, 7, SP_OK);
	sp_recv(1000, 3, M1, 7, SP_GET("/a"));
	sp_recv(1100, 2, C1, 0, SP_OK);
	sp_send(1200, 2, C1, 0, SP_GET("/a"));
	sp_send(1300, 3, M1, 7, SP_OK);
	sp_assert_root(sp_find("/a", true));
}

static void ids_are_the_same_each_time_and_never_twice(void **state)
{
	uint8_t first[8], second[8], trace[16];

	for (int turn = 0; turn < 2; turn++) {
		if (turn) {
			sp_end(state);
			sp_start(state);
		}
		sp_pair(1, CLIENT, GO);
		sp_go();
		sp_send(1000, 2, C1, 0, SP_GET("/a"));
		sp_recv(1500, 2, C1, 0, SP_OK);
		sp_send(2000, 2, C1, 0, SP_GET("/b"));
		sp_recv(2500, 2, C1, 0, SP_OK);
		if (turn) {
			assert_memory_equal(first, sp_find("/a", false)->span.span_id, 8);
			assert_memory_equal(second, sp_find("/b", false)->span.span_id, 8);
			assert_memory_equal(trace, sp_find("/b", false)->span.trace_id, 16);
		}
		memcpy(first, sp_find("/a", false)->span.span_id, 8);
		memcpy(second, sp_find("/b", false)->span.span_id, 8);
		memcpy(trace, sp_find("/b", false)->span.trace_id, 16);
		assert_memory_not_equal(first, second, 8);
	}
}

/* ---- goroutines ----------------------------------------------------------------------------- */

static void a_statement_is_under_the_request_of_its_goroutine(void **state)
{
	(void)state;
	sp_pair(1, CLIENT, GO);
	sp_pair(2, CLIENT, GO);
	sp_pair(3, GO, BASE);
	sp_pair(4, GO, BASE);
	sp_go();
	sp_recv(1000, 3, M1, 7, SP_GET("/a"));
	sp_recv(1001, 5, M1, 8, SP_GET("/b"));
	sp_ask(1002, 8, M1, 8);  /* one thread, two goroutines */
	sp_ask(1003, 6, M2, 7);  /* it moved */
	sp_answer(1004, 6, M3, 7);
	sp_answer(1005, 8, M1, 8);
	sp_send(1006, 3, M2, 7, SP_OK);
	sp_send(1007, 5, M1, 8, SP_OK);
	assert_int_equal(sp.got_cnt, 4);
	assert_int_equal(sp.got[0].sock_id, 6);
	sp_assert_parent(&sp.got[0], sp_find("/a", true), FR_LINK_LINE);
	sp_assert_parent(&sp.got[1], sp_find("/b", true), FR_LINK_LINE);
}

static void without_an_open_request_there_is_no_parent(void **state)
{
	(void)state;
	sp_pair(1, CLIENT, GO);
	sp_pair(3, GO, BASE);
	sp_go();
	sp_recv(1000, 3, M1, 7, SP_GET("/a"));
	sp_ask(1001, 6, M1, 9); /* another goroutine */
	sp_answer(1002, 6, M1, 9);
	sp_send(1003, 3, M1, 7, SP_OK);
	sp_ask(1004, 6, M1, 7); /* it has answered */
	sp_answer(1005, 6, M1, 7);
	sp_assert_root(&sp.got[0]);
	sp_assert_root(&sp.got[2]);
}

/* A goroutine of the same number in another process is another one. */
static void goroutines_are_of_their_process(void **state)
{
	(void)state;
	sp_pair(1, CLIENT, GO);
	sp_pair(3, PROG, BASE);
	sp_go();
	sp_recv(1000, 3, M1, 7, SP_GET("/a"));
	sp_ask(1001, 6, T1, 7);
	sp_answer(1002, 6, T1, 7);
	sp_assert_root(&sp.got[0]);
}

/* net/http reads the first byte of the next request on a goroutine of its own. */
static void who_reads_ahead_is_not_who_serves(void **state)
{
	(void)state;
	sp_pair(1, CLIENT, GO);
	sp_pair(3, GO, BASE);
	sp_go();
	sp_recv(1000, 3, M2, 66, "G");
	sp_move(1001, false, 3, M1, 7, FR_IO_MSG_MORE, "ET /a HTTP/1.1\r\nHost: x\r\n\r\n", 0);
	sp_ask(1002, 6, M1, 7);
	sp_answer(1003, 6, M1, 7);
	sp_send(1004, 3, M1, 7, SP_OK);
	sp_assert_parent(&sp.got[0], sp_find("/a", true), FR_LINK_LINE);
	assert_int_equal(sp_find("/a", true)->span.goid, 7);
	assert_int_equal(sp_find("/a", true)->span.start_ns, 1000);
}

static void who_writes_the_response_served_it(void **state)
{
	(void)state;
	sp_pair(1, CLIENT, GO);
	sp_go();
	sp_recv(1000, 3, M1, 7, SP_GET("/a"));
	sp_send(1004, 3, M1, 9, SP_OK);
	assert_int_equal(sp_find("/a", true)->span.goid, 9);
	assert_false(sp_find("/a", true)->span.budget_known);
}

static void of_pipelined_requests_the_oldest_is_in_work(void **state)
{
	(void)state;
	sp_pair(1, CLIENT, GO);
	sp_pair(3, GO, BASE);
	sp_go();
	sp_recv(1000, 3, M1, 7, SP_GET("/a") SP_GET("/b"));
	sp_ask(1001, 6, M1, 7);
	sp_answer(1002, 6, M1, 7);
	sp_send(1003, 3, M1, 7, SP_OK);
	sp_ask(1004, 6, M1, 7);
	sp_answer(1005, 6, M1, 7);
	sp_send(1006, 3, M1, 7, SP_OK);
	assert_int_equal(sp.got_cnt, 4);
	sp_assert_parent(&sp.got[0], sp_find("/a", true), FR_LINK_LINE);
	sp_assert_parent(&sp.got[2], sp_find("/b", true), FR_LINK_LINE);
}

/* Context of a Go program whose goroutines cannot be told: its threads tell nothing. */
static void an_unknown_goroutine_has_no_parent(void **state)
{
	(void)state;
	sp_pair(1, CLIENT, GO);
	sp_pair(3, GO, BASE);
	sp_go();
	sp_move(1000, false, 3, M1, 0, FR_IO_MSG_START | FR_IO_GO_UNKNOWN, SP_GET("/a"), 0);
	sp_ask(1001, 6, M1, 0); /* C code, called from Go */
	sp_answer(1002, 6, M1, 0);
	sp_assert_root(&sp.got[0]);
}

static void behind_a_gap_nobody_knows_who_has_answered(void **state)
{
	(void)state;
	sp_pair(1, CLIENT, GO);
	sp_pair(3, GO, BASE);
	sp_go();
	sp_recv(1000, 3, M1, 7, SP_GET("/a"));
	fr_spans_blind(sp.spans, 1001);
	sp_ask(1002, 6, M1, 7);
	sp_answer(1003, 6, M1, 7);
	sp_assert_root(&sp.got[0]);
}

/* ---- threads -------------------------------------------------------------------------------- */

static void a_thread_with_one_open_request_is_a_line(void **state)
{
	(void)state;
	sp_pair(1, CLIENT, PROG);
	sp_pair(2, CLIENT, PROG);
	sp_pair(3, PROG, BASE);
	sp_go();
	sp_recv(1000, 3, T1, 0, SP_GET("/a"));
	sp_recv(1001, 5, T2, 0, SP_GET("/b")); /* another thread's */
	sp_ask(1002, 6, T1, 0);
	sp_answer(1003, 6, T1, 0);
	sp_send(1004, 3, T1, 0, SP_OK);
	sp_assert_parent(&sp.got[0], sp_find("/a", true), FR_LINK_LINE);
}

static void an_event_loop_with_two_open_requests_is_none(void **state)
{
	(void)state;
	sp_pair(1, CLIENT, PROG);
	sp_pair(2, CLIENT, PROG);
	sp_pair(3, PROG, BASE);
	sp_go();
	sp_recv(1000, 3, T1, 0, SP_GET("/a"));
	sp_recv(1001, 5, T1, 0, SP_GET("/b"));
	sp_ask(1002, 6, T1, 0);
	sp_answer(1003, 6, T1, 0);
	sp_assert_root(&sp.got[0]);
	sp_send(1004, 5, T1, 0, SP_OK);
	sp_ask(1005, 6, T1, 0); /* one is left */
	sp_answer(1006, 6, T1, 0);
	sp_send(1007, 3, T1, 0, SP_OK);
	sp_assert_parent(&sp.got[2], sp_find("/a", true), FR_LINK_INFERRED);
}

static void a_connection_handed_on_leaves_no_parent(void **state)
{
	(void)state;
	sp_pair(1, CLIENT, PROG);
	sp_pair(3, PROG, BASE);
	sp_go();
	sp_recv(1000, 3, T1, 0, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab");
	sp_move(1001, false, 3, T2, 0, 0, "cd", 0);
	sp_ask(1002, 6, T1, 0);
	sp_answer(1003, 6, T1, 0);
	sp_assert_root(&sp.got[0]);
}

/* ---- traceparent ---------------------------------------------------------------------------- */

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define WITH(path, value)                                                                          \
	"GET " path " HTTP/1.1\r\nHost: x\r\ntraceparent: " value "\r\n\r\n"

static void traceparent_makes_the_trace(void **state)
{
	static const uint8_t trace[] = { 0x0a, 0xf7, 0x65, 0x19 }, parent[] = { 0xb7, 0xad };

	(void)state;
	sp_pair(1, CLIENT, GO);
	sp_pair(2, CLIENT, GO);
	sp_pair(3, GO, BASE);
	sp_go();
	sp_recv(1000, 3, M1, 7, WITH("/a", "00-" TRACE "-b7ad6b7169203331-00"));
	sp_ask(1001, 6, M1, 7);
	sp_answer(1002, 6, M1, 7);
	sp_send(1003, 3, M1, 7, SP_OK);
	assert_memory_equal(sp_find("/a", true)->span.trace_id, trace, 4);
	assert_memory_equal(sp_find("/a", true)->span.parent_id, parent, 2);
	assert_int_equal(sp_find("/a", true)->span.link, FR_LINK_WIRE);
	assert_int_equal(sp_find("/a", true)->span.trace_flags, 0);
	sp_assert_parent(&sp.got[0], sp_find("/a", true), FR_LINK_LINE);
	assert_int_equal(sp.got[0].span.trace_flags, 0);
	sp_recv(2000, 5, M1, 8, WITH("/b", "00-" TRACE "-0000000000000000-01")); /* void */
	sp_send(2003, 5, M1, 8, SP_OK);
	sp_assert_root(sp_find("/b", true));
	assert_memory_not_equal(sp_find("/b", true)->span.trace_id, trace, 4);
}

static void the_other_end_stands_above_traceparent(void **state)
{
	(void)state;
	sp_pair(1, CLIENT, GO);
	sp_go();
	sp_send(1000, 2, C1, 0, WITH("/a", "00-" TRACE "-b7ad6b7169203331-01"));
	sp_recv(1001, 3, M1, 7, WITH("/a", "00-" TRACE "-b7ad6b7169203331-01"));
	sp_send(1002, 3, M1, 7, SP_OK);
	sp_recv(1003, 2, C1, 0, SP_OK);
	assert_int_equal(sp_find("/a", false)->span.link, FR_LINK_WIRE);
	sp_assert_parent(sp_find("/a", true), sp_find("/a", false), FR_LINK_PEER);
}

/* A span cannot have its parent in another trace. */
static void a_call_in_a_trace_of_its_own_leaves_its_request(void **state)
{
	(void)state;
	sp_pair(1, CLIENT, PROG);
	sp_pair(3, PROG, BASE);
	sp_go();
	sp_recv(1000, 3, T1, 0, SP_GET("/a"));
	sp_send(1001, 6, T1, 0, WITH("/b", "00-" TRACE "-b7ad6b7169203331-01"));
	sp_recv(1002, 6, T1, 0, SP_OK);
	sp_send(1003, 3, T1, 0, SP_OK);
	assert_int_equal(sp_find("/b", false)->span.link, FR_LINK_WIRE);
	assert_memory_not_equal(sp_find("/b", false)->span.trace_id,
				sp_find("/a", true)->span.trace_id, 16);
}

/* ---- halves --------------------------------------------------------------------------------- */

static void halves_are_marked_and_kept_in_the_range(void **state)
{
	(void)state;
	sp.from_ns = 500;
	sp.to_ns = 9000;
	sp_pair(1, CLIENT, PROG);
	sp_pair(2, CLIENT, PROG);
	sp_go();
	sp.offs[3][1] = 100;
	sp_send(1000, 3, T1, 0, SP_OK); /* of a request before the recording */
	sp_recv(2000, 5, T2, 0, SP_GET("/b"));
	sp_finish();
	assert_int_equal(sp.got_cnt, 2);
	assert_int_equal(sp.got[0].request.marks & FR_MARK_START_UNSEEN, FR_MARK_START_UNSEEN);
	assert_int_equal(sp.got[0].span.start_ns, 500);
	assert_int_equal(sp.got[0].span.end_ns, 1000);
	assert_int_equal(sp.got[0].span.tgid, PROG);
	assert_int_equal(sp.got[1].request.marks & FR_MARK_END_UNSEEN, FR_MARK_END_UNSEEN);
	assert_int_equal(sp.got[1].span.start_ns, 2000);
	assert_int_equal(sp.got[1].span.end_ns, 9000);
}

static void what_lies_outside_the_range_is_left_out(void **state)
{
	(void)state;
	sp.from_ns = 5000;
	sp_pair(1, CLIENT, PROG);
	sp_go();
	sp_recv(1000, 3, T1, 0, SP_GET("/early"));
	sp_send(2000, 3, T1, 0, SP_OK);
	sp_recv(3000, 3, T1, 0, SP_GET("/into"));
	sp_send(6000, 3, T1, 0, SP_OK);
	sp_finish();
	assert_int_equal(sp.got_cnt, 1);
	assert_int_equal(sp_find("/into", true)->span.start_ns, 3000); /* as it was */
}

static void a_reply_may_last_until_the_connection_ends(void **state)
{
	(void)state;
	sp_pair(1, CLIENT, PROG);
	sp_go();
	sp_send(1000, 2, C1, 0, SP_GET("/a"));
	sp_recv(1500, 3, T1, 0, SP_GET("/a"));
	sp_send(2000, 3, T1, 0, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc");
	sp_recv(2500, 2, C1, 0, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc");
	assert_int_equal(sp.got_cnt, 0);
	sp_close(3000, 3);
	sp_move(3500, false, 2, C1, 0, 0, "", 0); /* end of stream */
	assert_int_equal(sp.got_cnt, 2);
	assert_int_equal(sp_find("/a", true)->span.end_ns, 2000);
	assert_int_equal(sp_find("/a", false)->span.end_ns, 2500);
	assert_int_equal(sp_find("/a", false)->request.marks, 0);
}

static void peeked_bytes_and_errors_are_no_transfers(void **state)
{
	(void)state;
	sp_pair(1, CLIENT, PROG);
	sp_go();
	sp_move(1000, false, 3, T1, 0, FR_IO_PEEK | FR_IO_MSG_START, SP_GET("/a"), 0);
	sp.offs[3][0] = 0;
	sp_recv(1001, 3, T1, 0, SP_GET("/a"));
	sp_move(1002, true, 3, T1, 0, 0, "", (size_t)-104);
	sp.offs[3][1] = 0;
	sp_send(1003, 3, T1, 0, SP_OK);
	assert_int_equal(sp.got_cnt, 1);
	assert_int_equal(sp_find("/a", true)->span.start_ns, 1001);
	assert_int_equal(sp_find("/a", true)->request.marks, 0);
}

static void a_family_switched_off_ends_all(void **state)
{
	struct fr_rec_family off = { .family = FR_FAMILY_SOCK };

	(void)state;
	sp_pair(1, CLIENT, PROG);
	sp_go();
	sp_recv(1000, 3, T1, 0, SP_GET("/a"));
	sp_feed(0, 2000, FR_EV_REC_FAMILY, &off, sizeof(off));
	assert_int_equal(sp.got_cnt, 1);
	assert_int_equal(sp.got[0].request.marks, FR_MARK_END_UNSEEN);
	assert_int_equal(sp.got[0].span.end_ns, 2000);
}

/* ---- memory --------------------------------------------------------------------------------- */

static void assert_room(uint32_t cpu_cnt, uint32_t room)
{
	struct fr_spans_config config = { .session = sp.session, .threads = sp.threads,
					  .fn = sp_take };
	struct fr_spans *spans;

	sp.session->dumps[0].cpu_cnt = cpu_cnt;
	assert_int_equal(fr_spans_new(&config, &spans), 0);
	assert_int_equal(fr_spans_stats(spans)->conns_room, room);
	fr_spans_free(spans);
}

static void many_cpus_leave_less_room_for_connections(void **state)
{
	(void)state;
	sp_go();
	assert_room(1, FR_CONNS_WIRED_MAX);
	assert_room(FR_CPUS_MAX / 2, (FR_CONNS_WIRED_MAX + FR_CONNS_WIRED_MIN) / 2);
	assert_room(FR_CPUS_MAX, FR_CONNS_WIRED_MIN);
	assert_room(UINT32_MAX, FR_CONNS_WIRED_MIN);
}

static void the_least_recently_used_connection_gives_way(void **state)
{
	const uint32_t cnt = FR_CONNS_WIRED_MAX + 10;

	(void)state;
	for (uint32_t n = 1; n <= cnt; n++)
		sp_pair(n, CLIENT, PROG);
	sp_go();
	sp_recv(500, 3, T1, 0, SP_GET("/first"));
	for (uint32_t n = 2; n <= cnt; n++) {
		sp_recv(1000 + n, 2 * n + 1, T1, 0, SP_GET("/"));
		if (n % 100 == 0)
			sp_move(1000 + n, false, 3, T1, 0, 0, "", 5); /* it is used again */
	}
	assert_int_equal(fr_spans_stats(sp.spans)->evicted_conns, 10);
	assert_int_equal(fr_spans_stats(sp.spans)->conns_max, FR_CONNS_WIRED_MAX);
	assert_int_equal(sp.got_cnt, 10);
	for (uint32_t i = 0; i < 10; i++) {
		assert_int_equal(sp.got[i].sock_id, 2 * (i + 2) + 1);
		assert_int_equal(sp.got[i].request.marks, FR_MARK_END_UNSEEN);
	}
	sp_send(9000, 3, T1, 0, SP_OK);
	assert_int_equal(sp_find("/first", true)->request.status, 200);
	sp_finish();
	assert_int_equal(sp.got_cnt, cnt);
}

/* Redis pipelines, as long as can be, on many connections: none is lost, not all are followed. */
static void more_requests_than_can_be_followed_come_out_all_the_same(void **state)
{
	const uint32_t conns = FR_OPENS_MAX / FR_WIRE_PENDING_MAX + 4;
	static const char ping[] = "*1\r\n$4\r\nPING\r\n";
	char pipeline[FR_WIRE_PENDING_MAX * (sizeof(ping) - 1) + 1] = "";

	(void)state;
	for (uint32_t i = 0; i < FR_WIRE_PENDING_MAX; i++)
		memcpy(pipeline + i * (sizeof(ping) - 1), ping, sizeof(ping));
	for (uint32_t n = 1; n <= conns; n++)
		sp_pair(n, PROG, BASE);
	sp_go();
	for (uint32_t n = 1; n <= conns; n++)
		sp_send(1000 + n, 2 * n, T1, 0, pipeline);
	assert_int_equal(fr_spans_stats(sp.spans)->opens_max, FR_OPENS_MAX);
	assert_int_equal(fr_spans_stats(sp.spans)->crowded, 4 * FR_WIRE_PENDING_MAX);
	sp.got_cnt = 0;
	sp_recv(9000, 2 * conns, T1, 0, "+PONG\r\n");
	assert_int_equal(sp.got_cnt, 1);
	assert_int_equal(sp.got[0].span.start_ns, 1000 + conns);
	assert_int_equal(sp.got[0].span.end_ns, 9000);
	assert_int_equal(sp.got[0].span.tgid, PROG);
}

static void what_nobody_understands_gives_its_memory_back(void **state)
{
	(void)state;
	sp_pair(1, CLIENT, PROG);
	sp_go();
	for (uint32_t i = 0; i < FR_CONN_TRIES_MAX + 10; i++) {
		sp_recv(1000 + 2 * i, 3, T1, 0, "\x17\x03\x03 and nobody knows");
		sp_send(1001 + 2 * i, 3, T1, 0, "\x17\x03\x03 nor this");
	}
	assert_int_equal(fr_spans_stats(sp.spans)->deaf_conns, 1);
	sp_finish();
	assert_int_equal(sp.got_cnt, 0);
}

static void sockets_without_state_are_counted(void **state)
{
	(void)state;
	sp_pair(1, CLIENT, PROG);
	sp_go();
	sp_move(1000, false, 0, T1, 0, FR_IO_NOSTATE, "", 5);
	assert_int_equal(fr_spans_stats(sp.spans)->nostate, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, sp_start, sp_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(both_ends_of_a_connection_are_client_and_server),
		T(the_server_may_be_seen_before_the_client),
		T(a_whole_request_may_be_seen_before_its_client),
		T(a_request_whose_client_is_not_seen_comes_out),
		T(nothing_is_above_itself),
		T(other_bytes_at_the_same_place_are_no_peer),
		T(ends_that_count_from_elsewhere_are_matched),
		T(unix_sockets_meet_by_either_inode),
		T(an_older_request_is_not_taken_for_the_next),
		T(ids_are_the_same_each_time_and_never_twice),
		T(a_statement_is_under_the_request_of_its_goroutine),
		T(without_an_open_request_there_is_no_parent),
		T(goroutines_are_of_their_process),
		T(who_reads_ahead_is_not_who_serves),
		T(who_writes_the_response_served_it),
		T(of_pipelined_requests_the_oldest_is_in_work),
		T(an_unknown_goroutine_has_no_parent),
		T(behind_a_gap_nobody_knows_who_has_answered),
		T(a_thread_with_one_open_request_is_a_line),
		T(an_event_loop_with_two_open_requests_is_none),
		T(a_connection_handed_on_leaves_no_parent),
		T(traceparent_makes_the_trace),
		T(the_other_end_stands_above_traceparent),
		T(a_call_in_a_trace_of_its_own_leaves_its_request),
		T(halves_are_marked_and_kept_in_the_range),
		T(what_lies_outside_the_range_is_left_out),
		T(a_reply_may_last_until_the_connection_ends),
		T(peeked_bytes_and_errors_are_no_transfers),
		T(a_family_switched_off_ends_all),
		T(many_cpus_leave_less_room_for_connections),
		T(the_least_recently_used_connection_gives_way),
		T(more_requests_than_can_be_followed_come_out_all_the_same),
		T(what_nobody_understands_gives_its_memory_back),
		T(sockets_without_state_are_counted),
	};

	mallopt(M_PERTURB, 0x41); /* what is allocated is not zero by luck */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
