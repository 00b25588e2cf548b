/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * budget_server: an HTTP server, a thread for each connection, whose requests spend their time in
 * known ways, and a client of its own (another process) that asks for each of them in turn on every
 * connection.
 *
 *	GET /cpu/MS/ID    burns so much CPU time
 *	GET /sql/MS/ID    waits for pg_sleep in PostgreSQL
 *	GET /disk/N/ID    writes N blocks through to the disk, then fsync
 *	GET /lock/MS/ID   waits for a lock that another thread holds
 *	GET /hog/MS/ID    burns on a CPU that another thread wants, too
 *	GET /mix/MS/ID    all of them, one after the other
 *
 * The truth: "requests" with route, id, tid, start_ns (when its read returned), end_ns (before its
 * response was written) and where the time between went, by the kernel's counts: cpu_ns (it had a
 * CPU), delay_ns (it waited for one), network_ns, disk_ns (synchronous writes), sync_ns (fsync: for
 * the disk, or for others who sync, too), other_ns, lost_ns (of work that does not wait: next to
 * nothing), doubt_ns (how far all that may be off: what reading it took).
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "budget_parts.h"

#define WORKERS_MAX 64
#define ROUTES_MAX 8

static long worker_cnt = 1, rounds = 4, ms = 20, blocks = 3, pg_port;
static const char *dir = ".";
static uint16_t port;
static FILE *truth;
static sem_t workers_ready;
static pthread_mutex_t truth_lock = PTHREAD_MUTEX_INITIALIZER;

static void work_mix(struct worker *w, long each_ms)
{
	work_cpu(w, each_ms);
	work_lock(w, each_ms);
	work_disk(w, blocks);
	if (pg_port)
		work_sql(w, each_ms);
	work_hog(w, each_ms);
}

static const struct route {
	const char *name;
	void (*work)(struct worker *w, long amount);
} routes[] = {
	{ "cpu", work_cpu },   { "sql", work_sql }, { "disk", work_disk },
	{ "lock", work_lock }, { "hog", work_hog }, { "mix", work_mix },
};
#define ROUTE_CNT (sizeof(routes) / sizeof(*routes))

/* ---- server --------------------------------------------------------------------------------- */

static int connect_to(uint16_t to)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(to),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = (int)truth_must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"), on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	truth_must(connect(fd, (void *)&a, sizeof(a)), "connect");
	return fd;
}

static int make_file(void)
{
	char path[4096];
	int fd;

	if (snprintf(path, sizeof(path), "%s/budget.XXXXXX", dir) >= (int)sizeof(path))
		truth_wrong_use("--dir", "too long");
	fd = mkostemp(path, O_CLOEXEC | O_DSYNC);
	if (fd < 0)
		truth_die("cannot make a file in %s: %s; give another --dir", dir, strerror(errno));
	unlink(path);
	return fd;
}

static void open_file(struct worker *w)
{
	static pthread_mutex_t one_by_one = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&one_by_one);
	w->file_fd = make_file();
	for (int i = 0; i < NEIGHBOURS; i++)
		w->neighbours[i] = make_file();
	pthread_mutex_unlock(&one_by_one);
	if (fcntl(w->file_fd, F_SETFL, O_DIRECT) < 0) {
		fprintf(stderr, "%s: SKIP: %s can't do O_DIRECT\n", truth_name, dir);
		truth_end(TRUTH_SKIP);
	}
	if (posix_memalign(&w->block, 4096, BLOCK_BYTES))
		truth_die("no memory for a block");
	memset(w->block, 'b', BLOCK_BYTES);
	/* written once before: what is measured needs no new blocks */
	for (long i = 0; i < FILE_BLOCKS; i++)
		write_block(w, i);
	truth_must(fsync(w->file_fd), "fsync");
}

