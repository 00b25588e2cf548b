/* SPDX-License-Identifier: BSD-2-Clause */
/* One chunk from the file into memory; the index; the metadata that a dump has once. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "index.h"
#include "reader_internal.h"

/* Parts of one kind of metadata are joined up to this size; a real one is far below. */
#define META_BYTES_MAX (4u << 20)
/* All of a full index: FR_CHUNKS_MAX entries. */
#define INDEX_BYTES_MAX ((size_t)FR_CHUNKS_MAX * FR_INDEX_ENTRY_MAX)

/* ---- one chunk ------------------------------------------------------------------------------ */

static int spoil(struct fr_dump *d, struct fr_dump_entry *e, int err, const char *what)
{
	char label[48];

	e->bad = true;
	e->err = err;
	fr_dump_chunk_label(e, label, sizeof(label));
	if (err == -EOPNOTSUPP)
		fr_dump_note(d, e->off, "%s %s", label, what);
	else
		fr_dump_note_damage(d, e->off, "%s %s", label, what);
	return err;
}

/* Reads header and stored bytes into d->stored, and checks both. */
static int read_stored(struct fr_dump *d, struct fr_dump_entry *e, struct fr_chunk_header *h)
{
	size_t bytes = FR_CHUNK_BYTES(e->stored_bytes), contents = sizeof(*h) + e->stored_bytes;
	uint8_t padding = 0;
	char what[80];
	ssize_t n;

	if (!d->stored)
		d->stored = malloc(FR_CHUNK_BYTES(FR_CHUNK_STORED_MAX));
	if (!d->stored)
		return -ENOMEM;
	n = fr_dump_read_at(d, d->stored, bytes, e->off);
	if (n < 0) {
		snprintf(what, sizeof(what), "cannot be read: %s", strerror((int)-n));
		return spoil(d, e, (int)n, what);
	}
	if ((size_t)n < contents)
		return spoil(d, e, -EBADMSG, "cannot be read whole");
	memcpy(h, d->stored, sizeof(*h));
	if (!fr_chunk_sealed(h, d->salt) || h->stored_bytes != e->stored_bytes)
		return spoil(d, e, -EBADMSG, "changed while it was being read");
	if (fr_bytes_checksum(d->stored + sizeof(*h), e->stored_bytes) != h->stored_checksum)
		return spoil(d, e, -EBADMSG, "does not match its checksum");
	for (size_t i = contents; i < (size_t)n; i++)
		padding |= d->stored[i];
	if (padding && !e->padding_noted) {
		e->padding_noted = true;
		snprintf(what, sizeof(what),
			 "chunk %u: its padding is not zero; the contents are whole", e->number);
		fr_dump_note_damage(d, e->off + contents, "%s", what);
	}
	return 0;
}

int fr_dump_load(struct fr_dump *d, size_t i, struct fr_buf *raw)
{
	struct fr_dump_entry *e = &d->entries[i];
	struct fr_chunk_header h;
	uint8_t *to;
	int err;

	fr_buf_clear(raw);
	if (e->bad)
		return e->err;
	err = read_stored(d, e, &h);
	if (err)
		return err;
	if (e->transform != FR_TRANSFORM_RAW)
		return spoil(d, e, -EOPNOTSUPP, "uses a transform that this program does not know");
	to = fr_buf_reserve(raw, e->raw_bytes);
	if (!to && e->raw_bytes)
		return -ENOMEM;
	err = fr_codec_unpack(&d->codec, e->codec,
			      (struct fr_slice){ d->stored + sizeof(h), e->stored_bytes }, to,
			      e->raw_bytes);
	if (err == -EOPNOTSUPP)
		return spoil(d, e, err, "uses a codec that this program does not know");
	if (err == -EBADMSG)
		return spoil(d, e, err, "does not decompress to its size");
	if (err)
		return err;
	raw->len_bytes += e->raw_bytes;
	return 0;
}

/* ---- parts of one kind, joined -------------------------------------------------------------- */

/*
 * Appends the raw bytes of the chunks of one type from `first` on: messages joined are the message
 * (protobuf merges). Damaged parts are left out; *ret_lost says that there were some.
 */
static int join_chunks(struct fr_dump *d, uint16_t type, size_t first, struct fr_buf *all,
		       bool *ret_lost)
{
	struct fr_buf raw = { 0 };
	int err = 0;

	*ret_lost = false;
	for (size_t i = first; i < d->entry_cnt && !err; i++) {
		if (d->entries[i].type != type)
			continue;
		err = fr_dump_load(d, i, &raw);
		if (!err)
			fr_buf_add(all, raw.data, raw.len_bytes);
		else if (err != -ENOMEM)
			*ret_lost = true;
		err = err == -ENOMEM ? err : all->err;
	}
	fr_buf_done(&raw);
	if (err == -E2BIG) {
		fr_dump_note_damage(d, d->entries[first].off, "too much metadata of type %s",
				    fr_chunk_type_name(type));
		*ret_lost = true;
		err = 0;
	}
	return err;
}

/* ---- index ---------------------------------------------------------------------------------- */

static struct fr_dump_entry *entry_at(struct fr_dump *d, uint64_t off)
{
	size_t low = 0, high = d->entry_cnt, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (d->entries[mid].off < off)
			low = mid + 1;
		else
			high = mid;
	}
	return low < d->entry_cnt && d->entries[low].off == off ? &d->entries[low] : NULL;
}

