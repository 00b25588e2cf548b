/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reasons to dump, and what becomes of each: none is lost silently.
 *
 *            fire()
 *   IDLE ───────────────▶ POST ──(dumper closes the join)──▶ WRITING ──(its end)──▶ IDLE
 *                          │ fire(): joins this dump            │ fire(): queued, and those
 *                          ▼ (16 listed, all counted)           ▼ behind it join the queued one
 *
 * One dump at a time, and at most one queued. Limits (cool-down, a day's maximum) keep a trigger
 * from making a dump, never from joining one.
 */
#ifndef FR_RECORDER_TRIGGER_H
#define FR_RECORDER_TRIGGER_H

#include <stdbool.h>
#include <stdint.h>

#include "dumper.h"
#include "join.h"
#include "recorder.h"
#include "trigger_gates.h"

enum fr_outcome {
	FR_OUTCOME_STARTED,    /* a dump begins */
	FR_OUTCOME_JOINED,     /* told of in the dump under way */
	FR_OUTCOME_QUEUED,     /* told of in the dump after the one under way */
	FR_OUTCOME_SUPPRESSED, /* switched off, or past a limit: counted */
	FR_OUTCOME_FAILED,     /* the dumper could not be started: counted */
	FR_OUTCOME_CNT
};

struct fr_trigger_state {
	uint64_t outcomes[FR_OUTCOME_CNT];
	uint64_t last_dump_ns; /* BOOTTIME when one last made a dump; 0 = never */
	uint64_t last_told_ns; /* ... or was told of in another's */
	uint64_t day;	       /* UTC day that day_cnt is of */
	uint64_t day_cnt;
};

#define FR_DUMPERS_STUCK_MAX 4

struct fr_triggers {
	const struct fr_recorder *rec;
	struct fr_join *join; /* shared with the dumper; owned */
	struct fr_trigger_state kinds[FR_TRIGGER_CNT];
	struct fr_gate_table *gates; /* of the probes, mapped; owned. NULL = they have none */

	pid_t dumper_pid; /* 0 = idle */
	int result_fd;
	bool killed;
	/* dumpers that don't even die (a write into a dead file system cannot be interrupted): left
	 * alone. With too many of them no dump is started any more. 0 = free */
	pid_t stuck[FR_DUMPERS_STUCK_MAX];
	uint64_t number; /* dumps begun so far; the present one's number */
	struct fr_trigger_info current; /* of the dump under way, or the last one */

	bool queued;
	struct fr_trigger_info next; /* the queued one */
	struct fr_join next_join;    /* those that join it */

	uint64_t done_cnt;
	uint64_t failed_cnt;
	uint64_t stored_bytes; /* of all dumps */
	uint64_t last_unix_ns; /* of the last dump's trigger */
	struct fr_dump_result last;

	/* Called after each dump. */
	void (*on_done)(void *ctx, uint64_t number, const struct fr_dump_result *result);
	void *ctx;
	/* fr_dumper_start; tests put their own here */
	pid_t (*start)(const struct fr_recorder *rec, const struct fr_dump_job *job,
		       int *ret_result_fd);
};

int fr_triggers_init(struct fr_triggers *t, const struct fr_recorder *rec);
void fr_triggers_done(struct fr_triggers *t);
/* Once all is set up, and after a reload: what the configuration wants looked for, is. */
void fr_triggers_arm(struct fr_triggers *t);
/*
 * *ret_number is that of the dump that will tell of it (not set if suppressed or failed). why gets
 * one line for people.
 */
enum fr_outcome fr_triggers_fire(struct fr_triggers *t, enum fr_trigger_kind kind,
				 const char *reason, uint32_t sender_pid, uint64_t *ret_number,
				 char *why, size_t why_bytes);
/* A cause that a probe told of. Its time is the trigger's. *ret_number as above, if it is set. */
enum fr_outcome fr_triggers_cause(struct fr_triggers *t, const struct fr_notice_trigger *n,
				  uint64_t *ret_number);
/* How often this kind was seen, and how often that neither made nor joined a dump: exact, also for
 * what never got past its gate. */
uint64_t fr_triggers_seen(const struct fr_triggers *t, enum fr_trigger_kind kind);
uint64_t fr_triggers_suppressed(const struct fr_triggers *t, enum fr_trigger_kind kind);
/* After SIGCHLD: finishes the dump whose child has ended, starts the queued one. */
void fr_triggers_reap(struct fr_triggers *t);
/* The dumper took too long: ends it. What it wrote stays, marked incomplete. */
void fr_triggers_kill(struct fr_triggers *t);
/* It was killed and still is there: goes on without it, as after a failed dump. */
void fr_triggers_abandon(struct fr_triggers *t);
static inline bool fr_triggers_busy(const struct fr_triggers *t)
{
	return t->dumper_pid > 0;
}
const char *fr_outcome_name(enum fr_outcome outcome);

#endif
