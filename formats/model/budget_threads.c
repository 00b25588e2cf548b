/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the threads of interest did, from the records. A thread's account is brought up to date when
 * it leaves its CPU (its stint is whole then) and at its own socket events (its last wait is over
 * then, and what it did with its time since tells why it waited).
 */
#include "budget_internal.h"

#include <errno.h>
#include <stdlib.h>

/* From the end of block I/O to the wake-up that it does, in the same interrupt: what it carried is
 * let go of before, page by page (1,024 of them take 0.13 ms on a busy machine of 2 CPUs). */
#define COMPLETE_WAKES_NS 100000u
#define COMPLETE_PAGE_NS 250u
#define COMPLETE_PAGE_BYTES 4096u
/* More block I/O under way than any device takes: ends were lost. */
#define IO_MAX 16384u
#define KTHREADD 2u /* parent of all kernel threads */

/* How a wait is to be told. */
struct wait {
	uint64_t off_ns;   /* 0 = what was before ready_ns is not known */
	uint64_t ready_ns; /* 0 = what was before from_ns is not known */
	uint64_t from_ns;  /* it runs again */
	uint64_t wake_ns;  /* 0 = no wake-up was seen */
	uint32_t waker;
	uint16_t off_state;
	bool preempted;
};

/* The socket record that a thread wrote right after a wait; NULL where there was none. */
struct did {
	bool receives;
	uint32_t instance;
	uint64_t socket_id; /* 0 = of a socket without state */
};

/* ---- the table ------------------------------------------------------------------------------ */

struct fr_budget_thread *fr_budget_thread(struct fr_budgets *b, uint32_t tid)
{
	const uint32_t *page = b->thread_of[(tid & FR_TID_MASK) / FR_TID_PAGE];
	uint32_t index = page ? page[tid % FR_TID_PAGE] : 0;

	return index ? &b->threads_data[index - 1] : NULL;
}

static uint32_t take_slot(struct fr_budgets *b)
{
	uint32_t cap = b->thread_cap ? b->thread_cap * 2 : 64, slot = b->thread_free;
	struct fr_budget_thread *data;

	if (slot) {
		b->thread_free = b->threads_data[slot - 1].who;
		return slot;
	}
	if (b->thread_cnt == b->thread_cap) {
		data = realloc(b->threads_data, cap * sizeof(*data));
		if (!data)
			return 0;
		b->threads_data = data;
		b->thread_cap = cap;
	}
	return ++b->thread_cnt;
}

static void begin_life(struct fr_budgets *b, struct fr_budget_thread *t, uint32_t tid, uint32_t who,
		       uint64_t now)
{
	*t = (struct fr_budget_thread){
		.uid = b->next_uid++,
		.tid = tid,
		.who = who,
		.upto_ns = now,
		.sum_from_ns = now,
		.io_round = b->io_round,
		.instead = FR_WHO_NONE,
		.record_claimed = true,
	};
}

static struct fr_budget_thread *add_thread(struct fr_budgets *b, const struct fr_thread *th,
					   uint64_t now)
{
	uint32_t **page = &b->thread_of[th->tid / FR_TID_PAGE], slot;

	if (!*page)
		*page = calloc(FR_TID_PAGE, sizeof(**page));
	slot = *page ? take_slot(b) : 0;
	if (!slot) {
		b->err = -ENOMEM;
		return NULL;
	}
	(*page)[th->tid % FR_TID_PAGE] = slot;
	begin_life(b, &b->threads_data[slot - 1], th->tid, th->who, now);
	return &b->threads_data[slot - 1];
}

/* Its account, if it has one; of whoever has this tid now. */
static inline struct fr_budget_thread *known(struct fr_budgets *b, const struct fr_thread *th,
					     uint64_t now)
{
	struct fr_budget_thread *t = fr_budget_thread(b, th->tid);

	if (__builtin_expect(t && t->who != th->who, 0))
		begin_life(b, t, th->tid, th->who, now);
	return t;
}

static struct fr_budget_thread *known_or_new(struct fr_budgets *b, const struct fr_thread *th,
					     uint64_t now)
{
	struct fr_budget_thread *t = known(b, th, now);

	return t ? t : add_thread(b, th, now);
}

static void drop_thread(struct fr_budgets *b, struct fr_budget_thread *t)
{
	b->thread_of[t->tid / FR_TID_PAGE][t->tid % FR_TID_PAGE] = 0;
	t->uid = 0;
	t->who = b->thread_free;
	b->thread_free = (uint32_t)(t - b->threads_data) + 1;
}

