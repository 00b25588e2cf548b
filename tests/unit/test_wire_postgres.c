/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "wire_fixture.h"

#define CNT(a) (sizeof(a) / sizeof((a)[0]))
#define BODY(s) (s), sizeof(s) - 1 /* with its own NULs; the last one is written out */

/* A dialogue under construction: one growing buffer, one transfer for each say(). */
static char bytes[8192];
static size_t bytes_used, say_from;
static struct wire_say says[WIRE_PARTS_MAX];
static size_t say_cnt;

static void begin(void)
{
	bytes_used = say_from = say_cnt = 0;
}

static void put(const void *data, size_t data_bytes)
{
	assert_true(bytes_used + data_bytes <= sizeof(bytes));
	memcpy(bytes + bytes_used, data, data_bytes);
	bytes_used += data_bytes;
}

static void put_be32(uint32_t v)
{
	const uint8_t be[] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8),
			       (uint8_t)v };

	put(be, sizeof(be));
}

static void msg(char type, const char *body, size_t body_bytes)
{
	put(&type, 1);
	put_be32((uint32_t)body_bytes + 4);
	put(body, body_bytes);
}

static void say(bool request)
{
	assert_true(say_cnt < WIRE_PARTS_MAX);
	says[say_cnt++] = (struct wire_say){ .request = request,
					     .data = bytes + say_from,
					     .data_bytes = bytes_used - say_from };
	say_from = bytes_used;
}

static void ready(void)
{
	msg('Z', BODY("I"));
	say(false);
}

static void startup(void)
{
	static const char params[] = "user\0bob\0database\0shop\0";

	put_be32(8);
	put_be32(80877103); /* SSLRequest */
	say(true);
	put("N", 1);
	say(false);
	put_be32(8 + sizeof(params));
	put_be32(196608);
	put(params, sizeof(params));
	say(true);
	msg('R', BODY("\0\0\0\0"));
	msg('S', BODY("server_version\00015.1\0"));
	msg('K', BODY("\0\0\0\1\0\0\0\2"));
	ready();
}

static void prepare_and_run(void)
{
	msg('P', BODY("s1\0SELECT name FROM t WHERE id=$1\0\0\0"));
	msg('D', BODY("Ss1\0"));
	msg('S', BODY(""));
	say(true);
	msg('1', BODY(""));
	msg('t', BODY("\0\1\0\0\0\x17"));
	msg('T', BODY("\0\1name\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0"));
	ready();
	msg('B', BODY("\0s1\0\0\0\0\1\0\0\0\1\x37\0\0"));
	msg('E', BODY("\0\0\0\0\0"));
	msg('S', BODY(""));
	say(true);
	msg('2', BODY(""));
	msg('D', BODY("\0\1\0\0\0\5Alice"));
	msg('C', BODY("SELECT 1\0"));
	ready();
}

static void failing_query(void)
{
	msg('Q', BODY("SELECT 1/0\0"));
	say(true);
	msg('T', BODY("\0\1x\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0"));
	msg('N', BODY("SWARNING\0C01000\0Mhm\0\0"));
	msg('E', BODY("SFEHLER\0VERROR\0C22012\0Mdivision by zero\0\0"));
	ready();
}

static void pipelined_batch(void)
{
	msg('P', BODY("\0INSERT INTO a VALUES ($1)\0\0\0"));
	msg('B', BODY("\0\0\0\0\0\0\0\0"));
	msg('E', BODY("\0\0\0\0\0"));
	msg('P', BODY("\0INSERT INTO b VALUES ($1)\0\0\0"));
	msg('B', BODY("\0\0\0\0\0\0\0\0"));
	msg('E', BODY("\0\0\0\0\0"));
	msg('P', BODY("\0INSERT INTO c VALUES ($1)\0\0\0"));
	msg('B', BODY("\0\0\0\0\0\0\0\0"));
	msg('E', BODY("\0\0\0\0\0"));
	msg('S', BODY(""));
	say(true);
	msg('1', BODY(""));
	msg('2', BODY(""));
	msg('C', BODY("INSERT 0 1\0"));
	msg('1', BODY(""));
	msg('2', BODY(""));
	msg('E', BODY("SERROR\0VERROR\0C23505\0Mdup\0\0"));
	ready();
}

static void syntax_error(void)
{
	msg('P', BODY("\0SELEC 1\0\0\0"));
	msg('D', BODY("S\0"));
	msg('S', BODY(""));
	say(true);
	msg('E', BODY("SERROR\0VERROR\0C42601\0Mno\0\0"));
	ready();
}

