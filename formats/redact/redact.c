/* SPDX-License-Identifier: BSD-2-Clause */
/* Transfers to units, as stitch.c cuts them, but each judged at once. The table of sockets. */
#include "redact.h"

#include <stdlib.h>

#include "../abi/sock.h"
#include "mask.h"

#define SETS 1024 /* powers of two */
#define WAYS 8
#define CARRIES 512
#define NO_CARRY UINT16_MAX
#define WORK_BYTES (FR_REDACT_UNIT_BYTES + FR_CAPTURE_MAX)

#define FR_REDACT_ROW(name) &fr_redact_##name,
const struct fr_redact_protocol *const fr_redact_protocols[] = {
	FR_REDACT_PROTOCOLS(FR_REDACT_ROW) NULL,
};

enum sync {
	SYNC_UNSEEN,
	SYNC_HELD,    /* a unit, or the rest of one, begins at next_off - carry_bytes */
	SYNC_LOST,    /* until the next message start */
	SYNC_ENDLESS, /* to the end of the stream nothing is looked at */
};

struct stream {
	uint64_t next_off;
	uint64_t skip_bytes; /* left of a unit whose rest is taken away */
	uint64_t unit_bytes; /* of the unit in the carry; 0 = not known yet */
	uint16_t carry;	     /* its bytes so far, as they were; NO_CARRY */
	uint16_t carry_bytes;
	uint8_t sync;
	uint8_t rest;	/* enum fr_removal of what is skipped */
	uint8_t placed; /* units were found in it, in the role that it has */
	uint8_t reserved_zero;
};

struct sock {
	uint64_t id; /* 0 = free */
	uint64_t used;
	const struct fr_redact_protocol *proto; /* NULL = not known yet */
	bool request_is_send;
	bool raw;
	struct stream streams[2]; /* received, sent */
	_Alignas(8) uint8_t memory[FR_REDACT_MEMORY_BYTES];
};

struct carry {
	struct sock *owner; /* NULL = free */
	uint64_t used;
	uint8_t dir;
	uint8_t bytes[FR_REDACT_UNIT_BYTES];
};

struct fr_redactor {
	struct fr_redact_rules rules;
	struct fr_redact_counts *counts; /* borrowed */
	uint64_t clock;
	struct sock socks[SETS][WAYS];
	struct carry carries[CARRIES];
	uint8_t in[WORK_BYTES], out[WORK_BYTES], why[WORK_BYTES];
};

/* One call. Bytes [0, fresh) of the work space came in earlier parts. */
struct run {
	struct fr_redactor *r;
	struct sock *k;
	struct stream *s;
	const struct fr_redact_part *part;
	size_t fresh, have, at;
	size_t keep_to; /* what lies behind it is cut off */
	bool turned;
};

static const char *const removal_names[FR_REMOVAL_CNT] = {
#define REMOVAL_NAME(NAME, name) [FR_REMOVED_##NAME] = #name,
	FR_REMOVALS(REMOVAL_NAME)
#undef REMOVAL_NAME
};

const char *fr_removal_name(enum fr_removal why)
{
	return removal_names[why];
}

struct fr_redactor *fr_redactor_new(const struct fr_redact_rules *rules,
				    struct fr_redact_counts *counts)
{
	struct fr_redactor *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->rules = *rules;
	r->counts = counts;
	return r;
}

void fr_redactor_free(struct fr_redactor *r)
{
	free(r);
}

/* ---- the table of sockets, and carries ------------------------------------------------------ */

static void drop_carry(struct fr_redactor *r, struct stream *s)
{
	if (s->carry != NO_CARRY)
		r->carries[s->carry].owner = NULL;
	s->carry = NO_CARRY;
	s->carry_bytes = 0;
	s->unit_bytes = 0;
}

static void lose(struct fr_redactor *r, struct stream *s)
{
	drop_carry(r, s);
	s->sync = SYNC_LOST;
	s->skip_bytes = 0;
}

static struct carry *take_carry(struct fr_redactor *r)
{
	struct carry *oldest = r->carries;

	for (unsigned i = 0; i < CARRIES; i++) {
		if (!r->carries[i].owner)
			return &r->carries[i];
		if (r->carries[i].used < oldest->used)
			oldest = &r->carries[i];
	}
	r->counts->evicted_cnt++;
	lose(r, &oldest->owner->streams[oldest->dir]);
	return oldest;
}