static bool is_kernel_thread(const struct fr_budgets *b, uint32_t who)
{
	const struct fr_process *p;

	if (who == FR_WHO_NONE)
		return false;
	p = fr_names_process_of(b->names, who);
	return p && (p->tgid == KTHREADD || p->parent_tgid == KTHREADD);
}

/* ---- why it waited -------------------------------------------------------------------------- */

static bool by_disk(const struct fr_budgets *b, const struct fr_budget_thread *t,
		    const struct wait *w)
{
	bool seen = w->wake_ns && t->wake_ns == w->wake_ns;
	bool own = t->io_done_ns >= w->off_ns && t->io_done_ns <= w->from_ns;

	if (!(w->off_state & FR_TASK_UNINTERRUPTIBLE))
		return own && seen && t->wake_by_disk;
	if (!seen) /* nor was the end of what it had asked for, maybe */
		return own || (t->io_open_cnt && t->io_round == b->io_round);
	if (t->wake_by_disk)
		return true;
	return own && (t->wake_context != FR_WAKER_TASK || t->wake_by_kernel);
}

static bool is_unix(struct fr_budgets *b, const struct did *did)
{
	const struct fr_socket *s;
	uint32_t index;

	if (!did->socket_id)
		return false;
	s = fr_names_socket(b->names, did->instance, did->socket_id, &index);
	if (!s) {
		b->err = -ENOMEM;
		return false;
	}
	return s->addr.family == FR_AF_UNIX;
}

static bool by_network(struct fr_budgets *b, const struct fr_budget_thread *t, const struct wait *w,
		       const struct did *did)
{
	if (!(w->off_state & FR_TASK_INTERRUPTIBLE))
		return false;
	if (!w->wake_ns || t->wake_ns != w->wake_ns)
		return did;
	switch (t->wake_context) {
	case FR_WAKER_SOFTIRQ:
		return true;
	case FR_WAKER_HARDIRQ: /* a timer */
		return false;
	case FR_WAKER_TASK:
		/* threaded NAPI, or the other end of a unix socket */
		return did && (t->wake_by_kernel || (did->receives && is_unix(b, did)));
	}
	return did;
}

/* ---- sums ----------------------------------------------------------------------------------- */

static void add_blocked(struct fr_budgets *b, struct fr_budget_thread *t, const struct wait *w,
			const struct did *did, uint64_t from_ns, uint64_t to_ns)
{
	struct fr_wait wait = {
		.from_ns = from_ns,
		.to_ns = to_ns,
		.waker = w->waker,
		.off_state = w->off_state,
		.kind = FR_WAIT_BLOCKED,
		.cause = FR_BLOCK_OTHER,
	};

	if (by_disk(b, t, w))
		wait.cause = FR_BLOCK_DISK;
	else if (by_network(b, t, w, did))
		wait.cause = FR_BLOCK_NETWORK;
	if (wait.cause == FR_BLOCK_NETWORK && did && did->socket_id) {
		wait.socket_id = did->socket_id;
		wait.instance = did->instance;
		fr_budget_add_peer(&t->sum, did->instance, did->socket_id, to_ns - from_ns, 1);
	}
	t->sum.blocked_ns[wait.cause] += to_ns - from_ns;
	fr_budget_add_wait(&t->sum, &wait);
}

static void add_queued(struct fr_budget_thread *t, const struct wait *w, uint64_t from_ns,
		       uint64_t to_ns)
{
	struct fr_wait wait = {
		.from_ns = from_ns,
		.to_ns = to_ns,
		.waker = t->instead,
		.off_state = w->off_state,
		.kind = FR_WAIT_RUNQUEUE,
	};

	t->sum.runqueue_ns += to_ns - from_ns;
	fr_budget_add_wait(&t->sum, &wait);
}

static uint64_t later(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns > b_ns ? a_ns : b_ns;
}

