/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strict JSON reading (RFC 8259) of one text in memory, pulled value by value. Nothing is accepted
 * that the grammar doesn't have: no trailing comma, no control character in a string, no lone
 * surrogate, no ill-formed UTF-8. The first error latches: later calls return nothing.
 *
 * 1. Exactly one value is read, and fr_jsonread_end() says whether that was all.
 * 2. After fr_jsonread_key() or fr_jsonread_item() said true, exactly one value is read or skipped.
 */
#ifndef FR_BASE_JSONREAD_H
#define FR_BASE_JSONREAD_H

#include <stdbool.h>

#include "buf.h"

#define FR_JSONREAD_DEPTH_MAX 32

enum fr_jsonread_kind {
	FR_JSONREAD_ERROR = 0, /* none begins here, or an error has latched */
	FR_JSONREAD_OBJECT,
	FR_JSONREAD_ARRAY,
	FR_JSONREAD_STRING,
	FR_JSONREAD_NUMBER,
	FR_JSONREAD_BOOL,
	FR_JSONREAD_NULL,
};

struct fr_jsonread {
	const uint8_t *begin;
	const uint8_t *at;
	const uint8_t *end;
	const char *why; /* NULL, or what is wrong at .at */
	uint32_t depth;	 /* of objects and arrays that are open */
	bool first;	 /* the innermost one has given no key or item yet */
};

struct fr_jsonread fr_jsonread_of(const void *data, size_t data_bytes);
/* What comes next. */
enum fr_jsonread_kind fr_jsonread_peek(struct fr_jsonread *r);

/* Goes into the object; then fr_jsonread_key() puts each key into ret_key (which is cleared
 * first) until it says false: the object is over, or an error. */
void fr_jsonread_object(struct fr_jsonread *r);
bool fr_jsonread_key(struct fr_jsonread *r, struct fr_buf *ret_key);
/* Goes into the array; then fr_jsonread_item() says true before each item. */
void fr_jsonread_array(struct fr_jsonread *r);
bool fr_jsonread_item(struct fr_jsonread *r);

/* Clears the buffer and puts the unescaped string into it (may hold zero bytes). An error of the
 * buffer is one of the reader as well. */
void fr_jsonread_string(struct fr_jsonread *r, struct fr_buf *ret_text);
bool fr_jsonread_bool(struct fr_jsonread *r);
/* Any value, whole and checked. */
void fr_jsonread_skip(struct fr_jsonread *r);

/* 0 if all was read and nothing but white space is left; else -EINVAL with .why, at byte
 * fr_jsonread_offset(). */
int fr_jsonread_end(struct fr_jsonread *r);
size_t fr_jsonread_offset(const struct fr_jsonread *r);
/* Latches an error of the caller's own ("must be a string"), unless there is one. */
void fr_jsonread_fail(struct fr_jsonread *r, const char *why);

#endif
