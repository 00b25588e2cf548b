/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OTLP as JSON (opentelemetry-proto, "JSON Protobuf Encoding"): lowerCamelCase names, ids in hex,
 * 64-bit numbers as strings, enums as numbers. One request a line.
 */
#include "../base/digits.h"
#include "../base/json.h"
#include "otlp_internal.h"

static void add_text(struct fr_buf *b, struct fr_slice s)
{
	fr_buf_add_char(b, '"');
	fr_json_escape(b, s.data, s.len_bytes);
	fr_buf_add_char(b, '"');
}

#define ADD_LIT(b, literal) fr_buf_add((b), "" literal, sizeof(literal) - 1)

static void add_hex(struct fr_buf *b, const uint8_t *id, size_t id_bytes)
{
	char *to = (char *)fr_buf_reserve(b, 2 * id_bytes);

	if (to)
		b->len_bytes += (size_t)(fr_put_hex(to, id, id_bytes) - to);
}

static void add_value(struct fr_buf *b, const struct fr_otlp_attr *a)
{
	switch (a->type) {
	case FR_OTLP_STR:
		ADD_LIT(b, "{\"stringValue\":");
		add_text(b, a->str);
		break;
	case FR_OTLP_BOOL:
		ADD_LIT(b, "{\"boolValue\":");
		fr_buf_add_str(b, a->number ? "true" : "false");
		break;
	case FR_OTLP_INT:
		ADD_LIT(b, "{\"intValue\":\"");
		fr_buf_add_i64(b, a->number);
		fr_buf_add_char(b, '"');
		break;
	case FR_OTLP_STRS:
		ADD_LIT(b, "{\"arrayValue\":{\"values\":[");
		for (size_t i = 0; i < a->strs.cnt; i++) {
			if (i)
				fr_buf_add_char(b, ',');
			ADD_LIT(b, "{\"stringValue\":");
			add_text(b, a->strs.at[i]);
			fr_buf_add_char(b, '}');
		}
		ADD_LIT(b, "]}");
		break;
	}
	fr_buf_add_char(b, '}');
}

/* Without a comma before or behind. */
static void add_attrs(struct fr_buf *b, const struct fr_otlp_attrs *a)
{
	ADD_LIT(b, "\"attributes\":[");
	for (uint32_t i = 0; i < a->cnt; i++) {
		if (i)
			fr_buf_add_char(b, ',');
		ADD_LIT(b, "{\"key\":");
		add_text(b, a->at[i].key);
		ADD_LIT(b, ",\"value\":");
		add_value(b, &a->at[i]);
		fr_buf_add_char(b, '}');
	}
	fr_buf_add_char(b, ']');
	if (a->dropped_cnt) {
		ADD_LIT(b, ",\"droppedAttributesCount\":");
		fr_buf_add_u64(b, a->dropped_cnt);
	}
}

static void add_events(struct fr_buf *b, const struct fr_otlp_span *s)
{
	ADD_LIT(b, ",\"events\":[");
	for (uint32_t i = 0; i < s->event_cnt; i++) {
		if (i)
			fr_buf_add_char(b, ',');
		ADD_LIT(b, "{\"timeUnixNano\":\"");
		fr_buf_add_u64(b, s->events[i].time_unix_ns);
		ADD_LIT(b, "\",\"name\":");
		add_text(b, s->events[i].name);
		fr_buf_add_char(b, ',');
		add_attrs(b, &s->events[i].attrs);
		fr_buf_add_char(b, '}');
	}
	fr_buf_add_char(b, ']');
}

static void add_status(struct fr_buf *b, const struct fr_otlp_span *s)
{
	ADD_LIT(b, ",\"status\":{");
	if (s->status_text.len_bytes) {
		ADD_LIT(b, "\"message\":");
		add_text(b, s->status_text);
		fr_buf_add_char(b, ',');
	}
	ADD_LIT(b, "\"code\":");
	fr_buf_add_u64(b, s->status);
	fr_buf_add_char(b, '}');
}