/* Says what was where a chunk is gone. */
static void note_lost(struct fr_dump *d, const struct fr_index_entry *ie)
{
	const char *type = fr_chunk_type_name(ie->type);

	if (ie->type == FR_CHUNK_EVENTS) {
		d->lost_records += ie->records;
		fr_dump_note_damage(d, ie->off, "lost here: %llu events of CPU %u",
				    (unsigned long long)ie->records, ie->cpu);
	} else {
		fr_dump_note_damage(d, ie->off, "lost here: metadata of type %s",
				    type ? type : "unknown");
	}
}

/* Compares the index with what the walk found. The chunks' own headers are believed. */
static void compare_index(struct fr_dump *d, struct fr_slice raw, bool whole)
{
	struct fr_cursor c = fr_cursor_of(raw.data, raw.len_bytes);
	struct fr_index_entry ie;
	struct fr_dump_entry *e;
	size_t cnt = 0, index_chunks = 0;
	int ret;

	while ((ret = fr_index_next(&c, &ie)) == 1) {
		e = entry_at(d, ie.off);
		if (!e)
			note_lost(d, &ie);
		else if (e->type != ie.type || e->records != ie.records ||
			 e->raw_bytes != ie.raw_bytes || e->stored_bytes != ie.stored_bytes)
			fr_dump_note_damage(d, ie.off, "chunk %u is not what the index says",
					    e->number);
		cnt += e != NULL;
	}
	for (size_t i = 0; i < d->entry_cnt; i++)
		index_chunks += d->entries[i].type == FR_CHUNK_INDEX;
	if (ret < 0)
		fr_dump_note_damage(d, d->header.index_off, "the index makes no sense");
	else if (whole && cnt + index_chunks < d->entry_cnt)
		fr_dump_note(d, d->header.index_off, "%zu chunks are not in the index",
			     d->entry_cnt - cnt - index_chunks);
	d->index_sound = whole && !ret;
}

int fr_dump_read_index(struct fr_dump *d)
{
	bool expected = d->header_ok && !(d->header.incompat_flags & FR_DUMP_INCOMPLETE);
	struct fr_buf all = { .limit_bytes = INDEX_BYTES_MAX };
	size_t first = 0;
	bool lost;
	int err;

	/* an index has no other chunk behind it: found even where the file header is damaged */
	for (first = d->entry_cnt; first && d->entries[first - 1].type == FR_CHUNK_INDEX; first--)
		;
	if (first == d->entry_cnt) {
		if (expected)
			fr_dump_note_damage(d, d->file_bytes, "the index at the end is missing");
		return 0;
	}
	if (expected && d->entries[first].off != d->header.index_off)
		fr_dump_note_damage(d, d->entries[first].off, "the index begins at %llu, not here",
				    (unsigned long long)d->header.index_off);
	err = join_chunks(d, FR_CHUNK_INDEX, first, &all, &lost);
	if (!err)
		compare_index(d, (struct fr_slice){ all.data, all.len_bytes }, !lost);
	fr_buf_done(&all);
	return err;
}

/* ---- metadata that a dump has once ---------------------------------------------------------- */

static int read_trigger(struct fr_dump *d, struct fr_slice raw)
{
	return fr_meta_read_trigger(raw, &d->trigger);
}

static int read_clocks(struct fr_dump *d, struct fr_slice raw)
{
	return fr_meta_read_clocks(raw, &d->clocks);
}

static int read_host(struct fr_dump *d, struct fr_slice raw)
{
	return fr_meta_read_host(raw, &d->host);
}

static int read_config(struct fr_dump *d, struct fr_slice raw)
{
	return fr_meta_read_config(raw, &d->config);
}

static int read_loss(struct fr_dump *d, struct fr_slice raw)
{
	return fr_meta_read_loss(raw, &d->loss);
}

static int read_one(struct fr_dump *d, uint16_t type, bool *ret_has,
		    int (*decode)(struct fr_dump *d, struct fr_slice raw))
{
	struct fr_buf all = { .limit_bytes = META_BYTES_MAX };
	size_t first = 0;
	bool lost;
	int err;

	while (first < d->entry_cnt && d->entries[first].type != type)
		first++;
	if (first == d->entry_cnt)
		return 0;
	err = join_chunks(d, type, first, &all, &lost);
	if (!err && all.len_bytes) {
		err = decode(d, (struct fr_slice){ all.data, all.len_bytes });
		*ret_has = err >= 0;
		if (err == 1)
			fr_dump_note(d, d->entries[first].off,
				     "metadata of type %s holds more than this program can keep",
				     fr_chunk_type_name(type));
		if (err == -EBADMSG)
			spoil(d, &d->entries[first], err, "makes no sense inside");
	}
	fr_buf_done(&all);
	return err == -ENOMEM ? err : 0;
}

int fr_dump_read_meta(struct fr_dump *d)
{
	int err = read_one(d, FR_CHUNK_TRIGGER, &d->has_trigger, read_trigger);

	if (!err)
		err = read_one(d, FR_CHUNK_CLOCK, &d->has_clocks, read_clocks);
	if (!err)
		err = read_one(d, FR_CHUNK_HOST, &d->has_host, read_host);
	if (!err)
		err = read_one(d, FR_CHUNK_CONFIG, &d->has_config, read_config);
	return err ? err : read_one(d, FR_CHUNK_LOSS, &d->has_loss, read_loss);
}
