/* SPDX-License-Identifier: BSD-2-Clause */
/* Times: RFC 3339, unix seconds, relative to the trigger; against the C library where it can. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "formats/base/cli.h"

#define S 1000000000ull

static uint64_t absolute(const char *text)
{
	struct fr_when w = { .relative = true };

	if (fr_parse_when(text, &w) || w.relative)
		fail_msg("'%s' is no absolute time", text);
	return w.unix_ns;
}

static void rfc_3339(void **state)
{
	(void)state;
	assert_int_equal(absolute("1970-01-01T00:00:00Z"), 0);
	assert_int_equal(absolute("2026-11-23T17:15:52Z"), 1795454152 * S);
	assert_int_equal(absolute("2026-11-23T17:15:52.123456789Z"), 1795454152 * S + 123456789);
	assert_int_equal(absolute("2026-11-23T17:15:52.1Z"), 1795454152 * S + 100000000);
	assert_int_equal(absolute("2026-11-23T17:15:52.1234567899Z"), 1795454152 * S + 123456789);
	assert_int_equal(absolute("2026-11-23T18:15:52+01:00"), 1795454152 * S);
	assert_int_equal(absolute("2026-11-23T11:45:52-05:30"), 1795454152 * S);
	assert_int_equal(absolute("2026-11-23t17:15:52z"), 1795454152 * S);
	assert_int_equal(absolute("2026-11-23 17:15:52Z"), 1795454152 * S);
	assert_int_equal(absolute("2016-12-31T23:59:60Z"), absolute("2017-01-01T00:00:00Z"));
	assert_int_equal(absolute("1969-12-31T23:30:00-01:00"), 1800 * S);
	assert_int_equal(absolute("2000-02-29T00:00:00Z"), 951782400 * S);
	assert_true(absolute("2554-07-21T23:34:33.709551615Z") == UINT64_MAX);
}

static void unix_seconds(void **state)
{
	(void)state;
	assert_int_equal(absolute("0"), 0);
	assert_int_equal(absolute("1795454152"), 1795454152 * S);
	assert_int_equal(absolute("1795454152.5"), 1795454152 * S + 500000000);
	assert_int_equal(absolute("1795454152.000000001999"), 1795454152 * S + 1);
	assert_true(absolute("18446744073.709551615") == UINT64_MAX);
}

static void relative(void **state)
{
	struct fr_when w = { 0 };

	(void)state;
	assert_int_equal(fr_parse_when("-2s", &w), 0);
	assert_true(w.relative && w.offset_ns == -2 * (int64_t)S);
	assert_int_equal(fr_parse_when("+500ms", &w), 0);
	assert_true(w.relative && w.offset_ns == 500000000);
	assert_int_equal(fr_parse_when("-1.5s", &w), 0);
	assert_true(w.relative && w.offset_ns == -1500000000);
	assert_int_equal(fr_parse_when("+0", &w), 0);
	assert_true(w.relative && w.offset_ns == 0);
	assert_int_equal(fr_parse_when("-9223372036854775807ns", &w), 0);
	assert_true(w.offset_ns == -INT64_MAX);
}

static void refused(void **state)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{ "", -EINVAL },
		{ "yesterday", -EINVAL },
		{ "-", -EINVAL },
		{ "+", -EINVAL },
		{ "-2", -EINVAL },
		{ "--2s", -EINVAL },
		{ "+9223372036854775808ns", -ERANGE },
		{ "2026-11-23", -EINVAL },
		{ "2026-11-23T17:15Z", -EINVAL },
		{ "2026-11-23T17:15:52", -EINVAL }, /* whose time? */
		{ "2026-11-23T17:15:52ZZ", -EINVAL },
		{ "2026-11-23T17:15:52.Z", -EINVAL },
		{ "2026-11-23T17:15:52+0100", -EINVAL },
		{ "2026-11-23T17:15:52+24:00", -EINVAL },
		{ "2026-11-23T17:15:52+01:60", -EINVAL },
		{ "2026-13-01T00:00:00Z", -EINVAL },
		{ "2026-00-01T00:00:00Z", -EINVAL },
		{ "2026-02-29T00:00:00Z", -EINVAL },
		{ "2100-02-29T00:00:00Z", -EINVAL },
		{ "2026-04-31T00:00:00Z", -EINVAL },
		{ "2026-04-00T00:00:00Z", -EINVAL },
		{ "2026-04-01T24:00:00Z", -EINVAL },
		{ "2026-04-01T00:60:00Z", -EINVAL },
		{ "2026-04-01T00:00:61Z", -EINVAL },
		{ "2026-4-01T00:00:00Z", -EINVAL },
		{ "1969-12-31T23:59:59Z", -ERANGE },
		{ "1970-01-01T00:00:00+00:01", -ERANGE },
		{ "0000-01-01T00:00:00Z", -ERANGE },
		{ "2554-07-21T23:34:33.709551616Z", -ERANGE },
		{ "9999-12-31T23:59:59Z", -ERANGE },
		{ "18446744073.709551616", -ERANGE },
		{ "99999999999999999999999", -ERANGE },
		{ "1.2.3", -EINVAL },
		{ "1.", -EINVAL },
		{ "12s", -EINVAL },
		{ " 12", -EINVAL },
	};
	struct fr_when w;
	size_t i;
	int err;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		w = (struct fr_when){ .unix_ns = 77 };
		err = fr_parse_when(cases[i].text, &w);
		if (err != cases[i].err || w.unix_ns != 77)
			fail_msg("'%s' gave %d", cases[i].text, err);
	}
}

static void shown(void **state)
{
	char text[31];
	uint64_t ns = 1795454152 * S + 123456789;

	(void)state;
	assert_string_equal(fr_format_time(ns, 9, text, sizeof(text)),
			    "2026-11-23T17:15:52.123456789Z");
	assert_string_equal(fr_format_time(ns, 3, text, sizeof(text)), "2026-11-23T17:15:52.123Z");
	assert_string_equal(fr_format_time(ns, 0, text, sizeof(text)), "2026-11-23T17:15:52Z");
	assert_string_equal(fr_format_time(ns, 99, text, sizeof(text)),
			    "2026-11-23T17:15:52.123456789Z");
	assert_string_equal(fr_format_time(0, 1, text, sizeof(text)), "1970-01-01T00:00:00.0Z");
	assert_string_equal(fr_format_time(UINT64_MAX, 9, text, sizeof(text)),
			    "2554-07-21T23:34:33.709551615Z");
}

/* Every day of the representable years, forth and back, against gmtime_r(). */
static void every_day(void **state)
{
	char want[31], got[31];
	uint64_t day, ns;
	struct tm tm;
	time_t t;

	(void)state;
	for (day = 0; day * 86400 * S <= UINT64_MAX - 86400 * S; day++) {
		ns = (day * 86400 + day % 86400) * S + day;
		t = (time_t)(ns / S);
		assert_non_null(gmtime_r(&t, &tm));
		strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm);
		assert_string_equal(fr_format_time(ns, 0, got, sizeof(got)), want);
		fr_format_time(ns, 9, got, sizeof(got));
		if (absolute(got) != ns)
			fail_msg("%s isn't read back", got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_3339),
		cmocka_unit_test(unix_seconds),
		cmocka_unit_test(relative),
		cmocka_unit_test(refused),
		cmocka_unit_test(shown),
		cmocka_unit_test(every_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