static void copies(void)
{
	msg('Q', BODY("COPY t FROM STDIN\0"));
	say(true);
	msg('G', BODY("\0\0\1\0\0"));
	say(false);
	msg('d', BODY("1\n"));
	msg('d', BODY("2\n"));
	msg('c', BODY(""));
	say(true);
	msg('C', BODY("COPY 2\0"));
	ready();
	msg('Q', BODY("COPY t TO STDOUT\0"));
	say(true);
	msg('H', BODY("\0\0\1\0\0"));
	msg('d', BODY("1\n"));
	msg('c', BODY(""));
	msg('C', BODY("COPY 1\0"));
	ready();
}

static const struct wire_truth all_truth[] = {
	{ NULL, "SELECT name FROM t WHERE id=$1", NULL, 0 },
	{ NULL, "SELECT 1/0", "22012", 1 },
	{ NULL, "INSERT INTO a VALUES ($1)", NULL, 0 },
	{ NULL, "INSERT INTO b VALUES ($1)", "23505", 1 },
	{ NULL, "INSERT INTO c VALUES ($1)", NULL, -1 },
	{ NULL, "SELEC 1", "42601", 1 },
	{ NULL, "COPY t FROM STDIN", NULL, 0 },
	{ NULL, "COPY t TO STDOUT", NULL, 0 },
	{ NULL, "BEGIN; SELECT 2", NULL, 0 },
	{ NULL, "", NULL, 0 },
};

static void everything(void)
{
	begin();
	startup();
	prepare_and_run();
	failing_query();
	pipelined_batch();
	syntax_error();
	copies();
	msg('Q', BODY("BEGIN; SELECT 2\0"));
	say(true);
	msg('C', BODY("BEGIN\0"));
	msg('C', BODY("SELECT 1\0"));
	ready();
	msg('Q', BODY("\0"));
	say(true);
	msg('I', BODY(""));
	ready();
	msg('X', BODY(""));
	say(true);
}

static void test_everything_is_read(void **state)
{
	struct wire_damage d = WIRE_WHOLE;
	const struct wire_found *f = wire_result.found;

	(void)state;
	everything();
	wire_run(says, say_cnt, &d);
	assert_int_equal(wire_result.cnt, CNT(all_truth));
	for (unsigned i = 0; i < CNT(all_truth); i++) {
		assert_string_equal(f[i].text, all_truth[i].text);
		assert_int_equal(f[i].r.status, all_truth[i].status);
		assert_int_equal(f[i].r.marks, i == 4 ? FR_MARK_SKIPPED : 0);
		assert_string_equal(f[i].code, all_truth[i].code ? all_truth[i].code : "");
		assert_string_equal(f[i].user, "bob");
		assert_string_equal(f[i].database, "shop");
		assert_false(f[i].r.server);
	}
	assert_string_equal(f[0].command, "SELECT 1");
	assert_string_equal(f[1].severity, "ERROR"); /* not in the server's language */
	assert_string_equal(f[6].command, "COPY 2");
	/* each of a batch starts with its own Parse; a copy is sent when its data are */
	assert_true(f[3].r.start.stream_off > f[2].r.start.stream_off);
	assert_int_equal(f[6].r.request_bytes, 5 + 18 + 7 + 7 + 5);
}

static void test_everything_sweep(void **state)
{
	(void)state;
	everything();
	wire_sweep(says, say_cnt, all_truth, CNT(all_truth));
}

static void test_prepared_before(void **state)
{
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	begin();
	startup();
	prepare_and_run();
	d.begin = says[0].data_bytes + says[1].data_bytes + says[2].data_bytes +
		  says[3].data_bytes + says[4].data_bytes + says[5].data_bytes;
	wire_run(says, say_cnt, &d);
	assert_int_equal(wire_result.cnt, 1);
	assert_string_equal(wire_result.found[0].text, "");
	assert_string_equal(wire_result.found[0].command, "SELECT 1");
	assert_int_equal(wire_result.found[0].r.status, 0);
	assert_true(wire_result.found[0].r.marks & FR_MARK_PREPARED_BEFORE);
}

/* The first 128 bytes of a reply say that it began; its success is then not known. */
static void test_long_reply_has_no_status(void **state)
{
	static char row[700];
	struct wire_damage d = WIRE_WHOLE;
	const struct wire_found *f = wire_result.found;

	(void)state;
	begin();
	for (unsigned i = 0; i < 2; i++) {
		msg('Q', BODY("SELECT big\0"));
		say(true);
		msg('T', BODY("\0\1x\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0"));
		row[1] = 1;
		for (unsigned k = 0; k < 3; k++)
			msg('D', row, sizeof(row));
		msg('C', BODY("SELECT 3\0"));
		ready();
	}
	d.capture = 128;
	wire_run(says, say_cnt, &d);
	assert_int_equal(wire_result.cnt, 2);
	assert_int_equal(f[0].r.status, FR_WIRE_STATUS_UNKNOWN);
	assert_int_equal(f[0].r.marks, FR_MARK_END_INFERRED);
	assert_int_equal(f[0].r.end.time_ns, 2000);
	assert_int_equal(f[0].r.response_bytes, says[1].data_bytes);
	assert_int_equal(f[1].r.marks, FR_MARK_END_INFERRED);
}

