/* SPDX-License-Identifier: BSD-2-Clause */
/* Perfetto: which tracks there are, and what they are called. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "perfetto_fields.h"
#include "perfetto_internal.h"

static size_t open_track(struct fr_perfetto *p, uint64_t uuid, uint64_t parent, size_t *ret_packet)
{
	size_t mark;

	*ret_packet = fr_pf_packet(p, p->c->session->start_ns);
	mark = fr_pb_open(&p->packet, PF_PACKET_TRACK);
	fr_pb_add_u64(&p->packet, PF_TRACK_UUID, uuid);
	if (parent)
		fr_pb_add_u64(&p->packet, PF_TRACK_PARENT, parent);
	return mark;
}

static void close_track(struct fr_perfetto *p, size_t mark, size_t packet)
{
	fr_pb_close(&p->packet, mark);
	fr_pf_packet_end(p, packet);
}

void fr_pf_describe(struct fr_perfetto *p, uint64_t uuid, uint64_t parent, const char *name)
{
	size_t packet, mark = open_track(p, uuid, parent, &packet);

	fr_pb_add_str(&p->packet, PF_TRACK_NAME, name);
	close_track(p, mark, packet);
}

uint64_t fr_pf_own(struct fr_perfetto *p, enum fr_pf_track track)
{
	static const char *const names[FR_PF_OWN_CNT] = {
		[FR_PF_TRIGGERS] = "triggers", [FR_PF_SOCKETS] = "sockets",
		[FR_PF_TCP] = "TCP",	       [FR_PF_FAMILIES] = "families",
		[FR_PF_OTHERS] = "others",     [FR_PF_RECORDER] = "flightrec",
		[FR_PF_DISKS] = "disks",
	};
	uint64_t parent = 0;

	if (p->own_shown & 1u << track)
		return track;
	p->own_shown |= 1u << track;
	if (track != FR_PF_RECORDER && track != FR_PF_DISKS)
		parent = fr_pf_own(p, FR_PF_RECORDER);
	fr_pf_describe(p, track, parent, names[track]);
	return track;
}

/* ---- threads and processes ------------------------------------------------------------------ */

/* True the first time. */
static bool is_new(struct fr_perfetto *p, uint64_t uuid)
{
	uint32_t none;

	if (fr_map_get(&p->shown, uuid, &none))
		return false;
	if (fr_map_put(&p->shown, uuid, 1))
		p->c->err = -ENOMEM;
	return true;
}

static void add_comm(struct fr_perfetto *p, uint32_t field, const struct fr_who *w)
{
	char unnamed[32];

	if (w->comm[0]) {
		fr_pb_add_bytes(&p->packet, field, w->comm, strnlen(w->comm, FR_COMM_BYTES));
		return;
	}
	snprintf(unnamed, sizeof(unnamed), "%u (unnamed)", w->tid);
	fr_pb_add_str(&p->packet, field, unnamed);
}

/* Argument vectors are strings that end with a zero each. */
static void add_args(struct fr_perfetto *p, struct fr_slice args)
{
	const uint8_t *at = args.data, *end = args.data + args.len_bytes, *stop;

	for (; at < end; at = stop + 1) {
		stop = memchr(at, 0, (size_t)(end - at));
		if (!stop)
			stop = end;
		fr_pb_add_bytes(&p->packet, PF_PROCESS_CMDLINE, at, (size_t)(stop - at));
	}
}

static void show_process(struct fr_perfetto *p, uint32_t leader)
{
	const struct fr_who *w = fr_names_who(p->c->session->names, leader);
	const struct fr_process *process = fr_names_process_of(p->c->session->names, leader);
	size_t packet, mark, inner;

	if (!is_new(p, FR_PF_PROCESS + leader))
		return;
	mark = open_track(p, FR_PF_PROCESS + leader, 0, &packet);
	inner = fr_pb_open(&p->packet, PF_TRACK_PROCESS);
	fr_pb_add_u64(&p->packet, PF_PROCESS_PID, w->tgid ? w->tgid : w->tid);
	add_comm(p, PF_PROCESS_NAME, w);
	if (process && process->args.len_bytes)
		add_args(p, process->args);
	if (w->start_ns)
		fr_pb_add_u64(&p->packet, PF_PROCESS_START, w->start_ns);
	fr_pb_close(&p->packet, inner);
	close_track(p, mark, packet);
}

uint64_t fr_pf_process_track(struct fr_perfetto *p, uint32_t who)
{
	uint32_t leader = fr_sink_leader(p->c, who);

	show_process(p, leader);
	return FR_PF_PROCESS + leader;
}

bool fr_pf_thread(struct fr_perfetto *p, uint32_t who, uint64_t *ret_track)
{
	const struct fr_who *w;
	size_t packet, mark, inner;

	if (who == FR_WHO_NONE || !fr_filter_thread(p->c, who))
		return false;
	*ret_track = FR_PF_THREAD + who;
	if (!is_new(p, FR_PF_THREAD + who))
		return true;
	(void)fr_pf_process_track(p, who);
	w = fr_names_who(p->c->session->names, who);
	mark = open_track(p, FR_PF_THREAD + who, 0, &packet);
	inner = fr_pb_open(&p->packet, PF_TRACK_THREAD);
	fr_pb_add_u64(&p->packet, PF_THREAD_PID, w->tgid ? w->tgid : w->tid);
	fr_pb_add_u64(&p->packet, PF_THREAD_TID, w->tid);
	add_comm(p, PF_THREAD_NAME, w);
	fr_pb_close(&p->packet, inner);
	close_track(p, mark, packet);
	return true;
}
