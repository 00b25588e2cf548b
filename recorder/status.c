/* SPDX-License-Identifier: BSD-2-Clause */
#include "status.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "formats/base/cli.h"
#include "formats/base/json.h"
#include "formats/base/log.h"
#include "launcher.h"

typedef unsigned long long ull;

/* Of suppressed ones also those that a probe saw and never told. */
static uint64_t outcome_of(const struct fr_triggers *t, enum fr_trigger_kind kind,
			   enum fr_outcome outcome)
{
	return outcome == FR_OUTCOME_SUPPRESSED ? fr_triggers_suppressed(t, kind) :
						  t->kinds[kind].outcomes[outcome];
}

static uint64_t outcome_total(const struct fr_triggers *t, enum fr_outcome outcome)
{
	uint64_t total = 0;

	for (uint32_t kind = 0; kind < FR_TRIGGER_CNT; kind++)
		total += outcome_of(t, (enum fr_trigger_kind)kind, outcome);
	return total;
}

static const char *seconds(uint64_t ns, char *buf, size_t buf_bytes)
{
	return ns == FR_NS_UNKNOWN ? "unknown" : fr_format_duration(ns, buf, buf_bytes);
}

void fr_status_families(const struct fr_recorder *rec, struct fr_buf *out)
{
	const char *comma = "";

	for (uint32_t i = 0; i < rec->family_cnt; i++)
		if (rec->families[i].on) {
			fr_buf_printf(out, "%s%s", comma, rec->families[i].name);
			comma = ",";
		}
}

/* ---- for people -------------------------------------------------------------------------- */

static void text_history(const struct fr_stats *s, struct fr_buf *out)
{
	char a[32], b[32], c[32];

	fr_buf_printf(out, "recording for %s, pid %d\n",
		      fr_format_duration(s->uptime_ns, a, sizeof(a)), (int)getpid());
	fr_buf_printf(out, "history: %s now on every CPU", seconds(s->now_ns, a, sizeof(a)));
	if (s->worst_ns != FR_NS_UNKNOWN)
		fr_buf_printf(out, ", %s at worst", seconds(s->worst_ns, b, sizeof(b)));
	else
		fr_buf_printf(out, ", about %s once the ring is full",
			      seconds(s->full_ns, c, sizeof(c)));
	fr_buf_add_char(out, '\n');
}

static void text_families(const struct fr_stats *s, struct fr_buf *out)
{
	const struct fr_recorder *rec = s->rec;

	fr_buf_add_str(out, "families: ");
	fr_status_families(rec, out);
	fr_buf_add_char(out, '\n');
	for (uint32_t i = 0; i < rec->family_cnt; i++)
		if (!rec->families[i].on)
			fr_buf_printf(out, "  off: %s, %s\n", rec->families[i].name,
				      rec->families[i].why);
	for (uint32_t i = 0; i < rec->features.degraded_cnt; i++)
		fr_buf_printf(out, "  degraded: %s\n", rec->features.degraded[i]);
}

static void text_dumps(const struct fr_triggers *t, struct fr_buf *out)
{
	char time[40];

	fr_buf_printf(out,
		      "dumps: %llu written, %llu failed; triggers joined %llu, suppressed %llu%s\n",
		      (ull)t->done_cnt, (ull)t->failed_cnt,
		      (ull)outcome_total(t, FR_OUTCOME_JOINED),
		      (ull)outcome_total(t, FR_OUTCOME_SUPPRESSED),
		      fr_triggers_busy(t) ? "; one is being written" : "");
	if (!t->done_cnt && !t->failed_cnt)
		return;
	fr_format_time(t->last_unix_ns, 3, time, sizeof(time));
	if (t->last.error)
		fr_buf_printf(out, "  last: %s, failed: %s\n", time, t->last.text);
	else if (t->last.name[0])
		fr_buf_printf(out, "  last: %s, %s/%s\n", time, t->rec->config.dump_dir,
			      t->last.name);
}

static void text_triggers(const struct fr_triggers *t, struct fr_buf *out)
{
	const char *comma = "";

	fr_buf_add_str(out, "triggers:");
	for (uint32_t kind = 0; kind < FR_TRIGGER_CNT; kind++)
		if (fr_config_trigger_on(&t->rec->config, (enum fr_trigger_kind)kind)) {
			fr_buf_printf(out, "%s %s", comma,
				      fr_trigger_name((enum fr_trigger_kind)kind));
			comma = ",";
		}
	fr_buf_add_char(out, '\n');
	for (uint32_t kind = 0; kind < FR_TRIGGER_CNT; kind++) {
		uint64_t seen = fr_triggers_seen(t, (enum fr_trigger_kind)kind);

		if (seen)
			fr_buf_printf(out, "  %s: seen %llu, suppressed %llu\n",
				      fr_trigger_name((enum fr_trigger_kind)kind), (ull)seen,
				      (ull)fr_triggers_suppressed(t, (enum fr_trigger_kind)kind));
	}
}

