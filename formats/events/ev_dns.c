/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoders of the family dns. */
#include "fields.h"

void fr_ev_fields_dns_source(const struct fr_record *r, const struct fr_field_sink *out)
{
	struct fr_sock_addr addr = { 0 };
	struct fr_dns_source e;
	char text[64];

	memcpy(&e, r->data, sizeof(e));
	addr.family = e.family;
	addr.remote_port = e.remote_port;
	memcpy(addr.remote, e.remote, sizeof(addr.remote));
	if (e.sock_id)
		fr_field_hex(out, "sock_id", e.sock_id);
	fr_field_u64(out, "local_port", e.local_port);
	fr_field_str(out, "from", fr_addr_format(&addr, true, text, sizeof(text)));
	fr_field_u64(out, "bytes", e.datagram_bytes);
	fr_field_u64(out, "dns_id", (uint64_t)e.head[0] << 8 | e.head[1]);
	fr_field_u64(out, "netns_inum", e.netns_inum);
}
