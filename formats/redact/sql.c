/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SQL without its literals, each byte at its place: sql.h's normalising of what is left gives the
 * same text as of what was there.
 *
 *   'it''s' -> '?????'   E'a\'b' -> E'????'   $t$x$t$ -> $$???$$   -12.5e3 -> -0000000
 *   TRUE -> 0000         comment -> blanks between its marks
 *
 * What follows a byte that is no SQL becomes bytes that are none either (127). A string that may
 * end elsewhere than it seems to has no end, unless sql.h's rule settles it.
 */
#include "../wire/sql.h"
#include "mask.h"

#define NO_SQL 0x7f /* a control byte: in no dialect part of a token */

/* Where the walk through a statement is. */
struct walk {
	const struct fr_redact_rules *rules;
	struct fr_mask *m;
	struct fr_sql_lexer lexer;
	struct fr_buf summary; /* strict: what may be shown */
	uint32_t is_words;     /* the last words: 1 IS, 2 IS NOT */
	bool after_dot;
	bool has_tail;
	const uint8_t *tail; /* behind it lie only blanks, comments and ';' */
};

static size_t place(const struct walk *w, const struct fr_sql_token *t)
{
	return (size_t)(t->at - w->m->in);
}

static bool has_open_or_bad(const struct fr_mask *m, enum fr_sql_dialect dialect, bool backslash)
{
	struct fr_sql_lexer l = fr_sql_lexer_of(m->in, m->len_bytes, dialect, backslash);
	struct fr_sql_token t;

	do {
		t = fr_sql_lex(&l);
		if (t.kind == FR_SQL_BAD || (t.kind == FR_SQL_LITERAL && t.open))
			return true;
	} while (t.kind != FR_SQL_END);
	return false;
}

/* sql.h's rule 3: the usual reading of a whole text makes sense, the other one makes none. */
static bool is_settled(const struct fr_mask *m, enum fr_sql_dialect dialect, bool whole)
{
	bool backslash = fr_sql_backslash_default(dialect);

	return whole && dialect != FR_SQL_OTHER && !has_open_or_bad(m, dialect, backslash) &&
	       has_open_or_bad(m, dialect, !backslash);
}

/* ---- literals ------------------------------------------------------------------------------- */

static void mask_number(struct fr_mask *m, size_t at, size_t cnt)
{
	fr_mask_drop(m, at, cnt, '0', FR_REMOVED_LITERALS);
	if (strchr("+-.", m->in[at]) && m->in[at])
		fr_mask_keep(m, at, 1);
}

static bool is_quote(uint8_t c)
{
	return c == '\'' || c == '"' || c == '`';
}

/* $tag$...$tag$. A quote instead would join what stands before it: 'a', or U&. */
static void mask_dollar_string(struct fr_mask *m, size_t at, size_t cnt, bool open)
{
	fr_mask_drop(m, at, cnt, '?', FR_REMOVED_LITERALS);
	memset(m->out + at, '$', cnt < 2 ? cnt : 2);
	if (!open)
		memset(m->out + at + cnt - 2, '$', 2);
}

static void mask_string(struct fr_mask *m, size_t at, size_t cnt, bool open)
{
	size_t quote = at;

	fr_mask_drop(m, at, cnt, '?', FR_REMOVED_LITERALS);
	while (quote < at + cnt && quote < at + 3 && !is_quote(m->in[quote]))
		quote++;
	if (quote == at + cnt || !is_quote(m->in[quote])) {
		m->out[at] = '\'';
		return;
	}
	fr_mask_keep(m, at, quote + 1 - at);
	if (!open && cnt > quote + 1 - at)
		m->out[at + cnt - 1] = m->in[quote];
}

static void mask_literal(struct fr_mask *m, size_t at, size_t cnt, bool open)
{
	uint8_t c = m->in[at];

	if ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.')
		mask_number(m, at, cnt);
	else if (c == '$')
		mask_dollar_string(m, at, cnt, open);
	else
		mask_string(m, at, cnt, open);
}

