/* SPDX-License-Identifier: BSD-2-Clause */
#include "otlp_env.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../formats/base/cli.h"

#define DEFAULT_ENDPOINT "http://localhost:4318"
#define DEFAULT_TIMEOUT_MS 10000
#define TIMEOUT_MS_MAX 3600000

static const struct {
	const char *variable;
	const char *path;
} signals[FR_OTLP_SIGNAL_CNT] = {
	[FR_OTLP_TRACES] = { "TRACES_", "/v1/traces" },
	[FR_OTLP_LOGS] = { "LOGS_", "/v1/logs" },
};

/* A setting and where it was found, for messages. */
struct found {
	char name[64];
	const char *value; /* NULL = nowhere */
	bool own;	   /* by the variable of this signal alone */
};

__attribute__((format(printf, 3, 4))) static int refuse(char *why, size_t why_bytes,
							const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, why_bytes, fmt, args);
	va_end(args);
	return -EINVAL;
}

static struct found look_up(fr_otlp_get_fn get, enum fr_otlp_signal signal, const char *what)
{
	struct found f = { .own = true };

	snprintf(f.name, sizeof(f.name), "OTEL_EXPORTER_OTLP_%s%s", signals[signal].variable, what);
	f.value = get(f.name);
	if (f.value && *f.value)
		return f;
	f.own = false;
	snprintf(f.name, sizeof(f.name), "OTEL_EXPORTER_OTLP_%s", what);
	f.value = get(f.name);
	if (f.value && !*f.value)
		f.value = NULL;
	return f;
}

/* ---- URLs ----------------------------------------------------------------------------------- */

static size_t scheme_bytes(const char *url)
{
	if (!strncasecmp(url, "http://", 7))
		return 7;
	return strncasecmp(url, "https://", 8) ? 0 : 8;
}

int fr_otlp_url_check(const char *url, char *why, size_t why_bytes)
{
	size_t host_at = scheme_bytes(url), host_bytes;
	const char *at;

	for (const char *c = url; *c; c++)
		if (*c <= ' ' || *c > '~')
			return refuse(why, why_bytes, "holds a blank or a byte that a URL has not");
	if (!host_at && strstr(url, "://"))
		return refuse(why, why_bytes, "only http:// and https:// are spoken here");
	if (!host_at)
		return refuse(why, why_bytes, "'%.100s' has no http:// or https:// in front", url);
	host_bytes = strcspn(url + host_at, "/?#");
	at = memrchr(url + host_at, '@', host_bytes);
	if (at) {
		host_bytes -= (size_t)(at + 1 - (url + host_at));
		host_at = (size_t)(at + 1 - url);
	}
	if (!host_bytes || url[host_at] == ':')
		return refuse(why, why_bytes, "names no host");
	if (strchr(url, '#'))
		return refuse(why, why_bytes, "a part behind # is never sent: leave it out");
	if (strlen(url) > FR_OTLP_URL_BYTES_MAX)
		return refuse(why, why_bytes, "is longer than %d bytes", FR_OTLP_URL_BYTES_MAX);
	return 0;
}

const char *fr_otlp_url_shown(const char *url, char *buf, size_t buf_bytes)
{
	size_t head = scheme_bytes(url), host_bytes = strcspn(url + head, "/?#");
	const char *at = memrchr(url + head, '@', host_bytes), *rest = at ? at + 1 : url + head;

	/* a query may hold a key as well */
	snprintf(buf, buf_bytes, "%.*s%.*s", (int)head, url, (int)strcspn(rest, "?"), rest);
	return buf;
}

/* The signal's path goes behind the base's own, before its query. */
static int join_url(const char *base, const char *path, char **ret_url)
{
	size_t own = strcspn(base, "?"), kept = own;

	while (kept && base[kept - 1] == '/')
		kept--;
	if (asprintf(ret_url, "%.*s%s%s", (int)kept, base, path, base + own) >= 0)
		return 0;
	*ret_url = NULL;
	return -ENOMEM;
}

static int take_endpoint(const struct fr_otlp_options *o, fr_otlp_get_fn get,
			 enum fr_otlp_signal signal, struct fr_otlp_target *t, char *why,
			 size_t why_bytes)
{
	struct found f = { .name = "--endpoint", .value = o->endpoint };
	char reason[200];

	if (!o->endpoint || !strcmp(o->endpoint, FR_OTLP_ENDPOINT_ENV))
		f = look_up(get, signal, "ENDPOINT");
	if (!f.value)
		f.value = DEFAULT_ENDPOINT;
	if (fr_otlp_url_check(f.value, reason, sizeof(reason)))
		return refuse(why, why_bytes, "%s: %s; write it like http://HOST:4318", f.name,
			      reason);
	if (!f.own)
		return join_url(f.value, signals[signal].path, &t->url);
	t->url = strdup(f.value); /* used as it is: so says the specification */
	return t->url ? 0 : -ENOMEM;
}

/* ---- headers -------------------------------------------------------------------------------- */

