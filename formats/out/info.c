/* SPDX-License-Identifier: BSD-2-Clause */
#include "info.h"

#include <errno.h>
#include <stdlib.h>

#include "../base/json.h"
#include "../dump/census.h"
#include "../model/refs.h"
#include "../model/session.h"
#include "../model/threads.h"

/* All that is said, gathered first. */
struct facts {
	struct fr_dump *d;
	const struct fr_dump_report *r;
	const struct fr_session *s;
	struct fr_census census;
	uint64_t unnamed;
};

/* ---- gathering ------------------------------------------------------------------------------ */

/* Everything that records inside the common window refer to, asked for by name. */
static int ask_names(const struct fr_session *s, struct fr_merge *m, struct fr_threads *t)
{
	const struct fr_merged *x;
	struct fr_step step;
	struct fr_refs refs;
	uint32_t index;
	int ret, err;

	while ((ret = fr_merge_next(m, &x)) == 1) {
		if (x->type != FR_MERGED_RECORD || x->order_ns < s->common_ns ||
		    !fr_record_sound(&x->rec))
			continue;
		fr_record_refs(&x->rec, &refs);
		for (uint32_t i = 0; i < refs.tid_cnt; i++)
			fr_threads_get(t, refs.tids[i], x->order_ns);
		if (refs.sock_id && !fr_names_socket(s->names, 0, refs.sock_id, &index))
			return -ENOMEM;
		err = fr_threads_record(t, x, &step);
		if (err)
			return err;
	}
	return ret;
}

static int count_unnamed(struct facts *f)
{
	const struct fr_names_stats *n = fr_names_stats(f->s->names);
	struct fr_threads *t = NULL;
	struct fr_merge *m = NULL;
	int err = fr_threads_new(f->s->names, f->s->sched_on, &t);

	if (!err)
		err = fr_session_merge(f->s, &m);
	if (!err)
		err = ask_names(f->s, m, t);
	fr_merge_close(m);
	fr_threads_free(t);
	f->unnamed = n->unnamed_threads + n->unnamed_sockets;
	return err;
}

/* ---- JSON ----------------------------------------------------------------------------------- */

/* 0 is no time. */
static void kv_time(const struct facts *f, struct fr_json *j, const char *key, uint64_t boot_ns)
{
	fr_json_kv_u64_str(j, key, boot_ns ? fr_session_to_unix(f->s, boot_ns) : 0);
}

static void put_trigger(struct fr_json *j, const struct fr_trigger_info *t)
{
	fr_json_kv_str(j, "name", t->name);
	fr_json_kv_str(j, "reason", t->reason);
	fr_json_kv_u64_str(j, "time_unix_nano", t->unix_ns);
}

/* Where a probe saw the cause, and how often: of triggers that a probe has fired. */
static void put_cause(struct fr_json *j, const struct fr_trigger_info *t)
{
	if (t->tgid)
		fr_json_kv_u64(j, "pid", t->tgid);
	if (t->tid)
		fr_json_kv_u64(j, "tid", t->tid);
	if (t->sock_id)
		fr_json_kv_u64_str(j, "socket", t->sock_id);
	if (t->goid)
		fr_json_kv_u64_str(j, "goroutine", t->goid);
	if (!t->seen)
		return;
	fr_json_kv_u64_str(j, "seen", t->seen);
	fr_json_kv_u64_str(j, "suppressed", t->suppressed);
}

static void put_triggers(const struct facts *f, struct fr_json *j)
{
	const struct fr_meta_trigger *t = fr_dump_trigger(f->d);

	fr_json_key(j, "trigger");
	if (!t) {
		fr_json_null(j);
		return;
	}
	fr_json_object(j);
	put_trigger(j, &t->main);
	put_cause(j, &t->main);
	fr_json_key(j, "joined");
	fr_json_array(j);
	for (uint32_t i = 0; i < t->joined_cnt && i < FR_JOINED_MAX; i++) {
		fr_json_object(j);
		put_trigger(j, &t->joined[i]);
		put_cause(j, &t->joined[i]);
		fr_json_object_end(j);
	}
	fr_json_array_end(j);
	if (t->joined_more)
		fr_json_kv_u64_str(j, "joined_more", t->joined_more);
	fr_json_object_end(j);
}

