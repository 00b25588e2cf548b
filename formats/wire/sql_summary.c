/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The summary of a statement by the rules of OpenTelemetry's database conventions: operations and
 * their targets in the order they come, as they are written. No grammar is known here, only where
 * the name of a table may stand; what isn't sure is left out. Words come from fixed lists and from
 * names, never from literals.
 */
#include "sql.h"

#define LEVELS_MAX 64 /* of parentheses in which targets are looked for */
#define PIECES_MAX 4  /* server.database.schema.table */

/* What a verb at a statement's beginning has behind it. */
enum after_verb {
	AFTER_NOTHING, /* nothing that is a target */
	AFTER_CLAUSES, /* targets stand behind FROM and JOIN only */
	AFTER_NAME,
	AFTER_NAMES,  /* several, with commas */
	AFTER_OBJECT, /* TABLE name, INDEX name, ... */
	AFTER_OBJECTS,
	AFTER_VERB,  /* a statement */
	AFTER_GRANT, /* verbs that are none */
};

static const struct verb {
	const char *word;
	enum after_verb after;
	bool is_silent; /* not part of the summary */
} verbs[] = {
	{ "INSERT", AFTER_NAME, 0 },	   { "UPDATE", AFTER_NAMES, 0 },
	{ "DELETE", AFTER_CLAUSES, 0 },	   { "MERGE", AFTER_NAME, 0 },
	{ "REPLACE", AFTER_NAME, 0 },	   { "CALL", AFTER_NAME, 0 },
	{ "EXEC", AFTER_NAME, 0 },	   { "EXECUTE", AFTER_NAME, 0 },
	{ "CREATE", AFTER_OBJECT, 0 },	   { "ALTER", AFTER_OBJECT, 0 },
	{ "DROP", AFTER_OBJECTS, 0 },	   { "TRUNCATE", AFTER_NAMES, 0 },
	{ "LOCK", AFTER_NAMES, 0 },	   { "COPY", AFTER_NAME, 0 },
	{ "ANALYZE", AFTER_NAMES, 0 },	   { "VACUUM", AFTER_NAMES, 0 },
	{ "REINDEX", AFTER_OBJECT, 0 },	   { "REFRESH", AFTER_OBJECT, 0 },
	{ "TABLE", AFTER_NAME, 0 },	   { "USE", AFTER_NAME, 0 },
	{ "WITH", AFTER_CLAUSES, 1 },	   { "EXPLAIN", AFTER_VERB, 0 },
	{ "PREPARE", AFTER_NOTHING, 0 },   { "DECLARE", AFTER_NOTHING, 0 },
	{ "GRANT", AFTER_GRANT, 0 },	   { "REVOKE", AFTER_GRANT, 0 },
	{ "BEGIN", AFTER_NOTHING, 0 },	   { "START", AFTER_NOTHING, 0 },
	{ "COMMIT", AFTER_NOTHING, 0 },	   { "ROLLBACK", AFTER_NOTHING, 0 },
	{ "ABORT", AFTER_NOTHING, 0 },	   { "END", AFTER_NOTHING, 0 },
	{ "SAVEPOINT", AFTER_NOTHING, 0 }, { "RELEASE", AFTER_NOTHING, 0 },
	{ "SET", AFTER_NOTHING, 0 },	   { "RESET", AFTER_NOTHING, 0 },
	{ "SHOW", AFTER_NOTHING, 0 },	   { "VALUES", AFTER_NOTHING, 0 },
	{ "FETCH", AFTER_NOTHING, 0 },	   { "MOVE", AFTER_NOTHING, 0 },
	{ "CLOSE", AFTER_NOTHING, 0 },	   { "DEALLOCATE", AFTER_NOTHING, 0 },
	{ "DISCARD", AFTER_NOTHING, 0 },   { "LISTEN", AFTER_NOTHING, 0 },
	{ "UNLISTEN", AFTER_NOTHING, 0 },  { "NOTIFY", AFTER_NOTHING, 0 },
	{ "DO", AFTER_NOTHING, 0 },	   { "CHECKPOINT", AFTER_NOTHING, 0 },
	{ "CLUSTER", AFTER_NOTHING, 0 },   { "COMMENT", AFTER_NOTHING, 0 },
	{ "DESCRIBE", AFTER_NOTHING, 0 },  { "DESC", AFTER_NOTHING, 0 },
	{ "UNLOCK", AFTER_NOTHING, 0 },	   { "KILL", AFTER_NOTHING, 0 },
	{ "FLUSH", AFTER_NOTHING, 0 },	   { "OPTIMIZE", AFTER_NOTHING, 0 },
	{ "CHECK", AFTER_NOTHING, 0 },	   { "REPAIR", AFTER_NOTHING, 0 },
	{ "LOAD", AFTER_NOTHING, 0 },	   { "HANDLER", AFTER_NOTHING, 0 },
	{ "RENAME", AFTER_NOTHING, 0 },	   { "PRAGMA", AFTER_NOTHING, 0 },
	{ "XA", AFTER_NOTHING, 0 },	   { 0 },
};

