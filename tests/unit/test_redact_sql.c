/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Statements without literals at their places: normalised they give what the statement itself
 * gives, and no byte of a literal is left.
 */
#include "cm.h"

#include "formats/redact/mask.h"
#include "formats/wire/sql.h"

#include <stdio.h>

#define TEXT_MAX 2048

static const struct fr_redact_rules standard = { .level = FR_REDACT_STANDARD };
static const struct fr_redact_rules strict = { .level = FR_REDACT_STRICT };

static void redact(const struct fr_redact_rules *rules, const char *sql, size_t cnt,
		   enum fr_sql_dialect dialect, bool whole, char *ret)
{
	static uint8_t why[TEXT_MAX];
	struct fr_mask m = {
		.in = (const uint8_t *)sql, .out = (uint8_t *)ret, .why = why, .len_bytes = cnt
	};

	memset(ret, '?', cnt);
	memset(why, FR_REMOVED_UNKNOWN, cnt);
	fr_mask_sql(rules, &m, dialect, whole);
}

static void normalize(const char *sql, size_t cnt, enum fr_sql_dialect dialect, bool cut,
		      char *ret_text, char *ret_summary)
{
	struct fr_sql_text in = { .sql = { (const uint8_t *)sql, cnt },
				  .dialect = dialect,
				  .is_cut = cut };
	struct fr_buf text = { 0 }, summary = { 0 };
	struct fr_sql_facts facts;
	int err = fr_sql_normalize(&in, &text, &summary, &facts);

	snprintf(ret_text, TEXT_MAX, "%.*s%s", (int)text.len_bytes,
		 text.data ? (const char *)text.data : "", err ? "(no SQL)" : "");
	snprintf(ret_summary, TEXT_MAX, "%.*s", (int)summary.len_bytes,
		 summary.data ? (const char *)summary.data : "");
	fr_buf_done(&text);
	fr_buf_done(&summary);
}

static void check_same(const char *sql, size_t cnt, enum fr_sql_dialect dialect, bool whole)
{
	static char left[TEXT_MAX], text[2][TEXT_MAX], summary[2][TEXT_MAX];

	redact(&standard, sql, cnt, dialect, whole, left);
	normalize(sql, cnt, dialect, !whole, text[0], summary[0]);
	normalize(left, cnt, dialect, !whole, text[1], summary[1]);
	/* where a table may be called TRUE, the summary shows it and the text doesn't */
	if (strcmp(text[0], text[1]) ||
	    (strcmp(summary[0], summary[1]) && !strstr(summary[0], "TRUE")))
		fail_msg("%.*s\nbecame\n%.*s\n%s\nis not\n%s\n%s is not %s", (int)cnt, sql,
			 (int)cnt, left, text[0], text[1], summary[0], summary[1]);
}

static const char *const statements[] = {
	"SELECT * FROM t WHERE a = 'x' AND b = 12",
	"SELECT E'a\\'b' , 'c' , e'\\\\' FROM t",
	"SELECT 'a' 'b'\n'c' FROM t",
	"SELECT E'a'\n'b\\'c' , 'd' FROM t",
	"SELECT $$a$$, $x$b$$c$x$ FROM t WHERE d = $1",
	"SELECT 'a'$$b$$, 'c'$x$d FROM t",
	"SELECT U&$x$a$x$, 1 FROM t",
	"SELECT U&'d\\0061t' UESCAPE '!', N'x', B'01', X'1F' FROM \"Ta\"\"ble\"",
	"SELECT -1, +2, 1.5e-3, .5, 5., 0x1f, 1_000, a-1, a - -1 FROM t",
	"SELECT TRUE, false, x IS NOT TRUE, y IS FALSE, t.true FROM t",
	"SELECT a FROM t -- it's\nWHERE b = 'x' /* and 'y' */ AND c = 1",
	"SELECT 1 /*traceparent='00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'*/",
	"INSERT INTO s.t (a, b) VALUES ('x', 1), ('y''z', 2) RETURNING id",
	"SELECT 'a\\' , 'b' FROM t",
	"SELECT a LIKE 'x' ESCAPE '\\' FROM t WHERE b = 'y'",
	"SELECT \"a' b\", `c' d` FROM t # it's\n WHERE e = 'f'",
	"SELECT /*! STRAIGHT_JOIN */ a FROM t WHERE b = \"c\\\"d\"",
	"SELECT ? , :name, @var, @@x, a::int, b[1], c->>'d', e @> '{}' FROM t",
	"SELECT '",
	"'",
	"SELECT \"a",
	"SELECT $a",
	"SELECT 1;",
	"",
	" ",
	"SELECT 'a'--x",
	"CREATE USER u PASSWORD 'p'; ALTER ROLE r PASSWORD E'q'",
	"SELECT 1 FROM t WHERE a IN (1,2,3) AND b BETWEEN 1AND 2",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void normalised_text_stays(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(statements); i++)
		for (unsigned form = 0; form < 4; form++)
			check_same(statements[i], strlen(statements[i]),
				   form & 1 ? FR_SQL_MYSQL : FR_SQL_POSTGRESQL, form & 2);
}

