/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Triggers by what passes through sockets: errors in replies, and replies that took too long. Looks
 * at bytes that the record holds anyway, at the start of messages only, of the protocol that the
 * socket has shown itself to speak. What is encrypted shows nothing.
 *
 * A connection whose two ends are on this host gives one cause: the end that serves is looked at,
 * and of the end that asks only what cannot be seen from the other.
 */
#ifndef FR_BPF_TRIGGER_H
#define FR_BPF_TRIGGER_H

#include "services.bpf.h"
#include "sockstate.bpf.h"

#define FR_LOOK_BYTES 256    /* of a message's first bytes, a power of two */
#define FR_LEARN_TRIES 16    /* messages, then a socket is left alone */
#define FR_REPLY_WALK_MAX 12 /* PostgreSQL: messages of a reply */
#define FR_FIELD_WALK_MAX 48 /* and bytes of an error's fields */

/* A record in the ring with the bytes behind it. Where they end is captured_bytes; there is always
 * room for a read beyond, as the ring's sub-buffers don't end before it. */
struct fr_look {
	struct fr_sock_io io;
	__u8 bytes[FR_LOOK_BYTES + 16];
};

FR_INLINE __u32 fr_look_be32(const struct fr_look *e, __u32 at)
{
	return bpf_ntohl(*(const __u32 *)(e->bytes + FR_BELOW(at, FR_LOOK_BYTES)));
}

FR_INLINE __u32 fr_look_byte(const struct fr_look *e, __u32 at)
{
	return e->bytes[FR_BELOW(at, FR_LOOK_BYTES)];
}

FR_INLINE __u64 fr_look_first(const struct fr_look *e)
{
	return *(const __u64 *)e->bytes;
}

FR_INLINE bool fr_is_digit(__u32 c)
{
	return c - '0' < 10;
}

FR_INLINE bool fr_is_upper(__u32 c)
{
	return c - 'A' < 26;
}

#define FR_WORD4(a, b, c, d) ((__u32)(a) | (__u32)(b) << 8 | (__u32)(c) << 16 | (__u32)(d) << 24)

/* ---- which protocol ---------------------------------------------------------------------- */

FR_INLINE bool fr_http_request(__u32 word)
{
	return word == FR_WORD4('G', 'E', 'T', ' ') || word == FR_WORD4('P', 'O', 'S', 'T') ||
	       word == FR_WORD4('P', 'U', 'T', ' ') || word == FR_WORD4('H', 'E', 'A', 'D') ||
	       word == FR_WORD4('D', 'E', 'L', 'E') || word == FR_WORD4('P', 'A', 'T', 'C') ||
	       word == FR_WORD4('O', 'P', 'T', 'I');
}

/* "HTTP/1." */
FR_INLINE bool fr_http_reply(__u64 first)
{
	return (first & 0x00ffffffffffffffull) == 0x002e312f50545448ull;
}

#define FR_PG_SSL 80877103u
#define FR_PG_GSS 80877104u
#define FR_PG_PROTOCOL 3u

/* A start of a session, or a query whose length fits what was sent. */
FR_INLINE bool fr_pg_request(const struct fr_look *e, __u32 got)
{
	__u32 type = fr_look_byte(e, 0), total = e->io.result, length, code;

	if (got < 8)
		return false;
	length = fr_look_be32(e, 0);
	code = fr_look_be32(e, 4);
	if (length == total &&
	    (code >> 16 == FR_PG_PROTOCOL || code == FR_PG_SSL || code == FR_PG_GSS))
		return true;
	length = fr_look_be32(e, 1) + 1;
	if (type == 'Q')
		return length == total;
	return (type == 'P' || type == 'B') && length > 7 && length < total;
}

FR_INLINE __u32 fr_mysql_length(__u64 first)
{
	return first & 0xffffff;
}

#define FR_MYSQL_QUERY 3u
#define FR_MYSQL_PREPARE 22u
#define FR_MYSQL_GREETING 10u