static const char *const objects[] = {
	/* what can be created */
	"TABLE",      "VIEW",	   "INDEX",	  "SEQUENCE",	  "SCHEMA", "DATABASE",	 "FUNCTION",
	"PROCEDURE",  "TRIGGER",   "TYPE",	  "ROLE",	  "USER",   "EXTENSION", "DOMAIN",
	"TABLESPACE", "AGGREGATE", "PUBLICATION", "SUBSCRIPTION", "SERVER", "POLICY",	 "RULE",
	"COLLATION",  "LANGUAGE",  "SYNONYM",	  "PACKAGE",	  "EVENT",  "LOGIN",	 NULL,
};

static const char *const before_object[] = {
	/* between CREATE and what */
	"OR",	     "REPLACE",	     "TEMP",	     "TEMPORARY", "GLOBAL",
	"LOCAL",     "UNLOGGED",     "UNIQUE",	     "FULLTEXT",  "SPATIAL",
	"CLUSTERED", "NONCLUSTERED", "MATERIALIZED", "RECURSIVE", "FOREIGN",
	"EXTERNAL",  "CONSTRAINT",   "PROCEDURAL",   "TRUSTED",	  NULL,
};

static const char *const before_name[] = {
	/* between a verb, FROM or JOIN and the name */
	"INTO",	     "ONLY",	     "LATERAL",	  "IF",		  "NOT",
	"EXISTS",    "CONCURRENTLY", "TABLES",	  "LOW_PRIORITY", "HIGH_PRIORITY",
	"DELAYED",   "IGNORE",	     "OVERWRITE", "OUTFILE",	  "DUMPFILE",
	"IMMEDIATE", "FULL",	     "FREEZE",	  "VERBOSE",	  NULL,
};

static const char *const list_ends[] = {
	/* no table follows a comma behind these */
	"WHERE", "GROUP",  "ORDER", "HAVING",	 "LIMIT", "WINDOW", "UNION", "INTERSECT", "EXCEPT",
	"MINUS", "OFFSET", "FETCH", "RETURNING", "SET",	  "VALUES", "FOR",   NULL,
};

enum expect {
	EXPECT_NOTHING,
	EXPECT_OBJECT, /* TABLE, INDEX, ... */
	EXPECT_NAME,
	EXPECT_COMMA, /* after which another name comes */
};

struct level {
	enum expect expect;
	bool reads;	  /* FROM and JOIN name tables here */
	bool has_several; /* a comma leads to the next name */
	bool is_source;	  /* the name stands where a function may */
};

