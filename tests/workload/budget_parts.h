/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For budget_server.c: work of known kinds, and what a thread's time went into, by the kernel's own
 * counts: the time that it had a CPU (perf's task clock), the summed run-queue wait of schedstat,
 * and the clock. What is neither is the wait that the work is there for.
 *
 * Not CLOCK_THREAD_CPUTIME_ID: it leaves out what a hypervisor took away meanwhile (and interrupts,
 * where the kernel counts them apart), a millisecond now and then, which then looks like waiting.
 */
#ifndef FR_BUDGET_PARTS_H
#define FR_BUDGET_PARTS_H

#include <fcntl.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>

#include "truth.h"

#define BLOCK_BYTES (16 << 20)
#define FILE_BLOCKS 2
/* Inodes between those of two workers: in one block they would wait for each other's lock on it. */
#define NEIGHBOURS 31

enum part { PART_NETWORK, PART_DISK, PART_SYNC, PART_OTHER, PART_NONE, PART_CNT };

/* A moment of one thread. */
struct meter {
	int64_t wall_ns, cpu_ns, delay_ns;
};

#define MOMENT_NS 20000	 /* in which a meter is to be read */
#define MOMENT_TRIES 100 /* then the shortest counts */

struct parts {
	int64_t cpu_ns, delay_ns;
	int64_t wait_ns[PART_CNT]; /* NONE: of work that does not wait */
	int64_t doubt_ns;	   /* how long the reading of the meters took */
};

struct worker {
	int schedstat_fd, task_clock_fd, pg_fd, file_fd;
	int neighbours[NEIGHBOURS];
	void *block;
	/* a thread that holds the lock, and one that wants the CPU, for as long as they are told */
	pthread_t holder, hog;
	pthread_mutex_t lock;
	sem_t hold, held;
	int64_t hold_ns;
	sem_t hog_go;
	volatile bool hog_stop;
	bool ending;
	struct parts sum; /* of the request in hand */
	struct meter mark;
};

static inline int64_t thread_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static inline int64_t delay_ns(const struct worker *w)
{
	char text[128], *rest = text;
	ssize_t got = pread(w->schedstat_fd, text, sizeof(text) - 1, 0);

	if (got <= 0)
		truth_die("schedstat of a thread cannot be read: %s", strerror(errno));
	text[got] = '\0';
	(void)strtoll(rest, &rest, 10);
	return strtoll(rest, &rest, 10);
}

static inline int open_task_clock(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_TASK_CLOCK,
	};
	long fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		fprintf(stderr, "%s: SKIP: perf's task clock: %s\n", truth_name, strerror(errno));
	if (fd < 0)
		truth_end(TRUTH_SKIP);
	return (int)fd;
}

static inline int64_t on_cpu_ns(const struct worker *w)
{
	uint64_t ns;

	if (read(w->task_clock_fd, &ns, sizeof(ns)) != sizeof(ns))
		truth_die("the task clock cannot be read: %s", strerror(errno));
	return (int64_t)ns;
}

/*
 * All three of one moment: again, if the thread lost its CPU in between, or an interrupt or the
 * hypervisor took it for longer. The clock is read between the two looks at the task clock.
 */
static inline int64_t read_meter(const struct worker *w, struct meter *m)
{
	int64_t best_ns = INT64_MAX, took_ns;
	struct meter now;

	for (int i = 0; i < MOMENT_TRIES && best_ns > MOMENT_NS; i++) {
		now.delay_ns = delay_ns(w);
		now.cpu_ns = on_cpu_ns(w);
		now.wall_ns = truth_now_ns();
		took_ns = on_cpu_ns(w) - now.cpu_ns;
		if (took_ns >= best_ns || delay_ns(w) != now.delay_ns)
			continue;
		best_ns = took_ns;
		*m = now;
	}
	if (best_ns == INT64_MAX)
		truth_die("no moment in %d tries in which the thread kept its CPU", MOMENT_TRIES);
	return best_ns;
}

/* What went by since the last call was work of this kind. */
static inline void mark(struct worker *w, enum part kind)
{
	struct meter now;
	int64_t ran_ns, queued_ns;

	w->sum.doubt_ns += read_meter(w, &now);
	ran_ns = now.cpu_ns - w->mark.cpu_ns;
	queued_ns = now.delay_ns - w->mark.delay_ns;
	w->sum.cpu_ns += ran_ns;
	w->sum.delay_ns += queued_ns;
	w->sum.wait_ns[kind] += now.wall_ns - w->mark.wall_ns - ran_ns - queued_ns;
	w->mark = now;
}

/* ---- work ----------------------------------------------------------------------------------- */

static inline void burn(int64_t ns)
{
	int64_t end_ns = thread_cpu_ns() + ns;

	while (thread_cpu_ns() < end_ns)
		;
}

static inline void work_cpu(struct worker *w, long ms)
{
	burn(ms * 1000000);
	mark(w, PART_NONE);
}

