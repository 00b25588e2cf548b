/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A web server over PostgreSQL, a thread for each connection: each request is read, its SQL sent
 * and its answer written by one thread, with blocking calls. Lines as those of truthsvc, for
 * tests/lib/truth_requests.py, into --truth FILE when standard input ends. Paths are /ROUTE/NUMBER:
 * ping, get, two, err, slow, absent; a proxy may put /up before them.
 */
#include <poll.h>
#include <pthread.h>

#include "truth_pg.h"

#define REQUESTS_MAX 200000
#define SQL_MAX 3
#define SHOWN_MAX 96

struct did {
	char shown[SHOWN_MAX];
	int64_t start, end;
	char state[6];
};

struct served {
	char method[8], path[48];
	int status;
	int64_t start[2], end[2];
	int sql_cnt;
	struct did sql[SQL_MAX];
};

static struct served *served; /* [REQUESTS_MAX] */
static unsigned served_cnt;   /* atomic */
static long db_port;
static const char *truth_file = "truth.json";

static void run(int db, struct served *s, const char *sql, const char *shown)
{
	struct did *d = &s->sql[s->sql_cnt++];

	snprintf(d->shown, sizeof(d->shown), "%s", shown);
	d->start = truth_now_ns();
	truth_pg_query(db, sql, d->state);
	d->end = truth_now_ns();
	if (d->state[0])
		s->status = 500;
}

/* What the route says is to be done before the answer. */
static void work(int db, struct served *s)
{
	const char *number = strrchr(s->path, '/') + 1;
	const char *route = s->path + (strncmp(s->path, "/up/", 4) ? 0 : 3);
	char sql[256], shown[SHOWN_MAX];

	s->status = 200;
	if (!strncmp(route, "/get/", 5) || !strncmp(route, "/two/", 5)) {
		snprintf(sql, sizeof(sql), "SELECT generate_series(1, 3), 'n%s'", number);
		run(db, s, sql, "SELECT generate_series(?, ?), ?");
	}
	if (!strncmp(route, "/two/", 5)) {
		snprintf(sql, sizeof(sql), "SELECT %s AS two_%s", number, number);
		snprintf(shown, sizeof(shown), "SELECT ? AS two_%s", number);
		run(db, s, sql, shown);
	}
	if (!strncmp(route, "/err/", 5))
		run(db, s, "SELECT 1 / 0", "SELECT ? / ?");
	if (!strncmp(route, "/slow/", 6))
		run(db, s, "SELECT pg_sleep(0.03)", "SELECT pg_sleep(?)");
	if (!strncmp(route, "/absent/", 8))
		s->status = 404;
}

/* One request's head into buf, which holds nothing else. 0 at the end of the connection. */
static size_t read_head(int fd, char *buf, size_t size, int64_t when[2])
{
	size_t have = 0;

	while (have < size - 1) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t before;
		ssize_t n;

		truth_must(poll(&p, 1, -1), "poll");
		before = truth_now_ns();
		n = recv(fd, buf + have, size - 1 - have, 0);
		if (n <= 0)
			return 0;
		if (!have) {
			when[0] = before;
			when[1] = truth_now_ns();
		}
		have += (size_t)n;
		buf[have] = 0;
		if (strstr(buf, "\r\n\r\n"))
			return have;
	}
	truth_die("a request's head of more than %zu bytes", size);
}

static void *serve(void *arg)
{
	int fd = (int)(intptr_t)arg,
	    db = truth_pg_connect((uint16_t)db_port, "postgres", "postgres");
	char buf[4096];
	struct served s = { 0 };

	while (read_head(fd, buf, sizeof(buf), s.start)) {
		char body[128];
		int n;

		if (sscanf(buf, "%7s %47s", s.method, s.path) != 2 || !strrchr(s.path, '/'))
			truth_die("this is no request: %.40s", buf);
		s.sql_cnt = 0;
		work(db, &s);
		n = snprintf(
			body, sizeof(body),
			"HTTP/1.1 %d %s\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\n%s",
			s.status, s.status == 200 ? "OK" : "No",
			strcmp(s.method, "HEAD") ? "done\n" : "");
		s.end[0] = truth_now_ns();
		truth_send_all(fd, body, (size_t)n);
		s.end[1] = truth_now_ns();
		n = (int)__atomic_fetch_add(&served_cnt, 1, __ATOMIC_RELAXED);
		if (n >= REQUESTS_MAX)
			truth_die("more than %d requests", REQUESTS_MAX);
		served[n] = s;
	}
	close(db);
	close(fd);
	return NULL;
}

