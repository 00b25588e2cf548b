/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log records of what happened beside requests: triggers, deadly signals, OOM kills, losses,
 * damage.
 *
 * A request ends, and comes here, after what happened in it: those records wait for the end of the
 * conversion, so that they can carry the trace they belong to.
 *	trigger         the request whose error or length it tells of, the nearest in time
 *	signal, OOM     the request that the thread was serving (not of Go's: a
 *	                goroutine's thread then is not known)
 */
#include <errno.h>
#include <stdlib.h>

#include "../events/event.h"
#include "otlp_internal.h"

#define HELD_MAX 256	 /* deaths that wait; more go out without a trace */
#define NEAR_NS 1000000u /* a trigger tells of a moment this near to it */
#define CORE_SIGNALS                                                                               \
	((1u << 3) | (1u << 4) | (1u << 5) | (1u << 6) | (1u << 7) | (1u << 8) | (1u << 11) |      \
	 (1u << 31))

#define FR_RECORDER_COMM "flightrecd"
#define FR_SIGKILL 9u

struct link {
	uint64_t away_ns; /* the nearer, the better */
	bool any;
	uint8_t trace_id[16], span_id[8];
	uint8_t flags;
};

struct held_trigger {
	const struct fr_trigger_info *info; /* of the dump */
	uint32_t dump;
	bool joined;
	struct link link;
};

struct held_death {
	bool oom;
	uint64_t time_ns;
	uint32_t who;		      /* FR_WHO_NONE = not known */
	struct fr_proc_signal signal; /* tid, tgid, comm of both kinds */
	uint64_t rss_pages;
	struct link link;
};

struct fr_otlp_logs {
	struct fr_otlp_logger logger;
	struct held_trigger *triggers;
	size_t trigger_cnt;
	struct held_death deaths[HELD_MAX];
	size_t death_cnt;
};

/* ---- making --------------------------------------------------------------------------------- */

struct fr_otlp_log *fr_otlp_log_begin(struct fr_otlp_logger *g, struct fr_slice event_name,
				      enum fr_otlp_severity severity, uint64_t time_unix_ns)
{
	fr_otlp_text_reset(&g->text);
	g->log = (struct fr_otlp_log){
		.time_unix_ns = time_unix_ns,
		.severity = severity,
		.event_name = event_name,
		.attrs = { .at = g->attrs, .cap = FR_OTLP_LOG_ATTRS },
	};
	return &g->log;
}

static void put_link(struct fr_otlp_log *l, const struct link *link)
{
	if (!link->any)
		return;
	l->trace_id = link->trace_id;
	l->span_id = link->span_id;
	l->flags = link->flags;
}

static void set_link(struct link *link, const struct fr_span *s, uint64_t away_ns)
{
	link->any = true;
	link->away_ns = away_ns;
	link->flags = s->trace_flags;
	memcpy(link->trace_id, s->trace_id, sizeof(link->trace_id));
	memcpy(link->span_id, s->span_id, sizeof(link->span_id));
}

static uint64_t apart(uint64_t a, uint64_t b)
{
	return a < b ? b - a : a - b;
}

/* ---- triggers -------------------------------------------------------------------------------- */

static size_t count_triggers(const struct fr_session *s)
{
	const struct fr_meta_trigger *t;
	size_t cnt = 0;

	for (size_t i = 0; i < s->dump_cnt; i++) {
		t = fr_dump_trigger(s->dumps[i].dump);
		if (t)
			cnt += 1 + (t->joined_cnt < FR_JOINED_MAX ? t->joined_cnt : FR_JOINED_MAX);
	}
	return cnt;
}

int fr_otlp_logs_new(struct fr_otlp *o)
{
	const struct fr_session *s = o->c->session;
	const struct fr_meta_trigger *t;
	struct fr_otlp_logs *logs = calloc(1, sizeof(*logs));

	if (!logs)
		return -ENOMEM;
	o->logs = logs;
	logs->triggers = calloc(count_triggers(s) + 1, sizeof(*logs->triggers));
	if (!logs->triggers)
		return -ENOMEM;
	for (size_t i = 0; i < s->dump_cnt; i++) {
		t = fr_dump_trigger(s->dumps[i].dump);
		if (!t)
			continue;
		logs->triggers[logs->trigger_cnt++] = (struct held_trigger){ .info = &t->main,
									     .dump = (uint32_t)i };
		for (uint32_t k = 0; k < t->joined_cnt && k < FR_JOINED_MAX; k++)
			logs->triggers[logs->trigger_cnt++] = (struct held_trigger){
				.info = &t->joined[k], .dump = (uint32_t)i, .joined = true
			};
	}
	return 0;
}

void fr_otlp_logs_free(struct fr_otlp_logs *logs)
{
	if (!logs)
		return;
	free(logs->triggers);
	free(logs);
}

/* Causes that were seen in bytes on a socket. */
static bool is_content(const char *trigger)
{
	static const char *const names[] = { "http-5xx", "sql-error", "redis-error", "latency",
					     "latency-p99" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(trigger, names[i]))
			return true;
	return false;
}

/* Can this trigger tell of this request? */
static bool tells_of(const char *trigger, const struct fr_request *r)
{
	if (!strcmp(trigger, "http-5xx"))
		return r->protocol == FR_WIRE_HTTP1 && r->status >= 500;
	if (!strcmp(trigger, "sql-error"))
		return (r->protocol == FR_WIRE_POSTGRES || r->protocol == FR_WIRE_MYSQL) &&
		       r->status == FR_WIRE_STATUS_ERROR;
	if (!strcmp(trigger, "redis-error"))
		return r->protocol == FR_WIRE_REDIS && r->status == FR_WIRE_STATUS_ERROR;
	return !strcmp(trigger, "latency") || !strcmp(trigger, "latency-p99");
}

/* A reply's first byte carries a status; an error may stand in its last. */
static uint64_t reply_away(const struct fr_request *r, uint64_t time_ns)
{
	uint64_t first_ns = r->first.time_ns ? apart(r->first.time_ns, time_ns) : UINT64_MAX;
	uint64_t end_ns = r->end.time_ns ? apart(r->end.time_ns, time_ns) : UINT64_MAX;

	return first_ns < end_ns ? first_ns : end_ns;
}

/* Of a connection one reply is under way at a time, wherever in it the cause was seen. */
static uint64_t own_reply_away(const struct fr_request *r, uint64_t time_ns)
{
	bool inside = r->first.time_ns && r->first.time_ns <= time_ns && time_ns <= r->end.time_ns;

	return inside ? 0 : reply_away(r, time_ns);
}

/* Did this line of control do the request, and was it at it then? A goroutine changes threads. */
static bool was_at(const struct fr_span *s, uint32_t tgid, uint32_t tid, uint64_t goid,
		   uint64_t time_ns)
{
	if (s->tgid != tgid || time_ns < s->start_ns || time_ns > s->end_ns)
		return false;
	return goid || s->goid ? s->goid == goid : tid && s->request->start.tid == tid;
}

/* Of the request that was served; a call that was made for it is a part of that one. */
static void link_served(struct link *link, const struct fr_span *s)
{
	if (!link->any || s->request->server)
		set_link(link, s, 0);
}

static void link_trigger(struct fr_otlp *o, struct held_trigger *t, const struct fr_span *s)
{
	const struct fr_trigger_info *i = t->info;
	uint64_t away_ns;

	if (!tells_of(i->name, s->request)) {
		if (!is_content(i->name) && was_at(s, i->tgid, i->tid, i->goid, i->boot_ns))
			link_served(&t->link, s);
		return;
	}
	if (!i->sock_id)
		away_ns = reply_away(s->request, i->boot_ns);
	else if (s->socket && s->socket->id == i->sock_id &&
		 s->socket->instance == o->c->session->dumps[t->dump].instance)
		away_ns = own_reply_away(s->request, i->boot_ns);
	else
		return;
	if (away_ns <= NEAR_NS && (!t->link.any || away_ns < t->link.away_ns))
		set_link(&t->link, s, away_ns);
}

static void put_origin(struct fr_otlp_attrs *a, const struct fr_trigger_info *i)
{
	if (i->tgid)
		fr_otlp_int(a, FR_LIT("flightrec.trigger.process_id"), i->tgid);
	if (i->tid)
		fr_otlp_int(a, FR_LIT("flightrec.thread.id"), i->tid);
	if (i->goid)
		fr_otlp_int(a, FR_LIT("flightrec.goid"), (int64_t)i->goid);
	if (i->sock_id)
		fr_otlp_int(a, FR_LIT("flightrec.socket.id"), (int64_t)i->sock_id);
	if (i->seen) {
		fr_otlp_int(a, FR_LIT("flightrec.trigger.seen"), (int64_t)i->seen);
		fr_otlp_int(a, FR_LIT("flightrec.trigger.suppressed"), (int64_t)i->suppressed);
	}
}

static void send_trigger(struct fr_otlp *o, const struct held_trigger *t)
{
	struct fr_otlp_logger *g = &o->logs->logger;
	const struct fr_trigger_info *i = t->info;
	struct fr_otlp_log *l = fr_otlp_log_begin(g, FR_LIT("flightrec.trigger"), FR_OTLP_WARN,
						  i->unix_ns ? i->unix_ns
							     : fr_otlp_unix(o->c, i->boot_ns));
	struct fr_otlp_attrs *a = &l->attrs;
	struct fr_slice name = fr_otlp_utf8(&g->text, fr_otlp_z(i->name));
	struct fr_slice reason = fr_otlp_utf8(&g->text, fr_otlp_z(i->reason));

	l->body = reason.len_bytes ? fr_otlp_printf(&g->text, "%.*s: %.*s", (int)name.len_bytes,
						    name.data, (int)reason.len_bytes, reason.data)
				   : name;
	fr_otlp_str(a, FR_LIT("flightrec.trigger.name"), name);
	if (reason.len_bytes)
		fr_otlp_str(a, FR_LIT("flightrec.trigger.reason"), reason);
	fr_otlp_int(a, FR_LIT("flightrec.trigger.number"), (int64_t)i->number);
	fr_otlp_bool(a, FR_LIT("flightrec.trigger.joined"), t->joined);
	if (i->sender_pid)
		fr_otlp_int(a, FR_LIT("flightrec.trigger.sender_pid"), i->sender_pid);
	put_origin(a, i);
	put_link(l, &t->link);
	fr_otlp_send_log(o, l, (struct fr_otlp_source){ FR_OTLP_RECORDER, t->dump });
}

/* ---- deaths --------------------------------------------------------------------------------- */

/* The recorder kills readers of memory that it has no more use for, in nearly each dump. */
static bool is_own_helper(const struct fr_otlp *o, const struct fr_proc_signal *e)
{
	const struct fr_meta_host *h;

	if (e->sig != FR_SIGKILL || strncmp(e->comm, FR_RECORDER_COMM, sizeof(e->comm)))
		return false;
	for (size_t i = 0; i < o->c->session->dump_cnt; i++) {
		h = fr_dump_host(o->c->session->dumps[i].dump);
		if (!h || h->recorder_pid == e->tgid)
			return false; /* itself */
	}
	return true;
}

static enum fr_otlp_severity severity_of(const struct fr_otlp *o, const struct held_death *d)
{
	if (d->signal.sig < 32 && CORE_SIGNALS >> d->signal.sig & 1)
		return FR_OTLP_FATAL;
	return is_own_helper(o, &d->signal) ? FR_OTLP_INFO : FR_OTLP_WARN;
}

static void send_signal(struct fr_otlp *o, const struct held_death *d)
{
	struct fr_otlp_logger *g = &o->logs->logger;
	const struct fr_proc_signal *e = &d->signal;
	struct fr_otlp_log *l = fr_otlp_log_begin(g, FR_LIT("flightrec.signal"), severity_of(o, d),
						  fr_otlp_unix(o->c, d->time_ns));
	struct fr_otlp_attrs *a = &l->attrs;
	struct fr_slice comm = fr_otlp_utf8(&g->text,
					    (struct fr_slice){ (const uint8_t *)e->comm,
							       strnlen(e->comm, sizeof(e->comm)) });

	l->body = fr_otlp_printf(&g->text, "%s (%u) ends %.*s (thread %u of process %u)",
				 fr_signal_name(e->sig), e->sig, (int)comm.len_bytes, comm.data,
				 e->tid, e->tgid);
	fr_otlp_int(a, FR_LIT("flightrec.signal.number"), e->sig);
	fr_otlp_str(a, FR_LIT("flightrec.signal.name"), fr_otlp_z(fr_signal_name(e->sig)));
	fr_otlp_int(a, FR_LIT("flightrec.signal.code"), (int32_t)e->code);
	if (e->address)
		fr_otlp_str(a, FR_LIT("flightrec.signal.address"),
			    fr_otlp_printf(&g->text, "0x%llx", (unsigned long long)e->address));
	if (e->sender_tgid)
		fr_otlp_int(a, FR_LIT("flightrec.signal.sender_pid"), e->sender_tgid);
	fr_otlp_int(a, FR_LIT("flightrec.thread.id"), e->tid);
	fr_otlp_str(a, FR_LIT("flightrec.thread.name"), comm);
	put_link(l, &d->link);
	fr_otlp_send_log(o, l, fr_otlp_source_of(o->c->session->names, d->who, e->tgid));
}

static void send_oom(struct fr_otlp *o, const struct held_death *d)
{
	struct fr_otlp_logger *g = &o->logs->logger;
	const struct fr_proc_signal *e = &d->signal;
	struct fr_otlp_log *l = fr_otlp_log_begin(g, FR_LIT("flightrec.oom_kill"), FR_OTLP_FATAL,
						  fr_otlp_unix(o->c, d->time_ns));
	struct fr_slice comm = fr_otlp_utf8(&g->text,
					    (struct fr_slice){ (const uint8_t *)e->comm,
							       strnlen(e->comm, sizeof(e->comm)) });

	l->body = fr_otlp_printf(&g->text,
				 "out of memory: the kernel kills %.*s (process %u, %llu pages)",
				 (int)comm.len_bytes, comm.data, e->tgid,
				 (unsigned long long)d->rss_pages);
	fr_otlp_int(&l->attrs, FR_LIT("flightrec.oom.rss_pages"), (int64_t)d->rss_pages);
	fr_otlp_int(&l->attrs, FR_LIT("flightrec.thread.id"), e->tid);
	fr_otlp_str(&l->attrs, FR_LIT("flightrec.thread.name"), comm);
	put_link(l, &d->link);
	fr_otlp_send_log(o, l, fr_otlp_source_of(o->c->session->names, d->who, e->tgid));
}

static void send_death(struct fr_otlp *o, const struct held_death *d)
{
	if (d->oom)
		send_oom(o, d);
	else
		send_signal(o, d);
}

void fr_otlp_logs_record(struct fr_otlp *o, const struct fr_merged *m)
{
	struct held_death d = { .time_ns = m->order_ns };
	struct fr_proc_oom oom;

	if (m->order_ns < o->c->from_ns)
		return;
	if (m->rec.kind == FR_EV_PROC_SIGNAL) {
		memcpy(&d.signal, m->rec.data, sizeof(d.signal));
	} else {
		memcpy(&oom, m->rec.data, sizeof(oom));
		d.oom = true;
		d.rss_pages = oom.rss_pages;
		d.signal.tid = oom.tid;
		d.signal.tgid = oom.tgid;
		memcpy(d.signal.comm, oom.comm, sizeof(oom.comm));
	}
	d.who = fr_names_thread(o->c->session->names, d.signal.tid, m->order_ns);
	if (fr_filter_on(o->c) && (d.who == FR_WHO_NONE || !fr_filter_thread(o->c, d.who)))
		return;
	if (o->logs->death_cnt == HELD_MAX)
		send_death(o, &d);
	else
		o->logs->deaths[o->logs->death_cnt++] = d;
}

void fr_otlp_logs_span(struct fr_otlp *o, const struct fr_span *s)
{
	for (size_t i = 0; i < o->logs->trigger_cnt; i++)
		link_trigger(o, &o->logs->triggers[i], s);
	for (size_t i = 0; i < o->logs->death_cnt; i++) {
		struct held_death *d = &o->logs->deaths[i];

		if (was_at(s, d->signal.tgid, d->signal.tid, 0, d->time_ns))
			link_served(&d->link, s);
	}
}

/* ---- what is missing --------------------------------------------------------------------------
 */

static uint32_t dump_at(const struct fr_session *s, uint64_t time_ns)
{
	for (size_t i = 0; i < s->dump_cnt; i++)
		if (time_ns <= s->dumps[i].end_ns)
			return (uint32_t)i;
	return 0;
}

void fr_otlp_logs_lost(struct fr_otlp *o, const struct fr_lost *lost)
{
	static const char *const causes[] = {
		[FR_GAP_LOST] = "lost_while_recording",
		[FR_GAP_DAMAGED] = "damaged_part_of_the_file",
		[FR_GAP_BETWEEN] = "between_two_dumps",
		[FR_GAP_CUT] = "dump_is_cut",
	};
	static const char *const bodies[] = {
		[FR_GAP_LOST] = "events were lost while recording",
		[FR_GAP_DAMAGED] = "a part of the file is damaged",
		[FR_GAP_BETWEEN] = "no dump covers this time",
		[FR_GAP_CUT] = "the dump is cut here",
	};
	struct fr_otlp_logger *g = &o->logs->logger;
	struct fr_otlp_log *l;

	if (lost->to_ns < o->c->from_ns)
		return;
	l = fr_otlp_log_begin(g, FR_LIT("flightrec.lost"),
			      lost->cause == FR_GAP_BETWEEN ? FR_OTLP_INFO : FR_OTLP_WARN,
			      fr_otlp_unix(o->c, lost->from_ns));
	l->body = fr_otlp_printf(&g->text, "CPU %u: %s", lost->cpu, bodies[lost->cause]);
	fr_otlp_int(&l->attrs, FR_LIT("flightrec.cpu"), lost->cpu);
	fr_otlp_str(&l->attrs, FR_LIT("flightrec.lost.cause"), fr_otlp_z(causes[lost->cause]));
	fr_otlp_int(&l->attrs, FR_LIT("flightrec.lost.duration_ns"),
		    (int64_t)(lost->to_ns - lost->from_ns));
	if (lost->records) /* else nobody knows how many */
		fr_otlp_int(&l->attrs, FR_LIT("flightrec.lost.events"), (int64_t)lost->records);
	fr_otlp_send_log(o, l,
			 (struct fr_otlp_source){ FR_OTLP_RECORDER,
						  dump_at(o->c->session, lost->from_ns) });
}

static void send_damage(struct fr_otlp *o, const struct fr_convert_stats *st)
{
	struct fr_otlp_logger *g = &o->logs->logger;
	struct fr_otlp_log *l;

	if (!st->merge.bad_chunks && !st->merge.bad_segments && !st->unsound && !st->unknown_kinds)
		return;
	l = fr_otlp_log_begin(g, FR_LIT("flightrec.damage"), FR_OTLP_WARN,
			      fr_otlp_unix(o->c, o->c->to_ns));
	l->body = FR_LIT("parts of the recording could not be read");
	fr_otlp_int(&l->attrs, FR_LIT("flightrec.damage.chunks"), (int64_t)st->merge.bad_chunks);
	fr_otlp_int(&l->attrs, FR_LIT("flightrec.damage.chunk_events"),
		    (int64_t)st->merge.bad_records);
	fr_otlp_int(&l->attrs, FR_LIT("flightrec.damage.segments"),
		    (int64_t)st->merge.bad_segments);
	fr_otlp_int(&l->attrs, FR_LIT("flightrec.damage.events"), (int64_t)st->unsound);
	fr_otlp_int(&l->attrs, FR_LIT("flightrec.unknown_kinds"), (int64_t)st->unknown_kinds);
	fr_otlp_send_log(o, l, (struct fr_otlp_source){ FR_OTLP_RECORDER, 0 });
}

/* What the requests that are told lack. */
static void send_requests(struct fr_otlp *o, const struct fr_spans_stats *st)
{
	struct fr_otlp_logger *g = &o->logs->logger;
	const struct {
		struct fr_slice key;
		uint64_t value;
	} rows[] = {
		{ FR_LIT("flightrec.requests.told"), st->spans },
		{ FR_LIT("flightrec.requests.overflow"), st->overflow },
		{ FR_LIT("flightrec.requests.evicted_connections"), st->evicted_conns },
		{ FR_LIT("flightrec.requests.unread_connections"), st->deaf_conns },
		{ FR_LIT("flightrec.requests.stateless_transfers"), st->nostate },
		{ FR_LIT("flightrec.requests.guesses_dropped"), st->guesses_dropped },
		{ FR_LIT("flightrec.requests.late_peers"), st->late_peers },
	};
	bool lacks = st->overflow || st->evicted_conns || st->nostate;
	struct fr_otlp_log *l = fr_otlp_log_begin(g, FR_LIT("flightrec.requests"),
						  lacks ? FR_OTLP_WARN : FR_OTLP_INFO,
						  fr_otlp_unix(o->c, o->c->to_ns));

	l->body = fr_otlp_printf(&g->text, "%llu requests%s", (unsigned long long)st->spans,
				 lacks ? ", not all that there were" : "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		fr_otlp_int(&l->attrs, rows[i].key, (int64_t)rows[i].value);
	fr_otlp_send_log(o, l, (struct fr_otlp_source){ FR_OTLP_RECORDER, 0 });
}

void fr_otlp_logs_end(struct fr_otlp *o, const struct fr_convert_stats *stats)
{
	for (size_t i = 0; i < o->logs->trigger_cnt; i++)
		send_trigger(o, &o->logs->triggers[i]);
	for (size_t i = 0; i < o->logs->death_cnt; i++)
		send_death(o, &o->logs->deaths[i]);
	fr_otlp_dump_logs(o, &o->logs->logger);
	send_requests(o, &stats->spans);
	send_damage(o, stats);
}
