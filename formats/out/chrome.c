/* SPDX-License-Identifier: BSD-2-Clause */
/* Chrome trace JSON, for Perfetto and chrome://tracing. See chrome_internal.h. */
#include <errno.h>
#include <stdlib.h>

#include "chrome_internal.h"

#define HELD_ALL_BYTES (16u << 20) /* over all CPUs */
#define HELD_MIN_BYTES (8u << 10)
#define HELD_MAX_BYTES (256u << 10)

static void chrome_drop(void *ctx)
{
	struct fr_chrome *ch = ctx;

	for (uint32_t i = 0; i < ch->cpu_cnt; i++)
		fr_buf_done(&ch->cpus[i].held);
	fr_chrome_disks_free(ch);
	fr_chrome_requests_free(ch);
	fr_map_done(&ch->incarnations);
	fr_buf_done(&ch->scratch);
	fr_buf_done(&ch->name_buf);
	free(ch->cpus);
	free(ch->who);
	free(ch);
}

/* How much may be held back per CPU: by the number of CPUs that the host has. */
static size_t held_share(const struct fr_convert *c)
{
	const struct fr_meta_host *h = c->session->dump_cnt
					       ? fr_dump_host(c->session->dumps[0].dump)
					       : NULL;
	size_t cpus = h && h->cpus_possible ? h->cpus_possible : 1, share = HELD_ALL_BYTES / cpus;

	if (share < HELD_MIN_BYTES)
		return HELD_MIN_BYTES;
	return share > HELD_MAX_BYTES ? HELD_MAX_BYTES : share;
}

static int chrome_begin(struct fr_convert *c, void **ret_ctx)
{
	struct fr_chrome *ch = calloc(1, sizeof(*ch));

	if (!ch)
		return -ENOMEM;
	ch->c = c;
	ch->out = c->out;
	ch->zero_ns = c->session->start_ns;
	ch->held_max_bytes = held_share(c);
	if (fr_chrome_disks_new(ch) || fr_chrome_requests_new(ch)) {
		chrome_drop(ch);
		return -ENOMEM;
	}
	/* the first event goes without a comma in front, all others begin with theirs */
	fr_out_add_str(ch->out, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n"
				"{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":4194304,"
				"\"args\":{\"name\":\"CPUs\"}}");
	fr_chrome_triggers(ch);
	fr_chrome_losses(ch);
	*ret_ctx = ch;
	return 0;
}

static void chrome_record(void *ctx, const struct fr_merged *m, const struct fr_step *step)
{
	struct fr_chrome *ch = ctx;

	if (step->stint_cnt)
		fr_chrome_stints(ch, step);
	if (m->rec.kind == FR_EV_SCHED_SWITCH)
		return;
	if (!fr_chrome_in_range(ch, m->order_ns))
		return;
	if (step->wakee)
		fr_chrome_wake(ch, m, step);
	if (m->rec.kind != FR_EV_SCHED_WAKING)
		fr_chrome_event(ch, m);
}

static void chrome_span(void *ctx, const struct fr_span *span)
{
	fr_chrome_request(ctx, span);
}

static void chrome_lost(void *ctx, const struct fr_lost *lost)
{
	fr_chrome_lost(ctx, lost);
}

static void chrome_stop(void *ctx, const struct fr_step *step)
{
	if (step->stint_cnt)
		fr_chrome_stints(ctx, step);
}

static void chrome_blind(void *ctx, uint64_t at_ns)
{
	fr_chrome_settle_all(ctx, at_ns);
}

static void chrome_soon(void *ctx, uint32_t who, uint16_t cpu)
{
	const struct fr_chrome *ch = ctx;

	if (who < ch->who_cnt)
		__builtin_prefetch(&ch->who[who]);
	if (cpu < ch->cpu_cnt) {
		__builtin_prefetch(&ch->cpus[cpu]);
		__builtin_prefetch((const char *)&ch->cpus[cpu + 1] - 1);
	}
}

static void chrome_end(void *ctx, const struct fr_convert_stats *stats)
{
	struct fr_chrome *ch = ctx;

	fr_chrome_end_threads(ch);
	fr_chrome_disks_end(ch);
	fr_chrome_name_tracks(ch);
	fr_out_add_str(ch->out, "\n],\n\"metadata\":");
	fr_chrome_metadata(ch, stats);
	fr_out_add_str(ch->out, "}\n");
	chrome_drop(ch);
}

const struct fr_sink fr_sink_chrome = {
	.name = "chrome",
	.about = "Chrome trace JSON, for ui.perfetto.dev and chrome://tracing",
	.begin = chrome_begin,
	.record = chrome_record,
	.span = chrome_span,
	.lost = chrome_lost,
	.stop = chrome_stop,
	.blind = chrome_blind,
	.soon = chrome_soon,
	.end = chrome_end,
	.drop = chrome_drop,
};