static void text_binaries(const struct fr_binaries *b, struct fr_buf *out)
{
	if (!b->answered_cnt && !b->put_off_cnt)
		return;
	fr_buf_printf(out,
		      "programs looked at: %llu, by Go %llu, by an unknown Go %llu, unreadable "
		      "%llu; put off %llu\n",
		      (ull)b->answered_cnt, (ull)b->go_cnt, (ull)b->unknown_cnt, (ull)b->failed_cnt,
		      (ull)b->put_off_cnt);
}

static void text_on_dump(const struct fr_launcher *l, struct fr_buf *out)
{
	if (!l || !l->commands_cnt)
		return;
	fr_buf_printf(out, "on_dump: %llu done, %llu failed, %llu left out, %u to come%s\n",
		      (ull)l->done_cnt, (ull)l->failed_cnt, (ull)l->dropped_cnt, l->under_way_cnt,
		      l->fd < 0 ? "; its launcher has ended" : "");
	if (l->last[0])
		fr_buf_printf(out, "  last: %s\n", l->last);
}

static void text_counters(const struct fr_stats *s, struct fr_buf *out)
{
	const char *comma = "counts:";

	for (uint32_t id = 0; id < FR_COUNTER_CNT; id++)
		if (s->counters[id]) {
			fr_buf_printf(out, "%s %s %llu", comma, fr_counter_name(id),
				      (ull)s->counters[id]);
			comma = ",";
		}
	if (*comma == ',')
		fr_buf_add_char(out, '\n');
}

static void print_text(const struct fr_status *st, struct fr_buf *out)
{
	const struct fr_stats *s = st->stats;
	char a[32], b[32];

	text_history(s, out);
	text_families(s, out);
	fr_buf_printf(out, "events: %llu, dropped %llu, programs not run by the kernel %llu\n",
		      (ull)s->emitted, (ull)s->dropped, (ull)s->misses);
	text_dumps(st->triggers, out);
	text_triggers(st->triggers, out);
	text_on_dump(s->rec->launcher, out);
	text_binaries(st->binaries, out);
	fr_buf_printf(out, "ring: %s, maps in all %s",
		      fr_format_size(s->rec->layout.ring_bytes, a, sizeof(a)),
		      fr_format_size(s->map_bytes, b, sizeof(b)));
	fr_buf_printf(out, "; daemon: %s of memory, %s of CPU time\n",
		      fr_format_size(s->anon_bytes, a, sizeof(a)),
		      fr_format_duration(s->cpu_ns, b, sizeof(b)));
	fr_buf_printf(out, "%5s %16s %10s %10s %10s %8s\n", "cpu", "events", "dropped", "history",
		      "worst", "laps");
	for (uint32_t cpu = 0; cpu < s->rec->ring.cpu_cnt; cpu++) {
		const struct fr_cpu_stats *c = &s->cpus[cpu];

		if (!c->has_slot && !c->dropped_nocpu)
			continue;
		fr_buf_printf(out, "%5u %16llu %10llu %10s %10s %8llu\n", cpu, (ull)c->emitted,
			      (ull)(c->dropped_retry + c->dropped_busy + c->dropped_nocpu),
			      seconds(c->now_ns, a, sizeof(a)),
			      c->worst_ns == FR_NS_UNKNOWN ? "-"
							   : seconds(c->worst_ns, b, sizeof(b)),
			      (ull)c->laps);
	}
	text_counters(s, out);
}

void fr_status_log(const struct fr_status *st)
{
	struct fr_buf text = { 0 };
	const char *end;

	print_text(st, &text);
	fr_buf_add_char(&text, 0);
	for (const char *at = text.err ? "" : (char *)text.data; *at; at = *end ? end + 1 : end) {
		end = strchrnul(at, '\n');
		fr_info("%.*s", (int)(end - at), at);
	}
	fr_buf_done(&text);
}

/* ---- for scripts ------------------------------------------------------------------------- */

static void json_ns(struct fr_json *j, const char *key, uint64_t ns)
{
	if (ns != FR_NS_UNKNOWN) {
		fr_json_kv_u64_str(j, key, ns);
		return;
	}
	fr_json_key(j, key);
	fr_json_null(j);
}

