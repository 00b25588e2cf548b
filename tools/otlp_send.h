/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Delivers OTLP requests and accounts for each item: sent, rejected by the receiver, or dropped
 * because it could not be delivered. What an answer means and when to try again is decided here;
 *the network is behind struct fr_otlp_transport, so that this part is tested without one.
 *
 *	         2xx ──▶ sent (less what partial success rejects)
 *	post ──▶ 413 ──▶ two halves, each a request of its own; a single item: rejected
 *	  ▲      429, 502, 503, 504, connection failed or lost ──▶ wait ──▶ post again
 *	  │                                                          └──▶ too long: give up, dropped
 *	  │      anything else ──▶ rejected
 *	  └── next request
 *
 * Once given up, nothing more is tried: the time that a run can spend on a dead receiver is bounded
 * by retry_for_ns and one timeout.
 */
#ifndef FR_TOOLS_OTLP_SEND_H
#define FR_TOOLS_OTLP_SEND_H

#include <stdbool.h>
#include <stdint.h>

#include "../formats/out/otlp.h"
#include "otlp_env.h"

#define FR_OTLP_REPLY_STORED_MAX (64u << 10) /* bytes of an answer that are kept */
#define FR_OTLP_REPLY_BYTES_MAX (4u << 20)   /* an answer that goes on beyond is cut off */
#define FR_OTLP_RETRY_FOR_DEFAULT_NS 60000000000ull

enum fr_otlp_attempt {
	FR_OTLP_ANSWERED,
	FR_OTLP_LOST,	   /* no connection, or no whole answer: may be tried again */
	FR_OTLP_BROKEN,	   /* no connection, and there will be none: TLS, a certificate, a URL */
	FR_OTLP_TOO_LARGE, /* the answer was cut off */
};

/* Of one attempt. */
struct fr_otlp_answer {
	enum fr_otlp_attempt attempt;
	int http_status;
	char error[300];	/* why there is no answer */
	char content_type[100]; /* "" = none */
	char location[300];
	uint64_t retry_after_ns; /* 0 = not said */
	struct fr_buf body;	 /* the first FR_OTLP_REPLY_STORED_MAX bytes */
};

struct fr_otlp_transport {
	/* Fills the answer (body is cleared, its memory kept). 0; -EINTR: the user wants to end. */
	int (*post)(void *ctx, const struct fr_otlp_batch *batch, struct fr_otlp_answer *ret);
	/* 0 when the time is over; -EINTR */
	int (*wait)(void *ctx, uint64_t wait_ns);
	uint64_t (*now_ns)(void *ctx); /* monotonic */
	uint32_t (*random)(void *ctx);
	const char *(*where)(void *ctx, enum fr_otlp_signal signal); /* URL, for messages */
	void *ctx;
};

struct fr_otlp_counts {
	uint64_t sent, rejected, dropped;
};

struct fr_otlp_sender {
	struct fr_otlp_transport transport;
	uint64_t retry_for_ns; /* from the first failed attempt; 0 = give up at the first */
	struct fr_otlp_counts counts[FR_OTLP_SIGNAL_CNT];
	uint64_t request_cnt; /* attempts, repeated ones included */
	uint64_t retry_cnt;
	uint64_t not_otlp_cnt; /* successes whose answer no OTLP receiver gives */
	uint64_t untold_cnt;   /* messages kept back: there were too many */
	uint32_t told_cnt;
	uint64_t trouble_since_ns; /* of the first failed attempt since an answer; 0 = none */
	bool gave_up, interrupted;
	void (*before_message)(void *ctx); /* takes progress off the line; NULL = there is none */
	void *ctx;
	struct fr_otlp_answer answer;
};

/* For struct fr_otlp_to. 0, also for what is rejected or dropped; -EINTR. */
int fr_otlp_send(void *sender, const struct fr_otlp_batch *batch);
/* The line with all counts, and the exit code: dropped 5, rejected or doubtful 1, else 0. */
int fr_otlp_sender_say(const struct fr_otlp_sender *s);
void fr_otlp_sender_done(struct fr_otlp_sender *s);

#endif
