/* SPDX-License-Identifier: BSD-2-Clause */
#include "control_client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../formats/base/cli.h"
#include "../formats/base/log.h"
#include "../formats/base/now.h"
#include "tool.h"

void fr_control_escape(struct fr_buf *out, const char *s)
{
	for (; *s; s++) {
		if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		    (*s >= '0' && *s <= '9') || strchr("-_.~:/@,+", *s))
			fr_buf_add_char(out, *s);
		else
			fr_buf_printf(out, "%%%02X", (unsigned int)(unsigned char)*s);
	}
}

static int say_no_connection(const char *path, int err)
{
	if (err == -ENOENT || err == -ECONNREFUSED)
		fr_err("no daemon answers at %s (%s): is flightrecd running, with the same "
		       "--control?",
		       path, strerror(-err));
	else if (err == -EACCES || err == -EPERM)
		fr_err("no permission to use %s: be root, or a member of the group it belongs to",
		       path);
	else
		fr_err("cannot reach the daemon at %s: %s", path, strerror(-err));
	return fr_tool_exit_of(err);
}

static int connect_to(const char *path, int *ret_fd)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(sun.sun_path)) {
		fr_err("--control: %s is longer than a socket's name can be (%zu bytes)", path,
		       sizeof(sun.sun_path) - 1);
		return FR_EXIT_USAGE;
	}
	memcpy(sun.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return say_no_connection(path, -errno);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun))) {
		err = -errno;
		close(fd);
		return say_no_connection(path, err);
	}
	*ret_fd = fd;
	return 0;
}

static int send_all(int fd, const uint8_t *at, size_t left)
{
	ssize_t n;

	while (left) {
		n = send(fd, at, left, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		left -= (size_t)n;
	}
	return 0;
}

static int64_t now_ms(void)
{
	return (int64_t)(fr_now_ns() / 1000000);
}

static int receive_all(int fd, int timeout_ms, struct fr_buf *answer)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t deadline_ms = now_ms() + timeout_ms, left_ms;
	uint8_t block[4096];
	ssize_t n;
	int ready;

	for (;;) {
		left_ms = deadline_ms - now_ms();
		ready = left_ms > 0 ? poll(&p, 1, (int)left_ms) : 0;
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return ready ? -errno : -ETIMEDOUT;
		n = recv(fd, block, sizeof(block), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : 0;
		fr_buf_add(answer, block, (size_t)n);
		if (answer->err)
			return answer->err;
	}
}

/* Splits the first line off. FR_EXIT_OK, or the exit code that the daemon wants. */
static int judge(const char *path, struct fr_buf *answer)
{
	uint8_t *newline = answer->len_bytes ? memchr(answer->data, '\n', answer->len_bytes) : NULL;
	size_t line_bytes;
	char *line, *end;
	long code;

	if (!newline) {
		fr_err("the daemon at %s hung up without an answer: its log may say why", path);
		return FR_EXIT_IO;
	}
	*newline = 0;
	line = (char *)answer->data;
	line_bytes = (size_t)(newline - answer->data) + 1;
	if (!strcmp(line, "ok")) {
		answer->len_bytes -= line_bytes;
		memmove(answer->data, answer->data + line_bytes, answer->len_bytes);
		return FR_EXIT_OK;
	}
	if (strncmp(line, "error ", 6)) {
		fr_err("what answers at %s is no flightrecd: '%.60s'", path, line);
		return FR_EXIT_IO;
	}
	code = strtol(line + 6, &end, 10);
	while (*end == ' ')
		end++;
	fr_err("%s", *end ? end : "the daemon refuses without a reason");
	return code >= FR_EXIT_DAMAGED && code <= FR_EXIT_IO ? (int)code : FR_EXIT_IO;
}

int fr_control_ask(const char *path, const char *request, int timeout_ms, struct fr_buf *ret_body)
{
	struct fr_buf line = { 0 };
	int fd = -1, err, ret;

	path = path ? path : FR_CONTROL_DEFAULT;
	ret = connect_to(path, &fd);
	if (ret)
		return ret;
	fr_buf_clear(ret_body);
	ret_body->limit_bytes = FR_CONTROL_ANSWER_MAX;
	fr_buf_add_str(&line, request);
	fr_buf_add_char(&line, '\n');
	err = line.err ? line.err : send_all(fd, line.data, line.len_bytes);
	fr_buf_done(&line);
	/* a daemon that refuses hangs up early: its answer says why */
	if (!err || err == -EPIPE)
		err = receive_all(fd, timeout_ms, ret_body);
	close(fd);
	if (!err)
		return judge(path, ret_body);
	fr_err("the daemon at %s did not answer: %s", path, strerror(-err));
	return FR_EXIT_IO;
}
