/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running an iterator program on one process: on that alone where the kernel can (6.1 and later)
 * and we still may, else on all of them, the program leaving out the others. The latter needs held
 * descriptors only, so it works without any privilege.
 */
#ifndef FR_RECORDER_TASKITER_H
#define FR_RECORDER_TASKITER_H

#include <stdint.h>

#include "probes.h"

struct fr_task_iter {
	int prog_fd; /* borrowed; -1 = an iterator over one process cannot be made */
	int link_fd; /* borrowed: over all */
};

/* name: of an iterator program in bpf/aux. -ENOENT if there is no such thing. */
int fr_task_iter_init(struct fr_task_iter *ret_iter, const struct fr_probes *p, const char *name);
/* A descriptor to read the rows from, which the caller closes, or a negative errno. */
int fr_task_iter_open(struct fr_task_iter *iter, uint32_t tgid);

#endif
