/* SPDX-License-Identifier: BSD-2-Clause */
#include "background.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "formats/base/cli.h"
#include "formats/base/log.h"

/* The daemon writes one byte when it records; if it ends before, its parent tells how. */
static void wait_and_exit(int ready_fd, pid_t middle)
{
	unsigned char code = FR_EXIT_IO;
	ssize_t n;

	waitpid(middle, NULL, 0);
	do
		n = read(ready_fd, &code, 1);
	while (n < 0 && errno == EINTR);
	_exit(n == 1 ? code : FR_EXIT_IO);
}

/* Stays between terminal and daemon only until the daemon is known to run or to have failed. */
static void guard_daemon(int ready_fd, pid_t daemon, int tell_fd)
{
	unsigned char code = 0;
	int status;

	if (read(ready_fd, &code, 1) != 1) { /* it ended: nobody else holds the other end */
		waitpid(daemon, &status, 0);
		code = WIFEXITED(status) ? (unsigned char)WEXITSTATUS(status) : FR_EXIT_IO;
	}
	if (write(tell_fd, &code, 1) != 1)
		_exit(FR_EXIT_IO);
	_exit(0);
}

/* In the child of the first process: a session of its own, then the daemon, which is no session
 * leader and so never gets a terminal. */
static int become_daemon(int tell_fd, int *ret_ready_fd)
{
	int ready[2];
	pid_t daemon;

	setsid();
	if (pipe2(ready, O_CLOEXEC))
		_exit(FR_EXIT_IO);
	daemon = fork();
	if (daemon < 0)
		_exit(FR_EXIT_IO);
	if (daemon) {
		close(ready[1]);
		guard_daemon(ready[0], daemon, tell_fd);
	}
	close(ready[0]);
	close(tell_fd);
	*ret_ready_fd = ready[1];
	return 0;
}

int fr_background_start(int *ret_ready_fd)
{
	int tell[2], err;
	pid_t middle;

	fflush(NULL);
	if (pipe2(tell, O_CLOEXEC))
		return -errno;
	middle = fork();
	if (middle < 0) {
		err = -errno;
		close(tell[0]);
		close(tell[1]);
		return err;
	}
	if (!middle) {
		close(tell[0]);
		return become_daemon(tell[1], ret_ready_fd);
	}
	close(tell[1]);
	wait_and_exit(tell[0], middle);
	return 0;
}

void fr_background_ready(int ready_fd)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC), err;

	fflush(NULL);
	if (chdir("/"))
		fr_debug("cannot change to /: %s", strerror(errno));
	if (null_fd >= 0) {
		dup2(null_fd, STDIN_FILENO);
		dup2(null_fd, STDOUT_FILENO);
		/* a file or a pipe still takes messages; a terminal is not ours any more */
		if (isatty(STDERR_FILENO)) {
			err = fr_log_to_system();
			if (err)
				fr_warn("/dev/log: %s; messages are not kept from here on, start "
					"with 2>FILE to have them",
					strerror(-err));
			dup2(null_fd, STDERR_FILENO);
		}
		close(null_fd);
	}
	if (write(ready_fd, "", 1) != 1)
		fr_debug("nobody waits for readiness: %s", strerror(errno));
	close(ready_fd);
}

int fr_pidfile_write(const char *path)
{
	char text[24];
	int fd, n, err = 0;

	if (!path[0])
		return 0;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (fd < 0 || write(fd, text, (size_t)n) != n) {
		err = errno ? -errno : -EIO;
		fr_err("pid file '%s': %s; name another with --pid-file", path, strerror(-err));
	}
	if (fd >= 0)
		close(fd);
	return err;
}

void fr_pidfile_remove(const char *path)
{
	if (path[0] && unlink(path) && errno != ENOENT)
		fr_warn("pid file '%s' stays: %s", path, strerror(errno));
}
