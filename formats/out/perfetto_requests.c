/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Perfetto: requests, as slices on tracks of their processes (nest.h). The two ends of a connection
 * on this host are joined by a flow.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/digits.h"
#include "perfetto_internal.h"

static uint64_t id_of(const uint8_t id[8])
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | id[i];
	return v;
}

static struct fr_slice in_buf(const struct fr_buf *b)
{
	return (struct fr_slice){ b->data, b->len_bytes };
}

static void put_id(struct fr_perfetto *p, const char *name, const uint8_t *id, size_t id_bytes)
{
	char hex[33];

	*fr_put_hex(hex, id, id_bytes) = 0;
	fr_pf_arg_text(p, name, hex);
}

static void put_budget(struct fr_perfetto *p, const struct fr_budget *b)
{
	char name[40];

	fr_pf_arg_u64(p, "on_cpu_ns", b->on_cpu_ns);
	fr_pf_arg_u64(p, "runqueue_ns", b->runqueue_ns);
	for (uint32_t i = 0; i < FR_BLOCK_CNT; i++) {
		snprintf(name, sizeof(name), "blocked_%s_ns", fr_block_names[i]);
		fr_pf_arg_u64(p, name, b->blocked_ns[i]);
	}
	fr_pf_arg_u64(p, "unattributed_ns", b->unattributed_ns);
}

static void put_ids(struct fr_perfetto *p, const struct fr_span *s)
{
	static const uint8_t none[8];

	put_id(p, "trace_id", s->trace_id, sizeof(s->trace_id));
	put_id(p, "span_id", s->span_id, sizeof(s->span_id));
	if (memcmp(s->parent_id, none, sizeof(none)))
		put_id(p, "parent_id", s->parent_id, sizeof(s->parent_id));
	fr_pf_arg_text(p, "link", fr_span_link_name(s->link));
	if (s->request->marks) {
		struct fr_buf marks = { 0 };

		fr_span_add_marks(&marks, s->request->marks);
		fr_pf_arg_str(p, "marks", in_buf(&marks));
		if (marks.err)
			p->c->err = -ENOMEM;
		fr_buf_done(&marks);
	}
}

static void put_args(struct fr_perfetto *p, const struct fr_span *s)
{
	const struct fr_request *r = s->request;
	char addr[64];

	fr_pf_arg_text(p, "protocol", fr_span_protocol(r));
	fr_pf_arg_text(p, "side", r->server ? "server" : "client");
	fr_pf_arg_str(p, "query", in_buf(&p->text.query));
	if (!fr_span_db_system(r))
		fr_pf_arg_str(p, "target", r->text);
	fr_pf_arg_str(p, "host", r->host);
	if (r->status != FR_WIRE_STATUS_UNKNOWN && r->protocol == FR_WIRE_HTTP1)
		fr_pf_arg_i64(p, "status", r->status);
	fr_pf_arg_str(p, "code", r->code);
	fr_pf_arg_bool(p, "failed", fr_span_failed(r));
	fr_pf_arg_u64(p, "request_bytes", r->request_bytes);
	fr_pf_arg_u64(p, "response_bytes", r->response_bytes);
	put_ids(p, s);
	if (s->goid)
		fr_pf_arg_u64(p, "goid", s->goid);
	if (s->socket->named && s->socket->addr.family) {
		fr_pf_arg_text(p, "local",
			       fr_addr_format(&s->socket->addr, false, addr, sizeof(addr)));
		fr_pf_arg_text(p, "remote",
			       fr_addr_format(&s->socket->addr, true, addr, sizeof(addr)));
	}
	if (s->budget_known)
		put_budget(p, &s->budget);
}

void fr_pf_request(struct fr_perfetto *p, const struct fr_span *s)
{
	uint64_t thread, track;

	if (!fr_pf_thread(p, s->who, &thread))
		return;
	if (fr_span_text_of(&p->text, s->request)) {
		p->c->err = -ENOMEM;
		return;
	}
	track = id_of(fr_nest_place(&p->nest, s));
	fr_pf_describe(p, track, fr_pf_process_track(p, s->who), "requests");
	fr_pf_event(p, FR_PF_BEGIN, track, "request", in_buf(&p->text.name));
	if (!s->request->server)
		fr_pf_flow(p, id_of(s->span_id));
	else if (s->link == FR_LINK_PEER || s->link == FR_LINK_INFERRED)
		fr_pf_flow(p, id_of(s->parent_id));
	put_args(p, s);
	fr_pf_event_end(p, s->start_ns);
	fr_pf_event_stop(p, track, s->end_ns);
}
