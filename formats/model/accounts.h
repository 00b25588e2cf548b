/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests keep account of their line's time: spans.c's side of budget.h. NULL budgets keep none.
 */
#ifndef FR_MODEL_ACCOUNTS_H
#define FR_MODEL_ACCOUNTS_H

#include "conns.h"
#include "parents.h"

/* A socket event of whoever did it. */
int fr_accounts_event(struct fr_budgets *b, const struct fr_actor *a, const struct fr_conn *c,
		      enum fr_line_event what, uint64_t time_ns); /* 0 or -ENOMEM */
/* Somebody else called for the line of this request, which waited meanwhile. Told before the line's
 * next event. 0 or -ENOMEM. */
int fr_accounts_called(struct fr_budgets *b, const struct fr_open *caller,
		       const struct fr_open *call);
void fr_accounts_open(struct fr_budgets *b, struct fr_open *o, const struct fr_conn *c);
/* Closes it; sets the span's budget. */
void fr_accounts_close(struct fr_budgets *b, struct fr_open *o, struct fr_span *span);

int fr_accounts_new(struct fr_names *names, struct fr_threads *threads,
		    struct fr_budgets **ret_budgets); /* 0 or -ENOMEM */
struct fr_budgets *fr_accounts_free(struct fr_budgets *b);
int fr_accounts_record(struct fr_budgets *b, const struct fr_merged *m, uint32_t instance,
		       const struct fr_step *step); /* 0 or -ENOMEM */
void fr_accounts_blind(struct fr_budgets *b, uint64_t at_ns);

#endif
