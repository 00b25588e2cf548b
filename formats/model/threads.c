/* SPDX-License-Identifier: BSD-2-Clause */
#include "threads.h"

#include <errno.h>
#include <stdlib.h>

#include "refs.h"

#define SLAB_THREADS 256
#define TID_PAGE 1024u /* tids of one page of the table */
#define TID_PAGES ((FR_TID_MASK + 1) / TID_PAGE)
#define NOBODY UINT32_MAX
/* From being woken on another CPU to the switch record of the one who was about to sleep. */
#define EARLY_WAKE_NS 20000u
#define RECHECK_NS 100000000u
/* TASK_DEAD, EXIT_ZOMBIE, EXIT_DEAD of <linux/sched.h>: it never runs again */
#define STATE_GONE 0xb0u

struct cpu {
	uint32_t thread;   /* index of who runs; NOBODY = idle */
	bool known;	   /* thread is right */
	bool seen;	   /* a record came from this CPU */
	uint64_t since_ns; /* thread runs since; not known: nothing is known before */
	uint64_t last_ns;  /* of the last record */
};

struct fr_threads {
	struct fr_names *names;	       /* borrowed */
	uint32_t *index_of[TID_PAGES]; /* by tid, plus one; 0 = none; pages made at first use */
	struct fr_thread **slabs;
	size_t slab_cnt;
	uint32_t used;	    /* of the slabs */
	uint32_t free_list; /* plus one; 0 = empty */
	struct cpu *cpus;
	uint32_t cpu_cnt;
	int err;
	bool sched_on;
	struct fr_threads_stats stats;
};

static inline struct fr_thread *at(const struct fr_threads *t, uint32_t index)
{
	return &t->slabs[index / SLAB_THREADS][index % SLAB_THREADS];
}

/* ---- live threads --------------------------------------------------------------------------- */

/* Plus one; 0 = no live thread has this tid. */
static inline uint32_t index_plus_1(const struct fr_threads *t, uint32_t tid)
{
	const uint32_t *page = t->index_of[tid / TID_PAGE];

	return page ? page[tid % TID_PAGE] : 0;
}

static int set_index_plus_1(struct fr_threads *t, uint32_t tid, uint32_t index)
{
	uint32_t **page = &t->index_of[tid / TID_PAGE];

	if (!*page)
		*page = calloc(TID_PAGE, sizeof(**page));
	if (!*page)
		return -ENOMEM;
	(*page)[tid % TID_PAGE] = index;
	return 0;
}

static uint32_t take_index(struct fr_threads *t)
{
	struct fr_thread **slabs;
	uint32_t index = t->free_list;

	if (index) {
		t->free_list = at(t, index - 1)->next_free;
		return index;
	}
	if (t->used == t->slab_cnt * SLAB_THREADS) {
		slabs = realloc(t->slabs, (t->slab_cnt + 1) * sizeof(*slabs));
		if (!slabs)
			return 0;
		t->slabs = slabs;
		slabs[t->slab_cnt] = malloc(SLAB_THREADS * sizeof(**slabs));
		if (!slabs[t->slab_cnt])
			return 0;
		t->slab_cnt++;
	}
	return ++t->used;
}

static void identify(struct fr_threads *t, struct fr_thread *th, uint32_t who, uint64_t time_ns)
{
	uint64_t end_ns = fr_names_who(t->names, who)->end_ns;

	th->who = who;
	th->check_ns = !end_ns ? UINT64_MAX : end_ns >= time_ns ? end_ns : time_ns + RECHECK_NS;
}

static void begin_life(struct fr_threads *t, struct fr_thread *th, uint32_t tid, uint32_t who,
		       uint64_t time_ns)
{
	*th = (struct fr_thread){ .tid = tid, .waker = FR_WHO_NONE, .early_waker = FR_WHO_NONE };
	identify(t, th, who, time_ns);
	fr_names_comm_at(t->names, who, time_ns, th->comm);
}

static struct fr_thread *add_thread(struct fr_threads *t, uint32_t tid, uint64_t time_ns)
{
	uint32_t who = fr_names_thread(t->names, tid, time_ns);
	uint32_t index = who == FR_WHO_NONE ? 0 : take_index(t);

