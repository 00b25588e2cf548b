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
	uint32_t bytes;	  /* whole record */
	uint16_t cpu;
	uint16_t reserved;
	uint32_t sub_seq;
	uint32_t ordinal; /* in its sub-buffer */
	const uint8_t *data; /* at the record word; borrowed from the loaded chunk */
};

/* Walks the records of one loaded events chunk. */
struct fr_record_walk {
	const uint8_t *at, *end;     /* all segments */
	const uint8_t *seg_end;	     /* of the current segment's records */
	uint64_t last_time_ns;
	uint32_t sub_seq, ordinal;
	uint16_t cpu;
	uint32_t flags; /* FR_SEGMENT_* of the current segment */
};
void fr_record_walk_init(struct fr_record_walk *w, uint16_t cpu, struct fr_slice raw);
/* 1 and *ret, 0 at the end, -EBADMSG when the bytes make no sense (the rest of the segment is
 * passed over on the next call, so walking on is safe and ends). */
int fr_record_next(struct fr_record_walk *w, struct fr_record *ret_record);

/* The kind's row of FR_EVENTS. */
struct fr_event_info {
	const char *name;   /* NULL = unknown kind */
	uint16_t fixed_bytes;
	uint8_t family;
};
extern const struct fr_event_info fr_event_infos[256];

/* Known kind, at least its fixed bytes, and variable parts inside the record. */
bool fr_record_sound(const struct fr_record *r);

#endif
