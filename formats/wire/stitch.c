/* SPDX-License-Identifier: BSD-2-Clause */
/* Transfers to units: offsets, holes, the carry of a unit that came in pieces, finding out what
 * is spoken. The rules of requests are in stitch_queue.c. */
#include "stitch_queue.h"

#include <assert.h>

static enum fr_wire_role role_of(const struct fr_wire_conn *c, enum fr_wire_dir dir)
{
	return dir == c->request_dir ? FR_WIRE_REQUEST : FR_WIRE_RESPONSE;
}

void fr_wire_conn_init(struct fr_wire_conn *c, enum fr_wire_side side, struct fr_wire_texts *texts)
{
	memset(c, 0, sizeof(*c));
	c->texts = texts;
	c->side_known = side != FR_WIRE_SIDE_UNKNOWN;
	c->request_dir = side == FR_WIRE_SIDE_SERVER ? FR_WIRE_RECV : FR_WIRE_SEND;
}

void fr_wire_conn_set_protocol(struct fr_wire_conn *c, const struct fr_wire_protocol *proto)
{
	c->proto = proto;
}

void fr_wire_conn_check(const struct fr_wire_conn *c)
{
	uint32_t texts_bytes = 0;

	for (unsigned i = 0; i < 2; i++) {
		const struct fr_wire_stream *s = &c->streams[i];

		assert(s->carry_bytes <= FR_WIRE_CARRY_BYTES);
		assert(!s->carry_bytes || !(s->lost || s->endless || c->raw));
		assert(!s->carry_bytes || !s->skip_bytes);
	}
	assert(c->pending_cnt <= FR_WIRE_PENDING_MAX);
	for (unsigned i = 0; i < c->pending_cnt; i++) {
		const struct fr_wire_pending *e = &c->pending[i];

		texts_bytes += (uint32_t)e->text_bytes + e->host_bytes + e->traceparent_bytes +
			       e->tracestate_bytes;
	}
	assert(texts_bytes == c->texts_bytes && texts_bytes <= sizeof(c->texts_data));
}

static void lose(struct fr_wire_run *run)
{
	struct fr_wire_conn *c = run->c;
	struct fr_wire_stream *s = &c->streams[run->dir];

	s->lost = true;
	s->carry_bytes = 0;
	s->skip_bytes = 0;
	s->has_lead = false;
	c->lost_cnt++;
	if (role_of(c, run->dir) == FR_WIRE_RESPONSE)
		for (unsigned i = 0; i < c->pending_cnt; i++)
			c->pending[i].reply_lost = 1;
}

static void go_raw(struct fr_wire_conn *c)
{
	c->raw = true;
	c->streams[0].carry_bytes = c->streams[1].carry_bytes = 0;
	c->streams[0].skip_bytes = c->streams[1].skip_bytes = 0;
}

/* The unit in hand ends at run->at. */
static void unit_over(struct fr_wire_run *run)
{
	struct fr_wire_conn *c = run->c;
	struct fr_wire_stream *s = &c->streams[run->dir];
	struct fr_wire_unit u = s->over;

	s->over.effects = 0;
	s->over.ends = 0;
	if (role_of(c, run->dir) == FR_WIRE_RESPONSE)
		fr_wire_queue_over(run, &u);
	else if (u.effects & (FR_UNIT_BEGIN | FR_UNIT_BODY) && c->pending_cnt && !c->unkept_cnt)
		c->pending[c->pending_cnt - 1].sent = run->at;
	if (u.effects & FR_UNIT_RAW)
		go_raw(c);
}

static void cut_units(struct fr_wire_run *run, uint32_t old_bytes, bool last);

/* A reply comes while its request still waits for bytes: they passed without a record. */
static void cut_waiting_request(const struct fr_wire_run *run)
{
	struct fr_wire_stream *s = &run->c->streams[run->c->request_dir];
	struct fr_wire_run then = *run;

	if (run->c->pending_cnt || run->c->unkept_cnt || !s->carry_bytes ||
	    s->carry_first.time_ns >= run->at.time_ns) /* a replay: this reply is older */
		return;
	then.dir = run->c->request_dir;
	then.at = s->last;
	cut_units(&then, s->carry_bytes, true);
}

/* What a unit does at its beginning; the rest of it is left to unit_over. */
static void unit_begins(struct fr_wire_run *run, const struct fr_wire_unit *u,
			struct fr_wire_point start)
{
	struct fr_wire_conn *c = run->c;
	struct fr_wire_stream *s = &c->streams[run->dir];

