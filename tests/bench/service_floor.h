/* SPDX-License-Identifier: BSD-2-Clause */
/* What is attached, and what it does. */
#ifndef FR_TEST_SERVICE_FLOOR_H
#define FR_TEST_SERVICE_FLOOR_H

enum sf_state { SF_OFF, SF_EMPTY, SF_CLOCK, SF_RECORD, SF_STATE_CNT };

#endif
