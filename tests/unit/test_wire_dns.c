/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "wire_fixture.h"

#define SAY(is_request, s)                                                                         \
	{                                                                                          \
		.request = (is_request), .data = (s), .data_bytes = sizeof(s) - 1                  \
	}
#define CNT(a) (sizeof(a) / sizeof((a)[0]))

#define ASK "\1\0\0\1\0\0\0\0\0\0" /* recursion desired, one question */
#define NAME "\3www\7example\3com\0"
#define IN_A "\0\1\0\1"
#define ANSWER "\300\14\0\1\0\1\0\0\0\74\0\4\12\0\0\1"

/* Two at a time, as resolvers do: the replies come in the other order. */
static const struct wire_say talk[] = {
	SAY(true, "\1\1" ASK NAME IN_A),
	SAY(true, "\1\2" ASK NAME "\0\34\0\1"),
	SAY(false, "\1\2\201\200\0\1\0\0\0\0\0\0" NAME "\0\34\0\1"),
	SAY(false, "\1\1\201\200\0\1\0\1\0\0\0\0" NAME IN_A ANSWER),
	SAY(true, "\1\3" ASK "\2nx\7example\0" IN_A),
	SAY(false, "\1\3\201\203\0\1\0\0\0\0\0\0\2nx\7example\0" IN_A),
	SAY(true, "\1\4\1\40\0\1\0\0\0\0\0\1\4fail\7example\0\0\17\0\1\0\0\51\20\0\0\0\0\0\0\0"),
	SAY(false,
	    "\1\4\201\202\0\1\0\0\0\0\0\1\4fail\7example\0\0\17\0\1\0\0\51\20\0\0\0\0\0\0\0"),
	SAY(true, "\1\5" ASK "\0\0\2\0\1"),
	SAY(false, "\1\5\201\200\0\1\0\0\0\0\0\0\0\0\2\0\1"),
};

static const struct wire_truth talk_truth[] = {
	{ "AAAA", "www.example.com", NULL, 0 },
	{ "A", "www.example.com", NULL, 0 },
	{ "A", "nx.example", "NXDOMAIN", 3 },
	{ "MX", "fail.example", "SERVFAIL", 2 },
	{ "NS", ".", NULL, 0 },
};

static void check_all(bool as_server)
{
	assert_ptr_equal(wire_conn.proto, &fr_wire_dns);
	assert_int_equal(wire_result.cnt, CNT(talk_truth));
	for (unsigned i = 0; i < wire_result.cnt; i++) {
		const struct wire_found *f = &wire_result.found[i];

		assert_string_equal(f->command, talk_truth[i].command);
		assert_string_equal(f->text, talk_truth[i].text);
		assert_string_equal(f->code, talk_truth[i].code ? talk_truth[i].code : "");
		assert_int_equal(f->r.status, talk_truth[i].status);
		assert_int_equal(f->r.marks, 0);
		assert_int_equal(f->r.server, as_server);
	}
	assert_int_equal(wire_conn.unmatched_cnt, 0);
	assert_int_equal(wire_conn.lost_cnt, 0);
}

static void test_matched_by_id(void **state)
{
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	d.datagrams = true;
	for (unsigned form = 0; form < 6; form++) {
		d.as_server = form & 1;
		d.side_unknown = form == 2 || form == 3;
		d.side_wrong = form >= 4;
		wire_run(talk, CNT(talk), &d);
		check_all(d.as_server);
	}
	assert_int_equal(wire_result.found[0].r.request_bytes, 33);
	assert_int_equal(wire_result.found[1].r.response_bytes, 33 + 16);
}

/* Each is one of the truth's, and none comes twice: what was not answered comes out last. */
static void check_truth(const char *what, size_t where)
{
	bool taken[CNT(talk_truth)] = { false };

	for (unsigned i = 0; i < wire_result.cnt; i++) {
		size_t t = 0;

		while (t < CNT(talk_truth) &&
		       (taken[t] || !wire_may_be(&wire_result.found[i], &talk_truth[t])))
			t++;
		if (t == CNT(talk_truth)) {
			wire_print_found();
			fail_msg("%s at %zu: request %u is not true", what, where, i);
		}
		taken[t] = true;
	}
}

