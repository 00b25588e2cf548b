/* SPDX-License-Identifier: BSD-2-Clause */
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A window that ends later than this after the last event is no window but damage. */
#define END_BEHIND_MAX_NS 3600000000000ull

/* ---- windows -------------------------------------------------------------------------------- */

static const struct fr_cpu_loss *loss_of(const struct fr_dump *d, uint16_t cpu)
{
	const struct fr_meta_loss *l = fr_dump_loss(d);

	for (uint32_t i = 0; l && i < l->cpu_cnt; i++)
		if (l->cpus[i].cpu == cpu)
			return &l->cpus[i];
	return NULL;
}

static uint64_t oldest_in_chunks(const struct fr_dump *d, uint16_t cpu)
{
	const struct fr_dump_entry *e;
	uint64_t oldest_ns = 0;

	for (size_t i = 0; i < fr_dump_chunk_cnt(d); i++) {
		e = fr_dump_chunk(d, i);
		if (e->type == FR_CHUNK_EVENTS && e->cpu == cpu &&
		    (!oldest_ns || e->first_time_ns < oldest_ns))
			oldest_ns = e->first_time_ns;
	}
	return oldest_ns;
}

uint64_t fr_session_cpu_oldest(const struct fr_session_dump *d, uint16_t cpu)
{
	const struct fr_cpu_loss *l = loss_of(d->dump, cpu);

	return l && l->oldest_ns ? l->oldest_ns : oldest_in_chunks(d->dump, cpu);
}

/* The window by the chunks alone: start, end, and where the last CPU begins. */
static int window_of_chunks(struct fr_session_dump *d)
{
	uint64_t *first_ns = calloc(UINT16_MAX + 1, sizeof(*first_ns));
	const struct fr_dump_entry *e;

	if (!first_ns)
		return -ENOMEM;
	d->start_ns = UINT64_MAX;
	for (size_t i = 0; i < fr_dump_chunk_cnt(d->dump); i++) {
		e = fr_dump_chunk(d->dump, i);
		if (e->type != FR_CHUNK_EVENTS)
			continue;
		if (!first_ns[e->cpu] || e->first_time_ns < first_ns[e->cpu])
			first_ns[e->cpu] = e->first_time_ns;
		if (e->first_time_ns < d->start_ns)
			d->start_ns = e->first_time_ns;
		if (e->last_time_ns > d->end_ns)
			d->end_ns = e->last_time_ns;
	}
	if (d->start_ns == UINT64_MAX)
		d->start_ns = 0;
	for (uint32_t cpu = 0; cpu <= UINT16_MAX; cpu++) {
		d->cpu_cnt += first_ns[cpu] > 0;
		if (first_ns[cpu] > d->common_ns)
			d->common_ns = first_ns[cpu];
	}
	free(first_ns);
	return 0;
}

static int find_window(struct fr_session_dump *d)
{
	const struct fr_meta_loss *l = fr_dump_loss(d->dump);
	int err = window_of_chunks(d);

	/* the loss table is written behind the last event */
	d->cut = fr_dump_incomplete(d->dump) && !l;
	if (err || !l || !d->end_ns)
		return err;
	/* nothing overwritten yet: the common window begins with the recording, events later */
	if (l->common_start_ns && l->common_start_ns <= d->end_ns)
		d->common_ns = l->common_start_ns > d->start_ns ? l->common_start_ns : d->start_ns;
	if (l->end_ns >= d->end_ns && l->end_ns - d->end_ns <= END_BEHIND_MAX_NS)
		d->end_ns = l->end_ns;
	return 0;
}

/* ---- are they one recording? ---------------------------------------------------------------- */

static uint64_t recorder_start(const struct fr_session_dump *d)
{
	const struct fr_meta_host *h = fr_dump_host(d->dump);

	return h ? h->recorder_start_ns : 0;
}

static int by_time(const void *a, const void *b)
{
	const struct fr_session_dump *x = a, *y = b;

	if (recorder_start(x) != recorder_start(y))
		return recorder_start(x) < recorder_start(y) ? -1 : 1;
	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return x->end_ns < y->end_ns ? -1 : x->end_ns > y->end_ns;
}

