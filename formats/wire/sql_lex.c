/* SPDX-License-Identifier: BSD-2-Clause */
#include "sql_lex.h"

#include <string.h>

/* ---- bytes ---------------------------------------------------------------------------------- */

static bool is_space(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_word_start(uint8_t c)
{
	uint8_t low = c | 0x20;

	return (low >= 'a' && low <= 'z') || c == '_' || c >= 0x80;
}

static bool is_word_byte(uint8_t c)
{
	return is_word_start(c) || is_digit(c) || c == '$';
}

/* The byte that many places ahead; 0 beyond the end. */
static uint8_t peek(const struct fr_sql_lexer *l, size_t ahead)
{
	return ahead < (size_t)(l->end - l->at) ? l->at[ahead] : 0;
}

static size_t left_bytes(const struct fr_sql_lexer *l)
{
	return (size_t)(l->end - l->at);
}

bool fr_sql_is_word(const struct fr_sql_token *t, const char *upper)
{
	/* asked of each word for dozens of others: most differ in the first letter */
	if (t->kind != FR_SQL_WORD || !t->token_bytes || (t->at[0] & 0xdf) != (upper[0] & 0xdf))
		return false;
	if (strlen(upper) != t->token_bytes)
		return false;
	for (size_t i = 0; i < t->token_bytes; i++) {
		uint8_t c = t->at[i];

		if (c >= 'a' && c <= 'z')
			c = (uint8_t)(c - 'a' + 'A');
		if (c != (uint8_t)upper[i])
			return false;
	}
	return true;
}

bool fr_sql_backslash_default(enum fr_sql_dialect dialect)
{
	return dialect == FR_SQL_MYSQL;
}

struct fr_sql_lexer fr_sql_lexer_of(const void *sql, size_t sql_bytes, enum fr_sql_dialect dialect,
				    bool backslash)
{
	const uint8_t *at = sql_bytes ? sql : (const uint8_t *)"";

	return (struct fr_sql_lexer){
		.at = at, .end = at + sql_bytes, .dialect = dialect, .backslash = backslash
	};
}

/* Each scanner moves .at from the token's first byte to behind it. */

static void take(struct fr_sql_lexer *l, struct fr_sql_token *t, enum fr_sql_kind kind,
		 size_t take_bytes)
{
	t->kind = kind;
	l->at += take_bytes;
}

static void take_open_literal(struct fr_sql_lexer *l, struct fr_sql_token *t)
{
	take(l, t, FR_SQL_LITERAL, left_bytes(l));
	t->open = true;
}

/* ---- strings and quoted names --------------------------------------------------------------- */

enum escapes { ESCAPES_NEVER, ESCAPES_ALWAYS, ESCAPES_BY_SETTING };

/*
 * From a quote that lies quote_at bytes ahead to the one that ends it; doubled ones are content. A
 * quote behind an odd number of backslashes ends the string under one setting only.
 */
static void scan_string(struct fr_sql_lexer *l, struct fr_sql_token *t, size_t quote_at,
			enum escapes escapes)
{
	const uint8_t *p = l->at + quote_at, *begin = p;
	uint8_t quote = *p++;
	bool by_setting = escapes == ESCAPES_BY_SETTING && l->dialect != FR_SQL_MSSQL;
	bool is_escaping = escapes == ESCAPES_ALWAYS || (by_setting && l->backslash);
	bool is_escaped = false, is_doubtful = false;

	t->kind = FR_SQL_LITERAL;
	for (; p < l->end; p++) {
		if (*p == '\\') {
			is_escaped = !is_escaped;
			continue;
		}
		if (*p == quote) {
			is_doubtful |= is_escaped;
			if (is_escaping && is_escaped)
				;
			else if (p + 1 < l->end && p[1] == quote)
				p++;
			else
				break;
		}
		is_escaped = false;
	}
	t->open = p == l->end;
	l->at = t->open ? p : p + 1;
	/* LIKE x ESCAPE '\' can be meant in one way only */
	if (l->escape_clause && !is_escaping && l->at - begin == 3)
		return;
	if (is_doubtful && by_setting && !l->doubt)
		l->doubt = t->at;
}

/* A name in quotes; without its end, nobody knows what it was to be. */
static void scan_quoted(struct fr_sql_lexer *l, struct fr_sql_token *t, size_t quote_at,
			uint8_t closing)
{
	const uint8_t *p = l->at + quote_at + 1;

	for (;; p += 2) {
		p = p < l->end ? memchr(p, closing, (size_t)(l->end - p)) : NULL;
		if (!p) {
			take_open_literal(l, t);
			return;
		}
		if (p + 1 == l->end || p[1] != closing)
			break;
	}
	t->kind = FR_SQL_QUOTED;
	l->at = p + 1;
}

/* Oracle's q'[it's]': quote_at is the place of the quote. */
static void scan_q_string(struct fr_sql_lexer *l, struct fr_sql_token *t, size_t quote_at)
{
	static const char openers[] = "[{(<", closers[] = "]})>";
	const uint8_t *p = l->at + quote_at + 1;
	const char *opener;
	uint8_t closing;

	t->kind = FR_SQL_LITERAL;
	if (p == l->end) {
		take_open_literal(l, t);
		return;
	}
	opener = *p ? strchr(openers, *p) : NULL;
	closing = opener ? (uint8_t)closers[opener - openers] : *p;
	for (p++; p + 1 < l->end; p++) {
		if (*p == closing && p[1] == '\'') {
			l->at = p + 2;
			return;
		}
	}
	take_open_literal(l, t);
}

/* $tag$...$tag$; tag_bytes counts both dollars. */
static void scan_dollar_string(struct fr_sql_lexer *l, struct fr_sql_token *t, size_t tag_bytes)
{
	const uint8_t *found;

	found = memmem(l->at + tag_bytes, left_bytes(l) - tag_bytes, l->at, tag_bytes);
	if (!found) {
		take_open_literal(l, t);
		return;
	}
	t->kind = FR_SQL_LITERAL;
	l->at = found + tag_bytes;
}

/* ---- words ---------------------------------------------------------------------------------- */

/*
 * The string that the first bytes of a word are the prefix of, if so. Prefixes differ by dialect;
 * one that a dialect doesn't know is a word with a string behind it.
 */
static bool scan_prefixed(struct fr_sql_lexer *l, struct fr_sql_token *t)
{
	uint8_t c = l->at[0] | 0x20, second = peek(l, 1);
	bool is_pg = l->dialect == FR_SQL_POSTGRESQL, is_other = l->dialect == FR_SQL_OTHER;

	if (second == '\'') {
		if (c == 'e' && (is_pg || is_other)) {
			scan_string(l, t, 1, is_pg ? ESCAPES_ALWAYS : ESCAPES_BY_SETTING);
			l->is_e_string = is_pg;
		} else if (c == 'q' && is_other) {
			scan_q_string(l, t, 1);
		} else if (c == 'n' || ((c == 'x' || c == 'b') && l->dialect != FR_SQL_MSSQL)) {
			scan_string(l, t, 1, ESCAPES_BY_SETTING);
		} else {
			return false;
		}
		return true;
	}
	if (c == 'n' && (second | 0x20) == 'q' && peek(l, 2) == '\'' && is_other) {
		scan_q_string(l, t, 2);
		return true;
	}
	if (c != 'u' || second != '&' || !(is_pg || is_other))
		return false;
	if (peek(l, 2) == '\'')
		scan_string(l, t, 2, is_pg ? ESCAPES_NEVER : ESCAPES_BY_SETTING);
	else if (peek(l, 2) == '"' && is_pg)
		scan_quoted(l, t, 2, '"');
	else
		return false;
	return true;
}

static void scan_word(struct fr_sql_lexer *l, struct fr_sql_token *t)
{
	size_t n = 1;

	if (scan_prefixed(l, t))
		return;
	while (is_word_byte(peek(l, n)) || (peek(l, n) == '#' && l->dialect == FR_SQL_MSSQL))
		n++;
	take(l, t, FR_SQL_WORD, n);
}

/* ---- numbers -------------------------------------------------------------------------------- */

/* A sign or dot that begins a number, or may begin one that was cut. */
static bool begins_number(const struct fr_sql_lexer *l)
{
	size_t n = peek(l, 0) == '+' || peek(l, 0) == '-';

	if (is_digit(peek(l, n)))
		return true;
	if (n && left_bytes(l) == 1)
		return true;
	if (peek(l, n) != '.' || (!n && l->after_name))
		return false;
	return is_digit(peek(l, n + 1)) || left_bytes(l) == n + 1;
}

/* Takes all that could be part of it in any dialect: 0xff, 1_000, 12e-5, 10n, 1.2.3. */
static void scan_number(struct fr_sql_lexer *l, struct fr_sql_token *t)
{
	size_t n = peek(l, 0) == '+' || peek(l, 0) == '-';
	bool is_decimal = true; /* only digits and dots so far: an 'e' begins the exponent */
	uint8_t c;

	for (;; n++) {
		c = peek(l, n);
		if (is_decimal && (c | 0x20) == 'e' &&
		    (peek(l, n + 1) == '-' || peek(l, n + 1) == '+'))
			n++;
		if (is_digit(c) || c == '.')
			continue;
		if (!is_word_start(c))
			break;
		is_decimal = false;
	}
	take(l, t, FR_SQL_LITERAL, n);
	t->open = l->at == l->end;
}

/* SQL Server takes any currency sign before a number. What has one could also be a name. */
static bool scan_money(struct fr_sql_lexer *l, struct fr_sql_token *t)
{
	size_t n = 0;

	if (l->dialect != FR_SQL_MSSQL)
		return false;
	while (peek(l, n) >= 0x80)
		n++;
	if (!n || (!is_digit(peek(l, n)) && peek(l, n) != '.'))
		return false;
	l->at += n;
	scan_number(l, t);
	return true;
}

static void scan_dollar(struct fr_sql_lexer *l, struct fr_sql_token *t)
{
	size_t n = 1;

	if (l->dialect == FR_SQL_MSSQL && !is_word_start(peek(l, 1))) {
		l->at++; /* money, of which a sign alone is zero */
		scan_number(l, t);
		return;
	}
	if (is_digit(peek(l, 1))) {
		while (is_digit(peek(l, n)))
			n++;
		take(l, t, FR_SQL_PARAM, n);
		return;
	}
	if (is_word_start(peek(l, 1)))
		for (n = 2; is_word_start(peek(l, n)) || is_digit(peek(l, n)); n++)
			;
	if (n == left_bytes(l) && l->dialect != FR_SQL_MYSQL)
		take_open_literal(l, t); /* a tag, cut */
	else if (peek(l, n) == '$' && l->dialect != FR_SQL_MYSQL)
		scan_dollar_string(l, t, n + 1);
	else if (n == 1 || l->dialect == FR_SQL_POSTGRESQL)
		take(l, t, FR_SQL_BAD, 1);
	else
		take(l, t, FR_SQL_PARAM, n);
}

/* ---- comments ------------------------------------------------------------------------------- */

static void scan_line_comment(struct fr_sql_lexer *l, struct fr_sql_token *t)
{
	uint8_t other_end = l->dialect == FR_SQL_POSTGRESQL ? '\r' : '\n';

	t->kind = FR_SQL_COMMENT;
	while (l->at < l->end && *l->at != '\n' && *l->at != other_end)
		l->at++;
	t->open = l->at == l->end;
}

static void scan_block_comment(struct fr_sql_lexer *l, struct fr_sql_token *t)
{
	bool nests = l->dialect != FR_SQL_MYSQL;
	size_t depth = 0;

	/* dialects disagree on where a comment in a comment leads: in an unknown one, nowhere */
	t->kind = FR_SQL_COMMENT;
	while (l->at < l->end) {
		if (peek(l, 0) == '/' && peek(l, 1) == '*' && (!depth || nests)) {
			if (depth++ && l->dialect == FR_SQL_OTHER)
				t->kind = FR_SQL_BAD;
			l->at += 2;
		} else if (peek(l, 0) == '*' && peek(l, 1) == '/') {
			l->at += 2;
			if (!--depth)
				return;
		} else {
			l->at++;
		}
	}
	t->open = true;
}

/*
 * In an unknown dialect '#', and "--" without a blank behind it, begin a comment or don't. That
 * matters where a quote follows on the line. Ends at the next mark, which is looked at on its own.
 */
static bool is_unclear_mark(const struct fr_sql_lexer *l, size_t mark_bytes)
{
	const uint8_t *p = l->at + mark_bytes;

	if (l->dialect != FR_SQL_OTHER || (mark_bytes == 2 && (p == l->end || *p <= ' ')))
		return false;
	for (; p < l->end && *p != '\n' && *p != '#'; p++)
		if (*p == '\'' || *p == '"' || *p == '`' || *p == '$' || *p == '/')
			return true;
	return false;
}

static bool scan_comment(struct fr_sql_lexer *l, struct fr_sql_token *t)
{
	uint8_t c = peek(l, 0), second = peek(l, 1);

	if ((c == '#' && is_unclear_mark(l, 1)) ||
	    (c == '-' && second == '-' && is_unclear_mark(l, 2))) {
		take(l, t, FR_SQL_BAD, 1);
		return true;
	}
	if (c == '/' && second == '*') {
		scan_block_comment(l, t);
	} else if (c == '-' && second == '-') {
		/* in MySQL 5--1 is six */
		if (l->dialect == FR_SQL_MYSQL && left_bytes(l) > 2 && l->at[2] > ' ')
			return false;
		scan_line_comment(l, t);
	} else if (c == '#' && l->dialect == FR_SQL_MYSQL) {
		scan_line_comment(l, t);
	} else {
		return false;
	}
	return true;
}

/* ---- the rest ------------------------------------------------------------------------------- */

/*
 * [name]: SQL Server's. Elsewhere '[' holds an index or an array's items, so that in an unknown
 * dialect only what can be nothing else is a name: words.
 */
static void scan_bracket(struct fr_sql_lexer *l, struct fr_sql_token *t)
{
	size_t n = 1;

	if (l->dialect == FR_SQL_MSSQL) {
		scan_quoted(l, t, 0, ']');
		return;
	}
	if (l->dialect == FR_SQL_OTHER && is_word_start(peek(l, 1)))
		while (is_word_byte(peek(l, n)) || peek(l, n) == ' ')
			n++;
	if (n > 1 && peek(l, n) == ']')
		take(l, t, FR_SQL_QUOTED, n + 1);
	else
		take(l, t, FR_SQL_PUNCT, 1);
}

static void scan_quote(struct fr_sql_lexer *l, struct fr_sql_token *t, uint8_t c)
{
	bool is_pg = l->dialect == FR_SQL_POSTGRESQL;

	if (c == '\'') {
		l->is_e_string = l->e_string == 2;
		scan_string(l, t, 0, l->is_e_string ? ESCAPES_ALWAYS : ESCAPES_BY_SETTING);
	} else if (c == '"') {
		if (is_pg || l->dialect == FR_SQL_MSSQL)
			scan_quoted(l, t, 0, '"');
		else
			scan_string(l, t, 0, ESCAPES_BY_SETTING);
	} else if (is_pg || l->dialect == FR_SQL_MSSQL) {
		take(l, t, FR_SQL_BAD, 1);
	} else {
		scan_quoted(l, t, 0, '`');
	}
}

/* ':' and '@', alone or with a name. */
static void scan_param(struct fr_sql_lexer *l, struct fr_sql_token *t, uint8_t c)
{
	size_t n = 1;

	if (c == ':' && (peek(l, 1) == ':' || peek(l, 1) == '=')) {
		take(l, t, FR_SQL_PUNCT, 2);
		return;
	}
	if (c == '@' && peek(l, 1) == '@')
		n = 2;
	if (!is_word_start(peek(l, n))) {
		take(l, t, FR_SQL_PUNCT, 1);
		return;
	}
	while (is_word_byte(peek(l, n)))
		n++;
	take(l, t, FR_SQL_PARAM, n);
}

static void scan_any(struct fr_sql_lexer *l, struct fr_sql_token *t)
{
	uint8_t c = *l->at;

	if (is_space(c)) {
		t->kind = FR_SQL_SPACE;
		while (l->at < l->end && is_space(*l->at))
			l->at++;
	} else if (scan_comment(l, t)) {
		;
	} else if (is_digit(c) || ((c == '+' || c == '-' || c == '.') && begins_number(l))) {
		scan_number(l, t);
	} else if (scan_money(l, t)) {
		;
	} else if (is_word_start(c) || (c == '#' && l->dialect == FR_SQL_MSSQL)) {
		scan_word(l, t);
	} else if (c == '\'' || c == '"' || c == '`') {
		scan_quote(l, t, c);
	} else if (c == '$') {
		scan_dollar(l, t);
	} else if (c == '[') {
		scan_bracket(l, t);
	} else if (c == ':' || c == '@') {
		scan_param(l, t, c);
	} else if (c == '\\' && peek(l, 1) == 'N' && l->dialect == FR_SQL_MYSQL) {
		take(l, t, FR_SQL_WORD, 2); /* NULL */
	} else {
		take(l, t,
		     c == '?'				 ? FR_SQL_PARAM
		     : c < ' ' || c == '\\' || c == 0x7f ? FR_SQL_BAD
							 : FR_SQL_PUNCT,
		     1);
	}
}

/*
 * PostgreSQL reads strings with nothing but white space, a new line in it, and line comments
 * between them as one: behind E'' all parts have its escapes.
 */
static void follow_e_string(struct fr_sql_lexer *l, const struct fr_sql_token *t)
{
	bool is_line_comment = t->kind == FR_SQL_COMMENT && *t->at == '-';

	if (t->kind == FR_SQL_SPACE && l->e_string &&
	    (memchr(t->at, '\n', t->token_bytes) || memchr(t->at, '\r', t->token_bytes)))
		l->e_string = 2;
	else if (t->kind != FR_SQL_SPACE && !is_line_comment)
		l->e_string = l->is_e_string;
}

struct fr_sql_token fr_sql_lex(struct fr_sql_lexer *l)
{
	struct fr_sql_token t = { .kind = FR_SQL_END, .at = l->at };

	if (l->at == l->end)
		return t;
	l->is_e_string = false;
	scan_any(l, &t);
	t.token_bytes = (size_t)(l->at - t.at);
	l->after_name = t.kind == FR_SQL_WORD || t.kind == FR_SQL_QUOTED;
	follow_e_string(l, &t);
	if (t.kind != FR_SQL_SPACE && t.kind != FR_SQL_COMMENT)
		l->escape_clause = fr_sql_is_word(&t, "ESCAPE");
	return t;
}