	s->over = (struct fr_wire_unit){
		.id = u->id,
		.effects = u->effects,
		.done_status = u->done_status,
		.ends = u->ends,
	};
	if (role_of(c, run->dir) == FR_WIRE_RESPONSE) {
		if (u->effects & FR_UNIT_REPLY)
			cut_waiting_request(run);
		if (c->pending_cnt && start.time_ns < c->pending[0].start.time_ns) {
			/* begun before anything that is open was asked: it answers none of it */
			fr_wire_queue_disown(run);
			return;
		}
		fr_wire_queue_reply(run, u, start);
		return;
	}
	if (u->effects & FR_UNIT_LEAD && !s->has_lead) {
		s->lead = start;
		s->has_lead = true;
	}
	if (!(u->effects & FR_UNIT_BEGIN))
		return;
	if (s->infer || (c->pending_cnt && c->pending[0].marks & FR_MARK_START_UNSEEN))
		fr_wire_queue_infer(run);
	s->infer = false;
	if (u->effects & FR_UNIT_QUIET) {
		fr_wire_queue_push(run, u, start);
		s->has_lead = s->has_lead && u->effects & FR_UNIT_LEAD;
		return;
	}
	fr_wire_queue_push(run, u, s->has_lead ? s->lead : start);
	s->has_lead = false;
}

static enum fr_wire_verdict look_at(struct fr_wire_run *run, struct fr_slice bytes, bool last,
				    struct fr_wire_unit *ret_unit)
{
	struct fr_wire_conn *c = run->c;
	struct fr_wire_look look = {
		.state = c->state,
		.texts = c->texts,
		.role = role_of(c, run->dir),
		.last = last,
		.has_oldest = c->pending_cnt,
	};
	const struct fr_wire_pending *oldest = c->pending;
	enum fr_wire_verdict verdict;

	if (c->pending_cnt && !(oldest->marks & FR_MARK_START_UNSEEN)) {
		look.oldest_command = (struct fr_slice){ .data = (const uint8_t *)oldest->command,
							 .len_bytes = oldest->command_bytes };
		look.oldest_text = (struct fr_slice){ .data = c->texts_data,
						      .len_bytes = oldest->text_bytes };
		look.oldest_begun = oldest->first.time_ns;
		look.oldest_cut = oldest->marks & FR_MARK_CUT;
		look.oldest_sure = !oldest->reply_lost && !(oldest->marks & FR_MARK_MATCH_INFERRED);
	}
	*ret_unit = (struct fr_wire_unit){
		.status = FR_WIRE_STATUS_UNKNOWN, .done_status = FR_WIRE_STATUS_UNKNOWN
	};
	verdict = c->proto->parse(&look, bytes, ret_unit);
	if (verdict == FR_WIRE_MORE && last)
		return FR_WIRE_LOST;
	return verdict == FR_WIRE_UNIT && !ret_unit->unit_bytes ? FR_WIRE_LOST : verdict;
}

/* The bytes look like the other side's: guessed wrong, unless a pair has already been seen. */
static bool turn_around(struct fr_wire_run *run, struct fr_slice bytes)
{
	struct fr_wire_conn *c = run->c;
	struct fr_slice none = { 0 };
	bool as_request = role_of(c, run->dir) == FR_WIRE_RESPONSE;

	if (c->settled ||
	    c->proto->detect(as_request ? bytes : none, as_request ? none : bytes) < 2)
		return false;
	fr_wire_queue_drop(c);
	c->request_dir = fr_wire_other(c->request_dir);
	c->turned = true;
	c->proto->rejoin(c->state, FR_WIRE_REQUEST);
	c->proto->rejoin(c->state, FR_WIRE_RESPONSE);
	c->streams[fr_wire_other(run->dir)].carry_bytes = 0;
	c->streams[fr_wire_other(run->dir)].skip_bytes = 0;
	c->streams[fr_wire_other(run->dir)].lost = true;
	return true;
}

