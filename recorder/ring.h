/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring as its reader sees it: headers and control blocks mapped read-only, sub-buffers copied
 * by map lookup. The layout and the writers' side are in formats/abi/ring.h. Readers never stop
 * writers and never write; any number may read at once.
 *
 * A reader takes note of every CPU once, at the beginning: the running sub-buffer then is the last
 * one it reads (writers are not chased), and the number of records in each older one is what makes
 * the account exact whatever happens while it reads.
 *
 *            overwritten                 the window of this reader
 *      ──────────────────────────┬─────────────────────────────────────┐
 *   [ ...gone before it began... | oldest | ... | ... | skipped | last ]  younger ones: not its own
 *                                    │                             │
 *      overtaken: a writer came round before it was copied         └ running at the beginning: read
 *      unfinished: a writer reserved in it and never committed       in place when at rest, else
 *                                                                    closed by a flush
 *
 * One sub-buffer:  commit (acquire) says every writer is out  →  header fields  →  copy  →  fence
 * →  head says nobody came round meanwhile. Only then a byte of it is believed.
 *
 * Per CPU, always:
 *   emitted = kept + overwritten + overtaken + unfinished + dropped_retry + _busy + _nocpu
 */
#ifndef FR_RECORDER_RING_H
#define FR_RECORDER_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/abi/ring.h"

#define FR_RING_PATIENCE_NS 2000000ull /* writers end in microseconds */
#define FR_RING_PART_MIN 8192u	       /* room for any record */

/* Filled by fr_layout_map(); everything in it is borrowed from struct fr_layout and the maps. */
struct fr_ring_view {
	const struct fr_ring_ctl *ctl; /* cpu_cnt elements, mapped read-only */
	const struct fr_ring_sub *sub; /* slot_cnt << sub_shift elements, mapped read-only */
	int ring_fd;		       /* map fr_ring: key uint32_t, value FR_SUB_BYTES */
	uint32_t sub_shift;	       /* sub-buffers of one CPU = 1 << sub_shift */
	uint32_t slot_cnt;
	uint32_t cpu_cnt;	  /* possible CPUs */
	const uint16_t *cpu_slot; /* cpu_cnt elements; FR_NO_SLOT = this CPU has no share */
	int flush_prog_fd;	  /* fr_flush, for BPF_PROG_TEST_RUN on one CPU */
};

/* How bytes get out of the ring and how a sub-buffer is closed: tests bring their own. */
struct fr_ring_io {
	/* Bytes off .. off + bytes of element `index`; 0 or a negative errno. */
	int (*copy)(const struct fr_ring_view *v, uint32_t index, uint32_t off_bytes,
		    uint32_t bytes, void *to, void *ctx);
	int (*flush)(const struct fr_ring_view *v, uint32_t cpu, void *ctx);
	void *ctx;
};

/* What became of every record of one CPU up to the end of the reader's window. */
struct fr_ring_account {
	uint64_t emitted;
	uint64_t kept;
	uint64_t overwritten;
	uint64_t overtaken;
	uint64_t unfinished;
	uint64_t dropped_retry;
	uint64_t dropped_busy;
	uint64_t dropped_nocpu;
	/* beside the equation */
	uint64_t torn;	       /* of unfinished: records in a whole sub-buffer that made no sense */
	uint64_t skipped_subs; /* sub-buffers of the window passed over by writers: 64 KiB each */
	uint64_t flushes;      /* flush records among the emitted */
	bool unsettled;	       /* a writer was held in the middle of a turn: counts may be off */
};

/* The reading position on one CPU. Private to ring.c but for `account`. */
struct fr_ring_cursor {
	uint16_t slot; /* FR_NO_SLOT: nothing to read */
	bool lost;     /* something is missing before the next part */
	bool begun;    /* the sub-buffer next_seq has been read up to off_bytes */
	bool running;  /* and it is the prefix of a running one */
	uint32_t next_seq;
	uint32_t left_cnt;  /* sub-buffers from next_seq to the last one of the window */
	uint64_t last_head; /* of the window's last sub-buffer, at the beginning */
	uint32_t off_bytes;
	uint32_t end_bytes;
	uint32_t ordinal;    /* of the record at off_bytes */
	uint32_t record_cnt; /* in the sub-buffer, or in its prefix */
	uint64_t first_time_ns;
	uint16_t *records; /* by seq & mask: records in each closed sub-buffer of the window */
	struct fr_ring_account account;
};

struct fr_ring_reader {
	const struct fr_ring_view *view; /* borrowed */
	struct fr_ring_io io;
	uint32_t cpu_cnt;
	struct fr_ring_cursor *cursors; /* by CPU, owned */
	uint16_t *records;		/* owned */
};

/* Whole records of one sub-buffer, in the order of their time. */
struct fr_ring_part {
	uint64_t base_time_ns; /* what the records' 46-bit times are rebuilt from */
	uint32_t seq;	       /* of the sub-buffer */
	uint32_t first_record; /* ordinal in the sub-buffer */
	uint32_t bytes;
	uint32_t records;
	bool running;	  /* prefix of a sub-buffer that was not closed yet */
	bool loss_before; /* records between the part before and this one are missing */
};

/* Takes note of all CPUs: here the window begins and ends. io NULL = the real thing. -ENOMEM. */
int fr_ring_begin(struct fr_ring_reader *ret_reader, const struct fr_ring_view *view,
		  const struct fr_ring_io *io);
/*
 * The next part of one CPU into `to`, room_bytes >= FR_RING_PART_MIN; with room for FR_SUB_BYTES
 * parts are whole sub-buffers. 1 and *ret_part, 0 when the window is through, or the negative errno
 * of the copy (then nothing of this CPU can be read any more).
 */
int fr_ring_read(struct fr_ring_reader *r, uint32_t cpu, void *to, uint32_t room_bytes,
		 struct fr_ring_part *ret_part);
/* Exact once fr_ring_read() has returned 0 for this CPU. */
const struct fr_ring_account *fr_ring_account(const struct fr_ring_reader *r, uint32_t cpu);
void fr_ring_end(struct fr_ring_reader *r);

#endif
