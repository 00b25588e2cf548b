/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * truth_pipe: two threads on one CPU wake each other through two pipes, N rounds. The number of
 * their context switches is known exactly, from the kernel's own counters, taken while both
 * sleep: voluntary + preempted = switches away from that thread between begin_ns and end_ns.
 * on_cpu_ns and run_delay_ns are the kernel's sums over the same time.
 */
#include <pthread.h>
#include <sched.h>

#include "truth.h"

struct player {
	pthread_t thread;
	pid_t tid; /* written by the thread before its first read */
	char name[16];
	int read_fd, write_fd;
	bool serves; /* the one that writes first */
};

static long rounds = 1000;
static long cpu = -1;
static int go_pipe[2]; /* one byte starts the serving player, one more ends it */
static int done_pipe[2];

static void pin(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		truth_die("cannot run on CPU %ld: %s; give another --cpu", cpu, strerror(errno));
}

static bool take(int fd)
{
	char c;

	return read(fd, &c, 1) == 1;
}

static bool give(int fd)
{
	return write(fd, "x", 1) == 1;
}

static void *play(void *arg)
{
	struct player *p = arg;
	bool ok = true;

	pin();
	pthread_setname_np(pthread_self(), p->name);
	__atomic_store_n(&p->tid, truth_tid(), __ATOMIC_RELEASE); /* pairs with start */
	if (p->serves)
		take(go_pipe[0]);
	for (long i = 0; i < rounds && ok; i++)
		ok = p->serves ? give(p->write_fd) && take(p->read_fd)
			       : take(p->read_fd) && give(p->write_fd);
	if (!ok)
		truth_die("a pipe failed: %s", strerror(errno));
	if (p->serves) {
		give(done_pipe[1]);
		take(go_pipe[0]);
		give(p->write_fd); /* lets the other one go, too */
	} else {
		take(p->read_fd);
	}
	return NULL;
}

static void start(struct player *p)
{
	if (pthread_create(&p->thread, NULL, play, p))
		truth_die("cannot start a thread");
	while (!__atomic_load_n(&p->tid, __ATOMIC_ACQUIRE)) /* pairs with play */
		truth_sleep_ms(1);
}

static void show(const struct player *p, struct truth_sched a, struct truth_sched b, bool last)
{
	printf("{\"tid\":%d,\"name\":\"%s\",\"switches\":%lld,\"voluntary\":%lld,"
	       "\"preempted\":%lld,\"stints\":%lld,\"on_cpu_ns\":%lld,\"run_delay_ns\":%lld}%s",
	       (int)p->tid, p->name,
	       (long long)(b.voluntary_cnt + b.preempted_cnt - a.voluntary_cnt - a.preempted_cnt),
	       (long long)(b.voluntary_cnt - a.voluntary_cnt),
	       (long long)(b.preempted_cnt - a.preempted_cnt),
	       (long long)(b.stints_cnt - a.stints_cnt), (long long)(b.on_cpu_ns - a.on_cpu_ns),
	       (long long)(b.run_delay_ns - a.run_delay_ns), last ? "" : ",");
}

static long last_cpu(void)
{
	cpu_set_t set;

	truth_must(sched_getaffinity(0, sizeof(set), &set), "sched_getaffinity");
	for (long i = CPU_SETSIZE - 1; i >= 0; i--)
		if (CPU_ISSET((size_t)i, &set))
			return i;
	return 0;
}

int main(int argc, char **argv)
{
	const struct truth_opt opts[] = {
		{ .name = "rounds", .number = &rounds, .min = 1, .help = "there and back again" },
		{ .name = "cpu",
		  .number = &cpu,
		  .min = 0,
		  .help = "of both; -1: the last allowed" },
		{ 0 },
	};
	struct player a = { .name = "pipe-ping", .serves = true }, b = { .name = "pipe-pong" };
	struct truth_sched a0, a1, b0, b1;
	int there[2], back[2];
	int64_t begin_ns, end_ns;

	truth_options(argc, argv, "Two threads wake each other through pipes on one CPU.", opts);
	if (cpu < 0)
		cpu = last_cpu();
	if (pipe(there) || pipe(back) || pipe(go_pipe) || pipe(done_pipe))
		truth_die("no pipe: %s", strerror(errno));
	a.read_fd = back[0], a.write_fd = there[1];
	b.read_fd = there[0], b.write_fd = back[1];
	start(&b);
	start(&a);
	truth_ready();

	a0 = truth_settle(a.tid);
	b0 = truth_settle(b.tid);
	begin_ns = truth_now_ns();
	give(go_pipe[1]);
	take(done_pipe[0]);
	a1 = truth_settle(a.tid);
	b1 = truth_settle(b.tid);
	end_ns = truth_now_ns();

	printf("{\"program\":\"truth_pipe\",\"pid\":%d,\"cpu\":%ld,\"rounds\":%ld,"
	       "\"begin_ns\":%lld,\"end_ns\":%lld,\"threads\":[",
	       (int)getpid(), cpu, rounds, (long long)begin_ns, (long long)end_ns);
	show(&a, a0, a1, false);
	show(&b, b0, b1, true);
	printf("]}\n");
	truth_done();
	give(go_pipe[1]);
	pthread_join(a.thread, NULL);
	pthread_join(b.thread, NULL);
	return 0;
}
