/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the transfers on one socket to its requests, for all protocols.
 *
 *            part (offset, size, first bytes)
 *                 │
 *   per direction ▼                             lost: a hole ended elsewhere than a unit did;
 *   ┌── synced ──hole──▶ lost ──┐                     what follows is passed over until the next
 *   │     ▲                     │                     message start
 *   │     └──── message start ──┘               skip: bytes of a unit that nobody looks at
 *   ▼ units
 *   queue of open requests ──reply ends──▶ request()
 *
 * Invariants (fr_wire_conn_check):
 * 1. carry_bytes <= FR_WIRE_CARRY_BYTES; a lost, raw or endless direction has no carry.
 * 2. next_off = offset of the first byte that no part has told of yet.
 * 3. pending[0 .. pending_cnt) are in order of their start; their texts lie in texts[] in the same
 *    order, without holes.
 * 4. A status other than unknown was read from a reply on the wire.
 */
#ifndef FR_WIRE_STITCH_H
#define FR_WIRE_STITCH_H

#include "../abi/sock.h"
#include "wire.h"

#define FR_WIRE_PENDING_MAX 32	 /* open requests of a connection */
#define FR_WIRE_TEXTS_BYTES 4096 /* their texts together */

enum fr_wire_dir { FR_WIRE_SEND, FR_WIRE_RECV };

/* A moment on the wire: the transfer that carried a byte, as recorded when it was done. */
struct fr_wire_point {
	uint64_t time_ns;
	uint64_t stream_off; /* of the byte, in its direction; of .sent and .end: just behind it */
	uint64_t goid;	     /* 0 = none */
	uint32_t tid;
	uint32_t reserved_zero;
};

/* One transfer. */
struct fr_wire_part {
	enum fr_wire_dir dir;
	bool start;	  /* first of its direction after the other one's (MSG_START) */
	bool first_sight; /* offsets count from first sight, not from the connection's start */
	bool datagram;	  /* a message by itself; .start is not asked */
	struct fr_sock_addr ends; /* datagrams: whose; family 0 = not known */
	uint64_t time_ns;
	uint64_t stream_off;
	uint64_t transfer_bytes;
	struct fr_slice captured; /* its first bytes, never more than transfer_bytes count */
	uint64_t goid;
	uint32_t tid;
};

/* One exchange. Slices end with the call that hands it out. */
struct fr_request {
	enum fr_wire_proto_id protocol;
	bool server;  /* this end received the request */
	uint8_t kind; /* the protocol's own */
	uint8_t traceparent_cnt;
	uint16_t error_nr; /* beside .code, where the protocol numbers errors (MySQL); 0 = none */
	uint8_t version;   /* of the protocol: 11 = 1.1; 0 = not known */
	uint32_t marks;	   /* FR_MARK_* */
	int32_t status;
	uint32_t tag; /* as in fr_wire_pending */
	uint32_t reserved_zero;
	uint64_t request_bytes;
	uint64_t response_bytes;
	struct fr_sock_addr ends; /* datagrams: of this exchange; family 0 = the connection's */
	struct fr_wire_point start; /* first byte of the request; time 0 when START_UNSEEN */
	struct fr_wire_point sent;  /* last byte of the request so far as known */
	struct fr_wire_point first; /* first byte of the reply; time 0 when none was seen */
	struct fr_wire_point end;   /* last byte of the reply; time 0 when none was seen */
	struct fr_slice command;
	struct fr_slice text;
	struct fr_slice host;
	struct fr_slice traceparent;
	struct fr_slice tracestate; /* lines joined by commas */
	struct fr_slice code;
	struct fr_slice severity;
	struct fr_slice user;
	struct fr_slice database;
};

typedef void fr_request_fn(void *ctx, const struct fr_request *r);

#define FR_WIRE_COMMAND_BYTES 24
#define FR_WIRE_CODE_BYTES 16

