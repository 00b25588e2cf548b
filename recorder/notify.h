/* SPDX-License-Identifier: BSD-2-Clause */
/* Telling the service manager (systemd) how we are: one datagram to $NOTIFY_SOCKET. */
#ifndef FR_RECORDER_NOTIFY_H
#define FR_RECORDER_NOTIFY_H

/* "READY=1\nSTATUS=...": 1 = told, 0 = nobody asked, negative errno = could not be told. */
int fr_notify(const char *state);

#endif
