/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PostgreSQL, protocol 3. A unit is a message: a type byte and a length that counts itself (the
 * messages that open a connection have no type byte). Queue entries: a simple query, each Execute,
 * and silently, worth telling only when they fail, each Parse, Sync and start of a session.
 * ReadyForQuery is the barrier behind which all of a query or batch is over.
 */
#include "wire.h"

#include <xxhash.h>

enum kind {
	KIND_QUERY = 1, /* Query, FunctionCall */
	KIND_EXECUTE = 2,
	KIND_PARSE = 4,
	KIND_SYNC = 8,
	KIND_STARTUP = 16,
	KIND_ANY_END = KIND_QUERY | KIND_SYNC | KIND_STARTUP, /* ReadyForQuery answers these */
};

#define HEAD_BYTES 5
#define MESSAGE_BYTES_MAX 0x1fffffffu /* half of what servers take: text never looks like one */
#define STARTUP_BYTES_MAX 10000	      /* the server's own limit */
#define PROTOCOL_MAJOR 3
#define CODE_CANCEL 80877102u
#define CODE_SSL 80877103u
#define CODE_GSS 80877104u
#define PORTALS_MAX 4
#define NAME_BYTES 64 /* NAMEDATALEN */
#define WALK_MAX 64   /* messages that detection looks at */

struct portal {
	uint64_t name_hash;
	uint64_t statement; /* its name's hash; 0 = none */
};

struct state {
	uint8_t asked_plain; /* SSLRequest or GSSENCRequest waits for its one byte */
	uint8_t user_bytes;
	uint8_t database_bytes;
	uint8_t portal_next;  /* to be replaced next */
	uint8_t unnamed_gone; /* the statement without a name may be another one now */
	uint8_t reserved_zero[3];
	uint64_t number; /* of the connection in fr_wire_texts; 0 = it gave no names yet */
	struct portal portals[PORTALS_MAX];
	char user[NAME_BYTES];
	char database[NAME_BYTES];
};

_Static_assert(sizeof(struct state) <= FR_WIRE_STATE_BYTES, "state does not fit");

/* A message as far as its bytes go. */
struct message {
	uint8_t type;
	bool cut; /* body is shorter than body_bytes */
	uint32_t body_bytes;
	struct fr_slice body;
};

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Is there such a type in this role, with so long a body? */
static bool is_sound(enum fr_wire_role role, uint8_t type, uint32_t body_bytes)
{
	static const char *const types[] = { "BCDEFHPQSXcdfp", "123ACDEGHIKNRSTVWZcdnstv" };
	static const char *const empty[] = { "HSXc", "123Icns" };

	if (!type || !strchr(types[role], type) || body_bytes > MESSAGE_BYTES_MAX)
		return false;
	if (strchr(empty[role], type))
		return !body_bytes;
	if (role == FR_WIRE_RESPONSE && type == 'Z')
		return body_bytes == 1;
	if (strchr("dp", type))
		return true;
	return body_bytes >= 1 && (role == FR_WIRE_REQUEST || type != 'K' || body_bytes >= 8);
}

/* Is the body that which its type promises, as far as it is there? */
static bool fits_type(enum fr_wire_role role, const struct message *m)
{
	struct fr_slice b = m->body;

	if (!b.len_bytes)
		return true;
	if (role == FR_WIRE_RESPONSE)
		switch (m->type) {
		case 'Z':
			return strchr("ITE", b.data[0]) && b.data[0];
		case 'E':
		case 'N':
			return b.data[0] == 'S' || (b.data[0] == 'M' && m->body_bytes > 2);
		case 'C':
			return b.data[0] >= 'A' && b.data[0] <= 'Z' &&
			       (m->cut || !b.data[b.len_bytes - 1]);
		case 'T':
		case 'D': /* a count of columns, and room for them */
			return b.len_bytes < 2 ||
			       (uint32_t)(b.data[0] << 8 | b.data[1]) * (m->type == 'T' ? 19 : 4) <=
				       m->body_bytes - 2;
		default:
			return true;
		}
	if (m->type == 'Q')
		return m->cut || !b.data[b.len_bytes - 1];
	if (m->type == 'D' || m->type == 'C')
		return b.data[0] == 'S' || b.data[0] == 'P';
	return true;
}

