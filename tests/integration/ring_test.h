/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the writers and the checker of the ring's stress test share. Every record says which number
 * it took, before it asked for room, from a counter that the ring knows nothing of; everything in
 * it follows from that number.
 */
#ifndef FR_TEST_RING_H
#define FR_TEST_RING_H

#include "formats/abi/abi.h"

#define RT_KIND_FIRST 200 /* kinds of records: the writer's number on top */
#define RT_WRITERS(X)                                                                              \
	X(0, TASK, task)       /* a loop of test runs */                                           \
	X(1, SYSCALL, syscall) /* raw tracepoint sys_enter */                                      \
	X(2, SWITCH, switch)   /* sched_switch: preemption and interrupts off */                   \
	X(3, SOFTIRQ, softirq)                                                                     \
	X(4, HARDIRQ, hardirq) /* timer interrupt of a perf event */                               \
	X(5, UPROBE, uprobe)                                                                       \
	X(6, HELD, held)       /* stops for more than a lap between reserve and commit */          \
	X(7, JUMP, jump)       /* its clock is RT_JUMP_NS ahead */                                 \
	X(8, BETWEEN, between) /* interrupts another one inside its reservation */

#define RT_ENUM(id, NAME, name) RT_##NAME = (id),
enum rt_writer { RT_WRITERS(RT_ENUM) RT_WRITER_CNT };
#undef RT_ENUM

/* More than the span of a sub-buffer, so that both the jump and the way back turn to a new one. */
#define RT_JUMP_NS ((1ull << 45) + (1ull << 40))

#define RT_FIXED_UNITS 4
#define RT_WORDS_MAX 28
#define RT_UNITS_MAX (RT_FIXED_UNITS + RT_WORDS_MAX)
#define RT_WORDS(number) ((uint32_t)(((number)*2654435761u) >> 16) % (RT_WORDS_MAX + 1))
#define RT_WORD(number, i) ((number)*0x9e3779b97f4a7c15ull + (i))
#define RT_INFO(writer, cpu, skewed)                                                               \
	((uint64_t)(writer) | (uint64_t)(cpu) << 8 | (uint64_t)(skewed) << 32)

FR_ABI_BEGIN

/* A record's fixed part; RT_WORDS(number) words follow. */
struct rt_record {
	uint64_t word;
	uint64_t number;
	uint64_t time_ns; /* as it was reserved with, all of it */
	uint64_t info;	  /* RT_INFO */
};

/* One CPU's counters, apart from the ring; and the writer that is being held there. */
struct rt_cpu {
	uint64_t emitted; /* numbers given: the next one */
	uint64_t refused; /* of them: fr_reserve() said no */
	uint64_t skew_ns;
	uint64_t interrupts; /* this many times a writer gets in between load and cmpxchg of head */
	uint64_t commit_interrupts; /* ... and in the middle of adding to commit */
	uint64_t in_commit;
	uint64_t by_writer[RT_WRITER_CNT];
	uint64_t held; /* 1 = the rest is valid */
	uint64_t held_number;
	uint64_t held_time_ns;
	uint32_t held_index;
	uint32_t held_off;
	uint32_t held_seq;
	uint32_t reserved;
};

FR_ABI_END

#endif
