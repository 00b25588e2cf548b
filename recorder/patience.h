/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is a helper process that has been silent for a while stuck, or does it only wait for a CPU? It is
 * looked at again and again: what it slept is what lies between two looks that both find it asleep,
 * if it was on no CPU in between. Waiting for a CPU is never held against it.
 */
#ifndef FR_RECORDER_PATIENCE_H
#define FR_RECORDER_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define FR_PATIENCE_LOOK_NS 10000000ull	  /* from one look to the next */
#define FR_PATIENCE_ASLEEP_NS 50000000ull /* asleep for so long: it hangs */
#define FR_PATIENCE_RAN_NS 200000000ull	  /* on a CPU for so long: it turns in circles */

struct fr_patience_look {
	uint64_t from_ns, to_ns; /* CLOCK_MONOTONIC: who looks may wait for a CPU meanwhile */
	uint64_t ran_ns;
	uint64_t stints; /* how often it was given a CPU */
	char state;	 /* as in /proc/PID/stat; 0 = not known */
};

/* Zeroed when the helper has made itself heard. */
struct fr_patience {
	struct fr_patience_look first, last;
	uint64_t slept_ns;
	bool looked;
};

/*
 * A child of this process, by /proc. What /proc does not tell (hidden, or of another pid namespace)
 * stays 0: then silence alone counts, as sleep.
 */
void fr_patience_take(pid_t child, struct fr_patience_look *ret_look);
/* Another look at the silent helper; true: it is stuck. */
bool fr_patience_ends(struct fr_patience *p, const struct fr_patience_look *now);

#endif
