/* SPDX-License-Identifier: BSD-2-Clause */
#include "otlp_http.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "../formats/base/now.h"
#include "otlp_retry.h"

#define HEADERS_BYTES_MAX (256u << 10) /* of an answer, all together */
#define CONNECT_MS_MAX 10000
#define NS_PER_MS 1000000u

struct fr_otlp_http {
	const struct fr_otlp_target *targets;
	CURL *curls[FR_OTLP_SIGNAL_CNT];
	CURLM *multi; /* holds the connections; and curl_easy_perform() cannot be woken by a signal
		       */
	struct curl_slist *headers[FR_OTLP_SIGNAL_CNT];
	char shown[FR_OTLP_SIGNAL_CNT][FR_OTLP_URL_BYTES_MAX + 1];
	int signal_fd;
	sigset_t signals_before;
	struct fr_buf packed; /* the compressed request */
	char curl_error[CURL_ERROR_SIZE];

	/* of the transfer under way */
	struct fr_otlp_answer *answer;
	size_t headers_bytes;
	size_t body_bytes; /* seen, not stored */
	char retry_after[100], date[100];
};

/* ---- the answer as it comes ----------------------------------------------------------------- */

static size_t take_body(char *data, size_t one, size_t data_bytes, void *ctx)
{
	struct fr_otlp_http *h = ctx;
	struct fr_buf *body = &h->answer->body;
	size_t room = FR_OTLP_REPLY_STORED_MAX - body->len_bytes;

	(void)one;
	h->body_bytes += data_bytes;
	if (h->body_bytes > FR_OTLP_REPLY_BYTES_MAX) {
		h->answer->attempt = FR_OTLP_TOO_LARGE;
		return 0; /* ends the transfer */
	}
	fr_buf_add(body, data, data_bytes < room ? data_bytes : room);
	return body->err ? 0 : data_bytes;
}

/* Copies a header's value if it has this name. */
static void take_value(const char *line, size_t line_bytes, const char *name, char *to,
		       size_t to_bytes)
{
	size_t name_bytes = strlen(name), used = 0;

	if (line_bytes <= name_bytes || line[name_bytes] != ':' ||
	    strncasecmp(line, name, name_bytes))
		return;
	for (size_t i = name_bytes + 1; i < line_bytes && used + 1 < to_bytes; i++)
		if (line[i] >= ' ' && line[i] <= '~' && (used || line[i] != ' '))
			to[used++] = line[i];
	while (used && to[used - 1] == ' ')
		used--;
	to[used] = 0;
}

static size_t take_header(char *line, size_t one, size_t line_bytes, void *ctx)
{
	struct fr_otlp_http *h = ctx;
	struct fr_otlp_answer *a = h->answer;

	(void)one;
	h->headers_bytes += line_bytes;
	if (h->headers_bytes > HEADERS_BYTES_MAX) {
		a->attempt = FR_OTLP_TOO_LARGE;
		return 0;
	}
	take_value(line, line_bytes, "content-type", a->content_type, sizeof(a->content_type));
	take_value(line, line_bytes, "location", a->location, sizeof(a->location));
	take_value(line, line_bytes, "retry-after", h->retry_after, sizeof(h->retry_after));
	take_value(line, line_bytes, "date", h->date, sizeof(h->date));
	return line_bytes;
}

static void begin_answer(struct fr_otlp_http *h, struct fr_otlp_answer *a)
{
	struct fr_buf body = a->body;

	fr_buf_clear(&body);
	*a = (struct fr_otlp_answer){ .attempt = FR_OTLP_ANSWERED, .body = body };
	h->answer = a;
	h->headers_bytes = 0;
	h->body_bytes = 0;
	h->retry_after[0] = 0;
	h->date[0] = 0;
	h->curl_error[0] = 0;
}

/* ---- one attempt ---------------------------------------------------------------------------- */

static int pack(struct fr_buf *to, const void *data, size_t data_bytes)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)data_bytes };
	uint8_t *at;
	uLong bound;
	int done;

	if (data_bytes > UINT32_MAX / 2)
		return -E2BIG;
	/* 15 bits of window, and 16 for a gzip header */
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY))
		return -ENOMEM;
	bound = deflateBound(&z, data_bytes);
	fr_buf_clear(to);
	at = fr_buf_reserve(to, bound);
	z.next_out = at;
	z.avail_out = (uInt)bound;
	done = at ? deflate(&z, Z_FINISH) : Z_MEM_ERROR;
	to->len_bytes = at ? z.total_out : 0;
	deflateEnd(&z);
	return done == Z_STREAM_END ? 0 : -ENOMEM;
}

/* TLS is curl's business; what it calls an error of receiving may be the other side's refusal of
 * our certificate, which trying again does not change. */