/* Whatever is captured of each, and whichever are missing: only true things come out. */
static void test_sweep(void **state)
{
	struct wire_damage d = WIRE_WHOLE;
	size_t all_bytes = 0;

	(void)state;
	d.datagrams = true;
	for (size_t i = 0; i < CNT(talk); i++)
		all_bytes += talk[i].data_bytes;
	for (size_t at = 0; at <= 64; at++) {
		d.capture = at;
		wire_run(talk, CNT(talk), &d);
		check_truth("capture", at);
	}
	d.capture = SIZE_MAX;
	for (size_t at = 0; at < all_bytes; at++) {
		d.cut_from = at;
		wire_run(talk, CNT(talk), &d);
		check_truth("cut", at);
	}
	d.cut_from = SIZE_MAX;
	for (size_t missing = 0; missing < CNT(talk); missing++) {
		struct wire_say rest[CNT(talk)];
		unsigned cnt = 0;

		for (size_t i = 0; i < CNT(talk); i++)
			if (i != missing)
				rest[cnt++] = talk[i];
		wire_run(rest, cnt, &d);
		check_truth("missing", missing);
		assert_in_range(wire_result.cnt, CNT(talk_truth) - 1, CNT(talk_truth));
	}
}

/* Asked again under the same number: the first had no reply. */
static void test_asked_again(void **state)
{
	const struct wire_say says[] = { talk[0], talk[0], talk[3] };
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	d.datagrams = true;
	wire_run(says, CNT(says), &d);
	assert_int_equal(wire_result.cnt, 2);
	assert_int_equal(wire_result.found[0].r.marks, FR_MARK_END_UNSEEN);
	assert_int_equal(wire_result.found[0].r.start.time_ns, 1000);
	assert_int_equal(wire_result.found[1].r.marks, 0);
	assert_int_equal(wire_result.found[1].r.start.time_ns, 2000);
	assert_int_equal(wire_result.found[1].r.end.time_ns, 3000);
}

/* A server that never answers: the oldest make room, none is lost. */
static void test_never_answered(void **state)
{
	static char asks[80][64];
	static struct wire_say says[80];
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	d.datagrams = true;
	for (unsigned i = 0; i < 80; i++) {
		memcpy(asks[i], talk[0].data, talk[0].data_bytes);
		asks[i][1] = (char)i;
		says[i] = (struct wire_say){ true, asks[i], talk[0].data_bytes };
	}
	wire_run(says, 80, &d);
	assert_int_equal(wire_result.cnt, 80);
	for (unsigned i = 0; i < 80; i++) {
		assert_int_equal(wire_result.found[i].r.marks, FR_MARK_END_UNSEEN);
		assert_int_equal(wire_result.found[i].r.start.time_ns, (i + 1) * 1000);
	}
	assert_int_equal(wire_conn.overflow_cnt, 0);
}

static void feed(enum fr_wire_dir dir, const struct wire_say *s, uint16_t peer, uint64_t time_ns)
{
	static uint64_t off;
	struct fr_wire_part p = {
		.dir = dir,
		.datagram = true,
		.ends = { .family = FR_AF_INET, .remote_port = peer },
		.time_ns = time_ns,
		.stream_off = off += 1000,
		.transfer_bytes = s->data_bytes,
		.captured = { (const uint8_t *)s->data, s->data_bytes },
	};

	fr_wire_conn_part(&wire_conn, &p, wire_on_request, &wire_result);
	fr_wire_conn_check(&wire_conn);
}

/* One socket of a server: two clients that number alike, and one whose address nobody knows. */
static void test_clients_number_alike(void **state)
{
	(void)state;
	wire_result.cnt = 0;
	fr_wire_conn_init(&wire_conn, FR_WIRE_SIDE_UNKNOWN, NULL);
	feed(FR_WIRE_RECV, &talk[0], 77, 1000);
	feed(FR_WIRE_RECV, &talk[0], 88, 2000);
	feed(FR_WIRE_SEND, &talk[3], 88, 3000);
	feed(FR_WIRE_SEND, &talk[3], 77, 4000);
	feed(FR_WIRE_RECV, &talk[0], 0, 5000);
	feed(FR_WIRE_SEND, &talk[3], 99, 6000);
	assert_int_equal(wire_result.cnt, 3);
	assert_int_equal(wire_result.found[0].r.start.time_ns, 2000);
	assert_int_equal(wire_result.found[1].r.start.time_ns, 1000);
	assert_int_equal(wire_result.found[2].r.start.time_ns, 5000);
	assert_int_equal(wire_conn.unmatched_cnt, 0);
}

