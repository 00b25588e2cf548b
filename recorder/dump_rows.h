/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The identity tables of a dump as they are being written: rows gather in a buffer per table and
 * become a chunk when the buffer is full.
 */
#ifndef FR_RECORDER_DUMP_ROWS_H
#define FR_RECORDER_DUMP_ROWS_H

#include "formats/dump/writer.h"

#define FR_ROWS_CHUNK_BYTES (128u << 10) /* a table's buffer is written beyond this */

enum fr_table { FR_TABLE_THREADS, FR_TABLE_PROCESSES, FR_TABLE_SOCKETS, FR_TABLE_CNT };

struct fr_rows {
	struct fr_dump_writer *writer; /* borrowed */
	struct fr_buf bufs[FR_TABLE_CNT];
	int err; /* the first error; rows after it are not taken */
};

void fr_rows_init(struct fr_rows *r, struct fr_dump_writer *w);
void fr_rows_thread(struct fr_rows *r, const struct fr_meta_thread *t);
void fr_rows_process(struct fr_rows *r, const struct fr_meta_process *p);
void fr_rows_socket(struct fr_rows *r, const struct fr_meta_socket *s);
/* Writes what there is. 0 or the first error since the beginning. */
int fr_rows_flush(struct fr_rows *r);
void fr_rows_done(struct fr_rows *r);

#endif
