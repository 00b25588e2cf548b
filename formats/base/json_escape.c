/* SPDX-License-Identifier: BSD-2-Clause */
#include "json.h"
#include "utf8.h"

#define ONES 0x0101010101010101ull
#define HIGHS 0x8080808080808080ull

/*
 * Nonzero if one of the eight bytes cannot be copied as it is: below 0x20, '"', '\\', above 0x7f.
 * A subtraction borrows from the next byte only where the byte itself is caught, so that a false
 * alarm is possible behind a true one, never a miss.
 */
static uint64_t needs_care(uint64_t w)
{
	uint64_t quote = w ^ ONES * '"', slash = w ^ ONES * '\\';

	return ((w - ONES * 0x20) | (quote - ONES) | (slash - ONES) | w) & HIGHS;
}

/* How many bytes from `at` can be copied as they are. */
static size_t plain_run(const uint8_t *at, const uint8_t *end)
{
	const uint8_t *p = at;

	while (end - p >= 8 && !needs_care(fr_load64(p)))
		p += 8;
	while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\')
		p++;
	return (size_t)(p - at);
}

static void escape_ascii(struct fr_buf *out, uint8_t byte)
{
	static const char hex[] = "0123456789abcdef";
	static const char shorts[0x20] = {
		['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't',
	};
	char text[6] = { '\\', 'u', '0', '0' };

	if (byte == '"' || byte == '\\' || shorts[byte]) {
		text[1] = byte < 0x20 ? shorts[byte] : (char)byte;
		fr_buf_add(out, text, 2);
		return;
	}
	text[4] = hex[byte >> 4];
	text[5] = hex[byte & 15];
	fr_buf_add(out, text, 6);
}

void fr_json_escape(struct fr_buf *out, const void *data, size_t data_bytes)
{
	const uint8_t *p = data, *end;
	size_t run_bytes;

	if (!data_bytes)
		return;
	end = p + data_bytes;
	while (p < end && !out->err) {
		run_bytes = plain_run(p, end);
		fr_buf_add(out, p, run_bytes);
		p += run_bytes;
		if (p == end)
			return;
		if (*p < 0x80) {
			escape_ascii(out, *p++);
			continue;
		}
		run_bytes = fr_utf8_char(p, end);
		if (run_bytes) {
			fr_buf_add(out, p, run_bytes);
			p += run_bytes;
		} else {
			fr_buf_add_str(out, FR_UTF8_REPLACEMENT);
			p++;
		}
	}
}
