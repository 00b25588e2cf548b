/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A part of a request. Traces and logs have the same shape: the request repeats resources (field
 * 1), a resource repeats scopes (2), a scope repeats items (2); all else belongs to its level.
 */
#include <errno.h>

#include "../base/pb.h"
#include "otlp.h"

#define RESOURCES 1
#define SCOPES 2
#define ITEMS 2

struct range {
	uint64_t first, end; /* items wanted */
	uint64_t at;	     /* items passed */
};

static bool is_part(const struct fr_pb_field *f, uint32_t number)
{
	return f->number == number && f->wire == FR_PB_BYTES;
}

/* Counts fields of this number, and the fields of them, `below` levels down. -EBADMSG. */
static int count_items(struct fr_slice raw, int below, uint64_t *cnt)
{
	struct fr_cursor c = fr_cursor_of(raw.data, raw.len_bytes);
	struct fr_pb_field f;
	int ret;

	while ((ret = fr_pb_next(&c, &f)) == 1) {
		if (!is_part(&f, below == 2 ? RESOURCES : ITEMS))
			continue;
		if (!below) {
			(*cnt)++;
			continue;
		}
		ret = count_items(f.bytes, below - 1, cnt);
		if (ret)
			return ret;
	}
	return ret;
}

/* Copies a message of this level but for items out of range, and what holds none in it. */
static int copy_level(struct fr_slice raw, int below, struct range *r, struct fr_buf *ret_buf)
{
	struct fr_cursor c = fr_cursor_of(raw.data, raw.len_bytes);
	struct fr_pb_field f;
	const uint8_t *at = c.at;
	uint64_t cnt;
	size_t mark;
	int ret;

	for (; (ret = fr_pb_next(&c, &f)) == 1; at = c.at) {
		if (!is_part(&f, below == 2 ? RESOURCES : ITEMS)) {
			fr_buf_add(ret_buf, at, (size_t)(c.at - at));
			continue;
		}
		cnt = 0;
		ret = below ? count_items(f.bytes, below - 1, &cnt) : 0;
		if (ret)
			return ret;
		cnt = below ? cnt : 1;
		if (r->at + cnt <= r->first || r->at >= r->end) {
			r->at += cnt;
			continue;
		}
		if (!below) {
			r->at++;
			fr_buf_add(ret_buf, at, (size_t)(c.at - at));
			continue;
		}
		mark = fr_pb_open(ret_buf, f.number);
		ret = copy_level(f.bytes, below - 1, r, ret_buf);
		if (ret)
			return ret;
		fr_pb_close(ret_buf, mark);
	}
	return ret;
}

int fr_otlp_part(const struct fr_otlp_batch *batch, uint32_t first, uint32_t cnt,
		 struct fr_buf *ret)
{
	struct fr_slice raw = { batch->data, batch->data_bytes };
	struct range r = { .first = first, .end = (uint64_t)first + cnt };
	uint64_t all = 0;
	size_t had_bytes = ret->len_bytes;
	int err;

	_Static_assert(SCOPES == ITEMS, "one walk for both levels");
	err = count_items(raw, 2, &all);
	if (err)
		return err;
	if (!cnt || r.end > all)
		return -EINVAL;
	err = copy_level(raw, 2, &r, ret);
	if (!err)
		err = ret->err;
	if (err)
		ret->len_bytes = had_bytes;
	return err;
}
