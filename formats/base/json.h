/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strict JSON writing into a fr_buf: commas and nesting are kept by the writer, strings are made
 * valid UTF-8 (each byte that isn't becomes U+FFFD) and control characters are escaped.
 */
#ifndef FR_BASE_JSON_H
#define FR_BASE_JSON_H

#include <stdbool.h>

#include "buf.h"
#include "bytes.h"

#define FR_JSON_DEPTH_MAX 32

struct fr_json {
	struct fr_buf *out;	/* borrowed */
	uint32_t depth;
	bool need_comma[FR_JSON_DEPTH_MAX];
	bool after_key;
};

struct fr_json fr_json_on(struct fr_buf *out);
void fr_json_object(struct fr_json *j); /* { */
void fr_json_object_end(struct fr_json *j);
void fr_json_array(struct fr_json *j); /* [ */
void fr_json_array_end(struct fr_json *j);
void fr_json_key(struct fr_json *j, const char *key);
void fr_json_str(struct fr_json *j, const char *s); /* NULL writes null */
void fr_json_strn(struct fr_json *j, const void *data, size_t data_bytes);
void fr_json_u64(struct fr_json *j, uint64_t v);
void fr_json_i64(struct fr_json *j, int64_t v);
void fr_json_u64_str(struct fr_json *j, uint64_t v); /* as a decimal string */
void fr_json_bool(struct fr_json *j, bool v);
void fr_json_null(struct fr_json *j);
/* key and value at once */
void fr_json_kv_str(struct fr_json *j, const char *key, const char *s);
void fr_json_kv_u64(struct fr_json *j, const char *key, uint64_t v);
void fr_json_kv_u64_str(struct fr_json *j, const char *key, uint64_t v);
void fr_json_kv_bool(struct fr_json *j, const char *key, bool v);

/* The escaped contents of a string without its quotes, for writers with templates of their own. */
void fr_json_escape(struct fr_buf *out, const void *data, size_t data_bytes);

#endif
