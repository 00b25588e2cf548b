/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * storm COUNT [RATE]: a server and a client over loopback; COUNT requests, at most RATE a second
 * (0: as fast as it goes), each answered with "500". Says how many causes there were and how long
 * they took: "causes COUNT seconds S".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char request[] = "GET /storm HTTP/1.1\r\nHost: localhost\r\n\r\n";
static const char reply[] = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";

__attribute__((noreturn)) static void fail(const char *what)
{
	fprintf(stderr, "storm: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void wait_until(uint64_t ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / 1000000000u),
			      .tv_nsec = (long)(ns % 1000000000u) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

static void get(int fd, size_t bytes)
{
	char buf[256];

	if (recv(fd, buf, bytes, MSG_WAITALL) != (ssize_t)bytes)
		fail("recv");
}

static void put(int fd, const char *text, size_t bytes)
{
	if (send(fd, text, bytes, MSG_NOSIGNAL) != (ssize_t)bytes)
		fail("send");
}

static void serve(int listen_fd, long count)
{
	int fd = accept(listen_fd, NULL, NULL);

	if (fd < 0)
		fail("accept");
	for (long i = 0; i < count; i++) {
		get(fd, sizeof(request) - 1);
		put(fd, reply, sizeof(reply) - 1);
	}
	close(fd);
	_exit(0);
}

static void ask(const struct sockaddr_in *to, long count, long rate)
{
	uint64_t begin_ns = now_ns();
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		fail("connect");
	for (long i = 0; i < count; i++) {
		/* a batch of ten at a time: a sleep for each would be too slow */
		if (rate && i % 10 == 0)
			wait_until(begin_ns + (uint64_t)i * 1000000000u / (uint64_t)rate);
		put(fd, request, sizeof(request) - 1);
		get(fd, sizeof(reply) - 1);
	}
	close(fd);
	printf("causes %ld seconds %.3f\n", count, (double)(now_ns() - begin_ns) / 1e9);
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t addr_bytes = sizeof(addr);
	long count = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	long rate = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	int listen_fd = socket(AF_INET, SOCK_STREAM, 0), status;
	pid_t pid;

	if (count <= 0 || rate < 0) {
		fprintf(stderr, "usage: storm COUNT [RATE]\n");
		return 2;
	}
	if (listen_fd < 0 || bind(listen_fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(listen_fd, 1) || getsockname(listen_fd, (struct sockaddr *)&addr, &addr_bytes))
		fail("listen");
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (!pid)
		serve(listen_fd, count);
	ask(&addr, count, rate);
	return waitpid(pid, &status, 0) != pid || status;
}
