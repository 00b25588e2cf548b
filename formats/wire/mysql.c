/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MySQL and MariaDB, the classic protocol. A unit is a packet: three bytes of length, a number that
 * counts the packets of a command and its reply, a body. A command's packet has number 0. Queue
 * entries: each query and each execution of a prepared statement; silently, worth telling only
 * when they fail, each other command that is answered, and the login. TLS and compression end what
 * can be read. Values (parameters, rows, passwords) are passed over, never kept.
 *
 * Of a reply:
 *
 *   START ──count──▶ COLUMNS ──last──▶ FIRST_ROW ──▶ ROWS ──EOF or OK──▶ over, or
 *     │ OK, ERR: over    (more results follow: START again)
 *     └ OK to a PREPARE ──▶ PREPARED (definitions of parameters, then of columns) ──▶ over
 */
#include "mysql.h"

enum phase { PHASE_START, PHASE_COLUMNS, PHASE_FIRST_ROW, PHASE_ROWS, PHASE_PREPARED };

#define FLAG_QUIET 1u
#define FLAG_NO_REPLY 2u
#define FLAG_RAW 4u  /* what follows is no dialogue any more */
#define FLAG_TEXT 8u /* the body is worth waiting for */

#define STATUS_MORE_RESULTS 0x0008u
#define STATUS_IN_TRANS 0x0001u
#define STATUS_AUTO 0x0002u
#define STATUS_CURSOR 0x0040u
#define ERROR_NR_PROGRESS 0xffffu /* MariaDB: no error, a report on progress */
#define ERROR_HEAD_BYTES 9u
#define EOF_BODY_BYTES 5u
#define STATEMENT_LATEST 0xffffffffu /* MariaDB: what was prepared last */

enum {
	COM_INIT_DB = 0x02,
	COM_QUERY = 0x03,
	COM_CHANGE_USER = 0x11,
	COM_PREPARE = 0x16,
	COM_EXECUTE = 0x17,
	COM_CLOSE = 0x19,
	COM_RESET_CONNECTION = 0x1f,
	COM_BULK_EXECUTE = 0xfa,
};

struct command {
	const char *name;
	uint32_t least_bytes, most_bytes; /* of its packet's body */
	uint32_t flags;
};

#define ANY FR_MYSQL_BODY_BYTES_MAX
static const struct command commands[256] = {
	[0x01] = { "QUIT", 1, 1, FLAG_NO_REPLY },
	[COM_INIT_DB] = { "INIT_DB", 1, 1024, FLAG_QUIET | FLAG_TEXT },
	[COM_QUERY] = { "QUERY", 1, ANY, FLAG_TEXT },
	[0x04] = { "FIELD_LIST", 2, 2048, FLAG_QUIET },
	[0x05] = { "CREATE_DB", 2, 1024, FLAG_QUIET },
	[0x06] = { "DROP_DB", 2, 1024, FLAG_QUIET },
	[0x07] = { "REFRESH", 2, 2, FLAG_QUIET },
	[0x08] = { "SHUTDOWN", 1, 2, FLAG_QUIET },
	[0x09] = { "STATISTICS", 1, 1, FLAG_QUIET },
	[0x0a] = { "PROCESS_INFO", 1, 1, FLAG_QUIET },
	[0x0c] = { "PROCESS_KILL", 5, 5, FLAG_QUIET },
	[0x0d] = { "DEBUG", 1, 1, FLAG_QUIET },
	[0x0e] = { "PING", 1, 1, FLAG_QUIET },
	[COM_CHANGE_USER] = { "CHANGE_USER", 4, 65536, FLAG_QUIET | FLAG_TEXT },
	[0x12] = { "BINLOG_DUMP", 11, 2048, FLAG_RAW },
	[0x15] = { "REGISTER_SLAVE", 18, 2048, FLAG_QUIET },
	[COM_PREPARE] = { "PREPARE", 1, ANY, FLAG_QUIET | FLAG_TEXT },
	[COM_EXECUTE] = { "EXECUTE", 10, ANY, 0 },
	[0x18] = { "SEND_LONG_DATA", 7, ANY, FLAG_NO_REPLY },
	[COM_CLOSE] = { "CLOSE", 5, 5, FLAG_NO_REPLY },
	[0x1a] = { "RESET", 5, 5, FLAG_QUIET },
	[0x1b] = { "SET_OPTION", 3, 3, FLAG_QUIET },
	[0x1c] = { "FETCH", 9, 9, FLAG_QUIET },
	[0x1e] = { "BINLOG_DUMP_GTID", 11, ANY, FLAG_RAW },
	[COM_RESET_CONNECTION] = { "RESET_CONNECTION", 1, 1, FLAG_QUIET },
	[COM_BULK_EXECUTE] = { "BULK_EXECUTE", 7, ANY, 0 },
};

