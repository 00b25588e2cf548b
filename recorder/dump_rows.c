/* SPDX-License-Identifier: BSD-2-Clause */
#include "dump_rows.h"

static const enum fr_chunk_type chunk_types[FR_TABLE_CNT] = {
	[FR_TABLE_THREADS] = FR_CHUNK_THREADS,
	[FR_TABLE_PROCESSES] = FR_CHUNK_PROCESSES,
	[FR_TABLE_SOCKETS] = FR_CHUNK_SOCKETS,
};

void fr_rows_init(struct fr_rows *r, struct fr_dump_writer *w)
{
	*r = (struct fr_rows){ .writer = w };
	for (int i = 0; i < FR_TABLE_CNT; i++)
		r->bufs[i].limit_bytes = FR_CHUNK_RAW_MAX;
}

static void put(struct fr_rows *r, enum fr_table table)
{
	if (!r->err)
		r->err = fr_dump_put_meta(r->writer, chunk_types[table], &r->bufs[table]);
	fr_buf_clear(&r->bufs[table]);
}

/* No row is larger than the space between the two limits: see FR_ARGS_MAX, FR_EXE_PATH_MAX. */
static void put_if_full(struct fr_rows *r, enum fr_table table)
{
	if (r->bufs[table].len_bytes >= FR_ROWS_CHUNK_BYTES)
		put(r, table);
}

void fr_rows_thread(struct fr_rows *r, const struct fr_meta_thread *t)
{
	fr_meta_add_thread(&r->bufs[FR_TABLE_THREADS], t);
	put_if_full(r, FR_TABLE_THREADS);
}

void fr_rows_process(struct fr_rows *r, const struct fr_meta_process *p)
{
	fr_meta_add_process(&r->bufs[FR_TABLE_PROCESSES], p);
	put_if_full(r, FR_TABLE_PROCESSES);
}

void fr_rows_socket(struct fr_rows *r, const struct fr_meta_socket *s)
{
	fr_meta_add_socket(&r->bufs[FR_TABLE_SOCKETS], s);
	put_if_full(r, FR_TABLE_SOCKETS);
}

int fr_rows_flush(struct fr_rows *r)
{
	for (int i = 0; i < FR_TABLE_CNT; i++)
		put(r, (enum fr_table)i);
	return r->err;
}

void fr_rows_done(struct fr_rows *r)
{
	for (int i = 0; i < FR_TABLE_CNT; i++)
		fr_buf_done(&r->bufs[i]);
}
