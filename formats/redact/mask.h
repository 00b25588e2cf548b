/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One protocol's part of redaction: what of a unit (as in wire/wire.h) may be let through.
 *
 * Adding a protocol: a file here with a struct fr_redact_protocol, named as in wire/, and a row.
 */
#ifndef FR_REDACT_MASK_H
#define FR_REDACT_MASK_H

#include "../wire/sql_lex.h"
#include "../wire/wire.h"
#include "redact.h"

#define FR_REDACT_UNIT_BYTES 2048 /* of a unit in parts; what lies beyond is taken away */
#define FR_REDACT_MEMORY_BYTES 64 /* what a protocol may remember of a connection */
#define FR_REDACT_KEPT 0xff	  /* fr_mask.why beside an enum fr_removal */

/* Bytes under judgement: all of out is filler, why UNKNOWN, until a protocol says otherwise. */
struct fr_mask {
	const uint8_t *in;
	uint8_t *out;
	uint8_t *why;
	size_t len_bytes;
	size_t fresh; /* what lies before it was judged, and written, with an earlier part */
};

struct fr_redact_look {
	const struct fr_redact_rules *rules;
	enum fr_wire_role role;
	void *memory; /* FR_REDACT_MEMORY_BYTES, zeroed at first, shared by both directions */
};

struct fr_redact_unit {
	uint64_t unit_bytes;  /* 0 = not known yet (MORE only), or as in wire.h */
	enum fr_removal rest; /* what bytes of the unit beyond those given are */
	size_t need_bytes;    /* so many stay, as filler if need be: wire/ looks at them */
	bool raw;	      /* after it both directions carry something else, forever */
};

struct fr_redact_protocol {
	const struct fr_wire_protocol *wire;
	bool any_border; /* a reply may be found again at any transfer's start */
	bool datagram;	 /* each message stands alone, and nothing else is looked at */
	/* What the first bytes of a message look like by themselves; NULL where wire's own
	 * detection is good at it. */
	bool (*begins)(enum fr_wire_role role, struct fr_slice bytes);
	/*
	 * Judges one unit, given from its first byte: keeps and drops bytes of m. MORE: bytes that
	 * come later may be kept, too; memory is as it was, and it is asked again with more of
	 * them.
	 */
	enum fr_wire_verdict (*mask)(const struct fr_redact_look *look, struct fr_mask *m,
				     struct fr_redact_unit *ret_unit);
	/* The direction of this role lost its place: a unit begins with the next bytes. */
	void (*rejoin)(void *memory, enum fr_wire_role role);
	/* A message of this role starts, and the other direction has lost its place: requests that
	 * waited are over, or what is answered was not seen. */
	void (*other_lost)(void *memory, enum fr_wire_role role);
};

#define FR_REDACT_PROTOCOLS(X)                                                                     \
	X(http1)                                                                                   \
	X(postgres)                                                                                \
	X(redis)                                                                                   \
	X(mysql)                                                                                   \
	X(dns)

#define FR_REDACT_DECLARE(name) extern const struct fr_redact_protocol fr_redact_##name;
FR_REDACT_PROTOCOLS(FR_REDACT_DECLARE)
#undef FR_REDACT_DECLARE

extern const struct fr_redact_protocol *const fr_redact_protocols[]; /* NULL ends it */

/* Ranges that lie beyond the mask are cut. */
void fr_mask_keep(struct fr_mask *m, size_t at, size_t cnt);
void fr_mask_drop(struct fr_mask *m, size_t at, size_t cnt, char filler, enum fr_removal why);
/* Keeps those bytes that stand in `allowed`: ranges "a-z", then single bytes. */
void fr_mask_keep_set(struct fr_mask *m, size_t at, size_t cnt, const char *allowed,
		      enum fr_removal why);
struct fr_mask fr_mask_part(const struct fr_mask *m, size_t at, size_t cnt);
struct fr_slice fr_mask_slice(const struct fr_mask *m, size_t at, size_t cnt);

/* A request target: path, query, whatever stands around them. whole: it ends here. */
void fr_mask_target(const struct fr_redact_rules *rules, struct fr_mask *m, bool whole);
/* host[:port], perhaps with user info. */
void fr_mask_host(const struct fr_redact_rules *rules, struct fr_mask *m, bool whole);
/* A DNS name, dots between labels: how many bytes of its end are its registrable domain. */
size_t fr_registrable_bytes(struct fr_slice name);
/* The name of a value promises a secret: "password", "X-Api-Key". */
bool fr_is_secret_name(struct fr_slice name);

/* A statement from its first byte. whole: it ends here. */
void fr_mask_sql(const struct fr_redact_rules *rules, struct fr_mask *m,
		 enum fr_sql_dialect dialect, bool whole);
/* Its text begins like a statement does. */
bool fr_begins_sql(struct fr_slice text);

#endif
