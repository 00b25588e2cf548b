/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the time of a request went. The parts of a budget add up to its duration, always.
 *
 * A line is one flow of control that requests happen on: a goroutine of a process, or a thread that
 * is not Go's. Its events cut its time into segments. A segment is known in three cases:
 *
 *	ask     first a client's send, then that request's reply: blocked on the network by that
 *		peer, wherever the line was parked (a thread whose states are known: what those say)
 *	thread  the line is a thread: what the thread did (its stints)
 *	g       both events of a goroutine on one thread, no event of another line between them on
 *		it, the thread never went to sleep but for a disk, and ran for at most
 *		FR_BUDGET_GO_RUN_NS: what the thread did
 *
 * All else is unattributed. The limit is there because a thread changes from one goroutine to
 * another and back without the kernel's knowing: whoever runs longer between two events may be
 * somebody else. maybe_on_cpu_ns tells how much of the unattributed time that was.
 *
 *	line     e1 ------------- e2 ........ e3 ========= e4
 *	         same thread      moved       own send .. reply
 *	         its stints       unattr.     blocked: network
 *
 * A thread that serves several requests at once (an event loop): a segment counts for a request
 *only if no other request's event lies between two of its own.
 *
 * Why a thread slept:
 *	network  it slept interruptibly and a softirq woke it, or a task did and then it received at
 *		 once from a unix socket; or, woken by nobody knows whom, it did something on a
 *		 socket at once
 *	disk     block I/O of its own ended while it slept and woke it; or it slept uninterruptibly
 *		 until some block I/O ended (page cache, flushes), or until somebody woke it whom a
 *		 disk had woken meanwhile (a journal's kernel thread, who had locked the buffer)
 *	other    all else: locks, timers, pipes, children
 *
 * Memory: one struct per thread that uses sockets or disks, per line with an open account (and a
 * fixed number of others), per open account; none per event.
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
	uint64_t socket_id; /* network: whose bytes; 0 = not known, or another cause */
	uint32_t instance;  /* of socket_id */
	uint32_t waker;	    /* index into the names: who ended it; runqueue: who ran instead.
			       FR_WHO_NONE = an interrupt, or not known */
	uint16_t off_state; /* TASK_* bits of the thread meanwhile; 0 = a goroutine's own wait */
	uint8_t kind;	    /* enum fr_wait_kind */
	uint8_t cause;	    /* enum fr_block, of FR_WAIT_BLOCKED */
};

/* Blocked on the network, by peer. */
struct fr_peer_wait {
	uint64_t socket_id;
	uint64_t wait_ns;
	uint32_t instance;
	uint32_t wait_cnt;
};

#define FR_BUDGET_WAITS 5
#define FR_BUDGET_PEERS 4
#define FR_BUDGET_GO_RUN_NS 200000u

struct fr_budget {
	uint64_t on_cpu_ns;
	uint64_t runqueue_ns;
	uint64_t blocked_ns[FR_BLOCK_CNT];
	uint64_t unattributed_ns;
	uint64_t maybe_on_cpu_ns; /* a part of unattributed_ns: the goroutine's thread ran, and no
				     other was seen on it */
	uint32_t wait_cnt;
	uint32_t peer_cnt; /* the first peers seen; of others only blocked_ns tells */
	struct fr_wait waits[FR_BUDGET_WAITS]; /* the longest, longest first */
	struct fr_peer_wait peers[FR_BUDGET_PEERS];
};

/* A line. goid 0 = the thread itself is the line. */
struct fr_line {
	uint32_t tgid;
	uint32_t tid; /* on which this event happened; 0 = not known */
	uint64_t goid;
};
/* Some goroutine, nobody knows which: has no accounts, but is a stranger to all others. */
#define FR_GOID_UNKNOWN UINT64_MAX

enum fr_line_event {
	FR_LINE_OTHER,	  /* on a socket of which nothing is known */
	FR_LINE_SERVES,	  /* on a socket where this side is the server, either way */
	FR_LINE_ASKS,	  /* sent a client's request, or more of it */
	FR_LINE_ANSWERED, /* received (a part of) the reply to one, or the end of the stream */
};

struct fr_budgets;
/* An account of a line: opened when a request starts on it, closed when it ends. 0 = none. */
typedef uint32_t fr_account_t;

/* Both are borrowed. 0 or -ENOMEM. */
int fr_budgets_new(struct fr_names *names, struct fr_threads *threads,
		   struct fr_budgets **ret_budgets);
struct fr_budgets *fr_budgets_free(struct fr_budgets *b); /* NULL is fine; returns NULL */

/* Each sound record, after the threads took it, before anything else is told of it. 0 or -ENOMEM.
 */
int fr_budgets_record(struct fr_budgets *b, const struct fr_merged *m, uint32_t instance,
		      const struct fr_step *step);
/* What threads off the CPU did is not known any more (as the sinks' blind()). */
void fr_budgets_blind(struct fr_budgets *b, uint64_t at_ns);
/* A socket event of the line, at the time of its record. What is only inferred to be an event of
 * this line (somebody else sent its request) is told with tid 0. 0 or -ENOMEM. */
int fr_budgets_line(struct fr_budgets *b, const struct fr_line *line, enum fr_line_event what,
		    uint32_t instance, uint64_t socket_id, uint64_t time_ns);

/* Opens an account of a request on that socket, from time_ns on (now, or earlier than the line's
 * last event: what lies before that is unattributed). 0 when memory is out, or the line has too
 * many open at once (an event loop): close() takes 0 and says that nothing is known. */
fr_account_t fr_budgets_open(struct fr_budgets *b, const struct fr_line *line, bool server,
			     uint32_t instance, uint64_t socket_id, uint64_t time_ns);
/* The line's budget from from_ns (what open() was told) to to_ns; closes the account. A later to_ns
 * than the line's last event is filled by what its thread did since, if nobody else came in
 * between; a request that waits for a reply goes on waiting. */
void fr_budgets_close(struct fr_budgets *b, fr_account_t account, uint64_t from_ns, uint64_t to_ns,
		      struct fr_budget *ret);

/* Of a client's request whose goroutine nobody knows: it waited for the reply to begin; all else is
 * unattributed. wait: times, socket. False, with *ret untouched, when the times make no sense. */
bool fr_budget_of_reply(const struct fr_wait *wait, uint64_t start_ns, uint64_t end_ns,
			struct fr_budget *ret);

/* Sum of all parts. */
uint64_t fr_budget_total_ns(const struct fr_budget *budget);

#endif
