/* SPDX-License-Identifier: BSD-2-Clause */
/* Perfetto's own trace format, in exact nanoseconds. See perfetto_internal.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perfetto_fields.h"
#include "perfetto_internal.h"

static void perfetto_drop(void *ctx)
{
	struct fr_perfetto *p = ctx;

	for (int i = 0; i < FR_PF_INTERN_CNT; i++)
		fr_map_done(&p->interned[i]);
	fr_map_done(&p->shown);
	fr_span_text_done(&p->text);
	fr_pf_sched_free(p);
	fr_pf_disks_free(p);
	fr_buf_done(&p->packet);
	fr_buf_done(&p->event);
	fr_buf_done(&p->strings);
	free(p);
}

/* ---- head ----------------------------------------------------------------------------------- */

static void put_clock(struct fr_buf *b, uint32_t id, uint64_t ns)
{
	size_t mark = fr_pb_open(b, PF_CLOCKS_CLOCK);

	fr_pb_add_u64(b, PF_CLOCK_ID, id);
	fr_pb_add_u64(b, PF_CLOCK_TIME, ns);
	fr_pb_close(b, mark);
}

/* What the wall clock showed at the start and at the end of the range. */
static void put_clocks(struct fr_perfetto *p, uint64_t boot_ns)
{
	uint64_t unix_ns = fr_session_to_unix(p->c->session, boot_ns);
	size_t packet, mark;

	if (!unix_ns)
		return;
	packet = fr_pf_packet(p, boot_ns);
	mark = fr_pb_open(&p->packet, PF_PACKET_CLOCKS);
	put_clock(&p->packet, PF_CLOCK_BOOTTIME, boot_ns);
	put_clock(&p->packet, PF_CLOCK_REALTIME, unix_ns);
	fr_pb_add_u64(&p->packet, PF_CLOCKS_PRIMARY, PF_CLOCK_BOOTTIME);
	fr_pb_close(&p->packet, mark);
	fr_pf_packet_end(p, packet);
}

/* The kernel's release decides how states are read. */
static void put_system(struct fr_perfetto *p)
{
	const struct fr_session *s = p->c->session;
	const struct fr_meta_host *h = s->dump_cnt ? fr_dump_host(s->dumps[0].dump) : NULL;
	size_t packet, mark, inner;

	if (!h)
		return;
	packet = fr_pf_packet(p, s->start_ns);
	mark = fr_pb_open(&p->packet, PF_PACKET_SYSTEM);
	inner = fr_pb_open(&p->packet, PF_SYSTEM_UTSNAME);
	fr_pb_add_str(&p->packet, PF_UTSNAME_SYSNAME, "Linux");
	fr_pb_add_str(&p->packet, PF_UTSNAME_RELEASE, h->kernel_release);
	fr_pb_add_str(&p->packet, PF_UTSNAME_VERSION, h->kernel_version);
	fr_pb_add_str(&p->packet, PF_UTSNAME_MACHINE, h->arch);
	fr_pb_close(&p->packet, inner);
	fr_pb_close(&p->packet, mark);
	fr_pf_packet_end(p, packet);
}

static void put_trigger(struct fr_perfetto *p, const struct fr_trigger_info *t, bool joined)
{
	char name[96];
	int len = snprintf(name, sizeof(name), "trigger %s%s", t->name, joined ? " (joined)" : "");

	if (!fr_pf_in_range(p, t->boot_ns))
		return;
	fr_pf_event(p, FR_PF_INSTANT, fr_pf_own(p, FR_PF_TRIGGERS), "trigger",
		    (struct fr_slice){ (const uint8_t *)name, (size_t)len });
	fr_pf_arg_text(p, "reason", t->reason);
	fr_pf_arg_u64(p, "time_unix_nano", t->unix_ns);
	fr_pf_arg_u64(p, "number", t->number);
	if (t->sender_pid)
		fr_pf_arg_u64(p, "sender_pid", t->sender_pid);
	fr_pf_event_end(p, t->boot_ns);
}

static void put_triggers(struct fr_perfetto *p)
{
	const struct fr_session *s = p->c->session;
	const struct fr_meta_trigger *t;

	for (size_t i = 0; i < s->dump_cnt; i++) {
		t = fr_dump_trigger(s->dumps[i].dump);
		if (!t)
			continue;
		put_trigger(p, &t->main, false);
		for (uint32_t k = 0; k < t->joined_cnt && k < FR_JOINED_MAX; k++)
			put_trigger(p, &t->joined[k], true);
	}
}

/* ---- what is missing ------------------------------------------------------------------------ */

