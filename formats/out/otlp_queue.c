/* SPDX-License-Identifier: BSD-2-Clause */
/* Items until they make a request, by resource (otlp_internal.h). */
#include <errno.h>

#include "otlp_internal.h"

#define GROUP_BYTES 1024 /* about what a resource and scope take */

static bool same_source(struct fr_otlp_source a, struct fr_otlp_source b)
{
	return a.type == b.type && a.id == b.id;
}

/* The group of a source, made if there is none. */
static struct fr_otlp_group *group_of(struct fr_otlp_queue *q, struct fr_otlp_source source)
{
	uint32_t hash = (source.id * 3 + (uint32_t)source.type) * 2654435769u;
	uint32_t at = (uint32_t)((uint64_t)hash * FR_OTLP_SLOTS >> 32);

	for (; q->slots[at]; at = (at + 1) % FR_OTLP_SLOTS)
		if (same_source(q->groups[q->slots[at] - 1].source, source))
			return &q->groups[q->slots[at] - 1];
	q->groups[q->group_cnt] = (struct fr_otlp_group){ .source = source };
	q->slots[at] = (uint16_t)(q->group_cnt + 1);
	return &q->groups[q->group_cnt++];
}

bool fr_otlp_queue_close(struct fr_otlp_queue *q, struct fr_otlp_source source)
{
	uint32_t before = q->item_cnt ? q->item[q->item_cnt].off + q->item[q->item_cnt].bytes : 0;
	struct fr_otlp_group *g = group_of(q, source);
	uint32_t n = ++q->item_cnt;

	_Static_assert(FR_OTLP_SLOTS > FR_OTLP_BATCH_ITEMS, "a slot is always free");
	q->item[n] = (struct fr_otlp_item){ .off = before,
					    .bytes = (uint32_t)q->items.len_bytes - before };
	if (g->last)
		q->item[g->last].next = n;
	else
		g->first = n;
	g->last = n;
	return n == FR_OTLP_BATCH_ITEMS ||
	       q->items.len_bytes + q->group_cnt * GROUP_BYTES >= q->batch_bytes;
}

static void add_group(struct fr_otlp_queue *q, const struct fr_otlp_group *g, bool first)
{
	size_t marks[2];

	fr_otlp_describe(q->c->session, g->source, q->resource);
	q->encoding->group(&q->request, q->signal, &q->resource->attrs, q->c->version, first,
			   marks);
	for (uint32_t n = g->first; n; n = q->item[n].next) {
		if (n != g->first)
			q->encoding->comma(&q->request);
		fr_buf_add(&q->request, q->items.data + q->item[n].off, q->item[n].bytes);
	}
	q->encoding->group_end(&q->request, marks);
}

int fr_otlp_queue_take(struct fr_otlp_queue *q, uint32_t *ret_cnt)
{
	int err;

	fr_buf_clear(&q->request);
	*ret_cnt = q->item_cnt;
	if (!q->item_cnt)
		return 0;
	q->encoding->begin(&q->request, q->signal);
	for (uint32_t i = 0; i < q->group_cnt; i++)
		add_group(q, &q->groups[i], !i);
	q->encoding->end(&q->request);
	err = q->items.err ? q->items.err : q->request.err;
	fr_buf_clear(&q->items);
	memset(q->slots, 0, sizeof(q->slots));
	q->sent_cnt += q->item_cnt;
	q->item_cnt = q->group_cnt = 0;
	return err;
}

void fr_otlp_queue_done(struct fr_otlp_queue *q)
{
	fr_buf_done(&q->items);
	fr_buf_done(&q->request);
}
