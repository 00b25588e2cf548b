/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets that requests are looked for on, within fixed memory: the least recently used gives way.
 *
 *	            first transfer
 *	                 v
 *	 (unknown) --> wired --- nothing is found in it ---> deaf
 *	                 |  \__ room is needed __ flushed, unknown again
 *	                 v
 *	               closed
 *
 * A wired one has the state of its protocol (18 KB); a deaf one (TLS, what nobody knows) is only
 * remembered as such. Both ends of a connection on this host know each other.
 */
#ifndef FR_MODEL_CONNS_H
#define FR_MODEL_CONNS_H

#include "../wire/stitch.h"
#include "names.h"

#define FR_CONNS_WIRED_MAX 1536u /* 27 MiB */
#define FR_CONNS_WIRED_MIN 896u /* where the windows of 4,096 CPUs take the rest */
#define FR_CONNS_DEAF_MAX 16384u /* 1.5 MiB */
#define FR_CONN_TRIES_MAX 32u	 /* captured parts in which no protocol shows */

#define FR_CONN_NONE 0u

struct fr_conn {
	uint64_t sock_id;
	uint64_t pair_key; /* by which its other end finds it; 0 = it cannot */
	uint64_t want_key; /* of unix sockets: the same, by the other end's name; 0 = not known */
	struct fr_wire_conn *wire; /* NULL = deaf */
	uint32_t socket;	   /* index into the names */
	uint32_t instance;
	uint32_t peer; /* the other end; FR_CONN_NONE */
	uint32_t newer, older;
	uint32_t tries;
	uint32_t newest_open; /* of spans.c: requests that are open on it */
	uint32_t open_cnt;
	uint32_t awaited; /* of a server's end: the request whose client has not been seen yet */
	bool met;	     /* a transfer came */
	bool first_sight[2]; /* by direction: offsets do not count from the connection's start */
	/* Of a server's end, where they do not: what its offsets of requests exceed those of the
	 * other end by, as far as can be guessed. */
	bool ahead_guessed;
	uint64_t ahead_bytes; /* modulo 2^64; 0 until it is guessed */
};

struct fr_conns_stats {
	uint32_t wired_room;  /* how many there may be at one time */
	uint64_t wired_max;   /* and were */
	uint64_t evicted_cnt; /* wired ones that gave way */
	uint64_t deaf_cnt;    /* found to carry nothing that is understood */
};

struct fr_conns;

/* A conn is about to go, or to go deaf: its open requests come out. */
typedef void fr_conn_flush_fn(void *ctx, struct fr_conn *c, bool closed);

/* cpu_cnt: how many CPUs' windows are in memory beside. 0 or -ENOMEM. */
int fr_conns_new(struct fr_names *names, uint32_t cpu_cnt, fr_conn_flush_fn *flush, void *ctx,
		 struct fr_conns **ret_conns);
struct fr_conns *fr_conns_free(struct fr_conns *cs); /* NULL is fine; flushes nobody */

/* The conn of a socket that a transfer came on; made if need be. NULL when memory is out.
 * Valid until the next call. */
struct fr_conn *fr_conns_use(struct fr_conns *cs, uint32_t instance, uint64_t sock_id);
/* By index; NULL for FR_CONN_NONE. */
struct fr_conn *fr_conns_at(struct fr_conns *cs, uint32_t index);
uint32_t fr_conns_index(const struct fr_conns *cs, const struct fr_conn *c);
/* NULL = none is known. */
struct fr_conn *fr_conns_find(struct fr_conns *cs, uint32_t instance, uint64_t sock_id);
/* It carries nothing that is understood: flushed, its memory is given back. */
void fr_conns_deafen(struct fr_conns *cs, struct fr_conn *c);
/* closed: the socket is; else recording ends. Flushed and forgotten. */
void fr_conns_close(struct fr_conns *cs, struct fr_conn *c, bool closed);
/* From here on the recording is whole (fr_wire_conn_settle()). */
void fr_conns_settle_all(struct fr_conns *cs);
/* All of them, the least recently used first. */
void fr_conns_flush_all(struct fr_conns *cs);

const struct fr_conns_stats *fr_conns_stats(const struct fr_conns *cs);

#endif