static void region(struct fr_perfetto *p, uint16_t cpu, const char *what, uint64_t from_ns,
		   uint64_t to_ns, uint64_t records)
{
	uint64_t track = FR_PF_LOSS + cpu;
	char name[32];

	if (from_ns < p->c->from_ns)
		from_ns = p->c->from_ns;
	if (to_ns > p->c->to_ns)
		to_ns = p->c->to_ns;
	if (from_ns > to_ns)
		return;
	snprintf(name, sizeof(name), "lost on CPU %u", cpu);
	fr_pf_describe(p, track, fr_pf_own(p, FR_PF_RECORDER), name);
	fr_pf_event(p, FR_PF_BEGIN, track, "loss",
		    (struct fr_slice){ (const uint8_t *)what, strlen(what) });
	fr_pf_arg_u64(p, "cpu", cpu);
	if (records)
		fr_pf_arg_u64(p, "events", records);
	fr_pf_event_end(p, from_ns);
	fr_pf_event_stop(p, track, to_ns);
}

/* A region over all of the range. */
static void put_dropped(struct fr_perfetto *p)
{
	const struct fr_session *s = p->c->session;
	const struct fr_meta_loss *l;
	const struct fr_cpu_loss *c;
	uint64_t cnt;

	/* counts are sums since the recorder's start: the last dump of it has them all */
	l = s->dump_cnt ? fr_dump_loss(s->dumps[s->dump_cnt - 1].dump) : NULL;
	for (uint32_t i = 0; l && i < l->cpu_cnt; i++) {
		c = &l->cpus[i];
		cnt = fr_loss_dropped(c);
		if (cnt && c->cpu < FR_CPUS_MAX)
			region(p, (uint16_t)c->cpu, "dropped while recording, when is not known",
			       p->c->from_ns, p->c->to_ns, cnt);
	}
}

static void perfetto_lost(void *ctx, const struct fr_lost *lost)
{
	fr_pf_sched_lost(ctx, lost->cpu);
	region(ctx, lost->cpu, fr_lost_name(lost->cause), lost->from_ns, lost->to_ns,
	       lost->records);
}

/* ---- records -------------------------------------------------------------------------------- */

static void perfetto_record(void *ctx, const struct fr_merged *m, const struct fr_step *step)
{
	struct fr_perfetto *p = ctx;

	(void)step; /* what reads the trace makes its own states of the switches */
	if (!fr_pf_in_range(p, m->order_ns))
		return;
	if (m->rec.kind == FR_EV_SCHED_SWITCH || m->rec.kind == FR_EV_SCHED_WAKING)
		fr_pf_sched(p, m);
	else
		fr_pf_instant(p, m);
}

static void perfetto_span(void *ctx, const struct fr_span *span)
{
	fr_pf_request(ctx, span);
}

static void perfetto_stop(void *ctx, const struct fr_step *step)
{
	(void)ctx;
	(void)step;
}

/* Nobody is told to go on sleeping: the switch after a loss says where a thread was. */
static void perfetto_blind(void *ctx, uint64_t at_ns)
{
	(void)ctx;
	(void)at_ns;
}

static void perfetto_end(void *ctx, const struct fr_convert_stats *stats)
{
	struct fr_perfetto *p = ctx;

	(void)stats;
	fr_pf_sched_end(p);
	put_clocks(p, p->c->to_ns);
	perfetto_drop(p);
}

static int perfetto_begin(struct fr_convert *c, void **ret_ctx)
{
	struct fr_perfetto *p = calloc(1, sizeof(*p));
	size_t packet;

	if (!p)
		return -ENOMEM;
	p->c = c;
	p->out = c->out;
	if (fr_pf_sched_new(p) || fr_pf_disks_new(p)) {
		perfetto_drop(p);
		return -ENOMEM;
	}
	packet = fr_pf_packet(p, c->session->start_ns);
	fr_pb_add_u64(&p->packet, PF_PACKET_FLAGS, PF_FLAG_CLEARED);
	fr_pf_packet_end(p, packet);
	put_clocks(p, c->from_ns);
	put_system(p);
	put_triggers(p);
	put_dropped(p);
	*ret_ctx = p;
	return 0;
}

const struct fr_sink fr_sink_perfetto = {
	.name = "perfetto",
	.about = "Perfetto's own format, in exact nanoseconds, for ui.perfetto.dev",
	.begin = perfetto_begin,
	.record = perfetto_record,
	.span = perfetto_span,
	.lost = perfetto_lost,
	.stop = perfetto_stop,
	.blind = perfetto_blind,
	.end = perfetto_end,
	.drop = perfetto_drop,
};
