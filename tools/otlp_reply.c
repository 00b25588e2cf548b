/* SPDX-License-Identifier: BSD-2-Clause */
#include "otlp_reply.h"

#include <string.h>
#include <strings.h>

#include "../formats/base/bytes.h"
#include "../formats/base/jsonread.h"

/* Field numbers: opentelemetry/proto/collector, google/rpc/status.proto */
enum {
	RESPONSE_PARTIAL_SUCCESS = 1,
	PARTIAL_REJECTED = 1,
	PARTIAL_MESSAGE = 2,
	STATUS_MESSAGE = 2,
};

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

/* For a terminal: one line of what can be printed. UTF-8 stays as it is, control bytes do not. */
static void put_text(struct fr_otlp_reply *r, const uint8_t *text, size_t text_bytes)
{
	size_t used = 0;

	for (size_t i = 0; i < text_bytes && used + 1 < sizeof(r->text); i++) {
		uint8_t c = text[i];

		if (c < 0x20 || c == 0x7f || (c >= 0x80 && c < 0xa0 && (!i || text[i - 1] < 0x80)))
			c = ' ';
		if (c != ' ' || (used && r->text[used - 1] != ' '))
			r->text[used++] = (char)c;
	}
	/* not in the middle of a character */
	if (used + 1 == sizeof(r->text))
		while (used && (r->text[used - 1] & 0x80) && (r->text[--used] & 0xc0) == 0x80)
			;
	while (used && r->text[used - 1] == ' ')
		used--;
	r->text[used] = 0;
}

static bool type_is(const char *content_type, const char *want)
{
	size_t len = strlen(want);

	return content_type && !strncasecmp(content_type, want, len) &&
	       (!content_type[len] || strchr("; \t", content_type[len]));
}

/* ---- protobuf ------------------------------------------------------------------------------- */

struct field {
	uint32_t number;
	uint32_t wire;
	uint64_t value;
	struct fr_slice bytes; /* cut where the message is: what is there counts */
};

/* fr_pb_next() of base wants whole messages; here the end may be missing. False at the end, and at
 * what is no message (c->bad). */
static bool next_field(struct fr_cursor *c, struct field *f)
{
	uint64_t tag, len;

	if (c->bad || !fr_cursor_left(c))
		return false;
	tag = fr_cursor_varint(c);
	*f = (struct field){ .number = (uint32_t)(tag >> 3), .wire = (uint32_t)(tag & 7) };
	if (!f->number || tag >> 32)
		c->bad = true;
	switch (f->wire) {
	case WIRE_VARINT:
		f->value = fr_cursor_varint(c);
		break;
	case WIRE_64:
		fr_cursor_skip(c, 8);
		break;
	case WIRE_32:
		fr_cursor_skip(c, 4);
		break;
	case WIRE_BYTES:
		len = fr_cursor_varint(c);
		if (len > fr_cursor_left(c))
			len = fr_cursor_left(c);
		f->bytes = fr_cursor_take(c, (size_t)len);
		break;
	default:
		c->bad = true;
	}
	return !c->bad;
}

static void read_partial(struct fr_slice message, struct fr_otlp_reply *r)
{
	struct fr_cursor c = fr_cursor_of(message.data, message.len_bytes);
	struct field f;

	while (next_field(&c, &f)) {
		if (f.number == PARTIAL_REJECTED && f.wire == WIRE_VARINT)
			r->rejected_cnt = f.value;
		if (f.number == PARTIAL_MESSAGE && f.wire == WIRE_BYTES)
			put_text(r, f.bytes.data, f.bytes.len_bytes);
	}
	/* int64: a negative one makes no sense */
	if (r->rejected_cnt > INT64_MAX)
		r->rejected_cnt = 0;
	r->understood &= !c.bad;
}

/* ---- JSON ----------------------------------------------------------------------------------- */

