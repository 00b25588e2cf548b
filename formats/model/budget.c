/* SPDX-License-Identifier: BSD-2-Clause */
#include "budget_internal.h"

#include <errno.h>
#include <stdlib.h>

#define LINES_IDLE_MAX 1024u  /* lines without an account that are kept */
#define LINE_ACCOUNTS_MAX 40u /* open at once: a pipeline's, or too many to tell apart */

static bool is_sock(const struct fr_budget_sock *s, const struct fr_budget_sock *other)
{
	return s->socket_id == other->socket_id && s->instance == other->instance;
}

/* ---- lines ---------------------------------------------------------------------------------- */

static uint64_t line_key(const struct fr_line *l)
{
	if (!l->goid)
		return l->tid;
	/* numbers of goroutines do not reach 2^42; if they did, find_line() notices */
	return (uint64_t)l->tgid << 42 ^ l->goid ^ 1ull << 22;
}

static void unlink_idle(struct fr_budgets *b, uint32_t index)
{
	struct fr_budget_line *l = &b->lines[index];

	if (l->newer == FR_NONE)
		b->idle_newest = l->older;
	else
		b->lines[l->newer].older = l->older;
	if (l->older == FR_NONE)
		b->idle_oldest = l->newer;
	else
		b->lines[l->older].newer = l->newer;
	b->idle_cnt--;
}

static void link_idle(struct fr_budgets *b, uint32_t index)
{
	struct fr_budget_line *l = &b->lines[index];

	l->newer = FR_NONE;
	l->older = b->idle_newest;
	if (l->older == FR_NONE)
		b->idle_oldest = index;
	else
		b->lines[l->older].newer = index;
	b->idle_newest = index;
	b->idle_cnt++;
}

static struct fr_line name_of(const struct fr_budget_line *l)
{
	return (struct fr_line){ .tgid = l->tgid, .tid = l->tid, .goid = l->goid };
}

static void drop_line(struct fr_budgets *b, uint32_t index)
{
	struct fr_line name = name_of(&b->lines[index]);

	unlink_idle(b, index);
	fr_map_del(&b->line_of, line_key(&name));
	b->lines[index].uid = 0;
	b->lines[index].newer = b->line_free;
	b->line_free = index;
}

static uint32_t take_line(struct fr_budgets *b)
{
	uint32_t cap = b->line_cap ? b->line_cap * 2 : 64, index = b->line_free;
	struct fr_budget_line *lines;

	if (index != FR_NONE) {
		b->line_free = b->lines[index].newer;
		return index;
	}
	if (b->line_cnt == b->line_cap) {
		lines = realloc(b->lines, cap * sizeof(*lines));
		if (!lines)
			return FR_NONE;
		b->lines = lines;
		b->line_cap = cap;
	}
	return b->line_cnt++;
}

static uint32_t add_line(struct fr_budgets *b, const struct fr_line *name)
{
	uint32_t index;

	if (b->idle_cnt >= LINES_IDLE_MAX)
		drop_line(b, b->idle_oldest);
	index = take_line(b);
	if (index == FR_NONE)
		goto nomem;
	b->lines[index] = (struct fr_budget_line){
		.uid = b->next_uid++,
		.goid = name->goid,
		.tgid = name->tgid,
		.tid = name->goid ? 0 : name->tid,
		.first = FR_NONE,
		.last = FR_NONE,
	};
	link_idle(b, index);
	if (!fr_map_put(&b->line_of, line_key(name), index))
		return index;
	unlink_idle(b, index);
	b->lines[index].uid = 0;
	b->lines[index].newer = b->line_free;
	b->line_free = index;
nomem:
	b->err = -ENOMEM;
	return FR_NONE;
}