/* A whole packet with the number 0: a statement in letters. */
FR_INLINE bool fr_mysql_request(__u64 first, __u32 total)
{
	__u32 command = first >> 32 & 0xff, letter = first >> 40 & 0xdf;

	return fr_mysql_length(first) + 4 == total && !(first >> 24 & 0xff) &&
	       (command == FR_MYSQL_QUERY || command == FR_MYSQL_PREPARE) && fr_is_upper(letter);
}

/* The server speaks first: protocol 10, and its version. */
FR_INLINE bool fr_mysql_greeting(__u64 first, __u32 total)
{
	return fr_mysql_length(first) + 4 == total && !(first >> 24 & 0xff) &&
	       (first >> 32 & 0xff) == FR_MYSQL_GREETING && fr_is_digit(first >> 40 & 0xff);
}

/* ERR with an SQLSTATE in it. */
FR_INLINE bool fr_mysql_error(__u64 first, const struct fr_look *e, __u32 got)
{
	return got >= 13 && (first >> 32 & 0xff) == 0xff && first >> 24 & 0xff &&
	       fr_look_byte(e, 7) == '#' && fr_mysql_length(first) >= 9 &&
	       fr_mysql_length(first) + 4 <= (__u32)e->io.result;
}

/* A command as an array of strings: "*3\r\n$". A reply may look like one: it counts only where the
 * side is known. */
FR_INLINE bool fr_redis_request(const struct fr_look *e, const struct fr_sock_kept *k, __u32 got,
				__u32 dir)
{
	__u32 at = 2, side = dir == FR_DIR_SEND ? FR_SOCK_CONNECTED : FR_SOCK_ACCEPTED;

	if (!(k->flags & side))
		return false;
	if (got < 6 || fr_look_byte(e, 0) != '*' || !fr_is_digit(fr_look_byte(e, 1)))
		return false;
	if (fr_is_digit(fr_look_byte(e, 2)))
		at = 3;
	return fr_look_byte(e, at) == '\r' && fr_look_byte(e, at + 1) == '\n' &&
	       fr_look_byte(e, at + 2) == '$';
}

FR_INLINE bool fr_pg_error(const struct fr_look *e, __u32 at, __u32 got)
{
	return at + 13 <= got && fr_look_byte(e, at) == 'E' && fr_look_byte(e, at + 5) == 'S';
}

/* What a server says that nothing else says: for connections older than the recording. */
FR_INLINE __u32 fr_learn_reply(const struct fr_look *e, __u64 first, __u32 got)
{
	if (fr_http_reply(first))
		return FR_SPEAKS_HTTP;
	if (fr_mysql_greeting(first, e->io.result) || fr_mysql_error(first, e, got))
		return FR_SPEAKS_MYSQL;
	if (fr_pg_error(e, 0, got) && fr_look_be32(e, 1) < 65536 &&
	    fr_look_be32(e, 6) == FR_WORD4('O', 'R', 'R', 'E'))
		return FR_SPEAKS_POSTGRES;
	return FR_SPEAKS_UNKNOWN;
}

FR_INLINE __u32 fr_learn_request(const struct fr_look *e, const struct fr_sock_kept *k, __u32 got,
				 __u32 dir)
{
	__u64 first = fr_look_first(e);

	if ((__u32)first == FR_WORD4('C', 'O', 'N', 'N'))
		return FR_SPEAKS_OTHER; /* a tunnel: nobody knows for what */
	if (fr_http_request(first))
		return FR_SPEAKS_HTTP;
	if (fr_redis_request(e, k, got, dir))
		return FR_SPEAKS_REDIS;
	if (fr_pg_request(e, got))
		return FR_SPEAKS_POSTGRES;
	if (fr_mysql_request(first, e->io.result))
		return FR_SPEAKS_MYSQL;
	return FR_SPEAKS_UNKNOWN;
}

