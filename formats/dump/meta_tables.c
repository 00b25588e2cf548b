/* SPDX-License-Identifier: BSD-2-Clause */
/* The identity tables: threads, processes, sockets. One row is one submessage of field 1. */
#include <errno.h>

#include "meta.h"
#include "meta_fields.h"

/* ---- threads -------------------------------------------------------------------------------- */

#define THREAD_RENAME 8

static const struct fr_meta_field thread_fields[] = {
	FR_META_FIELD(1, FR_META_UINT, fr_meta_thread, tid),
	FR_META_FIELD(2, FR_META_UINT, fr_meta_thread, tgid),
	FR_META_FIELD(3, FR_META_FIXED64, fr_meta_thread, start_ns),
	FR_META_FIELD(4, FR_META_FIXED64, fr_meta_thread, end_ns),
	FR_META_FIELD(5, FR_META_STR, fr_meta_thread, comm),
	FR_META_FIELD(6, FR_META_UINT, fr_meta_thread, state),
	FR_META_FIELD(7, FR_META_UINT, fr_meta_thread, cpu),
	FR_META_FIELD(9, FR_META_UINT, fr_meta_thread, exit_code),
	FR_META_FIELDS_END,
};

static const struct fr_meta_field rename_fields[] = {
	FR_META_FIELD(1, FR_META_FIXED64, fr_rename, boot_ns),
	FR_META_FIELD(2, FR_META_STR, fr_rename, old_comm),
	FR_META_FIELDS_END,
};

void fr_meta_add_thread(struct fr_buf *b, const struct fr_meta_thread *t)
{
	size_t row = fr_pb_open(b, 1), mark;

	fr_meta_put_fields(b, thread_fields, t);
	for (uint32_t i = 0; i < t->rename_cnt && i < FR_RENAMES_MAX; i++) {
		mark = fr_pb_open(b, THREAD_RENAME);
		fr_meta_put_fields(b, rename_fields, &t->renames[i]);
		fr_pb_close(b, mark);
	}
	fr_pb_close(b, row);
}

static int read_rename(void *row, const struct fr_pb_field *f)
{
	struct fr_meta_thread *t = row;

	if (f->number != THREAD_RENAME || f->wire != FR_PB_BYTES)
		return 0;
	if (t->rename_cnt == FR_RENAMES_MAX)
		return 1;
	return fr_meta_read_fields(f->bytes, rename_fields, &t->renames[t->rename_cnt++], NULL);
}

int fr_meta_next_thread(struct fr_cursor *c, struct fr_meta_thread *ret)
{
	struct fr_slice row;
	int err = fr_meta_next_row(c, &row);

	if (err <= 0)
		return err;
	*ret = (struct fr_meta_thread){ 0 };
	err = fr_meta_read_fields(row, thread_fields, ret, read_rename);
	return err < 0 ? err : 1;
}

/* ---- processes ------------------------------------------------------------------------------ */

#define PROCESS_ARGS 6
#define PROCESS_ENVIRONMENT 11

static const struct fr_meta_field process_fields[] = {
	FR_META_FIELD(1, FR_META_UINT, fr_meta_process, tgid),
	FR_META_FIELD(2, FR_META_FIXED64, fr_meta_process, start_ns),
	FR_META_FIELD(3, FR_META_UINT, fr_meta_process, parent_tgid),
	FR_META_FIELD(4, FR_META_UINT, fr_meta_process, uid),
	FR_META_FIELD(5, FR_META_SLICE, fr_meta_process, exe),
	FR_META_FIELD(7, FR_META_UINT, fr_meta_process, args_cut),
	FR_META_FIELD(8, FR_META_SLICE, fr_meta_process, cgroup),
	FR_META_FIELD(9, FR_META_SLICE, fr_meta_process, container_id),
	FR_META_FIELD(10, FR_META_UINT, fr_meta_process, ns_pid),
	FR_META_FIELD(12, FR_META_SLICE, fr_meta_process, note),
	FR_META_FIELD(13, FR_META_SLICE, fr_meta_process, go_version),
	FR_META_FIELD(14, FR_META_UINT, fr_meta_process, gid),
	FR_META_FIELDS_END,
};

/* One field per string; a last one without its zero counts too. */
static void put_strings(struct fr_buf *b, uint32_t field, struct fr_slice s)
{
	size_t n;

	while (s.len_bytes) {
		n = strnlen((const char *)s.data, s.len_bytes);
		fr_pb_add_bytes(b, field, s.data, n);
		n += n < s.len_bytes;
		s.data += n;
		s.len_bytes -= n;
	}
}

void fr_meta_add_process(struct fr_buf *b, const struct fr_meta_process *p)
{
	size_t row = fr_pb_open(b, 1);

	fr_meta_put_fields(b, process_fields, p);
	put_strings(b, PROCESS_ARGS, p->args);
	put_strings(b, PROCESS_ENVIRONMENT, p->environment);
	fr_pb_close(b, row);
}

