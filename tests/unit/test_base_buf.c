/* SPDX-License-Identifier: BSD-2-Clause */
/* The growing buffer: exact at its limit, latching errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/buf.h"

static void appends_grow(void **state)
{
	struct fr_buf b = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < 100000; i++)
		fr_buf_add_char(&b, (char)('a' + i % 26));
	fr_buf_add(&b, NULL, 0);
	assert_int_equal(b.err, 0);
	assert_int_equal(b.len_bytes, 100000);
	for (i = 0; i < b.len_bytes; i++)
		assert_int_equal(b.data[i], 'a' + i % 26);
	fr_buf_done(&b);
	assert_null(b.data);
	fr_buf_done(&b);
	fr_buf_done(NULL);
}

static void text_is_as_printed(void **state)
{
	struct fr_buf b = { 0 };
	char long_text[3000];

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = 0;
	fr_buf_add_u64(&b, UINT64_MAX);
	fr_buf_add_str(&b, ",");
	fr_buf_add_i64(&b, INT64_MIN);
	fr_buf_printf(&b, ",%s-%d", "mid", 42);
	fr_buf_add_char(&b, 0);
	assert_string_equal((char *)b.data, "18446744073709551615,-9223372036854775808,mid-42");
	fr_buf_clear(&b);
	fr_buf_printf(&b, "%s!", long_text);
	assert_int_equal(b.len_bytes, 3000);
	assert_memory_equal(b.data, long_text, 2999);
	assert_int_equal(b.data[2999], '!');
	fr_buf_done(&b);
}

static void first_reserve_of_nothing_is_a_place(void **state)
{
	struct fr_buf b = { 0 };

	(void)state;
	assert_non_null(fr_buf_reserve(&b, 0));
	assert_int_equal(b.err, 0);
	fr_buf_done(&b);
}

/* Each way of appending fills a limit to its last byte and refuses one more; the rest stays. */
static void limit_is_exact(void **state)
{
	size_t limit;

	(void)state;
	for (limit = 1; limit < 300; limit++) {
		struct fr_buf b = { .limit_bytes = limit };
		size_t i;

		for (i = 0; i < limit; i++)
			fr_buf_add_u64(&b, 7);
		assert_int_equal(b.err, 0);
		assert_int_equal(b.len_bytes, limit);
		fr_buf_add_u64(&b, 7);
		assert_int_equal(b.err, -E2BIG);
		assert_int_equal(b.len_bytes, limit);
		fr_buf_clear(&b);
		fr_buf_printf(&b, "%*s", (int)limit, "y");
		assert_int_equal(b.err, 0);
		assert_int_equal(b.data[limit - 1], 'y');
		fr_buf_printf(&b, "%s", "z");
		assert_int_equal(b.err, -E2BIG);
		assert_int_equal(b.len_bytes, limit);
		fr_buf_done(&b);
		assert_int_equal(b.limit_bytes, limit);
	}
}

static void errors_latch(void **state)
{
	struct fr_buf b = { .limit_bytes = 10 };

	(void)state;
	fr_buf_add_str(&b, "12345");
	fr_buf_add_str(&b, "123456");
	assert_int_equal(b.err, -E2BIG);
	/* what would fit doesn't come after what didn't */
	fr_buf_add_str(&b, "1");
	fr_buf_add_char(&b, '1');
	fr_buf_add_u64(&b, 1);
	fr_buf_add_i64(&b, 1);
	fr_buf_printf(&b, "1");
	assert_null(fr_buf_reserve(&b, 1));
	assert_int_equal(b.len_bytes, 5);
	fr_buf_clear(&b);
	fr_buf_add_str(&b, "1");
	assert_int_equal(b.err, 0);
	assert_int_equal(b.len_bytes, 1);
	fr_buf_done(&b);
}

static void impossible_sizes_fail(void **state)
{
	struct fr_buf b = { 0 };

	(void)state;
	fr_buf_add_char(&b, 'x');
	assert_null(fr_buf_reserve(&b, SIZE_MAX));
	assert_int_equal(b.err, -ENOMEM);
	fr_buf_clear(&b);
	assert_null(fr_buf_reserve(&b, PTRDIFF_MAX));
	assert_int_equal(b.err, -ENOMEM);
	fr_buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_grow),
		cmocka_unit_test(text_is_as_printed),
		cmocka_unit_test(first_reserve_of_nothing_is_a_place),
		cmocka_unit_test(limit_is_exact),
		cmocka_unit_test(errors_latch),
		cmocka_unit_test(impossible_sizes_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
