/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * truth_disk: writes a file in blocks past the page cache (O_DIRECT), syncs it, reads it back, and
 * says which device and which sectors of it that were.
 *
 * The truth: dev (of the file system), disk (the whole device that the kernel does I/O on, when
 * sysfs tells; part_sector: where the partition starts on it), write_bytes and read_bytes of this
 * process (/proc/self/io), and "ops" in order: op (write, fsync, read), off, bytes, sector (first
 * one on disk, 512 bytes each; -1: not known), begin_ns, end_ns. The file system may add I/O of its
 * own (journal, metadata), which is not listed; what is listed must be found.
 * Exit code 77: the folder is on no block device or can't do O_DIRECT.
 */
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "truth.h"

#define SECTOR_BYTES 512

static const char *dir = ".";
static long count = 32, block_bytes = 65536, sync_every = 8;
static FILE *ops;
static int file_fd;

struct disk {
	char dev[24], whole[24]; /* "major:minor" */
	long long part_sector;
};

__attribute__((noreturn)) static void skip(const char *why, const char *detail)
{
	fprintf(stderr, "truth_disk: SKIP: %s %s: %s; give a folder on a disk with --dir\n", dir,
		why, detail);
	_exit(TRUTH_SKIP);
}

static void find_disk(dev_t dev, struct disk *d)
{
	char path[128], text[64];

	snprintf(d->dev, sizeof(d->dev), "%u:%u", major(dev), minor(dev));
	if (major(dev) == 0)
		skip("is on no block device", d->dev);
	snprintf(path, sizeof(path), "/sys/dev/block/%s/partition", d->dev);
	if (!truth_read_file(path, text, sizeof(text))) {
		memcpy(d->whole, d->dev, sizeof(d->whole));
		return;
	}
	snprintf(path, sizeof(path), "/sys/dev/block/%s/start", d->dev);
	if (truth_read_file(path, text, sizeof(text)))
		d->part_sector = strtoll(text, NULL, 10);
	snprintf(path, sizeof(path), "/sys/dev/block/%s/../dev", d->dev);
	if (truth_read_file(path, text, sizeof(text)))
		snprintf(d->whole, sizeof(d->whole), "%.*s", (int)strcspn(text, "\n"), text);
}

/* The first sector, on the whole disk, of the block at off; -1 when the file system won't say or
 * the block is not in one piece. */
static long long sector_of(const struct disk *d, long long off)
{
	_Alignas(struct fiemap)
		uint8_t room[sizeof(struct fiemap) + sizeof(struct fiemap_extent)] = { 0 };
	struct fiemap *q = (void *)room;
	const struct fiemap_extent *e = &q->fm_extents[0];
	const uint32_t vague = FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC |
			       FIEMAP_EXTENT_ENCODED | FIEMAP_EXTENT_NOT_ALIGNED;

	q->fm_start = (uint64_t)off;
	q->fm_length = (uint64_t)block_bytes;
	q->fm_extent_count = 1;
	if (ioctl(file_fd, FS_IOC_FIEMAP, q) < 0 || !q->fm_mapped_extents ||
	    (e->fe_flags & vague) || e->fe_logical > (uint64_t)off ||
	    e->fe_logical + e->fe_length < (uint64_t)(off + block_bytes))
		return -1;
	return (long long)((e->fe_physical + (uint64_t)off - e->fe_logical) / SECTOR_BYTES) +
	       d->part_sector;
}

static void note(const char *op, long long off, long bytes, int64_t begin_ns)
{
	int64_t end_ns = truth_now_ns();

	/* the sector is asked for at the end, when the file system has decided */
	fprintf(ops, "%s %lld %ld %lld %lld\n", op, off, bytes, (long long)begin_ns,
		(long long)end_ns);
}

static void sync_file(void)
{
	int64_t begin_ns = truth_now_ns();

	truth_must(fsync(file_fd), "fsync");
	note("fsync", 0, 0, begin_ns);
}

static void write_all(uint8_t *block)
{
	for (long i = 0; i < count; i++) {
		int64_t begin_ns = truth_now_ns();

		memset(block, 'a' + (int)(i % 26), (size_t)block_bytes);
		if (pwrite(file_fd, block, (size_t)block_bytes, i * block_bytes) != block_bytes)
			truth_die("a write of %ld bytes in %s failed: %s", block_bytes, dir,
				  strerror(errno));
		note("write", i * block_bytes, block_bytes, begin_ns);
		if (sync_every && (i + 1) % sync_every == 0)
			sync_file();
	}
	sync_file();
}