/* Collects the strings of one repeated field in scratch, each ended by a zero. */
static int take_strings(struct fr_slice row, uint32_t field, struct fr_buf *scratch)
{
	struct fr_cursor c = fr_cursor_of(row.data, row.len_bytes);
	struct fr_pb_field f;
	int ret;

	while ((ret = fr_pb_next(&c, &f)) == 1) {
		if (f.number != field || f.wire != FR_PB_BYTES)
			continue;
		fr_buf_add(scratch, f.bytes.data, f.bytes.len_bytes);
		fr_buf_add_char(scratch, 0);
	}
	return ret < 0 ? ret : scratch->err;
}

int fr_meta_next_process(struct fr_cursor *c, struct fr_meta_process *ret, struct fr_buf *scratch)
{
	struct fr_slice row;
	size_t args_bytes;
	int err = fr_meta_next_row(c, &row);

	if (err <= 0)
		return err;
	*ret = (struct fr_meta_process){ 0 };
	err = fr_meta_read_fields(row, process_fields, ret, NULL);
	if (err < 0)
		return err;
	fr_buf_clear(scratch);
	err = take_strings(row, PROCESS_ARGS, scratch);
	if (err)
		return err;
	args_bytes = scratch->len_bytes;
	err = take_strings(row, PROCESS_ENVIRONMENT, scratch);
	if (err)
		return err;
	/* only now: the buffer may have moved meanwhile */
	if (args_bytes)
		ret->args = (struct fr_slice){ scratch->data, args_bytes };
	if (scratch->len_bytes > args_bytes)
		ret->environment = (struct fr_slice){ scratch->data + args_bytes,
						      scratch->len_bytes - args_bytes };
	return 1;
}

/* ---- sockets -------------------------------------------------------------------------------- */

#define SOCKET_LOCAL 4
#define SOCKET_REMOTE 5

static const struct fr_meta_field socket_fields[] = {
	FR_META_FIELD(1, FR_META_FIXED64, fr_meta_socket, id),
	FR_META_FIELD(2, FR_META_UINT, fr_meta_socket, addr.family),
	FR_META_FIELD(3, FR_META_UINT, fr_meta_socket, type),
	FR_META_FIELD(6, FR_META_UINT, fr_meta_socket, addr.local_port),
	FR_META_FIELD(7, FR_META_UINT, fr_meta_socket, addr.remote_port),
	FR_META_FIELD(8, FR_META_UINT, fr_meta_socket, flags),
	FR_META_FIELD(9, FR_META_UINT, fr_meta_socket, tgid),
	FR_META_FIELD(10, FR_META_UINT, fr_meta_socket, peer_tgid),
	FR_META_FIELD(11, FR_META_SLICE, fr_meta_socket, path),
	FR_META_FIELD(12, FR_META_UINT, fr_meta_socket, sent_bytes),
	FR_META_FIELD(13, FR_META_UINT, fr_meta_socket, received_bytes),
	FR_META_FIELD(14, FR_META_FIXED64, fr_meta_socket, end_ns),
	FR_META_FIELD(15, FR_META_UINT, fr_meta_socket, netns_inum),
	FR_META_FIELD(16, FR_META_UINT, fr_meta_socket, state),
	FR_META_FIELDS_END,
};

static size_t address_bytes(uint16_t family)
{
	if (family == FR_AF_INET)
		return 4;
	return family == FR_AF_UNIX ? 8 : 16;
}

void fr_meta_add_socket(struct fr_buf *b, const struct fr_meta_socket *s)
{
	size_t row = fr_pb_open(b, 1), n = address_bytes(s->addr.family);

	fr_meta_put_fields(b, socket_fields, s);
	fr_pb_add_bytes(b, SOCKET_LOCAL, s->addr.local, n);
	fr_pb_add_bytes(b, SOCKET_REMOTE, s->addr.remote, n);
	fr_pb_close(b, row);
}

static int read_address(void *row, const struct fr_pb_field *f)
{
	struct fr_meta_socket *s = row;
	uint8_t *to = f->number == SOCKET_LOCAL ? s->addr.local : s->addr.remote;
	size_t n = f->bytes.len_bytes;

	if ((f->number != SOCKET_LOCAL && f->number != SOCKET_REMOTE) || f->wire != FR_PB_BYTES)
		return 0;
	if (n > sizeof(s->addr.local))
		return -EBADMSG;
	memset(to, 0, sizeof(s->addr.local));
	if (n)
		memcpy(to, f->bytes.data, n);
	return 0;
}

int fr_meta_next_socket(struct fr_cursor *c, struct fr_meta_socket *ret)
{
	struct fr_slice row;
	int err = fr_meta_next_row(c, &row);

	if (err <= 0)
		return err;
	*ret = (struct fr_meta_socket){ 0 };
	err = fr_meta_read_fields(row, socket_fields, ret, read_address);
	return err < 0 ? err : 1;
}
