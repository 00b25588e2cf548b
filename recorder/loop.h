/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's event loop: epoll over a fixed table of sources. In steady state nothing is ready
 * but a slow timer.
 */
#ifndef FR_RECORDER_LOOP_H
#define FR_RECORDER_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#define FR_LOOP_SOURCES_MAX 40

struct fr_source {
	int fd;		 /* -1 = this place is free */
	uint32_t serial; /* of its use: an event for an older one is dropped */
	void (*on)(void *ctx, uint32_t events);
	void *ctx;
};

struct fr_loop {
	int epoll_fd;
	bool stop;
	uint32_t serial;
	uint64_t wakeups;
	struct fr_source sources[FR_LOOP_SOURCES_MAX];
};

int fr_loop_init(struct fr_loop *l);
void fr_loop_done(struct fr_loop *l);
/* events as of epoll. -ENOSPC when the table is full. The fd stays the caller's. */
int fr_loop_add(struct fr_loop *l, int fd, uint32_t events, void (*on)(void *ctx, uint32_t events),
		void *ctx);
int fr_loop_change(struct fr_loop *l, int fd, uint32_t events);
void fr_loop_remove(struct fr_loop *l, int fd);
/* Until fr_loop_stop(). 0 or a negative errno of epoll itself. */
int fr_loop_run(struct fr_loop *l);
static inline void fr_loop_stop(struct fr_loop *l)
{
	l->stop = true;
}

/* A timer is an fd. first_ns 0 disarms it; every_ns 0 = once. */
int fr_timer_open(void);
int fr_timer_set(int timer_fd, uint64_t first_ns, uint64_t every_ns);
/* Takes note of the expiry, so that it is not reported again. */
void fr_timer_ack(int timer_fd);

#endif
