/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of a record may reach the disk. Every record of a dump passes through fr_filter_record(), in
 * the order of time over all CPUs, before anything is written. This is the only place that takes
 * content away, and it counts what it takes; formats/redact/ says what.
 */
#ifndef FR_RECORDER_DUMP_FILTER_H
#define FR_RECORDER_DUMP_FILTER_H

#include "config.h"

struct fr_filter {
	struct fr_redact_rules rules;
	struct fr_redact_counts counts;
	struct fr_redactor *redactor; /* NULL = off, or no bytes of sockets are let through */
};

/* 0 or -ENOMEM. A filter that was only zeroed, or that failed here, lets no bytes through. */
int fr_filter_init(struct fr_filter *f, const struct fr_redact_rules *rules);
void fr_filter_done(struct fr_filter *f);

/*
 * Rewrites a record of a known kind where it lies; returns its size in bytes, never more than
 * before, and sets its word accordingly. Never drops one: a record's ordinal is its identity.
 * Sizes inside the record are not believed.
 */
uint32_t fr_filter_record(struct fr_filter *f, uint8_t *record);
/* A process's argument vector and environment, rewritten where they lie: how many bytes are left.
 */
size_t fr_filter_args(struct fr_filter *f, uint8_t *args, size_t args_bytes);
size_t fr_filter_environment(struct fr_filter *f, uint8_t *env, size_t env_bytes);

void fr_filter_report(const struct fr_filter *f, struct fr_meta_loss *loss);

#endif