/* Reads a message's head and what is there of its body. */
static enum fr_wire_verdict read_message(enum fr_wire_role role, struct fr_slice bytes,
					 struct message *ret)
{
	uint32_t length;

	if (!bytes.len_bytes)
		return FR_WIRE_MORE;
	if (bytes.len_bytes < HEAD_BYTES)
		return is_sound(role, bytes.data[0], 0) || is_sound(role, bytes.data[0], 1) ||
				       is_sound(role, bytes.data[0], 8)
			       ? FR_WIRE_MORE
			       : FR_WIRE_LOST;
	length = be32(bytes.data + 1);
	if (length < 4 || !is_sound(role, bytes.data[0], length - 4))
		return FR_WIRE_LOST;
	*ret = (struct message){
		.type = bytes.data[0],
		.body_bytes = length - 4,
		.body = { .data = bytes.data + HEAD_BYTES,
			  .len_bytes = bytes.len_bytes - HEAD_BYTES },
	};
	if (ret->body.len_bytes > ret->body_bytes)
		ret->body.len_bytes = ret->body_bytes;
	ret->cut = ret->body.len_bytes < ret->body_bytes;
	return fits_type(role, ret) ? FR_WIRE_UNIT : FR_WIRE_LOST;
}

static uint64_t hash_of(const struct state *st, struct fr_slice name)
{
	return XXH3_64bits_withSeed(name.data, name.len_bytes, st->number) | 1;
}

static void forget_portals(struct state *st)
{
	for (unsigned i = 0; i < PORTALS_MAX; i++)
		st->portals[i] = (struct portal){ 0 };
}

static struct portal *find_portal(struct state *st, uint64_t name_hash)
{
	for (unsigned i = 0; i < PORTALS_MAX; i++)
		if (st->portals[i].name_hash == name_hash)
			return &st->portals[i];
	return NULL;
}

static void keep_statement(const struct fr_wire_look *look, struct fr_slice name,
			   struct fr_slice text, bool cut)
{
	struct state *st = look->state;

	if (!name.len_bytes)
		st->unnamed_gone = 0;
	if (!look->texts)
		return;
	if (!st->number) {
		st->number = ++look->texts->conn_cnt;
		/* their names were hashed without it */
		forget_portals(st);
	}
	fr_wire_names_set(look->texts, hash_of(st, name),
			  fr_wire_texts_put(look->texts, text, cut));
}

/* Parse: name, text, types of parameters. Told only when it fails: then it has no Execute. */
static void on_parse(const struct fr_wire_look *look, const struct message *m,
		     struct fr_wire_unit *u)
{
	struct fr_slice rest = m->body, name;
	bool whole = fr_slice_take_string(&rest, &name);

	u->effects = FR_UNIT_BEGIN | FR_UNIT_QUIET | FR_UNIT_LEAD;
	u->kind = KIND_PARSE;
	if (whole && fr_slice_take_string(&rest, &u->text)) {
		keep_statement(look, name, u->text, false);
		return;
	}
	u->marks |= FR_MARK_CUT;
	if (whole)
		keep_statement(look, name, u->text, true);
	else
		((struct state *)look->state)->unnamed_gone = 1;
}

static void on_bind(const struct fr_wire_look *look, const struct message *m,
		    struct fr_wire_unit *u)
{
	struct state *st = look->state;
	struct fr_slice rest = m->body, portal, name;
	struct portal *p;
	uint64_t hash;

	u->effects = FR_UNIT_LEAD;
	if (!fr_slice_take_string(&rest, &portal)) {
		forget_portals(st);
		return;
	}
	hash = hash_of(st, portal);
	p = find_portal(st, hash);
	if (!p) {
		p = &st->portals[st->portal_next];
		st->portal_next = (uint8_t)((st->portal_next + 1) % PORTALS_MAX);
	}
	*p = (struct portal){ .name_hash = hash };
	if (fr_slice_take_string(&rest, &name) && (name.len_bytes || !st->unnamed_gone))
		p->statement = hash_of(st, name);
}

