/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where OTLP is sent and how: options of the command line, below them the variables
 * OTEL_EXPORTER_OTLP_<SIGNAL>_* and OTEL_EXPORTER_OTLP_* of the OpenTelemetry specification
 * (protocol/exporter). An empty variable counts as not set. Nothing is sent here.
 */
#ifndef FR_TOOLS_OTLP_ENV_H
#define FR_TOOLS_OTLP_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../formats/out/otlp.h"

#define FR_OTLP_HEADERS_MAX 32
#define FR_OTLP_HEADER_BYTES_MAX 8192 /* of one header; what servers take, and more */
#define FR_OTLP_URL_BYTES_MAX 2048

#define FR_OTLP_SIGNAL_CNT (FR_OTLP_LOGS + 1)

enum fr_otlp_compression { FR_OTLP_COMPRESS_UNSET, FR_OTLP_COMPRESS_NONE, FR_OTLP_COMPRESS_GZIP };

/* Of the command line; zeros = not said. Strings are borrowed. */
struct fr_otlp_options {
	const char
		*endpoint; /* a base: /v1/traces is added. FR_OTLP_ENDPOINT_ENV: as variables say */
	const char *headers[FR_OTLP_HEADERS_MAX]; /* name=value, taken as they are */
	uint32_t header_cnt;
	uint64_t timeout_ns;
	enum fr_otlp_compression compression;
	const char *certificate;
	const char *client_certificate;
	const char *client_key;
};

#define FR_OTLP_ENDPOINT_ENV "env"

/* All that posting one signal takes. Owns its strings. */
struct fr_otlp_target {
	char *url;
	char *headers[FR_OTLP_HEADERS_MAX]; /* "name: value" */
	uint32_t header_cnt;
	uint64_t timeout_ns; /* of one attempt */
	bool gzip;
	char *certificate; /* PEM files; NULL = the system's, none, none */
	char *client_certificate;
	char *client_key;
};

/* Value of a variable or NULL: getenv() by another name, so that tests bring their own. */
typedef const char *(*fr_otlp_get_fn)(const char *name);

/*
 * 0; -EINVAL with a line in why that names the option or variable, what is wrong, and what to
 * write; -ENOMEM. Nothing to free on failure.
 */
int fr_otlp_target_make(const struct fr_otlp_options *options, fr_otlp_get_fn get,
			enum fr_otlp_signal signal, struct fr_otlp_target *ret, char *why,
			size_t why_bytes);
void fr_otlp_target_done(struct fr_otlp_target *t);

/* Adds one header given as name=value; a later one of the same name replaces the earlier. decode:
 * the value is percent-encoded, as in the variable. Same results as above, why without a name. */
int fr_otlp_header_add(struct fr_otlp_target *t, const char *text, size_t text_bytes, bool decode,
		       char *why, size_t why_bytes);
/* http:// or https:// and a host, no user's password in plain sight for long: see below. */
int fr_otlp_url_check(const char *url, char *why, size_t why_bytes);
/* The URL without user and password, for messages. Cut to what fits. */
const char *fr_otlp_url_shown(const char *url, char *buf, size_t buf_bytes);

#endif