/* ---- comments ------------------------------------------------------------------------------- */

/* traceparent='00-..-..-01' of a comment as sqlcommenter writes it, if it is a valid one. */
static void keep_traceparent(struct fr_mask *m, size_t at, size_t cnt)
{
	static const char name[] = "traceparent='";
	size_t name_bytes = sizeof(name) - 1, begin, end;
	struct fr_traceparent parsed;
	const uint8_t *found = memmem(m->in + at, cnt, name, name_bytes);

	if (!found)
		return;
	begin = (size_t)(found - m->in);
	end = begin + name_bytes + FR_TRACEPARENT_BYTES;
	if (end >= at + cnt || m->in[end] != '\'' ||
	    (m->in[begin - 1] != ',' && m->in[begin - 1] != ' ' && m->in[begin - 1] != '*') ||
	    fr_traceparent_parse(fr_mask_slice(m, begin + name_bytes, FR_TRACEPARENT_BYTES),
				 &parsed))
		return;
	fr_mask_keep(m, begin, end + 1 - begin);
}

/* Where only what trails the statement is left, as far as it is known: this comment or further. */
static const uint8_t *tail_of(const struct fr_sql_token *comment, struct fr_sql_lexer l)
{
	const uint8_t *tail = comment->at;
	struct fr_sql_token t;

	for (t = fr_sql_lex(&l); t.kind != FR_SQL_END; t = fr_sql_lex(&l))
		if (t.kind != FR_SQL_SPACE && t.kind != FR_SQL_COMMENT &&
		    !(t.kind == FR_SQL_PUNCT && *t.at == ';'))
			tail = t.at + t.token_bytes;
	return tail;
}

static void mask_comment(struct walk *w, const struct fr_sql_token *t)
{
	size_t at = place(w, t), cnt = t->token_bytes;
	bool is_block = cnt > 1 && t->at[0] == '/';

	fr_mask_drop(w->m, at, cnt, ' ', FR_REMOVED_COMMENTS);
	if (!w->has_tail) /* looked for once, and in few texts: most have no comments */
		w->tail = tail_of(t, w->lexer);
	w->has_tail = true;
	if (t->at >= w->tail)
		keep_traceparent(w->m, at, cnt);
	fr_mask_keep(w->m, at, t->at[0] == '#' ? 1 : 2);
	if (is_block && !t->open)
		fr_mask_keep(w->m, at + cnt - 2, 2);
	else if (is_block && cnt > 2 && t->at[cnt - 1] == '*')
		fr_mask_keep(w->m, at + cnt - 1, 1); /* half of its end, perhaps */
}

/* ---- strict --------------------------------------------------------------------------------- */

