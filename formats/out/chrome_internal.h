/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by the files of the Chrome trace sink.
 *
 * Tracks, by (pid, tid). Linux ids are below 2^22; everything of our own lies above:
 *   pid FR_CHROME_CPUS      one thread per CPU: who ran
 *   pid FR_CHROME_RECORDER  triggers; families switched; one thread per CPU that lost something
 *   pid FR_CHROME_DISKS     per device as many threads as requests were under way at once
 *   pid FR_CHROME_NET       sockets that come and go; retransmits and resets
 *   real pids and tids      Running slices, instants, states (ph T), wake-up flows (s, f)
 *   id + k << 22, k >= 2    another thread or process with the same id, later
 *
 * Requests are async slices (b, e) of their processes, see chrome_requests.c.
 *
 * In the file each track is sorted by time, parents first. A Running slice is complete, and can be
 * written, only when the thread leaves its CPU; whatever happens on its track meanwhile is held
 * back as text, per CPU, and written behind it. When too much is held, the slice is cut in two.
 */
#ifndef FR_OUT_CHROME_INTERNAL_H
#define FR_OUT_CHROME_INTERNAL_H

#include "../base/digits.h"
#include "../base/json.h"
#include "../model/map.h"
#include "sink.h"

#define FR_CHROME_CPUS 4194304u
#define FR_CHROME_RECORDER 4194305u
#define FR_CHROME_DISKS 4194306u
#define FR_CHROME_NET 4194307u

#define FR_CHROME_TID_TRIGGERS 4194400u
#define FR_CHROME_TID_SOCKETS 4194401u
#define FR_CHROME_TID_TCP 4194402u
#define FR_CHROME_TID_FAMILIES 4194403u
#define FR_CHROME_TID_OTHERS 4194404u
#define FR_CHROME_TID_CPU 4200000u  /* + CPU */
#define FR_CHROME_TID_LOSS 4300000u /* + CPU */
#define FR_CHROME_TID_DISK 5000000u /* + lane */

/* Room for any one object of the hot paths. */
#define FR_CHROME_OBJECT_MAX 256
#define FR_CHROME_TEXT_MAX 512 /* characters shown of captured bytes */

/* Times and durations rendered once and used several times. */
struct fr_chrome_num {
	char text[24];
	uint32_t len;
};

#define FR_CHROME_NAME_MAX 40 /* of a thread on a CPU's track, escaped; longer ones are cut */
#define FR_CHROME_NAME_ODD 255u

/* A thread on the screen. Many of them are looked at in turn: one line of the cache each. */
struct fr_chrome_who {
	uint32_t pid, tid; /* as shown */
	uint8_t state;	   /* FR_CHROME_* */
	uint8_t ids_len;
	uint8_t name_len; /* of comm, if that is the name as it is; 0 = not yet; else ..NAME_ODD */
	bool as_thread;	  /* appears as a thread: needs a name */
	bool as_process;
	char comm[FR_COMM_BYTES]; /* that name_len is about */
	char ids[28];		  /* 1,"tid":2 */
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct fr_chrome_who) == 64, "one line");
enum { FR_CHROME_NEW = 0, FR_CHROME_SHOWN, FR_CHROME_HIDDEN };

struct fr_chrome_cpu {
	struct fr_buf held; /* objects of the thread that runs here, behind its slice */
	bool used;	    /* its track appears */
	bool lost;	    /* its loss track appears */
	uint8_t prefix_len;
	char prefix[40];
};

struct fr_chrome_disks;	   /* chrome_disks.c */
struct fr_chrome_requests; /* chrome_requests.c */

struct fr_chrome {
	struct fr_convert *c;
	struct fr_out *out;
	uint64_t zero_ns;	   /* what ts counts from */
	struct fr_chrome_who *who; /* by index into the names; aligned to lines */
	uint32_t who_cnt;
	struct fr_map incarnations; /* tid to how many were shown under it */
	struct fr_chrome_cpu *cpus;
	uint32_t cpu_cnt;
	size_t held_max_bytes;
	uint64_t flow; /* last id */
	struct fr_chrome_disks *disks;
	struct fr_chrome_requests *requests;
	uint64_t disks_not_shown; /* requests: too many at once */
	struct fr_buf scratch;	  /* the object being made */
	struct fr_buf name_buf;	  /* a name being escaped, maybe while an object waits in scratch */
	char odd_name[FR_CHROME_NAME_MAX]; /* of the thread being shown, if it is no plain one */
	uint8_t odd_name_len;
	bool triggers_used, families_used, others_used, sockets_used,
		tcp_used; /* tracks that appear */
};