static void test_refused_session_is_told(void **state)
{
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	begin();
	startup();
	say_cnt = 3; /* up to the startup message */
	bytes_used = say_from = (size_t)(says[2].data - bytes) + says[2].data_bytes;
	msg('E', BODY("SFATAL\0VFATAL\0C28P01\0Mpassword\0\0"));
	say(false);
	wire_run(says, say_cnt, &d);
	assert_int_equal(wire_result.cnt, 1);
	assert_string_equal(wire_result.found[0].code, "28P01");
	assert_string_equal(wire_result.found[0].severity, "FATAL");
	assert_string_equal(wire_result.found[0].database, "shop");
	assert_int_equal(wire_result.found[0].r.marks, 0);
}

static void test_tls_is_left_alone(void **state)
{
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	begin();
	put_be32(8);
	put_be32(80877103);
	say(true);
	put("S", 1);
	say(false);
	msg('Q', BODY("SELECT 1\0"));
	say(true);
	msg('C', BODY("SELECT 1\0"));
	ready();
	wire_run(says, say_cnt, &d);
	assert_int_equal(wire_result.cnt, 0);
	assert_true(wire_conn.raw);
}

static void test_cancel_is_no_request(void **state)
{
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	begin();
	put_be32(16);
	put_be32(80877102);
	put_be32(1);
	put_be32(2);
	say(true);
	wire_run(says, say_cnt, &d);
	assert_int_equal(wire_result.cnt, 0);
	assert_ptr_equal(wire_conn.proto, &fr_wire_postgres);
}

static void test_texts_are_evicted_and_never_wrong(void **state)
{
	static struct fr_wire_texts t;
	static uint64_t keys[2000];
	unsigned found_cnt = 0;

	(void)state;
	for (unsigned i = 0; i < CNT(keys); i++)
		keys[i] = fr_wire_texts_put(
			&t, (struct fr_slice){ (const uint8_t *)&i, sizeof(i) }, false);
	for (unsigned i = 0; i < CNT(keys); i++) {
		const struct fr_wire_text *text = fr_wire_texts_get(&t, keys[i]);

		found_cnt += !!text;
		if (text)
			assert_memory_equal(text->text, &i, sizeof(i));
	}
	assert_true(found_cnt <= FR_WIRE_TEXT_SETS * FR_WIRE_TEXT_WAYS && found_cnt > 400);
	assert_int_equal(t.evicted_cnt, CNT(keys) - found_cnt);
	assert_null(fr_wire_texts_get(&t, 0));
}

/* Drivers keep hundreds of statements on a connection, and use the first ones most. */
static void test_two_hundred_statements(void **state)
{
	struct wire_damage d = WIRE_WHOLE;
	char body[64];

	(void)state;
	begin();
	for (unsigned i = 0; i < 200; i++) {
		int n = snprintf(body, sizeof(body), "s%u%cSELECT c%u%c%c", i, 0, i, 0, 0) + 1;

		msg('P', body, (size_t)n);
		if (i % 25 != 24)
			continue;
		msg('S', BODY(""));
		say(true);
		for (unsigned k = 0; k < 25; k++)
			msg('1', BODY(""));
		ready();
	}
	msg('B', BODY("\0s0\0\0\0\0\0\0\0"));
	msg('E', BODY("\0\0\0\0\0"));
	msg('S', BODY(""));
	say(true);
	msg('2', BODY(""));
	msg('C', BODY("SELECT 1\0"));
	ready();
	wire_run(says, say_cnt, &d);
	assert_int_equal(wire_result.cnt, 1);
	assert_string_equal(wire_result.found[0].text, "SELECT c0");
	assert_int_equal(wire_result.found[0].r.marks, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_is_read),
		cmocka_unit_test(test_everything_sweep),
		cmocka_unit_test(test_prepared_before),
		cmocka_unit_test(test_long_reply_has_no_status),
		cmocka_unit_test(test_refused_session_is_told),
		cmocka_unit_test(test_tls_is_left_alone),
		cmocka_unit_test(test_cancel_is_no_request),
		cmocka_unit_test(test_texts_are_evicted_and_never_wrong),
		cmocka_unit_test(test_two_hundred_statements),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
