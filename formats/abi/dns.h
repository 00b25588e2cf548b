/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Family dns: what receives on unconnected sockets cannot say themselves. Off by default. */
#ifndef FR_ABI_DNS_H
#define FR_ABI_DNS_H

#ifndef __BPF__
#include <stdint.h>
#endif
#include "abi.h"

FR_ABI_BEGIN

/*
 * dns_source: a datagram that looks like DNS has come to an unconnected UDP socket, and waits
 * there. It becomes the sock_recv of the same socket (or, with sock_id 0, of the same local port)
 * that has as many bytes and begins with the same head.
 */
struct fr_dns_source {
	uint64_t word;
	uint64_t sock_id; /* 0 = the socket has no state yet */
	uint16_t family;
	uint16_t local_port;  /* host byte order */
	uint16_t remote_port; /* host byte order */
	uint16_t datagram_bytes;
	uint8_t head[12]; /* number, flags and counts of the message */
	uint32_t netns_inum;
	uint8_t remote[16]; /* IPv4: its first 4 bytes */
};

FR_ABI_END

FR_ABI_SIZE(fr_dns_source, 56);

#endif
