/* SPDX-License-Identifier: BSD-2-Clause */
/* Strict JSON: nesting, escapes, and only well-formed UTF-8 whatever bytes come in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/json.h"

static void assert_text(struct fr_buf *b, const char *want)
{
	fr_buf_add_char(b, 0);
	assert_int_equal(b->err, 0);
	assert_string_equal((char *)b->data, want);
	fr_buf_done(b);
}

static void nesting_and_commas(void **state)
{
	struct fr_buf b = { 0 };
	struct fr_json j = fr_json_on(&b);

	(void)state;
	fr_json_object(&j);
	fr_json_kv_str(&j, "a", "x");
	fr_json_kv_u64(&j, "b", UINT64_MAX);
	fr_json_kv_u64_str(&j, "c", UINT64_MAX);
	fr_json_kv_bool(&j, "d", false);
	fr_json_key(&j, "e");
	fr_json_array(&j);
	fr_json_i64(&j, INT64_MIN);
	fr_json_array(&j);
	fr_json_array_end(&j);
	fr_json_object(&j);
	fr_json_object_end(&j);
	fr_json_null(&j);
	fr_json_str(&j, NULL);
	fr_json_bool(&j, true);
	fr_json_strn(&j, "zz", 1);
	fr_json_array_end(&j);
	fr_json_kv_str(&j, "f", NULL);
	fr_json_object_end(&j);
	assert_text(&b, "{\"a\":\"x\",\"b\":18446744073709551615,\"c\":\"18446744073709551615\","
			"\"d\":false,\"e\":[-9223372036854775808,[],{},null,null,true,\"z\"],"
			"\"f\":null}");
}

static void lines_of_values(void **state)
{
	struct fr_buf b = { 0 };
	struct fr_json j = fr_json_on(&b);
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		fr_json_object(&j);
		fr_json_kv_u64(&j, "i", (uint64_t)i);
		fr_json_object_end(&j);
		fr_buf_add_char(&b, '\n');
	}
	assert_text(&b, "{\"i\":0}\n{\"i\":1}\n");
}

static void misuse_is_an_error(void **state)
{
	struct fr_buf b = { 0 };
	struct fr_json j = fr_json_on(&b);
	int i;

	(void)state;
	for (i = 0; i < FR_JSON_DEPTH_MAX + 8; i++)
		fr_json_array(&j);
	assert_int_equal(b.err, -EINVAL);
	fr_buf_clear(&b);
	j = fr_json_on(&b);
	fr_json_object_end(&j);
	assert_int_equal(b.err, -EINVAL);
	fr_buf_clear(&b);
	j = fr_json_on(&b);
	fr_json_key(&j, "k");
	assert_int_equal(b.err, -EINVAL);
	fr_buf_clear(&b);
	j = fr_json_on(&b);
	fr_json_object(&j);
	fr_json_key(&j, "k");
	fr_json_object_end(&j);
	assert_int_equal(b.err, -EINVAL);
	fr_buf_done(&b);
}

static void check_escape(const void *data, size_t data_bytes, const char *want)
{
	struct fr_buf b = { 0 };
	/* on the heap and exactly as long, so that sanitizers see a read beyond */
	uint8_t *copy = malloc(data_bytes ? data_bytes : 1);

	assert_non_null(copy);
	memcpy(copy, data, data_bytes);
	fr_json_escape(&b, copy, data_bytes);
	free(copy);
	assert_text(&b, want);
}

static void every_ascii_byte_at_every_place(void **state)
{
	char text[24], want[40];
	unsigned int byte, at;

	(void)state;
	for (byte = 0; byte < 128; byte++) {
		for (at = 0; at < 23; at++) {
			char escape[8];

			memset(text, 'a', 23);
			text[at] = (char)byte;
			if (byte == '"' || byte == '\\')
				snprintf(escape, sizeof(escape), "\\%c", (char)byte);
			else if (byte && byte < 0x20 && strchr("\b\f\n\r\t", (int)byte))
				snprintf(escape, sizeof(escape), "\\%c",
					 "btn?fr"[byte - '\b']);
			else if (byte < 0x20)
				snprintf(escape, sizeof(escape), "\\u%04x", byte);
			else
				snprintf(escape, sizeof(escape), "%c", (char)byte);
			memset(want, 'a', sizeof(want));
			memcpy(want + at, escape, strlen(escape));
			want[22 + strlen(escape)] = 0;
			check_escape(text, 23, want);
		}
	}
}