/* Its index, made if need be. FR_NONE: no memory, or nobody knows which line it is. */
static uint32_t find_line(struct fr_budgets *b, const struct fr_line *name)
{
	struct fr_budget_line *l;
	uint32_t index;

	if (name->goid == FR_GOID_UNKNOWN || (!name->goid && !name->tid))
		return FR_NONE;
	if (!fr_map_get(&b->line_of, line_key(name), &index))
		return add_line(b, name);
	l = &b->lines[index];
	if (l->goid != name->goid || (l->goid && l->tgid != name->tgid))
		return FR_NONE;
	if (!l->account_cnt && b->idle_newest != index) {
		unlink_idle(b, index);
		link_idle(b, index);
	}
	return index;
}

/* ---- segments ------------------------------------------------------------------------------- */

/* Where the thread's sum is all of the line's time since its last event, that thread. */
static struct fr_budget_thread *own_thread(struct fr_budgets *b, const struct fr_budget_line *l)
{
	struct fr_budget_thread *t;

	if (!l->thread_uid)
		return NULL;
	t = fr_budget_thread(b, l->thread_tid);
	if (!t || t->uid != l->thread_uid || t->last_line != l->uid || t->sum_from_ns != l->last_ns)
		return NULL;
	return t;
}

/* A goroutine may have been parked meanwhile, and another may have run on its thread. */
static bool may_be_strange(const struct fr_budget_thread *t)
{
	const struct fr_budget *sum = &t->sum;

	return t->unclaimed || sum->on_cpu_ns > FR_BUDGET_GO_RUN_NS || sum->unattributed_ns ||
	       sum->blocked_ns[FR_BLOCK_NETWORK] || sum->blocked_ns[FR_BLOCK_OTHER];
}

/* The line's time from its last event to to_ns by what its thread did: t, which stands at to_ns. */
static void by_thread(const struct fr_budget_line *l, const struct fr_budget_thread *t,
		      uint64_t to_ns, struct fr_budget *ret)
{
	if (!t || t->upto_ns != to_ns) {
		*ret = (struct fr_budget){ .unattributed_ns = to_ns - l->last_ns };
		return;
	}
	if (!l->goid || !may_be_strange(t)) {
		*ret = t->sum;
		return;
	}
	*ret = (struct fr_budget){ .unattributed_ns = to_ns - l->last_ns,
				   .maybe_on_cpu_ns = t->sum.on_cpu_ns };
}

/* It has asked, and the segment ends with the reply: what is not known otherwise was waiting. */
static void by_reply(const struct fr_budget_line *l, const struct fr_budget_sock *s, uint64_t to_ns,
		     struct fr_budget *sum)
{
	struct fr_wait wait = {
		.from_ns = l->last_ns,
		.to_ns = to_ns,
		.socket_id = s->socket_id,
		.instance = s->instance,
		.waker = FR_WHO_NONE,
		.kind = FR_WAIT_BLOCKED,
		.cause = FR_BLOCK_NETWORK,
	};
	uint64_t peers_ns = 0, wait_ns;

	if (l->goid) {
		wait_ns = to_ns - l->last_ns;
		*sum = (struct fr_budget){ .blocked_ns[FR_BLOCK_NETWORK] = wait_ns };
		fr_budget_add_wait(sum, &wait);
		fr_budget_add_peer(sum, s->instance, s->socket_id, wait_ns, 1);
		return;
	}
	if (sum->unattributed_ns == to_ns - l->last_ns)
		fr_budget_add_wait(sum, &wait);
	sum->blocked_ns[FR_BLOCK_NETWORK] += sum->unattributed_ns;
	sum->unattributed_ns = 0;
	for (uint32_t i = 0; i < sum->wait_cnt; i++)
		if (sum->waits[i].kind == FR_WAIT_BLOCKED && !sum->waits[i].socket_id &&
		    sum->waits[i].cause == FR_BLOCK_NETWORK) {
			sum->waits[i].socket_id = s->socket_id;
			sum->waits[i].instance = s->instance;
		}
	for (uint32_t i = 0; i < sum->peer_cnt; i++)
		peers_ns += sum->peers[i].wait_ns;
	wait_ns = sum->blocked_ns[FR_BLOCK_NETWORK];
	if (wait_ns > peers_ns)
		fr_budget_add_peer(sum, s->instance, s->socket_id, wait_ns - peers_ns, 1);
}

