/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MySQL and MariaDB: heads of packets, command codes, statements without literals, numbers of
 * statements, what OK, EOF and errors say in numbers, user and database. Values and texts go.
 *
 * In a reply it matters what a packet is: one that begins with 0 is an OK at the reply's start and
 * a row behind the columns. So a packet whose place is not known gives its head and nothing else.
 */
#include "../wire/mysql.h"

#include "mask.h"

#define HEAD FR_MYSQL_HEAD_BYTES
#define STATUS_MORE_RESULTS 0x8u
#define EOF_BODY_BYTES 5
#define ERROR_KEPT_BYTES 9
#define LOGIN_BYTES_MIN 32

static const char name_bytes[] = "a-zA-Z0-9_.:@$-";

enum {
	COM_INIT_DB = 0x02,
	COM_QUERY = 0x03,
	COM_FIELD_LIST = 0x04,
	COM_STATISTICS = 0x09,
	COM_CHANGE_USER = 0x11,
	COM_BINLOG_DUMP = 0x12,
	COM_PREPARE = 0x16,
	COM_EXECUTE = 0x17,
	COM_BINLOG_DUMP_GTID = 0x1e,
	COM_FETCH = 0x1c,
	COM_BULK_EXECUTE = 0xfa,
	ASK_LOGIN = 0x100, /* no command: the client's answer to the greeting */
};

enum phase { PHASE_START, PHASE_COLUMNS, PHASE_FIRST_ROW, PHASE_ROWS, PHASE_PREPARED };

struct memory {
	uint32_t columns_left;
	uint32_t capabilities;
	uint16_t ask;	  /* the command that is answered */
	uint8_t phase;	  /* of the reply */
	uint8_t open;	  /* something of the reply was seen */
	uint8_t next_seq; /* of the reply's next packet */
	uint8_t more[2];  /* by role: the next packet goes on with the one before */
	uint8_t greeted;  /* the server spoke first: a login follows */
	uint8_t infile;	  /* the client sends a file */
};

_Static_assert(sizeof(struct memory) <= FR_REDACT_MEMORY_BYTES, "memory does not fit");

/* How much of a command's body stays as it is: codes and numbers. */
static size_t kept_bytes(uint8_t code)
{
	switch (code) {
	case COM_EXECUTE:
		return 10;
	case COM_BULK_EXECUTE:
	case 0x18: /* SEND_LONG_DATA: statement, parameter */
		return 7;
	case COM_FETCH:
		return 9;
	case 0x0c: /* KILL */
	case 0x19: /* CLOSE */
	case 0x1a: /* RESET */
		return 5;
	case 0x07: /* REFRESH, SHUTDOWN, SET_OPTION */
	case 0x08:
	case 0x1b:
		return 3;
	default:
		return 1;
	}
}

/* ---- requests ------------------------------------------------------------------------------- */

/* A string and its zero, from `at`. Returns what is behind it. */
static size_t mask_string(struct fr_mask *m, size_t at, size_t to, bool kept)
{
	const uint8_t *zero = at < to ? memchr(m->in + at, 0, to - at) : NULL;
	size_t end = zero ? (size_t)(zero - m->in) : to;

	if (kept)
		fr_mask_keep_set(m, at, end - at, name_bytes, FR_REMOVED_LOGIN);
	if (zero)
		fr_mask_keep(m, end++, 1);
	return end;
}

/* The length before a proof of the password stays, the proof goes. Returns what is behind. */
static size_t mask_proof(struct fr_mask *m, size_t at, size_t to, uint32_t capabilities)
{
	struct fr_slice rest = fr_mask_slice(m, at, to - at), before = rest;
	uint64_t cnt = 0;

	if (capabilities & FR_MYSQL_CAN_LENENC_AUTH) {
		if (fr_mysql_take_number(&rest, &cnt) != FR_WIRE_UNIT)
			return to;
		fr_mask_keep(m, at, before.len_bytes - rest.len_bytes);
		at += before.len_bytes - rest.len_bytes;
	} else if (capabilities & FR_MYSQL_CAN_SECURE) {
		if (at >= to)
			return to;
		cnt = m->in[at];
		fr_mask_keep(m, at++, 1);
	} else {
		return mask_string(m, at, to, false);
	}
	return cnt < to - at ? at + (size_t)cnt : to;
}

