/* SPDX-License-Identifier: BSD-2-Clause */
#include "accounts.h"

int fr_accounts_event(struct fr_budgets *b, const struct fr_actor *a, const struct fr_conn *c,
		      enum fr_line_event what, uint64_t time_ns)
{
	struct fr_line line = { .tgid = a->tgid, .tid = a->tid, .goid = a->goid };

	if (!b)
		return 0;
	if (a->is_go && !a->goid)
		line.goid = FR_GOID_UNKNOWN;
	return fr_budgets_line(b, &line, what, c->instance, c->sock_id, time_ns);
}

static struct fr_line line_of(const struct fr_open *o, bool with_tid)
{
	return (struct fr_line){ .tgid = o->tgid, .tid = with_tid ? o->tid : 0, .goid = o->goid };
}

int fr_accounts_called(struct fr_budgets *b, const struct fr_open *caller,
		       const struct fr_open *call)
{
	struct fr_line line = line_of(caller, false);
	const struct fr_id_place *at = &call->place;
	int err;

	if (!b || !call->answered_ns)
		return 0;
	err = fr_budgets_line(b, &line, FR_LINE_ASKS, at->instance, at->sock_id, call->start_ns);
	return err ? err
		   : fr_budgets_line(b, &line, FR_LINE_ANSWERED, at->instance, at->sock_id,
				     call->answered_ns);
}

void fr_accounts_open(struct fr_budgets *b, struct fr_open *o, const struct fr_conn *c)
{
	struct fr_line line = line_of(o, true);

	if (!b || (o->is_go && !o->goid))
		return;
	o->account = fr_budgets_open(b, &line, o->server, c->instance, c->sock_id, o->start_ns);
	o->has_account = o->account != 0;
}

/* No goroutine is known that could have an account: what a client waited for its reply is. */
static void close_unkept(const struct fr_open *o, struct fr_span *span)
{
	const struct fr_request *r = span->request;
	struct fr_wait wait = {
		.socket_id = o->place.sock_id,
		.instance = o->place.instance,
		.waker = FR_WHO_NONE,
		.kind = FR_WAIT_BLOCKED,
		.cause = FR_BLOCK_NETWORK,
	};

	if (!o->is_go || o->server || !r || !r->sent.time_ns || !r->first.time_ns)
		return;
	wait.from_ns = r->sent.time_ns;
	wait.to_ns = r->first.time_ns;
	span->budget_known = fr_budget_of_reply(&wait, span->start_ns, span->end_ns, &span->budget);
}

void fr_accounts_close(struct fr_budgets *b, struct fr_open *o, struct fr_span *span)
{
	if (!b)
		return;
	if (!o->has_account) {
		close_unkept(o, span);
		return;
	}
	fr_budgets_close(b, o->account, o->start_ns, span->end_ns, &span->budget);
	o->has_account = false;
	span->budget_known = true;
}

int fr_accounts_new(struct fr_names *names, struct fr_threads *threads,
		    struct fr_budgets **ret_budgets)
{
	return fr_budgets_new(names, threads, ret_budgets);
}

struct fr_budgets *fr_accounts_free(struct fr_budgets *b)
{
	return fr_budgets_free(b);
}

int fr_accounts_record(struct fr_budgets *b, const struct fr_merged *m, uint32_t instance,
		       const struct fr_step *step)
{
	return b ? fr_budgets_record(b, m, instance, step) : 0;
}

void fr_accounts_blind(struct fr_budgets *b, uint64_t at_ns)
{
	if (b)
		fr_budgets_blind(b, at_ns);
}