static void worker_begin(struct worker *w)
{
	static int worker_nth;
	char path[64];

	*w = (struct worker){ .pg_fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER };
	snprintf(path, sizeof(path), "/proc/self/task/%d/schedstat", (int)truth_tid());
	w->schedstat_fd = (int)truth_must(open(path, O_RDONLY | O_CLOEXEC), path);
	w->task_clock_fd = open_task_clock();
	open_file(w);
	sem_init(&w->hold, 0, 0);
	sem_init(&w->held, 0, 0);
	sem_init(&w->hog_go, 0, 0);
	if (pthread_create(&w->holder, NULL, holder_main, w) ||
	    pthread_create(&w->hog, NULL, hog_main, w))
		truth_die("no threads");
	pthread_setname_np(w->holder, "holder");
	pthread_setname_np(w->hog, "hog");
	if (pg_port) {
		w->pg_fd = connect_to((uint16_t)pg_port);
		pg_start(w->pg_fd);
	}
	pin_one_of_all(__atomic_fetch_add(&worker_nth, 1, __ATOMIC_RELAXED));
}

static void worker_end(struct worker *w)
{
	w->ending = true;
	sem_post(&w->hold);
	sem_post(&w->hog_go);
	pthread_join(w->holder, NULL);
	pthread_join(w->hog, NULL);
	close(w->schedstat_fd);
	close(w->task_clock_fd);
	close(w->file_fd);
	for (int i = 0; i < NEIGHBOURS; i++)
		close(w->neighbours[i]);
	if (w->pg_fd >= 0)
		close(w->pg_fd);
	free(w->block);
}

static void note(const struct worker *w, const char *route, const char *id, int64_t start_ns)
{
	static bool more;

	pthread_mutex_lock(&truth_lock);
	fprintf(truth,
		"%s{\"route\":\"%s\",\"id\":\"%s\",\"tid\":%d,\"start_ns\":%lld,\"end_ns\":%lld,"
		"\"cpu_ns\":%lld,\"delay_ns\":%lld,\"network_ns\":%lld,\"disk_ns\":%lld,"
		"\"sync_ns\":%lld,"
		"\"other_ns\":%lld,\"lost_ns\":%lld,\"doubt_ns\":%lld}",
		more ? "," : "", route, id, (int)truth_tid(), (long long)start_ns,
		(long long)w->mark.wall_ns, (long long)w->sum.cpu_ns, (long long)w->sum.delay_ns,
		(long long)w->sum.wait_ns[PART_NETWORK], (long long)w->sum.wait_ns[PART_DISK],
		(long long)w->sum.wait_ns[PART_SYNC], (long long)w->sum.wait_ns[PART_OTHER],
		(long long)w->sum.wait_ns[PART_NONE], (long long)w->sum.doubt_ns);
	more = true;
	pthread_mutex_unlock(&truth_lock);
}

static void serve(struct worker *w, const char *head, int64_t start_ns)
{
	char route[16], id[32];
	long amount;

	if (sscanf(head, "GET /%15[a-z]/%ld/%31[0-9a-z] ", route, &amount, id) != 3)
		truth_die("own request not understood: %.80s", head);
	for (size_t i = 0; i < ROUTE_CNT; i++)
		if (!strcmp(route, routes[i].name))
			routes[i].work(w, amount);
	mark(w, PART_NONE);
	note(w, route, id, start_ns);
}

static void *worker_main(void *arg)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n";
	int fd = (int)(intptr_t)arg;
	char head[2048];
	struct worker w;
	ssize_t got;

	worker_begin(&w);
	sem_post(&workers_ready);
	while ((got = read(fd, head, sizeof(head) - 1)) > 0) {
		w.sum = (struct parts){ .doubt_ns = read_meter(&w, &w.mark) };
		head[got] = '\0';
		if (!strstr(head, "\r\n\r\n"))
			truth_die("own request came in pieces");
		serve(&w, head, w.mark.wall_ns);
		truth_must(write(fd, answer, sizeof(answer) - 1), "write");
	}
	close(fd);
	worker_end(&w);
	return NULL;
}

/* ---- client --------------------------------------------------------------------------------- */

static void ask(int fd, const char *route, long amount, int id)
{
	char text[256];
	int text_bytes = snprintf(text, sizeof(text),
				  "GET /%s/%ld/r%dn%d HTTP/1.1\r\nHost: localhost\r\n\r\n", route,
				  amount, (int)getppid(), id);

	truth_must(write(fd, text, (size_t)text_bytes), "write");
	if (truth_must(read(fd, text, sizeof(text)), "read") < 20 ||
	    memcmp(text, "HTTP/1.1 200", 12))
		truth_die("wrong answer for /%s", route);
}

