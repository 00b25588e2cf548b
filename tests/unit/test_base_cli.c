/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line: what reaches the option table, in which order, and what people are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "formats/base/cli.h"

/* What the options' functions were called with, in order: "to=chrome all=" */
struct seen {
	char text[256];
};

static void note(void *ctx, const char *name, const char *value)
{
	struct seen *s = ctx;
	size_t used = strlen(s->text);

	snprintf(s->text + used, sizeof(s->text) - used, "%s=%s ", name, value ? value : "");
}

static int set_to(void *ctx, const char *value, char *err, size_t err_bytes)
{
	if (!strcmp(value, "vhs")) {
		snprintf(err, err_bytes, "'%s' is no format; use chrome or text", value);
		return -EINVAL;
	}
	note(ctx, "to", value);
	return 0;
}

static int set_out(void *ctx, const char *value, char *err, size_t err_bytes)
{
	(void)err;
	(void)err_bytes;
	note(ctx, "output", value);
	return 0;
}

static int set_all(void *ctx, const char *value, char *err, size_t err_bytes)
{
	(void)err;
	(void)err_bytes;
	note(ctx, "all", value);
	return 0;
}

static int set_silent_failure(void *ctx, const char *value, char *err, size_t err_bytes)
{
	(void)ctx;
	(void)value;
	(void)err;
	(void)err_bytes;
	return -ERANGE;
}

static const struct fr_option options[] = {
	{ "to", 't', "FORMAT", "chrome or text", set_to },
	{ "output", 'o', "FILE", "where to,\n- is stdout", set_out },
	{ "all", 'a', NULL, "also what not every CPU covers", set_all },
	{ "a-rather-long-option-name", 0, "VALUE", "help on its own line", set_silent_failure },
	{ .name = NULL },
};

static const struct fr_command command = {
	.name = "flightrec convert",
	.synopsis = "DUMP... --to FORMAT",
	.about = "Turns a dump into another format.",
	.options = options,
	.epilog = "Example: flightrec convert a.frd --to text",
};

/* One run, with what it printed on one of the two outputs. */
struct run {
	struct seen seen;
	char *argv[16];
	char printed[4096];
	int ret;
};

static void run_parse(struct run *r, int fd, const char *line)
{
	static char words[256];
	FILE *catcher = tmpfile(), *stream = fd == STDERR_FILENO ? stderr : stdout;
	int argc = 0, kept;
	size_t got;
	char *word, *rest = words;

	*r = (struct run){ 0 };
	snprintf(words, sizeof(words), "%s", line);
	while ((word = strsep(&rest, " ")))
		r->argv[argc++] = word;
	assert_non_null(catcher);
	fflush(stream);
	kept = dup(fd);
	assert_true(dup2(fileno(catcher), fd) >= 0);
	r->ret = fr_cli_parse(&command, argc, r->argv, &r->seen);
	fflush(stream);
	assert_true(dup2(kept, fd) >= 0);
	close(kept);
	rewind(catcher);
	got = fread(r->printed, 1, sizeof(r->printed) - 1, catcher);
	r->printed[got] = 0;
	fclose(catcher);
}

static void check_ok(const char *line, int positional_cnt, const char *first, const char *seen)
{
	struct run r;

	run_parse(&r, STDERR_FILENO, line);
	assert_string_equal(r.printed, "");
	assert_int_equal(r.ret, positional_cnt);
	assert_string_equal(r.seen.text, seen);
	if (first)
		assert_string_equal(r.argv[1], first);
}

static void forms_of_options(void **state)
{
	(void)state;
	check_ok("f", 0, NULL, "");
	check_ok("f --to chrome", 0, NULL, "to=chrome ");
	check_ok("f --to=chrome", 0, NULL, "to=chrome ");
	check_ok("f --to=", 0, NULL, "to= ");
	check_ok("f --to=a=b", 0, NULL, "to=a=b ");
	check_ok("f -t chrome", 0, NULL, "to=chrome ");
	check_ok("f -tchrome", 0, NULL, "to=chrome ");
	check_ok("f -a -a", 0, NULL, "all= all= ");
	check_ok("f -at chrome", 0, NULL, "all= to=chrome ");
	check_ok("f -aatchrome", 0, NULL, "all= all= to=chrome ");
}

