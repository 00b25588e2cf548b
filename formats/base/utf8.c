/* SPDX-License-Identifier: BSD-2-Clause */
#include "utf8.h"

#define HIGHS 0x8080808080808080ull

static bool is_tail(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

size_t fr_utf8_char(const uint8_t *p, const uint8_t *end)
{
	size_t left = (size_t)(end - p);

	if (p[0] < 0xc2 || p[0] > 0xf4 || left < 2 || !is_tail(p[1]))
		return 0;
	if (p[0] < 0xe0)
		return 2;
	if (left < 3 || !is_tail(p[2]))
		return 0;
	if (p[0] < 0xf0) {
		if (p[0] == 0xe0 && p[1] < 0xa0)
			return 0; /* overlong */
		if (p[0] == 0xed && p[1] >= 0xa0)
			return 0; /* surrogate */
		return 3;
	}
	if (left < 4 || !is_tail(p[3]))
		return 0;
	if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90))
		return 0; /* overlong; beyond U+10FFFF */
	return 4;
}

bool fr_utf8_valid(struct fr_slice s)
{
	const uint8_t *p = s.data, *end;
	size_t char_bytes;

	if (!s.len_bytes)
		return true; /* .data may be NULL */
	end = p + s.len_bytes;
	while (p < end) {
		if (end - p >= 8 && !(fr_load64(p) & HIGHS)) {
			p += 8;
			continue;
		}
		char_bytes = *p < 0x80 ? 1 : fr_utf8_char(p, end);
		if (!char_bytes)
			return false;
		p += char_bytes;
	}
	return true;
}

size_t fr_utf8_repair(struct fr_slice s, uint8_t *to)
{
	const uint8_t *p = s.data, *end = p + s.len_bytes;
	const uint8_t *const start = to;
	size_t char_bytes;

	while (p < end) {
		char_bytes = *p < 0x80 ? 1 : fr_utf8_char(p, end);
		if (char_bytes) {
			memcpy(to, p, char_bytes);
			to += char_bytes;
			p += char_bytes;
		} else {
			memcpy(to, FR_UTF8_REPLACEMENT, 3);
			to += 3;
			p++;
		}
	}
	return (size_t)(to - start);
}
