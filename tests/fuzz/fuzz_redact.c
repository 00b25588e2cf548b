/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Redaction of any transfers, of any statement, of any command line. What comes out is never
 * longer, each byte of it is the one that lay there or a filler, no byte of a literal is left, and
 * what a parser removed once it removes again.
 *
 *   byte 0: bits 0-1 what the rest is (0, 1 transfers as in wire_stream.h without their byte 0;
 *           2 a statement, 3 arguments), bit 2 strict, bit 3 values of queries stay,
 *           bit 4 MySQL, bit 5 the statement is whole
 */
#include <assert.h>
#include <stdlib.h>

#include "formats/redact/mask.h"
#include "formats/wire/sql.h"
#include "wire_stream.h"

#define TEXT_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes);

static struct fr_redact_counts counts;

static bool is_filler(uint8_t b)
{
	return b && strchr("?*0 '\"`$\177", b);
}

static void check_places(const uint8_t *in, const uint8_t *out, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		wire_must(out[i] == in[i] || is_filler(out[i]));
}

/* ---- transfers ---------------------------------------------------------------------------- */

static void redact_part(struct fr_redactor *r, struct fr_redact_part *p, struct fr_slice captured)
{
	uint8_t *alone = malloc(captured.len_bytes ? captured.len_bytes : 1);
	size_t left;

	wire_must(alone);
	if (captured.len_bytes)
		memcpy(alone, captured.data, captured.len_bytes);
	left = fr_redact_bytes(r, p, alone, captured.len_bytes);
	wire_must(left <= captured.len_bytes && left <= p->transfer_bytes);
	check_places(captured.data, alone, left);
	free(alone);
}

static void transfers(const struct fr_redact_rules *rules, struct fr_slice stream)
{
	struct fr_cursor in = fr_cursor_of(stream.data, stream.len_bytes);
	static struct fr_redactor *redactors[2][2]; /* made once: they are large */
	struct fr_redactor **r = &redactors[rules->level == FR_REDACT_STRICT][rules->keep_query];
	uint64_t offs[2] = { WIRE_FEED_FIRST_OFF, WIRE_FEED_FIRST_OFF };

	if (!*r)
		*r = fr_redactor_new(rules, &counts);
	wire_must(*r);
	while (fr_cursor_left(&in)) {
		uint8_t control = fr_cursor_u8(&in);
		uint16_t captured_bytes = fr_cursor_u16(&in);
		uint64_t gap_bytes = control & 4 ? fr_cursor_u16(&in) : 0;
		uint64_t more_bytes = control & 8 ? fr_cursor_u32(&in) : 0;
		struct fr_redact_part p = {
			.sock_id = 1 + (control >> 6),
			.stream_off = offs[control & 1] + gap_bytes,
			.is_send = !(control & 1),
			.start = control & 2,
			.datagram = control & 32,
		};

		if (captured_bytes > fr_cursor_left(&in))
			captured_bytes = (uint16_t)fr_cursor_left(&in);
		p.transfer_bytes = captured_bytes + more_bytes;
		redact_part(*r, &p, fr_cursor_take(&in, captured_bytes));
		offs[control & 1] = p.stream_off + p.transfer_bytes;
	}
	for (uint64_t id = 1; id <= 4; id++)
		fr_redact_forget(*r, id);
}

/* ---- statements --------------------------------------------------------------------------- */

static struct fr_mask mask_of(struct fr_slice text, uint8_t *out, uint8_t *why)
{
	memset(out, '?', text.len_bytes);
	memset(why, FR_REMOVED_UNKNOWN, text.len_bytes);
	return (struct fr_mask){
		.in = text.data, .out = out, .why = why, .len_bytes = text.len_bytes
	};
}

