/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What redaction leaves is read by the same parsers: the requests are the same, with their times
 * and statuses, and statements give the same normalised text.
 */
#include "redact_cases.h"

#include "formats/wire/sql.h"

#include <inttypes.h>
#include <stdio.h>

#define SEEN_MAX 64

struct seen {
	struct fr_request r;
	char words[8][64];
	char text[600];
	bool has_parent; /* in a comment */
};

static struct seen seen[2][SEEN_MAX];
static size_t seen_cnt[2];
static struct fr_wire_conn conns[2];
static struct fr_wire_texts texts[2];

static void word(char *to, struct fr_slice s)
{
	assert_true(s.len_bytes < 64);
	snprintf(to, 64, "%.*s", (int)s.len_bytes, s.data ? (const char *)s.data : "");
}

/* What of a text may be compared: of SQL what sinks show, of a target the path. */
static void comparable(struct seen *s, const struct fr_request *r)
{
	struct fr_sql_text sql = { .sql = r->text,
				   .dialect = r->protocol == FR_WIRE_MYSQL ? FR_SQL_MYSQL
									   : FR_SQL_POSTGRESQL,
				   .is_cut = r->marks & FR_MARK_CUT };
	struct fr_buf out = { 0 };
	struct fr_sql_facts facts;
	const uint8_t *end;

	if (r->protocol != FR_WIRE_POSTGRES && r->protocol != FR_WIRE_MYSQL) {
		end = r->text.len_bytes ? memchr(r->text.data, '?', r->text.len_bytes) : NULL;
		fr_buf_add(&out, r->text.data,
			   end ? (size_t)(end - r->text.data) : r->text.len_bytes);
	} else if (fr_sql_normalize(&sql, &out, NULL, &facts) < 0) {
		fr_buf_add_str(&out, "(none)");
	} else {
		s->has_parent = facts.has_parent;
	}
	assert_true(out.len_bytes < sizeof(s->text));
	snprintf(s->text, sizeof(s->text), "%.*s", (int)out.len_bytes, (const char *)out.data);
	fr_buf_done(&out);
}

static void on_request(void *ctx, const struct fr_request *r)
{
	int which = *(int *)ctx;
	struct seen *s = &seen[which][seen_cnt[which]++];

	assert_true(seen_cnt[which] <= SEEN_MAX);
	memset(s, 0, sizeof(*s));
	s->r = *r;
	word(s->words[0], r->command);
	word(s->words[1], r->code);
	word(s->words[2], r->severity);
	word(s->words[3], r->traceparent);
	word(s->words[4], r->user);
	word(s->words[5], r->database);
	if (r->host.len_bytes) { /* without user info */
		const uint8_t *at = memchr(r->host.data, '@', r->host.len_bytes);
		size_t skip = at ? (size_t)(at + 1 - r->host.data) : 0;

		word(s->words[6],
		     (struct fr_slice){ r->host.data + skip, r->host.len_bytes - skip });
	}
	comparable(s, r);
}

static void part(int which, struct rd_feed *f, bool request, size_t at, size_t cnt,
		 struct fr_slice captured, bool start, uint64_t time_ns)
{
	struct fr_wire_part p = {
		.dir = request ? FR_WIRE_SEND : FR_WIRE_RECV,
		.start = start,
		.time_ns = time_ns,
		.stream_off = f->offs[request],
		.transfer_bytes = cnt,
		.captured = captured,
		.tid = 7,
	};

	(void)at;
	fr_wire_conn_part(&conns[which], &p, on_request, &which);
}

/* The redacted bytes of a part, up to the last one left. */
static struct fr_slice left_of(size_t at, size_t cnt)
{
	while (cnt && !rd.there[at + cnt - 1])
		cnt--;
	for (size_t i = at; i < at + cnt; i++)
		assert_true(rd.there[i]);
	return (struct fr_slice){ rd.out + at, cnt };
}

static void feed_both(const struct rd_deed *d)
{
	struct rd_feed f = { .deed = d, .last = -1 };
	uint64_t time_ns = 0;
	int which;
	size_t end;

	for (which = 0; which < 2; which++) {
		seen_cnt[which] = 0;
		fr_wire_conn_init(&conns[which], FR_WIRE_SIDE_CLIENT, &texts[which]);
	}
	for (size_t i = 0; i < rd.say_cnt; i++) {
		const struct rd_say *s = &rd.says[i];

		for (size_t at = s->at; at < s->at + s->cnt; at = end) {
			struct fr_slice whole = { rd.bytes + at, 0 };
			bool start = f.last != s->request && at == s->at;

			end = rd_next_border(d, at, s->at + s->cnt);
			whole.len_bytes = end - at;
			if (d->cut && at >= d->cut && s->at < d->cut)
				whole.len_bytes = 0;
			else if (d->cut > at && d->cut < end)
				whole.len_bytes = d->cut - at;
			time_ns += 1000;
			part(0, &f, s->request, at, end - at, whole, start, time_ns);
			part(1, &f, s->request, at, end - at, left_of(at, whole.len_bytes), start,
			     time_ns);
			f.offs[s->request] += end - at;
		}
		f.last = s->request;
	}
	for (which = 0; which < 2; which++)
		fr_wire_conn_close(&conns[which], on_request, &which);
}

