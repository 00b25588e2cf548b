/* SPDX-License-Identifier: BSD-2-Clause */
#include "conns.h"

#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>

#include "map.h"

/* Ends of a list: [LIST_WIRED] and [LIST_DEAF], oldest to newest. */
struct list {
	uint32_t oldest, newest, cnt;
};

struct fr_conns {
	struct fr_names *names;
	fr_conn_flush_fn *flush;
	void *ctx;
	struct fr_conn *conns; /* [0] is nobody */
	uint32_t conn_cnt, conn_cap;
	uint32_t free_first; /* chained by .newer */
	uint32_t *of_socket; /* by index into the names */
	size_t of_socket_cnt;
	struct fr_map pairs; /* pair_key to the conn that came last */
	struct list wired, deaf;
	struct fr_wire_conn **spare; /* wires that nobody uses */
	uint32_t spare_cnt;
	struct fr_wire_texts texts;
	struct fr_conns_stats stats;
};

static uint32_t wired_room(uint32_t cpu_cnt)
{
	const uint32_t less = FR_CONNS_WIRED_MAX - FR_CONNS_WIRED_MIN;

	return FR_CONNS_WIRED_MAX - (cpu_cnt < FR_CPUS_MAX ? cpu_cnt * less / FR_CPUS_MAX : less);
}

int fr_conns_new(struct fr_names *names, uint32_t cpu_cnt, fr_conn_flush_fn *flush, void *ctx,
		 struct fr_conns **ret_conns)
{
	struct fr_conns *cs = calloc(1, sizeof(*cs));

	if (!cs)
		return -ENOMEM;
	cs->stats.wired_room = wired_room(cpu_cnt);
	cs->spare = calloc(FR_CONNS_WIRED_MAX + 1, sizeof(struct fr_wire_conn *));
	cs->conns = calloc(64, sizeof(*cs->conns));
	if (!cs->spare || !cs->conns) {
		fr_conns_free(cs);
		return -ENOMEM;
	}
	cs->conn_cap = 64;
	cs->conn_cnt = 1;
	cs->names = names;
	cs->flush = flush;
	cs->ctx = ctx;
	*ret_conns = cs;
	return 0;
}

struct fr_conns *fr_conns_free(struct fr_conns *cs)
{
	if (!cs)
		return NULL;
	for (uint32_t i = 1; i < cs->conn_cnt; i++)
		free(cs->conns[i].wire);
	for (uint32_t i = 0; i < cs->spare_cnt; i++)
		free(cs->spare[i]);
	fr_map_done(&cs->pairs);
	free(cs->of_socket);
	free(cs->spare);
	free(cs->conns);
	free(cs);
	return NULL;
}

/* ---- order of use --------------------------------------------------------------------------- */

static struct list *list_of(struct fr_conns *cs, const struct fr_conn *c)
{
	return c->wire ? &cs->wired : &cs->deaf;
}

static void unlink_conn(struct fr_conns *cs, struct fr_conn *c)
{
	struct list *l = list_of(cs, c);

	if (c->older)
		cs->conns[c->older].newer = c->newer;
	else
		l->oldest = c->newer;
	if (c->newer)
		cs->conns[c->newer].older = c->older;
	else
		l->newest = c->older;
	c->older = c->newer = 0;
	l->cnt--;
}

static void link_newest(struct fr_conns *cs, struct fr_conn *c)
{
	struct list *l = list_of(cs, c);
	uint32_t index = fr_conns_index(cs, c);

	c->older = l->newest;
	c->newer = 0;
	if (l->newest)
		cs->conns[l->newest].newer = index;
	else
		l->oldest = index;
	l->newest = index;
	l->cnt++;
}

/* ---- the two ends of a connection ----------------------------------------------------------- */

struct end {
	uint8_t address[16];
	uint16_t port;
};

static struct end end_of(const struct fr_sock_addr *a, bool remote)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *from = remote ? a->remote : a->local;
	struct end e = { .port = remote ? a->remote_port : a->local_port };

	if (a->family == FR_AF_UNIX) {
		memcpy(e.address, from, 8);
		e.port = 0;
	} else if (a->family == FR_AF_INET) { /* as a socket of IPv6 would see it */
		memcpy(e.address, mapped, sizeof(mapped));
		memcpy(e.address + 12, from, 4);
	} else {
		memcpy(e.address, from, 16);
	}
	return e;
}

static bool is_loopback(const struct end *e)
{
	static const uint8_t loopback6[16] = { [15] = 1 };

	return !memcmp(e->address, loopback6, 16) ||
	       (e->address[10] == 0xff && e->address[12] == 127);
}

static bool is_known(const struct fr_sock_addr *a, const struct end *e)
{
	static const uint8_t none[16];

	return a->family == FR_AF_UNIX ? memcmp(e->address, none, 8) != 0 : e->port != 0;
}

static uint64_t inode_key(const struct end *e, uint32_t instance, uint8_t what)
{
	struct {
		uint8_t inode[8];
		uint32_t instance;
		uint32_t what;
	} key = { .instance = instance, .what = what };
	uint64_t hash;

	memcpy(key.inode, e->address, sizeof(key.inode));
	hash = XXH3_64bits(&key, sizeof(key));
	return hash + !hash;
}