static void read_all(uint8_t *block)
{
	for (long i = 0; i < count; i++) {
		int64_t begin_ns = truth_now_ns();

		if (pread(file_fd, block, (size_t)block_bytes, i * block_bytes) != block_bytes)
			truth_die("a read of %ld bytes in %s failed: %s", block_bytes, dir,
				  strerror(errno));
		note("read", i * block_bytes, block_bytes, begin_ns);
		if (block[0] != 'a' + (int)(i % 26) || block[block_bytes - 1] != block[0])
			truth_die("block %ld was read back wrong", i);
	}
}

static long long io_counter(const char *name)
{
	char text[1024], *at;

	if (!truth_read_file("/proc/self/io", text, sizeof(text)))
		return -1;
	at = strstr(text, name);
	return at ? strtoll(at + strlen(name), NULL, 10) : -1;
}

static void show_ops(const char *text, const struct disk *d)
{
	char op[16];
	long long off, begin_ns, end_ns;
	long bytes;

	for (const char *at = text; *at; at = strchr(at, '\n') + 1) {
		if (sscanf(at, "%15s %lld %ld %lld %lld", op, &off, &bytes, &begin_ns, &end_ns) !=
		    5)
			truth_die("own note not understood: %s", at);
		printf("%s{\"op\":\"%s\",\"off\":%lld,\"bytes\":%ld,\"sector\":%lld,"
		       "\"begin_ns\":%lld,\"end_ns\":%lld}",
		       at == text ? "" : ",", op, off, bytes, bytes ? sector_of(d, off) : -1,
		       begin_ns, end_ns);
	}
}

static void open_file(struct disk *d)
{
	char path[4096];
	struct stat st;

	if (snprintf(path, sizeof(path), "%s/truth_disk.XXXXXX", dir) >= (int)sizeof(path))
		truth_wrong_use("--dir", "too long");
	file_fd = mkostemp(path, O_CLOEXEC);
	if (file_fd < 0)
		truth_die("cannot make a file in %s: %s; give another --dir", dir, strerror(errno));
	unlink(path); /* it goes when we do */
	truth_must(fstat(file_fd, &st), "fstat");
	find_disk(st.st_dev, d);
	/* the blocks are found now, so that writing them needs little more than their I/O */
	if (posix_fallocate(file_fd, 0, count * block_bytes))
		truth_die("no room for %ld bytes in %s", count * block_bytes, dir);
	truth_must(fsync(file_fd), "fsync");
	if (fcntl(file_fd, F_SETFL, O_DIRECT) < 0)
		skip("can't do O_DIRECT", strerror(errno));
}

int main(int argc, char **argv)
{
	const struct truth_opt opts[] = {
		{ .name = "dir", .text = &dir, .help = "folder on the disk to use (.)" },
		{ .name = "count", .number = &count, .min = 1, .help = "blocks" },
		{ .name = "bytes",
		  .number = &block_bytes,
		  .min = 4096,
		  .help = "bytes of a block" },
		{ .name = "sync-every",
		  .number = &sync_every,
		  .min = 0,
		  .help = "fsync after so many writes, 0: only at the end" },
		{ 0 },
	};
	long long written, was_read;
	int64_t begin_ns;
	struct disk d = { 0 };
	char *text;
	size_t text_bytes;
	void *block;

	truth_options(argc, argv, "Writes, syncs and reads a file past the page cache.", opts);
	if (block_bytes % 4096)
		truth_wrong_use("--bytes", "a multiple of 4096");
	if (posix_memalign(&block, 4096, (size_t)block_bytes))
		truth_die("no memory for a block");
	open_file(&d);
	ops = open_memstream(&text, &text_bytes);
	truth_ready();
	written = io_counter("\nwrite_bytes: ");
	was_read = io_counter("\nread_bytes: ");
	begin_ns = truth_now_ns();
	write_all(block);
	read_all(block);
	fclose(ops);
	printf("{\"program\":\"truth_disk\",\"pid\":%d,\"tid\":%d,\"begin_ns\":%lld,"
	       "\"end_ns\":%lld,\"dev\":\"%s\",\"disk\":\"%s\",\"part_sector\":%lld,\"count\":%ld,"
	       "\"block_bytes\":%ld,\"write_bytes\":%lld,\"read_bytes\":%lld,\"ops\":[",
	       (int)getpid(), (int)truth_tid(), (long long)begin_ns, (long long)truth_now_ns(),
	       d.dev, d.whole, d.part_sector, count, block_bytes,
	       io_counter("\nwrite_bytes: ") - written, io_counter("\nread_bytes: ") - was_read);
	show_ops(text, &d);
	printf("]}\n");
	free(text);
	free(block);
	truth_done();
	return 0;
}
