/* SPDX-License-Identifier: BSD-2-Clause */
/* When to try again and how long to wait. */
#include "cm.h"

#include <errno.h>
#include <time.h>

#include "tools/otlp_retry.h"

/* rule zero: unit tests link formats/ only, and this file needs nothing else */
#include "tools/otlp_retry.c"

#define THEN 784111777 /* 1994-11-06T08:49:37Z, of the RFC's examples */
#define SECOND 1000000000ull

static void only_four_may_be_retried(void **state)
{
	(void)state;
	for (int status = 100; status < 600; status++)
		assert_int_equal(fr_otlp_may_retry(status),
				 status == 429 || status == 502 || status == 503 || status == 504);
}

static void dates_in_three_forms(void **state)
{
	static const char *const good[] = { "Sun, 06 Nov 1994 08:49:37 GMT",
					    "Sunday, 06-Nov-94 08:49:37 GMT",
					    "Sun Nov  6 08:49:37 1994" };
	int64_t t;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(fr_otlp_http_date(good[i], THEN, &t), 0);
		assert_int_equal(t, THEN);
	}
	assert_int_equal(fr_otlp_http_date("Sunday, 06-Nov-94 08:49:37 GMT", 1800000000, &t), 0);
	assert_int_equal(t, THEN); /* not 2094: more than 50 years ahead */
	assert_int_equal(fr_otlp_http_date("Tuesday, 06-Nov-40 08:49:37 GMT", 1800000000, &t), 0);
	assert_true(t > 1800000000);
	assert_int_equal(fr_otlp_http_date("Thu, 29 Feb 2024 00:00:00 GMT", THEN, &t), 0);
	assert_int_equal(t, 1709164800);
}

/* Against the C library, a day at a time. */
static void dates_agree_with_the_library(void **state)
{
	char text[64];
	int64_t t;

	(void)state;
	for (time_t want = 1; want < 4300000000; want += 86399) {
		struct tm tm;

		gmtime_r(&want, &tm);
		strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		assert_int_equal(fr_otlp_http_date(text, THEN, &t), 0);
		assert_int_equal(t, want);
	}
}

static void no_dates(void **state)
{
	static const char *const bad[] = {
		"",
		"Sun",
		"Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 GMT ",
		"Sun, 06 Nov 1994 08:49:37 CET",
		"Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun, 31 Apr 2020 08:49:37 GMT",
		"Sun, 29 Feb 2023 08:49:37 GMT",
		"Sun, 00 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:00:00 GMT",
		"Sun, 06 Nov 1994 08:60:37 GMT",
		"Son, 06 Nov 1994 08:49:37 GMT",
		"Sunday, 06-Nov-1994 08:49:37 GMT",
		"1994-11-06T08:49:37Z",
	};
	int64_t t = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(fr_otlp_http_date(bad[i], THEN, &t), -EINVAL);
	assert_int_equal(t, 7);
}

static void retry_after_in_both_forms(void **state)
{
	uint64_t ns = 0;

	(void)state;
	assert_int_equal(fr_otlp_retry_after("120", THEN, &ns), 0);
	assert_int_equal(ns, 120 * SECOND);
	assert_int_equal(fr_otlp_retry_after("0", THEN, &ns), 0);
	assert_int_equal(ns, 0);
	assert_int_equal(fr_otlp_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", THEN - 30, &ns), 0);
	assert_int_equal(ns, 30 * SECOND);
	assert_int_equal(fr_otlp_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", THEN + 30, &ns), 0);
	assert_int_equal(ns, 0); /* the past: at once */
	assert_int_equal(fr_otlp_retry_after("99999999999999999999999", THEN, &ns), 0);
	assert_int_equal(ns, 31536000 * SECOND);
}

static void no_retry_after(void **state)
{
	static const char *const bad[] = { "", "-1", "1.5", "5s", "soon", " 5", "5 " };
	uint64_t ns = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(fr_otlp_retry_after(bad[i], THEN, &ns), -EINVAL);
	assert_int_equal(ns, 7);
}

static void waits_grow_with_jitter_up_to_a_limit(void **state)
{
	uint64_t before = 0, shortest, longest;

	(void)state;
	for (uint32_t attempt = 1; attempt < 40; attempt++) {
		shortest = fr_otlp_backoff_ns(attempt, 0, 0);
		longest = fr_otlp_backoff_ns(attempt, 0, UINT32_MAX);
		assert_int_equal(longest, shortest * 2);
		assert_true(longest >= before && longest <= 30 * SECOND);
		before = longest;
	}
	assert_int_equal(before, 30 * SECOND);
	assert_int_equal(fr_otlp_backoff_ns(1, 0, UINT32_MAX), SECOND / 2);
}

static void never_shorter_than_asked(void **state)
{
	static const uint32_t randoms[] = { 0, 1u << 31, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < 3; i++)
		for (uint64_t asked = 1; asked < 1000 * SECOND; asked = asked * 3 + 1) {
			uint64_t wait = fr_otlp_backoff_ns(1, asked, randoms[i]);

			assert_true(wait >= asked && wait <= asked + asked / 10);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_four_may_be_retried),
		cmocka_unit_test(dates_in_three_forms),
		cmocka_unit_test(dates_agree_with_the_library),
		cmocka_unit_test(no_dates),
		cmocka_unit_test(retry_after_in_both_forms),
		cmocka_unit_test(no_retry_after),
		cmocka_unit_test(waits_grow_with_jitter_up_to_a_limit),
		cmocka_unit_test(never_shorter_than_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
