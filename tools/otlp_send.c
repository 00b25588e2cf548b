/* SPDX-License-Identifier: BSD-2-Clause */
#include "otlp_send.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../formats/base/cli.h"
#include "../formats/base/log.h"
#include "otlp_reply.h"
#include "otlp_retry.h"

#define TOLD_MAX 8

typedef unsigned long long ull;

enum verdict { SETTLED, SPLIT, AGAIN, HOPELESS };

static const char *items_name(enum fr_otlp_signal signal, uint64_t cnt)
{
	if (signal == FR_OTLP_TRACES)
		return cnt == 1 ? "span" : "spans";
	return cnt == 1 ? "log record" : "log records";
}

static void clear_line(const struct fr_otlp_sender *s)
{
	if (s->before_message)
		s->before_message(s->ctx);
}

/* A receiver that refuses everything would say so for each request. */
__attribute__((format(printf, 2, 3))) static void tell(struct fr_otlp_sender *s, const char *fmt,
						       ...)
{
	char text[1024];
	va_list args;

	if (s->told_cnt == TOLD_MAX) {
		s->untold_cnt++;
		return;
	}
	s->told_cnt++;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	clear_line(s);
	fr_warn("%s", text);
}

static const char *where(const struct fr_otlp_sender *s, const struct fr_otlp_batch *batch)
{
	return s->transport.where(s->transport.ctx, batch->signal);
}

static void drop(struct fr_otlp_sender *s, const struct fr_otlp_batch *batch)
{
	s->counts[batch->signal].dropped += batch->item_cnt;
}

/* ---- what an answer means ------------------------------------------------------------------- */

static void take_success(struct fr_otlp_sender *s, const struct fr_otlp_batch *batch)
{
	const struct fr_otlp_answer *a = &s->answer;
	struct fr_otlp_counts *counts = &s->counts[batch->signal];
	struct fr_otlp_reply reply;

	fr_otlp_reply_success(a->content_type[0] ? a->content_type : NULL, a->body.data,
			      a->body.len_bytes, &reply);
	if (!reply.understood) {
		s->not_otlp_cnt++;
		tell(s,
		     "%s answers %d with %s, which is not what an OTLP receiver says: is it one?",
		     where(s, batch), a->http_status,
		     a->content_type[0] ? a->content_type : "bytes of no type");
	}
	if (reply.rejected_cnt > batch->item_cnt)
		reply.rejected_cnt = batch->item_cnt;
	counts->rejected += reply.rejected_cnt;
	counts->sent += batch->item_cnt - reply.rejected_cnt;
	if (reply.rejected_cnt)
		tell(s, "%s rejects %llu of %u %s: %s", where(s, batch), (ull)reply.rejected_cnt,
		     batch->item_cnt, items_name(batch->signal, batch->item_cnt),
		     reply.text[0] ? reply.text : "it does not say why");
	else if (reply.text[0])
		tell(s, "%s takes all, and remarks: %s", where(s, batch), reply.text);
}

static const char *next_step(int http_status)
{
	switch (http_status) {
	case 401:
	case 403:
		return "; it wants to know who you are: --header, or a client certificate";
	case 404:
	case 405:
		return "; is there an OTLP receiver, and is the path right?";
	case 413:
		return "; a single item is too large for it";
	case 415:
		return "; does it speak OTLP in protobuf, and this compression?";
	default:
		return "";
	}
}

static void take_refusal(struct fr_otlp_sender *s, const struct fr_otlp_batch *batch)
{
	const struct fr_otlp_answer *a = &s->answer;
	struct fr_otlp_reply reply;

	s->counts[batch->signal].rejected += batch->item_cnt;
	fr_otlp_reply_refusal(a->content_type[0] ? a->content_type : NULL, a->body.data,
			      a->body.len_bytes, &reply);
	if (a->http_status >= 300 && a->http_status < 400)
		tell(s,
		     "%s answers %d, moved to %s; that is not followed (headers may hold keys): "
		     "name the new place with --endpoint",
		     where(s, batch), a->http_status, a->location[0] ? a->location : "nowhere");
	else
		tell(s, "%s rejects %u %s with status %d%s%s%s", where(s, batch), batch->item_cnt,
		     items_name(batch->signal, batch->item_cnt), a->http_status,
		     reply.text[0] ? ": " : "", reply.text, next_step(a->http_status));
}

static enum verdict judge(struct fr_otlp_sender *s, const struct fr_otlp_batch *batch)
{
	const struct fr_otlp_answer *a = &s->answer;

	switch (a->attempt) {
	case FR_OTLP_LOST:
		return AGAIN;
	case FR_OTLP_BROKEN:
		return HOPELESS;
	case FR_OTLP_TOO_LARGE: /* an answer like this is no promise, and asking again no use */
		tell(s, "%s answers %d with more than %u MiB: not a receiver's answer",
		     where(s, batch), a->http_status, FR_OTLP_REPLY_BYTES_MAX >> 20);
		drop(s, batch);
		return SETTLED;
	case FR_OTLP_ANSWERED:
		break;
	}
	if (fr_otlp_may_retry(a->http_status))
		return AGAIN;
	s->trouble_since_ns = 0;
	if (a->http_status == 413 && batch->item_cnt > 1)
		return SPLIT;
	if (a->http_status >= 200 && a->http_status < 300)
		take_success(s, batch);
	else
		take_refusal(s, batch);
	return SETTLED;
}

/* ---- trying again --------------------------------------------------------------------------- */