static int check_host(const struct fr_session *s, char *err, size_t err_bytes)
{
	const struct fr_meta_host *first = fr_dump_host(s->dumps[0].dump), *h;

	for (size_t i = 0; i < s->dump_cnt; i++) {
		h = fr_dump_host(s->dumps[i].dump);
		if (!h || !h->boot_id[0]) {
			snprintf(err, err_bytes,
				 "%s does not say which boot of which host it is "
				 "from: give it alone",
				 s->dumps[i].name);
			return -EXDEV;
		}
		if (strcmp(h->boot_id, first->boot_id)) {
			snprintf(err, err_bytes,
				 "%s (host %s) and %s (host %s) are not from the same "
				 "boot of one host: convert them one by one",
				 s->dumps[0].name, first->name, s->dumps[i].name, h->name);
			return -EXDEV;
		}
	}
	return 0;
}

static int number_instances(struct fr_session *s, char *err, size_t err_bytes)
{
	struct fr_session_dump *d = s->dumps;
	uint64_t end_ns = 0; /* of the runs of the recorder before */

	for (size_t i = 1; i < s->dump_cnt; i++) {
		d[i].instance = d[i - 1].instance;
		if (recorder_start(&d[i]) == recorder_start(&d[i - 1]))
			continue;
		d[i].instance++;
		for (size_t k = 0; k < i; k++)
			if (d[k].end_ns > end_ns)
				end_ns = d[k].end_ns;
		if (d[i].start_ns && d[i].start_ns < end_ns) {
			snprintf(err, err_bytes,
				 "%s and %s were written by two recorders that ran at "
				 "the same time: convert them one by one",
				 d[i - 1].name, d[i].name);
			return -EXDEV;
		}
	}
	return 0;
}

static void join_windows(struct fr_session *s)
{
	const struct fr_session_dump *d;

	for (size_t i = 0; i < s->dump_cnt; i++) {
		d = &s->dumps[i];
		if (!d->end_ns)
			continue;
		/* later dumps begin inside an earlier one, or behind a gap that is shown as such */
		if (!s->end_ns || d->common_ns < s->common_ns)
			s->common_ns = d->common_ns;
		if (!s->end_ns || d->start_ns < s->start_ns)
			s->start_ns = d->start_ns;
		if (d->end_ns > s->end_ns)
			s->end_ns = d->end_ns;
	}
}

static uint64_t hidden_until(const struct fr_session *s)
{
	const struct fr_meta_loss *l;
	uint64_t until_ns = 0;

	if (!s->dump_cnt || !(l = fr_dump_loss(s->dumps[0].dump)))
		return s->common_ns;
	for (uint32_t i = 0; i < l->cpu_cnt; i++)
		if (l->cpus[i].overwritten && l->cpus[i].oldest_ns > until_ns)
			until_ns = l->cpus[i].oldest_ns;
	return until_ns < s->common_ns ? until_ns : s->common_ns;
}

/* ---- opening -------------------------------------------------------------------------------- */

static int load_names(struct fr_session *s)
{
	int err = fr_names_new(&s->names);
	bool whole;

	for (size_t i = 0; i < s->dump_cnt && !err; i++) {
		err = fr_names_add_tables(s->names, s->dumps[i].dump, s->dumps[i].instance, &whole);
		if (!err && !whole)
			err = fr_names_add_events(s->names, s->dumps[i].dump, s->dumps[i].instance);
	}
	return err ? err : fr_names_seal(s->names);
}

static bool sched_was_on(const struct fr_session *s)
{
	const struct fr_meta_config *c = s->dump_cnt ? fr_dump_config(s->dumps[0].dump) : NULL;

	for (uint32_t i = 0; c && i < c->family_cnt && i < FR_FAMILY_CNT; i++)
		if (!strcmp(c->families[i].name, "sched"))
			return c->families[i].on;
	return true;
}

int fr_session_open(const struct fr_session_dump *ins, size_t in_cnt,
		    struct fr_session **ret_session, char *err, size_t err_bytes)
{
	struct fr_session *s = calloc(1, sizeof(*s));
	int ret = -ENOMEM;