bool fr_mysql_command_fits(const struct fr_mysql_packet *m)
{
	const struct command *c;

	if (!m->body.len_bytes)
		return false;
	c = &commands[m->body.data[0]];
	if (!c->name || m->body_bytes < c->least_bytes || m->body_bytes > c->most_bytes)
		return false;
	if (m->body.data[0] != COM_QUERY && m->body.data[0] != COM_PREPARE)
		return true;
	if (m->body.len_bytes < 3 || (m->body.data[0] == COM_QUERY && m->body.data[2] == 1))
		return true;
	/* no text begins with a byte that cannot be printed */
	return m->body.data[1] >= ' ' || (m->body.data[1] >= '\t' && m->body.data[1] <= '\r');
}

/* ---- prepared statements ----------------------------------------------------------------- */

static struct fr_mysql_statement *find_statement(struct fr_mysql_state *st, uint32_t id)
{
	for (unsigned i = 0; i < FR_MYSQL_STATEMENTS_MAX; i++)
		if (st->statements[i].id == id)
			return &st->statements[i];
	return NULL;
}

static void set_statement(struct fr_mysql_state *st, uint32_t id, uint64_t key)
{
	struct fr_mysql_statement *s = find_statement(st, id);

	if (!id)
		return;
	if (!s) {
		s = &st->statements[st->statement_next % FR_MYSQL_STATEMENTS_MAX];
		st->statement_next = (uint8_t)(st->statement_next + 1);
	}
	*s = (struct fr_mysql_statement){ .id = id, .key = key };
}

static void on_execute(const struct fr_wire_look *look, const struct fr_mysql_packet *m,
		       struct fr_wire_unit *u)
{
	struct fr_mysql_state *st = look->state;
	uint32_t id = m->body.len_bytes < 5 ? 0 : fr_mysql_le(m->body.data + 1, 4);
	const struct fr_mysql_statement *s = id ? find_statement(st, id) : NULL;
	uint64_t key = id == STATEMENT_LATEST ? st->last_key : s ? s->key : 0;
	const struct fr_wire_text *text = NULL;

	if (!id) {
		u->marks |= FR_MARK_CUT;
		return;
	}

	if (look->texts)
		text = fr_wire_texts_get(look->texts, key);
	if (!text) {
		u->marks |= key ? FR_MARK_TEXT_LOST : FR_MARK_PREPARED_BEFORE;
		return;
	}
	u->text = (struct fr_slice){ .data = (const uint8_t *)text->text,
				     .len_bytes = text->text_bytes };
	if (text->cut)
		u->marks |= FR_MARK_CUT;
}

static void on_close(struct fr_mysql_state *st, const struct fr_mysql_packet *m)
{
	uint32_t id = m->body.len_bytes < 5 ? 0 : fr_mysql_le(m->body.data + 1, 4);
	struct fr_mysql_statement *s = id ? find_statement(st, id) : NULL;

	if (s)
		*s = (struct fr_mysql_statement){ 0 };
}

/* ---- requests ---------------------------------------------------------------------------- */

static struct fr_slice slice_of(const char *s)
{
	return (struct fr_slice){ .data = (const uint8_t *)s, .len_bytes = strlen(s) };
}

