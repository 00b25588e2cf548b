/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many sockets have state. Probes count births and the ends of TCP sockets; unix and UDP
 * sockets end unseen, so that their number only grows until somebody counts anew.
 */
#ifndef FR_RECORDER_SOCKETS_H
#define FR_RECORDER_SOCKETS_H

#include <stdbool.h>

#include "recorder.h"

/* Counts anew if the probes' number is near the limit. Says whether it still is. */
bool fr_sockets_recount(const struct fr_recorder *rec);

#endif