/* ---- what a line waits for ------------------------------------------------------------------ */

static int find_asked(const struct fr_budget_line *l, const struct fr_budget_sock *s)
{
	for (uint32_t i = 0; i < l->asked_cnt; i++)
		if (is_sock(&l->asked[i].sock, s))
			return (int)i;
	return -1;
}

static void drop_asked(struct fr_budget_line *l, uint32_t at)
{
	l->asked_cnt--;
	for (uint32_t i = at; i < l->asked_cnt; i++)
		l->asked[i] = l->asked[i + 1];
}

static void note_asked(struct fr_budget_line *l, const struct fr_budget_sock *s)
{
	l->asks = true;
	if (find_asked(l, s) >= 0)
		return;
	if (l->asked_cnt == FR_BUDGET_ASKED) {
		drop_asked(l, 0);
		l->asked_lost = true;
	}
	l->asked[l->asked_cnt++] = (struct fr_budget_asked){ .sock = *s, .under = l->serving };
}

/* ---- accounts ------------------------------------------------------------------------------- */

/* Takes the segment up to to_ns: as it is, or as time of which nothing is known. */
static void settle(struct fr_budget_account *a, const struct fr_budget_line *l,
		   const struct fr_budget *segment, bool counts, uint64_t to_ns)
{
	if (to_ns <= a->upto_ns)
		return;
	/* else the segment began before the account did */
	if (counts && a->upto_ns == l->last_ns)
		fr_budget_add(&a->sum, segment);
	else
		a->sum.unattributed_ns += to_ns - a->upto_ns;
	a->upto_ns = to_ns;
}

/* An event of a line. */
struct event {
	enum fr_line_event what;
	struct fr_budget_sock sock;
	struct fr_budget_sock serving; /* which of the line's requests it is for; 0 = not known */
	bool for_nobody;	       /* there are several and nobody knows which */
	uint64_t time_ns;
};

/* Hands the segment that ends with the event to the line's accounts. */
static void settle_all(struct fr_budgets *b, const struct fr_budget_line *l, const struct event *e)
{
	struct fr_budget_account *a;
	bool served = false, own, here;

	for (uint32_t i = l->first; i != FR_NONE; i = a->next) {
		a = &b->accounts[i];
		here = is_sock(&a->sock, &e->sock);
		if (a->server) {
			/* of pipelined ones the oldest is worked on */
			own = !e->for_nobody && !served &&
			      (!e->serving.socket_id || is_sock(&a->sock, &e->serving));
			served |= own;
		} else {
			own = here || e->what == FR_LINE_OTHER;
		}
		settle(a, l, &b->segment, own && !a->strange, e->time_ns);
		a->strange = !own;
		if (here) {
			a->own_sum = a->sum;
			a->own_ns = e->time_ns;
		}
	}
}

/* Which request of the line it is for; what the line waits for after it. */
static void note_event(struct fr_budget_line *l, struct event *e)
{
	int at;

	switch (e->what) {
	case FR_LINE_SERVES:
		l->serving = e->sock;
		break;
	case FR_LINE_ASKS:
		note_asked(l, &e->sock);
		break;
	case FR_LINE_ANSWERED:
		at = find_asked(l, &e->sock);
		e->for_nobody = at < 0 && l->asked_lost;
		if (at >= 0 && l->asked[at].under.socket_id)
			l->serving = l->asked[at].under;
		if (at >= 0)
			drop_asked(l, (uint32_t)at);
		l->asks = false;
		break;
	case FR_LINE_OTHER:
		break;
	}
	e->serving = l->serving;
}

