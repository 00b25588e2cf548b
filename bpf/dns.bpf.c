// SPDX-License-Identifier: GPL-2.0-only
/* Family dns: where datagrams to unconnected sockets come from. */
#include "dnssource.bpf.h"
