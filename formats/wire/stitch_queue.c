/* SPDX-License-Identifier: BSD-2-Clause */
/* Open requests: in at the end, out at the front or by id, texts packed in the same order. */
#include "stitch_queue.h"

#define HOST_BYTES 256
#define TRACEPARENT_BYTES 128
#define TRACESTATE_BYTES 512

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

static unsigned texts_of(const struct fr_wire_pending *e)
{
	return (unsigned)e->text_bytes + e->host_bytes + e->traceparent_bytes + e->tracestate_bytes;
}

static uint8_t keep_word(char *to, size_t to_bytes, struct fr_slice s)
{
	size_t n = min_size(to_bytes, s.len_bytes);

	if (n)
		memcpy(to, s.data, n);
	return (uint8_t)n;
}

/* Appends up to most_bytes of s to the texts; returns how many. */
static uint16_t keep_text(struct fr_wire_conn *c, struct fr_wire_pending *e, struct fr_slice s,
			  size_t most_bytes)
{
	size_t n = min_size(s.len_bytes, most_bytes), room = sizeof(c->texts_data) - c->texts_bytes;

	if (n > room) {
		e->marks |= FR_MARK_TEXT_LOST;
		n = 0;
	} else if (n < s.len_bytes) {
		e->marks |= FR_MARK_CUT;
	}
	if (n)
		memcpy(c->texts_data + c->texts_bytes, s.data, n);
	c->texts_bytes += (uint32_t)n;
	return (uint16_t)n;
}

static uint16_t keep_tracestate(struct fr_wire_conn *c, struct fr_wire_pending *e,
				const struct fr_wire_unit *u)
{
	struct fr_slice comma = { .data = (const uint8_t *)",", .len_bytes = 1 };
	unsigned n = 0;

	for (unsigned i = 0; i < u->tracestate_cnt && i < FR_WIRE_TRACESTATES; i++) {
		if (n + 1 >= TRACESTATE_BYTES)
			break;
		if (n)
			n += keep_text(c, e, comma, 1);
		n += keep_text(c, e, u->tracestate[i], TRACESTATE_BYTES - n);
	}
	return (uint16_t)n;
}

static void finish(struct fr_wire_run *run, unsigned index, struct fr_wire_point end);

/* Is this what the number of the datagram in hand means? Other ends number by themselves. */
static bool is_same_id(const struct fr_wire_run *run, const struct fr_wire_pending *e, uint64_t id)
{
	if (e->id != id || e->request_dir != run->c->request_dir)
		return false;
	if (!run->ends || !run->ends->remote_port || !e->ends.remote_port)
		return true;
	return run->ends->remote_port == e->ends.remote_port &&
	       !memcmp(run->ends->remote, e->ends.remote, sizeof(e->ends.remote));
}

/* Datagrams get lost, and nobody says so: one that is asked again, and the oldest when there is no
 * room, have had no reply. */
static void make_room(struct fr_wire_run *run, uint64_t id)
{
	struct fr_wire_conn *c = run->c;
	unsigned i = 0;

	while (i < c->pending_cnt && !is_same_id(run, &c->pending[i], id))
		i++;
	if (i == c->pending_cnt && c->pending_cnt < FR_WIRE_PENDING_MAX)
		return;
	i = i == c->pending_cnt ? 0 : i;
	c->pending[i].marks |= FR_MARK_END_UNSEEN;
	finish(run, i, (struct fr_wire_point){ 0 });
}

void fr_wire_queue_push(struct fr_wire_run *run, const struct fr_wire_unit *u,
			struct fr_wire_point start)
{
	struct fr_wire_conn *c = run->c;
	bool doubt = !c->proto->by_id && (c->doubt || c->streams[c->request_dir].joined);
	struct fr_wire_pending *e;

