/* SPDX-License-Identifier: BSD-2-Clause */
/* May this process record at all? */
#ifndef FR_RECORDER_PRIVILEGE_H
#define FR_RECORDER_PRIVILEGE_H

#include <stdbool.h>

/* 0, or -EPERM (with `tell`, after a message that names what is missing). */
int fr_privilege_check(bool tell);

#endif