/* Is the other end on this host, beyond doubt? */
FR_INLINE bool fr_is_near(const struct fr_sock_kept *k)
{
	const __u64 *local = (const void *)k->addr.local, *remote = (const void *)k->addr.remote;
	__u32 first = k->addr.family == FR_AF_INET6 ? 12 : 0; /* IPv4 inside IPv6 */

	if (k->addr.family == FR_AF_UNIX)
		return true;
	if (local[0] == remote[0] && local[1] == remote[1])
		return k->addr.remote_port;
	return k->addr.local[first] == 127 && k->addr.remote[first] == 127 &&
	       (!first || !(local[0] | remote[0]));
}

/* Notes what the socket speaks and in which direction it is asked. Global: older kernels bound the
 * stack of all that call each other. */
int fr_trigger_learn(struct fr_look *e, struct fr_sock_kept *k, __u32 got, __u32 dir);
__attribute__((noinline)) int fr_trigger_learn(struct fr_look *e, struct fr_sock_kept *k, __u32 got,
					       __u32 dir)
{
	__u32 wire = FR_SPEAKS_UNKNOWN;

	if (!e || !k)
		return 0;
	if (got >= 5)
		wire = fr_learn_request(e, k, got, dir);
	k->asked.dir = dir;
	if (!wire && got >= 8) {
		wire = fr_learn_reply(e, fr_look_first(e), got);
		k->asked.dir = dir ^ 1;
	}
	if (!wire && ++k->asked.tries >= FR_LEARN_TRIES)
		wire = FR_SPEAKS_OTHER;
	/* the other end sees it all, unless a filter keeps it out */
	if (wire && k->asked.dir == FR_DIR_SEND && fr_knobs.filter_kind == FR_FILTER_NONE &&
	    fr_is_near(k))
		wire = FR_SPEAKS_OTHER;
	k->asked.wire = wire;
	return 0;
}

/* ---- one cause, one notice --------------------------------------------------------------- */

struct fr_ends_key {
	__u32 addresses;
	__u16 server_port;
	__u16 client_port;
	__u32 gate;
};

/* Both ends of a connection may be on this host though nobody can tell by its addresses (network
 * namespaces, filters): causes seen by the server less those seen by the client. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct fr_ends_key);
	__type(value, __s64);
} fr_ends SEC(".maps");

__s64 fr_ends_even;

/* Has the other end told of it already? Alike from both ends: addresses are added up, and what
 * makes IPv4 in IPv6 different falls out of it. */
FR_INLINE bool fr_told_by_peer(const struct fr_sock_kept *k, __u32 gate, bool client)
{
	const __u32 *local = (const void *)k->addr.local, *remote = (const void *)k->addr.remote;
	struct fr_ends_key key = { .gate = gate };
	__s64 *balance;

	key.addresses = local[0] ^ local[1] ^ local[2] ^ local[3] ^ remote[0] ^ remote[1] ^
			remote[2] ^ remote[3];
	key.server_port = client ? k->addr.remote_port : k->addr.local_port;
	key.client_port = client ? k->addr.local_port : k->addr.remote_port;
	balance = bpf_map_lookup_elem(&fr_ends, &key);
	if (!balance) {
		bpf_map_update_elem(&fr_ends, &key, &fr_ends_even, BPF_NOEXIST);
		balance = bpf_map_lookup_elem(&fr_ends, &key);
	}
	if (!balance)
		return false;
	return client ? __sync_fetch_and_add(balance, -1) > 0
		      : __sync_fetch_and_add(balance, 1) < 0;
}

FR_INLINE __u16 fr_service_port(const struct fr_sock_kept *k)
{
	return k->asked.dir == FR_DIR_SEND ? k->addr.remote_port : k->addr.local_port;
}

