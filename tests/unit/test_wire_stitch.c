/* SPDX-License-Identifier: BSD-2-Clause */
/* The stitching core under a small protocol of its own, and whole streams of real programs. */
#include <stdio.h>

#include "wire_fixture.h"

#include "tests/fuzz/wire_stream.h"

#define CNT(a) (sizeof(a) / sizeof((a)[0]))
#define SAY(is_request, s)                                                                         \
	{                                                                                          \
		.request = (is_request), .data = (s), .data_bytes = sizeof(s) - 1                  \
	}

/* "?a;" asks as a, "!a;" answers a; what lies before the semicolon is of no account. */
static enum fr_wire_verdict toy_parse(const struct fr_wire_look *look, struct fr_slice b,
				      struct fr_wire_unit *u)
{
	bool is_request = look->role == FR_WIRE_REQUEST;
	const uint8_t *end = memchr(b.data, ';', b.len_bytes);

	if (b.data[0] != (is_request ? '?' : '!'))
		return FR_WIRE_LOST;
	if (!end || b.len_bytes < 3)
		return look->last ? FR_WIRE_LOST : FR_WIRE_MORE;
	u->unit_bytes = (uint64_t)(end - b.data) + 1;
	u->id = b.data[1];
	u->kind = u->answers = u->ends = 1;
	u->effects = is_request ? FR_UNIT_BEGIN : FR_UNIT_REPLY | FR_UNIT_HEAD | FR_UNIT_ORPHAN;
	if (is_request)
		u->text = (struct fr_slice){ .data = b.data + 1, .len_bytes = 1 };
	else
		u->status = b.data[1];
	return FR_WIRE_UNIT;
}

static int toy_detect(struct fr_slice request, struct fr_slice response)
{
	return (request.len_bytes && request.data[0] == '?') ||
		       (response.len_bytes && response.data[0] == '!') ?
		       2 :
		       0;
}

static void toy_rejoin(void *state, enum fr_wire_role role)
{
	(void)state;
	(void)role;
}

static const struct fr_wire_protocol by_id = {
	.by_id = true, .detect = toy_detect, .parse = toy_parse, .rejoin = toy_rejoin
};
static const struct fr_wire_protocol in_order = {
	.detect = toy_detect, .parse = toy_parse, .rejoin = toy_rejoin
};

static const struct wire_say out_of_order[] = {
	SAY(true, "?a;?b..;?c;"), SAY(false, "!c;"), SAY(true, "?d;"), SAY(false, "!a....;!d;!b;"),
	SAY(true, "?e;"),	  SAY(false, "!x;!e;"),
};

static void test_replies_by_id_come_in_any_order(void **state)
{
	static const char order[] = "cadbe";
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	d.proto = &by_id;
	wire_run(out_of_order, CNT(out_of_order), &d);
	assert_int_equal(wire_result.cnt, 5);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(wire_result.found[i].text[0], order[i]);
		assert_int_equal(wire_result.found[i].r.status, order[i]);
		assert_int_equal(wire_result.found[i].r.marks, 0);
	}
	assert_int_equal(wire_conn.unmatched_cnt, 1);
}

static void test_by_id_a_hole_never_mixes_pairs(void **state)
{
	(void)state;
	for (size_t hole = 0; hole < 50; hole++) {
		struct wire_damage d = WIRE_WHOLE;

		d.proto = &by_id;
		d.hole = hole;
		wire_run(out_of_order, CNT(out_of_order), &d);
		for (unsigned i = 0; i < wire_result.cnt; i++) {
			const struct wire_found *f = &wire_result.found[i];
			bool unasked = f->r.marks & FR_MARK_START_UNSEEN;

			if (f->r.status != FR_WIRE_STATUS_UNKNOWN)
				assert_int_equal(f->text[0], unasked ? 0 : f->r.status);
		}
	}
}

static void test_late_replies_first_in_first_out(void **state)
{
	static const struct wire_say says[] = {
		SAY(true, "?a;"),  SAY(true, "?b;"), SAY(false, "!a"), SAY(true, "?c;"),
		SAY(false, ".."),  SAY(false, ";"),  SAY(true, "?d;"), SAY(false, "!b;!c;"),
		SAY(false, "!d;"),
	};
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	d.proto = &in_order;
	wire_run(says, CNT(says), &d);
	assert_int_equal(wire_result.cnt, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(wire_result.found[i].r.status, "abcd"[i]);
		assert_int_equal(wire_result.found[i].text[0], "abcd"[i]);
	}
	assert_int_equal(wire_result.found[0].r.first.time_ns, 3000);
	assert_int_equal(wire_result.found[0].r.end.time_ns, 6000);
}

