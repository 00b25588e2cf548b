/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index at the end of a dump: what the writer says it wrote. It makes damage nameable ("here
 * were 1,200 events of CPU 3"); what is believed are the chunks' own headers.
 */
#ifndef FR_DUMP_INDEX_H
#define FR_DUMP_INDEX_H

#include "../base/buf.h"
#include "../base/bytes.h"
#include "format.h"

struct fr_index_entry {
	uint64_t off;
	uint32_t type;
	uint32_t cpu;
	uint64_t first_time_ns;
	uint64_t last_time_ns;
	uint64_t records;
	uint32_t raw_bytes;
	uint32_t stored_bytes;
};

/* Sums over all chunks before the index; in its last message. */
struct fr_index_sums {
	uint64_t records;
	uint64_t raw_bytes;
	uint64_t stored_bytes;
};

/* An entry takes at most this much in a message: how many fit into one chunk. */
#define FR_INDEX_ENTRY_MAX 80
#define FR_INDEX_ENTRIES_PER_CHUNK ((FR_CHUNK_RAW_MAX - 64) / FR_INDEX_ENTRY_MAX)

void fr_index_add(struct fr_buf *b, const struct fr_index_entry *e);
void fr_index_add_sums(struct fr_buf *b, const struct fr_index_sums *s);
/* Next entry under the cursor: 1 and *ret, 0 at the end, -EBADMSG. */
int fr_index_next(struct fr_cursor *c, struct fr_index_entry *ret);

#endif