static void *serve_all(void *arg)
{
	int listener = (int)(intptr_t)arg;

	for (;;) {
		int one = 1, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		pthread_t thread;

		truth_must(fd, "accept");
		truth_must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)),
			   "TCP_NODELAY");
		if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd))
			truth_die("no thread for a connection");
		pthread_detach(thread);
	}
	return NULL;
}

static void print_one(FILE *f, const struct served *s)
{
	fprintf(f, "{\"side\":\"server\",\"pid\":%d,\"method\":\"%s\",\"path\":", (int)getpid(),
		s->method);
	truth_json_text(f, s->path);
	fprintf(f, ",\"status\":%d,\"start\":[%lld,%lld],\"end\":[%lld,%lld],\"sql\":[", s->status,
		(long long)s->start[0], (long long)s->start[1], (long long)s->end[0],
		(long long)s->end[1]);
	for (int i = 0; i < s->sql_cnt; i++) {
		fprintf(f, "%s{\"text\":", i ? "," : "");
		truth_json_text(f, s->sql[i].shown);
		fprintf(f, ",\"start\":%lld,\"end\":%lld", (long long)s->sql[i].start,
			(long long)s->sql[i].end);
		if (s->sql[i].state[0])
			fprintf(f, ",\"sqlstate\":\"%s\"", s->sql[i].state);
		fputc('}', f);
	}
	fputs("]}\n", f);
}

static void print_pair(FILE *f)
{
	struct timespec ts;
	int64_t boot = truth_now_ns();

	clock_gettime(CLOCK_REALTIME, &ts);
	boot += (truth_now_ns() - boot) / 2;
	fprintf(f, "{\"side\":\"clock\",\"pid\":%d,\"pairs\":[{\"boot\":%lld,\"real\":%lld}]}\n",
		(int)getpid(), (long long)boot, (long long)(ts.tv_sec * 1000000000LL + ts.tv_nsec));
}

int main(int argc, char **argv)
{
	const struct truth_opt opts[] = {
		{ "db-port", .number = &db_port, .min = 1, .help = "of PostgreSQL on this host" },
		{ "truth", .text = &truth_file, .help = "where to write it at the end" },
		{ 0 },
	};
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	pthread_t thread;
	int listener;
	FILE *f;

	truth_options(argc, argv, "A web server that keeps the truth of its requests.", opts);
	served = calloc(REQUESTS_MAX, sizeof(*served));
	f = fopen(truth_file, "w");
	if (!served || !f)
		truth_die("%s: %s", truth_file, strerror(errno));
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = (int)truth_must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
	truth_must(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), "bind");
	truth_must(listen(listener, 128), "listen");
	truth_must(getsockname(listener, (struct sockaddr *)&addr, &len), "getsockname");
	if (pthread_create(&thread, NULL, serve_all, (void *)(intptr_t)listener))
		truth_die("no thread");
	print_pair(f);
	printf("ready 127.0.0.1:%d\n", ntohs(addr.sin_port));
	fflush(stdout);
	truth_wait_line();
	print_pair(f);
	for (unsigned i = 0; i < served_cnt; i++)
		print_one(f, &served[i]);
	fprintf(f, "{\"side\":\"end\",\"pid\":%d,\"requests\":%u}\n", (int)getpid(), served_cnt);
	if (fclose(f))
		truth_die("%s: %s", truth_file, strerror(errno));
	truth_end(0);
}
