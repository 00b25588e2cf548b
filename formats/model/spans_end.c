/* SPDX-License-Identifier: BSD-2-Clause */
/* A request has ended, or what is seen of it has: it becomes a span. */
#include "spans_internal.h"

/* What was not seen lies where the recording begins, or was given up. */
static void set_times(const struct fr_spans *s, const struct fr_request *r, struct fr_span *span)
{
	uint64_t first_seen = r->first.time_ns ? r->first.time_ns : r->end.time_ns;

	span->end_ns = r->end.time_ns ? r->end.time_ns : s->now_ns;
	span->start_ns = r->start.time_ns;
	if (!span->start_ns) {
		span->start_ns = s->cfg.from_ns;
		if (first_seen && first_seen < span->start_ns)
			span->start_ns = first_seen;
	}
	if (span->end_ns < span->start_ns)
		span->end_ns = span->start_ns;
}

/* Whoever writes the response is the goroutine that served it, not who read ahead: the time that
 * was kept account of is another's. */
static void set_server_line(const struct fr_open *o, const struct fr_request *r,
			    struct fr_span *span)
{
	if (!o->server || !o->is_go || !r->first.goid || r->first.goid == o->goid)
		return;
	span->goid = r->first.goid;
	span->budget = (struct fr_budget){ 0 };
	span->budget_known = false;
}

static void tell(struct fr_spans *s, uint32_t open, const struct fr_request *r)
{
	struct fr_open *o = fr_spans_open_at(s, open);
	struct fr_span span = {
		.request = r,
		.who = o->who,
		.goid = o->goid,
		.tgid = o->tgid,
	};

	set_times(s, r, &span);
	fr_accounts_close(s->budgets, o, &span);
	set_server_line(o, r, &span);
	if (span.end_ns >= s->cfg.from_ns && span.start_ns <= s->cfg.to_ns)
		fr_spans_deliver(s, open, &span);
}

void fr_spans_take(void *ctx, const struct fr_request *r)
{
	struct fr_spans *s = ctx;
	struct fr_conn *c = s->conn;
	uint32_t open = r->tag ? r->tag : fr_spans_begin(s, c, r);

	if (!open)
		return;
	tell(s, open, r);
	fr_spans_forget(s, c, open);
}