/* What doesn't fit into the queue is counted, and its replies are not given to others. */
static void test_too_many_open_requests(void **state)
{
	static char asks[3 * 60 + 1], answers[3 * 60 + 1];
	struct wire_say says[] = { { true, asks, 180 }, { false, answers, 180 },
				   SAY(true, "?z;"), SAY(false, "!z;") };
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	for (unsigned i = 0; i < 60; i++) {
		snprintf(asks + i * 3, 4, "?%c;", 'A' + (int)(i % 26));
		snprintf(answers + i * 3, 4, "!%c;", 'A' + (int)(i % 26));
	}
	d.proto = &in_order;
	wire_run(says, CNT(says), &d);
	assert_int_equal(wire_result.cnt, FR_WIRE_PENDING_MAX + 1);
	assert_int_equal(wire_conn.overflow_cnt, 60 - FR_WIRE_PENDING_MAX);
	for (unsigned i = 0; i < wire_result.cnt; i++)
		assert_int_equal(wire_result.found[i].text[0], wire_result.found[i].r.status);
	assert_int_equal(wire_result.found[FR_WIRE_PENDING_MAX].r.status, 'z');
	assert_int_equal(wire_conn.unmatched_cnt, 0);
}

static struct fr_wire_part part_of(enum fr_wire_dir dir, bool start, uint64_t time_ns, uint64_t off,
				   const char *s)
{
	return (struct fr_wire_part){
		.dir = dir,
		.start = start,
		.time_ns = time_ns,
		.stream_off = off,
		.transfer_bytes = strlen(s),
		.captured = { .data = (const uint8_t *)s, .len_bytes = strlen(s) },
	};
}

static void feed(struct fr_wire_part p)
{
	fr_wire_conn_part(&wire_conn, &p, wire_on_request, &wire_result);
	fr_wire_conn_check(&wire_conn);
}

static void test_bytes_told_twice_count_once(void **state)
{
	(void)state;
	wire_result.cnt = 0;
	fr_wire_conn_init(&wire_conn, FR_WIRE_SIDE_CLIENT, NULL);
	fr_wire_conn_set_protocol(&wire_conn, &in_order);
	feed(part_of(FR_WIRE_SEND, true, 1, 100, "?a;"));
	feed(part_of(FR_WIRE_SEND, false, 2, 100, "?a;"));
	feed(part_of(FR_WIRE_SEND, false, 3, 101, "a;?b;"));
	feed(part_of(FR_WIRE_RECV, true, 4, 0, "!a;!b;"));
	assert_int_equal(wire_result.cnt, 2);
	assert_int_equal(wire_result.found[1].text[0], 'b');
	assert_int_equal(wire_result.found[1].r.start.stream_off, 103);
	assert_int_equal(wire_conn.unmatched_cnt, 0);
}

static void test_gap_is_marked(void **state)
{
	(void)state;
	wire_result.cnt = 0;
	fr_wire_conn_init(&wire_conn, FR_WIRE_SIDE_CLIENT, NULL);
	fr_wire_conn_set_protocol(&wire_conn, &in_order);
	feed(part_of(FR_WIRE_SEND, true, 1, 100, "?a;"));
	feed(part_of(FR_WIRE_RECV, true, 2, 0, "!a."));
	feed(part_of(FR_WIRE_RECV, false, 3, 13, "!b;"));
	feed(part_of(FR_WIRE_SEND, true, 4, 103, "?b;"));
	feed(part_of(FR_WIRE_RECV, true, 5, 16, "!b;"));
	assert_int_equal(wire_result.cnt, 2);
	assert_int_equal(wire_result.found[0].r.marks, FR_MARK_GAP | FR_MARK_END_INFERRED);
	assert_int_equal(wire_result.found[0].r.status, FR_WIRE_STATUS_UNKNOWN);
	assert_int_equal(wire_result.found[0].r.end.time_ns, 3);
	assert_int_equal(wire_result.found[1].r.status, 'b');
}

/* ?b's reply passed unseen, as the start of ?c tells: the other end must have spoken before it.
 * From ?c on every reply meets its own request. */
