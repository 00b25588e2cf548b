/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines "name:value" as the headers of one request: what is accepted says so when written again. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/wire/traceparent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void add_line(struct fr_trace_headers *h, const uint8_t *line, size_t line_bytes)
{
	const uint8_t *colon = line_bytes ? memchr(line, ':', line_bytes) : NULL;
	struct fr_slice name = { line, line_bytes }, value = { line, 0 };

	if (colon) {
		name.len_bytes = (size_t)(colon - line);
		value.data = colon + 1;
		value.len_bytes = line_bytes - name.len_bytes - 1;
	}
	fr_trace_headers_add(h, name, value);
}

static void check_again(const struct fr_traceparent *p, const struct fr_buf *state)
{
	struct fr_buf again = { 0 };
	struct fr_trace_headers h = { .tracestate = &again };
	struct fr_traceparent second;
	char text[FR_TRACEPARENT_BYTES + 1];
	int n = snprintf(text, sizeof(text), "%02x-", p->version);

	for (int i = 0; i < 16; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%02x", p->trace_id[i]);
	n += snprintf(text + n, sizeof(text) - (size_t)n, "-");
	for (int i = 0; i < 8; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%02x", p->parent_id[i]);
	n += snprintf(text + n, sizeof(text) - (size_t)n, "-%02x", p->flags);
	fr_trace_headers_add(&h, (struct fr_slice){ (const uint8_t *)"TRACEPARENT", 11 },
			     (struct fr_slice){ (const uint8_t *)text, (size_t)n });
	fr_trace_headers_add(&h, (struct fr_slice){ (const uint8_t *)"tracestate", 10 },
			     (struct fr_slice){ state->data, state->len_bytes });
	must(!fr_trace_headers_end(&h, &second));
	must(!memcmp(&second, p, sizeof(second)));
	must(again.len_bytes == state->len_bytes);
	must(!again.len_bytes || !memcmp(again.data, state->data, again.len_bytes));
	fr_buf_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes)
{
	struct fr_buf state = { 0 };
	struct fr_trace_headers h = { .tracestate = &state };
	struct fr_traceparent p = { .version = 0xff };
	const uint8_t *newline;
	size_t line_bytes;
	int err;

	while (data_bytes) {
		newline = memchr(data, '\n', data_bytes);
		line_bytes = newline ? (size_t)(newline - data) : data_bytes;
		add_line(&h, data, line_bytes);
		data += line_bytes + !!newline;
		data_bytes -= line_bytes + !!newline;
	}
	err = fr_trace_headers_end(&h, &p);
	must(!state.err && (!err || err == -EINVAL || err == -ENOENT));
	must(!err || (p.version == 0xff && !state.len_bytes));
	if (!err)
		check_again(&p, &state);
	fr_buf_done(&state);
	return 0;
}