static void mask_login(struct fr_mask *m, size_t to, uint32_t capabilities)
{
	size_t at = HEAD + LOGIN_BYTES_MIN;

	fr_mask_keep(m, HEAD, LOGIN_BYTES_MIN);
	at = mask_string(m, at, to, true);
	at = mask_proof(m, at, to, capabilities);
	if (capabilities & FR_MYSQL_CAN_DB)
		mask_string(m, at, to, true);
}

/* A statement; attributes in front of it, if there are any, go. */
static void mask_statement(const struct fr_redact_look *look, struct fr_mask *m,
			   const struct fr_mysql_packet *p)
{
	size_t at = fr_mysql_text_at(p);
	struct fr_mask text;

	if (!at || at > p->body.len_bytes) {
		fr_mask_drop(m, HEAD + 1, p->body.len_bytes - 1, '?', FR_REMOVED_BINDS);
		return;
	}
	if (at == 3 && !p->body.data[1])
		fr_mask_keep(m, HEAD + 1, 2); /* none */
	text = fr_mask_part(m, HEAD + at, p->body.len_bytes - at);
	fr_mask_sql(look->rules, &text, FR_SQL_MYSQL,
		    !p->cut && p->body_bytes < FR_MYSQL_BODY_BYTES_MAX);
}

static enum fr_wire_verdict mask_command(const struct fr_redact_look *look, struct fr_mask *m,
					 const struct fr_mysql_packet *p, struct memory *mem,
					 struct fr_redact_unit *u)
{
	uint8_t code = p->body.data[0];
	size_t to = HEAD + p->body.len_bytes;

	if (!fr_mysql_command_fits(p))
		return FR_WIRE_LOST;
	u->rest = FR_REMOVED_BINDS;
	fr_mask_drop(m, HEAD, p->body.len_bytes, '?', FR_REMOVED_BINDS);
	fr_mask_keep(m, HEAD,
		     kept_bytes(code) < p->body.len_bytes ? kept_bytes(code) : p->body.len_bytes);
	mem->ask = code;
	mem->phase = PHASE_START;
	mem->open = 0;
	mem->infile = 0;
	u->raw = code == COM_BINLOG_DUMP || code == COM_BINLOG_DUMP_GTID;
	switch (code) {
	case COM_QUERY:
	case COM_PREPARE:
		u->rest = FR_REMOVED_SQL;
		mask_statement(look, m, p);
		break;
	case COM_INIT_DB:
		fr_mask_keep_set(m, HEAD + 1, p->body.len_bytes - 1, name_bytes, FR_REMOVED_LOGIN);
		break;
	case COM_CHANGE_USER:
		u->rest = FR_REMOVED_LOGIN;
		mask_string(m,
			    mask_proof(m, mask_string(m, HEAD + 1, to, true), to,
				       FR_MYSQL_CAN_SECURE),
			    to, true);
		break;
	default:
		if (kept_bytes(code) <= p->body.len_bytes)
			return FR_WIRE_UNIT;
	}
	return p->cut ? FR_WIRE_MORE : FR_WIRE_UNIT;
}

/* What goes on with a command: a login, more proofs of a password, a file. */
static enum fr_wire_verdict mask_going_on(struct fr_mask *m, const struct fr_mysql_packet *p,
					  struct memory *mem, struct fr_redact_unit *u)
{
	uint32_t capabilities;