/* It was off the CPU up to w->from_ns. */
static void take_wait(struct fr_budgets *b, struct fr_budget_thread *t, const struct wait *w,
		      const struct did *did)
{
	uint64_t from_ns = later(w->from_ns, t->upto_ns);
	uint64_t ready_ns = w->ready_ns ? w->ready_ns : w->from_ns;
	uint64_t off_ns = w->off_ns && w->ready_ns ? w->off_ns : ready_ns;

	if (from_ns == t->upto_ns)
		return;
	off_ns = later(off_ns, t->upto_ns);
	if (off_ns > from_ns)
		off_ns = from_ns;
	ready_ns = later(ready_ns, off_ns);
	if (ready_ns > from_ns)
		ready_ns = from_ns;
	t->sum.unattributed_ns += off_ns - t->upto_ns;
	if (ready_ns > off_ns)
		add_blocked(b, t, w, did, off_ns, ready_ns);
	if (from_ns > ready_ns)
		add_queued(t, w, ready_ns, from_ns);
	t->upto_ns = from_ns;
}

/* It left its CPU at upto_ns, and no record is known to be lost since. */
static bool has_left(const struct fr_budgets *b, const struct fr_budget_thread *t)
{
	return t->left_ns && t->left_ns == t->upto_ns && t->left_round == b->io_round;
}

/*
 * It was seen to leave its last CPU, but not to get the one that it runs on at to_ns. (The recorder
 * does not see what some threads of a virtual machine's host do.) Until w->from_ns it waited as it
 * had left. Since when it has run is only known when it leaves, by the kernel's account (delay_ns;
 * 0 = not yet); else nothing is known of that time.
 */
static void take_unseen(struct fr_budgets *b, struct fr_budget_thread *t, struct wait *w,
			const struct did *did, uint32_t delay_ns, uint64_t to_ns)
{
	uint64_t waited_ns = (uint32_t)(delay_ns - t->delay_ns);
	bool known = false;

	w->off_ns = t->left_ns;
	w->ready_ns = w->preempted || !w->off_state ? w->off_ns : w->wake_ns;
	if (w->ready_ns && delay_ns && t->delay_ns && w->ready_ns + waited_ns <= to_ns) {
		w->from_ns = w->ready_ns + waited_ns;
		known = true;
	}
	t->instead = FR_WHO_NONE;
	take_wait(b, t, w, did);
	if (known)
		t->sum.on_cpu_ns += to_ns - t->upto_ns;
	else
		t->sum.unattributed_ns += to_ns - t->upto_ns;
	t->upto_ns = to_ns;
}

/* Its stint is whole: it has left its CPU. delay_ns: what the switch says; 0 = nothing. */
static void take_stint(struct fr_budgets *b, struct fr_budget_thread *t, const struct fr_stint *s,
		       uint32_t delay_ns)
{
	struct wait w = {
		.off_ns = s->off_ns,
		.ready_ns = s->ready_ns,
		.from_ns = s->from_ns,
		.wake_ns = s->wake_ns,
		.waker = s->waker,
		.off_state = s->off_state,
		.preempted = s->off_preempted,
	};

	if (!s->ran || s->to_ns <= t->upto_ns)
		return;
	if (s->from_unseen && has_left(b, t)) {
		take_unseen(b, t, &w, NULL, delay_ns, s->to_ns);
	} else {
		take_wait(b, t, &w, NULL);
		t->sum.on_cpu_ns += s->to_ns - t->upto_ns;
		t->upto_ns = s->to_ns;
	}
	t->left_ns = s->to_unseen ? 0 : s->to_ns;
	t->left_round = b->io_round;
	t->delay_ns = delay_ns;
}

/* The wait before it got the CPU that it has. When it became runnable is known by the wake-up only:
 * the kernel's own account comes when it leaves. */
static struct wait wait_before(const struct fr_thread *th)
{
	struct wait w = {
		.off_ns = th->since_unseen ? 0 : th->off_ns,
		.from_ns = th->since_ns,
		.wake_ns = th->wake_ns,
		.waker = th->waker,
		.off_state = th->off_state,
		.preempted = th->off_preempted,
	};

	if (w.off_ns && (w.preempted || !w.off_state))
		w.ready_ns = w.off_ns;
	else if (!th->since_unseen)
		w.ready_ns = w.wake_ns;
	return w;
}

/* It runs and does something at now. */
static void take_moment(struct fr_budgets *b, struct fr_budget_thread *t,
			const struct fr_thread *th, const struct did *did, uint64_t now)
{
	struct wait w;

	if (now <= t->upto_ns)
		return;
	if (th->run != FR_RUN_ON) {
		t->sum.unattributed_ns += now - t->upto_ns;
		t->upto_ns = now;
		return;
	}
	w = wait_before(th);
	if (th->since_unseen && has_left(b, t)) {
		take_unseen(b, t, &w, did, 0, now);
		return;
	}
	take_wait(b, t, &w, did);
	if (now > t->upto_ns)
		t->sum.on_cpu_ns += now - t->upto_ns;
	t->upto_ns = later(now, t->upto_ns);
}

