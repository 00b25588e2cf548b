/* SPDX-License-Identifier: BSD-2-Clause */
/* Chrome trace: the top-level "metadata": where, when, how, and what is missing. */
#include "chrome_internal.h"

static void put_time(struct fr_chrome *ch, struct fr_json *j, const char *key, uint64_t boot_ns)
{
	fr_json_kv_u64_str(j, key, fr_session_to_unix(ch->c->session, boot_ns));
}

static void put_trigger(struct fr_json *j, const struct fr_trigger_info *t)
{
	fr_json_kv_str(j, "name", t->name);
	fr_json_kv_str(j, "reason", t->reason);
	fr_json_kv_u64_str(j, "time_unix_nano", t->unix_ns);
	fr_json_kv_u64_str(j, "time_boot_nano", t->boot_ns);
}

static void put_triggers(struct fr_json *j, const struct fr_meta_trigger *t)
{
	fr_json_key(j, "trigger");
	fr_json_object(j);
	put_trigger(j, &t->main);
	fr_json_key(j, "joined");
	fr_json_array(j);
	for (uint32_t i = 0; i < t->joined_cnt && i < FR_JOINED_MAX; i++) {
		fr_json_object(j);
		put_trigger(j, &t->joined[i]);
		fr_json_object_end(j);
	}
	fr_json_array_end(j);
	fr_json_kv_u64(j, "joined_more", t->joined_more);
	fr_json_object_end(j);
}

static void put_clocks(struct fr_json *j, const struct fr_meta_clocks *c)
{
	static const char *const when[] = { "start", "trigger", "end" };

	fr_json_key(j, "clocks");
	fr_json_array(j);
	for (uint32_t i = 0; i < c->pair_cnt && i < FR_CLOCK_PAIRS_MAX; i++) {
		fr_json_object(j);
		fr_json_kv_str(j, "when", c->pairs[i].when < 3 ? when[c->pairs[i].when] : "?");
		fr_json_kv_u64_str(j, "boot_nano", c->pairs[i].boot_ns);
		fr_json_kv_u64_str(j, "unix_nano", c->pairs[i].unix_ns);
		fr_json_kv_u64_str(j, "bound_nano", c->pairs[i].bound_ns);
		fr_json_object_end(j);
	}
	fr_json_array_end(j);
}

static void put_counters(struct fr_json *j, const char *key, const struct fr_counter *c,
			 uint32_t cnt)
{
	fr_json_key(j, key);
	fr_json_object(j);
	for (uint32_t i = 0; i < cnt && i < FR_COUNTERS_MAX; i++)
		fr_json_kv_u64_str(j, c[i].name, c[i].value);
	fr_json_object_end(j);
}

static void put_loss(struct fr_chrome *ch, struct fr_json *j, const struct fr_meta_loss *l)
{
	const struct fr_cpu_loss *c;

	fr_json_key(j, "cpus");
	fr_json_array(j);
	for (uint32_t i = 0; i < l->cpu_cnt; i++) {
		c = &l->cpus[i];
		fr_json_object(j);
		fr_json_kv_u64(j, "cpu", c->cpu);
		if (c->oldest_ns)
			put_time(ch, j, "oldest_unix_nano", c->oldest_ns);
		fr_json_kv_u64_str(j, "emitted", c->emitted);
		fr_json_kv_u64_str(j, "kept", c->kept);
		fr_json_kv_u64_str(j, "overwritten", c->overwritten);
		fr_json_kv_u64_str(j, "overtaken", c->overtaken);
		fr_json_kv_u64_str(j, "unfinished", c->unfinished);
		fr_json_kv_u64_str(j, "dropped_retry", c->dropped_retry);
		fr_json_kv_u64_str(j, "dropped_busy", c->dropped_busy);
		fr_json_kv_u64_str(j, "dropped_nocpu", c->dropped_nocpu);
		fr_json_kv_u64_str(j, "recursion_misses", c->recursion_misses);
		fr_json_object_end(j);
	}
	fr_json_array_end(j);
	put_counters(j, "counters", l->counters, l->counter_cnt);
	put_counters(j, "removed_by_redaction", l->removed, l->removed_cnt);
}

static void put_config(struct fr_json *j, const struct fr_meta_config *c)
{
	fr_json_kv_str(j, "redact", c->redact);
	fr_json_key(j, "families");
	fr_json_object(j);
	for (uint32_t i = 0; i < c->family_cnt && i < FR_FAMILY_CNT; i++)
		fr_json_kv_bool(j, c->families[i].name, c->families[i].on);
	fr_json_object_end(j);
	fr_json_key(j, "degraded");
	fr_json_array(j);
	for (uint32_t i = 0; i < c->degraded_cnt && i < FR_DEGRADED_MAX; i++)
		fr_json_str(j, c->degraded[i]);
	fr_json_array_end(j);
}

