/* SPDX-License-Identifier: BSD-2-Clause */
#include "out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMP_TRIES 100

int fr_out_open_fd(struct fr_out *ret_out, int fd)
{
	struct fr_out o = { .fd = fd };

	o.data = malloc(FR_OUT_BUF_BYTES);
	if (!o.data)
		return -ENOMEM;
	o.at = o.data;
	o.end = o.data + FR_OUT_BUF_BYTES;
	*ret_out = o;
	return 0;
}

/* Opens a new file beside o->path, with the permission bits that the file would get or has. */
static int open_temp(struct fr_out *o, const struct stat *old)
{
	size_t temp_bytes = strlen(o->path) + 48;
	unsigned int i;

	o->temp_path = malloc(temp_bytes);
	if (!o->temp_path)
		return -ENOMEM;
	for (i = 0; i < TEMP_TRIES; i++) {
		snprintf(o->temp_path, temp_bytes, "%s.part-%ld-%u", o->path, (long)getpid(), i);
		o->fd = open(o->temp_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (o->fd >= 0 || errno != EEXIST)
			break;
	}
	if (o->fd < 0)
		return -errno;
	/* whoever restricted the old file's readers means the new one too */
	if (old && fchmod(o->fd, old->st_mode & 0777)) {
		int err = -errno;

		unlink(o->temp_path);
		close(o->fd);
		return err;
	}
	return 0;
}

/* What is there decides: a regular file (or none) is replaced as a whole, the rest written into. */
static int open_path(struct fr_out *o, const char *path)
{
	struct stat st;
	bool exists = !stat(path, &st);

	if (!path[0])
		return -ENOENT; /* stat() says so too, but the temporary name would not be empty */
	if (!exists && errno != ENOENT)
		return -errno;
	if (exists && S_ISDIR(st.st_mode))
		return -EISDIR;
	if (exists && !S_ISREG(st.st_mode)) {
		o->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		return o->fd < 0 ? -errno : 0;
	}
	if (exists)
		o->path = realpath(path, NULL); /* a symbolic link stays one */
	else if (!lstat(path, &st))
		return -ENOENT; /* a symbolic link to nothing: renaming would replace the link */
	else
		o->path = strdup(path);
	if (!o->path)
		return -errno;
	return open_temp(o, exists ? &st : NULL);
}

static void free_all(struct fr_out *o)
{
	free(o->data);
	free(o->path);
	free(o->temp_path);
	*o = (struct fr_out){ .fd = -1 };
}

int fr_out_open(struct fr_out *ret_out, const char *path)
{
	struct fr_out o;
	int err;

	if (!strcmp(path, "-"))
		return fr_out_open_fd(ret_out, STDOUT_FILENO);
	err = fr_out_open_fd(&o, -1);
	if (err)
		return err;
	o.owns_fd = true;
	err = open_path(&o, path);
	if (err) {
		free_all(&o);
		return err;
	}
	*ret_out = o;
	return 0;
}

/* A pipe that somebody set to non-blocking: wait for its reader. */
static int wait_writable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	if (poll(&p, 1, -1) < 0 && errno != EINTR)
		return -errno;
	return 0;
}

static int write_all(int fd, const char *data, size_t data_bytes, uint64_t *done_bytes)
{
	ssize_t written;
	int err;

	while (data_bytes) {
		written = write(fd, data, data_bytes);
		if (written > 0) {
			data += written;
			data_bytes -= (size_t)written;
			*done_bytes += (uint64_t)written;
			continue;
		}
		if (written < 0 && errno == EINTR)
			continue;
		if (!written)
			return -EIO; /* a device that takes nothing would keep us here for ever */
		if (errno != EAGAIN)
			return -errno;
		err = wait_writable(fd);
		if (err)
			return err;
	}
	return 0;
}

static void latch(struct fr_out *o, int err)
{
	if (!o->err)
		o->err = err;
}

int fr_out_flush(struct fr_out *o)
{
	if (!o->err)
		latch(o, write_all(o->fd, o->data, (size_t)(o->at - o->data), &o->flushed_bytes));
	o->at = o->data;
	return o->err;
}

char *fr_out_make_room(struct fr_out *o)
{
	fr_out_flush(o);
	return o->at;
}

void fr_out_add(struct fr_out *o, const void *data, size_t data_bytes)
{
	if (!data_bytes)
		return;
	if (data_bytes > (size_t)(o->end - o->at)) {
		fr_out_flush(o);
		/* larger than the buffer: copying it there first would gain nothing */
		if (data_bytes >= FR_OUT_BUF_BYTES) {
			if (!o->err)
				latch(o, write_all(o->fd, data, data_bytes, &o->flushed_bytes));
			return;
		}
	}
	memcpy(o->at, data, data_bytes);
	o->at += data_bytes;
}

void fr_out_add_str(struct fr_out *o, const char *s)
{
	fr_out_add(o, s, strlen(s));
}

void fr_out_add_buf(struct fr_out *o, struct fr_buf *b)
{
	fr_out_add(o, b->data, b->len_bytes);
	latch(o, b->err);
	fr_buf_clear(b);
}

uint64_t fr_out_bytes(const struct fr_out *o)
{
	return o->flushed_bytes + (uint64_t)(o->at - o->data);
}

int fr_out_close(struct fr_out *o)
{
	int err;

	fr_out_flush(o);
	/* some file systems report a failed write only here */
	if (o->owns_fd && o->fd >= 0 && close(o->fd))
		latch(o, -errno);
	if (!o->err && o->path && rename(o->temp_path, o->path))
		latch(o, -errno);
	if (o->err && o->temp_path)
		unlink(o->temp_path);
	err = o->err;
	free_all(o);
	return err;
}

void fr_out_abort(struct fr_out *o)
{
	if (o->owns_fd && o->fd >= 0)
		close(o->fd);
	if (o->temp_path)
		unlink(o->temp_path);
	free_all(o);
}
