/* SPDX-License-Identifier: BSD-2-Clause */
#include "dumper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "dump_run.h"
#include "formats/base/log.h"

/* Dumps are written behind whatever else wants the disk; CPU priority stays the daemon's. */
static void lower_io_priority(void)
{
	int value = IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 7);

	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, value))
		fr_debug("dumper: I/O priority: %s, ignoring", strerror(errno));
}

/*
 * Where the kernel groups tasks by session (autogroup), a nice value counts in its session only:
 * against a load of another one the dumper would get half of a CPU. In a session of its own it
 * gives the group its own value. Not there, or not allowed: as it was.
 */
static void carry_priority(int nice)
{
	int fd = setsid() < 0 ? -1 : open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (dprintf(fd, "%d", nice) < 0)
		fr_debug("dumper: priority of its session: %s, ignoring", strerror(errno));
	close(fd);
}

static uint64_t used_cpu_ns(void)
{
	static const int whos[] = { RUSAGE_SELF, RUSAGE_CHILDREN };
	uint64_t ns = 0;
	struct rusage u;

	for (size_t i = 0; i < sizeof(whos) / sizeof(whos[0]); i++)
		if (!getrusage(whos[i], &u))
			ns += (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000u +
			      (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000u;
	return ns;
}

/* In the child. The daemon reads the result from the pipe, so a short write is all it ever sees. */
static _Noreturn void child(const struct fr_recorder *rec, const struct fr_dump_job *job,
			    int out_fd)
{
	struct fr_dump_result result = { 0 };
	ssize_t n;

	/* killed with the daemon: nothing stays attached, and its file stays incomplete */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fr_recorder_forked(rec);
	lower_io_priority();
	carry_priority(rec->config.nice);
	fr_dump_run(rec, job, &result);
	result.cpu_ns = used_cpu_ns();
	n = write(out_fd, &result, sizeof(result));
	_exit(n == sizeof(result) ? 0 : 1);
}

pid_t fr_dumper_start(const struct fr_recorder *rec, const struct fr_dump_job *job,
		      int *ret_result_fd)
{
	int fds[2], err;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	pid = fork();
	if (pid < 0) {
		err = -errno;
		close(fds[0]);
		close(fds[1]);
		return err;
	}
	if (!pid) {
		close(fds[0]);
		child(rec, job, fds[1]);
	}
	close(fds[1]);
	*ret_result_fd = fds[0];
	return pid;
}
