/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A growing byte buffer with a hard limit. All writers append to one of these. Errors latch: after
 * the first failure (-ENOMEM, or -E2BIG at the limit) appends do nothing and `err` keeps the
 * reason, so that callers check once at the end. Zero-initialised is empty and unlimited.
 */
#ifndef FR_BASE_BUF_H
#define FR_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct fr_buf {
	uint8_t *data;	   /* owned; NULL while cap_bytes is 0; aligned as malloc aligns */
	size_t len_bytes;
	size_t cap_bytes;   /* <= limit_bytes if that is set; one byte more is allocated */
	size_t limit_bytes; /* 0 = none; set it before the first use */
	int err;	    /* 0 or the first negative errno */
};

/* fr_buf_reserve() for when the room must grow. */
uint8_t *fr_buf_grow(struct fr_buf *b, size_t more_bytes);

/* Makes room for `more` bytes behind len_bytes. Returns where they go, or NULL (err is set). The
 * caller writes them and adds to len_bytes. */
static inline uint8_t *fr_buf_reserve(struct fr_buf *b, size_t more_bytes)
{
	if (more_bytes < b->cap_bytes - b->len_bytes && !b->err)
		return b->data + b->len_bytes;
	return fr_buf_grow(b, more_bytes);
}

static inline void fr_buf_add(struct fr_buf *b, const void *data, size_t data_bytes)
{
	uint8_t *to = fr_buf_reserve(b, data_bytes);

	if (!to || !data_bytes)
		return;
	memcpy(to, data, data_bytes);
	b->len_bytes += data_bytes;
}

static inline void fr_buf_add_str(struct fr_buf *b, const char *s)
{
	fr_buf_add(b, s, strlen(s));
}

static inline void fr_buf_add_char(struct fr_buf *b, char c)
{
	uint8_t *to = fr_buf_reserve(b, 1);

	if (!to)
		return;
	*to = (uint8_t)c;
	b->len_bytes++;
}

void fr_buf_add_u64(struct fr_buf *b, uint64_t v); /* decimal digits */
void fr_buf_add_i64(struct fr_buf *b, int64_t v);
__attribute__((format(printf, 2, 3))) void fr_buf_printf(struct fr_buf *b, const char *fmt, ...);
/* Forgets the contents and the error, keeps the memory. */
void fr_buf_clear(struct fr_buf *b);
/* Frees the memory; the struct is as new after it (the limit stays). NULL is fine. */
void fr_buf_done(struct fr_buf *b);

#endif
