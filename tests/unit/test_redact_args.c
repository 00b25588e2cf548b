/* SPDX-License-Identifier: BSD-2-Clause */
/* Command lines and environments. '|' stands for the zero behind each string. */
#include "cm.h"

#include "formats/redact/redact.h"

#include <stdio.h>

static struct fr_redact_counts counts;

static size_t strings_of(const char *text, uint8_t *to)
{
	size_t n = strlen(text);

	memcpy(to, text, n);
	for (size_t i = 0; i < n; i++)
		if (to[i] == '|')
			to[i] = 0;
	return n;
}

static void check(enum fr_redact level, const char *from, const char *to)
{
	struct fr_redact_rules rules = { .level = level };
	uint8_t bytes[512];
	char shown[513];
	size_t n = strings_of(from, bytes), left = fr_redact_args(&rules, &counts, bytes, n);

	assert_true(left <= n);
	for (size_t i = 0; i < left; i++)
		shown[i] = bytes[i] ? (char)bytes[i] : '|';
	shown[left] = 0;
	assert_string_equal(shown, to);
}

static void what_looks_like_a_secret_goes(void **state)
{
	static const char *const cases[][2] = {
		{ "ls|-l|/tmp|", "ls|-l|/tmp|" },
		{ "/usr/bin/mysql|-u|root|-phunter2|db|", "/usr/bin/mysql|-u|***|-p***|db|" },
		{ "mysql|--password=hunter2|-h|db1|", "mysql|--password=***|-h|db1|" },
		{ "mysql|--password|hunter2|-h|db1|", "mysql|--password|***|-h|db1|" },
		{ "x|--API-Key|abc|--port=80|", "x|--API-Key|***|--port=80|" },
		{ "x|--db-pass=a=b|y|", "x|--db-pass=***|y|" },
		{ "x|--password|--token|abc|z|", "x|--password|***|***|z|" },
		{ "curl|-H|Authorization: Bearer x|http://h/|", "curl|-H|***|http://h/|" },
		{ "curl|-HX-Token: y z|u|", "curl|-H***|u|" },
		{ "curl|-sSu|bob:secret|http://h/|", "curl|-sSu|***|http://h/|" },
		{ "curl|--header|Cookie: a=b; c|", "curl|--header|Cookie: ***|" },
		{ "curl|http://bob:pw@h/p?a=b&token=x&c=d|", "curl|http://***@h/p?a=b&token=***|" },
		{ "curl|http://h/p?a=b|", "curl|http://h/p?a=b|" },
		{ "psql|postgres://u:p/w@h/db|", "psql|postgres://***@h/db|" },
		{ "psql|host=h password='a b' user=c|", "psql|host=h password=**|" },
		{ "rsync|bob:pw@host:/x|", "rsync|***@host:/x|" },
		{ "git|clone|git@github.com:a/b|", "git|clone|git@github.com:a/b|" },
		{ "env|PGPASSWORD=xyz|psql|", "env|PGPASSWORD=***|psql|" },
		{ "sh|-c|mysql -psecret db; ls|-x|", "sh|-c|mysql -p***|-x|" },
		{ "sh|-c|curl -u bob:pw http://h|", "sh|-c|curl -u ***|" },
		{ "sh|-c|echo ok|", "sh|-c|echo ok|" },
		{ "sh|-c|echo {\"password\": \"x y\"}|", "sh|-c|echo {\"password\": **|" },
		{ "redis-cli|-a|pwd|GET|k|", "redis-cli|-a|***|GET|k|" },
		{ "redis-cli|AUTH|pwd|", "redis-cli|AUTH|***|" },
		{ "ls|-a|/x|", "ls|-a|/x|" },
		{ "x|secret|abc|d|", "x|secret|***|d|" },
		{ "java|-jar|app.jar|", "java|-jar|app.jar|" },
		{ "x|monkey=1|keyboard=us|", "x|monkey=1|keyboard=us|" },
		{ "x|-p|", "x|-p|" },
		{ "x|-pa", "x|-p*" },
		{ "x|a|http://bob:hun", "x|a|http://***" },
		{ "x|--token=ab", "x|--token=**" },
		{ "onlyname", "onlyname" },
		{ "x||a||", "x||a||" },
		{ "x|--password||b|", "x|--password||*|" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(FR_REDACT_STANDARD, cases[i][0], cases[i][1]);
}

static void strict_keeps_the_first(void **state)
{
	(void)state;
	check(FR_REDACT_STRICT, "ls|-l|x|", "ls|");
	check(FR_REDACT_STRICT, "ls", "ls");
	check(FR_REDACT_OFF, "x|-psecret|", "x|-psecret|");
}

/* Cut anywhere, no byte of a secret: 'S' stands for one. */
static void a_cut_line_tells_no_more(void **state)
{
	static const char *const lines[] = {
		"mysql|-pSSSS|--password=SSSS|--token|SSSS|http://SS:SSSS@h/|x|",
		"sh|-c|curl -u SSS:SSS --header 'Cookie: SSS' http://SSS:SSS@h|y|",
		"psql|postgresql://SS:SSS@h/d?sslpassword=SSS|-v|x|",
	};
	struct fr_redact_rules rules = { .level = FR_REDACT_STANDARD };
	uint8_t bytes[512];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		size_t n = strings_of(lines[i], bytes);

		for (size_t cut = 1; cut <= n; cut++) {
			uint8_t *alone = malloc(cut);
			size_t left;

			strings_of(lines[i], bytes);
			memcpy(alone, bytes, cut);
			left = fr_redact_args(&rules, &counts, alone, cut);
			assert_true(left <= cut);
			assert_null(memchr(alone, 'S', left));
			free(alone);
		}
	}
}

static void environment_keeps_two(void **state)
{
	static const char from[] =
		"PATH=/bin|OTEL_SERVICE_NAME=shop|PGPASSWORD=x|"
		"OTEL_RESOURCE_ATTRIBUTES=a=b,api.key=zz,c=d|OTEL_SERVICE_NAME=c";
	static const char to[] = "OTEL_SERVICE_NAME=shop|OTEL_RESOURCE_ATTRIBUTES=a=b,api.key=**,"
				 "c=d|";
	uint8_t bytes[512], want[512];
	size_t n = strings_of(from, bytes), left = fr_redact_environment(&counts, bytes, n);

	(void)state;
	assert_int_equal(left, strings_of(to, want));
	assert_memory_equal(bytes, want, left);
	assert_int_equal(fr_redact_environment(&counts, bytes, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_looks_like_a_secret_goes),
		cmocka_unit_test(strict_keeps_the_first),
		cmocka_unit_test(a_cut_line_tells_no_more),
		cmocka_unit_test(environment_keeps_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
