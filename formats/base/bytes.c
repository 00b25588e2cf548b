/* SPDX-License-Identifier: BSD-2-Clause */
#include "bytes.h"

struct fr_cursor fr_cursor_of(const void *data, size_t data_bytes)
{
	/* no arithmetic on a null pointer, not even of zero */
	static const uint8_t nothing[1];
	const uint8_t *at = data_bytes ? data : nothing;

	return (struct fr_cursor){ .at = at, .end = at + data_bytes };
}

size_t fr_cursor_left(const struct fr_cursor *c)
{
	return c->bad ? 0 : (size_t)(c->end - c->at);
}

/* The place of the next take_bytes, passed over; NULL (and bad) if they are not there. */
static const uint8_t *take(struct fr_cursor *c, size_t take_bytes)
{
	const uint8_t *at = c->at;

	if (c->bad || take_bytes > (size_t)(c->end - at)) {
		c->bad = true;
		return NULL;
	}
	c->at = at + take_bytes;
	return at;
}

uint8_t fr_cursor_u8(struct fr_cursor *c)
{
	const uint8_t *at = take(c, 1);

	return at ? *at : 0;
}

uint16_t fr_cursor_u16(struct fr_cursor *c)
{
	const uint8_t *at = take(c, 2);

	return at ? fr_load16(at) : 0;
}

uint32_t fr_cursor_u32(struct fr_cursor *c)
{
	const uint8_t *at = take(c, 4);

	return at ? fr_load32(at) : 0;
}

uint64_t fr_cursor_u64(struct fr_cursor *c)
{
	const uint8_t *at = take(c, 8);

	return at ? fr_load64(at) : 0;
}

uint16_t fr_cursor_u16be(struct fr_cursor *c)
{
	return __builtin_bswap16(fr_cursor_u16(c));
}

uint32_t fr_cursor_u32be(struct fr_cursor *c)
{
	return __builtin_bswap32(fr_cursor_u32(c));
}

uint64_t fr_cursor_varint(struct fr_cursor *c)
{
	uint64_t v = 0;
	unsigned int shift;
	const uint8_t *at;

	for (shift = 0; shift < 64; shift += 7) {
		at = take(c, 1);
		if (!at)
			return 0;
		/* the tenth byte has room for one bit, and must be the last */
		if (shift == 63 && *at > 1)
			break;
		v |= (uint64_t)(*at & 0x7f) << shift;
		if (!(*at & 0x80))
			return v;
	}
	c->bad = true;
	return 0;
}

struct fr_slice fr_cursor_take(struct fr_cursor *c, size_t take_bytes)
{
	const uint8_t *at = take(c, take_bytes);

	return (struct fr_slice){ .data = at, .len_bytes = at ? take_bytes : 0 };
}

void fr_cursor_skip(struct fr_cursor *c, size_t skip_bytes)
{
	take(c, skip_bytes);
}

bool fr_slice_is(struct fr_slice s, const char *literal)
{
	size_t literal_bytes = strlen(literal);

	if (s.len_bytes != literal_bytes)
		return false;
	return !literal_bytes || !memcmp(s.data, literal, literal_bytes);
}

bool fr_slice_is_nocase(struct fr_slice s, const char *lower)
{
	size_t n = strlen(lower);

	if (s.len_bytes != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint8_t b = s.data[i];

		if ((b >= 'A' && b <= 'Z' ? b | 0x20 : b) != (uint8_t)lower[i])
			return false;
	}
	return true;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

struct fr_slice fr_slice_trimmed(struct fr_slice s)
{
	while (s.len_bytes && is_blank(s.data[0])) {
		s.data++;
		s.len_bytes--;
	}
	while (s.len_bytes && is_blank(s.data[s.len_bytes - 1]))
		s.len_bytes--;
	return s;
}

bool fr_slice_skip(struct fr_slice *rest, uint64_t skip_bytes)
{
	if (skip_bytes > rest->len_bytes)
		return false;
	rest->data += skip_bytes;
	rest->len_bytes -= skip_bytes;
	return true;
}

bool fr_slice_take_string(struct fr_slice *rest, struct fr_slice *ret_string)
{
	const uint8_t *nul = rest->len_bytes ? memchr(rest->data, 0, rest->len_bytes) : NULL;
	size_t n = nul ? (size_t)(nul - rest->data) : rest->len_bytes;

	*ret_string = (struct fr_slice){ .data = rest->data, .len_bytes = n };
	rest->data += n + !!nul;
	rest->len_bytes -= n + !!nul;
	return nul;
}