	if (c->proto->datagrams)
		make_room(run, u->id);
	if (c->pending_cnt == FR_WIRE_PENDING_MAX || c->unkept_cnt) {
		c->unkept_cnt++;
		c->overflow_cnt++;
		return;
	}
	e = &c->pending[c->pending_cnt++];
	*e = (struct fr_wire_pending){
		.start = start,
		.sent = start,
		.id = u->id,
		.ends = run->ends ? *run->ends : (struct fr_sock_addr){ 0 },
		.response_off = fr_wire_responses(c)->next_off,
		.marks = u->marks | (doubt ? FR_MARK_MATCH_INFERRED : 0),
		.status = FR_WIRE_STATUS_UNKNOWN,
		.kind = u->kind,
		.request_dir = (uint8_t)c->request_dir,
		.quiet = !!(u->effects & FR_UNIT_QUIET),
		.traceparent_cnt = u->traceparent_cnt,
		.version = u->version,
	};
	e->command_bytes = keep_word(e->command, sizeof(e->command), u->command);
	e->text_bytes = keep_text(c, e, u->text, FR_WIRE_TEXT_BYTES);
	e->host_bytes = keep_text(c, e, u->host, HOST_BYTES);
	e->traceparent_bytes = keep_text(c, e, u->traceparent, TRACEPARENT_BYTES);
	e->tracestate_bytes = keep_tracestate(c, e, u);
}

static unsigned texts_before(const struct fr_wire_conn *c, unsigned index)
{
	unsigned at = 0;

	for (unsigned i = 0; i < index; i++)
		at += texts_of(&c->pending[i]);
	return at;
}

static void take_out(struct fr_wire_conn *c, unsigned index)
{
	unsigned at = texts_before(c, index), n = texts_of(&c->pending[index]);

	memmove(c->texts_data + at, c->texts_data + at + n, c->texts_bytes - at - n);
	c->texts_bytes -= n;
	c->pending_cnt--;
	memmove(&c->pending[index], &c->pending[index + 1],
		(c->pending_cnt - index) * sizeof(c->pending[0]));
}

void fr_wire_queue_drop(struct fr_wire_conn *c)
{
	c->unmatched_cnt += c->pending_cnt;
	c->pending_cnt = c->texts_bytes = 0;
	c->unkept_cnt = 0;
}

static struct fr_slice next_text(const uint8_t **at, size_t bytes)
{
	struct fr_slice s = { .data = *at, .len_bytes = bytes };

	*at += bytes;
	return s;
}

static struct fr_slice word_of(const char *data, size_t bytes)
{
	return (struct fr_slice){ .data = (const uint8_t *)data, .len_bytes = bytes };
}

void fr_wire_conn_peek(const struct fr_wire_conn *c, uint32_t index, struct fr_request *ret)
{
	const struct fr_wire_pending *e = &c->pending[index];
	const uint8_t *text = c->texts_data + texts_before(c, index);

	*ret = (struct fr_request){
		.protocol = c->proto->id,
		.server = (c->proto->datagrams ? e->request_dir : c->request_dir) == FR_WIRE_RECV,
		.kind = e->kind,
		.traceparent_cnt = e->traceparent_cnt,
		.marks = e->marks,
		.status = e->status,
		.tag = e->tag,
		.error_nr = e->error_nr,
		.version = e->version,
		.ends = e->ends,
		.start = e->start,
		.sent = e->sent,
		.first = e->first,
		.command = word_of(e->command, e->command_bytes),
		.code = word_of(e->code, e->code_bytes),
		.severity = word_of(e->severity, e->severity_bytes),
	};
	ret->text = next_text(&text, e->text_bytes);
	ret->host = next_text(&text, e->host_bytes);
	ret->traceparent = next_text(&text, e->traceparent_bytes);
	ret->tracestate = next_text(&text, e->tracestate_bytes);
	if (!(e->marks & FR_MARK_START_UNSEEN))
		ret->request_bytes = e->sent.stream_off - e->start.stream_off;
	if (c->proto->session)
		c->proto->session(c->state, &ret->user, &ret->database);
}

