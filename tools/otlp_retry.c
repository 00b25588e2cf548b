/* SPDX-License-Identifier: BSD-2-Clause */
#include "otlp_retry.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define NS_PER_S 1000000000ull
#define FIRST_WAIT_NS 500000000ull
#define LONGEST_WAIT_NS 30000000000ull
#define RETRY_AFTER_S_MAX 31536000u /* beyond a year: a year */

bool fr_otlp_may_retry(int http_status)
{
	return http_status == 429 || http_status == 502 || http_status == 503 || http_status == 504;
}

/* ---- dates ---------------------------------------------------------------------------------- */

/* Own parsing: strptime() reads the names of the user's language. */
struct date {
	unsigned int year, month, day, hour, minute, second; /* month from 1 */
};

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char days[] = "MonTueWedThuFriSatSun";

static bool take(const char **at, const char *literal)
{
	size_t len = strlen(literal);

	if (strncmp(*at, literal, len))
		return false;
	*at += len;
	return true;
}

/* Exactly cnt digits; the first may be a blank if pad. */
static bool take_digits(const char **at, unsigned int cnt, bool pad, unsigned int *ret)
{
	unsigned int value = 0;

	for (unsigned int i = 0; i < cnt; i++) {
		char c = (*at)[i];

		if (pad && !i && c == ' ')
			c = '0';
		if (c < '0' || c > '9')
			return false;
		value = value * 10 + (unsigned int)(c - '0');
	}
	*at += cnt;
	*ret = value;
	return true;
}

static bool take_name(const char **at, const char *names, unsigned int cnt, unsigned int *ret)
{
	for (unsigned int i = 0; i < cnt; i++)
		if (!strncmp(*at, names + i * 3, 3)) {
			*at += 3;
			*ret = i + 1;
			return true;
		}
	return false;
}

static bool take_time(const char **at, struct date *d)
{
	return take_digits(at, 2, false, &d->hour) && take(at, ":") &&
	       take_digits(at, 2, false, &d->minute) && take(at, ":") &&
	       take_digits(at, 2, false, &d->second);
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool imf_date(const char *at, struct date *d)
{
	unsigned int weekday;

	return take_name(&at, days, 7, &weekday) && take(&at, ", ") &&
	       take_digits(&at, 2, false, &d->day) && take(&at, " ") &&
	       take_name(&at, months, 12, &d->month) && take(&at, " ") &&
	       take_digits(&at, 4, false, &d->year) && take(&at, " ") && take_time(&at, d) &&
	       take(&at, " GMT") && !*at;
}

/* Sunday, 06-Nov-94 08:49:37 GMT */
static bool rfc850_date(const char *at, struct date *d, unsigned int this_year)
{
	unsigned int weekday;

	if (!take_name(&at, days, 7, &weekday))
		return false;
	while (*at >= 'a' && *at <= 'z')
		at++;
	if (!take(&at, ", ") || !take_digits(&at, 2, false, &d->day) || !take(&at, "-") ||
	    !take_name(&at, months, 12, &d->month) || !take(&at, "-") ||
	    !take_digits(&at, 2, false, &d->year) || !take(&at, " ") || !take_time(&at, d) ||
	    !take(&at, " GMT") || *at)
		return false;
	/* more than 50 years ahead means the past */
	d->year += this_year / 100 * 100;
	if (d->year > this_year + 50)
		d->year -= 100;
	return true;
}

/* Sun Nov  6 08:49:37 1994 */
static bool asctime_date(const char *at, struct date *d)
{
	unsigned int weekday;

	return take_name(&at, days, 7, &weekday) && take(&at, " ") &&
	       take_name(&at, months, 12, &d->month) && take(&at, " ") &&
	       take_digits(&at, 2, true, &d->day) && take(&at, " ") && take_time(&at, d) &&
	       take(&at, " ") && take_digits(&at, 4, false, &d->year) && !*at;
}

static int64_t days_since_1970(const struct date *d)
{
	/* years begin in March: the leap day is the last one */
	int64_t y = (int64_t)d->year - (d->month <= 2), era = y / 400, of_era = y % 400;
	int64_t month = d->month > 2 ? d->month - 3 : d->month + 9;
	int64_t of_year = (153 * month + 2) / 5 + d->day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool sound(const struct date *d)
{
	static const unsigned char lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = d->year % 4 == 0 && (d->year % 100 != 0 || d->year % 400 == 0);

	if (d->year < 1 || d->month < 1 || d->month > 12 || d->day < 1)
		return false;
	return d->day <= lengths[d->month - 1] + (d->month == 2 && leap ? 1u : 0u) &&
	       d->hour < 24 && d->minute < 60 && d->second <= 60; /* a leap second is one */
}

int fr_otlp_http_date(const char *value, int64_t now_unix, int64_t *ret_unix)
{
	unsigned int this_year = (unsigned int)(1970 + now_unix / 31556952);
	struct date d = { 0 };

	if (!imf_date(value, &d) && !rfc850_date(value, &d, this_year) && !asctime_date(value, &d))
		return -EINVAL;
	if (!sound(&d))
		return -EINVAL;
	*ret_unix = days_since_1970(&d) * 86400 + d.hour * 3600 + d.minute * 60 + d.second;
	return 0;
}

/* ---- waiting -------------------------------------------------------------------------------- */

int fr_otlp_retry_after(const char *value, int64_t now_unix, uint64_t *ret_wait_ns)
{
	uint64_t seconds = 0;
	const char *at = value;
	int64_t when;

	if (*value >= '0' && *value <= '9') {
		for (; *at >= '0' && *at <= '9'; at++)
			if (seconds < RETRY_AFTER_S_MAX)
				seconds = seconds * 10 + (uint64_t)(*at - '0');
		if (*at)
			return -EINVAL;
	} else {
		if (fr_otlp_http_date(value, now_unix, &when))
			return -EINVAL;
		seconds = when > now_unix ? (uint64_t)(when - now_unix) : 0;
	}
	if (seconds > RETRY_AFTER_S_MAX)
		seconds = RETRY_AFTER_S_MAX;
	*ret_wait_ns = seconds * NS_PER_S;
	return 0;
}

uint64_t fr_otlp_backoff_ns(uint32_t attempt, uint64_t asked_ns, uint32_t random)
{
	uint64_t wait_ns = FIRST_WAIT_NS, jitter_ns;

	while (attempt-- > 1 && wait_ns < LONGEST_WAIT_NS)
		wait_ns *= 2;
	if (wait_ns > LONGEST_WAIT_NS)
		wait_ns = LONGEST_WAIT_NS;
	/* half of it to all of it, so that many who were turned away together don't come together
	 */
	jitter_ns = wait_ns / 2 * (random >> 8) / 0xffffff; /* all 32 bits would overflow */
	if (!asked_ns)
		return wait_ns / 2 + jitter_ns;
	return asked_ns + (jitter_ns < asked_ns / 10 ? jitter_ns : asked_ns / 10);
}