static void json_cpus(struct fr_json *j, const struct fr_stats *s)
{
	fr_json_key(j, "cpus");
	fr_json_array(j);
	for (uint32_t cpu = 0; cpu < s->rec->ring.cpu_cnt; cpu++) {
		const struct fr_cpu_stats *c = &s->cpus[cpu];

		if (!c->has_slot && !c->dropped_nocpu)
			continue;
		fr_json_object(j);
		fr_json_kv_u64(j, "cpu", cpu);
		fr_json_kv_u64_str(j, "emitted", c->emitted);
		fr_json_key(j, "dropped");
		fr_json_object(j);
		fr_json_kv_u64_str(j, "retry", c->dropped_retry);
		fr_json_kv_u64_str(j, "busy", c->dropped_busy);
		fr_json_kv_u64_str(j, "nocpu", c->dropped_nocpu);
		fr_json_object_end(j);
		json_ns(j, "history_ns", c->now_ns);
		json_ns(j, "history_full_ns", c->full_ns);
		json_ns(j, "history_worst_ns", c->worst_ns);
		fr_json_kv_u64_str(j, "laps", c->laps);
		fr_json_kv_u64_str(j, "skipped_sub_buffers", c->skipped_subs);
		fr_json_object_end(j);
	}
	fr_json_array_end(j);
}

static void json_families(struct fr_json *j, const struct fr_recorder *rec)
{
	fr_json_key(j, "families");
	fr_json_array(j);
	for (uint32_t i = 0; i < rec->family_cnt; i++) {
		fr_json_object(j);
		fr_json_kv_str(j, "name", rec->families[i].name);
		fr_json_kv_bool(j, "on", rec->families[i].on);
		fr_json_kv_str(j, "why", rec->families[i].why);
		fr_json_object_end(j);
	}
	fr_json_array_end(j);
	fr_json_key(j, "degraded");
	fr_json_array(j);
	for (uint32_t i = 0; i < rec->features.degraded_cnt; i++)
		fr_json_str(j, rec->features.degraded[i]);
	fr_json_array_end(j);
}

static void json_dumps(struct fr_json *j, const struct fr_triggers *t)
{
	fr_json_key(j, "dumps");
	fr_json_object(j);
	fr_json_kv_u64_str(j, "written", t->done_cnt);
	fr_json_kv_u64_str(j, "failed", t->failed_cnt);
	fr_json_kv_u64_str(j, "stored_bytes", t->stored_bytes);
	fr_json_kv_bool(j, "busy", fr_triggers_busy(t));
	fr_json_kv_str(j, "last_name", t->last.name);
	fr_json_kv_str(j, "last_error", t->last.error ? t->last.text : "");
	fr_json_kv_u64_str(j, "last_unix_nano", t->last_unix_ns);
	fr_json_object_end(j);
	fr_json_key(j, "triggers");
	fr_json_array(j);
	for (uint32_t kind = 0; kind < FR_TRIGGER_CNT; kind++) {
		fr_json_object(j);
		fr_json_kv_str(j, "name", fr_trigger_name((enum fr_trigger_kind)kind));
		fr_json_kv_bool(j, "on",
				fr_config_trigger_on(&t->rec->config, (enum fr_trigger_kind)kind));
		fr_json_kv_u64_str(j, "seen", fr_triggers_seen(t, (enum fr_trigger_kind)kind));
		for (uint32_t o = 0; o < FR_OUTCOME_CNT; o++)
			fr_json_kv_u64_str(
				j, fr_outcome_name((enum fr_outcome)o),
				outcome_of(t, (enum fr_trigger_kind)kind, (enum fr_outcome)o));
		fr_json_object_end(j);
	}
	fr_json_array_end(j);
}

static void json_on_dump(struct fr_json *j, const struct fr_launcher *l)
{
	static const struct fr_launcher none = { .fd = -1 };

	l = l ? l : &none;
	fr_json_key(j, "on_dump");
	fr_json_object(j);
	fr_json_kv_bool(j, "on", l->commands_cnt && l->fd >= 0);
	fr_json_kv_u64_str(j, "done", l->done_cnt);
	fr_json_kv_u64_str(j, "failed", l->failed_cnt);
	fr_json_kv_u64_str(j, "dropped", l->dropped_cnt);
	fr_json_kv_u64_str(j, "under_way", l->under_way_cnt);
	fr_json_kv_str(j, "last", l->last);
	fr_json_object_end(j);
}

