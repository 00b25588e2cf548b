/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Perfetto: switches and wakings in the form of the kernel's own tracer, which every version of
 * Perfetto makes CPU tracks, thread states and wakers of. Bundled per CPU.
 */
#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "perfetto_fields.h"
#include "perfetto_internal.h"

#define BUNDLE_EVENTS 256u
/* Of all bundles: so many CPUs that full ones would take more get smaller ones. */
#define BUNDLES_MAX_BYTES (4u << 20)
#define BUNDLE_MIN_BYTES 512u
#define EVENT_ROOM_BYTES 192u /* holds any event here */
#define PRIO_NORMAL 120	      /* not recorded; a field that must be there */
/* As the kernel's tracer tells states: bits 0..7, and one for "runnable, was preempted". */
#define STATE_BITS 0xffu
#define STATE_PREEMPTED 0x100u
#define STATE_IDLE 0x402u /* TASK_IDLE: uninterruptible, without load: told as 'I' */
#define STATE_REPORT_IDLE 0x80u

struct bundle {
	struct fr_buf events;
	uint64_t first_ns;
	uint32_t cnt;
	bool lost; /* something is missing before its first event */
};

struct fr_perfetto_sched {
	struct bundle *cpus;
	uint32_t cpu_cnt;
	size_t room_bytes; /* of all bundles */
};

int fr_pf_sched_new(struct fr_perfetto *p)
{
	p->sched = calloc(1, sizeof(*p->sched));
	return p->sched ? 0 : -ENOMEM;
}

void fr_pf_sched_free(struct fr_perfetto *p)
{
	if (!p->sched)
		return;
	for (uint32_t i = 0; i < p->sched->cpu_cnt; i++)
		fr_buf_done(&p->sched->cpus[i].events);
	free(p->sched->cpus);
	free(p->sched);
	p->sched = NULL;
}

static struct bundle *bundle_of(struct fr_perfetto *p, uint16_t cpu)
{
	struct fr_perfetto_sched *s = p->sched;
	uint32_t cnt = cpu + 1u;
	struct bundle *bigger;

	if (cpu < s->cpu_cnt)
		return &s->cpus[cpu];
	bigger = realloc(s->cpus, cnt * sizeof(*bigger));
	if (!bigger) {
		p->c->err = -ENOMEM;
		return NULL;
	}
	memset(bigger + s->cpu_cnt, 0, (cnt - s->cpu_cnt) * sizeof(*bigger));
	s->cpus = bigger;
	s->cpu_cnt = cnt;
	return &bigger[cpu];
}

static void flush(struct fr_perfetto *p, uint16_t cpu, struct bundle *b)
{
	size_t packet, mark;

	if (!b->cnt)
		return;
	packet = fr_pf_packet(p, b->first_ns);
	mark = fr_pb_open(&p->packet, PF_PACKET_FTRACE);
	fr_pb_add_u64(&p->packet, PF_FTRACE_CPU, cpu);
	fr_buf_add(&p->packet, b->events.data, b->events.len_bytes);
	if (b->lost)
		fr_pb_add_u64(&p->packet, PF_FTRACE_LOST, 1);
	fr_pb_close(&p->packet, mark);
	fr_pf_packet_end(p, packet);
	if (b->events.err)
		p->c->err = -ENOMEM;
	fr_buf_clear(&b->events);
	b->cnt = 0;
	b->lost = false;
}

/* Room for one more event. False: the bundle must not grow. */
static bool make_room(struct fr_perfetto_sched *s, struct bundle *b)
{
	size_t had = b->events.cap_bytes, want = had ? had * 2 : BUNDLE_MIN_BYTES;

	if (had - b->events.len_bytes >= EVENT_ROOM_BYTES)
		return true;
	if (had && s->room_bytes + want - had > BUNDLES_MAX_BYTES)
		return false;
	(void)fr_buf_reserve(&b->events, want - b->events.len_bytes);
	s->room_bytes += b->events.cap_bytes - had;
	return true;
}

/* Opens an event in its CPU's bundle; NULL = no memory. */
static struct bundle *open_event(struct fr_perfetto *p, const struct fr_merged *m, uint32_t pid,
				 size_t *ret_mark)
{
	struct bundle *b = bundle_of(p, m->rec.cpu);

	if (!b)
		return NULL;
	if (b->cnt == BUNDLE_EVENTS || !make_room(p->sched, b))
		flush(p, m->rec.cpu, b);
	if (!b->cnt++)
		b->first_ns = m->order_ns;
	*ret_mark = fr_pb_open(&b->events, PF_FTRACE_EVENT);
	fr_pb_add_u64(&b->events, PF_FEVENT_TIMESTAMP, m->order_ns);
	fr_pb_add_u64(&b->events, PF_FEVENT_PID, pid);
	return b;
}

