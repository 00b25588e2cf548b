/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who sent a datagram that an unconnected socket received: the receive's own record does not know
 * (with the tracepoint hooks), a dns_source record before it does. Found by socket or local port,
 * length and header; each source is used once. Fixed memory: the oldest gives way.
 */
#ifndef FR_MODEL_DATAGRAMS_H
#define FR_MODEL_DATAGRAMS_H

#include "../events/event.h"

#define FR_DATAGRAMS_MAX 4096 /* power of two; as many as wait in the queues of a busy server */

struct fr_datagrams {
	struct fr_dns_source sources[FR_DATAGRAMS_MAX]; /* word 0 = used */
	uint32_t instances[FR_DATAGRAMS_MAX];
	uint64_t oldest, next; /* counts; those between them lie at their remainders */
};

/* Takes note of a dns_source record. */
void fr_datagrams_came(struct fr_datagrams *d, uint32_t instance, const struct fr_record *r);
/* The ends of the datagram of this sock_send or sock_recv record, the other one taken from what
 * came before where the record doesn't know it. False when the record has no address at all. */
bool fr_datagrams_ends(struct fr_datagrams *d, uint32_t instance, const struct fr_record *r,
		       struct fr_sock_addr *ret_ends);

#endif
