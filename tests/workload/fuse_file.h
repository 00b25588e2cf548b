/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A FUSE file system of one file, spoken by hand: mounting it, and the questions that every such
 * file answers alike. What reading and writing do is the including program's.
 */
#ifndef FR_TESTS_FUSE_FILE_H
#define FR_TESTS_FUSE_FILE_H

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define FUSE_FILE_INODE 2u

struct fuse_file {
	const char *program; /* for messages and for the table of mounts */
	uint64_t bytes;
	uint32_t folder_mode, file_mode; /* permissions */
	uint32_t max_write;
	int fd;
};

static void fuse_reply(const struct fuse_file *f, const struct fuse_in_header *in, int err,
		       const void *body, size_t body_bytes)
{
	struct fuse_out_header out = { .len = (uint32_t)(sizeof(out) + body_bytes),
				       .error = err,
				       .unique = in->unique };
	struct iovec parts[] = {
		{ &out, sizeof(out) },
		{ (void *)(uintptr_t)body, body_bytes },
	};

	/* ENOENT: whoever asked has been interrupted */
	if (writev(f->fd, parts, body_bytes ? 2 : 1) < 0 && errno != ENOENT)
		fprintf(stderr, "%s: FUSE reply: %s\n", f->program, strerror(errno));
}

static struct fuse_attr fuse_attr_of(const struct fuse_file *f, uint64_t node)
{
	bool file = node == FUSE_FILE_INODE;

	return (struct fuse_attr){
		.ino = node,
		.mode = file ? S_IFREG | f->file_mode : S_IFDIR | f->folder_mode,
		.nlink = 1,
		.size = file ? f->bytes : 0,
	};
}

static void fuse_reply_attr(const struct fuse_file *f, const struct fuse_in_header *in)
{
	struct fuse_attr_out attr = { .attr = fuse_attr_of(f, in->nodeid) };

	fuse_reply(f, in, 0, &attr, sizeof(attr));
}

/* False: not one of the questions that every file answers alike. */
static bool fuse_serve(const struct fuse_file *f, const struct fuse_in_header *in)
{
	struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION,
				      .minor = FUSE_KERNEL_MINOR_VERSION,
				      .max_write = f->max_write };
	struct fuse_entry_out entry = { .nodeid = FUSE_FILE_INODE,
					.attr = fuse_attr_of(f, FUSE_FILE_INODE) };
	struct fuse_open_out opened = { 0 };

	switch (in->opcode) {
	case FUSE_INIT:
		fuse_reply(f, in, 0, &init, sizeof(init));
		return true;
	case FUSE_LOOKUP:
		fuse_reply(f, in, 0, &entry, sizeof(entry));
		return true;
	case FUSE_GETATTR:
		fuse_reply_attr(f, in);
		return true;
	case FUSE_OPEN:
		fuse_reply(f, in, 0, &opened, sizeof(opened));
		return true;
	}
	return false;
}

/* more: options behind the usual ones, with their comma. 0 or a negative errno. */
static int fuse_mount(struct fuse_file *f, const char *folder, const char *more)
{
	char options[160];

	f->fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (f->fd < 0)
		return -errno;
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0%s", f->fd,
		 more);
	if (mount(f->program, folder, "fuse", MS_NOSUID | MS_NODEV, options))
		return -errno;
	return 0;
}

#endif
