/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The overwriting ring: what probes (writers) and the dumper (reader) agree on.
 *
 * Three maps, all mmapable BPF arrays:
 *   ring  one element = one sub-buffer of FR_SUB_BYTES, records only
 *   subs  one element = struct fr_ring_sub, the header of the sub-buffer with the same index
 *   ctl   one element = struct fr_ring_ctl, one per possible CPU
 *
 * A CPU with a slot owns the elements slot << shift ... (slot + 1 << shift) - 1. Sub-buffer
 * number `seq` (free running) of that CPU lives at  slot << shift | (seq & (1 << shift) - 1).
 *
 *        oldest                                           head.seq
 *   [ closed | closed | closed | skipped | closed | ... | running ]
 *
 * head is one 64-bit word, moved only by compare-and-swap:
 *      63..32  sequence number of the running sub-buffer
 *      31..16  records reserved in it
 *      15..0   write offset in it, in 8-byte units (<= FR_SUB_UNITS)
 *
 * Writer: load head, read the clock, cmpxchg head (so ring order is time order on each CPU, under
 * any nesting), fill, store the header word last, add the size to `commit` (a release; pairs with
 * the reader's acquire of commit).
 *
 * commit is two counts in one word, and what is committed is their sum (FR_COMMITTED()):
 *      63..32  added by an atomic, whoever adds
 *      31..0   added by a plain load and store, which needs no locked instruction that waits for
 *              all stores before it. Only by writers that found `committing` of their CPU at 0 and
 *              set it: an interrupt in between sees that, and adds above. Where stores may pass
 *              each other (not x86) nobody does, nor may a program that can be preempted.
 *
 * Invariants (fr_ring_check() in tests asserts them at rest):
 *  1. commit is cumulative over laps and never reset: a sub-buffer that is whole at the end of
 *     lap L has committed (L + 1) * FR_SUB_UNITS, compared under FR_COMMIT_MASK only: sequence
 *     numbers wrap.
 *  2. a writer enters a sub-buffer only when its commit says that every writer of the older lap is
 *     out; else it passes it over (skipped++) and marks it as whole once that lap is complete.
 *  3. the opener writes seq and first_time_ns, the closer used_units, records and last_time_ns,
 *     both before their own commit.
 *  4. emitted == closed_records + records in the running sub-buffer + dropped (all causes).
 */
#ifndef FR_ABI_RING_H
#define FR_ABI_RING_H

#ifndef __BPF__
#include <stdint.h>
#endif
#include "abi.h"

#define FR_SUB_SHIFT 16
#define FR_SUB_BYTES (1u << FR_SUB_SHIFT)
#define FR_SUB_UNITS (FR_SUB_BYTES / 8)
#define FR_CPU_SLOTS_MAX 4096 /* a CPU beyond counts dropped_nocpu */
#define FR_NO_SLOT 0xffffu
#define FR_SUBS_MIN 16 /* per CPU: one running, up to 8 passed over at once, one being overtaken */
#define FR_RESERVE_TRIES 8

/* With 2^shift sub-buffers a CPU, commit has grown by 2^(45 - shift) when its sequence number comes
 * back to 0: so many low bits of it still tell the lap. 32 of them up to 512 MiB a CPU. */
#define FR_COMMIT_MASK(shift) ((shift) > 13 ? (1u << ((45 - (shift)) & 31)) - 1 : ~0u)

#define FR_COMMITTED(commit) ((uint32_t)(commit) + (uint32_t)((commit) >> 32))
#define FR_COMMIT_ATOMIC(units) ((uint64_t)(units) << 32) /* what an atomic adds */

#define FR_HEAD_SEQ(head) ((uint32_t)((head) >> 32))
#define FR_HEAD_RECORDS(head) ((uint32_t)((head) >> 16) & 0xffff)
#define FR_HEAD_UNITS(head) ((uint32_t)(head) & 0xffff)
#define FR_HEAD_ONE_RECORD (1ull << 16)
#define FR_HEAD_MAKE(seq, records, units)                                                          \
	((uint64_t)(uint32_t)(seq) << 32 | (uint64_t)(records) << 16 | (units))

FR_ABI_BEGIN

/* Header of one sub-buffer. Written by probes, read by the dumper. */
struct fr_ring_sub {
	uint64_t commit;	/* 8-byte units committed since the start, all laps: see above */
	uint64_t seq;		/* number of the sub-buffer that lies here now; opener */
	uint64_t first_time_ns; /* BOOTTIME of the record that opened it; opener */
	uint64_t last_time_ns;	/* of the one that closed it (which lies in the next); closer */
	uint32_t used_units;	/* 8-byte units that hold records; closer */
	uint32_t records;	/* records in it; closer */
	uint64_t reserved_zero[3];
};

/* Control block of one CPU. What each record needs has a cache line of its own; the counters move
 * rarely. */
struct fr_ring_ctl {
	uint64_t head;
	uint32_t first_sub;  /* where its share begins in ring and subs; FR_NO_SUB = none; loader */
	uint32_t sub_mask;   /* its sub-buffers less one; loader */
	uint32_t committing; /* 1 = a writer adds to the low half of a commit */
	uint32_t reserved_zero;
	uint64_t line_pad[5];
	uint64_t closed_records; /* records in all sub-buffers closed so far */
	uint64_t closed_subs;	 /* sub-buffers closed so far */
	uint64_t dropped_retry;	 /* records given up after FR_RESERVE_TRIES interruptions */
	uint64_t dropped_busy;	 /* records given up: every candidate still held by a writer */
	uint64_t dropped_nocpu;	 /* records given up: this CPU got no share of the ring */
	uint64_t skipped_subs;	 /* sub-buffers passed over because an older writer is inside */
	uint64_t flushes;	 /* flush records written (they count as records, not as events) */
	uint64_t retries;	 /* interruptions seen by a reservation; no loss */
};

FR_ABI_END

#define FR_NO_SUB 0xffffffffu
#define FR_SUB_INDEX(ctl, seq) ((ctl)->first_sub + ((uint32_t)(seq) & (ctl)->sub_mask))
/* A control block before the first record. */
#define FR_RING_CTL(slot, shift)                                                                   \
	((struct fr_ring_ctl){ .first_sub = (slot) == FR_NO_SLOT ? FR_NO_SUB                       \
								 : (uint32_t)(slot) << (shift),    \
			       .sub_mask = (slot) == FR_NO_SLOT ? 0 : (1u << (shift)) - 1 })

FR_ABI_SIZE(fr_ring_sub, 64);
FR_ABI_SIZE(fr_ring_ctl, 128);

#endif
