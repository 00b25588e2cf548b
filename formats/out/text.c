/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text: one line per event, for people and grep.
 *
 *   # host=box kernel=6.18.44 ...
 *   # cpu=0 emitted=1194 kept=194 ...
 *   2026-11-23T17:15:52.123456789Z [001] web/2001 sock_send sock_id=0x4 tid=2001 fd=10 ...
 *   2026-11-23T17:15:52.123456789Z [---] web/2001 request side=server protocol=http name=GET ...
 *
 * Whoever did it stands before the event's name; "-" where an interrupt did. A request stands where
 * it ended. Lines with # say where all this is from, and what is missing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../base/digits.h"
#include "../events/event.h"
#include "../model/refs.h"
#include "sink.h"
#include "span_text.h"

#define CAPTURED_MAX 256

struct text {
	struct fr_convert *c;
	struct fr_buf line;
	struct fr_span_text span;
	uint64_t second_at_ns; /* unix time of second_text */
	char second_text[24];  /* 2026-11-23T17:15:52. */
};

/* ---- the head of a line --------------------------------------------------------------------- */

static void add_time(struct text *t, uint64_t boot_ns)
{
	uint64_t unix_ns = fr_session_to_unix(t->c->session, boot_ns), rest = unix_ns % 1000000000;
	char digits[10];

	if (unix_ns - rest != t->second_at_ns) {
		char whole[40];

		t->second_at_ns = unix_ns - rest;
		fr_format_time(t->second_at_ns, 0, whole, sizeof(whole));
		snprintf(t->second_text, sizeof(t->second_text), "%.19s.", whole);
	}
	fr_buf_add_str(&t->line, t->second_text);
	digits[0] = (char)('0' + rest / 100000000);
	fr_put_8(digits + 1, (uint32_t)(rest % 100000000));
	digits[9] = 'Z';
	fr_buf_add(&t->line, digits, sizeof(digits));
}

static void add_printable(struct fr_buf *b, struct fr_slice s, size_t max)
{
	static const char hex[] = "0123456789abcdef";
	size_t len = s.len_bytes < max ? s.len_bytes : max;

	for (size_t i = 0; i < len; i++) {
		uint8_t c = s.data[i];

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
			fr_buf_add_char(b, (char)c);
			continue;
		}
		fr_buf_add_char(b, '\\');
		switch (c) {
		case '\n':
			fr_buf_add_char(b, 'n');
			break;
		case '\r':
			fr_buf_add_char(b, 'r');
			break;
		case '\t':
			fr_buf_add_char(b, 't');
			break;
		case '"':
		case '\\':
			fr_buf_add_char(b, (char)c);
			break;
		default:
			fr_buf_add_char(b, 'x');
			fr_buf_add_char(b, hex[c >> 4]);
			fr_buf_add_char(b, hex[c & 15]);
		}
	}
	if (len < s.len_bytes)
		fr_buf_add_str(b, "...");
}

static void add_thread(struct text *t, uint32_t tid, uint64_t time_ns)
{
	struct fr_thread *th = fr_threads_get(t->c->threads, tid, time_ns);

	if (th && th->comm[0])
		add_printable(&t->line,
			      (struct fr_slice){ (const uint8_t *)th->comm,
						 strnlen(th->comm, sizeof(th->comm)) },
			      sizeof(th->comm));
	else
		fr_buf_add_char(&t->line, '?');
	fr_buf_add_char(&t->line, '/');
	fr_buf_add_u64(&t->line, tid);
}

static void add_head(struct text *t, const struct fr_merged *m, const struct fr_refs *refs)
{
	add_time(t, m->rec.time_ns);
	fr_buf_printf(&t->line, " [%03u] ", m->rec.cpu);
	if (m->rec.kind == FR_EV_SCHED_SWITCH && !refs->in_context)
		fr_buf_printf(&t->line, "swapper/%u", m->rec.cpu);
	else if (refs->in_context)
		add_thread(t, refs->tids[0], m->order_ns);
	else
		fr_buf_add_char(&t->line, '-');
	fr_buf_add_char(&t->line, ' ');
	fr_buf_add_str(&t->line, fr_event_infos[m->rec.kind].name);
}

/* ---- fields --------------------------------------------------------------------------------- */

static void add_string(struct fr_buf *b, struct fr_slice s, size_t max)
{
	fr_buf_add_char(b, '"');
	add_printable(b, s, max);
	fr_buf_add_char(b, '"');
}

/* Names are written bare: they never hold a space. */
static bool is_bare(struct fr_slice s)
{
	for (size_t i = 0; i < s.len_bytes; i++)
		if (s.data[i] <= ' ' || s.data[i] >= 0x7f || strchr("\"\\=", s.data[i]))
			return false;
	return s.len_bytes > 0;
}

