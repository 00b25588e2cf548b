/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network under otlp_send.h: POST by libcurl. One connection, kept open. Redirects are not
 * followed, nothing but http and https is spoken, certificates are always checked. An answer takes
 * bounded memory and time whatever the other side does. SIGINT and SIGTERM end a transfer or a wait
 * at once; they are blocked as long as this is open.
 */
#ifndef FR_TOOLS_OTLP_HTTP_H
#define FR_TOOLS_OTLP_HTTP_H

#include "otlp_send.h"

struct fr_otlp_http; /* opaque */

/* targets: one for each signal; borrowed until close. 0, or -EINVAL, -ENOMEM, -EIO with a line in
 * why. */
int fr_otlp_http_open(const struct fr_otlp_target *targets, struct fr_otlp_http **ret_http,
		      char *why, size_t why_bytes);
struct fr_otlp_transport fr_otlp_http_transport(struct fr_otlp_http *http);
void fr_otlp_http_close(struct fr_otlp_http *http);

#endif
