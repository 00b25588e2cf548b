/* SPDX-License-Identifier: BSD-2-Clause */
#define FR_FUZZ_WIRE fr_wire_dns
#include "wire_target.h"
