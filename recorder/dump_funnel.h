/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the ring to the file: one merge by time over all CPUs. Every record passes through one
 * function in that order (a message's parts may lie on several CPUs, and whoever redacts must see
 * them in order); then it goes into chunks of its own CPU, which come out in order of first time.
 *
 * One lane per CPU, all of them together no larger than a budget:
 *
 *      seg_off         out_off       in_off            in_end            cap
 *   [ pending chunks | open segment | dead | records not merged yet | ...room... ]
 *
 * Records move left only when one before them has become shorter. When a lane has no room for its
 * next part, all that is merged is written, for all lanes at once: what is merged later is younger.
 */
#ifndef FR_RECORDER_DUMP_FUNNEL_H
#define FR_RECORDER_DUMP_FUNNEL_H

#include <stddef.h>

#include "formats/dump/writer.h"
#include "ring.h"

#define FR_FUNNEL_BUDGET_BYTES (2u << 20)
#define FR_LANE_BYTES_MIN (20u << 10) /* two parts that hold any record each */

/* oldest_ns of a CPU, beside the time of its first record kept when older ones are lost. */
#define FR_OLDEST_ALL 0ull	  /* nothing of it was lost at the window's beginning */
#define FR_OLDEST_NONE UINT64_MAX /* it had records, and none is kept */

struct fr_funnel_sink {
	/* Once, before the first record: from when on every CPU's records are kept. */
	void (*begin)(uint64_t common_start_ns, void *ctx);
	/* A record in merged order. It may be rewritten in place, but not grow; its size is
	 * returned, and its word says the same. */
	uint32_t (*record)(uint8_t *record, uint64_t time_ns, uint16_t cpu, void *ctx);
	/* A finished chunk; a negative errno ends it all. */
	int (*chunk)(const struct fr_dump_events *ev, void *ctx);
	void *ctx;
};

struct fr_funnel_stats {
	uint64_t records;
	uint64_t read_bytes;
	uint64_t common_start_ns; /* 0 = nothing was ever overwritten */
};

/*
 * Reads the window of `reader` to its end. budget_bytes is what lanes may take (0 = the usual); a
 * lane is never smaller than FR_LANE_BYTES_MIN, so beyond 100 CPUs they take 20 KiB each.
 * oldest_ns[cpu] gets the time from which on each CPU's records are kept, or FR_OLDEST_*.
 * 0, -ENOMEM, or what the ring or the sink returned.
 */
int fr_funnel_run(struct fr_ring_reader *reader, const struct fr_funnel_sink *sink,
		  size_t budget_bytes, uint64_t *oldest_ns, struct fr_funnel_stats *ret_stats);

#endif