static void put_cpu(const struct facts *f, struct fr_json *j, const struct fr_cpu_loss *c)
{
	fr_json_object(j);
	fr_json_kv_u64(j, "cpu", c->cpu);
	kv_time(f, j, "oldest_unix_nano", c->oldest_ns);
	fr_json_kv_u64_str(j, "emitted", c->emitted);
	fr_json_kv_u64_str(j, "kept", c->kept);
	fr_json_kv_u64_str(j, "overwritten", c->overwritten);
	fr_json_kv_u64_str(j, "overtaken", c->overtaken);
	fr_json_kv_u64_str(j, "unfinished", c->unfinished);
	fr_json_key(j, "dropped");
	fr_json_object(j);
	fr_json_kv_u64_str(j, "retry", c->dropped_retry);
	fr_json_kv_u64_str(j, "busy", c->dropped_busy);
	fr_json_kv_u64_str(j, "nocpu", c->dropped_nocpu);
	fr_json_object_end(j);
	fr_json_kv_u64_str(j, "recursion_misses", c->recursion_misses);
	fr_json_object_end(j);
}

/* A CPU of a cut dump, whose loss table is missing: what is not known is null. */
static void put_cpu_unknown(const struct facts *f, struct fr_json *j, uint16_t cpu, uint64_t kept)
{
	static const char *const unknown[] = { "overwritten", "overtaken", "unfinished", "dropped",
					       "recursion_misses" };

	fr_json_object(j);
	fr_json_kv_u64(j, "cpu", cpu);
	kv_time(f, j, "oldest_unix_nano", fr_session_cpu_oldest(&f->s->dumps[0], cpu));
	fr_json_key(j, "emitted");
	fr_json_null(j);
	fr_json_kv_u64_str(j, "kept", kept);
	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
		fr_json_key(j, unknown[i]);
		fr_json_null(j);
	}
	fr_json_object_end(j);
}

/* Without a loss table: CPUs and records as the chunks claim them. */
static void put_cpus_unknown(const struct facts *f, struct fr_json *j)
{
	uint64_t *kept = calloc(UINT16_MAX + 1, sizeof(*kept)); /* plus one; 0 = no such CPU */
	const struct fr_dump_entry *e;

	if (!kept) {
		f->r->out->err = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < fr_dump_chunk_cnt(f->d); i++) {
		e = fr_dump_chunk(f->d, i);
		if (e->type == FR_CHUNK_EVENTS)
			kept[e->cpu] += e->records + !kept[e->cpu];
	}
	for (uint32_t cpu = 0; cpu <= UINT16_MAX; cpu++)
		if (kept[cpu])
			put_cpu_unknown(f, j, (uint16_t)cpu, kept[cpu] - 1);
	free(kept);
}

static void put_cpus(const struct facts *f, struct fr_json *j)
{
	const struct fr_meta_loss *l = fr_dump_loss(f->d);

	fr_json_key(j, "cpus");
	fr_json_array(j);
	for (uint32_t i = 0; l && i < l->cpu_cnt; i++)
		put_cpu(f, j, &l->cpus[i]);
	if (!l)
		put_cpus_unknown(f, j);
	fr_json_array_end(j);
}

static uint64_t removed(const struct fr_meta_loss *l, const char *name)
{
	for (uint32_t i = 0; l && i < l->removed_cnt && i < FR_COUNTERS_MAX; i++)
		if (!strcmp(l->removed[i].name, name))
			return l->removed[i].value;
	return 0;
}

static void put_removed(const struct facts *f, struct fr_json *j)
{
	static const char *const always[] = { "headers", "body", "unknown" };
	const struct fr_meta_loss *l = fr_dump_loss(f->d);
	bool said;

	fr_json_key(j, "removed_by_redaction");
	fr_json_object(j);
	for (size_t k = 0; k < 3; k++)
		fr_json_kv_u64_str(j, always[k], removed(l, always[k]));
	for (uint32_t i = 0; l && i < l->removed_cnt && i < FR_COUNTERS_MAX; i++) {
		said = false;
		for (size_t k = 0; k < 3; k++)
			said |= !strcmp(l->removed[i].name, always[k]);
		if (!said)
			fr_json_kv_u64_str(j, l->removed[i].name, l->removed[i].value);
	}
	fr_json_object_end(j);
}