/* Of a number, or of a string that is one: both are allowed for int64. */
static uint64_t json_count(struct fr_jsonread *j, struct fr_buf *text)
{
	const uint8_t *from = j->at, *at;
	uint64_t value = 0;

	if (fr_jsonread_peek(j) == FR_JSONREAD_STRING) {
		fr_jsonread_string(j, text);
		if (!text->len_bytes)
			return 0;
		from = text->data;
		at = from + text->len_bytes;
	} else {
		while (from < j->end && *from != '-' && (*from < '0' || *from > '9'))
			from++;
		fr_jsonread_skip(j);
		at = j->at;
	}
	for (; from < at && *from >= '0' && *from <= '9' && value < INT64_MAX / 10; from++)
		value = value * 10 + (uint64_t)(*from - '0');
	return value;
}

static void json_fields(struct fr_jsonread *j, struct fr_otlp_reply *r, uint32_t depth)
{
	struct fr_buf key = { .limit_bytes = 65536 }, text = { .limit_bytes = 65536 };

	if (fr_jsonread_peek(j) != FR_JSONREAD_OBJECT) {
		fr_jsonread_skip(j);
		return;
	}
	fr_jsonread_object(j);
	while (fr_jsonread_key(j, &key)) {
		struct fr_slice k = { key.data, key.len_bytes };

		if (depth < 1 && fr_slice_is(k, "partialSuccess")) {
			json_fields(j, r, depth + 1);
		} else if (depth && key.len_bytes > 8 && !memcmp(key.data, "rejected", 8)) {
			r->rejected_cnt = json_count(j, &text);
		} else if ((fr_slice_is(k, "errorMessage") || fr_slice_is(k, "message")) &&
			   fr_jsonread_peek(j) == FR_JSONREAD_STRING) {
			fr_jsonread_string(j, &text);
			put_text(r, text.data, text.len_bytes);
		} else {
			fr_jsonread_skip(j);
		}
	}
	fr_buf_done(&key);
	fr_buf_done(&text);
}

static void read_json(const void *body, size_t body_bytes, struct fr_otlp_reply *r)
{
	struct fr_jsonread j = fr_jsonread_of(body, body_bytes);

	json_fields(&j, r, 0);
	r->understood = !fr_jsonread_end(&j);
}

/* ---- both ----------------------------------------------------------------------------------- */

void fr_otlp_reply_success(const char *content_type, const void *body, size_t body_bytes,
			   struct fr_otlp_reply *ret)
{
	struct fr_cursor c = fr_cursor_of(body, body_bytes);
	struct field f;

	*ret = (struct fr_otlp_reply){ .understood = true };
	if (!body_bytes)
		return;
	if (type_is(content_type, "application/json")) {
		read_json(body, body_bytes, ret);
		return;
	}
	if (!type_is(content_type, "application/x-protobuf")) {
		ret->understood = false;
		return;
	}
	while (next_field(&c, &f))
		if (f.number == RESPONSE_PARTIAL_SUCCESS && f.wire == WIRE_BYTES)
			read_partial(f.bytes, ret);
	ret->understood &= !c.bad;
}

void fr_otlp_reply_refusal(const char *content_type, const void *body, size_t body_bytes,
			   struct fr_otlp_reply *ret)
{
	struct fr_cursor c = fr_cursor_of(body, body_bytes);
	struct field f;

	*ret = (struct fr_otlp_reply){ .understood = true };
	if (type_is(content_type, "application/json")) {
		read_json(body, body_bytes, ret);
		ret->rejected_cnt = 0;
	} else if (type_is(content_type, "application/x-protobuf")) {
		while (next_field(&c, &f))
			if (f.number == STATUS_MESSAGE && f.wire == WIRE_BYTES)
				put_text(ret, f.bytes.data, f.bytes.len_bytes);
		ret->understood = !c.bad;
	} else {
		ret->understood = false;
		if (type_is(content_type, "text/plain"))
			put_text(ret, body, body_bytes);
	}
}
