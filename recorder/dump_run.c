/* SPDX-License-Identifier: BSD-2-Clause */
#include "dump_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "dump_chain.h"
#include "dump_funnel.h"
#include "dump_host.h"
#include "dump_living.h"
#include "dump_loss.h"
#include "dump_quota.h"
#include "formats/abi/event.h"
#include "formats/base/bytes.h"
#include "formats/base/log.h"
#include "formats/base/now.h"
#include "trigger.h"

struct dump_run {
	const struct fr_recorder *rec;
	const struct fr_dump_job *job;
	struct fr_dump_result *result;
	char name[FR_DUMP_NAME_BYTES];
	struct fr_quota quota;
	struct fr_dump_writer *writer; /* freed by fr_dump_finish() or fr_dump_abort() */
	struct fr_rows rows;
	struct fr_seen seen;
	struct fr_chain chain;
	struct fr_obits obits;
	struct fr_socks socks;
	struct fr_filter filter;
	struct fr_living living;
	struct fr_meta_trigger trigger;
	struct fr_clock_pair trigger_clock, end_clock;
	uint64_t begin_mono_ns;
	struct fr_ring_reader reader;
	struct fr_funnel_stats funnel;
	uint64_t *oldest_ns; /* by CPU */
	struct fr_dump_totals totals;
};

