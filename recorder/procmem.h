/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of another process, through the iterator fr_iter_memory: no ptrace, no /proc, only
 * descriptors that are held already. Reads can hang: use it in a child with a deadline.
 */
#ifndef FR_RECORDER_PROCMEM_H
#define FR_RECORDER_PROCMEM_H

#include <stdint.h>

#include "formats/abi/collect.h"
#include "formats/abi/notice.h"
#include "formats/exe/exe.h"
#include "recorder.h"

struct fr_procmem {
	const struct fr_recorder *rec;
	uint32_t tgid;
	struct fr_binary_key binary; /* that the process must still be running */
	uint64_t start_code;
	struct {
		struct fr_memory_row head;
		uint8_t bytes[FR_MEMORY_MAX];
	} row; /* the last one read */
};

/*
 * Opens it: start_code is set. *ret_mem borrows p. -ESRCH: no such process, or it runs another
 * program by now.
 */
int fr_procmem_open(struct fr_procmem *p, const struct fr_recorder *rec, uint32_t tgid,
		    const struct fr_binary_key *binary, struct fr_exe_mem *ret_mem);

/*
 * Which program a process runs, without a look into its memory. -ESRCH: there is no such process,
 * or it runs none (a kernel thread).
 */
int fr_procmem_binary(const struct fr_recorder *rec, uint32_t tgid,
		      struct fr_binary_key *ret_binary);

#endif
