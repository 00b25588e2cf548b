/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpflog.h"

#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/log.h"

#define FR_BPFLOG_BYTES 8192

static struct {
	char program[64];
	char tail[FR_BPFLOG_BYTES];
	bool verifier; /* tail is the verifier's: keep it whatever comes behind */
} said;

/* Start of the last `lines` lines of text. */
static const char *last_lines(const char *text, unsigned int lines)
{
	const char *at = text + strlen(text);

	while (at > text && at[-1] == '\n')
		at--;
	while (at > text) {
		if (at[-1] == '\n' && !--lines)
			break;
		at--;
	}
	return at;
}

static void keep(const char *text)
{
	size_t len = strlen(text);

	if (len >= sizeof(said.tail))
		text += len - sizeof(said.tail) + 1;
	snprintf(said.tail, sizeof(said.tail), "%s", text);
}

/* "prog 'NAME': -- BEGIN PROG LOAD LOG --\n...-- END PROG LOAD LOG --\n" */
static void keep_verifier(char *text)
{
	char *log = strstr(text, "BEGIN PROG LOAD LOG --"), *end;

	log = strchr(log, '\n');
	end = log ? strstr(log, "-- END PROG LOAD LOG --") : NULL;
	if (!end)
		return;
	*end = 0;
	keep(last_lines(log + 1, FR_BPFLOG_LINES));
	said.verifier = true;
}

static void keep_plain(const char *text)
{
	size_t len = strlen(said.tail);

	if (said.verifier)
		return;
	snprintf(said.tail + len, sizeof(said.tail) - len, "%s", text);
	if (len > sizeof(said.tail) / 2)
		memmove(said.tail, last_lines(said.tail, FR_BPFLOG_LINES),
			strlen(last_lines(said.tail, FR_BPFLOG_LINES)) + 1);
}

static void keep_program(const char *text)
{
	const char *from = strstr(text, "prog '"), *to;

	if (!from)
		return;
	from += strlen("prog '");
	to = strchr(from, '\'');
	if (to)
		snprintf(said.program, sizeof(said.program), "%.*s", (int)(to - from), from);
}

static int take(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char *text;

	if (level == LIBBPF_DEBUG) /* thousands of lines about each start: ours would drown */
		return 0;
	if (vasprintf(&text, fmt, args) < 0)
		return 0;
	if (level == LIBBPF_WARN) {
		keep_program(text);
		if (strstr(text, "BEGIN PROG LOAD LOG --"))
			keep_verifier(text);
		else
			keep_plain(text);
	}
	if (fr_log_on(FR_LOG_DEBUG)) {
		text[strcspn(text, "\n")] = 0;
		fr_debug("%s", text);
	}
	free(text);
	return 0;
}

void fr_bpflog_start(void)
{
	libbpf_set_print(take);
}

void fr_bpflog_clear(void)
{
	said.program[0] = 0;
	said.tail[0] = 0;
	said.verifier = false;
}

const char *fr_bpflog_program(void)
{
	return said.program;
}

const char *fr_bpflog_tail(void)
{
	return said.tail;
}
