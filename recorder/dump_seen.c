/* SPDX-License-Identifier: BSD-2-Clause */
#include "dump_seen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "formats/abi/event.h"
#include "formats/base/bytes.h"

#define MARK_SHIFT 62
#define KEY_MASK ((1ull << MARK_SHIFT) - 1)
#define TID_WORDS ((1u << FR_TID_BITS) / 64)
#define SOCK_BITS 16

/* ---- sets --------------------------------------------------------------------------------- */

int fr_idset_init(struct fr_idset *s, uint32_t bits)
{
	*s = (struct fr_idset){ .mask = (1u << bits) - 1 };
	s->slots = calloc((size_t)1 << bits, sizeof(*s->slots));
	return s->slots ? 0 : -ENOMEM;
}

void fr_idset_done(struct fr_idset *s)
{
	free(s->slots);
	*s = (struct fr_idset){ 0 };
}

/* Where the key is, or where it would go. */
static uint64_t *slot_of(const struct fr_idset *s, uint64_t key)
{
	uint64_t h = key * 0x9e3779b97f4a7c15ull;
	uint32_t at = (uint32_t)(h >> 32) & s->mask;

	while (s->slots[at] && (s->slots[at] & KEY_MASK) != key)
		at = (at + 1) & s->mask;
	return &s->slots[at];
}

uint32_t fr_idset_marks(const struct fr_idset *s, uint64_t key)
{
	return (uint32_t)(*slot_of(s, key & KEY_MASK) >> MARK_SHIFT);
}

uint32_t fr_idset_mark(struct fr_idset *s, uint64_t key, uint32_t marks)
{
	uint64_t *slot = slot_of(s, key & KEY_MASK);
	uint32_t before = (uint32_t)(*slot >> MARK_SHIFT);

	if (!*slot) {
		if (s->cnt >= s->mask / 4 * 3) {
			s->refused++;
			return 0;
		}
		s->cnt++;
		*slot = key & KEY_MASK;
	}
	*slot |= (uint64_t)marks << MARK_SHIFT;
	return before;
}

uint64_t fr_idset_count(const struct fr_idset *s, uint32_t marks)
{
	uint64_t cnt = 0;

	for (uint32_t i = 0; i <= s->mask; i++)
		cnt += s->slots[i] && s->slots[i] >> MARK_SHIFT == marks;
	return cnt;
}

/* ---- threads and sockets ------------------------------------------------------------------ */

int fr_seen_init(struct fr_seen *s)
{
	int err;

	*s = (struct fr_seen){
		.tid_seen = calloc(TID_WORDS, sizeof(uint64_t)),
		.tid_known = calloc(TID_WORDS, sizeof(uint64_t)),
	};
	err = fr_idset_init(&s->socks, SOCK_BITS);
	if (err || !s->tid_seen || !s->tid_known) {
		fr_seen_done(s);
		return -ENOMEM;
	}
	fr_seen_known_tid(s, 0); /* swapper/N */
	return 0;
}

void fr_seen_done(struct fr_seen *s)
{
	free(s->tid_seen);
	free(s->tid_known);
	fr_idset_done(&s->socks);
	*s = (struct fr_seen){ 0 };
}

static void set_tid(uint64_t *bits, uint32_t tid)
{
	if (tid <= FR_TID_MASK)
		bits[tid / 64] |= 1ull << tid % 64;
}

void fr_seen_known_tid(struct fr_seen *s, uint32_t tid)
{
	set_tid(s->tid_known, tid);
}

bool fr_seen_is_known_tid(const struct fr_seen *s, uint32_t tid)
{
	return tid <= FR_TID_MASK && s->tid_known[tid / 64] >> tid % 64 & 1;
}

bool fr_seen_known_sock(struct fr_seen *s, uint64_t sock_id)
{
	return sock_id && fr_idset_mark(&s->socks, sock_id, FR_MARK_KNOWN) & FR_MARK_KNOWN;
}

static void see_sock(struct fr_seen *s, uint64_t sock_id)
{
	if (sock_id)
		(void)fr_idset_mark(&s->socks, sock_id, FR_MARK_SEEN);
}

/* Field of a record that the kernel side has filled: the record is as long as its struct. */
#define FIELD32(record, type, field) fr_load32((record) + offsetof(struct type, field))
#define FIELD64(record, type, field) fr_load64((record) + offsetof(struct type, field))

static void see_other(struct fr_seen *s, const uint8_t *r, uint32_t kind)
{
	switch (kind) {
	case FR_EV_SOCK_SEND:
	case FR_EV_SOCK_RECV:
		set_tid(s->tid_seen, FIELD32(r, fr_sock_io, tid));
		/* a datagram's record says both addresses itself, and its socket ends unseen */
		if (!(FIELD32(r, fr_sock_io, flags) & FR_IO_ADDR))
			see_sock(s, FIELD64(r, fr_sock_io, sock_id));
		break;
	case FR_EV_SOCK_STATE:
		see_sock(s, FIELD64(r, fr_sock_state, sock_id));
		break;
	case FR_EV_SOCK_ACCEPT:
		set_tid(s->tid_seen, FIELD32(r, fr_sock_accept, tid));
		see_sock(s, FIELD64(r, fr_sock_accept, sock_id));
		break;
	case FR_EV_TCP_RETRANSMIT:
		see_sock(s, FIELD64(r, fr_tcp_retransmit, sock_id));
		break;
	case FR_EV_TCP_RESET:
		see_sock(s, FIELD64(r, fr_tcp_reset, sock_id));
		break;
	case FR_EV_BLOCK_ISSUE:
		set_tid(s->tid_seen, FIELD32(r, fr_block_issue, tid));
		break;
	}
}

void fr_seen_record(struct fr_seen *s, const uint8_t *record, uint64_t time_ns)
{
	uint64_t word = fr_load64(record), who;
	uint32_t kind = FR_RECORD_KIND(word);

	if (time_ns < s->from_ns)
		return;
	if (kind == FR_EV_SCHED_SWITCH) {
		who = FIELD64(record, fr_sched_switch, who);
		set_tid(s->tid_seen, FR_SWITCH_PREV(who));
		set_tid(s->tid_seen, FR_SWITCH_NEXT(who));
	} else if (kind == FR_EV_SCHED_WAKING) {
		who = FIELD64(record, fr_sched_waking, who);
		set_tid(s->tid_seen, FR_WAKING_WAKEE(who));
		set_tid(s->tid_seen, FR_WAKING_WAKER(who));
	} else {
		see_other(s, record, kind);
	}
}

uint64_t fr_seen_unnamed_threads(const struct fr_seen *s)
{
	uint64_t cnt = 0;

	for (uint32_t i = 0; i < TID_WORDS; i++)
		cnt += (uint64_t)__builtin_popcountll(s->tid_seen[i] & ~s->tid_known[i]);
	return cnt;
}

uint32_t fr_seen_next_unnamed(const struct fr_seen *s, uint32_t from)
{
	uint64_t word;

	for (uint32_t i = from / 64; i < TID_WORDS; i++) {
		word = s->tid_seen[i] & ~s->tid_known[i];
		if (i == from / 64)
			word &= ~0ull << from % 64;
		if (word)
			return i * 64 + (uint32_t)__builtin_ctzll(word);
	}
	return 0;
}

uint64_t fr_seen_unnamed_sockets(const struct fr_seen *s)
{
	return fr_idset_count(&s->socks, FR_MARK_SEEN);
}