void fr_budget_thread_cut(struct fr_budget_thread *t, uint64_t line_uid)
{
	t->last_line = line_uid;
	t->record_claimed = true;
	t->unclaimed = false;
	t->sum_from_ns = t->upto_ns;
	t->sum = (struct fr_budget){ 0 };
}

/* It sleeps, and nobody has woken it yet. */
static void add_unended(struct fr_budgets *b, struct fr_budget_thread *t,
			const struct fr_thread *th, uint64_t to_ns,
			const struct fr_budget_sock *asked)
{
	struct fr_wait wait = {
		.from_ns = t->upto_ns,
		.to_ns = to_ns,
		.waker = FR_WHO_NONE,
		.off_state = th->off_state,
		.kind = FR_WAIT_BLOCKED,
		.cause = FR_BLOCK_OTHER,
	};

	if (th->off_state & FR_TASK_UNINTERRUPTIBLE) {
		if (t->io_open_cnt && t->io_round == b->io_round)
			wait.cause = FR_BLOCK_DISK;
	} else if (asked->socket_id) {
		wait.cause = FR_BLOCK_NETWORK;
		wait.socket_id = asked->socket_id;
		wait.instance = asked->instance;
		fr_budget_add_peer(&t->sum, asked->instance, asked->socket_id, to_ns - t->upto_ns,
				   1);
	}
	t->sum.blocked_ns[wait.cause] += to_ns - t->upto_ns;
	fr_budget_add_wait(&t->sum, &wait);
	t->upto_ns = to_ns;
}

void fr_budget_thread_until(struct fr_budgets *b, struct fr_budget_thread *t, uint64_t at_ns,
			    const struct fr_budget_sock *asked)
{
	struct fr_thread *th = fr_threads_get(b->threads, t->tid, at_ns);
	struct wait w = { .from_ns = at_ns };
	const struct fr_thread *other;

	if (at_ns <= t->upto_ns || !th)
		return;
	if (th->who != t->who || th->run == FR_RUN_UNKNOWN || th->run == FR_RUN_DEAD) {
		t->sum.unattributed_ns += at_ns - t->upto_ns;
		t->upto_ns = at_ns;
		return;
	}
	if (th->run == FR_RUN_ON && th->since_ns < at_ns) {
		take_moment(b, t, th, NULL, at_ns);
		return;
	}
	if (th->run == FR_RUN_ON) { /* it got its CPU later: how it waited is known */
		w = wait_before(th);
		w.from_ns = at_ns;
	} else {
		w.off_ns = th->since_ns;
		w.wake_ns = th->wake_ns;
		w.waker = th->waker;
		w.off_state = th->off_state;
		w.preempted = th->off_preempted;
		w.ready_ns = w.preempted || !w.off_state ? w.off_ns : w.wake_ns;
		if (!w.ready_ns && w.off_ns <= t->upto_ns) {
			add_unended(b, t, th, at_ns, asked);
			return;
		}
		other = fr_threads_on_cpu(b->threads, th->cpu);
		t->instead = other && other != th ? other->who : FR_WHO_NONE;
	}
	take_wait(b, t, &w, NULL);
}

/* ---- records -------------------------------------------------------------------------------- */

static struct fr_budget_cpu *cpu_of(struct fr_budgets *b, uint16_t cpu)
{
	struct fr_budget_cpu *cpus;

	if (__builtin_expect(cpu < b->cpu_cnt, 1))
		return &b->cpus[cpu];
	cpus = realloc(b->cpus, (cpu + 1u) * sizeof(*cpus));
	if (!cpus) {
		b->err = -ENOMEM;
		return NULL;
	}
	for (uint32_t i = b->cpu_cnt; i <= cpu; i++)
		cpus[i] = (struct fr_budget_cpu){ 0 };
	b->cpus = cpus;
	b->cpu_cnt = cpu + 1u;
	return &cpus[cpu];
}