static void hand_out(struct fr_wire_run *run, unsigned index, struct fr_wire_point end)
{
	struct fr_request r;

	fr_wire_conn_peek(run->c, index, &r);
	r.end = end;
	if (r.first.time_ns && end.time_ns)
		r.response_bytes = end.stream_off - r.first.stream_off;
	run->fn(run->ctx, &r);
}

static void finish(struct fr_wire_run *run, unsigned index, struct fr_wire_point end)
{
	const struct fr_wire_pending *e = &run->c->pending[index];

	if (!e->quiet || e->failed)
		hand_out(run, index, end);
	take_out(run->c, index);
}

/* The oldest open request that a reply may belong to, or -1. */
static int find(const struct fr_wire_run *run, uint8_t kinds, uint64_t id)
{
	const struct fr_wire_conn *c = run->c;

	for (unsigned i = 0; i < c->pending_cnt; i++) {
		const struct fr_wire_pending *e = &c->pending[i];

		if (e->kind & kinds && (!c->proto->by_id || is_same_id(run, e, id)))
			return (int)i;
		if (e->kind & c->proto->barriers)
			break;
	}
	return -1;
}

/* The request was not seen, but its reply is: only where requests can have been missed. */
static int push_orphan(struct fr_wire_run *run, const struct fr_wire_unit *u)
{
	const struct fr_wire_stream *requests = &run->c->streams[run->c->request_dir];
	struct fr_wire_unit orphan = {
		.kind = u->kind,
		.id = u->id,
		.marks = FR_MARK_START_UNSEEN,
	};

	if (run->c->pending_cnt || run->c->unkept_cnt || (requests->seen && !requests->lost)) {
		run->c->unmatched_cnt += !run->c->unkept_cnt;
		return -1;
	}
	fr_wire_queue_push(run, &orphan, (struct fr_wire_point){ 0 });
	return 0;
}

void fr_wire_queue_disown(struct fr_wire_run *run)
{
	struct fr_wire_unit *over = &run->c->streams[run->dir].over;

	*over = (struct fr_wire_unit){ .effects = over->effects & FR_UNIT_RAW };
	run->c->unmatched_cnt++;
}

void fr_wire_queue_reply(struct fr_wire_run *run, const struct fr_wire_unit *u,
			 struct fr_wire_point start)
{
	struct fr_wire_conn *c = run->c;
	struct fr_wire_pending *e;
	int index;

	if (!(u->effects & (FR_UNIT_REPLY | FR_UNIT_FAIL)))
		return;
	if (u->effects & FR_UNIT_FAIL && !c->proto->by_id)
		index = c->pending_cnt ? 0 : -1;
	else
		index = find(run, u->answers, u->id);
	if (index >= 0 && u->effects & FR_UNIT_HEAD && c->pending[index].first.time_ns) {
		/* the end of the reply before this one was passed over */
		c->pending[index].marks |= FR_MARK_END_INFERRED;
		finish(run, (unsigned)index, start);
		index = find(run, u->answers, u->id);
	}
	if (index >= 0 && start.time_ns < c->pending[index].start.time_ns) {
		/* begun before this one was asked: it answers one that nobody saw, or is over */
		fr_wire_queue_disown(run);
		return;
	}
	if (index < 0 && u->effects & FR_UNIT_ORPHAN)
		index = push_orphan(run, u);
	if (index < 0)
		return;
	e = &c->pending[index];
	if (!(e->marks & FR_MARK_START_UNSEEN))
		c->settled = true;
	if (!e->first.time_ns) {
		e->first = start;
		if (e->reply_lost && !c->proto->by_id) /* its own may have been among those */
			e->marks |= FR_MARK_MATCH_INFERRED;
	}
	e->marks |= u->marks;
	if (run->ends && run->ends->remote_port && !e->ends.remote_port)
		e->ends = *run->ends; /* a receive did not know, but the answer went there */
	if (u->status != FR_WIRE_STATUS_UNKNOWN && !e->failed)
		e->status = u->status;
	if (u->effects & FR_UNIT_FAIL && !e->failed) {
		e->failed = 1;
		e->error_nr = u->error_nr;
		e->code_bytes = keep_word(e->code, sizeof(e->code), u->code);
		e->severity_bytes = keep_word(e->severity, sizeof(e->severity), u->severity);
	}
	if (u->command.len_bytes && !e->command_bytes)
		e->command_bytes = keep_word(e->command, sizeof(e->command), u->command);
}

