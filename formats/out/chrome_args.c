/* SPDX-License-Identifier: BSD-2-Clause */
/* Chrome trace: one object's head, and the fields of a record as its args. */
#include <stdio.h>

#include "../events/event.h"
#include "chrome_internal.h"

#define EXACT_MAX (1ull << 53) /* JavaScript keeps whole numbers up to here */

struct fr_json fr_chrome_open(struct fr_chrome *ch, struct fr_buf *b, const char *ph,
			      const char *name, const char *cat)
{
	struct fr_json j;

	(void)ch;
	fr_buf_add_str(b, ",\n");
	j = fr_json_on(b);
	fr_json_object(&j);
	fr_json_kv_str(&j, "ph", ph);
	fr_json_kv_str(&j, "name", name);
	fr_json_kv_str(&j, "cat", cat);
	return j;
}

void fr_chrome_where(struct fr_json *j, uint32_t pid, uint32_t tid)
{
	fr_json_kv_u64(j, "pid", pid);
	fr_json_kv_u64(j, "tid", tid);
}

/* Microseconds with three decimals: a number that fr_json_* has no function for. */
void fr_chrome_when(struct fr_json *j, const char *key, uint64_t ns)
{
	char digits[FR_DIGITS_US3 + 1];

	*fr_put_us3(digits, ns) = 0;
	fr_json_key(j, key);
	j->after_key = false;
	fr_buf_add_str(j->out, digits);
}

static void put_u64(struct fr_json *j, uint64_t v)
{
	if (v <= EXACT_MAX)
		fr_json_u64(j, v);
	else
		fr_json_u64_str(j, v);
}

static void put_i64(struct fr_json *j, int64_t v)
{
	char digits[FR_DIGITS_I64 + 1];

	if (v >= -(int64_t)EXACT_MAX && v <= (int64_t)EXACT_MAX) {
		fr_json_i64(j, v);
		return;
	}
	*fr_put_i64(digits, v) = 0;
	fr_json_str(j, digits);
}

/* Captured bytes for reading: what cannot be printed is a dot. */
static void put_captured(struct fr_json *j, struct fr_slice s)
{
	char text[FR_CHROME_TEXT_MAX];
	size_t len = s.len_bytes < sizeof(text) ? s.len_bytes : sizeof(text);

	for (size_t i = 0; i < len; i++) {
		uint8_t c = s.data[i];

		text[i] = (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\r' || c == '\t' ? (char)c
											 : '.';
	}
	fr_json_strn(j, text, len);
}

/* Argument vectors end each word with a zero: spaces read better. */
static void put_string(struct fr_json *j, struct fr_slice s)
{
	char text[FR_CHROME_TEXT_MAX];
	size_t len = s.len_bytes < sizeof(text) ? s.len_bytes : sizeof(text);

	for (size_t i = 0; i < len; i++)
		text[i] = s.data[i] ? (char)s.data[i] : ' ';
	while (len && text[len - 1] == ' ')
		len--;
	fr_json_strn(j, text, len);
}

static void put_addr(struct fr_json *j, const struct fr_sock_addr *a)
{
	char text[64];

	fr_json_kv_str(j, "local", fr_addr_format(a, false, text, sizeof(text)));
	fr_json_kv_str(j, "remote", fr_addr_format(a, true, text, sizeof(text)));
}

static void put_field(void *ctx, const struct fr_field *f)
{
	struct fr_json *j = ctx;
	char text[32];

	if (f->type == FR_FIELD_ADDR) {
		if (f->addr)
			put_addr(j, f->addr);
		return;
	}
	fr_json_key(j, f->name);
	switch (f->type) {
	case FR_FIELD_U64:
	case FR_FIELD_NS:
		put_u64(j, f->number);
		break;
	case FR_FIELD_I64:
		put_i64(j, (int64_t)f->number);
		break;
	case FR_FIELD_HEX:
		snprintf(text, sizeof(text), "0x%llx", (unsigned long long)f->number);
		fr_json_str(j, text);
		break;
	case FR_FIELD_STR:
		put_string(j, f->bytes);
		break;
	case FR_FIELD_BYTES:
		put_captured(j, f->bytes);
		break;
	case FR_FIELD_ADDR:
		break;
	}
}

/* Who is at the ends of the socket, where the record itself does not say. */
static void put_socket(struct fr_chrome *ch, struct fr_json *j, const struct fr_merged *m)
{
	bool ends;
	const struct fr_socket *s = fr_sink_socket(ch->c, m, &ends);

	if (!s)
		return;
	if (ends)
		put_addr(j, &s->addr);
	if (s->path.len_bytes) {
		fr_json_key(j, "path");
		fr_json_strn(j, s->path.data, s->path.len_bytes);
	}
}

void fr_chrome_args(struct fr_chrome *ch, struct fr_json *j, const struct fr_merged *m)
{
	struct fr_field_sink fields = { put_field, j };

	fr_json_key(j, "args");
	fr_json_object(j);
	fr_event_fields(&m->rec, &fields);
	put_socket(ch, j, m);
	fr_json_object_end(j);
}
