/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dialogues with marked secrets, fed to the redactor whole, cut, split and with parts missing. What
 * stands between SECRET's marks must not come out at its place, whatever is done to the dialogue.
 * Secrets avoid the bytes that redaction fills with.
 */
#ifndef FR_TESTS_REDACT_FIXTURE_H
#define FR_TESTS_REDACT_FIXTURE_H

#include "cm.h"

#include "formats/redact/redact.h"
#include "formats/wire/stitch.h"

#define RD_BYTES_MAX 8192
#define RD_SAYS_MAX 160
#define SECRET(text) "\016" text "\017"
#define RD_FILLERS "?*0 '\"`$\177"

struct rd_say {
	bool request;
	size_t at, cnt;
};

/* Both directions, one transfer after the other. */
struct rd_dialogue {
	const char *name;
	uint8_t bytes[RD_BYTES_MAX];
	bool secret[RD_BYTES_MAX];
	uint8_t out[RD_BYTES_MAX]; /* what redaction left, at its place */
	bool there[RD_BYTES_MAX];
	size_t used, say_from, say_cnt;
	struct rd_say says[RD_SAYS_MAX];
	bool marking;
};

static struct rd_dialogue rd;
static struct fr_redact_counts rd_counts;
static struct fr_redact_rules rd_rules;
static struct fr_redactor *rd_redactor;

static inline void rd_begin(const char *name)
{
	memset(&rd, 0, sizeof(rd));
	rd.name = name;
}

static inline void rd_byte(uint8_t b)
{
	assert_true(rd.used < RD_BYTES_MAX);
	rd.secret[rd.used] = rd.marking;
	rd.bytes[rd.used++] = b;
}

static inline void rd_put(const void *data, size_t cnt)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < cnt; i++) {
		if (p[i] == 016 || p[i] == 017)
			rd.marking = p[i] == 016;
		else
			rd_byte(p[i]);
	}
}

static inline void rd_say(bool request)
{
	assert_true(rd.say_cnt < RD_SAYS_MAX && rd.used > rd.say_from);
	rd.says[rd.say_cnt++] = (struct rd_say){ .request = request,
						 .at = rd.say_from,
						 .cnt = rd.used - rd.say_from };
	rd.say_from = rd.used;
}

static inline void rd_text(bool request, const char *text)
{
	rd_put(text, strlen(text));
	rd_say(request);
}

/* A PostgreSQL message; its length does not count the marks. */
static inline void rd_pg(char type, const char *body, size_t body_bytes)
{
	size_t marks = 0;
	uint32_t length;

	for (size_t i = 0; i < body_bytes; i++)
		marks += body[i] == 016 || body[i] == 017;
	length = (uint32_t)(body_bytes - marks) + 4;
	rd_byte((uint8_t)type);
	for (int shift = 24; shift >= 0; shift -= 8)
		rd_byte((uint8_t)(length >> shift));
	rd_put(body, body_bytes);
}
#define RD_PG(type, body) rd_pg(type, body, sizeof(body) - 1)

/* ---- doing things to it ------------------------------------------------------------------- */

/* Offsets count the bytes of both directions, in the order of saying. */
struct rd_deed {
	size_t begin;	  /* nothing before it was seen */
	size_t split;	  /* transfers end here; 0 = nowhere */
	size_t step;	  /* and after each so many bytes; 0 = nowhere */
	size_t lost_from; /* [from, to) left no record: a part is missing */
	size_t lost_to;
	size_t cut;	/* from here to the end of its transfer nothing was captured */
	bool overtaken; /* the halves of the split transfer come in the wrong order */
	uint64_t sock_id;
};

struct rd_feed {
	const struct rd_deed *deed;
	uint64_t offs[2]; /* by request */
	int last;	  /* whose bytes passed last, seen or not */
};

static inline void rd_part(struct rd_feed *f, bool request, size_t at, size_t cnt, size_t captured,
			   bool start)
{
	uint8_t *alone = malloc(captured ? captured : 1);
	struct fr_redact_part p = {
		.sock_id = f->deed->sock_id,
		.stream_off = f->offs[request],
		.transfer_bytes = cnt,
		.is_send = request,
		.start = start,
	};
	size_t left = captured;

	assert_non_null(alone);
	memcpy(alone, rd.bytes + at, captured);
	if (captured)
		left = fr_redact_bytes(rd_redactor, &p, alone, captured);
	assert_true(left <= captured);
	memcpy(rd.out + at, alone, left);
	memset(rd.there + at, 1, left);
	free(alone);
}

static inline size_t rd_next_border(const struct rd_deed *d, size_t at, size_t end)
{
	if (d->split > at && d->split < end)
		end = d->split;
	if (d->lost_from > at && d->lost_from < end)
		end = d->lost_from;
	if (d->lost_to > at && d->lost_to < end)
		end = d->lost_to;
	if (d->begin > at && d->begin < end)
		end = d->begin;
	if (d->step && at + d->step < end)
		end = at + d->step;
	return end;
}