static bool is_broken(CURLcode code, const char *error)
{
	switch ((int)code) { /* of some 100 codes, these */
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		return strstr(error, "alert") != NULL;
	case CURLE_SSL_CONNECT_ERROR: /* the handshake may have been cut off */
		return !strstr(error, "SSL_ERROR_SYSCALL");
	default:
		return true;
	}
}

static void end_answer(struct fr_otlp_http *h, CURL *curl, CURLcode code)
{
	struct fr_otlp_answer *a = h->answer;
	int64_t now_unix = (int64_t)time(NULL);
	long status = 0;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	a->http_status = (int)status;
	if (h->date[0])
		(void)fr_otlp_http_date(h->date, now_unix, &now_unix);
	if (h->retry_after[0])
		(void)fr_otlp_retry_after(h->retry_after, now_unix, &a->retry_after_ns);
	if (!code || a->attempt == FR_OTLP_TOO_LARGE)
		return;
	/* a refusal is one even if its explanation was cut off; a success is not */
	if (status >= 300)
		return;
	a->attempt = is_broken(code, h->curl_error) ? FR_OTLP_BROKEN : FR_OTLP_LOST;
	snprintf(a->error, sizeof(a->error), "%s",
		 h->curl_error[0] ? h->curl_error : curl_easy_strerror(code));
}

static bool signal_waits(const struct fr_otlp_http *h)
{
	struct pollfd p = { .fd = h->signal_fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

/* Runs the transfer that is set. 0 and its result, -EINTR, -EIO. */
static int transfer(struct fr_otlp_http *h, CURL *curl, CURLcode *ret_code)
{
	struct curl_waitfd wake = { .fd = h->signal_fd, .events = CURL_WAIT_POLLIN };
	CURLMsg *message;
	int running = 1, left, ret = 0;

	if (curl_multi_add_handle(h->multi, curl))
		return -EIO;
	while (!ret && running) {
		if (curl_multi_perform(h->multi, &running))
			ret = -EIO;
		else if (signal_waits(h))
			ret = -EINTR;
		else if (running && curl_multi_poll(h->multi, &wake, 1, 1000, NULL))
			ret = -EIO;
	}
	message = ret ? NULL : curl_multi_info_read(h->multi, &left);
	if (message)
		*ret_code = message->data.result;
	else if (!ret)
		ret = -EIO;
	curl_multi_remove_handle(h->multi, curl);
	return ret;
}

static int http_post(void *ctx, const struct fr_otlp_batch *batch, struct fr_otlp_answer *ret)
{
	struct fr_otlp_http *h = ctx;
	const void *data = batch->data;
	size_t data_bytes = batch->data_bytes;
	CURL *curl = h->curls[batch->signal];
	CURLcode code = CURLE_OK;
	int err;

	begin_answer(h, ret);
	if (h->targets[batch->signal].gzip) {
		err = pack(&h->packed, data, data_bytes);
		if (err)
			return err;
		data = h->packed.data;
		data_bytes = h->packed.len_bytes;
	}
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, data);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)data_bytes);
	err = transfer(h, curl, &code);
	if (!err)
		end_answer(h, curl, code);
	return err ? err : ret->body.err;
}

/* ---- waiting -------------------------------------------------------------------------------- */

static int http_wait(void *ctx, uint64_t wait_ns)
{
	struct fr_otlp_http *h = ctx;
	struct pollfd p = { .fd = h->signal_fd, .events = POLLIN };
	int ready = poll(
		&p, 1, (int)(wait_ns / NS_PER_MS < 1u << 30 ? wait_ns / NS_PER_MS + 1 : 1u << 30));

	return ready > 0 ? -EINTR : 0;
}

static uint64_t http_now(void *ctx)
{
	(void)ctx;
	return fr_now_ns();
}

static uint32_t http_random(void *ctx)
{
	uint32_t value = 0;

	if (getrandom(&value, sizeof(value), GRND_NONBLOCK) != (ssize_t)sizeof(value))
		value = (uint32_t)http_now(ctx); /* jitter needs no secret */
	return value;
}

static const char *http_where(void *ctx, enum fr_otlp_signal signal)
{
	return ((struct fr_otlp_http *)ctx)->shown[signal];
}

struct fr_otlp_transport fr_otlp_http_transport(struct fr_otlp_http *http)
{
	return (struct fr_otlp_transport){ .post = http_post,
					   .wait = http_wait,
					   .now_ns = http_now,
					   .random = http_random,
					   .where = http_where,
					   .ctx = http };
}

/* ---- opening -------------------------------------------------------------------------------- */

static int add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (!longer)
		return -ENOMEM;
	*list = longer;
	return 0;
}

