/* SPDX-License-Identifier: BSD-2-Clause */
#include "dumpdir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/base/log.h"

#define FR_LOCK_NAME ".flightrecd.lock"

static int fail(const char *path, int err)
{
	fr_err("dump directory '%s': %s; name one that this user can write to with --dump-dir",
	       path, strerror(-err));
	return err;
}

static int refuse_second(const char *path, int lock_fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	/* l_pid 0 or -1: it ended just now, or sits in another pid namespace */
	if (fcntl(lock_fd, F_GETLK, &lock) || lock.l_type == F_UNLCK || lock.l_pid <= 0)
		fr_err("dump directory '%s' is in use by another flightrecd: stop that one, or use "
		       "another --dump-dir",
		       path);
	else
		fr_err("dump directory '%s' is in use by another flightrecd (pid %d): stop that "
		       "one, or use another --dump-dir",
		       path, (int)lock.l_pid);
	return -EBUSY;
}

/* A lock of the process, not of the open file: children must not keep it. */
static int take_lock(const char *path, int lock_fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (!fcntl(lock_fd, F_SETLK, &lock))
		return 0;
	if (errno == EACCES || errno == EAGAIN)
		return refuse_second(path, lock_fd);
	return fail(path, -errno);
}

int fr_dumpdir_open(const char *path, int *ret_dir_fd, int *ret_lock_fd)
{
	int dir_fd, lock_fd, err;

	if (mkdir(path, 0700) && errno != EEXIST)
		return fail(path, -errno);
	dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return fail(path, -errno);
	lock_fd = openat(dir_fd, FR_LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (lock_fd < 0) {
		err = fail(path, -errno);
		close(dir_fd);
		return err;
	}
	err = take_lock(path, lock_fd);
	if (err) {
		close(lock_fd);
		close(dir_fd);
		return err;
	}
	*ret_dir_fd = dir_fd;
	*ret_lock_fd = lock_fd;
	return 0;
}
