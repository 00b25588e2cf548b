/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The protocol buffer reader on any bytes: every slice lies inside the message, what was read and
 * written again reads the same, an error stays an error.
 */
#include <errno.h>
#include <stdlib.h>

#include "formats/base/pb.h"

#define DEPTH_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void write_again(struct fr_buf *b, const struct fr_pb_field *f)
{
	switch (f->wire) {
	case FR_PB_VARINT:
		fr_pb_add_u64(b, f->number, f->value);
		break;
	case FR_PB_FIXED64:
		fr_pb_add_fixed64(b, f->number, f->value);
		break;
	case FR_PB_FIXED32:
		fr_pb_add_fixed32(b, f->number, (uint32_t)f->value);
		break;
	case FR_PB_BYTES:
		fr_pb_add_bytes(b, f->number, f->bytes.data, f->bytes.len_bytes);
		break;
	}
}

static void check_same(const struct fr_buf *written, const struct fr_pb_field *f)
{
	struct fr_cursor c = fr_cursor_of(written->data, written->len_bytes);
	struct fr_pb_field g;

	must(!written->err);
	must(fr_pb_next(&c, &g) == 1);
	must(g.number == f->number && g.wire == f->wire && g.value == f->value);
	must(g.bytes.len_bytes == f->bytes.len_bytes);
	must(!g.bytes.len_bytes || !memcmp(g.bytes.data, f->bytes.data, g.bytes.len_bytes));
	must(fr_pb_next(&c, &g) == 0);
}

static void walk(const uint8_t *data, size_t data_bytes, unsigned int depth, struct fr_buf *again)
{
	struct fr_cursor c = fr_cursor_of(data, data_bytes);
	size_t left = fr_cursor_left(&c), mark;
	struct fr_pb_field f;
	int ret;

	while ((ret = fr_pb_next(&c, &f)) == 1) {
		must(fr_cursor_left(&c) < left); /* it ends */
		left = fr_cursor_left(&c);
		must(f.number >= 1 && f.number < 1u << 29);
		fr_buf_clear(again);
		write_again(again, &f);
		check_same(again, &f);
		if (f.wire != FR_PB_BYTES)
			continue;
		must(!f.bytes.len_bytes || (f.bytes.data >= data &&
		     f.bytes.data + f.bytes.len_bytes <= data + data_bytes));
		/* with a back-patched length it is the same field */
		fr_buf_clear(again);
		mark = fr_pb_open(again, f.number);
		fr_buf_add(again, f.bytes.data, f.bytes.len_bytes);
		fr_pb_close(again, mark);
		check_same(again, &f);
		if (depth < DEPTH_MAX)
			walk(f.bytes.data, f.bytes.len_bytes, depth + 1, again);
	}
	must(ret == 0 || ret == -EBADMSG);
	must(fr_pb_next(&c, &f) == ret); /* and goes on saying so */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes)
{
	struct fr_buf again = { 0 };

	walk(data, data_bytes, 0, &again);
	fr_buf_done(&again);
	return 0;
}
