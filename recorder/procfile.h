/* SPDX-License-Identifier: BSD-2-Clause */
/* Small files of /proc/PID. */
#ifndef FR_RECORDER_PROCFILE_H
#define FR_RECORDER_PROCFILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* As much of one as fits before a zero. proc_fd: /proc. Its bytes, or a negative errno; buf holds a
 * string in any case. */
ssize_t fr_procfile_read(int proc_fd, uint32_t pid, const char *file, char *buf, size_t buf_bytes);

#endif
