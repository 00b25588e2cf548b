/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trigger psi: the kernel tells when tasks were stalled for more than a share of a window, for want
 * of CPU, disk or memory (/proc/pressure). It is the kernel that watches: nothing is polled here.
 * One that has fired is let go until it may fire again, so that pressure that lasts wakes nobody.
 */
#ifndef FR_RECORDER_PSI_H
#define FR_RECORDER_PSI_H

#include "loop.h"
#include "recorder.h"

struct fr_psi;

struct fr_psi_watch {
	struct fr_psi *psi;
	enum fr_pressure what;
	int fd; /* -1 = not watched */
};

struct fr_psi {
	const struct fr_config *config;
	struct fr_loop *loop;
	struct fr_psi_watch watches[FR_PRESSURE_CNT];
	uint64_t again_ns; /* on the loop's clock: not watched until then */
	/* reason: for people. Says how long not to look again. */
	uint64_t (*on_pressure)(void *ctx, const char *reason);
	void *ctx;
};

/* config, loop, on_pressure and ctx are set. Watches what the configuration wants; what cannot be
 * is said in a warning, once per call. Also after a reload. */
void fr_psi_watch(struct fr_psi *p);
/* Now and then: watches again what was let go. */
void fr_psi_tend(struct fr_psi *p);
void fr_psi_close(struct fr_psi *p);

#endif