static void on_execute(const struct fr_wire_look *look, const struct message *m,
		       struct fr_wire_unit *u)
{
	struct state *st = look->state;
	struct fr_slice rest = m->body, portal;
	const struct fr_wire_text *text = NULL;
	const struct portal *p = NULL;
	uint64_t key = 0;

	u->effects = FR_UNIT_BEGIN;
	u->kind = KIND_EXECUTE;
	if (fr_slice_take_string(&rest, &portal))
		p = find_portal(st, hash_of(st, portal));
	if (p && p->statement && look->texts)
		key = fr_wire_names_get(look->texts, p->statement);
	if (key)
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

/* Close of a statement: its name means nothing any more. */
static void on_close(const struct fr_wire_look *look, const struct message *m)
{
	struct state *st = look->state;
	struct fr_slice rest = m->body, name;

	if (rest.len_bytes < 2 || rest.data[0] != 'S' || !look->texts)
		return;
	rest.data++;
	rest.len_bytes--;
	if (fr_slice_take_string(&rest, &name))
		fr_wire_names_set(look->texts, hash_of(st, name), 0);
}

static void on_request(const struct fr_wire_look *look, const struct message *m,
		       struct fr_wire_unit *u)
{
	struct fr_slice rest = m->body;

	switch (m->type) {
	case 'Q':
	case 'F':
		u->effects = FR_UNIT_BEGIN;
		u->kind = KIND_QUERY;
		if (m->type == 'Q' && !fr_slice_take_string(&rest, &u->text))
			u->marks |= FR_MARK_CUT;
		break;
	case 'P':
		on_parse(look, m, u);
		break;
	case 'B':
		on_bind(look, m, u);
		break;
	case 'E':
		on_execute(look, m, u);
		break;
	case 'C':
		on_close(look, m);
		break;
	case 'S':
		u->effects = FR_UNIT_BEGIN | FR_UNIT_QUIET;
		u->kind = KIND_SYNC;
		break;
	case 'd':
	case 'c':
	case 'f':
	case 'p':
		u->effects = FR_UNIT_BODY;
		break;
	default: /* Describe, Flush, Terminate */
		break;
	}
}

/* ErrorResponse: a field type and a string each, up to an empty type. */
static void read_error(const struct message *m, struct fr_wire_unit *u)
{
	struct fr_slice rest = m->body, value;
	bool plain_severity = false;

	while (rest.len_bytes && rest.data[0]) {
		uint8_t field = rest.data[0];

		rest.data++;
		rest.len_bytes--;
		if (!fr_slice_take_string(&rest, &value)) {
			u->marks |= m->cut ? FR_MARK_CUT : 0;
			return;
		}
		if (field == 'C') {
			u->code = value;
		} else if (field == 'V' || (field == 'S' && !plain_severity)) {
			u->severity = value; /* S is in the server's language, V never */
			plain_severity = field == 'V';
		}
	}
}

static void on_response(const struct message *m, struct fr_wire_unit *u)
{
	struct fr_slice rest = m->body;

	u->kind = KIND_QUERY;
	switch (m->type) {
	case 'E':
		u->effects = FR_UNIT_REPLY | FR_UNIT_FAIL | FR_UNIT_ORPHAN;
		u->status = FR_WIRE_STATUS_ERROR;
		read_error(m, u);
		break;
	case 'C':
	case 'I':
	case 's':
		u->effects = FR_UNIT_REPLY;
		u->answers = KIND_QUERY | KIND_EXECUTE;
		u->ends = KIND_EXECUTE;
		u->done_status = FR_WIRE_STATUS_OK;
		if (m->type == 'C')
			fr_slice_take_string(&rest, &u->command);
		break;
	case 'T':
	case 'G':
	case 'H':
	case 'V':
	case 'W':
	case 'D':
		u->effects = FR_UNIT_REPLY;
		u->answers = m->type == 'T' ? KIND_QUERY : KIND_QUERY | KIND_EXECUTE;
		break;
	case '1':
		u->ends = KIND_PARSE;
		break;
	case 'Z':
		u->effects = FR_UNIT_REPLY | FR_UNIT_BARRIER;
		u->ends = KIND_ANY_END;
		u->done_status = FR_WIRE_STATUS_OK;
		break;
	default: /* notices, parameters, notifications, authentication, what follows those */
		break;
	}
}

/* How much of a body is worth waiting for. */
static bool wants_body(enum fr_wire_role role, uint8_t type)
{
	return strchr(role == FR_WIRE_REQUEST ? "QPBEC" : "EC", type);
}

static void keep_word(char *to, uint8_t *ret_bytes, struct fr_slice s)
{
	*ret_bytes = (uint8_t)(s.len_bytes < NAME_BYTES ? s.len_bytes : NAME_BYTES);
	if (*ret_bytes)
		memcpy(to, s.data, *ret_bytes);
}

/* StartupMessage: pairs of strings. The database is the user's name when not given. */
static void read_startup(struct state *st, struct fr_slice rest)
{
	struct fr_slice name, value, user = { 0 }, database = { 0 };

	while (rest.len_bytes && rest.data[0]) {
		if (!fr_slice_take_string(&rest, &name) || !fr_slice_take_string(&rest, &value))
			break;
		if (fr_slice_is(name, "user"))
			user = value;
		else if (fr_slice_is(name, "database"))
			database = value;
	}
	keep_word(st->user, &st->user_bytes, user);
	keep_word(st->database, &st->database_bytes, database.len_bytes ? database : user);
}

/* The messages without a type byte: their first byte is that of a length, which is 0. */
static enum fr_wire_verdict parse_opening(const struct fr_wire_look *look, struct fr_slice bytes,
					  struct fr_wire_unit *u)
{
	struct state *st = look->state;
	uint32_t length, code;

