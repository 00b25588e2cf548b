/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the ring is shared out: which CPU gets which part, and how large. Fixed at start.
 * A CPU's share is a power of two of sub-buffers, at least FR_SUBS_MIN.
 */
#ifndef FR_RECORDER_LAYOUT_H
#define FR_RECORDER_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "formats/abi/knobs.h"
#include "formats/abi/ring.h"
#include "ring.h"

#define FR_RING_BYTES_MIN (64ull << 20)	   /* default: the larger of this ... */
#define FR_RING_BYTES_PER_CPU (2ull << 20) /* ... and this for each online CPU */

struct fr_cpus {
	uint32_t possible_cnt; /* highest possible CPU + 1 */
	uint32_t online_cnt;
	uint8_t online[FR_CPU_SLOTS_MAX]; /* 1 = online now */
	uint8_t possible[FR_CPU_SLOTS_MAX];
};

struct fr_layout {
	uint32_t sub_shift;
	uint32_t slot_cnt;
	uint32_t cpu_cnt;
	uint64_t ring_bytes; /* really used: slot_cnt << sub_shift sub-buffers */
	uint16_t cpu_slot[FR_CPU_SLOTS_MAX];
};

/* Which CPUs there are. Negative errno if the kernel's lists cannot be read or parsed. */
int fr_cpus_read(struct fr_cpus *ret_cpus);
/* "0-3,8" into marks; -EBADMSG, -ERANGE beyond FR_CPU_SLOTS_MAX. */
int fr_cpus_parse(const char *list, uint8_t *marks, uint32_t *ret_cnt, uint32_t *ret_end);
/*
 * Shares `want_bytes` (0 = default) out: online CPUs first, then the other possible ones while
 * there is room. -ERANGE with the reason in err if a CPU would get fewer than FR_SUBS_MIN.
 */
int fr_layout_make(struct fr_layout *ret_layout, const struct fr_cpus *cpus, uint64_t want_bytes,
		   char *err, size_t err_bytes);

/* The maps' memory, read-only. view->flush_prog_fd is set by the caller. */
int fr_layout_map(const struct fr_layout *layout, int ring_fd, int subs_fd, int ctl_fd,
		  struct fr_ring_view *ret_view);
void fr_layout_unmap(struct fr_ring_view *view);

#endif
