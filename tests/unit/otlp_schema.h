/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public schema of OTLP (opentelemetry-proto 1.11), as far as it is used, and protobuf bytes
 * turned into OTLP/JSON by it: an independent way from one encoding to the other. Fields come out
 * in the order of the bytes; one that the schema lacks, or whose wire type is another, is a
 * failure.
 */
#ifndef FR_TESTS_OTLP_SCHEMA_H
#define FR_TESTS_OTLP_SCHEMA_H

#include "formats/base/json.h"
#include "formats/base/pb.h"

enum os_type {
	OS_END,
	OS_MSG,
	OS_TEXT,
	OS_HEX,
	OS_FIXED64,
	OS_FIXED32,
	OS_NUMBER,
	OS_INT64,
	OS_BOOL
};

struct os_message;
struct os_field {
	uint32_t number;
	enum os_type type;
	const char *name;
	bool repeated;
	const struct os_message *message;
};

struct os_message {
	struct os_field fields[14];
};

static const struct os_message os_array, os_value;
static const struct os_message os_array = { { { 1, OS_MSG, "values", true, &os_value } } };
static const struct os_message os_value = { { { 1, OS_TEXT, "stringValue", 0, NULL },
					      { 2, OS_BOOL, "boolValue", 0, NULL },
					      { 3, OS_INT64, "intValue", 0, NULL },
					      { 5, OS_MSG, "arrayValue", 0, &os_array } } };
static const struct os_message os_attr = { { { 1, OS_TEXT, "key", 0, NULL },
					     { 2, OS_MSG, "value", 0, &os_value } } };
static const struct os_message os_event = { { { 1, OS_FIXED64, "timeUnixNano", 0, NULL },
					      { 2, OS_TEXT, "name", 0, NULL },
					      { 3, OS_MSG, "attributes", 1, &os_attr },
					      { 4, OS_NUMBER, "droppedAttributesCount", 0,
						NULL } } };
static const struct os_message os_status = { { { 2, OS_TEXT, "message", 0, NULL },
					       { 3, OS_NUMBER, "code", 0, NULL } } };
static const struct os_message os_span = { { { 1, OS_HEX, "traceId", 0, NULL },
					     { 2, OS_HEX, "spanId", 0, NULL },
					     { 3, OS_TEXT, "traceState", 0, NULL },
					     { 4, OS_HEX, "parentSpanId", 0, NULL },
					     { 5, OS_TEXT, "name", 0, NULL },
					     { 6, OS_NUMBER, "kind", 0, NULL },
					     { 7, OS_FIXED64, "startTimeUnixNano", 0, NULL },
					     { 8, OS_FIXED64, "endTimeUnixNano", 0, NULL },
					     { 9, OS_MSG, "attributes", 1, &os_attr },
					     { 10, OS_NUMBER, "droppedAttributesCount", 0, NULL },
					     { 11, OS_MSG, "events", 1, &os_event },
					     { 15, OS_MSG, "status", 0, &os_status },
					     { 16, OS_FIXED32, "flags", 0, NULL } } };
static const struct os_message os_log = { { { 1, OS_FIXED64, "timeUnixNano", 0, NULL },
					    { 2, OS_NUMBER, "severityNumber", 0, NULL },
					    { 3, OS_TEXT, "severityText", 0, NULL },
					    { 5, OS_MSG, "body", 0, &os_value },
					    { 6, OS_MSG, "attributes", 1, &os_attr },
					    { 7, OS_NUMBER, "droppedAttributesCount", 0, NULL },
					    { 8, OS_FIXED32, "flags", 0, NULL },
					    { 9, OS_HEX, "traceId", 0, NULL },
					    { 10, OS_HEX, "spanId", 0, NULL },
					    { 11, OS_FIXED64, "observedTimeUnixNano", 0, NULL },
					    { 12, OS_TEXT, "eventName", 0, NULL } } };
static const struct os_message os_resource = { { { 1, OS_MSG, "attributes", 1, &os_attr },
						 { 2, OS_NUMBER, "droppedAttributesCount", 0,
						   NULL } } };
static const struct os_message os_scope = { { { 1, OS_TEXT, "name", 0, NULL },
					      { 2, OS_TEXT, "version", 0, NULL } } };
static const struct os_message os_scope_spans = { { { 1, OS_MSG, "scope", 0, &os_scope },
						    { 2, OS_MSG, "spans", 1, &os_span },
						    { 3, OS_TEXT, "schemaUrl", 0, NULL } } };