	snprintf(err, err_bytes, "not enough memory");
	if (!s)
		return ret;
	s->dumps = calloc(in_cnt + 1, sizeof(*s->dumps));
	if (!s->dumps)
		goto out;
	s->dump_cnt = in_cnt;
	ret = 0;
	for (size_t i = 0; i < in_cnt && !ret; i++) {
		s->dumps[i] = (struct fr_session_dump){ .dump = ins[i].dump, .name = ins[i].name };
		ret = find_window(&s->dumps[i]);
	}
	if (ret)
		goto out;
	qsort(s->dumps, s->dump_cnt, sizeof(*s->dumps), by_time);
	if (s->dump_cnt > 1)
		ret = check_host(s, err, err_bytes);
	if (!ret)
		ret = number_instances(s, err, err_bytes);
	join_windows(s);
	s->hidden_until_ns = hidden_until(s);
	s->sched_on = sched_was_on(s);
	if (!ret)
		ret = load_names(s);
out:
	if (ret)
		fr_session_close(s);
	else
		*ret_session = s;
	return ret;
}

struct fr_session *fr_session_close(struct fr_session *s)
{
	if (!s)
		return NULL;
	fr_names_free(s->names);
	free(s->dumps);
	free(s);
	return NULL;
}

int fr_session_merge(const struct fr_session *s, struct fr_merge **ret_merge)
{
	struct fr_merge_input *ins = calloc(s->dump_cnt + 1, sizeof(*ins));
	int err;

	if (!ins)
		return -ENOMEM;
	for (size_t i = 0; i < s->dump_cnt; i++)
		ins[i] = (struct fr_merge_input){
			.dump = s->dumps[i].dump,
			.instance = s->dumps[i].instance,
			.cut_ns = s->dumps[i].cut ? s->dumps[i].end_ns : 0,
		};
	err = fr_merge_open(ins, s->dump_cnt, FR_MERGE_BUDGET_BYTES, ret_merge);
	free(ins);
	return err;
}

/* ---- times ---------------------------------------------------------------------------------- */

static uint64_t distance(const struct fr_session_dump *d, uint64_t boot_ns)
{
	if (boot_ns < d->start_ns)
		return d->start_ns - boot_ns;
	return boot_ns > d->end_ns ? boot_ns - d->end_ns : 0;
}

static const struct fr_meta_clocks *clocks_at(const struct fr_session *s, uint64_t boot_ns)
{
	const struct fr_meta_clocks *best = NULL, *c;
	uint64_t best_ns = UINT64_MAX, ns;

	for (size_t i = 0; i < s->dump_cnt; i++) {
		c = fr_dump_clocks(s->dumps[i].dump);
		ns = distance(&s->dumps[i], boot_ns);
		if (c && c->pair_cnt && (!best || ns < best_ns)) {
			best = c;
			best_ns = ns;
		}
	}
	return best;
}

uint64_t fr_session_to_unix(const struct fr_session *s, uint64_t boot_ns)
{
	const struct fr_meta_clocks *c = clocks_at(s, boot_ns);

	return c ? fr_clocks_to_unix(c, boot_ns) : 0;
}

uint64_t fr_session_to_boot(const struct fr_session *s, uint64_t unix_ns)
{
	const struct fr_meta_clocks *c;
	uint64_t boot_ns = 0;

	/* by each dump's clocks, until one says that the time lies inside it */
	for (size_t i = s->dump_cnt; i--;) {
		c = fr_dump_clocks(s->dumps[i].dump);
		if (!c || !c->pair_cnt)
			continue;
		boot_ns = fr_clocks_to_boot(c, unix_ns);
		if (!distance(&s->dumps[i], boot_ns))
			break;
	}
	return boot_ns;
}

int fr_session_when(const struct fr_session *s, const struct fr_when *when, uint64_t *ret_boot_ns)
{
	const struct fr_meta_trigger *t = NULL;
	uint64_t away_ns;

	if (!when->relative) {
		*ret_boot_ns = fr_session_to_boot(s, when->unix_ns);
		return *ret_boot_ns ? 0 : -ENODATA;
	}
	for (size_t i = s->dump_cnt; i-- && !t;)
		t = fr_dump_trigger(s->dumps[i].dump);
	if (!t || !t->main.boot_ns)
		return -ENODATA;
	if (when->offset_ns >= 0) {
		*ret_boot_ns = t->main.boot_ns + (uint64_t)when->offset_ns;
		return 0;
	}
	away_ns = 0 - (uint64_t)when->offset_ns;
	*ret_boot_ns = away_ns < t->main.boot_ns ? t->main.boot_ns - away_ns : 0;
	return 0;
}
