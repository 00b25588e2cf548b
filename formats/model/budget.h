/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the time of a request went. The parts of a budget add up to its duration, always.
 *
 * A line is one flow of control that requests happen on: a goroutine of a process, or a thread that
 * is not Go's. What a line did between two of its own events is known exactly in two cases:
 *	- both lie on one thread, and no other line's event lies between them on that thread: the
 *	  time is split by what the thread did (its stints);
 *	- the first is a client's send and the second that request's reply: blocked on the network by
 *	  that peer, wherever the line was parked.
 * All else is unattributed.
 *
 *	line     e1 ------------- e2 ........ e3 ========= e4
 *	         same thread      moved       own send .. reply
 *	         its stints       unattr.     blocked: network
 *
 * Memory: one struct per live line and per open account, none per event.
 */
#ifndef FR_MODEL_BUDGET_H
#define FR_MODEL_BUDGET_H

#include "threads.h"

/* X(NAME, name): what a thread or line waits for, off the CPU and not runnable. */
#define FR_BLOCKS(X)                                                                               \
	X(NETWORK, network) /* a peer: until bytes came, or could go */                            \
	X(DISK, disk)	    /* block I/O of its own */                                             \
	X(OTHER, other)	    /* locks, sleeps, pipes, children: woken by somebody or a timer */

#define FR_BLOCK_ENUM(NAME, name) FR_BLOCK_##NAME,
enum fr_block { FR_BLOCKS(FR_BLOCK_ENUM) FR_BLOCK_CNT };
#undef FR_BLOCK_ENUM
extern const char *const fr_block_names[FR_BLOCK_CNT];

/* One wait, as told of a request: the longest ones. */
enum fr_wait_kind { FR_WAIT_RUNQUEUE, FR_WAIT_BLOCKED };
struct fr_wait {
	uint64_t from_ns, to_ns;
	uint64_t socket_id;  /* network: whose bytes; 0 = not known, or another cause */
	uint32_t instance;   /* of socket_id */
	uint32_t waker;	     /* index into the names: who ended it; runqueue: who ran instead.
				FR_WHO_NONE = an interrupt, or not known */
	uint16_t off_state;  /* TASK_* bits of the thread meanwhile */
	uint8_t kind;	     /* enum fr_wait_kind */
	uint8_t cause;	     /* enum fr_block, of FR_WAIT_BLOCKED */
};

#define FR_BUDGET_WAITS 5

struct fr_budget {
	uint64_t on_cpu_ns;
	uint64_t runqueue_ns;
	uint64_t blocked_ns[FR_BLOCK_CNT];
	uint64_t unattributed_ns;
	uint32_t wait_cnt;
	struct fr_wait waits[FR_BUDGET_WAITS]; /* the longest, longest first */
};

/* A line. goid 0 = the thread itself is the line. */
struct fr_line {
	uint32_t tgid;
	uint32_t tid; /* on which this event happened */
	uint64_t goid;
};

enum fr_line_event {
	FR_LINE_OTHER,
	FR_LINE_ASKS,	  /* sent a client's request; socket_id says where */
	FR_LINE_ANSWERED, /* received (a part of) the reply to one */
};

struct fr_budgets;
/* An account of a line: opened when a request starts on it, closed when it ends. 0 = none. */
typedef uint32_t fr_account_t;

int fr_budgets_new(struct fr_names *names, struct fr_budgets **ret_budgets); /* 0 or -ENOMEM */
struct fr_budgets *fr_budgets_free(struct fr_budgets *b); /* NULL is fine; returns NULL */

/* Each sound record, after the threads took it. */
int fr_budgets_record(struct fr_budgets *b, const struct fr_merged *m, const struct fr_step *step,
		      struct fr_threads *threads);
/* What threads off the CPU did is not known any more (as the sinks' blind()). */
void fr_budgets_blind(struct fr_budgets *b, uint64_t at_ns);
/* A socket event of the line, at the time of its record. 0 or -ENOMEM. */
int fr_budgets_line(struct fr_budgets *b, const struct fr_line *line, enum fr_line_event what,
		    uint32_t instance, uint64_t socket_id, uint64_t time_ns);

/* Opens an account from time_ns on (now, or earlier than the line's last event: what lies before
 * that is unattributed). 0 when memory is out. */
fr_account_t fr_budgets_open(struct fr_budgets *b, const struct fr_line *line, uint64_t time_ns);
/* The line's budget from the opening to to_ns; closes the account. A later time than the line's
 * last event is filled by what its thread did since, if nobody else came in between. */
void fr_budgets_close(struct fr_budgets *b, fr_account_t account, uint64_t to_ns,
		      struct fr_budget *ret);

#endif
