/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What may be shown of an SQL statement: its text with each literal replaced by '?', and a summary
 * of operations and targets ("INSERT shipping_details SELECT orders"). Works on text that was cut
 * anywhere: a literal without its end is one to the end. Comments are removed (a blank takes their
 * place only where two tokens would run together); nothing else changes, case and white space stay.
 *
 * 1. No byte of a string, number, boolean or bit literal is ever shown. Parameterised text is no
 *    exception: it may hold literals as well.
 * 2. What cannot be lexed gives no text.
 * 3. A string that ends elsewhere when the server's setting for backslashes is the other one than
 *    usual hides all that follows, unless the whole text shows that it isn't so.
 * 4. Normalising a text that came out and that held no comments gives the same text.
 */
#ifndef FR_WIRE_SQL_H
#define FR_WIRE_SQL_H

#include "../base/buf.h"
#include "../base/bytes.h"
#include "sql_lex.h"
#include "traceparent.h"

#define FR_SQL_SUMMARY_BYTES_MAX 255

/* By db.system.name ("postgresql", "mysql", ...); unknown names are FR_SQL_OTHER. */
enum fr_sql_dialect fr_sql_dialect_of(struct fr_slice system);

struct fr_sql_text {
	struct fr_slice sql;
	enum fr_sql_dialect dialect;
	bool is_cut; /* the statement was longer, or may have been */
};

struct fr_sql_facts {
	struct fr_traceparent parent; /* of a comment behind the statement */
	bool has_parent;
	bool has_rest_hidden; /* by rule 3 */
	uint32_t literal_cnt;
	uint32_t comment_cnt;
};

/*
 * Appends to both buffers. Either may be NULL when it isn't wanted. The summary has at most
 * FR_SQL_SUMMARY_BYTES_MAX bytes, ends between tokens, and is empty when no operation was found.
 * 0, or -EILSEQ: not SQL of this dialect, ret_text is as it was, the summary is of what came before
 * the place. Errors of the buffers are the buffers'.
 */
int fr_sql_normalize(const struct fr_sql_text *in, struct fr_buf *ret_text,
		     struct fr_buf *ret_summary, struct fr_sql_facts *ret);

/* The summary alone, of text whose literals are known to end where the lexer finds their ends. */
void fr_sql_summarize(const struct fr_sql_text *in, bool backslash, struct fr_buf *ret_summary);

#endif
