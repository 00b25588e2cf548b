/* SPDX-License-Identifier: BSD-2-Clause */
/* W3C Trace Context: values, header lines, members of tracestate. */
#include "cm.h"

#include <errno.h>
#include <stdio.h>

#include "formats/wire/traceparent.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"
#define VALUE "00-" TRACE "-" PARENT "-01"

static struct fr_slice slice(const char *s)
{
	return (struct fr_slice){ (const uint8_t *)s, strlen(s) };
}

/* The value lies alone on the heap, so that sanitizers see a read beyond it. */
static int parse(const char *s, size_t bytes, struct fr_traceparent *ret)
{
	uint8_t *copy = malloc(bytes ? bytes : 1);
	int err;

	assert_non_null(copy);
	memcpy(copy, s, bytes);
	err = fr_traceparent_parse((struct fr_slice){ copy, bytes }, ret);
	free(copy);
	return err;
}

static void values(void **state)
{
	static const struct {
		const char *value;
		bool is_valid;
	} cases[] = {
		{ VALUE, true },
		{ " \t" VALUE "\t ", true },
		{ "cc-" TRACE "-" PARENT "-01", true },
		{ "cc-" TRACE "-" PARENT "-01-", true },
		{ "cc-" TRACE "-" PARENT "-01-more", true },
		{ "cc-" TRACE "-" PARENT "-01.more", false },
		{ "cc-" TRACE "-" PARENT "-012", false },
		{ VALUE "-", false },
		{ VALUE "-more", false },
		{ VALUE "1", false },
		{ "ff-" TRACE "-" PARENT "-01", false },
		{ "0F-" TRACE "-" PARENT "-01", false },
		{ "00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01", false },
		{ "00-" TRACE "-B7AD6B7169203331-01", false },
		{ "00-" TRACE "-" PARENT "-0A", false },
		{ "00-00000000000000000000000000000000-" PARENT "-01", false },
		{ "00-" TRACE "-0000000000000000-01", false },
		{ "00_" TRACE "-" PARENT "-01", false },
		{ "00-" TRACE "_" PARENT "-01", false },
		{ "00-" TRACE "-" PARENT "_01", false },
		{ "00-" TRACE "-" PARENT "-g1", false },
		{ "\n" VALUE, false },
		{ "", false },
		{ " \t ", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fr_traceparent p = { .version = 0x55 };
		int err = parse(cases[i].value, strlen(cases[i].value), &p);

		if (!err != cases[i].is_valid)
			print_message("%s\n", cases[i].value);
		assert_int_equal(err, cases[i].is_valid ? 0 : -EINVAL);
		assert_true(cases[i].is_valid || p.version == 0x55);
	}
}

static void parts(void **state)
{
	static const uint8_t trace[16] = { 0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd,
					   0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c };
	static const uint8_t parent[8] = { 0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31 };
	struct fr_traceparent p;

	(void)state;
	assert_int_equal(parse("fe-" TRACE "-" PARENT "-a3", 55, &p), 0);
	assert_int_equal(p.version, 0xfe);
	assert_int_equal(p.flags, 0xa3);
	assert_memory_equal(p.trace_id, trace, 16);
	assert_memory_equal(p.parent_id, parent, 8);
	/* cut anywhere it is none */
	for (size_t bytes = 0; bytes < 55; bytes++)
		assert_int_equal(parse(VALUE, bytes, &p), -EINVAL);
}

/* Pairs of name and value, NULL ends them; the tracestate as text. */
static int headers(const char *const *lines, char *ret_state, size_t state_bytes)
{
	struct fr_buf text = { 0 };
	struct fr_trace_headers h = { .tracestate = &text };
	struct fr_traceparent p;
	int err;

	for (; *lines; lines += 2)
		fr_trace_headers_add(&h, slice(lines[0]), slice(lines[1]));
	err = fr_trace_headers_end(&h, &p);
	assert_int_equal(text.err, 0);
	assert_true(text.len_bytes < state_bytes);
	snprintf(ret_state, state_bytes, "%.*s", (int)text.len_bytes,
		 text.data ? (const char *)text.data : "");
	fr_buf_done(&text);
	return err;
}

static void header_lines(void **state)
{
	static const struct {
		const char *lines[9];
		int err;
		const char *tracestate;
	} cases[] = {
		{ { 0 }, -ENOENT, "" },
		{ { "trace-parent", VALUE }, -ENOENT, "" },
		{ { "traceparentx", VALUE }, -ENOENT, "" },
		{ { "traceparen", VALUE }, -ENOENT, "" },
		{ { "tracestate", "a=1" }, -ENOENT, "" },
		{ { "TraceParent", VALUE }, 0, "" },
		{ { "traceparent", VALUE, "traceparent", VALUE }, -EINVAL, "" },
		{ { "traceparent", VALUE, "Traceparent", "x" }, -EINVAL, "" },
		{ { "traceparent", "x", "tracestate", "a=1" }, -EINVAL, "" },
		{ { "tracestate", "a=1", "traceparent", VALUE, "TRACESTATE", "b= 2" },
		  0,
		  "a=1,b= 2" },
		{ { "traceparent", VALUE, "tracestate", " a=1 \t,\t ,, b=2," }, 0, "a=1,b=2" },
		{ { "traceparent", VALUE, "tracestate", "a=1", "tracestate", "B=2" }, 0, "" },
		{ { "traceparent", VALUE, "tracestate", "a=1,a=1" }, 0, "a=1,a=1" },
		{ { "traceparent", VALUE, "tracestate", "0a@b_-*/=~!\"#<>" },
		  0,
		  "0a@b_-*/=~!\"#<>" },
		{ { "traceparent", VALUE, "tracestate", "a=" }, 0, "" },
		{ { "traceparent", VALUE, "tracestate", "a" }, 0, "" },
		{ { "traceparent", VALUE, "tracestate", "=1" }, 0, "" },
		{ { "traceparent", VALUE, "tracestate", "@a=1" }, 0, "" },
		{ { "traceparent", VALUE, "tracestate", "a =1" }, 0, "" },
		{ { "traceparent", VALUE, "tracestate", "a=b=c" }, 0, "" },
		{ { "traceparent", VALUE, "tracestate", "a=b\x7f" }, 0, "" },
		{ { "traceparent", VALUE, "tracestate", "a=\xc3\xa9" }, 0, "" },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(headers(cases[i].lines, text, sizeof(text)), cases[i].err);
		assert_string_equal(text, cases[i].tracestate);
	}
}

static void limits(void **state)
{
	char value[1024], text[1024], *p;
	const char *const lines[] = { "traceparent", VALUE, "tracestate", value, NULL };

	(void)state;
	for (int cnt = 32; cnt <= 33; cnt++) {
		p = value;
		for (int i = 0; i < cnt; i++)
			p += snprintf(p, sizeof(value) - (size_t)(p - value), "%sk%d=%d",
				      i ? "," : "", i, i);
		assert_int_equal(headers(lines, text, sizeof(text)), 0);
		assert_string_equal(text, cnt == 32 ? value : "");
	}
	for (size_t bytes = 256; bytes <= 257; bytes++) {
		memset(value, 'k', bytes);
		memcpy(value + bytes, "=1", 3);
		assert_int_equal(headers(lines, text, sizeof(text)), 0);
		assert_string_equal(text, bytes == 256 ? value : "");
		memcpy(value, "k=", 2);
		memset(value + 2, 'v', bytes);
		value[2 + bytes] = 0;
		assert_int_equal(headers(lines, text, sizeof(text)), 0);
		assert_string_equal(text, bytes == 256 ? value : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(parts),
		cmocka_unit_test(header_lines),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
