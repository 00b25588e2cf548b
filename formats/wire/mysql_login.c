/* SPDX-License-Identifier: BSD-2-Clause */
/* MySQL: the opening of a session, and how its first bytes tell the protocol. */
#include "mysql.h"

#define VERSION_10 0x0a
#define GREETING_BYTES_MIN 34 /* version, a name of one byte, and what follows it */
#define LOGIN_BYTES_MIN 32    /* up to the user; all of what asks for TLS */
#define FILLER_AT 9
#define FILLER_BYTES 19 /* of 23: MariaDB uses the last four */
#define ERROR_NR_MIN 1000
#define SQLSTATE_BYTES 5

/* ---- login ------------------------------------------------------------------------------- */

static uint8_t keep_name(char *to, struct fr_slice s)
{
	size_t n = s.len_bytes < FR_MYSQL_NAME_BYTES ? s.len_bytes : FR_MYSQL_NAME_BYTES;

	if (n)
		memcpy(to, s.data, n);
	return (uint8_t)n;
}

void fr_mysql_set_database(struct fr_mysql_state *st, struct fr_slice name)
{
	st->database_bytes = keep_name(st->database, name);
}

/* The server's first packet: protocol version, its own version as a string, thread, salt. */
bool fr_mysql_is_greeting(const struct fr_mysql_packet *m)
{
	struct fr_slice b = m->body;
	size_t i = 1;

	if (m->seq || m->body_bytes < GREETING_BYTES_MIN || m->body_bytes > 512 ||
	    b.len_bytes < 3 || b.data[0] != VERSION_10 || b.data[1] < '0' || b.data[1] > '9')
		return false;
	while (i < b.len_bytes && b.data[i] >= ' ' && b.data[i] < 0x7f)
		i++;
	if (i == b.len_bytes)
		return m->cut;
	/* behind the name: its zero, the thread, eight bytes of salt, a zero */
	return !b.data[i] && (i + 13 >= b.len_bytes || !b.data[i + 13]);
}

bool fr_mysql_is_login(const struct fr_mysql_packet *m)
{
	struct fr_slice b = m->body;

	if (m->seq != 1 || m->body_bytes < LOGIN_BYTES_MIN || b.len_bytes < LOGIN_BYTES_MIN)
		return false;
	if (!(fr_mysql_le(b.data, 4) & FR_MYSQL_CAN_41))
		return false;
	for (unsigned i = 0; i < FILLER_BYTES; i++)
		if (b.data[FILLER_AT + i])
			return false;
	return true;
}

/* The proof of the password, in one of three forms, is passed over. */
static bool skip_proof(uint32_t capabilities, struct fr_slice *rest)
{
	struct fr_slice unused;
	uint64_t proof_bytes = 0;

	if (capabilities & FR_MYSQL_CAN_LENENC_AUTH)
		return fr_mysql_take_number(rest, &proof_bytes) == FR_WIRE_UNIT &&
		       fr_slice_skip(rest, proof_bytes);
	if (capabilities & FR_MYSQL_CAN_SECURE) {
		if (!rest->len_bytes)
			return false;
		proof_bytes = rest->data[0];
		return fr_slice_skip(rest, proof_bytes + 1);
	}
	return fr_slice_take_string(rest, &unused);
}

void fr_mysql_on_login(struct fr_mysql_state *st, const struct fr_mysql_packet *m,
		       struct fr_wire_unit *u)
{
	uint32_t capabilities = fr_mysql_le(m->body.data, 4);
	struct fr_slice rest = m->body, name = { 0 };

	if (capabilities & FR_MYSQL_CAN_TLS && m->body_bytes == LOGIN_BYTES_MIN) {
		u->effects = FR_UNIT_RAW;
		return;
	}
	memset(st, 0, sizeof(*st));
	st->capabilities = capabilities;
	st->eof = capabilities & FR_MYSQL_CAN_NO_EOF ? FR_MYSQL_EOF_DEPRECATED : FR_MYSQL_EOF_USED;
	st->login = FR_MYSQL_ANSWERED;
	u->effects = FR_UNIT_BEGIN | FR_UNIT_QUIET;
	u->kind = FR_MYSQL_LOGIN;
	u->command = (struct fr_slice){ .data = (const uint8_t *)"LOGIN", .len_bytes = 5 };
	fr_slice_skip(&rest, LOGIN_BYTES_MIN);
	if (!fr_slice_take_string(&rest, &name))
		return;
	st->user_bytes = keep_name(st->user, name);
	if (skip_proof(capabilities, &rest) && capabilities & FR_MYSQL_CAN_DB &&
	    fr_slice_take_string(&rest, &name))
		fr_mysql_set_database(st, name);
}

void fr_mysql_on_change_user(struct fr_mysql_state *st, const struct fr_mysql_packet *m)
{
	struct fr_slice rest = m->body, name;

	memset(st->statements, 0, sizeof(st->statements)); /* they end with the session */
	st->user_bytes = st->database_bytes = 0;
	st->login = FR_MYSQL_ANSWERED;
	if (!fr_slice_skip(&rest, 1) || !fr_slice_take_string(&rest, &name))
		return;
	st->user_bytes = keep_name(st->user, name);
	if (skip_proof(FR_MYSQL_CAN_SECURE, &rest) && fr_slice_take_string(&rest, &name))
		fr_mysql_set_database(st, name);
}

/* ---- detection --------------------------------------------------------------------------- */

/* How the first bytes of one side fit. */
enum fit { FIT_NOT, FIT_UNKNOWN, FIT_PERHAPS, FIT_SURELY };