static void take_text(const struct fr_mysql_packet *m, struct fr_wire_unit *u)
{
	size_t at = fr_mysql_text_at(m);

	if (m->cut || !at)
		u->marks |= FR_MARK_CUT;
	if (at && at <= m->body.len_bytes) {
		u->text.data = m->body.data + at;
		u->text.len_bytes = m->body.len_bytes - at;
	}
}

static void on_text(const struct fr_wire_look *look, const struct fr_mysql_packet *m,
		    struct fr_wire_unit *u)
{
	struct fr_mysql_state *st = look->state;

	if (m->body.data[0] == COM_CHANGE_USER) {
		fr_mysql_on_change_user(st, m);
		return;
	}
	take_text(m, u);
	if (m->body.data[0] == COM_PREPARE)
		st->last_key = look->texts && u->text.len_bytes
				       ? fr_wire_texts_put(look->texts, u->text, m->cut)
				       : 0;
}

/* How many bytes of its body a command is waited for. */
static size_t wants_bytes(uint8_t code)
{
	return commands[code].flags & FLAG_TEXT					      ? SIZE_MAX
	       : code == COM_EXECUTE || code == COM_CLOSE || code == COM_BULK_EXECUTE ? 5
										      : 1;
}

static enum fr_wire_verdict parse_command(const struct fr_wire_look *look,
					  const struct fr_mysql_packet *m, struct fr_wire_unit *u)
{
	struct fr_mysql_state *st = look->state;
	const struct command *c;
	uint8_t code;

	if (!m->body.len_bytes)
		return m->body_bytes ? FR_WIRE_MORE : FR_WIRE_LOST;
	if (!fr_mysql_command_fits(m))
		return FR_WIRE_LOST;
	code = m->body.data[0];
	c = &commands[code];
	if (m->cut && m->body.len_bytes < wants_bytes(code) && !look->last)
		return FR_WIRE_MORE;
	u->unit_bytes = (uint64_t)m->body_bytes + FR_MYSQL_HEAD_BYTES;
	st->login = FR_MYSQL_LOGIN_NONE;
	st->infile = 0;
	if (code == COM_CLOSE)
		on_close(st, m);
	if (c->flags & (FLAG_NO_REPLY | FLAG_RAW)) {
		u->effects = c->flags & FLAG_RAW ? FR_UNIT_RAW : 0;
		return FR_WIRE_UNIT;
	}
	st->reply_seq = 1;
	u->effects = FR_UNIT_BEGIN | (c->flags & FLAG_QUIET ? FR_UNIT_QUIET : 0);
	u->kind = code == COM_PREPARE	  ? FR_MYSQL_PREPARE
		  : c->flags & FLAG_QUIET ? FR_MYSQL_OTHER
					  : FR_MYSQL_QUERY;
	u->command = slice_of(c->name);
	if (c->flags & FLAG_TEXT)
		on_text(look, m, u);
	else if (code == COM_EXECUTE || code == COM_BULK_EXECUTE)
		on_execute(look, m, u);
	else if (code == COM_RESET_CONNECTION)
		memset(st->statements, 0, sizeof(st->statements));
	return FR_WIRE_UNIT;
}

/* What goes on with a command: the rest of a long one, a file, proofs of a password. */
static enum fr_wire_verdict parse_going_on(const struct fr_wire_look *look,
					   const struct fr_mysql_packet *m, struct fr_wire_unit *u)
{
	struct fr_mysql_state *st = look->state;

	u->unit_bytes = (uint64_t)m->body_bytes + FR_MYSQL_HEAD_BYTES;
	if (st->infile) {
		u->effects = FR_UNIT_BODY;
		return FR_WIRE_UNIT;
	}
	if (st->login == FR_MYSQL_ANSWERED) /* nothing of it is worth a look, or may be kept */
		return FR_WIRE_UNIT;
	if (m->seq != 1)
		return FR_WIRE_LOST;
	if (m->cut && m->body_bytes < FR_WIRE_CARRY_BYTES - FR_MYSQL_HEAD_BYTES && !look->last)
		return FR_WIRE_MORE;
	if (!fr_mysql_is_login(m))
		return FR_WIRE_LOST;
	fr_mysql_on_login(st, m, u);
	return FR_WIRE_UNIT;
}

