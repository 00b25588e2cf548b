// SPDX-License-Identifier: GPL-2.0-only
/* Family dns beside the fallback's socket hooks: the sockets' ids lie in their table. */
#define FR_SOCK_BY_ADDRESS 1
#include "dnssource.bpf.h"
