/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PostgreSQL: heads of messages, statements without literals, names of statements and portals,
 * command tags, severities and codes of errors, user and database. Values go.
 */
#include "mask.h"

#define HEAD_BYTES 5
#define MESSAGE_BYTES_MAX 0x1fffffffu /* as in wire/ */
#define STARTUP_BYTES_MAX 10000
#define CODE_CANCEL 80877102u
#define CODE_SSL 80877103u
#define CODE_GSS 80877104u
#define GUESS_BYTES_MAX (1u << 20) /* a statement on a connection of which nothing is known */

static const char name_bytes[] = "a-zA-Z0-9_.:-";

struct memory {
	uint8_t asked_plain; /* SSLRequest or GSSENCRequest waits for its one byte */
};

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* A string from `at`: its end (its zero, if it has one), within to. */
static size_t string_end(const struct fr_mask *m, size_t at, size_t to)
{
	const uint8_t *zero = at < to ? memchr(m->in + at, 0, to - at) : NULL;

	return zero ? (size_t)(zero - m->in) : to;
}

/* A name and its zero; what has other bytes than names have loses these. Returns what is behind. */
static size_t mask_name(struct fr_mask *m, size_t at, size_t to, enum fr_removal why)
{
	size_t end = string_end(m, at, to);

	fr_mask_keep_set(m, at, end - at, name_bytes, why);
	if (end < to)
		fr_mask_keep(m, end++, 1);
	return end;
}

/* A statement and its zero. to: as far as the body is there. */
static size_t mask_text(const struct fr_redact_look *look, struct fr_mask *m, size_t at, size_t to)
{
	size_t end = string_end(m, at, to);
	struct fr_mask text = fr_mask_part(m, at, end - at);

	fr_mask_sql(look->rules, &text, FR_SQL_POSTGRESQL, end < to);
	if (end < to)
		fr_mask_keep(m, end++, 1);
	return end;
}

/* ErrorResponse, NoticeResponse: type and string of each field; values of three types stay. */
static void mask_fields(struct fr_mask *m, size_t at, size_t to)
{
	while (at < to && m->in[at]) {
		uint8_t type = m->in[at];
		size_t end = string_end(m, at + 1, to), cnt = end > at ? end - at - 1 : 0;

		fr_mask_keep_set(m, at, 1, "a-zA-Z", FR_REMOVED_ERRORS);
		if (type == 'S' || type == 'V')
			fr_mask_keep_set(m, at + 1, cnt, "A-Z0-9", FR_REMOVED_ERRORS);
		else if (type == 'C')
			fr_mask_keep_set(m, at + 1, cnt < 5 ? cnt : 5, "A-Z0-9", FR_REMOVED_ERRORS);
		if (end < to)
			fr_mask_keep(m, end, 1);
		at = end + 1;
	}
	if (at < to)
		fr_mask_keep(m, at, 1);
}

static void mask_request(const struct fr_redact_look *look, struct fr_mask *m, uint8_t type,
			 size_t to)
{
	size_t at = HEAD_BYTES;

	switch (type) {
	case 'Q':
		mask_text(look, m, at, to);
		break;
	case 'P':
		at = mask_name(m, at, to, FR_REMOVED_SQL);
		if (at > HEAD_BYTES && !m->in[at - 1])
			mask_text(look, m, at, to);
		break;
	case 'B':
		at = mask_name(m, at, to, FR_REMOVED_BINDS);
		if (at > HEAD_BYTES && !m->in[at - 1])
			mask_name(m, at, to, FR_REMOVED_BINDS);
		break;
	case 'E':
		mask_name(m, at, to, FR_REMOVED_BINDS);
		break;
	case 'C':
	case 'D':
		fr_mask_keep_set(m, at, 1, "SP", FR_REMOVED_UNKNOWN);
		mask_name(m, at + 1, to, FR_REMOVED_BINDS);
		break;
	default: /* CopyData, passwords, function calls */
		break;
	}
}