static const struct os_message os_scope_logs = { { { 1, OS_MSG, "scope", 0, &os_scope },
						   { 2, OS_MSG, "logRecords", 1, &os_log },
						   { 3, OS_TEXT, "schemaUrl", 0, NULL } } };
static const struct os_message os_resource_spans = { { { 1, OS_MSG, "resource", 0, &os_resource },
						       { 2, OS_MSG, "scopeSpans", 1,
							 &os_scope_spans },
						       { 3, OS_TEXT, "schemaUrl", 0, NULL } } };
static const struct os_message os_resource_logs = { { { 1, OS_MSG, "resource", 0, &os_resource },
						      { 2, OS_MSG, "scopeLogs", 1, &os_scope_logs },
						      { 3, OS_TEXT, "schemaUrl", 0, NULL } } };
static const struct os_message os_traces_data = { { { 1, OS_MSG, "resourceSpans", 1,
						      &os_resource_spans } } };
static const struct os_message os_logs_data = { { { 1, OS_MSG, "resourceLogs", 1,
						    &os_resource_logs } } };

static inline const struct os_field *os_find(const struct os_message *m, uint32_t number)
{
	for (const struct os_field *f = m->fields; f->type != OS_END; f++)
		if (f->number == number)
			return f;
	fail_msg("the schema has no field %u", number);
	return NULL;
}

static inline void os_write(struct fr_json *j, struct fr_slice raw, const struct os_message *m);

static inline void os_bytes(struct fr_json *j, const struct os_field *f, struct fr_slice bytes)
{
	char hex[33];

	assert_true(f->type == OS_MSG || f->type == OS_TEXT || f->type == OS_HEX);
	if (f->type == OS_MSG) {
		os_write(j, bytes, f->message);
		return;
	}
	if (f->type == OS_TEXT) {
		fr_json_strn(j, bytes.data, bytes.len_bytes);
		return;
	}
	assert_true(bytes.len_bytes == 8 || bytes.len_bytes == 16);
	for (size_t i = 0; i < bytes.len_bytes; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes.data[i]);
	fr_json_str(j, hex);
}

static inline void os_one(struct fr_json *j, const struct os_field *f, const struct fr_pb_field *p)
{
	switch (p->wire) {
	case FR_PB_BYTES:
		os_bytes(j, f, p->bytes);
		break;
	case FR_PB_FIXED64:
		assert_int_equal(f->type, OS_FIXED64);
		fr_json_u64_str(j, p->value);
		break;
	case FR_PB_FIXED32:
		assert_int_equal(f->type, OS_FIXED32);
		fr_json_u64(j, p->value);
		break;
	case FR_PB_VARINT:
		if (f->type == OS_INT64) {
			char text[24];

			snprintf(text, sizeof(text), "%lld", (long long)p->value);
			fr_json_str(j, text);
		} else if (f->type == OS_BOOL) {
			fr_json_bool(j, p->value);
		} else {
			assert_int_equal(f->type, OS_NUMBER);
			fr_json_u64(j, p->value);
		}
		break;
	}
}

/* Repeated fields stand together, as the writer leaves them. */
static inline void os_write(struct fr_json *j, struct fr_slice raw, const struct os_message *m)
{
	struct fr_cursor c = fr_cursor_of(raw.data, raw.len_bytes);
	const struct os_field *f, *open = NULL;
	struct fr_pb_field p;
	int ret;

	fr_json_object(j);
	while ((ret = fr_pb_next(&c, &p)) == 1) {
		f = os_find(m, p.number);
		if (f != open && open)
			fr_json_array_end(j);
		if (f != open)
			fr_json_key(j, f->name);
		if (f != open && f->repeated)
			fr_json_array(j);
		open = f->repeated ? f : NULL;
		os_one(j, f, &p);
	}
	if (open)
		fr_json_array_end(j);
	fr_json_object_end(j);
	assert_int_equal(ret, 0);
}

/* A request as a line of JSON; the buffer ends with a zero. */
static inline void os_to_json(const void *data, size_t data_bytes, const struct os_message *m,
			      struct fr_buf *ret)
{
	struct fr_json j = fr_json_on(ret);

	fr_buf_clear(ret);
	os_write(&j, (struct fr_slice){ data, data_bytes }, m);
	fr_buf_add_str(ret, "\n");
	fr_buf_add_char(ret, 0);
	assert_int_equal(ret->err, 0);
}

#endif
