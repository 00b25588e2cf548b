/* SPDX-License-Identifier: BSD-2-Clause */
/* SQL without literals: by dialect, cut at every byte, under both settings for backslashes. */
#include "cm.h"

#include <errno.h>
#include <stdio.h>

#include "formats/wire/sql.h"

#define PG FR_SQL_POSTGRESQL
#define MY FR_SQL_MYSQL
#define MS FR_SQL_MSSQL
#define ANY FR_SQL_OTHER

struct result {
	struct fr_buf text, summary;
	struct fr_sql_facts facts;
	int err;
};

/* The text lies alone on the heap, so that sanitizers see a read beyond it. */
static struct result run(enum fr_sql_dialect dialect, bool is_cut, const void *sql, size_t bytes)
{
	struct result r = { .err = 1 };
	uint8_t *copy = malloc(bytes ? bytes : 1);
	struct fr_sql_text in = { { copy, bytes }, dialect, is_cut };

	assert_non_null(copy);
	if (bytes)
		memcpy(copy, sql, bytes);
	r.err = fr_sql_normalize(&in, &r.text, &r.summary, &r.facts);
	free(copy);
	assert_int_equal(r.text.err | r.summary.err, 0);
	assert_true(r.summary.len_bytes <= FR_SQL_SUMMARY_BYTES_MAX);
	fr_buf_add_char(&r.text, 0);
	fr_buf_add_char(&r.summary, 0);
	return r;
}

static void done(struct result *r)
{
	fr_buf_done(&r->text);
	fr_buf_done(&r->summary);
}

struct example {
	enum fr_sql_dialect dialect;
	const char *sql, *text, *summary;
};

static void check(const struct example *e, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		struct result r = run(e[i].dialect, false, e[i].sql, strlen(e[i].sql));

		if (r.err || strcmp((char *)r.text.data, e[i].text) ||
		    (e[i].summary && strcmp((char *)r.summary.data, e[i].summary)))
			print_message("%s\n  -> %d %s\n  -> %s\n", e[i].sql, r.err,
				      (char *)r.text.data, (char *)r.summary.data);
		assert_int_equal(r.err, 0);
		assert_string_equal((char *)r.text.data, e[i].text);
		if (e[i].summary)
			assert_string_equal((char *)r.summary.data, e[i].summary);
		done(&r);
	}
}
#define CHECK(...)                                                                                 \
	check((const struct example[]){ __VA_ARGS__ },                                             \
	      sizeof((const struct example[]){ __VA_ARGS__ }) / sizeof(struct example))

/* ---- literals -------------------------------------------------------------------------------- */

static void literals_of_postgresql(void **state)
{
	(void)state;
	CHECK({ PG, "SELECT 'a''b', E'a\\'b', e'\\\\', U&'\\0041' , B'01', x'fF', N'n'",
		"SELECT ?, ?, ?, ? , ?, ?, ?", "SELECT" },
	      { PG, "SELECT $$a'b$$, $t_1$ $$ $t$ $t_1$, a$b$c$b$", "SELECT ?, ?, a$b$c$b$", 0 },
	      { PG, "SELECT 'C:\\', 'x'", "SELECT ?, ?", 0 },
	      { PG, "SELECT a LIKE 'x' ESCAPE '\\' AND b = 'y'",
		"SELECT a LIKE ? ESCAPE ? AND b = ?", 0 },
	      { PG, "SELECT E'a'\n  'b\\'c', d", "SELECT ?\n  ?, d", 0 },
	      { PG, "SELECT E'a' -- x\n -- y\n 'b\\'c', d", "SELECT ? \n \n ?, d", 0 },
	      { PG, "SELECT E'a' 'b\\', d", "SELECT ? ?, d", 0 },
	      { PG, "SELECT E'a' /* */ \n 'b\\', d", "SELECT ?  \n ?, d", 0 },
	      { PG, "SELECT '5'::int, $1::text, $12, a[1:2], b[:n], @-5, j->'k'->>-1, p #> '{a}'",
		"SELECT ?::int, $1::text, $12, a[?:?], b[:n], @?, j->?->>?, p #> ?", 0 },
	      { PG, "SELECT DATE '2020-01-01', interval'1 day', U&\"d\\0061\", \"a\"\"5\".x",
		"SELECT DATE ?, interval?, U&\"d\\0061\", \"a\"\"5\".x", 0 },
	      { PG, "SELECT 1$$x$$, $1$$x$$", "SELECT ??, $1?", 0 });
}