/* One unit at carry[at]; moves *at behind what was used. False when no more can be cut here. */
static bool cut_unit(struct fr_wire_run *run, uint32_t *at, uint32_t old_bytes, bool last)
{
	struct fr_wire_conn *c = run->c;
	struct fr_wire_stream *s = &c->streams[run->dir];
	uint32_t left = s->carry_bytes - *at;
	struct fr_slice bytes = { .data = s->carry + *at, .len_bytes = left };
	struct fr_wire_point start = *at < old_bytes ? s->carry_first : run->at, here = run->at;
	struct fr_wire_unit u;

	start.stream_off = run->at.stream_off - left;
	switch (look_at(run, bytes, last || left == FR_WIRE_CARRY_BYTES, &u)) {
	case FR_WIRE_MORE:
		return false;
	case FR_WIRE_LOST:
		if (turn_around(run, bytes))
			return true;
		lose(run);
		return false;
	case FR_WIRE_UNIT:
		break;
	}
	unit_begins(run, &u, start);
	if (u.unit_bytes <= left) {
		*at += (uint32_t)u.unit_bytes;
		run->at.stream_off = start.stream_off + u.unit_bytes;
		unit_over(run);
		run->at = here;
		return !c->raw;
	}
	if (u.unit_bytes == FR_WIRE_LENGTH_UNKNOWN)
		lose(run);
	else if (u.unit_bytes == FR_WIRE_ENDLESS)
		s->endless = true;
	else
		s->skip_bytes = u.unit_bytes - left;
	s->carry_bytes = 0;
	return false;
}

/* Cuts the carry, whose bytes from old_bytes on are new, into units. */
static void cut_units(struct fr_wire_run *run, uint32_t old_bytes, bool last)
{
	struct fr_wire_stream *s = &run->c->streams[run->dir];
	uint32_t at = 0;

	while (at < s->carry_bytes && cut_unit(run, &at, old_bytes, last))
		;
	if (!s->carry_bytes || !at)
		return;
	if (at >= old_bytes)
		s->carry_first = run->at;
	s->carry_bytes -= at;
	memmove(s->carry, s->carry + at, s->carry_bytes);
}

static uint64_t pass(struct fr_wire_run *run, uint64_t most_bytes)
{
	struct fr_wire_stream *s = &run->c->streams[run->dir];
	uint64_t n = s->skip_bytes < most_bytes ? s->skip_bytes : most_bytes;

	s->skip_bytes -= n;
	run->at.stream_off += n;
	if (n && !s->skip_bytes)
		unit_over(run);
	return n;
}

static bool is_deaf(const struct fr_wire_conn *c, const struct fr_wire_stream *s)
{
	return c->raw || s->endless || s->lost;
}

static void feed_bytes(struct fr_wire_run *run, struct fr_slice b)
{
	struct fr_wire_conn *c = run->c;
	struct fr_wire_stream *s = &c->streams[run->dir];

	while (b.len_bytes && !is_deaf(c, s)) {
		uint32_t room = FR_WIRE_CARRY_BYTES - s->carry_bytes, old_bytes = s->carry_bytes;
		uint64_t n = s->skip_bytes ? pass(run, b.len_bytes) : 0;

		if (!n) {
			n = b.len_bytes < room ? b.len_bytes : room;
			if (!n) /* protocol not known yet, and more than enough of it */
				break;
			if (!old_bytes)
				s->carry_first = run->at;
			memcpy(s->carry + old_bytes, b.data, n);
			s->carry_bytes += (uint32_t)n;
			run->at.stream_off += n;
			if (c->proto)
				cut_units(run, old_bytes, false);
		}
		b.data += n;
		b.len_bytes -= n;
	}
	if (!c->proto)
		s->hole_bytes += b.len_bytes;
	run->at.stream_off += b.len_bytes;
}

static void feed_hole(struct fr_wire_run *run, uint64_t hole_bytes)
{
	struct fr_wire_conn *c = run->c;
	struct fr_wire_stream *s = &c->streams[run->dir];

	if (!hole_bytes)
		return;
	if (!c->proto) {
		s->hole_bytes += hole_bytes;
	} else if (!is_deaf(c, s)) {
		if (s->carry_bytes)
			cut_units(run, s->carry_bytes, true);
		hole_bytes -= pass(run, hole_bytes);
		if (hole_bytes && !is_deaf(c, s))
			lose(run);
	}
	run->at.stream_off += hole_bytes;
}

static void mark_gap(struct fr_wire_run *run)
{
	struct fr_wire_conn *c = run->c;

	if (!c->pending_cnt)
		return;
	if (role_of(c, run->dir) == FR_WIRE_REQUEST)
		c->pending[c->pending_cnt - 1].marks |= FR_MARK_GAP;
	else
		c->pending[0].marks |= FR_MARK_GAP;
}