/* Words that tell the summary what the words beside them are. */
static bool is_frame(const struct fr_sql_token *t)
{
	static const char *const words[] = {
		"FROM",	     "INTO",	"JOIN",		"TABLE",     "INDEX",	  "VIEW",
		"ON",	     "AS",	"WHERE",	"SET",	     "VALUES",	  "SELECT",
		"UNION",     "GROUP",	"ORDER",	"BY",	     "LIMIT",	  "HAVING",
		"USING",     "LEFT",	"RIGHT",	"INNER",     "OUTER",	  "FULL",
		"CROSS",     "LATERAL", "ONLY",		"IF",	     "NOT",	  "EXISTS",
		"TEMPORARY", "TEMP",	"AND",		"OR",	     "RETURNING", "CONFLICT",
		"DO",	     "UNIQUE",	"MATERIALIZED", "RECURSIVE", "ALL",	  "DISTINCT",
		"FOR",	     "WITH",	"PROCEDURE",	"FUNCTION",  "DATABASE",  "SCHEMA",
		"SEQUENCE",  "USER",	"ROLE",		"EXTENSION", "TRIGGER",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (fr_sql_is_word(t, words[i]))
			return true;
	return false;
}

static bool in_summary(const struct walk *w, const struct fr_sql_token *t)
{
	const uint8_t *at = w->summary.data, *end, *found;

	if (!w->summary.len_bytes)
		return false;
	end = at + w->summary.len_bytes;
	while (at < end) {
		found = memmem(at, (size_t)(end - at), t->at, t->token_bytes);
		if (!found)
			return false;
		if ((found == w->summary.data || strchr(" .", found[-1])) &&
		    (found + t->token_bytes == end || strchr(" .", found[t->token_bytes])))
			return true;
		at = found + 1;
	}
	return false;
}

static void reduce_token(struct walk *w, const struct fr_sql_token *t)
{
	size_t at = place(w, t);

	switch (t->kind) {
	case FR_SQL_WORD:
		if (is_frame(t) || in_summary(w, t))
			return;
		break;
	case FR_SQL_QUOTED:
		if (in_summary(w, t))
			return;
		break;
	case FR_SQL_PUNCT:
		if (strchr(".,();", *t->at))
			return;
		break;
	case FR_SQL_LITERAL: /* told apart by why */
		memset(w->m->out + at, ' ', t->token_bytes);
		for (size_t i = at; i < at + t->token_bytes; i++)
			if (w->m->why[i] == FR_REDACT_KEPT)
				w->m->why[i] = FR_REMOVED_LITERALS;
		return;
	case FR_SQL_PARAM:
		break;
	case FR_SQL_SPACE:
	case FR_SQL_COMMENT:
	case FR_SQL_BAD:
	case FR_SQL_END:
		return;
	}
	fr_mask_drop(w->m, at, t->token_bytes, ' ', FR_REMOVED_SQL);
}

/* ---- the text ------------------------------------------------------------------------------- */

static bool is_boolean(const struct walk *w, const struct fr_sql_token *t)
{
	return !w->after_dot && !w->is_words &&
	       (fr_sql_is_word(t, "TRUE") || fr_sql_is_word(t, "FALSE"));
}

/* Zeros in its place would not run together with what stands around it. */
static bool stands_apart(const struct fr_mask *m, size_t at, size_t cnt)
{
	uint8_t last = at ? m->in[at - 1] : ' ',
		next = at + cnt < m->len_bytes ? m->in[at + cnt] : ' ';

	return next != '.' && last && strchr(" \t\r\n(,=<>;/*", last);
}

static void follow_words(struct walk *w, const struct fr_sql_token *t)
{
	if (t->kind == FR_SQL_SPACE || t->kind == FR_SQL_COMMENT)
		return;
	if (fr_sql_is_word(t, "IS"))
		w->is_words = 1;
	else if (w->is_words == 1 && fr_sql_is_word(t, "NOT"))
		w->is_words = 2;
	else
		w->is_words = 0;
	w->after_dot = t->kind == FR_SQL_PUNCT && *t->at == '.';
}

static void mask_token(struct walk *w, const struct fr_sql_token *t)
{
	size_t at = place(w, t);

	switch (t->kind) {
	case FR_SQL_LITERAL:
		mask_literal(w->m, at, t->token_bytes, t->open);
		break;
	case FR_SQL_COMMENT:
		mask_comment(w, t);
		break;
	case FR_SQL_WORD:
		if (is_boolean(w, t) && stands_apart(w->m, at, t->token_bytes)) {
			fr_mask_drop(w->m, at, t->token_bytes, '0', FR_REMOVED_LITERALS);
			break;
		}
		fr_mask_keep(w->m, at, t->token_bytes);
		break;
	case FR_SQL_SPACE:
	case FR_SQL_QUOTED:
	case FR_SQL_PARAM:
	case FR_SQL_PUNCT:
		fr_mask_keep(w->m, at, t->token_bytes);
		break;
	case FR_SQL_BAD:
	case FR_SQL_END:
		break;
	}
	if (w->rules->level == FR_REDACT_STRICT)
		reduce_token(w, t);
	follow_words(w, t);
}

static bool is_bad_further_on(struct fr_sql_lexer l)
{
	struct fr_sql_token t;

	do
		t = fr_sql_lex(&l);
	while (t.kind != FR_SQL_END && t.kind != FR_SQL_BAD);
	return t.kind == FR_SQL_BAD;
}

/* The literal in doubt and all behind it: one without an end, or no SQL if it was none. */
static void hide_rest(struct walk *w, const uint8_t *doubt)
{
	size_t at = (size_t)(doubt - w->m->in), cnt = w->m->len_bytes - at;

	if (is_bad_further_on(w->lexer)) {
		fr_mask_drop(w->m, at, cnt, NO_SQL, FR_REMOVED_SQL);
		return;
	}
	mask_string(w->m, at, cnt, true);
	if (w->rules->level == FR_REDACT_STRICT)
		fr_mask_drop(w->m, at, cnt, ' ', FR_REMOVED_LITERALS);
}

static void mask_tokens(struct walk *w, bool whole)
{
	bool settled = false;
	struct fr_sql_token t;

	for (t = fr_sql_lex(&w->lexer); t.kind != FR_SQL_END; t = fr_sql_lex(&w->lexer)) {
		if (t.kind == FR_SQL_BAD) {
			fr_mask_drop(w->m, place(w, &t), w->m->len_bytes - place(w, &t), NO_SQL,
				     FR_REMOVED_SQL);
			return;
		}
		settled = settled || (w->lexer.doubt && is_settled(w->m, w->lexer.dialect, whole));
		if (w->lexer.doubt && !settled) {
			hide_rest(w, w->lexer.doubt);
			return;
		}
		mask_token(w, &t);
	}
}

void fr_mask_sql(const struct fr_redact_rules *rules, struct fr_mask *m,
		 enum fr_sql_dialect dialect, bool whole)
{
	bool backslash = fr_sql_backslash_default(dialect);
	struct fr_sql_text text = { .sql = { m->in, m->len_bytes },
				    .dialect = dialect,
				    .is_cut = !whole };
	struct fr_sql_facts facts;
	struct walk w = { .rules = rules, .m = m };

	if (!m->len_bytes)
		return;
	if (rules->level == FR_REDACT_STRICT)
		(void)fr_sql_normalize(&text, NULL, &w.summary, &facts);
	w.lexer = fr_sql_lexer_of(m->in, m->len_bytes, dialect, backslash);
	mask_tokens(&w, whole);
	fr_buf_done(&w.summary);
}

bool fr_begins_sql(struct fr_slice text)
{
	static const char *const words[] = {
		"SELECT",     "INSERT",	  "UPDATE",   "DELETE",	    "WITH",	 "BEGIN",
		"START",      "COMMIT",	  "ROLLBACK", "ABORT",	    "END",	 "SET",
		"RESET",      "SHOW",	  "CREATE",   "ALTER",	    "DROP",	 "TRUNCATE",
		"EXPLAIN",    "VALUES",	  "CALL",     "COPY",	    "DO",	 "FETCH",
		"DECLARE",    "CLOSE",	  "PREPARE",  "EXECUTE",    "MERGE",	 "REPLACE",
		"LOCK",	      "GRANT",	  "REVOKE",   "ANALYZE",    "VACUUM",	 "LISTEN",
		"NOTIFY",     "UNLISTEN", "USE",      "DEALLOCATE", "SAVEPOINT", "RELEASE",
		"DISCARD",    "TABLE",	  "DESCRIBE", "DESC",	    "REFRESH",	 "REINDEX",
		"CHECKPOINT",
	};
	struct fr_sql_lexer l = fr_sql_lexer_of(text.data, text.len_bytes, FR_SQL_POSTGRESQL,
						false);
	struct fr_sql_token t = fr_sql_lex(&l);

	while (t.kind == FR_SQL_SPACE || t.kind == FR_SQL_COMMENT ||
	       (t.kind == FR_SQL_PUNCT && *t.at == '('))
		t = fr_sql_lex(&l);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (fr_sql_is_word(&t, words[i]))
			return true;
	return false;
}
