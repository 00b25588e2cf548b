/* SPDX-License-Identifier: BSD-2-Clause */
/* Well-formed UTF-8 (Unicode, D92), for outputs whose strings must be. */
#ifndef FR_BASE_UTF8_H
#define FR_BASE_UTF8_H

#include "buf.h"
#include "bytes.h"

#define FR_UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD, 3 bytes */

/* Bytes of the well-formed character beyond ASCII at p, 0 if there is none. p < end. */
size_t fr_utf8_char(const uint8_t *p, const uint8_t *end);
/* All of it is well formed. */
bool fr_utf8_valid(struct fr_slice s);
/* Writes s with each byte that belongs to no character as U+FFFD; room for 3 x s.len_bytes. Returns
 * how many bytes that made. */
size_t fr_utf8_repair(struct fr_slice s, uint8_t *to);

#endif