static void cut_text_stays(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(statements); i++)
		for (size_t cnt = 0; cnt < strlen(statements[i]); cnt++)
			for (unsigned form = 0; form < 2; form++)
				check_same(statements[i], cnt,
					   form & 1 ? FR_SQL_MYSQL : FR_SQL_POSTGRESQL, false);
}

/* Pieces of SQL in any order, as no program would send them. */
static void any_text_stays(void **state)
{
	static const char *const pieces[] = {
		"SELECT ", "a",	   " FROM t ", "'x'",  "'it''s'", "E'a\\'b'", "$$d$$",
		"$t$e$t$", "12",   "-1.5",     " ",    "\n",	  "/* c */",  "-- l\n",
		"\"q\"",   "`n`",  "$1",       "?",    ",",	  "(",	      ")",
		";",	   "TRUE", " IS NOT ", "b'1'", "0x1",	  ".5",	      " t.",
		"::int",   "'\\'", "\\",       "#",    "WHERE ",  "=",	      " AND ",
		"'u\\\\'", "n'z'", "U&'y'",    "+",    "@v",
	};
	char sql[TEXT_MAX];
	uint32_t random = 1;
	size_t cnt;

	(void)state;
	for (unsigned round = 0; round < 60000; round++) {
		cnt = 0;
		sql[0] = 0;
		for (unsigned i = 0; i < 9; i++) {
			random = random * 1664525 + 1013904223;
			cnt += (size_t)snprintf(sql + cnt, sizeof(sql) - cnt, "%s",
						pieces[(random >> 16) % COUNT(pieces)]);
		}
		check_same(sql, cnt, round & 1 ? FR_SQL_MYSQL : FR_SQL_POSTGRESQL, round & 2);
	}
}

/* Strict: the summary of what is left is the statement's. */
static void the_summary_stays(void **state)
{
	static const char *const cases[] = {
		"SELECT a, b FROM users u JOIN \"Orders\" o ON u.id = o.uid WHERE x = 'y'",
		"INSERT INTO shop.items (a) SELECT b FROM c WHERE d = 5",
		"UPDATE t SET a = 'b' WHERE c = 1",
		"DELETE FROM t WHERE a IN (SELECT b FROM u)",
		"CREATE TABLE IF NOT EXISTS t (a int)",
		"DROP INDEX i",
		"WITH x AS (SELECT a FROM t) SELECT b FROM x, y",
		"BEGIN",
		"TRUNCATE a, b",
		"EXPLAIN ANALYZE SELECT a FROM t",
		"GRANT SELECT ON t TO bob",
		"COPY t FROM STDIN",
	};
	static char left[TEXT_MAX], text[TEXT_MAX], summary[2][TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		redact(&strict, cases[i], strlen(cases[i]), FR_SQL_POSTGRESQL, true, left);
		normalize(cases[i], strlen(cases[i]), FR_SQL_POSTGRESQL, false, text, summary[0]);
		normalize(left, strlen(cases[i]), FR_SQL_POSTGRESQL, false, text, summary[1]);
		if (strcmp(summary[0], summary[1]))
			fail_msg("%s\nbecame %s\n%s is not %s", cases[i], text, summary[0],
				 summary[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normalised_text_stays),
		cmocka_unit_test(cut_text_stays),
		cmocka_unit_test(any_text_stays),
		cmocka_unit_test(the_summary_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
