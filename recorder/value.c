/* SPDX-License-Identifier: BSD-2-Clause */
#include "value.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "formats/base/cli.h"

int fr_value_refuse(char *err, size_t err_bytes, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(err, err_bytes, fmt, args);
	va_end(args);
	return -EINVAL;
}

int fr_value_number(const char *s, uint64_t min, uint64_t max, uint64_t *ret, char *err, size_t n)
{
	uint64_t v = 0;

	if (fr_parse_u64(s, UINT64_MAX, &v) || v < min || v > max)
		return fr_value_refuse(err, n, "'%s' is not a whole number from %llu to %llu", s,
				       (unsigned long long)min, (unsigned long long)max);
	*ret = v;
	return 0;
}

int fr_value_size(const char *s, uint64_t min, uint64_t max, uint64_t *ret, char *err, size_t n)
{
	char low[32], high[32];
	uint64_t v = 0;

	if (fr_parse_size(s, &v) || v < min || v > max)
		return fr_value_refuse(err, n,
				       "'%s' is not a size from %s to %s (suffixes K, M, G)", s,
				       fr_format_size(min, low, sizeof(low)),
				       fr_format_size(max, high, sizeof(high)));
	*ret = v;
	return 0;
}

int fr_value_duration(const char *s, uint64_t min, uint64_t max, uint64_t *ret, char *err, size_t n)
{
	char low[32], high[32];
	uint64_t v = 0;

	if (fr_parse_duration(s, &v) || v < min || v > max)
		return fr_value_refuse(
			err, n, "'%s' is not a time from %s to %s (units ns, us, ms, s, m, h)", s,
			fr_format_duration(min, low, sizeof(low)),
			fr_format_duration(max, high, sizeof(high)));
	*ret = v;
	return 0;
}

int fr_value_bool(const char *s, bool *ret, char *err, size_t n)
{
	if (!s) {
		*ret = true;
		return 0;
	}
	return fr_parse_bool(s, ret) ? fr_value_refuse(err, n, "'%s' is neither on nor off", s) : 0;
}

bool fr_value_word(const char **at, char *word, size_t word_bytes)
{
	const char *from = *at + strspn(*at, ", ");
	size_t len = strcspn(from, ",");

	if (!*from)
		return false;
	*at = from + len;
	while (len && from[len - 1] == ' ')
		len--;
	if (len >= word_bytes)
		len = 0;
	memcpy(word, from, len);
	word[len] = 0;
	return true;
}

/* Index of s in a list of names, or -EINVAL and the list in err. */
int fr_value_choice(const char *s, const char *const *names, uint32_t cnt, char *err, size_t n)
{
	size_t at;

	for (uint32_t i = 0; i < cnt; i++)
		if (!strcmp(s, names[i]))
			return (int)i;
	at = (size_t)snprintf(err, n, "'%s' is none of:", s);
	for (uint32_t i = 0; i < cnt && at < n; i++)
		at += (size_t)snprintf(err + at, n - at, " %s", names[i]);
	return -EINVAL;
}

/* Absolute, so that nothing depends on the folder that the daemon was started in. "" if `none`. */
int fr_value_path(const char *s, const char *none, char *path, char *err, size_t n)
{
	char text[PATH_MAX] = "";
	size_t at = 0;

	if (none && !strcmp(s, none)) {
		path[0] = 0;
		return 0;
	}
	if (!s[0])
		return fr_value_refuse(err, n, "the path is empty");
	if (s[0] != '/') {
		if (!getcwd(text, sizeof(text)))
			return fr_value_refuse(err, n,
					       "relative, and the current folder is not known: "
					       "use an absolute path");
		at = strlen(text);
		text[at++] = '/';
	}
	if (at + strlen(s) >= sizeof(text))
		return fr_value_refuse(err, n, "the path is longer than %d bytes", PATH_MAX - 1);
	memcpy(text + at, s, strlen(s) + 1);
	memcpy(path, text, strlen(text) + 1);
	return 0;
}

static void put_scaled(struct fr_buf *out, uint64_t v, const char *const *units,
		       const uint64_t *factors, uint32_t cnt)
{
	for (uint32_t i = 0; i < cnt; i++)
		if (v && v % factors[i] == 0) {
			fr_buf_printf(out, "%llu%s", (unsigned long long)(v / factors[i]),
				      units[i]);
			return;
		}
	fr_buf_add_u64(out, v);
}

void fr_value_put_size(struct fr_buf *out, uint64_t v)
{
	static const char *const units[] = { "G", "M", "K" };
	static const uint64_t factors[] = { 1ull << 30, 1ull << 20, 1ull << 10 };

	put_scaled(out, v, units, factors, 3);
}

void fr_value_put_duration(struct fr_buf *out, uint64_t v)
{
	static const char *const units[] = { "h", "m", "s", "ms", "us", "ns" };
	static const uint64_t factors[] = { 3600000000000ull, 60000000000ull, 1000000000ull,
					    1000000ull,	      1000ull,	      1ull };

	put_scaled(out, v, units, factors, 6);
}
