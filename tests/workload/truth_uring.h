/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small io_uring by raw system calls, for one thread and a few requests at a time: queue one,
 * submit it, take its result. No SQPOLL: what is submitted is tried in the caller's own context.
 */
#ifndef FR_TRUTH_URING_H
#define FR_TRUTH_URING_H

#include <linux/io_uring.h>
#include <sys/mman.h>

#include "truth.h"

#define TRUTH_URING_ENTRIES 8

struct truth_uring {
	int fd;
	uint8_t *sq, *cq; /* the shared rings, at the offsets of par */
	struct io_uring_sqe *sqes;
	struct io_uring_params par;
};

/* false: the kernel or its configuration has no io_uring. */
static inline bool truth_uring_open(struct truth_uring *u)
{
	size_t sq_bytes, cq_bytes;

	memset(u, 0, sizeof(*u));
	u->fd = (int)syscall(SYS_io_uring_setup, TRUTH_URING_ENTRIES, &u->par);
	if (u->fd < 0)
		return false;
	sq_bytes = u->par.sq_off.array + u->par.sq_entries * sizeof(uint32_t);
	cq_bytes = u->par.cq_off.cqes + u->par.cq_entries * sizeof(struct io_uring_cqe);
	u->sq = mmap(NULL, sq_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, u->fd,
		     IORING_OFF_SQ_RING);
	u->cq = mmap(NULL, cq_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, u->fd,
		     IORING_OFF_CQ_RING);
	u->sqes = mmap(NULL, u->par.sq_entries * sizeof(*u->sqes), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_POPULATE, u->fd, IORING_OFF_SQES);
	if (u->sq == MAP_FAILED || u->cq == MAP_FAILED || u->sqes == MAP_FAILED)
		truth_die("the io_uring cannot be mapped: %s", strerror(errno));
	return true;
}

static inline uint32_t *truth_uring_word(uint8_t *ring, uint32_t off_bytes)
{
	return (uint32_t *)(void *)(ring + off_bytes);
}

/* Submits one request without waiting for it. */
static inline void truth_uring_submit(struct truth_uring *u, const struct io_uring_sqe *sqe)
{
	uint32_t *tail = truth_uring_word(u->sq, u->par.sq_off.tail);
	uint32_t mask = *truth_uring_word(u->sq, u->par.sq_off.ring_mask);
	uint32_t at = *tail & mask;

	u->sqes[at] = *sqe;
	truth_uring_word(u->sq, u->par.sq_off.array)[at] = at;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE); /* pairs with the kernel's read */
	if (syscall(SYS_io_uring_enter, u->fd, 1, 0, 0, NULL, 0) != 1)
		truth_die("io_uring_enter did not take the request: %s", strerror(errno));
}

/* Whether a result lies ready; may be asked by another thread. */
static inline bool truth_uring_ready(const struct truth_uring *u)
{
	return __atomic_load_n(truth_uring_word(u->cq, u->par.cq_off.tail), __ATOMIC_ACQUIRE) !=
	       __atomic_load_n(truth_uring_word(u->cq, u->par.cq_off.head), __ATOMIC_ACQUIRE);
}

/* The result of the oldest request: bytes or a negative errno. */
static inline long truth_uring_take(struct truth_uring *u)
{
	uint32_t *head = truth_uring_word(u->cq, u->par.cq_off.head);
	uint32_t mask = *truth_uring_word(u->cq, u->par.cq_off.ring_mask);
	const struct io_uring_cqe *cqes = (void *)(u->cq + u->par.cq_off.cqes);
	long result;

	while (!truth_uring_ready(u))
		if (syscall(SYS_io_uring_enter, u->fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0 &&
		    errno != EINTR)
			truth_die("io_uring_enter: %s", strerror(errno));
	result = cqes[*head & mask].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE); /* the kernel may reuse the slot */
	return result;
}

#endif