static struct sock *set_of(struct fr_redactor *r, uint64_t sock_id)
{
	return r->socks[sock_id * 0x9e3779b97f4a7c15u >> 54];
}

static void free_sock(struct fr_redactor *r, struct sock *k)
{
	drop_carry(r, &k->streams[0]);
	drop_carry(r, &k->streams[1]);
	k->id = 0;
}

static struct sock *find_sock(struct fr_redactor *r, uint64_t sock_id)
{
	struct sock *set = set_of(r, sock_id), *k = set;

	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].id == sock_id) {
			set[i].used = ++r->clock;
			return &set[i];
		}
		if (k->id && (!set[i].id || set[i].used < k->used))
			k = &set[i];
	}
	if (k->id) {
		r->counts->evicted_cnt++;
		free_sock(r, k);
	}
	*k = (struct sock){ .id = sock_id, .used = ++r->clock };
	k->streams[0].carry = k->streams[1].carry = NO_CARRY;
	return k;
}

void fr_redact_forget(struct fr_redactor *r, uint64_t sock_id)
{
	struct sock *set = set_of(r, sock_id);

	for (unsigned i = 0; sock_id && i < WAYS; i++)
		if (set[i].id == sock_id)
			free_sock(r, &set[i]);
}

/* ---- units ---------------------------------------------------------------------------------- */

static enum fr_wire_role role_of(const struct run *run)
{
	return run->part->is_send == run->k->request_is_send ? FR_WIRE_REQUEST : FR_WIRE_RESPONSE;
}

static bool looks_like(const struct fr_redact_protocol *p, enum fr_wire_role role,
		       struct fr_slice bytes)
{
	struct fr_slice none = { 0 };
	bool is_request = role == FR_WIRE_REQUEST;

	return p->wire->detect(is_request ? bytes : none, is_request ? none : bytes) == 2 ||
	       (p->begins && p->begins(role, bytes));
}

/* Whose message begins at run->at. Sets protocol and direction; false when nobody knows. */
static bool find_protocol(struct run *run)
{
	struct fr_slice bytes = { run->r->in + run->at, run->have - run->at };
	struct sock *k = run->k;

	for (unsigned i = 0; fr_redact_protocols[i]; i++) {
		const struct fr_redact_protocol *p = fr_redact_protocols[i];
		bool is_request = looks_like(p, FR_WIRE_REQUEST, bytes);

		if (p->datagram || (!is_request && !looks_like(p, FR_WIRE_RESPONSE, bytes)))
			continue;
		if (k->proto == p && k->request_is_send == (is_request == run->part->is_send))
			return false; /* that was tried */
		memset(k->memory, 0, sizeof(k->memory));
		k->proto = p;
		k->request_is_send = is_request == run->part->is_send;
		if (k->streams[!run->part->is_send].sync != SYNC_UNSEEN)
			lose(run->r, &k->streams[!run->part->is_send]);
		k->streams[0].placed = k->streams[1].placed = 0;
		return true;
	}
	return false;
}

static struct fr_mask mask_from(struct run *run)
{
	struct fr_mask m = {
		.in = run->r->in + run->at,
		.out = run->r->out + run->at,
		.why = run->r->why + run->at,
		.len_bytes = run->have - run->at,
		.fresh = run->fresh > run->at ? run->fresh - run->at : 0,
	};

	memset(m.out, '?', m.len_bytes);
	memset(m.why, FR_REMOVED_UNKNOWN, m.len_bytes);
	return m;
}

static void keep_carry(struct run *run, const struct fr_redact_unit *u)
{
	size_t cnt = run->have - run->at;
	struct carry *c;

	if (cnt > FR_REDACT_UNIT_BYTES) { /* too long to be judged further */
		if (u->unit_bytes) {
			run->s->skip_bytes = u->unit_bytes - cnt;
			run->s->rest = (uint8_t)u->rest;
		} else {
			lose(run->r, run->s);
		}
		return;
	}
	c = take_carry(run->r);
	c->owner = run->k;
	c->used = ++run->r->clock;
	c->dir = run->part->is_send;
	memcpy(c->bytes, run->r->in + run->at, cnt);
	run->s->carry = (uint16_t)(c - run->r->carries);
	run->s->carry_bytes = (uint16_t)cnt;
	run->s->unit_bytes = u->unit_bytes;
	run->s->rest = (uint8_t)u->rest;
}

