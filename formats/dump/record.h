/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walking the records of segments (format.h): headers checked, full times rebuilt. Serves the
 * reader of dumps, and the dumper on what it copies from the ring.
 */
#ifndef FR_DUMP_RECORD_H
#define FR_DUMP_RECORD_H

#include <stdbool.h>

#include "../abi/event.h"
#include "../base/bytes.h"
#include "format.h"

/* One record, decoded as far as the header. */
struct fr_record {
	uint64_t time_ns; /* full BOOTTIME */
	uint32_t kind;
	uint32_t bytes; /* whole record */
	uint16_t cpu;
	uint16_t reserved;
	uint32_t sub_seq;
	uint32_t ordinal;    /* in its sub-buffer */
	const uint8_t *data; /* at the record word; borrowed from the loaded chunk; 8-byte aligned
				when the chunk's buffer is (a fr_buf is) */
};

/* Walks the records of one loaded events chunk. Holds no end but what is left, so that whoever has
 * a part of the chunk in memory may move `at` there. */
struct fr_record_walk {
	const uint8_t *at;
	size_t seg_left_bytes; /* of the current segment's records */
	size_t behind_bytes;   /* of all segments behind that one */
	uint64_t base_time_ns;
	uint64_t last_time_ns;
	uint32_t sub_seq, ordinal;
	uint32_t records_left; /* that the segment header promised */
	uint32_t segments;     /* entered so far */
	uint32_t flags;	       /* FR_SEGMENT_* of the current segment */
	uint16_t cpu;
};
void fr_record_walk_init(struct fr_record_walk *w, uint16_t cpu, struct fr_slice raw);
/* 1 and *ret_record, 0 at the end, -EBADMSG when the bytes make no sense: the rest of the segment
 * (of the chunk, if its header was wrong) is passed over, so walking on is safe and ends. Also
 * -EBADMSG, once, behind a segment that held fewer records than its header promised. */
int fr_record_next(struct fr_record_walk *w, struct fr_record *ret_record);

/* The kind's row of FR_EVENTS. */
struct fr_event_info {
	const char *name; /* NULL = unknown kind */
	uint16_t fixed_bytes;
	uint8_t family;
};
extern const struct fr_event_info fr_event_infos[256]; /* by kind */

/* Known kind, at least its fixed bytes, and variable parts inside the record. Unknown kinds are
 * not sound: whoever counts them asks fr_event_infos[kind].name first. */
bool fr_record_sound(const struct fr_record *r);

#endif
