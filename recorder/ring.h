/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring as its reader sees it: headers and control blocks mapped read-only, sub-buffers copied
 * by map lookup. The protocol is in formats/abi/ring.h. Readers never stop writers.
 */
#ifndef FR_RECORDER_RING_H
#define FR_RECORDER_RING_H

#include <stdint.h>

#include "formats/abi/ring.h"

/* Filled by fr_layout_map(); everything in it is borrowed from struct fr_layout and the maps. */
struct fr_ring_view {
	const struct fr_ring_ctl *ctl; /* cpu_cnt elements, mapped read-only */
	const struct fr_ring_sub *sub; /* slot_cnt << sub_shift elements, mapped read-only */
	int ring_fd;		       /* map fr_ring: key uint32_t, value FR_SUB_BYTES */
	uint32_t sub_shift;	       /* sub-buffers of one CPU = 1 << sub_shift */
	uint32_t slot_cnt;
	uint32_t cpu_cnt;	  /* possible CPUs */
	const uint16_t *cpu_slot; /* cpu_cnt elements; FR_NO_SLOT = this CPU has no share */
	int flush_prog_fd;	  /* fr_flush, for BPF_PROG_TEST_RUN on one CPU */
};

#endif