/* One socket may ask and be asked: each datagram says which. */
static void face(struct fr_wire_run *run, struct fr_slice b)
{
	struct fr_wire_conn *c = run->c;
	struct fr_slice none = { 0 };

	if (c->proto->detect(b, none) == 2)
		c->request_dir = run->dir;
	else if (c->proto->detect(none, b) == 2)
		c->request_dir = fr_wire_other(run->dir);
}

/* A datagram is a unit, whatever was captured of it; what is none leaves the next one alone. */
static void feed_datagram(struct fr_wire_run *run, struct fr_slice b, uint64_t datagram_bytes)
{
	struct fr_wire_conn *c = run->c;
	struct fr_wire_point start = run->at;
	enum fr_wire_verdict verdict;
	struct fr_wire_unit u;

	if (!b.len_bytes)
		return;
	face(run, b);
	verdict = look_at(run, b, true, &u);
	if (verdict != FR_WIRE_UNIT) {
		c->lost_cnt++;
		return;
	}
	unit_begins(run, &u, start);
	run->at.stream_off += datagram_bytes;
	unit_over(run);
}

/* What was kept while nobody knew the protocol. */
static void replay(struct fr_wire_run *run, enum fr_wire_dir dir)
{
	struct fr_wire_stream *s = &run->c->streams[dir];
	struct fr_wire_run then = *run;
	uint64_t hole_bytes = s->hole_bytes;

	s->hole_bytes = 0;
	if (!s->seen)
		return;
	then.dir = dir;
	then.at = s->last;
	then.at.stream_off = s->last.stream_off - hole_bytes;
	if (run->c->proto->datagrams) {
		struct fr_slice b = { .data = s->carry, .len_bytes = s->carry_bytes };

		s->carry_bytes = 0; /* the bytes stay where they are */
		then.at.stream_off -= b.len_bytes;
		feed_datagram(&then, b, b.len_bytes + hole_bytes);
		return;
	}
	if (s->carry_bytes)
		cut_units(&then, s->carry_bytes, false);
	feed_hole(&then, hole_bytes);
}

static struct fr_slice carry_of(const struct fr_wire_conn *c, enum fr_wire_dir dir)
{
	return (struct fr_slice){ .data = c->streams[dir].carry,
				  .len_bytes = c->streams[dir].carry_bytes };
}

static void find_protocol(struct fr_wire_run *run)
{
	struct fr_wire_conn *c = run->c;

	for (unsigned i = 0; fr_wire_protocols[i]; i++) {
		const struct fr_wire_protocol *p = fr_wire_protocols[i];

		for (unsigned turn = 0; turn < 2 && p->datagrams == c->datagram; turn++) {
			enum fr_wire_dir dir = turn ? fr_wire_other(c->request_dir) :
						      c->request_dir;

			if (p->detect(carry_of(c, dir), carry_of(c, fr_wire_other(dir))) < 2)
				continue;
			c->proto = p;
			c->turned = turn && c->side_known;
			c->request_dir = dir;
			replay(run, c->first_dir);
			replay(run, fr_wire_other(c->first_dir));
			return;
		}
	}
}

static void rejoin(struct fr_wire_run *run)
{
	struct fr_wire_conn *c = run->c;

	c->streams[run->dir].lost = false;
	c->streams[c->request_dir].infer = false;
	c->proto->rejoin(c->state, role_of(c, run->dir));
}

/* At a transfer's start that starts no message: only a reply to a later request is worth it, and
 * with none open the bytes can but be more of the reply that was lost. */
static bool may_rejoin(struct fr_wire_run *run)
{
	const struct fr_wire_conn *c = run->c;

	return c->proto && c->proto->any_border && !c->raw && c->streams[run->dir].lost &&
	       role_of(c, run->dir) == FR_WIRE_RESPONSE && c->pending_cnt &&
	       (c->pending_cnt > 1 || !c->pending[0].first.time_ns);
}

/*
 * The same direction as the part before, and yet a message begins: the other end spoke in between,
 * and nobody saw it. How much it said, only the next part of its direction will tell; but requests
 * that begin until then must not wait for replies that have passed.
 */
static void note_unseen(const struct fr_wire_run *run, bool start)
{
	struct fr_wire_run other = *run;
	struct fr_wire_conn *c = run->c;
	bool same = c->streams[run->dir].seen && c->last_dir == run->dir;

	c->last_dir = run->dir;
	other.dir = fr_wire_other(run->dir);
	if (start && same && c->proto && !c->raw && !c->streams[other.dir].endless)
		lose(&other);
}

