/* SPDX-License-Identifier: BSD-2-Clause */
/* What receivers answer: partial success, refusals, and bytes that are neither. */
#include "cm.h"

#include "formats/base/buf.h"
#include "formats/base/pb.h"
#include "tools/otlp_reply.h"

/* rule zero: unit tests link formats/ only, and this file needs nothing else */
#include "tools/otlp_reply.c"

#define PROTOBUF "application/x-protobuf"
#define JSON "application/json; charset=utf-8"

static struct fr_otlp_reply reply;

static void partial(struct fr_buf *b, uint64_t rejected, const char *message)
{
	size_t mark = fr_pb_open(b, 1);

	fr_pb_add_u64(b, 1, rejected);
	fr_pb_add_str(b, 2, message);
	fr_pb_close(b, mark);
	assert_int_equal(b->err, 0);
}

static void success(const char *type, const void *body, size_t body_bytes)
{
	fr_otlp_reply_success(type, body, body_bytes, &reply);
}

static void empty_is_full_success(void **state)
{
	(void)state;
	success(NULL, NULL, 0);
	assert_true(reply.understood);
	assert_int_equal(reply.rejected_cnt, 0);
	success("text/html", "", 0);
	assert_true(reply.understood);
	success(PROTOBUF, "\x0a\x00", 2); /* an empty partial success */
	assert_true(reply.understood);
	assert_int_equal(reply.rejected_cnt, 0);
}

static void partial_success_is_counted(void **state)
{
	struct fr_buf b = { 0 };

	(void)state;
	fr_pb_add_str(&b, 77, "a field that only others know");
	partial(&b, 300, "too\x1b[31m old\n\n  spans");
	success("Application/X-Protobuf; x=y", b.data, b.len_bytes);
	assert_true(reply.understood);
	assert_int_equal(reply.rejected_cnt, 300);
	assert_string_equal(reply.text, "too [31m old spans");
	fr_buf_done(&b);
}

static void cut_reply_still_counts(void **state)
{
	struct fr_buf b = { 0 };
	char big[4000];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	partial(&b, 5, big);
	success(PROTOBUF, b.data, b.len_bytes / 2);
	assert_true(reply.understood);
	assert_int_equal(reply.rejected_cnt, 5);
	assert_int_equal(strlen(reply.text), sizeof(reply.text) - 1);
	fr_buf_done(&b);
}

static void negative_count_is_none(void **state)
{
	struct fr_buf b = { 0 };

	(void)state;
	partial(&b, UINT64_MAX, "?");
	success(PROTOBUF, b.data, b.len_bytes);
	assert_int_equal(reply.rejected_cnt, 0);
	fr_buf_done(&b);
}

static void what_no_receiver_says(void **state)
{
	(void)state;
	success("text/html", "<html>", 6);
	assert_false(reply.understood);
	success(NULL, "x", 1);
	assert_false(reply.understood);
	success(PROTOBUF, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11);
	assert_false(reply.understood);
	success("application/x-protobuffer", "\x0a\x00", 2);
	assert_false(reply.understood);
	success(JSON, "{\"partialSuccess\":", 18);
	assert_false(reply.understood);
}

static void json_says_the_same(void **state)
{
	static const char *const both[] = {
		"{\"partialSuccess\":{\"rejectedSpans\":\"12\",\"errorMessage\":\"no "
		"\\u0007room\"}}",
		"{\"x\":[{}],\"partialSuccess\":{\"errorMessage\":\"no room\",\"rejectedSpans\": "
		"12 }}",
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		success(JSON, both[i], strlen(both[i]));
		assert_true(reply.understood);
		assert_int_equal(reply.rejected_cnt, 12);
		assert_string_equal(reply.text, "no room");
	}
	success(JSON, "{}", 2);
	assert_true(reply.understood);
	assert_int_equal(reply.rejected_cnt, 0);
}

static void refusals_say_why(void **state)
{
	struct fr_buf b = { 0 };

	(void)state;
	fr_pb_add_u64(&b, 1, 3);
	fr_pb_add_str(&b, 2, "bad trace id");
	fr_otlp_reply_refusal(PROTOBUF, b.data, b.len_bytes, &reply);
	assert_string_equal(reply.text, "bad trace id");
	fr_otlp_reply_refusal(JSON, "{\"code\":3,\"message\":\"bad id\"}", 29, &reply);
	assert_string_equal(reply.text, "bad id");
	fr_otlp_reply_refusal("text/plain", "go\taway\r\n", 9, &reply);
	assert_string_equal(reply.text, "go away");
	fr_otlp_reply_refusal("text/html", "<h1>no</h1>", 11, &reply);
	assert_string_equal(reply.text, "");
	fr_otlp_reply_refusal(NULL, NULL, 0, &reply);
	assert_string_equal(reply.text, "");
	fr_buf_done(&b);
}

static void text_is_not_cut_in_a_character(void **state)
{
	char text[600];

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	fr_otlp_reply_refusal("text/plain", text + 1, sizeof(text) - 2, &reply);
	assert_true(strlen(reply.text) > 250);
	assert_int_equal((unsigned char)reply.text[strlen(reply.text) - 1], 0xa9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_is_full_success),
		cmocka_unit_test(partial_success_is_counted),
		cmocka_unit_test(cut_reply_still_counts),
		cmocka_unit_test(negative_count_is_none),
		cmocka_unit_test(what_no_receiver_says),
		cmocka_unit_test(json_says_the_same),
		cmocka_unit_test(refusals_say_why),
		cmocka_unit_test(text_is_not_cut_in_a_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
