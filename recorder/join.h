/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Triggers that join a dump under way. The daemon adds, the dumper takes: whether a trigger came in
 * time is decided between two processes, so it is one atomic word in shared memory. A trigger
 * either is told of in the dump that is being made or makes the next one.
 */
#ifndef FR_RECORDER_JOIN_H
#define FR_RECORDER_JOIN_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/dump/meta.h"

#define FR_JOIN_CLOSED 0x80000000u

/*
 * The page shared by the daemon and one dumper. The daemon alone adds, the dumper alone closes.
 * state: triggers joined so far; FR_JOIN_CLOSED once the dumper has taken them.
 */
struct fr_join {
	uint32_t state;
	uint32_t reserved_zero;
	struct fr_trigger_info infos[FR_JOINED_MAX]; /* valid below state */
};

/* Daemon, while no dumper runs: an empty one. */
void fr_join_reset(struct fr_join *j);
/* Daemon: true if the dump under way will tell of this trigger, false if it is too late. */
bool fr_join_add(struct fr_join *j, const struct fr_trigger_info *t);
/* Dumper, once, at the end of the post-window: takes all that joined. */
void fr_join_close(struct fr_join *j, struct fr_meta_trigger *ret);
/* Either: has the dumper taken them already? */
bool fr_join_is_closed(const struct fr_join *j);

#endif
