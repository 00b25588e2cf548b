/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which numbers the records of a dump use, and which of them its identity tables explain. What is
 * used inside the common window and explained nowhere is `unnamed`.
 *
 * Thread ids are bits in two maps of 2^22 (pages that nobody touches take no memory). Sockets and
 * (tid, start time) pairs are hashed into sets of a fixed size; beyond it, what is unknown is
 * counted as unchecked, never as named.
 */
#ifndef FR_RECORDER_DUMP_SEEN_H
#define FR_RECORDER_DUMP_SEEN_H

#include <stdbool.h>
#include <stdint.h>

/* Keys below 2^62, not 0. */
struct fr_idset {
	uint64_t *slots; /* key | marks << 62; 0 = free. Owned */
	uint32_t mask;
	uint32_t cnt;
	uint64_t refused; /* keys that found no room */
};

#define FR_MARK_SEEN 0x1u
#define FR_MARK_KNOWN 0x2u

/* Room for 3/4 of 1 << bits keys. -ENOMEM. */
int fr_idset_init(struct fr_idset *s, uint32_t bits);
void fr_idset_done(struct fr_idset *s);
/* Adds marks to a key, which is put in if it is new. Returns the marks it had before. */
uint32_t fr_idset_mark(struct fr_idset *s, uint64_t key, uint32_t marks);
uint32_t fr_idset_marks(const struct fr_idset *s, uint64_t key);
/* Keys with exactly these marks. */
uint64_t fr_idset_count(const struct fr_idset *s, uint32_t marks);

struct fr_seen {
	uint64_t *tid_seen, *tid_known; /* 2^22 bits; owned */
	struct fr_idset socks;
	uint64_t from_ns; /* records before it are not looked at: common window */
};

/* 0 or -ENOMEM. */
int fr_seen_init(struct fr_seen *s);
void fr_seen_done(struct fr_seen *s);
void fr_seen_known_tid(struct fr_seen *s, uint32_t tid);
bool fr_seen_is_known_tid(const struct fr_seen *s, uint32_t tid);
/* Returns true if it was known before. */
bool fr_seen_known_sock(struct fr_seen *s, uint64_t sock_id);
/* Marks what a record of the ring refers to. */
void fr_seen_record(struct fr_seen *s, const uint8_t *record, uint64_t time_ns);
uint64_t fr_seen_unnamed_threads(const struct fr_seen *s);
/* The lowest unnamed tid that is not below `from`; 0 = there is none. */
uint32_t fr_seen_next_unnamed(const struct fr_seen *s, uint32_t from);
uint64_t fr_seen_unnamed_sockets(const struct fr_seen *s);

#endif
