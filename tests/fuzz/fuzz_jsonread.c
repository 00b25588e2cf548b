/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JSON reader: skipping a value and reading it member by member agree, and what was read,
 * written again, reads as the same.
 */
#include <stdlib.h>
#include <string.h>

#include "formats/base/json.h"
#include "formats/base/jsonread.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* At most FR_JSONREAD_DEPTH_MAX deep. Numbers become 0: the reader only checks them. */
static void copy_value(struct fr_jsonread *r, struct fr_json *out)
{
	enum fr_jsonread_kind kind = fr_jsonread_peek(r);
	struct fr_buf text = { 0 };

	if (kind == FR_JSONREAD_OBJECT) {
		fr_json_object(out);
		fr_jsonread_object(r);
		while (fr_jsonread_key(r, &text)) {
			fr_buf_add_char(&text, 0);
			fr_json_key(out, text.data ? (const char *)text.data : "");
			copy_value(r, out);
		}
		fr_json_object_end(out);
	} else if (kind == FR_JSONREAD_ARRAY) {
		fr_json_array(out);
		fr_jsonread_array(r);
		while (fr_jsonread_item(r))
			copy_value(r, out);
		fr_json_array_end(out);
	} else if (kind == FR_JSONREAD_STRING) {
		fr_jsonread_string(r, &text);
		fr_json_strn(out, text.data, text.len_bytes);
	} else if (kind == FR_JSONREAD_BOOL) {
		fr_json_bool(out, fr_jsonread_bool(r));
	} else {
		fr_jsonread_skip(r);
		if (kind == FR_JSONREAD_NULL)
			fr_json_null(out);
		else
			fr_json_u64(out, 0);
	}
	fr_buf_done(&text);
}

static int copy_all(const void *data, size_t data_bytes, struct fr_buf *ret)
{
	struct fr_jsonread r = fr_jsonread_of(data, data_bytes);
	struct fr_json out = fr_json_on(ret);

	copy_value(&r, &out);
	return fr_jsonread_end(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes)
{
	struct fr_jsonread r = fr_jsonread_of(data, data_bytes);
	struct fr_buf once = { 0 }, twice = { 0 };
	int err;

	fr_jsonread_skip(&r);
	err = fr_jsonread_end(&r);
	must(fr_jsonread_offset(&r) <= data_bytes);
	must(!err == !r.why);
	must(copy_all(data, data_bytes, &once) == err);
	/* the writer's own limit of depth is one less */
	if (!err && !once.err) {
		must(!copy_all(once.data, once.len_bytes, &twice));
		must(once.len_bytes == twice.len_bytes);
		must(!memcmp(once.data, twice.data, once.len_bytes));
	}
	fr_buf_done(&once);
	fr_buf_done(&twice);
	return 0;
}
