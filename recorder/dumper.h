/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One dump, made by a forked child: who lives, post-window, read the ring, write the file. The
 * daemon goes on recording whatever becomes of the child.
 */
#ifndef FR_RECORDER_DUMPER_H
#define FR_RECORDER_DUMPER_H

#include <sys/types.h>

#include "join.h"
#include "recorder.h"

struct fr_triggers;

struct fr_dump_job {
	struct fr_trigger_info trigger; /* number and post_window_ns are set */
	struct fr_join *join;		/* shared memory; the child closes it */
	const struct fr_triggers *triggers; /* for their counts; NULL = leave them out */
};

/* What the child writes to the pipe, in one piece (it fits PIPE_BUF), before it ends. */
struct fr_dump_result {
	int32_t error; /* 0 or a negative errno */
	uint32_t joined_cnt;
	char name[256];	  /* of the file in the dump directory; "" on failure */
	char text[512];	  /* what failed, why, what to do; or a remark */
	uint64_t raw_bytes;
	uint64_t stored_bytes;
	uint64_t records;
	uint64_t overtaken;	/* records lost because reading was too slow */
	uint64_t window_ns;	/* the common window */
	uint64_t trigger_to_end_ns;
	uint64_t cpu_ns;	/* user and system time of the child */
};

/*
 * Forks the child. Returns its pid, or a negative errno. *ret_result_fd is the read end of the
 * pipe (O_CLOEXEC, O_NONBLOCK): one struct fr_dump_result, or EOF if the child died.
 */
pid_t fr_dumper_start(const struct fr_recorder *rec, const struct fr_dump_job *job,
		      int *ret_result_fd);

#endif