	u->rest = mem->infile ? FR_REMOVED_COPY : FR_REMOVED_LOGIN;
	fr_mask_drop(m, HEAD, p->body.len_bytes, '?', u->rest);
	if (!fr_mysql_is_login(p)) {
		if (mem->infile || mem->ask == ASK_LOGIN || mem->ask == COM_CHANGE_USER)
			return FR_WIRE_UNIT;
		if (p->seq != 1 || !p->cut || p->body.len_bytes >= LOGIN_BYTES_MIN)
			return FR_WIRE_LOST;
		if (mem->greeted) /* numbers and zeros */
			fr_mask_keep(m, HEAD, p->body.len_bytes);
		return FR_WIRE_MORE;
	}
	capabilities = fr_mysql_le(p->body.data, 4);
	mask_login(m, HEAD + p->body.len_bytes, capabilities);
	*mem = (struct memory){ .ask = ASK_LOGIN, .capabilities = capabilities };
	if (p->cut)
		return FR_WIRE_MORE;
	u->raw = capabilities & FR_MYSQL_CAN_TLS && p->body_bytes == LOGIN_BYTES_MIN;
	return FR_WIRE_UNIT;
}

/* A command comes, and its code may never be seen. */
static enum fr_wire_verdict command_unseen(struct memory *mem)
{
	mem->ask = 0;
	mem->phase = PHASE_START;
	mem->open = 0;
	mem->infile = 0;
	return FR_WIRE_MORE;
}

static enum fr_wire_verdict mask_request(const struct fr_redact_look *look, struct fr_mask *m,
					 const struct fr_mysql_packet *p, struct memory *mem,
					 struct fr_redact_unit *u)
{
	enum fr_wire_verdict v = FR_WIRE_UNIT;

	if (mem->more[FR_WIRE_REQUEST]) /* statements of 16 MiB */
		fr_mask_drop(m, HEAD, p->body.len_bytes, '?', FR_REMOVED_SQL);
	else if (p->seq || !p->body_bytes)
		v = mask_going_on(m, p, mem, u);
	else if (p->body.len_bytes)
		v = mask_command(look, m, p, mem, u);
	else
		v = command_unseen(mem);
	mem->more[FR_WIRE_REQUEST] = p->body_bytes == FR_MYSQL_BODY_BYTES_MAX;
	return v;
}

/* ---- replies -------------------------------------------------------------------------------- */

/* Numbers of a body, from `at`, then so many bytes: kept as far as they are there. False: not as
 * many are as are needed. */
static bool keep_numbers(struct fr_mask *m, size_t at, const struct fr_mysql_packet *p,
			 unsigned number_cnt, size_t more_bytes, size_t need_bytes,
			 struct fr_slice *ret_more)
{
	struct fr_slice rest = { p->body.data + at, p->body.len_bytes - at };
	enum fr_wire_verdict v = FR_WIRE_UNIT;
	uint64_t unused;

	for (unsigned i = 0; i < number_cnt && v == FR_WIRE_UNIT; i++)
		v = fr_mysql_take_number(&rest, &unused);
	if (v == FR_WIRE_LOST)
		return false;
	ret_more->data = rest.data;
	ret_more->len_bytes = rest.len_bytes < more_bytes ? rest.len_bytes : more_bytes;
	if (v == FR_WIRE_MORE) /* half a number */
		ret_more->len_bytes = rest.len_bytes;
	fr_mask_keep(m, HEAD + at, (size_t)(rest.data - p->body.data) - at + ret_more->len_bytes);
	return v == FR_WIRE_UNIT && rest.len_bytes >= need_bytes;
}

static void reply_ends(struct memory *mem, uint32_t status)
{
	mem->phase = PHASE_START;
	if (!(status & STATUS_MORE_RESULTS)) {
		mem->open = 0;
		mem->ask = 0;
		mem->infile = 0;
	}
}

/* OK, or the EOF that ends rows: numbers, status, warnings. A text behind them goes. */
static enum fr_wire_verdict mask_end(struct fr_mask *m, const struct fr_mysql_packet *p,
				     struct memory *mem)
{
	struct fr_slice more = { 0 };
	bool is_eof = p->body.data[0] == 0xfe && p->body_bytes == EOF_BODY_BYTES;

