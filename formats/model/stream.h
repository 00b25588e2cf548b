/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The records of one CPU in one dump, chunk after chunk. Private to merge.c and stream.c.
 *
 * Direct mode keeps the whole chunk. Window mode, for machines with very many CPUs, copies a part
 * of it at a time out of a buffer that all streams share, and loads that chunk again for the next
 * part: more work, but bounded memory. The walk is the same: it goes over the part in place.
 */
#ifndef FR_MODEL_STREAM_H
#define FR_MODEL_STREAM_H

#include "merge.h"

/* What was wrong since the last record. */
struct fr_stream_damage {
	bool any;
	uint64_t from_ns, to_ns; /* 0 = not known: between the neighbours */
	uint64_t records;
};

struct fr_stream {
	struct fr_dump *dump; /* borrowed */
	uint32_t dump_no;
	uint32_t instance;
	uint64_t cut_ns;
	const uint32_t *chunks; /* borrowed: numbers of this CPU's event chunks, in file order */
	uint32_t chunk_cnt;
	uint32_t next_chunk;
	uint16_t cpu;
	uint64_t first_ns; /* of the first chunk */
	uint64_t last_ns;  /* of the last chunk */

	struct fr_buf raw; /* the chunk, or the window */
	struct fr_record_walk walk;
	bool loaded; /* walk is in chunk next_chunk - 1 */
	/* window mode */
	size_t window_bytes;   /* 0 = direct mode */
	size_t window_off;     /* of raw in its chunk */
	uint32_t window_steps; /* of the walk that raw holds */

	struct fr_record rec;		/* the current record */
	uint32_t flags;			/* FR_SEGMENT_* of its segment */
	struct fr_stream_damage damage; /* before rec, or at the end */
	bool have;			/* rec is valid */
	bool done;
};

/* Shared by all streams of a merge. */
struct fr_stream_shared {
	struct fr_buf chunk; /* window mode */
	struct fr_merge_stats *stats;
};

/* Moves to the next record: 1, 0 at the end, -ENOMEM. */
int fr_stream_next(struct fr_stream *s, struct fr_stream_shared *shared);
void fr_stream_done(struct fr_stream *s);

#endif
