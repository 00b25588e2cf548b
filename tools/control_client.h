/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asking flightrecd over its control socket: one line "VERB key=value ...", answered by "ok" or
 * "error CODE TEXT" (CODE is an exit code), then a body up to the end.
 */
#ifndef FR_TOOLS_CONTROL_CLIENT_H
#define FR_TOOLS_CONTROL_CLIENT_H

#include "../formats/base/buf.h"

#define FR_CONTROL_DEFAULT "/run/flightrec/control.sock"
/* Far above what a daemon sends. */
#define FR_CONTROL_ANSWER_MAX (16u << 20)

/*
 * Sends the request (without its newline) and waits for the answer, at most timeout_ms. path NULL =
 * FR_CONTROL_DEFAULT. FR_EXIT_OK with the body in ret_body; else an exit code, after a message.
 */
int fr_control_ask(const char *path, const char *request, int timeout_ms, struct fr_buf *ret_body);

/* "a b%" becomes "a%20b%25". */
void fr_control_escape(struct fr_buf *out, const char *s);

#endif
