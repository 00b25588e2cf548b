/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers, sizes and durations as users write them (cli.h). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

#define FRACTION_DIGITS_MAX 18 /* 10^18 fits in 64 bits; digits behind are below any unit */

struct unit {
	const char *name;
	uint64_t value; /* in bytes or ns */
};

static const struct unit size_units[] = {
	{ "", 1 },
	{ "B", 1 },
	{ "K", 1ull << 10 },
	{ "KiB", 1ull << 10 },
	{ "M", 1ull << 20 },
	{ "MiB", 1ull << 20 },
	{ "G", 1ull << 30 },
	{ "GiB", 1ull << 30 },
	{ "T", 1ull << 40 },
	{ "TiB", 1ull << 40 },
	{ NULL, 0 },
};

static const struct unit time_units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000 * 1000 },
	{ "s", 1000 * 1000 * 1000 },
	{ "m", 60ull * 1000 * 1000 * 1000 },
	{ "min", 60ull * 1000 * 1000 * 1000 },
	{ "h", 3600ull * 1000 * 1000 * 1000 },
	{ NULL, 0 },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* digits[.digits] at the start of a text */
struct number {
	uint64_t whole;
	uint64_t fraction; /* in units of 1 / fraction_one */
	uint64_t fraction_one;
	bool has_fraction; /* a point was there */
};

/* Reads a number; *s moves behind it. -EINVAL if there is none, -ERANGE beyond 64 bits. */
static int take_number(const char **s, struct number *ret_number)
{
	struct number n = { .fraction_one = 1 };
	const char *p = *s;
	unsigned int digits = 0;

	if (!is_digit(*p))
		return -EINVAL;
	for (; is_digit(*p); p++)
		if (__builtin_mul_overflow(n.whole, 10u, &n.whole) ||
		    __builtin_add_overflow(n.whole, (uint64_t)(*p - '0'), &n.whole))
			return -ERANGE;
	if (*p == '.') {
		n.has_fraction = true;
		if (!is_digit(*++p))
			return -EINVAL;
		for (; is_digit(*p); p++) {
			if (digits++ >= FRACTION_DIGITS_MAX)
				continue;
			n.fraction = n.fraction * 10 + (uint64_t)(*p - '0');
			n.fraction_one *= 10;
		}
	}
	*s = p;
	*ret_number = n;
	return 0;
}

/* A number and one of the units' names, in either case if any_case; one space between is fine. */
static int parse_with_unit(const char *s, const struct unit *units, bool any_case, uint64_t *ret)
{
	const struct unit *u;
	struct number n;
	uint64_t v, part;
	int err = take_number(&s, &n);

	if (err)
		return err;
	if (*s == ' ' && s[1])
		s++;
	for (u = units; u->name; u++)
		if (any_case ? !strcasecmp(u->name, s) : !strcmp(u->name, s))
			break;
	if (!u->name)
		return -EINVAL;
	if (u->value == 1 && n.has_fraction)
		return -EINVAL; /* half a byte */
	part = (uint64_t)((unsigned __int128)n.fraction * u->value / n.fraction_one);
	if (__builtin_mul_overflow(n.whole, u->value, &v) || __builtin_add_overflow(v, part, &v))
		return -ERANGE;
	*ret = v;
	return 0;
}

int fr_parse_size(const char *s, uint64_t *ret_bytes)
{
	return parse_with_unit(s, size_units, true, ret_bytes);
}

int fr_parse_duration(const char *s, uint64_t *ret_ns)
{
	if (!strcmp(s, "0")) {
		*ret_ns = 0;
		return 0;
	}
	return parse_with_unit(s, time_units, false, ret_ns);
}

int fr_parse_u64(const char *s, uint64_t max, uint64_t *ret)
{
	struct number n;
	int err = take_number(&s, &n);

	if (err)
		return err;
	if (*s || n.has_fraction)
		return -EINVAL;
	if (n.whole > max)
		return -ERANGE;
	*ret = n.whole;
	return 0;
}

int fr_parse_bool(const char *s, bool *ret)
{
	static const char *const yes[] = { "on", "yes", "true", "1" };
	static const char *const no[] = { "off", "no", "false", "0" };
	size_t i;

	for (i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
		if (!strcasecmp(s, yes[i]) || !strcasecmp(s, no[i])) {
			*ret = !strcasecmp(s, yes[i]);
			return 0;
		}
	}
	return -EINVAL;
}

/* A unit for people and the value from which the next one is used, in that unit. */
struct scale {
	const char *name;
	uint64_t value;
	uint64_t limit; /* 0 = none */
};

static const struct scale time_scales[] = {
	{ "ns", 1, 1000 },
	{ "us", 1000, 1000 },
	{ "ms", 1000 * 1000, 1000 },
	{ "s", 1000 * 1000 * 1000, 60 },
	{ "min", 60ull * 1000 * 1000 * 1000, 60 },
	{ "h", 3600ull * 1000 * 1000 * 1000, 0 },
};

static const struct scale size_scales[] = {
	{ "B", 1, 1024 },
	{ "KiB", 1ull << 10, 1024 },
	{ "MiB", 1ull << 20, 1024 },
	{ "GiB", 1ull << 30, 1024 },
	{ "TiB", 1ull << 40, 0 },
};

/* Rounds to three significant digits, then takes the first unit whose limit that stays below. */
static char *format_scaled(uint64_t v, const struct scale *s, char *buf, size_t buf_bytes)
{
	uint64_t whole, one, rounded;
	int decimals;

	for (;; s++) {
		whole = v / s->value;
		decimals = s->value == 1 || whole >= 100 ? 0 : whole >= 10 ? 1 : 2;
		one = decimals == 2 ? 100 : decimals == 1 ? 10 : 1;
		rounded = whole * one + (v % s->value * one + s->value / 2) / s->value;
		if (!s->limit || rounded < s->limit * one)
			break;
	}
	for (; decimals && rounded % 10 == 0; decimals--, one /= 10)
		rounded /= 10;
	if (decimals)
		snprintf(buf, buf_bytes, "%llu.%0*u %s", (unsigned long long)(rounded / one),
			 decimals, (unsigned int)(rounded % one), s->name);
	else
		snprintf(buf, buf_bytes, "%llu %s", (unsigned long long)rounded, s->name);
	return buf;
}

char *fr_format_duration(uint64_t ns, char *buf, size_t buf_bytes)
{
	return format_scaled(ns, time_scales, buf, buf_bytes);
}

char *fr_format_size(uint64_t bytes, char *buf, size_t buf_bytes)
{
	return format_scaled(bytes, size_scales, buf, buf_bytes);
}