	if (!index || set_index_plus_1(t, tid, index)) {
		t->err = -ENOMEM;
		return NULL;
	}
	if (++t->stats.live > t->stats.live_max)
		t->stats.live_max = t->stats.live;
	begin_life(t, at(t, index - 1), tid, who, time_ns);
	return at(t, index - 1);
}

/* Is it still the same one? */
static void recheck(struct fr_threads *t, struct fr_thread *th, uint64_t time_ns)
{
	uint32_t who = fr_names_thread(t->names, th->tid, time_ns);

	if (who == FR_WHO_NONE)
		t->err = -ENOMEM;
	else if (who == th->who)
		identify(t, th, who, time_ns);
	else if (th->run != FR_RUN_ON)
		begin_life(t, th, th->tid, who, time_ns);
}

struct fr_thread *fr_threads_get(struct fr_threads *t, uint32_t tid, uint64_t time_ns)
{
	struct fr_thread *th;
	uint32_t index;

	if (!tid || tid > FR_TID_MASK)
		return NULL;
	index = index_plus_1(t, tid);
	if (__builtin_expect(!index, 0))
		return add_thread(t, tid, time_ns);
	th = at(t, index - 1);
	if (__builtin_expect(time_ns > th->check_ns, 0))
		recheck(t, th, time_ns);
	return th;
}

static void drop_thread(struct fr_threads *t, uint32_t tid)
{
	uint32_t index = index_plus_1(t, tid);
	struct fr_thread *th = at(t, index - 1);

	th->tid = 0;
	th->next_free = t->free_list;
	t->free_list = index;
	(void)set_index_plus_1(t, tid, 0); /* its page is there */
	t->stats.live--;
}

/* ---- CPUs ----------------------------------------------------------------------------------- */

static struct cpu *grow_cpus(struct fr_threads *t, uint16_t cpu)
{
	uint32_t cnt = cpu + 1u;
	struct cpu *cpus = realloc(t->cpus, cnt * sizeof(*cpus));

	if (!cpus) {
		t->err = -ENOMEM;
		return NULL;
	}
	for (uint32_t i = t->cpu_cnt; i < cnt; i++)
		cpus[i] = (struct cpu){ .thread = NOBODY };
	t->cpus = cpus;
	t->cpu_cnt = cnt;
	return &cpus[cpu];
}

static struct cpu *cpu_of(struct fr_threads *t, uint16_t cpu)
{
	if (__builtin_expect(cpu < t->cpu_cnt, 1))
		return &t->cpus[cpu];
	return grow_cpus(t, cpu);
}

/* ---- stints --------------------------------------------------------------------------------- */

/* When it became runnable, given what it is known to have waited in run queues (0 = not known). */
static uint64_t ready_time(const struct fr_thread *th, uint64_t from_ns, uint32_t waited_ns)
{
	if (th->off_ns && (th->off_preempted || !th->off_state))
		return th->off_ns;
	if (waited_ns && waited_ns < from_ns) {
		uint64_t ready_ns = from_ns - waited_ns;

		return ready_ns > th->off_ns ? ready_ns : th->off_ns;
	}
	if (th->wake_ns)
		return th->wake_ns < from_ns ? th->wake_ns : from_ns;
	return th->off_ns ? from_ns : 0;
}

/* The thread's time on the CPU ends at to_ns. */
static void end_stint(struct fr_step *step, struct fr_thread *th, uint64_t to_ns,
		      uint32_t waited_ns)
{
	struct fr_stint *s = &step->stints[step->stint_cnt++];

	*s = (struct fr_stint){
		.thread = th,
		.off_ns = th->off_ns,
		.from_ns = th->since_ns < to_ns ? th->since_ns : to_ns,
		.to_ns = to_ns,
		.wake_ns = th->wake_ns,
		.flow = th->flow,
		.waker = th->waker,
		.cpu = th->cpu,
		.off_state = th->off_state,
		.off_preempted = th->off_preempted,
		.ran = true,
		.from_unseen = th->since_unseen,
	};
	if (th->since_unseen)
		s->off_ns = 0;
	else
		s->ready_ns = ready_time(th, s->from_ns, waited_ns);
}

/* It left its CPU, nobody knows when, and may have done anything since. */
static void forget(struct fr_thread *th, uint64_t seen_until_ns)
{
	th->run = FR_RUN_UNKNOWN;
	if (seen_until_ns > th->since_ns)
		th->since_ns = seen_until_ns;
	th->delay_known = false;
	th->wake_ns = th->flow = 0;
	th->waker = FR_WHO_NONE;
}

