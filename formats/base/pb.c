/* SPDX-License-Identifier: BSD-2-Clause */
#include "pb.h"

#include <errno.h>

#define VARINT_MAX_BYTES 10
#define KEY_MAX_BYTES 5
#define FIELD_NUMBER_MAX ((1u << 29) - 1)
#define SUB_LENGTH_BYTES 4 /* redundant varint of 4 x 7 bits */
#define SUB_MAX_BYTES ((1u << 28) - 1)

static uint8_t *put_varint(uint8_t *p, uint64_t v)
{
	while (v >= 0x80) {
		*p++ = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	*p++ = (uint8_t)v;
	return p;
}

static uint8_t *put_key(uint8_t *p, uint32_t field, enum fr_pb_wire wire)
{
	return put_varint(p, (uint64_t)field << 3 | (uint32_t)wire);
}

/* Appends what was put together in a small array: exact at the buffer's limit. */
static void add_put(struct fr_buf *b, const uint8_t *start, const uint8_t *end)
{
	fr_buf_add(b, start, (size_t)(end - start));
}

void fr_pb_add_u64(struct fr_buf *b, uint32_t field, uint64_t v)
{
	uint8_t put[KEY_MAX_BYTES + VARINT_MAX_BYTES];

	add_put(b, put, put_varint(put_key(put, field, FR_PB_VARINT), v));
}

void fr_pb_add_i64(struct fr_buf *b, uint32_t field, int64_t v)
{
	fr_pb_add_u64(b, field, (uint64_t)v);
}

void fr_pb_add_fixed64(struct fr_buf *b, uint32_t field, uint64_t v)
{
	uint8_t put[KEY_MAX_BYTES + sizeof(v)];
	uint8_t *p = put_key(put, field, FR_PB_FIXED64);

	memcpy(p, &v, sizeof(v));
	add_put(b, put, p + sizeof(v));
}

void fr_pb_add_fixed32(struct fr_buf *b, uint32_t field, uint32_t v)
{
	uint8_t put[KEY_MAX_BYTES + sizeof(v)];
	uint8_t *p = put_key(put, field, FR_PB_FIXED32);

	memcpy(p, &v, sizeof(v));
	add_put(b, put, p + sizeof(v));
}

void fr_pb_add_double(struct fr_buf *b, uint32_t field, double v)
{
	uint64_t bits;

	_Static_assert(sizeof(bits) == sizeof(v), "a double is 64 bits");
	memcpy(&bits, &v, sizeof(bits));
	fr_pb_add_fixed64(b, field, bits);
}

void fr_pb_add_bytes(struct fr_buf *b, uint32_t field, const void *data, size_t data_bytes)
{
	uint8_t put[KEY_MAX_BYTES + VARINT_MAX_BYTES];

	add_put(b, put, put_varint(put_key(put, field, FR_PB_BYTES), data_bytes));
	fr_buf_add(b, data, data_bytes);
}

void fr_pb_add_str(struct fr_buf *b, uint32_t field, const char *s)
{
	fr_pb_add_bytes(b, field, s, strlen(s));
}

size_t fr_pb_open(struct fr_buf *b, uint32_t field)
{
	uint8_t put[KEY_MAX_BYTES + SUB_LENGTH_BYTES];
	uint8_t *p = put_key(put, field, FR_PB_BYTES);

	memset(p, 0, SUB_LENGTH_BYTES);
	add_put(b, put, p + SUB_LENGTH_BYTES);
	return b->len_bytes;
}

void fr_pb_close(struct fr_buf *b, size_t mark)
{
	size_t sub_bytes;
	uint8_t *p;

	/* after a failed append the mark may be anywhere */
	if (b->err)
		return;
	sub_bytes = b->len_bytes - mark;
	if (sub_bytes > SUB_MAX_BYTES) {
		b->err = -E2BIG;
		return;
	}
	p = b->data + mark - SUB_LENGTH_BYTES;
	p[0] = (uint8_t)(sub_bytes | 0x80);
	p[1] = (uint8_t)(sub_bytes >> 7 | 0x80);
	p[2] = (uint8_t)(sub_bytes >> 14 | 0x80);
	p[3] = (uint8_t)(sub_bytes >> 21);
}

static int bad_message(struct fr_cursor *c)
{
	c->bad = true;
	return -EBADMSG;
}

int fr_pb_next(struct fr_cursor *c, struct fr_pb_field *ret_field)
{
	struct fr_pb_field f = { 0 };
	uint64_t key, len_bytes;

	if (c->bad)
		return -EBADMSG;
	if (c->at == c->end)
		return 0;
	key = fr_cursor_varint(c);
	if (c->bad || key >> 3 == 0 || key >> 3 > FIELD_NUMBER_MAX)
		return bad_message(c);
	f.number = (uint32_t)(key >> 3);
	/* not a switch over the enum: the three bits come from the file */
	if ((key & 7) == FR_PB_VARINT) {
		f.wire = FR_PB_VARINT;
		f.value = fr_cursor_varint(c);
	} else if ((key & 7) == FR_PB_FIXED64) {
		f.wire = FR_PB_FIXED64;
		f.value = fr_cursor_u64(c);
	} else if ((key & 7) == FR_PB_FIXED32) {
		f.wire = FR_PB_FIXED32;
		f.value = fr_cursor_u32(c);
	} else if ((key & 7) == FR_PB_BYTES) {
		f.wire = FR_PB_BYTES;
		len_bytes = fr_cursor_varint(c);
		if (c->bad || len_bytes > fr_cursor_left(c))
			return bad_message(c);
		f.bytes = fr_cursor_take(c, (size_t)len_bytes);
	} else {
		return bad_message(c); /* groups are not used; 6 and 7 do not exist */
	}
	if (c->bad)
		return -EBADMSG;
	*ret_field = f;
	return 1;
}