	if (bytes.len_bytes < 8)
		return FR_WIRE_MORE;
	length = be32(bytes.data);
	code = be32(bytes.data + 4);
	if (length < 8 || length > STARTUP_BYTES_MAX)
		return FR_WIRE_LOST;
	u->unit_bytes = length;
	if (code == CODE_SSL || code == CODE_GSS) {
		st->asked_plain = 1;
		return length == 8 ? FR_WIRE_UNIT : FR_WIRE_LOST;
	}
	if (code == CODE_CANCEL) /* no answer; it shows as an error on the other connection */
		return FR_WIRE_UNIT;
	if (code >> 16 != PROTOCOL_MAJOR)
		return FR_WIRE_LOST;
	if (bytes.len_bytes < length && !look->last)
		return FR_WIRE_MORE;
	bytes.data += 8;
	bytes.len_bytes = (bytes.len_bytes < length ? bytes.len_bytes : length) - 8;
	memset(st, 0, sizeof(*st));
	read_startup(st, bytes);
	u->effects = FR_UNIT_BEGIN | FR_UNIT_QUIET;
	u->kind = KIND_STARTUP;
	return FR_WIRE_UNIT;
}

/* The one byte that answers SSLRequest: S starts TLS, N goes on plain; E is an old server. */
static enum fr_wire_verdict parse_plain(struct state *st, struct fr_slice bytes,
					struct fr_wire_unit *u)
{
	st->asked_plain = 0;
	u->unit_bytes = 1;
	if (bytes.data[0] == 'S' || bytes.data[0] == 'G')
		u->effects = FR_UNIT_RAW;
	else if (bytes.data[0] != 'N')
		return FR_WIRE_LOST;
	return FR_WIRE_UNIT;
}

static enum fr_wire_verdict parse(const struct fr_wire_look *look, struct fr_slice bytes,
				  struct fr_wire_unit *ret_unit)
{
	struct state *st = look->state;
	enum fr_wire_verdict v;
	struct message m;

