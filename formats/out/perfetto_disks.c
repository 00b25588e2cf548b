/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Perfetto: requests to disks, as slices made of their completions, which know their latency (an
 * issue is an instant of its thread). Those of a device are under way at the same time: each takes
 * the lowest lane that is free, so that slices on a lane never overlap.
 */
#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "perfetto_internal.h"

#define LANES_MAX 1024u

struct lane {
	uint32_t dev;
	uint64_t until_ns;
};

struct fr_perfetto_disks {
	struct lane lanes[LANES_MAX];
	uint32_t cnt;
};

int fr_pf_disks_new(struct fr_perfetto *p)
{
	p->disks = calloc(1, sizeof(*p->disks));
	return p->disks ? 0 : -ENOMEM;
}

void fr_pf_disks_free(struct fr_perfetto *p)
{
	free(p->disks);
	p->disks = NULL;
}

/* With all lanes taken, the last one: its slices may overlap, none is left out. */
static uint64_t take_lane(struct fr_perfetto *p, uint32_t dev, uint64_t from_ns, uint64_t to_ns)
{
	struct fr_perfetto_disks *d = p->disks;
	char name[32];
	uint32_t i;

	for (i = 0; i < d->cnt; i++)
		if (d->lanes[i].dev == dev && d->lanes[i].until_ns <= from_ns)
			break;
	if (i == LANES_MAX)
		i--;
	if (i == d->cnt) {
		d->cnt++;
		snprintf(name, sizeof(name), "disk %u:%u", dev >> 20, dev & 0xfffff);
		fr_pf_describe(p, FR_PF_DISK + i, fr_pf_own(p, FR_PF_DISKS), name);
	}
	d->lanes[i] = (struct lane){ .dev = dev, .until_ns = to_ns };
	return FR_PF_DISK + i;
}

static struct fr_slice op_name(uint32_t op)
{
	const char *name = fr_block_op_name(op);

	return (struct fr_slice){ (const uint8_t *)name, strlen(name) };
}

void fr_pf_disk(struct fr_perfetto *p, const struct fr_merged *m)
{
	struct fr_block_complete e;
	uint64_t from_ns, track;

	if (fr_filter_on(p->c))
		return; /* a completion has no thread */
	memcpy(&e, m->rec.data, sizeof(e));
	from_ns = m->order_ns > e.latency_ns ? m->order_ns - e.latency_ns : 0;
	if (from_ns < p->c->from_ns)
		from_ns = p->c->from_ns;
	track = take_lane(p, e.dev, from_ns, m->order_ns);
	fr_pf_event(p, e.flags & FR_BLOCK_LATENCY_UNKNOWN ? FR_PF_INSTANT : FR_PF_BEGIN, track,
		    "block", op_name(e.op));
	fr_pf_args_of(p, m);
	fr_pf_event_end(p, from_ns);
	if (!(e.flags & FR_BLOCK_LATENCY_UNKNOWN))
		fr_pf_event_stop(p, track, m->order_ns);
}