/* A cause that a reply shows. Global: rare, and the verifier sees it once. */
int fr_trigger_hit(struct fr_look *e, struct fr_sock_kept *k, __u32 gate, __u64 value, __u64 now);
__attribute__((noinline)) int fr_trigger_hit(struct fr_look *e, struct fr_sock_kept *k, __u32 gate,
					     __u64 value, __u64 now)
{
	struct fr_gate_table *t = fr_gates_of(gate & 31);
	struct fr_notice_trigger *n;
	struct fr_gate *g;
	bool client;

	if (!t || !e || !k || gate >= FR_GATE_CNT)
		return 0;
	client = k->asked.dir == FR_DIR_SEND;
	g = &t->gates[gate];
	/* the asking end of a connection that is plainly on this host is not looked at */
	if ((client || fr_knobs.filter_kind != FR_FILTER_NONE || !fr_is_near(k)) &&
	    fr_told_by_peer(k, gate, client))
		return 0;
	if (!fr_gate_pass(g, now))
		return 0;
	n = fr_gate_notice(g, gate, now);
	if (!n)
		return 0;
	n->tgid = bpf_get_current_pid_tgid() >> 32;
	n->tid = e->io.tid;
	n->sock_id = k->id;
	n->goid = e->io.goid;
	n->value = value;
	n->port = fr_service_port(k);
	n->wire = k->asked.wire;
	n->client = client;
	bpf_get_current_comm(n->comm, sizeof(n->comm));
	bpf_ringbuf_submit(n, BPF_RB_FORCE_WAKEUP);
	return 0;
}

/* ---- errors ------------------------------------------------------------------------------ */

#define FR_HTTP_SWITCHING 101u

/* "HTTP/1.1 503" */
FR_INLINE void fr_http_status(struct fr_look *e, struct fr_sock_kept *k, __u32 got, __u64 now)
{
	__u32 status;

	if (got < 12 || !fr_http_reply(fr_look_first(e)) || fr_look_byte(e, 8) != ' ')
		return;
	status = (fr_look_byte(e, 9) - '0') * 100 + (fr_look_byte(e, 10) - '0') * 10 +
		 fr_look_byte(e, 11) - '0';
	if (status == FR_HTTP_SWITCHING)
		k->asked.wire = FR_SPEAKS_OTHER; /* what follows is another protocol */
	if (status >= 500 && status < 600)
		fr_trigger_hit(e, k, FR_GATE_HTTP_5XX, status, now);
}

FR_INLINE bool fr_state_is(__u64 state, __u64 listed)
{
	return listed && (state & (listed >> 16 ? 0xffffffffffull : 0xffffull)) == listed;
}

FR_INLINE bool fr_state_listed(const __u64 *list, __u64 state)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < FR_STATES_MAX; i++)
		if (fr_state_is(state, list[i]))
			return true;
	return false;
}

#define FR_STATE_CHARS 0xffffffffffull
#define FR_STATE_UNIQUE 0x3530353332ull /* "23505" */

FR_INLINE void fr_sql_error(struct fr_look *e, struct fr_sock_kept *k, __u64 value, __u64 now)
{
	struct fr_gate_table *t = fr_gates_of(FR_GATE_SQL_ERROR);
	__u32 number = value >> 48;
	__u64 state = value & FR_STATE_CHARS;

	if (!t || !state)
		return;
	/* MySQL has one SQLSTATE for all that a constraint can be; its numbers tell more */
	if ((number == 1062 || number == 1586) && fr_state_listed(t->sql_ignore, FR_STATE_UNIQUE))
		return;
	if (fr_state_listed(t->sql_ignore, state) ||
	    (t->sql_only[0] && !fr_state_listed(t->sql_only, state)))
		return;
	fr_trigger_hit(e, k, FR_GATE_SQL_ERROR, value, now);
}

/* SQLSTATE and severity out of an error's fields, from `at` on: a letter and a string each. */
FR_INLINE __u64 fr_pg_state(const struct fr_look *e, __u32 at, __u32 got)
{
	__u64 severity = 'E', state = 0;
	__u32 c, before = 0;

#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < FR_FIELD_WALK_MAX; i++, at++) {
		if (at + 6 > got)
			break;
		c = fr_look_byte(e, at);
		if (!before && c == 'C') {
			state = (__u64)fr_look_byte(e, at + 5) << 32 |
				__builtin_bswap32(fr_look_be32(e, at + 1));
			break;
		}
		if (!before && c == 'V')
			severity = fr_look_byte(e, at + 1);
		before = c;
	}
	return state ? severity << 40 | state : 0;
}

