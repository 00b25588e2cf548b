/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * W3C Trace Context, strictly: traceparent values, and the header lines of one request put
 * together. An invalid traceparent means that there is no context: nothing of it is used, nor of
 * the tracestate beside it.
 */
#ifndef FR_WIRE_TRACEPARENT_H
#define FR_WIRE_TRACEPARENT_H

#include "../base/buf.h"
#include "../base/bytes.h"

#define FR_TRACEPARENT_BYTES 55	     /* 00-<32>-<16>-<2> */
#define FR_TRACESTATE_MEMBERS_MAX 32 /* more, and all of it is void */
#define FR_TRACESTATE_KEY_BYTES_MAX 256
#define FR_TRACESTATE_VALUE_BYTES_MAX 256

struct fr_traceparent {
	uint8_t trace_id[16]; /* never all zero */
	uint8_t parent_id[8]; /* never all zero */
	uint8_t version;      /* never 0xff */
	uint8_t flags;	      /* as sent; 0x01 sampled, 0x02 the trace id is random */
};

/*
 * One value, blanks and tabs around it allowed. Version 00 is exactly 55 bytes; a higher one may go
 * on with "-anything" behind them. -EINVAL.
 */
int fr_traceparent_parse(struct fr_slice value, struct fr_traceparent *ret);

/*
 * The context of one request, from its header lines in order. Begin with zeroes and .tracestate
 * pointing to an empty buffer.
 */
struct fr_trace_headers {
	struct fr_buf *tracestate; /* borrowed; the members, joined by ',' */
	struct fr_traceparent parent;
	uint32_t parent_cnt; /* header lines called traceparent; more than one is no context */
	uint32_t member_cnt; /* of tracestate */
	bool parent_bad;
	bool state_bad; /* one bad member, or one too many, makes all of tracestate void */
};

/* Takes one line; names other than traceparent and tracestate (in any case) are ignored. */
void fr_trace_headers_add(struct fr_trace_headers *h, struct fr_slice name, struct fr_slice value);

/*
 * 0 with the parent; the buffer then holds the tracestate's members as they came, without the white
 * space around them ("" = none or void). -ENOENT: no traceparent; -EINVAL: an invalid one, or
 * several; both leave the buffer empty. Errors of the buffer are the buffer's.
 */
int fr_trace_headers_end(struct fr_trace_headers *h, struct fr_traceparent *ret);

#endif
