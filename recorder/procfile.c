/* SPDX-License-Identifier: BSD-2-Clause */
#include "procfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

ssize_t fr_procfile_read(int proc_fd, uint32_t pid, const char *file, char *buf, size_t buf_bytes)
{
	char name[32];
	ssize_t n;
	int fd;

	buf[0] = '\0';
	snprintf(name, sizeof(name), "%u/%s", pid, file);
	fd = openat(proc_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, buf_bytes - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n;
}