static void add_addr(struct fr_buf *b, const struct fr_sock_addr *a)
{
	char text[64];

	fr_buf_add_str(b, " local=");
	fr_buf_add_str(b, fr_addr_format(a, false, text, sizeof(text)));
	fr_buf_add_str(b, " remote=");
	fr_buf_add_str(b, fr_addr_format(a, true, text, sizeof(text)));
}

static void add_field(void *ctx, const struct fr_field *f)
{
	struct fr_buf *b = ctx;

	if (f->type == FR_FIELD_ADDR) {
		if (f->addr)
			add_addr(b, f->addr);
		return;
	}
	fr_buf_add_char(b, ' ');
	fr_buf_add_str(b, f->name);
	fr_buf_add_char(b, '=');
	switch (f->type) {
	case FR_FIELD_U64:
	case FR_FIELD_NS:
		fr_buf_add_u64(b, f->number);
		break;
	case FR_FIELD_I64:
		fr_buf_add_i64(b, (int64_t)f->number);
		break;
	case FR_FIELD_HEX:
		fr_buf_printf(b, "0x%llx", (unsigned long long)f->number);
		break;
	case FR_FIELD_STR:
		if (is_bare(f->bytes))
			fr_buf_add(b, f->bytes.data, f->bytes.len_bytes);
		else
			add_string(b, f->bytes, SIZE_MAX);
		break;
	case FR_FIELD_BYTES:
		add_string(b, f->bytes, CAPTURED_MAX);
		break;
	case FR_FIELD_ADDR:
		break;
	}
}

/* What the socket's number stands for. */
static void add_socket(struct text *t, const struct fr_merged *m, const struct fr_socket *s)
{
	bool tells = m->rec.kind == FR_EV_SOCK_OPEN || m->rec.kind == FR_EV_SOCK_CLOSE ||
		     ((m->rec.kind == FR_EV_SOCK_SEND || m->rec.kind == FR_EV_SOCK_RECV) &&
		      fr_io_addr(&m->rec));

	if (!tells && s->named && s->addr.family)
		add_addr(&t->line, &s->addr);
}

/* ---- what it is and what it lacks ------------------------------------------------------------ */

static void add_value(struct text *t, const char *key, const char *value)
{
	fr_buf_printf(&t->line, " %s=", key);
	if (*value && !strpbrk(value, " \"\\\n\t"))
		fr_buf_add_str(&t->line, value);
	else
		add_string(&t->line, (struct fr_slice){ (const uint8_t *)value, strlen(value) },
			   SIZE_MAX);
}

static void say_trigger(struct text *t, const struct fr_trigger_info *i, const char *what)
{
	char when[40];

	fr_buf_add_char(&t->line, '#');
	add_value(t, what, i->name);
	add_value(t, "time", fr_format_time(i->unix_ns, 9, when, sizeof(when)));
	add_value(t, "reason", i->reason);
	fr_buf_add_char(&t->line, '\n');
}

static void say_cpu(struct text *t, const struct fr_cpu_loss *c)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{ "emitted", c->emitted },
		{ "kept", c->kept },
		{ "overwritten", c->overwritten },
		{ "overtaken", c->overtaken },
		{ "unfinished", c->unfinished },
		{ "dropped_retry", c->dropped_retry },
		{ "dropped_busy", c->dropped_busy },
		{ "dropped_nocpu", c->dropped_nocpu },
		{ "recursion_misses", c->recursion_misses },
	};

	fr_buf_printf(&t->line, "# cpu=%u", c->cpu);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		fr_buf_printf(&t->line, " %s=%llu", rows[i].name,
			      (unsigned long long)rows[i].value);
	fr_buf_add_char(&t->line, '\n');
}

static void say_dump(struct text *t, const struct fr_session_dump *d)
{
	const struct fr_meta_trigger *g = fr_dump_trigger(d->dump);
	const struct fr_meta_config *c = fr_dump_config(d->dump);
	const struct fr_meta_loss *l = fr_dump_loss(d->dump);
	const struct fr_meta_host *h = fr_dump_host(d->dump);

	fr_buf_add_char(&t->line, '#');
	add_value(t, "host", h ? h->name : "");
	add_value(t, "boot_id", h ? h->boot_id : "");
	add_value(t, "kernel", h ? h->kernel_release : "");
	add_value(t, "recorder", h ? h->recorder_version : "");
	add_value(t, "redact", c ? c->redact : "");
	if (fr_dump_incomplete(d->dump))
		fr_buf_add_str(&t->line, " incomplete");
	fr_buf_add_char(&t->line, '\n');
	for (uint32_t i = 0; c && i < c->degraded_cnt && i < FR_DEGRADED_MAX; i++) {
		fr_buf_add_char(&t->line, '#');
		add_value(t, "degraded", c->degraded[i]);
		fr_buf_add_char(&t->line, '\n');
	}
	if (g)
		say_trigger(t, &g->main, "trigger");
	for (uint32_t i = 0; g && i < g->joined_cnt && i < FR_JOINED_MAX; i++)
		say_trigger(t, &g->joined[i], "joined");
	for (uint32_t i = 0; l && i < l->cpu_cnt; i++)
		say_cpu(t, &l->cpus[i]);
	fr_out_add_buf(t->c->out, &t->line);
}

