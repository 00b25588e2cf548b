/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A growing byte buffer with a hard limit. All writers append to one of these. Errors latch: after
 * the first failure (-ENOMEM, or -E2BIG at the limit) appends do nothing and `err` keeps the
 * reason, so that callers check once at the end.
 */
#ifndef FR_BASE_BUF_H
#define FR_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

struct fr_buf {
	uint8_t *data;	   /* owned; NULL while cap_bytes is 0 */
	size_t len_bytes;
	size_t cap_bytes;
	size_t limit_bytes; /* 0 = none */
	int err;	    /* 0 or the first negative errno */
};

/* Makes room for `more` bytes behind len_bytes. Returns where they go, or NULL (err is set). */
uint8_t *fr_buf_reserve(struct fr_buf *b, size_t more_bytes);
void fr_buf_add(struct fr_buf *b, const void *data, size_t data_bytes);
void fr_buf_add_str(struct fr_buf *b, const char *s);
void fr_buf_add_char(struct fr_buf *b, char c);
void fr_buf_add_u64(struct fr_buf *b, uint64_t v); /* decimal digits */
void fr_buf_add_i64(struct fr_buf *b, int64_t v);
__attribute__((format(printf, 2, 3))) void fr_buf_printf(struct fr_buf *b, const char *fmt, ...);
/* Forgets the contents and the error, keeps the memory. */
void fr_buf_clear(struct fr_buf *b);
/* Frees the memory; the struct is as new after it. NULL is fine. */
void fr_buf_done(struct fr_buf *b);

#endif
