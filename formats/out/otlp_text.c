/* SPDX-License-Identifier: BSD-2-Clause */
/* Attributes and their text (otlp_internal.h). */
#include <stdarg.h>
#include <stdio.h>

#include "../base/utf8.h"
#include "otlp_internal.h"

char *fr_otlp_room(struct fr_otlp_text *t, size_t text_bytes)
{
	char *at = t->at;

	if (text_bytes > (size_t)(t->end - t->at))
		return NULL;
	t->at += text_bytes;
	return at;
}

struct fr_slice fr_otlp_utf8(struct fr_otlp_text *t, struct fr_slice s)
{
	struct fr_slice none = { 0 };
	char *room;

	if (fr_utf8_valid(s))
		return s.data ? s : FR_LIT("");
	/* each byte may become three */
	room = s.len_bytes > FR_OTLP_TEXT_BYTES ? NULL : fr_otlp_room(t, 3 * s.len_bytes);
	if (!room)
		return none;
	s.len_bytes = fr_utf8_repair(s, (uint8_t *)room);
	t->at = room + s.len_bytes;
	return (struct fr_slice){ (const uint8_t *)room, s.len_bytes };
}

struct fr_slice fr_otlp_printf(struct fr_otlp_text *t, const char *fmt, ...)
{
	size_t left = (size_t)(t->end - t->at);
	const char *at = t->at;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(t->at, left, fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= left)
		return (struct fr_slice){ 0 };
	t->at += n;
	return (struct fr_slice){ (const uint8_t *)at, (size_t)n };
}

struct fr_slice fr_otlp_join(struct fr_otlp_text *t, struct fr_slice a, char between,
			     struct fr_slice b)
{
	char *at = fr_otlp_room(t, a.len_bytes + b.len_bytes + 1);

	if (!at)
		return (struct fr_slice){ 0 };
	memcpy(at, a.data, a.len_bytes);
	at[a.len_bytes] = between;
	memcpy(at + a.len_bytes + 1, b.data, b.len_bytes);
	return (struct fr_slice){ (const uint8_t *)at, a.len_bytes + b.len_bytes + 1 };
}

static struct fr_otlp_attr *add(struct fr_otlp_attrs *a, struct fr_slice key)
{
	struct fr_otlp_attr *attr;

	if (a->cnt == a->cap) {
		a->dropped_cnt++;
		return NULL;
	}
	attr = &a->at[a->cnt++];
	attr->key = key;
	return attr;
}

void fr_otlp_str(struct fr_otlp_attrs *a, struct fr_slice key, struct fr_slice value)
{
	struct fr_otlp_attr *attr;

	if (!value.data) {
		a->dropped_cnt++;
		return;
	}
	attr = add(a, key);
	if (!attr)
		return;
	attr->type = FR_OTLP_STR;
	attr->str = value;
}

void fr_otlp_int(struct fr_otlp_attrs *a, struct fr_slice key, int64_t value)
{
	struct fr_otlp_attr *attr = add(a, key);

	if (!attr)
		return;
	attr->type = FR_OTLP_INT;
	attr->number = value;
}

void fr_otlp_bool(struct fr_otlp_attrs *a, struct fr_slice key, bool value)
{
	struct fr_otlp_attr *attr = add(a, key);

	if (!attr)
		return;
	attr->type = FR_OTLP_BOOL;
	attr->number = value;
}

void fr_otlp_strs(struct fr_otlp_attrs *a, struct fr_slice key, const struct fr_slice *values,
		  size_t value_cnt)
{
	struct fr_otlp_attr *attr = add(a, key);

	if (!attr)
		return;
	attr->type = FR_OTLP_STRS;
	attr->strs.at = values;
	attr->strs.cnt = value_cnt;
}

struct fr_otlp_attr *fr_otlp_find(const struct fr_otlp_attrs *a, struct fr_slice key)
{
	for (uint32_t i = 0; i < a->cnt; i++)
		if (a->at[i].key.len_bytes == key.len_bytes &&
		    !memcmp(a->at[i].key.data, key.data, key.len_bytes))
			return &a->at[i];
	return NULL;
}
