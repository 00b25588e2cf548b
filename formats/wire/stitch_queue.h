/* SPDX-License-Identifier: BSD-2-Clause */
/* The queue of open requests of one connection: stitch.c's other half. */
#ifndef FR_WIRE_STITCH_QUEUE_H
#define FR_WIRE_STITCH_QUEUE_H

#include "stitch.h"

/* One call into the stitcher. at: the transfer in hand, .stream_off the next byte of it. */
struct fr_wire_run {
	struct fr_wire_conn *c;
	enum fr_wire_dir dir;
	struct fr_wire_point at;
	const struct fr_sock_addr *ends; /* of the datagram in hand */
	fr_request_fn *fn;
	void *ctx;
};

static inline enum fr_wire_dir fr_wire_other(enum fr_wire_dir dir)
{
	return dir == FR_WIRE_SEND ? FR_WIRE_RECV : FR_WIRE_SEND;
}

static inline struct fr_wire_stream *fr_wire_responses(struct fr_wire_conn *c)
{
	return &c->streams[fr_wire_other(c->request_dir)];
}

/* A request begins at start. */
void fr_wire_queue_push(struct fr_wire_run *run, const struct fr_wire_unit *u,
			struct fr_wire_point start);
/* A unit of a reply begins at start. */
void fr_wire_queue_reply(struct fr_wire_run *run, const struct fr_wire_unit *u,
			 struct fr_wire_point start);
/* The unit in hand is of a reply that answers nothing open: at its end, nothing is over. */
void fr_wire_queue_disown(struct fr_wire_run *run);
/* A unit of a reply ends at run->at. */
void fr_wire_queue_over(struct fr_wire_run *run, const struct fr_wire_unit *u);
/* A new request comes although replies were passed over: they must be among those. */
void fr_wire_queue_infer(struct fr_wire_run *run);
/* Nothing comes any more. closed: because the connection is. */
void fr_wire_queue_drain(struct fr_wire_run *run, bool closed);
void fr_wire_queue_drop(struct fr_wire_conn *c);

#endif
