/* SPDX-License-Identifier: BSD-2-Clause */
#include "datagrams.h"

#define HEAD_BYTES_MIN 4 /* number and flags */

void fr_datagrams_came(struct fr_datagrams *d, uint32_t instance, const struct fr_record *r)
{
	uint32_t i = d->next++ % FR_DATAGRAMS_MAX;

	memcpy(&d->sources[i], r->data, sizeof(d->sources[i]));
	d->instances[i] = instance;
}

static bool is_it(const struct fr_dns_source *s, const struct fr_sock_io *io, uint16_t local_port,
		  struct fr_slice captured)
{
	size_t n = captured.len_bytes < sizeof(s->head) ? captured.len_bytes : sizeof(s->head);

	return s->word && s->local_port == local_port && s->datagram_bytes == io->result &&
	       (!s->sock_id || s->sock_id == io->sock_id) && n >= HEAD_BYTES_MIN &&
	       !memcmp(s->head, captured.data, n);
}

bool fr_datagrams_ends(struct fr_datagrams *d, uint32_t instance, const struct fr_record *r,
		       struct fr_sock_addr *ret_ends)
{
	const struct fr_sock_addr *addr = fr_io_addr(r);
	struct fr_sock_addr ends;
	struct fr_sock_io io;

	if (!addr)
		return false;
	memcpy(&ends, addr, sizeof(ends));
	memcpy(&io, r->data, sizeof(io));
	/* the oldest that fits: datagrams are received in the order in which they came */
	for (uint32_t i = 0;
	     r->kind == FR_EV_SOCK_RECV && !ends.remote_port && i < FR_DATAGRAMS_MAX; i++) {
		uint32_t at = (d->next + i) % FR_DATAGRAMS_MAX;
		struct fr_dns_source *s = &d->sources[at];

		if (d->instances[at] != instance ||
		    !is_it(s, &io, ends.local_port, fr_io_captured(r)))
			continue;
		ends.remote_port = s->remote_port;
		memcpy(ends.remote, s->remote, sizeof(ends.remote));
		if (ends.family != s->family && s->family == FR_AF_INET) { /* as IPv6 sees it */
			memset(ends.remote, 0, sizeof(ends.remote));
			ends.remote[10] = ends.remote[11] = 0xff;
			memcpy(ends.remote + 12, s->remote, 4);
		}
		s->word = 0;
		break;
	}
	*ret_ends = ends;
	return true;
}
