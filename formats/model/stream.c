/* SPDX-License-Identifier: BSD-2-Clause */
#include "stream.h"

#include <errno.h>

/* What window mode keeps in front of each copied record. */
struct window_head {
	uint64_t time_ns;
	uint32_t sub_seq;
	uint32_t ordinal;
	uint32_t bytes;
	uint16_t kind;
	uint8_t flags;
	uint8_t damaged; /* something unreadable lay before it in its chunk */
};
_Static_assert(sizeof(struct window_head) % 8 == 0, "records behind it stay aligned");
_Static_assert(sizeof(struct window_head) + FR_RECORD_UNITS_MAX * 8 <= FR_MERGE_WINDOW_MIN_BYTES,
	       "any record fits into any window");

static void note_bad_chunk(struct fr_stream *s, const struct fr_dump_entry *e,
			   struct fr_merge_stats *stats)
{
	struct fr_stream_damage *d = &s->damage;

	stats->bad_chunks++;
	stats->bad_records += e->records;
	if (!d->any)
		d->from_ns = e->first_time_ns;
	d->any = true;
	d->to_ns = e->last_time_ns;
	d->records += e->records;
}

static void note_bad_segment(struct fr_stream *s, struct fr_merge_stats *stats)
{
	stats->bad_segments++;
	s->damage.any = true;
}

/* Loads the next readable chunk into buf and puts the walk at its start. 1, 0 at the end. */
static int open_chunk(struct fr_stream *s, struct fr_stream_shared *shared, struct fr_buf *buf)
{
	const struct fr_dump_entry *e;
	uint32_t chunk;
	int err;

	while (s->next_chunk < s->chunk_cnt) {
		chunk = s->chunks[s->next_chunk++];
		e = fr_dump_chunk(s->dump, chunk);
		err = fr_dump_load(s->dump, chunk, buf);
		if (err == -ENOMEM)
			return err;
		shared->stats->stored_bytes_read += e->stored_bytes;
		if (!err) {
			fr_record_walk_init(&s->walk, s->cpu,
					    (struct fr_slice){ buf->data, buf->len_bytes });
			return 1;
		}
		note_bad_chunk(s, e, shared->stats);
	}
	return 0;
}

/* ---- direct mode ---------------------------------------------------------------------------- */

static int next_direct(struct fr_stream *s, struct fr_stream_shared *shared)
{
	int ret;

	for (;;) {
		if (!s->loaded) {
			ret = open_chunk(s, shared, &s->raw);
			if (ret <= 0)
				return ret;
			s->loaded = true;
		}
		ret = fr_record_next(&s->walk, &s->rec);
		if (ret == 1) {
			s->flags = s->walk.flags;
			return 1;
		}
		if (ret < 0)
			note_bad_segment(s, shared->stats);
		else
			s->loaded = false;
	}
}

/* ---- window mode ---------------------------------------------------------------------------- */

/* Points the walk into the shared buffer, where its chunk was loaded anew. */
static int reopen_chunk(struct fr_stream *s, struct fr_stream_shared *shared)
{
	const uint8_t *base;
	int err = fr_dump_load(s->dump, s->chunks[s->next_chunk - 1], &shared->chunk);

	if (err)
		return err;
	base = shared->chunk.data;
	s->walk.at = base + s->walk_off;
	s->walk.seg_end = base + s->walk_seg_off;
	s->walk.end = base + shared->chunk.len_bytes;
	return 0;
}

static bool window_add(struct fr_stream *s, const struct fr_record *r, bool damaged)
{
	struct window_head h = {
		.time_ns = r->time_ns,
		.sub_seq = r->sub_seq,
		.ordinal = r->ordinal,
		.bytes = r->bytes,
		.kind = (uint16_t)r->kind,
		.flags = (uint8_t)s->walk.flags,
		.damaged = damaged,
	};

	if (s->raw.len_bytes + sizeof(h) + r->bytes > s->window_bytes)
		return false;
	fr_buf_add(&s->raw, &h, sizeof(h));
	fr_buf_add(&s->raw, r->data, r->bytes);
	return true;
}

/* Copies as many records as the window takes. Leaves chunk_open when some are left. */
static int fill_window(struct fr_stream *s, struct fr_stream_shared *shared)
{
	struct fr_record_walk before;
	bool damaged = false;
	struct fr_record r;
	int ret;

	s->chunk_open = false;
	for (;;) {
		before = s->walk;
		ret = fr_record_next(&s->walk, &r);
		if (ret == 0)
			break;
		if (ret < 0) {
			shared->stats->bad_segments++;
			damaged = true;
			continue;
		}
		if (!window_add(s, &r, damaged)) {
			s->walk = before;
			s->chunk_open = true;
			break;
		}
		damaged = false;
	}
	s->damaged_end = damaged;
	s->walk_off = (size_t)(s->walk.at - shared->chunk.data);
	s->walk_seg_off = (size_t)(s->walk.seg_end - shared->chunk.data);
	return s->raw.err;
}

static int refill_window(struct fr_stream *s, struct fr_stream_shared *shared)
{
	int ret;

	fr_buf_clear(&s->raw);
	s->window_at = 0;
	s->damage.any |= s->damaged_end;
	s->damaged_end = false;
	if (s->chunk_open) {
		ret = reopen_chunk(s, shared);
		if (!ret)
			return fill_window(s, shared);
		if (ret == -ENOMEM)
			return ret;
		/* it was readable a moment ago: the file changes under us, or the disk fails */
		note_bad_chunk(s, fr_dump_chunk(s->dump, s->chunks[s->next_chunk - 1]),
			       shared->stats);
		s->chunk_open = false;
	}
	ret = open_chunk(s, shared, &shared->chunk);
	if (ret <= 0)
		return ret ? ret : -ENODATA;
	return fill_window(s, shared);
}

static int next_in_window(struct fr_stream *s, struct fr_stream_shared *shared)
{
	struct window_head h;
	int err;

	while (s->window_at == s->raw.len_bytes) {
		err = refill_window(s, shared);
		if (err)
			return err == -ENODATA ? 0 : err;
	}
	memcpy(&h, s->raw.data + s->window_at, sizeof(h));
	s->rec = (struct fr_record){
		.time_ns = h.time_ns,
		.kind = h.kind,
		.bytes = h.bytes,
		.cpu = s->cpu,
		.sub_seq = h.sub_seq,
		.ordinal = h.ordinal,
		.data = s->raw.data + s->window_at + sizeof(h),
	};
	s->flags = h.flags;
	if (h.damaged)
		s->damage.any = true;
	s->window_at += sizeof(h) + h.bytes;
	return 1;
}

int fr_stream_next(struct fr_stream *s, struct fr_stream_shared *shared)
{
	int ret;

	s->damage = (struct fr_stream_damage){ 0 };
	ret = s->window_bytes ? next_in_window(s, shared) : next_direct(s, shared);
	s->have = ret == 1;
	if (ret == 0) {
		s->done = true;
		fr_buf_done(&s->raw);
	}
	return ret;
}

void fr_stream_done(struct fr_stream *s)
{
	fr_buf_done(&s->raw);
}
