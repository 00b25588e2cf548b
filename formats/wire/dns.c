/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DNS over UDP (RFC 1035). A unit is a datagram: a header of 12 bytes, one question. Replies name
 * their query by a number of 16 bits. Told are the question's type (command), its name (text) and
 * the result (status: the number, code: its name); answers are never looked at.
 */
#include "wire.h"

#include <stdio.h>

#define EXCHANGE 1 /* the only kind */
#define HEADER_BYTES 12
#define NAME_BYTES_MAX 255 /* on the wire */
#define LABEL_BYTES_MAX 63
#define TEXT_BYTES 1024	 /* each byte as \DDD at worst */
#define RECORDS_MAX 1024 /* of a section */

#define FLAG_RESPONSE 0x8000u
#define FLAG_ZERO 0x0040u
#define OPCODE(flags) ((flags) >> 11 & 0xf)
#define RCODE(flags) ((flags)&0xf)

struct state {
	char type[12]; /* "TYPE65535" */
	char text[TEXT_BYTES];
};

_Static_assert(sizeof(struct state) <= FR_WIRE_STATE_BYTES, "state does not fit");

/* A header, and its question as far as it is there. */
struct query {
	uint16_t id;
	uint16_t flags;
	uint16_t type;	      /* 0 = cut before it */
	struct fr_slice name; /* labels, as on the wire, with the empty one if it is there */
};

static uint32_t be16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static bool is_class(uint32_t class)
{
	class &= 0x7fff; /* mDNS: the top bit asks for an answer to one */
	return class == 1 || class == 3 || class == 4 || class == 254 || class == 255;
}

/* The name at the start of rest, uncompressed: a question is the first that has one. */
static enum fr_wire_verdict take_name(struct fr_slice *rest, struct fr_slice *ret_name)
{
	size_t at = 0;

	for (;;) {
		size_t label_bytes;

		if (at >= rest->len_bytes)
			break;
		label_bytes = rest->data[at];
		if (label_bytes > LABEL_BYTES_MAX || at + 1 + label_bytes > NAME_BYTES_MAX)
			return FR_WIRE_LOST;
		at += 1 + label_bytes;
		if (!label_bytes)
			break;
	}
	if (at > rest->len_bytes)
		at = rest->len_bytes;
	*ret_name = (struct fr_slice){ .data = rest->data, .len_bytes = at };
	rest->data += at;
	rest->len_bytes -= at;
	return at && !ret_name->data[at - 1] ? FR_WIRE_UNIT : FR_WIRE_MORE;
}

/* Is this a datagram of DNS, with one question? UNIT: whole; MORE: as far as it goes. */
static enum fr_wire_verdict read_query(struct fr_slice bytes, struct query *ret)
{
	struct fr_slice rest = bytes;
	enum fr_wire_verdict v;
	uint32_t opcode;

	if (bytes.len_bytes < HEADER_BYTES)
		return FR_WIRE_LOST;
	*ret = (struct query){
		.id = (uint16_t)be16(bytes.data),
		.flags = (uint16_t)be16(bytes.data + 2),
	};
	opcode = OPCODE(ret->flags);
	if (ret->flags & FLAG_ZERO || (opcode != 0 && opcode != 2 && opcode != 4 && opcode != 5) ||
	    be16(bytes.data + 4) != 1)
		return FR_WIRE_LOST;
	for (unsigned i = 6; i < HEADER_BYTES; i += 2)
		if (be16(bytes.data + i) > RECORDS_MAX)
			return FR_WIRE_LOST;
	/* a query has no result, nor answers but those that mDNS knows already */
	if (!(ret->flags & FLAG_RESPONSE) && RCODE(ret->flags))
		return FR_WIRE_LOST;
	rest.data += HEADER_BYTES;
	rest.len_bytes -= HEADER_BYTES;
	v = take_name(&rest, &ret->name);
	if (v != FR_WIRE_UNIT || rest.len_bytes < 4)
		return v == FR_WIRE_LOST ? v : FR_WIRE_MORE;
	ret->type = (uint16_t)be16(rest.data);
	return ret->type && is_class(be16(rest.data + 2)) ? FR_WIRE_UNIT : FR_WIRE_LOST;
}

static size_t put_byte(char *to, uint8_t b)
{
	if (b == '.' || b == '\\') {
		to[0] = '\\';
		to[1] = (char)b;
		return 2;
	}
	if (b > ' ' && b < 0x7f) {
		to[0] = (char)b;
		return 1;
	}
	to[0] = '\\';
	to[1] = (char)('0' + b / 100);
	to[2] = (char)('0' + b / 10 % 10);
	to[3] = (char)('0' + b % 10);
	return 4;
}

