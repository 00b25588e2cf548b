/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The identity of whoever lives when a trigger fires, into the tables of the dump: first all that
 * touches no user memory (threads, sockets), then control groups and command lines of processes.
 */
#ifndef FR_RECORDER_DUMP_LIVING_H
#define FR_RECORDER_DUMP_LIVING_H

#include "dump_obits.h"
#include "dump_socks.h"
#include "formats/abi/collect.h"
#include "go_versions.h"
#include "probes.h"

#define FR_LIVING_FIND_MAX 4096	       /* threads looked for in /proc */
#define FR_LIVING_STASH_MAX (2u << 20) /* bytes of process rows kept until they are asked */

struct fr_living {
	const struct fr_probes *probes;
	const struct fr_go_versions *go_versions; /* NULL = none are known */
	struct fr_rows *rows;
	struct fr_obits *obits;
	struct fr_socks *socks;
	struct fr_filter *filter;
	/* private: struct fr_task_row, exe bytes, padded to 8; one after the other */
	struct fr_buf stash;
	size_t stash_at;
	int proc_fd; /* -1: /proc is not there, or speaks of another pid namespace */
	char cgroup[4096];
	uint8_t args[FR_ARGS_MAX], environment[FR_ENV_MAX];
	/* results */
	uint64_t threads, processes, sockets;
	uint64_t args_failed; /* processes whose command line could not be read */
	uint64_t not_asked;   /* processes beyond what the stash holds, or out of time */
	uint64_t found;	      /* threads that only /proc knew */
};

/*
 * Threads and sockets. 0 or a negative errno; what could not be listed is then told by records
 * only. Rows that do not fit into the file latch in rows->err.
 */
int fr_living_list(struct fr_living *l);
/* Processes, asked for their command lines until until_ns (CLOCK_MONOTONIC). */
int fr_living_ask(struct fr_living *l, uint64_t until_ns);
/*
 * After the ring was read: threads that its records use and nobody told of, if they still live. A
 * kernel may hide some from iterators; their names now are better than none.
 */
void fr_living_find_rest(struct fr_living *l, struct fr_seen *seen);
void fr_living_done(struct fr_living *l);

#endif
