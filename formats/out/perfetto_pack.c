/* SPDX-License-Identifier: BSD-2-Clause */
/* Perfetto: packets, events on tracks, interned strings. */
#include <errno.h>
#include <string.h>
#include <xxhash.h>

#include "../base/utf8.h"
#include "../events/fields.h"
#include "perfetto_fields.h"
#include "perfetto_internal.h"

#define SEQUENCE 1u

size_t fr_pf_packet(struct fr_perfetto *p, uint64_t time_ns)
{
	size_t mark = fr_pb_open(&p->packet, PF_TRACE_PACKET);

	fr_pb_add_u64(&p->packet, PF_PACKET_TIMESTAMP, time_ns);
	fr_pb_add_u64(&p->packet, PF_PACKET_SEQUENCE, SEQUENCE);
	return mark;
}

void fr_pf_packet_end(struct fr_perfetto *p, size_t mark)
{
	fr_pb_close(&p->packet, mark);
	fr_out_add_buf(p->out, &p->packet);
}

/* ---- strings -------------------------------------------------------------------------------- */

static const uint32_t interned_fields[FR_PF_INTERN_CNT] = {
	[FR_PF_CATEGORY] = PF_INTERNED_CATEGORIES,
	[FR_PF_NAME] = PF_INTERNED_NAMES,
	[FR_PF_ARG] = PF_INTERNED_ARGS,
};

/* Not UTF-8 in `strings` of Perfetto would be refused by what reads them. */
static void add_utf8(struct fr_buf *b, uint32_t field, struct fr_slice s)
{
	size_t mark;
	uint8_t *room;

	if (fr_utf8_valid(s)) {
		fr_pb_add_bytes(b, field, s.data, s.len_bytes);
		return;
	}
	mark = fr_pb_open(b, field);
	room = fr_buf_reserve(b, 3 * s.len_bytes);
	if (room)
		b->len_bytes += fr_utf8_repair(s, room);
	fr_pb_close(b, mark);
}

/* The string's number; 0 = it has none, and must be written out. */
static uint32_t intern(struct fr_perfetto *p, enum fr_pf_intern kind, struct fr_slice s)
{
	struct fr_map *map = &p->interned[kind];
	uint64_t key = XXH3_64bits(s.data, s.len_bytes);
	uint32_t iid;
	size_t mark;

	if (fr_map_get(map, key, &iid))
		return iid;
	if (map->cnt >= FR_PF_INTERN_MAX)
		return 0;
	iid = (uint32_t)map->cnt + 1;
	if (fr_map_put(map, key, iid)) {
		p->c->err = -ENOMEM;
		return 0;
	}
	mark = fr_pb_open(&p->strings, interned_fields[kind]);
	fr_pb_add_u64(&p->strings, PF_INTERNED_IID, iid);
	add_utf8(&p->strings, PF_INTERNED_STRING, s);
	fr_pb_close(&p->strings, mark);
	return iid;
}

static void add_string(struct fr_perfetto *p, enum fr_pf_intern kind, struct fr_slice s,
		       uint32_t iid_field, uint32_t field)
{
	uint32_t iid = intern(p, kind, s);

	if (iid)
		fr_pb_add_u64(&p->event, iid_field, iid);
	else
		add_utf8(&p->event, field, s);
}

static struct fr_slice slice_of(const char *s)
{
	return (struct fr_slice){ (const uint8_t *)s, strlen(s) };
}

/* ---- events --------------------------------------------------------------------------------- */

void fr_pf_event(struct fr_perfetto *p, enum fr_pf_type type, uint64_t track, const char *category,
		 struct fr_slice name)
{
	fr_buf_clear(&p->event);
	fr_buf_clear(&p->strings);
	fr_pb_add_u64(&p->event, PF_EVENT_TYPE, type);
	fr_pb_add_u64(&p->event, PF_EVENT_TRACK, track);
	add_string(p, FR_PF_CATEGORY, slice_of(category), PF_EVENT_CATEGORY_IIDS,
		   PF_EVENT_CATEGORIES);
	add_string(p, FR_PF_NAME, name, PF_EVENT_NAME_IID, PF_EVENT_NAME);
}

void fr_pf_event_end(struct fr_perfetto *p, uint64_t time_ns)
{
	size_t mark = fr_pf_packet(p, time_ns);

	fr_pb_add_u64(&p->packet, PF_PACKET_FLAGS, PF_FLAG_NEEDS);
	if (p->strings.len_bytes)
		fr_pb_add_bytes(&p->packet, PF_PACKET_INTERNED, p->strings.data,
				p->strings.len_bytes);
	fr_pb_add_bytes(&p->packet, PF_PACKET_EVENT, p->event.data, p->event.len_bytes);
	if (p->event.err || p->strings.err)
		p->c->err = -ENOMEM;
	fr_pf_packet_end(p, mark);
}

