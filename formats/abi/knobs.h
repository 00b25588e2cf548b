/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the loader tells the probes before loading: constants in the section ".rodata.knobs" of
 * every BPF object (frozen, so the verifier folds them), and the counters that probes keep.
 */
#ifndef FR_ABI_KNOBS_H
#define FR_ABI_KNOBS_H

#ifndef __BPF__
#include <stdint.h>
#endif
#include "abi.h"

#define FR_FILTER_MAX 8

/* fr_knobs.features: what this kernel has, found by BTF, never by version */
#define FR_FEAT_SWITCH_STATE 0x1u   /* sched_switch passes the state as its 4th argument */
#define FR_FEAT_VICTIM_TASK 0x2u    /* mark_victim passes a task (else a pid) */
#define FR_FEAT_IRQ_CONTEXT 0x4u    /* preempt_count can be read (fr_cpus map is filled) */
#define FR_FEAT_SCHED_INFO 0x8u	    /* task_struct.sched_info is there */
#define FR_FEAT_RDONLY_CAST 0x10u   /* kfunc bpf_rdonly_cast */
#define FR_FEAT_PREEMPT_OFF 0x20u   /* kfuncs bpf_preempt_disable and _enable */
#define FR_FEAT_EXIT_GROUP_DEAD 0x40u /* sched_process_exit passes group_dead */

/* fr_knobs.filter_kind: one kind at a time */
#define FR_FILTER_NONE 0u
#define FR_FILTER_PID 1u    /* tgid */
#define FR_FILTER_COMM 2u
#define FR_FILTER_CGROUP 3u /* kernfs id of the cgroup, or of an ancestor */

FR_ABI_BEGIN

struct fr_knobs {
	uint32_t sub_shift;	 /* sub-buffers per CPU = 1 << sub_shift */
	uint32_t self_tgid;	 /* the daemon: its own and its children's work is not recorded */
	uint32_t features;	 /* FR_FEAT_* */
	uint32_t families;	 /* bit FR_FAMILY_* set = on */
	uint32_t capture_request_bytes;
	uint32_t capture_response_bytes;
	uint32_t max_sockets;
	uint32_t filter_kind;	 /* FR_FILTER_* */
	uint32_t filter_cnt;
	uint32_t filter_cgroup_subsys; /* index into css_set.subsys; 0xffffffff = unified tree */
	uint64_t filter_ids[FR_FILTER_MAX]; /* tgids or cgroup ids */
	char filter_comms[FR_FILTER_MAX][16];
};

FR_ABI_END

FR_ABI_SIZE(fr_knobs, 40 + 64 + 128);

/* X(number, NAME, name): exact counts of what probes could not do. Map fr_counters, per CPU. */
#define FR_COUNTERS(X)                                                                             \
	X(0, SOCK_NOSTATE, sock_nostate)	/* events without socket state: table full */      \
	X(1, SOCK_CREATED, sock_created)	/* socket states made */                           \
	X(2, SOCK_ENDED, sock_ended)		/* socket states ended by tcp_destroy_sock */      \
	X(3, CAPTURE_FAULT, capture_fault)	/* user memory that could not be read */           \
	X(4, CAPTURE_DISTRUST, capture_distrust) /* transfers whose caller was not believed */     \
	X(5, BLOCK_UNTRACKED, block_untracked)	/* block requests without room for their issue */  \
	X(6, BINARY_UNKNOWN, binary_unknown)	/* message starts of a binary not asked for yet */ \
	X(7, NOTICE_DROPPED, notice_dropped)	/* notices that found the notice ring full */      \
	X(8, FILTERED, filtered)		/* events kept out by filters */                   \
	X(9, SELF, self)			/* the recorder's own work, kept out */

#define FR_COUNTER_ENUM(number, NAME, name) FR_COUNTER_##NAME = (number),
enum fr_counter_id { FR_COUNTERS(FR_COUNTER_ENUM) FR_COUNTER_CNT };
#undef FR_COUNTER_ENUM

#endif
