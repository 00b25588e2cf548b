/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that read one JSON object a line from standard input and answer each with one line. */
#ifndef FR_TOOLS_JSONLINES_H
#define FR_TOOLS_JSONLINES_H

#include "../formats/base/json.h"
#include "../formats/base/jsonread.h"

#define FR_JSONLINES_BYTES_MAX (16u << 20) /* of one line */

/*
 * Reads one line's value from r and puts the answer's members into out (the braces are the
 * caller's). What is wrong latches in r (fr_jsonread_fail); then out isn't used.
 */
typedef void fr_jsonlines_fn(void *ctx, struct fr_jsonread *r, struct fr_json *out);

/*
 * Answers every line of standard input, in order; blank ones are passed over. A line that is not
 * understood gets {"error":".."} and a message. Returns an exit code: FR_EXIT_DAMAGED when there
 * was such a line.
 */
int fr_jsonlines(fr_jsonlines_fn *answer, void *ctx);

#endif
