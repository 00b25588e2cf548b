/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A dialogue as both sides sent it, with the requests that it truly holds, fed to the stitcher
 * whole and in every damaged form: split, cut, joined late, ended early, with a hole at each byte.
 * Whatever is done to it, what comes out must be among the truth, in order.
 */
#ifndef FR_TESTS_WIRE_FIXTURE_H
#define FR_TESTS_WIRE_FIXTURE_H

#include "cm.h"

#include "formats/wire/stitch.h"

#define WIRE_PARTS_MAX 64
#define WIRE_FOUND_MAX 128
#define WIRE_TEXT_MAX 1100

/* Bytes of requests (true) or replies, in one transfer. */
struct wire_say {
	bool request;
	const char *data;
	size_t data_bytes;
};

struct wire_truth {
	const char *command; /* NULL = not compared */
	const char *text;
	const char *code;
	int32_t status;
};

struct wire_found {
	struct fr_request r;
	char command[32], text[WIRE_TEXT_MAX], code[24], severity[24], host[300];
	char traceparent[200], tracestate[600], user[80], database[80];
};

struct wire_result {
	unsigned cnt;
	struct wire_found found[WIRE_FOUND_MAX];
};

/* What is done to the dialogue; offsets count all bytes of both directions, as they were sent. */
struct wire_damage {
	size_t begin;	  /* nothing before it was seen */
	size_t end;	  /* nothing from here on; 0 = the end */
	size_t split;	  /* a transfer ends here */
	size_t cut_from;  /* the rest of that transfer was not captured; SIZE_MAX = none */
	size_t hole;	  /* this byte passed without a record; SIZE_MAX = none */
	size_t capture;	  /* bytes of each message; SIZE_MAX = all */
	bool as_server;	  /* the end that receives requests recorded it */
	bool side_unknown;
	bool side_wrong;
	bool datagrams; /* each saying is one */
	bool keep_open; /* recording ended before the connection did */
	const struct fr_wire_protocol *proto; /* NULL = to be found out */
};

#define WIRE_WHOLE                                                                                 \
	{                                                                                          \
		.cut_from = SIZE_MAX, .hole = SIZE_MAX, .capture = SIZE_MAX                        \
	}

static struct fr_wire_conn wire_conn;
static struct fr_wire_texts wire_texts;
static struct wire_result wire_result;

static void wire_keep(char *to, size_t to_bytes, struct fr_slice s)
{
	size_t n = s.len_bytes < to_bytes - 1 ? s.len_bytes : to_bytes - 1;

	assert_true(n == s.len_bytes);
	if (n)
		memcpy(to, s.data, n);
	to[n] = '\0';
}

static void wire_on_request(void *ctx, const struct fr_request *r)
{
	struct wire_result *out = ctx;
	struct wire_found *f;

	assert_true(out->cnt < WIRE_FOUND_MAX);
	f = &out->found[out->cnt++];
	f->r = *r;
	wire_keep(f->command, sizeof(f->command), r->command);
	wire_keep(f->text, sizeof(f->text), r->text);
	wire_keep(f->code, sizeof(f->code), r->code);
	wire_keep(f->severity, sizeof(f->severity), r->severity);
	wire_keep(f->host, sizeof(f->host), r->host);
	wire_keep(f->traceparent, sizeof(f->traceparent), r->traceparent);
	wire_keep(f->tracestate, sizeof(f->tracestate), r->tracestate);
	wire_keep(f->user, sizeof(f->user), r->user);
	wire_keep(f->database, sizeof(f->database), r->database);
}

struct wire_feed {
	const struct wire_damage *d;
	uint64_t offs[2]; /* by request */
	uint64_t time_ns;
	size_t at;   /* over both directions */
	size_t left; /* of the message's capture */
	int last;    /* whose bytes came last, -1 = nobody's */
};

/* One transfer, alone in memory of its size so that a read past it is seen. */
static void wire_feed_part(struct wire_feed *w, bool request, const char *data, size_t n,
			   size_t captured)
{
	uint8_t *alone = malloc(captured ? captured : 1);
	struct fr_wire_part p = {
		.dir = request == w->d->as_server ? FR_WIRE_RECV : FR_WIRE_SEND,
		.start = w->last != request,
		.first_sight = w->d->begin,
		.datagram = w->d->datagrams,
		.time_ns = ++w->time_ns * 1000,
		.stream_off = 5000 + w->offs[request],
		.transfer_bytes = n,
		.captured = { .data = alone, .len_bytes = captured },
		.goid = request ? 7 : 8,
		.tid = request ? 107 : 108,
	};

	assert_non_null(alone);
	if (p.start || p.datagram)
		w->left = w->d->capture;
	if (p.captured.len_bytes > w->left)
		p.captured.len_bytes = w->left;
	w->left -= p.captured.len_bytes;
	if (captured)
		memcpy(alone, data, captured);
	fr_wire_conn_part(&wire_conn, &p, wire_on_request, &wire_result);
	fr_wire_conn_check(&wire_conn);
	free(alone);
	w->offs[request] += n;
	w->last = request;
}

static void wire_feed_say(struct wire_feed *w, const struct wire_say *s)
{
	const struct wire_damage *d = w->d;
	size_t from = w->at, to = w->at + s->data_bytes, i = from;

	w->at = to;
	if (d->end && to > d->end)
		to = d->end;
	if (i < d->begin)
		i = d->begin;
	if (i > from && i < to)
		w->offs[s->request] += i - from;
	while (i < to) {
		size_t n = to - i, captured;

		if (d->split > i && d->split < to)
			n = d->split - i;
		if (d->hole >= i && d->hole < i + n) {
			if (d->hole == i) {
				w->offs[s->request]++;
				i++;
				continue;
			}
			n = d->hole - i;
		}
		captured = n;
		if (d->cut_from >= from && d->cut_from < to)
			captured = d->cut_from <= i ? 0 : d->cut_from - i < n ? d->cut_from - i : n;
		wire_feed_part(w, s->request, s->data + (i - from), n, captured);
		i += n;
	}
}