static int next_id(void)
{
	static int last;

	return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

static void *client_main(void *arg)
{
	int fd = (int)(intptr_t)arg;

	for (long round = 0; round < rounds; round++)
		for (size_t i = 0; i < ROUTE_CNT; i++) {
			const char *name = routes[i].name;

			if (!strcmp(name, "sql") && !pg_port)
				continue;
			ask(fd, name, !strcmp(name, "disk") ? blocks : ms, next_id());
		}
	return NULL;
}

/* Connects, waits for a byte, asks for everything. */
static void client(int go_fd)
{
	pthread_t threads[WORKERS_MAX];
	int fds[WORKERS_MAX];
	char c;

	for (long i = 0; i < worker_cnt; i++)
		fds[i] = connect_to(port);
	if (read(go_fd, &c, 1) != 1)
		_exit(1);
	for (long i = 0; i < worker_cnt; i++)
		if (pthread_create(&threads[i], NULL, client_main, (void *)(intptr_t)fds[i]))
			truth_die("no threads");
	for (long i = 0; i < worker_cnt; i++)
		pthread_join(threads[i], NULL);
	_exit(0);
}

/* ---- both ----------------------------------------------------------------------------------- */

static int listen_here(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = (int)truth_must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
	socklen_t bytes = sizeof(a);

	truth_must(bind(fd, (void *)&a, sizeof(a)), "bind");
	truth_must(listen(fd, WORKERS_MAX), "listen");
	truth_must(getsockname(fd, (void *)&a, &bytes), "getsockname");
	port = ntohs(a.sin_port);
	return fd;
}

static void options(int argc, char **argv)
{
	const struct truth_opt opts[] = {
		{ .name = "threads",
		  .number = &worker_cnt,
		  .min = 1,
		  .help = "connections, each with a thread" },
		{ .name = "rounds",
		  .number = &rounds,
		  .min = 1,
		  .help = "times that each connection asks for everything" },
		{ .name = "ms", .number = &ms, .min = 1, .help = "of each kind of work" },
		{ .name = "blocks", .number = &blocks, .min = 1, .help = "written by /disk" },
		{ .name = "pg-port",
		  .number = &pg_port,
		  .min = 0,
		  .help = "PostgreSQL on loopback; 0: no /sql" },
		{ .name = "dir", .text = &dir, .help = "folder on a disk" },
		{ 0 },
	};

	truth_options(argc, argv, "Serves HTTP requests that spend their time in known ways.",
		      opts);
	if (worker_cnt > WORKERS_MAX)
		truth_wrong_use("--threads", "at most 64");
	if (ms > 900)
		truth_wrong_use("--ms", "at most 900");
}

int main(int argc, char **argv)
{
	pthread_t threads[WORKERS_MAX];
	int go[2], listener, status;
	int64_t begin_ns;
	size_t text_bytes;
	char *text;
	pid_t pid;

	options(argc, argv);
	truth_must(pipe(go), "pipe");
	listener = listen_here();
	sem_init(&workers_ready, 0, 0);
	truth = open_memstream(&text, &text_bytes);
	pid = (pid_t)truth_must(fork(), "fork");
	if (!pid)
		client(go[0]);
	for (long i = 0; i < worker_cnt; i++) {
		int fd = (int)truth_must(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept");

		if (pthread_create(&threads[i], NULL, worker_main, (void *)(intptr_t)fd))
			truth_die("no threads");
	}
	for (long i = 0; i < worker_cnt; i++)
		sem_wait(&workers_ready);
	truth_ready();
	begin_ns = truth_now_ns();
	truth_must(write(go[1], "g", 1), "write");
	truth_must(waitpid(pid, &status, 0), "waitpid");
	if (status)
		truth_die("the client failed");
	for (long i = 0; i < worker_cnt; i++)
		pthread_join(threads[i], NULL);
	fclose(truth);
	printf("{\"program\":\"budget_server\",\"pid\":%d,\"port\":%u,\"threads\":%ld,"
	       "\"begin_ns\":%lld,\"end_ns\":%lld,\"requests\":[%s]}\n",
	       (int)getpid(), port, worker_cnt, (long long)begin_ns, (long long)truth_now_ns(),
	       text);
	free(text);
	truth_done();
	return 0;
}