static void leave(struct fr_thread *th, uint64_t now, uint16_t state, bool preempted)
{
	bool early = th->early_wake_ns && now - th->early_wake_ns <= EARLY_WAKE_NS && state &&
		     !preempted;

	th->wake_ns = early ? now : 0;
	th->waker = early ? th->early_waker : FR_WHO_NONE;
	th->early_wake_ns = 0;
	th->flow = 0;
	th->off_ns = 0;
	th->since_ns = now;
	th->since_unseen = false;
	th->off_state = state;
	th->off_preempted = preempted;
	th->run = state & STATE_GONE && !preempted ? FR_RUN_DEAD : FR_RUN_OFF;
}

static void arrive(struct fr_thread *th, uint64_t now, uint16_t cpu, bool unseen)
{
	th->off_ns = th->run == FR_RUN_OFF ? th->since_ns : 0;
	th->run = FR_RUN_ON;
	th->since_ns = now;
	th->since_unseen = unseen;
	th->cpu = cpu;
	th->early_wake_ns = 0;
}

/* It is found on a CPU, nobody saw it come: that was not before anything known of both. */
static void found_on(struct fr_thread *th, const struct cpu *c, uint16_t cpu)
{
	uint64_t since_ns = c->since_ns;

	if (th->since_ns > since_ns)
		since_ns = th->since_ns;
	if (th->wake_ns > since_ns)
		since_ns = th->wake_ns;
	arrive(th, since_ns, cpu, true);
}

/* The CPU was seen to have another thread than the record says: what came between is lost. */
static void mend_cpu(struct fr_threads *t, struct cpu *c, uint16_t cpu, struct fr_step *step)
{
	struct fr_thread *th;

	t->stats.mismatches++;
	if (c->thread != NOBODY) {
		th = at(t, c->thread);
		if (th->run == FR_RUN_ON && th->cpu == cpu) {
			end_stint(step, th, c->last_ns, 0);
			step->stints[step->stint_cnt - 1].to_unseen = true;
			step->stints[step->stint_cnt - 1].on_cpu_track = true;
			step->stints[step->stint_cnt - 1].cpu_from_ns = c->since_ns;
			forget(th, c->last_ns);
		}
	}
	c->since_ns = c->last_ns;
	c->known = false;
}

/* prev leaves; its stint goes into the step. */
static void switch_out(const struct fr_merged *m, const struct cpu *c, struct fr_thread *p,
		       struct fr_step *step)
{
	const struct fr_sched_switch *e = (const void *)m->rec.data;
	uint64_t now = m->order_ns;
	uint32_t waited_ns = 0;
	struct fr_stint *s;

	if (p->run != FR_RUN_ON && !c->known)
		found_on(p, c, m->rec.cpu);
	if (p->delay_known && e->run_delay_ns)
		waited_ns = e->run_delay_ns - p->run_delay_ns;
	if (p->run == FR_RUN_ON && p->cpu == m->rec.cpu) {
		end_stint(step, p, now, waited_ns);
	} else {
		/* it was seen to start elsewhere meanwhile: that one counts for the thread */
		step->stints[step->stint_cnt++] = (struct fr_stint){
			.thread = p,
			.from_ns = now,
			.to_ns = now,
			.cpu = m->rec.cpu,
		};
	}
	s = &step->stints[step->stint_cnt - 1];
	s->on_cpu_track = true;
	s->cpu_from_ns = c->since_ns < now ? c->since_ns : now;
	if (!s->ran)
		return;
	leave(p, now, (uint16_t)FR_SWITCH_STATE(e->who), FR_SWITCH_PREEMPT(e->who));
	p->run_delay_ns = e->run_delay_ns;
	p->delay_known = e->run_delay_ns != 0;
}

static void on_switch(struct fr_threads *t, const struct fr_merged *m, struct cpu *c,
		      struct fr_step *step)
{
	const struct fr_sched_switch *e = (const void *)m->rec.data;
	uint32_t prev = FR_SWITCH_PREV(e->who), next = FR_SWITCH_NEXT(e->who);
	uint64_t now = m->order_ns;
	struct fr_thread *p, *n;

