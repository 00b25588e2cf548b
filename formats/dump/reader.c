/* SPDX-License-Identifier: BSD-2-Clause */
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reader_internal.h"

#define SPOOL_BYTES (64u << 10)

/* ---- bytes and problems --------------------------------------------------------------------- */

ssize_t fr_dump_read_at(const struct fr_dump *d, void *data, size_t data_bytes, uint64_t off)
{
	uint8_t *at = data;
	size_t done = 0;
	ssize_t n;

	while (done < data_bytes) {
		n = pread(d->fd, at + done, data_bytes - done, (off_t)(off + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && !done)
			return -errno;
		if (n <= 0)
			break; /* an error behind readable bytes shows again when read from there */
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static void note(struct fr_dump *d, uint64_t off, const char *fmt, va_list args)
{
	struct fr_dump_problem *p;

	if (d->problem_cnt < FR_PROBLEMS_KEPT) {
		p = &d->problems[d->problem_cnt];
		p->off = off;
		vsnprintf(p->what, sizeof(p->what), fmt, args);
	}
	d->problem_cnt++;
}

void fr_dump_note(struct fr_dump *d, uint64_t off, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	note(d, off, fmt, args);
	va_end(args);
}

void fr_dump_note_damage(struct fr_dump *d, uint64_t off, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	note(d, off, fmt, args);
	va_end(args);
	if (off < d->first_damage)
		d->first_damage = off;
}

const char *fr_dump_chunk_label(const struct fr_dump_entry *e, char *buf, size_t buf_bytes)
{
	const char *type = fr_chunk_type_name(e->type);

	if (e->type == FR_CHUNK_EVENTS)
		snprintf(buf, buf_bytes, "chunk %u (events of CPU %u)", e->number, e->cpu);
	else if (type)
		snprintf(buf, buf_bytes, "chunk %u (%s)", e->number, type);
	else
		snprintf(buf, buf_bytes, "chunk %u (type %u)", e->number, e->type);
	return buf;
}

/* ---- opening -------------------------------------------------------------------------------- */

static int file_size(int fd, uint64_t *ret_bytes, char *err, size_t err_bytes)
{
	off_t end = lseek(fd, 0, SEEK_END);
	struct stat st;
	int why;

	if (end < 0 && errno == ESPIPE) {
		snprintf(err, err_bytes, "cannot be read at offsets; copy it into a file first");
		return -ESPIPE;
	}
	if (end < 0 || fstat(fd, &st) < 0) {
		why = errno;
		snprintf(err, err_bytes, "cannot be read: %s", strerror(why));
		return -why;
	}
	if (S_ISDIR(st.st_mode)) {
		snprintf(err, err_bytes, "is a directory, not a dump; name a file in it");
		return -EISDIR;
	}
	*ret_bytes = (uint64_t)end;
	return 0;
}

static int check_version(const struct fr_dump_header *h, char *err, size_t err_bytes)
{
	uint32_t unknown = h->incompat_flags & ~FR_DUMP_INCOMPLETE;

	if (h->major != FR_DUMP_MAJOR) {
		snprintf(err, err_bytes,
			 "has format version %u.%u, this program reads %u; use a %s flightrec",
			 h->major, h->minor, FR_DUMP_MAJOR,
			 h->major > FR_DUMP_MAJOR ? "newer" : "matching");
		return -EPROTONOSUPPORT;
	}
	if (unknown) {
		snprintf(err, err_bytes,
			 "needs features that this program does not know (incompatible flags 0x%x, "
			 "format version %u.%u); use a newer flightrec",
			 unknown, h->major, h->minor);
		return -EPROTONOSUPPORT;
	}
	return 0;
}

/* The header as it is, or as it would be if only its magic were damaged. */
static bool sealed_but_for_magic(const struct fr_dump_header *h)
{
	struct fr_dump_header mended = *h;

	memcpy(mended.magic, FR_DUMP_MAGIC, sizeof(mended.magic));
	return fr_dump_header_sealed(&mended);
}

static bool chunk_magic_at(const struct fr_dump *d, uint64_t off)
{
	uint32_t magic;

	return fr_dump_read_at(d, &magic, sizeof(magic), off) == sizeof(magic) &&
	       magic == FR_CHUNK_MAGIC;
}

/* Reads the file header and judges it. 0, or a reason not to open. */
static int read_header(struct fr_dump *d, char *err, size_t err_bytes)
{
	struct fr_dump_header *h = &d->header;
	ssize_t n = fr_dump_read_at(d, h, sizeof(*h), 0);
	bool magic;

	if (n < 0) {
		snprintf(err, err_bytes, "cannot be read: %s", strerror((int)-n));
		return (int)n;
	}
	magic = n >= 8 && memcmp(h->magic, FR_DUMP_MAGIC, sizeof(h->magic)) == 0;
	if (!magic && ((size_t)n < sizeof(*h) || !chunk_magic_at(d, sizeof(*h)))) {
		snprintf(err, err_bytes,
			 n ? "is not a flightrec dump (it begins otherwise)"
			   : "is empty, not a flightrec dump");
		return -ENOMSG;
	}
	if ((size_t)n < sizeof(*h)) {
		fr_dump_note_damage(d, 0, "the file ends inside its header, after %zd bytes", n);
		return 0;
	}
	if (!magic)
		fr_dump_note_damage(d, 0, "the file's magic bytes are damaged");
	d->header_ok = sealed_but_for_magic(h);
	if (!d->header_ok && magic)
		fr_dump_note_damage(d, 0, "the file header does not match its checksum");
	return d->header_ok ? check_version(h, err, err_bytes) : 0;
}

/* Where the first chunk lies. */
static uint64_t first_chunk(struct fr_dump *d)
{
	uint32_t bytes = d->header.header_bytes;

	if (!d->header_ok)
		return sizeof(d->header);
	if (bytes < sizeof(d->header) || bytes > FR_DUMP_HEADER_MAX || bytes % 8) {
		fr_dump_note_damage(d, 16,
				    "the file header claims a size of %u bytes, taken as %zu",
				    bytes, sizeof(d->header));
		return sizeof(d->header);
	}
	return bytes;
}

static int read_all(struct fr_dump *d)
{
	int err;

	if (d->file_bytes < sizeof(d->header))
		return 0;
	if (d->header_ok)
		d->salt = fr_dump_salt(&d->header);
	else if (!fr_dump_find_salt(d))
		return 0;
	err = fr_dump_walk(d, first_chunk(d));
	if (!err)
		err = fr_dump_read_index(d);
	return err ? err : fr_dump_read_meta(d);
}

int fr_dump_open(int fd, struct fr_dump **ret_dump, char *err, size_t err_bytes)
{
	struct fr_dump *d = calloc(1, sizeof(*d));
	int ret = -ENOMEM;

	snprintf(err, err_bytes, "not enough memory");
	if (!d)
		return ret;
	d->fd = fd;
	ret = file_size(fd, &d->file_bytes, err, err_bytes);
	d->first_damage = d->file_bytes;
	if (!ret)
		ret = read_header(d, err, err_bytes);
	if (!ret)
		ret = read_all(d);
	if (ret) {
		fr_dump_close(d);
		return ret;
	}
	*ret_dump = d;
	return 0;
}

struct fr_dump *fr_dump_close(struct fr_dump *d)
{
	if (!d)
		return NULL;
	fr_codec_done(&d->codec);
	fr_meta_loss_done(&d->loss);
	free(d->stored);
	free(d->entries);
	free(d);
	return NULL;
}

/* ---- standard input ------------------------------------------------------------------------- */

static int temp_file(void)
{
	const char *dir = getenv("TMPDIR");
	char path[4096];
	int fd;

	if (!dir || !*dir)
		dir = "/tmp";
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	if ((size_t)snprintf(path, sizeof(path), "%s/flightrec-XXXXXX", dir) >= sizeof(path))
		return -ENAMETOOLONG;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

static int write_all(int fd, const uint8_t *at, size_t left)
{
	ssize_t n;

	while (left) {
		n = write(fd, at, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		at += n;
		left -= (size_t)n;
	}
	return 0;
}

int fr_dump_spool(int in_fd)
{
	uint8_t *block = malloc(SPOOL_BYTES);
	int fd = block ? temp_file() : -ENOMEM, err = fd < 0 ? fd : 0;
	ssize_t n;

	while (!err) {
		n = read(in_fd, block, SPOOL_BYTES);
		if (!n)
			break;
		if (n > 0)
			err = write_all(fd, block, (size_t)n);
		else if (errno != EINTR)
			err = -errno;
	}
	free(block);
	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return err;
}

/* ---- accessors ------------------------------------------------------------------------------ */

const struct fr_dump_header *fr_dump_file_header(const struct fr_dump *d)
{
	return &d->header;
}

bool fr_dump_incomplete(const struct fr_dump *d)
{
	return !d->index_sound || (d->header_ok && d->header.incompat_flags & FR_DUMP_INCOMPLETE);
}

uint64_t fr_dump_sound_until(const struct fr_dump *d)
{
	return d->first_damage;
}

uint64_t fr_dump_file_bytes(const struct fr_dump *d)
{
	return d->file_bytes;
}

size_t fr_dump_problem_cnt(const struct fr_dump *d)
{
	return d->problem_cnt;
}

const struct fr_dump_problem *fr_dump_problem(const struct fr_dump *d, size_t i)
{
	return i < d->problem_cnt && i < FR_PROBLEMS_KEPT ? &d->problems[i] : NULL;
}

size_t fr_dump_chunk_cnt(const struct fr_dump *d)
{
	return d->entry_cnt;
}

const struct fr_dump_entry *fr_dump_chunk(const struct fr_dump *d, size_t i)
{
	return i < d->entry_cnt ? &d->entries[i] : NULL;
}

const struct fr_meta_trigger *fr_dump_trigger(const struct fr_dump *d)
{
	return d->has_trigger ? &d->trigger : NULL;
}

const struct fr_meta_clocks *fr_dump_clocks(const struct fr_dump *d)
{
	return d->has_clocks ? &d->clocks : NULL;
}

const struct fr_meta_host *fr_dump_host(const struct fr_dump *d)
{
	return d->has_host ? &d->host : NULL;
}

const struct fr_meta_config *fr_dump_config(const struct fr_dump *d)
{
	return d->has_config ? &d->config : NULL;
}

const struct fr_meta_loss *fr_dump_loss(const struct fr_dump *d)
{
	return d->has_loss ? &d->loss : NULL;
}

uint64_t fr_dump_unknown_chunks(const struct fr_dump *d)
{
	return d->unknown_chunks;
}

uint64_t fr_dump_lost_records(const struct fr_dump *d)
{
	return d->lost_records;
}
