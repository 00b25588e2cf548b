/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire_fixture.h"

#define SAY(is_request, s)                                                                         \
	{                                                                                          \
		.request = (is_request), .data = (s), .data_bytes = sizeof(s) - 1                  \
	}
#define CNT(a) (sizeof(a) / sizeof((a)[0]))
#define TP "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static const struct wire_say keepalive[] = {
	SAY(true, "GET /a?x=1 HTTP/1.1\r\nHost: one.test:80\r\nTraceParent: " TP
		  "\r\ntracestate: a=1\r\ntracestate: b=2\r\n\r\n"),
	SAY(false, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
	SAY(true, "HEAD /b HTTP/1.1\r\nHost: one.test\r\n\r\n"),
	SAY(false, "HTTP/1.1 404 Not Found\r\nContent-Length: 1000\r\n\r\n"),
	SAY(true, "POST /c HTTP/1.1\r\nHost: one.test\r\nContent-Length: 4\r\n"
		  "Expect: 100-continue\r\n\r\n"),
	SAY(false, "HTTP/1.1 100 Continue\r\n\r\n"),
	SAY(true, "data"),
	SAY(false, "HTTP/1.1 503 Busy\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
		   "5;x=y\r\nhello\r\n1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nX-T: 1\r\n\r\n"),
	SAY(true, "PUT /d HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
	SAY(false, "HTTP/1.1 204 No Content\r\n\r\n"),
	SAY(true, "GET /e HTTP/1.1\r\n\r\n"),
	SAY(false, "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n"),
	SAY(true, "GET /f HTTP/1.1\r\nConnection: close\r\n\r\n"),
	SAY(false, "HTTP/1.0 200 OK\r\n\r\nuntil the end"),
};

static const struct wire_truth keepalive_truth[] = {
	{ "GET", "/a?x=1", NULL, 200 }, { "HEAD", "/b", NULL, 404 }, { "POST", "/c", NULL, 503 },
	{ "PUT", "/d", NULL, 204 },	{ "GET", "/e", NULL, 304 },  { "GET", "/f", NULL, 200 },
};

static void test_keepalive_is_read_whole(void **state)
{
	struct wire_damage d = WIRE_WHOLE;
	const struct wire_found *f = wire_result.found;

	(void)state;
	d.as_server = true;
	wire_run(keepalive, CNT(keepalive), &d);
	assert_int_equal(wire_result.cnt, CNT(keepalive_truth));
	for (unsigned i = 0; i < wire_result.cnt; i++) {
		assert_string_equal(f[i].command, keepalive_truth[i].command);
		assert_string_equal(f[i].text, keepalive_truth[i].text);
		assert_int_equal(f[i].r.status, keepalive_truth[i].status);
		assert_int_equal(f[i].r.marks, 0);
		assert_true(f[i].r.server);
		assert_int_equal(f[i].r.start.tid, 107);
		assert_int_equal(f[i].r.end.goid, 8);
	}
	assert_string_equal(f[0].host, "one.test:80");
	assert_string_equal(f[0].traceparent, TP);
	assert_int_equal(f[0].r.traceparent_cnt, 1);
	assert_string_equal(f[0].tracestate, "a=1,b=2");
	assert_int_equal(f[0].r.start.stream_off, 5000);
	assert_int_equal(f[0].r.request_bytes, keepalive[0].data_bytes);
	assert_int_equal(f[0].r.response_bytes, keepalive[1].data_bytes);
	/* the 100 is neither the first byte nor the end of the reply */
	assert_int_equal(f[2].r.start.time_ns, 5000);
	assert_int_equal(f[2].r.sent.time_ns, 7000);
	assert_int_equal(f[2].r.first.time_ns, 8000);
	assert_int_equal(f[2].r.response_bytes, keepalive[7].data_bytes);
}

static void test_keepalive_sweep(void **state)
{
	(void)state;
	wire_sweep(keepalive, CNT(keepalive), keepalive_truth, CNT(keepalive_truth));
}

/* With the default capture, bodies and long replies are sizes only. */
static void test_captured_prefixes_keep_every_request(void **state)
{
	(void)state;
	for (size_t capture = 110; capture < 200; capture++) {
		struct wire_damage d = WIRE_WHOLE;

		d.capture = capture;
		wire_run(keepalive, CNT(keepalive), &d);
		assert_int_equal(wire_result.cnt, CNT(keepalive_truth));
		for (unsigned i = 0; i < wire_result.cnt; i++)
			assert_int_equal(wire_result.found[i].r.status, keepalive_truth[i].status);
	}
}

static const struct wire_say pipelined[] = {
	SAY(true, "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\nPOST /3 HTTP/1.1\r\n"
		  "Content-Length: 3\r\n\r\nxyzGET /4 HTTP/1.1\r\n\r\n"),
	SAY(false, "HTTP/1.1 201 A\r\nContent-Length: 0\r\n\r\nHTTP/1.1 202 B\r\nContent-Length: 2"
		   "\r\n\r\nokHTTP/1.1 403 C\r\nContent-Length: 0\r\n\r\nHTTP/1.1 500 D\r\n"
		   "Content-Length: 1\r\n\r\n!"),
};
static const struct wire_truth pipelined_truth[] = {
	{ "GET", "/1", NULL, 201 },
	{ "GET", "/2", NULL, 202 },
	{ "POST", "/3", NULL, 403 },
	{ "GET", "/4", NULL, 500 },
};

static void test_pipelining(void **state)
{
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	wire_run(pipelined, CNT(pipelined), &d);
	assert_int_equal(wire_result.cnt, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_string_equal(wire_result.found[i].text, pipelined_truth[i].text);
		assert_int_equal(wire_result.found[i].r.status, pipelined_truth[i].status);
		assert_int_equal(wire_result.found[i].r.marks, 0);
		assert_int_equal(wire_result.found[i].r.version, 11);
	}
	wire_sweep(pipelined, CNT(pipelined), pipelined_truth, CNT(pipelined_truth));
}

static void test_upgrade_ends_http(void **state)
{
	static const struct wire_say says[] = {
		SAY(true, "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
		SAY(false, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"),
		SAY(true, "GET /fake HTTP/1.1\r\n\r\n"),
		SAY(false, "HTTP/1.1 500 Fake\r\n\r\n"),
	};
	static const struct wire_truth truth[] = { { "GET", "/ws", NULL, 101 } };
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	wire_run(says, CNT(says), &d);
	assert_int_equal(wire_result.cnt, 1);
	wire_check_truth(truth, 1, "upgrade", 0);
}

static void test_connect_ends_http(void **state)
{
	static const struct wire_say says[] = {
		SAY(true, "CONNECT db.test:5432 HTTP/1.1\r\n\r\n"),
		SAY(false, "HTTP/1.1 200 Established\r\n\r\n"),
		SAY(true, "GET /fake HTTP/1.1\r\n\r\n"),
		SAY(false, "HTTP/1.1 500 Fake\r\n\r\n"),
	};
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	wire_run(says, CNT(says), &d);
	assert_int_equal(wire_result.cnt, 1);
	assert_string_equal(wire_result.found[0].text, "db.test:5432");
}

static void test_head_cut_in_a_header(void **state)
{
	struct wire_damage d = WIRE_WHOLE;
	const struct wire_found *f = wire_result.found;

	(void)state;
	d.capture = 90; /* within the traceparent of the first request */
	wire_run(keepalive, 2, &d);
	assert_int_equal(wire_result.cnt, 1);
	assert_int_equal(f->r.marks, FR_MARK_CUT);
	assert_string_equal(f->host, "one.test:80");
	assert_string_equal(f->traceparent, ""); /* half a header is none */
	assert_int_equal(f->r.status, 200);
}

static void test_reply_without_request_is_marked(void **state)
{
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	d.begin = keepalive[0].data_bytes;
	d.as_server = true;
	wire_run(keepalive, CNT(keepalive), &d);
	assert_int_equal(wire_result.cnt, CNT(keepalive_truth));
	assert_int_equal(wire_result.found[0].r.marks,
			 FR_MARK_START_UNSEEN | FR_MARK_END_INFERRED);
	assert_int_equal(wire_result.found[0].r.status, 200);
	assert_int_equal(wire_result.found[0].r.end.time_ns, 1000);
	assert_int_equal(wire_result.found[1].r.marks, 0);
}

static void test_no_reply_is_marked(void **state)
{
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	wire_run(keepalive, 1, &d);
	assert_int_equal(wire_result.cnt, 1);
	assert_int_equal(wire_result.found[0].r.marks, FR_MARK_END_UNSEEN);
	assert_int_equal(wire_result.found[0].r.status, FR_WIRE_STATUS_UNKNOWN);
	assert_int_equal(wire_result.found[0].r.end.time_ns, 0);
}

static void test_wrong_side_is_corrected(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct wire_damage d = WIRE_WHOLE;

		d.side_wrong = true;
		d.as_server = i & 1;
		d.proto = i & 2 ? &fr_wire_http1 : NULL;
		wire_run(keepalive, CNT(keepalive), &d);
		assert_int_equal(wire_result.cnt, CNT(keepalive_truth));
		assert_true(wire_conn.turned);
		assert_int_equal(wire_result.found[0].r.server, d.as_server);
		wire_check_truth(keepalive_truth, CNT(keepalive_truth), "side", i);
	}
}

/* A server that gives up on an idle connection answers nobody. */
static void test_unasked_reply_is_no_request(void **state)
{
	static const struct wire_say says[] = {
		SAY(true, "GET /1 HTTP/1.1\r\n\r\n"),
		SAY(false, "HTTP/1.1 200 A\r\nContent-Length: 0\r\n\r\n"),
		SAY(false, "HTTP/1.1 408 Timeout\r\nContent-Length: 0\r\n\r\n"),
	};
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	wire_run(says, CNT(says), &d);
	assert_int_equal(wire_result.cnt, 1);
	assert_int_equal(wire_result.found[0].r.status, 200);
	assert_int_equal(wire_conn.unmatched_cnt, 1);
}

static void test_what_is_no_http(void **state)
{
	static const char *const requests[] = {
		"GET  / HTTP/1.1\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n",
		"GET /\x01 HTTP/1.1\r\n\r\n", "get / HTTP/1.1\r\n\r\n", "OST /a HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1 x\r\n\r\n", "GET\r\n\r\n", "/ HTTP/1.1\r\n\r\n", "",
		"SETEX a 1 HTTP/1.1\r\n", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n\r\n",
	};
	static const char *const replies[] = { "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n",
					       "HTTP/2 200\r\n\r\n", "HTTP/1.1  200 OK\r\n",
					       "HTTP/1.1 099 X\r\n\r\n", "ICY 200 OK\r\n" };
	struct fr_slice none = { 0 };

	(void)state;
	for (size_t i = 0; i < CNT(requests); i++) {
		struct fr_slice s = { (const uint8_t *)requests[i], strlen(requests[i]) };

		assert_true(fr_wire_http1.detect(s, none) < 2);
	}
	for (size_t i = 0; i < CNT(replies); i++) {
		struct fr_slice s = { (const uint8_t *)replies[i], strlen(replies[i]) };

		assert_true(fr_wire_http1.detect(none, s) < 2);
	}
}

static void test_hostile_lengths(void **state)
{
	static const char *const heads[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 4611686018427387903\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3fffffffffffffff\r\nabc",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
	};

	(void)state;
	for (size_t i = 0; i < CNT(heads); i++) {
		const struct wire_say says[] = {
			SAY(true, "GET /x HTTP/1.1\r\n\r\n"),
			{ .request = false, .data = heads[i], .data_bytes = strlen(heads[i]) },
		};
		static const struct wire_truth truth[] = { { "GET", "/x", NULL, 200 } };
		struct wire_damage d = WIRE_WHOLE;

		wire_run(says, 2, &d);
		assert_int_equal(wire_result.cnt, 1);
		wire_check_truth(truth, 1, "length", i);
		assert_true(wire_result.found[0].r.marks &
			    (FR_MARK_END_INFERRED | FR_MARK_END_UNSEEN));
	}
}

static void feed(enum fr_wire_dir dir, uint64_t time_ns, const char *text, uint64_t beyond_bytes)
{
	static uint64_t offs[2];
	struct fr_wire_part p = {
		.dir = dir,
		.start = text[0] != ' ',
		.time_ns = time_ns,
		.stream_off = offs[dir],
		.transfer_bytes = strlen(text) + beyond_bytes,
		.captured = { (const uint8_t *)text, strlen(text) },
	};

	offs[dir] += p.transfer_bytes;
	fr_wire_conn_part(&wire_conn, &p, wire_on_request, &wire_result);
	fr_wire_conn_check(&wire_conn);
}

/* The end of a first reply was passed over, a second one began, and then came a request: the second
 * reply finishes the first request, but is not the later one's. */
static void test_reply_begun_before_its_request(void **state)
{
	(void)state;
	wire_result.cnt = 0;
	fr_wire_conn_init(&wire_conn, FR_WIRE_SIDE_SERVER, NULL);
	feed(FR_WIRE_RECV, 1000, "GET /a HTTP/1.1\r\n\r\n", 0);
	feed(FR_WIRE_SEND, 2000, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 500);
	feed(FR_WIRE_SEND, 3000, "HTTP/1.1 500 No\r\nServer:", 0);
	feed(FR_WIRE_RECV, 4000, "GET /b HTTP/1.1\r\n\r\n", 0);
	feed(FR_WIRE_SEND, 5000, " x\r\nContent-Length: 0\r\n\r\n", 0);
	fr_wire_conn_flush(&wire_conn, wire_on_request, &wire_result);
	assert_int_equal(wire_result.cnt, 2);
	assert_string_equal(wire_result.found[0].text, "/a");
	assert_int_equal(wire_result.found[0].r.status, 200);
	assert_int_equal(wire_result.found[0].r.end.time_ns, 3000);
	assert_string_equal(wire_result.found[1].text, "/b");
	assert_int_equal(wire_result.found[1].r.status, FR_WIRE_STATUS_UNKNOWN);
	assert_int_equal(wire_result.found[1].r.first.time_ns, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keepalive_is_read_whole),
		cmocka_unit_test(test_keepalive_sweep),
		cmocka_unit_test(test_captured_prefixes_keep_every_request),
		cmocka_unit_test(test_pipelining),
		cmocka_unit_test(test_upgrade_ends_http),
		cmocka_unit_test(test_connect_ends_http),
		cmocka_unit_test(test_head_cut_in_a_header),
		cmocka_unit_test(test_reply_without_request_is_marked),
		cmocka_unit_test(test_no_reply_is_marked),
		cmocka_unit_test(test_wrong_side_is_corrected),
		cmocka_unit_test(test_unasked_reply_is_no_request),
		cmocka_unit_test(test_what_is_no_http),
		cmocka_unit_test(test_hostile_lengths),
		cmocka_unit_test(test_reply_begun_before_its_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
