/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the environment and a receiver's headers say of sending: first byte picks what the rest, as
 * a string, is. A header that is taken is one header; a URL that is shown has no user in it; a wait
 * is bounded.
 */
#include <stdlib.h>
#include <string.h>

#include "tools/otlp_env.h"
#include "tools/otlp_retry.h"

/* rule zero: targets link formats/ only, and these files need nothing else */
#include "tools/otlp_env.c"
#include "tools/otlp_retry.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes);

#define YEAR_NS (31536000ull * 1000000000u)

static void must(bool holds)
{
	if (!holds)
		abort();
}

static const char *variable; /* which one is set */
static const char *value;

static const char *get(const char *name)
{
	return !strcmp(name, variable) ? value : NULL;
}

/* Every variable takes any text: refused with a line, or taken soundly. */
static void check_target(const struct fr_otlp_options *options)
{
	struct fr_otlp_target t;
	char why[200] = "", shown[FR_OTLP_URL_BYTES_MAX + 1];

	if (fr_otlp_target_make(options, get, FR_OTLP_TRACES, &t, why, sizeof(why))) {
		must(why[0] && memchr(why, 0, sizeof(why)));
		return;
	}
	must(!strncasecmp(t.url, "http", 4) && t.timeout_ns && t.header_cnt <= FR_OTLP_HEADERS_MAX);
	fr_otlp_url_shown(t.url, shown, sizeof(shown));
	must(strlen(shown) <= strlen(t.url) && !strchr(shown, '?'));
	shown[8 + strcspn(shown + 8, "/")] = 0;
	must(!strchr(shown, '@'));
	for (uint32_t i = 0; i < t.header_cnt; i++) {
		must(strstr(t.headers[i], ": ") != NULL);
		for (const char *c = t.headers[i]; *c; c++)
			must((unsigned char)*c >= ' ' || *c == '\t');
		must(strlen(t.headers[i]) <= FR_OTLP_HEADER_BYTES_MAX + 260);
	}
	fr_otlp_target_done(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes)
{
	static const char *const names[] = {
		"OTEL_EXPORTER_OTLP_ENDPOINT",	  "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
		"OTEL_EXPORTER_OTLP_HEADERS",	  "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
		"OTEL_EXPORTER_OTLP_TIMEOUT",	  "OTEL_EXPORTER_OTLP_COMPRESSION",
		"OTEL_EXPORTER_OTLP_PROTOCOL",	  "OTEL_EXPORTER_OTLP_CLIENT_KEY",
		"OTEL_EXPORTER_OTLP_CERTIFICATE",
	};
	struct fr_otlp_options options = { 0 };
	uint64_t wait_ns = 0;
	int64_t date = 0;
	char *text;

	if (!data_bytes || data_bytes > 100000)
		return 0;
	text = strndup((const char *)data + 1, data_bytes - 1);
	must(text != NULL);
	value = text;
	variable = names[data[0] % 9];
	switch (data[0] / 9 % 4) {
	case 0:
		check_target(&options);
		break;
	case 1:
		options.headers[options.header_cnt++] = text;
		variable = "";
		check_target(&options);
		break;
	case 2:
		if (!fr_otlp_retry_after(text, (int64_t)data[0] << 24, &wait_ns))
			must(wait_ns <= YEAR_NS);
		break;
	default:
		if (!fr_otlp_http_date(text, (int64_t)data[0] << 24, &date))
			must(date > -62200000000 && date < 253402300800);
	}
	free(text);
	return 0;
}
