/* SPDX-License-Identifier: BSD-2-Clause */
#include "convert.h"

#include <errno.h>
#include <string.h>

#define PROGRESS_RECORDS 65536u

struct run {
	struct fr_convert *c;
	const struct fr_sink *sink;
	void *ctx; /* the sink's */
	struct fr_merge *merge;
	struct fr_spans *spans; /* NULL = the sink tells none */
	struct fr_convert_stats stats;
	uint64_t blind_at_ns; /* what was before may be wrong; 0 = passed */
};

static void go_blind(struct run *r, uint64_t at_ns)
{
	r->sink->blind(r->ctx, at_ns);
	if (r->spans)
		fr_spans_blind(r->spans, at_ns);
	fr_threads_blind(r->c->threads, at_ns);
}

static void take_gap(struct run *r, const struct fr_merged *m)
{
	struct fr_lost lost = {
		.cpu = m->rec.cpu,
		.cause = m->cause,
		.from_ns = m->order_ns,
		.to_ns = m->gap_to_ns,
		.records = m->gap_records,
	};
	struct fr_step step;

	fr_threads_cut_cpu(r->c->threads, m->rec.cpu, m->order_ns, &step);
	r->sink->stop(r->ctx, &step);
	go_blind(r, m->order_ns);
	r->sink->lost(r->ctx, &lost);
}

/* A family was switched: without switches nobody is known to run. */
static void take_family(struct run *r, const struct fr_merged *m)
{
	struct fr_rec_family e;
	struct fr_step step;

	memcpy(&e, m->rec.data, sizeof(e));
	if (e.family != FR_FAMILY_SCHED || (e.on && fr_threads_sched_on(r->c->threads)))
		return;
	for (uint32_t cpu = 0; cpu < fr_threads_cpu_cnt(r->c->threads); cpu++) {
		fr_threads_cut_cpu(r->c->threads, (uint16_t)cpu, m->order_ns, &step);
		r->sink->stop(r->ctx, &step);
	}
	go_blind(r, m->order_ns);
}

static int take_record(struct run *r, const struct fr_merged *m)
{
	struct fr_step step;
	int err;

	if (__builtin_expect(!fr_record_sound(&m->rec), 0)) {
		if (m->rec.kind < 256 && fr_event_infos[m->rec.kind].name)
			r->stats.unsound++;
		else
			r->stats.unknown_kinds++;
		return 0;
	}
	if (__builtin_expect(r->blind_at_ns && m->order_ns >= r->blind_at_ns, 0)) {
		go_blind(r, r->blind_at_ns);
		if (r->spans)
			fr_spans_whole(r->spans);
		r->blind_at_ns = 0;
	}
	if (__builtin_expect(m->after_gap, 0))
		go_blind(r, m->order_ns);
	if (__builtin_expect(m->rec.kind == FR_EV_REC_FAMILY, 0))
		take_family(r, m);
	err = fr_threads_record(r->c->threads, m, &step);
	if (err)
		return err;
	r->stats.shown += m->order_ns >= r->c->from_ns;
	r->sink->record(r->ctx, m, &step);
	if (r->spans)
		err = fr_spans_record(r->spans, m, &step);
	return err ? err : r->c->err;
}

/* With very many CPUs: what the next records are about is fetched into the cache meanwhile. */
static inline void look_ahead(const struct run *r)
{
	const struct fr_thread *threads[2];
	const struct fr_merged *m = fr_merge_ahead(r->merge, 8);
	uint32_t cnt;

	if (!m)
		return;
	fr_threads_soon(r->c->threads, &m->rec);
	m = fr_merge_ahead(r->merge, 5);
	cnt = fr_threads_next(r->c->threads, &m->rec, threads);
	for (uint32_t i = 0; i < cnt; i++) {
		__builtin_prefetch(threads[i], 1);
		__builtin_prefetch((const char *)threads[i] + 64, 1);
	}
	if (!r->sink->soon)
		return;
	m = fr_merge_ahead(r->merge, 2);
	cnt = fr_threads_next(r->c->threads, &m->rec, threads);
	for (uint32_t i = 0; i < cnt; i++)
		r->sink->soon(r->ctx, threads[i]->who, m->rec.cpu);
}

static int take_all(struct run *r, const struct fr_progress *progress)
{
	const struct fr_merge_stats *ms = fr_merge_stats(r->merge);
	const struct fr_merged *m;
	uint32_t cnt = 0;
	int ret, err;

	while ((ret = fr_merge_next(r->merge, &m)) == 1) {
		if (m->order_ns > r->c->to_ns)
			break;
		if (m->type == FR_MERGED_GAP) {
			take_gap(r, m);
			continue;
		}
		look_ahead(r);
		err = take_record(r, m);
		if (err)
			return err;
		if (++cnt == PROGRESS_RECORDS) {
			cnt = 0;
			if (progress)
				progress->tell(progress->ctx, ms->stored_bytes_read,
					       ms->all_stored_bytes);
			if (r->c->out && r->c->out->err)
				return 0; /* nobody takes the rest */
		}
	}
	return ret < 0 ? ret : 0;
}

/* ---- requests ------------------------------------------------------------------------------- */

static bool wanted(const struct fr_convert *c, const struct fr_span *span)
{
	const struct fr_span_filter *f = &c->span_filter;

	if (span->end_ns - span->start_ns < f->min_duration_ns)
		return false;
	if (f->has_trace_id && memcmp(f->trace_id, span->trace_id, sizeof(f->trace_id)))
		return false;
	return !fr_filter_on(c) || fr_filter_thread(c, span->who);
}

static void take_span(void *ctx, const struct fr_span *span)
{
	struct run *r = ctx;

	if (!wanted(r->c, span))
		return;
	r->stats.told++;
	r->sink->span(r->ctx, span);
}

static int start_spans(struct run *r)
{
	struct fr_spans_config config = {
		.session = r->c->session,
		.threads = r->c->threads,
		.from_ns = r->c->from_ns,
		.to_ns = r->c->to_ns,
		.fn = take_span,
		.ctx = r,
	};

	return r->sink->span ? fr_spans_new(&config, &r->spans) : 0;
}

static int end_spans(struct run *r)
{
	int err;

	if (!r->spans)
		return 0;
	err = fr_spans_end(r->spans);
	r->stats.spans = *fr_spans_stats(r->spans);
	return err;
}

/* ---- all of it ------------------------------------------------------------------------------ */

int fr_convert_run(struct fr_convert *c, const struct fr_sink *sink,
		   const struct fr_progress *progress, struct fr_convert_stats *ret_stats)
{
	struct run r = { .c = c, .sink = sink, .blind_at_ns = c->session->hidden_until_ns };
	int err = fr_threads_new(c->session->names, c->session->sched_on, &c->threads);

	if (!err)
		err = fr_session_merge(c->session, &r.merge);
	if (!err)
		err = start_spans(&r);
	if (!err)
		err = sink->begin(c, &r.ctx);
	if (err)
		goto out;
	err = take_all(&r, progress);
	if (!err)
		err = end_spans(&r);
	r.stats.merge = *fr_merge_stats(r.merge);
	if (err)
		sink->drop(r.ctx);
	else
		sink->end(r.ctx, &r.stats);
	if (!err)
		err = c->err;
	*ret_stats = r.stats;
out:
	fr_spans_free(r.spans);
	fr_merge_close(r.merge);
	c->threads = fr_threads_free(c->threads);
	return err;
}