static void literals_of_mysql(void **state)
{
	(void)state;
	CHECK({ MY,
		"SELECT \"a\\\"b\", \"c\"\"d\", 'it\\'s', `a``5`, _utf8mb4'x', X'00', 0b01, \\N",
		"SELECT ?, ?, ?, `a``5`, _utf8mb4?, ?, ?, \\N", 0 },
	      { MY, "SELECT 5--1, 5-- 1\n, 6 # '\n, @v, @@global.x, @'q'",
		"SELECT ?-?, ?\n, ? \n, @v, @@global.x, @?", 0 },
	      { MY, "SELECT /*! 1 */ /* /* */ a$1, $b, ? FROM t", "SELECT   a$1, $b, ? FROM t",
		0 });
}

static void literals_of_others(void **state)
{
	(void)state;
	CHECK({ MS, "SELECT N'a', [a]]5 b], \"c 5\", #t, @p, 'C:\\', 'x', :n",
		"SELECT ?, [a]]5 b], \"c 5\", #t, @p, ?, ?, :n", 0 },
	      { ANY, "SELECT q'[it's]', nq'{a'}b}', \"s\", [col one], a[i + 5], ['s'], $n, `a`",
		"SELECT ?, ?, ?, [col one], a[i + ?], [?], $n, `a`", 0 },
	      { ANY, "SELECT 5--1\n FROM #t\n -- don't", "SELECT ?\n FROM #t\n ", 0 },
	      { ANY, "SELECT t.5, 1.5.6, 1e5-3, 0xfe-1, 10n, a-1, b - 1",
		"SELECT t.?, ?, ??, ??, ?, a?, b - ?", 0 });
}

static void booleans(void **state)
{
	(void)state;
	CHECK({ PG, "SELECT true, FALSE, a IS TRUE, b IS NOT false, NOT true, t.true, truely, NULL",
		"SELECT ?, ?, a IS TRUE, b IS NOT false, NOT ?, t.true, truely, NULL", 0 });
}

static void comments(void **state)
{
	(void)state;
	CHECK({ PG, "SELECT/* 'x */a/**/,b--y\n-/**/-c /* a /* b */ ' */ FROM \"t\"/**/\"u\"",
		"SELECT a,b\n- -c  FROM \"t\" \"u\"", 0 },
	      { PG, "SELECT 1/**/2, a/**/'x', (/**/(", "SELECT ??, a?, ((", 0 },
	      { PG, "SELECT a -- x\r, 'b'", "SELECT a \r, ?", 0 },
	      { PG, "SELECT a /* x", "SELECT a ", 0 });
}

/* ---- what is doubtful, what is wrong -------------------------------------------------------- */

