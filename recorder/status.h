/* SPDX-License-Identifier: BSD-2-Clause */
/* Statistics as people, scripts (JSON) and Prometheus read them. */
#ifndef FR_RECORDER_STATUS_H
#define FR_RECORDER_STATUS_H

#include "formats/base/buf.h"
#include "request.h"
#include "stats.h"
#include "trigger.h"

void fr_status_print(const struct fr_stats *s, const struct fr_triggers *t, enum fr_format format,
		     struct fr_buf *out);
/* The same in a few lines, for the log. */
void fr_status_log(const struct fr_stats *s, const struct fr_triggers *t);
/* "sched,waking,proc": what is recorded. */
void fr_status_families(const struct fr_recorder *rec, struct fr_buf *out);

#endif
