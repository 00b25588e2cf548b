/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who lives: the rows that the iterator programs of bpf/aux hand out (formats/abi/collect.h). None
 * of this touches user memory; what does is in collect_args.h.
 */
#ifndef FR_RECORDER_COLLECT_H
#define FR_RECORDER_COLLECT_H

#include "formats/abi/collect.h"
#include "formats/base/bytes.h"
#include "probes.h"

/*
 * Cuts an iterator's byte stream into rows. A row's size is checked before anybody sees it: row()
 * gets one whole row of at least least_bytes. row() returns 0 or a negative errno that ends it.
 */
struct fr_row_reader {
	uint32_t least_bytes, most_bytes;
	uint32_t (*row_bytes)(const uint8_t *row); /* from its first 8 bytes */
	int (*row)(const uint8_t *row, uint32_t bytes, void *ctx);
	void *ctx;
};

/* Reads a fresh iterator (bpf_iter_create) to its end. -EBADMSG: a row of impossible size. */
int fr_rows_read(int iter_fd, const struct fr_row_reader *reader);

/* Every thread; exe is the path of the executable for thread group leaders, else empty. */
int fr_collect_tasks(const struct fr_probes *p,
		     int (*task)(const struct fr_task_row *row, struct fr_slice exe, void *ctx),
		     void *ctx);
/* Every socket with state, as a whole sock_open record whose sizes are checked. */
int fr_collect_socks(const struct fr_probes *p, int (*sock)(const uint8_t *record, void *ctx),
		     void *ctx);

#endif
