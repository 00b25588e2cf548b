/* SPDX-License-Identifier: BSD-2-Clause */
#include "parents.h"

#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>

/* A goroutine that is woken by a reply and calls again so soon, without the thread's leaving its
 * CPU, is the one that waited for that reply. */
#define AT_ONCE_NS 50000u

/* Server requests open on a line, oldest first. */
struct line {
	uint32_t oldest, newest;
	uint32_t cnt;
	uint32_t next_free;
};

/* What runs on a thread. */
struct seat {
	uint64_t serial; /* of the open */
	uint64_t by_serial;
	uint64_t since_ns;
	uint32_t open; /* FR_OPEN_NONE = nobody knows */
	uint32_t by;   /* FR_OPEN_NONE = it was seen itself */
	uint32_t epoch;
	bool slept; /* the thread did, since then: it may have changed to another */
	bool left;  /* its CPU, if only to make way */
};

struct fr_parents {
	struct fr_opens *opens; /* borrowed */
	struct fr_map line_of;	/* line to index */
	struct fr_map loops;	/* threads that had several open at once */
	struct line *lines;	/* [0] is nobody */
	uint32_t line_cnt, line_cap, line_free;
	struct seat *seats; /* by thread (index into the names) */
	uint32_t seat_cnt;
	uint32_t epoch;
};

int fr_parents_new(struct fr_opens *opens, struct fr_parents **ret_parents)
{
	struct fr_parents *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->opens = opens;
	p->line_cnt = 1;
	*ret_parents = p;
	return 0;
}

struct fr_parents *fr_parents_free(struct fr_parents *p)
{
	if (!p)
		return NULL;
	fr_map_done(&p->line_of);
	fr_map_done(&p->loops);
	free(p->lines);
	free(p->seats);
	free(p);
	return NULL;
}

uint64_t fr_parents_line(const struct fr_actor *a)
{
	struct {
		uint64_t goid;
		uint32_t whose; /* process for a goroutine, thread for itself */
		uint32_t kind;
	} key = { .goid = a->goid, .whose = a->who };
	uint64_t hash;

	if (a->goid) {
		key.kind = a->leader != FR_WHO_NONE ? 1 : 2;
		key.whose = a->leader != FR_WHO_NONE ? a->leader : a->tgid;
	}
	hash = XXH3_64bits(&key, sizeof(key));
	return hash + !hash;
}

/* ---- lines ---------------------------------------------------------------------------------- */

static uint32_t take_line(struct fr_parents *p)
{
	uint32_t index = p->line_free, cap = p->line_cap ? p->line_cap * 2 : 64;
	struct line *bigger;

	if (index) {
		p->line_free = p->lines[index].next_free;
	} else {
		if (p->line_cnt >= p->line_cap) {
			bigger = realloc(p->lines, cap * sizeof(*bigger));
			if (!bigger)
				return 0;
			p->lines = bigger;
			p->line_cap = cap;
		}
		index = p->line_cnt++;
	}
	p->lines[index] = (struct line){ 0 };
	return index;
}

int fr_parents_begin(struct fr_parents *p, uint32_t open)
{
	struct fr_open *o = &p->opens->opens[open];
	struct line *l;
	uint32_t index;

	o->epoch = p->epoch;
	if (!o->line)
		return 0;
	if (!fr_map_get(&p->line_of, o->line, &index)) {
		index = take_line(p);
		if (!index || fr_map_put(&p->line_of, o->line, index))
			return -ENOMEM;
	}
	l = &p->lines[index];
	o->older_on_line = l->newest;
	o->newer_on_line = FR_OPEN_NONE;
	if (l->newest)
		p->opens->opens[l->newest].newer_on_line = open;
	else
		l->oldest = open;
	l->newest = open;
	l->cnt++;
	return l->cnt > 1 && !o->goid ? fr_map_put(&p->loops, o->line, 1) : 0;
}

void fr_parents_end(struct fr_parents *p, uint32_t open)
{
	struct fr_open *o = &p->opens->opens[open];
	struct line *l;
	uint32_t index;

	if (!o->line || !fr_map_get(&p->line_of, o->line, &index))
		return;
	l = &p->lines[index];
	if (o->older_on_line)
		p->opens->opens[o->older_on_line].newer_on_line = o->newer_on_line;
	else
		l->oldest = o->newer_on_line;
	if (o->newer_on_line)
		p->opens->opens[o->newer_on_line].older_on_line = o->older_on_line;
	else
		l->newest = o->older_on_line;
	if (!--l->cnt) {
		l->next_free = p->line_free;
		p->line_free = index;
		fr_map_del(&p->line_of, o->line);
	}
	o->line = 0;
}

