/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All records of one or several dumps of one boot, in one order: by time, then CPU, then ring
 * order. Streams: one loaded chunk per CPU, or a part of one where there are so many CPUs that
 * whole chunks would exceed the budget.
 *
 * Records that several dumps hold are handed out once: (instance, cpu, sub_seq, ordinal) says which
 * are the same. Damage never ends the merge: what cannot be read becomes a gap with its times.
 *
 * The clock may step back a little on a CPU; order_ns holds still meanwhile.
 */
#ifndef FR_MODEL_MERGE_H
#define FR_MODEL_MERGE_H

#include "../dump/reader.h"

#define FR_MERGE_BUDGET_BYTES (32u << 20) /* of loaded chunks, unless told otherwise */
/* What sinks and threads need of the same memory for each CPU: the budget shrinks by it. */
#define FR_MERGE_BESIDE_BYTES (4u << 10)
#define FR_MERGE_WINDOW_MIN_BYTES (2u << 10) /* per CPU; larger records get room of their own */

struct fr_merge_input {
	struct fr_dump *dump; /* borrowed */
	uint32_t instance; /* dumps of one run of the recorder share it; ascending by its start */
	uint64_t cut_ns;   /* not 0: the dump is cut, what each CPU had up to here is missing */
};

/* Why there is nothing between two records of a CPU. */
enum fr_gap_cause {
	FR_GAP_LOST,	/* lost while recording or dumping */
	FR_GAP_DAMAGED, /* this part of the file is damaged */
	FR_GAP_BETWEEN, /* between two dumps */
	FR_GAP_CUT,	/* the file is cut */
};

enum fr_merged_type { FR_MERGED_RECORD, FR_MERGED_GAP };

struct fr_merged {
	struct fr_record rec; /* of a gap only the cpu */
	uint64_t order_ns;    /* of a gap: the last record's before it */
	uint32_t dump;	      /* number of the input */
	enum fr_merged_type type;
	bool after_gap; /* the first record behind one */
	/* of a gap: */
	enum fr_gap_cause cause;
	uint64_t gap_to_ns;
	uint64_t gap_records; /* 0 = nobody knows */
};

struct fr_merge_stats {
	uint64_t records;    /* handed out */
	uint64_t duplicates; /* of overlapping dumps, left out */
	uint64_t gaps;	     /* all but those between two dumps */
	uint64_t gaps_between;
	uint64_t bad_chunks;
	uint64_t bad_records; /* that the bad chunks' headers claim */
	uint64_t bad_segments;
	uint64_t steps_back;	    /* of more than a millisecond: not smoothed */
	uint64_t stored_bytes_read; /* of all_stored_bytes */
	uint64_t all_stored_bytes;
};

struct fr_merge;

/* Inputs in ascending order of instance, then time. 0 or -ENOMEM. */
int fr_merge_open(const struct fr_merge_input *inputs, size_t input_cnt, size_t budget_bytes,
		  struct fr_merge **ret_merge);
struct fr_merge *fr_merge_close(struct fr_merge *m); /* NULL is fine; returns NULL */

/* 1 and *ret, valid until the next call; 0 at the end; -ENOMEM. */
int fr_merge_next(struct fr_merge *m, const struct fr_merged **ret);

/*
 * With very many CPUs, what a record is about is seldom in the cache. This says early what comes n
 * records (1 to 8) after the present one, most probably: to prefetch for, nothing else. NULL: with
 * few CPUs, where it would not pay, or not known.
 */
const struct fr_merged *fr_merge_ahead(const struct fr_merge *m, uint32_t n);

const struct fr_merge_stats *fr_merge_stats(const struct fr_merge *m);

#endif