/* All up to the first open request of these kinds is over; -1 = there is none. */
static void pass_barrier(struct fr_wire_run *run, const struct fr_wire_unit *u)
{
	struct fr_wire_conn *c = run->c;
	bool failed = false;
	unsigned last = 0;

	while (last < c->pending_cnt && !(c->pending[last].kind & u->ends))
		last++;
	if (last == c->pending_cnt || run->at.time_ns < c->pending[last].start.time_ns) {
		c->unmatched_cnt++;
		return;
	}
	for (unsigned i = 0; i <= last; i++) {
		struct fr_wire_pending *e = &c->pending[0];

		if (i == last && !e->failed && !e->reply_lost && !failed)
			e->status = u->done_status;
		else if (i < last && !e->failed)
			e->marks |= failed ? FR_MARK_SKIPPED : FR_MARK_END_INFERRED;
		failed |= e->failed;
		finish(run, 0, run->at);
	}
}

void fr_wire_queue_over(struct fr_wire_run *run, const struct fr_wire_unit *u)
{
	struct fr_wire_conn *c = run->c;
	int index;

	if (u->effects & FR_UNIT_BARRIER) {
		pass_barrier(run, u);
	} else if (u->ends) {
		index = find(run, u->ends, u->id);
		if (index >= 0 && run->at.time_ns < c->pending[index].start.time_ns) {
			c->unmatched_cnt++; /* over before this one was asked */
		} else if (index >= 0) {
			struct fr_wire_pending *e = &c->pending[index];

			if (u->done_status != FR_WIRE_STATUS_UNKNOWN && !e->failed)
				e->status = u->done_status;
			finish(run, (unsigned)index, run->at);
		} else if (!c->pending_cnt && c->unkept_cnt) {
			c->unkept_cnt--;
		}
	}
}

/* Over, but when? At the last reply byte, if any came after it. */
static void end_somewhere(struct fr_wire_run *run, uint32_t mark)
{
	const struct fr_wire_point *last = &fr_wire_responses(run->c)->last;
	struct fr_wire_pending *e = &run->c->pending[0];
	bool answered = e->first.time_ns || (!run->c->proto->datagrams && last->time_ns &&
					     last->stream_off > e->response_off);

	if (!answered)
		mark = FR_MARK_END_UNSEEN;
	e->marks |= mark;
	finish(run, 0, answered ? *last : (struct fr_wire_point){ 0 });
}

void fr_wire_queue_infer(struct fr_wire_run *run)
{
	struct fr_wire_conn *c = run->c;
	bool hidden = c->unkept_cnt;

	while (c->pending_cnt) {
		hidden |= !c->pending[0].first.time_ns && !c->pending[0].quiet;
		end_somewhere(run, FR_MARK_END_INFERRED);
	}
	c->unkept_cnt = 0;
	/* replies to these may yet come, and would be taken for others' */
	if (hidden && !c->proto->barriers)
		c->doubt = true;
}

void fr_wire_queue_drain(struct fr_wire_run *run, bool closed)
{
	struct fr_wire_conn *c = run->c;
	const struct fr_wire_stream *responses = fr_wire_responses(c);

	while (c->pending_cnt) {
		const struct fr_wire_pending *e = &c->pending[0];
		bool ends = closed && e->first.time_ns && (e->failed || responses->endless);
		bool inferred = closed && e->first.time_ns && responses->lost;

		end_somewhere(run, ends ? 0 : inferred ? FR_MARK_END_INFERRED : FR_MARK_END_UNSEEN);
	}
	c->unkept_cnt = 0;
}