/*
 * Same ends in either order, same key. Loopback addresses mean others in each namespace. The ends
 * of a unix connection need not know each other both (who connects does not know who will accept):
 * each is found by its own inode, or by the one that it wants.
 */
static void set_pair_keys(struct fr_conn *c, const struct fr_socket *s)
{
	struct {
		struct end low, high;
		uint32_t instance;
		uint64_t netns_inum;
	} key = { 0 };
	struct end local = end_of(&s->addr, false), remote = end_of(&s->addr, true);
	bool turned = memcmp(&local, &remote, sizeof(local)) > 0;

	if (!s->named || s->type != FR_SOCK_STREAM || !is_known(&s->addr, &local))
		return;
	if (s->addr.family == FR_AF_UNIX) {
		c->pair_key = inode_key(&local, s->instance, 'L');
		if (is_known(&s->addr, &remote))
			c->want_key = inode_key(&remote, s->instance, 'W');
		return;
	}
	if (!is_known(&s->addr, &remote))
		return;
	key.low = turned ? remote : local;
	key.high = turned ? local : remote;
	key.instance = s->instance;
	if (is_loopback(&local))
		key.netns_inum = s->netns_inum;
	c->pair_key = XXH3_64bits(&key, sizeof(key));
	c->pair_key += !c->pair_key;
}

/* Does a's remote end say that it is b, or at least not that it is another? */
static bool may_lead_to(const struct fr_socket *a, const struct fr_socket *b)
{
	struct end remote = end_of(&a->addr, true), local = end_of(&b->addr, false);

	if ((a->addr.family == FR_AF_UNIX) != (b->addr.family == FR_AF_UNIX))
		return false;
	return !is_known(&a->addr, &remote) || !memcmp(&remote, &local, sizeof(remote));
}

static void forget_key(struct fr_conns *cs, uint64_t key, uint32_t index)
{
	uint32_t last;

	if (key && fr_map_get(&cs->pairs, key, &last) && last == index)
		fr_map_del(&cs->pairs, key);
}

static void unpair(struct fr_conns *cs, struct fr_conn *c)
{
	uint32_t index = fr_conns_index(cs, c);

	if (c->peer)
		cs->conns[c->peer].peer = FR_CONN_NONE;
	c->peer = FR_CONN_NONE;
	forget_key(cs, c->pair_key, index);
	forget_key(cs, c->want_key, index);
}

static void meet(struct fr_conns *cs, struct fr_conn *c, uint64_t key)
{
	const struct fr_socket *here = fr_names_socket_at(cs->names, c->socket), *there;
	struct fr_conn *other;
	uint32_t last;

	if (c->peer || !fr_map_get(&cs->pairs, key, &last))
		return;
	other = &cs->conns[last];
	there = fr_names_socket_at(cs->names, other->socket);
	if (other == c || other->peer || !may_lead_to(here, there) || !may_lead_to(there, here))
		return;
	other->peer = fr_conns_index(cs, c);
	c->peer = last;
}

/* A connection with the same ends as an older one takes its place. */
static int pair(struct fr_conns *cs, struct fr_conn *c)
{
	const struct fr_socket *s = fr_names_socket_at(cs->names, c->socket);
	uint32_t index = fr_conns_index(cs, c);
	struct end local = end_of(&s->addr, false), remote = end_of(&s->addr, true);
	int err;

	set_pair_keys(c, s);
	if (!c->pair_key)
		return 0;
	if (s->addr.family == FR_AF_UNIX) {
		meet(cs, c, inode_key(&local, s->instance, 'W'));
		if (c->want_key)
			meet(cs, c, inode_key(&remote, s->instance, 'L'));
	} else {
		meet(cs, c, c->pair_key);
	}
	err = fr_map_put(&cs->pairs, c->pair_key, index);
	return err || !c->want_key ? err : fr_map_put(&cs->pairs, c->want_key, index);
}

/* ---- coming and going ----------------------------------------------------------------------- */

struct fr_conn *fr_conns_at(struct fr_conns *cs, uint32_t index)
{
	return index ? &cs->conns[index] : NULL;
}

uint32_t fr_conns_index(const struct fr_conns *cs, const struct fr_conn *c)
{
	return (uint32_t)(c - cs->conns);
}

static void give_back(struct fr_conns *cs, struct fr_conn *c)
{
	if (c->wire)
		cs->spare[cs->spare_cnt++] = c->wire; /* as many as there can be */
	c->wire = NULL;
}

void fr_conns_close(struct fr_conns *cs, struct fr_conn *c, bool closed)
{
	uint32_t index = fr_conns_index(cs, c);

	if (c->wire)
		cs->flush(cs->ctx, c, closed);
	unlink_conn(cs, c);
	unpair(cs, c);
	give_back(cs, c);
	cs->of_socket[c->socket] = FR_CONN_NONE;
	*c = (struct fr_conn){ .newer = cs->free_first };
	cs->free_first = index;
}

