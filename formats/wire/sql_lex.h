/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SQL text cut into tokens, on possibly cut text: each call gives the next one, tokens cover every
 * byte, the time is linear. It errs on the side of literals: what may be one is one.
 *
 * Whether a backslash escapes a quote in an ordinary string is a setting of the server's that the
 * text doesn't tell. A literal that would end elsewhere under the other setting is remembered in
 * .doubt; what follows it can be trusted only after a look at both readings (sql.c).
 */
#ifndef FR_WIRE_SQL_LEX_H
#define FR_WIRE_SQL_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fr_sql_dialect {
	FR_SQL_OTHER = 0, /* unknown: what is a literal in any dialect is one */
	FR_SQL_POSTGRESQL,
	FR_SQL_MYSQL,
	FR_SQL_MSSQL,
};

enum fr_sql_kind {
	FR_SQL_END = 0,
	FR_SQL_SPACE,
	FR_SQL_COMMENT,
	FR_SQL_WORD,	/* identifier or keyword */
	FR_SQL_QUOTED,	/* identifier in quotes, whole */
	FR_SQL_LITERAL, /* with its prefix and sign, and anything that ends in mid-token */
	FR_SQL_PARAM,	/* $1 ? :name @name */
	FR_SQL_PUNCT,	/* one byte, or :: or := */
	FR_SQL_BAD,	/* no SQL of this dialect, or in an unknown one unclear: the end */
};

struct fr_sql_token {
	enum fr_sql_kind kind;
	const uint8_t *at;
	size_t token_bytes;
	bool open; /* a literal or comment that the end of the text cuts */
};

struct fr_sql_lexer {
	const uint8_t *at;
	const uint8_t *end;
	const uint8_t *doubt; /* NULL, or the first literal that may end elsewhere */
	enum fr_sql_dialect dialect;
	bool backslash;	    /* escapes in ordinary strings */
	bool escape_clause; /* the last word was ESCAPE */
	bool after_name;    /* a word or quoted name ends right here */
	bool is_e_string;   /* the token in hand is, or goes on with, a PostgreSQL E'' literal */
	uint8_t e_string;   /* such a literal came last: 1, and a new line behind it: 2 */
};

/* backslash: whether it escapes in ordinary strings (fr_sql_backslash_default). */
struct fr_sql_lexer fr_sql_lexer_of(const void *sql, size_t sql_bytes, enum fr_sql_dialect dialect,
				    bool backslash);
bool fr_sql_backslash_default(enum fr_sql_dialect dialect);
/* FR_SQL_END at the end, also if asked again. */
struct fr_sql_token fr_sql_lex(struct fr_sql_lexer *l);

/* The word is this keyword (given in upper case), in any case. */
bool fr_sql_is_word(const struct fr_sql_token *t, const char *upper);

#endif
