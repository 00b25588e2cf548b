/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Going into the background: the command returns when the daemon records (0) or has failed (its
 * exit code), not before. Also the pid file.
 */
#ifndef FR_RECORDER_BACKGROUND_H
#define FR_RECORDER_BACKGROUND_H

/*
 * Forks twice. In the daemon: 0, and *ret_ready_fd is for fr_background_ready(). The first process
 * never comes back: it waits and exits. Negative errno in the first process if that fails.
 */
int fr_background_start(int *ret_ready_fd);
/* Lets the first process exit with 0 and lets go of the terminal. */
void fr_background_ready(int ready_fd);

/* Writes the pid; -errno after a message. "" = nothing to do. */
int fr_pidfile_write(const char *path);
void fr_pidfile_remove(const char *path);

#endif