	fr_mask_keep(m, HEAD, 1);
	if (!is_eof && p->body_bytes < 7) {
		reply_ends(mem, 0);
		return p->cut ? FR_WIRE_MORE : FR_WIRE_UNIT;
	}
	if (!keep_numbers(m, 1, p, is_eof ? 0 : 2, 4, is_eof ? 4 : 2, &more))
		return p->cut ? FR_WIRE_MORE : FR_WIRE_LOST;
	reply_ends(mem, fr_mysql_le(more.data + (is_eof ? 2 : 0), 2));
	return FR_WIRE_UNIT;
}

static enum fr_wire_verdict mask_error(struct fr_mask *m, const struct fr_mysql_packet *p,
				       struct memory *mem, struct fr_redact_unit *u)
{
	u->rest = FR_REMOVED_ERRORS;
	fr_mask_drop(m, HEAD, p->body.len_bytes, '?', FR_REMOVED_ERRORS);
	fr_mask_keep(m, HEAD, p->body.len_bytes < 3 ? p->body.len_bytes : 3);
	if (p->body.len_bytes > 3 && p->body.data[3] == '#')
		fr_mask_keep_set(m, HEAD + 3,
				 p->body.len_bytes < ERROR_KEPT_BYTES ? p->body.len_bytes - 3
								      : ERROR_KEPT_BYTES - 3,
				 "#0-9A-Z", FR_REMOVED_ERRORS);
	if (p->cut && p->body.len_bytes < ERROR_KEPT_BYTES)
		return FR_WIRE_MORE;
	/* MariaDB reports progress as error 65535: the reply goes on */
	if (p->body.len_bytes < 3 || fr_mysql_le(p->body.data + 1, 2) != 0xffff)
		reply_ends(mem, 0);
	return FR_WIRE_UNIT;
}

static enum fr_wire_verdict mask_count(struct fr_mask *m, const struct fr_mysql_packet *p,
				       struct memory *mem)
{
	struct fr_slice rest = p->body;
	uint64_t cnt = 0;

	if (p->body_bytes > 10)
		return FR_WIRE_LOST;
	if (p->cut) {
		fr_mask_keep(m, HEAD, p->body.len_bytes);
		return FR_WIRE_MORE;
	}
	if (fr_mysql_take_number(&rest, &cnt) != FR_WIRE_UNIT || !cnt || cnt > UINT16_MAX ||
	    rest.len_bytes > 1)
		return FR_WIRE_LOST;
	fr_mask_keep(m, HEAD, p->body.len_bytes);
	mem->columns_left = rest.len_bytes && !rest.data[0] ? 0 : (uint32_t)cnt;
	mem->phase = mem->columns_left ? PHASE_COLUMNS : PHASE_FIRST_ROW;
	return FR_WIRE_UNIT;
}

static enum fr_wire_verdict mask_row(struct fr_mask *m, const struct fr_mysql_packet *p,
				     struct memory *mem)
{
	bool is_end = p->body.data[0] == 0xfe && p->body_bytes < FR_MYSQL_BODY_BYTES_MAX;
	struct fr_slice unused = { 0 };

	if (is_end && mem->phase == PHASE_FIRST_ROW && p->body_bytes == EOF_BODY_BYTES) {
		/* the end of the columns' list */
		if (!keep_numbers(m, 0, p, 0, EOF_BODY_BYTES, EOF_BODY_BYTES, &unused))
			return FR_WIRE_MORE;
		mem->phase = PHASE_ROWS;
		return FR_WIRE_UNIT;
	}
	if (is_end)
		return mask_end(m, p, mem);
	mem->phase = PHASE_ROWS;
	return FR_WIRE_UNIT;
}

/* The first packet of a reply, or of a further result in it. */
static enum fr_wire_verdict mask_start(struct fr_mask *m, const struct fr_mysql_packet *p,
				       struct memory *mem, struct fr_redact_unit *u)
{
	uint8_t first = p->body.data[0];
	struct fr_slice more = { 0 };