uint32_t fr_parents_of(const struct fr_parents *p, const struct fr_actor *a)
{
	const struct fr_open *o;
	uint32_t index;

	if (!a->line || !fr_map_get(&p->line_of, a->line, &index))
		return FR_OPEN_NONE;
	index = a->goid || p->lines[index].cnt == 1 ? p->lines[index].oldest : FR_OPEN_NONE;
	if (!index)
		return FR_OPEN_NONE;
	o = &p->opens->opens[index];
	if (o->epoch != p->epoch || (!a->goid && o->shared))
		return FR_OPEN_NONE;
	return index;
}

bool fr_parents_is_loop(const struct fr_parents *p, const struct fr_actor *a)
{
	uint32_t is_loop;

	return a->line && fr_map_get(&p->loops, a->line, &is_loop);
}

/* ---- who parked ----------------------------------------------------------------------------- */

static struct seat *seat_of(struct fr_parents *p, uint32_t who)
{
	uint32_t cnt = p->seat_cnt ? p->seat_cnt : 256;
	struct seat *bigger;

	while (cnt <= who)
		cnt *= 2;
	if (cnt != p->seat_cnt) {
		bigger = realloc(p->seats, cnt * sizeof(*bigger));
		if (!bigger)
			return NULL;
		memset(bigger + p->seat_cnt, 0, (cnt - p->seat_cnt) * sizeof(*bigger));
		p->seats = bigger;
		p->seat_cnt = cnt;
	}
	return &p->seats[who];
}

int fr_parents_runs(struct fr_parents *p, const struct fr_actor *a, uint32_t open, uint32_t by,
		    uint64_t time_ns)
{
	struct seat *seat = seat_of(p, a->who);

	if (!seat)
		return -ENOMEM;
	*seat = (struct seat){
		.serial = p->opens->opens[open].serial,
		.by_serial = by ? p->opens->opens[by].serial : 0,
		.by = by,
		.since_ns = time_ns,
		.open = open,
		.epoch = p->epoch,
	};
	return 0;
}

void fr_parents_other(struct fr_parents *p, uint32_t who)
{
	if (who < p->seat_cnt)
		p->seats[who].open = FR_OPEN_NONE;
}

void fr_parents_leaves(struct fr_parents *p, const struct fr_thread *th)
{
	struct seat *seat = th->who < p->seat_cnt ? &p->seats[th->who] : NULL;

	if (!seat)
		return;
	seat->left = true;
	seat->slept |= th->run != FR_RUN_OFF || th->off_state;
}

static bool is_taken(const struct fr_parents *p, const struct seat *seat)
{
	const struct fr_open *o = &p->opens->opens[seat->open];

	return seat->open && seat->epoch == p->epoch && o->epoch == p->epoch &&
	       o->serial == seat->serial && o->conn;
}

/* The seat of this thread. NULL = nobody knows who runs on it. */
static const struct seat *seat_for(const struct fr_parents *p, const struct fr_thread *th)
{
	const struct seat *seat = th->who < p->seat_cnt ? &p->seats[th->who] : NULL;

	return seat && is_taken(p, seat) && !seat->slept ? seat : NULL;
}

static uint32_t woken_by(const struct fr_parents *p, const struct seat *seat)
{
	return seat->by && p->opens->opens[seat->by].serial == seat->by_serial ? seat->by
									       : FR_OPEN_NONE;
}

uint32_t fr_parents_seated(const struct fr_parents *p, const struct fr_thread *th, uint32_t *ret_by)
{
	const struct seat *seat = seat_for(p, th);

	if (!seat)
		return FR_OPEN_NONE;
	*ret_by = woken_by(p, seat);
	return seat->open;
}

uint32_t fr_parents_who_parked(struct fr_parents *p, const struct fr_thread *th, uint64_t time_ns,
			       uint32_t *ret_by)
{
	const struct seat *seat = seat_for(p, th);
	uint32_t open = FR_OPEN_NONE;

	if (seat) {
		bool at_once = !seat->left && time_ns - seat->since_ns <= AT_ONCE_NS;

		open = seat->open;
		*ret_by = at_once ? woken_by(p, seat) : FR_OPEN_NONE;
	}
	fr_parents_other(p, th->who);
	return open;
}

void fr_parents_forget(struct fr_parents *p)
{
	p->epoch++;
}

uint32_t fr_parents_epoch(const struct fr_parents *p)
{
	return p->epoch;
}
