/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Laying records into segments and chunks for the fixture dump (dump_fixture.h). Checks itself
 * with assert: times never go back on a CPU, a thread runs on one CPU at a time, whoever gets a
 * CPU was runnable.
 */
#ifndef FR_TESTS_FIXTURE_BUILD_H
#define FR_TESTS_FIXTURE_BUILD_H

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "formats/base/buf.h"
#include "formats/dump/reader.h"
#include "formats/dump/writer.h"

#define FX_CPUS 2
#define FX_THREADS_MAX 64
#define FX_CHUNKS_MAX 4096

/* What the fixture holds, counted apart from what the writer and the reader count. */
struct fr_fixture_facts {
	uint64_t records;
	uint64_t kinds[256];
	uint64_t cpu_records[FX_CPUS];
	uint64_t cpu_oldest_ns[FX_CPUS]; /* time of the first record */
	uint64_t cpu_overtaken[FX_CPUS];
	uint64_t last_ns;
	uint64_t trigger_ns;
	uint32_t event_chunks;
	uint32_t threads, processes, sockets; /* rows of the tables */
};

struct fx_chunk {
	uint8_t *raw; /* owned */
	struct fr_dump_events ev;
};

struct fx_cpu {
	struct fr_buf raw; /* segments of the chunk being filled */
	size_t seg_at;	   /* where the open segment's header lies in raw */
	struct fr_segment_header seg;
	bool open; /* a segment is open */
	uint32_t sub_seq;
	uint32_t gap_flag; /* FR_SEGMENT_LOSS_BEFORE for the next segment */
	uint64_t first_ns, last_ns;
	uint32_t records, segments; /* in the chunk */
	uint32_t running;	    /* tid */
};

struct fx_thread {
	uint32_t tid;
	bool runnable, running;
	uint64_t since_ns; /* runnable since */
	uint32_t run_delay_ns;
};

struct fx {
	struct fx_cpu cpu[FX_CPUS];
	struct fx_thread threads[FX_THREADS_MAX];
	uint32_t thread_cnt;
	struct fx_chunk chunks[FX_CHUNKS_MAX];
	uint32_t chunk_cnt;
	uint32_t segment_records; /* at most, in one segment */
	uint32_t chunk_bytes;	  /* a chunk is closed when it holds as many */
	struct fr_fixture_facts facts;
};

/* A part of a record behind its fixed struct. */
struct fx_part {
	const void *data;
	size_t bytes;
};

static inline void fx_close_segment(struct fx_cpu *c)
{
	if (!c->open)
		return;
	memcpy(c->raw.data + c->seg_at, &c->seg, sizeof(c->seg));
	c->open = false;
	c->segments++;
	c->sub_seq++;
}

static inline void fx_close_chunk(struct fx *fx, uint16_t cpu)
{
	struct fx_cpu *c = &fx->cpu[cpu];
	struct fx_chunk *chunk = &fx->chunks[fx->chunk_cnt];

	fx_close_segment(c);
	if (!c->records)
		return;
	assert(fx->chunk_cnt < FX_CHUNKS_MAX);
	fx->chunk_cnt++;
	fx->facts.event_chunks++;
	chunk->raw = malloc(c->raw.len_bytes);
	assert(chunk->raw && !c->raw.err);
	memcpy(chunk->raw, c->raw.data, c->raw.len_bytes);
	chunk->ev = (struct fr_dump_events){
		.raw = chunk->raw,
		.raw_bytes = (uint32_t)c->raw.len_bytes,
		.cpu = cpu,
		.first_time_ns = c->first_ns,
		.last_time_ns = c->last_ns,
		.records = c->records,
		.segments = c->segments,
	};
	fr_buf_clear(&c->raw);
	c->records = c->segments = 0;
}

static inline void fx_open_segment(struct fx_cpu *c, uint64_t t)
{
	c->seg = (struct fr_segment_header){
		.base_time_ns = t,
		.sub_seq = c->sub_seq,
		.flags = c->gap_flag,
	};
	c->gap_flag = 0;
	c->seg_at = c->raw.len_bytes;
	fr_buf_add(&c->raw, &c->seg, sizeof(c->seg));
	c->open = true;
}

static inline void fx_count(struct fx *fx, uint16_t cpu, uint64_t t, uint32_t kind)
{
	struct fr_fixture_facts *f = &fx->facts;

	f->records++;
	f->kinds[kind]++;
	if (!f->cpu_records[cpu]++)
		f->cpu_oldest_ns[cpu] = t;
	if (t > f->last_ns)
		f->last_ns = t;
}

/* One record: fixed struct (its first word is made here), up to three parts, zeros to 8 bytes. */
static inline void fx_add(struct fx *fx, uint16_t cpu, uint64_t t, uint32_t kind, const void *fixed,
			  size_t fixed_bytes, const struct fx_part *parts, size_t part_cnt)
{
	struct fx_cpu *c = &fx->cpu[cpu];
	size_t bytes = fixed_bytes, at;
	uint64_t word;

	for (size_t i = 0; i < part_cnt; i++)
		bytes += parts[i].bytes;
	bytes = (bytes + 7) & ~(size_t)7;
	if (c->open && c->seg.records == fx->segment_records)
		fx_close_segment(c);
	if (c->records && c->raw.len_bytes + bytes > fx->chunk_bytes)
		fx_close_chunk(fx, cpu);
	if (!c->open)
		fx_open_segment(c, t);
	if (!c->records)
		c->first_ns = t;
	assert(t >= c->last_ns || !fx->facts.cpu_records[cpu]);
	c->last_ns = t;
	word = FR_RECORD_WORD(t, kind, bytes / 8);
	at = c->raw.len_bytes;
	fr_buf_add(&c->raw, &word, sizeof(word));
	fr_buf_add(&c->raw, (const uint8_t *)fixed + sizeof(word), fixed_bytes - sizeof(word));
	for (size_t i = 0; i < part_cnt; i++)
		fr_buf_add(&c->raw, parts[i].data, parts[i].bytes);
	while (c->raw.len_bytes < at + bytes)
		fr_buf_add_char(&c->raw, 0);
	c->seg.records++;
	c->seg.bytes += (uint32_t)bytes;
	c->records++;
	fx_count(fx, cpu, t, kind);
}