/* A forwarder that asks on the socket on which it is asked. */
static void test_asks_both_ways(void **state)
{
	(void)state;
	wire_result.cnt = 0;
	fr_wire_conn_init(&wire_conn, FR_WIRE_SIDE_UNKNOWN, NULL);
	feed(FR_WIRE_RECV, &talk[0], 77, 1000);
	feed(FR_WIRE_SEND, &talk[0], 53, 2000);
	feed(FR_WIRE_RECV, &talk[3], 53, 3000);
	feed(FR_WIRE_SEND, &talk[3], 77, 4000);
	assert_int_equal(wire_result.cnt, 2);
	assert_false(wire_result.found[0].r.server);
	assert_int_equal(wire_result.found[0].r.start.time_ns, 2000);
	assert_true(wire_result.found[1].r.server);
	assert_int_equal(wire_result.found[1].r.end.time_ns, 4000);
}

static void test_names(void **state)
{
	static const struct wire_say says[] = {
		SAY(true, "\1\1" ASK "\4a.b\\\3\0 \377\0"
			  "\377\1\0\1"),
		SAY(false, "\1\1\201\200\0\1\0\0\0\0\0\0\4a.b\\\3\0 \377\0"
			   "\377\1\0\1"),
	};
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	d.datagrams = true;
	wire_run(says, CNT(says), &d);
	assert_int_equal(wire_result.cnt, 1);
	assert_string_equal(wire_result.found[0].text, "a\\.b\\\\.\\000\\032\\255");
	assert_string_equal(wire_result.found[0].command, "TYPE65281");
}

static void test_what_is_no_dns(void **state)
{
	static const struct wire_say others[] = {
		SAY(true, ""),
		SAY(true, "\1\1\1\0\0\1\0\0\0\0\0"),
		SAY(true, "\1\1\1\0\0\2\0\0\0\0\0\0" NAME IN_A),	/* two questions */
		SAY(true, "\1\1\1\0\0\1\0\0\0\0\0\0\100abc\0" IN_A),	/* a label too long */
		SAY(true, "\1\1\1\0\0\1\0\0\0\0\0\0\300\14" IN_A),	/* a pointer */
		SAY(true, "\1\1\1\0\0\1\0\0\0\0\0\0" NAME "\0\1\0\11"), /* no such class */
		SAY(true, "\1\1\1\0\0\1\0\0\0\0\0\0" NAME "\0\0\0\1"),	/* no type */
		SAY(true, "\1\1\1\1\0\1\0\0\0\0\0\0" NAME IN_A),	/* a query with a result */
		SAY(true, "\1\1\31\0\0\1\0\0\0\0\0\0" NAME IN_A),	/* no such operation */
		SAY(true, "\300\0\0\0\1\10\1\2\3\4\5\6\7\10\0\0\104\236"), /* QUIC */
		SAY(true, "<13>Oct 11 22:14:15 host su: text of syslog"),
		SAY(true, "\43\2\6\350\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), /* NTP */
	};
	struct fr_slice none = { 0 };

	(void)state;
	for (size_t i = 0; i < CNT(others); i++) {
		struct fr_slice s = { (const uint8_t *)others[i].data, others[i].data_bytes };

		assert_true(fr_wire_dns.detect(s, none) < 2);
		assert_true(fr_wire_dns.detect(none, s) < 2);
	}
	for (size_t i = 0; i < CNT(talk); i++) {
		struct fr_slice s = { (const uint8_t *)talk[i].data, talk[i].data_bytes };

		assert_int_equal(fr_wire_dns.detect(talk[i].request ? s : none,
						    talk[i].request ? none : s),
				 2);
		assert_true(fr_wire_dns.detect(talk[i].request ? none : s,
					       talk[i].request ? s : none) < 2);
	}
}

/* Streams are never taken for it, nor datagrams for anything else. */
static void test_kept_apart(void **state)
{
	static const struct wire_say http[] = { SAY(true, "GET / HTTP/1.1\r\n\r\n") };
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	wire_run(talk, CNT(talk), &d);
	assert_null(wire_conn.proto);
	d.datagrams = true;
	wire_run(http, CNT(http), &d);
	assert_null(wire_conn.proto);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matched_by_id),
		cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_asked_again),
		cmocka_unit_test(test_never_answered),
		cmocka_unit_test(test_clients_number_alike),
		cmocka_unit_test(test_asks_both_ways),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_what_is_no_dns),
		cmocka_unit_test(test_kept_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
