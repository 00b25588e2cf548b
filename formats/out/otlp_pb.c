/* SPDX-License-Identifier: BSD-2-Clause */
/* OTLP as protobuf. Field numbers: opentelemetry-proto 1.11. */
#include "../base/pb.h"
#include "otlp_internal.h"

static void add_slice(struct fr_buf *b, uint32_t field, struct fr_slice s)
{
	fr_pb_add_bytes(b, field, s.data, s.len_bytes);
}

static void add_value(struct fr_buf *b, const struct fr_otlp_attr *a)
{
	size_t value = fr_pb_open(b, 2), array, element;

	switch (a->type) {
	case FR_OTLP_STR:
		add_slice(b, 1, a->str);
		break;
	case FR_OTLP_BOOL:
		fr_pb_add_u64(b, 2, a->number != 0);
		break;
	case FR_OTLP_INT:
		fr_pb_add_i64(b, 3, a->number);
		break;
	case FR_OTLP_STRS:
		array = fr_pb_open(b, 5);
		for (size_t i = 0; i < a->strs.cnt; i++) {
			element = fr_pb_open(b, 1);
			add_slice(b, 1, a->strs.at[i]);
			fr_pb_close(b, element);
		}
		fr_pb_close(b, array);
		break;
	}
	fr_pb_close(b, value);
}

/* Zero counts are not written: they are what a missing field says. */
static void add_attrs(struct fr_buf *b, uint32_t field, const struct fr_otlp_attrs *a,
		      uint32_t dropped_field)
{
	size_t attr;

	for (uint32_t i = 0; i < a->cnt; i++) {
		attr = fr_pb_open(b, field);
		add_slice(b, 1, a->at[i].key);
		add_value(b, &a->at[i]);
		fr_pb_close(b, attr);
	}
	if (a->dropped_cnt)
		fr_pb_add_u64(b, dropped_field, a->dropped_cnt);
}

static void add_event(struct fr_buf *b, const struct fr_otlp_event *e)
{
	size_t event = fr_pb_open(b, 11);

	fr_pb_add_fixed64(b, 1, e->time_unix_ns);
	add_slice(b, 2, e->name);
	add_attrs(b, 3, &e->attrs, 4);
	fr_pb_close(b, event);
}

static void pb_span(struct fr_buf *b, const struct fr_otlp_span *s)
{
	size_t span = fr_pb_open(b, 2), status;

	fr_pb_add_bytes(b, 1, s->trace_id, 16);
	fr_pb_add_bytes(b, 2, s->span_id, 8);
	if (s->trace_state.len_bytes)
		add_slice(b, 3, s->trace_state);
	if (s->parent_id)
		fr_pb_add_bytes(b, 4, s->parent_id, 8);
	add_slice(b, 5, s->name);
	fr_pb_add_u64(b, 6, s->kind);
	fr_pb_add_fixed64(b, 7, s->start_unix_ns);
	fr_pb_add_fixed64(b, 8, s->end_unix_ns);
	add_attrs(b, 9, &s->attrs, 10);
	for (uint32_t i = 0; i < s->event_cnt; i++)
		add_event(b, &s->events[i]);
	if (s->status != FR_OTLP_UNSET) {
		status = fr_pb_open(b, 15);
		if (s->status_text.len_bytes)
			add_slice(b, 2, s->status_text);
		fr_pb_add_u64(b, 3, s->status);
		fr_pb_close(b, status);
	}
	fr_pb_add_fixed32(b, 16, s->flags);
	fr_pb_close(b, span);
}

static void pb_log(struct fr_buf *b, const struct fr_otlp_log *l)
{
	size_t log = fr_pb_open(b, 2), body;

	fr_pb_add_fixed64(b, 1, l->time_unix_ns);
	fr_pb_add_u64(b, 2, l->severity);
	fr_pb_add_str(b, 3, fr_otlp_severity_text(l->severity));
	body = fr_pb_open(b, 5);
	add_slice(b, 1, l->body);
	fr_pb_close(b, body);
	add_attrs(b, 6, &l->attrs, 7);
	if (l->flags)
		fr_pb_add_fixed32(b, 8, l->flags);
	if (l->trace_id)
		fr_pb_add_bytes(b, 9, l->trace_id, 16);
	if (l->span_id)
		fr_pb_add_bytes(b, 10, l->span_id, 8);
	fr_pb_add_fixed64(b, 11, l->time_unix_ns);
	add_slice(b, 12, l->event_name);
	fr_pb_close(b, log);
}

static void pb_begin(struct fr_buf *b, enum fr_otlp_signal signal)
{
	(void)b;
	(void)signal;
}

static void pb_group(struct fr_buf *b, enum fr_otlp_signal signal,
		     const struct fr_otlp_attrs *resource, const char *version, bool first,
		     size_t ret_marks[2])
{
	size_t mark;

	(void)signal; /* both have the same numbers */
	(void)first;
	ret_marks[0] = fr_pb_open(b, 1);
	mark = fr_pb_open(b, 1);
	add_attrs(b, 1, resource, 2);
	fr_pb_close(b, mark);
	ret_marks[1] = fr_pb_open(b, 2);
	mark = fr_pb_open(b, 1);
	fr_pb_add_str(b, 1, FR_OTLP_SCOPE);
	fr_pb_add_str(b, 2, version);
	fr_pb_close(b, mark);
}

static void pb_comma(struct fr_buf *b)
{
	(void)b;
}

static void pb_group_end(struct fr_buf *b, const size_t marks[2])
{
	fr_pb_add_str(b, 3, FR_OTLP_SCHEMA_URL);
	fr_pb_close(b, marks[1]);
	fr_pb_add_str(b, 3, FR_OTLP_SCHEMA_URL);
	fr_pb_close(b, marks[0]);
}

static void pb_end(struct fr_buf *b)
{
	(void)b;
}

const struct fr_otlp_encoding fr_otlp_pb = {
	.span = pb_span,
	.log = pb_log,
	.begin = pb_begin,
	.group = pb_group,
	.comma = pb_comma,
	.group_end = pb_group_end,
	.end = pb_end,
};