#define BAD "\xef\xbf\xbd"

static void only_utf8_comes_out(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "", "" },
		{ "\xc3\xa9", "\xc3\xa9" },
		{ "\xe2\x82\xac", "\xe2\x82\xac" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
		{ "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
		{ "\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80" },
		{ "\x80", BAD },
		{ "\xc0\x80", BAD BAD }, /* overlong zero */
		{ "\xc1\xbf", BAD BAD },
		{ "\xe0\x9f\xbf", BAD BAD BAD },
		{ "\xe0\xa0\x80", "\xe0\xa0\x80" },
		{ "\xed\xa0\x80", BAD BAD BAD }, /* surrogate */
		{ "\xf0\x8f\xbf\xbf", BAD BAD BAD BAD },
		{ "\xf0\x90\x80\x80", "\xf0\x90\x80\x80" },
		{ "\xf4\x90\x80\x80", BAD BAD BAD BAD }, /* beyond U+10FFFF */
		{ "\xf5\x80\x80\x80", BAD BAD BAD BAD },
		{ "\xff", BAD },
		/* cut at the end */
		{ "\xc3", BAD },
		{ "\xe2\x82", BAD BAD },
		{ "\xf0\x9f\x98", BAD BAD BAD },
		/* cut by another character */
		{ "\xe2\x82" "A", BAD BAD "A" },
		{ "\xf0\x9f\x98\"", BAD BAD BAD "\\\"" },
		{ "\xc3\xc3\xa9", BAD "\xc3\xa9" },
		{ "plain text of some length \xc3\xa9 and more \xff text",
		  "plain text of some length \xc3\xa9 and more " BAD " text" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check_escape(cases[i].in, strlen(cases[i].in), cases[i].out);
}

/* A decoder of its own, simple and slow: true if the bytes are UTF-8. */
static bool is_utf8(const uint8_t *p, size_t n)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t i = 0, k, len;
	uint32_t c;

	while (i < n) {
		len = p[i] < 0x80 ? 1 : (p[i] >> 5) == 6 ? 2 : (p[i] >> 4) == 14 ? 3 :
		      (p[i] >> 3) == 30 ? 4 : 0;
		if (!len || i + len > n)
			return false;
		c = len == 1 ? p[i] : p[i] & (0xffu >> (len + 1));
		for (k = 1; k < len; k++) {
			if ((p[i + k] & 0xc0) != 0x80)
				return false;
			c = c << 6 | (p[i + k] & 0x3f);
		}
		if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
			return false;
		i += len;
	}
	return true;
}

static void any_bytes_give_utf8_and_utf8_stays(void **state)
{
	uint64_t seed = 42;
	int round;

	(void)state;
	for (round = 0; round < 200000; round++) {
		struct fr_buf b = { 0 };
		uint8_t in[8];
		size_t n, i;

		for (i = 0; i < sizeof(in); i++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			/* mostly lead and continuation bytes, so that whole characters appear */
			in[i] = (uint8_t)(seed >> 56 | 0x80);
		}
		n = 1 + (size_t)(seed >> 32) % sizeof(in);
		fr_json_escape(&b, in, n);
		assert_true(is_utf8(b.data, b.len_bytes));
		if (is_utf8(in, n)) {
			assert_int_equal(b.len_bytes, n);
			assert_memory_equal(b.data, in, n);
		}
		fr_buf_done(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nesting_and_commas),
		cmocka_unit_test(lines_of_values),
		cmocka_unit_test(misuse_is_an_error),
		cmocka_unit_test(every_ascii_byte_at_every_place),
		cmocka_unit_test(only_utf8_comes_out),
		cmocka_unit_test(any_bytes_give_utf8_and_utf8_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
