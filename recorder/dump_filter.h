/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of a record may reach the disk. Every record of a dump passes through fr_filter_record(), in
 * the order of time over all CPUs, before anything is written. This is the only place that takes
 * content away, and it counts what it takes.
 *
 * Unless redaction is off: no captured bytes of sockets, no program arguments but the first.
 */
#ifndef FR_RECORDER_DUMP_FILTER_H
#define FR_RECORDER_DUMP_FILTER_H

#include "config.h"

/* X(NAME, name): why bytes were taken away; rows of Loss.removed. */
#define FR_REMOVALS(X)                                                                             \
	X(CAPTURED, captured_bytes)                                                                \
	X(ARGUMENTS, argument_bytes)

#define FR_REMOVAL_ENUM(NAME, name) FR_REMOVAL_##NAME,
enum fr_removal { FR_REMOVALS(FR_REMOVAL_ENUM) FR_REMOVAL_CNT };
#undef FR_REMOVAL_ENUM

struct fr_filter {
	enum fr_redact redact;
	uint64_t removed_bytes[FR_REMOVAL_CNT];
};

/*
 * Rewrites a record of a known kind where it lies; returns its size in bytes, never more than
 * before, and sets its word accordingly. Never drops one: a record's ordinal is its identity.
 * Sizes inside the record are not believed.
 */
uint32_t fr_filter_record(struct fr_filter *f, uint8_t *record);
/* Of a process's argument vector, the strings that may be kept: how many bytes from its start. */
size_t fr_filter_args(struct fr_filter *f, const uint8_t *args, size_t args_bytes);

void fr_filter_report(const struct fr_filter *f, struct fr_meta_loss *loss);

#endif
