/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a request is called, and what may be shown of it: the same in every output. SQL is always
 * normalised here, whatever the dump holds.
 */
#ifndef FR_OUT_SPAN_TEXT_H
#define FR_OUT_SPAN_TEXT_H

#include "../base/buf.h"
#include "../model/span.h"

/* Zeroed is empty. The buffers are used again by the next request. */
struct fr_span_text {
	struct fr_buf name;    /* of few values: "GET", "INSERT orders", "HSET"; never empty */
	struct fr_buf query;   /* SQL with '?' for each literal; empty = no SQL, or not readable */
	struct fr_buf summary; /* of SQL: "INSERT orders SELECT items"; may be empty */
};

/* 0 or -ENOMEM. */
int fr_span_text_of(struct fr_span_text *t, const struct fr_request *r);
void fr_span_text_done(struct fr_span_text *t);

/* "http", "postgresql", "redis", ... */
const char *fr_span_protocol(const struct fr_request *r);
/* db.system.name; NULL = no database. */
const char *fr_span_db_system(const struct fr_request *r);
/* http.request.method: a known one as it came, else "_OTHER". Of HTTP only. */
struct fr_slice fr_span_http_method(const struct fr_request *r);
/* By the rules of semantic conventions: HTTP 5xx, for clients 4xx too; SQLSTATE from class 02 on;
 * an error reply. False when the status is not known. */
bool fr_span_failed(const struct fr_request *r);

/* "cut,gap": marks by name in the order of their bits, into the buffer. */
void fr_span_add_marks(struct fr_buf *b, uint32_t marks);
/* The i-th mark's bit and name; NULL past the end. */
const char *fr_span_mark_at(unsigned i, uint32_t *ret_bit);
/* "peer", "line", "wire", "inferred", "none". */
const char *fr_span_link_name(enum fr_link link);

#endif