static inline void rd_feed_say(struct rd_feed *f, const struct rd_say *s)
{
	const struct rd_deed *d = f->deed;
	size_t end;

	for (size_t at = s->at; at < s->at + s->cnt; at = end) {
		bool start = f->last != s->request && at == s->at, gone;
		size_t captured;

		end = rd_next_border(d, at, s->at + s->cnt);
		gone = at < d->begin || (at >= d->lost_from && at < d->lost_to);
		captured = end - at;
		if (d->cut && at >= d->cut && s->at < d->cut)
			captured = 0;
		else if (d->cut > at && d->cut < end)
			captured = d->cut - at;
		if (d->overtaken && d->split == end && end < s->at + s->cnt) {
			size_t second = s->at + s->cnt - end;

			f->offs[s->request] += end - at;
			rd_part(f, s->request, end, second, second, false);
			f->offs[s->request] -= end - at;
			rd_part(f, s->request, at, end - at, end - at, start);
			f->offs[s->request] += s->at + s->cnt - at;
			f->last = s->request;
			return;
		}
		if (!gone)
			rd_part(f, s->request, at, end - at, captured, start);
		f->offs[s->request] += end - at;
	}
	f->last = s->request;
}

static inline void rd_do(const struct rd_deed *deed)
{
	static uint64_t next_id = 1;
	struct rd_deed d = *deed;
	struct rd_feed f = { .deed = &d, .last = -1 };

	d.sock_id = next_id++;
	memset(rd.there, 0, sizeof(rd.there));
	for (size_t i = 0; i < rd.say_cnt; i++)
		rd_feed_say(&f, &rd.says[i]);
	fr_redact_forget(rd_redactor, d.sock_id);
}

static inline void rd_check(const struct rd_deed *d)
{
	for (size_t i = 0; i < rd.used; i++) {
		if (!rd.there[i])
			continue;
		if (rd.secret[i] && rd.out[i] == rd.bytes[i])
			fail_msg("%s: byte %zu ('%c') came out; begin %zu split %zu step %zu lost "
				 "%zu..%zu cut %zu overtaken %d\n%.*s\n%.*s",
				 rd.name, i, rd.bytes[i], d->begin, d->split, d->step, d->lost_from,
				 d->lost_to, d->cut, d->overtaken, (int)rd.used, rd.bytes,
				 (int)rd.used, rd.out);
		if (rd.out[i] != rd.bytes[i] && !strchr(RD_FILLERS, rd.out[i]))
			fail_msg("%s: byte %zu became '%c'", rd.name, i, rd.out[i]);
	}
}

static inline void rd_try(struct rd_deed d)
{
	rd_do(&d);
	rd_check(&d);
}

/* Everything, at every byte. */
static inline void rd_sweep(void)
{
	rd_try((struct rd_deed){ 0 });
	for (size_t step = 1; step < 9; step++)
		rd_try((struct rd_deed){ .step = step });
	for (size_t at = 1; at < rd.used; at++) {
		rd_try((struct rd_deed){ .cut = at });
		rd_try((struct rd_deed){ .cut = at, .step = 3 });
		rd_try((struct rd_deed){ .split = at });
		rd_try((struct rd_deed){ .split = at, .overtaken = true });
		rd_try((struct rd_deed){ .begin = at });
		rd_try((struct rd_deed){ .begin = at, .step = 7 });
		rd_try((struct rd_deed){ .split = at, .lost_from = at, .lost_to = at + 1 });
		rd_try((struct rd_deed){ .split = at, .lost_from = at, .lost_to = at + 9 });
		rd_try((struct rd_deed){ .step = 5, .lost_from = at, .lost_to = at + 5 });
	}
	for (size_t i = 0; i < rd.say_cnt; i++) { /* a transfer, and each half of it, missing */
		size_t at = rd.says[i].at, end = at + rd.says[i].cnt;

		rd_try((struct rd_deed){ .lost_from = at, .lost_to = end });
		for (size_t split = at + 1; split < end; split++) {
			rd_try((struct rd_deed){ .lost_from = at, .lost_to = split });
			rd_try((struct rd_deed){ .lost_from = split, .lost_to = end });
		}
	}
}

static inline int rd_setup(void **state)
{
	(void)state;
	memset(&rd_counts, 0, sizeof(rd_counts));
	rd_rules = (struct fr_redact_rules){ .level = FR_REDACT_STANDARD };
	rd_redactor = fr_redactor_new(&rd_rules, &rd_counts);
	return !rd_redactor;
}

static inline int rd_setup_strict(void **state)
{
	(void)state;
	memset(&rd_counts, 0, sizeof(rd_counts));
	rd_rules = (struct fr_redact_rules){ .level = FR_REDACT_STRICT };
	rd_redactor = fr_redactor_new(&rd_rules, &rd_counts);
	return !rd_redactor;
}

static inline int rd_teardown(void **state)
{
	(void)state;
	fr_redactor_free(rd_redactor);
	return 0;
}

#endif