struct summary {
	struct fr_buf *out;
	size_t begin_bytes; /* of .out, before the summary */
	enum fr_sql_dialect dialect;
	struct level levels[LEVELS_MAX];
	size_t depth;				/* may exceed LEVELS_MAX */
	struct fr_sql_token pieces[PIECES_MAX]; /* of a name that may go on */
	size_t piece_cnt;
	struct fr_sql_token last[2]; /* the tokens before, newest first */
	bool wants_piece;	     /* a dot was the last of them */
	bool wants_verb;
	bool has_using; /* USING names a table in this statement */
	bool is_grant;
	bool is_full;
};

static bool is_any(const struct fr_sql_token *t, const char *const *words)
{
	for (; *words; words++)
		if (fr_sql_is_word(t, *words))
			return true;
	return false;
}

static bool is_punct(const struct fr_sql_token *t, char c)
{
	return t->kind == FR_SQL_PUNCT && t->token_bytes == 1 && *t->at == (uint8_t)c;
}

static struct level *level_of(struct summary *s)
{
	return &s->levels[s->depth < LEVELS_MAX ? s->depth : LEVELS_MAX - 1];
}

/* ---- writing -------------------------------------------------------------------------------- */

/* A token of the summary, made of parts with dots between; one that doesn't fit ends it. */
static void write_token(struct summary *s, const struct fr_sql_token *parts, size_t part_cnt)
{
	size_t used_bytes = s->out->len_bytes - s->begin_bytes, more_bytes = part_cnt - 1;

	for (size_t i = 0; i < part_cnt; i++)
		more_bytes += parts[i].token_bytes;
	if (used_bytes + !!used_bytes + more_bytes > FR_SQL_SUMMARY_BYTES_MAX)
		s->is_full = true;
	if (s->is_full || s->out->err)
		return;
	if (used_bytes)
		fr_buf_add_char(s->out, ' ');
	for (size_t i = 0; i < part_cnt; i++) {
		if (i)
			fr_buf_add_char(s->out, '.');
		fr_buf_add(s->out, parts[i].at, parts[i].token_bytes);
	}
}

/* ---- names ---------------------------------------------------------------------------------- */

static void expect_name(struct summary *s, bool has_several, bool is_source)
{
	struct level *l = level_of(s);

	l->expect = EXPECT_NAME;
	l->has_several = has_several;
	l->is_source = is_source;
}

static void end_name(struct summary *s)
{
	struct level *l = level_of(s);

	l->expect = l->has_several ? EXPECT_COMMA : EXPECT_NOTHING;
	s->piece_cnt = 0;
	s->wants_piece = false;
}

/* Whether the token still belongs to the name. If not, the name is written. */
static bool continues_name(struct summary *s, const struct fr_sql_token *t)
{
	bool is_function;

	if (!s->piece_cnt)
		return false;
	if (is_punct(t, '.') && !s->wants_piece && s->piece_cnt < PIECES_MAX) {
		s->wants_piece = true;
		return true;
	}
	if (s->wants_piece && (t->kind == FR_SQL_WORD || t->kind == FR_SQL_QUOTED)) {
		s->pieces[s->piece_cnt++] = *t;
		s->wants_piece = false;
		return true;
	}
	/* SQL Server writes hints in parentheses behind a table */
	is_function = is_punct(t, '(') && level_of(s)->is_source && s->dialect != FR_SQL_MSSQL;
	if (!is_function && !s->wants_piece)
		write_token(s, s->pieces, s->piece_cnt);
	end_name(s);
	return false;
}

static void begin_name(struct summary *s, const struct fr_sql_token *t)
{
	s->pieces[0] = *t;
	s->piece_cnt = 1;
}

/* ---- words ---------------------------------------------------------------------------------- */

