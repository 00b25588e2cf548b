/* SPDX-License-Identifier: BSD-2-Clause */
/* An event as one line of text, for tests of decoders: "tid=1 state='S' captured=<6162>". */
#ifndef FR_TESTS_EVENT_TEXT_H
#define FR_TESTS_EVENT_TEXT_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/base/buf.h"
#include "formats/events/event.h"

static void event_text_field(void *ctx, const struct fr_field *f)
{
	struct fr_buf *b = ctx;
	char ends[2][64];
	size_t i;

	fr_buf_printf(b, "%s%s=", b->len_bytes ? " " : "", f->name);
	switch (f->type) {
	case FR_FIELD_U64:
		fr_buf_printf(b, "%" PRIu64, f->number);
		break;
	case FR_FIELD_I64:
		fr_buf_printf(b, "%+" PRId64, (int64_t)f->number);
		break;
	case FR_FIELD_HEX:
		fr_buf_printf(b, "0x%" PRIx64, f->number);
		break;
	case FR_FIELD_NS:
		fr_buf_printf(b, "%" PRIu64 "ns", f->number);
		break;
	case FR_FIELD_STR:
		fr_buf_add_char(b, '\'');
		for (i = 0; i < f->bytes.len_bytes; i++)
			fr_buf_add_char(b, f->bytes.data[i] ? (char)f->bytes.data[i] : '|');
		fr_buf_add_char(b, '\'');
		break;
	case FR_FIELD_BYTES:
		fr_buf_add_char(b, '<');
		for (i = 0; i < f->bytes.len_bytes; i++)
			fr_buf_printf(b, "%02x", f->bytes.data[i]);
		fr_buf_add_char(b, '>');
		break;
	case FR_FIELD_ADDR:
		fr_buf_printf(b, "%s>%s", fr_addr_format(f->addr, false, ends[0], sizeof(ends[0])),
			      fr_addr_format(f->addr, true, ends[1], sizeof(ends[1])));
		break;
	}
}

/*
 * Decodes `fixed` followed by `tail` as a record of this kind. The bytes lie alone on the heap, so
 * that sanitizers see a read beyond them. Returns text in a static buffer, NULL if refused.
 */
static const char *event_text(uint32_t kind, const void *fixed, size_t fixed_bytes,
			      const void *tail, size_t tail_bytes)
{
	static char text[4096];
	size_t record_bytes = (fixed_bytes + tail_bytes + 7) / 8 * 8;
	struct fr_buf b = { 0 };
	struct fr_field_sink sink = { .field = event_text_field, .ctx = &b };
	struct fr_record r = { .kind = kind, .bytes = (uint32_t)record_bytes, .time_ns = 1 };
	uint8_t *data = calloc(1, record_bytes ? record_bytes : 1);
	bool known;

	if (!data)
		return NULL;
	memcpy(data, fixed, fixed_bytes);
	if (tail_bytes)
		memcpy(data + fixed_bytes, tail, tail_bytes);
	r.data = data;
	known = fr_event_fields(&r, &sink);
	snprintf(text, sizeof(text), "%.*s", (int)b.len_bytes, b.data ? (char *)b.data : "");
	free(data);
	fr_buf_done(&b);
	return known ? text : NULL;
}

#define EVENT_TEXT(kind, fixed) event_text(kind, &(fixed), sizeof(fixed), NULL, 0)

#endif