	t->stats.switches++;
	if (c->known && (c->thread == NOBODY ? prev != 0 : at(t, c->thread)->tid != prev))
		mend_cpu(t, c, m->rec.cpu, step);
	p = fr_threads_get(t, prev, now);
	if (p)
		switch_out(m, c, p, step);
	n = fr_threads_get(t, next, now);
	c->known = true;
	c->since_ns = now;
	c->thread = n ? index_plus_1(t, next) - 1 : NOBODY;
	if (!n)
		return;
	if (n->run == FR_RUN_ON) {
		/* clocks of two CPUs disagree a little: it starts here before it ends there */
		end_stint(step, n, now, 0);
		leave(n, now, 0, false);
	}
	arrive(n, now, m->rec.cpu, false);
}

/* ---- wake-ups, births, ends ----------------------------------------------------------------- */

static void on_waking(struct fr_threads *t, const struct fr_merged *m, struct fr_step *step)
{
	const struct fr_sched_waking *e = (const void *)m->rec.data;
	struct fr_thread *w = fr_threads_get(t, FR_WAKING_WAKEE(e->who), m->order_ns);
	bool by_task = FR_WAKING_CONTEXT(e->who) == FR_WAKER_TASK;
	struct fr_thread *waker = NULL;

	if (!w)
		return;
	if (by_task)
		waker = fr_threads_get(t, FR_WAKING_WAKER(e->who), m->order_ns);
	if (w->run == FR_RUN_ON) {
		w->early_wake_ns = m->order_ns;
		w->early_waker = waker ? waker->who : FR_WHO_NONE;
		return;
	}
	/* the first one made it runnable; one on a thread that never left its queue did nothing */
	if ((w->wake_ns && w->wake_ns != w->since_ns) || w->run == FR_RUN_DEAD ||
	    (w->run == FR_RUN_OFF && (w->off_preempted || !w->off_state)))
		return;
	w->wake_ns = m->order_ns;
	w->waker = waker ? waker->who : FR_WHO_NONE;
	w->flow = 0;
	step->wakee = w;
	step->waker = waker;
}

/*
 * What it is called from now on. Not as the record says: a rename behind it may be lost, on another
 * CPU whose history is shorter, and whatever came later tells the name then.
 */
static void learn_name(const struct fr_threads *t, struct fr_thread *th, uint64_t now)
{
	fr_names_comm_at(t->names, th->who, now, th->comm);
}

static void on_fork(struct fr_threads *t, const struct fr_merged *m, struct fr_step *step)
{
	struct fr_thread *child, *parent;
	struct fr_proc_fork e;

	memcpy(&e, m->rec.data, sizeof(e));
	child = fr_threads_get(t, e.child_tid, m->order_ns);
	parent = fr_threads_get(t, e.parent_tid, m->order_ns);
	if (!child)
		return;
	if (child->run != FR_RUN_UNKNOWN) /* the end of who had this tid before was not seen */
		recheck(t, child, m->order_ns);
	if (child->run == FR_RUN_ON)
		return;
	learn_name(t, child, m->order_ns);
	child->run = FR_RUN_OFF;
	child->since_ns = child->wake_ns = m->order_ns;
	child->off_state = 0;
	child->off_preempted = false;
	child->run_delay_ns = 0;
	child->delay_known = true;
	child->waker = parent ? parent->who : FR_WHO_NONE;
	child->flow = 0;
	step->wakee = child;
	step->waker = parent;
}

static void on_rename(struct fr_threads *t, const struct fr_merged *m)
{
	struct fr_proc_rename e;
	struct fr_thread *th;

	memcpy(&e, m->rec.data, sizeof(e));
	th = fr_threads_get(t, e.tid, m->order_ns);
	if (th)
		learn_name(t, th, m->order_ns);
}

/* The caller of an exec that was not the leader goes on under the leader's tid. */
static void on_swap(struct fr_threads *t, const struct fr_merged *m, const struct fr_proc_exec *e,
		    struct fr_step *step)
{
	struct fr_thread *old = fr_threads_get(t, e->old_tid, m->order_ns);
	struct fr_thread *now = fr_threads_get(t, e->tid, m->order_ns);
	struct cpu *c = cpu_of(t, m->rec.cpu);
	struct fr_stint *s;