static uint64_t boot_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void sleep_until(uint64_t mono_ns)
{
	struct timespec t = {
		.tv_sec = (time_t)(mono_ns / 1000000000u),
		.tv_nsec = (long)(mono_ns % 1000000000u),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

/* ---- the file's head ---------------------------------------------------------------------- */

static int may_write(void *ctx, uint64_t total_bytes)
{
	struct dump_run *d = ctx;

	return fr_quota_admit(&d->quota, total_bytes);
}

static int open_file(struct dump_run *d)
{
	const struct fr_config *config = &d->rec->config;
	struct fr_dump_options opt = {
		.dir_fd = d->rec->dump_dir_fd,
		.name = d->name,
		.codec = (enum fr_codec)config->codec,
		.level = config->codec_level,
		.created_unix_ns = d->job->trigger.unix_ns,
		.may_write = may_write,
		.ctx = d,
	};
	int err;

	fr_dump_name(d->name, sizeof(d->name), d->job->trigger.unix_ns, d->job->trigger.name,
		     d->job->trigger.number);
	d->quota = (struct fr_quota){
		.dir_fd = d->rec->dump_dir_fd,
		.limit_bytes = config->dump_quota_bytes,
		.max_files = config->dump_max_files,
		.min_free_pct = config->dump_min_free_pct,
	};
	err = fr_dump_temp_name(d->name, d->quota.writing, sizeof(d->quota.writing));
	if (!err)
		err = fr_quota_admit(&d->quota, 0);
	return err ? err : fr_dump_create(&opt, &d->writer);
}

static int put_clocks(struct dump_run *d, const struct fr_clock_pair *first,
		      const struct fr_clock_pair *second)
{
	struct fr_meta_clocks clocks = { .pairs = { *first }, .pair_cnt = second ? 2 : 1 };
	struct fr_buf raw = { 0 };
	int err;

	if (second)
		clocks.pairs[1] = *second;
	fr_meta_add_clocks(&raw, &clocks);
	err = fr_dump_put_meta(d->writer, FR_CHUNK_CLOCK, &raw);
	fr_buf_done(&raw);
	return err;
}

static int put_trigger(struct dump_run *d, const struct fr_meta_trigger *trigger)
{
	struct fr_buf raw = { 0 };
	int err;

	fr_meta_add_trigger(&raw, trigger);
	err = fr_dump_put_meta(d->writer, FR_CHUNK_TRIGGER, &raw);
	fr_buf_done(&raw);
	return err;
}

static int put_host(struct dump_run *d)
{
	struct fr_meta_host host;
	struct fr_buf raw = { 0 };
	int err;

	fr_host_describe(d->rec, &host);
	fr_meta_add_host(&raw, &host);
	err = fr_dump_put_meta(d->writer, FR_CHUNK_HOST, &raw);
	fr_buf_done(&raw);
	return err;
}

static int put_config(struct dump_run *d)
{
	const struct fr_recorder *rec = d->rec;
	struct fr_meta_config *m = calloc(1, sizeof(*m));
	struct fr_buf raw = { 0 };
	int err;

	if (!m)
		return -ENOMEM;
	fr_config_settings(&rec->config, m);
	snprintf(m->redact, sizeof(m->redact), "%s", fr_redact_name(rec->config.redact.level));
	m->family_cnt = rec->family_cnt;
	memcpy(m->families, rec->families, sizeof(m->families));
	m->degraded_cnt = rec->features.degraded_cnt;
	memcpy(m->degraded, rec->features.degraded, sizeof(m->degraded));
	fr_meta_add_config(&raw, m);
	err = fr_dump_put_meta(d->writer, FR_CHUNK_CONFIG, &raw);
	fr_buf_done(&raw);
	free(m);
	return err;
}

static int put_head(struct dump_run *d)
{
	int err = put_trigger(d, &d->trigger);

	if (!err)
		err = put_clocks(d, &d->rec->start_clock,
				 d->trigger_clock.boot_ns ? &d->trigger_clock : NULL);
	if (!err)
		err = put_host(d);
	return err ? err : put_config(d);
}

/* ---- who lives, and the post-window ------------------------------------------------------- */

static int prepare_identity(struct dump_run *d)
{
	int err;

	fr_rows_init(&d->rows, d->writer);
	err = fr_filter_init(&d->filter, &d->rec->config.redact);
	if (!err)
		err = fr_seen_init(&d->seen);
	if (!err)
		err = fr_chain_init(&d->chain, d->rec->ring.cpu_cnt);
	if (!err)
		err = fr_obits_init(&d->obits, &d->rows, &d->seen);
	if (!err)
		err = fr_socks_init(&d->socks, &d->rows, &d->seen);
	return err;
}

/* Failures here cost names, not the dump. */
static int tell_living(struct dump_run *d)
{
	uint64_t end_ns = d->begin_mono_ns + d->job->trigger.post_window_ns, listed_ns;
	int err;

	d->living = (struct fr_living){
		.go_versions = d->rec->go_versions,
		.probes = d->rec->probes,
		.rows = &d->rows,
		.obits = &d->obits,
		.socks = &d->socks,
		.filter = &d->filter,
		.proc_fd = -1,
	};
	listed_ns = boot_ns();
	err = fr_living_list(&d->living);
	if (!err)
		d->obits.listed_ns = listed_ns;
	if (err && !d->rows.err)
		fr_warn("dump %s: who lives cannot be listed: %s, continuing with what the records "
			"tell",
			d->name, strerror(-err));
	listed_ns = fr_now_ns();
	if (end_ns < listed_ns + FR_POST_WINDOW_MIN_NS)
		end_ns = listed_ns + FR_POST_WINDOW_MIN_NS;
	err = d->rows.err ? d->rows.err : fr_living_ask(&d->living, end_ns);
	if (err && !d->rows.err)
		fr_warn("dump %s: command lines cannot be read: %s, continuing without them",
			d->name, strerror(-err));
	if (!d->rows.err)
		(void)fr_rows_flush(&d->rows);
	sleep_until(end_ns);
	return d->rows.err;
}

/* How often this trigger's cause was seen, once the post-window is over. */
static void count_causes(struct dump_run *d)
{
	const struct fr_triggers *t = d->job->triggers;
	struct fr_trigger_info *info = &d->trigger.main;

	int kind = t ? fr_trigger_by_name(info->name) : -1;

	if (kind < 0)
		return;
	info->suppressed = fr_triggers_suppressed(t, (enum fr_trigger_kind)kind);
	info->seen = fr_triggers_seen(t, (enum fr_trigger_kind)kind);
	/* what has no gate is counted when its outcome is known: after the fork */
	info->seen += fr_gate_of((enum fr_trigger_kind)kind) < 0;
}

/* Causes of every kind that no dump tells of one by one. */
static void count_suppressed(const struct dump_run *d, struct fr_meta_loss *loss)
{
	char name[48];

	for (int kind = 0; d->job->triggers && kind < FR_TRIGGER_CNT; kind++) {
		snprintf(name, sizeof(name), "suppressed_%s",
			 fr_trigger_name((enum fr_trigger_kind)kind));
		fr_loss_count(loss, name,
			      fr_triggers_suppressed(d->job->triggers, (enum fr_trigger_kind)kind));
	}
}

static int close_join(struct dump_run *d)
{
	fr_join_close(d->job->join, &d->trigger);
	count_causes(d);
	d->result->joined_cnt = d->trigger.joined_cnt + (uint32_t)d->trigger.joined_more;
	/* readers join the parts of this message: only what is new */
	d->trigger.main = (struct fr_trigger_info){ .seen = d->trigger.main.seen,
						    .suppressed = d->trigger.main.suppressed };
	return d->result->joined_cnt || d->trigger.main.seen ? put_trigger(d, &d->trigger) : 0;
}

/* ---- the ring ----------------------------------------------------------------------------- */

static void on_begin(uint64_t common_start_ns, void *ctx)
{
	struct dump_run *d = ctx;

	d->seen.from_ns = common_start_ns;
}

static uint32_t on_record(uint8_t *record, uint64_t time_ns, uint16_t cpu, void *ctx)
{
	uint32_t kind = FR_RECORD_KIND(fr_load64(record)), bytes;
	struct dump_run *d = ctx;

	fr_seen_record(&d->seen, record, time_ns);
	fr_chain_record(&d->chain, record, cpu);
	if (kind == FR_EV_SCHED_SWITCH || kind == FR_EV_SCHED_WAKING)
		return FR_RECORD_UNITS(fr_load64(record)) * 8; /* nearly all of them */
	bytes = fr_filter_record(&d->filter, record);
	fr_obits_record(&d->obits, record, time_ns);
	fr_socks_record(&d->socks, record, time_ns);
	return bytes;
}

static int on_chunk(const struct fr_dump_events *ev, void *ctx)
{
	struct dump_run *d = ctx;

	return fr_dump_put_events(d->writer, ev);
}

static int read_ring(struct dump_run *d)
{
	const struct fr_funnel_sink sink = {
		.begin = on_begin, .record = on_record, .chunk = on_chunk, .ctx = d
	};
	int err;

	d->oldest_ns = calloc(d->rec->ring.cpu_cnt, sizeof(*d->oldest_ns));
	if (!d->oldest_ns)
		return -ENOMEM;
	err = fr_ring_begin(&d->reader, &d->rec->ring, NULL);
	if (err)
		return err;
	/* the window ends here; what CPUs add to their last sub-buffers meanwhile comes along */
	if (fr_clock_pair(d->rec->probes, FR_CLOCK_END, &d->end_clock))
		d->end_clock = (struct fr_clock_pair){ 0 };
	err = fr_funnel_run(&d->reader, &sink, 0, d->oldest_ns, &d->funnel);
	if (err)
		return err;
	fr_obits_flush(&d->obits);
	fr_socks_flush(&d->socks);
	fr_living_find_rest(&d->living, &d->seen);
	return fr_rows_flush(&d->rows);
}

static int put_tail(struct dump_run *d)
{
	struct fr_meta_loss *loss = calloc(1, sizeof(*loss));
	int err = loss ? fr_loss_begin(loss, d->rec, &d->reader, d->oldest_ns) : -ENOMEM;

	if (err) {
		free(loss);
		return err;
	}
	loss->end_ns = d->end_clock.boot_ns;
	loss->unnamed_threads = fr_seen_unnamed_threads(&d->seen);
	loss->unnamed_sockets = fr_seen_unnamed_sockets(&d->seen);
	fr_filter_report(&d->filter, loss);
	fr_loss_count(loss, "redact_unknown", d->filter.counts.evicted_cnt);
	fr_loss_count(loss, "sockets_unchecked", d->seen.socks.refused);
	fr_loss_count(loss, "command_lines_failed", d->living.args_failed);
	fr_loss_count(loss, "command_lines_not_asked", d->living.not_asked);
	fr_loss_count(loss, "threads_hidden_from_iterators", d->living.found);
	fr_loss_count(loss, "switches_not_seen", d->chain.broken);
	count_suppressed(d, loss);
	for (uint32_t i = 0; i < loss->cpu_cnt; i++)
		d->result->overtaken += loss->cpus[i].overtaken;
	if (loss->end_ns > loss->common_start_ns)
		d->result->window_ns = loss->end_ns - loss->common_start_ns;
	if (d->end_clock.boot_ns)
		err = put_clocks(d, &d->end_clock, NULL);
	if (!err)
		err = fr_dump_put_loss(d->writer, loss);
	free(loss->cpus);
	free(loss);
	return err;
}

/* ---- the whole ---------------------------------------------------------------------------- */

static void explain(struct dump_run *d, int err)
{
	struct fr_dump_result *r = d->result;
	const char *why = strerror(-err), *next = "look at the disk";

	if (err == -EDQUOT && d->quota.writing[0]) {
		why = "it would exceed dump_quota";
		next = "raise dump_quota or lower ring_size";
	} else if (err == -ENOSPC) {
		why = "the disk is full, or less than dump_min_free of it would stay free";
		next = "free some of it, or choose another dump_dir";
	} else if (err == -ENOENT) {
		why = "the dump directory was removed";
		next = "make it again and restart flightrecd";
	} else if (err == -ENOMEM) {
		next = "give the daemon more memory";
	}
	snprintf(r->text, sizeof(r->text), "dump %s not written: %s; %s", d->name, why, next);
	r->error = err;
}

static int make(struct dump_run *d)
{
	int err = open_file(d);

	if (!err)
		err = put_head(d);
	if (!err)
		err = prepare_identity(d);
	if (!err)
		err = tell_living(d);
	if (!err)
		err = close_join(d);
	if (!err)
		err = read_ring(d);
	if (!err)
		err = put_tail(d);
	if (!err) {
		err = fr_dump_finish(d->writer, &d->totals);
		d->writer = NULL;
	}
	return err;
}

/* A full disk must not stay full of what cannot be used; after other errors what is there helps. */
static void let_go_of_file(struct dump_run *d, int err)
{
	bool full = err == -ENOSPC || err == -EDQUOT;

	fr_dump_abort(d->writer, true);
	if (full && d->quota.writing[0])
		unlinkat(d->rec->dump_dir_fd, d->quota.writing, 0);
}

static void tell_totals(struct dump_run *d)
{
	struct fr_dump_result *r = d->result;
	struct fr_clock_pair now;

	snprintf(r->name, sizeof(r->name), "%s", d->name);
	r->raw_bytes = d->totals.raw_bytes;
	r->stored_bytes = d->totals.stored_bytes;
	r->records = d->totals.records;
	if (!fr_clock_pair(d->rec->probes, FR_CLOCK_END, &now) &&
	    now.boot_ns > d->job->trigger.boot_ns)
		r->trigger_to_end_ns = now.boot_ns - d->job->trigger.boot_ns;
}

void fr_dump_run(const struct fr_recorder *rec, const struct fr_dump_job *job,
		 struct fr_dump_result *ret_result)
{
	struct dump_run *d = calloc(1, sizeof(*d));
	int err = -ENOMEM;

	if (!d) {
		ret_result->error = err;
		snprintf(ret_result->text, sizeof(ret_result->text), "dump not written: no memory");
		return;
	}
	d->rec = rec;
	d->job = job;
	d->result = ret_result;
	d->begin_mono_ns = fr_now_ns();
	d->living.proc_fd = -1;
	d->trigger.main = job->trigger;
	if (fr_clock_pair(rec->probes, FR_CLOCK_TRIGGER, &d->trigger_clock))
		d->trigger_clock = (struct fr_clock_pair){ 0 };
	err = make(d);
	if (err)
		explain(d, err);
	else
		tell_totals(d);
	let_go_of_file(d, err);
	fr_ring_end(&d->reader);
	fr_living_done(&d->living);
	fr_rows_done(&d->rows);
	fr_obits_done(&d->obits);
	fr_socks_done(&d->socks);
	fr_filter_done(&d->filter);
	fr_seen_done(&d->seen);
	fr_chain_done(&d->chain);
	free(d->oldest_ns);
	free(d);
}
