/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many sockets have state. Probes count births, and the ends of TCP sockets; unix and UDP
 * sockets end unseen. So the count drifts upwards, and a host that opens many of them would one
 * day reach max_sockets with few alive: near the limit the daemon counts anew.
 */
#ifndef FR_RECORDER_SOCKCOUNT_H
#define FR_RECORDER_SOCKCOUNT_H

#include "recorder.h"

/*
 * Called by the slow timer. Does nothing below half the limit. *ret_live (may be NULL) is the
 * count then believed. 0, -ENOENT without socket storage, or another negative errno.
 */
int fr_sockcount_refresh(const struct fr_recorder *rec, uint64_t *ret_live);

#endif