static int text_begin(struct fr_convert *c, void **ret_ctx)
{
	struct text *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->c = c;
	t->second_at_ns = UINT64_MAX;
	for (size_t i = 0; i < c->session->dump_cnt; i++)
		say_dump(t, &c->session->dumps[i]);
	*ret_ctx = t;
	return 0;
}

/* ---- the sink ------------------------------------------------------------------------------- */

static bool wanted(struct text *t, const struct fr_merged *m, const struct fr_refs *refs,
		   const struct fr_socket *s)
{
	struct fr_thread *th;

	if (!fr_filter_on(t->c))
		return true;
	for (uint32_t i = 0; i < refs->tid_cnt; i++) {
		th = fr_threads_get(t->c->threads, refs->tids[i], m->order_ns);
		if (th && fr_filter_thread(t->c, th->who))
			return true;
	}
	return s && fr_filter_tgid(t->c, s->tgid, m->order_ns);
}

static void text_record(void *ctx, const struct fr_merged *m, const struct fr_step *step)
{
	struct fr_field_sink fields;
	const struct fr_socket *s = NULL;
	struct text *t = ctx;
	struct fr_refs refs;
	uint32_t index;

	(void)step;
	if (m->order_ns < t->c->from_ns)
		return;
	fr_record_refs(&m->rec, &refs);
	if (refs.sock_id)
		s = fr_names_socket(t->c->session->names, t->c->session->dumps[m->dump].instance,
				    refs.sock_id, &index);
	if (!wanted(t, m, &refs, s))
		return;
	add_head(t, m, &refs);
	fields = (struct fr_field_sink){ add_field, &t->line };
	fr_event_fields(&m->rec, &fields);
	if (s)
		add_socket(t, m, s);
	fr_buf_add_char(&t->line, '\n');
	fr_out_add_buf(t->c->out, &t->line);
}

/* ---- requests ------------------------------------------------------------------------------- */

static void add_pair(struct fr_buf *b, const char *key, struct fr_slice value)
{
	fr_buf_add_char(b, ' ');
	fr_buf_add_str(b, key);
	fr_buf_add_char(b, '=');
	if (is_bare(value))
		fr_buf_add(b, value.data, value.len_bytes);
	else
		add_string(b, value, SIZE_MAX);
}

static void add_some(struct fr_buf *b, const char *key, struct fr_slice value)
{
	if (value.len_bytes)
		add_pair(b, key, value);
}

static void add_number(struct fr_buf *b, const char *key, uint64_t value)
{
	fr_buf_add_char(b, ' ');
	fr_buf_add_str(b, key);
	fr_buf_add_char(b, '=');
	fr_buf_add_u64(b, value);
}

static void add_id(struct fr_buf *b, const char *key, const uint8_t *id, size_t id_bytes)
{
	char hex[32];

	fr_buf_add_char(b, ' ');
	fr_buf_add_str(b, key);
	fr_buf_add_char(b, '=');
	fr_buf_add(b, hex, (size_t)(fr_put_hex(hex, id, id_bytes) - hex));
}

static struct fr_slice in_buf(const struct fr_buf *b)
{
	return (struct fr_slice){ b->data, b->len_bytes };
}

static void add_request(struct text *t, const struct fr_request *r)
{
	struct fr_buf *b = &t->line;

	fr_buf_printf(b, " request side=%s protocol=%s", r->server ? "server" : "client",
		      fr_span_protocol(r));
	add_pair(b, "name", in_buf(&t->span.name));
	if (r->protocol == FR_WIRE_HTTP1) {
		add_some(b, "target", r->text);
		add_some(b, "host", r->host);
	}
	if (r->protocol == FR_WIRE_DNS)
		add_some(b, "question", r->text);
	add_some(b, "query", in_buf(&t->span.query));
	if (r->protocol == FR_WIRE_POSTGRES)
		add_some(b, "tag", r->command);
	if (r->protocol == FR_WIRE_HTTP1 && r->status != FR_WIRE_STATUS_UNKNOWN)
		add_number(b, "status", (uint64_t)r->status);
	else if (r->status != FR_WIRE_STATUS_UNKNOWN)
		fr_buf_printf(b, " status=%s", r->status == FR_WIRE_STATUS_OK ? "ok" : "error");
	add_some(b, "code", r->code);
	if (r->error_nr)
		add_number(b, "error_nr", r->error_nr);
	add_some(b, "database", r->database);
}

