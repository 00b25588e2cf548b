/* SPDX-License-Identifier: BSD-2-Clause */
/* Statistics as people, scripts (JSON) and Prometheus read them. */
#ifndef FR_RECORDER_STATUS_H
#define FR_RECORDER_STATUS_H

#include "binaries.h"
#include "control.h"
#include "formats/base/buf.h"
#include "request.h"
#include "stats.h"
#include "trigger.h"

/* Where the numbers come from; the first is read anew by the caller. */
struct fr_status {
	const struct fr_stats *stats;
	const struct fr_triggers *triggers;
	const struct fr_binaries *binaries;
	const struct fr_control *control;
};

void fr_status_print(const struct fr_status *st, enum fr_format format, struct fr_buf *out);
/* The same for people, line by line to the log. */
void fr_status_log(const struct fr_status *st);
/* "sched,waking,proc": what is recorded. */
void fr_status_families(const struct fr_recorder *rec, struct fr_buf *out);

#endif