static void test_unseen_replies_shift_no_pairs(void **state)
{
	uint64_t sent = 100, received = 50, t = 1;

	(void)state;
	wire_result.cnt = 0;
	fr_wire_conn_init(&wire_conn, FR_WIRE_SIDE_CLIENT, NULL);
	fr_wire_conn_set_protocol(&wire_conn, &in_order);
	for (char id = 'a'; id <= 'z'; id++, sent += 3, received += 3) {
		const char request[] = { '?', id, ';', 0 }, reply[] = { '!', id, ';', 0 };

		feed(part_of(FR_WIRE_SEND, true, t++, sent, request));
		if (id != 'b' && id != 'm')
			feed(part_of(FR_WIRE_RECV, true, t++, received, reply));
	}
	assert_int_equal(wire_result.cnt, 26);
	for (unsigned i = 0; i < wire_result.cnt; i++) {
		const struct wire_found *f = &wire_result.found[i];
		bool unseen = f->text[0] == 'b' || f->text[0] == 'm';

		assert_int_equal(f->text[0], 'a' + (char)i);
		assert_int_equal(f->r.status, unseen ? FR_WIRE_STATUS_UNKNOWN : f->text[0]);
		assert_int_equal(!!(f->r.marks & (FR_MARK_END_INFERRED | FR_MARK_END_UNSEEN)),
				 unseen);
	}
}

/* Replies were lost, so that pairs are told as inferred; until somebody knows that all is seen. */
static void test_settled_pairs_are_sure_again(void **state)
{
	(void)state;
	test_unseen_replies_shift_no_pairs(state);
	assert_true(wire_result.found[25].r.marks & FR_MARK_MATCH_INFERRED);
	fr_wire_conn_settle(&wire_conn);
	feed(part_of(FR_WIRE_SEND, true, 100, 100 + 26 * 3, "?a;"));
	feed(part_of(FR_WIRE_RECV, true, 101, 50 + 26 * 3, "!a;"));
	assert_int_equal(wire_result.found[26].r.marks & FR_MARK_MATCH_INFERRED, 0);
	assert_int_equal(wire_result.found[26].r.status, 'a');
}

static void test_offsets_at_the_end_of_numbers(void **state)
{
	struct fr_wire_part p = part_of(FR_WIRE_SEND, true, 1, UINT64_MAX - 2, "?a;?b;");

	(void)state;
	wire_result.cnt = 0;
	fr_wire_conn_init(&wire_conn, FR_WIRE_SIDE_CLIENT, NULL);
	fr_wire_conn_set_protocol(&wire_conn, &in_order);
	feed(p);
	p.stream_off = 5;
	p.transfer_bytes = UINT64_MAX - 5;
	feed(p);
	feed(part_of(FR_WIRE_SEND, true, 1, 0, "?c;"));
	fr_wire_conn_close(&wire_conn, wire_on_request, &wire_result);
	fr_wire_conn_check(&wire_conn);
}

static void load_stream(const char *path, struct fr_slice *ret)
{
	static uint8_t data[65536];
	FILE *f = fopen(path, "rbe");

	if (!f)
		fail_msg("%s: run from the top of the tree", path);
	*ret = (struct fr_slice){ .data = data, .len_bytes = fread(data, 1, sizeof(data), f) };
	fclose(f);
	wire_result.cnt = 0;
	memset(&wire_texts, 0, sizeof(wire_texts));
}

struct seen {
	const char *command, *text;
	int32_t status;
	const char *code;
	uint32_t marks;
};

static void check_stream(const char *path, const struct seen *want, unsigned want_cnt)
{
	struct fr_slice s;

	load_stream(path, &s);
	wire_stream_feed(&wire_conn, s, NULL, &wire_texts, wire_on_request, &wire_result);
	assert_int_equal(wire_result.cnt, want_cnt);
	for (unsigned i = 0; i < want_cnt; i++) {
		assert_string_equal(wire_result.found[i].command, want[i].command);
		assert_string_equal(wire_result.found[i].text, want[i].text);
		assert_int_equal(wire_result.found[i].r.status, want[i].status);
		assert_string_equal(wire_result.found[i].code, want[i].code);
		assert_int_equal(wire_result.found[i].r.marks, want[i].marks);
	}
	assert_int_equal(wire_conn.unmatched_cnt, 0);
}