static void take_verb(struct summary *s, const struct fr_sql_token *t, const struct verb *v)
{
	struct level *l = level_of(s);

	if (!v->is_silent)
		write_token(s, t, 1);
	*l = (struct level){ .reads = fr_sql_is_word(t, "UPDATE") || fr_sql_is_word(t, "DELETE") ||
				      fr_sql_is_word(t, "MERGE") };
	s->wants_verb = v->after == AFTER_VERB;
	s->is_grant = v->after == AFTER_GRANT;
	s->has_using = l->reads && !fr_sql_is_word(t, "UPDATE");
	if (v->after == AFTER_NAME || v->after == AFTER_NAMES)
		expect_name(s, v->after == AFTER_NAMES, false);
	l->has_several = v->after == AFTER_NAMES || v->after == AFTER_OBJECTS;
	if (v->after == AFTER_OBJECT || v->after == AFTER_OBJECTS)
		l->expect = EXPECT_OBJECT;
}

/* Verbs that write can also stand in WITH x AS (...), behind it, and in PREPARE x AS. */
static bool is_inner_verb(const struct summary *s, const struct fr_sql_token *t)
{
	static const char *const inner[] = { "INSERT", "UPDATE", "DELETE", "MERGE", NULL };
	const struct fr_sql_token *before = &s->last[0];

	return is_any(t, inner) &&
	       (is_punct(before, '(') || is_punct(before, ')') || fr_sql_is_word(before, "AS"));
}

static bool takes_as_verb(struct summary *s, const struct fr_sql_token *t)
{
	static const struct verb select = { "SELECT", AFTER_CLAUSES, 0 };
	bool has_using = s->has_using;

	if (fr_sql_is_word(t, "SELECT")) {
		if (s->is_grant)
			return false;
		take_verb(s, t, &select);
		s->has_using = has_using;
		level_of(s)->reads = true;
		return true;
	}
	if ((!s->wants_verb || s->depth) && !is_inner_verb(s, t))
		return false;
	for (const struct verb *v = verbs; v->word; v++) {
		if (!fr_sql_is_word(t, v->word))
			continue;
		take_verb(s, t, v);
		/* EXPLAIN ANALYZE UPDATE */
		s->wants_verb |= fr_sql_is_word(&s->last[0], "EXPLAIN");
		return true;
	}
	return false;
}

static void take_object(struct summary *s, const struct fr_sql_token *t)
{
	bool has_several = level_of(s)->has_several;

	if (is_any(t, objects)) {
		write_token(s, t, 1);
		expect_name(s, has_several, false);
	} else if (!is_any(t, before_object)) {
		level_of(s)->expect = EXPECT_NOTHING;
	}
}

/* A word where a name may stand: TRUNCATE TABLE t, CREATE INDEX IF NOT EXISTS i, UPDATE ONLY t. */
static void take_name(struct summary *s, const struct fr_sql_token *t)
{
	bool behind_verb = fr_sql_is_word(&s->last[0], "TRUNCATE") ||
			   fr_sql_is_word(&s->last[0], "LOCK");

	if (is_any(t, before_name))
		return;
	if (behind_verb && fr_sql_is_word(t, "TABLE"))
		write_token(s, t, 1);
	else if (!fr_sql_is_word(&s->last[0], "INDEX") || !fr_sql_is_word(t, "ON"))
		begin_name(s, t);
}

static void take_clause(struct summary *s, const struct fr_sql_token *t)
{
	struct level *l = level_of(s);
	bool is_comparison = fr_sql_is_word(&s->last[0], "DISTINCT") &&
			     (fr_sql_is_word(&s->last[1], "IS") ||
			      fr_sql_is_word(&s->last[1], "NOT"));

	if (is_any(t, list_ends))
		l->expect = EXPECT_NOTHING;
	if (!l->reads)
		return;
	if (fr_sql_is_word(t, "FROM") && !is_comparison)
		expect_name(s, true, true);
	else if (fr_sql_is_word(t, "JOIN") || fr_sql_is_word(t, "STRAIGHT_JOIN") ||
		 fr_sql_is_word(t, "APPLY"))
		expect_name(s, true, true);
	else if (fr_sql_is_word(t, "INTO"))
		expect_name(s, false, false);
	else if (fr_sql_is_word(t, "USING") && s->has_using)
		expect_name(s, true, true);
}