static int make_headers(struct fr_otlp_http *h, enum fr_otlp_signal signal)
{
	const struct fr_otlp_target *t = &h->targets[signal];
	struct curl_slist **list = &h->headers[signal];
	/* "Expect:" takes curl's own away: it costs a second with receivers that don't know it */
	int err = add_header(list, "Content-Type: application/x-protobuf");
	char empty[300];

	if (!err)
		err = add_header(list, "Expect:");
	if (!err && t->gzip)
		err = add_header(list, "Content-Encoding: gzip");
	for (uint32_t i = 0; !err && i < t->header_cnt; i++) {
		size_t name_bytes = strcspn(t->headers[i], ":");

		/* for curl "name:" means to leave it out, "name;" that it is empty */
		snprintf(empty, sizeof(empty), "%.*s;", (int)name_bytes, t->headers[i]);
		err = add_header(list, t->headers[i][name_bytes + 2] ? t->headers[i] : empty);
	}
	return err;
}

static void set_always(struct fr_otlp_http *h, CURL *c)
{
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->curl_error);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 1L);
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "flightrec/" FR_VERSION " (OTLP exporter; C)");
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_POST, 1L);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, h);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, h);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(c, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static void set_target(CURL *c, const struct fr_otlp_target *t, struct curl_slist *headers)
{
	long timeout_ms = (long)((t->timeout_ns + NS_PER_MS - 1) / NS_PER_MS);

	curl_easy_setopt(c, CURLOPT_URL, t->url);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
			 timeout_ms < CONNECT_MS_MAX ? timeout_ms : CONNECT_MS_MAX);
	if (t->certificate) { /* this, and not what the system trusts besides */
		curl_easy_setopt(c, CURLOPT_CAINFO, t->certificate);
		curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	}
	if (t->client_certificate)
		curl_easy_setopt(c, CURLOPT_SSLCERT, t->client_certificate);
	if (t->client_key)
		curl_easy_setopt(c, CURLOPT_SSLKEY, t->client_key);
}

static int check_file(const char *what, const char *path, char *why, size_t why_bytes)
{
	if (!path || !access(path, R_OK))
		return 0;
	snprintf(why, why_bytes, "the %s %s cannot be read: %s", what, path, strerror(errno));
	return -EINVAL;
}

static int check_files(const struct fr_otlp_target *t, char *why, size_t why_bytes)
{
	int err = check_file("certificate", t->certificate, why, why_bytes);

	if (!err)
		err = check_file("client certificate", t->client_certificate, why, why_bytes);
	return err ? err : check_file("client key", t->client_key, why, why_bytes);
}

static int catch_signals(struct fr_otlp_http *h)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	h->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (h->signal_fd < 0)
		return -errno;
	return sigprocmask(SIG_BLOCK, &mask, &h->signals_before) ? -errno : 0;
}

static int open_signal(struct fr_otlp_http *h, enum fr_otlp_signal signal)
{
	int err = make_headers(h, signal);

	fr_otlp_url_shown(h->targets[signal].url, h->shown[signal], sizeof(h->shown[signal]));
	h->curls[signal] = curl_easy_init();
	if (!h->curls[signal])
		return -ENOMEM;
	set_always(h, h->curls[signal]);
	set_target(h->curls[signal], &h->targets[signal], h->headers[signal]);
	return err;
}

int fr_otlp_http_open(const struct fr_otlp_target *targets, struct fr_otlp_http **ret_http,
		      char *why, size_t why_bytes)
{
	struct fr_otlp_http *h = calloc(1, sizeof(*h));
	int err = h ? 0 : -ENOMEM;

	for (int i = 0; !err && i < FR_OTLP_SIGNAL_CNT; i++)
		err = check_files(&targets[i], why, why_bytes);
	if (err == -EINVAL) {
		free(h);
		return err;
	}
	if (!err && curl_global_init(CURL_GLOBAL_DEFAULT))
		err = -EIO;
	if (err) {
		free(h);
		snprintf(why, why_bytes, "libcurl cannot be set up");
		return err;
	}
	h->targets = targets;
	h->signal_fd = -1;
	h->multi = curl_multi_init();
	err = h->multi ? catch_signals(h) : -ENOMEM;
	for (int i = 0; !err && i < FR_OTLP_SIGNAL_CNT; i++)
		err = open_signal(h, (enum fr_otlp_signal)i);
	if (err) {
		snprintf(why, why_bytes, "sending cannot be set up: %s", strerror(-err));
		fr_otlp_http_close(h);
		return err;
	}
	*ret_http = h;
	return 0;
}

void fr_otlp_http_close(struct fr_otlp_http *h)
{
	struct signalfd_siginfo taken;

	if (!h)
		return;
	for (int i = 0; i < FR_OTLP_SIGNAL_CNT; i++) {
		curl_easy_cleanup(h->curls[i]);
		curl_slist_free_all(h->headers[i]);
	}
	curl_multi_cleanup(h->multi);
	curl_global_cleanup();
	if (h->signal_fd >= 0) {
		/* one that was acted on must not end us when it is let through again */
		while (read(h->signal_fd, &taken, sizeof(taken)) > 0)
			;
		close(h->signal_fd);
		sigprocmask(SIG_SETMASK, &h->signals_before, NULL);
	}
	fr_buf_done(&h->packed);
	free(h);
}