static void say_trouble(struct fr_otlp_sender *s, const struct fr_otlp_batch *batch, bool last)
{
	const struct fr_otlp_answer *a = &s->answer;
	char left[32], why[320];

	if (a->attempt == FR_OTLP_ANSWERED)
		snprintf(why, sizeof(why), "answers %d", a->http_status);
	else
		snprintf(why, sizeof(why), "is not reached: %s", a->error);
	if (last) {
		clear_line(s);
		fr_err("%s %s; giving up, what is not sent yet is dropped", where(s, batch), why);
	} else {
		tell(s, "%s %s; trying again for up to %s", where(s, batch), why,
		     fr_format_duration(s->retry_for_ns, left, sizeof(left)));
	}
}

/* 0: try again; 1: no more; -EINTR. */
static int wait_before(struct fr_otlp_sender *s, const struct fr_otlp_batch *batch,
		       uint32_t attempt)
{
	const struct fr_otlp_transport *t = &s->transport;
	uint64_t now_ns = t->now_ns(t->ctx), wait_ns;
	bool first = !s->trouble_since_ns;

	if (first)
		s->trouble_since_ns = now_ns ? now_ns : 1;
	wait_ns = fr_otlp_backoff_ns(attempt, s->answer.retry_after_ns, t->random(t->ctx));
	if (now_ns - s->trouble_since_ns + wait_ns > s->retry_for_ns) {
		say_trouble(s, batch, true);
		return 1;
	}
	if (first)
		say_trouble(s, batch, false);
	return t->wait(t->ctx, wait_ns);
}

static int send_halves(struct fr_otlp_sender *s, const struct fr_otlp_batch *batch)
{
	uint32_t half = batch->item_cnt / 2, firsts[] = { 0, half };
	uint32_t cnts[] = { half, batch->item_cnt - half };
	struct fr_otlp_batch part = { .signal = batch->signal };
	struct fr_buf bytes = { 0 };
	int err, ret = 0;

	for (int i = 0; i < 2; i++) {
		part.item_cnt = cnts[i];
		fr_buf_clear(&bytes);
		err = ret ? ret : fr_otlp_part(batch, firsts[i], cnts[i], &bytes);
		part.data = bytes.data;
		part.data_bytes = bytes.len_bytes;
		if (!err) {
			ret = fr_otlp_send(s, &part);
			continue;
		}
		if (!ret)
			tell(s, "cannot split a request that is too large: %s", strerror(-err));
		drop(s, &part);
	}
	fr_buf_done(&bytes);
	return ret;
}

int fr_otlp_send(void *sender, const struct fr_otlp_batch *batch)
{
	struct fr_otlp_sender *s = sender;
	int err = s->interrupted ? -EINTR : 0;

	for (uint32_t attempt = 1; !err && !s->gave_up; attempt++) {
		s->request_cnt++;
		s->retry_cnt += attempt > 1;
		err = s->transport.post(s->transport.ctx, batch, &s->answer);
		if (err)
			break;
		switch (judge(s, batch)) {
		case SETTLED:
			return 0;
		case SPLIT:
			return send_halves(s, batch);
		case AGAIN:
			err = wait_before(s, batch, attempt);
			s->gave_up = err > 0;
			break;
		case HOPELESS:
			say_trouble(s, batch, true);
			s->gave_up = true;
			break;
		}
	}
	drop(s, batch);
	if (err >= 0)
		return 0;
	s->interrupted |= err == -EINTR;
	return err;
}

/* ---- the end -------------------------------------------------------------------------------- */

static void add_counts(struct fr_buf *line, const struct fr_otlp_sender *s, size_t field_off,
		       const char *what)
{
	uint64_t cnts[FR_OTLP_SIGNAL_CNT];

	for (int i = 0; i < FR_OTLP_SIGNAL_CNT; i++)
		memcpy(&cnts[i], (const char *)&s->counts[i] + field_off, sizeof(cnts[i]));
	fr_buf_printf(line, "%s%s %llu %s and %llu %s", line->len_bytes ? ", " : "", what,
		      (ull)cnts[FR_OTLP_TRACES], items_name(FR_OTLP_TRACES, cnts[FR_OTLP_TRACES]),
		      (ull)cnts[FR_OTLP_LOGS], items_name(FR_OTLP_LOGS, cnts[FR_OTLP_LOGS]));
}

int fr_otlp_sender_say(const struct fr_otlp_sender *s)
{
	struct fr_buf line = { 0 };
	uint64_t rejected = 0, dropped = 0;

	for (int i = 0; i < FR_OTLP_SIGNAL_CNT; i++) {
		rejected += s->counts[i].rejected;
		dropped += s->counts[i].dropped;
	}
	if (s->untold_cnt)
		fr_warn("%llu more messages of this kind", (ull)s->untold_cnt);
	add_counts(&line, s, offsetof(struct fr_otlp_counts, sent), "sent");
	add_counts(&line, s, offsetof(struct fr_otlp_counts, rejected), "rejected");
	add_counts(&line, s, offsetof(struct fr_otlp_counts, dropped), "dropped");
	fr_buf_printf(&line, "; %llu requests, %llu of them repeated%s", (ull)s->request_cnt,
		      (ull)s->retry_cnt,
		      s->interrupted ? "; interrupted, the rest was not converted" : "");
	fr_buf_add_char(&line, 0);
	fr_info("%s", line.err ? "not enough memory to count" : (char *)line.data);
	fr_buf_done(&line);
	if (dropped || s->interrupted)
		return FR_EXIT_IO;
	return rejected || s->not_otlp_cnt ? FR_EXIT_DAMAGED : FR_EXIT_OK;
}

void fr_otlp_sender_done(struct fr_otlp_sender *s)
{
	fr_buf_done(&s->answer.body);
}
