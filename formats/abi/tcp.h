/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Family tcp: trouble on the wire. */
#ifndef FR_ABI_TCP_H
#define FR_ABI_TCP_H

#ifndef __BPF__
#include <stdint.h>
#endif
#include "abi.h"

#define FR_RESET_SENT 0u
#define FR_RESET_RECEIVED 1u

FR_ABI_BEGIN

/* tcp_retransmit: a segment was sent again. */
struct fr_tcp_retransmit {
	uint64_t word;
	uint64_t sock_id; /* 0 = no state for this socket */
	uint16_t local_port;
	uint16_t remote_port;
	uint8_t state; /* TCP_* of the kernel */
	uint8_t reserved_zero[3];
};

/* tcp_reset: a reset was sent or received. */
struct fr_tcp_reset {
	uint64_t word;
	uint64_t sock_id; /* 0 = none, or no socket was there (connection refused) */
	uint16_t local_port;
	uint16_t remote_port;
	uint8_t direction; /* FR_RESET_* */
	uint8_t state;	   /* TCP_* of the kernel, 0 = no socket */
	uint16_t reserved_zero;
};

FR_ABI_END

FR_ABI_SIZE(fr_tcp_retransmit, 24);
FR_ABI_SIZE(fr_tcp_reset, 24);

#endif
