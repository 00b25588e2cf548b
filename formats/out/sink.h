/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output formats. A sink is one file in this folder and one row in sinks.c; `flightrec convert --to
 * NAME` finds it there.
 *
 * Calls come in order of time. Sinks keep what they need in their own ctx and write to the output
 * that begin() got; its errors latch, nobody checks them on the way. -ENOMEM latches in
 * fr_convert.err.
 */
#ifndef FR_OUT_SINK_H
#define FR_OUT_SINK_H

#include "../base/out.h"
#include "../model/session.h"
#include "../model/spans.h"
#include "../model/threads.h"
#include "otlp.h"

/* Which threads (and requests that they began) are wanted; all when both are unset. */
struct fr_filter {
	uint32_t pid;	  /* 0 = any; also matches a tid */
	const char *comm; /* NULL = any; of the thread, at any time, or of its process */
};

/* Which requests are wanted; all when both are unset. */
struct fr_span_filter {
	uint64_t min_duration_ns;
	bool has_trace_id;
	uint8_t trace_id[16];
};

struct fr_lost {
	uint16_t cpu;
	enum fr_gap_cause cause;
	uint64_t from_ns, to_ns;
	uint64_t records; /* 0 = nobody knows how many */
};

struct fr_convert_stats {
	struct fr_merge_stats merge;
	uint64_t shown;		/* records inside the range */
	uint64_t unknown_kinds; /* of a newer recorder, passed over */
	uint64_t unsound;	/* records shorter than they must be */
	uint64_t told;		/* requests that the filters let through */
	struct fr_spans_stats spans; /* zeros when the sink tells none */
};

/* One conversion: what every sink may ask. */
struct fr_convert {
	const struct fr_session *session;
	struct fr_threads *threads;
	struct fr_out *out;
	uint64_t from_ns, to_ns; /* the range to show, both included */
	bool all;		 /* also what not every CPU covers */
	struct fr_filter filter;
	struct fr_span_filter span_filter;
	const char *version; /* of this program */
	/* OTLP only: who takes its requests; out is then not used and may be NULL. NULL = a file */
	const struct fr_otlp_to *otlp;
	uint64_t otlp_unwritten_logs; /* log records that the output has no place for (otlp.h) */
	int err;		      /* latched by sinks */
};

struct fr_sink {
	const char *name;
	const char *about; /* one line, for help */
	/* Writes the head. ret_ctx is handed to all others, and to end(), which must free it. */
	int (*begin)(struct fr_convert *c, void **ret_ctx);
	/* A sound record, inside the range or not (its step may reach into it), after the threads
	 * took it. */
	void (*record)(void *ctx, const struct fr_merged *m, const struct fr_step *step);
	/* A request has ended, now or a while ago: one whose parent must be seen once more waits
	 * for that. Mostly children come first. NULL = the sink tells none, and no request is
	 * looked for. Those of which nothing lies in the range, or that the filter does not want,
	 * are left out. */
	void (*span)(void *ctx, const struct fr_span *span);
	/* Records are missing. */
	void (*lost)(void *ctx, const struct fr_lost *lost);
	/* A CPU's record stops: its open stint. */
	void (*stop)(void *ctx, const struct fr_step *step);
	/* Nobody knows any more what those threads do that are off the CPU: their last known state
	 * ends at at_ns. */
	void (*blind)(void *ctx, uint64_t at_ns);
	/* This thread, or one like it, will be in a record on that CPU at once: fetches into the
	 * cache what that needs. NULL = nothing. */
	void (*soon)(void *ctx, uint32_t who, uint16_t cpu);
	/* Writes the end; what was open goes on to the end of the range. Frees ctx. */
	void (*end)(void *ctx, const struct fr_convert_stats *stats);
	/* Frees ctx without writing. */
	void (*drop)(void *ctx);
};

/* By name; NULL. */
const struct fr_sink *fr_sink_find(const char *name);
/* The i-th; NULL past the end. */
const struct fr_sink *fr_sink_at(size_t i);

extern const struct fr_sink fr_sink_chrome;
extern const struct fr_sink fr_sink_text;
extern const struct fr_sink fr_sink_perfetto;

/* Index of the thread that stands for who's process. May add names. */
uint32_t fr_sink_leader(const struct fr_convert *c, uint32_t who);
/* The socket that the record is about, unless the record itself is its birth or end; NULL = none is
 * known. *ret_ends: its addresses are known, and the record does not say them. */
const struct fr_socket *fr_sink_socket(const struct fr_convert *c, const struct fr_merged *m,
				       bool *ret_ends);
/* Why there is nothing, for people. */
const char *fr_lost_name(enum fr_gap_cause cause);
/* Events that found no place in the ring: nobody knows when. */
uint64_t fr_loss_dropped(const struct fr_cpu_loss *c);

/* Does the filter want this thread? */
bool fr_filter_thread(const struct fr_convert *c, uint32_t who);
/* Any thread of the process with this id? */
bool fr_filter_tgid(const struct fr_convert *c, uint32_t tgid, uint64_t time_ns);
/* Is the process of the socket wanted that the record is about? */
bool fr_filter_socket(const struct fr_convert *c, const struct fr_merged *m);
static inline bool fr_filter_on(const struct fr_convert *c)
{
	return c->filter.pid || c->filter.comm;
}

#endif