	if (!old || !now || !c)
		return;
	if (now->run == FR_RUN_ON && now->cpu == m->rec.cpu && c->known &&
	    c->thread == index_plus_1(t, e->tid) - 1) {
		/* switched out and in again between the swap and this record, which is late */
		leave(old, m->order_ns, STATE_GONE, false);
		return;
	}
	if (now->run == FR_RUN_ON) /* the old leader, on its last steps elsewhere */
		end_stint(step, now, m->order_ns, 0);
	now->run = FR_RUN_UNKNOWN; /* whatever the old leader did, it is dead */
	now->wake_ns = now->flow = 0;
	now->waker = FR_WHO_NONE;
	now->run_delay_ns = old->run_delay_ns;
	now->delay_known = old->delay_known;
	if (old->run == FR_RUN_ON && old->cpu == m->rec.cpu && c->known &&
	    c->thread == index_plus_1(t, e->old_tid) - 1) {
		end_stint(step, old, m->order_ns, 0);
		s = &step->stints[step->stint_cnt - 1];
		s->on_cpu_track = true;
		s->cpu_from_ns = c->since_ns;
		arrive(now, m->order_ns, m->rec.cpu, false);
		c->thread = index_plus_1(t, e->tid) - 1;
		c->since_ns = m->order_ns;
	}
	/* the old leader dies as e->old_tid: nothing of it is shown */
	leave(old, m->order_ns, STATE_GONE, false);
}

static void on_exec(struct fr_threads *t, const struct fr_merged *m, struct fr_step *step)
{
	struct fr_proc_exec e;
	struct fr_thread *th;

	memcpy(&e, m->rec.data, sizeof(e));
	if (e.old_tid != e.tid)
		on_swap(t, m, &e, step);
	th = fr_threads_get(t, e.tid, m->order_ns);
	if (th)
		learn_name(t, th, m->order_ns);
}

static void on_free(struct fr_threads *t, const struct fr_merged *m)
{
	const struct fr_who *w;
	struct fr_proc_end e;
	struct fr_thread *th;

	memcpy(&e, m->rec.data, sizeof(e));
	if (!e.tid || e.tid > FR_TID_MASK || !index_plus_1(t, e.tid))
		return;
	th = at(t, index_plus_1(t, e.tid) - 1);
	w = fr_names_who(t->names, th->who);
	/* a tid that an exec swapped away names the old leader; a running thread is not freed */
	if (th->run != FR_RUN_ON &&
	    (w->start_ns == e.start_ns || !w->named || th->run == FR_RUN_DEAD))
		drop_thread(t, e.tid);
}

static void on_state(struct fr_threads *t, const struct fr_merged *m)
{
	struct fr_proc_state e;
	struct fr_thread *th;

	memcpy(&e, m->rec.data, sizeof(e));
	th = fr_threads_get(t, e.tid, m->order_ns);
	/* The records of its CPU know better than a look from another one. Who runs is left to them
	 * as well: e.cpu is where it was to be woken, not where it is. */
	if (th && th->run == FR_RUN_UNKNOWN && !(e.flags & FR_STATE_ON_CPU))
		leave(th, m->order_ns, (uint16_t)e.state, false);
}

/*
 * A thread that does something on a CPU runs there. Tells who runs before the first switch is seen,
 * and when a switch record got lost.
 */
static void learn_context(struct fr_threads *t, const struct fr_merged *m, struct cpu *c,
			  struct fr_step *step)
{
	struct fr_thread *th;
	struct fr_refs refs;

	fr_record_refs(&m->rec, &refs);
	if (!refs.in_context || m->rec.kind == FR_EV_PROC_EXEC)
		return;
	if (c->known && c->thread != NOBODY && at(t, c->thread)->tid == refs.tids[0])
		return;
	if (c->known)
		mend_cpu(t, c, m->rec.cpu, step);
	th = fr_threads_get(t, refs.tids[0], m->order_ns);
	if (!th || th->run == FR_RUN_ON)
		return;
	found_on(th, c, m->rec.cpu);
	c->known = true;
	c->thread = index_plus_1(t, th->tid) - 1;
}

/* The records that only happen in the context of their thread, switches apart. */
static bool tells_context(uint32_t kind)
{
	return kind == FR_EV_SCHED_WAKING || kind == FR_EV_SOCK_SEND || kind == FR_EV_SOCK_RECV ||
	       kind == FR_EV_SOCK_ACCEPT || kind == FR_EV_PROC_FORK || kind == FR_EV_PROC_EXIT ||
	       kind == FR_EV_PROC_SIGNAL;
}

