/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SQL without literals. First byte: dialect and whether the text is cut; the rest is
 * - any text: what comes out is not longer, and comes out of another round as it is;
 * - or a list of pieces to make a text of, cut at some place. Z stands in literals and comments
 * only: it must not come out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/wire/sql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* E'' has a comma behind it: a string on the next line would go on with it. */
static const char *const pieces[4][20] = {
	[FR_SQL_OTHER] = { "'Z'",      "'Z''Z'", "\"Z'Z\"", "q'[Z'Z]'", "$$Z'$$",
			   "$Z$'Z$Z$", "+7.Z",	 "`a'b`",   "[a b]",	"/* Z' Z */",
			   "-- 'Z\n",  "'\\'",	 "'Z\\'",   "SELECT",	"FROM",
			   "a.b",      ",",	 "(",	    ")",	"-" },
	[FR_SQL_POSTGRESQL] = { "'Z'",	   "'Z''Z'", "E'Z\\'Z',", "$$Z'$$", "$Z$'Z$Z$",
				"U&'Z\\'", "7Z",     "\"a'b\"",	  "$1",	    "/* Z' /* Z */ Z */",
				"-- 'Z\n", "'\\'",   "'Z\\'",	  "SELECT", "FROM",
				"a.b",	   ",",	     "(",	  ")",	    "ESCAPE" },
	[FR_SQL_MYSQL] = { "'Z'",     "'Z''Z'", "'Z\\'Z'", "\"Z'Z\"", "\"Z\\\"Z\"",
			   "x'Z'",    "7Z",	"`a'b`",   "# Z'\n",  "/* Z' /* Z */",
			   "-- 'Z\n", "'\\\\'", "'\\''",   "SELECT",  "FROM",
			   "a.b",     ",",	"(",	   ")",	      "-" },
	[FR_SQL_MSSQL] = { "'Z'",     "'Z''Z'", "'Z\\'",   "N'Z'",   "$7.Z",
			   "0xZ",     "+7.Z",	"\"a'b\"", "[a'b]",  "/* Z' /* Z */ Z */",
			   "-- 'Z\n", "'\\'",	"[a]]b']", "SELECT", "FROM",
			   "a.b",     ",",	"(",	   ")",	     "-" },
};

static void check_pieces(enum fr_sql_dialect dialect, bool is_cut, const uint8_t *at, size_t cnt)
{
	struct fr_buf sql = { 0 }, text = { 0 }, summary = { 0 };
	struct fr_sql_text in = { .dialect = dialect, .is_cut = is_cut };
	struct fr_sql_facts facts;
	size_t cut_at = cnt ? at[0] : 0;

	for (size_t i = 1; i < cnt && i < 40; i++) {
		fr_buf_add_str(&sql, pieces[dialect][at[i] % 20]);
		fr_buf_add_char(&sql, " \n\t "[at[i] >> 6]);
	}
	in.sql.data = sql.data;
	in.sql.len_bytes = cut_at < sql.len_bytes ? sql.len_bytes - cut_at : sql.len_bytes;
	must(!fr_sql_normalize(&in, &text, &summary, &facts));
	must(!text.len_bytes || !memchr(text.data, 'Z', text.len_bytes));
	must(!summary.len_bytes || !memchr(summary.data, 'Z', summary.len_bytes));
	fr_buf_done(&sql);
	fr_buf_done(&text);
	fr_buf_done(&summary);
}

static void check_text(const struct fr_sql_text *in)
{
	struct fr_buf text = { 0 }, again = { 0 }, summary = { 0 };
	struct fr_sql_facts facts, none;
	struct fr_sql_text second = { .dialect = in->dialect, .is_cut = in->is_cut };
	int err = fr_sql_normalize(in, &text, &summary, &facts);

	must(!text.err && !summary.err);
	must(text.len_bytes <= in->sql.len_bytes);
	must(summary.len_bytes <= FR_SQL_SUMMARY_BYTES_MAX);
	must(!err || !text.len_bytes);
	second.sql.data = text.data;
	second.sql.len_bytes = text.len_bytes;
	if (!err && !facts.comment_cnt) {
		must(!fr_sql_normalize(&second, &again, NULL, &none));
		must(!none.literal_cnt && !none.comment_cnt && !none.has_rest_hidden);
		must(again.len_bytes == text.len_bytes);
		must(!text.len_bytes || !memcmp(again.data, text.data, text.len_bytes));
	}
	fr_buf_done(&text);
	fr_buf_done(&again);
	fr_buf_done(&summary);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes)
{
	struct fr_sql_text in;

	if (!data_bytes)
		return 0;
	in = (struct fr_sql_text){ .sql = { data + 1, data_bytes - 1 },
				   .dialect = (enum fr_sql_dialect)(data[0] & 3),
				   .is_cut = data[0] & 4 };
	if (data[0] & 8)
		check_pieces(in.dialect, in.is_cut, data + 1, data_bytes - 1);
	else
		check_text(&in);
	return 0;
}