static void json_programs(struct fr_json *j, const struct fr_binaries *b)
{
	fr_json_key(j, "programs");
	fr_json_object(j);
	fr_json_kv_u64_str(j, "answered", b->answered_cnt);
	fr_json_kv_u64_str(j, "go", b->go_cnt);
	fr_json_kv_u64_str(j, "go_unknown", b->unknown_cnt);
	fr_json_kv_u64_str(j, "failed", b->failed_cnt);
	fr_json_kv_u64_str(j, "put_off", b->put_off_cnt);
	fr_json_object_end(j);
}

static void print_json(const struct fr_status *st, struct fr_buf *out)
{
	const struct fr_stats *s = st->stats;
	struct fr_json j = fr_json_on(out);

	fr_json_object(&j);
	fr_json_kv_str(&j, "recorder", FR_VERSION);
	fr_json_kv_u64(&j, "pid", (uint64_t)getpid());
	fr_json_kv_str(&j, "kernel", s->rec->features.kernel_release);
	fr_json_kv_str(&j, "dump_dir", s->rec->config.dump_dir);
	fr_json_kv_str(&j, "redact", fr_redact_name(s->rec->config.redact.level));
	fr_json_kv_u64_str(&j, "time_unix_nano", s->unix_ns);
	json_ns(&j, "uptime_ns", s->uptime_ns);
	json_ns(&j, "history_ns", s->now_ns);
	json_ns(&j, "history_full_ns", s->full_ns);
	json_ns(&j, "history_worst_ns", s->worst_ns);
	fr_json_kv_u64_str(&j, "emitted", s->emitted);
	fr_json_kv_u64_str(&j, "dropped", s->dropped);
	fr_json_kv_u64_str(&j, "recursion_misses", s->misses);
	fr_json_kv_u64_str(&j, "ring_bytes", s->rec->layout.ring_bytes);
	fr_json_kv_u64_str(&j, "map_bytes", s->map_bytes);
	fr_json_kv_u64_str(&j, "anon_bytes", s->anon_bytes);
	fr_json_kv_u64_str(&j, "cpu_ns", s->cpu_ns);
	json_families(&j, s->rec);
	json_dumps(&j, st->triggers);
	json_on_dump(&j, s->rec->launcher);
	json_programs(&j, st->binaries);
	fr_json_key(&j, "control");
	fr_json_object(&j);
	fr_json_kv_u64_str(&j, "refused", st->control->refused_cnt);
	fr_json_kv_u64_str(&j, "timed_out", st->control->timeout_cnt);
	fr_json_object_end(&j);
	fr_json_key(&j, "counters");
	fr_json_object(&j);
	for (uint32_t id = 0; id < FR_COUNTER_CNT; id++)
		fr_json_kv_u64_str(&j, fr_counter_name(id), s->counters[id]);
	fr_json_object_end(&j);
	json_cpus(&j, s);
	fr_json_object_end(&j);
	fr_buf_add_char(out, '\n');
}

/* ---- for Prometheus ---------------------------------------------------------------------- */

static void metric(struct fr_buf *out, const char *name, const char *type, const char *help)
{
	fr_buf_printf(out, "# HELP flightrec_%s %s\n# TYPE flightrec_%s %s\n", name, help, name,
		      type);
}

static void one(struct fr_buf *out, const char *name, const char *type, const char *help,
		uint64_t v)
{
	metric(out, name, type, help);
	fr_buf_printf(out, "flightrec_%s %llu\n", name, (ull)v);
}

static void prom_seconds(struct fr_buf *out, const char *name, const char *help,
			 const struct fr_stats *s, size_t field_off)
{
	uint64_t ns;

	metric(out, name, "gauge", help);
	for (uint32_t cpu = 0; cpu < s->rec->ring.cpu_cnt; cpu++) {
		memcpy(&ns, (const char *)&s->cpus[cpu] + field_off, sizeof(ns));
		if (s->cpus[cpu].has_slot && ns != FR_NS_UNKNOWN)
			fr_buf_printf(out, "flightrec_%s{cpu=\"%u\"} %.3f\n", name, cpu,
				      (double)ns / 1e9);
	}
}

