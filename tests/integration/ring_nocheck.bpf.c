// SPDX-License-Identifier: GPL-2.0-only
/* The negative control: writers enter a sub-buffer without asking whether an older one is in it. */
#define FR_TEST_NO_ENTRY_CHECK 1
#include "ring_test.bpf.c"