static inline uint64_t fr_chrome_ts(const struct fr_chrome *ch, uint64_t time_ns)
{
	return time_ns > ch->zero_ns ? time_ns - ch->zero_ns : 0;
}

static inline bool fr_chrome_in_range(const struct fr_chrome *ch, uint64_t time_ns)
{
	return time_ns >= ch->c->from_ns && time_ns <= ch->c->to_ns;
}

/* chrome_tracks.c */
/* NULL = not to be shown, or no memory. */
struct fr_chrome_who *fr_chrome_who(struct fr_chrome *ch, uint32_t who);
struct fr_chrome_cpu *fr_chrome_cpu(struct fr_chrome *ch, uint16_t cpu);
void fr_chrome_name_tracks(struct fr_chrome *ch);
/* tid 0: the process. */
void fr_chrome_name_track(struct fr_chrome *ch, uint32_t pid, uint32_t tid, const char *name);
void fr_chrome_sort_track(struct fr_chrome *ch, uint32_t pid, uint32_t tid, int32_t index);

/* chrome_threads.c */
void fr_chrome_stints(struct fr_chrome *ch, const struct fr_step *step);
void fr_chrome_wake(struct fr_chrome *ch, const struct fr_merged *m, const struct fr_step *step);
void fr_chrome_release_cpu(struct fr_chrome *ch, uint16_t cpu); /* writes what is held */
/* Objects in `text` onto a thread's track, at time_ns; text is emptied. */
void fr_chrome_on_thread(struct fr_chrome *ch, struct fr_thread *th, uint64_t time_ns,
			 struct fr_buf *text);
/* Ends at at_ns what is shown of whoever does not run. */
void fr_chrome_settle_all(struct fr_chrome *ch, uint64_t at_ns);
/* Ends everything at the end of the range. */
void fr_chrome_end_threads(struct fr_chrome *ch);

/* chrome_events.c */
void fr_chrome_event(struct fr_chrome *ch, const struct fr_merged *m);
void fr_chrome_triggers(struct fr_chrome *ch);
void fr_chrome_lost(struct fr_chrome *ch, const struct fr_lost *lost);
void fr_chrome_losses(struct fr_chrome *ch); /* what the dump says was lost before or somewhere */

/* chrome_args.c */
/* Opens an object up to its args: {"ph":..,"name":..,"cat":..,"pid":..,"tid":..,"ts":.. */
struct fr_json fr_chrome_open(struct fr_chrome *ch, struct fr_buf *b, const char *ph,
			      const char *name, const char *cat);
void fr_chrome_where(struct fr_json *j, uint32_t pid, uint32_t tid);
void fr_chrome_when(struct fr_json *j, const char *key, uint64_t ns);
/* All fields of the record as one JSON object, and of its socket. */
void fr_chrome_args(struct fr_chrome *ch, struct fr_json *j, const struct fr_merged *m);

/* chrome_disks.c */
int fr_chrome_disks_new(struct fr_chrome *ch);
void fr_chrome_disks_free(struct fr_chrome *ch);
void fr_chrome_disk(struct fr_chrome *ch, const struct fr_merged *m);
void fr_chrome_disks_end(struct fr_chrome *ch);
void fr_chrome_disks_name(struct fr_chrome *ch);

/* chrome_requests.c */
int fr_chrome_requests_new(struct fr_chrome *ch);
void fr_chrome_requests_free(struct fr_chrome *ch);
void fr_chrome_request(struct fr_chrome *ch, const struct fr_span *s);

/* chrome_meta.c */
void fr_chrome_metadata(struct fr_chrome *ch, const struct fr_convert_stats *stats);

#endif
