/* SPDX-License-Identifier: BSD-2-Clause */
/* Sizes, durations, numbers and truth values as users write them and as we show them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/cli.h"

#define KEPT 12345u /* a result is untouched on failure */

struct parse_case {
	const char *text;
	int err;
	uint64_t value;
};

typedef int parse_fn(const char *s, uint64_t *ret);

static void check_cases(parse_fn *parse, const struct parse_case *c)
{
	uint64_t v;

	for (; c->text; c++) {
		v = KEPT;
		if (parse(c->text, &v) != c->err || v != (c->err ? KEPT : c->value))
			fail_msg("'%s' gave %d, %llu", c->text, parse(c->text, &v),
				 (unsigned long long)v);
	}
}

static void sizes(void **state)
{
	static const struct parse_case cases[] = {
		{ "0", 0, 0 },
		{ "1", 0, 1 },
		{ "64M", 0, 64ull << 20 },
		{ "64m", 0, 64ull << 20 },
		{ "64MiB", 0, 64ull << 20 },
		{ "1.5 GiB", 0, 3ull << 29 },
		{ "1.5K", 0, 1536 },
		{ "0.0001K", 0, 0 },
		{ "2T", 0, 2ull << 40 },
		{ "7B", 0, 7 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "16777215T", 0, 16777215ull << 40 },
		{ "16777216T", -ERANGE, 0 },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "99999999999999999999K", -ERANGE, 0 },
		{ "16777215.9999999999999999999999999T", 0,
		  (16777215ull << 40) + ((1ull << 40) - 1) },
		{ "", -EINVAL, 0 },
		{ "K", -EINVAL, 0 },
		{ "1.5", -EINVAL, 0 }, /* half a byte */
		{ "1.K", -EINVAL, 0 },
		{ ".5K", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "1  K", -EINVAL, 0 },
		{ "1KB", -EINVAL, 0 }, /* 1000 or 1024? */
		{ "1P", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "1K1", -EINVAL, 0 },
		{ "1.2.3K", -EINVAL, 0 },
		{ NULL, 0, 0 },
	};

	(void)state;
	check_cases(fr_parse_size, cases);
}

static void durations(void **state)
{
	static const struct parse_case cases[] = {
		{ "0", 0, 0 },
		{ "0s", 0, 0 },
		{ "7ns", 0, 7 },
		{ "12us", 0, 12000 },
		{ "500ms", 0, 500000000 },
		{ "500 ms", 0, 500000000 },
		{ "1.5s", 0, 1500000000 },
		{ "0.000000001s", 0, 1 },
		{ "0.0000000019s", 0, 1 },
		{ "2m", 0, 120000000000 },
		{ "2min", 0, 120000000000 },
		{ "1h", 0, 3600000000000 },
		{ "5124095h", 0, 5124095ull * 3600000000000 },
		{ "5124096h", -ERANGE, 0 },
		{ "18446744073709551615ns", 0, UINT64_MAX },
		{ "18446744073709551616ns", -ERANGE, 0 },
		{ "18446744073.7095516159s", 0, UINT64_MAX },
		{ "18446744073.709551616s", -ERANGE, 0 },
		{ "5", -EINVAL, 0 }, /* of what? */
		{ "00", -EINVAL, 0 },
		{ "1.5ns", -EINVAL, 0 },
		{ "5S", -EINVAL, 0 },
		{ "5M", -EINVAL, 0 }, /* not milli, not minutes */
		{ "5d", -EINVAL, 0 },
		{ "-5s", -EINVAL, 0 },
		{ "s", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "1s ", -EINVAL, 0 },
		{ "1,5s", -EINVAL, 0 },
		{ "1e3s", -EINVAL, 0 },
		{ NULL, 0, 0 },
	};

	(void)state;
	check_cases(fr_parse_duration, cases);
}

