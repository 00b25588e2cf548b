/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include <errno.h>

#include "recorder/request.h"

static char err[160];

static int parse(const char *line, struct fr_request *r)
{
	err[0] = 0;
	return fr_request_parse(line, strlen(line), r, err, sizeof(err));
}

static void verbs(void **state)
{
	struct fr_request r;

	(void)state;
	assert_int_equal(parse("status", &r), 0);
	assert_int_equal(r.verb, FR_VERB_STATUS);
	assert_int_equal(r.format, FR_FORMAT_TEXT);
	assert_int_equal(parse("  list  ", &r), 0);
	assert_int_equal(r.verb, FR_VERB_LIST);
	assert_int_equal(parse("reload", &r), 0);
	assert_int_equal(r.verb, FR_VERB_RELOAD);
	assert_int_equal(parse("stop", &r), 0);
	assert_int_equal(r.verb, FR_VERB_STOP);
}

static void keys(void **state)
{
	struct fr_request r;

	(void)state;
	assert_int_equal(parse("status format=json", &r), 0);
	assert_int_equal(r.format, FR_FORMAT_JSON);
	assert_int_equal(parse("status  format=prometheus ", &r), 0);
	assert_int_equal(r.format, FR_FORMAT_PROMETHEUS);
	assert_int_equal(parse("trigger wait=1 reason=slow%20page%3D1", &r), 0);
	assert_true(r.wait);
	assert_string_equal(r.reason, "slow page=1");
	assert_int_equal(parse("trigger wait=0", &r), 0);
	assert_false(r.wait);
	assert_string_equal(r.reason, "");
}

static void refused(void **state)
{
	static const char *const lines[] = {
		"",
		"  ",
		"fly",
		"STATUS",
		"status json",
		"status format=",
		"status format=xml",
		"status wait=1",
		"trigger wait=2",
		"trigger wait=",
		"trigger reason=%",
		"trigger reason=%4",
		"trigger reason=%4g",
		"trigger format=json",
		"list all=1",
		"stop now",
	};
	struct fr_request r = { .verb = FR_VERB_LIST };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(parse(lines[i], &r), -EINVAL);
		assert_int_not_equal(err[0], 0);
	}
	assert_int_equal(r.verb, FR_VERB_LIST); /* untouched on failure */
}

static void messages_are_printable(void **state)
{
	struct fr_request r;

	(void)state;
	assert_int_equal(parse("\x1b[31mred\x07\xff", &r), -EINVAL);
	for (const char *c = err; *c; c++)
		assert_true(*c >= 0x20 && *c < 0x7f);
}

static void reason_is_cut_and_clean(void **state)
{
	char line[FR_REQUEST_BYTES_MAX] = "trigger reason=a%0ab%1b%7f%00";
	struct fr_request r;

	(void)state;
	assert_int_equal(parse(line, &r), 0);
	assert_string_equal(r.reason, "a?b???");
	memset(line, 'x', sizeof(line));
	memcpy(line, "trigger reason=", 15);
	assert_int_equal(fr_request_parse(line, sizeof(line), &r, err, sizeof(err)), 0);
	assert_int_equal(strlen(r.reason), FR_REQUEST_REASON_BYTES - 1);
}

/* Every cut of a line is parsed or refused; nothing is read behind it (ASan sees that). */
static void cuts(void **state)
{
	static const char line[] = "trigger reason=%41%42 wait=1 x";
	struct fr_request r;
	char *exact;

	(void)state;
	for (size_t n = 0; n < sizeof(line); n++) {
		exact = malloc(n ? n : 1);
		assert_non_null(exact);
		memcpy(exact, line, n);
		fr_request_parse(exact, n, &r, err, sizeof(err));
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verbs),
		cmocka_unit_test(keys),
		cmocka_unit_test(refused),
		cmocka_unit_test(messages_are_printable),
		cmocka_unit_test(reason_is_cut_and_clean),
		cmocka_unit_test(cuts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
