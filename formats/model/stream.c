/* SPDX-License-Identifier: BSD-2-Clause */
#include "stream.h"

#include <errno.h>

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

/* The walk's next step. True: it is at a record. */
static bool step(struct fr_stream *s, struct fr_merge_stats *stats)
{
	int ret = fr_record_next(&s->walk, &s->rec);

	if (ret < 0)
		note_bad_segment(s, stats);
	else if (!ret)
		s->loaded = false;
	else
		s->flags = s->walk.flags;
	return ret == 1;
}

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
		if (step(s, shared->stats))
			return 1;
	}
}

/* ---- window mode ---------------------------------------------------------------------------- */

/* The walk may be where its next step is too long for a window: past what is damaged or empty there
 * is at most one record, which is copied alone. */
static const uint8_t *pass_over(struct fr_stream *s, const struct fr_record_walk *step,
				const struct fr_record *r, int ret, struct fr_merge_stats *stats)
{
	s->walk = *step;
	s->window_steps = ret >= 0;
	if (ret < 0)
		note_bad_segment(s, stats);
	if (ret == 1) {
		s->walk.at -= r->bytes;
		s->walk.seg_left_bytes += r->bytes;
		s->walk.records_left++;
		s->walk.ordinal--;
	}
	return step->at;
}

static int copy_window(struct fr_stream *s, const uint8_t *to)
{
	size_t bytes = (size_t)(to - s->walk.at), room = s->walk.seg_left_bytes;

	room += s->walk.behind_bytes;
	if (room > s->window_bytes)
		room = s->window_bytes;
	fr_buf_clear(&s->raw);
	if (s->raw.cap_bytes > s->window_bytes) /* for one large record */
		fr_buf_done(&s->raw);
	if (!s->raw.cap_bytes)
		(void)fr_buf_reserve(&s->raw, room); /* at once: growing fragments the heap */
	fr_buf_add(&s->raw, s->walk.at, bytes);
	s->walk.at = s->raw.data;
	return s->raw.err;
}

/*
 * Moves the walk, which stands in the shared chunk, into the window, with as many of its next steps
 * as fit there. It makes them again in the window: what is damaged is noted then, in its place.
 */
static int fill_window(struct fr_stream *s, struct fr_stream_shared *shared)
{
	struct fr_record_walk scout = s->walk;
	const uint8_t *to = s->walk.at;
	struct fr_record r = { 0 };
	int ret;

	s->window_steps = 0;
	do {
		ret = fr_record_next(&scout, &r);
		if ((size_t)(scout.at - s->walk.at) > s->window_bytes) {
			if (!s->window_steps)
				to = pass_over(s, &scout, &r, ret, shared->stats);
			break;
		}
		s->window_steps++;
		to = scout.at;
	} while (ret);
	s->window_off = (size_t)(s->walk.at - shared->chunk.data);
	return copy_window(s, to);
}

/* The chunk is loaded anew, and the walk put where it left it. */
static int reopen_chunk(struct fr_stream *s, struct fr_stream_shared *shared)
{
	size_t off = s->window_off + (size_t)(s->walk.at - s->raw.data);
	int err = fr_dump_load(s->dump, s->chunks[s->next_chunk - 1], &shared->chunk);

	if (!err)
		s->walk.at = shared->chunk.data + off;
	return err;
}

/* 0, -ENODATA at the end, -ENOMEM. */
static int refill_window(struct fr_stream *s, struct fr_stream_shared *shared)
{
	int ret;

	if (s->loaded) {
		ret = reopen_chunk(s, shared);
		if (!ret)
			return fill_window(s, shared);
		if (ret == -ENOMEM)
			return ret;
		/* it was readable a moment ago: the file changes under us, or the disk fails */
		note_bad_chunk(s, fr_dump_chunk(s->dump, s->chunks[s->next_chunk - 1]),
			       shared->stats);
	}
	ret = open_chunk(s, shared, &shared->chunk);
	s->loaded = ret == 1;
	return ret == 1 ? fill_window(s, shared) : ret ? ret : -ENODATA;
}

static int next_in_window(struct fr_stream *s, struct fr_stream_shared *shared)
{
	int ret;

	for (;;) {
		while (!s->window_steps) {
			ret = refill_window(s, shared);
			if (ret)
				return ret == -ENODATA ? 0 : ret;
		}
		s->window_steps--;
		if (step(s, shared->stats))
			return 1;
	}
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
