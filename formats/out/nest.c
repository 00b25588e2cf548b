/* SPDX-License-Identifier: BSD-2-Clause */
#include "nest.h"

#include <string.h>

static uint64_t id_of(const uint8_t id[8])
{
	uint64_t v;

	memcpy(&v, id, sizeof(v));
	return v;
}

static struct fr_nest_row *row_of(struct fr_nest *n, uint64_t span)
{
	struct fr_nest_row *row = &n->rows[(span ^ span >> 32) & (FR_NEST_ROWS - 1)];

	if (row->span != span)
		*row = (struct fr_nest_row){ .span = span };
	return row;
}

const uint8_t *fr_nest_place(struct fr_nest *n, const struct fr_span *s)
{
	struct fr_nest_row *row;

	/* what was served has its parent elsewhere: at the other end of the connection */
	if (!s->request->server && (s->link == FR_LINK_LINE || s->link == FR_LINK_INFERRED)) {
		row = row_of(n, id_of(s->parent_id));
		if (!row->ended && s->start_ns >= row->until_ns) {
			row->until_ns = s->end_ns;
			return s->parent_id;
		}
	}
	row_of(n, id_of(s->span_id))->ended = true;
	return s->span_id;
}
