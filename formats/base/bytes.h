/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checked reading of hostile bytes. A cursor never moves past its end; the first read that does
 * not fit latches `bad`, and every later read returns zero or empty. Little-endian unless named.
 */
#ifndef FR_BASE_BYTES_H
#define FR_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Borrowed bytes: somebody else owns them. */
struct fr_slice {
	const uint8_t *data;
	size_t len_bytes;
};

struct fr_cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool bad;
};

struct fr_cursor fr_cursor_of(const void *data, size_t data_bytes);
size_t fr_cursor_left(const struct fr_cursor *c);
uint8_t fr_cursor_u8(struct fr_cursor *c);
uint16_t fr_cursor_u16(struct fr_cursor *c);
uint32_t fr_cursor_u32(struct fr_cursor *c);
uint64_t fr_cursor_u64(struct fr_cursor *c);
uint16_t fr_cursor_u16be(struct fr_cursor *c);
uint32_t fr_cursor_u32be(struct fr_cursor *c);
/* LEB128, at most 10 bytes; a longer one, or bits beyond 64, is bad. */
uint64_t fr_cursor_varint(struct fr_cursor *c);
struct fr_slice fr_cursor_take(struct fr_cursor *c, size_t take_bytes);
void fr_cursor_skip(struct fr_cursor *c, size_t skip_bytes);

bool fr_slice_is(struct fr_slice s, const char *literal);
/* The same for ASCII letters of either case; the literal is in lower case. */
bool fr_slice_is_nocase(struct fr_slice s, const char *lower);
/* Without blanks and tabs at both ends. */
struct fr_slice fr_slice_trimmed(struct fr_slice s);
/* Takes bytes off the front; false, and nothing taken, when there are not so many. */
bool fr_slice_skip(struct fr_slice *rest, uint64_t skip_bytes);
/* Takes a string up to its zero off the front; false, and all of *rest, when there is no zero. */
bool fr_slice_take_string(struct fr_slice *rest, struct fr_slice *ret_string);

/* Unaligned little-endian loads and stores, for places already checked. */
static inline uint64_t fr_load64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t fr_load32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint16_t fr_load16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "formats/ is little-endian only so far");

#endif