/* A host that is cut may get an '@' yet: then it isn't shown. */
static bool is_same(const char *a, const char *b)
{
	while (*b == '*' && strlen(b) > strlen(a)) /* user info, with its '@' */
		b++;
	for (; *a && (*a == *b || *b == '*'); a++)
		b++;
	return !*a && !*b;
}

static void same_point(const struct rd_deed *d, const struct fr_wire_point *a,
		       const struct fr_wire_point *b, const char *which)
{
	if (a->time_ns != b->time_ns || a->stream_off != b->stream_off)
		fail_msg("%s: %s %" PRIu64 " at %" PRIu64 " became %" PRIu64 " at %" PRIu64
			 "; split %zu cut %zu\n%.*s",
			 rd.name, which, a->stream_off, a->time_ns, b->stream_off, b->time_ns,
			 d->split, d->cut, (int)rd.used, rd.out);
}

static void compare(const struct rd_deed *d)
{
	if (seen_cnt[0] != seen_cnt[1])
		fail_msg("%s: %zu requests became %zu; split %zu cut %zu", rd.name, seen_cnt[0],
			 seen_cnt[1], d->split, d->cut);
	for (size_t i = 0; i < seen_cnt[0]; i++) {
		const struct seen *a = &seen[0][i], *b = &seen[1][i];

		if (a->r.protocol != b->r.protocol || a->r.status != b->r.status ||
		    a->r.marks != b->r.marks || a->r.kind != b->r.kind ||
		    a->r.server != b->r.server)
			fail_msg("%s: request %zu differs: status %d %d marks %x %x; split %zu cut "
				 "%zu",
				 rd.name, i, a->r.status, b->r.status, a->r.marks, b->r.marks,
				 d->split, d->cut);
		same_point(d, &a->r.start, &b->r.start, "start");
		same_point(d, &a->r.sent, &b->r.sent, "sent");
		same_point(d, &a->r.first, &b->r.first, "first");
		same_point(d, &a->r.end, &b->r.end, "end");
		for (size_t k = 0; k < 8; k++)
			if (!is_same(a->words[k], b->words[k]))
				fail_msg("%s: request %zu: '%s' became '%s'; split %zu cut %zu",
					 rd.name, i, a->words[k], b->words[k], d->split, d->cut);
		/* a comment that comes in two parts is not known for what it is */
		if (a->has_parent != b->has_parent && !d->split)
			fail_msg("%s: request %zu: its parent is lost; cut %zu", rd.name, i,
				 d->cut);
		/* parameters and user info go */
		if (a->r.protocol == FR_WIRE_HTTP1 && strpbrk(a->text, ";@"))
			continue;
		if (!is_same(a->text, b->text))
			fail_msg("%s: request %zu:\n%s\nbecame\n%s\nsplit %zu cut %zu", rd.name, i,
				 a->text, b->text, d->split, d->cut);
	}
}

static void same(struct rd_deed d)
{
	rd_do(&d);
	feed_both(&d);
	compare(&d);
}

static void whole_dialogues_give_the_same_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < RD_CASE_CNT; i++) {
		rd_cases[i]();
		same((struct rd_deed){ 0 });
		if (rd_cases[i] != case_unknown)
			assert_true(seen_cnt[0] || rd_cases[i] == case_postgres_login);
	}
}

static void cut_dialogues_give_the_same_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < RD_CASE_CNT; i++) {
		rd_cases[i]();
		/* behind the first transfer: what its beginning is must be known */
		for (size_t at = rd.says[0].cnt; at < rd.used; at++)
			same((struct rd_deed){ .cut = at });
	}
}

static void split_dialogues_give_the_same_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < RD_CASE_CNT; i++) {
		rd_cases[i]();
		for (size_t at = rd.says[0].cnt; at < rd.used; at++)
			if (rd_cases[i] != case_postgres_quotes && rd_cases[i] != case_redis_inline)
				same((struct rd_deed){ .split = at });
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whole_dialogues_give_the_same_requests, rd_setup,
						rd_teardown),
		cmocka_unit_test_setup_teardown(cut_dialogues_give_the_same_requests, rd_setup,
						rd_teardown),
		cmocka_unit_test_setup_teardown(split_dialogues_give_the_same_requests, rd_setup,
						rd_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
