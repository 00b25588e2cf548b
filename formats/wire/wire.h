/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Application protocols, read from the bytes that a recorder of message starts leaves: prefixes
 * cut anywhere, streams joined in the middle, holes of known size.
 *
 * A protocol is one file with a struct fr_wire_protocol and one row in FR_WIRE_PROTOCOLS. It cuts
 * the bytes of one direction into units (an HTTP head, a chunk's head, a PostgreSQL message) and
 * says what each unit does to the queue of open requests. Everything else (parts, holes, times,
 * matching) is stitch.h's. Parsers never allocate, never keep a slice beyond a call, and take every
 * length for hostile.
 */
#ifndef FR_WIRE_WIRE_H
#define FR_WIRE_WIRE_H

#include "../base/bytes.h"

#define FR_WIRE_CARRY_BYTES 2048 /* a unit's bytes that are looked at, at most */
#define FR_WIRE_STATE_BYTES 1536 /* what a protocol may remember of a connection */
#define FR_WIRE_TRACESTATES 4	 /* header lines that are kept of one request */

/* Ids are explicit and append-only: they name a protocol in outputs. */
enum fr_wire_proto_id {
	FR_WIRE_NONE = 0,
	FR_WIRE_HTTP1 = 1,
	FR_WIRE_POSTGRES = 2,
	FR_WIRE_REDIS = 3,
	FR_WIRE_MYSQL = 4,
	FR_WIRE_DNS = 5,
};

enum fr_wire_role { FR_WIRE_REQUEST, FR_WIRE_RESPONSE };

/* Quality marks of a request. What carries none was seen whole. */
#define FR_MARK_START_UNSEEN 0x001u    /* the reply came, its request lies before what was seen */
#define FR_MARK_END_UNSEEN 0x002u      /* the reply, or its end, was not seen */
#define FR_MARK_CUT 0x004u	       /* a head or a text is shorter here than on the wire */
#define FR_MARK_GAP 0x008u	       /* bytes inside it passed without a record */
#define FR_MARK_PREPARED_BEFORE 0x010u /* its statement's text was sent before what was seen */
#define FR_MARK_END_INFERRED 0x020u    /* .end is the last reply byte before what came next */
#define FR_MARK_MATCH_INFERRED 0x040u  /* paired, but what went before could not be counted */
#define FR_MARK_SKIPPED 0x080u	       /* thrown away by the server after an error before it */
#define FR_MARK_TEXT_LOST 0x100u       /* no room was left for its text */

#define FR_WIRE_STATUS_UNKNOWN (-1)
/* protocols without status numbers of their own */
#define FR_WIRE_STATUS_OK 0
#define FR_WIRE_STATUS_ERROR 1

enum fr_wire_verdict {
	FR_WIRE_MORE, /* a unit may begin here, more bytes will tell; never when .last is set */
	FR_WIRE_UNIT, /* *ret_unit is filled */
	FR_WIRE_LOST, /* no unit of this protocol begins here */
};

/* fr_wire_unit.unit_bytes beside a number */
#define FR_WIRE_LENGTH_UNKNOWN UINT64_MAX	/* lost until the next message start */
#define FR_WIRE_ENDLESS (UINT64_MAX - 1)	/* to the end of the stream */

/* fr_wire_unit.effects */
#define FR_UNIT_BEGIN 0x01u   /* a request begins with it */
#define FR_UNIT_QUIET 0x02u   /* with BEGIN: worth telling only when it fails */
#define FR_UNIT_REPLY 0x04u   /* part of the reply to the oldest open request in .answers */
#define FR_UNIT_FAIL 0x08u    /* an error: of the oldest open request, whatever its kind */
#define FR_UNIT_BARRIER 0x10u /* at its end, all up to the first open one in .ends is over */
#define FR_UNIT_ORPHAN 0x20u  /* with REPLY: tells of a request even if none was seen */
#define FR_UNIT_RAW 0x40u     /* after it both directions carry something else, forever */
#define FR_UNIT_BODY 0x80u    /* more bytes of the youngest request */
#define FR_UNIT_HEAD 0x200u   /* with REPLY: the first of a reply; never comes twice in one */
#define FR_UNIT_LEAD 0x100u   /* the next request that is worth telling starts here, not later */

/* One unit. Slices lie in the bytes given, or in the protocol's state until the next call. */
struct fr_wire_unit {
	uint64_t unit_bytes; /* in all, from the first byte given; may exceed what was given */
	uint64_t id;	     /* protocols matched by id */
	uint32_t effects;    /* FR_UNIT_* */
	uint32_t marks;	     /* FR_MARK_* for the request concerned */
	int32_t status;	     /* of a reply, else FR_WIRE_STATUS_UNKNOWN */
	int32_t done_status; /* of the request that it ends, unless that one failed */
	uint8_t kind;	     /* of a request: one bit, the protocol's own */
	uint8_t answers;     /* of a reply: kinds it may belong to */
	uint8_t ends;	     /* kinds that are over when it ends */
	uint8_t traceparent_cnt;
	uint8_t tracestate_cnt;
	uint8_t version; /* of the protocol, of a request that says it: 11 = 1.1; 0 = not known */
	struct fr_slice command; /* "GET", "INSERT" (command tag), "SET" */
	struct fr_slice text;	 /* target, SQL */
	struct fr_slice host;
	struct fr_slice code; /* SQLSTATE, error word */
	struct fr_slice severity;
	uint16_t error_nr; /* the server's own number of the error (MySQL); 0 = it has none */
	struct fr_slice traceparent; /* the first one; more than one is invalid, see the count */
	struct fr_slice tracestate[FR_WIRE_TRACESTATES];
};

/* Texts of prepared statements, shared by all connections (they prepare the same ones). Zeroed
 * before first use; what it has no room for any more is found missing, never wrong. */
#define FR_WIRE_TEXT_BYTES 1024
#define FR_WIRE_TEXT_SETS 512
#define FR_WIRE_TEXT_WAYS 4

struct fr_wire_text {
	uint64_t hash; /* 0 = free */
	uint64_t used; /* clock of last use */
	uint16_t text_bytes;
	uint16_t cut;
	char text[FR_WIRE_TEXT_BYTES];
};

/* A name that a connection gave to a text. Drivers keep hundreds of them on each connection. */
#define FR_WIRE_NAME_SETS 16384
#define FR_WIRE_NAME_WAYS 4

struct fr_wire_name {
	uint64_t hash; /* of connection and name; 0 = free */
	uint64_t key;  /* of the text */
	uint64_t used; /* clock of last use */
};

struct fr_wire_texts {
	uint64_t clock;
	uint64_t evicted_cnt;
	uint64_t names_evicted_cnt;
	uint64_t conn_cnt; /* connections that gave names: each has a number of its own */
	struct fr_wire_text slots[FR_WIRE_TEXT_SETS][FR_WIRE_TEXT_WAYS];
	struct fr_wire_name names[FR_WIRE_NAME_SETS][FR_WIRE_NAME_WAYS];
};

/* Keeps a text (its first bytes), returns the key to find it by. */
uint64_t fr_wire_texts_put(struct fr_wire_texts *t, struct fr_slice text, bool cut);
/* NULL = gone. Valid until the next put. */
const struct fr_wire_text *fr_wire_texts_get(struct fr_wire_texts *t, uint64_t key);
/* The hash must not be 0. Key 0 forgets the name. */
void fr_wire_names_set(struct fr_wire_texts *t, uint64_t hash, uint64_t key);
/* The key of its text; 0 = no such name. */
uint64_t fr_wire_names_get(struct fr_wire_texts *t, uint64_t hash);

/* What a parser may know besides the bytes. */
struct fr_wire_look {
	void *state; /* FR_WIRE_STATE_BYTES, zeroed at first, shared by both directions */
	struct fr_wire_texts *texts; /* NULL = no texts are kept */
	enum fr_wire_role role;
	bool last;		      /* no more of this unit will be given: it is cut here */
	bool has_oldest;	      /* a request is open */
	bool oldest_sure; /* nothing that may have been its reply was passed over */
	bool oldest_cut;  /* its text is */
	bool oldest_begun; /* something of its reply was seen before */
	struct fr_slice oldest_command; /* its command */
	struct fr_slice oldest_text;
};

struct fr_wire_protocol {
	enum fr_wire_proto_id id;
	const char *name;
	bool by_id;	 /* replies name their request; else first in, first out */
	uint8_t barriers; /* kinds that no reply to a younger request can pass */
	bool datagrams;  /* each datagram is one unit; other transfers are never taken for it */
	bool any_border; /* units are told apart so well that any transfer's start may be tried */
	/* How the first bytes of a message of either direction (empty = none) fit: 0 not at all,
	 * 1 perhaps, 2 surely. */
	int (*detect)(struct fr_slice request, struct fr_slice response);
	enum fr_wire_verdict (*parse)(const struct fr_wire_look *look, struct fr_slice bytes,
				      struct fr_wire_unit *ret_unit);
	/* The direction of this role lost its place: a unit begins with the next bytes. */
	void (*rejoin)(void *state, enum fr_wire_role role);
	/* User and database, where a session has them; slices as long as the state. May be NULL. */
	void (*session)(const void *state, struct fr_slice *ret_user,
			struct fr_slice *ret_database);
};

#define FR_WIRE_PROTOCOLS(X)                                                                       \
	X(http1)                                                                                   \
	X(postgres)                                                                                \
	X(redis)                                                                                   \
	X(mysql)                                                                                   \
	X(dns)

#define FR_WIRE_DECLARE(name) extern const struct fr_wire_protocol fr_wire_##name;
FR_WIRE_PROTOCOLS(FR_WIRE_DECLARE)
#undef FR_WIRE_DECLARE

extern const struct fr_wire_protocol *const fr_wire_protocols[]; /* NULL ends it */

#endif