static void on_family(struct fr_threads *t, const struct fr_merged *m)
{
	struct fr_rec_family e;

	memcpy(&e, m->rec.data, sizeof(e));
	if (e.family == FR_FAMILY_SCHED)
		t->sched_on = e.on;
}

int fr_threads_record(struct fr_threads *t, const struct fr_merged *m, struct fr_step *ret_step)
{
	struct cpu *c = cpu_of(t, m->rec.cpu);

	ret_step->stint_cnt = 0;
	ret_step->wakee = ret_step->waker = NULL;
	if (!c)
		return t->err;
	if (__builtin_expect(!c->seen || m->after_gap, 0)) {
		c->seen = true;
		c->known = false;
		c->since_ns = m->order_ns;
	}
	if (t->sched_on && tells_context(m->rec.kind))
		learn_context(t, m, c, ret_step);
	switch (m->rec.kind) {
	case FR_EV_SCHED_SWITCH:
		on_switch(t, m, c, ret_step);
		break;
	case FR_EV_SCHED_WAKING:
		on_waking(t, m, ret_step);
		break;
	case FR_EV_PROC_FORK:
		on_fork(t, m, ret_step);
		break;
	case FR_EV_PROC_EXEC:
		on_exec(t, m, ret_step);
		break;
	case FR_EV_PROC_RENAME:
		on_rename(t, m);
		break;
	case FR_EV_PROC_FREE:
		on_free(t, m);
		break;
	case FR_EV_PROC_STATE:
		on_state(t, m);
		break;
	case FR_EV_REC_FAMILY:
		on_family(t, m);
		break;
	}
	t->cpus[m->rec.cpu].last_ns = m->order_ns;
	return t->err;
}

/* ---- ahead of time -------------------------------------------------------------------------- */

/* The threads that a switch or a wake-up is about; how many. */
static uint32_t tids_of(const struct fr_record *r, uint32_t ret_tids[2])
{
	uint64_t who;

	if (r->bytes < sizeof(struct fr_sched_waking) ||
	    (r->kind != FR_EV_SCHED_SWITCH && r->kind != FR_EV_SCHED_WAKING))
		return 0;
	/* at the same place in both */
	who = fr_load64(r->data + offsetof(struct fr_sched_waking, who));
	ret_tids[0] = r->kind == FR_EV_SCHED_SWITCH ? FR_SWITCH_PREV(who) : FR_WAKING_WAKEE(who);
	ret_tids[1] = r->kind == FR_EV_SCHED_SWITCH ? FR_SWITCH_NEXT(who) : FR_WAKING_WAKER(who);
	return 2;
}
_Static_assert(offsetof(struct fr_sched_switch, who) == offsetof(struct fr_sched_waking, who),
	       "see tids_of()");

void fr_threads_soon(const struct fr_threads *t, const struct fr_record *r)
{
	uint32_t tids[2], cnt = tids_of(r, tids);
	const uint32_t *page;

	if (r->cpu < t->cpu_cnt)
		__builtin_prefetch(&t->cpus[r->cpu], 1);
	for (uint32_t i = 0; i < cnt; i++) {
		page = t->index_of[tids[i] / TID_PAGE];
		if (page)
			__builtin_prefetch(&page[tids[i] % TID_PAGE]);
	}
}

uint32_t fr_threads_next(const struct fr_threads *t, const struct fr_record *r,
			 const struct fr_thread *ret_threads[2])
{
	uint32_t tids[2], cnt = tids_of(r, tids), index, found = 0;

	for (uint32_t i = 0; i < cnt; i++) {
		index = index_plus_1(t, tids[i]);
		if (index)
			ret_threads[found++] = at(t, index - 1);
	}
	return found;
}

/* ---- ends ----------------------------------------------------------------------------------- */

void fr_threads_cut_cpu(struct fr_threads *t, uint16_t cpu, uint64_t at_ns,
			struct fr_step *ret_step)
{
	struct cpu *c = cpu_of(t, cpu), was;
	struct fr_thread *th;
	struct fr_stint *s;

