/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who a number was: threads and processes that the iterators could not list, because they were
 * gone by then or not there yet, from the proc_* records of the dump; and the former names of those
 * that were renamed.
 *
 * A thread is (tid, start time). Three traps:
 *  - an exit is not the end: the thread still switches away. Its end is its free record.
 *  - exec by a thread that is not the leader: it takes the leader's tid and start time, and the old
 *    leader is freed under the caller's tid with a start time that was never its own.
 *  - that caller's old tid ends with the exec; its name is in the rename record just before.
 * Between its exit and its end nobody lists a thread, and that may last: each switch says its name.
 *
 * The table is small: when it is full, its rows are written and the dead make room. Readers join
 * rows about one thread; a later row has the last word.
 */
#ifndef FR_RECORDER_DUMP_OBITS_H
#define FR_RECORDER_DUMP_OBITS_H

#include "dump_filter.h"
#include "dump_rows.h"
#include "dump_seen.h"

#define FR_OBITS_MAX 4096
#define FR_OBIT_RENAMES_MAX 4096
#define FR_OBIT_TEXT_MAX (128u << 10)
#define FR_SWAPPED_MAX 64
#define FR_OBITS_KEPT_MAX (FR_OBITS_MAX / 2) /* the living that stay when the table was full */

/* fr_obit.flags */
#define FR_OBIT_LIVING 0x1u  /* the iterator listed it */
#define FR_OBIT_NEWS 0x2u    /* a row must be written */
#define FR_OBIT_PROCESS 0x4u /* and one for its process */
#define FR_OBIT_TOLD 0x8u    /* its process has a row already */

struct fr_obit {
	uint32_t tid; /* 0 = free slot */
	uint32_t tgid;
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t last_ns; /* it was seen on a CPU after its exit; 0 = it was not */
	char comm[FR_COMM_BYTES];
	uint32_t exit_code;
	uint32_t parent_tgid;
	uint16_t flags;
	uint16_t rename_cnt;
	uint32_t first_rename; /* into renames, oldest first; UINT32_MAX = none */
	uint32_t last_rename;
	uint32_t text_off; /* of exe, then arguments */
	uint16_t exe_bytes;
	uint16_t args_bytes;
	uint16_t args_cut;
	uint16_t reserved;
};

struct fr_obit_rename {
	uint64_t boot_ns;
	char old_comm[FR_COMM_BYTES];
	uint32_t next;
	uint32_t reserved;
};

struct fr_obits {
	struct fr_rows *rows;	/* borrowed */
	struct fr_seen *seen;	/* borrowed */
	struct fr_idset living; /* keys of (tid, start) */
	uint64_t listed_ns;	/* boot time when all of them were listed; 0 = they were not */
	struct fr_obit *table;	/* 2 * FR_OBITS_MAX slots, by hash of the tid; owned */
	uint32_t cnt;
	struct fr_obit *kept; /* FR_OBITS_KEPT_MAX, while room is made; owned */
	struct fr_obit_rename *renames;
	uint32_t rename_cnt;
	uint8_t *text;
	uint32_t text_bytes;
	struct {
		uint32_t tid;
		uint64_t start_ns;
	} swapped[FR_SWAPPED_MAX]; /* frees that name the wrong thread */
	uint32_t swapped_cnt;
};

int fr_obits_init(struct fr_obits *o, struct fr_rows *rows, struct fr_seen *seen);
void fr_obits_done(struct fr_obits *o);
/* A thread that has a row already. */
void fr_obits_living(struct fr_obits *o, uint32_t tid, uint64_t start_ns);
/* A proc_* record, filtered, in merged order; others are passed over. */
void fr_obits_record(struct fr_obits *o, const uint8_t *record, uint64_t time_ns);
/* Writes the rest. */
void fr_obits_flush(struct fr_obits *o);

#endif
