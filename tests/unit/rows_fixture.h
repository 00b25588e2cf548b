/* SPDX-License-Identifier: BSD-2-Clause */
/* The identity tables that the dumper writes, written to a file and read back. */
#ifndef FR_TESTS_ROWS_FIXTURE_H
#define FR_TESTS_ROWS_FIXTURE_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#include "cm.h"
#include "formats/abi/event.h"
#include "formats/dump/reader.h"
#include "recorder/dump_rows.h"

#define ROWS_MAX 20000

struct rows_fixture {
	char dir[64];
	int dir_fd;
	struct fr_dump_writer *writer;
	struct fr_rows rows;
	/* read back, in file order; slices point into raw */
	struct fr_meta_thread threads[ROWS_MAX];
	struct fr_meta_process processes[ROWS_MAX];
	struct fr_meta_socket sockets[ROWS_MAX];
	size_t thread_cnt, process_cnt, socket_cnt;
	struct fr_buf raws[64], scratch[ROWS_MAX];
	size_t raw_cnt;
};

static inline int rows_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int rows_setup(void **state)
{
	struct rows_fixture *x = calloc(1, sizeof(*x));
	struct fr_dump_options opt = { .name = "t.frd" };

	*state = x;
	snprintf(x->dir, sizeof(x->dir), "/tmp/fr-rows-XXXXXX");
	if (!mkdtemp(x->dir))
		return -1;
	opt.dir_fd = x->dir_fd = open(x->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fr_dump_create(&opt, &x->writer))
		return -1;
	fr_rows_init(&x->rows, x->writer);
	return 0;
}

static inline int rows_teardown(void **state)
{
	struct rows_fixture *x = *state;

	fr_rows_done(&x->rows);
	fr_dump_abort(x->writer, false);
	for (size_t i = 0; i < x->raw_cnt; i++)
		fr_buf_done(&x->raws[i]);
	for (size_t i = 0; i < x->process_cnt; i++)
		fr_buf_done(&x->scratch[i]);
	close(x->dir_fd);
	nftw(x->dir, rows_remove, 8, FTW_DEPTH | FTW_PHYS);
	free(x);
	return 0;
}

static inline void rows_read_chunk(struct rows_fixture *x, struct fr_dump *d, size_t i)
{
	struct fr_buf *raw = &x->raws[x->raw_cnt++];
	struct fr_cursor c;

	assert_true(x->raw_cnt <= 64);
	assert_int_equal(fr_dump_load(d, i, raw), 0);
	c = fr_cursor_of(raw->data, raw->len_bytes);
	switch (fr_dump_chunk(d, i)->type) {
	case FR_CHUNK_THREADS:
		while (fr_meta_next_thread(&c, &x->threads[x->thread_cnt]) == 1)
			x->thread_cnt++;
		break;
	case FR_CHUNK_PROCESSES:
		while (fr_meta_next_process(&c, &x->processes[x->process_cnt],
					    &x->scratch[x->process_cnt]) == 1)
			x->process_cnt++;
		break;
	case FR_CHUNK_SOCKETS:
		while (fr_meta_next_socket(&c, &x->sockets[x->socket_cnt]) == 1)
			x->socket_cnt++;
		break;
	}
}

/* Ends the file and reads all its rows. */
static inline void rows_read(struct rows_fixture *x)
{
	char err[256] = "";
	struct fr_dump *d;
	int fd;

	assert_int_equal(fr_rows_flush(&x->rows), 0);
	assert_int_equal(fr_dump_finish(x->writer, NULL), 0);
	x->writer = NULL;
	fd = openat(x->dir_fd, "t.frd", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fr_dump_open(fd, &d, err, sizeof(err)), 0);
	for (size_t i = 0; i < fr_dump_chunk_cnt(d); i++)
		if (fr_dump_chunk(d, i)->type != FR_CHUNK_INDEX)
			rows_read_chunk(x, d, i);
	fr_dump_close(d);
	close(fd);
}

#endif