/* A unit that ends beyond the bytes at hand: trailing filler need not be written. */
static void overrun(struct run *run, const struct fr_mask *m, const struct fr_redact_unit *u)
{
	struct stream *s = run->s;
	size_t kept = m->len_bytes;

	while (kept > u->need_bytes && m->why[kept - 1] != FR_REDACT_KEPT)
		kept--;
	if (kept)
		run->keep_to = run->at + kept;
	run->at = run->have;
	if (u->unit_bytes == FR_WIRE_LENGTH_UNKNOWN) {
		lose(run->r, s);
	} else if (u->unit_bytes == FR_WIRE_ENDLESS) {
		s->sync = SYNC_ENDLESS;
	} else {
		s->skip_bytes = u->unit_bytes - m->len_bytes;
		s->rest = (uint8_t)u->rest;
	}
}

static bool is_settled(const struct sock *k)
{
	return k->streams[0].placed && k->streams[1].placed;
}

static bool cut_unit(struct run *run)
{
	struct sock *k = run->k;
	struct fr_redact_unit u = { .rest = FR_REMOVED_UNKNOWN };
	struct fr_redact_look look;
	enum fr_wire_verdict v = FR_WIRE_LOST;
	struct fr_mask m = mask_from(run);

	look = (struct fr_redact_look){ .rules = &run->r->rules,
					.role = role_of(run),
					.memory = k->memory };
	if (k->proto)
		v = k->proto->mask(&look, &m, &u);
	switch (v) {
	case FR_WIRE_MORE:
		run->keep_to = run->have;
		keep_carry(run, &u);
		return false;
	case FR_WIRE_LOST:
		m = mask_from(run);
		if (run->part->start && run->at == run->fresh && !run->turned && !is_settled(k) &&
		    find_protocol(run)) {
			run->turned = true;
			return true;
		}
		lose(run->r, run->s);
		return false;
	case FR_WIRE_UNIT:
		break;
	}
	run->s->placed = 1;
	if (u.raw)
		k->raw = true;
	if (u.unit_bytes > m.len_bytes) {
		overrun(run, &m, &u);
		return false;
	}
	run->at += (size_t)u.unit_bytes;
	run->keep_to = run->at;
	return !k->raw;
}

static void skip(struct run *run)
{
	struct stream *s = run->s;
	size_t left = run->have - run->at;
	size_t n = s->skip_bytes < left ? (size_t)s->skip_bytes : left;

	memset(run->r->why + run->at, s->rest, n);
	s->skip_bytes -= n;
	run->at += n;
}

static void cut_units(struct run *run)
{
	bool on = true;

	while (on && run->at < run->have && run->s->sync == SYNC_HELD) {
		if (run->s->skip_bytes)
			skip(run);
		else
			on = cut_unit(run);
	}
}

/* ---- transfers ------------------------------------------------------------------------------ */

static void pass_hole(struct fr_redactor *r, struct stream *s, uint64_t hole_bytes)
{
	uint64_t n;

	if (!hole_bytes || s->sync != SYNC_HELD)
		return;
	if (s->carry != NO_CARRY) {
		if (!s->unit_bytes) {
			lose(r, s);
			return;
		}
		s->skip_bytes = s->unit_bytes - s->carry_bytes;
		drop_carry(r, s);
	}
	n = s->skip_bytes < hole_bytes ? s->skip_bytes : hole_bytes;
	s->skip_bytes -= n;
	if (n < hole_bytes)
		lose(r, s);
}

/* Puts the work space together: what is carried, then the bytes of this part. */
static void fill(struct run *run, const uint8_t *bytes, size_t cnt)
{
	struct fr_redactor *r = run->r;
	struct stream *s = run->s;

	run->fresh = s->carry_bytes;
	run->have = run->fresh + cnt;
	if (run->fresh)
		memcpy(r->in, r->carries[s->carry].bytes, run->fresh);
	memcpy(r->in + run->fresh, bytes, cnt);
	memset(r->out, '?', run->have);
	memset(r->why, FR_REMOVED_UNKNOWN, run->have);
	drop_carry(r, s);
}

/* Counts what goes, puts what stays into its place. */
static size_t finish(struct run *run, uint8_t *bytes)
{
	struct fr_redactor *r = run->r;
	size_t keep_to = run->keep_to > run->fresh ? run->keep_to : run->fresh;

	for (size_t i = run->fresh, from = i; i < run->have; from = i) {
		uint8_t why = r->why[from];

		while (i < run->have && r->why[i] == why)
			i++;
		if (why != FR_REDACT_KEPT)
			r->counts->removed_bytes[why] += i - from;
	}
	memcpy(bytes, r->out + run->fresh, keep_to - run->fresh);
	return keep_to - run->fresh;
}

