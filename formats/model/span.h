/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request as the outside world calls it: a span, with ids, parent, process and time budget. The
 * sinks get each once, when it has ended (or the recording has) and its parent is sure.
 *
 * Ids are a hash (XXH3, ids.h) of host id, boot id, recorder start, socket id,
 * direction and stream offset of the request's first byte: the same request in two overlapping
 * dumps has one id.
 *
 *	trace id:  traceparent on the wire, else the parent's, else its own hash
 *	parent id: server: the client span at the other end of the connection when that is on this
 *		   host and recorded, else traceparent's; client: the server request that the same
 *		   line (goroutine, thread) has open
 */
#ifndef FR_MODEL_SPAN_H
#define FR_MODEL_SPAN_H

#include "../wire/stitch.h"
#include "budget.h"

enum fr_link {
	FR_LINK_NONE,	  /* no parent, or none that could be told for sure */
	FR_LINK_WIRE,	  /* traceparent: the parent lies outside this recording, or is not known */
	FR_LINK_PEER,	  /* the client span at the other end of the connection */
	FR_LINK_LINE,	  /* same goroutine, or same thread of a program that is not Go */
	FR_LINK_INFERRED, /* told as such: of a client by writeLoop's rule and the like; of a
			   * server by offsets that count from elsewhere at the other end */
};

struct fr_span {
	const struct fr_request *request; /* borrowed for the call; its times are BOOTTIME */
	uint8_t trace_id[16];
	uint8_t span_id[8];
	uint8_t parent_id[8]; /* zeros = none */
	uint8_t trace_flags;  /* of traceparent; 1 (sampled) where there was none */
	enum fr_link link;
	/* Both inside the recording's range, start <= end. A side that was not seen is where the
	 * recording begins or ends (the request's marks say so). */
	uint64_t start_ns, end_ns;
	uint32_t who;  /* thread that began it: index into the names */
	uint64_t goid; /* 0 = none */
	uint32_t tgid; /* 0 = not known */
	const struct fr_socket *socket;	   /* borrowed for the call */
	struct fr_budget budget;
	bool budget_known; /* false: no account could be kept; all of it is unattributed */
};

#endif