static void put_dump(struct fr_chrome *ch, struct fr_json *j, const struct fr_session_dump *d)
{
	const struct fr_meta_trigger *t = fr_dump_trigger(d->dump);
	const struct fr_meta_clocks *c = fr_dump_clocks(d->dump);
	const struct fr_meta_config *g = fr_dump_config(d->dump);
	const struct fr_meta_loss *l = fr_dump_loss(d->dump);
	const struct fr_meta_host *h = fr_dump_host(d->dump);

	fr_json_object(j);
	fr_json_kv_bool(j, "incomplete", fr_dump_incomplete(d->dump));
	if (h)
		fr_json_kv_str(j, "recorder", h->recorder_version);
	if (t)
		put_triggers(j, t);
	if (c)
		put_clocks(j, c);
	if (g)
		put_config(j, g);
	put_time(ch, j, "start_unix_nano", d->start_ns);
	put_time(ch, j, "common_start_unix_nano", d->common_ns);
	put_time(ch, j, "end_unix_nano", d->end_ns);
	if (l)
		put_loss(ch, j, l);
	fr_json_object_end(j);
}

static void put_host(struct fr_json *j, const struct fr_meta_host *h)
{
	fr_json_key(j, "host");
	fr_json_object(j);
	fr_json_kv_str(j, "name", h->name);
	fr_json_kv_str(j, "machine_id", h->machine_id);
	fr_json_kv_str(j, "boot_id", h->boot_id);
	fr_json_kv_str(j, "arch", h->arch);
	fr_json_kv_u64(j, "cpus", h->cpus_online);
	fr_json_kv_u64_str(j, "memory_bytes", h->memory_bytes);
	fr_json_object_end(j);
	fr_json_kv_str(j, "kernel", h->kernel_release);
}

/* What converting itself found: this differs from zero only with damaged or overlapping dumps. */
static void put_conversion(struct fr_chrome *ch, struct fr_json *j,
			   const struct fr_convert_stats *st)
{
	const struct fr_names_stats *n = fr_names_stats(ch->c->session->names);

	fr_json_key(j, "conversion");
	fr_json_object(j);
	fr_json_kv_str(j, "version", ch->c->version);
	put_time(ch, j, "from_unix_nano", ch->c->from_ns);
	put_time(ch, j, "to_unix_nano", ch->c->to_ns);
	fr_json_kv_u64_str(j, "events", st->shown);
	fr_json_kv_u64_str(j, "duplicates", st->merge.duplicates);
	fr_json_kv_u64_str(j, "gaps", st->merge.gaps);
	fr_json_kv_u64_str(j, "damaged_chunks", st->merge.bad_chunks);
	fr_json_kv_u64_str(j, "damaged_segments", st->merge.bad_segments);
	fr_json_kv_u64_str(j, "damaged_events", st->unsound);
	fr_json_kv_u64_str(j, "unknown_events", st->unknown_kinds);
	fr_json_kv_u64_str(j, "clock_steps_back", st->merge.steps_back);
	fr_json_kv_u64_str(j, "switch_mismatches", fr_threads_stats(ch->c->threads)->mismatches);
	fr_json_kv_u64_str(j, "unnamed", n->unnamed_threads + n->unnamed_sockets);
	fr_json_kv_u64_str(j, "disk_requests_not_shown", ch->disks_not_shown);
	fr_json_object_end(j);
}

void fr_chrome_metadata(struct fr_chrome *ch, const struct fr_convert_stats *stats)
{
	const struct fr_session *s = ch->c->session;
	const struct fr_meta_host *h = s->dump_cnt ? fr_dump_host(s->dumps[0].dump) : NULL;
	struct fr_buf b = { 0 };
	struct fr_json j = fr_json_on(&b);

	fr_json_object(&j);
	fr_json_kv_str(&j, "source", "flightrec");
	/* what ts 0 is */
	put_time(ch, &j, "zero_unix_nano", ch->zero_ns);
	fr_json_kv_u64_str(&j, "zero_boot_nano", ch->zero_ns);
	if (h)
		put_host(&j, h);
	fr_json_key(&j, "dumps");
	fr_json_array(&j);
	for (size_t i = 0; i < s->dump_cnt; i++)
		put_dump(ch, &j, &s->dumps[i]);
	fr_json_array_end(&j);
	put_conversion(ch, &j, stats);
	fr_json_object_end(&j);
	fr_out_add_buf(ch->out, &b);
	fr_buf_done(&b);
}
