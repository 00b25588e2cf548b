/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who we are to the kernel. In a pid namespace (a container) getpid() is a number that belongs to
 * somebody else outside: as process 1 of a container, the recorder would take the host's init and
 * all its services for its own children, and keep them out.
 */
#ifndef FR_RECORDER_SELFPID_H
#define FR_RECORDER_SELFPID_H

#include <stdbool.h>
#include <stdint.h>

/* Does this process live in the host's own pid namespace? Also when that cannot be told. */
bool fr_pid_namespace_is_first(void);
/* This process as probes see it. Negative errno: the kernel did not tell. */
int fr_self_tgid(uint32_t *ret_tgid);

#endif
