/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests that have begun. One lives until it has been handed out and no child refers to it any
 * more.
 *
 * Whose trace a request belongs to is settled when the first span of it is handed out: from then on
 * its trace id stands, and what is found out later about its parents comes too late.
 */
#ifndef FR_MODEL_OPENS_H
#define FR_MODEL_OPENS_H

#include "ids.h"
#include "span.h"

#define FR_OPEN_NONE 0u
#define FR_OPENS_MAX 16384u /* 4 MiB; beyond it requests are looked at when they have ended only   \
			     */

struct fr_held; /* see spans_hold.c */

struct fr_open {
	uint64_t serial; /* never used twice */
	uint8_t trace_id[16];
	uint8_t span_id[8];
	uint8_t parent_id[8];
	uint64_t line; /* fr_actor.line; 0 = nobody knows */
	uint64_t goid;
	uint64_t start_ns, start_off;
	uint64_t end_ns; /* of a done one */
	struct fr_id_place place;
	uint32_t conn; /* FR_CONN_NONE once done */
	uint32_t who, tid, tgid;
	uint32_t parent; /* held; FR_OPEN_NONE */
	uint32_t
		caller; /* of a client's: the server request it was sent for; not held, see below */
	uint64_t caller_serial;
	uint32_t refs; /* children, and 1 while it is open */
	uint32_t newer_on_conn, older_on_conn;
	uint32_t newer_on_line, older_on_line;
	uint32_t epoch;	 /* of the parents' knowledge, when it began */
	uint32_t socket; /* index into the names */
	/* an inferred caller is not sure yet: */
	uint32_t derived_from;	/* another such one of the caller, whose reply this one followed */
	uint32_t older_unsure;	/* of the same caller */
	uint32_t newest_unsure; /* of a caller: its own */
	uint32_t unsure_newer, unsure_older;	/* of all */
	uint32_t awaited_on; /* a server's: the conn whose other end may still show its client */
	struct fr_held *held_first, *held_last; /* spans that wait for it */
	fr_account_t account;
	uint8_t link; /* enum fr_link */
	uint8_t trace_flags;
	uint8_t protocol;
	bool server;
	bool is_go;
	bool has_wire; /* a valid traceparent: trace_id is its, wire_parent_id too */
	bool settled;  /* trace_id and parent_id stand */
	bool shared;   /* somebody else used its connection meanwhile */
	bool has_account;
	bool unsure;
	bool right;	      /* was */
	uint64_t answered_ns; /* its reply began; 0 = not seen, or nobody was waiting */
	uint8_t wire_parent_id[8];
};

struct fr_opens {
	struct fr_open *opens; /* owned; [0] is nobody */
	uint32_t open_cnt, open_cap;
	uint32_t free_first; /* chained by .newer_on_conn */
	uint32_t live_cnt, live_max;
	uint64_t serial;
};

/* FR_OPEN_NONE when memory is out. Zeroed, with one reference. Pointers into it move. */
uint32_t fr_opens_take(struct fr_opens *os);
void fr_opens_hold(struct fr_opens *os, uint32_t index);
/* Gives a reference back; the last one frees it, and its hold of its parent. NONE is fine. */
void fr_opens_drop(struct fr_opens *os, uint32_t index);
/* Is one the other itself, or an ancestor of it? Asked before one becomes a parent. */
bool fr_opens_is_above(const struct fr_opens *os, uint32_t above, uint32_t index);
/* Settles trace and parent, up to the first that is settled. */
void fr_opens_settle(struct fr_opens *os, const struct fr_ids *ids, uint32_t index);
void fr_opens_done(struct fr_opens *os);

#endif