void fr_conns_deafen(struct fr_conns *cs, struct fr_conn *c)
{
	if (!c->wire)
		return;
	cs->flush(cs->ctx, c, false);
	unlink_conn(cs, c);
	give_back(cs, c);
	link_newest(cs, c);
	cs->stats.deaf_cnt++;
}

void fr_conns_settle_all(struct fr_conns *cs)
{
	for (uint32_t i = cs->wired.oldest; i; i = cs->conns[i].newer)
		fr_wire_conn_settle(cs->conns[i].wire);
}

void fr_conns_flush_all(struct fr_conns *cs)
{
	while (cs->wired.oldest)
		fr_conns_close(cs, &cs->conns[cs->wired.oldest], false);
	while (cs->deaf.oldest)
		fr_conns_close(cs, &cs->conns[cs->deaf.oldest], false);
}

static void make_room(struct fr_conns *cs)
{
	if (cs->wired.cnt >= cs->stats.wired_room) {
		cs->stats.evicted_cnt++;
		fr_conns_close(cs, &cs->conns[cs->wired.oldest], false);
	}
	if (cs->deaf.cnt >= FR_CONNS_DEAF_MAX)
		fr_conns_close(cs, &cs->conns[cs->deaf.oldest], false);
}

static struct fr_wire_conn *take_wire(struct fr_conns *cs)
{
	return cs->spare_cnt ? cs->spare[--cs->spare_cnt] : malloc(sizeof(struct fr_wire_conn));
}

/* Index of an unused conn; FR_CONN_NONE = no memory. */
static uint32_t take_conn(struct fr_conns *cs)
{
	uint32_t index = cs->free_first, cap = cs->conn_cap;
	struct fr_conn *bigger;

	if (index) {
		cs->free_first = cs->conns[index].newer;
		return index;
	}
	if (cs->conn_cnt == cap) {
		bigger = realloc(cs->conns, (size_t)cap * 2 * sizeof(*bigger));
		if (!bigger)
			return FR_CONN_NONE;
		cs->conns = bigger;
		cs->conn_cap = cap * 2;
	}
	return cs->conn_cnt++;
}

static enum fr_wire_side side_of(const struct fr_socket *s)
{
	if (s->flags & FR_SOCK_ACCEPTED)
		return FR_WIRE_SIDE_SERVER;
	return s->flags & FR_SOCK_CONNECTED ? FR_WIRE_SIDE_CLIENT : FR_WIRE_SIDE_UNKNOWN;
}

static struct fr_conn *make(struct fr_conns *cs, const struct fr_socket *s, uint32_t socket)
{
	struct fr_wire_conn *wire;
	struct fr_conn *c;
	uint32_t index;

	make_room(cs);
	wire = take_wire(cs);
	index = wire ? take_conn(cs) : FR_CONN_NONE;
	if (!index) {
		free(wire);
		return NULL;
	}
	c = &cs->conns[index];
	*c = (struct fr_conn){
		.sock_id = s->id,
		.instance = s->instance,
		.socket = socket,
		.wire = wire,
	};
	fr_wire_conn_init(wire, side_of(s), &cs->texts);
	link_newest(cs, c);
	if (cs->wired.cnt > cs->stats.wired_max)
		cs->stats.wired_max = cs->wired.cnt;
	cs->of_socket[socket] = index;
	if (pair(cs, c)) {
		fr_conns_close(cs, c, false);
		return NULL;
	}
	return c;
}

static bool index_sockets(struct fr_conns *cs, uint32_t socket)
{
	size_t cnt = cs->of_socket_cnt ? cs->of_socket_cnt : 256;
	uint32_t *bigger;

	while (cnt <= socket)
		cnt *= 2;
	if (cnt == cs->of_socket_cnt)
		return true;
	bigger = realloc(cs->of_socket, cnt * sizeof(*bigger));
	if (!bigger)
		return false;
	memset(bigger + cs->of_socket_cnt, 0, (cnt - cs->of_socket_cnt) * sizeof(*bigger));
	cs->of_socket = bigger;
	cs->of_socket_cnt = cnt;
	return true;
}

struct fr_conn *fr_conns_use(struct fr_conns *cs, uint32_t instance, uint64_t sock_id)
{
	const struct fr_socket *s;
	struct fr_conn *c;
	uint32_t socket;

	s = fr_names_socket(cs->names, instance, sock_id, &socket);
	if (!s || !index_sockets(cs, socket))
		return NULL;
	if (!cs->of_socket[socket])
		return make(cs, s, socket);
	c = &cs->conns[cs->of_socket[socket]];
	if (c->newer) { /* not the newest yet */
		unlink_conn(cs, c);
		link_newest(cs, c);
	}
	return c;
}

struct fr_conn *fr_conns_find(struct fr_conns *cs, uint32_t instance, uint64_t sock_id)
{
	uint32_t socket;

	if (!fr_names_socket(cs->names, instance, sock_id, &socket) ||
	    socket >= cs->of_socket_cnt || !cs->of_socket[socket])
		return NULL;
	return &cs->conns[cs->of_socket[socket]];
}

const struct fr_conns_stats *fr_conns_stats(const struct fr_conns *cs)
{
	return &cs->stats;
}