static void wire_run(const struct wire_say *says, size_t say_cnt, const struct wire_damage *d)
{
	struct wire_feed w = { .d = d, .last = -1 };
	bool server = d->as_server != d->side_wrong;

	wire_result.cnt = 0;
	fr_wire_conn_init(&wire_conn,
			  d->side_unknown ? FR_WIRE_SIDE_UNKNOWN :
			  server	  ? FR_WIRE_SIDE_SERVER :
					    FR_WIRE_SIDE_CLIENT,
			  &wire_texts);
	if (d->proto)
		fr_wire_conn_set_protocol(&wire_conn, d->proto);
	for (size_t i = 0; i < say_cnt; i++)
		wire_feed_say(&w, &says[i]);
	if (d->keep_open)
		fr_wire_conn_flush(&wire_conn, wire_on_request, &wire_result);
	else
		fr_wire_conn_close(&wire_conn, wire_on_request, &wire_result);
	fr_wire_conn_check(&wire_conn);
}

static bool wire_is_prefix(const char *s, const char *of)
{
	return !strncmp(s, of, strlen(s));
}

static bool wire_may_be(const struct wire_found *f, const struct wire_truth *t)
{
	if (f->r.status != FR_WIRE_STATUS_UNKNOWN && f->r.status != t->status)
		return false;
	if (f->code[0] && strcmp(f->code, t->code ? t->code : ""))
		return false;
	if (f->r.marks & FR_MARK_START_UNSEEN)
		return true;
	if (t->command && f->command[0] && strcmp(f->command, t->command))
		return false;
	if (f->r.marks & (FR_MARK_CUT | FR_MARK_GAP | FR_MARK_PREPARED_BEFORE | FR_MARK_TEXT_LOST))
		return wire_is_prefix(f->text, t->text ? t->text : "");
	return !t->text || !strcmp(f->text, t->text);
}

/* Marked as paired by inference: its two halves are each true, of one request or of two. */
static bool wire_halves_true(const struct wire_found *f, const struct wire_truth *truth,
			     size_t truth_cnt)
{
	bool asked = !f->text[0], answered = f->r.status == FR_WIRE_STATUS_UNKNOWN;

	for (size_t i = 0; i < truth_cnt; i++) {
		const struct wire_truth *t = &truth[i];

		asked |= t->text && wire_is_prefix(f->text, t->text);
		answered |= t->status == f->r.status &&
			    (!f->code[0] || (t->code && !strcmp(f->code, t->code)));
	}
	return asked && answered;
}

static void wire_print_found(void)
{
	for (unsigned i = 0; i < wire_result.cnt; i++) {
		const struct wire_found *f = &wire_result.found[i];

		print_error("%u: '%s' '%s' status %d code '%s' marks %#x\n", i, f->command, f->text,
			    f->r.status, f->code, f->r.marks);
	}
}

/* Everything found is in the truth, in its order. */
static void wire_check_truth(const struct wire_truth *truth, size_t truth_cnt, const char *what,
			     size_t where)
{
	size_t t = 0;

	for (unsigned i = 0; i < wire_result.cnt; i++) {
		const struct wire_found *f = &wire_result.found[i];

		if (f->r.marks & FR_MARK_MATCH_INFERRED &&
		    wire_halves_true(f, truth, truth_cnt))
			continue;
		while (t < truth_cnt && !wire_may_be(f, &truth[t]))
			t++;
		if (t++ >= truth_cnt) {
			wire_print_found();
			fail_msg("%s at %zu: request %u is not true", what, where, i);
		}
		if (f->r.end.time_ns && f->r.end.time_ns < f->r.start.time_ns)
			fail_msg("%s at %zu: request %u ends before it starts", what, where, i);
		assert_true(f->r.response_bytes < UINT32_MAX && f->r.request_bytes < UINT32_MAX);
	}
}

/* Nothing is lost by splitting; everything else leaves true things only. */
static void __attribute__((unused)) wire_sweep(const struct wire_say *sayings, size_t say_cnt,
					       const struct wire_truth *truth, size_t truth_cnt)
{
	size_t all_bytes = 0;

	for (size_t i = 0; i < say_cnt; i++)
		all_bytes += sayings[i].data_bytes;
	for (size_t at = 0; at <= all_bytes; at++) {
		for (unsigned form = 0; form < 12; form++) {
			struct wire_damage d = WIRE_WHOLE;
			static const char *const forms[] = { "split", "begin", "end", "cut", "hole",
							     "capture" };

			d.as_server = form >= 6;
			d.side_unknown = at & 1;
			d.keep_open = at & 2;
			switch (form % 6) {
			case 0:
				d.split = at;
				break;
			case 1:
				d.begin = at;
				break;
			case 2:
				d.end = at + 1;
				break;
			case 3:
				d.cut_from = at;
				break;
			case 4:
				d.hole = at;
				break;
			default:
				d.capture = at;
				break;
			}
			wire_run(sayings, say_cnt, &d);
			wire_check_truth(truth, truth_cnt, forms[form % 6], at);
			if (form % 6)
				continue;
			assert_int_equal(wire_result.cnt, truth_cnt);
			for (unsigned i = 0; i < truth_cnt; i++)
				assert_false(wire_result.found[i].r.marks &
					     ~(FR_MARK_SKIPPED |
					       (d.keep_open ? FR_MARK_END_UNSEEN : 0)));
		}
	}
}

#endif