/* The first messages of a reply: where the body of an error lies, 0 = none is there. */
FR_INLINE __u32 fr_pg_find_error(const struct fr_look *e, __u32 got)
{
	__u32 at = 0, length;

#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < FR_REPLY_WALK_MAX; i++) {
		if (at + 13 > got)
			return 0;
		if (fr_pg_error(e, at, got))
			return at + 5;
		length = fr_look_be32(e, at + 1);
		if (length < 4 || length > FR_LOOK_BYTES)
			return 0;
		at = fr_forget(at + 1 + length);
	}
	return 0;
}

/* Where the reply begins a stream (replication), what follows from either end is no answer. */
FR_INLINE void fr_pg_reply(struct fr_look *e, struct fr_sock_kept *k, __u32 got, __u64 now)
{
	__u32 at = fr_pg_find_error(e, got);

	if (fr_look_byte(e, 0) == 'W')
		k->asked.wire = FR_SPEAKS_OTHER;
	if (at)
		fr_sql_error(e, k, fr_pg_state(e, at, got), now);
}

FR_INLINE void fr_mysql_reply(struct fr_look *e, struct fr_sock_kept *k, __u32 got, __u64 now)
{
	__u64 first = fr_look_first(e), state;

	/* the first event of a binary log: of no time, and a "rotate" */
	if (got >= 10 && fr_mysql_length(first) >= 20 && !(first >> 32) && !fr_look_byte(e, 8) &&
	    fr_look_byte(e, 9) == 4)
		k->asked.wire = FR_SPEAKS_OTHER;
	if (!fr_mysql_error(first, e, got))
		return;
	state = (__u64)fr_look_byte(e, 12) << 32 | __builtin_bswap32(fr_look_be32(e, 8));
	fr_sql_error(e, k, (first >> 40 & 0xffff) << 48 | (__u64)'E' << 40 | state, now);
}

/* "-ERR ...": the first word. */
FR_INLINE void fr_redis_reply(struct fr_look *e, struct fr_sock_kept *k, __u32 got, __u64 now)
{
	__u32 first = fr_look_first(e), c;
	__u64 word = 0;

	if (first == FR_WORD4('+', 'F', 'U', 'L') || first == FR_WORD4('+', 'C', 'O', 'N'))
		k->asked.wire = FR_SPEAKS_OTHER; /* replication begins */
	if (got < 5 || fr_look_byte(e, 0) != '-' || !fr_is_upper(fr_look_byte(e, 1)))
		return;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < 8; i++) {
		c = fr_look_byte(e, i + 1);
		if (!fr_is_upper(c))
			break;
		word |= (__u64)c << i * 8;
	}
	fr_trigger_hit(e, k, FR_GATE_REDIS_ERROR, word, now);
}

FR_INLINE void fr_reply_error(struct fr_look *e, struct fr_sock_kept *k, __u32 got, __u64 now)
{
	switch (k->asked.wire) {
	case FR_SPEAKS_HTTP:
		fr_http_status(e, k, got, now);
		return;
	case FR_SPEAKS_POSTGRES:
		fr_pg_reply(e, k, got, now);
		return;
	case FR_SPEAKS_MYSQL:
		fr_mysql_reply(e, k, got, now);
		return;
	case FR_SPEAKS_REDIS:
		fr_redis_reply(e, k, got, now);
	}
}

/* ---- time -------------------------------------------------------------------------------- */

/* Does this Redis command wait for others' doing (BLPOP, XREAD, WAIT)? As far as its first letter
 * tells: its time says nothing about the service. */
FR_INLINE bool fr_redis_waits(const struct fr_look *e, __u32 got)
{
	__u32 at = fr_is_digit(fr_look_byte(e, 2)) ? 5 : 4, letter; /* of the $ */

	if (got < 16)
		return false;
	at += fr_is_digit(fr_look_byte(e, at + 2)) ? 5 : 4;
	letter = fr_look_byte(e, at) & 0xdf;
	return letter == 'B' || letter == 'X' || letter == 'W';
}