static void other_setting_for_backslashes(void **state)
{
	static const struct {
		enum fr_sql_dialect dialect;
		bool is_cut;
		const char *sql, *text, *summary;
		bool is_hidden;
	} cases[] = {
		/* the usual setting is the only one that makes sense of the whole */
		{ PG, false, "SELECT 'C:\\', 'x' FROM t", "SELECT ?, ? FROM t", "SELECT t", false },
		{ MY, false, "SELECT 'it\\'s', 'x' FROM t", "SELECT ?, ? FROM t", "SELECT t",
		  false },
		{ MY, false, "SELECT 'don\\'t', 'don\\'t' FROM t", "SELECT ?, ? FROM t", "SELECT t",
		  false },
		/* the other one is, or both, or the text goes on: not a byte of what follows */
		{ PG, false, "SELECT 'it\\'s', b FROM t", "SELECT ?", "SELECT", true },
		{ PG, false, "SELECT 'it\\'s', '-- x', b FROM t", "SELECT ?", "SELECT", true },
		{ MY, false, "SELECT 'C:\\', 'x' FROM t", "SELECT ?", "SELECT", true },
		{ PG, true, "SELECT 'C:\\', 'x' FROM t", "SELECT ?", "SELECT", true },
		{ MY, true, "SELECT 'it\\'s', 'x' FROM t", "SELECT ?", "SELECT", true },
		{ ANY, false, "SELECT 'C:\\', 'x' FROM t", "SELECT ?", "SELECT", true },
		{ MS, true, "SELECT 'C:\\', 'x' FROM t ", "SELECT ?, ? FROM t ", "SELECT t",
		  false },
		{ PG, true, "SELECT E'it\\'s' FROM t ", "SELECT ? FROM t ", "SELECT t", false },
		{ PG, true, "SELECT 'a\\\\' FROM t ", "SELECT ? FROM t ", "SELECT t", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct result r = run(cases[i].dialect, cases[i].is_cut, cases[i].sql,
				      strlen(cases[i].sql));

		assert_int_equal(r.err, 0);
		assert_string_equal((char *)r.text.data, cases[i].text);
		assert_string_equal((char *)r.summary.data, cases[i].summary);
		assert_int_equal(r.facts.has_rest_hidden, cases[i].is_hidden);
		done(&r);
	}
}

static void no_sql_gives_no_text(void **state)
{
	static const struct {
		enum fr_sql_dialect dialect;
		const char *sql, *summary;
		size_t sql_bytes;
	} cases[] = {
		{ PG, "SELECT a FROM t \0 b", "SELECT t", 19 },
		{ PG, "SELECT a FROM t WHERE \\x", "SELECT t", 24 },
		{ PG, "SELECT $x 1", "SELECT", 11 },
		{ PG, "SELECT `a`", "SELECT", 10 },
		{ MS, "SELECT `a`", "SELECT", 10 },
		{ MY, "\x01\x02SELECT a FROM t", "", 17 },
		{ PG, "SELECT 'it\\'s \\ x' FROM t", "SELECT", 25 },
		/* a comment in one dialect and none in another, with a quote in it */
		{ ANY, "SELECT a FROM t # don't", "SELECT t", 23 },
		{ ANY, "SELECT a FROM t # # '", "SELECT t", 21 },
		{ ANY, "SELECT a, 5--'x'", "SELECT", 16 },
		{ ANY, "SELECT a FROM t /* /* */ 'b */ c'", "SELECT t", 33 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct result r = run(cases[i].dialect, false, cases[i].sql, cases[i].sql_bytes);

		assert_int_equal(r.err, -EILSEQ);
		assert_string_equal((char *)r.text.data, "");
		assert_string_equal((char *)r.summary.data, cases[i].summary);
		assert_false(r.facts.has_parent);
		done(&r);
	}
}

/* ---- cut at every byte ---------------------------------------------------------------------- */

/* Z and 7 stand in literals only, and every literal has one of them. */
static const struct {
	enum fr_sql_dialect dialect;
	const char *sql;
} nasty[] = {
	{ PG, "SELECT E'Z\\'Z''Z\\\\', e'\\Z' FROM t WHERE a = 'Z''Z' AND b IN (7, -7.7e-7, +.7)" },
	{ PG, "SELECT $$Z'Z$$, $Z$Z$$Z$, $Z_Z$'Z$Z_Z$, $1, a$b FROM t" },
	{ PG, "SELECT U&'Z\\Z' UESCAPE 'Z', B'7', X'7Z', N'Z', DATE 'Z' , 'Z'::text FROM \"t" },
	{ PG, "SELECT E'Z'\n\t'Z\\'Z' -- Z'Z\n 'Z\\'Z', 7 /* Z ' /* Z */ ' Z */, 'Z' FROM t" },
	{ PG, "SELECT 'C:\\Z\\', 'Z', '\\', 'Z\\\\' , 'Z' LIKE 'Z' ESCAPE '\\' , 'Z'" },
	{ PG, "INSERT INTO t(a, b) VALUES (7.7, '{\"Z\": \"Z\"}'), (-7, $Z$ Z $Z$) RETURNING c" },
	{ PG, "COPY t FROM STDIN; SET x TO 'Z'; ALTER USER u PASSWORD 'Z'; SELECT 7-7--7\n+7" },
	{ PG, "SELECT a[7:7], b[-7], :n, j->'Z'->>7, x @> '{Z}', 1$$Z$$, $1$$Z$$, 77Z, 7_7" },
	{ MY, "SELECT \"Z\\\"Z\"\"Z\", 'Z\\'Z''Z', \"Z'Z\", "
	  "'Z\"Z' FROM `t``u` WHERE a=7 # Z'Z\n OR b='Z'" },
	{ MY, "SELECT 7--7, 7-- Z'\n, 0x7Z, X'77', b'7', _utf8'Z', @'Z', 1e-7, "
	  "/*! 'Z' */ N'Z' FROM t" },
	{ MY, "INSERT INTO t VALUES ('Z\\\\', 'Z\\\\\\'Z', 'Z\\Z', \"\\\\\", 'Z')" },
	{ MS, "SELECT N'Z''Z', 'Z\\', [a]]b c], \"d\", 0x7Z, $7.7, -$7, $-7, $, "
	  "\xe2\x82\xac" "7.7, 'Z' FROM [t] WHERE x = @p AND y=-7" },
	{ ANY, "SELECT 'Z', \"Z\", q'[Z'Z]', nQ'!Z'Z!', Q'(Z)', $Z$Z'Z$Z$, [a b], "
	  "['Z', 7], `c` FROM t" },
	{ ANY, "SELECT 'Z\\', 'Z', \"Z\\\"Z\", e'Z\\'Z', n'Z', u&'Z', 7.Z, .7, 7., +7, -7 FROM t" },
	{ ANY, "SELECT /* Z ' */ 'Z' -- Z\n, 7/* 'Z */'Z'/**/7, {d 'Z'}, {ts 'Z'}, "
	  "ARRAY['Z'][7] " },
}, unusual[] = { /* written for the setting that the dialect usually hasn't */
	{ PG, "SELECT 'Z\\'Z', 'Z' FROM t WHERE a = 'Z\\'; Z' OR b = 7" },
	{ PG, "SELECT '\\'Z', '-- ', 'Z' FROM t" },
	{ MY, "SELECT 'Z\\', 'Z', \"\\\", 'Z' FROM t WHERE a = '\\\\\\' OR b = 'Z'" },
};

static void no_byte_of_a_literal(const char *sql, size_t bytes, const struct fr_buf *shown)
{
	for (size_t k = 0; k < shown->len_bytes; k++) {
		if (shown->data[k] != 'Z' && shown->data[k] != '7')
			continue;
		print_message("%.*s\n  -> %s\n", (int)bytes, sql, (const char *)shown->data);
		fail();
	}
}

static int check_cut(enum fr_sql_dialect dialect, bool is_cut, const char *sql, size_t bytes)
{
	struct result r = run(dialect, is_cut, sql, bytes);
	int err = r.err;

	no_byte_of_a_literal(sql, bytes, &r.text);
	no_byte_of_a_literal(sql, bytes, &r.summary);
	done(&r);
	return err;
}

static void cut_at_every_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(nasty) / sizeof(*nasty); i++)
		for (size_t bytes = 0; bytes <= strlen(nasty[i].sql); bytes++)
			for (int cut = 0; cut < 2; cut++)
				assert_int_equal(
					check_cut(nasty[i].dialect, cut, nasty[i].sql, bytes), 0);
}

