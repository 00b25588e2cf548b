/* SPDX-License-Identifier: BSD-2-Clause */
/* Chrome trace: instants on threads and on tracks of our own; triggers; what is missing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../events/event.h"
#include "../model/refs.h"
#include "chrome_internal.h"
#include "places.h"

static void instant(struct fr_chrome *ch, const struct fr_merged *m, const char *name, uint32_t pid,
		    uint32_t tid)
{
	struct fr_json j =
		fr_chrome_open(ch, &ch->scratch, "i", name, fr_place_category(m->rec.kind));

	fr_json_kv_str(&j, "s", "t");
	fr_chrome_where(&j, pid, tid);
	fr_chrome_when(&j, "ts", fr_chrome_ts(ch, m->order_ns));
	fr_chrome_args(ch, &j, m);
	fr_json_object_end(&j);
}

static void on_tid(struct fr_chrome *ch, const struct fr_merged *m, const char *name, uint32_t tid)
{
	struct fr_thread *th = fr_threads_get(ch->c->threads, tid, m->order_ns);
	struct fr_chrome_who *cw = th ? fr_chrome_who(ch, th->who) : NULL;

	if (!cw)
		return;
	instant(ch, m, name, cw->pid, cw->tid);
	fr_chrome_on_thread(ch, th, m->order_ns, &ch->scratch);
}

static void on_thread(struct fr_chrome *ch, const struct fr_merged *m, const char *name)
{
	struct fr_refs refs;

	fr_record_refs(&m->rec, &refs);
	if (refs.tid_cnt)
		on_tid(ch, m, name, refs.tids[0]);
}

/* An event that places.c knows nothing of. */
static void by_fields(struct fr_chrome *ch, const struct fr_merged *m, const char *name)
{
	uint32_t tid = fr_place_tid(&m->rec);

	if (tid) {
		on_tid(ch, m, name, tid);
		return;
	}
	if (fr_filter_on(ch->c))
		return;
	ch->others_used = true;
	instant(ch, m, name, FR_CHROME_RECORDER, FR_CHROME_TID_OTHERS);
	fr_out_add_buf(ch->out, &ch->scratch);
}

/* Sockets have a process at most, and trouble on the wire not even that: a track for all. */
static void on_net(struct fr_chrome *ch, const struct fr_merged *m, const char *name, uint32_t tid,
		   bool *used)
{
	if (!fr_filter_socket(ch->c, m))
		return;
	*used = true;
	instant(ch, m, name, FR_CHROME_NET, tid);
	fr_out_add_buf(ch->out, &ch->scratch);
}

void fr_chrome_event(struct fr_chrome *ch, const struct fr_merged *m)
{
	const char *name;

	switch (fr_place_of(m->rec.kind, &name)) {
	case FR_PLACE_BY_FIELDS:
		by_fields(ch, m, name);
		break;
	case FR_PLACE_NOWHERE:
		break;
	case FR_PLACE_THREAD:
		on_thread(ch, m, name);
		break;
	case FR_PLACE_SOCKETS:
		on_net(ch, m, name, FR_CHROME_TID_SOCKETS, &ch->sockets_used);
		break;
	case FR_PLACE_TCP:
		on_net(ch, m, name, FR_CHROME_TID_TCP, &ch->tcp_used);
		break;
	case FR_PLACE_DISKS:
		fr_chrome_disk(ch, m);
		break;
	case FR_PLACE_RECORDER:
		ch->families_used = true;
		instant(ch, m, name, FR_CHROME_RECORDER, FR_CHROME_TID_FAMILIES);
		fr_out_add_buf(ch->out, &ch->scratch);
		break;
	}
}

/* ---- triggers ------------------------------------------------------------------------------- */

struct shown_trigger {
	const struct fr_trigger_info *info;
	bool joined;
};

static int by_time(const void *a, const void *b)
{
	const struct shown_trigger *x = a, *y = b;

	if (x->info->boot_ns != y->info->boot_ns)
		return x->info->boot_ns < y->info->boot_ns ? -1 : 1;
	return (int)x->joined - (int)y->joined;
}

