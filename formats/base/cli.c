/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define REASON_BYTES 256

/* Where the parser stands: one element of argv may hold several short switches. */
struct parse {
	const struct fr_command *cmd;
	int argc;
	char **argv;
	int at; /* element of argv being read */
	void *ctx;
};

__attribute__((format(printf, 2, 3)))
static int complain(const struct parse *p, const char *fmt, ...)
{
	char text[REASON_BYTES + 128];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fprintf(stderr, "%s: %s\nTry '%s --help'.\n", p->cmd->name, text, p->cmd->name);
	return -EINVAL;
}

static const struct fr_option *find_long(const struct fr_command *cmd, const char *name,
					 size_t name_bytes)
{
	const struct fr_option *o;

	for (o = cmd->options; o && o->name; o++)
		if (strlen(o->name) == name_bytes && !memcmp(o->name, name, name_bytes))
			return o;
	return NULL;
}

static const struct fr_option *find_short(const struct fr_command *cmd, char c)
{
	const struct fr_option *o;

	for (o = cmd->options; o && o->name; o++)
		if (o->short_name == c)
			return o;
	return NULL;
}

static int set_option(const struct parse *p, const struct fr_option *o, const char *value)
{
	char reason[REASON_BYTES] = "";
	int err = o->set(p->ctx, value, reason, sizeof(reason));

	if (!err)
		return 0;
	return complain(p, "--%s: %s", o->name, reason[0] ? reason : strerror(-err));
}

/* The value of an option that needs one, from the next element. NULL after a complaint. */
static const char *next_value(struct parse *p, const struct fr_option *o)
{
	if (p->at + 1 >= p->argc) {
		complain(p, "--%s needs a value: --%s %s", o->name, o->name, o->arg);
		return NULL;
	}
	return p->argv[++p->at];
}

/* The long option nearest to a mistyped one: same letters but for one or two. */
static unsigned int edit_distance(const char *a, size_t a_len, const char *b)
{
	unsigned int row[64], diagonal, above;
	size_t b_len = strlen(b), i, j;

	if (a_len >= 64 || b_len >= 64)
		return 64;
	for (j = 0; j <= b_len; j++)
		row[j] = (unsigned int)j;
	for (i = 1; i <= a_len; i++) {
		diagonal = row[0];
		row[0] = (unsigned int)i;
		for (j = 1; j <= b_len; j++) {
			above = row[j];
			row[j] = diagonal + (a[i - 1] != b[j - 1]);
			if (above + 1 < row[j])
				row[j] = above + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			diagonal = above;
		}
	}
	return row[b_len];
}

static int unknown_long(const struct parse *p, const char *name, size_t name_bytes)
{
	const struct fr_option *o, *best = NULL;
	unsigned int best_distance = 3, distance;

	for (o = p->cmd->options; o && o->name; o++) {
		distance = edit_distance(name, name_bytes, o->name);
		if (distance < best_distance && distance < strlen(o->name)) {
			best_distance = distance;
			best = o;
		}
	}
	if (best)
		return complain(p, "unknown option --%.*s; did you mean --%s?", (int)name_bytes,
				name, best->name);
	return complain(p, "unknown option --%.*s", (int)name_bytes, name);
}

static int parse_long(struct parse *p, const char *text)
{
	const char *equals = strchr(text, '=');
	size_t name_bytes = equals ? (size_t)(equals - text) : strlen(text);
	const struct fr_option *o = find_long(p->cmd, text, name_bytes);
	const char *value = equals ? equals + 1 : NULL;

	if (!o && !strcmp(text, "help")) {
		fr_cli_help(p->cmd);
		return -ECANCELED;
	}
	if (!o)
		return unknown_long(p, text, name_bytes);
	if (!o->arg && value)
		return complain(p, "--%s takes no value, but got '%s'", o->name, value);
	if (o->arg && !value) {
		value = next_value(p, o);
		if (!value)
			return -EINVAL;
	}
	return set_option(p, o, value);
}

static int parse_shorts(struct parse *p, const char *text)
{
	const struct fr_option *o;
	const char *value;
	int err;

	for (; *text; text++) {
		o = find_short(p->cmd, *text);
		if (!o && *text == 'h') {
			fr_cli_help(p->cmd);
			return -ECANCELED;
		}
		if (!o)
			return complain(p, "unknown option -%c", *text);
		if (o->arg) {
			value = text[1] ? text + 1 : next_value(p, o);
			return value ? set_option(p, o, value) : -EINVAL;
		}
		err = set_option(p, o, NULL);
		if (err)
			return err;
	}
	return 0;
}

int fr_cli_parse(const struct fr_command *cmd, int argc, char **argv, void *ctx)
{
	struct parse p = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1, .ctx = ctx };
	bool options_ended = false;
	int positional_cnt = 0, err;
	char *text;

	for (; p.at < argc; p.at++) {
		text = argv[p.at];
		/* "-" alone is a file name: standard input or output */
		if (options_ended || text[0] != '-' || !text[1]) {
			argv[1 + positional_cnt++] = text;
			continue;
		}
		if (!strcmp(text, "--")) {
			options_ended = true;
			continue;
		}
		err = text[1] == '-' ? parse_long(&p, text + 2) : parse_shorts(&p, text + 1);
		if (err)
			return err;
	}
	return positional_cnt;
}

#define HELP_COLUMN 28

static void help_option(const struct fr_option *o)
{
	const char *line = o->help, *end;
	char left[96];
	int used;

	used = snprintf(left, sizeof(left), "  %c%c%c --%s%s%s", o->short_name ? '-' : ' ',
			o->short_name ? o->short_name : ' ', o->short_name ? ',' : ' ', o->name,
			o->arg ? " " : "", o->arg ? o->arg : "");
	printf("%s", left);
	if (used >= HELP_COLUMN) {
		printf("\n");
		used = 0;
	}
	for (;; line = end + 1, used = 0) {
		end = strchr(line, '\n');
		printf("%*s%.*s\n", HELP_COLUMN - used, "", (int)strcspn(line, "\n"), line);
		if (!end)
			return;
	}
}

void fr_cli_help(const struct fr_command *cmd)
{
	static const struct fr_option help = { .name = "help", .short_name = 'h',
					       .help = "show this text" };
	const struct fr_option *o;

	printf("Usage: %s%s%s\n\n%s\n\nOptions:\n", cmd->name, cmd->synopsis[0] ? " " : "",
	       cmd->synopsis, cmd->about);
	for (o = cmd->options; o && o->name; o++)
		help_option(o);
	if (!find_long(cmd, "help", strlen("help")))
		help_option(&help);
	if (cmd->epilog)
		printf("\n%s\n", cmd->epilog);
}
