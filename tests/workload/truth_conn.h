/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Short TCP connections for truth_life, made by one process ("life-conn") that is both ends.
 * Several server addresses share the load, so that 20,000 connections don't run out of ports
 * while the closed ones wait.
 */
#ifndef FR_TRUTH_CONN_H
#define FR_TRUTH_CONN_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "truth.h"

enum truth_conn_how {
	TRUTH_CONN_CLIENT_CLOSES,
	TRUTH_CONN_SERVER_CLOSES,
	TRUTH_CONN_CLIENT_RESETS, /* SO_LINGER 0 */
	TRUTH_CONN_SERVER_RESETS,
	TRUTH_CONN_UNREAD, /* closed with unread bytes: a reset, too */
	TRUTH_CONN_REFUSED,
	TRUTH_CONN_HOWS,
};

#define TRUTH_CONN_SERVERS 5 /* 127.0.0.1 to 127.0.0.4, and ::1 where there is one */

struct truth_conn_server {
	int listener, closed; /* closed: bound, but not listening: it refuses */
	struct sockaddr_storage at, closed_at;
	socklen_t at_bytes;
};

struct truth_conn {
	int client, server, error;
	long sent, received;
	struct sockaddr_storage from;
	socklen_t from_bytes;
};

static inline void truth_conn_name(const struct sockaddr_storage *s, char *text, size_t bytes,
				   int *ret_port)
{
	const struct sockaddr_in *in = (const void *)s;
	const struct sockaddr_in6 *in6 = (const void *)s;

	if (s->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &in6->sin6_addr, text, (socklen_t)bytes);
	else
		inet_ntop(AF_INET, &in->sin_addr, text, (socklen_t)bytes);
	*ret_port = ntohs(s->ss_family == AF_INET6 ? in6->sin6_port : in->sin_port);
}

/* A socket on the i-th server address, any port; -1: there is no such address here. */
static inline int truth_conn_bind(int i, struct sockaddr_storage *ret_at, socklen_t *ret_bytes)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)i) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	bool six = i == TRUTH_CONN_SERVERS - 1;
	int fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (bind(fd, six ? (void *)&in6 : (void *)&in, six ? sizeof(in6) : sizeof(in)) < 0) {
		close(fd);
		return -1;
	}
	*ret_bytes = sizeof(*ret_at);
	truth_must(getsockname(fd, (struct sockaddr *)ret_at, ret_bytes), "getsockname");
	return fd;
}

static inline int truth_conn_serve(struct truth_conn_server *s)
{
	int cnt = 0;

	for (int i = 0; i < TRUTH_CONN_SERVERS; i++) {
		struct truth_conn_server *one = &s[cnt];

		one->listener = truth_conn_bind(i, &one->at, &one->at_bytes);
		one->closed = truth_conn_bind(i, &one->closed_at, &one->at_bytes);
		if (one->listener < 0 || one->closed < 0)
			continue;
		truth_must(listen(one->listener, 16), "listen");
		cnt++;
	}
	if (!cnt)
		truth_die("no loopback address can be used: %s", strerror(errno));
	return cnt;
}

static inline void truth_conn_reset(int fd)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	truth_must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), "setsockopt");
	close(fd);
}

/* A request of 20 to 119 bytes, an answer of twice that. */
static inline void truth_conn_talk(struct truth_conn *c, long n)
{
	char text[256];
	size_t bytes = 20 + (size_t)(n % 100);

	memset(text, 'c', sizeof(text));
	c->sent = truth_must(send(c->client, text, bytes, MSG_NOSIGNAL), "send");
	truth_must(recv(c->server, text, bytes, MSG_WAITALL), "recv");
	truth_must(send(c->server, text, bytes * 2, MSG_NOSIGNAL), "send");
	c->received = truth_must(recv(c->client, text, bytes * 2, MSG_WAITALL), "recv");
}

