/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Family proc: life and death of threads and processes. It cannot be switched off or filtered:
 * these records are how a number of an old event keeps its name (obituaries).
 *
 * A thread is (tid, start time): tids are reused. Start times are CLOCK_BOOTTIME ns as the kernel
 * keeps them (task_struct.start_boottime). comm is at most 15 bytes and zero-padded to 16.
 */
#ifndef FR_ABI_PROC_H
#define FR_ABI_PROC_H

#ifndef __BPF__
#include <stdint.h>
#endif
#include "abi.h"

#define FR_COMM_BYTES 16
#define FR_EXEC_PATH_MAX 256 /* bytes of the path kept, without a terminating zero */
#define FR_EXEC_ARGS_MAX 256 /* bytes of the argument vector kept, strings ended by zeros */

/* fr_proc_exec.flags */
#define FR_EXEC_PATH_CUT 0x1u /* the path was longer */
#define FR_EXEC_ARGS_CUT 0x2u /* the argument vector was longer */
#define FR_EXEC_ARGS_FAULT 0x4u /* the argument vector could not be read */
/* fr_proc_end.flags */
#define FR_END_GROUP_DEAD 0x1u /* the last thread of its process */
/* fr_proc_state.flags */
#define FR_STATE_ON_CPU 0x1u /* it was running when the snapshot passed it */
#define FR_STATE_ENDED 0x2u /* its exit is done, no list has it any more */

FR_ABI_BEGIN

/* proc_fork: a thread or process begins. A new process has child_tgid == child_tid. */
struct fr_proc_fork {
	uint64_t word;
	uint32_t parent_tid;
	uint32_t parent_tgid;
	uint32_t child_tid;
	uint32_t child_tgid;
	uint64_t child_start_ns;
	char comm[FR_COMM_BYTES];
};

/* proc_exec: a process runs another program. Followed by path_bytes of path, then args_bytes of
 * arguments, then zeros up to a whole unit. */
struct fr_proc_exec {
	uint64_t word;
	uint32_t tid;	  /* after the call: always the thread group id */
	uint32_t old_tid; /* the caller's before; differs when it was not the leader */
	uint64_t start_ns; /* of the thread group leader's identity as it is now */
	char comm[FR_COMM_BYTES];
	uint16_t path_bytes;
	uint16_t args_bytes;
	uint32_t flags; /* FR_EXEC_* */
};

/* proc_exit, proc_free: obituaries of one thread, when it exits and when it is freed. */
struct fr_proc_end {
	uint64_t word;
	uint32_t tid;
	uint32_t tgid;
	uint64_t start_ns;
	char comm[FR_COMM_BYTES];
	uint32_t exit_code; /* wait status: signal in bits 6..0, core 7, exit value 15..8 */
	uint32_t flags;	    /* FR_END_* */
};

/* proc_rename: a thread gave itself (or was given) another name. */
struct fr_proc_rename {
	uint64_t word;
	uint32_t tid;
	uint32_t tgid;
	uint64_t start_ns;
	char old_comm[FR_COMM_BYTES];
	char new_comm[FR_COMM_BYTES];
};

/* proc_signal: a signal without a handler, whose default is to end the process, was delivered. */
struct fr_proc_signal {
	uint64_t word;
	uint32_t tid;
	uint32_t tgid;
	uint32_t sig;
	uint32_t code;	       /* si_code, as a two's complement number */
	uint64_t address;      /* si_addr of faults, else 0 */
	uint32_t sender_tgid;  /* of kill and the like, else 0 */
	uint32_t reserved_zero;
	char comm[FR_COMM_BYTES];
};

/* proc_oom: the kernel chose this process to be killed for want of memory. */
struct fr_proc_oom {
	uint64_t word;
	uint32_t tid;
	uint32_t tgid;
	uint64_t rss_pages;
	char comm[FR_COMM_BYTES];
};

/* proc_state: one thread as it was when recording began; or, with FR_STATE_ENDED, as it was at the
 * switch before this record: its name, as nobody else may have it any more. */
struct fr_proc_state {
	uint64_t word;
	uint32_t tid;
	uint32_t tgid;
	uint64_t start_ns;
	char comm[FR_COMM_BYTES];
	uint32_t state; /* TASK_* bits; 0 = running or runnable */
	uint16_t cpu;	/* it last ran on */
	uint16_t flags; /* FR_STATE_* */
};

FR_ABI_END

FR_ABI_SIZE(fr_proc_fork, 48);
FR_ABI_SIZE(fr_proc_exec, 48);
FR_ABI_SIZE(fr_proc_end, 48);
FR_ABI_SIZE(fr_proc_rename, 56);
FR_ABI_SIZE(fr_proc_signal, 56);
FR_ABI_SIZE(fr_proc_oom, 40);
FR_ABI_SIZE(fr_proc_state, 48);

#endif
