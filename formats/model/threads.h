/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each thread does, from the merged records: on which CPU it runs, since when it sleeps and
 * how, when it became runnable and by whom.
 *
 *            leaves a CPU            woken               gets a CPU         leaves it
 *   Running ------|------ asleep ------|---- runnable -----|---- Running ------|
 *               off_ns              ready_ns            from_ns              to_ns
 *                  \____________________ one stint, complete at to_ns __________/
 *
 * ready_ns comes from the kernel's own account where it keeps one: the summed run-queue wait that
 * each switch carries grew by exactly from_ns - ready_ns. Else from the wake-up record.
 *
 * What is not known is not guessed: behind a gap on any CPU the state of every thread that does
 * not run is unknown until the next record about it.
 *
 * Memory: one struct fr_thread per live tid, plus four bytes per tid ever used.
 */
#ifndef FR_MODEL_THREADS_H
#define FR_MODEL_THREADS_H

#include "merge.h"
#include "names.h"

enum fr_run { FR_RUN_UNKNOWN, FR_RUN_ON, FR_RUN_OFF, FR_RUN_DEAD };

/* A live thread. */
struct fr_thread {
	uint32_t tid;
	uint32_t who;		/* index into the names */
	uint64_t since_ns;	/* ON: it got its CPU; OFF: it left one */
	uint64_t off_ns;	/* ON: it had left a CPU then; 0 = not known */
	uint64_t wake_ns;	/* it was woken since it left; 0 = not seen */
	uint64_t early_wake_ns; /* woken while still on the CPU: counts if it leaves at once */
	uint64_t check_ns;	/* this tid may be somebody else's from then on */
	uint64_t flow;		/* of the wake-up, a sink's own; 0 = none */
	uint32_t waker;		/* who woke it; FR_WHO_NONE = an interrupt, or not seen */
	uint32_t early_waker;
	uint32_t run_delay_ns; /* when it last left a CPU */
	uint32_t next_free;
	uint16_t cpu;	    /* it runs on, or ran on last */
	uint16_t off_state; /* TASK_* bits when it last left; 0 = runnable */
	uint8_t run;	    /* enum fr_run */
	bool off_preempted;
	bool delay_known;
	bool since_unseen;	  /* it ran before since_ns already */
	char comm[FR_COMM_BYTES]; /* now */
};

/* What a thread did up to the moment it left a CPU (or the record of it ends). */
struct fr_stint {
	struct fr_thread *thread; /* its comm is the one at to_ns */
	uint64_t off_ns;	  /* 0 = what was before ready_ns is not known */
	uint64_t ready_ns;	  /* 0 = what was before from_ns is not known */
	uint64_t from_ns;	  /* ran from then to to_ns, if `ran`; else equal to to_ns */
	uint64_t to_ns;
	uint64_t cpu_from_ns; /* the CPU was its own from then to to_ns, if on_cpu_track */
	uint64_t wake_ns;
	uint64_t flow;
	uint32_t waker;
	uint16_t cpu;
	uint16_t off_state;
	bool off_preempted;
	bool ran;
	bool on_cpu_track;
	bool from_unseen; /* began earlier */
	bool to_unseen;	  /* went on longer */
};

#define FR_STINTS_MAX 3

/* What one record changed. */
struct fr_step {
	uint32_t stint_cnt;
	struct fr_stint stints[FR_STINTS_MAX];
	/* a wake-up or birth that made `wakee` runnable; waker NULL = an interrupt, or nobody */
	struct fr_thread *wakee;
	struct fr_thread *waker;
};

struct fr_threads_stats {
	uint64_t switches;
	uint64_t mismatches; /* a switch away from a thread that was not seen to come */
	size_t live, live_max;
};

struct fr_threads;

/* sched_on: switches are recorded from the start (a rec_family record changes it). 0 or -ENOMEM. */
int fr_threads_new(struct fr_names *names, bool sched_on, struct fr_threads **ret_threads);
struct fr_threads *fr_threads_free(struct fr_threads *t); /* NULL is fine; returns NULL */

/* Takes the next record, which must be sound. 0 or -ENOMEM. */
int fr_threads_record(struct fr_threads *t, const struct fr_merged *m, struct fr_step *ret_step);

/* The record will be handed in soon: fetches what it needs into the cache. Then, a little later:
 * the threads that it is about, as far as there are any now; how many (for the caller to prefetch).
 */
void fr_threads_soon(const struct fr_threads *t, const struct fr_record *r);
uint32_t fr_threads_next(const struct fr_threads *t, const struct fr_record *r,
			 const struct fr_thread *ret_threads[2]);

/* Nothing more is known of a CPU from at_ns on: ends the stint there. */
void fr_threads_cut_cpu(struct fr_threads *t, uint16_t cpu, uint64_t at_ns,
			struct fr_step *ret_step);
bool fr_threads_sched_on(const struct fr_threads *t); /* switches are recorded now */
/* Whoever does not run may have done anything unseen. Sinks end what they show first. */
void fr_threads_blind(struct fr_threads *t, uint64_t at_ns);
/* Each live thread, in the order of first sight. */
void fr_threads_each(struct fr_threads *t, void (*fn)(void *ctx, struct fr_thread *th), void *ctx);
/* The stint that would be if the record ended at at_ns: of those off the CPU how they wait. False
 * when nothing is known. */
bool fr_threads_stint_until(const struct fr_threads *t, struct fr_thread *th, uint64_t at_ns,
			    struct fr_stint *ret_stint);

/* A sink has shown what the thread did up to at_ns: its next stint begins there. */
void fr_threads_shown(struct fr_thread *th, uint64_t at_ns);

/* The live thread with this tid, made if need be; NULL for tid 0, an impossible tid, no memory. */
struct fr_thread *fr_threads_get(struct fr_threads *t, uint32_t tid, uint64_t time_ns);
/* Who runs on a CPU: NULL = idle, or not known. */
struct fr_thread *fr_threads_on_cpu(const struct fr_threads *t, uint16_t cpu);
uint32_t fr_threads_cpu_cnt(const struct fr_threads *t); /* highest CPU seen + 1 */

const struct fr_threads_stats *fr_threads_stats(const struct fr_threads *t);

#endif
