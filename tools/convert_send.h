/* SPDX-License-Identifier: BSD-2-Clause */
/* `flightrec convert --endpoint`: from options to requests that are sent and counted. */
#ifndef FR_TOOLS_CONVERT_SEND_H
#define FR_TOOLS_CONVERT_SEND_H

#include "otlp_http.h"

struct fr_send_options {
	struct fr_otlp_options otlp;
	uint64_t retry_for_ns;
	bool retry_for_given;
	const char *needs_endpoint; /* an option that makes no sense without --endpoint; NULL */
};

/* For tables of options (cli.h): ctx is a struct whose first member is a struct fr_send_options. */
int fr_send_set_endpoint(void *ctx, const char *value, char *err, size_t err_bytes);
int fr_send_set_header(void *ctx, const char *value, char *err, size_t err_bytes);
int fr_send_set_timeout(void *ctx, const char *value, char *err, size_t err_bytes);
int fr_send_set_retry_for(void *ctx, const char *value, char *err, size_t err_bytes);
int fr_send_set_compression(void *ctx, const char *value, char *err, size_t err_bytes);
int fr_send_set_certificate(void *ctx, const char *value, char *err, size_t err_bytes);
int fr_send_set_client_certificate(void *ctx, const char *value, char *err, size_t err_bytes);
int fr_send_set_client_key(void *ctx, const char *value, char *err, size_t err_bytes);

struct fr_send {
	struct fr_otlp_target targets[FR_OTLP_SIGNAL_CNT];
	struct fr_otlp_http *http;
	struct fr_otlp_sender sender;
	struct fr_otlp_to to; /* for fr_convert.otlp */
};

/* 0, or an exit code after a message (nothing to close then). ret must stay where it is. */
int fr_send_open(const struct fr_send_options *options, struct fr_send *ret);
/* Says the counts. An exit code. */
int fr_send_close(struct fr_send *s);

#endif
