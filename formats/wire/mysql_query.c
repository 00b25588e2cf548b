/* SPDX-License-Identifier: BSD-2-Clause */
/* MySQL: the bytes of a packet, and where in a command's packet its text lies. */
#include "mysql.h"

#define ATTRIBUTES_MAX 64

enum fr_wire_verdict fr_mysql_read(struct fr_slice bytes, struct fr_mysql_packet *ret)
{
	if (bytes.len_bytes < FR_MYSQL_HEAD_BYTES)
		return FR_WIRE_MORE;
	*ret = (struct fr_mysql_packet){
		.body_bytes = fr_mysql_le(bytes.data, 3),
		.seq = bytes.data[3],
		.body = { .data = bytes.data + FR_MYSQL_HEAD_BYTES,
			  .len_bytes = bytes.len_bytes - FR_MYSQL_HEAD_BYTES },
	};
	if (ret->body.len_bytes > ret->body_bytes)
		ret->body.len_bytes = ret->body_bytes;
	ret->cut = ret->body.len_bytes < ret->body_bytes;
	return FR_WIRE_UNIT;
}

enum fr_wire_verdict fr_mysql_take_number(struct fr_slice *rest, uint64_t *ret_number)
{
	static const uint8_t sizes[] = { [0xfc - 0xfb] = 2, [0xfd - 0xfb] = 3, [0xfe - 0xfb] = 8 };
	uint8_t first, n;

	if (!rest->len_bytes)
		return FR_WIRE_MORE;
	first = rest->data[0];
	if (first == 0xfb || first == 0xff)
		return FR_WIRE_LOST;
	n = first < 0xfb ? 0 : sizes[first - 0xfb];
	if (rest->len_bytes < 1u + n)
		return FR_WIRE_MORE;
	*ret_number = first;
	if (n)
		*ret_number = fr_mysql_le(rest->data + 1, n > 4 ? 4 : n);
	if (n > 4)
		*ret_number |= (uint64_t)fr_mysql_le(rest->data + 5, 4) << 32;
	rest->data += 1 + n;
	rest->len_bytes -= 1u + n;
	return FR_WIRE_UNIT;
}

static bool skip_string(struct fr_slice *rest)
{
	uint64_t string_bytes = 0;

	return fr_mysql_take_number(rest, &string_bytes) == FR_WIRE_UNIT &&
	       fr_slice_skip(rest, string_bytes);
}

/* A value of this type in the binary protocol. */
static bool skip_value(struct fr_slice *rest, uint16_t type)
{
	switch (type & 0xff) {
	case 6: /* null */
		return true;
	case 1: /* tiny */
		return fr_slice_skip(rest, 1);
	case 2: /* short, year */
	case 13:
		return fr_slice_skip(rest, 2);
	case 3: /* long, int24, float */
	case 9:
	case 4:
		return fr_slice_skip(rest, 4);
	case 8: /* long long, double */
	case 5:
		return fr_slice_skip(rest, 8);
	default: /* dates say their length as strings do */
		return skip_string(rest);
	}
}

/* Query attributes (MySQL 8) stand before the text: names, types and values of parameters. */
static bool skip_attributes(struct fr_slice *rest, uint64_t cnt)
{
	const uint8_t *nulls = rest->data;
	uint16_t types[ATTRIBUTES_MAX];

	if (cnt > ATTRIBUTES_MAX || !fr_slice_skip(rest, (cnt + 7) / 8) || !fr_slice_skip(rest, 1))
		return false;
	for (uint64_t i = 0; i < cnt; i++) {
		if (rest->len_bytes < 2)
			return false;
		types[i] = (uint16_t)fr_mysql_le(rest->data, 2);
		if (!fr_slice_skip(rest, 2) || !skip_string(rest))
			return false;
	}
	for (uint64_t i = 0; i < cnt; i++)
		if (!(nulls[i / 8] & 1 << i % 8) && !skip_value(rest, types[i]))
			return false;
	return true;
}

size_t fr_mysql_text_at(const struct fr_mysql_packet *m)
{
	struct fr_slice rest = m->body;
	uint64_t cnt = 0, sets = 0;

	if (m->body.data[0] != 0x03)
		return 1;
	if (m->body.len_bytes == 2 && m->cut && m->body.data[1] < ' ')
		return 0;
	if (m->body.len_bytes < 3 || m->body.data[2] != 1)
		return 1;
	/* a count and, for ever, one set: no text has such a byte second */
	fr_slice_skip(&rest, 1);
	if (fr_mysql_take_number(&rest, &cnt) != FR_WIRE_UNIT ||
	    fr_mysql_take_number(&rest, &sets) != FR_WIRE_UNIT)
		return 0;
	if (cnt && !skip_attributes(&rest, cnt))
		return 0;
	return (size_t)(rest.data - m->body.data);
}
