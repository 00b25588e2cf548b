/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slow_disk FOLDER MEGABYTES DELAY_MS: a FUSE file system on FOLDER with one file, "disk", whose
 * writes take DELAY_MS each: under a loop device, a disk that really is slow. What it holds lies in
 * memory. Prints "ready", runs until FOLDER is unmounted. Exit code 77: no FUSE here.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define DISK_INODE 2u
#define WRITE_MAX (128u << 10)

static int fuse_fd;
static uint8_t *disk;
static uint64_t disk_bytes;
static long delay_ms;

static void reply(const struct fuse_in_header *in, int err, const void *body, size_t body_bytes)
{
	struct fuse_out_header out = { .len = (uint32_t)(sizeof(out) + body_bytes),
				       .error = err,
				       .unique = in->unique };
	struct iovec parts[] = {
		{ &out, sizeof(out) },
		{ (void *)(uintptr_t)body, body_bytes },
	};

	if (writev(fuse_fd, parts, body_bytes ? 2 : 1) < 0 && errno != ENOENT)
		fprintf(stderr, "slow_disk: FUSE reply: %s\n", strerror(errno));
}

static struct fuse_attr attr_of(uint64_t node)
{
	return (struct fuse_attr){
		.ino = node,
		.mode = node == DISK_INODE ? S_IFREG | 0600 : S_IFDIR | 0700,
		.nlink = 1,
		.size = node == DISK_INODE ? disk_bytes : 0,
	};
}

static uint64_t within(uint64_t off, uint64_t bytes)
{
	if (off >= disk_bytes)
		return 0;
	return bytes < disk_bytes - off ? bytes : disk_bytes - off;
}

static void serve_write(const struct fuse_in_header *in, const struct fuse_write_in *w)
{
	struct fuse_write_out out = { .size = (uint32_t)within(w->offset, w->size) };
	struct timespec delay = { .tv_sec = delay_ms / 1000, .tv_nsec = delay_ms % 1000 * 1000000 };

	nanosleep(&delay, NULL);
	memcpy(disk + w->offset, w + 1, out.size);
	reply(in, 0, &out, sizeof(out));
}

static void serve(const struct fuse_in_header *in)
{
	struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION,
				      .minor = FUSE_KERNEL_MINOR_VERSION,
				      .max_write = WRITE_MAX };
	struct fuse_entry_out entry = { .nodeid = DISK_INODE, .attr = attr_of(DISK_INODE) };
	struct fuse_attr_out attr = { .attr = attr_of(in->nodeid) };
	struct fuse_open_out opened = { 0 };
	struct fuse_read_in r;

	switch (in->opcode) {
	case FUSE_INIT:
		reply(in, 0, &init, sizeof(init));
		return;
	case FUSE_LOOKUP:
		reply(in, 0, &entry, sizeof(entry));
		return;
	case FUSE_GETATTR:
	case FUSE_SETATTR:
		reply(in, 0, &attr, sizeof(attr));
		return;
	case FUSE_OPEN:
		reply(in, 0, &opened, sizeof(opened));
		return;
	case FUSE_READ:
		memcpy(&r, in + 1, sizeof(r));
		reply(in, 0, disk + r.offset, within(r.offset, r.size));
		return;
	case FUSE_WRITE:
		serve_write(in, (const void *)(in + 1));
		return;
	case FUSE_FSYNC:
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		reply(in, 0, NULL, 0);
		return;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return;
	default:
		reply(in, -ENOSYS, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	static char buf[WRITE_MAX + 4096] __attribute__((aligned(8)));
	char options[128];

	if (argc != 4) {
		fprintf(stderr, "usage: slow_disk FOLDER MEGABYTES DELAY_MS\n");
		return 2;
	}
	disk_bytes = strtoull(argv[2], NULL, 10) << 20;
	delay_ms = strtol(argv[3], NULL, 10);
	disk = calloc(1, disk_bytes + 1);
	fuse_fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse_fd);
	if (!disk || fuse_fd < 0 ||
	    mount("slow_disk", argv[1], "fuse", MS_NODEV | MS_NOSUID, options)) {
		fprintf(stderr, "slow_disk: no FUSE here: %s\n", strerror(errno));
		return 77;
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		if (read(fuse_fd, buf, sizeof(buf)) > 0)
			serve((const void *)buf);
		else if (errno != EINTR && errno != ENOENT)
			return errno != ENODEV; /* unmounted */
	}
}
