/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How recording goes: numbers read from the ring's headers and the probes' counters, on request.
 * The main answer: how many seconds of history would a dump have now?
 */
#ifndef FR_RECORDER_STATS_H
#define FR_RECORDER_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "recorder.h"

#define FR_NS_UNKNOWN UINT64_MAX

struct fr_cpu_stats {
	bool has_slot;
	uint64_t emitted; /* events that probes made, lost ones included */
	uint64_t dropped_retry;
	uint64_t dropped_busy;
	uint64_t dropped_nocpu;
	uint64_t skipped_subs;
	uint64_t retries;
	uint64_t laps;	   /* times the ring of this CPU has come round */
	uint64_t now_ns;   /* history that a dump would have */
	uint64_t full_ns;  /* ... once the ring is full, at the rate since start; FR_NS_UNKNOWN */
	uint64_t worst_ns; /* least history seen since the ring came round; FR_NS_UNKNOWN */
};

struct fr_stats {
	const struct fr_recorder *rec;
	uint64_t boot_ns; /* when they were read */
	uint64_t unix_ns;
	uint64_t uptime_ns;
	uint64_t now_ns; /* least of all CPUs that record: what every CPU still covers */
	uint64_t full_ns;
	uint64_t worst_ns;
	uint64_t emitted;
	uint64_t dropped;
	uint64_t misses; /* programs that the kernel did not run */
	uint64_t map_bytes;
	uint64_t anon_bytes; /* of the daemon itself */
	uint64_t cpu_ns;     /* used by the daemon itself, without dumpers */
	uint64_t counters[FR_COUNTER_CNT];
	struct fr_cpu_stats *cpus; /* rec->ring.cpu_cnt; owned; worst_ns lives on between reads */
	uint64_t *percpu;	   /* one row of a per-CPU map; owned */
	uint32_t percpu_cnt;
};

int fr_stats_init(struct fr_stats *s, const struct fr_recorder *rec);
void fr_stats_done(struct fr_stats *s);
/* Reads everything anew. Calls far apart make worst_ns coarse: it sees what is there then. */
void fr_stats_read(struct fr_stats *s);
const char *fr_counter_name(uint32_t id);

#endif