static void put_trigger(struct fr_chrome *ch, const struct shown_trigger *t)
{
	char name[64];
	struct fr_json j;

	snprintf(name, sizeof(name), t->joined ? "trigger %s (joined)" : "trigger %s",
		 t->info->name);
	j = fr_chrome_open(ch, &ch->scratch, "i", name, "trigger");
	fr_json_kv_str(&j, "s", "g");
	fr_chrome_where(&j, FR_CHROME_RECORDER, FR_CHROME_TID_TRIGGERS);
	fr_chrome_when(&j, "ts", fr_chrome_ts(ch, t->info->boot_ns));
	fr_json_key(&j, "args");
	fr_json_object(&j);
	fr_json_kv_str(&j, "reason", t->info->reason);
	fr_json_kv_u64_str(&j, "time_unix_nano", t->info->unix_ns);
	fr_json_kv_u64(&j, "number", t->info->number);
	if (t->info->sender_pid)
		fr_json_kv_u64(&j, "sender_pid", t->info->sender_pid);
	fr_json_object_end(&j);
	fr_json_object_end(&j);
	fr_out_add_buf(ch->out, &ch->scratch);
	ch->triggers_used = true;
}

void fr_chrome_triggers(struct fr_chrome *ch)
{
	const struct fr_session *s = ch->c->session;
	size_t cnt = 0, cap = s->dump_cnt * (FR_JOINED_MAX + 1);
	struct shown_trigger *all = calloc(cap + 1, sizeof(*all));
	const struct fr_meta_trigger *t;

	if (!all) {
		ch->c->err = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < s->dump_cnt; i++) {
		t = fr_dump_trigger(s->dumps[i].dump);
		if (!t)
			continue;
		all[cnt++] = (struct shown_trigger){ &t->main, false };
		for (uint32_t k = 0; k < t->joined_cnt && k < FR_JOINED_MAX; k++)
			all[cnt++] = (struct shown_trigger){ &t->joined[k], true };
	}
	if (cnt)
		qsort(all, cnt, sizeof(*all), by_time);
	for (size_t i = 0; i < cnt; i++)
		if (fr_chrome_in_range(ch, all[i].info->boot_ns))
			put_trigger(ch, &all[i]);
	free(all);
}

/* ---- what is missing ------------------------------------------------------------------------ */

static void region(struct fr_chrome *ch, uint16_t cpu, const char *name, uint64_t from_ns,
		   uint64_t to_ns, uint64_t records)
{
	struct fr_chrome_cpu *cc = fr_chrome_cpu(ch, cpu);
	struct fr_json j;

	if (from_ns < ch->c->from_ns)
		from_ns = ch->c->from_ns;
	if (to_ns > ch->c->to_ns)
		to_ns = ch->c->to_ns;
	if (!cc || from_ns > to_ns)
		return;
	cc->lost = true;
	j = fr_chrome_open(ch, &ch->scratch, "X", name, "loss");
	fr_chrome_where(&j, FR_CHROME_RECORDER, FR_CHROME_TID_LOSS + cpu);
	fr_chrome_when(&j, "ts", fr_chrome_ts(ch, from_ns));
	fr_chrome_when(&j, "dur", to_ns - from_ns);
	fr_json_key(&j, "args");
	fr_json_object(&j);
	fr_json_kv_u64(&j, "cpu", cpu);
	if (records)
		fr_json_kv_u64_str(&j, "events", records);
	fr_json_object_end(&j);
	fr_json_object_end(&j);
	fr_out_add_buf(ch->out, &ch->scratch);
}

void fr_chrome_lost(struct fr_chrome *ch, const struct fr_lost *lost)
{
	region(ch, lost->cpu, fr_lost_name(lost->cause), lost->from_ns, lost->to_ns, lost->records);
}

/* A region over all of the range. */
static void dropped(struct fr_chrome *ch, const struct fr_cpu_loss *c)
{
	uint64_t cnt = fr_loss_dropped(c);

	if (cnt && c->cpu < FR_CPUS_MAX)
		region(ch, (uint16_t)c->cpu, "dropped while recording, when is not known",
		       ch->c->from_ns, ch->c->to_ns, cnt);
}

void fr_chrome_losses(struct fr_chrome *ch)
{
	const struct fr_session *s = ch->c->session;
	const struct fr_cpu_loss *cpu;
	const struct fr_meta_loss *l;

	/* counts are sums since the recorder's start: the last dump of it has them all */
	l = s->dump_cnt ? fr_dump_loss(s->dumps[s->dump_cnt - 1].dump) : NULL;
	for (uint32_t i = 0; l && i < l->cpu_cnt; i++)
		dropped(ch, &l->cpus[i]);
	l = s->dump_cnt && ch->c->all ? fr_dump_loss(s->dumps[0].dump) : NULL;
	for (uint32_t i = 0; l && i < l->cpu_cnt; i++) {
		cpu = &l->cpus[i];
		if (cpu->overwritten && cpu->cpu < FR_CPUS_MAX && cpu->oldest_ns > s->start_ns)
			region(ch, (uint16_t)cpu->cpu, "overwritten", s->start_ns, cpu->oldest_ns,
			       0);
	}
}
