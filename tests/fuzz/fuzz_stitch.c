/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stitching core under a protocol of single bytes that does everything: requests, replies by
 * id, bodies of any length, errors, barriers, streams that turn raw. The first byte's bit 7 chooses
 * matching by id.
 */
#include "wire_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes);

static struct fr_wire_conn conn;
static struct fr_wire_texts texts;

static int detect(struct fr_slice request, struct fr_slice response)
{
	return (request.len_bytes && request.data[0] == '>') ||
		       (response.len_bytes && response.data[0] == '<') ?
		       2 :
		       0;
}

/* Three bytes: what, id, length of the body; '~' lasts forever, '?' has no known end. */
static enum fr_wire_verdict parse(const struct fr_wire_look *look, struct fr_slice b,
				  struct fr_wire_unit *u)
{
	static const uint64_t lengths[] = { FR_WIRE_LENGTH_UNKNOWN, FR_WIRE_ENDLESS,
					    UINT64_MAX / 2 };

	if (b.data[0] == '!')
		return FR_WIRE_LOST;
	if (b.len_bytes < 3)
		return look->last ? FR_WIRE_LOST : FR_WIRE_MORE;
	u->id = b.data[1];
	u->unit_bytes = b.data[2] < 3 ? lengths[b.data[2]] : b.data[2];
	u->kind = (uint8_t)(1 << (b.data[1] & 3));
	u->answers = u->kind;
	u->effects = b.data[0] * 5u & 0x3ff & (b.data[1] == 7 ? ~0u : ~(uint32_t)FR_UNIT_RAW);
	u->ends = b.data[0] & 1 ? u->kind : 0;
	u->status = b.data[0] & 2 ? 5 : FR_WIRE_STATUS_UNKNOWN;
	u->text = u->host = u->command = u->code = u->traceparent = b;
	u->tracestate_cnt = (uint8_t)(b.data[1] & 7);
	for (unsigned i = 0; i < FR_WIRE_TRACESTATES; i++)
		u->tracestate[i] = b;
	return FR_WIRE_UNIT;
}

static void rejoin(void *state, enum fr_wire_role role)
{
	(void)state;
	(void)role;
}

static const struct fr_wire_protocol toys[] = {
	{ .name = "toy", .barriers = 8, .any_border = true, .detect = detect, .parse = parse,
	  .rejoin = rejoin },
	{ .name = "toy-id", .by_id = true, .detect = detect, .parse = parse, .rejoin = rejoin },
};

static void on_request(void *ctx, const struct fr_request *r)
{
	(void)ctx;
	wire_check_request(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes)
{
	struct fr_slice s = { .data = data, .len_bytes = data_bytes };

	if (data_bytes)
		wire_stream_feed(&conn, s, &toys[data[0] >> 7], &texts, on_request, NULL);
	return 0;
}
