/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_load ADDRESS:PORT PATH SECONDS CONNECTIONS: asks for PATH on so many connections, on each
 * again as soon as it is answered, and waits for every answer when the time is over: what it says
 * is what the server did, to the last request. "requests N status_5xx N seconds S".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNS_MAX 256
#define REPLY_BYTES 8192
#define PATIENCE_MS 10000 /* for an answer */

struct conn {
	int fd;
	size_t have;
	char reply[REPLY_BYTES + 1];
};

static struct conn conns[CONNS_MAX];
static char request[1024];
static size_t request_bytes;
static uint64_t asked_cnt, answered_cnt, failed_cnt;

__attribute__((noreturn)) static void fail(const char *what, const char *why)
{
	fprintf(stderr, "http_load: %s: %s\n", what, why);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void ask(const struct conn *c)
{
	if (send(c->fd, request, request_bytes, MSG_NOSIGNAL) != (ssize_t)request_bytes)
		fail("send", strerror(errno));
	asked_cnt++;
}

static void open_conn(struct conn *c, const struct sockaddr_in *to, int epoll_fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
	int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)to, sizeof(*to)) ||
	    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ||
	    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &e))
		fail("connect", strerror(errno));
}

/* The length of the whole reply; 0: its head is not there yet. */
static size_t reply_bytes(const struct conn *c)
{
	const char *end = strstr(c->reply, "\r\n\r\n"), *at;
	long body_bytes;

	if (!end)
		return 0;
	for (at = strstr(c->reply, "\r\n"); at < end; at = strstr(at + 2, "\r\n"))
		if (!strncasecmp(at + 2, "Content-Length:", 15)) {
			body_bytes = strtol(at + 17, NULL, 10);
			if (body_bytes < 0 || body_bytes > REPLY_BYTES)
				break;
			return (size_t)(end + 4 - c->reply) + (size_t)body_bytes;
		}
	fail("reply", "without a length that can be used");
}

/* Is it whole? */
static bool take(struct conn *c)
{
	ssize_t got = recv(c->fd, c->reply + c->have, REPLY_BYTES - c->have, 0);
	size_t whole;

	if (got <= 0)
		fail("recv", got ? strerror(errno) : "the server hung up");
	c->have += (size_t)got;
	c->reply[c->have] = '\0';
	whole = reply_bytes(c);
	if (whole > REPLY_BYTES)
		fail("reply", "too long");
	if (!whole || c->have < whole)
		return false;
	if (c->have > whole || strncmp(c->reply, "HTTP/1.1 ", 9))
		fail("reply", "more than one, or no HTTP");
	failed_cnt += c->reply[9] == '5';
	answered_cnt++;
	c->have = 0;
	return true;
}

static void load(int epoll_fd, long conn_cnt, uint64_t end_ns)
{
	struct epoll_event events[CONNS_MAX];
	int cnt;

	for (long i = 0; i < conn_cnt; i++)
		ask(&conns[i]);
	while (answered_cnt < asked_cnt) {
		cnt = epoll_wait(epoll_fd, events, CONNS_MAX, PATIENCE_MS);
		if (cnt < 0 && errno == EINTR)
			continue;
		if (cnt <= 0)
			fail("epoll_wait", cnt ? strerror(errno) : "no answer for 10 s");
		for (int i = 0; i < cnt; i++)
			if (take(events[i].data.ptr) && now_ns() < end_ns)
				ask(events[i].data.ptr);
	}
}

static struct sockaddr_in address_of(const char *text)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	const char *colon = strrchr(text, ':');
	char host[64];
	long port = colon ? strtol(colon + 1, NULL, 10) : 0;

	if (!colon || (size_t)(colon - text) >= sizeof(host) || port <= 0 || port > 65535)
		fail(text, "no ADDRESS:PORT");
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	to.sin_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, host, &to.sin_addr) != 1)
		fail(text, "no IPv4 address");
	return to;
}

int main(int argc, char **argv)
{
	double seconds = argc == 5 ? strtod(argv[3], NULL) : 0;
	long conn_cnt = argc == 5 ? strtol(argv[4], NULL, 10) : 0;
	struct sockaddr_in to;
	uint64_t begin_ns;
	int epoll_fd, len;

	if (seconds <= 0 || conn_cnt <= 0 || conn_cnt > CONNS_MAX) {
		fprintf(stderr, "usage: http_load ADDRESS:PORT PATH SECONDS CONNECTIONS (to %d)\n",
			CONNS_MAX);
		return 2;
	}
	len = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", argv[2],
		       argv[1]);
	if (len < 0 || (size_t)len >= sizeof(request))
		fail(argv[2], "too long");
	request_bytes = (size_t)len;
	to = address_of(argv[1]);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	for (long i = 0; i < conn_cnt; i++)
		open_conn(&conns[i], &to, epoll_fd);
	begin_ns = now_ns();
	load(epoll_fd, conn_cnt, begin_ns + (uint64_t)(seconds * 1e9));
	printf("requests %llu status_5xx %llu seconds %.6f\n", (unsigned long long)answered_cnt,
	       (unsigned long long)failed_cnt, (double)(now_ns() - begin_ns) / 1e9);
	return 0;
}