/* Who had the CPU the longest between the two times, among those who had it lately. */
static uint32_t who_ran(struct fr_budgets *b, const struct fr_budget_cpu *c, uint64_t from_ns,
			uint64_t to_ns)
{
	uint64_t ran_ns[FR_BUDGET_RUNS] = { 0 }, lo_ns, hi_ns;
	uint32_t first, best = 0;

	for (uint32_t i = 0; i < FR_BUDGET_RUNS; i++) {
		lo_ns = later(c->runs[i].from_ns, from_ns);
		hi_ns = c->runs[i].to_ns < to_ns ? c->runs[i].to_ns : to_ns;
		if (!c->runs[i].tid || lo_ns >= hi_ns)
			continue;
		for (first = 0; c->runs[first].tid != c->runs[i].tid; first++)
			;
		ran_ns[first] += hi_ns - lo_ns;
		if (ran_ns[first] > ran_ns[best])
			best = first;
	}
	if (!ran_ns[best])
		return FR_WHO_NONE;
	return fr_names_thread(b->names, c->runs[best].tid, c->runs[best].to_ns);
}

static void on_switch(struct fr_budgets *b, const struct fr_merged *m, struct fr_budget_cpu *c)
{
	const struct fr_sched_switch *e = (const void *)m->rec.data;
	struct fr_budget_run *run = &c->runs[c->run_at++ % FR_BUDGET_RUNS];
	uint32_t next = FR_SWITCH_NEXT(e->who);
	const struct fr_thread *th;
	struct fr_budget_thread *t;
	struct wait w;

	run->from_ns = c->since_ns ? c->since_ns : m->order_ns;
	run->to_ns = c->since_ns = m->order_ns;
	run->tid = FR_SWITCH_PREV(e->who);
	if (!next || !fr_budget_thread(b, next))
		return;
	th = fr_threads_get(b->threads, next, m->order_ns);
	t = th ? known(b, th, m->order_ns) : NULL;
	if (!t || th->run != FR_RUN_ON)
		return;
	w = wait_before(th);
	t->instead = FR_WHO_NONE;
	if (w.ready_ns && w.ready_ns < w.from_ns)
		t->instead = who_ran(b, c, w.ready_ns, w.from_ns);
}

/*
 * What the wake-up says of the sleep that it ends. Whom some block I/O woke hands that on to whom
 * it wakes: journals and work queues stand between a thread and its disk (kernel threads, which
 * sleep at other things, too, meanwhile), or who had locked the same buffer.
 */
static void on_waking(struct fr_budgets *b, const struct fr_merged *m, const struct fr_step *step,
		      const struct fr_budget_cpu *c)
{
	const struct fr_sched_waking *e = (const void *)m->rec.data;
	bool task = FR_WAKING_CONTEXT(e->who) == FR_WAKER_TASK;
	bool complete = m->order_ns <= c->wakes_until_ns;
	const struct fr_budget_thread *waker = NULL;
	struct fr_budget_thread *t;
	bool kernel;

	if (!step->wakee)
		return;
	t = known(b, step->wakee, m->order_ns);
	if (!t && complete)
		t = add_thread(b, step->wakee, m->order_ns);
	if (!t)
		return;
	if (task && step->waker)
		waker = known(b, step->waker, m->order_ns);
	kernel = task && step->waker && is_kernel_thread(b, step->waker->who);
	if (waker && !kernel && waker->baton_ns != waker->wake_ns)
		waker = NULL;
	t->wake_ns = m->order_ns;
	t->wake_context = FR_WAKING_CONTEXT(e->who);
	t->wake_by_kernel = kernel;
	t->wake_by_disk = (complete && (!task || kernel)) ||
			  (waker && waker->baton_ns >= step->wakee->since_ns);
	if (t->wake_by_disk && (!waker || step->wakee->off_state & FR_TASK_UNINTERRUPTIBLE ||
				is_kernel_thread(b, t->who)))
		t->baton_ns = m->order_ns;
}

static uint64_t io_key(uint32_t dev, uint64_t sector)
{
	return sector ^ dev * 0x9e3779b97f4a7c15ull;
}

static void forget_io(struct fr_budgets *b)
{
	fr_map_done(&b->io);
	b->io_round++;
}

static void on_issue(struct fr_budgets *b, const struct fr_merged *m)
{
	const struct fr_block_issue *e = (const void *)m->rec.data;
	const struct fr_thread *th = fr_threads_get(b->threads, e->tid, m->order_ns);
	struct fr_budget_thread *t = th ? known_or_new(b, th, m->order_ns) : NULL;

	if (!t)
		return;
	if (b->io.cnt >= IO_MAX)
		forget_io(b);
	if (fr_map_put(&b->io, io_key(e->dev, e->sector), e->tid))
		b->err = -ENOMEM;
	if (t->io_round != b->io_round)
		t->io_open_cnt = 0;
	t->io_round = b->io_round;
	t->io_open_cnt++;
}

