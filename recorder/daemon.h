/* SPDX-License-Identifier: BSD-2-Clause */
/* The recording daemon's life after start-up: signals, triggers, control socket, timers. */
#ifndef FR_RECORDER_DAEMON_H
#define FR_RECORDER_DAEMON_H

#include <signal.h>

#include "binaries.h"
#include "control.h"
#include "loop.h"
#include "notices.h"
#include "psi.h"
#include "recorder.h"
#include "stats.h"
#include "trigger.h"

struct fr_daemon {
	struct fr_recorder *rec;
	int argc; /* for reading the configuration again */
	char **argv;
	struct fr_loop loop;
	struct fr_triggers triggers;
	struct fr_control control;
	struct fr_binaries binaries;
	struct fr_notices notices;
	struct fr_psi psi;
	struct fr_stats stats;
	int signal_fd;
	int slow_fd; /* timer: statistics, housekeeping */
	int dump_fd; /* timer: the dumper's deadline */
	bool brisk;  /* the slow timer is not so slow */
	bool ending; /* asked to end, while a dump is being written */
};

/* Signals that the loop takes are blocked from here on: call it before any thread or child. */
void fr_daemon_block_signals(sigset_t *ret_before);
/* The recorder records already. Negative errno after a message. */
int fr_daemon_init(struct fr_daemon *d, struct fr_recorder *rec, int argc, char **argv);
/* Until SIGTERM, SIGINT or a request to stop. */
int fr_daemon_run(struct fr_daemon *d);
/* Also for one that was never set up (all zero) or only in part. */
void fr_daemon_done(struct fr_daemon *d);

#endif
