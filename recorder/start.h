/* SPDX-License-Identifier: BSD-2-Clause */
/* From configuration to recording, and back. */
#ifndef FR_RECORDER_START_H
#define FR_RECORDER_START_H

#include "recorder.h"

/*
 * rec->config, rec->features and rec->dump_dir_fd are set. Shares out the ring, loads, attaches,
 * writes the snapshot of how things stand. Negative errno after a message: -ERANGE: the ring's
 * size; -EPERM: no permission; -EINVAL: a filter; others.
 */
int fr_recorder_start(struct fr_recorder *rec);
/* Detaches everything. Also after a failed start. */
void fr_recorder_stop(struct fr_recorder *rec);
/* Reads one iterator to its end; take (may be NULL) gets each piece. 0 or a negative errno. */
int fr_recorder_iterate(const struct fr_recorder *rec, const char *name,
			void (*take)(void *ctx, const void *bytes, size_t cnt), void *ctx);

#endif
