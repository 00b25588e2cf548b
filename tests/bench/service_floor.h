/* SPDX-License-Identifier: BSD-2-Clause */
/* What the programs of service_floor do. */
#ifndef FR_TEST_SERVICE_FLOOR_H
#define FR_TEST_SERVICE_FLOOR_H

enum { SF_EMPTY, SF_CLOCK, SF_RECORD };

#endif
