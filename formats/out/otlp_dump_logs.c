/* SPDX-License-Identifier: BSD-2-Clause */
/* Log records of what each dump says of itself: how it was recorded, and all that it lacks. */
#include "otlp_internal.h"

static struct fr_slice under(struct fr_otlp_logger *g, const char *prefix, const char *name)
{
	return fr_otlp_utf8(&g->text, fr_otlp_printf(&g->text, "flightrec.%s.%s", prefix, name));
}

static void add_counters(struct fr_otlp_logger *g, const char *prefix,
			 const struct fr_counter *counters, uint32_t cnt)
{
	struct fr_slice key;

	for (uint32_t i = 0; i < cnt && i < FR_COUNTERS_MAX; i++) {
		if (!counters[i].value)
			continue;
		key = under(g, prefix, counters[i].name);
		if (key.len_bytes && !fr_otlp_find(&g->log.attrs, key))
			fr_otlp_int(&g->log.attrs, key, (int64_t)counters[i].value);
	}
}

static void add_config(struct fr_otlp_logger *g, const struct fr_meta_config *c)
{
	uint32_t cnt = 0;

	if (!c)
		return;
	fr_otlp_str(&g->log.attrs, FR_LIT("flightrec.redact"),
		    fr_otlp_utf8(&g->text, fr_otlp_z(c->redact)));
	for (; cnt < c->degraded_cnt && cnt < FR_DEGRADED_MAX; cnt++)
		g->strs[cnt] = fr_otlp_utf8(&g->text, fr_otlp_z(c->degraded[cnt]));
	if (cnt)
		fr_otlp_strs(&g->log.attrs, FR_LIT("flightrec.degraded"), g->strs, cnt);
}

static void add_loss(struct fr_otlp_logger *g, const struct fr_meta_loss *l)
{
	if (!l)
		return;
	fr_otlp_int(&g->log.attrs, FR_LIT("flightrec.unnamed.threads"),
		    (int64_t)l->unnamed_threads);
	fr_otlp_int(&g->log.attrs, FR_LIT("flightrec.unnamed.sockets"),
		    (int64_t)l->unnamed_sockets);
	add_counters(g, "counter", l->counters, l->counter_cnt);
	add_counters(g, "removed", l->removed, l->removed_cnt);
}

static void send_dump(struct fr_otlp *o, struct fr_otlp_logger *g, uint32_t dump)
{
	const struct fr_session_dump *d = &o->c->session->dumps[dump];
	bool bad = fr_dump_incomplete(d->dump) || fr_dump_problem_cnt(d->dump);
	struct fr_otlp_log *l = fr_otlp_log_begin(g, FR_LIT("flightrec.dump"),
						  bad ? FR_OTLP_WARN : FR_OTLP_INFO,
						  fr_otlp_unix(o->c, d->end_ns));
	struct fr_otlp_attrs *a = &l->attrs;

	l->body = fr_dump_incomplete(d->dump) ? FR_LIT("a dump, incomplete")
		  : bad			      ? FR_LIT("a dump, damaged in places")
					      : FR_LIT("a dump");
	fr_otlp_bool(a, FR_LIT("flightrec.incomplete"), fr_dump_incomplete(d->dump));
	fr_otlp_int(a, FR_LIT("flightrec.problems"), (int64_t)fr_dump_problem_cnt(d->dump));
	if (d->end_ns) {
		fr_otlp_int(a, FR_LIT("flightrec.window.start_unix_nano"),
			    (int64_t)fr_otlp_unix(o->c, d->start_ns));
		fr_otlp_int(a, FR_LIT("flightrec.window.common_start_unix_nano"),
			    (int64_t)fr_otlp_unix(o->c, d->common_ns));
		fr_otlp_int(a, FR_LIT("flightrec.window.end_unix_nano"),
			    (int64_t)fr_otlp_unix(o->c, d->end_ns));
	}
	add_config(g, fr_dump_config(d->dump));
	add_loss(g, fr_dump_loss(d->dump));
	fr_otlp_send_log(o, l, (struct fr_otlp_source){ FR_OTLP_RECORDER, dump });
}

static void send_cpu(struct fr_otlp *o, struct fr_otlp_logger *g, uint32_t dump,
		     const struct fr_cpu_loss *c)
{
	const struct {
		struct fr_slice key;
		uint64_t value;
	} rows[] = {
		{ FR_LIT("flightrec.events.emitted"), c->emitted },
		{ FR_LIT("flightrec.events.kept"), c->kept },
		{ FR_LIT("flightrec.events.overwritten"), c->overwritten },
		{ FR_LIT("flightrec.events.overtaken"), c->overtaken },
		{ FR_LIT("flightrec.events.unfinished"), c->unfinished },
		{ FR_LIT("flightrec.events.dropped_retry"), c->dropped_retry },
		{ FR_LIT("flightrec.events.dropped_busy"), c->dropped_busy },
		{ FR_LIT("flightrec.events.dropped_nocpu"), c->dropped_nocpu },
		{ FR_LIT("flightrec.events.recursion_misses"), c->recursion_misses },
	};
	/* overwriting is what a ring does; the rest is loss */
	uint64_t lost = c->overtaken + c->unfinished + c->dropped_retry + c->dropped_busy +
			c->dropped_nocpu + c->recursion_misses;
	struct fr_otlp_log *l =
		fr_otlp_log_begin(g, FR_LIT("flightrec.cpu"), lost ? FR_OTLP_WARN : FR_OTLP_INFO,
				  fr_otlp_unix(o->c, o->c->session->dumps[dump].end_ns));

	l->body = fr_otlp_printf(&g->text, "CPU %u: %llu events kept, %llu overwritten, %llu lost",
				 c->cpu, (unsigned long long)c->kept,
				 (unsigned long long)c->overwritten, (unsigned long long)lost);
	fr_otlp_int(&l->attrs, FR_LIT("flightrec.cpu"), c->cpu);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		fr_otlp_int(&l->attrs, rows[i].key, (int64_t)rows[i].value);
	if (c->oldest_ns)
		fr_otlp_int(&l->attrs, FR_LIT("flightrec.window.start_unix_nano"),
			    (int64_t)fr_otlp_unix(o->c, c->oldest_ns));
	fr_otlp_send_log(o, l, (struct fr_otlp_source){ FR_OTLP_RECORDER, dump });
}

void fr_otlp_dump_logs(struct fr_otlp *o, struct fr_otlp_logger *g)
{
	const struct fr_meta_loss *l;

	for (uint32_t i = 0; i < o->c->session->dump_cnt; i++) {
		send_dump(o, g, i);
		l = fr_dump_loss(o->c->session->dumps[i].dump);
		for (uint32_t k = 0; l && k < l->cpu_cnt; k++)
			send_cpu(o, g, i, &l->cpus[k]);
	}
}