static void message_starts(struct fr_wire_run *run)
{
	struct fr_wire_conn *c = run->c;
	struct fr_wire_stream *s = &c->streams[run->dir];

	s->joined &= !s->seen;
	if (!c->proto) {
		struct fr_wire_stream *o = &c->streams[fr_wire_other(run->dir)];

		if (s->carry_bytes || s->hole_bytes || !o->carry_bytes) {
			o->carry_bytes = s->carry_bytes = 0;
			o->hole_bytes = s->hole_bytes = 0;
			c->first_dir = run->dir;
		}
		return;
	}
	if (c->raw)
		return;
	if (s->lost)
		rejoin(run);
	s->infer = role_of(c, run->dir) == FR_WIRE_REQUEST && fr_wire_responses(c)->lost;
}

void fr_wire_conn_part(struct fr_wire_conn *c, const struct fr_wire_part *p, fr_request_fn *fn,
		       void *ctx)
{
	struct fr_wire_stream *s = &c->streams[p->dir];
	struct fr_wire_run run = {
		.c = c, .dir = p->dir, .fn = fn, .ctx = ctx,
		.at = { .time_ns = p->time_ns, .goid = p->goid, .tid = p->tid },
		.ends = &p->ends,
	};
	struct fr_slice b = p->captured;
	uint64_t left = p->transfer_bytes, told = 0;

	if (b.len_bytes > left)
		b.len_bytes = left;
	if (!s->seen) {
		s->next_off = p->stream_off;
		s->joined = p->first_sight && !c->streams[fr_wire_other(p->dir)].seen;
	}
	if (p->stream_off < s->next_off) { /* told before, in part or wholly */
		told = s->next_off - p->stream_off;
		if (told >= left)
			return;
		left -= told;
		b.data += told < b.len_bytes ? told : b.len_bytes;
		b.len_bytes -= told < b.len_bytes ? told : b.len_bytes;
	}
	if (!left || p->stream_off + told > UINT64_MAX - left)
		return;
	c->datagram = p->datagram;
	if (c->proto && c->proto->datagrams) {
		run.at.stream_off = p->stream_off + told;
		s->seen = true;
		s->next_off = run.at.stream_off + left;
		s->last = run.at;
		s->last.stream_off = s->next_off;
		feed_datagram(&run, b, left);
		return;
	}
	run.at.stream_off = s->next_off;
	if (p->stream_off > s->next_off) {
		mark_gap(&run);
		feed_hole(&run, p->stream_off - s->next_off);
		if (!c->proto)
			s->carry_bytes = 0;
		run.at.stream_off = p->stream_off;
	}
	note_unseen(&run, p->start && !p->datagram);
	if (p->start || p->datagram)
		message_starts(&run);
	else if (b.len_bytes && may_rejoin(&run))
		rejoin(&run);
	s->seen = true;
	s->next_off = run.at.stream_off + left;
	if (!c->proto && s->hole_bytes) /* what lies behind a hole helps nobody to find out */
		b.len_bytes = 0;
	s->last = run.at;
	s->last.stream_off = s->next_off;
	feed_bytes(&run, b);
	feed_hole(&run, left - b.len_bytes);
	if (!c->proto)
		find_protocol(&run);
}

static void stop(struct fr_wire_conn *c, bool closed, fr_request_fn *fn, void *ctx)
{
	struct fr_wire_run run = { .c = c, .fn = fn, .ctx = ctx };

	if (!c->proto)
		return;
	for (unsigned i = 0; i < 2; i++) {
		struct fr_wire_stream *s;

		run.dir = i ? fr_wire_other(c->request_dir) : c->request_dir;
		s = &c->streams[run.dir];
		run.at = s->last;
		if (s->carry_bytes)
			cut_units(&run, s->carry_bytes, true);
		s->carry_bytes = 0;
		s->skip_bytes = 0;
	}
	fr_wire_queue_drain(&run, closed);
}

void fr_wire_conn_close(struct fr_wire_conn *c, fr_request_fn *fn, void *ctx)
{
	stop(c, true, fn, ctx);
}

void fr_wire_conn_flush(struct fr_wire_conn *c, fr_request_fn *fn, void *ctx)
{
	stop(c, false, fn, ctx);
}

void fr_wire_conn_settle(struct fr_wire_conn *c)
{
	if (c->pending_cnt + c->unkept_cnt <= 1)
		c->doubt = false;
}
