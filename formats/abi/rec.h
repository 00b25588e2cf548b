/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records that the recorder writes about itself. Always on. */
#ifndef FR_ABI_REC_H
#define FR_ABI_REC_H

#ifndef __BPF__
#include <stdint.h>
#endif
#include "abi.h"

/* fr_rec_family.why */
#define FR_FAMILY_WHY_START 0u	/* as configured at start */
#define FR_FAMILY_WHY_FAILED 1u /* the kernel refused it or lacks what it needs */
#define FR_FAMILY_WHY_SHED 2u	/* switched off for a while, to spare the host */
#define FR_FAMILY_WHY_ASKED 3u	/* by configuration or command while running */

FR_ABI_BEGIN

/* rec_flush: a reader closed the running sub-buffer. */
struct fr_rec_flush {
	uint64_t word;
};

/* rec_family: from here on a family is recorded or not, so that a gap is not read as silence. */
struct fr_rec_family {
	uint64_t word;
	uint8_t family; /* bit number, FR_FAMILY_* */
	uint8_t on;
	uint8_t why; /* FR_FAMILY_WHY_* */
	uint8_t reserved_zero[5];
};

FR_ABI_END

FR_ABI_SIZE(fr_rec_flush, 8);
FR_ABI_SIZE(fr_rec_family, 16);

#endif