static inline void truth_conn_end(struct truth_conn *c, enum truth_conn_how how)
{
	char byte = 'u';

	switch (how) {
	case TRUTH_CONN_CLIENT_CLOSES:
		close(c->client);
		truth_must(recv(c->server, &byte, 1, 0), "recv");
		close(c->server);
		return;
	case TRUTH_CONN_SERVER_CLOSES:
		close(c->server);
		truth_must(recv(c->client, &byte, 1, 0), "recv");
		close(c->client);
		return;
	case TRUTH_CONN_CLIENT_RESETS:
		truth_conn_reset(c->client);
		close(c->server);
		return;
	case TRUTH_CONN_SERVER_RESETS:
		truth_conn_reset(c->server);
		close(c->client);
		return;
	case TRUTH_CONN_UNREAD:
		c->sent += truth_must(send(c->client, &byte, 1, MSG_NOSIGNAL), "send");
		close(c->server);
		close(c->client);
		return;
	case TRUTH_CONN_REFUSED:
	case TRUTH_CONN_HOWS:
		break;
	}
	close(c->client);
}

/* Refused ones bind first: after the refusal the socket has no port of its own any more. */
static inline void truth_conn_refused(struct truth_conn *c, const struct truth_conn_server *s)
{
	int i = s->at.ss_family == AF_INET6 ? TRUTH_CONN_SERVERS - 1 : 0;

	c->client = truth_conn_bind(i, &c->from, &c->from_bytes);
	truth_must(c->client, "bind");
	if (!connect(c->client, (const void *)&s->closed_at, s->at_bytes))
		truth_die("a port that nobody listens on took a connection");
	c->error = errno;
}

static inline void truth_conn_open(struct truth_conn *c, const struct truth_conn_server *s)
{
	c->client = socket(s->at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	truth_must(c->client, "socket");
	truth_must(connect(c->client, (const void *)&s->at, s->at_bytes), "connect");
	c->from_bytes = sizeof(c->from);
	truth_must(getsockname(c->client, (struct sockaddr *)&c->from, &c->from_bytes),
		   "getsockname");
	c->server = (int)truth_must(accept4(s->listener, NULL, NULL, SOCK_CLOEXEC), "accept");
}

static inline void truth_conn_one(int truth_fd, const struct truth_conn_server *s, long n)
{
	static const char *const names[] = { "client_closes", "server_closes", "client_resets",
					     "server_resets", "unread",	       "refused" };
	enum truth_conn_how how = (enum truth_conn_how)(n % TRUTH_CONN_HOWS);
	struct truth_conn c = { .client = -1, .server = -1 };
	int64_t begin_ns = truth_now_ns();
	char client[INET6_ADDRSTRLEN], server[INET6_ADDRSTRLEN], text[512];
	int client_port, server_port, bytes;

	if (how == TRUTH_CONN_REFUSED) {
		truth_conn_refused(&c, s);
	} else {
		truth_conn_open(&c, s);
		truth_conn_talk(&c, n);
	}
	truth_conn_end(&c, how);
	truth_conn_name(&c.from, client, sizeof(client), &client_port);
	truth_conn_name(how == TRUTH_CONN_REFUSED ? &s->closed_at : &s->at, server, sizeof(server),
			&server_port);
	bytes = snprintf(
		text, sizeof(text),
		"{\"kind\":\"conn\",\"how\":\"%s\",\"n\":%ld,\"pid\":%d,\"tid\":%d,"
		"\"client\":\"%s\",\"client_port\":%d,\"server\":\"%s\","
		"\"server_port\":%d,\"sent\":%ld,\"received\":%ld,\"error\":%d,\"begin_ns\":%lld,"
		"\"end_ns\":%lld}\n",
		names[how], n, (int)getpid(), (int)truth_tid(), client, client_port, server,
		server_port, c.sent, c.received, c.error, (long long)begin_ns,
		(long long)truth_now_ns());
	truth_must(write(truth_fd, text, (size_t)bytes) == bytes ? 0 : -1, "writing the truth");
}

/* Forks the process that makes the connections; it exits with 0 when all are made. */
static inline pid_t truth_conn_start(int truth_fd, long conns)
{
	pid_t pid = (pid_t)truth_must(fork(), "fork");
	struct truth_conn_server s[TRUTH_CONN_SERVERS];
	int cnt;

	if (pid)
		return pid;
	prctl(PR_SET_NAME, "life-conn");
	cnt = truth_conn_serve(s);
	for (long n = 0; n < conns; n++)
		truth_conn_one(truth_fd, &s[n / TRUTH_CONN_HOWS % cnt], n);
	_exit(0);
}

#endif
