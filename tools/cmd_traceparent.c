/* SPDX-License-Identifier: BSD-2-Clause */
/* flightrec traceparent: what trace context a request with these header lines has. */
#include <stdio.h>
#include <string.h>

#include "../formats/base/digits.h"
#include "../formats/wire/traceparent.h"
#include "jsonlines.h"
#include "tool.h"

struct headers_line {
	struct fr_buf key, name, value, tracestate;
	struct fr_trace_headers headers;
	bool has_headers;
};

static struct fr_slice slice_of(const struct fr_buf *b)
{
	return (struct fr_slice){ b->data, b->len_bytes };
}

/* ["name","value"] */
static void read_header(struct headers_line *l, struct fr_jsonread *r)
{
	fr_jsonread_array(r);
	if (fr_jsonread_item(r))
		fr_jsonread_string(r, &l->name);
	else
		fr_jsonread_fail(r, "a header must be [\"name\",\"value\"]");
	if (fr_jsonread_item(r))
		fr_jsonread_string(r, &l->value);
	else
		fr_jsonread_fail(r, "a header must be [\"name\",\"value\"]");
	if (fr_jsonread_item(r))
		fr_jsonread_fail(r, "a header must be [\"name\",\"value\"]");
	if (!r->why)
		fr_trace_headers_add(&l->headers, slice_of(&l->name), slice_of(&l->value));
}

static void read_headers(struct headers_line *l, struct fr_jsonread *r)
{
	if (l->has_headers)
		fr_jsonread_fail(r, "a second \"headers\"");
	l->has_headers = true;
	fr_jsonread_array(r);
	while (fr_jsonread_item(r))
		read_header(l, r);
}

static void put_hex(struct fr_json *out, const char *key, const uint8_t *id, size_t id_bytes)
{
	char text[32];

	fr_json_key(out, key);
	fr_json_strn(out, text, (size_t)(fr_put_hex(text, id, id_bytes) - text));
}

static void answer(void *ctx, struct fr_jsonread *r, struct fr_json *out)
{
	struct headers_line *l = ctx;
	struct fr_traceparent parent;
	int err;

	fr_buf_clear(&l->tracestate);
	l->headers = (struct fr_trace_headers){ .tracestate = &l->tracestate };
	l->has_headers = false;
	fr_jsonread_object(r);
	while (fr_jsonread_key(r, &l->key)) {
		if (fr_slice_is(slice_of(&l->key), "headers"))
			read_headers(l, r);
		else
			fr_jsonread_skip(r);
	}
	if (!fr_jsonread_end(r) && !l->has_headers)
		fr_jsonread_fail(r, "there are no \"headers\"");
	if (r->why)
		return;
	err = fr_trace_headers_end(&l->headers, &parent);
	if (l->tracestate.err)
		out->out->err = l->tracestate.err;
	fr_json_kv_bool(out, "valid", !err);
	if (err)
		return;
	put_hex(out, "trace_id", parent.trace_id, sizeof(parent.trace_id));
	put_hex(out, "parent_id", parent.parent_id, sizeof(parent.parent_id));
	fr_json_kv_u64(out, "flags", parent.flags);
	fr_json_key(out, "tracestate");
	fr_json_strn(out, l->tracestate.data, l->tracestate.len_bytes);
}

int fr_cmd_traceparent(int argc, char **argv)
{
	static const struct fr_option options[] = { { 0 } };
	static const struct fr_command command = {
		.name = "flightrec traceparent",
		.synopsis = "< LINES",
		.about = "Shows the W3C trace context of a request. Reads one JSON object a line "
			 "with "
			 "its header\nlines, {\"headers\":[[\"traceparent\",\"00-..\"],..]}, and "
			 "answers "
			 "with one a line.",
		.options = options,
		.epilog = "{\"valid\":false} means that a new trace begins. Else: trace_id and "
			  "parent_id "
			  "in hexadecimal,\nflags, and the tracestate's members, joined by ','.\n"
			  "\nExit codes: 0 ok, 1 a line was not understood, 2 wrong use, 5 reading "
			  "or writing failed.",
	};
	struct headers_line line = { .has_headers = false };
	int cnt = fr_cli_parse(&command, argc, argv, NULL), ret;

	if (cnt < 0)
		return fr_tool_parse_exit(cnt);
	if (cnt > 0) {
		fprintf(stderr,
			"flightrec traceparent: reads standard input and takes no argument, "
			"but got '%s'\n",
			argv[1]);
		return FR_EXIT_USAGE;
	}
	ret = fr_jsonlines(answer, &line);
	fr_buf_done(&line.key);
	fr_buf_done(&line.name);
	fr_buf_done(&line.value);
	fr_buf_done(&line.tracestate);
	return ret;
}
