/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sizes, durations, times, numbers as users write them: any text is read or refused, a refusal
 * leaves the result alone, and what is read is shown in a form that reads as the same (rounded to
 * three digits where that is meant for people).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/cli.h"

#define KEPT 0x5a5a5a5a5a5a5a5aull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool accepted(int err, uint64_t v)
{
	must(!err || err == -EINVAL || err == -ERANGE);
	must(!err || v == KEPT);
	return !err;
}

/* Half of the third digit, and less than a unit more: reading cuts fractions of a byte or ns. */
static bool is_near(uint64_t a, uint64_t b)
{
	uint64_t apart = a > b ? a - b : b - a;

	return apart <= b / 199 + 1;
}

typedef int parse_fn(const char *s, uint64_t *ret);
typedef char *format_fn(uint64_t v, char *buf, size_t buf_bytes);

static void check_shown(parse_fn *parse, format_fn *format, uint64_t v)
{
	char text[24];
	uint64_t back = KEPT;
	int err;

	must(format(v, text, sizeof(text)) == text);
	must(strlen(text) < sizeof(text) - 1);
	err = parse(text, &back);
	/* what rounds up past 2^64 is shown, but not read */
	must(err ? err == -ERANGE && v > UINT64_MAX - UINT64_MAX / 199 : is_near(back, v));
}

static void check_time(uint64_t unix_ns)
{
	struct fr_when w = { .relative = true };
	char text[31];

	fr_format_time(unix_ns, 9, text, sizeof(text));
	must(strlen(text) == 30);
	must(!fr_parse_when(text, &w) && !w.relative && w.unix_ns == unix_ns);
}

static void check_text(const char *text)
{
	struct fr_when w = { .unix_ns = KEPT, .offset_ns = 0 };
	uint64_t v = KEPT;
	bool flag = true;

	if (accepted(fr_parse_size(text, &v), v))
		check_shown(fr_parse_size, fr_format_size, v);
	v = KEPT;
	if (accepted(fr_parse_duration(text, &v), v))
		check_shown(fr_parse_duration, fr_format_duration, v);
	v = KEPT;
	if (accepted(fr_parse_u64(text, UINT64_MAX / 2, &v), v))
		must(v <= UINT64_MAX / 2);
	must(!fr_parse_bool(text, &flag) || flag);
	if (accepted(fr_parse_when(text, &w), w.unix_ns) && !w.relative)
		check_time(w.unix_ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes)
{
	char *text = malloc(data_bytes + 1);
	uint64_t v = 0;

	if (!text)
		return 0;
	if (data_bytes)
		memcpy(text, data, data_bytes);
	text[data_bytes] = 0;
	check_text(text);
	free(text);
	/* and the other way round, from a number */
	memcpy(&v, data_bytes ? data : (const uint8_t *)"", data_bytes < 8 ? data_bytes : 8);
	check_shown(fr_parse_size, fr_format_size, v);
	check_shown(fr_parse_duration, fr_format_duration, v);
	check_time(v);
	return 0;
}
