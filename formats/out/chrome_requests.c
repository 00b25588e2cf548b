/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chrome trace: requests, as async slices of the process that served or made them, on the tracks of
 * nest.h.
 *
 * An arrow leads from the slice of the thread that took a request (or sent it) to the slice of the
 * one that answered (or received the reply). Requests are told when they have ended, so their
 * arrows stand behind later events of the same threads; all importers sort arrows by time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../events/event.h"
#include "chrome_internal.h"
#include "nest.h"
#include "span_text.h"

struct fr_chrome_requests {
	struct fr_nest nest;
	struct fr_span_text text;
};

int fr_chrome_requests_new(struct fr_chrome *ch)
{
	ch->requests = calloc(1, sizeof(*ch->requests));
	return ch->requests ? 0 : -ENOMEM;
}

void fr_chrome_requests_free(struct fr_chrome *ch)
{
	if (!ch->requests)
		return;
	fr_span_text_done(&ch->requests->text);
	free(ch->requests);
	ch->requests = NULL;
}

/* ---- objects -------------------------------------------------------------------------------- */

static void put_hex(struct fr_json *j, const char *key, const uint8_t *id, size_t id_bytes)
{
	char hex[33];

	fr_put_hex(hex, id, id_bytes);
	fr_json_key(j, key);
	fr_json_strn(j, hex, 2 * id_bytes);
}

static void put_slice(struct fr_json *j, const char *key, struct fr_slice s)
{
	if (!s.len_bytes)
		return;
	fr_json_key(j, key);
	fr_json_strn(j, s.data, s.len_bytes);
}

static void put_budget(struct fr_json *j, const struct fr_budget *b)
{
	fr_json_kv_u64(j, "on_cpu_ns", b->on_cpu_ns);
	fr_json_kv_u64(j, "runqueue_ns", b->runqueue_ns);
	for (uint32_t i = 0; i < FR_BLOCK_CNT; i++) {
		char key[40];

		snprintf(key, sizeof(key), "blocked_%s_ns", fr_block_names[i]);
		fr_json_kv_u64(j, key, b->blocked_ns[i]);
	}
	fr_json_kv_u64(j, "unattributed_ns", b->unattributed_ns);
}

static void put_marks(struct fr_chrome *ch, struct fr_json *j, uint32_t marks)
{
	struct fr_buf *b = &ch->name_buf;

	if (!marks)
		return;
	b->len_bytes = 0;
	fr_span_add_marks(b, marks);
	put_slice(j, "marks", (struct fr_slice){ b->data, b->len_bytes });
}

static void put_addr(struct fr_json *j, const struct fr_socket *s)
{
	char text[64];

	if (!s->named || !s->addr.family)
		return;
	fr_json_kv_str(j, "local", fr_addr_format(&s->addr, false, text, sizeof(text)));
	fr_json_kv_str(j, "remote", fr_addr_format(&s->addr, true, text, sizeof(text)));
}

static void put_args(struct fr_chrome *ch, struct fr_json *j, const struct fr_span *s)
{
	const struct fr_span_text *text = &ch->requests->text;
	const struct fr_request *r = s->request;
	static const uint8_t none[8];

	fr_json_key(j, "args");
	fr_json_object(j);
	fr_json_kv_str(j, "protocol", fr_span_protocol(r));
	fr_json_kv_str(j, "side", r->server ? "server" : "client");
	if (text->query.len_bytes)
		put_slice(j, "query", (struct fr_slice){ text->query.data, text->query.len_bytes });
	else if (!fr_span_db_system(r))
		put_slice(j, "target", r->text);
	put_slice(j, "host", r->host);
	if (r->status != FR_WIRE_STATUS_UNKNOWN && r->protocol == FR_WIRE_HTTP1)
		fr_json_kv_u64(j, "status", (uint64_t)r->status);
	put_slice(j, "code", r->code);
	fr_json_kv_bool(j, "failed", fr_span_failed(r));
	fr_json_kv_u64(j, "request_bytes", r->request_bytes);
	fr_json_kv_u64(j, "response_bytes", r->response_bytes);
	put_hex(j, "trace_id", s->trace_id, sizeof(s->trace_id));
	put_hex(j, "span_id", s->span_id, sizeof(s->span_id));
	if (memcmp(s->parent_id, none, sizeof(none)))
		put_hex(j, "parent_id", s->parent_id, sizeof(s->parent_id));
	fr_json_kv_str(j, "link", fr_span_link_name(s->link));
	put_marks(ch, j, r->marks);
	if (s->goid)
		fr_json_kv_u64(j, "goid", s->goid);
	put_addr(j, s->socket);
	if (s->budget_known)
		put_budget(j, &s->budget);
	fr_json_object_end(j);
}

