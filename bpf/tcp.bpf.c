// SPDX-License-Identifier: GPL-2.0-only
/* Family tcp: retransmissions and resets. */
#include "tcptrouble.bpf.h"
