/* SPDX-License-Identifier: BSD-2-Clause */
#include "psi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "formats/base/cli.h"
#include "formats/base/log.h"
#include "formats/base/now.h"

static const char *const names[FR_PRESSURE_CNT] = {
	[FR_PRESSURE_CPU] = "cpu",
	[FR_PRESSURE_IO] = "io",
	[FR_PRESSURE_MEMORY] = "memory",
};

static void let_go(struct fr_psi_watch *w)
{
	if (w->fd < 0)
		return;
	fr_loop_remove(w->psi->loop, w->fd);
	close(w->fd);
	w->fd = -1;
}

/* The kernel's own average, as far as it can be read. */
static void describe(const struct fr_psi_watch *w, char *text, size_t text_bytes)
{
	const struct fr_trigger_more *more = &w->psi->config->trigger_more;
	char line[128] = "", window[32];
	ssize_t n = pread(w->fd, line, sizeof(line) - 1, 0);

	line[n > 0 ? n : 0] = 0;
	line[strcspn(line, "\n")] = 0;
	snprintf(text, text_bytes,
		 "pressure on %s: tasks were stalled for over %llu%% of %s (%.80s)", names[w->what],
		 (unsigned long long)more->pressure_pct[w->what],
		 fr_format_duration(more->pressure_window_ns, window, sizeof(window)), line);
}

static void on_event(void *ctx, uint32_t events)
{
	struct fr_psi_watch *w = ctx;
	struct fr_psi *p = w->psi;
	char reason[200];
	uint64_t pause_ns;

	if (!(events & EPOLLPRI)) {
		let_go(w); /* its file is gone */
		return;
	}
	describe(w, reason, sizeof(reason));
	pause_ns = p->on_pressure(p->ctx, reason);
	if (!pause_ns)
		return;
	p->again_ns = fr_now_ns() + pause_ns;
	fr_psi_close(p);
}

/* Negative errno; *ret_fd is watched by the kernel. */
static int start_watch(enum fr_pressure what, uint64_t stall_us, uint64_t window_us, int *ret_fd)
{
	char path[40], text[64];
	int fd, n, err;

	snprintf(path, sizeof(path), "/proc/pressure/%s", names[what]);
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = snprintf(text, sizeof(text), "some %llu %llu", (unsigned long long)stall_us,
		     (unsigned long long)window_us);
	if (write(fd, text, (size_t)n + 1) < 0) { /* with the zero */
		err = -errno;
		close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

static const char *what_to_do(int err, uint64_t window_us)
{
	if (err == -ENOENT || err == -EOPNOTSUPP)
		return " (boot with psi=1)";
	if (err == -EINVAL && window_us % 2000000)
		return " (without CAP_SYS_RESOURCE the window must be 2s, 4s, 6s, 8s or 10s)";
	return "";
}

static void watch_one(struct fr_psi_watch *w)
{
	const struct fr_trigger_more *more = &w->psi->config->trigger_more;
	uint64_t window_us = more->pressure_window_ns / 1000;
	int err = start_watch(w->what, window_us / 100 * more->pressure_pct[w->what], window_us,
			      &w->fd);

	if (!err) {
		err = fr_loop_add(w->psi->loop, w->fd, EPOLLPRI, on_event, w);
		if (!err)
			return;
		close(w->fd);
		w->fd = -1;
	}
	fr_warn("trigger psi cannot watch /proc/pressure/%s: %s%s, continuing without",
		names[w->what], strerror(-err), what_to_do(err, window_us));
}

void fr_psi_watch(struct fr_psi *p)
{
	for (int what = 0; what < FR_PRESSURE_CNT; what++) {
		struct fr_psi_watch *w = &p->watches[what];

		if (w->psi)
			let_go(w);
		*w = (struct fr_psi_watch){ .psi = p, .what = (enum fr_pressure)what, .fd = -1 };
		if (p->config->trigger_more.pressure_pct[what] &&
		    p->config->triggers[FR_TRIGGER_PSI].enabled)
			watch_one(w);
	}
	p->again_ns = 0;
}

void fr_psi_tend(struct fr_psi *p)
{
	if (p->again_ns && fr_now_ns() >= p->again_ns)
		fr_psi_watch(p);
}

void fr_psi_close(struct fr_psi *p)
{
	for (int what = 0; what < FR_PRESSURE_CNT; what++)
		if (p->watches[what].psi)
			let_go(&p->watches[what]);
}
