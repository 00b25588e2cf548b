/* SPDX-License-Identifier: BSD-2-Clause */
#include "loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

int fr_loop_init(struct fr_loop *l)
{
	*l = (struct fr_loop){ .epoll_fd = epoll_create1(EPOLL_CLOEXEC) };
	for (int i = 0; i < FR_LOOP_SOURCES_MAX; i++)
		l->sources[i].fd = -1;
	return l->epoll_fd < 0 ? -errno : 0;
}

void fr_loop_done(struct fr_loop *l)
{
	if (l->epoll_fd >= 0)
		close(l->epoll_fd);
	l->epoll_fd = -1;
}

static uint64_t event_id(const struct fr_loop *l, const struct fr_source *s)
{
	return (uint64_t)s->serial << 32 | (uint32_t)(s - l->sources);
}

static struct fr_source *source_of(struct fr_loop *l, int fd)
{
	for (int i = 0; i < FR_LOOP_SOURCES_MAX; i++)
		if (l->sources[i].fd == fd)
			return &l->sources[i];
	return NULL;
}

int fr_loop_add(struct fr_loop *l, int fd, uint32_t events, void (*on)(void *ctx, uint32_t events),
		void *ctx)
{
	struct fr_source *s = source_of(l, -1);
	struct epoll_event ev = { .events = events };

	if (!s)
		return -ENOSPC;
	s->serial = ++l->serial;
	ev.data.u64 = event_id(l, s);
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev))
		return -errno;
	s->fd = fd;
	s->on = on;
	s->ctx = ctx;
	return 0;
}

int fr_loop_change(struct fr_loop *l, int fd, uint32_t events)
{
	struct fr_source *s = source_of(l, fd);
	struct epoll_event ev = { .events = events };

	if (!s)
		return -ENOENT;
	ev.data.u64 = event_id(l, s);
	return epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, fd, &ev) ? -errno : 0;
}

void fr_loop_remove(struct fr_loop *l, int fd)
{
	struct fr_source *s = fd < 0 ? NULL : source_of(l, fd);

	if (!s)
		return;
	epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	s->fd = -1;
}

int fr_loop_run(struct fr_loop *l)
{
	struct epoll_event events[8];
	struct fr_source *s;
	int n;

	while (!l->stop) {
		n = epoll_wait(l->epoll_fd, events, 8, -1);
		if (n < 0 && errno != EINTR)
			return -errno;
		l->wakeups++;
		for (int i = 0; i < n; i++) {
			s = &l->sources[(uint32_t)events[i].data.u64];
			/* a callback before may have removed it, or used its place again */
			if (s->fd >= 0 && event_id(l, s) == events[i].data.u64)
				s->on(s->ctx, events[i].events);
		}
	}
	return 0;
}

int fr_timer_open(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / 1000000000ull),
				  .tv_nsec = (long)(ns % 1000000000ull) };
}

int fr_timer_set(int timer_fd, uint64_t first_ns, uint64_t every_ns)
{
	struct itimerspec t = { .it_value = timespec_of(first_ns),
				.it_interval = timespec_of(every_ns) };

	return timerfd_settime(timer_fd, 0, &t, NULL) ? -errno : 0;
}

void fr_timer_ack(int timer_fd)
{
	uint64_t expiries;

	/* nothing to read just means that it was set again in the meantime */
	if (read(timer_fd, &expiries, sizeof(expiries)) < 0)
		return;
}
