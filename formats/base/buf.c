/* SPDX-License-Identifier: BSD-2-Clause */
#include "buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "digits.h"

#define CAP_MIN_BYTES 64

/* The next capacity that holds need_bytes: doubles, but never beyond the limit. */
static size_t next_cap(const struct fr_buf *b, size_t need_bytes)
{
	size_t cap = b->cap_bytes < CAP_MIN_BYTES / 2 ? CAP_MIN_BYTES : b->cap_bytes * 2;

	/* a capacity near SIZE_MAX wraps when doubled; then it is below need_bytes */
	if (cap < need_bytes)
		cap = need_bytes;
	if (b->limit_bytes && cap > b->limit_bytes)
		cap = b->limit_bytes;
	return cap;
}

uint8_t *fr_buf_grow(struct fr_buf *b, size_t more_bytes)
{
	size_t need, cap;
	uint8_t *data;

	if (b->err)
		return NULL;
	if (__builtin_add_overflow(b->len_bytes, more_bytes, &need) || need >= PTRDIFF_MAX) {
		b->err = -ENOMEM;
		return NULL;
	}
	if (b->limit_bytes && need > b->limit_bytes) {
		b->err = -E2BIG;
		return NULL;
	}
	if (b->data && need <= b->cap_bytes)
		return b->data + b->len_bytes;
	cap = next_cap(b, need);
	/* one byte more than is said: room for vsnprintf's zero, so that text may fill the limit */
	data = realloc(b->data, cap + 1);
	if (!data) {
		b->err = -ENOMEM;
		return NULL;
	}
	b->data = data;
	b->cap_bytes = cap;
	return data + b->len_bytes;
}

void fr_buf_add_u64(struct fr_buf *b, uint64_t v)
{
	uint8_t *to;
	char digits[FR_DIGITS_U64];

	if (b->cap_bytes - b->len_bytes <= FR_DIGITS_U64) {
		/* near the limit there may be room for the number but not for any number */
		fr_buf_add(b, digits, (size_t)(fr_put_u64(digits, v) - digits));
		return;
	}
	to = fr_buf_reserve(b, FR_DIGITS_U64);
	if (to)
		b->len_bytes = (size_t)((uint8_t *)fr_put_u64((char *)to, v) - b->data);
}

void fr_buf_add_i64(struct fr_buf *b, int64_t v)
{
	char digits[FR_DIGITS_I64];

	fr_buf_add(b, digits, (size_t)(fr_put_i64(digits, v) - digits));
}

void fr_buf_printf(struct fr_buf *b, const char *fmt, ...)
{
	va_list args;
	uint8_t *to;
	int text_bytes;

	to = fr_buf_reserve(b, 0);
	if (!to)
		return;
	va_start(args, fmt);
	text_bytes = vsnprintf((char *)to, b->cap_bytes - b->len_bytes + 1, fmt, args);
	va_end(args);
	if (text_bytes < 0) {
		b->err = -EINVAL;
		return;
	}
	if ((size_t)text_bytes > b->cap_bytes - b->len_bytes) {
		to = fr_buf_reserve(b, (size_t)text_bytes);
		if (!to)
			return;
		va_start(args, fmt);
		text_bytes = vsnprintf((char *)to, (size_t)text_bytes + 1, fmt, args);
		va_end(args);
		if (text_bytes < 0) {
			b->err = -EINVAL;
			return;
		}
	}
	b->len_bytes += (size_t)text_bytes;
}

void fr_buf_clear(struct fr_buf *b)
{
	b->len_bytes = 0;
	b->err = 0;
}

void fr_buf_done(struct fr_buf *b)
{
	if (!b)
		return;
	free(b->data);
	*b = (struct fr_buf){ .limit_bytes = b->limit_bytes };
}