	if (look->role == FR_WIRE_RESPONSE && st->asked_plain && bytes.data[0] != 'E')
		return parse_plain(st, bytes, ret_unit);
	if (look->role == FR_WIRE_REQUEST && !bytes.data[0])
		return parse_opening(look, bytes, ret_unit);
	v = read_message(look->role, bytes, &m);
	if (v != FR_WIRE_UNIT)
		return v;
	if (m.cut && !look->last && wants_body(look->role, m.type))
		return FR_WIRE_MORE;
	ret_unit->unit_bytes = (uint64_t)m.body_bytes + HEAD_BYTES;
	if (look->role == FR_WIRE_REQUEST)
		on_request(look, &m, ret_unit);
	else
		on_response(&m, ret_unit);
	return FR_WIRE_UNIT;
}

/* A chain of messages over all the bytes. Returns how many are whole, -1 when it breaks. */
static int walk(enum fr_wire_role role, struct fr_slice bytes, bool *ret_exact, uint8_t *ret_last)
{
	struct message m = { 0 };
	int whole_cnt = 0;

	*ret_exact = false;
	while (bytes.len_bytes && whole_cnt < WALK_MAX) {
		enum fr_wire_verdict v = read_message(role, bytes, &m);

		if (v == FR_WIRE_LOST)
			return -1;
		if (v == FR_WIRE_MORE || m.cut)
			return whole_cnt;
		whole_cnt++;
		bytes.data += HEAD_BYTES + m.body_bytes;
		bytes.len_bytes -= HEAD_BYTES + m.body_bytes;
		*ret_last = m.type;
	}
	*ret_exact = !bytes.len_bytes;
	return whole_cnt;
}

static bool is_opening(struct fr_slice b)
{
	uint32_t length, code;

	if (b.len_bytes < 8)
		return false;
	length = be32(b.data);
	code = be32(b.data + 4);
	if (code == CODE_SSL || code == CODE_GSS)
		return length == 8;
	if (code == CODE_CANCEL)
		return length >= 16 && length <= 272;
	return code >> 16 == PROTOCOL_MAJOR && length > 8 && length <= STARTUP_BYTES_MAX &&
	       (b.len_bytes < 12 || !memcmp(b.data + 8, "user", 4) ||
		memchr("abcdeorst_", b.data[8], 10));
}

static int detect(struct fr_slice request, struct fr_slice response)
{
	bool request_exact = false, response_exact = false;
	uint8_t request_last = 0, response_last = 0;
	int request_cnt, response_cnt;

	if (is_opening(request))
		return 2;
	request_cnt = walk(FR_WIRE_REQUEST, request, &request_exact, &request_last);
	response_cnt = walk(FR_WIRE_RESPONSE, response, &response_exact, &response_last);
	if (request_cnt < 0 || response_cnt < 0)
		return 0;
	/* both sides hold, and one of them more than the head of a message */
	if (request_cnt && response_cnt)
		return 2;
	if (response_cnt && response_exact && response_last == 'Z' && response.len_bytes > 6)
		return 2;
	if (request_cnt && request_exact &&
	    ((request_last == 'Q' && request.len_bytes > 8) ||
	     (request_last == 'S' && request_cnt > 2)))
		return 2;
	if (request.len_bytes > HEAD_BYTES && request.data[0] == 'Q' && response_cnt)
		return 2;
	return 1;
}

static void rejoin(void *state, enum fr_wire_role role)
{
	struct state *st = state;

	if (role == FR_WIRE_RESPONSE) {
		st->asked_plain = 0;
	} else {
		forget_portals(st);
		st->unnamed_gone = 1; /* it is replaced without being closed */
	}
}

static void session(const void *state, struct fr_slice *ret_user, struct fr_slice *ret_database)
{
	const struct state *st = state;

	*ret_user = (struct fr_slice){ .data = (const uint8_t *)st->user,
				       .len_bytes = st->user_bytes };
	*ret_database = (struct fr_slice){ .data = (const uint8_t *)st->database,
					   .len_bytes = st->database_bytes };
}

const struct fr_wire_protocol fr_wire_postgres = {
	.id = FR_WIRE_POSTGRES,
	.name = "postgresql",
	.barriers = KIND_ANY_END,
	.detect = detect,
	.parse = parse,
	.rejoin = rejoin,
	.session = session,
};
