/* SPDX-License-Identifier: BSD-2-Clause */
/* The dump directory: made if missing, ours alone while we run. */
#ifndef FR_RECORDER_DUMPDIR_H
#define FR_RECORDER_DUMPDIR_H

/*
 * Opens it (creating it with mode 0700, not its parents) and locks it. *ret_dir_fd and *ret_lock_fd
 * are the caller's to keep open. Negative errno after a message: -EACCES, -EPERM, -EROFS: cannot
 * be written; -EBUSY: another daemon writes there; others.
 * The lock dies with this process and is not inherited by its children.
 */
int fr_dumpdir_open(const char *path, int *ret_dir_fd, int *ret_lock_fd);

#endif