static void json_span(struct fr_buf *b, const struct fr_otlp_span *s)
{
	ADD_LIT(b, "{\"traceId\":\"");
	add_hex(b, s->trace_id, 16);
	ADD_LIT(b, "\",\"spanId\":\"");
	add_hex(b, s->span_id, 8);
	fr_buf_add_char(b, '"');
	if (s->trace_state.len_bytes) {
		ADD_LIT(b, ",\"traceState\":");
		add_text(b, s->trace_state);
	}
	if (s->parent_id) {
		ADD_LIT(b, ",\"parentSpanId\":\"");
		add_hex(b, s->parent_id, 8);
		fr_buf_add_char(b, '"');
	}
	ADD_LIT(b, ",\"name\":");
	add_text(b, s->name);
	ADD_LIT(b, ",\"kind\":");
	fr_buf_add_u64(b, s->kind);
	ADD_LIT(b, ",\"startTimeUnixNano\":\"");
	fr_buf_add_u64(b, s->start_unix_ns);
	ADD_LIT(b, "\",\"endTimeUnixNano\":\"");
	fr_buf_add_u64(b, s->end_unix_ns);
	ADD_LIT(b, "\",");
	add_attrs(b, &s->attrs);
	if (s->event_cnt)
		add_events(b, s);
	if (s->status != FR_OTLP_UNSET)
		add_status(b, s);
	ADD_LIT(b, ",\"flags\":");
	fr_buf_add_u64(b, s->flags);
	fr_buf_add_char(b, '}');
}

static void json_log(struct fr_buf *b, const struct fr_otlp_log *l)
{
	ADD_LIT(b, "{\"timeUnixNano\":\"");
	fr_buf_add_u64(b, l->time_unix_ns);
	ADD_LIT(b, "\",\"severityNumber\":");
	fr_buf_add_u64(b, l->severity);
	ADD_LIT(b, ",\"severityText\":\"");
	fr_buf_add_str(b, fr_otlp_severity_text(l->severity));
	ADD_LIT(b, "\",\"body\":{\"stringValue\":");
	add_text(b, l->body);
	ADD_LIT(b, "},");
	add_attrs(b, &l->attrs);
	if (l->flags) {
		ADD_LIT(b, ",\"flags\":");
		fr_buf_add_u64(b, l->flags);
	}
	if (l->trace_id) {
		ADD_LIT(b, ",\"traceId\":\"");
		add_hex(b, l->trace_id, 16);
		fr_buf_add_char(b, '"');
	}
	if (l->span_id) {
		ADD_LIT(b, ",\"spanId\":\"");
		add_hex(b, l->span_id, 8);
		fr_buf_add_char(b, '"');
	}
	ADD_LIT(b, ",\"observedTimeUnixNano\":\"");
	fr_buf_add_u64(b, l->time_unix_ns);
	ADD_LIT(b, "\",\"eventName\":");
	add_text(b, l->event_name);
	fr_buf_add_char(b, '}');
}

static void json_begin(struct fr_buf *b, enum fr_otlp_signal signal)
{
	fr_buf_add_str(b,
		       signal == FR_OTLP_TRACES ? "{\"resourceSpans\":[" : "{\"resourceLogs\":[");
}

static void json_group(struct fr_buf *b, enum fr_otlp_signal signal,
		       const struct fr_otlp_attrs *resource, const char *version, bool first,
		       size_t ret_marks[2])
{
	ret_marks[0] = ret_marks[1] = 0; /* brackets need none */
	if (!first)
		fr_buf_add_char(b, ',');
	ADD_LIT(b, "{\"resource\":{");
	add_attrs(b, resource);
	fr_buf_add_str(b, signal == FR_OTLP_TRACES ? "},\"scopeSpans\":[{\"scope\":{\"name\":\""
						   : "},\"scopeLogs\":[{\"scope\":{\"name\":\"");
	ADD_LIT(b, FR_OTLP_SCOPE "\",\"version\":");
	add_text(b, fr_otlp_z(version));
	fr_buf_add_str(b, signal == FR_OTLP_TRACES ? "},\"spans\":[" : "},\"logRecords\":[");
}

static void json_comma(struct fr_buf *b)
{
	fr_buf_add_char(b, ',');
}

static void json_group_end(struct fr_buf *b, const size_t marks[2])
{
	(void)marks;
	ADD_LIT(b, "],\"schemaUrl\":\"" FR_OTLP_SCHEMA_URL "\"}]");
	ADD_LIT(b, ",\"schemaUrl\":\"" FR_OTLP_SCHEMA_URL "\"}");
}

static void json_end(struct fr_buf *b)
{
	ADD_LIT(b, "]}\n");
}

const struct fr_otlp_encoding fr_otlp_json = {
	.span = json_span,
	.log = json_log,
	.begin = json_begin,
	.group = json_group,
	.comma = json_comma,
	.group_end = json_group_end,
	.end = json_end,
};