static uint64_t wakes_within_ns(const struct fr_block_complete *e)
{
	bool carries = e->op == FR_BLOCK_READ || e->op == FR_BLOCK_WRITE;

	return COMPLETE_WAKES_NS +
	       (carries ? (uint64_t)(e->bytes / COMPLETE_PAGE_BYTES) * COMPLETE_PAGE_NS : 0);
}

static void on_complete(struct fr_budgets *b, const struct fr_merged *m, struct fr_budget_cpu *c)
{
	const struct fr_block_complete *e = (const void *)m->rec.data;
	uint64_t key = io_key(e->dev, e->sector);
	struct fr_budget_thread *t;
	uint32_t tid;

	c->wakes_until_ns = m->order_ns + wakes_within_ns(e);
	if (!fr_map_get(&b->io, key, &tid))
		return;
	fr_map_del(&b->io, key);
	t = fr_budget_thread(b, tid);
	if (!t)
		return;
	t->io_done_ns = m->order_ns;
	if (t->io_open_cnt && t->io_round == b->io_round)
		t->io_open_cnt--;
}

static void on_io(struct fr_budgets *b, const struct fr_merged *m, uint32_t instance)
{
	const struct fr_sock_io *e = (const void *)m->rec.data;
	const struct fr_thread *th = fr_threads_get(b->threads, e->tid, m->order_ns);
	struct fr_budget_thread *t = th ? known_or_new(b, th, m->order_ns) : NULL;
	struct did did = {
		.receives = m->rec.kind == FR_EV_SOCK_RECV,
		.instance = instance,
		.socket_id = e->sock_id,
	};

	if (!t)
		return;
	t->unclaimed |= !t->record_claimed;
	t->record_claimed = false;
	take_moment(b, t, th, &did, m->order_ns);
}

static void on_free(struct fr_budgets *b, const struct fr_merged *m)
{
	const struct fr_proc_end *e = (const void *)m->rec.data;
	struct fr_budget_thread *t = fr_budget_thread(b, e->tid);
	const struct fr_who *w;

	if (!t || t->tid != e->tid)
		return;
	/* an exec may have given the tid to another thread of the process, which lives on */
	w = fr_names_who(b->names, t->who);
	if (!w->named || w->start_ns == e->start_ns)
		drop_thread(b, t);
}

/* What a switch says of the one who leaves. */
static uint32_t delay_of(const struct fr_merged *m, uint32_t tid)
{
	const struct fr_sched_switch *e = (const void *)m->rec.data;

	if (m->rec.kind != FR_EV_SCHED_SWITCH || FR_SWITCH_PREV(e->who) != tid)
		return 0;
	return e->run_delay_ns;
}

int fr_budgets_record(struct fr_budgets *b, const struct fr_merged *m, uint32_t instance,
		      const struct fr_step *step)
{
	struct fr_budget_cpu *c = cpu_of(b, m->rec.cpu);
	struct fr_budget_thread *t;

	if (!c)
		return b->err;
	for (uint32_t i = 0; i < step->stint_cnt; i++) {
		t = known(b, step->stints[i].thread, m->order_ns);
		if (t)
			take_stint(b, t, &step->stints[i], delay_of(m, t->tid));
	}
	if (m->rec.kind == FR_EV_SCHED_SWITCH) {
		c->wakes_until_ns = 0;
		on_switch(b, m, c);
		return b->err;
	}
	switch (m->rec.kind) {
	case FR_EV_SCHED_WAKING:
		on_waking(b, m, step, c);
		return b->err;
	case FR_EV_BLOCK_ISSUE:
		on_issue(b, m);
		return b->err;
	case FR_EV_BLOCK_COMPLETE:
		on_complete(b, m, c);
		return b->err;
	case FR_EV_SOCK_SEND:
	case FR_EV_SOCK_RECV:
		on_io(b, m, instance);
		break;
	case FR_EV_PROC_FREE:
		on_free(b, m);
		break;
	}
	c->wakes_until_ns = 0;
	return b->err;
}

void fr_budgets_blind(struct fr_budgets *b, uint64_t at_ns)
{
	(void)at_ns; /* what threads did says their state, which is forgotten there */
	for (uint32_t i = 0; i < b->cpu_cnt; i++)
		b->cpus[i] = (struct fr_budget_cpu){ 0 };
	forget_io(b);
}