	switch (mem->ask) {
	case ASK_LOGIN:
	case COM_CHANGE_USER:
		u->rest = FR_REMOVED_LOGIN;
		fr_mask_drop(m, HEAD, p->body.len_bytes, '?', FR_REMOVED_LOGIN);
		fr_mask_keep(m, HEAD, 1);
		if (first)
			return first == 1 || first == 0xfe ? FR_WIRE_UNIT : FR_WIRE_LOST;
		u->raw = mem->capabilities & (FR_MYSQL_CAN_COMPRESS | FR_MYSQL_CAN_ZSTD);
		return mask_end(m, p, mem);
	case COM_STATISTICS:
		reply_ends(mem, 0);
		return FR_WIRE_UNIT;
	case COM_FETCH:
	case COM_FIELD_LIST:
		mem->phase = PHASE_ROWS;
		return mask_row(m, p, mem);
	case COM_PREPARE:
		if (first)
			return FR_WIRE_LOST;
		if (!keep_numbers(m, 0, p, 0, 12, 9, &more))
			return p->cut ? FR_WIRE_MORE : FR_WIRE_LOST;
		mem->phase = PHASE_PREPARED;
		return FR_WIRE_UNIT;
	default:
		break;
	}
	if (!first || first == 0xfe)
		return mask_end(m, p, mem);
	if (first == 0xfb) { /* the name of the file goes */
		fr_mask_keep(m, HEAD, 1);
		mem->infile = 1;
		return FR_WIRE_UNIT;
	}
	return mask_count(m, p, mem);
}

/* "def" begins each definition. */
static enum fr_wire_verdict mask_definition(struct fr_mask *m, const struct fr_mysql_packet *p)
{
	size_t cnt = p->body.len_bytes < 4 ? p->body.len_bytes : 4;

	if (p->body_bytes < 4 || memcmp(p->body.data, "\003def", cnt))
		return FR_WIRE_LOST;
	fr_mask_keep(m, HEAD, cnt);
	return cnt < 4 ? FR_WIRE_MORE : FR_WIRE_UNIT;
}

static enum fr_wire_verdict mask_packet(struct fr_mask *m, const struct fr_mysql_packet *p,
					struct memory *mem, struct fr_redact_unit *u)
{
	enum fr_wire_verdict v;

	if (p->body.data[0] == 0xff)
		return mask_error(m, p, mem, u);
	switch ((enum phase)mem->phase) {
	case PHASE_START:
		return mask_start(m, p, mem, u);
	case PHASE_COLUMNS:
		v = mask_definition(m, p);
		if (v == FR_WIRE_UNIT && !--mem->columns_left)
			mem->phase = PHASE_FIRST_ROW;
		return v;
	case PHASE_FIRST_ROW:
	case PHASE_ROWS:
		return mask_row(m, p, mem);
	case PHASE_PREPARED:
		if (p->body.data[0] != 0xfe)
			return mask_definition(m, p);
		fr_mask_keep(m, HEAD, p->body_bytes == EOF_BODY_BYTES ? p->body.len_bytes : 1);
		return p->cut ? FR_WIRE_MORE : FR_WIRE_UNIT;
	}
	return FR_WIRE_LOST;
}

/* Of the greeting, what tells it: version number and name. */
static enum fr_wire_verdict mask_greeting(struct fr_mask *m, const struct fr_mysql_packet *p,
					  struct memory *mem, struct fr_redact_unit *u)
{
	size_t to = HEAD + p->body.len_bytes, end = mask_string(m, HEAD + 1, to, true);

	u->rest = FR_REMOVED_LOGIN;
	fr_mask_drop(m, HEAD, p->body.len_bytes, '?', FR_REMOVED_LOGIN);
	fr_mask_keep(m, HEAD, 1);
	fr_mask_keep_set(m, HEAD + 1, end - HEAD - 1, " -~", FR_REMOVED_LOGIN);
	if (end > HEAD + 1 && !m->in[end - 1])
		fr_mask_keep(m, end - 1, 1);
	if (end + 12 < to && !m->in[end - 1])
		fr_mask_keep(m, end + 12, 1); /* the zero behind the salt */
	if (p->cut)
		return FR_WIRE_MORE;
	*mem = (struct memory){ .greeted = 1 };
	return FR_WIRE_UNIT;
}

