/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A socket's transfers as bytes, for fuzz targets and for recorded streams of real programs:
 *
 *   byte 0: bits 0-1 side (0 unknown, 1 server, 2 client), bit 2 recording ends before the close,
 *           bit 3 the protocol is given
 *   then, for each transfer: control byte (bit 0 received, bit 1 a message starts, bit 2 a gap
 *   goes before, bit 3 more than what was captured, bit 4 first sight, bit 5 a datagram, with bits
 *   6-7 as its peer), captured bytes (2, LE), if bit 2 bytes of the gap (2, LE),
 *   if bit 3 bytes not captured (4, LE), the captured bytes.
 */
#ifndef FR_TESTS_WIRE_STREAM_H
#define FR_TESTS_WIRE_STREAM_H

#include <stdlib.h>

#include "formats/wire/stitch.h"

#define WIRE_FEED_FIRST_OFF 1000

static inline void wire_must(bool holds)
{
	if (!holds)
		abort();
}

/* Feeds all of it; returns the number of transfers. */
static inline unsigned wire_stream_feed(struct fr_wire_conn *c, struct fr_slice stream,
					const struct fr_wire_protocol *given,
					struct fr_wire_texts *texts, fr_request_fn *fn, void *ctx)
{
	struct fr_cursor in = fr_cursor_of(stream.data, stream.len_bytes);
	uint64_t offs[2] = { WIRE_FEED_FIRST_OFF, WIRE_FEED_FIRST_OFF };
	uint8_t head = fr_cursor_u8(&in);
	unsigned part_cnt = 0;

	fr_wire_conn_init(c, head & 2 ? FR_WIRE_SIDE_CLIENT : (enum fr_wire_side)(head & 1), texts);
	if (head & 8)
		fr_wire_conn_set_protocol(c, given);
	while (fr_cursor_left(&in)) {
		uint8_t control = fr_cursor_u8(&in);
		uint16_t captured_bytes = fr_cursor_u16(&in);
		uint64_t gap_bytes = control & 4 ? fr_cursor_u16(&in) : 0;
		uint64_t more_bytes = control & 8 ? fr_cursor_u32(&in) : 0;
		struct fr_wire_part p = {
			.dir = control & 1 ? FR_WIRE_RECV : FR_WIRE_SEND,
			.start = control & 2,
			.first_sight = control & 16,
			.datagram = control & 32,
			.ends = { .remote_port = control & 32 ? control >> 6 : 0 },
			.time_ns = ++part_cnt * 1000ull,
			.stream_off = offs[control & 1] + gap_bytes,
			.tid = control & 1,
		};

		if (captured_bytes > fr_cursor_left(&in))
			captured_bytes = (uint16_t)fr_cursor_left(&in);
		p.captured = fr_cursor_take(&in, captured_bytes);
		p.transfer_bytes = captured_bytes + more_bytes;
		fr_wire_conn_part(c, &p, fn, ctx);
		fr_wire_conn_check(c);
		offs[control & 1] = p.stream_off + p.transfer_bytes;
	}
	if (head & 4)
		fr_wire_conn_flush(c, fn, ctx);
	else
		fr_wire_conn_close(c, fn, ctx);
	fr_wire_conn_check(c);
	return part_cnt;
}

/* What must hold of any request, whatever the bytes were. */
static inline void wire_check_request(const struct fr_request *r)
{
	uint8_t sum = 0;
	const struct fr_slice *slices[] = { &r->command,     &r->text,	&r->host,
					    &r->traceparent, &r->tracestate, &r->code,
					    &r->severity,    &r->user,	&r->database };

	for (size_t i = 0; i < sizeof(slices) / sizeof(slices[0]); i++) {
		wire_must(slices[i]->len_bytes <= FR_WIRE_TEXT_BYTES);
		for (size_t k = 0; k < slices[i]->len_bytes; k++)
			sum ^= slices[i]->data[k]; /* ASan sees a slice that points nowhere */
	}
	*(volatile uint8_t *)&sum = sum;
	wire_must(r->start.time_ns || r->marks & FR_MARK_START_UNSEEN);
	wire_must(!r->end.time_ns || r->end.time_ns >= r->start.time_ns);
	wire_must(!r->end.time_ns || r->end.time_ns >= r->first.time_ns);
	wire_must(r->end.time_ns || r->marks & (FR_MARK_END_UNSEEN | FR_MARK_SKIPPED));
	wire_must(r->status == FR_WIRE_STATUS_UNKNOWN || r->first.time_ns || !r->status);
	if (r->protocol == FR_WIRE_HTTP1)
		wire_must(r->status == FR_WIRE_STATUS_UNKNOWN ||
			  (r->status >= 101 && r->status <= 999));
}

#endif