int fr_budgets_line(struct fr_budgets *b, const struct fr_line *line, enum fr_line_event what,
		    uint32_t instance, uint64_t socket_id, uint64_t time_ns)
{
	struct event e = { .what = what,
			   .sock = { .socket_id = socket_id, .instance = instance },
			   .time_ns = time_ns };
	struct fr_budget_thread *t = line->tid ? fr_budget_thread(b, line->tid) : NULL;
	uint32_t index = find_line(b, line);
	struct fr_budget_line *l;

	if (index == FR_NONE || time_ns < b->lines[index].last_ns) {
		if (t)
			fr_budget_thread_cut(t, 0);
		return b->err;
	}
	l = &b->lines[index];
	by_thread(l, own_thread(b, l) == t ? t : NULL, time_ns, &b->segment);
	if (what == FR_LINE_ANSWERED && l->asks && find_asked(l, &e.sock) >= 0)
		by_reply(l, &e.sock, time_ns, &b->segment);
	note_event(l, &e);
	settle_all(b, l, &e);
	l->last_ns = time_ns;
	l->thread_uid = 0;
	if (t) {
		fr_budget_thread_cut(t, l->uid);
		l->thread_uid = t->uid;
		l->thread_tid = t->tid;
	}
	return b->err;
}

/* ---- opening and closing -------------------------------------------------------------------- */

static uint32_t take_account(struct fr_budgets *b)
{
	uint32_t cap = b->account_cap ? b->account_cap * 2 : 64, index = b->account_free;
	struct fr_budget_account *accounts;

	if (index != FR_NONE) {
		b->account_free = b->accounts[index].next;
		return index;
	}
	if (b->account_cnt == b->account_cap) {
		accounts = realloc(b->accounts, cap * sizeof(*accounts));
		if (!accounts)
			return FR_NONE;
		b->accounts = accounts;
		b->account_cap = cap;
	}
	return b->account_cnt++;
}

/* Those of the line that are of the same side, on other sockets: somebody else's event has come. */
static void estrange(struct fr_budgets *b, const struct fr_budget_line *l, bool server,
		     const struct fr_budget_sock *sock)
{
	struct fr_budget_account *a;

	for (uint32_t i = l->first; i != FR_NONE; i = a->next) {
		a = &b->accounts[i];
		if (a->server == server && !is_sock(&a->sock, sock))
			a->strange = true;
	}
}

static void link_account(struct fr_budgets *b, uint32_t line, uint32_t index)
{
	struct fr_budget_line *l = &b->lines[line];

	if (!l->account_cnt++)
		unlink_idle(b, line);
	if (l->last == FR_NONE)
		l->first = index;
	else
		b->accounts[l->last].next = index;
	b->accounts[index].prev = l->last;
	l->last = index;
}

static void drop_account(struct fr_budgets *b, uint32_t index)
{
	struct fr_budget_account *a = &b->accounts[index];
	struct fr_budget_line *l = &b->lines[a->line];

	if (a->prev == FR_NONE)
		l->first = a->next;
	else
		b->accounts[a->prev].next = a->next;
	if (a->next == FR_NONE)
		l->last = a->prev;
	else
		b->accounts[a->next].prev = a->prev;
	if (!--l->account_cnt)
		link_idle(b, a->line);
	a->line = FR_NONE;
	a->next = b->account_free;
	b->account_free = index;
}

fr_account_t fr_budgets_open(struct fr_budgets *b, const struct fr_line *line, bool server,
			     uint32_t instance, uint64_t socket_id, uint64_t time_ns)
{
	struct fr_budget_sock sock = { .socket_id = socket_id, .instance = instance };
	uint32_t line_index = find_line(b, line), index;
	struct fr_budget_account *a;
	struct fr_budget_line *l;

	if (line_index == FR_NONE || b->lines[line_index].account_cnt >= LINE_ACCOUNTS_MAX)
		return 0;
	index = take_account(b);
	if (index == FR_NONE) {
		b->err = -ENOMEM;
		return 0;
	}
	l = &b->lines[line_index];
	estrange(b, l, server, &sock);
	if (server)
		l->serving = sock;
	else if (time_ns == l->last_ns) /* it may not have been known for a question then */
		note_asked(l, &sock);
	a = &b->accounts[index];
	*a = (struct fr_budget_account){
		.line = line_index,
		.next = FR_NONE,
		.server = server,
		.sock = sock,
		.from_ns = time_ns,
		.upto_ns = time_ns > l->last_ns ? time_ns : l->last_ns,
	};
	a->sum.unattributed_ns = a->upto_ns - time_ns;
	link_account(b, line_index, index);
	return index + 1;
}

