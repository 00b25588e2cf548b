/* SPDX-License-Identifier: BSD-2-Clause */
#include "control.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "formats/base/cli.h"
#include "formats/base/log.h"
#include "formats/base/now.h"

#define FR_ANSWER_BYTES_MAX (4u << 20)

/* ---- clients ----------------------------------------------------------------------------- */

/* One timer for all: set to the earliest deadline. */
static void set_deadlines(struct fr_control *c)
{
	uint64_t now = fr_now_ns(), first = UINT64_MAX;

	for (int i = 0; i < FR_CONTROL_CLIENTS_MAX; i++)
		if (c->clients[i].fd >= 0 && c->clients[i].deadline_ns < first)
			first = c->clients[i].deadline_ns;
	fr_timer_set(c->timer_fd, first == UINT64_MAX ? 0 : first > now ? first - now : 1, 0);
}

static void drop(struct fr_client *client)
{
	fr_loop_remove(client->control->loop, client->fd);
	close(client->fd);
	client->fd = -1;
	client->waits_for = 0;
	fr_buf_done(&client->answer);
	set_deadlines(client->control);
}

static void send_answer(struct fr_client *client)
{
	struct fr_buf *b = &client->answer;
	ssize_t n;

	while (client->sent_bytes < b->len_bytes) {
		n = send(client->fd, b->data + client->sent_bytes,
			 b->len_bytes - client->sent_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN) {
			fr_loop_change(client->control->loop, client->fd, EPOLLOUT);
			return;
		}
		if (n < 0)
			break; /* it has gone away: nothing is owed any more */
		client->sent_bytes += (size_t)n;
	}
	drop(client);
}

static void start_answer(struct fr_client *client)
{
	client->waits_for = 0;
	client->deadline_ns = fr_now_ns() + FR_CONTROL_DEADLINE_NS;
	if (client->answer.err) {
		fr_warn("control: an answer of %zu bytes does not fit, ignoring the request",
			client->answer.len_bytes);
		drop(client);
		return;
	}
	set_deadlines(client->control);
	send_answer(client);
}

void fr_client_ok(struct fr_client *client, const struct fr_buf *body)
{
	fr_buf_add_str(&client->answer, "ok\n");
	if (body && body->err)
		client->answer.err = body->err;
	else if (body)
		fr_buf_add(&client->answer, body->data, body->len_bytes);
	start_answer(client);
}

void fr_client_error(struct fr_client *client, int code, const char *text)
{
	fr_buf_printf(&client->answer, "error %d %s\n", code, text);
	start_answer(client);
}

void fr_client_wait(struct fr_client *client, uint64_t number)
{
	client->waits_for = number;
	client->deadline_ns = fr_now_ns() + FR_CONTROL_WAIT_NS;
	set_deadlines(client->control);
}

void fr_control_dump_done(struct fr_control *c, uint64_t number, const char *path,
			  const char *error)
{
	struct fr_client *client;
	struct fr_buf body = { 0 };

	for (client = c->clients; client < c->clients + FR_CONTROL_CLIENTS_MAX; client++) {
		if (client->fd < 0 || client->waits_for != number)
			continue;
		fr_buf_clear(&body);
		fr_buf_printf(&body, "%s\n", path ? path : "");
		if (path)
			fr_client_ok(client, &body);
		else
			fr_client_error(client, FR_EXIT_IO, error);
	}
	fr_buf_done(&body);
}

/* A socket closed with bytes unread resets the connection, which can eat the answer. */
static void discard_rest(int fd)
{
	char rest[4096];

	for (int i = 0; i < 16; i++)
		if (recv(fd, rest, sizeof(rest), MSG_DONTWAIT) <= 0)
			return;
}

static void handle_line(struct fr_client *client, uint32_t bytes)
{
	struct fr_request request;
	char err[160];

	if (bytes && client->line[bytes - 1] == '\r')
		bytes--;
	if (fr_request_parse(client->line, bytes, &request, err, sizeof(err)))
		fr_client_error(client, FR_EXIT_USAGE, err);
	else
		client->control->serve(client->control->ctx, client, &request);
}