static void put_counters(const struct facts *f, struct fr_json *j)
{
	const struct fr_meta_loss *l = fr_dump_loss(f->d);

	fr_json_key(j, "counters");
	fr_json_object(j);
	for (uint32_t i = 0; l && i < l->counter_cnt && i < FR_COUNTERS_MAX; i++)
		fr_json_kv_u64_str(j, l->counters[i].name, l->counters[i].value);
	fr_json_object_end(j);
}

static void put_host(const struct facts *f, struct fr_json *j)
{
	const struct fr_meta_config *c = fr_dump_config(f->d);
	const struct fr_meta_host *h = fr_dump_host(f->d);

	fr_json_key(j, "host");
	fr_json_object(j);
	fr_json_kv_str(j, "name", h ? h->name : NULL);
	fr_json_kv_str(j, "machine_id", h ? h->machine_id : NULL);
	fr_json_kv_str(j, "boot_id", h ? h->boot_id : NULL);
	fr_json_object_end(j);
	fr_json_kv_str(j, "kernel", h ? h->kernel_release : NULL);
	fr_json_kv_str(j, "recorder", h ? h->recorder_version : NULL);
	fr_json_kv_str(j, "redact", c ? c->redact : NULL);
}

static void put_json(const struct facts *f)
{
	const struct fr_census *c = &f->census;
	struct fr_json j = fr_json_on(f->r->out);

	fr_json_object(&j);
	fr_json_kv_str(&j, "file", f->r->file);
	fr_json_kv_bool(&j, "incomplete", fr_dump_incomplete(f->d));
	put_host(f, &j);
	put_triggers(f, &j);
	fr_json_key(&j, "window");
	fr_json_object(&j);
	kv_time(f, &j, "start_unix_nano", f->s->start_ns);
	kv_time(f, &j, "common_start_unix_nano", f->s->common_ns);
	kv_time(f, &j, "end_unix_nano", f->s->end_ns);
	fr_json_object_end(&j);
	put_cpus(f, &j);
	fr_json_key(&j, "events");
	fr_json_object(&j);
	for (int kind = 0; kind < 256; kind++)
		if (c->kinds[kind])
			fr_json_kv_u64_str(&j, fr_event_infos[kind].name, c->kinds[kind]);
	fr_json_object_end(&j);
	fr_json_kv_u64(&j, "threads", c->threads);
	fr_json_kv_u64(&j, "processes", c->processes);
	fr_json_kv_u64(&j, "sockets", c->sockets);
	fr_json_kv_u64(&j, "unnamed", f->unnamed);
	fr_json_key(&j, "bytes");
	fr_json_object(&j);
	fr_json_kv_u64_str(&j, "raw", c->raw_bytes);
	fr_json_kv_u64_str(&j, "stored", c->stored_bytes);
	fr_json_object_end(&j);
	put_removed(f, &j);
	put_counters(f, &j);
	fr_json_kv_u64(&j, "problems", fr_dump_problem_cnt(f->d));
	fr_json_object_end(&j);
	fr_buf_add_char(f->r->out, '\n');
}

/* ---- text ----------------------------------------------------------------------------------- */

static void say_time(const struct facts *f, uint64_t boot_ns)
{
	char text[40];

	fr_buf_add_str(f->r->out,
		       fr_format_time(fr_session_to_unix(f->s, boot_ns), 3, text, sizeof(text)));
}

static void say_duration(const struct facts *f, uint64_t from_ns, uint64_t to_ns)
{
	char text[32];

	fr_buf_add_str(f->r->out, fr_format_duration(to_ns > from_ns ? to_ns - from_ns : 0, text,
						     sizeof(text)));
}