static void values_may_begin_with_a_dash(void **state)
{
	(void)state;
	check_ok("f --to -2s", 0, NULL, "to=-2s ");
	check_ok("f -o -", 0, NULL, "output=- ");
	check_ok("f --to -- x", 1, "x", "to=-- ");
}

static void positional_arguments_come_first(void **state)
{
	struct run r;

	(void)state;
	run_parse(&r, STDERR_FILENO, "f a --to text b -a -- -c --to");
	assert_int_equal(r.ret, 4);
	assert_string_equal(r.argv[0], "f");
	assert_string_equal(r.argv[1], "a");
	assert_string_equal(r.argv[2], "b");
	assert_string_equal(r.argv[3], "-c");
	assert_string_equal(r.argv[4], "--to");
	assert_string_equal(r.seen.text, "to=text all= ");
	check_ok("f - -a", 1, "-", "all= ");
}

static void check_refused(const char *line, const char *message)
{
	char want[512];
	struct run r;

	snprintf(want, sizeof(want), "flightrec convert: %s\nTry 'flightrec convert --help'.\n",
		 message);
	run_parse(&r, STDERR_FILENO, line);
	assert_int_equal(r.ret, -EINVAL);
	assert_string_equal(r.printed, want);
}

static void mistakes_are_named(void **state)
{
	(void)state;
	check_refused("f --verbose", "unknown option --verbose");
	check_refused("f --outptu x", "unknown option --outptu; did you mean --output?");
	check_refused("f --outptu=x", "unknown option --outptu; did you mean --output?");
	check_refused("f --al", "unknown option --al; did you mean --all?");
	check_refused("f --helpx", "unknown option --helpx");
	check_refused("f -x", "unknown option -x");
	check_refused("f -ax", "unknown option -x");
	check_refused("f --to", "--to needs a value: --to FORMAT");
	check_refused("f -t", "--to needs a value: --to FORMAT");
	check_refused("f --all=yes", "--all takes no value, but got 'yes'");
	check_refused("f --to vhs", "--to: 'vhs' is no format; use chrome or text");
	check_refused("f --a-rather-long-option-name x",
		      "--a-rather-long-option-name: Numerical result out of range");
}

static void help_shows_every_option(void **state)
{
	static const char want[] =
		"Usage: flightrec convert DUMP... --to FORMAT\n"
		"\n"
		"Turns a dump into another format.\n"
		"\n"
		"Options:\n"
		"  -t, --to FORMAT           chrome or text\n"
		"  -o, --output FILE         where to,\n"
		"                            - is stdout\n"
		"  -a, --all                 also what not every CPU covers\n"
		"      --a-rather-long-option-name VALUE\n"
		"                            help on its own line\n"
		"  -h, --help                show this text\n"
		"\n"
		"Example: flightrec convert a.frd --to text\n";
	struct run r;

	(void)state;
	run_parse(&r, STDOUT_FILENO, "f --help --nonsense");
	assert_int_equal(r.ret, -ECANCELED);
	assert_string_equal(r.printed, want);
	run_parse(&r, STDOUT_FILENO, "f a -ah");
	assert_int_equal(r.ret, -ECANCELED);
	assert_string_equal(r.printed, want);
}

static void no_options_at_all(void **state)
{
	const struct fr_command bare = { .name = "flightrec list", .synopsis = "", .about = "x" };
	char name[] = "version", word[] = "w";
	char *argv[] = { name, word, NULL };

	(void)state;
	assert_int_equal(fr_cli_parse(&bare, 2, argv, NULL), 1);
	assert_int_equal(fr_cli_parse(&bare, 1, argv, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_of_options),
		cmocka_unit_test(values_may_begin_with_a_dash),
		cmocka_unit_test(positional_arguments_come_first),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(help_shows_every_option),
		cmocka_unit_test(no_options_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
