/* SPDX-License-Identifier: BSD-2-Clause */
/* Perfetto: instants, on threads and on tracks of our own. */
#include <string.h>

#include "../model/refs.h"
#include "perfetto_internal.h"
#include "places.h"

static void instant(struct fr_perfetto *p, const struct fr_merged *m, const char *name,
		    uint64_t track)
{
	fr_pf_event(p, FR_PF_INSTANT, track, fr_place_category(m->rec.kind),
		    (struct fr_slice){ (const uint8_t *)name, strlen(name) });
	fr_pf_args_of(p, m);
	fr_pf_event_end(p, m->order_ns);
}

static void on_tid(struct fr_perfetto *p, const struct fr_merged *m, const char *name, uint32_t tid)
{
	struct fr_thread *th = fr_threads_get(p->c->threads, tid, m->order_ns);
	uint64_t track;

	if (th && fr_pf_thread(p, th->who, &track))
		instant(p, m, name, track);
}

static void on_thread(struct fr_perfetto *p, const struct fr_merged *m, const char *name)
{
	struct fr_refs refs;

	fr_record_refs(&m->rec, &refs);
	if (refs.tid_cnt)
		on_tid(p, m, name, refs.tids[0]);
}

/* Sockets have a process at most, and trouble on the wire not even that: a track for all. */
static void on_net(struct fr_perfetto *p, const struct fr_merged *m, const char *name,
		   enum fr_pf_track track)
{
	if (fr_filter_socket(p->c, m))
		instant(p, m, name, fr_pf_own(p, track));
}

/* An event that places.c knows nothing of. */
static void by_fields(struct fr_perfetto *p, const struct fr_merged *m, const char *name)
{
	uint32_t tid = fr_place_tid(&m->rec);

	if (tid)
		on_tid(p, m, name, tid);
	else if (!fr_filter_on(p->c))
		instant(p, m, name, fr_pf_own(p, FR_PF_OTHERS));
}

void fr_pf_instant(struct fr_perfetto *p, const struct fr_merged *m)
{
	const char *name;

	switch (fr_place_of(m->rec.kind, &name)) {
	case FR_PLACE_BY_FIELDS:
		by_fields(p, m, name);
		break;
	case FR_PLACE_NOWHERE:
		break;
	case FR_PLACE_THREAD:
		on_thread(p, m, name);
		break;
	case FR_PLACE_SOCKETS:
		on_net(p, m, name, FR_PF_SOCKETS);
		break;
	case FR_PLACE_TCP:
		on_net(p, m, name, FR_PF_TCP);
		break;
	case FR_PLACE_DISKS:
		if (m->rec.kind == FR_EV_BLOCK_COMPLETE)
			fr_pf_disk(p, m);
		else
			on_thread(p, m, "disk request");
		break;
	case FR_PLACE_RECORDER:
		instant(p, m, name, fr_pf_own(p, FR_PF_FAMILIES));
		break;
	}
}
