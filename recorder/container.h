/* SPDX-License-Identifier: BSD-2-Clause */
/* The control group of a process, and the container that it means. */
#ifndef FR_RECORDER_CONTAINER_H
#define FR_RECORDER_CONTAINER_H

#include <stddef.h>
#include <stdint.h>

#include "formats/base/bytes.h"

/*
 * The path in the text of /proc/PID/cgroup: of the unified tree ("0::/path"); where that is only
 * "/" (v1 and hybrid), of the controller line with the longest path. Borrowed from text; empty if
 * there is none.
 */
struct fr_slice fr_container_cgroup(const char *text, size_t text_bytes);

/*
 * The id of the container in a control group's path, 64 lower-case hex digits; empty if it is none:
 *   .../docker-ID.scope  cri-containerd-ID.scope  crio-ID.scope  libpod-ID.scope   (systemd)
 *   .../docker/ID  .../kubepods/.../podUID/ID  .../libpod-ID                       (cgroupfs)
 * The innermost one counts. A helper's group (libpod-conmon-ID, crio-conmon-ID) is not the
 * container's.
 */
struct fr_slice fr_container_id(struct fr_slice path);

/* Reads /proc/PID/cgroup and copies the path, zero-terminated. -ENOENT: the process is gone. */
int fr_container_read(int proc_fd, uint32_t pid, char *buf, size_t buf_bytes);

#endif
