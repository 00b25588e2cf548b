/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by the files of the Perfetto sink (protos/perfetto/trace of Perfetto; the numbers of
 * the fields that we write are in perfetto_fields.h).
 *
 * A trace is a row of packets, one after the other; what reads it sorts them by time. All packets
 * are one sequence, whose strings are interned: told once, a number from then on.
 *
 * Tracks, by uuid:
 *   1..15                        our own: triggers, sockets, TCP trouble, families switched, others
 *   FR_PF_THREAD + index         a thread, by index into the names
 *   FR_PF_PROCESS + index        a process, by the index of its leader
 *   FR_PF_LOSS + CPU             what a CPU lost
 *   FR_PF_DISK + lane            a disk's requests, as many lanes as were under way at once
 *   a span id                    a request, what it caused in its process under it
 */
#ifndef FR_OUT_PERFETTO_INTERNAL_H
#define FR_OUT_PERFETTO_INTERNAL_H

#include "../base/pb.h"
#include "../events/event.h"
#include "../model/map.h"
#include "nest.h"
#include "sink.h"
#include "span_text.h"

enum fr_pf_track {
	FR_PF_TRIGGERS = 1,
	FR_PF_SOCKETS,
	FR_PF_TCP,
	FR_PF_FAMILIES,
	FR_PF_OTHERS,
	FR_PF_RECORDER, /* parent of those above and of the losses */
	FR_PF_DISKS,	/* parent of the disks' lanes */
	FR_PF_OWN_CNT
};

#define FR_PF_THREAD (1ull << 36)
#define FR_PF_PROCESS (2ull << 36)
#define FR_PF_LOSS (3ull << 36)
#define FR_PF_DISK (4ull << 36)

/* Kinds of interned strings: each counts its own numbers. */
enum fr_pf_intern { FR_PF_CATEGORY, FR_PF_NAME, FR_PF_ARG, FR_PF_INTERN_CNT };
#define FR_PF_INTERN_MAX 8192 /* of each kind; what comes later is written out each time */

struct fr_perfetto_sched; /* perfetto_sched.c */
struct fr_perfetto_disks; /* perfetto_disks.c */

struct fr_perfetto {
	struct fr_convert *c;
	struct fr_out *out;
	struct fr_buf packet;  /* the packet being made */
	struct fr_buf event;   /* its event, while strings of it are interned */
	struct fr_buf strings; /* interned by it */
	struct fr_map interned[FR_PF_INTERN_CNT]; /* hash of a string to its number */
	struct fr_map shown; /* uuid of threads and processes that have been introduced */
	uint32_t own_shown;  /* bit: enum fr_pf_track */
	struct fr_nest nest;
	struct fr_span_text text;
	struct fr_perfetto_sched *sched;
	struct fr_perfetto_disks *disks;
};

/* perfetto_pack.c */
/* A packet at that time; ends with fr_pf_packet_end(). */
size_t fr_pf_packet(struct fr_perfetto *p, uint64_t time_ns);
void fr_pf_packet_end(struct fr_perfetto *p, size_t mark);

/* An event on a track, made in p->event: begin, add, end. */
enum fr_pf_type { FR_PF_BEGIN = 1, FR_PF_END = 2, FR_PF_INSTANT = 3 };
void fr_pf_event(struct fr_perfetto *p, enum fr_pf_type type, uint64_t track, const char *category,
		 struct fr_slice name);
void fr_pf_event_end(struct fr_perfetto *p, uint64_t time_ns);
/* A slice's end, whole. */
void fr_pf_event_stop(struct fr_perfetto *p, uint64_t track, uint64_t time_ns);
void fr_pf_flow(struct fr_perfetto *p, uint64_t id);
void fr_pf_arg_u64(struct fr_perfetto *p, const char *name, uint64_t v);
void fr_pf_arg_i64(struct fr_perfetto *p, const char *name, int64_t v);
void fr_pf_arg_hex(struct fr_perfetto *p, const char *name, uint64_t v);
void fr_pf_arg_bool(struct fr_perfetto *p, const char *name, bool v);
/* What is no UTF-8 is mended; empty ones are left out. */
void fr_pf_arg_str(struct fr_perfetto *p, const char *name, struct fr_slice s);
void fr_pf_arg_text(struct fr_perfetto *p, const char *name, const char *s);
/* All fields of a record, and of its socket. */
void fr_pf_args_of(struct fr_perfetto *p, const struct fr_merged *m);

/* perfetto_tracks.c */
/* Introduces the thread with its process where that was not done. False: not to be shown. */
bool fr_pf_thread(struct fr_perfetto *p, uint32_t who, uint64_t *ret_track);
uint64_t fr_pf_own(struct fr_perfetto *p, enum fr_pf_track track);
void fr_pf_describe(struct fr_perfetto *p, uint64_t uuid, uint64_t parent, const char *name);
/* Of the thread's process: parent for a request's track. */
uint64_t fr_pf_process_track(struct fr_perfetto *p, uint32_t who);

/* perfetto_sched.c */
int fr_pf_sched_new(struct fr_perfetto *p);
void fr_pf_sched_free(struct fr_perfetto *p);
void fr_pf_sched(struct fr_perfetto *p, const struct fr_merged *m);
void fr_pf_sched_lost(struct fr_perfetto *p, uint16_t cpu);
void fr_pf_sched_end(struct fr_perfetto *p);

/* perfetto_events.c */
void fr_pf_instant(struct fr_perfetto *p, const struct fr_merged *m);

/* perfetto_requests.c */
void fr_pf_request(struct fr_perfetto *p, const struct fr_span *s);

/* perfetto_disks.c */
int fr_pf_disks_new(struct fr_perfetto *p);
void fr_pf_disks_free(struct fr_perfetto *p);
void fr_pf_disk(struct fr_perfetto *p, const struct fr_merged *m);

static inline bool fr_pf_in_range(const struct fr_perfetto *p, uint64_t time_ns)
{
	return time_ns >= p->c->from_ns && time_ns <= p->c->to_ns;
}

#endif