/* Which reply the account's request still waits for; NULL. */
static const struct fr_budget_sock *waits_for(const struct fr_budget_line *l,
					      const struct fr_budget_account *a)
{
	const struct fr_budget_asked *q;

	for (uint32_t i = l->asks ? l->asked_cnt : 0; i; i--) {
		q = &l->asked[i - 1];
		if (a->server ? !q->under.socket_id || is_sock(&q->under, &a->sock)
			      : is_sock(&q->sock, &a->sock))
			return &q->sock;
	}
	return NULL;
}

/* The line's time from its last event to to_ns, as far as its thread's state tells. */
static void fill(struct fr_budgets *b, const struct fr_budget_line *l,
		 const struct fr_budget_account *a, uint64_t to_ns)
{
	const struct fr_budget_sock none = { 0 }, *asked = waits_for(l, a);
	const struct fr_budget_thread *t = own_thread(b, l);
	struct fr_budget_thread copy;

	if (t) {
		copy = *t;
		fr_budget_thread_until(b, &copy, to_ns, asked ? asked : &none);
	}
	by_thread(l, t ? &copy : NULL, to_ns, &b->segment);
	if (asked)
		by_reply(l, asked, to_ns, &b->segment);
}

/* The budget as it was at a time that has passed. */
static void as_it_was(const struct fr_budget_account *a, uint64_t to_ns, struct fr_budget *ret)
{
	*ret = (struct fr_budget){ 0 };
	if (a->own_ns && a->own_ns <= to_ns) {
		*ret = a->own_sum;
		ret->unattributed_ns += to_ns - a->own_ns;
	} else if (to_ns > a->from_ns) {
		ret->unattributed_ns = to_ns - a->from_ns;
	}
}

void fr_budgets_close(struct fr_budgets *b, fr_account_t account, uint64_t from_ns, uint64_t to_ns,
		      struct fr_budget *ret)
{
	struct fr_budget_account *a;
	struct fr_budget_line *l;

	*ret = (struct fr_budget){ .unattributed_ns = to_ns > from_ns ? to_ns - from_ns : 0 };
	if (!account)
		return;
	a = &b->accounts[account - 1];
	l = &b->lines[a->line];
	if (to_ns < a->upto_ns) {
		as_it_was(a, to_ns, ret);
	} else {
		if (to_ns > a->upto_ns && !a->strange && a->upto_ns == l->last_ns)
			fill(b, l, a, to_ns);
		settle(a, l, &b->segment, !a->strange, to_ns);
		*ret = a->sum;
	}
	drop_account(b, account - 1);
}

int fr_budgets_new(struct fr_names *names, struct fr_threads *threads,
		   struct fr_budgets **ret_budgets)
{
	struct fr_budgets *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	b->names = names;
	b->threads = threads;
	b->next_uid = 1;
	b->line_free = b->account_free = FR_NONE;
	b->idle_newest = b->idle_oldest = FR_NONE;
	*ret_budgets = b;
	return 0;
}

struct fr_budgets *fr_budgets_free(struct fr_budgets *b)
{
	if (!b)
		return NULL;
	for (size_t i = 0; i < FR_TID_PAGES; i++)
		free(b->thread_of[i]);
	free(b->threads_data);
	free(b->cpus);
	fr_map_done(&b->io);
	fr_map_done(&b->line_of);
	free(b->lines);
	free(b->accounts);
	free(b);
	return NULL;
}