/* "www.example.com", as written by RFC 4343; the root is ".". */
static struct fr_slice put_name(struct state *st, struct fr_slice name)
{
	size_t n = 0, at = 0;

	while (at < name.len_bytes && name.data[at]) {
		size_t end = at + 1 + name.data[at];

		if (n)
			st->text[n++] = '.';
		for (at++; at < end && at < name.len_bytes; at++)
			n += put_byte(st->text + n, name.data[at]);
	}
	if (name.len_bytes == 1 && !name.data[0])
		st->text[n++] = '.';
	return (struct fr_slice){ .data = (const uint8_t *)st->text, .len_bytes = n };
}

static const struct {
	uint16_t number;
	const char *name;
} types[] = {
	{ 1, "A" },	 { 2, "NS" },	  { 5, "CNAME" },  { 6, "SOA" },     { 12, "PTR" },
	{ 13, "HINFO" }, { 15, "MX" },	  { 16, "TXT" },   { 28, "AAAA" },   { 29, "LOC" },
	{ 33, "SRV" },	 { 35, "NAPTR" }, { 39, "DNAME" }, { 41, "OPT" },    { 43, "DS" },
	{ 44, "SSHFP" }, { 46, "RRSIG" }, { 47, "NSEC" },  { 48, "DNSKEY" }, { 50, "NSEC3" },
	{ 52, "TLSA" },	 { 64, "SVCB" },  { 65, "HTTPS" }, { 99, "SPF" },    { 250, "TSIG" },
	{ 251, "IXFR" }, { 252, "AXFR" }, { 255, "ANY" },  { 257, "CAA" },
};

static struct fr_slice put_type(struct state *st, uint16_t type)
{
	const char *name = NULL;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].number == type)
			name = types[i].name;
	if (type && name)
		snprintf(st->type, sizeof(st->type), "%s", name);
	else
		snprintf(st->type, sizeof(st->type), "TYPE%u", type);
	return (struct fr_slice){ .data = (const uint8_t *)st->type,
				  .len_bytes = type ? strlen(st->type) : 0 };
}

static struct fr_slice rcode_name(uint32_t rcode)
{
	static const char *const names[16] = {
		"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",  "REFUSED",
		"YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE", "DSOTYPENI",
		"RCODE12",  "RCODE13", "RCODE14",  "RCODE15",
	};

	return (struct fr_slice){ .data = (const uint8_t *)names[rcode],
				  .len_bytes = strlen(names[rcode]) };
}

static enum fr_wire_verdict parse(const struct fr_wire_look *look, struct fr_slice bytes,
				  struct fr_wire_unit *ret_unit)
{
	struct query q;
	enum fr_wire_verdict v = read_query(bytes, &q);

	if (v == FR_WIRE_LOST || (look->role == FR_WIRE_RESPONSE) != !!(q.flags & FLAG_RESPONSE))
		return FR_WIRE_LOST;
	ret_unit->unit_bytes = bytes.len_bytes;
	ret_unit->id = q.id;
	ret_unit->kind = EXCHANGE;
	if (look->role == FR_WIRE_REQUEST) {
		ret_unit->effects = FR_UNIT_BEGIN;
		ret_unit->text = put_name(look->state, q.name);
		ret_unit->command = put_type(look->state, q.type);
		ret_unit->marks = v == FR_WIRE_MORE ? FR_MARK_CUT : 0;
		return FR_WIRE_UNIT;
	}
	ret_unit->effects = FR_UNIT_REPLY | FR_UNIT_ORPHAN;
	ret_unit->answers = ret_unit->ends = EXCHANGE;
	ret_unit->status = RCODE(q.flags);
	if (ret_unit->status) {
		ret_unit->effects |= FR_UNIT_FAIL;
		ret_unit->code = rcode_name(RCODE(q.flags));
	}
	return FR_WIRE_UNIT;
}

static int detect(struct fr_slice request, struct fr_slice response)
{
	struct query q;

	if (request.len_bytes &&
	    (read_query(request, &q) != FR_WIRE_UNIT || q.flags & FLAG_RESPONSE))
		return 0;
	if (response.len_bytes &&
	    (read_query(response, &q) != FR_WIRE_UNIT || !(q.flags & FLAG_RESPONSE)))
		return 0;
	return request.len_bytes || response.len_bytes ? 2 : 0;
}

static void rejoin(void *state, enum fr_wire_role role)
{
	(void)state; /* a datagram follows from nothing */
	(void)role;
}

const struct fr_wire_protocol fr_wire_dns = {
	.id = FR_WIRE_DNS,
	.name = "dns",
	.by_id = true,
	.datagrams = true,
	.detect = detect,
	.parse = parse,
	.rejoin = rejoin,
};