struct fr_wire_pending {
	struct fr_wire_point start, sent, first;
	uint64_t id;
	struct fr_sock_addr ends;
	uint64_t response_off; /* nothing of the reply lies before it */
	uint32_t marks;
	int32_t status;
	uint32_t tag; /* whose connection it is may set it between calls; 0 at first */
	uint8_t kind;
	uint8_t quiet;
	uint8_t failed;
	uint8_t traceparent_cnt;
	uint8_t command_bytes;
	uint8_t code_bytes;
	uint8_t severity_bytes;
	uint8_t reply_lost; /* something of its reply, maybe an error, was passed over */
	/* lengths in texts[], one after the other */
	uint16_t text_bytes, host_bytes, traceparent_bytes, tracestate_bytes;
	uint16_t error_nr;
	uint8_t request_dir; /* enum fr_wire_dir: datagrams may ask either way */
	uint8_t version;
	uint8_t reserved_zero[4];
	char command[FR_WIRE_COMMAND_BYTES];
	char code[FR_WIRE_CODE_BYTES];
	char severity[FR_WIRE_CODE_BYTES];
};

struct fr_wire_stream {
	uint64_t next_off;
	uint64_t skip_bytes;		 /* left of a unit */
	struct fr_wire_point carry_first; /* where the carry's first byte came */
	struct fr_wire_point lead;	 /* see FR_UNIT_LEAD */
	struct fr_wire_point last;	 /* the latest transfer; stream_off behind it */
	uint64_t hole_bytes;		 /* not yet known protocol: passed after the carry */
	uint32_t carry_bytes;
	bool seen;
	bool lost;
	bool endless;
	bool has_lead;
	bool infer; /* replies were lost when this message began: older requests are over */
	bool joined; /* in the first message since first sight: some may have gone before */
	struct fr_wire_unit over; /* of the unit in hand: what it does at its end; no slices */
	uint8_t carry[FR_WIRE_CARRY_BYTES];
};

/* One end of a connection. All its memory; no part of it points outside but texts. */
struct fr_wire_conn {
	const struct fr_wire_protocol *proto; /* NULL = not known yet */
	struct fr_wire_texts *texts;
	enum fr_wire_dir request_dir;
	bool side_known; /* by who connected; content may still correct it */
	bool turned;	 /* content did */
	bool raw;
	bool datagram; /* the latest part was */
	bool settled;  /* a reply met its request: the direction is right */
	bool doubt; /* replies went uncounted: later pairs are inferred */
	enum fr_wire_dir last_dir;  /* of the latest part, once one was seen */
	enum fr_wire_dir first_dir; /* protocol not known yet: whose carry is older */
	uint32_t pending_cnt;
	uint32_t texts_bytes;
	uint64_t unkept_cnt;	/* open requests beyond the queue, all younger than it */
	uint64_t overflow_cnt;	/* losses, all told: requests that found no room */
	uint64_t unmatched_cnt; /* replies that belong to no request */
	uint64_t lost_cnt;	/* times that a direction lost its place */
	struct fr_wire_stream streams[2]; /* by enum fr_wire_dir */
	struct fr_wire_pending pending[FR_WIRE_PENDING_MAX];
	uint8_t texts_data[FR_WIRE_TEXTS_BYTES];
	_Alignas(8) uint8_t state[FR_WIRE_STATE_BYTES];
};

enum fr_wire_side { FR_WIRE_SIDE_UNKNOWN, FR_WIRE_SIDE_SERVER, FR_WIRE_SIDE_CLIENT };

/* texts may be NULL; it outlives the connection. */
void fr_wire_conn_init(struct fr_wire_conn *c, enum fr_wire_side side, struct fr_wire_texts *texts);
/* For tests, and for who knows better than the content: no detection. */
void fr_wire_conn_set_protocol(struct fr_wire_conn *c, const struct fr_wire_protocol *proto);
/* Parts in order of time. Requests come out as their replies end, in that order. */
void fr_wire_conn_part(struct fr_wire_conn *c, const struct fr_wire_part *p, fr_request_fn *fn,
		       void *ctx);
/* The connection closed: replies that last until then end here. */
void fr_wire_conn_close(struct fr_wire_conn *c, fr_request_fn *fn, void *ctx);
/* Recording ends: what is open comes out as END_UNSEEN. */
void fr_wire_conn_flush(struct fr_wire_conn *c, fr_request_fn *fn, void *ctx);
/* The i-th open request as it is now, without an end. Slices end with the next call. */
void fr_wire_conn_peek(const struct fr_wire_conn *c, uint32_t index, struct fr_request *ret);
/* What went before may have been seen in parts; what follows is seen whole. With one request open
 * at most, no reply to another one is to come, and replies can be counted again. */
void fr_wire_conn_settle(struct fr_wire_conn *c);
/* Asserts the invariants. */
void fr_wire_conn_check(const struct fr_wire_conn *c);

#endif
