/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fuzz target of one protocol, FR_FUZZ_WIRE: any transfers, taken for it. Requests come out
 * that hold together, and no byte is read outside the given ones.
 */
#ifndef FR_TESTS_FUZZ_WIRE_TARGET_H
#define FR_TESTS_FUZZ_WIRE_TARGET_H

#include "wire_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes);

static struct fr_wire_conn conn;
static struct fr_wire_texts texts;

static void on_request(void *ctx, const struct fr_request *r)
{
	(void)ctx;
	wire_check_request(r);
}

static void look_alone(struct fr_slice bytes)
{
	uint64_t state[FR_WIRE_STATE_BYTES / 8] = { 0 };
	struct fr_wire_look look = { .state = state };

	for (unsigned form = 0; form < 4; form++) {
		struct fr_wire_unit u = { .unit_bytes = 0 };
		enum fr_wire_verdict v;

		look.role = form & 1 ? FR_WIRE_RESPONSE : FR_WIRE_REQUEST;
		look.last = form & 2;
		v = FR_FUZZ_WIRE.parse(&look, bytes, &u);
		wire_must(v != FR_WIRE_UNIT || u.unit_bytes);
	}
	FR_FUZZ_WIRE.detect(bytes, (struct fr_slice){ 0 });
	FR_FUZZ_WIRE.detect((struct fr_slice){ 0 }, bytes);
	FR_FUZZ_WIRE.detect(bytes, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes)
{
	struct fr_slice s = { .data = data, .len_bytes = data_bytes };

	if (data_bytes && data_bytes <= FR_WIRE_CARRY_BYTES)
		look_alone(s);
	wire_stream_feed(&conn, s, &FR_FUZZ_WIRE, &texts, on_request, NULL);
	return 0;
}

#endif