void fr_pf_event_stop(struct fr_perfetto *p, uint64_t track, uint64_t time_ns)
{
	size_t mark = fr_pf_packet(p, time_ns), event;

	event = fr_pb_open(&p->packet, PF_PACKET_EVENT);
	fr_pb_add_u64(&p->packet, PF_EVENT_TYPE, FR_PF_END);
	fr_pb_add_u64(&p->packet, PF_EVENT_TRACK, track);
	fr_pb_close(&p->packet, event);
	fr_pf_packet_end(p, mark);
}

void fr_pf_flow(struct fr_perfetto *p, uint64_t id)
{
	fr_pb_add_fixed64(&p->event, PF_EVENT_FLOWS, id);
}

static size_t open_arg(struct fr_perfetto *p, const char *name)
{
	size_t mark = fr_pb_open(&p->event, PF_EVENT_ARG);

	add_string(p, FR_PF_ARG, slice_of(name), PF_ARG_NAME_IID, PF_ARG_NAME);
	return mark;
}

void fr_pf_arg_u64(struct fr_perfetto *p, const char *name, uint64_t v)
{
	size_t mark = open_arg(p, name);

	fr_pb_add_u64(&p->event, PF_ARG_UINT, v);
	fr_pb_close(&p->event, mark);
}

void fr_pf_arg_i64(struct fr_perfetto *p, const char *name, int64_t v)
{
	size_t mark = open_arg(p, name);

	fr_pb_add_i64(&p->event, PF_ARG_INT, v);
	fr_pb_close(&p->event, mark);
}

void fr_pf_arg_hex(struct fr_perfetto *p, const char *name, uint64_t v)
{
	size_t mark = open_arg(p, name);

	fr_pb_add_u64(&p->event, PF_ARG_POINTER, v);
	fr_pb_close(&p->event, mark);
}

void fr_pf_arg_bool(struct fr_perfetto *p, const char *name, bool v)
{
	size_t mark = open_arg(p, name);

	fr_pb_add_u64(&p->event, PF_ARG_BOOL, v);
	fr_pb_close(&p->event, mark);
}

void fr_pf_arg_str(struct fr_perfetto *p, const char *name, struct fr_slice s)
{
	size_t mark;

	if (!s.len_bytes)
		return;
	mark = open_arg(p, name);
	add_utf8(&p->event, PF_ARG_STRING, s);
	fr_pb_close(&p->event, mark);
}

void fr_pf_arg_text(struct fr_perfetto *p, const char *name, const char *s)
{
	fr_pf_arg_str(p, name, slice_of(s));
}

/* ---- the fields of a record ----------------------------------------------------------------- */

static void put_addr(struct fr_perfetto *p, const struct fr_sock_addr *a)
{
	char text[64];

	fr_pf_arg_text(p, "local", fr_addr_format(a, false, text, sizeof(text)));
	fr_pf_arg_text(p, "remote", fr_addr_format(a, true, text, sizeof(text)));
}

/* Bytes for reading: what cannot be printed is a dot. */
static void put_bytes(struct fr_perfetto *p, const char *name, struct fr_slice s)
{
	uint8_t text[512];
	size_t len = s.len_bytes < sizeof(text) ? s.len_bytes : sizeof(text);

	for (size_t i = 0; i < len; i++)
		text[i] = s.data[i] >= 0x20 && s.data[i] < 0x7f ? s.data[i] : '.';
	fr_pf_arg_str(p, name, (struct fr_slice){ text, len });
}

static void put_field(void *ctx, const struct fr_field *f)
{
	struct fr_perfetto *p = ctx;

	switch (f->type) {
	case FR_FIELD_U64:
	case FR_FIELD_NS:
		fr_pf_arg_u64(p, f->name, f->number);
		break;
	case FR_FIELD_I64:
		fr_pf_arg_i64(p, f->name, (int64_t)f->number);
		break;
	case FR_FIELD_HEX:
		fr_pf_arg_hex(p, f->name, f->number);
		break;
	case FR_FIELD_STR:
		fr_pf_arg_str(p, f->name, f->bytes);
		break;
	case FR_FIELD_ADDR:
		if (f->addr)
			put_addr(p, f->addr);
		break;
	case FR_FIELD_BYTES:
		put_bytes(p, f->name, f->bytes);
		break;
	}
}

/* Who is at the ends of the socket, where the record itself does not say. */
static void put_socket(struct fr_perfetto *p, const struct fr_merged *m)
{
	bool ends;
	const struct fr_socket *s = fr_sink_socket(p->c, m, &ends);

	if (!s)
		return;
	if (ends)
		put_addr(p, &s->addr);
	fr_pf_arg_str(p, "path", s->path);
}

void fr_pf_args_of(struct fr_perfetto *p, const struct fr_merged *m)
{
	struct fr_field_sink fields = { put_field, p };

	fr_event_fields(&m->rec, &fields);
	put_socket(p, m);
}