static enum fr_wire_verdict mask_response(struct fr_mask *m, const struct fr_mysql_packet *p,
					  struct memory *mem, struct fr_redact_unit *u)
{
	bool is_login = mem->ask == ASK_LOGIN || mem->ask == COM_CHANGE_USER;
	enum fr_wire_verdict v = FR_WIRE_UNIT;

	u->rest = FR_REMOVED_ROWS;
	if (p->body_bytes && !p->body.len_bytes)
		return FR_WIRE_MORE;
	if (p->body_bytes && fr_mysql_is_greeting(p))
		return mask_greeting(m, p, mem, u);
	if (mem->open ? p->seq != mem->next_seq
		      : !p->seq && p->body.len_bytes && p->body.data[0] != 0xff)
		return FR_WIRE_LOST;
	if (!mem->open && p->seq != 1 && !is_login && !mem->infile && p->seq)
		return FR_WIRE_LOST;
	if (!mem->more[FR_WIRE_RESPONSE] && !p->body_bytes)
		return FR_WIRE_LOST;
	if (!mem->more[FR_WIRE_RESPONSE]) {
		mem->open = !is_login && !mem->infile;
		v = mask_packet(m, p, mem, u);
	}
	if (mem->ask == ASK_LOGIN || mem->ask == COM_CHANGE_USER || mem->infile)
		mem->open = 0; /* the client's packets count, too */
	mem->next_seq = (uint8_t)(p->seq + 1);
	mem->more[FR_WIRE_RESPONSE] = p->body_bytes == FR_MYSQL_BODY_BYTES_MAX;
	return v;
}

/* ---- the protocol --------------------------------------------------------------------------- */

static enum fr_wire_verdict mask(const struct fr_redact_look *look, struct fr_mask *m,
				 struct fr_redact_unit *ret_unit)
{
	struct memory *mem = look->memory, now = *mem;
	struct fr_mysql_packet p;
	enum fr_wire_verdict v;

	if (fr_mysql_read((struct fr_slice){ m->in, m->len_bytes }, &p) != FR_WIRE_UNIT) {
		fr_mask_keep(m, 0, m->len_bytes);
		return FR_WIRE_MORE;
	}
	ret_unit->unit_bytes = (uint64_t)HEAD + p.body_bytes;
	ret_unit->rest = FR_REMOVED_SQL;
	ret_unit->need_bytes = HEAD + 1;
	fr_mask_drop(m, HEAD, p.body.len_bytes, '?', FR_REMOVED_ROWS);
	fr_mask_keep(m, 0, HEAD);
	v = look->role == FR_WIRE_REQUEST ? mask_request(look, m, &p, &now, ret_unit)
					  : mask_response(m, &p, &now, ret_unit);
	if (v == FR_WIRE_MORE)
		now.more[FR_WIRE_REQUEST] = mem->more[FR_WIRE_REQUEST];
	/* the rest of a command may never be seen, its reply comes all the same */
	if (v == FR_WIRE_UNIT || (v == FR_WIRE_MORE && look->role == FR_WIRE_REQUEST))
		*mem = now;
	return v;
}

static void rejoin(void *memory, enum fr_wire_role role)
{
	struct memory *mem = memory;

	mem->more[role] = 0;
	if (role == FR_WIRE_REQUEST)
		return;
	mem->phase = PHASE_START;
	mem->open = 0;
	mem->infile = 0;
}

static void other_lost(void *memory, enum fr_wire_role role)
{
	struct memory *mem = memory;

	if (role == FR_WIRE_REQUEST)
		return; /* each command begins anew */
	mem->phase = PHASE_START;
	mem->open = 0;
	if (!mem->infile) /* else what was lost is the file */
		mem->ask = 0;
}

const struct fr_redact_protocol fr_redact_mysql = {
	.wire = &fr_wire_mysql,
	.mask = mask,
	.rejoin = rejoin,
	.other_lost = other_lost,
};
