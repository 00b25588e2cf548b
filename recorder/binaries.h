/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which programs are built by Go, and where their goroutine numbers lie: asked by probes, once for
 * each executable (notices), answered in the map fr_binaries. Memory of a process is read through
 * an iterator, by a child with a deadline: a page behind FUSE or userfaultfd can hang its reader.
 *
 *   notice ──▶ queue ──▶ child (one at a time, not while a dump is made) ──▶ answer in the map
 *
 * A question that cannot be kept is taken out of the map again: its program asks once more.
 */
#ifndef FR_RECORDER_BINARIES_H
#define FR_RECORDER_BINARIES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "formats/abi/notice.h"
#include "loop.h"
#include "recorder.h"

#define FR_BINARIES_QUEUE_MAX 64
#define FR_BINARIES_DEADLINE_NS 2000000000ull
#define FR_BINARIES_LATE_MAX 3
#define FR_BINARIES_FIRST_MAX 512 /* programs looked at when recording begins */
#define FR_BINARIES_STUCK_MAX 4

struct fr_binaries {
	const struct fr_recorder *rec;
	struct fr_loop *loop;
	int timer_fd;
	int map_fd; /* fr_binaries; negative = the probes ask nothing */

	struct fr_notice queue[FR_BINARIES_QUEUE_MAX]; /* a ring */
	uint32_t queue_first;
	uint32_t queue_cnt;

	pid_t child; /* 0 = none */
	int result_fd;
	struct fr_notice asked; /* what the child is about */
	bool first;		/* or it is about all programs that ran when recording began */
	bool timed_out;
	/* A host under load may leave a child without a CPU for so long: a program is given up only
	 * when it times out so often in a row. */
	struct fr_binary_key late;
	uint32_t late_cnt;
	bool paused;
	/* children that don't even die (a read that FUSE has passed on cannot be interrupted): left
	 * alone. With too many of them no question is asked any more. 0 = free */
	pid_t stuck[FR_BINARIES_STUCK_MAX];

	struct fr_go_versions go_versions; /* the recorder points here while the daemon runs */
	uint64_t answered_cnt;
	uint64_t go_cnt;
	uint64_t unknown_cnt; /* Go releases without a known place */
	uint64_t failed_cnt;
	uint64_t put_off_cnt; /* questions taken out again */
};

/* Joins the loop, if the probes that record have questions. 0 or a negative errno. */
int fr_binaries_init(struct fr_binaries *b, const struct fr_recorder *rec, struct fr_loop *loop);
void fr_binaries_done(struct fr_binaries *b);
/* Recording has begun: looks at the programs that run, so that their next message has its goroutine
 * already. Whatever is not reached is asked about by its first message, as new programs are. */
void fr_binaries_begin(struct fr_binaries *b);
/* A question has come: kept, or taken out again. */
void fr_binaries_ask(struct fr_binaries *b, const struct fr_notice *n);
/* After SIGCHLD. */
void fr_binaries_reap(struct fr_binaries *b);
/* While a dump is made its child uses the same map of questions: none is asked here. A child that
 * runs is ended and its question asked again later. */
void fr_binaries_pause(struct fr_binaries *b, bool paused);
/* Now and then: makes room in the table when it gets full. */
void fr_binaries_tidy(struct fr_binaries *b);

#endif
