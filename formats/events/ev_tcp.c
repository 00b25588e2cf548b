/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoders of the family tcp. */
#include "fields.h"

void fr_ev_fields_tcp_retransmit(const struct fr_record *r, const struct fr_field_sink *out)
{
	struct fr_tcp_retransmit e;

	memcpy(&e, r->data, sizeof(e));
	if (e.sock_id)
		fr_field_hex(out, "sock_id", e.sock_id);
	fr_field_u64(out, "local_port", e.local_port);
	fr_field_u64(out, "remote_port", e.remote_port);
	fr_field_named(out, "state", fr_tcp_state_lookup(e.state), e.state);
}

static const char *direction_name(uint8_t direction)
{
	if (direction == FR_RESET_SENT)
		return "sent";
	return direction == FR_RESET_RECEIVED ? "received" : NULL;
}

void fr_ev_fields_tcp_reset(const struct fr_record *r, const struct fr_field_sink *out)
{
	struct fr_tcp_reset e;

	memcpy(&e, r->data, sizeof(e));
	if (e.sock_id)
		fr_field_hex(out, "sock_id", e.sock_id);
	fr_field_u64(out, "local_port", e.local_port);
	fr_field_u64(out, "remote_port", e.remote_port);
	fr_field_named(out, "direction", direction_name(e.direction), e.direction);
	if (e.state)
		fr_field_named(out, "state", fr_tcp_state_lookup(e.state), e.state);
}
