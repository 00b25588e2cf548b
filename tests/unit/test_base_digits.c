/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers as text: every function against snprintf, at every power of ten and of two and beside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/digits.h"

static void check_u64(uint64_t v)
{
	char want[40], got[40];

	snprintf(want, sizeof(want), "%" PRIu64, v);
	*fr_put_u64(got, v) = 0;
	assert_string_equal(got, want);
	snprintf(want, sizeof(want), "%" PRId64, (int64_t)v);
	*fr_put_i64(got, (int64_t)v) = 0;
	assert_string_equal(got, want);
	snprintf(want, sizeof(want), "%" PRIu32, (uint32_t)v);
	*fr_put_u32(got, (uint32_t)v) = 0;
	assert_string_equal(got, want);
	snprintf(want, sizeof(want), "%" PRIu64 ".%03u", v / 1000, (unsigned int)(v % 1000));
	*fr_put_us3(got, v) = 0;
	assert_string_equal(got, want);
}

/* v, its neighbours, and what they become as negative numbers */
static void check_around(uint64_t v)
{
	uint64_t d;

	for (d = 0; d < 3; d++) {
		check_u64(v + d);
		check_u64(v - d);
		check_u64(0 - v + d);
	}
}

static void edges(void **state)
{
	uint64_t v;
	int i, k;

	(void)state;
	check_around(0);
	check_around(INT64_MAX);
	for (i = 0, v = 1; i < 20; i++, v *= 10)
		for (k = 1; k < 10; k++)
			check_around(v * (uint64_t)k);
	for (i = 0; i < 64; i++)
		check_around(1ull << i);
}

static void small_numbers(void **state)
{
	uint64_t v;

	(void)state;
	/* all carries between pairs of digits */
	for (v = 0; v < 300000; v++)
		check_u64(v);
}

static void spread_numbers(void **state)
{
	uint64_t v = 88172645463325252ull;
	int i;

	(void)state;
	for (i = 0; i < 300000; i++) {
		v ^= v << 13;
		v ^= v >> 7;
		v ^= v << 17;
		check_u64(v >> (v & 63));
	}
}

static void fixed_widths(void **state)
{
	char want[16], got[16];
	uint32_t v;

	(void)state;
	for (v = 0; v < 10000; v++) {
		snprintf(want, sizeof(want), "%04u", v);
		*fr_put_4(got, v) = 0;
		assert_string_equal(got, want);
		snprintf(want, sizeof(want), "%08u", v * 10000 + 9999 - v);
		*fr_put_8(got, v * 10000 + 9999 - v) = 0;
		assert_string_equal(got, want);
		if (v >= 1000)
			continue;
		snprintf(want, sizeof(want), "%03u", v);
		*fr_put_3(got, v) = 0;
		assert_string_equal(got, want);
	}
}

static void longest_fit_what_is_announced(void **state)
{
	char got[40];

	(void)state;
	assert_int_equal(fr_put_u64(got, UINT64_MAX) - got, FR_DIGITS_U64);
	assert_int_equal(fr_put_i64(got, INT64_MIN) - got, FR_DIGITS_I64);
	assert_int_equal(fr_put_us3(got, UINT64_MAX) - got, FR_DIGITS_US3);
}

static void literals(void **state)
{
	char got[16], *p = got;

	(void)state;
	p = fr_put_lit(p, "\"ts\":");
	p = fr_put_bytes(p, "ab", 2);
	*p = 0;
	assert_string_equal(got, "\"ts\":ab");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edges),
		cmocka_unit_test(small_numbers),
		cmocka_unit_test(spread_numbers),
		cmocka_unit_test(fixed_widths),
		cmocka_unit_test(longest_fit_what_is_announced),
		cmocka_unit_test(literals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
