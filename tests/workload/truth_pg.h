/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of PostgreSQL for programs that keep the truth: simple queries over TCP, without a
 * password, by blocking calls of the thread that asks. No library: what is sent is what is here.
 */
#ifndef FR_TRUTH_PG_H
#define FR_TRUTH_PG_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "truth.h"

#define TRUTH_PG_MESSAGE_MAX 65536u

static inline void truth_send_all(int fd, const void *data, size_t size)
{
	const char *p = data;

	while (size) {
		ssize_t n = send(fd, p, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		truth_must(n, "send to the database");
		p += n;
		size -= (size_t)n;
	}
}

static inline void truth_recv_all(int fd, void *data, size_t size)
{
	char *p = data;

	while (size) {
		ssize_t n = recv(fd, p, size, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			truth_die("the database hung up: %s", n ? strerror(errno) : "end of file");
		p += n;
		size -= (size_t)n;
	}
}

/* Reads messages up to ReadyForQuery. state gets the SQLSTATE of an error, else "". */
static inline void truth_pg_ready(int fd, char state[6])
{
	static _Thread_local char body[TRUTH_PG_MESSAGE_MAX];
	uint8_t head[5];

	state[0] = 0;
	do {
		uint32_t size;

		truth_recv_all(fd, head, sizeof(head));
		memcpy(&size, head + 1, 4);
		size = ntohl(size) - 4;
		if (size >= sizeof(body))
			truth_die("a message of %u bytes from the database", size);
		truth_recv_all(fd, body, size);
		body[size] = 0;
		if (head[0] != 'E')
			continue;
		for (const char *f = body; *f; f += strlen(f) + 1)
			if (*f == 'C')
				snprintf(state, 6, "%s", f + 1);
	} while (head[0] != 'Z');
}

static inline int truth_pg_connect(uint16_t port, const char *user, const char *database)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port) };
	int one = 1, fd = (int)truth_must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
	char msg[256], state[6];
	int n;
	uint32_t word;

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	truth_must(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), "connect to the database");
	truth_must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), "TCP_NODELAY");
	n = 8 +
	    snprintf(msg + 8, sizeof(msg) - 8, "user%c%s%cdatabase%c%s%c", 0, user, 0, 0, database,
		     0) +
	    1;
	word = htonl((uint32_t)n);
	memcpy(msg, &word, 4);
	word = htonl(3 << 16);
	memcpy(msg + 4, &word, 4);
	msg[n - 1] = 0;
	truth_send_all(fd, msg, (size_t)n);
	truth_pg_ready(fd, state);
	if (state[0])
		truth_die("the database refuses the session: SQLSTATE %s", state);
	return fd;
}

static inline void truth_pg_query(int fd, const char *sql, char state[6])
{
	size_t len = strlen(sql) + 1;
	uint32_t word = htonl((uint32_t)len + 4);
	char msg[1024];

	if (len + 5 > sizeof(msg))
		truth_die("a statement of %zu bytes", len);
	msg[0] = 'Q';
	memcpy(msg + 1, &word, 4);
	memcpy(msg + 5, sql, len);
	truth_send_all(fd, msg, len + 5);
	truth_pg_ready(fd, state);
}

#endif