static bool is_token(const char *s, size_t s_bytes)
{
	for (size_t i = 0; i < s_bytes; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') ||
		      (s[i] >= '0' && s[i] <= '9') || (s[i] && strchr("!#$%&'*+-.^_`|~", s[i]))))
			return false;
	return s_bytes > 0;
}

/* What the sender says itself; another value would make the request a different one. */
static bool is_ours(const char *name, size_t name_bytes)
{
	static const char *const ours[] = { "content-type",	"content-length",
					    "content-encoding", "transfer-encoding",
					    "connection",	"expect" };

	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		if (strlen(ours[i]) == name_bytes && !strncasecmp(ours[i], name, name_bytes))
			return true;
	return false;
}

static int hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Into to (at least value_bytes). Count of bytes, or -1: % without two digits. */
static int decode_percent(const char *value, size_t value_bytes, char *to)
{
	int cnt = 0, high, low;

	for (size_t i = 0; i < value_bytes; i++) {
		if (value[i] != '%') {
			to[cnt++] = value[i];
			continue;
		}
		high = i + 2 < value_bytes ? hex_of(value[i + 1]) : -1;
		low = high < 0 ? -1 : hex_of(value[i + 2]);
		if (low < 0)
			return -1;
		to[cnt++] = (char)(high << 4 | low);
		i += 2;
	}
	return cnt;
}

static void trim(const char **s, size_t *s_bytes)
{
	while (*s_bytes && (**s == ' ' || **s == '\t')) {
		(*s)++;
		(*s_bytes)--;
	}
	while (*s_bytes && ((*s)[*s_bytes - 1] == ' ' || (*s)[*s_bytes - 1] == '\t'))
		(*s_bytes)--;
}

/* Takes over line. */
static int put_header(struct fr_otlp_target *t, char *line, size_t name_bytes, char *why,
		      size_t why_bytes)
{
	for (uint32_t i = 0; i < t->header_cnt; i++)
		if (!strncasecmp(t->headers[i], line, name_bytes + 1)) {
			free(t->headers[i]);
			t->headers[i] = line;
			return 0;
		}
	if (t->header_cnt == FR_OTLP_HEADERS_MAX) {
		free(line);
		return refuse(why, why_bytes, "more than %d headers", FR_OTLP_HEADERS_MAX);
	}
	t->headers[t->header_cnt++] = line;
	return 0;
}