static void test_real_curl(void **state)
{
	static const struct seen want[] = {
		{ "GET", "/a", 200, "", 0 },	   { "GET", "/big?x=1", 200, "", 0 },
		{ "GET", "/err", 500, "", 0 },	   { "HEAD", "/big", 200, "", 0 },
		{ "GET", "/chunk", 200, "", 0 },   { "GET", "/none", 204, "", 0 },
		{ "POST", "/post", 200, "", 0 },   { "POST", "/post2", 200, "", 0 },
	};

	(void)state;
	check_stream("tests/fuzz/corpus/http1/real-curl", want, CNT(want));
	assert_string_equal(wire_result.found[1].traceparent,
			    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
}

static void test_real_psql(void **state)
{
	static const struct seen want[] = {
		{ "INSERT 0 2", "insert into w values (1,'a'),(2,'b') on conflict do nothing;", 0,
		  "", 0 },
		{ "SELECT 2", "select * from w;", 0, "", 0 },
		{ "", "select 1/0;", 1, "22012", 0 },
		{ "COPY 2", "copy w to stdout;", 0, "", 0 },
		/* its 100,000 bytes were not captured, so neither was its end */
		{ "", "select repeat('x', 100000);", -1, "", FR_MARK_END_INFERRED },
		{ "", "notice me;", 1, "42601", 0 },
		{ "DO", "do $$ begin raise notice 'hi'; end $$;", 0, "", 0 },
	};

	(void)state;
	check_stream("tests/fuzz/corpus/postgres/real-psql", want, CNT(want));
}

static void test_real_pgbench(void **state)
{
	static const struct seen once[] = {
		{ "SELECT 1", "select name from w where id=1;", 0, "", 0 },
		{ "UPDATE 1", "update w set name=name where id=2;", 0, "", 0 },
		{ "SELECT 1", "select count(*) from w;", 0, "", 0 },
	};
	static const struct seen piped[] = {
		{ "SELECT 1", "select 1;", 0, "", 0 },
		{ "SELECT 1", "select 2;", 0, "", 0 },
		{ "SELECT 1", "select 3;", 0, "", 0 },
	};
	struct seen want[15];

	(void)state;
	for (unsigned i = 0; i < CNT(want); i++)
		want[i] = once[i % 3];
	check_stream("tests/fuzz/corpus/postgres/real-pgbench-prepared", want, 15);
	assert_string_equal(wire_result.found[0].database, "postgres");
	for (unsigned i = 0; i < CNT(want); i++)
		want[i] = piped[i % 3];
	check_stream("tests/fuzz/corpus/postgres/real-pgbench-pipeline", want, 9);
}

/* As flightrecd records by default: 512 bytes of a request, 128 of a reply. */
static void test_recorded_http(void **state)
{
	static const struct seen want[] = {
		{ "GET", "/a", 200, "", 0 },
		{ "GET", "/big?x=1", 200, "", 0 },
		{ "GET", "/err", 500, "", FR_MARK_END_INFERRED }, /* a head of 130 bytes */
		{ "HEAD", "/big", 200, "", 0 },
		{ "GET", "/chunk", 200, "", FR_MARK_END_INFERRED },
		{ "POST", "/post", 200, "", 0 },
	};

	(void)state;
	check_stream("tests/fuzz/corpus/http1/recorded-default-capture", want, CNT(want));
	assert_int_equal(wire_result.found[1].r.response_bytes, 3114);
	assert_int_equal(wire_result.found[2].r.response_bytes, 134);
	assert_int_equal(wire_result.found[4].r.response_bytes, 155);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replies_by_id_come_in_any_order),
		cmocka_unit_test(test_by_id_a_hole_never_mixes_pairs),
		cmocka_unit_test(test_late_replies_first_in_first_out),
		cmocka_unit_test(test_too_many_open_requests),
		cmocka_unit_test(test_bytes_told_twice_count_once),
		cmocka_unit_test(test_gap_is_marked),
		cmocka_unit_test(test_unseen_replies_shift_no_pairs),
		cmocka_unit_test(test_settled_pairs_are_sure_again),
		cmocka_unit_test(test_offsets_at_the_end_of_numbers),
		cmocka_unit_test(test_real_curl),
		cmocka_unit_test(test_real_psql),
		cmocka_unit_test(test_real_pgbench),
		cmocka_unit_test(test_recorded_http),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