static enum fr_wire_verdict parse_request(const struct fr_wire_look *look, struct fr_slice bytes,
					  struct fr_wire_unit *u)
{
	struct fr_mysql_state *st = look->state;
	enum fr_wire_verdict v;
	struct fr_mysql_packet m;

	v = fr_mysql_read(bytes, &m);
	if (v != FR_WIRE_UNIT)
		return v;
	if (st->more[FR_WIRE_REQUEST]) {
		if (m.seq != st->next_seq[FR_WIRE_REQUEST])
			return FR_WIRE_LOST;
		u->effects = FR_UNIT_BODY;
		u->unit_bytes = (uint64_t)m.body_bytes + FR_MYSQL_HEAD_BYTES;
	} else {
		v = m.seq ? parse_going_on(look, &m, u) : parse_command(look, &m, u);
		if (v != FR_WIRE_UNIT)
			return v;
	}
	st->more[FR_WIRE_REQUEST] = m.body_bytes == FR_MYSQL_BODY_BYTES_MAX;
	st->next_seq[FR_WIRE_REQUEST] = (uint8_t)(m.seq + 1);
	st->reply_seq = (uint8_t)(m.seq + 1);
	return FR_WIRE_UNIT;
}

/* ---- replies ----------------------------------------------------------------------------- */

static void reply_ends(struct fr_mysql_state *st, struct fr_wire_unit *u)
{
	st->phase = PHASE_START;
	st->reply_open = 0;
	st->login = FR_MYSQL_LOGIN_NONE;
	st->infile = 0;
	u->ends = FR_MYSQL_ANY;
}

/* The status behind an OK or an EOF decides: are there more results? UNIT, or MORE for bytes. */
static enum fr_wire_verdict result_ends(struct fr_mysql_state *st, const struct fr_wire_look *look,
					const struct fr_mysql_packet *m, struct fr_wire_unit *u)
{
	struct fr_slice rest = m->body;
	enum fr_wire_verdict v = FR_WIRE_UNIT;
	uint64_t unused;
	uint32_t status = 0;

	rest.data++;
	rest.len_bytes--;
	if (m->body.data[0] == 0xfe && m->body_bytes == EOF_BODY_BYTES) {
		v = rest.len_bytes < 4 ? FR_WIRE_MORE : FR_WIRE_UNIT;
		status = v == FR_WIRE_UNIT ? fr_mysql_le(rest.data + 2, 2) : 0;
	} else if (m->body_bytes >= 7) {
		for (unsigned i = 0; i < 2 && v == FR_WIRE_UNIT; i++)
			v = fr_mysql_take_number(&rest, &unused);
		if (v == FR_WIRE_UNIT && rest.len_bytes < 2)
			v = m->cut ? FR_WIRE_MORE : FR_WIRE_LOST;
		status = v == FR_WIRE_UNIT ? fr_mysql_le(rest.data, 2) : 0;
	}
	if (v == FR_WIRE_LOST || (v == FR_WIRE_MORE && !look->last))
		return v;
	if (v == FR_WIRE_MORE) { /* done, perhaps with more to come: nobody knows */
		st->phase = PHASE_START;
		u->unit_bytes = FR_WIRE_LENGTH_UNKNOWN;
	} else if (status & STATUS_MORE_RESULTS) {
		st->phase = PHASE_START;
	} else {
		reply_ends(st, u);
		u->done_status = FR_WIRE_STATUS_OK;
	}
	return FR_WIRE_UNIT;
}