/* Name of a thread now; swapper for tid 0. Introduces it. False: kept out by the filter. */
static bool known(struct fr_perfetto *p, uint32_t tid, uint64_t time_ns, char ret_comm[32],
		  uint16_t cpu)
{
	struct fr_thread *th;
	uint64_t track;

	if (!tid) {
		snprintf(ret_comm, 32, "swapper/%u", cpu);
		return false;
	}
	th = fr_threads_get(p->c->threads, tid, time_ns);
	ret_comm[0] = 0;
	if (!th)
		return false;
	memcpy(ret_comm, th->comm, FR_COMM_BYTES);
	ret_comm[FR_COMM_BYTES] = 0;
	return fr_pf_thread(p, th->who, &track);
}

static uint32_t told_state(uint32_t state, bool preempted)
{
	if (preempted)
		return STATE_PREEMPTED;
	if ((state & STATE_IDLE) == STATE_IDLE)
		return STATE_REPORT_IDLE;
	return state & STATE_BITS;
}

static void put_switch(struct fr_perfetto *p, const struct fr_merged *m)
{
	uint64_t who = fr_load64(m->rec.data + offsetof(struct fr_sched_switch, who));
	uint32_t prev = FR_SWITCH_PREV(who), next = FR_SWITCH_NEXT(who);
	char prev_comm[32], next_comm[32];
	bool wanted = known(p, prev, m->order_ns, prev_comm, m->rec.cpu);
	struct bundle *b;
	size_t mark, inner;

	wanted |= known(p, next, m->order_ns, next_comm, m->rec.cpu);
	if (!wanted && fr_filter_on(p->c))
		return;
	b = open_event(p, m, prev, &mark);
	if (!b)
		return;
	inner = fr_pb_open(&b->events, PF_FEVENT_SWITCH);
	fr_pb_add_str(&b->events, PF_SWITCH_PREV_COMM, prev_comm);
	fr_pb_add_u64(&b->events, PF_SWITCH_PREV_PID, prev);
	fr_pb_add_u64(&b->events, PF_SWITCH_PREV_PRIO, PRIO_NORMAL);
	fr_pb_add_u64(&b->events, PF_SWITCH_PREV_STATE,
		      told_state(FR_SWITCH_STATE(who), FR_SWITCH_PREEMPT(who)));
	fr_pb_add_str(&b->events, PF_SWITCH_NEXT_COMM, next_comm);
	fr_pb_add_u64(&b->events, PF_SWITCH_NEXT_PID, next);
	fr_pb_add_u64(&b->events, PF_SWITCH_NEXT_PRIO, PRIO_NORMAL);
	fr_pb_close(&b->events, inner);
	fr_pb_close(&b->events, mark);
}

static uint32_t flags_of(uint32_t context)
{
	if (context == FR_WAKER_HARDIRQ)
		return PF_TRACE_HARDIRQ;
	return context == FR_WAKER_SOFTIRQ ? PF_TRACE_SOFTIRQ : 0;
}

static void put_waking(struct fr_perfetto *p, const struct fr_merged *m)
{
	uint64_t who = fr_load64(m->rec.data + offsetof(struct fr_sched_waking, who));
	uint32_t waker = FR_WAKING_WAKER(who), flags = flags_of(FR_WAKING_CONTEXT(who));
	char comm[32];
	struct bundle *b;
	size_t mark, inner;

	if (!known(p, FR_WAKING_WAKEE(who), m->order_ns, comm, m->rec.cpu))
		return;
	/* of an interrupt nobody, where the kernel's tracer names whom it interrupted */
	b = open_event(p, m, waker, &mark);
	if (!b)
		return;
	if (flags)
		fr_pb_add_u64(&b->events, PF_FEVENT_FLAGS, flags);
	inner = fr_pb_open(&b->events, PF_FEVENT_WAKING);
	fr_pb_add_str(&b->events, PF_WAKING_COMM, comm);
	fr_pb_add_u64(&b->events, PF_WAKING_PID, FR_WAKING_WAKEE(who));
	fr_pb_add_u64(&b->events, PF_WAKING_PRIO, PRIO_NORMAL);
	fr_pb_add_u64(&b->events, PF_WAKING_SUCCESS, 1);
	fr_pb_add_u64(&b->events, PF_WAKING_CPU, FR_WAKING_CPU(who));
	fr_pb_close(&b->events, inner);
	fr_pb_close(&b->events, mark);
}

void fr_pf_sched(struct fr_perfetto *p, const struct fr_merged *m)
{
	if (m->rec.kind == FR_EV_SCHED_SWITCH)
		put_switch(p, m);
	else
		put_waking(p, m);
}

void fr_pf_sched_lost(struct fr_perfetto *p, uint16_t cpu)
{
	struct bundle *b = bundle_of(p, cpu);

	if (!b)
		return;
	flush(p, cpu, b);
	b->lost = true;
}

void fr_pf_sched_end(struct fr_perfetto *p)
{
	for (uint32_t i = 0; i < p->sched->cpu_cnt; i++)
		flush(p, (uint16_t)i, &p->sched->cpus[i]);
}
