/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slow_disk FOLDER MEGABYTES DELAY_MS: a FUSE file system on FOLDER with one file, "disk", whose
 * writes take DELAY_MS each: under a loop device, a disk that really is slow. What it holds lies in
 * memory. Prints "ready", runs until FOLDER is unmounted. Exit code 77: no FUSE here.
 */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "fuse_file.h"

#define WRITE_MAX (128u << 10)

static struct fuse_file file = {
	.program = "slow_disk",
	.folder_mode = 0700,
	.file_mode = 0600,
	.max_write = WRITE_MAX,
};
static uint8_t *disk;
static long delay_ms;

static uint64_t within(uint64_t off, uint64_t bytes)
{
	if (off >= file.bytes)
		return 0;
	return bytes < file.bytes - off ? bytes : file.bytes - off;
}

static void serve_write(const struct fuse_in_header *in, const struct fuse_write_in *w)
{
	struct fuse_write_out out = { .size = (uint32_t)within(w->offset, w->size) };
	struct timespec delay = { .tv_sec = delay_ms / 1000, .tv_nsec = delay_ms % 1000 * 1000000 };

	nanosleep(&delay, NULL);
	memcpy(disk + w->offset, w + 1, out.size);
	fuse_reply(&file, in, 0, &out, sizeof(out));
}

static void serve(const struct fuse_in_header *in)
{
	struct fuse_read_in r;

	if (fuse_serve(&file, in))
		return;
	switch (in->opcode) {
	case FUSE_SETATTR:
		fuse_reply_attr(&file, in);
		return;
	case FUSE_READ:
		memcpy(&r, in + 1, sizeof(r));
		fuse_reply(&file, in, 0, disk + r.offset, within(r.offset, r.size));
		return;
	case FUSE_WRITE:
		serve_write(in, (const void *)(in + 1));
		return;
	case FUSE_FSYNC:
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		fuse_reply(&file, in, 0, NULL, 0);
		return;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return;
	default:
		fuse_reply(&file, in, -ENOSYS, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	static char buf[WRITE_MAX + 4096] __attribute__((aligned(8)));
	int err;

	if (argc != 4) {
		fprintf(stderr, "usage: slow_disk FOLDER MEGABYTES DELAY_MS\n");
		return 2;
	}
	file.bytes = strtoull(argv[2], NULL, 10) << 20;
	delay_ms = strtol(argv[3], NULL, 10);
	disk = calloc(1, file.bytes + 1);
	err = disk ? fuse_mount(&file, argv[1], "") : -ENOMEM;
	if (err) {
		fprintf(stderr, "slow_disk: no FUSE here: %s\n", strerror(-err));
		return 77;
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		if (read(file.fd, buf, sizeof(buf)) > 0)
			serve((const void *)buf);
		else if (errno != EINTR && errno != ENOENT)
			return errno != ENODEV; /* unmounted */
	}
}
