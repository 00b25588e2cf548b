/* SPDX-License-Identifier: BSD-2-Clause */
#define FR_FUZZ_WIRE fr_wire_mysql
#include "wire_target.h"
