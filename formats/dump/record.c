/* SPDX-License-Identifier: BSD-2-Clause */
#include "record.h"

#include <errno.h>

#define EVENT_INFO(id, NAME, ev_name, ev_family, type)                                             \
	[id] = { .name = #ev_name,                                                                 \
		 .fixed_bytes = sizeof(struct type),                                               \
		 .family = FR_FAMILY_##ev_family },
const struct fr_event_info fr_event_infos[256] = { FR_EVENTS(EVENT_INFO) };
#undef EVENT_INFO

void fr_record_walk_init(struct fr_record_walk *w, uint16_t cpu, struct fr_slice raw)
{
	*w = (struct fr_record_walk){
		.at = raw.data,
		.behind_bytes = raw.len_bytes,
		.cpu = cpu,
	};
}

/*
 * The 46 bits are the low bits of a time less than 2^45 ns after the base, or a little before it:
 * the clock may step back slightly. Saturates, so that hostile bases cannot wrap.
 */
static uint64_t full_time(uint64_t base_ns, uint64_t low46)
{
	uint64_t forward = (low46 - base_ns) & FR_TIME_MASK, back;

	if (forward < FR_TIME_SPAN_MAX)
		return base_ns > UINT64_MAX - forward ? UINT64_MAX : base_ns + forward;
	back = FR_TIME_MASK + 1 - forward;
	return base_ns < back ? 0 : base_ns - back;
}

static int pass_over_chunk(struct fr_record_walk *w)
{
	w->at += w->behind_bytes;
	w->behind_bytes = 0;
	return -EBADMSG;
}

/* 0: the next segment is entered. -EBADMSG: its header makes no sense, nothing behind it does. */
static int enter_segment(struct fr_record_walk *w)
{
	struct fr_segment_header h;

	if (w->behind_bytes < sizeof(h))
		return pass_over_chunk(w);
	memcpy(&h, w->at, sizeof(h));
	if (h.bytes % 8 || h.bytes > w->behind_bytes - sizeof(h))
		return pass_over_chunk(w);
	w->at += sizeof(h);
	w->seg_left_bytes = h.bytes;
	w->behind_bytes -= sizeof(h) + h.bytes;
	w->base_time_ns = h.base_time_ns;
	w->sub_seq = h.sub_seq;
	w->ordinal = h.first_record;
	w->records_left = h.records;
	w->flags = h.flags;
	w->segments++;
	return 0;
}

int fr_record_next(struct fr_record_walk *w, struct fr_record *ret_record)
{
	uint64_t word;
	uint32_t bytes;
	int err;

	while (!w->seg_left_bytes) {
		/* a count that does not agree is said once; the records themselves were fine */
		if (w->records_left) {
			w->records_left = 0;
			return -EBADMSG;
		}
		if (!w->behind_bytes)
			return 0;
		err = enter_segment(w);
		if (err)
			return err;
	}
	word = fr_load64(w->at);
	bytes = FR_RECORD_UNITS(word) * 8;
	if (!bytes || bytes > w->seg_left_bytes || !w->records_left) {
		w->at += w->seg_left_bytes;
		w->seg_left_bytes = 0;
		w->records_left = 0;
		return -EBADMSG;
	}
	*ret_record = (struct fr_record){
		.time_ns = full_time(w->base_time_ns, FR_RECORD_TIME(word)),
		.kind = FR_RECORD_KIND(word),
		.bytes = bytes,
		.cpu = w->cpu,
		.sub_seq = w->sub_seq,
		.ordinal = w->ordinal++,
		.data = w->at,
	};
	w->last_time_ns = ret_record->time_ns;
	w->records_left--;
	w->at += bytes;
	w->seg_left_bytes -= bytes;
	return 1;
}

static bool variable_fits(const struct fr_record *r, size_t variable_bytes)
{
	return variable_bytes <= r->bytes - fr_event_infos[r->kind].fixed_bytes;
}

static bool exec_sound(const struct fr_record *r)
{
	struct fr_proc_exec e;

	memcpy(&e, r->data, sizeof(e));
	return variable_fits(r, (size_t)e.path_bytes + e.args_bytes);
}

static bool open_sound(const struct fr_record *r)
{
	struct fr_sock_open e;

	memcpy(&e, r->data, sizeof(e));
	return variable_fits(r, e.path_bytes);
}

static bool io_sound(const struct fr_record *r)
{
	struct fr_sock_io e;
	size_t addr_bytes;

	memcpy(&e, r->data, sizeof(e));
	addr_bytes = e.flags & FR_IO_ADDR ? sizeof(struct fr_sock_addr) : 0;
	return variable_fits(r, addr_bytes + e.captured_bytes);
}

bool fr_record_sound(const struct fr_record *r)
{
	if (r->kind > 255 || !fr_event_infos[r->kind].name ||
	    r->bytes < fr_event_infos[r->kind].fixed_bytes)
		return false;
	if (r->kind == FR_EV_PROC_EXEC)
		return exec_sound(r);
	if (r->kind == FR_EV_SOCK_OPEN || r->kind == FR_EV_SOCK_CLOSE)
		return open_sound(r);
	if (r->kind == FR_EV_SOCK_SEND || r->kind == FR_EV_SOCK_RECV)
		return io_sound(r);
	return true;
}
