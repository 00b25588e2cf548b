/* SPDX-License-Identifier: BSD-2-Clause */
/* What is attached, and what it does. */
#ifndef FR_TEST_SERVICE_FLOOR_H
#define FR_TEST_SERVICE_FLOOR_H

enum sf_state { SF_OFF, SF_EMPTY, SF_CLOCK, SF_RECORD, SF_BYTES, SF_SENDS, SF_STATE_CNT };

/* Told to the programs by who runs them. */
struct sf_told {
	uint32_t state;	  /* enum sf_state */
	uint32_t service; /* its process */
};

#endif
