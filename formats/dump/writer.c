/* SPDX-License-Identifier: BSD-2-Clause */
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "chunk.h"
#include "codec.h"
#include "index.h"

#define LOSS_CPUS_PER_CHUNK 1024
#define OUT_BYTES FR_CHUNK_BYTES(FR_CHUNK_RAW_MAX) /* whoever does not shrink is stored as it is   \
						    */

struct fr_dump_writer {
	struct fr_dump_options opt; /* name and dump_id are not used after create */
	int fd;
	int err; /* the first error; everything later returns it */
	char name[NAME_MAX + 1];
	char temp[NAME_MAX + 1];
	struct fr_dump_header header;
	uint64_t salt;
	uint64_t off; /* end of what is whole on disk */
	uint8_t *out; /* OUT_BYTES: chunk header, stored bytes, padding */
	struct fr_codec_state codec;
	struct fr_index_entry *entries;
	size_t entry_cnt, entry_cap;
	struct fr_dump_totals totals;
};

int fr_dump_temp_name(const char *name, char *buf, size_t buf_bytes)
{
	int n = snprintf(buf, buf_bytes, ".%s.tmp", name);

	return n < 0 || (size_t)n >= buf_bytes ? -ENAMETOOLONG : 0;
}

static int write_at(int fd, const void *data, size_t data_bytes, uint64_t off)
{
	const uint8_t *at = data;
	ssize_t n;

	while (data_bytes) {
		n = pwrite(fd, at, data_bytes, (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		at += n;
		off += (uint64_t)n;
		data_bytes -= (size_t)n;
	}
	return 0;
}

static struct fr_dump_writer *writer_free(struct fr_dump_writer *w)
{
	if (!w)
		return NULL;
	if (w->fd >= 0)
		close(w->fd);
	fr_codec_done(&w->codec);
	free(w->entries);
	free(w->out);
	free(w);
	return NULL;
}

/* Asks first, writes, and takes back what does not become whole. */
static int append(struct fr_dump_writer *w, const void *data, size_t data_bytes)
{
	uint64_t end = w->off + data_bytes;
	int err = w->opt.may_write ? w->opt.may_write(w->opt.ctx, end) : 0;

	if (err > 0)
		err = -EDQUOT;
	if (!err) {
		err = write_at(w->fd, data, data_bytes, w->off);
		if (err && ftruncate(w->fd, (off_t)w->off) < 0) {
			/* the torn chunk stays: readers recognise it by its checksum */
		}
	}
	if (err)
		w->err = err;
	else
		w->off = end;
	return err;
}

static int name_is_free(const struct fr_dump_writer *w)
{
	struct stat st;

	if (fstatat(w->opt.dir_fd, w->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return errno == ENOENT ? 0 : -errno;
}

static int take_name(struct fr_dump_writer *w, const char *name)
{
	if (!name[0] || name[0] == '.' || strchr(name, '/'))
		return -EINVAL;
	if (strlen(name) > NAME_MAX || fr_dump_temp_name(name, w->temp, sizeof(w->temp)) < 0)
		return -ENAMETOOLONG;
	memcpy(w->name, name, strlen(name) + 1);
	return name_is_free(w);
}

static int write_header(struct fr_dump_writer *w)
{
	struct fr_dump_header *h = &w->header;

	*h = (struct fr_dump_header){
		.major = FR_DUMP_MAJOR,
		.minor = FR_DUMP_MINOR,
		.header_bytes = sizeof(*h),
		.incompat_flags = FR_DUMP_INCOMPLETE,
		.created_unix_ns = w->opt.created_unix_ns,
	};
	if (w->opt.dump_id)
		memcpy(h->dump_id, w->opt.dump_id, sizeof(h->dump_id));
	else if (getrandom(h->dump_id, sizeof(h->dump_id), 0) != sizeof(h->dump_id))
		return -errno;
	w->salt = fr_dump_salt(h);
	fr_dump_header_seal(h);
	return append(w, h, sizeof(*h));
}

int fr_dump_create(const struct fr_dump_options *opt, struct fr_dump_writer **ret_writer)
{
	struct fr_dump_writer *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->opt = *opt;
	w->fd = -1;
	err = take_name(w, opt->name);
	if (err)
		goto out;
	err = -ENOMEM;
	w->out = malloc(OUT_BYTES);
	if (!w->out)
		goto out;
	w->fd = openat(opt->dir_fd, w->temp,
		       O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);
	if (w->fd < 0) {
		err = -errno;
		goto out;
	}
	/* whatever the umask says: not less, so that the owner can read it */
	err = fchmod(w->fd, 0600) < 0 ? -errno : write_header(w);
	if (err)
		unlinkat(opt->dir_fd, w->temp, 0);
out:
	if (err)
		w = writer_free(w);
	else
		*ret_writer = w;
	return err;
}

static int remember(struct fr_dump_writer *w, const struct fr_chunk_header *h)
{
	struct fr_index_entry *more;
	size_t cap;

	if (w->entry_cnt == w->entry_cap) {
		cap = w->entry_cap ? 2 * w->entry_cap : 256;
		more = reallocarray(w->entries, cap, sizeof(*more));
		if (!more)
			return -ENOMEM;
		w->entries = more;
		w->entry_cap = cap;
	}
	w->entries[w->entry_cnt++] = (struct fr_index_entry){
		.off = w->off,
		.type = h->type,
		.cpu = h->cpu,
		.first_time_ns = h->first_time_ns,
		.last_time_ns = h->last_time_ns,
		.records = h->records,
		.raw_bytes = h->raw_bytes,
		.stored_bytes = h->stored_bytes,
	};
	return 0;
}

static int put_chunk(struct fr_dump_writer *w, struct fr_chunk_header *h, struct fr_slice raw)
{
	uint8_t *stored = w->out + sizeof(*h);
	size_t stored_bytes, padded_bytes;
	int err;

	if (w->err)
		return w->err;
	if (raw.len_bytes > FR_CHUNK_RAW_MAX)
		return -E2BIG;
	if (w->totals.chunks == FR_CHUNKS_MAX)
		return w->err = -EFBIG;
	h->codec = (uint8_t)w->opt.codec;
	err = fr_codec_pack(&w->codec, w->opt.codec, w->opt.level, raw, stored, FR_CHUNK_RAW_MAX,
			    &stored_bytes);
	if (err == -ENOSPC) {
		h->codec = FR_CODEC_NONE;
		memcpy(stored, raw.data, raw.len_bytes);
		stored_bytes = raw.len_bytes;
	} else if (err) {
		return w->err = err;
	}
	h->transform = FR_TRANSFORM_RAW;
	h->number = (uint32_t)w->totals.chunks;
	h->raw_bytes = (uint32_t)raw.len_bytes;
	h->stored_bytes = (uint32_t)stored_bytes;
	fr_chunk_seal(h, stored, w->salt);
	memcpy(w->out, h, sizeof(*h));
	padded_bytes = FR_CHUNK_BYTES(stored_bytes);
	memset(stored + stored_bytes, 0, padded_bytes - sizeof(*h) - stored_bytes);
	if (h->type != FR_CHUNK_INDEX) {
		err = remember(w, h);
		if (err)
			return w->err = err;
	}
	err = append(w, w->out, padded_bytes);
	if (err)
		return err;
	w->totals.chunks++;
	w->totals.records += h->records;
	w->totals.raw_bytes += raw.len_bytes;
	return 0;
}

int fr_dump_put_meta(struct fr_dump_writer *w, enum fr_chunk_type type, const struct fr_buf *raw)
{
	struct fr_chunk_header h = { .type = (uint16_t)type, .cpu = FR_CHUNK_NO_CPU };

	if (w->err || raw->err)
		return w->err ? w->err : raw->err;
	if (!raw->len_bytes)
		return 0;
	return put_chunk(w, &h, (struct fr_slice){ raw->data, raw->len_bytes });
}

int fr_dump_put_loss(struct fr_dump_writer *w, const struct fr_meta_loss *l)
{
	struct fr_meta_loss part = *l;
	struct fr_buf raw = { 0 };
	uint32_t left = l->cpu_cnt;
	int err;

	do {
		fr_buf_clear(&raw);
		part.cpu_cnt = left < LOSS_CPUS_PER_CHUNK ? left : LOSS_CPUS_PER_CHUNK;
		fr_meta_add_loss(&raw, &part);
		err = fr_dump_put_meta(w, FR_CHUNK_LOSS, &raw);
		/* readers join the parts: what is not a row must be in one of them only */
		left -= part.cpu_cnt;
		part = (struct fr_meta_loss){ .cpus = left ? part.cpus + part.cpu_cnt : NULL };
	} while (!err && left);
	fr_buf_done(&raw);
	return err;
}

int fr_dump_put_events(struct fr_dump_writer *w, const struct fr_dump_events *ev)
{
	struct fr_chunk_header h = {
		.type = FR_CHUNK_EVENTS,
		.cpu = ev->cpu,
		.first_time_ns = ev->first_time_ns,
		.last_time_ns = ev->last_time_ns,
		.records = ev->records,
		.segments = ev->segments,
	};

	if (w->err || !ev->raw_bytes)
		return w->err;
	return put_chunk(w, &h, (struct fr_slice){ ev->raw, ev->raw_bytes });
}

static int put_index(struct fr_dump_writer *w)
{
	struct fr_index_sums sums = {
		.records = w->totals.records,
		.raw_bytes = w->totals.raw_bytes,
		.stored_bytes = w->off,
	};
	struct fr_buf raw = { 0 };
	size_t i = 0;
	int err;

	w->header.index_off = w->off;
	do {
		fr_buf_clear(&raw);
		for (size_t n = 0; n < FR_INDEX_ENTRIES_PER_CHUNK && i < w->entry_cnt; n++)
			fr_index_add(&raw, &w->entries[i++]);
		if (i == w->entry_cnt)
			fr_index_add_sums(&raw, &sums);
		err = fr_dump_put_meta(w, FR_CHUNK_INDEX, &raw);
	} while (!err && i < w->entry_cnt);
	fr_buf_done(&raw);
	return err;
}

/* The order that makes a crash harmless: the final name appears only over a file that is safe. */
static int make_safe(struct fr_dump_writer *w)
{
	struct timespec t0, t1;
	int err = 0;

	clock_gettime(CLOCK_MONOTONIC, &t0);
	if (fsync(w->fd) < 0)
		return -errno;
	if (renameat2(w->opt.dir_fd, w->temp, w->opt.dir_fd, w->name, RENAME_NOREPLACE) < 0)
		err = -errno;
	if (err == -EINVAL || err == -ENOSYS) {
		/* a file system without RENAME_NOREPLACE: ask again, then take the small race with
		 * whoever else writes into this directory */
		err = name_is_free(w);
		if (!err && renameat(w->opt.dir_fd, w->temp, w->opt.dir_fd, w->name) < 0)
			err = -errno;
	}
	if (!err && fsync(w->opt.dir_fd) < 0 && errno != EINVAL)
		err = -errno; /* EINVAL: this file system has nothing to sync there */
	clock_gettime(CLOCK_MONOTONIC, &t1);
	w->totals.fsync_ns = (uint64_t)(t1.tv_sec - t0.tv_sec) * 1000000000u +
			     (uint64_t)t1.tv_nsec - (uint64_t)t0.tv_nsec;
	return err;
}

int fr_dump_finish(struct fr_dump_writer *w, struct fr_dump_totals *ret_totals)
{
	int err = w->err ? w->err : put_index(w);

	if (!err) {
		w->header.incompat_flags &= ~FR_DUMP_INCOMPLETE;
		fr_dump_header_seal(&w->header);
		err = write_at(w->fd, &w->header, sizeof(w->header), 0);
	}
	if (!err)
		err = make_safe(w);
	if (!err && ret_totals) {
		w->totals.stored_bytes = w->off;
		*ret_totals = w->totals;
	}
	writer_free(w);
	return err;
}

void fr_dump_abort(struct fr_dump_writer *w, bool keep)
{
	if (!w)
		return;
	if (!keep)
		unlinkat(w->opt.dir_fd, w->temp, 0);
	writer_free(w);
}
