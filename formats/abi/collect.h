/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the iterator programs in bpf/aux hand to the daemon, as rows in the iterator's byte stream.
 * Each row starts with its size in bytes (a multiple of 8, the header included).
 *
 *   fr_iter_tasks   struct fr_task_row, every thread
 *   fr_iter_socks   struct fr_sock_open as a whole record (row size from its record word),
 *                   every socket that has state
 *   fr_iter_args    struct fr_args_row, the process asked for in map fr_ask (sleepable)
 *   fr_iter_memory  struct fr_memory_row, the window asked for in map fr_ask (sleepable)
 *
 * Two more iterators write into the ring instead: fr_iter_states (proc_state of every thread) and
 * fr_iter_files (state and sock_open for every socket that a process holds).
 */
#ifndef FR_ABI_COLLECT_H
#define FR_ABI_COLLECT_H

#ifndef __BPF__
#include <stdint.h>
#endif
#include "abi.h"
#include "notice.h"
#include "proc.h"

#define FR_EXE_PATH_MAX 512
#define FR_ARGS_MAX 2048   /* bytes of the argument vector in a row */
#define FR_ENV_MAX 16384   /* ... of the environment: two variables are looked for in it */
#define FR_MEMORY_MAX 4096 /* bytes of one memory window */

/* fr_task_row.flags */
#define FR_TASK_KTHREAD 0x1u
#define FR_TASK_ON_CPU 0x2u
#define FR_TASK_EXE_CUT 0x4u
#define FR_TASK_EXITING 0x8u

FR_ABI_BEGIN

/* One thread. exe_bytes of the executable's path follow for thread group leaders. */
struct fr_task_row {
	uint32_t row_bytes;
	uint32_t tid;
	uint32_t tgid;
	uint32_t parent_tgid;
	uint64_t start_ns;	  /* BOOTTIME */
	uint64_t leader_start_ns;
	char comm[FR_COMM_BYTES];
	uint32_t uid;
	uint32_t gid;
	uint32_t ns_pid;	  /* tgid in its own pid namespace */
	uint32_t state;		  /* TASK_* bits */
	uint64_t cgroup_id;	  /* kernfs id in the unified tree */
	uint16_t cpu;
	uint16_t flags;		  /* FR_TASK_* */
	uint16_t exe_bytes;
	uint16_t reserved_zero;
	struct fr_binary_key exe; /* of thread group leaders; inode 0 = none */
};

/* The question: written to element 0 of map fr_ask before the iterator is opened. */
struct fr_ask {
	uint32_t tgid;
	uint32_t bytes;	  /* of memory, <= FR_MEMORY_MAX */
	uint64_t address; /* of memory, in the process */
};

/* Arguments and environment of one process: args_bytes, then env_bytes, each padded to 8. */
struct fr_args_row {
	uint32_t row_bytes;
	uint32_t tgid;
	uint64_t start_ns;
	uint32_t args_bytes;	   /* that follow */
	uint32_t args_total_bytes; /* the process has */
	uint32_t env_bytes;
	uint32_t env_total_bytes;
	int32_t error;		   /* negative errno of the first read that failed, else 0 */
	uint32_t reserved_zero;
};

/* One window of memory: bytes follow (0 when error is set). */
struct fr_memory_row {
	uint32_t row_bytes;
	uint32_t tgid;
	uint64_t address;
	uint32_t bytes;
	int32_t error;
	uint64_t start_code; /* mm->start_code: where the program's text was mapped */
	uint64_t start_data; /* mm->start_data */
	uint64_t at_phdr;    /* AT_PHDR of the auxiliary vector: the program headers; 0 = none */
	struct {
		uint64_t inode;
		uint64_t ctime_ns;
		uint32_t dev;
		uint32_t reserved_zero;
	} exe; /* which binary the process runs now: it may have changed since it was asked for */
};

/* Result of the clock program (fr_clock, a BPF syscall program; its context). */
struct fr_clock_ctx {
	uint64_t boot_ns;
	uint64_t mono_ns;
};

/* Result of fr_self, another one: the number of the process that ran it, in the first namespace. */
struct fr_self_ctx {
	uint64_t tgid;
};

FR_ABI_END

FR_ABI_SIZE(fr_task_row, 104);
FR_ABI_SIZE(fr_args_row, 40);
FR_ABI_SIZE(fr_memory_row, 72);

#endif
