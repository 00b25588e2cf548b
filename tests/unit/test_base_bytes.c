/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading hostile bytes: nothing moves past the end, the first failure stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/bytes.h"

static const uint8_t sample[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
				  0x11, 0x12, 0x13, 0x14, 0x21, 0x22, 0x31 };

static void reads_in_both_orders(void **state)
{
	struct fr_cursor c = fr_cursor_of(sample, sizeof(sample));

	(void)state;
	assert_int_equal(fr_cursor_u64(&c), 0x0807060504030201ull);
	assert_int_equal(fr_cursor_u32(&c), 0x14131211);
	assert_int_equal(fr_cursor_u16(&c), 0x2221);
	assert_int_equal(fr_cursor_u8(&c), 0x31);
	assert_int_equal(fr_cursor_left(&c), 0);
	assert_false(c.bad);
	c = fr_cursor_of(sample, sizeof(sample));
	assert_int_equal(fr_cursor_u32be(&c), 0x01020304);
	assert_int_equal(fr_cursor_u16be(&c), 0x0506);
	fr_cursor_skip(&c, 8);
	assert_int_equal(fr_cursor_u8(&c), 0x31);
	assert_false(c.bad);
}

/* Every read on every too short rest: zero, bad, and bad for ever. On the heap, for sanitizers. */
static void short_reads_latch(void **state)
{
	size_t n;

	(void)state;
	for (n = 0; n < 8; n++) {
		uint8_t *bytes = malloc(n ? n : 1);
		struct fr_cursor c;

		assert_non_null(bytes);
		memset(bytes, 0xff, n);
		c = fr_cursor_of(bytes, n);
		assert_int_equal(fr_cursor_u64(&c), 0);
		assert_true(c.bad);
		assert_int_equal(fr_cursor_left(&c), 0);
		assert_int_equal(fr_cursor_u8(&c), 0);
		assert_int_equal(fr_cursor_take(&c, 0).len_bytes, 0);
		assert_null(fr_cursor_take(&c, 1).data);
		c = fr_cursor_of(bytes, n);
		if (n < 4) {
			assert_int_equal(fr_cursor_u32be(&c), 0);
			assert_true(c.bad);
		}
		c = fr_cursor_of(bytes, n);
		assert_null(fr_cursor_take(&c, n + 1).data);
		assert_true(c.bad);
		c = fr_cursor_of(bytes, n);
		assert_null(fr_cursor_take(&c, SIZE_MAX).data);
		c = fr_cursor_of(bytes, n);
		assert_int_equal(fr_cursor_take(&c, n).len_bytes, n);
		assert_false(c.bad);
		free(bytes);
	}
}

static void nothing_is_a_cursor_too(void **state)
{
	struct fr_cursor c = fr_cursor_of(NULL, 0);

	(void)state;
	assert_int_equal(fr_cursor_left(&c), 0);
	assert_false(c.bad);
	assert_int_equal(fr_cursor_u8(&c), 0);
	assert_true(c.bad);
}

struct varint_case {
	uint8_t bytes[12];
	size_t len_bytes;
	uint64_t value;
	bool bad;
};

#define FF_9 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff

static void varints(void **state)
{
	static const struct varint_case cases[] = {
		{ { 0x00 }, 1, 0, false },
		{ { 0x7f }, 1, 127, false },
		{ { 0x80, 0x01 }, 2, 128, false },
		{ { 0xac, 0x02 }, 2, 300, false },
		/* redundant, as our writer makes them */
		{ { 0x80, 0x80, 0x80, 0x00 }, 4, 0, false },
		{ { FF_9, 0x01 }, 10, UINT64_MAX, false },
		{ { FF_9, 0x02 }, 10, 0, true },
		{ { FF_9, 0x80, 0x00 }, 11, 0, true },
		{ { 0x80 }, 1, 0, true },
		{ { 0 }, 0, 0, true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fr_cursor c = fr_cursor_of(cases[i].bytes, cases[i].len_bytes);

		assert_int_equal(fr_cursor_varint(&c), cases[i].value);
		assert_int_equal(c.bad, cases[i].bad);
		if (!c.bad)
			assert_int_equal(fr_cursor_left(&c), 0);
	}
}

static void slices_compare(void **state)
{
	struct fr_slice s = { .data = (const uint8_t *)"GET /", .len_bytes = 3 };

	(void)state;
	assert_true(fr_slice_is(s, "GET"));
	assert_false(fr_slice_is(s, "GE"));
	assert_false(fr_slice_is(s, "GET "));
	assert_false(fr_slice_is(s, "PUT"));
	assert_true(fr_slice_is((struct fr_slice){ 0 }, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_in_both_orders),
		cmocka_unit_test(short_reads_latch),
		cmocka_unit_test(nothing_is_a_cursor_too),
		cmocka_unit_test(varints),
		cmocka_unit_test(slices_compare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