/* Here who cuts must say so: 'a\' alone is whole under the usual setting. */
static void cut_under_the_unusual_setting(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(unusual) / sizeof(*unusual); i++) {
		for (size_t bytes = 0; bytes <= strlen(unusual[i].sql); bytes++)
			check_cut(unusual[i].dialect, true, unusual[i].sql, bytes);
		check_cut(unusual[i].dialect, false, unusual[i].sql, strlen(unusual[i].sql));
	}
}

static void tails(void **state)
{
	static const struct {
		const char *sql, *text, *summary;
	} cases[] = {
		{ "SELECT a FROM cust", "SELECT a FROM cust", "SELECT" },
		{ "SELECT a FROM cust ", "SELECT a FROM cust ", "SELECT cust" },
		{ "SELECT a FROM cust c, ord", "SELECT a FROM cust c, ord", "SELECT cust" },
		{ "SELECT a FROM s.", "SELECT a FROM s.", "SELECT" },
		{ "SELECT a FROM cust WHE", "SELECT a FROM cust WHE", "SELECT cust" },
		{ "SELEC", "SELEC", "" },
		{ "SELECT a FROM \"cu", "SELECT a FROM ?", "SELECT" },
		{ "SELECT -", "SELECT ?", "SELECT" },
		{ "SELECT -.", "SELECT ?", "SELECT" },
		{ "SELECT .", "SELECT ?", "SELECT" },
		{ "SELECT $", "SELECT ?", "SELECT" },
		{ "SELECT $ta", "SELECT ?", "SELECT" },
		{ "SELECT 1e", "SELECT ?", "SELECT" },
		{ "", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct result r = run(PG, true, cases[i].sql, strlen(cases[i].sql));

		assert_int_equal(r.err, 0);
		assert_string_equal((char *)r.text.data, cases[i].text);
		assert_string_equal((char *)r.summary.data, cases[i].summary);
		done(&r);
	}
}

/* ---- summaries ------------------------------------------------------------------------------ */

static void check_summary(const char *const (*pairs)[2], size_t cnt, enum fr_sql_dialect dialect)
{
	for (size_t i = 0; i < cnt; i++) {
		struct result r = run(dialect, false, pairs[i][0], strlen(pairs[i][0]));

		if (strcmp((char *)r.summary.data, pairs[i][1]))
			print_message("%s\n", pairs[i][0]);
		assert_string_equal((char *)r.summary.data, pairs[i][1]);
		done(&r);
	}
}
#define SUMMARIES(dialect, ...)                                                                    \
	check_summary((const char *const[][2]){ __VA_ARGS__ },                                     \
		      sizeof((const char *const[][2]){ __VA_ARGS__ }) / sizeof(char *[2]),         \
		      dialect)

static void summaries_of_queries(void **state)
{
	(void)state;
	SUMMARIES(PG,
		  { "SELECT * FROM a, b.c AS x, (SELECT 1 FROM d) y, e",
		    "SELECT a b.c SELECT d e" },
		  { "SELECT EXTRACT(YEAR FROM x), substring(y FROM 2) FROM t", "SELECT t" },
		  { "SELECT a IS DISTINCT FROM b, c IS NOT DISTINCT FROM d FROM t", "SELECT t" },
		  { "SELECT * FROM f(1) g LEFT JOIN LATERAL (SELECT 1 FROM q) s ON true JOIN ONLY r"
		    " USING (id)",
		    "SELECT SELECT q r" },
		  { "SELECT * FROM (a JOIN b ON a.x = b.x), c WHERE d IN (1, 2)", "SELECT a b c" },
		  { "SELECT a FROM t UNION ALL (SELECT b FROM u) ORDER BY 1, 2",
		    "SELECT t SELECT u" },
		  { "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.from = t.select)",
		    "SELECT t SELECT u" },
		  { "WITH x AS (DELETE FROM t RETURNING *) INSERT INTO u SELECT * FROM x",
		    "DELETE t INSERT u SELECT x" },
		  { "SELECT * FROM \"song list\", 'artists', x", "SELECT \"song list\" x" },
		  { "SELECT a INTO b FROM \"S\" . \"T\"", "SELECT b \"S\".\"T\"" },
		  { "SELECT a FROM t FOR UPDATE OF t, u", "SELECT t" }, { "(SELECT 1)", "SELECT" },
		  { "TABLE t", "TABLE t" }, { "VALUES (1, 'x')", "VALUES" },
		  { "hunter2 is FROM x", "" });
}

static void summaries_of_changes(void **state)
{
	(void)state;
	SUMMARIES(PG, { "UPDATE ONLY t SET a = 1 FROM b WHERE c", "UPDATE t b" },
		  { "DELETE FROM a USING b, c JOIN d USING (id) WHERE x", "DELETE a b c d" },
		  { "MERGE INTO t AS x USING s ON a = b WHEN MATCHED THEN UPDATE SET c = 1",
		    "MERGE t s" },
		  { "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 2", "INSERT t" },
		  { "BEGIN; UPDATE a SET b = 1; COMMIT", "BEGIN UPDATE a COMMIT" },
		  { "EXPLAIN (ANALYZE, BUFFERS) UPDATE t SET a = 1", "EXPLAIN UPDATE t" },
		  { "EXPLAIN ANALYZE SELECT * FROM t", "EXPLAIN ANALYZE SELECT t" },
		  { "CREATE TABLE IF NOT EXISTS s.t (a int REFERENCES u ON DELETE CASCADE)",
		    "CREATE TABLE s.t" },
		  { "CREATE TEMP TABLE x AS SELECT * FROM y", "CREATE TABLE x SELECT y" },
		  { "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)", "CREATE INDEX i" },
		  { "CREATE INDEX ON t (a)", "CREATE INDEX t" },
		  { "DROP TABLE IF EXISTS a, b CASCADE", "DROP TABLE a b" },
		  { "TRUNCATE a, b", "TRUNCATE a b" },
		  { "TRUNCATE TABLE ONLY a", "TRUNCATE TABLE a" },
		  { "ALTER USER u PASSWORD 'x'", "ALTER USER u" },
		  { "GRANT SELECT, UPDATE ON t TO u", "GRANT" }, { "CALL p(1, 'x')", "CALL p" },
		  { "COPY t (a) FROM STDIN", "COPY t" }, { "VACUUM FULL t", "VACUUM t" },
		  { "PREPARE p AS UPDATE t SET a = $1", "PREPARE UPDATE t" },
		  { "SET x = 'y'", "SET" });
	SUMMARIES(MY,
		  { "INSERT IGNORE INTO `a b`.t VALUES (1) ON DUPLICATE KEY UPDATE a = 1",
		    "INSERT `a b`.t" },
		  { "UPDATE a, b SET a.x = b.y", "UPDATE a b" },
		  { "REPLACE INTO t SELECT REPLACE(a, 'x', 'y') FROM u", "REPLACE t SELECT u" },
		  { "LOCK TABLES a READ, b WRITE", "LOCK a b" });
	SUMMARIES(MS, { "EXEC @r = dbo.[my proc] @p = 5", "EXEC dbo.[my proc]" },
		  { "SELECT * FROM t (NOLOCK), #tmp", "SELECT t #tmp" });
}

static void summary_ends_between_tokens(void **state)
{
	char sql[2048] = "SELECT a FROM ", *p = sql + strlen(sql), want[256];
	struct result r;

	(void)state;
	for (int i = 0; i < 100; i++)
		p += snprintf(p, sizeof(sql) - (size_t)(p - sql), "%stable%03d", i ? ", " : "", i);
	r = run(PG, false, sql, strlen(sql));
	/* "SELECT" and 27 names of 8 bytes are 249 bytes; the next would make 258 */
	p = want + snprintf(want, sizeof(want), "SELECT");
	for (int i = 0; i < 27; i++)
		p += snprintf(p, sizeof(want) - (size_t)(p - want), " table%03d", i);
	assert_string_equal((char *)r.summary.data, want);
	done(&r);
	/* a name that alone is too long */
	memset(sql + 14, 'x', 300);
	sql[314] = 0;
	r = run(PG, false, sql, strlen(sql));
	assert_string_equal((char *)r.summary.data, "SELECT");
	assert_string_equal((char *)r.text.data, sql);
	done(&r);
}

/* ---- trace context in comments -------------------------------------------------------------- */

#define PARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static void parent_in_a_comment(void **state)
{
	static const struct {
		const char *sql;
		bool has_parent;
	} cases[] = {
		{ "SELECT 1 /*traceparent='" PARENT "'*/", true },
		{ "SELECT 1 /*action='a\\'b',traceparent='" PARENT "', x='y'*/ ; ", true },
		{ "SELECT 1 -- traceparent='" PARENT "'\n", true },
		{ "SELECT 1 /* a='b' */ /*traceparent='" PARENT "'*/ -- x", true },
		{ "SELECT 1 /*traceparent='" PARENT "'", true },
		{ "SELECT 1 /*traceparent='" PARENT, false },
		{ "SELECT 1 /*traceparent='" PARENT "'*/ + 1", false },
		{ "SELECT 1 "
		  "/*traceparent='00-00000000000000000000000000000000-b7ad6b7169203331-01'*/",
		  false },
		{ "SELECT 1 /*traceparent='" PARENT "',traceparent='" PARENT "'*/", false },
		{ "SELECT 1 /*traceparent='" PARENT "'*//*traceparent='" PARENT "'*/", false },
		{ "SELECT 1 /*x='traceparent=',y='" PARENT "'*/", false },
		{ "SELECT 1 /* get it, traceparent='" PARENT "'*/", false },
		{ "SELECT '/*traceparent=''" PARENT "''*/'", false },
		{ "SELECT 1", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct result r = run(PG, false, cases[i].sql, strlen(cases[i].sql));

		if (r.facts.has_parent != cases[i].has_parent)
			print_message("%s\n", cases[i].sql);
		assert_int_equal(r.facts.has_parent, cases[i].has_parent);
		if (cases[i].has_parent) {
			assert_int_equal(r.facts.parent.trace_id[0], 0x0a);
			assert_int_equal(r.facts.parent.parent_id[7], 0x31);
			assert_null(strstr((char *)r.text.data, "traceparent"));
		}
		done(&r);
	}
}

/* ---- buffers and time ----------------------------------------------------------------------- */

static void appends_and_leaves_out(void **state)
{
	struct fr_buf text = { 0 }, summary = { 0 };
	struct fr_sql_facts facts;
	struct fr_sql_text in = { { (const uint8_t *)"SELECT 'x' FROM t", 17 }, PG, false };
	struct fr_sql_text bad = { { (const uint8_t *)"SELECT 'x' \\ FROM t", 19 }, PG, false };

	(void)state;
	fr_buf_add_str(&text, "before ");
	fr_buf_add_str(&summary, "ahead ");
	assert_int_equal(fr_sql_normalize(&bad, &text, NULL, &facts), -EILSEQ);
	assert_int_equal(text.len_bytes, 7);
	assert_int_equal(fr_sql_normalize(&in, &text, NULL, &facts), 0);
	assert_int_equal(facts.literal_cnt, 1);
	assert_int_equal(fr_sql_normalize(&in, NULL, &summary, &facts), 0);
	assert_int_equal(facts.literal_cnt, 1);
	assert_memory_equal(text.data, "before SELECT ? FROM t", 22);
	assert_memory_equal(summary.data, "ahead SELECT t", 14);
	assert_int_equal(text.len_bytes, 22);
	assert_int_equal(summary.len_bytes, 14);
	fr_buf_done(&text);
	fr_buf_done(&summary);
}

/* With time growing as the square these would take hours. */
static void long_texts_take_linear_time(void **state)
{
	static const char *const parts[] = {
		"[",   "[a ", "$a", "$a$", "$",	 "/*",	 "*/",	    "'\\'",	"'",
		"\"",  "`",   "-",  "(",   "a.", "q'",	 "E'\\",    "/*a='b',", "SELECT(",
		", b", "1e",  "U&", "@",   ":a", "--\n", "FROM a,", "?",
	};
	size_t sql_bytes = 1 << 20;
	char *sql = malloc(sql_bytes);

	(void)state;
	assert_non_null(sql);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		size_t part_bytes = strlen(parts[i]);

		for (size_t k = 0; k < sql_bytes; k++)
			sql[k] = parts[i][k % part_bytes];
		for (int d = ANY; d <= MS; d++) {
			struct result r = run((enum fr_sql_dialect)d, false, sql, sql_bytes);

			assert_true(r.err == 0 || r.err == -EILSEQ);
			done(&r);
		}
	}
	free(sql);
}

static void dialects_by_name(void **state)
{
	(void)state;
	assert_int_equal(fr_sql_dialect_of((struct fr_slice){ (const uint8_t *)"postgresql", 10 }),
			 PG);
	assert_int_equal(fr_sql_dialect_of((struct fr_slice){ (const uint8_t *)"mariadb", 7 }), MY);
	assert_int_equal(fr_sql_dialect_of((struct fr_slice){ (const uint8_t *)"other_sql", 9 }),
			 ANY);
	assert_int_equal(fr_sql_dialect_of((struct fr_slice){ NULL, 0 }), ANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literals_of_postgresql),
		cmocka_unit_test(literals_of_mysql),
		cmocka_unit_test(literals_of_others),
		cmocka_unit_test(booleans),
		cmocka_unit_test(comments),
		cmocka_unit_test(other_setting_for_backslashes),
		cmocka_unit_test(no_sql_gives_no_text),
		cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(cut_under_the_unusual_setting),
		cmocka_unit_test(tails),
		cmocka_unit_test(summaries_of_queries),
		cmocka_unit_test(summaries_of_changes),
		cmocka_unit_test(summary_ends_between_tokens),
		cmocka_unit_test(parent_in_a_comment),
		cmocka_unit_test(appends_and_leaves_out),
		cmocka_unit_test(long_texts_take_linear_time),
		cmocka_unit_test(dialects_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