static void read_line(struct fr_client *client)
{
	char *end;
	ssize_t n = recv(client->fd, client->line + client->line_bytes,
			 sizeof(client->line) - client->line_bytes, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(client);
		return;
	}
	client->line_bytes += (uint32_t)n;
	end = memchr(client->line, '\n', client->line_bytes);
	if (!end && client->line_bytes == sizeof(client->line)) {
		discard_rest(client->fd);
		fr_client_error(client, FR_EXIT_USAGE, "the request is longer than 1023 bytes");
		return;
	}
	if (!end)
		return;
	discard_rest(client->fd);
	/* from here on only hang-ups matter */
	fr_loop_change(client->control->loop, client->fd, EPOLLHUP);
	handle_line(client, (uint32_t)(end - client->line));
}

static void on_client(void *ctx, uint32_t events)
{
	struct fr_client *client = ctx;

	if (events & EPOLLOUT)
		send_answer(client);
	else if (events & (EPOLLHUP | EPOLLERR) && !(events & EPOLLIN))
		drop(client);
	else
		read_line(client);
}

static void on_deadline(void *ctx, uint32_t events)
{
	struct fr_control *c = ctx;
	uint64_t now = fr_now_ns();

	(void)events;
	fr_timer_ack(c->timer_fd);
	for (int i = 0; i < FR_CONTROL_CLIENTS_MAX; i++) {
		struct fr_client *client = &c->clients[i];

		if (client->fd < 0 || client->deadline_ns > now)
			continue;
		c->timeout_cnt++;
		if (client->waits_for)
			fr_client_error(client, FR_EXIT_IO,
					"the dump is not written yet: look at "
					"flightrec status");
		else
			drop(client);
	}
	set_deadlines(c);
}

/* ---- who may ----------------------------------------------------------------------------- */

static bool in_groups(int fd, gid_t gid)
{
	gid_t groups[256];
	socklen_t bytes = sizeof(groups);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &bytes))
		return false;
	for (size_t i = 0; i < bytes / sizeof(groups[0]); i++)
		if (groups[i] == gid)
			return true;
	return false;
}

static bool may(const struct fr_control *c, int fd, struct ucred *ret_peer)
{
	socklen_t bytes = sizeof(*ret_peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret_peer, &bytes))
		return false;
	return ret_peer->uid == 0 || ret_peer->uid == geteuid() || ret_peer->gid == c->gid ||
	       in_groups(fd, c->gid);
}

static struct fr_client *free_client(struct fr_control *c)
{
	for (int i = 0; i < FR_CONTROL_CLIENTS_MAX; i++)
		if (c->clients[i].fd < 0)
			return &c->clients[i];
	return NULL;
}

/* A short no: what the peer doesn't read at once is its own loss. */
static void turn_away(struct fr_control *c, int fd, const char *text)
{
	c->refused_cnt++;
	if (send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		fr_debug("control: a refused peer did not listen: %s", strerror(errno));
	shutdown(fd, SHUT_RDWR);
	discard_rest(fd);
	close(fd);
}

static void on_connect(void *ctx, uint32_t events)
{
	struct fr_control *c = ctx;
	struct fr_client *client = free_client(c);
	int fd = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred peer = { 0 };

	(void)events;
	if (fd < 0)
		return;
	if (!may(c, fd, &peer)) {
		turn_away(c, fd,
			  "error 3 no permission: be root or of the group " FR_CONTROL_GROUP "\n");
		return;
	}
	if (!client) {
		turn_away(c, fd, "error 5 too many connections: try again\n");
		return;
	}
	*client = (struct fr_client){
		.control = c,
		.fd = fd,
		.pid = peer.pid,
		.uid = peer.uid,
		.deadline_ns = fr_now_ns() + FR_CONTROL_DEADLINE_NS,
		.answer = { .limit_bytes = FR_ANSWER_BYTES_MAX },
	};
	if (fr_loop_add(c->loop, fd, EPOLLIN, on_client, client)) {
		client->fd = -1;
		turn_away(c, fd, "error 5 too many connections: try again\n");
		return;
	}
	set_deadlines(c);
}

/* ---- the socket -------------------------------------------------------------------------- */

static int fail(const char *path, int err)
{
	fr_err("control socket '%s': %s; name another with --control PATH, or --control off", path,
	       strerror(-err));
	return err;
}

/* A socket that nobody answers on is left over from a daemon that was killed. */
static int remove_stale(const struct sockaddr_un *to)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err = 0;

	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)to, sizeof(*to)) || errno == EAGAIN) {
		fr_err("control socket '%s' is in use by another flightrecd: stop that one, or "
		       "name another with --control PATH",
		       to->sun_path);
		err = -EADDRINUSE;
	} else if (errno == ECONNREFUSED && unlink(to->sun_path)) {
		err = fail(to->sun_path, -errno);
	}
	close(fd);
	return err;
}

