/* SPDX-License-Identifier: BSD-2-Clause */
/* What a dump does not have, by cause and CPU. */
#ifndef FR_RECORDER_DUMP_LOSS_H
#define FR_RECORDER_DUMP_LOSS_H

#include "recorder.h"

/*
 * The account of every CPU after its window was read, the common window's start, and the counters
 * that probes keep. oldest_ns is what fr_funnel_run() filled. loss->cpus is the caller's to free.
 * -ENOMEM.
 */
int fr_loss_begin(struct fr_meta_loss *loss, const struct fr_recorder *rec,
		  const struct fr_ring_reader *reader, const uint64_t *oldest_ns);
/* One more counter; left out when it is 0. */
void fr_loss_count(struct fr_meta_loss *loss, const char *name, uint64_t value);

#endif
