/* SPDX-License-Identifier: BSD-2-Clause */
#include "span_text.h"

#include <string.h>

#include "../wire/sql.h"

static struct fr_slice slice_of(const char *s)
{
	return (struct fr_slice){ (const uint8_t *)s, strlen(s) };
}

const char *fr_span_protocol(const struct fr_request *r)
{
	for (unsigned i = 0; fr_wire_protocols[i]; i++)
		if (fr_wire_protocols[i]->id == r->protocol)
			return fr_wire_protocols[i]->name;
	return "unknown";
}

/* The conventions call these databases as we call their protocols. */
const char *fr_span_db_system(const struct fr_request *r)
{
	switch (r->protocol) {
	case FR_WIRE_POSTGRES:
	case FR_WIRE_REDIS:
	case FR_WIRE_MYSQL:
		return fr_span_protocol(r);
	case FR_WIRE_HTTP1:
	case FR_WIRE_DNS:
	case FR_WIRE_NONE:
		break;
	}
	return NULL;
}

static bool is_sql(const struct fr_request *r)
{
	return r->protocol == FR_WIRE_POSTGRES || r->protocol == FR_WIRE_MYSQL;
}

struct fr_slice fr_span_http_method(const struct fr_request *r)
{
	static const char *const known[] = { "GET",	"HEAD",	   "POST",  "PUT",   "DELETE",
					     "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY" };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (r->command.len_bytes == strlen(known[i]) &&
		    !memcmp(r->command.data, known[i], r->command.len_bytes))
			return r->command;
	return slice_of("_OTHER");
}

/* Success and warnings are classes 00 and 01. */
static bool is_sqlstate_error(struct fr_slice code)
{
	return code.len_bytes < 2 || code.data[0] != '0' || code.data[1] > '1';
}

bool fr_span_failed(const struct fr_request *r)
{
	if (r->status == FR_WIRE_STATUS_UNKNOWN)
		return false;
	switch (r->protocol) {
	case FR_WIRE_HTTP1:
		return r->status >= (r->server ? 500 : 400);
	case FR_WIRE_POSTGRES:
		return r->status != FR_WIRE_STATUS_OK && is_sqlstate_error(r->code);
	case FR_WIRE_REDIS:
	case FR_WIRE_MYSQL:
	case FR_WIRE_DNS:
		return r->status != FR_WIRE_STATUS_OK;
	case FR_WIRE_NONE:
		break;
	}
	return false;
}

/* ---- texts ---------------------------------------------------------------------------------- */

static void add_upper(struct fr_buf *b, struct fr_slice s)
{
	for (size_t i = 0; i < s.len_bytes; i++)
		fr_buf_add_char(b, (char)(s.data[i] >= 'a' && s.data[i] <= 'z' ? s.data[i] - 32
									       : s.data[i]));
}

static void add_slice(struct fr_buf *b, struct fr_slice s)
{
	fr_buf_add(b, s.data, s.len_bytes);
}

static void read_sql(struct fr_span_text *t, const struct fr_request *r)
{
	uint32_t short_marks = FR_MARK_CUT | FR_MARK_GAP | FR_MARK_TEXT_LOST;
	struct fr_sql_text in = {
		.sql = r->text,
		.dialect = r->protocol == FR_WIRE_POSTGRES ? FR_SQL_POSTGRESQL : FR_SQL_MYSQL,
		.is_cut = r->marks & short_marks,
	};
	struct fr_sql_facts facts;

	if (r->text.len_bytes)
		fr_sql_normalize(&in, &t->query, &t->summary, &facts);
}

/* "INSERT" of the command tag "INSERT 0 1": rows are no part of a name. */
static struct fr_slice without_numbers(struct fr_slice tag)
{
	for (size_t i = 1; i < tag.len_bytes; i++)
		if (tag.data[i - 1] == ' ' && tag.data[i] >= '0' && tag.data[i] <= '9')
			tag.len_bytes = i - 1;
	return tag;
}

static void add_name(struct fr_span_text *t, const struct fr_request *r)
{
	struct fr_buf *b = &t->name;

	if (r->protocol == FR_WIRE_HTTP1) {
		struct fr_slice method = fr_span_http_method(r);

		if (method.data[0] == '_')
			fr_buf_add_str(b, "HTTP");
		else
			add_slice(b, method);
		return;
	}
	if (r->protocol == FR_WIRE_DNS) {
		fr_buf_add_str(b, "DNS");
		if (r->command.len_bytes) {
			fr_buf_add_char(b, ' ');
			add_slice(b, r->command);
		}
		return;
	}
	if (t->summary.len_bytes)
		fr_buf_add(b, t->summary.data, t->summary.len_bytes);
	else if (r->command.len_bytes)
		add_upper(b, without_numbers(r->command));
	else
		fr_buf_add_str(b, fr_span_protocol(r));
}

int fr_span_text_of(struct fr_span_text *t, const struct fr_request *r)
{
	fr_buf_clear(&t->name);
	fr_buf_clear(&t->query);
	fr_buf_clear(&t->summary);
	if (is_sql(r))
		read_sql(t, r);
	add_name(t, r);
	if (t->name.err)
		return t->name.err;
	return t->query.err ? t->query.err : t->summary.err;
}

void fr_span_text_done(struct fr_span_text *t)
{
	fr_buf_done(&t->name);
	fr_buf_done(&t->query);
	fr_buf_done(&t->summary);
}

/* ---- words ---------------------------------------------------------------------------------- */

const char *fr_span_mark_at(unsigned i, uint32_t *ret_bit)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} marks[] = {
		{ FR_MARK_START_UNSEEN, "start_unseen" },
		{ FR_MARK_END_UNSEEN, "end_unseen" },
		{ FR_MARK_CUT, "cut" },
		{ FR_MARK_GAP, "gap" },
		{ FR_MARK_PREPARED_BEFORE, "prepared_before" },
		{ FR_MARK_END_INFERRED, "end_inferred" },
		{ FR_MARK_MATCH_INFERRED, "match_inferred" },
		{ FR_MARK_SKIPPED, "skipped" },
		{ FR_MARK_TEXT_LOST, "text_lost" },
	};

	if (i >= sizeof(marks) / sizeof(*marks))
		return NULL;
	*ret_bit = marks[i].bit;
	return marks[i].name;
}

void fr_span_add_marks(struct fr_buf *b, uint32_t marks)
{
	const char *name;
	bool any = false;
	uint32_t bit;

	for (unsigned i = 0; (name = fr_span_mark_at(i, &bit)); i++) {
		if (!(marks & bit))
			continue;
		if (any)
			fr_buf_add_char(b, ',');
		fr_buf_add_str(b, name);
		any = true;
	}
}

const char *fr_span_link_name(enum fr_link link)
{
	switch (link) {
	case FR_LINK_WIRE:
		return "wire";
	case FR_LINK_PEER:
		return "peer";
	case FR_LINK_LINE:
		return "line";
	case FR_LINK_INFERRED:
		return "inferred";
	case FR_LINK_NONE:
		break;
	}
	return "none";
}
