/* SPDX-License-Identifier: BSD-2-Clause */
/* The JSON reader takes what the grammar has, and nothing else. */
#include "cm.h"

#include <errno.h>

#include "formats/base/jsonread.h"

/* Skips the text as one value; it lies alone on the heap. */
static int skip_all(const char *text, size_t bytes)
{
	uint8_t *copy = malloc(bytes ? bytes : 1);
	struct fr_jsonread r;
	int err;

	assert_non_null(copy);
	memcpy(copy, text, bytes);
	r = fr_jsonread_of(copy, bytes);
	fr_jsonread_skip(&r);
	err = fr_jsonread_end(&r);
	assert_int_equal(!err, !r.why);
	assert_true(fr_jsonread_offset(&r) <= bytes);
	free(copy);
	return err;
}

static void what_is_json(void **state)
{
	static const char *const good[] = {
		"0",
		"-0",
		"12",
		"-1.5e+10",
		"0.1",
		"1E5",
		"true",
		"false",
		"null",
		"\"\"",
		"[]",
		"{}",
		" \t\r\n[ ] ",
		"[1,2]",
		"{\"a\":{\"a\":[{}]},\"a\":null}",
		"\"\\u0000\\ud83d\\ude00\"",
		"\"\x7f\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\xed\x9f\xbf\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		if (skip_all(good[i], strlen(good[i])))
			print_message("%s\n", good[i]);
		assert_int_equal(skip_all(good[i], strlen(good[i])), 0);
	}
}

/* clang-format off: one a line is a page */
static const char *const bad[] = {
	"", " ", "01", "-", "+1", "1.", ".5", "1e", "1e+", "0x1", "NaN", "tru", "True", "nul",
	"\"", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u123g\"", "\"\n\"", "\"\t\"", "'a'",
	"\"\\ud800\"", "\"\\ud800x\"", "\"\\ud800\\n\"", "\"\\ud800\\u0041\"", "\"\\udc00\"",
	"\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"",
	"\"\xe0\x80\x80\"", "\"\x80\"", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1}",
	"{", "}", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "{1:1}",
	"{\"a\":1]", "{,}", "1 2", "{} x", "[] []", "// x", "\xef\xbb\xbf[]",
};
/* clang-format on */

static void what_is_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (skip_all(bad[i], strlen(bad[i])) != -EINVAL)
			print_message("%s\n", bad[i]);
		assert_int_equal(skip_all(bad[i], strlen(bad[i])), -EINVAL);
	}
	assert_int_equal(skip_all("1\0", 2), -EINVAL);
	assert_int_equal(skip_all("\0", 1), -EINVAL);
	assert_int_equal(skip_all("[\0]", 3), -EINVAL);
}

static void depth_is_bounded(void **state)
{
	char text[2 * FR_JSONREAD_DEPTH_MAX + 4];

	(void)state;
	for (size_t depth = FR_JSONREAD_DEPTH_MAX; depth <= FR_JSONREAD_DEPTH_MAX + 1; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		assert_int_equal(skip_all(text, 2 * depth),
				 depth > FR_JSONREAD_DEPTH_MAX ? -EINVAL : 0);
	}
}

static void assert_text(const struct fr_buf *b, const char *want, size_t want_bytes)
{
	assert_int_equal(b->len_bytes, want_bytes);
	assert_memory_equal(b->data, want, want_bytes);
}

static void members_and_items(void **state)
{
	static const char text[] = " {\"a\" : [true, \"x\\n\\u20AC\\u0000\"], \"sk\\u0069p\": "
				   "{\"b\": [1, {\"c\": \"d\"}]} , \"e\":{} } ";
	struct fr_jsonread r = fr_jsonread_of(text, strlen(text));
	struct fr_buf key = { 0 }, value = { 0 };

	(void)state;
	assert_int_equal(fr_jsonread_peek(&r), FR_JSONREAD_OBJECT);
	fr_jsonread_object(&r);
	assert_true(fr_jsonread_key(&r, &key));
	assert_text(&key, "a", 1);
	fr_jsonread_array(&r);
	assert_true(fr_jsonread_item(&r));
	assert_int_equal(fr_jsonread_peek(&r), FR_JSONREAD_BOOL);
	assert_true(fr_jsonread_bool(&r));
	assert_true(fr_jsonread_item(&r));
	fr_jsonread_string(&r, &value);
	assert_text(&value, "x\n\xe2\x82\xac\0", 6);
	assert_false(fr_jsonread_item(&r));
	assert_true(fr_jsonread_key(&r, &key));
	assert_text(&key, "skip", 4);
	fr_jsonread_skip(&r);
	assert_true(fr_jsonread_key(&r, &key));
	assert_text(&key, "e", 1);
	fr_jsonread_object(&r);
	assert_false(fr_jsonread_key(&r, &key));
	assert_false(fr_jsonread_key(&r, &key));
	assert_int_equal(fr_jsonread_end(&r), 0);
	assert_null(r.why);
	fr_buf_done(&key);
	fr_buf_done(&value);
}

static void errors_latch(void **state)
{
	struct fr_jsonread r = fr_jsonread_of("[1,\"x\"]", 7);
	struct fr_buf text = { 0 }, small = { .limit_bytes = 2 };

	(void)state;
	fr_jsonread_array(&r);
	assert_true(fr_jsonread_item(&r));
	fr_jsonread_string(&r, &text);
	assert_string_equal(r.why, "must be a string");
	assert_int_equal(fr_jsonread_offset(&r), 1);
	assert_false(fr_jsonread_item(&r));
	assert_int_equal(fr_jsonread_peek(&r), FR_JSONREAD_ERROR);
	fr_jsonread_fail(&r, "a later one");
	assert_int_equal(fr_jsonread_end(&r), -EINVAL);
	assert_string_equal(r.why, "must be a string");
	/* something is open */
	r = fr_jsonread_of("[1]", 3);
	fr_jsonread_array(&r);
	assert_int_equal(fr_jsonread_end(&r), -EINVAL);
	/* a string without room */
	r = fr_jsonread_of("\"xyz\"", 5);
	fr_jsonread_string(&r, &small);
	assert_int_equal(fr_jsonread_end(&r), -EINVAL);
	fr_buf_done(&text);
	fr_buf_done(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_json),	    cmocka_unit_test(what_is_not),
		cmocka_unit_test(depth_is_bounded), cmocka_unit_test(members_and_items),
		cmocka_unit_test(errors_latch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