static void say_origin(const struct facts *f)
{
	const struct fr_meta_config *c = fr_dump_config(f->d);
	const struct fr_meta_host *h = fr_dump_host(f->d);
	struct fr_buf *out = f->r->out;

	if (h)
		fr_buf_printf(out, "host      %s, kernel %s, %u CPUs; recorder %s; boot %s\n",
			      h->name, h->kernel_release, h->cpus_online, h->recorder_version,
			      h->boot_id);
	else
		fr_buf_add_str(out, "host      not readable\n");
	if (!c)
		return;
	fr_buf_printf(out, "redact    %s\nfamilies ", c->redact);
	for (uint32_t i = 0; i < c->family_cnt && i < FR_FAMILY_CNT; i++)
		if (c->families[i].on)
			fr_buf_printf(out, " %s", c->families[i].name);
	fr_buf_add_char(out, '\n');
	for (uint32_t i = 0; i < c->degraded_cnt && i < FR_DEGRADED_MAX; i++)
		fr_buf_printf(out, "degraded  %s\n", c->degraded[i]);
}

static void say_triggers(const struct facts *f)
{
	const struct fr_meta_trigger *t = fr_dump_trigger(f->d);
	struct fr_buf *out = f->r->out;
	char text[40];

	if (!t) {
		fr_buf_add_str(out, "trigger   not readable\n");
		return;
	}
	fr_buf_printf(out, "trigger   %s at %s: %s\n", t->main.name,
		      fr_format_time(t->main.unix_ns, 3, text, sizeof(text)), t->main.reason);
	if (t->main.suppressed)
		fr_buf_printf(out, "          seen %llu times until then, suppressed %llu times\n",
			      (unsigned long long)t->main.seen,
			      (unsigned long long)t->main.suppressed);
	for (uint32_t i = 0; i < t->joined_cnt && i < FR_JOINED_MAX; i++)
		fr_buf_printf(out, "joined    %s at %s: %s\n", t->joined[i].name,
			      fr_format_time(t->joined[i].unix_ns, 3, text, sizeof(text)),
			      t->joined[i].reason);
	if (t->joined_more)
		fr_buf_printf(out, "joined    and %llu more\n", (unsigned long long)t->joined_more);
}

static void say_window(const struct facts *f)
{
	struct fr_buf *out = f->r->out;

	if (!f->s->end_ns) {
		fr_buf_add_str(out, "window    no events\n");
		return;
	}
	fr_buf_add_str(out, "window    all CPUs ");
	say_time(f, f->s->common_ns);
	fr_buf_add_str(out, " .. ");
	say_time(f, f->s->end_ns);
	fr_buf_add_str(out, " (");
	say_duration(f, f->s->common_ns, f->s->end_ns);
	fr_buf_add_str(out, "); the quietest from ");
	say_time(f, f->s->start_ns);
	fr_buf_add_char(out, '\n');
}

static void say_cpus(const struct facts *f)
{
	const struct fr_meta_loss *l = fr_dump_loss(f->d);
	struct fr_buf *out = f->r->out;
	const struct fr_cpu_loss *c;

	if (!l) {
		fr_buf_add_str(out,
			       "cpus      the account of losses is missing (the dump is cut, or "
			       "damaged there)\n");
		return;
	}
	fr_buf_printf(out, "%-5s %10s %12s %12s %12s %9s %10s %8s %6s\n", "cpu", "keeps", "emitted",
		      "kept", "overwritten", "overtaken", "unfinished", "dropped", "missed");
	for (uint32_t i = 0; i < l->cpu_cnt; i++) {
		char keeps[32] = "-";

		c = &l->cpus[i];
		if (c->oldest_ns && c->oldest_ns <= f->s->end_ns)
			fr_format_duration(f->s->end_ns - c->oldest_ns, keeps, sizeof(keeps));
		fr_buf_printf(
			out, "%-5u %10s %12llu %12llu %12llu %9llu %10llu %8llu %6llu\n", c->cpu,
			keeps, (unsigned long long)c->emitted, (unsigned long long)c->kept,
			(unsigned long long)c->overwritten, (unsigned long long)c->overtaken,
			(unsigned long long)c->unfinished,
			(unsigned long long)(c->dropped_retry + c->dropped_busy + c->dropped_nocpu),
			(unsigned long long)c->recursion_misses);
	}
}

