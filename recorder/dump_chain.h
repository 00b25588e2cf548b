/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who leaves a CPU is who got it last. Where that is not so, events are missing that nobody
 * counted: the kernel ran no program then (some hide threads of their own from BPF), or the ring
 * lost them, which is counted beside.
 */
#ifndef FR_RECORDER_DUMP_CHAIN_H
#define FR_RECORDER_DUMP_CHAIN_H

#include <stdint.h>

#define FR_CHAIN_BREAKS 16

struct fr_chain {
	uint32_t *running; /* by CPU: who got it last; UINT32_MAX = not known yet. Owned */
	uint32_t cpu_cnt;
	uint64_t broken; /* switches whose leaving thread never came */
	/* the last breaks: an exec may explain one, as it gives a running thread another tid */
	struct {
		uint32_t came, left;
	} breaks[FR_CHAIN_BREAKS];
};

/* 0 or -ENOMEM. */
int fr_chain_init(struct fr_chain *c, uint32_t cpu_cnt);
void fr_chain_done(struct fr_chain *c);
/* A record, in merged order; other than switches and execs are passed over. */
void fr_chain_record(struct fr_chain *c, const uint8_t *record, uint16_t cpu);

#endif