static enum fr_wire_verdict on_error(struct fr_mysql_state *st, const struct fr_wire_look *look,
				     const struct fr_mysql_packet *m, struct fr_wire_unit *u)
{
	struct fr_slice b = m->body;

	if (m->body_bytes < 3)
		return FR_WIRE_LOST;
	/* two bytes more tell whether it is an error at all */
	if (m->cut && (b.len_bytes < 3 || (b.len_bytes < ERROR_HEAD_BYTES && !look->last)))
		return FR_WIRE_MORE;
	u->effects |= FR_UNIT_FAIL;
	u->status = FR_WIRE_STATUS_ERROR;
	u->error_nr = (uint16_t)fr_mysql_le(b.data + 1, 2);
	if (u->error_nr == ERROR_NR_PROGRESS) {
		u->effects &= ~(uint32_t)FR_UNIT_FAIL;
		u->status = FR_WIRE_STATUS_UNKNOWN;
		u->error_nr = 0;
		return FR_WIRE_UNIT;
	}
	if (b.len_bytes >= ERROR_HEAD_BYTES && b.data[3] == '#')
		u->code = (struct fr_slice){ .data = b.data + 4, .len_bytes = 5 };
	else if (b.len_bytes < ERROR_HEAD_BYTES && m->cut)
		u->marks |= FR_MARK_CUT;
	reply_ends(st, u);
	return FR_WIRE_UNIT;
}

/* A definition of a column or a parameter begins with the name of the catalog, always "def". */
static enum fr_wire_verdict is_definition(const struct fr_mysql_packet *m)
{
	size_t n = m->body.len_bytes < 4 ? m->body.len_bytes : 4;

	if (m->body_bytes < 4 || memcmp(m->body.data, "\003def", n))
		return FR_WIRE_LOST;
	return n < 4 ? FR_WIRE_MORE : FR_WIRE_UNIT;
}

static enum fr_wire_verdict on_prepared(struct fr_mysql_state *st, const struct fr_wire_look *look,
					const struct fr_mysql_packet *m, struct fr_wire_unit *u)
{
	const uint8_t *b = m->body.data;
	uint64_t key = 0;

	if (m->body_bytes < 12 || (m->body.len_bytes > 9 && b[9]))
		return FR_WIRE_LOST;
	if (m->body.len_bytes < 9 && !look->last)
		return FR_WIRE_MORE;
	if (m->body.len_bytes < 9) {
		u->unit_bytes = FR_WIRE_LENGTH_UNKNOWN;
		return FR_WIRE_UNIT;
	}
	if (look->texts && look->oldest_sure && look->oldest_text.len_bytes)
		key = fr_wire_texts_put(look->texts, look->oldest_text, look->oldest_cut);
	set_statement(st, fr_mysql_le(b + 1, 4), key);
	st->columns_left = fr_mysql_le(b + 5, 2);
	st->params_left = fr_mysql_le(b + 7, 2);
	st->phase = PHASE_PREPARED;
	st->eof_due = 0;
	if (!st->columns_left && !st->params_left) {
		reply_ends(st, u);
		u->done_status = FR_WIRE_STATUS_OK;
	}
	return FR_WIRE_UNIT;
}

static void prepared_ends(struct fr_mysql_state *st, struct fr_wire_unit *u)
{
	reply_ends(st, u);
	u->done_status = FR_WIRE_STATUS_OK;
}

