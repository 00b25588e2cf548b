/* SPDX-License-Identifier: BSD-2-Clause */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define TEXT_MAX_BYTES 4096
#define LINE_MAX_BYTES (TEXT_MAX_BYTES + 80)
#define FACILITY_DAEMON (3 << 3)

/* Set by fr_log_init() at start, read by everyone after. */
static const char *log_program = "flightrec";
static enum fr_log_level log_max = FR_LOG_INFO;
static bool log_to_journal;
static int system_fd = -1; /* a datagram socket; -1: to stderr */

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

static int connect_system(int fd)
{
	const struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };

	return connect(fd, (const struct sockaddr *)&at, sizeof(at)) ? -errno : 0;
}

int fr_log_to_system(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err;

	if (fd < 0)
		return -errno;
	err = connect_system(fd);
	if (err) {
		close(fd);
		return err;
	}
	system_fd = fd;
	return 0;
}

/* The log may have been started anew since the last line. */
static void send_line(const char *line, size_t line_bytes)
{
	for (int tries = 0; tries < 2; tries++) {
		if (send(system_fd, line, line_bytes, MSG_NOSIGNAL) >= 0 || errno == EAGAIN ||
		    connect_system(system_fd))
			return;
	}
}

/* What a line begins with. Returns its length. */
static size_t put_head(char *line, size_t size, enum fr_log_level level)
{
	int head;

	if (system_fd >= 0)
		head = snprintf(line, size, "<%d>%s[%d]: ", FACILITY_DAEMON | (int)level,
				log_program, (int)getpid());
	else if (log_to_journal)
		head = snprintf(line, size, "<%d>", (int)level);
	else
		head = snprintf(line, size, "%s: ", log_program);
	return head < 0 ? 0 : (size_t)head < size ? (size_t)head : size - 1;
}

bool fr_log_on(enum fr_log_level level)
{
	return level <= log_max;
}

/* One line, in one write, so that lines of several processes do not mix. */
static void write_line(enum fr_log_level level, const char *text, size_t text_bytes)
{
	char line[LINE_MAX_BYTES];
	size_t at = put_head(line, 64, level), i;
	ssize_t written;

	/* names of files and threads come from others: no escape sequences to a terminal */
	for (i = 0; i < text_bytes; i++)
		line[at++] = ((unsigned char)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f ?
				     '?' : text[i];
	if (system_fd >= 0) {
		send_line(line, at);
		return;
	}
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