static void make_parent(const char *path)
{
	char copy[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];

	snprintf(copy, sizeof(copy), "%s", path);
	if (mkdir(dirname(copy), 0755) && errno != EEXIST)
		fr_debug("control: cannot make the folder of '%s': %s", path, strerror(errno));
}

static int bind_socket(struct fr_control *c, const struct sockaddr_un *at)
{
	const struct group *group = getgrnam(FR_CONTROL_GROUP);
	mode_t mask = umask(0117);
	int err = 0;

	if (bind(c->listen_fd, (const struct sockaddr *)at, sizeof(*at)))
		err = -errno;
	umask(mask);
	if (err)
		return fail(at->sun_path, err);
	memcpy(c->path, at->sun_path, sizeof(c->path));
	c->gid = group ? group->gr_gid : getegid();
	if (group && chown(at->sun_path, (uid_t)-1, group->gr_gid))
		fr_warn("control socket '%s': cannot give it to group %s: %s, continuing without",
			at->sun_path, FR_CONTROL_GROUP, strerror(errno));
	if (listen(c->listen_fd, FR_CONTROL_CLIENTS_MAX))
		return fail(at->sun_path, -errno);
	return 0;
}

static int open_socket(struct fr_control *c, const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int err;

	if (strlen(path) >= sizeof(at.sun_path))
		return fail(path, -ENAMETOOLONG);
	memcpy(at.sun_path, path, strlen(path));
	make_parent(path);
	err = remove_stale(&at);
	if (err)
		return err;
	c->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->listen_fd < 0)
		return fail(path, -errno);
	return bind_socket(c, &at);
}

int fr_control_open(struct fr_control *c, struct fr_loop *loop, const char *path)
{
	int err;

	c->loop = loop;
	c->listen_fd = -1;
	c->path[0] = 0;
	for (int i = 0; i < FR_CONTROL_CLIENTS_MAX; i++)
		c->clients[i].fd = -1;
	c->timer_fd = fr_timer_open();
	if (c->timer_fd < 0)
		return fail(path, c->timer_fd);
	err = open_socket(c, path);
	if (!err)
		err = fr_loop_add(loop, c->timer_fd, EPOLLIN, on_deadline, c);
	if (!err)
		err = fr_loop_add(loop, c->listen_fd, EPOLLIN, on_connect, c);
	if (err)
		fr_control_close(c);
	return err;
}

void fr_control_close(struct fr_control *c)
{
	if (!c->loop)
		return;
	for (int i = 0; i < FR_CONTROL_CLIENTS_MAX; i++)
		if (c->clients[i].fd >= 0)
			drop(&c->clients[i]);
	fr_loop_remove(c->loop, c->listen_fd);
	fr_loop_remove(c->loop, c->timer_fd);
	if (c->listen_fd >= 0)
		close(c->listen_fd);
	if (c->timer_fd >= 0)
		close(c->timer_fd);
	if (c->path[0])
		unlink(c->path);
	c->path[0] = 0;
	c->listen_fd = c->timer_fd = -1;
	c->loop = NULL;
}

void fr_control_forked(const struct fr_control *c)
{
	if (!c->loop)
		return;
	for (int i = 0; i < FR_CONTROL_CLIENTS_MAX; i++)
		if (c->clients[i].fd >= 0)
			close(c->clients[i].fd);
	if (c->listen_fd >= 0)
		close(c->listen_fd);
	close(c->timer_fd);
}