/* Unix sockets have no port: those that speak alike count as one service. */
FR_INLINE __u32 fr_service_key(const struct fr_sock_kept *k)
{
	__u32 port = fr_service_port(k);

	return port ? port : 0x10000 + k->asked.wire;
}

#define FR_REPLY_EACH 4u /* one reply in so many of a connection goes into the histogram */

/* How many replies this one stands for there; 0 = it is left out. */
FR_INLINE __u32 fr_reply_weight(struct fr_sock_kept *k)
{
	__u8 before = k->asked.replies++;

	if (before & (FR_REPLY_EACH - 1))
		return 0;
	return before ? FR_REPLY_EACH : 1;
}

/* Far beyond the usual? Only what is over the limit has to know the usual. */
FR_INLINE void fr_reply_unusual(struct fr_look *e, struct fr_sock_kept *k, const struct fr_gate *g,
				__u64 took, __u64 now)
{
	__u32 weight = fr_reply_weight(k);
	__u64 usual;

	if (!weight && took <= g->limit_ns)
		return;
	usual = fr_service_p99(fr_service_key(k), took, weight, now);
	if (usual && took > g->limit_ns && took > usual * g->factor)
		fr_trigger_hit(e, k, FR_GATE_LATENCY_P99, took, now);
}

FR_INLINE void fr_reply_time(struct fr_look *e, struct fr_sock_kept *k, __u64 now)
{
	__u64 took = now - k->asked.at_ns;
	struct fr_gate_table *t;

	if (!k->asked.at_ns || took >> 63)
		return; /* the question was not seen, or the clock has stepped back */
	k->asked.at_ns = 0;
	t = fr_gates_of(FR_GATE_LATENCY);
	if (t && took > t->gates[FR_GATE_LATENCY].limit_ns)
		fr_trigger_hit(e, k, FR_GATE_LATENCY, took, now);
	t = fr_gates_of(FR_GATE_LATENCY_P99);
	if (t)
		fr_reply_unusual(e, k, &t->gates[FR_GATE_LATENCY_P99], took, now);
}

/* ---- the hook ---------------------------------------------------------------------------- */

/* A message begins whose bytes are in the record. Global, for the verifier. */
int fr_trigger_message(struct fr_look *e, struct fr_sock_kept *k, __u64 now, __u32 dir);
__attribute__((noinline)) int fr_trigger_message(struct fr_look *e, struct fr_sock_kept *k,
						 __u64 now, __u32 dir)
{
	__u32 got;

	if (!e || !k)
		return 0;
	got = e->io.captured_bytes;
	got = fr_forget(got < FR_LOOK_BYTES ? got : FR_LOOK_BYTES);
	if (!k->asked.wire)
		fr_trigger_learn(e, k, got, dir);
	if (!k->asked.wire || k->asked.wire == FR_SPEAKS_OTHER)
		return 0;
	if (dir == k->asked.dir) {
		k->asked.at_ns = now;
		if (k->asked.wire == FR_SPEAKS_REDIS && fr_redis_waits(e, got))
			k->asked.at_ns = 0;
		return 0;
	}
	fr_reply_error(e, k, got, now);
	if (k->asked.wire != FR_SPEAKS_OTHER)
		fr_reply_time(e, k, now);
	return 0;
}

/* The one call for every record of a socket, once it is in the ring, at `record`; got: the bytes
 * that were captured. */
FR_INLINE void fr_trigger_io(void *record, struct fr_sock_kept *k, __u32 flags, __u32 got,
			     __u64 now, __u32 dir)
{
	if (!got || !(flags & FR_IO_MSG_START) || flags & FR_IO_ADDR ||
	    k->asked.wire == FR_SPEAKS_OTHER)
		return;
	if (k->asked.wire && dir == k->asked.dir && k->asked.wire != FR_SPEAKS_REDIS)
		k->asked.at_ns = now;
	else
		fr_trigger_message(record, k, now, dir);
}

#endif
