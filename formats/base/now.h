/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock that deadlines and durations are measured by. */
#ifndef FR_BASE_NOW_H
#define FR_BASE_NOW_H

#include <stdint.h>
#include <time.h>

/* CLOCK_MONOTONIC, in nanoseconds. */
static inline uint64_t fr_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

#endif