/* Bytes of literals, as the lexer sees them, are fillers: but for signs, points, and prefixes. */
static void check_literals(struct fr_slice text, const uint8_t *out, enum fr_sql_dialect dialect)
{
	struct fr_sql_lexer l = fr_sql_lexer_of(text.data, text.len_bytes, dialect,
						fr_sql_backslash_default(dialect));
	struct fr_sql_token t;

	for (t = fr_sql_lex(&l); t.kind != FR_SQL_END; t = fr_sql_lex(&l)) {
		size_t at = (size_t)(t.at - text.data),
		       skip_bytes = t.token_bytes < 3 ? t.token_bytes : 3;

		if (t.kind == FR_SQL_BAD)
			skip_bytes = 0;
		else if (t.kind != FR_SQL_LITERAL)
			continue;
		else
			while (skip_bytes && is_filler(out[at + skip_bytes - 1]))
				skip_bytes--;
		for (size_t i = at + skip_bytes;
		     i < (t.kind == FR_SQL_BAD ? text.len_bytes : at + t.token_bytes); i++)
			wire_must(is_filler(out[i]));
		if (t.kind == FR_SQL_BAD)
			return;
	}
}

/* Normalised, what is left gives what was there. */
static void check_text(struct fr_slice text, const uint8_t *out, enum fr_sql_dialect dialect,
		       bool whole)
{
	struct fr_sql_text in = { .sql = text, .dialect = dialect, .is_cut = !whole };
	struct fr_buf a = { 0 }, b = { 0 };
	struct fr_sql_facts facts;
	int err = fr_sql_normalize(&in, &a, NULL, &facts);

	in.sql.data = out;
	wire_must(fr_sql_normalize(&in, &b, NULL, &facts) == err);
	wire_must(a.len_bytes == b.len_bytes &&
		  (!a.len_bytes || !memcmp(a.data, b.data, a.len_bytes)));
	fr_buf_done(&a);
	fr_buf_done(&b);
}

static void statement(const struct fr_redact_rules *rules, struct fr_slice text, uint8_t flags)
{
	static uint8_t out[TEXT_MAX], again[TEXT_MAX], why[TEXT_MAX];
	enum fr_sql_dialect dialect = flags & 16 ? FR_SQL_MYSQL : FR_SQL_POSTGRESQL;
	struct fr_mask m;

	if (text.len_bytes > TEXT_MAX)
		return;
	m = mask_of(text, out, why);
	fr_mask_sql(rules, &m, dialect, flags & 32);
	check_places(text.data, out, text.len_bytes);
	check_literals(text, out, dialect);
	if (rules->level == FR_REDACT_STANDARD)
		check_text(text, out, dialect, flags & 32);
	/* what was a literal or a comment is one again */
	m = mask_of((struct fr_slice){ out, text.len_bytes }, again, why);
	fr_mask_sql(rules, &m, dialect, flags & 32);
	check_literals((struct fr_slice){ out, text.len_bytes }, again, dialect);
}

/* ---- command lines ------------------------------------------------------------------------ */

static void arguments(const struct fr_redact_rules *rules, struct fr_slice args)
{
	uint8_t *alone = malloc(args.len_bytes ? args.len_bytes : 1);
	size_t left;

	wire_must(alone);
	if (args.len_bytes)
		memcpy(alone, args.data, args.len_bytes);
	left = fr_redact_args(rules, &counts, alone, args.len_bytes);
	wire_must(left <= args.len_bytes);
	wire_must(fr_redact_args(rules, &counts, alone, left) <= left);
	if (args.len_bytes)
		memcpy(alone, args.data, args.len_bytes);
	wire_must(fr_redact_environment(&counts, alone, args.len_bytes) <= args.len_bytes);
	free(alone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes)
{
	struct fr_slice rest = { data + 1, data_bytes - 1 };
	struct fr_redact_rules rules = { .level = FR_REDACT_STANDARD };

	if (!data_bytes)
		return 0;
	if (data[0] & 4)
		rules.level = FR_REDACT_STRICT;
	rules.keep_query = data[0] & 8;
	switch (data[0] & 3) {
	case 2:
		statement(&rules, rest, data[0]);
		break;
	case 3:
		arguments(&rules, rest);
		break;
	default:
		transfers(&rules, rest);
		break;
	}
	return 0;
}
