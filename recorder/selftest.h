/* SPDX-License-Identifier: BSD-2-Clause */
/* flightrecd --self-test: does recording work on this host? */
#ifndef FR_RECORDER_SELFTEST_H
#define FR_RECORDER_SELFTEST_H

#include "recorder.h"

/* The recorder records. Does a little of what probes see, looks whether they saw it, prints one
 * line per part on stdout. Exit code: FR_EXIT_OK, or FR_EXIT_DAMAGED if a part doesn't work. */
int fr_selftest_run(struct fr_recorder *rec);

#endif