/* Definitions behind the OK to a PREPARE; each list ends with an EOF where that is used. */
static enum fr_wire_verdict parse_prepared(struct fr_mysql_state *st,
					   const struct fr_mysql_packet *m, struct fr_wire_unit *u)
{
	uint32_t *left = st->params_left ? &st->params_left : &st->columns_left;
	bool is_eof = m->body.data[0] == 0xfe && m->body_bytes == EOF_BODY_BYTES;
	enum fr_wire_verdict v;

	if (st->eof_due && is_eof) {
		st->eof = FR_MYSQL_EOF_USED;
		st->eof_due = 0;
		if (!st->columns_left && !st->params_left)
			prepared_ends(st, u);
		return FR_WIRE_UNIT;
	}
	if (st->eof_due)
		st->eof = FR_MYSQL_EOF_DEPRECATED;
	st->eof_due = 0;
	v = is_definition(m);
	if (v != FR_WIRE_UNIT)
		return v;
	if (!*left)
		return FR_WIRE_LOST;
	if (--*left)
		return FR_WIRE_UNIT;
	if (st->eof == FR_MYSQL_EOF_USED || (st->eof == FR_MYSQL_EOF_UNKNOWN && st->columns_left)) {
		st->eof_due = 1;
	} else if (!st->columns_left) {
		st->eof_stray = st->eof == FR_MYSQL_EOF_UNKNOWN;
		prepared_ends(st, u);
	}
	return FR_WIRE_UNIT;
}

static enum fr_wire_verdict parse_row(struct fr_mysql_state *st, const struct fr_wire_look *look,
				      const struct fr_mysql_packet *m, struct fr_wire_unit *u)
{
	bool first = st->phase == PHASE_FIRST_ROW;

	if (m->body.data[0] != 0xfe || m->body_bytes == FR_MYSQL_BODY_BYTES_MAX) {
		st->phase = PHASE_ROWS;
		return FR_WIRE_UNIT; /* a row, of which nothing is told */
	}
	if (!first || m->body_bytes != EOF_BODY_BYTES || st->eof == FR_MYSQL_EOF_DEPRECATED)
		return result_ends(st, look, m, u);
	/* the end of the columns' list, and of all if a cursor was opened */
	if (m->body.len_bytes < EOF_BODY_BYTES && !look->last)
		return FR_WIRE_MORE;
	st->eof = FR_MYSQL_EOF_USED;
	st->phase = PHASE_ROWS;
	if (m->body.len_bytes == EOF_BODY_BYTES && fr_mysql_le(m->body.data + 3, 2) & STATUS_CURSOR)
		prepared_ends(st, u);
	return FR_WIRE_UNIT;
}

static enum fr_wire_verdict on_count(struct fr_mysql_state *st, const struct fr_mysql_packet *m)
{
	struct fr_slice rest = m->body;
	uint64_t cnt = 0;
	enum fr_wire_verdict v = fr_mysql_take_number(&rest, &cnt);

	if (m->body_bytes > 10 || v == FR_WIRE_LOST)
		return FR_WIRE_LOST;
	if (m->cut)
		return FR_WIRE_MORE;
	/* one byte more (MariaDB) says whether the definitions follow: the client may have them */
	if (v == FR_WIRE_MORE || !cnt || cnt > UINT16_MAX || rest.len_bytes > 1)
		return FR_WIRE_LOST;
	st->columns_left = rest.len_bytes && !rest.data[0] ? 0 : (uint32_t)cnt;
	st->phase = st->columns_left ? PHASE_COLUMNS : PHASE_FIRST_ROW;
	return FR_WIRE_UNIT;
}

/* An answer in the course of a login: more is asked for, or it is over. */
static enum fr_wire_verdict parse_login(struct fr_mysql_state *st, const struct fr_mysql_packet *m,
					struct fr_wire_unit *u)
{
	if (m->body.data[0] > 0x01 && m->body.data[0] != 0xfe)
		return FR_WIRE_LOST;
	st->login = FR_MYSQL_ANSWERED;
	if (m->body.data[0])
		return FR_WIRE_UNIT;
	reply_ends(st, u);
	u->done_status = FR_WIRE_STATUS_OK;
	if (st->capabilities & (FR_MYSQL_CAN_COMPRESS | FR_MYSQL_CAN_ZSTD))
		u->effects |= FR_UNIT_RAW;
	return FR_WIRE_UNIT;
}

