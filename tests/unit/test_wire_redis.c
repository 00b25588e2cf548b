/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "wire_fixture.h"

#define SAY(is_request, s)                                                                         \
	{                                                                                          \
		.request = (is_request), .data = (s), .data_bytes = sizeof(s) - 1                  \
	}
#define CNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct wire_say talk[] = {
	SAY(true, "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"),
	SAY(false, "%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nmodules\r\n*0\r\n"),
	SAY(true, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$6\r\nsecret\r\n*2\r\n$3\r\nget\r\n$1\r\nk\r\n"
		  "*2\r\n$4\r\nLPOP\r\n$1\r\nk\r\n*1\r\n$4\r\nPING\r\n"),
	SAY(false, "+OK\r\n$6\r\nsecret\r\n-WRONGTYPE Operation\r\n>3\r\n$7\r\nmessage\r\n"
		   "$1\r\nc\r\n$2\r\nhi\r\n+PONG\r\n"),
	SAY(true, "*1\r\n$5\r\nMULTI\r\n*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n*1\r\n$4\r\nEXEC\r\n"),
	SAY(false, "+OK\r\n+QUEUED\r\n*3\r\n:1\r\n*2\r\n_\r\n#t\r\n-ERR inner\r\n"),
	SAY(true, "\r\nDBSIZE\r\n"),
	SAY(false, "|1\r\n+ttl\r\n:10\r\n:5\r\n"),
	SAY(true, "*2\r\n$3\r\nGET\r\n$4\r\nnone\r\n"),
	SAY(false, "$-1\r\n"),
};

static const struct wire_truth talk_truth[] = {
	{ "HELLO", "", NULL, 0 },	{ "SET", "", NULL, 0 },	  { "GET", "", NULL, 0 },
	{ "LPOP", "", "WRONGTYPE", 1 }, { "PING", "", NULL, 0 },  { "MULTI", "", NULL, 0 },
	{ "INCR", "", NULL, 0 },	{ "EXEC", "", NULL, 0 },  { "DBSIZE", "", NULL, 0 },
	{ "GET", "", NULL, 0 },
};

static void test_pipelines_and_nesting(void **state)
{
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	wire_run(talk, CNT(talk), &d);
	assert_ptr_equal(wire_conn.proto, &fr_wire_redis);
	assert_int_equal(wire_result.cnt, CNT(talk_truth));
	for (unsigned i = 0; i < wire_result.cnt; i++) {
		const struct wire_found *f = &wire_result.found[i];

		assert_string_equal(f->command, talk_truth[i].command);
		assert_int_equal(f->r.status, talk_truth[i].status);
		assert_string_equal(f->code, talk_truth[i].code ? talk_truth[i].code : "");
		assert_int_equal(f->r.marks, 0);
	}
	assert_int_equal(wire_result.found[7].r.response_bytes, 4 + 4 + 4 + 3 + 4 + 12);
	assert_int_equal(wire_conn.unmatched_cnt, 0);
}

static void test_sweep(void **state)
{
	(void)state;
	wire_sweep(talk, CNT(talk), talk_truth, CNT(talk_truth));
}

static void test_subscribed_connection(void **state)
{
	static const struct wire_say says[] = {
		SAY(true, "*3\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n$1\r\nb\r\n"),
		SAY(false, "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n"
			   "$1\r\nb\r\n:2\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n"),
		SAY(true, "*1\r\n$4\r\nPING\r\n"),
		SAY(false, "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\ny\r\n*2\r\n$4\r\npong\r\n"
			   "$0\r\n\r\n"),
	};
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	wire_run(says, CNT(says), &d);
	assert_int_equal(wire_result.cnt, 1);
	assert_string_equal(wire_result.found[0].command, "PING");
	assert_int_equal(wire_result.found[0].r.response_bytes, 4 + 10 + 6);
}

static void test_large_value_is_counted(void **state)
{
	static char set[20000];
	struct wire_say says[] = { { true, set, 0 }, SAY(false, "+OK\r\n"),
				   SAY(true, "*1\r\n$4\r\nPING\r\n"), SAY(false, "+PONG\r\n") };
	struct wire_damage d = WIRE_WHOLE;
	int head = snprintf(set, sizeof(set), "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$10000\r\n");

	(void)state;
	memset(set + head, 'v', 10000);
	memcpy(set + head + 10000, "\r\n*1\r\n$4\r\nPING\r\n", 16);
	says[0].data_bytes = (size_t)head + 10002;
	d.capture = 512;
	wire_run(says, CNT(says), &d);
	assert_int_equal(wire_result.cnt, 2);
	assert_int_equal(wire_result.found[0].r.request_bytes, head + 10002);
	assert_int_equal(wire_result.found[0].r.marks, 0);
	assert_string_equal(wire_result.found[1].command, "PING");
}

static void test_what_is_no_redis(void **state)
{
	static const char *const requests[] = {
		"*0\r\n",	   "*1\r\n$0\r\n\r\n",	       "*1\r\n$-1\r\n",
		"*1\r\n$4\r\nP NG\r\n", "*1\n$4\nPING\n",	       "*99999999999\r\n$4\r\nPING",
		"PING\r\n",	   "*1\r\n$99\r\nPING",	       "*2\r\n$3\r\nGETx\r\n",
		"* 1\r\n$4\r\nPING\r\n", "GET / HTTP/1.1\r\n\r\n", "",
	};

	(void)state;
	for (size_t i = 0; i < CNT(requests); i++) {
		struct fr_slice s = { (const uint8_t *)requests[i], strlen(requests[i]) };

		assert_true(fr_wire_redis.detect(s, (struct fr_slice){ 0 }) < 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pipelines_and_nesting),
		cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_subscribed_connection),
		cmocka_unit_test(test_large_value_is_counted),
		cmocka_unit_test(test_what_is_no_redis),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
