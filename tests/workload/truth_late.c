/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * truth_late: a thread that takes long over its very end. It is in no list of threads any more, but
 * has yet to throw away what /proc remembers of it, which is much; then two others that keep its
 * CPU busy and switching become real-time threads, so that the kernel lets it go on only for the
 * last twentieth of each second, which is not enough. Its truth is printed --laps-ms after it is in
 * no list any more: one JSON object,
 *   program, pid, tid (the late thread), comm (its name), cpu, gone_ns (in no list from then on)
 * The name was given before "ready": no record of a recorder that starts later has it.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "truth.h"

#define NAME "late-end"
#define SPIN_NS 8000 /* of work between two switches, so that rings last a while */

static int begin_end[2], ball[2][2];
static pid_t late_tid, player_tids[2];

static void pin(long cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		truth_die("cannot run on CPU %ld: %s; give another --cpu", cpu, strerror(errno));
}

static void *late_thread(void *arg)
{
	char c;

	(void)arg;
	prctl(PR_SET_NAME, NAME);
	truth_must(setpriority(PRIO_PROCESS, 0, 19), "setpriority");
	__atomic_store_n(&late_tid, truth_tid(), __ATOMIC_RELEASE);
	truth_must(read(begin_end[0], &c, 1), "read");
	return NULL;
}

/* To and fro with another one like it. */
static void *player_thread(void *arg)
{
	long me = (long)(intptr_t)arg;
	int64_t until_ns;
	char c = 0;

	prctl(PR_SET_NAME, "late-player");
	__atomic_store_n(&player_tids[me], truth_tid(), __ATOMIC_RELEASE);
	for (;;) {
		truth_must(read(ball[me][0], &c, 1), "read");
		for (until_ns = truth_now_ns() + SPIN_NS; truth_now_ns() < until_ns;)
			;
		truth_must(write(ball[!me][1], &c, 1), "write");
	}
	return NULL;
}

static void give_players_all(void)
{
	struct sched_param param = { .sched_priority = 1 };

	for (int i = 0; i < 2; i++)
		truth_must(sched_setscheduler(player_tids[i], SCHED_FIFO, &param), "setscheduler");
}

static void start(void *(*run)(void *), long arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, (void *)(intptr_t)arg))
		truth_die("cannot make a thread");
	pthread_detach(thread);
}

/* Looks at each of the thread's descriptors, so that /proc remembers them as this thread's. */
static void be_remembered(pid_t tid, long fds)
{
	static const char *const kinds[] = { "self/task/%d/fd/%d", "self/task/%d/fdinfo/%d",
					     "%d/fd/%d", "%d/fdinfo/%d" };
	struct rlimit lim;
	char path[96];
	struct stat st;

	truth_must(getrlimit(RLIMIT_NOFILE, &lim), "getrlimit");
	lim.rlim_cur = lim.rlim_max;
	truth_must(setrlimit(RLIMIT_NOFILE, &lim), "setrlimit");
	if ((rlim_t)fds > lim.rlim_max - 64)
		fds = (long)lim.rlim_max - 64;
	for (int fd = 0; fd < fds; fd = (int)truth_must(dup(0), "dup"))
		;
	truth_must(chdir("/proc"), "chdir");
	for (int fd = 3; fd < fds; fd++) {
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
			snprintf(path, sizeof(path), kinds[i], (int)tid, fd);
			truth_must(lstat(path, &st), path);
		}
	}
}

int main(int argc, char **argv)
{
	static long fds = 15000, laps_ms = 1050, cpu;
	const struct truth_opt opts[] = {
		{ .name = "fds", .number = &fds, .min = 100, .help = "at most so many open files" },
		{ .name = "laps-ms", .number = &laps_ms, .min = 0, .help = "to wait at the end" },
		{ .name = "cpu", .number = &cpu, .min = 0, .help = "of the late thread" },
		{ 0 },
	};
	cpu_set_t anywhere;
	int64_t gone_ns;

	truth_options(argc, argv, "A thread that takes long over its end.", opts);
	truth_must(pipe2(begin_end, O_CLOEXEC), "pipe");
	truth_must(pipe2(ball[0], O_CLOEXEC), "pipe");
	truth_must(pipe2(ball[1], O_CLOEXEC), "pipe");
	truth_must(sched_getaffinity(0, sizeof(anywhere), &anywhere), "getaffinity");
	pin(cpu);
	start(late_thread, 0);
	while (!__atomic_load_n(&late_tid, __ATOMIC_ACQUIRE))
		truth_sleep_ms(1);
	be_remembered(late_tid, fds);
	truth_ready();
	for (long i = 0; i < 2; i++)
		start(player_thread, i);
	truth_must(sched_setaffinity(0, sizeof(anywhere), &anywhere), "setaffinity");
	while (!__atomic_load_n(&player_tids[0], __ATOMIC_ACQUIRE) ||
	       !__atomic_load_n(&player_tids[1], __ATOMIC_ACQUIRE))
		truth_sleep_ms(1);
	truth_must(write(ball[0][1], "", 1), "write");
	truth_must(write(begin_end[1], "", 1), "write");
	/* not by /proc: whoever finds it gone there throws away what is left of it */
	while (!syscall(SYS_tgkill, getpid(), late_tid, 0))
		truth_sleep_ms(1);
	gone_ns = truth_now_ns();
	give_players_all();
	truth_sleep_ms(laps_ms);
	printf("{\"program\":\"truth_late\",\"pid\":%d,\"tid\":%d,\"comm\":\"%s\",\"cpu\":%ld,"
	       "\"gone_ns\":%lld}\n",
	       (int)getpid(), (int)late_tid, NAME, cpu, (long long)gone_ns);
	truth_done();
	return 0;
}