static void mask_response(struct fr_mask *m, uint8_t type, size_t to)
{
	switch (type) {
	case 'E':
	case 'N':
		mask_fields(m, HEAD_BYTES, to);
		break;
	case 'C':
		fr_mask_keep_set(m, HEAD_BYTES, to - HEAD_BYTES, "A-Z0-9 ", FR_REMOVED_ROWS);
		if (to > HEAD_BYTES && !m->in[to - 1])
			fr_mask_keep(m, to - 1, 1);
		break;
	case 'Z':
		fr_mask_keep_set(m, HEAD_BYTES, 1, "ITE", FR_REMOVED_UNKNOWN);
		break;
	case 'T':
	case 'D': /* how many columns */
		fr_mask_keep(m, HEAD_BYTES, to - HEAD_BYTES < 2 ? to - HEAD_BYTES : 2);
		break;
	default:
		break;
	}
}

/* Why the bytes of a message go that are not named above. */
static enum fr_removal reason_of(enum fr_wire_role role, uint8_t type)
{
	switch (type) {
	case 'd':
	case 'f':
		return FR_REMOVED_COPY;
	case 'p':
	case 'R':
	case 'K':
	case 'S':
		return FR_REMOVED_LOGIN;
	case 'B':
	case 'F':
	case 't':
		return FR_REMOVED_BINDS;
	case 'P':
	case 'Q':
		return FR_REMOVED_SQL;
	case 'N':
		return FR_REMOVED_ERRORS;
	case 'E':
		return role == FR_WIRE_RESPONSE ? FR_REMOVED_ERRORS : FR_REMOVED_BINDS;
	default:
		return FR_REMOVED_ROWS;
	}
}

/* Messages of which more than the head is kept. */
static bool wants_body(enum fr_wire_role role, uint8_t type)
{
	return strchr(role == FR_WIRE_REQUEST ? "QPBECD" : "ENC", type);
}

static bool is_type(enum fr_wire_role role, uint8_t type)
{
	static const char *const types[] = { "BCDEFHPQSXcdfp", "123ACDEGHIKNRSTVWZcdnstv" };

	return type && strchr(types[role], type);
}

/* ---- messages that open a connection -------------------------------------------------------- */

/* Pairs of strings: names of settings stay, of the values two. */
static void mask_startup(struct fr_mask *m, size_t to)
{
	size_t at = 8, end;
	struct fr_slice name;

	while (at < to && m->in[at]) {
		end = string_end(m, at, to);
		name = fr_mask_slice(m, at, end - at);
		at = mask_name(m, at, to, FR_REMOVED_LOGIN);
		if (end == to)
			return;
		end = string_end(m, at, to);
		if (fr_slice_is(name, "user") || fr_slice_is(name, "database"))
			fr_mask_keep(m, at, end - at);
		else
			fr_mask_drop(m, at, end - at, '?', FR_REMOVED_LOGIN);
		fr_mask_keep(m, end, end < to);
		at = end + 1;
	}
	if (at < to)
		fr_mask_keep(m, at, 1);
}

static enum fr_wire_verdict mask_opening(struct fr_mask *m, struct memory *mem,
					 struct fr_redact_unit *u)
{
	uint32_t length, code;
	size_t to;

	if (m->len_bytes < 8) {
		fr_mask_keep(m, 0, m->len_bytes < 2 ? m->len_bytes : 2);
		return m->len_bytes > 1 && m->in[1] ? FR_WIRE_LOST : FR_WIRE_MORE;
	}
	length = be32(m->in);
	code = be32(m->in + 4);
	if (length < 8 || length > STARTUP_BYTES_MAX)
		return FR_WIRE_LOST;
	to = m->len_bytes < length ? m->len_bytes : length;
	u->unit_bytes = length;
	u->rest = FR_REMOVED_LOGIN;
	if (code == CODE_SSL || code == CODE_GSS) {
		mem->asked_plain = 1;
	} else if (code != CODE_CANCEL && code >> 16 != 3) {
		return FR_WIRE_LOST;
	}
	fr_mask_drop(m, 8, to - 8, '?', FR_REMOVED_LOGIN);
	fr_mask_keep(m, 0, 8);
	if (code >> 16 != 3)
		return length == 8 || code == CODE_CANCEL ? FR_WIRE_UNIT : FR_WIRE_LOST;
	mask_startup(m, to);
	return to < length ? FR_WIRE_MORE : FR_WIRE_UNIT;
}

