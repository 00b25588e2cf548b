/* SPDX-License-Identifier: BSD-2-Clause */
#include "datagrams.h"

#define HEAD_BYTES_MIN 4 /* number and flags */

void fr_datagrams_came(struct fr_datagrams *d, uint32_t instance, const struct fr_record *r)
{
	uint32_t i = d->next % FR_DATAGRAMS_MAX;

	memcpy(&d->sources[i], r->data, sizeof(d->sources[i]));
	d->instances[i] = instance;
	d->next++;
	d->oldest += d->next - d->oldest > FR_DATAGRAMS_MAX;
}

static bool is_it(const struct fr_dns_source *s, const struct fr_sock_io *io, uint16_t local_port,
		  struct fr_slice captured)
{
	size_t n = captured.len_bytes < sizeof(s->head) ? captured.len_bytes : sizeof(s->head);

	return s->word && s->local_port == local_port && s->datagram_bytes == io->result &&
	       (!s->sock_id || s->sock_id == io->sock_id) && n >= HEAD_BYTES_MIN &&
	       !memcmp(s->head, captured.data, n);
}

/* The oldest that fits: datagrams are received in the order in which they came. */
static struct fr_dns_source *find(struct fr_datagrams *d, uint32_t instance,
				  const struct fr_record *r, uint16_t local_port)
{
	struct fr_slice captured = fr_io_captured(r);
	struct fr_sock_io io;

	memcpy(&io, r->data, sizeof(io));
	while (d->oldest < d->next && !d->sources[d->oldest % FR_DATAGRAMS_MAX].word)
		d->oldest++;
	for (uint64_t n = d->oldest; n < d->next; n++) {
		uint32_t i = n % FR_DATAGRAMS_MAX;

		if (d->instances[i] == instance && is_it(&d->sources[i], &io, local_port, captured))
			return &d->sources[i];
	}
	return NULL;
}

bool fr_datagrams_ends(struct fr_datagrams *d, uint32_t instance, const struct fr_record *r,
		       struct fr_sock_addr *ret_ends)
{
	const struct fr_sock_addr *addr = fr_io_addr(r);
	struct fr_dns_source *s = NULL;
	struct fr_sock_addr ends;

	if (!addr)
		return false;
	memcpy(&ends, addr, sizeof(ends));
	if (r->kind == FR_EV_SOCK_RECV && !ends.remote_port)
		s = find(d, instance, r, ends.local_port);
	if (s) {
		ends.remote_port = s->remote_port;
		memcpy(ends.remote, s->remote, sizeof(ends.remote));
		if (ends.family != s->family && s->family == FR_AF_INET) { /* as IPv6 sees it */
			memset(ends.remote, 0, sizeof(ends.remote));
			ends.remote[10] = ends.remote[11] = 0xff;
			memcpy(ends.remote + 12, s->remote, 4);
		}
		s->word = 0;
	}
	*ret_ends = ends;
	return true;
}
