/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Under which server request does a client's request happen? A wrong answer is worse than none.
 *
 * A line is a goroutine of a process or, in programs that are not Go's, a thread.
 *
 *	same goroutine	the server request that it has open; of several the oldest (a connection's
 *			goroutine answers in order)
 *	same thread	if that one server request is all that it has open, it read its head, and
 *			nobody else touched that connection since
 *	writeLoop	net/http's client hands a request to the goroutine that writes it, and
 *parks: the scheduler runs that one next on the same thread. So: the last thing seen on the thread
 *was the goroutine of an open server request, it was not waiting for anything that is known, and
 *the thread has not slept since.
 *
 * Whatever may have hidden something (a gap) ends all that was known before it.
 */
#ifndef FR_MODEL_PARENTS_H
#define FR_MODEL_PARENTS_H

#include "map.h"
#include "opens.h"
#include "threads.h"

/* Who did something. */
struct fr_actor {
	uint64_t line; /* 0 = not known */
	uint64_t goid; /* 0 = none, or not known */
	uint32_t who;  /* index into the names */
	uint32_t tid;
	uint32_t tgid;	 /* 0 = not known */
	uint32_t leader; /* of its process; FR_WHO_NONE */
	bool is_go;	 /* of a Go program */
};

struct fr_parents;

int fr_parents_new(struct fr_opens *opens, struct fr_parents **ret_parents); /* 0 or -ENOMEM */
struct fr_parents *fr_parents_free(struct fr_parents *p); /* NULL is fine; returns NULL */

/* The line of a goroutine, or of a thread (goid 0). Never 0. */
uint64_t fr_parents_line(const struct fr_actor *a);

/* A server request is open on its line from now on. 0 or -ENOMEM. */
int fr_parents_begin(struct fr_parents *p, uint32_t open);
/* No more. */
void fr_parents_end(struct fr_parents *p, uint32_t open);
/* The parent for what this line sends now; FR_OPEN_NONE. */
uint32_t fr_parents_of(const struct fr_parents *p, const struct fr_actor *a);

/* A thread that has served several requests at once: what it does is less sure to be for the one
 * that is open. */
bool fr_parents_is_loop(const struct fr_parents *p, const struct fr_actor *a);

/* The goroutine of this server request runs on the thread now, and waits for nothing; by: the
 * client's request whose reply woke it, FR_OPEN_NONE = it was seen itself. 0 or -ENOMEM. */
int fr_parents_runs(struct fr_parents *p, const struct fr_actor *a, uint32_t open, uint32_t by,
		    uint64_t time_ns);
/* Something else runs there now, or nobody knows what. */
void fr_parents_other(struct fr_parents *p, uint32_t who);
/* The thread leaves its CPU. */
void fr_parents_leaves(struct fr_parents *p, const struct fr_thread *th);
/* The server request that runs on the thread now, as far as is known, and what woke it. */
uint32_t fr_parents_seated(const struct fr_parents *p, const struct fr_thread *th,
			   uint32_t *ret_by);
/* The parent for what an unknown goroutine sends on this thread; FR_OPEN_NONE. The one who parked
 * is not asked twice. ret_by: the client's request whose reply woke it for this; FR_OPEN_NONE =
 * that is not sure. */
uint32_t fr_parents_who_parked(struct fr_parents *p, const struct fr_thread *th, uint64_t time_ns,
			       uint32_t *ret_by);
/* Something may have happened unseen. */
void fr_parents_forget(struct fr_parents *p);
uint32_t fr_parents_epoch(const struct fr_parents *p);

#endif