static void take_word(struct summary *s, const struct fr_sql_token *t)
{
	enum expect expect = level_of(s)->expect;

	if (is_punct(&s->last[0], '.') || takes_as_verb(s, t))
		return;
	/* options of EXPLAIN, also in parentheses; elsewhere a statement that is not known */
	if (s->wants_verb)
		s->wants_verb = s->depth || fr_sql_is_word(&s->last[0], "EXPLAIN") ||
				fr_sql_is_word(&s->last[0], "ANALYZE");
	else if (expect == EXPECT_OBJECT)
		take_object(s, t);
	else if (expect == EXPECT_NAME)
		take_name(s, t);
	else
		take_clause(s, t);
}

/* ---- everything else ------------------------------------------------------------------------ */

static void open_level(struct summary *s)
{
	struct level *outer = level_of(s);
	struct level inner = { 0 };

	/* FROM (a JOIN b ...): names go on inside; but not in JOIN c USING (id) */
	if (outer->expect == EXPECT_NAME && outer->is_source &&
	    !fr_sql_is_word(&s->last[0], "USING"))
		inner = (struct level){ EXPECT_NAME, true, true, true };
	if (outer->expect == EXPECT_NAME)
		outer->expect = outer->has_several ? EXPECT_COMMA : EXPECT_NOTHING;
	if (++s->depth >= LEVELS_MAX)
		inner = (struct level){ 0 };
	*level_of(s) = inner;
}

static void begin_statement(struct summary *s)
{
	s->depth = 0;
	s->levels[0] = (struct level){ 0 };
	s->wants_verb = true;
	s->has_using = s->is_grant = false;
}

static void take_other(struct summary *s, const struct fr_sql_token *t)
{
	struct level *l = level_of(s);

	if (t->kind == FR_SQL_QUOTED && l->expect == EXPECT_NAME)
		begin_name(s, t);
	else if (t->kind == FR_SQL_LITERAL && l->expect == EXPECT_NAME)
		end_name(s);
	else if (is_punct(t, '('))
		open_level(s);
	else if (is_punct(t, ')') && s->depth)
		s->depth--;
	else if (is_punct(t, ',') && l->expect == EXPECT_COMMA)
		l->expect = EXPECT_NAME;
	else if (is_punct(t, ';'))
		begin_statement(s);
}

void fr_sql_summarize(const struct fr_sql_text *in, bool backslash, struct fr_buf *ret_summary)
{
	struct fr_sql_lexer lexer = fr_sql_lexer_of(in->sql.data, in->sql.len_bytes, in->dialect,
						    backslash);
	struct summary s = { .out = ret_summary,
			     .begin_bytes = ret_summary->len_bytes,
			     .dialect = in->dialect };
	struct fr_sql_token t, last = { 0 }, end = { 0 };

	begin_statement(&s);
	for (t = fr_sql_lex(&lexer); t.kind != FR_SQL_END && t.kind != FR_SQL_BAD && !s.is_full;
	     last = t, t = fr_sql_lex(&lexer)) {
		if (t.kind == FR_SQL_SPACE || t.kind == FR_SQL_COMMENT)
			continue;
		/* a word that the end of cut text touches may be the half of one */
		if (in->is_cut && t.kind == FR_SQL_WORD && lexer.at == lexer.end)
			break;
		if (!continues_name(&s, &t)) {
			if (t.kind == FR_SQL_WORD)
				take_word(&s, &t);
			else
				take_other(&s, &t);
		}
		s.last[1] = s.last[0];
		s.last[0] = t;
	}
	if (s.piece_cnt && (!in->is_cut || last.kind == FR_SQL_SPACE))
		continues_name(&s, &end);
}