/* Rows were changed: so this OK, of two numbers, status and warnings, is that to a query. */
static bool is_of_query(const struct fr_mysql_packet *m)
{
	struct fr_slice rest = m->body;
	uint64_t changed_cnt = 0, unused;

	rest.data++;
	rest.len_bytes--;
	return m->body_bytes != 12 && fr_mysql_take_number(&rest, &changed_cnt) == FR_WIRE_UNIT &&
	       changed_cnt && fr_mysql_take_number(&rest, &unused) == FR_WIRE_UNIT &&
	       rest.len_bytes >= 4 && fr_mysql_le(rest.data, 2) & (STATUS_IN_TRANS | STATUS_AUTO);
}

/* A reply to a request that nobody saw. An OK may be that to a PREPARE, whose lists follow, or one
 * to a command that is not told: it tells of a request only if rows were changed. */
static enum fr_wire_verdict parse_unasked(struct fr_mysql_state *st,
					  const struct fr_wire_look *look,
					  const struct fr_mysql_packet *m, struct fr_wire_unit *u)
{
	uint8_t first = m->body.data[0];

	if (!first && !is_of_query(m))
		u->effects &= ~(uint32_t)FR_UNIT_ORPHAN;
	if (!first && (m->body_bytes == 7 || u->effects & FR_UNIT_ORPHAN))
		return result_ends(st, look, m, u);
	if (first && first < 0xfb)
		return on_count(st, m);
	u->unit_bytes = FR_WIRE_LENGTH_UNKNOWN;
	return !first || first == 0xfb ? FR_WIRE_UNIT : FR_WIRE_LOST;
}

/* The first packet of a reply, or of a further result in it. */
static enum fr_wire_verdict parse_start(struct fr_mysql_state *st, const struct fr_wire_look *look,
					const struct fr_mysql_packet *m, struct fr_wire_unit *u)
{
	struct fr_slice asked = look->oldest_command;

	if (look->oldest_begun && !st->reply_was_open)
		asked.len_bytes =
			0; /* its reply is another one, of which the end was passed over */
	if (fr_slice_is(asked, "LOGIN") || fr_slice_is(asked, "CHANGE_USER"))
		return parse_login(st, m, u);
	if (!asked.len_bytes && !st->reply_was_open)
		return parse_unasked(st, look, m, u);
	if (fr_slice_is(asked, "STATISTICS")) { /* text */
		prepared_ends(st, u);
		return FR_WIRE_UNIT;
	}
	if (fr_slice_is(asked, "FETCH") || fr_slice_is(asked, "FIELD_LIST")) {
		st->phase = PHASE_ROWS;
		return parse_row(st, look, m, u);
	}
	if (!m->body.data[0] && fr_slice_is(asked, "PREPARE"))
		return on_prepared(st, look, m, u);
	if (!m->body.data[0] && fr_slice_is(asked, "INIT_DB") && !look->oldest_cut)
		fr_mysql_set_database(st, look->oldest_text);
	if (!m->body.data[0] || m->body.data[0] == 0xfe)
		return result_ends(st, look, m, u);
	if (m->body.data[0] == 0xfb) {
		st->infile = 1;
		return FR_WIRE_UNIT;
	}
	return on_count(st, m);
}

static enum fr_wire_verdict parse_packet(struct fr_mysql_state *st, const struct fr_wire_look *look,
					 const struct fr_mysql_packet *m, struct fr_wire_unit *u)
{
	enum fr_wire_verdict v;

	if (m->body.data[0] == 0xff)
		return on_error(st, look, m, u);
	switch ((enum phase)st->phase) {
	case PHASE_START:
		return parse_start(st, look, m, u);
	case PHASE_COLUMNS:
		v = is_definition(m);
		if (v == FR_WIRE_UNIT && !--st->columns_left)
			st->phase = PHASE_FIRST_ROW;
		return v;
	case PHASE_FIRST_ROW:
	case PHASE_ROWS:
		return parse_row(st, look, m, u);
	case PHASE_PREPARED:
		return parse_prepared(st, m, u);
	}
	return FR_WIRE_LOST;
}