static enum fr_wire_verdict mask_plain(struct fr_mask *m, struct memory *mem,
				       struct fr_redact_unit *u)
{
	if (!m->in[0] || !strchr("SGN", m->in[0]))
		return FR_WIRE_LOST;
	mem->asked_plain = 0;
	fr_mask_keep(m, 0, 1);
	u->unit_bytes = 1;
	u->raw = m->in[0] != 'N';
	return FR_WIRE_UNIT;
}

/* ---- the protocol --------------------------------------------------------------------------- */

/* The head of a message; an incomplete one as far as it can be one. */
static enum fr_wire_verdict read_head(enum fr_wire_role role, struct fr_mask *m,
				      uint32_t *ret_body_bytes)
{
	uint32_t length;

	if (!is_type(role, m->in[0]) || (m->len_bytes > 1 && m->in[1] > 0x1f))
		return FR_WIRE_LOST;
	if (m->len_bytes < HEAD_BYTES) {
		fr_mask_keep(m, 0, m->len_bytes);
		return FR_WIRE_MORE;
	}
	length = be32(m->in + 1);
	if (length < 4 || length - 4 > MESSAGE_BYTES_MAX)
		return FR_WIRE_LOST;
	*ret_body_bytes = length - 4;
	return FR_WIRE_UNIT;
}

static enum fr_wire_verdict mask(const struct fr_redact_look *look, struct fr_mask *m,
				 struct fr_redact_unit *ret_unit)
{
	struct memory *mem = look->memory;
	enum fr_wire_verdict v;
	uint32_t body_bytes;
	uint8_t type = m->in[0];
	size_t to;

	if (look->role == FR_WIRE_RESPONSE && mem->asked_plain && type != 'E')
		return mask_plain(m, mem, ret_unit);
	if (look->role == FR_WIRE_REQUEST && !type)
		return mask_opening(m, mem, ret_unit);
	v = read_head(look->role, m, &body_bytes);
	if (v != FR_WIRE_UNIT)
		return v;
	ret_unit->unit_bytes = (uint64_t)HEAD_BYTES + body_bytes;
	ret_unit->rest = reason_of(look->role, type);
	to = m->len_bytes < ret_unit->unit_bytes ? m->len_bytes : (size_t)ret_unit->unit_bytes;
	fr_mask_drop(m, 0, to, '?', ret_unit->rest);
	fr_mask_keep(m, 0, HEAD_BYTES);
	if (look->role == FR_WIRE_REQUEST)
		mask_request(look, m, type, to);
	else
		mask_response(m, type, to);
	if (to < ret_unit->unit_bytes && wants_body(look->role, type))
		return FR_WIRE_MORE;
	return FR_WIRE_UNIT;
}

/*
 * Query or Parse with a statement behind it, cut as it may be: wire/ waits for the reply to be
 * sure, here the first message must be judged by itself.
 */
static bool begins(enum fr_wire_role role, struct fr_slice bytes)
{
	struct fr_slice text = { bytes.data + HEAD_BYTES, bytes.len_bytes - HEAD_BYTES };
	const uint8_t *zero;
	uint32_t length;

	if (role != FR_WIRE_REQUEST || bytes.len_bytes < HEAD_BYTES + 6)
		return false;
	length = be32(bytes.data + 1);
	if (length < 10 || length > GUESS_BYTES_MAX)
		return false;
	if (bytes.data[0] == 'P') {
		zero = memchr(text.data, 0, text.len_bytes);
		if (!zero)
			return false;
		text.len_bytes -= (size_t)(zero + 1 - text.data);
		text.data = zero + 1;
	} else if (bytes.data[0] != 'Q') {
		return false;
	}
	return text.len_bytes && fr_begins_sql(text);
}

static void rejoin(void *memory, enum fr_wire_role role)
{
	struct memory *mem = memory;

	if (role == FR_WIRE_RESPONSE)
		mem->asked_plain = 0;
}

static void other_lost(void *memory, enum fr_wire_role role)
{
	(void)memory;
	(void)role; /* replies stand for themselves */
}

const struct fr_redact_protocol fr_redact_postgres = {
	.wire = &fr_wire_postgres,
	.begins = begins,
	.mask = mask,
	.rejoin = rejoin,
	.other_lost = other_lost,
};
