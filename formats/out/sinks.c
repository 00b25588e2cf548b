/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of sinks, and what they share. */
#include <string.h>

#include "../events/event.h"
#include "../model/refs.h"
#include "sink.h"

static const struct fr_sink *const sinks[] = {
	&fr_sink_chrome,
	&fr_sink_text,
	&fr_sink_perfetto,
	&fr_sink_otlp,
	&fr_sink_otlp_json,
};

const struct fr_sink *fr_sink_at(size_t i)
{
	return i < sizeof(sinks) / sizeof(*sinks) ? sinks[i] : NULL;
}

const struct fr_sink *fr_sink_find(const char *name)
{
	const struct fr_sink *s;

	for (size_t i = 0; (s = fr_sink_at(i)); i++)
		if (!strcmp(s->name, name))
			return s;
	return NULL;
}

static bool has_comm(const struct fr_names *n, uint32_t who, const char *comm)
{
	const char *have;

	for (uint32_t i = 0; (have = fr_names_comm_any(n, who, i)); i++)
		if (!strncmp(have, comm, FR_COMM_BYTES - 1))
			return true;
	return false;
}

bool fr_filter_thread(const struct fr_convert *c, uint32_t who)
{
	const struct fr_names *n = c->session->names;
	const struct fr_who *w = fr_names_who(n, who);

	if (c->filter.pid && w->tgid != c->filter.pid && w->tid != c->filter.pid)
		return false;
	if (!c->filter.comm)
		return true;
	return has_comm(n, who, c->filter.comm) ||
	       (w->leader != FR_WHO_NONE && has_comm(n, w->leader, c->filter.comm));
}

bool fr_filter_tgid(const struct fr_convert *c, uint32_t tgid, uint64_t time_ns)
{
	uint32_t who;

	if (!fr_filter_on(c))
		return true;
	if (!tgid)
		return false;
	who = fr_names_thread(c->session->names, tgid, time_ns);
	return who != FR_WHO_NONE && fr_filter_thread(c, who);
}

static const struct fr_socket *socket_of(const struct fr_convert *c, const struct fr_merged *m)
{
	struct fr_refs refs;
	uint32_t index;

	fr_record_refs(&m->rec, &refs);
	if (!refs.sock_id)
		return NULL;
	return fr_names_socket(c->session->names, c->session->dumps[m->dump].instance, refs.sock_id,
			       &index);
}

bool fr_filter_socket(const struct fr_convert *c, const struct fr_merged *m)
{
	const struct fr_socket *s = socket_of(c, m);

	return fr_filter_tgid(c, s ? s->tgid : 0, m->order_ns);
}

const struct fr_socket *fr_sink_socket(const struct fr_convert *c, const struct fr_merged *m,
				       bool *ret_ends)
{
	bool io = m->rec.kind >= FR_EV_SOCK_SEND && m->rec.kind <= FR_EV_SOCK_RECV;
	const struct fr_socket *s;

	if (m->rec.kind == FR_EV_SOCK_OPEN || m->rec.kind == FR_EV_SOCK_CLOSE)
		return NULL;
	s = socket_of(c, m);
	if (!s || !s->named)
		return NULL;
	*ret_ends = s->addr.family && !(io && fr_io_addr(&m->rec));
	return s;
}

uint32_t fr_sink_leader(const struct fr_convert *c, uint32_t who)
{
	struct fr_names *n = c->session->names;
	const struct fr_who *w = fr_names_who(n, who);
	uint32_t leader = w->leader;

	if (leader == FR_WHO_NONE)
		leader = w->tgid ? fr_names_thread(n, w->tgid, w->start_ns) : who;
	return leader == FR_WHO_NONE ? who : leader;
}

const char *fr_lost_name(enum fr_gap_cause cause)
{
	static const char *const names[] = {
		[FR_GAP_LOST] = "events lost",
		[FR_GAP_DAMAGED] = "events in a damaged part of the file",
		[FR_GAP_BETWEEN] = "between two dumps",
		[FR_GAP_CUT] = "the dump is cut here",
	};

	return names[cause];
}

uint64_t fr_loss_dropped(const struct fr_cpu_loss *c)
{
	return c->dropped_retry + c->dropped_busy + c->dropped_nocpu + c->recursion_misses;
}