static size_t nothing(struct fr_redactor *r, size_t cnt)
{
	r->counts->removed_bytes[FR_REMOVED_UNKNOWN] += cnt;
	return 0;
}

static size_t datagram(struct run *run, uint8_t *bytes)
{
	struct fr_redactor *r = run->r;
	_Alignas(8) uint8_t memory[FR_REDACT_MEMORY_BYTES] = { 0 };
	struct fr_redact_look look = { .rules = &r->rules, .memory = memory };
	struct fr_slice in = { r->in, run->have };
	struct fr_redact_unit u = { 0 };
	struct fr_mask m = mask_from(run);

	for (unsigned i = 0; fr_redact_protocols[i]; i++) {
		const struct fr_redact_protocol *p = fr_redact_protocols[i];

		if (!p->datagram)
			continue;
		look.role = looks_like(p, FR_WIRE_REQUEST, in) ? FR_WIRE_REQUEST : FR_WIRE_RESPONSE;
		if ((look.role == FR_WIRE_RESPONSE && !looks_like(p, FR_WIRE_RESPONSE, in)) ||
		    p->mask(&look, &m, &u) == FR_WIRE_LOST) {
			m = mask_from(run);
			continue;
		}
		for (size_t k = 0; k < run->have; k++)
			if (m.why[k] == FR_REDACT_KEPT)
				run->keep_to = k + 1;
		break;
	}
	return finish(run, bytes);
}

/* A part that starts no message: only a reply that was lost may be found again. */
static bool may_rejoin(struct run *run, const uint8_t *bytes, size_t cnt)
{
	const struct fr_redact_protocol *p = run->k->proto;

	return p && p->any_border && run->s->sync == SYNC_LOST && is_settled(run->k) &&
	       role_of(run) == FR_WIRE_RESPONSE &&
	       p->wire->detect((struct fr_slice){ 0 }, (struct fr_slice){ bytes, cnt }) == 2;
}

static size_t streamed(struct run *run, uint8_t *bytes, size_t cnt)
{
	const struct fr_redact_part *p = run->part;
	struct stream *s = run->s;
	struct sock *k = run->k;

	if (s->sync != SYNC_UNSEEN && p->stream_off < s->next_off)
		return nothing(run->r, cnt); /* overtaken by a later part: its place is unknown */
	if (s->sync != SYNC_UNSEEN)
		pass_hole(run->r, s, p->stream_off - s->next_off);
	s->next_off = p->stream_off + p->transfer_bytes;
	if (k->raw || s->sync == SYNC_ENDLESS)
		return nothing(run->r, cnt);
	if (s->sync != SYNC_HELD) {
		if (!p->start && !may_rejoin(run, bytes, cnt)) {
			s->sync = SYNC_LOST;
			return nothing(run->r, cnt);
		}
		if (k->proto && s->sync == SYNC_LOST)
			k->proto->rejoin(k->memory, role_of(run));
		s->sync = SYNC_HELD;
	}
	if (p->start && k->proto && k->streams[!p->is_send].sync == SYNC_LOST)
		k->proto->other_lost(k->memory, role_of(run));
	fill(run, bytes, cnt);
	cut_units(run);
	pass_hole(run->r, s, p->transfer_bytes - cnt);
	return finish(run, bytes);
}

size_t fr_redact_bytes(struct fr_redactor *r, const struct fr_redact_part *p, uint8_t *bytes,
		       size_t bytes_cnt)
{
	struct run run = { .r = r, .part = p };
	size_t cnt = bytes_cnt < FR_CAPTURE_MAX ? bytes_cnt : FR_CAPTURE_MAX;

	if (cnt > p->transfer_bytes)
		cnt = (size_t)p->transfer_bytes;
	nothing(r, bytes_cnt - cnt);
	if (p->stream_off > UINT64_MAX - p->transfer_bytes || (!p->sock_id && !p->datagram) || !cnt)
		return nothing(r, cnt);
	if (p->datagram) {
		run.have = cnt;
		memcpy(r->in, bytes, cnt);
		return datagram(&run, bytes);
	}
	run.k = find_sock(r, p->sock_id);
	run.s = &run.k->streams[p->is_send];
	return streamed(&run, bytes, cnt);
}
