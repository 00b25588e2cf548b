/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine that a dump is from. */
#ifndef FR_RECORDER_DUMP_HOST_H
#define FR_RECORDER_DUMP_HOST_H

#include "recorder.h"

/* What cannot be read stays empty. */
void fr_host_describe(const struct fr_recorder *rec, struct fr_meta_host *ret_host);

#endif
