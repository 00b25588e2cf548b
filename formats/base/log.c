/* SPDX-License-Identifier: BSD-2-Clause */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX_BYTES 4096
#define LINE_MAX_BYTES (TEXT_MAX_BYTES + 80)

/* Set by fr_log_init() at start, read by everyone after. */
static const char *log_program = "flightrec";
static enum fr_log_level log_max = FR_LOG_INFO;
static bool log_to_journal;

/* systemd names the device and inode it connected; a child with another stderr must not use it. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;
	char *end;

	if (!stream || fstat(STDERR_FILENO, &st))
		return false;
	dev = strtoull(stream, &end, 10);
	if (*end != ':')
		return false;
	ino = strtoull(end + 1, &end, 10);
	return !*end && dev == st.st_dev && ino == st.st_ino;
}

void fr_log_init(const char *program, enum fr_log_level max_level)
{
	log_program = program;
	log_max = max_level;
	log_to_journal = stderr_is_journal();
}

bool fr_log_on(enum fr_log_level level)
{
	return level <= log_max;
}

/* One line, in one write, so that lines of several processes do not mix. */
static void write_line(enum fr_log_level level, const char *text, size_t text_bytes)
{
	char line[LINE_MAX_BYTES];
	ssize_t written;
	size_t at, i;
	int head;

	if (log_to_journal)
		head = snprintf(line, 64, "<%d>", (int)level);
	else
		head = snprintf(line, 64, "%s: ", log_program);
	at = head < 0 ? 0 : head > 63 ? 63 : (size_t)head;
	/* names of files and threads come from others: no escape sequences to a terminal */
	for (i = 0; i < text_bytes; i++)
		line[at++] = ((unsigned char)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f ?
				     '?' : text[i];
	line[at++] = '\n';
	do {
		written = write(STDERR_FILENO, line, at);
	} while (written < 0 && errno == EINTR);
}

void fr_log(enum fr_log_level level, const char *fmt, ...)
{
	char text[TEXT_MAX_BYTES];
	int saved_errno = errno, text_bytes;
	const char *at = text;
	size_t line_bytes;
	va_list args;

	if (!fr_log_on(level))
		return;
	va_start(args, fmt);
	text_bytes = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (text_bytes < 0)
		snprintf(text, sizeof(text), "(a message could not be formatted: %s)", fmt);
	else if ((size_t)text_bytes >= sizeof(text))
		memcpy(text + sizeof(text) - 4, "...", 4);
	do {
		line_bytes = strcspn(at, "\n");
		write_line(level, at, line_bytes);
		at += line_bytes;
	} while (*at && *++at);
	errno = saved_errno;
}
