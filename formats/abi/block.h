/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Family block: requests to disks. */
#ifndef FR_ABI_BLOCK_H
#define FR_ABI_BLOCK_H

#ifndef __BPF__
#include <stdint.h>
#endif
#include "abi.h"

/* fr_block_*.op: low 8 bits of the request's cmd_flags (REQ_OP_*) */
#define FR_BLOCK_READ 0u
#define FR_BLOCK_WRITE 1u
#define FR_BLOCK_FLUSH 2u
#define FR_BLOCK_DISCARD 3u

/* fr_block_complete.flags */
#define FR_BLOCK_LATENCY_UNKNOWN 0x1u /* issued before recording, or the table was full */

FR_ABI_BEGIN

/* block_issue: a request was handed to the driver. */
struct fr_block_issue {
	uint64_t word;
	uint64_t sector; /* 512-byte units */
	uint32_t dev;	 /* major << 20 | minor; 0 = none */
	uint32_t bytes;
	uint32_t tid;	 /* who was running: often, not always, who caused it */
	uint8_t op;	 /* FR_BLOCK_* */
	uint8_t reserved_zero[3];
};

/* block_complete: the driver says a request (or part of it) is done. */
struct fr_block_complete {
	uint64_t word;
	uint64_t sector;
	uint32_t dev;
	uint32_t bytes;
	uint64_t latency_ns; /* since its issue */
	int32_t error;	     /* 0 or negative errno */
	uint8_t op;
	uint8_t flags; /* FR_BLOCK_LATENCY_UNKNOWN */
	uint16_t reserved_zero;
};

FR_ABI_END

FR_ABI_SIZE(fr_block_issue, 32);
FR_ABI_SIZE(fr_block_complete, 40);

#endif
