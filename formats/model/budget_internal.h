/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to the budgets: what threads did (budget_threads.c, from records), whose doing it was
 * (budget.c, from the events of lines), sums of both (budget_sum.c).
 *
 *   thread   |-- sum since the last event of any line on it --|
 *   line                                                      event: does the sum count for it?
 *   account                                                   += sum, or the time as unattributed
 *
 * Invariants:
 * 1. A thread's sum: its parts add up to upto_ns - sum_from_ns.
 * 2. An account's sum: its parts add up to upto_ns - from_ns.
 * 3. A line has accounts, or is in the list of idle ones, of which at most LINES_IDLE_MAX are kept.
 */
#ifndef FR_MODEL_BUDGET_INTERNAL_H
#define FR_MODEL_BUDGET_INTERNAL_H

#include "budget.h"
#include "map.h"

#define FR_NONE UINT32_MAX

/* Kernel's task states, <linux/sched.h> */
#define FR_TASK_INTERRUPTIBLE 0x1u
#define FR_TASK_UNINTERRUPTIBLE 0x2u

/* ---- sums (budget_sum.c) -------------------------------------------------------------------- */

void fr_budget_add_wait(struct fr_budget *sum, const struct fr_wait *w);
/* No part of the wait's time, only who was waited for. */
void fr_budget_add_peer(struct fr_budget *sum, uint32_t instance, uint64_t socket_id,
			uint64_t wait_ns, uint32_t wait_cnt);
void fr_budget_add(struct fr_budget *sum, const struct fr_budget *more);

/* ---- threads (budget_threads.c) ------------------------------------------------------------- */

/* A thread that uses sockets or disks. */
struct fr_budget_thread {
	uint64_t uid; /* of this life; 0 = a free slot */
	uint32_t tid;
	uint32_t who; /* index into the names; the next free slot of a free one */
	uint64_t upto_ns;
	uint64_t sum_from_ns; /* the last event of a line on it */
	uint64_t last_line;   /* uid of that line; 0 = not known */
	struct fr_budget sum;
	/* how it was last woken; counts while the thread's own wake_ns is this one */
	uint64_t wake_ns;
	uint64_t baton_ns;   /* the end of some block I/O woke it, then */
	uint64_t io_done_ns; /* block I/O of its own ended */
	uint64_t left_ns;    /* it was seen to leave its CPU; while left_round is the present one */
	uint32_t left_round; /* as io_round */
	uint32_t delay_ns;   /* its run_delay_ns then; 0 = not known */
	uint32_t io_open_cnt;
	uint32_t io_round;    /* of which io_open_cnt tells: see fr_budgets.io_round */
	uint32_t instead;     /* who ran while it last waited for its CPU; FR_WHO_NONE */
	uint8_t wake_context; /* FR_WAKER_* */
	bool wake_by_disk;
	bool wake_by_kernel; /* in task context, by a kernel thread */
	bool record_claimed; /* a line has said that its latest socket record is its own */
	bool unclaimed;	     /* since the last event of a line there was one of nobody */
};

#define FR_BUDGET_RUNS 8

/* Who ran on a CPU lately. */
struct fr_budget_run {
	uint64_t from_ns, to_ns;
	uint32_t tid;
	uint32_t reserved_zero;
};

struct fr_budget_cpu {
	struct fr_budget_run runs[FR_BUDGET_RUNS]; /* a ring */
	uint32_t run_at;
	uint32_t reserved_zero;
	uint64_t since_ns;    /* of the one who runs now */
	uint64_t wakes_until_ns; /* block I/O ended here and nothing else happened since but
				    wake-ups, which are its own until then; 0 = not so */
};

/* ---- lines and accounts (budget.c) ---------------------------------------------------------- */

#define FR_BUDGET_ASKED 4 /* replies that a line is waiting for */

struct fr_budget_sock {
	uint64_t socket_id; /* 0 = none */
	uint32_t instance;
	uint32_t reserved_zero;
};

struct fr_budget_asked {
	struct fr_budget_sock sock, under; /* under: the server's side it was asked for */
};

struct fr_budget_line {
	uint64_t uid; /* 0 = a free slot */
	uint64_t goid;
	uint32_t tgid;
	uint32_t tid;	     /* of goid 0 */
	uint64_t last_ns;    /* event */
	uint64_t thread_uid; /* on which that was; 0 = not known */
	uint32_t thread_tid;
	uint32_t asked_cnt;
	struct fr_budget_asked asked[FR_BUDGET_ASKED]; /* oldest first */
	struct fr_budget_sock serving;		       /* whose request it worked on last */
	bool asked_lost;			       /* more were asked than fit */
	bool asks;	      /* nothing was answered since it last asked */
	uint32_t first, last; /* accounts, oldest first */
	uint32_t account_cnt;
	uint32_t newer, older; /* in the list of idle lines; newer: next free slot */
};

struct fr_budget_account {
	uint32_t line;	     /* FR_NONE = a free slot */
	uint32_t next, prev; /* of the line; next: next free slot */
	bool server;
	bool strange; /* another request's event came since the last one of its own */
	struct fr_budget_sock sock;
	uint64_t from_ns, upto_ns;
	uint64_t own_ns; /* last event on its own socket; 0 = none since it was opened */
	struct fr_budget sum, own_sum;
};

#define FR_TID_PAGE 1024u
#define FR_TID_PAGES ((FR_TID_MASK + 1) / FR_TID_PAGE)

struct fr_budgets {
	struct fr_names *names;	    /* borrowed */
	struct fr_threads *threads; /* borrowed */
	uint64_t next_uid;
	int err;

	uint32_t *thread_of[FR_TID_PAGES]; /* by tid, plus one; 0 = none; pages made at first use */
	struct fr_budget_thread *threads_data;
	uint32_t thread_cnt, thread_cap, thread_free; /* thread_free: plus one; 0 = none */
	struct fr_budget_cpu *cpus;
	uint32_t cpu_cnt;
	uint32_t io_round; /* counts up when records may have been lost */
	struct fr_map io;  /* block I/O under way, by device and sector: tid */

	struct fr_map line_of; /* by key */
	struct fr_budget_line *lines;
	uint32_t line_cnt, line_cap, line_free;
	uint32_t idle_newest, idle_oldest, idle_cnt;
	struct fr_budget_account *accounts;
	uint32_t account_cnt, account_cap, account_free;
	struct fr_budget segment; /* scratch */
};

/* The account of a thread with this tid; NULL = it has none. */
struct fr_budget_thread *fr_budget_thread(struct fr_budgets *b, uint32_t tid);
/* What its state says up to at_ns, goes into t; its last sleep may not have ended. */
void fr_budget_thread_until(struct fr_budgets *b, struct fr_budget_thread *t, uint64_t at_ns,
			    const struct fr_budget_sock *asked);
/* A line's event ends what was summed up. */
void fr_budget_thread_cut(struct fr_budget_thread *t, uint64_t line_uid);

#endif