static void numbers(void **state)
{
	uint64_t v = KEPT;

	(void)state;
	assert_int_equal(fr_parse_u64("18446744073709551615", UINT64_MAX, &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(fr_parse_u64("00099", 99, &v), 0);
	assert_int_equal(v, 99);
	v = KEPT;
	assert_int_equal(fr_parse_u64("100", 99, &v), -ERANGE);
	assert_int_equal(fr_parse_u64("18446744073709551616", UINT64_MAX, &v), -ERANGE);
	assert_int_equal(fr_parse_u64("", 9, &v), -EINVAL);
	assert_int_equal(fr_parse_u64("-1", 9, &v), -EINVAL);
	assert_int_equal(fr_parse_u64("1.0", 9, &v), -EINVAL);
	assert_int_equal(fr_parse_u64("1x", 9, &v), -EINVAL);
	assert_int_equal(fr_parse_u64(" 1", 9, &v), -EINVAL);
	assert_int_equal(v, KEPT);
}

static void truth(void **state)
{
	static const char *const yes[] = { "on", "yes", "true", "1", "ON", "Yes" };
	static const char *const no[] = { "off", "no", "false", "0", "OFF", "No" };
	static const char *const neither[] = { "", "2", "o", "onn", " on", "y" };
	size_t i;
	bool v;

	(void)state;
	for (i = 0; i < 6; i++) {
		v = false;
		assert_int_equal(fr_parse_bool(yes[i], &v), 0);
		assert_true(v);
		assert_int_equal(fr_parse_bool(no[i], &v), 0);
		assert_false(v);
		assert_int_equal(fr_parse_bool(neither[i], &v), -EINVAL);
		assert_false(v);
	}
}

typedef char *format_fn(uint64_t v, char *buf, size_t buf_bytes);

struct format_case {
	uint64_t value;
	const char *text;
};

static void check_formats(format_fn *format, const struct format_case *c)
{
	char text[24];

	for (; c->text; c++)
		assert_string_equal(format(c->value, text, sizeof(text)), c->text);
}

static void durations_for_people(void **state)
{
	static const struct format_case cases[] = {
		{ 0, "0 ns" },
		{ 1, "1 ns" },
		{ 999, "999 ns" },
		{ 1000, "1 us" },
		{ 1004, "1 us" },
		{ 1005, "1.01 us" },
		{ 1234, "1.23 us" },
		{ 9994, "9.99 us" },
		{ 9995, "10 us" },
		{ 12345, "12.3 us" },
		{ 99950, "100 us" },
		{ 999499, "999 us" },
		{ 999500, "1 ms" },
		{ 230000000, "230 ms" },
		{ 1500000000, "1.5 s" },
		{ 59940000000, "59.9 s" },
		{ 59950000000, "1 min" }, /* never "60 s" */
		{ 90000000000, "1.5 min" },
		{ 3600000000000, "1 h" },
		{ 5400000000000, "1.5 h" },
		{ UINT64_MAX, "5124096 h" },
		{ 0, NULL },
	};

	(void)state;
	check_formats(fr_format_duration, cases);
}

static void sizes_for_people(void **state)
{
	static const struct format_case cases[] = {
		{ 0, "0 B" },
		{ 1023, "1023 B" },
		{ 1024, "1 KiB" },
		{ 1536, "1.5 KiB" },
		{ 1047552, "1023 KiB" },
		{ 1048100, "1 MiB" },
		{ 64ull << 20, "64 MiB" },
		{ 3ull << 29, "1.5 GiB" },
		{ 5ull << 40, "5 TiB" },
		{ UINT64_MAX, "16777216 TiB" },
		{ 0, NULL },
	};

	(void)state;
	check_formats(fr_format_size, cases);
}

/* What is shown can be given back, and is within half of the third digit (and less than 1 more). */
static void check_readable(format_fn *format, parse_fn *parse, uint64_t v)
{
	uint64_t back, error;
	char text[24];

	assert_int_equal(parse(format(v, text, sizeof(text)), &back), 0);
	error = back > v ? back - v : v - back;
	if (error > v / 199 + 1)
		fail_msg("%llu is shown as %s", (unsigned long long)v, text);
}

static void shown_is_readable(void **state)
{
	uint64_t v;
	int i, k;

	(void)state;
	for (i = 0; i < 63; i++) {
		for (k = 0; k < 40; k++) {
			v = (1ull << i) + ((1ull << i) / 40) * (uint64_t)k;
			check_readable(fr_format_duration, fr_parse_duration, v);
			check_readable(fr_format_size, fr_parse_size, v);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(durations),
		cmocka_unit_test(numbers),
		cmocka_unit_test(truth),
		cmocka_unit_test(durations_for_people),
		cmocka_unit_test(sizes_for_people),
		cmocka_unit_test(shown_is_readable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
