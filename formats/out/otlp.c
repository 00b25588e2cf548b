/* SPDX-License-Identifier: BSD-2-Clause */
/* The sinks otlp and otlp-json (otlp.h, otlp_internal.h). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "otlp_internal.h"

/* ---- where requests go ----------------------------------------------------------------------- */

static void latch(struct fr_otlp *o, int err)
{
	if (err && !o->c->err)
		o->c->err = err;
}

/* NULL: the output has no place for it. */
static struct fr_out *out_of(struct fr_otlp *o, enum fr_otlp_signal signal)
{
	if (signal == FR_OTLP_TRACES)
		return o->c->out;
	if (o->has_logs_out)
		return &o->logs_out;
	/* lines say which signal they are of, protobuf doesn't */
	return o->encoding == &fr_otlp_json ? o->c->out : NULL;
}

static void deliver(struct fr_otlp *o, enum fr_otlp_signal signal)
{
	struct fr_otlp_queue *q = &o->queues[signal];
	struct fr_otlp_batch batch = { .signal = signal };
	struct fr_out *out;
	int err = fr_otlp_queue_take(q, &batch.item_cnt);

	latch(o, err);
	if (err || !batch.item_cnt)
		return;
	batch.data = q->request.data;
	batch.data_bytes = q->request.len_bytes;
	if (o->c->otlp) {
		latch(o, o->c->otlp->take(o->c->otlp->ctx, &batch));
		return;
	}
	out = out_of(o, signal);
	if (out)
		fr_out_add(out, batch.data, batch.data_bytes);
	else
		o->c->otlp_unwritten_logs += batch.item_cnt;
}

void fr_otlp_send_log(struct fr_otlp *o, const struct fr_otlp_log *l, struct fr_otlp_source source)
{
	struct fr_otlp_queue *q = &o->queues[FR_OTLP_LOGS];

	o->encoding->log(&q->items, l);
	if (fr_otlp_queue_close(q, source))
		deliver(o, FR_OTLP_LOGS);
}

/* "x.jsonl" to "x.logs.jsonl", "x" to "x.logs"; to be freed. */
static char *logs_name(const char *path)
{
	const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
	const char *dot = strrchr(file, '.');
	size_t room_bytes = strlen(path) + sizeof(".logs");
	char *name = malloc(room_bytes);

	if (!dot || dot == file)
		dot = path + strlen(path);
	if (name)
		snprintf(name, room_bytes, "%.*s.logs%s", (int)(dot - path), path, dot);
	return name;
}

/* A regular file has a second one beside it. */
static int open_logs(struct fr_otlp *o)
{
	char *name;
	int err;

	if (o->c->otlp || !o->c->out->path)
		return 0;
	name = logs_name(o->c->out->path);
	if (!name)
		return -ENOMEM;
	err = fr_out_open(&o->logs_out, name);
	free(name);
	o->has_logs_out = !err;
	return err;
}

/* ---- the sink ------------------------------------------------------------------------------- */

static void otlp_drop(void *ctx)
{
	struct fr_otlp *o = ctx;

	if (o->has_logs_out)
		fr_out_abort(&o->logs_out);
	for (size_t i = 0; i < 2; i++)
		fr_otlp_queue_done(&o->queues[i]);
	fr_otlp_maker_done(&o->maker);
	fr_otlp_logs_free(o->logs);
	free(o);
}

static int begin(struct fr_convert *c, const struct fr_otlp_encoding *encoding, void **ret_ctx)
{
	struct fr_otlp *o = calloc(1, sizeof(*o));
	int err;

	if (!o)
		return -ENOMEM;
	o->c = c;
	o->encoding = encoding;
	o->maker.c = c;
	c->otlp_unwritten_logs = 0;
	for (size_t i = 0; i < 2; i++) {
		struct fr_otlp_queue *q = &o->queues[i];

		q->c = c;
		q->encoding = encoding;
		q->resource = &o->resource;
		q->signal = (enum fr_otlp_signal)i;
		q->batch_bytes = c->otlp && c->otlp->batch_bytes ? c->otlp->batch_bytes
								 : FR_OTLP_BATCH_BYTES;
	}
	err = fr_otlp_logs_new(o);
	if (!err)
		err = open_logs(o);
	if (err) {
		otlp_drop(o);
		return err;
	}
	*ret_ctx = o;
	return 0;
}

static int pb_begin(struct fr_convert *c, void **ret_ctx)
{
	return begin(c, &fr_otlp_pb, ret_ctx);
}

static int json_begin(struct fr_convert *c, void **ret_ctx)
{
	/* what takes requests is told that they are protobuf */
	return begin(c, c->otlp ? &fr_otlp_pb : &fr_otlp_json, ret_ctx);
}

static void otlp_record(void *ctx, const struct fr_merged *m, const struct fr_step *step)
{
	(void)step;
	if (m->rec.kind == FR_EV_PROC_SIGNAL || m->rec.kind == FR_EV_PROC_OOM)
		fr_otlp_logs_record(ctx, m);
}

static void otlp_span(void *ctx, const struct fr_span *span)
{
	struct fr_otlp *o = ctx;
	struct fr_otlp_queue *q = &o->queues[FR_OTLP_TRACES];
	int err = fr_otlp_make_span(&o->maker, span);

	if (err) {
		latch(o, err);
		return;
	}
	fr_otlp_logs_span(o, span);
	o->encoding->span(&q->items, &o->maker.span);
	if (fr_otlp_queue_close(q, fr_otlp_source_of(o->c->session->names, span->who, span->tgid)))
		deliver(o, FR_OTLP_TRACES);
}

static void otlp_lost(void *ctx, const struct fr_lost *lost)
{
	fr_otlp_logs_lost(ctx, lost);
}

static void otlp_stop(void *ctx, const struct fr_step *step)
{
	(void)ctx;
	(void)step;
}

static void otlp_blind(void *ctx, uint64_t at_ns)
{
	(void)ctx;
	(void)at_ns;
}

static void otlp_end(void *ctx, const struct fr_convert_stats *stats)
{
	struct fr_otlp *o = ctx;

	fr_otlp_logs_end(o, stats);
	deliver(o, FR_OTLP_TRACES);
	deliver(o, FR_OTLP_LOGS);
	/* both files or none: a disk that is full shows when the traces are written */
	if (o->has_logs_out && !o->c->err && !fr_out_flush(o->c->out)) {
		int err = fr_out_close(&o->logs_out);

		o->has_logs_out = false;
		if (err && !o->c->out->err)
			o->c->out->err = err;
	}
	otlp_drop(o);
}

#define OTLP_CALLS                                                                                 \
	.record = otlp_record, .span = otlp_span, .lost = otlp_lost, .stop = otlp_stop,            \
	.blind = otlp_blind, .end = otlp_end, .drop = otlp_drop

const struct fr_sink fr_sink_otlp = {
	.name = "otlp",
	.about = "OTLP spans and logs as protobuf, for OpenTelemetry",
	.begin = pb_begin,
	OTLP_CALLS,
};

const struct fr_sink fr_sink_otlp_json = {
	.name = "otlp-json",
	.about = "the same as JSON lines",
	.begin = json_begin,
	OTLP_CALLS,
};