/* May a packet of this number come now? */
static bool seq_fits(const struct fr_mysql_state *st, const struct fr_mysql_packet *m)
{
	if (st->login == FR_MYSQL_ANSWERED || st->infile)
		return m->seq;
	if (st->reply_open)
		return m->seq == st->next_seq[FR_WIRE_RESPONSE];
	if (m->body.len_bytes && m->body.data[0] == 0xff && !m->seq)
		return true; /* refused before it could log in */
	return m->seq == 1 || (m->seq && m->seq == st->reply_seq);
}

static enum fr_wire_verdict parse_response(const struct fr_wire_look *look, struct fr_slice bytes,
					   struct fr_wire_unit *u)
{
	struct fr_mysql_state *st = look->state;
	bool stray = st->eof_stray, open = st->reply_open;
	enum fr_wire_verdict v;
	struct fr_mysql_packet m;

	v = fr_mysql_read(bytes, &m);
	if (v != FR_WIRE_UNIT)
		return v;
	if (m.body_bytes && !m.body.len_bytes)
		return FR_WIRE_MORE;
	u->unit_bytes = (uint64_t)m.body_bytes + FR_MYSQL_HEAD_BYTES;
	u->kind = FR_MYSQL_QUERY;
	if (m.body_bytes && fr_mysql_is_greeting(&m)) {
		st->login = FR_MYSQL_GREETED;
		return FR_WIRE_UNIT;
	}
	if (stray && m.seq == st->next_seq[FR_WIRE_RESPONSE] && m.body_bytes == EOF_BODY_BYTES &&
	    m.body.data[0] == 0xfe) {
		st->eof = FR_MYSQL_EOF_USED;
		st->eof_stray = 0;
		return FR_WIRE_UNIT;
	}
	if (!seq_fits(st, &m))
		return FR_WIRE_LOST;
	u->answers = FR_MYSQL_ANY;
	u->effects = FR_UNIT_REPLY | (open ? 0 : FR_UNIT_HEAD | FR_UNIT_ORPHAN);
	if (!st->more[FR_WIRE_RESPONSE]) {
		if (!m.body_bytes)
			return FR_WIRE_LOST;
		st->reply_was_open = open;
		st->reply_open = 1;
		v = parse_packet(st, look, &m, u);
		if (v != FR_WIRE_UNIT)
			st->reply_open = open;
		if (v != FR_WIRE_UNIT)
			return v;
	}
	st->eof_stray &= !stray;
	st->more[FR_WIRE_RESPONSE] = m.body_bytes == FR_MYSQL_BODY_BYTES_MAX;
	st->next_seq[FR_WIRE_RESPONSE] = (uint8_t)(m.seq + 1);
	return FR_WIRE_UNIT;
}

static enum fr_wire_verdict parse(const struct fr_wire_look *look, struct fr_slice bytes,
				  struct fr_wire_unit *ret_unit)
{
	return look->role == FR_WIRE_REQUEST ? parse_request(look, bytes, ret_unit)
					     : parse_response(look, bytes, ret_unit);
}

static void rejoin(void *state, enum fr_wire_role role)
{
	struct fr_mysql_state *st = state;

	st->more[role] = 0;
	if (role == FR_WIRE_REQUEST) {
		st->last_key = 0;
		return;
	}
	st->phase = PHASE_START;
	st->reply_open = 0;
	st->eof_stray = 0;
	st->login = FR_MYSQL_LOGIN_NONE;
	st->infile = 0;
}

static void session(const void *state, struct fr_slice *ret_user, struct fr_slice *ret_database)
{
	const struct fr_mysql_state *st = state;

	*ret_user = (struct fr_slice){ .data = (const uint8_t *)st->user,
				       .len_bytes = st->user_bytes };
	*ret_database = (struct fr_slice){ .data = (const uint8_t *)st->database,
					   .len_bytes = st->database_bytes };
}

const struct fr_wire_protocol fr_wire_mysql = {
	.id = FR_WIRE_MYSQL,
	.name = "mysql",
	.detect = fr_mysql_detect,
	.parse = parse,
	.rejoin = rejoin,
	.session = session,
};