static inline void *holder_main(void *arg)
{
	struct worker *w = arg;
	struct timespec ts;

	for (;;) {
		sem_wait(&w->hold);
		if (w->ending)
			return NULL;
		pthread_mutex_lock(&w->lock);
		sem_post(&w->held);
		ts = (struct timespec){ .tv_nsec = w->hold_ns };
		nanosleep(&ts, NULL);
		pthread_mutex_unlock(&w->lock);
	}
}

/* Waits for a lock that another thread holds for so long. */
static inline void work_lock(struct worker *w, long ms)
{
	w->hold_ns = ms * 1000000;
	sem_post(&w->hold);
	while (sem_wait(&w->held))
		;
	pthread_mutex_lock(&w->lock);
	pthread_mutex_unlock(&w->lock);
	mark(w, PART_OTHER);
}

static inline void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set))
		truth_die("a thread cannot be bound to CPU %d", cpu);
}

/*
 * Each worker has its CPU. A thread that sleeps may stay in the run queue for a while (since Linux
 * 6.12); if it is moved to another CPU's meanwhile, schedstat counts the rest of its sleep as
 * waiting for a CPU: 20 of the 24 ms that one waited for a pg_sleep of 20 ms.
 */
static inline void pin_one_of_all(int nth)
{
	cpu_set_t all;
	int cpu = 0;

	if (pthread_getaffinity_np(pthread_self(), sizeof(all), &all))
		truth_die("the CPUs that may be used cannot be read");
	for (nth %= CPU_COUNT(&all); nth || !CPU_ISSET(cpu, &all); cpu++)
		nth -= CPU_ISSET(cpu, &all) != 0;
	pin(cpu);
}

static inline void *hog_main(void *arg)
{
	struct worker *w = arg;

	pin(0);
	for (;;) {
		sem_wait(&w->hog_go);
		if (w->ending)
			return NULL;
		while (!w->hog_stop)
			;
	}
}

/* Burns while another thread wants the same CPU all the time. */
static inline void work_hog(struct worker *w, long ms)
{
	cpu_set_t before;

	pthread_getaffinity_np(pthread_self(), sizeof(before), &before);
	w->hog_stop = false;
	pin(0);
	sem_post(&w->hog_go);
	burn(ms * 1000000);
	w->hog_stop = true;
	pthread_setaffinity_np(pthread_self(), sizeof(before), &before);
	mark(w, PART_NONE);
}

static inline void write_block(const struct worker *w, long i)
{
	if (pwrite(w->file_fd, w->block, BLOCK_BYTES, i % FILE_BLOCKS * BLOCK_BYTES) != BLOCK_BYTES)
		truth_die("a write failed: %s", strerror(errno));
}

/* So many blocks, each of them on the disk when its write returns; then their metadata. */
static inline void work_disk(struct worker *w, long blocks)
{
	for (long i = 0; i < blocks; i++)
		write_block(w, i);
	mark(w, PART_DISK);
	truth_must(fsync(w->file_fd), "fsync");
	mark(w, PART_SYNC);
}

/* ---- PostgreSQL's simple protocol ----------------------------------------------------------- */

static inline void pg_await_ready(int fd)
{
	static const uint8_t ready[6] = { 'Z', 0, 0, 0, 5, 'I' };
	uint8_t buf[8192];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t got, have = 0;

	for (;;) {
		/* as libpq waits */
		truth_must(poll(&p, 1, -1), "poll");
		got = read(fd, buf + have, sizeof(buf) - (size_t)have);
		if (got <= 0)
			truth_die("the database hung up");
		have += got;
		if (have >= 6 && !memcmp(buf + have - 6, ready, 6))
			break;
		if (have == sizeof(buf))
			truth_die("the database says too much");
	}
	if (memchr("E", buf[0], 1) && buf[0] == 'E')
		truth_die("the database refuses: %.200s", buf + 5);
}

static inline void pg_put32(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 24);
	at[1] = (uint8_t)(v >> 16);
	at[2] = (uint8_t)(v >> 8);
	at[3] = (uint8_t)v;
}

static inline void pg_start(int fd)
{
	static const char who[] = "user\0postgres\0database\0postgres\0";
	uint8_t msg[8 + sizeof(who)] = { 0 };

	pg_put32(msg, sizeof(msg));
	pg_put32(msg + 4, 3 << 16);
	memcpy(msg + 8, who, sizeof(who));
	truth_must(write(fd, msg, sizeof(msg)), "write to the database");
	pg_await_ready(fd);
}

static inline void work_sql(struct worker *w, long ms)
{
	uint8_t msg[128] = { 'Q' };
	int text_bytes = snprintf((char *)msg + 5, sizeof(msg) - 5, "select pg_sleep(%ld.%03ld)",
				  ms / 1000, ms % 1000);

	pg_put32(msg + 1, (uint32_t)text_bytes + 5);
	mark(w, PART_NONE);
	truth_must(write(w->pg_fd, msg, (size_t)text_bytes + 6), "write to the database");
	pg_await_ready(w->pg_fd);
	mark(w, PART_NETWORK);
}

#endif