static void prom_cpus(const struct fr_stats *s, struct fr_buf *out)
{
	metric(out, "events_total", "counter", "Events that probes made, lost ones included.");
	for (uint32_t cpu = 0; cpu < s->rec->ring.cpu_cnt; cpu++)
		if (s->cpus[cpu].has_slot)
			fr_buf_printf(out, "flightrec_events_total{cpu=\"%u\"} %llu\n", cpu,
				      (ull)s->cpus[cpu].emitted);
	metric(out, "dropped_total", "counter", "Events that found no place in the ring.");
	for (uint32_t cpu = 0; cpu < s->rec->ring.cpu_cnt; cpu++) {
		const struct fr_cpu_stats *c = &s->cpus[cpu];

		if (!c->has_slot && !c->dropped_nocpu)
			continue;
		fr_buf_printf(out,
			      "flightrec_dropped_total{cpu=\"%u\",cause=\"retry\"} %llu\n"
			      "flightrec_dropped_total{cpu=\"%u\",cause=\"busy\"} %llu\n"
			      "flightrec_dropped_total{cpu=\"%u\",cause=\"nocpu\"} %llu\n",
			      cpu, (ull)c->dropped_retry, cpu, (ull)c->dropped_busy, cpu,
			      (ull)c->dropped_nocpu);
	}
	prom_seconds(out, "history_seconds", "History that a dump would have now.", s,
		     offsetof(struct fr_cpu_stats, now_ns));
	prom_seconds(out, "history_worst_seconds", "Least history seen since the ring came round.",
		     s, offsetof(struct fr_cpu_stats, worst_ns));
}

static void prom_dumps(const struct fr_triggers *t, struct fr_buf *out)
{
	one(out, "dumps_written_total", "counter", "Dumps written.", t->done_cnt);
	one(out, "dumps_failed_total", "counter", "Dumps that could not be written.",
	    t->failed_cnt);
	metric(out, "triggers_total", "counter", "Triggers, by what became of them.");
	for (uint32_t kind = 0; kind < FR_TRIGGER_CNT; kind++)
		for (uint32_t o = 0; o < FR_OUTCOME_CNT; o++)
			fr_buf_printf(out,
				      "flightrec_triggers_total{name=\"%s\",outcome=\"%s\"} %llu\n",
				      fr_trigger_name((enum fr_trigger_kind)kind),
				      fr_outcome_name((enum fr_outcome)o),
				      (ull)outcome_of(t, (enum fr_trigger_kind)kind,
						      (enum fr_outcome)o));
}

static void prom_on_dump(const struct fr_launcher *l, struct fr_buf *out)
{
	if (!l || !l->commands_cnt)
		return;
	metric(out, "on_dump_total", "counter", "Commands after dumps, by what became of them.");
	fr_buf_printf(out,
		      "flightrec_on_dump_total{outcome=\"done\"} %llu\n"
		      "flightrec_on_dump_total{outcome=\"failed\"} %llu\n"
		      "flightrec_on_dump_total{outcome=\"dropped\"} %llu\n",
		      (ull)l->done_cnt, (ull)l->failed_cnt, (ull)l->dropped_cnt);
}

static void print_prometheus(const struct fr_status *st, struct fr_buf *out)
{
	const struct fr_stats *s = st->stats;

	metric(out, "info", "gauge", "Version of the recorder.");
	fr_buf_printf(out, "flightrec_info{version=\"%s\"} 1\n", FR_VERSION);
	metric(out, "family_on", "gauge", "Is a family recorded?");
	for (uint32_t i = 0; i < s->rec->family_cnt; i++)
		fr_buf_printf(out, "flightrec_family_on{family=\"%s\"} %d\n",
			      s->rec->families[i].name, s->rec->families[i].on);
	prom_cpus(s, out);
	one(out, "recursion_misses_total", "counter", "Programs that the kernel did not run.",
	    s->misses);
	metric(out, "probe_total", "counter", "What probes missed, kept out, or made.");
	for (uint32_t id = 0; id < FR_COUNTER_CNT; id++)
		fr_buf_printf(out, "flightrec_probe_total{cause=\"%s\"} %llu\n",
			      fr_counter_name(id), (ull)s->counters[id]);
	prom_dumps(st->triggers, out);
	prom_on_dump(s->rec->launcher, out);
	one(out, "map_bytes", "gauge", "Memory of all BPF maps, the ring included.", s->map_bytes);
	one(out, "anon_bytes", "gauge", "Memory of the daemon itself.", s->anon_bytes);
	metric(out, "cpu_seconds_total", "counter", "CPU time of the daemon itself.");
	fr_buf_printf(out, "flightrec_cpu_seconds_total %.6f\n", (double)s->cpu_ns / 1e9);
}

void fr_status_print(const struct fr_status *st, enum fr_format format, struct fr_buf *out)
{
	switch (format) {
	case FR_FORMAT_TEXT:
		print_text(st, out);
		return;
	case FR_FORMAT_JSON:
		print_json(st, out);
		return;
	case FR_FORMAT_PROMETHEUS:
		print_prometheus(st, out);
		return;
	}
}