static void add_budget(struct fr_buf *b, const struct fr_budget *budget)
{
#define BLOCK_KEY(NAME, name) "blocked_" #name "_ns",
	static const char *const keys[] = { FR_BLOCKS(BLOCK_KEY) };
#undef BLOCK_KEY

	add_number(b, "on_cpu_ns", budget->on_cpu_ns);
	add_number(b, "runqueue_ns", budget->runqueue_ns);
	for (unsigned i = 0; i < FR_BLOCK_CNT; i++)
		if (budget->blocked_ns[i])
			add_number(b, keys[i], budget->blocked_ns[i]);
	add_number(b, "unattributed_ns", budget->unattributed_ns);
	if (budget->maybe_on_cpu_ns)
		add_number(b, "maybe_on_cpu_ns", budget->maybe_on_cpu_ns);
}

static void add_place(struct fr_buf *b, const struct fr_span *span)
{
	static const uint8_t none[8];

	add_id(b, "trace_id", span->trace_id, sizeof(span->trace_id));
	add_id(b, "span_id", span->span_id, sizeof(span->span_id));
	if (memcmp(span->parent_id, none, sizeof(none)))
		add_id(b, "parent_id", span->parent_id, sizeof(span->parent_id));
	fr_buf_add_str(b, " link=");
	fr_buf_add_str(b, fr_span_link_name(span->link));
	if (span->request->marks) {
		fr_buf_add_str(b, " marks=");
		fr_span_add_marks(b, span->request->marks);
	}
}

static void add_who(struct text *t, uint32_t who, uint64_t time_ns)
{
	const struct fr_who *w = fr_names_who(t->c->session->names, who);
	char comm[FR_COMM_BYTES];

	fr_names_comm_at(t->c->session->names, who, time_ns, comm);
	if (comm[0])
		add_printable(&t->line, (struct fr_slice){ (const uint8_t *)comm, strlen(comm) },
			      sizeof(comm));
	else
		fr_buf_add_char(&t->line, '?');
	fr_buf_add_char(&t->line, '/');
	fr_buf_add_u64(&t->line, w->tid);
}

static void text_span(void *ctx, const struct fr_span *span)
{
	struct text *t = ctx;
	struct fr_buf *b = &t->line;

	if (fr_span_text_of(&t->span, span->request)) {
		t->c->err = -ENOMEM;
		return;
	}
	add_time(t, span->end_ns);
	fr_buf_add_str(b, " [---] ");
	add_who(t, span->who, span->start_ns);
	add_request(t, span->request);
	add_number(b, "duration_ns", span->end_ns - span->start_ns);
	if (span->budget_known)
		add_budget(b, &span->budget);
	if (span->goid)
		add_number(b, "goid", span->goid);
	if (span->socket->named && span->socket->addr.family)
		add_addr(b, &span->socket->addr);
	add_place(b, span);
	fr_buf_add_char(b, '\n');
	fr_out_add_buf(t->c->out, b);
}

static void text_lost(void *ctx, const struct fr_lost *lost)
{
	static const char *const causes[] = {
		[FR_GAP_LOST] = "events lost while recording",
		[FR_GAP_DAMAGED] = "a damaged part of the file",
		[FR_GAP_BETWEEN] = "between two dumps",
		[FR_GAP_CUT] = "the dump is cut here",
	};
	struct text *t = ctx;
	char duration[32];

	if (lost->to_ns < t->c->from_ns)
		return;
	add_time(t, lost->from_ns);
	fr_buf_printf(&t->line, " [%03u] - lost cause=\"%s\" duration=\"%s\"", lost->cpu,
		      causes[lost->cause],
		      fr_format_duration(lost->to_ns - lost->from_ns, duration, sizeof(duration)));
	if (lost->records)
		fr_buf_printf(&t->line, " events=%llu", (unsigned long long)lost->records);
	fr_buf_add_char(&t->line, '\n');
	fr_out_add_buf(t->c->out, &t->line);
}

static void text_stop(void *ctx, const struct fr_step *step)
{
	(void)ctx;
	(void)step;
}

static void text_blind(void *ctx, uint64_t at_ns)
{
	(void)ctx;
	(void)at_ns;
}

static void text_drop(void *ctx)
{
	struct text *t = ctx;

	fr_buf_done(&t->line);
	fr_span_text_done(&t->span);
	free(t);
}

static void text_end(void *ctx, const struct fr_convert_stats *stats)
{
	(void)stats;
	text_drop(ctx);
}

const struct fr_sink fr_sink_text = {
	.name = "text",
	.about = "one line per event and per request",
	.begin = text_begin,
	.record = text_record,
	.span = text_span,
	.lost = text_lost,
	.stop = text_stop,
	.blind = text_blind,
	.end = text_end,
	.drop = text_drop,
};
