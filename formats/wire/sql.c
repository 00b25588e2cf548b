/* SPDX-License-Identifier: BSD-2-Clause */
#include "sql.h"

#include <errno.h>

enum fr_sql_dialect fr_sql_dialect_of(struct fr_slice system)
{
	static const struct {
		const char *system;
		enum fr_sql_dialect dialect;
	} known[] = {
		{ "postgresql", FR_SQL_POSTGRESQL },
		{ "cockroachdb", FR_SQL_POSTGRESQL },
		{ "aws.redshift", FR_SQL_POSTGRESQL },
		{ "mysql", FR_SQL_MYSQL },
		{ "mariadb", FR_SQL_MYSQL },
		{ "microsoft.sql_server", FR_SQL_MSSQL },
		{ "mssql", FR_SQL_MSSQL }, /* what conventions called it before 1.30 */
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (fr_slice_is(system, known[i].system))
			return known[i].dialect;
	return FR_SQL_OTHER;
}

/* ---- comments that carry a trace context ---------------------------------------------------- */

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The next of key='value', ...; false when what is there is no such pair. */
static bool next_pair(struct fr_slice *rest, struct fr_slice *ret_key, struct fr_slice *ret_value)
{
	const uint8_t *p = rest->data, *end = p + rest->len_bytes;

	while (p < end && (is_blank(*p) || *p == ','))
		p++;
	ret_key->data = p;
	while (p < end && *p != '=' && *p != '\'' && *p != ',' && !is_blank(*p))
		p++;
	ret_key->len_bytes = (size_t)(p - ret_key->data);
	if (end - p < 2 || p[0] != '=' || p[1] != '\'')
		return false;
	p += 2;
	ret_value->data = p;
	while (p < end && *p != '\'')
		p += *p == '\\' && end - p > 1 ? 2 : 1;
	if (p == end)
		return false;
	ret_value->len_bytes = (size_t)(p - ret_value->data);
	rest->data = p + 1;
	rest->len_bytes = (size_t)(end - rest->data);
	return true;
}

/* The traceparents of one comment go to *h: two of them are none. */
static void read_comment(const struct fr_sql_token *t, struct fr_trace_headers *h)
{
	size_t mark_bytes = *t->at == '#' ? 1 : 2;
	struct fr_slice rest = { t->at + mark_bytes, t->token_bytes - mark_bytes };
	struct fr_slice key, value;

	while (next_pair(&rest, &key, &value))
		if (fr_slice_is(key, "traceparent"))
			fr_trace_headers_add(h, key, value);
}

/* ---- the text ------------------------------------------------------------------------------- */

/* One reading of the text, under one setting for backslashes. */
struct reading {
	struct fr_sql_lexer lexer;
	struct fr_buf *out; /* NULL = nothing is to be written */
	struct fr_sql_facts *facts;
	struct fr_buf no_state;
	struct fr_trace_headers comments; /* behind the last other token */
	const uint8_t *bad;		  /* NULL, or what couldn't be lexed */
	size_t certain_bytes;		  /* of .out, up to the literal in doubt and its '?' */
	uint32_t is_words;		  /* the last words: 1 IS, 2 IS NOT */
	uint8_t last_byte;		  /* that was written, 0 = none */
	bool after_dot;
	bool has_doubt;
	bool has_open; /* a literal lacks its end */
	bool skipped;  /* a comment, just before */
};

static bool is_word_byte(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_' || c == '$' || c >= 0x80;
}

static bool is_operator(uint8_t c)
{
	return c && strchr("+-*/<>=~!@#%^&|:", c);
}

/* Whether tokens that end and begin with these bytes would be read as one. */
static bool runs_together(uint8_t last, uint8_t first)
{
	return (is_word_byte(last) && is_word_byte(first)) ||
	       (is_operator(last) && is_operator(first)) ||
	       (last == first && (last == '"' || last == '`'));
}

static void write_bytes(struct reading *r, const uint8_t *data, size_t data_bytes)
{
	if (!r->out)
		return;
	if (r->skipped && *data != '?' && runs_together(r->last_byte, *data))
		fr_buf_add_char(r->out, ' ');
	r->skipped = false;
	fr_buf_add(r->out, data, data_bytes);
	r->last_byte = data[data_bytes - 1];
}

static void write_literal(struct reading *r)
{
	r->facts->literal_cnt++;
	write_bytes(r, (const uint8_t *)"?", 1);
}

/* TRUE and FALSE are literals, but not in "x IS NOT TRUE" and not as the column of a table. */
static bool is_boolean(const struct reading *r, const struct fr_sql_token *t)
{
	return !r->after_dot && !r->is_words &&
	       (fr_sql_is_word(t, "TRUE") || fr_sql_is_word(t, "FALSE"));
}

static void follow_words(struct reading *r, const struct fr_sql_token *t)
{
	if (fr_sql_is_word(t, "IS"))
		r->is_words = 1;
	else if (r->is_words == 1 && fr_sql_is_word(t, "NOT"))
		r->is_words = 2;
	else
		r->is_words = 0;
	r->after_dot = t->kind == FR_SQL_PUNCT && *t->at == '.';
	if (t->kind != FR_SQL_PUNCT || *t->at != ';')
		r->comments = (struct fr_trace_headers){ .tracestate = &r->no_state };
}

static void take_comment(struct reading *r, const struct fr_sql_token *t)
{
	r->facts->comment_cnt++;
	r->skipped = true;
	read_comment(t, &r->comments);
}

static void take_token(struct reading *r, const struct fr_sql_token *t)
{
	if (t->kind == FR_SQL_COMMENT) {
		take_comment(r, t);
		return;
	}
	if (t->kind == FR_SQL_LITERAL || is_boolean(r, t))
		write_literal(r);
	else
		write_bytes(r, t->at, t->token_bytes);
	if (t->kind != FR_SQL_SPACE)
		follow_words(r, t);
	if (t->kind == FR_SQL_LITERAL && t->open)
		r->has_open = true;
	if (r->lexer.doubt && !r->has_doubt) {
		r->has_doubt = true;
		r->certain_bytes = r->out ? r->out->len_bytes : 0;
	}
}

static void read_all(struct reading *r)
{
	struct fr_sql_token t;

	r->comments.tracestate = &r->no_state;
	for (t = fr_sql_lex(&r->lexer); t.kind != FR_SQL_END; t = fr_sql_lex(&r->lexer)) {
		if (t.kind == FR_SQL_BAD) {
			r->bad = t.at;
			return;
		}
		take_token(r, &t);
	}
}

/*
 * Whether the usual reading of a text with a doubtful literal is the only possible one: the text is
 * whole, makes sense so, and makes none under the other setting.
 */
static bool is_settled(const struct fr_sql_text *in, const struct reading *usual)
{
	struct fr_sql_facts unused = { 0 };
	struct reading other = { .facts = &unused };

	if (in->is_cut || in->dialect == FR_SQL_OTHER || usual->bad || usual->has_open)
		return false;
	other.lexer = fr_sql_lexer_of(in->sql.data, in->sql.len_bytes, in->dialect,
				      !fr_sql_backslash_default(in->dialect));
	read_all(&other);
	return other.bad || other.has_open;
}

int fr_sql_normalize(const struct fr_sql_text *in, struct fr_buf *ret_text,
		     struct fr_buf *ret_summary, struct fr_sql_facts *ret)
{
	bool backslash = fr_sql_backslash_default(in->dialect);
	size_t begin_bytes = ret_text ? ret_text->len_bytes : 0;
	struct fr_sql_facts facts = { 0 };
	struct reading r = { .out = ret_text, .facts = &facts };
	struct fr_sql_text known = *in; /* as far as it may be trusted */

	r.lexer = fr_sql_lexer_of(in->sql.data, in->sql.len_bytes, in->dialect, backslash);
	read_all(&r);
	if (r.bad && ret_text)
		ret_text->len_bytes = begin_bytes;
	if (r.bad) {
		known.sql.len_bytes = (size_t)(r.bad - in->sql.data);
		known.is_cut = true;
	}
	if (r.has_doubt && !is_settled(in, &r)) {
		facts.has_rest_hidden = true;
		if (ret_text && !r.bad)
			ret_text->len_bytes = r.certain_bytes;
		known.sql.len_bytes = (size_t)(r.lexer.doubt - in->sql.data);
		known.is_cut = true;
	} else if (!r.bad) {
		facts.has_parent = !fr_trace_headers_end(&r.comments, &facts.parent);
	}
	if (ret_summary)
		fr_sql_summarize(&known, backslash, ret_summary);
	*ret = facts;
	return r.bad ? -EILSEQ : 0;
}
