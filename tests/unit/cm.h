/* SPDX-License-Identifier: BSD-2-Clause */
/* cmocka wants these before its own header. */
#ifndef FR_TESTS_CM_H
#define FR_TESTS_CM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#endif
