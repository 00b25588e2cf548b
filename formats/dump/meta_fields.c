/* SPDX-License-Identifier: BSD-2-Clause */
#include "meta_fields.h"

#include <errno.h>

static uint64_t load_uint(const uint8_t *member, size_t bytes)
{
	uint64_t v = 0;

	memcpy(&v, member, bytes < sizeof(v) ? bytes : sizeof(v)); /* little-endian, see bytes.h */
	return v;
}

static void put_field(struct fr_buf *b, const struct fr_meta_field *f, const uint8_t *member)
{
	struct fr_slice s;
	int32_t i32;
	uint64_t v;

	switch ((enum fr_meta_kind)f->kind) {
	case FR_META_UINT:
		v = load_uint(member, f->bytes);
		if (v)
			fr_pb_add_u64(b, f->number, v);
		break;
	case FR_META_I32:
		memcpy(&i32, member, sizeof(i32));
		if (i32)
			fr_pb_add_i64(b, f->number, i32);
		break;
	case FR_META_FIXED64:
		v = fr_load64(member);
		if (v)
			fr_pb_add_fixed64(b, f->number, v);
		break;
	case FR_META_STR:
		s.len_bytes = strnlen((const char *)member, f->bytes);
		if (s.len_bytes)
			fr_pb_add_bytes(b, f->number, member, s.len_bytes);
		break;
	case FR_META_SLICE:
		memcpy(&s, member, sizeof(s));
		if (s.len_bytes)
			fr_pb_add_bytes(b, f->number, s.data, s.len_bytes);
		break;
	}
}

void fr_meta_put_fields(struct fr_buf *b, const struct fr_meta_field *fields, const void *row)
{
	for (; fields->number; fields++)
		put_field(b, fields, (const uint8_t *)row + fields->off);
}

int fr_meta_take_str(char *member, size_t member_bytes, struct fr_slice s)
{
	bool cut = s.len_bytes >= member_bytes;
	size_t n = cut ? member_bytes - 1 : s.len_bytes;

	if (n)
		memcpy(member, s.data, n);
	memset(member + n, 0, member_bytes - n);
	return cut;
}

/* 0 or 1, as fr_meta_read_fields. */
static int take_field(const struct fr_meta_field *f, const struct fr_pb_field *pb, uint8_t *member)
{
	int32_t i32 = (int32_t)(uint32_t)pb->value;
	bool on = pb->value != 0;

	switch ((enum fr_meta_kind)f->kind) {
	case FR_META_UINT:
		if (f->bytes == sizeof(on))
			memcpy(member, &on, sizeof(on)); /* a bool must hold 0 or 1 */
		else
			memcpy(member, &pb->value, f->bytes);
		break;
	case FR_META_I32:
		memcpy(member, &i32, sizeof(i32));
		break;
	case FR_META_FIXED64:
		memcpy(member, &pb->value, sizeof(pb->value));
		break;
	case FR_META_STR:
		return fr_meta_take_str((char *)member, f->bytes, pb->bytes);
	case FR_META_SLICE:
		memcpy(member, &pb->bytes, sizeof(pb->bytes));
		break;
	}
	return 0;
}

static enum fr_pb_wire wire_of(enum fr_meta_kind kind)
{
	switch (kind) {
	case FR_META_UINT:
	case FR_META_I32:
		return FR_PB_VARINT;
	case FR_META_FIXED64:
		return FR_PB_FIXED64;
	case FR_META_STR:
	case FR_META_SLICE:
		return FR_PB_BYTES;
	}
	return FR_PB_BYTES;
}

/* A known number in another wire form counts as unknown, as protobuf wants it. */
static const struct fr_meta_field *find_field(const struct fr_meta_field *fields,
					      const struct fr_pb_field *pb)
{
	for (; fields->number; fields++)
		if (fields->number == pb->number)
			return wire_of((enum fr_meta_kind)fields->kind) == pb->wire ? fields : NULL;
	return NULL;
}

int fr_meta_read_fields(struct fr_slice raw, const struct fr_meta_field *fields, void *row,
			int (*nested)(void *row, const struct fr_pb_field *f))
{
	struct fr_cursor c = fr_cursor_of(raw.data, raw.len_bytes);
	const struct fr_meta_field *f;
	struct fr_pb_field pb;
	bool cut = false;
	int ret;

	for (;;) {
		ret = fr_pb_next(&c, &pb);
		if (ret <= 0)
			return ret ? ret : cut;
		f = find_field(fields, &pb);
		if (f)
			ret = take_field(f, &pb, (uint8_t *)row + f->off);
		else
			ret = nested ? nested(row, &pb) : 0;
		if (ret < 0)
			return ret;
		cut |= ret == 1;
	}
}

int fr_meta_next_row(struct fr_cursor *c, struct fr_slice *ret_row)
{
	struct fr_pb_field pb;
	int ret;

	do {
		ret = fr_pb_next(c, &pb);
	} while (ret == 1 && (pb.number != 1 || pb.wire != FR_PB_BYTES));
	if (ret == 1)
		*ret_row = pb.bytes;
	if (ret < 0)
		*c = fr_cursor_of(c->end, 0); /* a caller that walks on comes to an end */
	return ret;
}
