/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/abi/event.h"

#define BUFFER_BYTES 65536u /* rows are far smaller */

/* Hands out the whole rows in buf; returns how many bytes they took, or a negative errno. */
static int64_t take_rows(const uint8_t *buf, uint32_t bytes, const struct fr_row_reader *reader)
{
	uint32_t at = 0, row_bytes;
	int err;

	while (bytes - at >= 8) {
		row_bytes = reader->row_bytes(buf + at);
		if (row_bytes % 8 || row_bytes < reader->least_bytes ||
		    row_bytes > reader->most_bytes)
			return -EBADMSG;
		if (row_bytes > bytes - at)
			break;
		err = reader->row(buf + at, row_bytes, reader->ctx);
		if (err)
			return err;
		at += row_bytes;
	}
	return at;
}

int fr_rows_read(int iter_fd, const struct fr_row_reader *reader)
{
	uint8_t *buf = malloc(BUFFER_BYTES);
	uint32_t held_bytes = 0;
	int64_t taken = 0;
	ssize_t n = 1;

	if (!buf)
		return -ENOMEM;
	while (n > 0 && taken >= 0) {
		n = read(iter_fd, buf + held_bytes, BUFFER_BYTES - held_bytes);
		if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
			n = 1; /* EAGAIN: many objects without a row; go on from there */
			continue;
		}
		if (n < 0)
			taken = -errno;
		if (n <= 0)
			break;
		held_bytes += (uint32_t)n;
		taken = take_rows(buf, held_bytes, reader);
		if (taken > 0) {
			held_bytes -= (uint32_t)taken;
			memmove(buf, buf + taken, held_bytes);
		}
	}
	free(buf);
	if (taken < 0)
		return (int)taken;
	return held_bytes ? -EBADMSG : 0;
}

static int read_link(int link_fd, const struct fr_row_reader *reader)
{
	int fd, err;

	if (link_fd < 0)
		return link_fd;
	fd = bpf_iter_create(link_fd);
	if (fd < 0)
		return -errno;
	err = fr_rows_read(fd, reader);
	close(fd);
	return err;
}

/* ---- threads ------------------------------------------------------------------------------ */

struct task_ctx {
	int (*task)(const struct fr_task_row *row, struct fr_slice exe, void *ctx);
	void *ctx;
};

static uint32_t first_word_bytes(const uint8_t *row)
{
	return fr_load32(row);
}

static int task_row(const uint8_t *row, uint32_t bytes, void *ctx)
{
	const struct task_ctx *c = ctx;
	struct fr_task_row t;

	memcpy(&t, row, sizeof(t));
	if (t.exe_bytes > bytes - sizeof(t))
		return -EBADMSG;
	return c->task(&t, (struct fr_slice){ row + sizeof(t), t.exe_bytes }, c->ctx);
}

int fr_collect_tasks(const struct fr_probes *p,
		     int (*task)(const struct fr_task_row *row, struct fr_slice exe, void *ctx),
		     void *ctx)
{
	struct task_ctx c = { task, ctx };
	const struct fr_row_reader reader = {
		.least_bytes = sizeof(struct fr_task_row),
		.most_bytes = sizeof(struct fr_task_row) + FR_EXE_PATH_MAX,
		.row_bytes = first_word_bytes,
		.row = task_row,
		.ctx = &c,
	};

	return read_link(fr_probes_iter_link_fd(p, "fr_iter_tasks"), &reader);
}

/* ---- sockets ------------------------------------------------------------------------------ */

struct sock_ctx {
	int (*sock)(const uint8_t *record, void *ctx);
	void *ctx;
};

static uint32_t record_bytes(const uint8_t *row)
{
	return FR_RECORD_UNITS(fr_load64(row)) * 8;
}

static int sock_row(const uint8_t *row, uint32_t bytes, void *ctx)
{
	const struct sock_ctx *c = ctx;
	struct fr_sock_open e;

	memcpy(&e, row, sizeof(e));
	if (e.path_bytes > bytes - sizeof(e))
		return -EBADMSG;
	return c->sock(row, c->ctx);
}

int fr_collect_socks(const struct fr_probes *p, int (*sock)(const uint8_t *record, void *ctx),
		     void *ctx)
{
	/* where the states are kept depends on the hooks; one of the two is empty or not there */
	static const char *const iters[] = { "fr_iter_socks", "fr_iter_socktable" };
	struct sock_ctx c = { sock, ctx };
	const struct fr_row_reader reader = {
		.least_bytes = sizeof(struct fr_sock_open),
		.most_bytes = sizeof(struct fr_sock_open) + FR_UNIX_PATH_MAX + 8,
		.row_bytes = record_bytes,
		.row = sock_row,
		.ctx = &c,
	};
	int err, ret = -ENOENT;

	for (size_t i = 0; i < sizeof(iters) / sizeof(iters[0]); i++) {
		err = read_link(fr_probes_iter_link_fd(p, iters[i]), &reader);
		if (err != -ENOENT)
			ret = ret == -ENOENT || !ret ? err : ret;
	}
	return ret;
}
