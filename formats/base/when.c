/* SPDX-License-Identifier: BSD-2-Clause */
/* Times as users write them and as we show them (cli.h). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "digits.h"

#define NS_PER_S 1000000000ull
#define DAY_S 86400
#define ERA_DAYS 146097	  /* 400 years */
#define EPOCH_DAYS 719468 /* 1970-01-01, counted from 0000-03-01 */
#define YEAR_MAX 2554 /* 2^64 ns after 1970 */

/* Days since 1970-01-01 of a date in the Gregorian calendar (year >= 1). */
static int64_t days_of(unsigned int year, unsigned int month, unsigned int day)
{
	/* a year that begins in March has its leap day last */
	unsigned int y = month <= 2 ? year - 1 : year;
	unsigned int m = month <= 2 ? month + 9 : month - 3;
	unsigned int era = y / 400, of_era = y % 400;
	unsigned int day_of_year = (153 * m + 2) / 5 + day - 1;
	unsigned int day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + day_of_year;

	return (int64_t)era * ERA_DAYS + day_of_era - EPOCH_DAYS;
}

static void date_of(uint64_t days, unsigned int *ret_year, unsigned int *ret_month,
		    unsigned int *ret_day)
{
	uint64_t z = days + EPOCH_DAYS;
	unsigned int of_era = (unsigned int)(z % ERA_DAYS);
	unsigned int year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned int day_of_year = of_era - (365 * year + year / 4 - year / 100);
	unsigned int m = (5 * day_of_year + 2) / 153;

	*ret_day = day_of_year - (153 * m + 2) / 5 + 1;
	*ret_month = m < 10 ? m + 3 : m - 9;
	*ret_year = (unsigned int)(z / ERA_DAYS * 400) + year + (*ret_month <= 2);
}

static unsigned int days_in_month(unsigned int year, unsigned int month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* Exactly `cnt` digits at *s, which moves behind them and behind `after` if that isn't 0. */
static bool take_digits(const char **s, unsigned int cnt, char after, unsigned int *ret)
{
	unsigned int v = 0, i;

	for (i = 0; i < cnt; i++) {
		if ((*s)[i] < '0' || (*s)[i] > '9')
			return false;
		v = v * 10 + (unsigned int)((*s)[i] - '0');
	}
	*s += cnt;
	if (after) {
		if (**s != after)
			return false;
		++*s;
	}
	*ret = v;
	return true;
}

/* ".123" if it is there, as ns; digits beyond the ninth are cut. */
static bool take_fraction(const char **s, uint32_t *ret_ns)
{
	uint32_t ns = 0, unit = 100000000;

	if (**s == '.') {
		++*s;
		if (**s < '0' || **s > '9')
			return false;
		for (; **s >= '0' && **s <= '9'; ++*s, unit /= 10)
			ns += (uint32_t)(**s - '0') * unit;
	}
	*ret_ns = ns;
	return true;
}

/* "Z", "+01:00" */
static bool take_zone(const char *s, int64_t *ret_offset_s)
{
	unsigned int hours, minutes;
	int sign = *s == '-' ? -1 : 1;

	if (*s == 'Z' || *s == 'z') {
		*ret_offset_s = 0;
		return !s[1];
	}
	if (*s != '+' && *s != '-')
		return false;
	s++;
	if (!take_digits(&s, 2, ':', &hours) || !take_digits(&s, 2, 0, &minutes) || *s)
		return false;
	*ret_offset_s = sign * (int64_t)(hours * 3600 + minutes * 60);
	return hours <= 23 && minutes <= 59;
}

static int to_unix_ns(int64_t s, uint32_t ns, uint64_t *ret_ns)
{
	uint64_t v;

	if (s < 0 || __builtin_mul_overflow((uint64_t)s, NS_PER_S, &v) ||
	    __builtin_add_overflow(v, ns, &v))
		return -ERANGE;
	*ret_ns = v;
	return 0;
}

static int parse_rfc3339(const char *s, uint64_t *ret_ns)
{
	unsigned int year, month, day, hour, minute, second;
	uint32_t ns;
	int64_t zone_s, of_day_s;

	if (!take_digits(&s, 4, '-', &year) || !take_digits(&s, 2, '-', &month) ||
	    !take_digits(&s, 2, 0, &day) || (*s != 'T' && *s != 't' && *s != ' '))
		return -EINVAL;
	s++;
	if (!take_digits(&s, 2, ':', &hour) || !take_digits(&s, 2, ':', &minute) ||
	    !take_digits(&s, 2, 0, &second) || !take_fraction(&s, &ns) || !take_zone(s, &zone_s))
		return -EINVAL;
	if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 60 || day < 1 ||
	    day > days_in_month(year, month))
		return -EINVAL;
	if (year < 1969 || year > YEAR_MAX + 1)
		return -ERANGE;
	/* a leap second (60) is the same unix time as the second after it */
	of_day_s = hour * 3600 + minute * 60 + second;
	return to_unix_ns(days_of(year, month, day) * DAY_S + of_day_s - zone_s, ns, ret_ns);
}

static int parse_unix(const char *s, uint64_t *ret_ns)
{
	uint64_t seconds = 0;
	uint32_t ns;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(seconds, 10u, &seconds) ||
		    __builtin_add_overflow(seconds, (uint64_t)(*s - '0'), &seconds))
			return -ERANGE;
	if (!take_fraction(&s, &ns) || *s)
		return -EINVAL;
	return seconds > INT64_MAX ? -ERANGE : to_unix_ns((int64_t)seconds, ns, ret_ns);
}

int fr_parse_when(const char *s, struct fr_when *ret_when)
{
	struct fr_when when = { 0 };
	uint64_t ns;
	int err;

	if (*s == '+' || *s == '-') {
		err = fr_parse_duration(s + 1, &ns);
		if (err)
			return err;
		if (ns > INT64_MAX)
			return -ERANGE;
		when.relative = true;
		when.offset_ns = *s == '-' ? -(int64_t)ns : (int64_t)ns;
	} else {
		err = strlen(s) > 4 && s[4] == '-' ? parse_rfc3339(s, &when.unix_ns) :
						     parse_unix(s, &when.unix_ns);
		if (err)
			return err;
	}
	*ret_when = when;
	return 0;
}

char *fr_format_time(uint64_t unix_ns, unsigned int fraction_digits, char *buf, size_t buf_bytes)
{
	uint64_t seconds = unix_ns / NS_PER_S;
	unsigned int year, month, day, of_day = (unsigned int)(seconds % DAY_S);
	char fraction[10], *p = fraction;

	p = fr_put_8(p, (uint32_t)(unix_ns % NS_PER_S) / 10);
	*p++ = (char)('0' + unix_ns % 10);
	*p = 0;
	if (fraction_digits > 9)
		fraction_digits = 9;
	date_of(seconds / DAY_S, &year, &month, &day);
	snprintf(buf, buf_bytes, "%04u-%02u-%02uT%02u:%02u:%02u%s%.*sZ", year, month, day,
		 of_day / 3600, of_day / 60 % 60, of_day % 60, fraction_digits ? "." : "",
		 (int)fraction_digits, fraction);
	return buf;
}
