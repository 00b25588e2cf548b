/* SPDX-License-Identifier: BSD-2-Clause */
/* What was seen, for people: numbers and names only, never what was captured. */
#ifndef FR_RECORDER_TRIGGER_REASON_H
#define FR_RECORDER_TRIGGER_REASON_H

#include <stddef.h>

#include "formats/abi/notice.h"

void fr_trigger_reason(const struct fr_notice_trigger *n, char *text, size_t text_bytes);

#endif
