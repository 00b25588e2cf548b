/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One dump from the trigger to the closed file, in the dumper's process. In this order, so that
 * whoever dies or is born while it works is told of by one side or the other:
 *
 *   who lives  →  post-window (at least 50 ms: an RCU grace period)  →  the ring  →  the dead
 */
#ifndef FR_RECORDER_DUMP_RUN_H
#define FR_RECORDER_DUMP_RUN_H

#include "dumper.h"

#define FR_POST_WINDOW_MIN_NS 50000000ull

/* Everything in ret_result but cpu_ns. Leaves a line in the log when something went wrong. */
void fr_dump_run(const struct fr_recorder *rec, const struct fr_dump_job *job,
		 struct fr_dump_result *ret_result);

#endif
