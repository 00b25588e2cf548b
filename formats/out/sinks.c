/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of sinks, and what they share. */
#include <string.h>

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
