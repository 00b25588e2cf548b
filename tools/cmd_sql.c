/* SPDX-License-Identifier: BSD-2-Clause */
/* flightrec sql-normalize: what an SQL text looks like in a dump and in a trace. */
#include <stdio.h>
#include <string.h>

#include "../formats/wire/sql.h"
#include "jsonlines.h"
#include "tool.h"

struct sql_line {
	struct fr_buf key, system, query, text, summary;
	bool has_query;
	bool is_cut;
};

static struct fr_slice slice_of(const struct fr_buf *b)
{
	return (struct fr_slice){ b->data, b->len_bytes };
}

static void read_member(struct sql_line *l, struct fr_jsonread *r)
{
	struct fr_slice key = slice_of(&l->key);

	if (fr_slice_is(key, "system")) {
		fr_jsonread_string(r, &l->system);
	} else if (fr_slice_is(key, "query")) {
		if (l->has_query)
			fr_jsonread_fail(r, "a second \"query\"");
		fr_jsonread_string(r, &l->query);
		l->has_query = true;
	} else if (fr_slice_is(key, "cut")) {
		l->is_cut = fr_jsonread_bool(r);
	} else {
		fr_jsonread_skip(r);
	}
}

static void answer(void *ctx, struct fr_jsonread *r, struct fr_json *out)
{
	struct sql_line *l = ctx;
	struct fr_sql_facts facts;
	struct fr_sql_text in;
	int err;

	l->has_query = l->is_cut = false;
	fr_buf_clear(&l->system);
	fr_buf_clear(&l->text);
	fr_buf_clear(&l->summary);
	fr_jsonread_object(r);
	while (fr_jsonread_key(r, &l->key))
		read_member(l, r);
	if (!fr_jsonread_end(r) && !l->has_query)
		fr_jsonread_fail(r, "there is no \"query\"");
	if (r->why)
		return;
	in = (struct fr_sql_text){ .sql = slice_of(&l->query),
				   .dialect = fr_sql_dialect_of(slice_of(&l->system)),
				   .is_cut = l->is_cut };
	err = fr_sql_normalize(&in, &l->text, &l->summary, &facts);
	if (l->text.err || l->summary.err)
		out->out->err = l->text.err ? l->text.err : l->summary.err;
	fr_json_key(out, "text");
	if (err)
		fr_json_null(out);
	else
		fr_json_strn(out, l->text.data, l->text.len_bytes);
	fr_json_key(out, "summary");
	fr_json_strn(out, l->summary.data, l->summary.len_bytes);
}

int fr_cmd_sql_normalize(int argc, char **argv)
{
	static const struct fr_option options[] = { { 0 } };
	static const struct fr_command command = {
		.name = "flightrec sql-normalize",
		.synopsis = "< LINES",
		.about = "Shows what is kept of SQL texts: literals become '?', comments go. Reads "
			 "one "
			 "JSON object\na line, {\"system\":\"postgresql\",\"query\":\"..\"}, and "
			 "answers "
			 "with one a line,\n{\"text\":\"..\",\"summary\":\"..\"}.",
		.options = options,
		.epilog = "system is the db.system.name of OpenTelemetry's conventions. "
			  "\"cut\":true says that the\nquery was longer. text is null when the "
			  "query is not SQL of that system.\n\n"
			  "Exit codes: 0 ok, 1 a line was not understood, 2 wrong use, 5 reading "
			  "or writing failed.",
	};
	struct sql_line line = { .is_cut = false };
	int cnt = fr_cli_parse(&command, argc, argv, NULL), ret;

	if (cnt < 0)
		return fr_tool_parse_exit(cnt);
	if (cnt > 0) {
		fprintf(stderr,
			"flightrec sql-normalize: reads standard input and takes no argument, "
			"but got '%s'\n",
			argv[1]);
		return FR_EXIT_USAGE;
	}
	ret = fr_jsonlines(answer, &line);
	fr_buf_done(&line.key);
	fr_buf_done(&line.system);
	fr_buf_done(&line.query);
	fr_buf_done(&line.text);
	fr_buf_done(&line.summary);
	return ret;
}
