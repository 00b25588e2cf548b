/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock of the records against the clock of people. User space cannot read the former (a time
 * namespace shifts its CLOCK_BOOTTIME): a BPF program reads it between two CLOCK_REALTIME reads.
 */
#ifndef FR_RECORDER_CLOCK_H
#define FR_RECORDER_CLOCK_H

#include "formats/dump/meta.h"
#include "probes.h"

/* The best of a few tries. 0 or a negative errno; bound_ns says how far off it can be. */
int fr_clock_pair(const struct fr_probes *p, enum fr_clock_when when,
		  struct fr_clock_pair *ret_pair);

#endif
