/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OTLP (opentelemetry-proto 1.11, semantic conventions 1.44): spans of requests, and log records of
 * what else a backend should know: triggers, crashes, OOM kills, losses.
 *
 * Two sinks, one for each encoding; they say the same. Without fr_convert.otlp they write files,
 * one for each signal, because a reader takes one or the other:
 *
 *	             traces                  logs
 *	otlp         FILE                    FILE with .logs before its last extension
 *	             one TracesData message  one LogsData message
 *	otlp-json    FILE                    the same
 *	             a TracesData a line     a LogsData a line
 *
 * A request is such a message, and requests put one after the other are one. No line is much longer
 * than FR_OTLP_BATCH_BYTES.
 *
 * Into what is no regular file (a pipe, a terminal) otlp-json writes the lines of both, which name
 * their signal; otlp writes the traces alone, and counts the log records in
 * fr_convert.otlp_unwritten_logs.
 *
 * With fr_convert.otlp nothing is written: each request goes to take(), as protobuf.
 */
#ifndef FR_OUT_OTLP_H
#define FR_OUT_OTLP_H

#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"

#define FR_OTLP_BATCH_BYTES (1u << 20) /* unless told otherwise; before compression */
#define FR_OTLP_BATCH_ITEMS 1024u      /* spans or log records of a request, at most */

#define FR_OTLP_SCHEMA_URL "https://opentelemetry.io/schemas/1.44.0"

enum fr_otlp_signal { FR_OTLP_TRACES, FR_OTLP_LOGS };

/* One Export{Trace,Logs}ServiceRequest, never without items. */
struct fr_otlp_batch {
	enum fr_otlp_signal signal;
	const uint8_t *data; /* borrowed for the call */
	size_t data_bytes;
	uint32_t item_cnt; /* spans or log records */
};

/* Who takes the requests instead of a file. */
struct fr_otlp_to {
	/* 0, or a negative errno that ends the conversion (a request that could not be delivered
	 * is no reason: the taker counts those). */
	int (*take)(void *ctx, const struct fr_otlp_batch *batch);
	void *ctx;
	/* A request gets no more items once it has this many bytes; one item may be larger than
	 * that alone. 0 = FR_OTLP_BATCH_BYTES. */
	size_t batch_bytes;
};

/*
 * A request with only the items [first, first + cnt) of another one, with the resources and scopes
 * they belong to: for a receiver that finds it too large. Appends to *ret. 0; -EINVAL: there are
 * not so many items; -EBADMSG: the bytes are no such request; -ENOMEM.
 */
int fr_otlp_part(const struct fr_otlp_batch *batch, uint32_t first, uint32_t cnt,
		 struct fr_buf *ret);

struct fr_sink;
extern const struct fr_sink fr_sink_otlp;
extern const struct fr_sink fr_sink_otlp_json;

#endif