static void say_contents(const struct facts *f)
{
	const struct fr_census *c = &f->census;
	struct fr_buf *out = f->r->out;
	char raw[32], stored[32];

	fr_buf_printf(out, "events    %llu\n", (unsigned long long)c->records);
	for (int kind = 0; kind < 256; kind++)
		if (c->kinds[kind])
			fr_buf_printf(out, "          %-16s %12llu\n", fr_event_infos[kind].name,
				      (unsigned long long)c->kinds[kind]);
	if (c->unknown_kinds)
		fr_buf_printf(out, "          %-16s %12llu (from a newer recorder)\n", "unknown",
			      (unsigned long long)c->unknown_kinds);
	fr_buf_printf(out,
		      "names     %llu threads, %llu processes, %llu sockets; %llu without a "
		      "name\n",
		      (unsigned long long)c->threads, (unsigned long long)c->processes,
		      (unsigned long long)c->sockets, (unsigned long long)f->unnamed);
	fr_buf_printf(out, "bytes     %s of records and tables, stored in %s",
		      fr_format_size(c->raw_bytes, raw, sizeof(raw)),
		      fr_format_size(c->stored_bytes, stored, sizeof(stored)));
	if (c->records)
		fr_buf_printf(out, " (%.2f an event)",
			      (double)fr_dump_file_bytes(f->d) / (double)c->records);
	fr_buf_add_char(out, '\n');
}

static void say_removed(const struct facts *f)
{
	const struct fr_meta_loss *l = fr_dump_loss(f->d);

	for (uint32_t i = 0; l && i < l->removed_cnt && i < FR_COUNTERS_MAX; i++)
		fr_buf_printf(f->r->out, "%s %s=%llu%s", i ? "" : "removed   bytes:",
			      l->removed[i].name, (unsigned long long)l->removed[i].value,
			      i + 1 == l->removed_cnt ? "\n" : "");
}

/* What the recorder could not do or kept out, by its own counts; zeros say nothing. */
static void say_counters(const struct facts *f)
{
	const struct fr_meta_loss *l = fr_dump_loss(f->d);
	bool any = false;

	for (uint32_t i = 0; l && i < l->counter_cnt && i < FR_COUNTERS_MAX; i++) {
		if (!l->counters[i].value)
			continue;
		fr_buf_printf(f->r->out, "%s %s=%llu", any ? "" : "counts   ",
			      l->counters[i].name, (unsigned long long)l->counters[i].value);
		any = true;
	}
	if (any)
		fr_buf_add_char(f->r->out, '\n');
}

static void say_state(const struct facts *f)
{
	size_t cnt = fr_dump_problem_cnt(f->d);
	char size[32];

	fr_buf_printf(f->r->out, "file      %s, %s%s", f->r->file,
		      fr_format_size(fr_dump_file_bytes(f->d), size, sizeof(size)),
		      fr_dump_incomplete(f->d) ? ", incomplete" : "");
	if (cnt)
		fr_buf_printf(f->r->out, ", %zu problems (see flightrec verify)", cnt);
	fr_buf_add_char(f->r->out, '\n');
}

static void put_text(const struct facts *f)
{
	say_state(f);
	say_origin(f);
	say_triggers(f);
	say_window(f);
	say_cpus(f);
	say_contents(f);
	say_removed(f);
	say_counters(f);
}

int fr_info_run(struct fr_dump *d, const struct fr_dump_report *r)
{
	struct fr_session_dump in = { .dump = d, .name = r->file };
	struct facts f = { .d = d, .r = r };
	struct fr_session *s = NULL;
	char why[200];
	int err = fr_dump_census(d, &f.census);

	if (!err)
		err = fr_session_open(&in, 1, &s, why, sizeof(why));
	f.s = s;
	if (!err)
		err = count_unnamed(&f);
	if (!err) {
		if (r->json)
			put_json(&f);
		else
			put_text(&f);
		err = r->out->err;
	}
	fr_session_close(s);
	if (err)
		return err;
	if (f.census.bad_chunks >= fr_dump_chunk_cnt(d))
		return FR_EXIT_IO;
	return fr_dump_incomplete(d) || fr_dump_problem_cnt(d) ? FR_EXIT_DAMAGED : FR_EXIT_OK;
}