	ret_step->stint_cnt = 0;
	ret_step->wakee = ret_step->waker = NULL;
	if (!c)
		return;
	was = *c;
	c->known = false;
	c->thread = NOBODY;
	if (at_ns > c->since_ns)
		c->since_ns = at_ns;
	th = was.known && was.thread != NOBODY ? at(t, was.thread) : NULL;
	if (!th || th->run != FR_RUN_ON || th->cpu != cpu)
		return;
	end_stint(ret_step, th, at_ns, 0);
	s = &ret_step->stints[0];
	s->to_unseen = true;
	s->on_cpu_track = true;
	s->cpu_from_ns = was.since_ns < at_ns ? was.since_ns : at_ns;
	forget(th, at_ns);
}

bool fr_threads_sched_on(const struct fr_threads *t)
{
	return t->sched_on;
}

void fr_threads_blind(struct fr_threads *t, uint64_t at_ns)
{
	struct fr_thread *th;

	for (uint32_t i = 0; i < t->used; i++) {
		th = at(t, i);
		if (th->tid && th->run != FR_RUN_ON && th->run != FR_RUN_DEAD)
			forget(th, at_ns);
	}
}

void fr_threads_each(struct fr_threads *t, void (*fn)(void *ctx, struct fr_thread *th), void *ctx)
{
	for (uint32_t i = 0; i < t->used; i++)
		if (at(t, i)->tid)
			fn(ctx, at(t, i));
}

bool fr_threads_stint_until(const struct fr_threads *t, struct fr_thread *th, uint64_t at_ns,
			    struct fr_stint *ret_stint)
{
	struct fr_step step = { 0 };
	const struct cpu *c;

	switch ((enum fr_run)th->run) {
	case FR_RUN_DEAD:
		return false;
	case FR_RUN_ON:
		end_stint(&step, th, at_ns, 0);
		*ret_stint = step.stints[0];
		ret_stint->to_unseen = true;
		c = &t->cpus[th->cpu];
		ret_stint->on_cpu_track = c->known && c->thread == index_plus_1(t, th->tid) - 1;
		ret_stint->cpu_from_ns = c->since_ns < at_ns ? c->since_ns : at_ns;
		return true;
	case FR_RUN_OFF:
	case FR_RUN_UNKNOWN:
		break;
	}
	*ret_stint = (struct fr_stint){
		.thread = th,
		.from_ns = at_ns,
		.to_ns = at_ns,
		.wake_ns = th->wake_ns,
		.cpu = th->cpu,
		.off_state = th->off_state,
		.off_preempted = th->off_preempted,
		.to_unseen = true,
	};
	ret_stint->ready_ns = th->wake_ns < at_ns ? th->wake_ns : at_ns;
	if (th->run == FR_RUN_UNKNOWN)
		return th->wake_ns != 0;
	ret_stint->off_ns = th->since_ns < at_ns ? th->since_ns : at_ns;
	if (th->off_preempted || !th->off_state)
		ret_stint->ready_ns = ret_stint->off_ns;
	else if (!th->wake_ns)
		ret_stint->ready_ns = at_ns;
	return true;
}

void fr_threads_shown(struct fr_thread *th, uint64_t at_ns)
{
	th->since_ns = at_ns;
	if (th->run == FR_RUN_ON) {
		th->since_unseen = true;
		th->flow = 0;
	} else if (th->wake_ns) {
		th->run = FR_RUN_OFF;
		th->off_state = 0; /* runnable from here on, as it was */
	}
}

struct fr_thread *fr_threads_on_cpu(const struct fr_threads *t, uint16_t cpu)
{
	if (cpu >= t->cpu_cnt || !t->cpus[cpu].known || t->cpus[cpu].thread == NOBODY)
		return NULL;
	return at(t, t->cpus[cpu].thread);
}

uint32_t fr_threads_cpu_cnt(const struct fr_threads *t)
{
	return t->cpu_cnt;
}

const struct fr_threads_stats *fr_threads_stats(const struct fr_threads *t)
{
	return &t->stats;
}

int fr_threads_new(struct fr_names *names, bool sched_on, struct fr_threads **ret_threads)
{
	struct fr_threads *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->names = names;
	t->sched_on = sched_on;
	*ret_threads = t;
	return 0;
}

struct fr_threads *fr_threads_free(struct fr_threads *t)
{
	if (!t)
		return NULL;
	for (size_t i = 0; i < t->slab_cnt; i++)
		free(t->slabs[i]);
	free(t->slabs);
	for (size_t i = 0; i < TID_PAGES; i++)
		free(t->index_of[i]);
	free(t->cpus);
	free(t);
	return NULL;
}
