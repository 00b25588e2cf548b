/* SPDX-License-Identifier: BSD-2-Clause */
#include "opens.h"

#include <stdlib.h>

#define FIRST_CAP 256
#define CHAIN_MAX 64 /* of parents; what lies above is left out */

uint32_t fr_opens_take(struct fr_opens *os)
{
	uint32_t index = os->free_first, cap = os->open_cap ? os->open_cap * 2 : FIRST_CAP;
	struct fr_open *bigger;

	if (index) {
		os->free_first = os->opens[index].newer_on_conn;
	} else {
		if (os->open_cnt == os->open_cap) {
			bigger = realloc(os->opens, cap * sizeof(*bigger));
			if (!bigger)
				return FR_OPEN_NONE;
			os->opens = bigger;
			os->open_cap = cap;
		}
		if (!os->open_cnt) /* nobody */
			os->opens[os->open_cnt++] = (struct fr_open){ 0 };
		index = os->open_cnt++;
	}
	os->opens[index] = (struct fr_open){ .serial = ++os->serial, .refs = 1 };
	if (++os->live_cnt > os->live_max)
		os->live_max = os->live_cnt;
	return index;
}

void fr_opens_hold(struct fr_opens *os, uint32_t index)
{
	os->opens[index].refs++;
}

void fr_opens_drop(struct fr_opens *os, uint32_t index)
{
	while (index && !--os->opens[index].refs) {
		uint32_t parent = os->opens[index].parent;

		os->opens[index] = (struct fr_open){ .newer_on_conn = os->free_first };
		os->free_first = index;
		os->live_cnt--;
		index = parent;
	}
}

bool fr_opens_is_above(const struct fr_opens *os, uint32_t above, uint32_t index)
{
	unsigned cnt = 0;

	for (; index && index != above; index = os->opens[index].parent)
		if (++cnt > CHAIN_MAX)
			return true;
	return index != FR_OPEN_NONE;
}

/* Its parent is settled, or it has none. */
static void settle_one(struct fr_opens *os, const struct fr_ids *ids, struct fr_open *o)
{
	const struct fr_open *parent = o->parent ? &os->opens[o->parent] : NULL;

	if (parent && !parent->settled) /* too far above */
		parent = NULL;
	if (!o->has_wire && parent) {
		memcpy(o->trace_id, parent->trace_id, sizeof(o->trace_id));
		o->trace_flags = parent->trace_flags;
	} else if (!o->has_wire) {
		fr_ids_trace(ids, &o->place, o->trace_id);
		o->trace_flags = 1;
	}
	/* a parent in another trace is none: what the wire says counts */
	if (parent && !memcmp(o->trace_id, parent->trace_id, sizeof(o->trace_id))) {
		memcpy(o->parent_id, parent->span_id, sizeof(o->parent_id));
	} else if (o->has_wire) {
		memcpy(o->parent_id, o->wire_parent_id, sizeof(o->parent_id));
		o->link = FR_LINK_WIRE;
	} else {
		o->link = FR_LINK_NONE;
	}
	o->settled = true;
}

void fr_opens_settle(struct fr_opens *os, const struct fr_ids *ids, uint32_t index)
{
	uint32_t chain[CHAIN_MAX], cnt = 0, held;

	while (index && !os->opens[index].settled && cnt < CHAIN_MAX) {
		chain[cnt++] = index;
		index = os->opens[index].parent;
	}
	while (cnt--) {
		struct fr_open *o = &os->opens[chain[cnt]];

		settle_one(os, ids, o);
		held = o->parent;
		o->parent = FR_OPEN_NONE;
		fr_opens_drop(os, held);
	}
}

void fr_opens_done(struct fr_opens *os)
{
	free(os->opens);
	*os = (struct fr_opens){ 0 };
}
