/* SPDX-License-Identifier: BSD-2-Clause */
#include "convert_send.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../formats/base/cli.h"
#include "../formats/base/log.h"

#define TIME_NS_MIN 1000000ull /* curl counts milliseconds */
#define TIME_NS_MAX 3600000000000ull

/* ---- options -------------------------------------------------------------------------------- */

int fr_send_set_endpoint(void *ctx, const char *value, char *err, size_t err_bytes)
{
	struct fr_send_options *o = ctx;
	char why[200];

	o->otlp.endpoint = value;
	if (!strcmp(value, FR_OTLP_ENDPOINT_ENV) || !fr_otlp_url_check(value, why, sizeof(why)))
		return 0;
	snprintf(err, err_bytes, "%s; write it like http://HOST:4318", why);
	return -EINVAL;
}

int fr_send_set_header(void *ctx, const char *value, char *err, size_t err_bytes)
{
	struct fr_send_options *o = ctx;
	struct fr_otlp_target tried = { 0 };
	int bad;

	o->needs_endpoint = "--header";
	if (o->otlp.header_cnt == FR_OTLP_HEADERS_MAX) {
		snprintf(err, err_bytes, "more than %d headers", FR_OTLP_HEADERS_MAX);
		return -EINVAL;
	}
	bad = fr_otlp_header_add(&tried, value, strlen(value), false, err, err_bytes);
	fr_otlp_target_done(&tried);
	if (!bad)
		o->otlp.headers[o->otlp.header_cnt++] = value;
	return bad;
}

static int set_time(const char *value, uint64_t min_ns, uint64_t *ret_ns, char *err,
		    size_t err_bytes)
{
	uint64_t ns;

	if (!fr_parse_duration(value, &ns) && ns >= min_ns && ns <= TIME_NS_MAX) {
		*ret_ns = ns;
		return 0;
	}
	snprintf(err, err_bytes, "'%.40s' is no time from %s to 1h; write it like 10s or 500ms",
		 value, min_ns ? "1ms" : "0");
	return -EINVAL;
}

int fr_send_set_timeout(void *ctx, const char *value, char *err, size_t err_bytes)
{
	struct fr_send_options *o = ctx;

	o->needs_endpoint = "--timeout";
	return set_time(value, TIME_NS_MIN, &o->otlp.timeout_ns, err, err_bytes);
}

int fr_send_set_retry_for(void *ctx, const char *value, char *err, size_t err_bytes)
{
	struct fr_send_options *o = ctx;

	o->needs_endpoint = "--retry-for";
	o->retry_for_given = true;
	return set_time(value, 0, &o->retry_for_ns, err, err_bytes);
}

int fr_send_set_compression(void *ctx, const char *value, char *err, size_t err_bytes)
{
	struct fr_send_options *o = ctx;

	o->needs_endpoint = "--compression";
	o->otlp.compression = FR_OTLP_COMPRESS_UNSET;
	if (!strcmp(value, "gzip"))
		o->otlp.compression = FR_OTLP_COMPRESS_GZIP;
	if (!strcmp(value, "none"))
		o->otlp.compression = FR_OTLP_COMPRESS_NONE;
	if (o->otlp.compression)
		return 0;
	snprintf(err, err_bytes, "there is no compression '%.40s': gzip or none", value);
	return -EINVAL;
}

static int set_file(const char **to, const char *value, char *err, size_t err_bytes)
{
	*to = value;
	if (*value)
		return 0;
	snprintf(err, err_bytes, "the name is empty");
	return -EINVAL;
}

int fr_send_set_certificate(void *ctx, const char *value, char *err, size_t err_bytes)
{
	struct fr_send_options *o = ctx;

	o->needs_endpoint = "--certificate";
	return set_file(&o->otlp.certificate, value, err, err_bytes);
}

int fr_send_set_client_certificate(void *ctx, const char *value, char *err, size_t err_bytes)
{
	struct fr_send_options *o = ctx;

	o->needs_endpoint = "--client-certificate";
	return set_file(&o->otlp.client_certificate, value, err, err_bytes);
}

int fr_send_set_client_key(void *ctx, const char *value, char *err, size_t err_bytes)
{
	struct fr_send_options *o = ctx;

	o->needs_endpoint = "--client-key";
	return set_file(&o->otlp.client_key, value, err, err_bytes);
}

/* ---- sending -------------------------------------------------------------------------------- */

static const char *variable(const char *name)
{
	return getenv(name);
}

static void drop_targets(struct fr_send *s)
{
	for (int i = 0; i < FR_OTLP_SIGNAL_CNT; i++)
		fr_otlp_target_done(&s->targets[i]);
}

int fr_send_open(const struct fr_send_options *options, struct fr_send *ret)
{
	char why[500] = "not enough memory";
	int err = 0;

	*ret = (struct fr_send){ 0 };
	for (int i = 0; !err && i < FR_OTLP_SIGNAL_CNT; i++)
		err = fr_otlp_target_make(&options->otlp, variable, (enum fr_otlp_signal)i,
					  &ret->targets[i], why, sizeof(why));
	if (!err)
		err = fr_otlp_http_open(ret->targets, &ret->http, why, sizeof(why));
	if (err) {
		fr_err("%s", why);
		drop_targets(ret);
		return err == -EINVAL ? FR_EXIT_USAGE : FR_EXIT_IO;
	}
	ret->sender.transport = fr_otlp_http_transport(ret->http);
	ret->sender.retry_for_ns = options->retry_for_given ? options->retry_for_ns
							    : FR_OTLP_RETRY_FOR_DEFAULT_NS;
	ret->to = (struct fr_otlp_to){ .take = fr_otlp_send, .ctx = &ret->sender };
	return 0;
}

int fr_send_close(struct fr_send *s)
{
	int code = fr_otlp_sender_say(&s->sender);

	fr_otlp_sender_done(&s->sender);
	fr_otlp_http_close(s->http);
	drop_targets(s);
	return code;
}