#define FX_ADD(fx, cpu, t, kind, rec) fx_add(fx, cpu, t, kind, &(rec), sizeof(rec), NULL, 0)

/* From here on a sub-buffer of this CPU is missing: `lost` records were overtaken. */
static inline void fx_gap(struct fx *fx, uint16_t cpu, uint64_t lost)
{
	fx_close_segment(&fx->cpu[cpu]);
	fx->cpu[cpu].sub_seq++;
	fx->cpu[cpu].gap_flag = FR_SEGMENT_LOSS_BEFORE;
	fx->facts.cpu_overtaken[cpu] += lost;
}

/* ---- who runs ------------------------------------------------------------------------------- */

static inline struct fx_thread *fx_thread(struct fx *fx, uint32_t tid)
{
	for (uint32_t i = 0; i < fx->thread_cnt; i++)
		if (fx->threads[i].tid == tid)
			return &fx->threads[i];
	assert(fx->thread_cnt < FX_THREADS_MAX);
	fx->threads[fx->thread_cnt] = (struct fx_thread){ .tid = tid };
	return &fx->threads[fx->thread_cnt++];
}

static inline void fx_runnable(struct fx *fx, uint64_t t, uint32_t tid)
{
	struct fx_thread *th = fx_thread(fx, tid);

	assert(tid && !th->running && !th->runnable);
	th->runnable = true;
	th->since_ns = t;
}

static inline void fx_waking(struct fx *fx, uint16_t cpu, uint64_t t, uint32_t wakee,
			     uint32_t waker, uint32_t context, uint16_t last_cpu)
{
	struct fr_sched_waking e = {
		.who = FR_WAKING_WHO(wakee, context == FR_WAKER_TASK ? waker : 0, last_cpu,
				     context),
	};

	assert(context != FR_WAKER_TASK || fx->cpu[cpu].running == waker);
	fx_runnable(fx, t, wakee);
	FX_ADD(fx, cpu, t, FR_EV_SCHED_WAKING, e);
}

/* The thread that runs leaves in `state` (0 = still runnable), `next` gets the CPU. */
static inline void fx_switch_state(struct fx *fx, uint16_t cpu, uint64_t t, uint32_t next,
				   uint32_t state, bool preempted)
{
	uint32_t prev = fx->cpu[cpu].running;
	struct fx_thread *p = prev ? fx_thread(fx, prev) : NULL;
	struct fr_sched_switch e = {
		.who = FR_SWITCH_WHO(prev, next, prev ? state : 0, preempted),
		.run_delay_ns = p ? p->run_delay_ns : 0,
	};
	struct fx_thread *n;

	assert(prev != next);
	if (p) {
		p->running = false;
		if (!state)
			fx_runnable(fx, t, prev);
	}
	if (next) {
		n = fx_thread(fx, next);
		assert(n->runnable && !n->running);
		n->runnable = false;
		n->running = true;
		n->run_delay_ns += (uint32_t)(t - n->since_ns);
	}
	fx->cpu[cpu].running = next;
	FX_ADD(fx, cpu, t, FR_EV_SCHED_SWITCH, e);
}

#define FX_TASK_SLEEPING 0x01u /* TASK_INTERRUPTIBLE */
#define FX_TASK_DISK 0x02u     /* TASK_UNINTERRUPTIBLE */
#define FX_TASK_DEAD 0x80u     /* TASK_DEAD */

static inline void fx_switch(struct fx *fx, uint16_t cpu, uint64_t t, uint32_t next)
{
	fx_switch_state(fx, cpu, t, next, FX_TASK_SLEEPING, false);
}

/* ---- into the file -------------------------------------------------------------------------- */

static inline int fx_chunk_order(const void *a, const void *b)
{
	const struct fx_chunk *x = a, *y = b;

	if (x->ev.first_time_ns != y->ev.first_time_ns)
		return x->ev.first_time_ns < y->ev.first_time_ns ? -1 : 1;
	return (int)x->ev.cpu - (int)y->ev.cpu;
}

static inline int fx_put_chunks(struct fx *fx, struct fr_dump_writer *w)
{
	int err = 0;

	for (uint16_t cpu = 0; cpu < FX_CPUS; cpu++) {
		fx->cpu[cpu].seg.flags |= FR_SEGMENT_RUNNING; /* the last of each CPU */
		fx_close_chunk(fx, cpu);
	}
	qsort(fx->chunks, fx->chunk_cnt, sizeof(*fx->chunks), fx_chunk_order);
	for (uint32_t i = 0; i < fx->chunk_cnt && !err; i++)
		err = fr_dump_put_events(w, &fx->chunks[i].ev);
	return err;
}

static inline void fx_done(struct fx *fx)
{
	for (uint32_t i = 0; i < fx->chunk_cnt; i++)
		free(fx->chunks[i].raw);
	for (uint16_t cpu = 0; cpu < FX_CPUS; cpu++)
		fr_buf_done(&fx->cpu[cpu].raw);
}

#endif