static bool begins_statement(struct fr_slice text)
{
	static const char *const words[] = {
		"ALTER",   "ANALYZE", "BEGIN",	 "CALL",     "CHANGE",	 "COMMIT",    "CREATE",
		"DELETE",  "DESC",    "DO",	 "DROP",     "EXECUTE",	 "EXPLAIN",   "FLUSH",
		"GRANT",   "INSERT",  "KILL",	 "LOAD",     "LOCK",	 "OPTIMIZE",  "PREPARE",
		"RELEASE", "RENAME",  "REPLACE", "REVOKE",   "ROLLBACK", "SAVEPOINT", "SELECT",
		"SET",	   "SHOW",    "START",	 "TRUNCATE", "UNLOCK",	 "UPDATE",    "USE",
		"VALUES",  "WITH",    "XA",
	};
	size_t at = 0;

	while (at < text.len_bytes && strchr(" \t\r\n(", text.data[at]) && text.data[at])
		at++;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i]), k = 0;

		while (k < n && at + k < text.len_bytes &&
		       (text.data[at + k] & 0xdf) == (uint8_t)words[i][k])
			k++;
		if (k == n || (k >= 3 && at + k == text.len_bytes))
			return at + n == text.len_bytes || k < n ||
			       strchr(" \t\r\n(;*@`/", text.data[at + n]);
	}
	return text.len_bytes > at + 1 && !memcmp(text.data + at, "/*", 2);
}

static enum fit request_fit(struct fr_slice bytes)
{
	struct fr_mysql_packet m;
	struct fr_slice text;

	if (!bytes.len_bytes)
		return FIT_UNKNOWN;
	if (fr_mysql_read(bytes, &m) != FR_WIRE_UNIT || !m.body.len_bytes)
		return bytes.len_bytes > 3 && bytes.data[3] > 1 ? FIT_NOT : FIT_UNKNOWN;
	if (m.seq == 1)
		return fr_mysql_is_login(&m) ? FIT_SURELY : FIT_NOT;
	if (m.seq || !fr_mysql_command_fits(&m))
		return FIT_NOT;
	text = m.body;
	switch (m.body.data[0]) {
	case 0x03:
	case 0x16:
		fr_slice_skip(&text, fr_mysql_text_at(&m));
		return begins_statement(text) ? FIT_SURELY : FIT_PERHAPS;
	case 0x17: /* executed once */
		return m.body.len_bytes >= 10 && fr_mysql_le(m.body.data + 6, 4) == 1 &&
				       fr_mysql_le(m.body.data + 1, 4) < 1u << 24
			       ? FIT_SURELY
			       : FIT_PERHAPS;
	default:
		return FIT_PERHAPS;
	}
}

static bool is_error(const struct fr_mysql_packet *m)
{
	struct fr_slice b = m->body;

	if (m->body_bytes < 3 + 1 + SQLSTATE_BYTES || b.len_bytes < 3 + 1 + SQLSTATE_BYTES ||
	    fr_mysql_le(b.data + 1, 2) < ERROR_NR_MIN || b.data[3] != '#')
		return false;
	for (unsigned i = 0; i < SQLSTATE_BYTES; i++) {
		uint8_t c = b.data[4 + i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')))
			return false;
	}
	return true;
}

/* A count of columns, and behind it the first definition, which begins with "def". */
static enum fit columns_fit(const struct fr_mysql_packet *m, struct fr_slice rest)
{
	struct fr_slice number = m->body;
	struct fr_mysql_packet next;
	uint64_t cnt = 0;

	if (m->body_bytes > 9 || m->cut || fr_mysql_take_number(&number, &cnt) != FR_WIRE_UNIT ||
	    !cnt || cnt > 4096 || number.len_bytes > 1)
		return FIT_NOT;
	if (fr_mysql_read(rest, &next) != FR_WIRE_UNIT || next.body.len_bytes < 4)
		return FIT_PERHAPS;
	return next.seq == 2 && !memcmp(next.body.data, "\003def", 4) ? FIT_SURELY : FIT_NOT;
}

static enum fit response_fit(struct fr_slice bytes)
{
	struct fr_mysql_packet m;
	struct fr_slice rest = bytes;

	if (!bytes.len_bytes)
		return FIT_UNKNOWN;
	if (fr_mysql_read(bytes, &m) != FR_WIRE_UNIT || !m.body.len_bytes)
		return bytes.len_bytes > 3 && bytes.data[3] > 1 ? FIT_NOT : FIT_UNKNOWN;
	if (fr_mysql_is_greeting(&m))
		return FIT_SURELY;
	if (m.body.data[0] == 0xff)
		return m.seq <= 1 && is_error(&m) ? FIT_SURELY : FIT_NOT;
	if (m.seq != 1)
		return FIT_NOT;
	if (!m.body.data[0]) /* OK: two numbers, status, warnings */
		return m.body_bytes >= 7 && m.body_bytes < 4096 ? FIT_PERHAPS : FIT_NOT;
	fr_slice_skip(&rest, (uint64_t)m.body_bytes + FR_MYSQL_HEAD_BYTES);
	return columns_fit(&m, rest);
}

int fr_mysql_detect(struct fr_slice request, struct fr_slice response)
{
	enum fit a = request_fit(request), b = response_fit(response);

	if (a == FIT_NOT || b == FIT_NOT)
		return 0;
	return a == FIT_SURELY || b == FIT_SURELY || (a == FIT_PERHAPS && b == FIT_PERHAPS) ? 2 : 1;
}