/* Opens a begin or an end: both name the track and the slice. */
static struct fr_json open_async(struct fr_chrome *ch, const char *ph, const uint8_t *track,
				 const struct fr_chrome_who *cw, uint64_t at_ns)
{
	struct fr_buf *name = &ch->requests->text.name;
	char hex[19] = "0x";
	struct fr_json j;

	fr_buf_add_char(name, 0);
	j = fr_chrome_open(ch, &ch->scratch, ph, (const char *)name->data, "request");
	name->len_bytes--;
	*fr_put_hex(hex + 2, track, 8) = 0;
	fr_json_kv_str(&j, "id", hex);
	fr_chrome_where(&j, cw->pid, cw->tid);
	fr_chrome_when(&j, "ts", fr_chrome_ts(ch, at_ns));
	return j;
}

/* ---- arrows --------------------------------------------------------------------------------- */

static void put_arrow_end(struct fr_chrome *ch, const char *ph, uint32_t who, uint64_t at_ns)
{
	const struct fr_chrome_who *cw = fr_chrome_who(ch, who);
	struct fr_json j = fr_chrome_open(ch, &ch->scratch, ph, "request", "request");

	fr_json_kv_u64(&j, "id", ch->flow);
	if (*ph == 'f')
		fr_json_kv_str(&j, "bp", "e");
	fr_chrome_where(&j, cw->pid, cw->tid);
	fr_chrome_when(&j, "ts", fr_chrome_ts(ch, at_ns));
	fr_json_object_end(&j);
	fr_out_add_buf(ch->out, &ch->scratch);
}

/* Whose slice is there; FR_WHO_NONE = nobody's that is shown. */
static uint32_t shown_at(struct fr_chrome *ch, const struct fr_wire_point *at)
{
	uint32_t who;

	if (!at->time_ns || !at->tid || !fr_chrome_in_range(ch, at->time_ns))
		return FR_WHO_NONE;
	who = fr_names_thread(ch->c->session->names, at->tid, at->time_ns);
	return who != FR_WHO_NONE && fr_chrome_who(ch, who) ? who : FR_WHO_NONE;
}

static void put_arrow(struct fr_chrome *ch, const struct fr_request *r)
{
	const struct fr_wire_point *to = &r->end;
	uint32_t from_who = shown_at(ch, &r->start), to_who = shown_at(ch, to);

	if (to_who == FR_WHO_NONE) {
		to = &r->first;
		to_who = shown_at(ch, to);
	}
	/* without switches there are no slices */
	if (from_who == FR_WHO_NONE || to_who == FR_WHO_NONE ||
	    !fr_threads_sched_on(ch->c->threads))
		return;
	ch->flow++;
	put_arrow_end(ch, "s", from_who, r->start.time_ns);
	put_arrow_end(ch, "f", to_who, to->time_ns);
}

/* ---- a request ------------------------------------------------------------------------------ */

void fr_chrome_request(struct fr_chrome *ch, const struct fr_span *s)
{
	struct fr_chrome_who *cw = fr_chrome_who(ch, s->who);
	const uint8_t *track;
	struct fr_json j;

	if (!cw)
		return;
	if (fr_span_text_of(&ch->requests->text, s->request)) {
		ch->c->err = -ENOMEM;
		return;
	}
	track = fr_nest_place(&ch->requests->nest, s);
	j = open_async(ch, "b", track, cw, s->start_ns);
	put_args(ch, &j, s);
	fr_json_object_end(&j);
	fr_out_add_buf(ch->out, &ch->scratch);
	j = open_async(ch, "e", track, cw, s->end_ns);
	fr_json_object_end(&j);
	fr_out_add_buf(ch->out, &ch->scratch);
	put_arrow(ch, s->request);
}