int fr_otlp_header_add(struct fr_otlp_target *t, const char *text, size_t text_bytes, bool decode,
		       char *why, size_t why_bytes)
{
	const char *equals = memchr(text, '=', text_bytes), *name = text, *value;
	size_t name_bytes, value_bytes;
	char *line;
	int cnt;

	/* values are not repeated in messages: they are keys and passwords */
	if (!equals)
		return refuse(why, why_bytes, "a header without =: write name=value");
	name_bytes = (size_t)(equals - text);
	value = equals + 1;
	value_bytes = text_bytes - name_bytes - 1;
	trim(&name, &name_bytes);
	trim(&value, &value_bytes);
	if (!is_token(name, name_bytes) || name_bytes > 256)
		return refuse(why, why_bytes, "'%.*s' is no name of a header",
			      (int)(name_bytes < 60 ? name_bytes : 60), name);
	if (is_ours(name, name_bytes))
		return refuse(why, why_bytes,
			      "the header %.*s is set by what is sent: leave it out",
			      (int)name_bytes, name);
	if (value_bytes > FR_OTLP_HEADER_BYTES_MAX)
		return refuse(why, why_bytes, "the value of %.*s is longer than %d bytes",
			      (int)name_bytes, name, FR_OTLP_HEADER_BYTES_MAX);
	line = malloc(name_bytes + value_bytes + 3);
	if (!line)
		return -ENOMEM;
	memcpy(line, name, name_bytes);
	memcpy(line + name_bytes, ": ", 2);
	cnt = (int)value_bytes;
	if (decode)
		cnt = decode_percent(value, value_bytes, line + name_bytes + 2);
	else
		memcpy(line + name_bytes + 2, value, value_bytes);
	if (cnt >= 0)
		line[name_bytes + 2 + (size_t)cnt] = 0;
	for (int i = 0; i < cnt; i++) {
		unsigned char c = (unsigned char)line[name_bytes + 2 + (size_t)i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			cnt = -2; /* a line break would begin a header of its own */
	}
	if (cnt >= 0)
		return put_header(t, line, name_bytes, why, why_bytes);
	free(line);
	return refuse(why, why_bytes, "the value of %.*s has %s", (int)name_bytes, name,
		      cnt == -1 ? "a % without two hexadecimal digits behind"
				: "a control character");
}

static int take_headers(const struct fr_otlp_options *o, fr_otlp_get_fn get,
			enum fr_otlp_signal signal, struct fr_otlp_target *t, char *why,
			size_t why_bytes)
{
	struct found f = look_up(get, signal, "HEADERS");
	const char *at = f.value;
	char reason[400];
	int err = 0;

	while (!err && at && *at) {
		size_t part_bytes = strcspn(at, ",");

		/* a comma too many is nothing to stop for */
		if (strspn(at, " \t") < part_bytes)
			err = fr_otlp_header_add(t, at, part_bytes, true, reason, sizeof(reason));
		at += part_bytes + (at[part_bytes] == ',');
	}
	if (err == -EINVAL)
		return refuse(why, why_bytes, "%s: %s", f.name, reason);
	for (uint32_t i = 0; !err && i < o->header_cnt; i++)
		err = fr_otlp_header_add(t, o->headers[i], strlen(o->headers[i]), false, reason,
					 sizeof(reason));
	return err == -EINVAL ? refuse(why, why_bytes, "--header: %s", reason) : err;
}

/* ---- the others ----------------------------------------------------------------------------- */

static int take_timeout(const struct fr_otlp_options *o, fr_otlp_get_fn get,
			enum fr_otlp_signal signal, struct fr_otlp_target *t, char *why,
			size_t why_bytes)
{
	struct found f = look_up(get, signal, "TIMEOUT");
	uint64_t ms = DEFAULT_TIMEOUT_MS;

	t->timeout_ns = o->timeout_ns;
	if (o->timeout_ns)
		return 0;
	if (f.value && (fr_parse_u64(f.value, TIMEOUT_MS_MAX, &ms) || !ms))
		return refuse(why, why_bytes,
			      "%s: '%.40s' is no number of milliseconds from 1 to %d", f.name,
			      f.value, TIMEOUT_MS_MAX);
	t->timeout_ns = ms * 1000000u;
	return 0;
}

static int take_compression(const struct fr_otlp_options *o, fr_otlp_get_fn get,
			    enum fr_otlp_signal signal, struct fr_otlp_target *t, char *why,
			    size_t why_bytes)
{
	struct found f = look_up(get, signal, "COMPRESSION");

	t->gzip = o->compression == FR_OTLP_COMPRESS_GZIP;
	if (o->compression || !f.value || !strcmp(f.value, "none"))
		return 0;
	t->gzip = true;
	if (!strcmp(f.value, "gzip"))
		return 0;
	return refuse(why, why_bytes, "%s: there is no compression '%.40s': gzip or none", f.name,
		      f.value);
}

static int check_protocol(fr_otlp_get_fn get, enum fr_otlp_signal signal, char *why,
			  size_t why_bytes)
{
	struct found f = look_up(get, signal, "PROTOCOL");

	if (!f.value || !strcmp(f.value, "http/protobuf"))
		return 0;
	return refuse(
		why, why_bytes,
		"%s is '%.40s', but only http/protobuf is spoken here: unset it, and name the "
		"receiver's HTTP port (mostly 4318)",
		f.name, f.value);
}

static int take_file(const char *option, fr_otlp_get_fn get, enum fr_otlp_signal signal,
		     const char *what, char **ret)
{
	const char *value = option ? option : look_up(get, signal, what).value;

	if (!value)
		return 0;
	*ret = strdup(value);
	return *ret ? 0 : -ENOMEM;
}

static int take_files(const struct fr_otlp_options *o, fr_otlp_get_fn get,
		      enum fr_otlp_signal signal, struct fr_otlp_target *t, char *why,
		      size_t why_bytes)
{
	int err = take_file(o->certificate, get, signal, "CERTIFICATE", &t->certificate);

	if (!err)
		err = take_file(o->client_certificate, get, signal, "CLIENT_CERTIFICATE",
				&t->client_certificate);
	if (!err)
		err = take_file(o->client_key, get, signal, "CLIENT_KEY", &t->client_key);
	if (!err && t->client_key && !t->client_certificate)
		return refuse(why, why_bytes,
			      "a client key without its certificate: say --client-certificate "
			      "or OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE");
	return err;
}

int fr_otlp_target_make(const struct fr_otlp_options *options, fr_otlp_get_fn get,
			enum fr_otlp_signal signal, struct fr_otlp_target *ret, char *why,
			size_t why_bytes)
{
	struct fr_otlp_target t = { 0 };
	int err = check_protocol(get, signal, why, why_bytes);

	if (!err)
		err = take_endpoint(options, get, signal, &t, why, why_bytes);
	if (!err)
		err = take_headers(options, get, signal, &t, why, why_bytes);
	if (!err)
		err = take_timeout(options, get, signal, &t, why, why_bytes);
	if (!err)
		err = take_compression(options, get, signal, &t, why, why_bytes);
	if (!err)
		err = take_files(options, get, signal, &t, why, why_bytes);
	if (err)
		fr_otlp_target_done(&t);
	else
		*ret = t;
	return err;
}

void fr_otlp_target_done(struct fr_otlp_target *t)
{
	for (uint32_t i = 0; i < t->header_cnt; i++)
		free(t->headers[i]);
	free(t->url);
	free(t->certificate);
	free(t->client_certificate);
	free(t->client_key);
	*t = (struct fr_otlp_target){ 0 };
}
