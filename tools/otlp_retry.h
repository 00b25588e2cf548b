/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When to try again, by the rules of OTLP/HTTP: after 429, 502, 503, 504 and after a connection
 * that failed or ended without an answer; never after any other answer. How long to wait: what
 * Retry-After says, else exponentially longer with jitter.
 */
#ifndef FR_TOOLS_OTLP_RETRY_H
#define FR_TOOLS_OTLP_RETRY_H

#include <stdbool.h>
#include <stdint.h>

bool fr_otlp_may_retry(int http_status);

/*
 * Value of a Retry-After header (RFC 9110, 10.2.3): seconds, or a date in any of the three forms.
 * now_unix is that of the answer's own Date, where there is one: clocks differ. A date that has
 * passed gives 0. -EINVAL for anything else.
 */
int fr_otlp_retry_after(const char *value, int64_t now_unix, uint64_t *ret_wait_ns);
/* A date as in HTTP headers (RFC 9110, 5.6.7), to unix seconds; now_unix tells which century a year
 * of two digits is in. -EINVAL. */
int fr_otlp_http_date(const char *value, int64_t now_unix, int64_t *ret_unix);

/*
 * Wait before attempt number `attempt` (1 = the first repetition). asked_ns: what the server wants,
 * 0 = nothing. random: any 32 bits. Never shorter than asked.
 */
uint64_t fr_otlp_backoff_ns(uint32_t attempt, uint64_t asked_ns, uint32_t random);

#endif
