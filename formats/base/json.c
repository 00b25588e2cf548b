/* SPDX-License-Identifier: BSD-2-Clause */
#include "json.h"

#include <errno.h>

struct fr_json fr_json_on(struct fr_buf *out)
{
	return (struct fr_json){ .out = out };
}

/* Misuse (too deep, an end without a beginning, a key where none may be) must not pass as JSON. */
static void misuse(struct fr_json *j)
{
	if (!j->out->err)
		j->out->err = -EINVAL;
}

/* Before each value: the comma, unless a key came just before it. Values at depth 0 stand alone. */
static void before_value(struct fr_json *j)
{
	if (j->after_key) {
		j->after_key = false;
		return;
	}
	if (!j->depth)
		return;
	if (j->need_comma[j->depth])
		fr_buf_add_char(j->out, ',');
	j->need_comma[j->depth] = true;
}

static void open_with(struct fr_json *j, char bracket)
{
	before_value(j);
	if (j->depth + 1 >= FR_JSON_DEPTH_MAX) {
		misuse(j);
		return;
	}
	fr_buf_add_char(j->out, bracket);
	j->depth++;
	j->need_comma[j->depth] = false;
}

static void close_with(struct fr_json *j, char bracket)
{
	if (!j->depth || j->after_key) {
		misuse(j);
		return;
	}
	fr_buf_add_char(j->out, bracket);
	j->depth--;
}

void fr_json_object(struct fr_json *j)
{
	open_with(j, '{');
}

void fr_json_object_end(struct fr_json *j)
{
	close_with(j, '}');
}

void fr_json_array(struct fr_json *j)
{
	open_with(j, '[');
}

void fr_json_array_end(struct fr_json *j)
{
	close_with(j, ']');
}

static void quoted(struct fr_json *j, const void *data, size_t data_bytes)
{
	fr_buf_add_char(j->out, '"');
	fr_json_escape(j->out, data, data_bytes);
	fr_buf_add_char(j->out, '"');
}

void fr_json_key(struct fr_json *j, const char *key)
{
	if (!j->depth || j->after_key) {
		misuse(j);
		return;
	}
	before_value(j);
	quoted(j, key, strlen(key));
	fr_buf_add_char(j->out, ':');
	j->after_key = true;
}

void fr_json_strn(struct fr_json *j, const void *data, size_t data_bytes)
{
	before_value(j);
	quoted(j, data, data_bytes);
}

void fr_json_str(struct fr_json *j, const char *s)
{
	if (s)
		fr_json_strn(j, s, strlen(s));
	else
		fr_json_null(j);
}

void fr_json_u64(struct fr_json *j, uint64_t v)
{
	before_value(j);
	fr_buf_add_u64(j->out, v);
}

void fr_json_i64(struct fr_json *j, int64_t v)
{
	before_value(j);
	fr_buf_add_i64(j->out, v);
}

void fr_json_u64_str(struct fr_json *j, uint64_t v)
{
	before_value(j);
	fr_buf_add_char(j->out, '"');
	fr_buf_add_u64(j->out, v);
	fr_buf_add_char(j->out, '"');
}

void fr_json_bool(struct fr_json *j, bool v)
{
	before_value(j);
	fr_buf_add_str(j->out, v ? "true" : "false");
}

void fr_json_null(struct fr_json *j)
{
	before_value(j);
	fr_buf_add_str(j->out, "null");
}

void fr_json_kv_str(struct fr_json *j, const char *key, const char *s)
{
	fr_json_key(j, key);
	fr_json_str(j, s);
}

void fr_json_kv_u64(struct fr_json *j, const char *key, uint64_t v)
{
	fr_json_key(j, key);
	fr_json_u64(j, v);
}

void fr_json_kv_u64_str(struct fr_json *j, const char *key, uint64_t v)
{
	fr_json_key(j, key);
	fr_json_u64_str(j, v);
}

void fr_json_kv_bool(struct fr_json *j, const char *key, bool v)
{
	fr_json_key(j, key);
	fr_json_bool(j, v);
}
