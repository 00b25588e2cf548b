/* SPDX-License-Identifier: BSD-2-Clause */
#include "dump_funnel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "formats/abi/event.h"
#include "formats/abi/knobs.h"
#include "formats/base/bytes.h"

#define SEGMENT_HEAD ((uint32_t)sizeof(struct fr_segment_header))
#define LANE_BYTES_MAX (4u << 20)

/* Whole segments that will be one chunk. */
struct pending {
	uint64_t first_ns, last_ns;
	uint32_t off;
	uint32_t bytes;
	uint32_t records;
	uint32_t segments;
	uint16_t cpu;
};

struct lane {
	uint8_t *buf; /* part of the funnel's memory */
	struct pending *chunks;
	uint32_t chunk_cnt;
	uint32_t seg_off, out_off, in_off, in_end;
	uint64_t time_ns;	      /* of the record at in_off */
	uint64_t first_ns, last_ns;   /* of the open segment */
	struct fr_segment_header seg; /* open segment; its bytes are set when it is closed */
	uint16_t cpu;
};

struct funnel {
	struct fr_ring_reader *reader;
	const struct fr_funnel_sink *sink;
	uint8_t *memory;
	struct lane *lanes;
	struct lane **heap;	/* by time; lanes that have a record */
	struct pending *chunks; /* all lanes' */
	struct pending **order; /* for sorting */
	uint32_t lane_cnt, heap_cnt;
	uint32_t cap_bytes, room_bytes; /* of a lane, of a part */
	uint32_t chunks_max;		/* per lane */
	uint64_t *oldest_ns;		/* by CPU; borrowed */
	struct fr_funnel_stats stats;
};

/* The 46 bits are those of a time less than 2^45 ns before or after the base. */
static uint64_t full_time(uint64_t base_ns, uint64_t word)
{
	uint64_t forward = (FR_RECORD_TIME(word) - base_ns) & FR_TIME_MASK;

	return forward < FR_TIME_SPAN_MAX ? base_ns + forward
					  : base_ns - (FR_TIME_MASK + 1 - forward);
}

/* ---- writing ---- */

static void close_segment(struct funnel *f, struct lane *l)
{
	struct pending *p = l->chunk_cnt ? &l->chunks[l->chunk_cnt - 1] : NULL;
	uint32_t bytes = l->out_off - l->seg_off;

	if (!l->seg.records) {
		l->out_off = l->seg_off;
		return;
	}
	l->seg.bytes = bytes - SEGMENT_HEAD;
	memcpy(l->buf + l->seg_off, &l->seg, SEGMENT_HEAD);
	if (!p || p->bytes + bytes > FR_CHUNK_RAW_MAX) {
		p = &l->chunks[l->chunk_cnt++];
		*p = (struct pending){ .off = l->seg_off, .cpu = l->cpu, .first_ns = UINT64_MAX };
	}
	p->bytes += bytes;
	p->segments++;
	p->records += l->seg.records;
	p->first_ns = l->first_ns < p->first_ns ? l->first_ns : p->first_ns;
	p->last_ns = l->last_ns > p->last_ns ? l->last_ns : p->last_ns;
	f->stats.records += l->seg.records;
	/* should the rest of it follow as a segment of its own */
	l->seg.first_record += l->seg.records;
	l->seg.flags &= ~FR_SEGMENT_LOSS_BEFORE;
	l->seg.records = 0;
	l->seg_off = l->out_off;
}

static void open_segment(struct lane *l, const struct fr_segment_header *seg)
{
	l->seg = *seg;
	l->seg.records = 0;
	l->out_off = l->seg_off + SEGMENT_HEAD;
	l->first_ns = UINT64_MAX;
	l->last_ns = 0;
}

static int by_first_time(const void *a, const void *b)
{
	const struct pending *x = *(struct pending *const *)a, *y = *(struct pending *const *)b;

	if (x->first_ns != y->first_ns)
		return x->first_ns < y->first_ns ? -1 : 1;
	return x->cpu != y->cpu ? (x->cpu < y->cpu ? -1 : 1) : (x->off < y->off ? -1 : 1);
}

static int put(struct funnel *f, const struct lane *l, const struct pending *p)
{
	struct fr_dump_events ev = {
		.raw = l->buf + p->off,
		.raw_bytes = p->bytes,
		.cpu = p->cpu,
		.first_time_ns = p->first_ns,
		.last_time_ns = p->last_ns,
		.records = p->records,
		.segments = p->segments,
	};

	return f->sink->chunk(&ev, f->sink->ctx);
}

/* The lane goes on behind what was written; a segment that was cut goes on as one more. */
static void reuse(struct lane *l)
{
	struct fr_segment_header rest = l->seg;

	l->chunk_cnt = 0;
	if (l->in_off == l->in_end) {
		l->seg_off = l->out_off = l->in_off = l->in_end = 0;
		return;
	}
	l->seg_off = l->in_off - SEGMENT_HEAD;
	open_segment(l, &rest);
}

/* Writes all that is merged, in order of first time. */
static int flush(struct funnel *f)
{
	uint32_t cnt = 0;
	int err = 0;

	for (uint32_t i = 0; i < f->lane_cnt; i++) {
		close_segment(f, &f->lanes[i]);
		for (uint32_t k = 0; k < f->lanes[i].chunk_cnt; k++)
			f->order[cnt++] = &f->lanes[i].chunks[k];
	}
	if (cnt)
		qsort(f->order, cnt, sizeof(*f->order), by_first_time);
	for (uint32_t i = 0; i < cnt && !err; i++)
		err = put(f, &f->lanes[(f->order[i] - f->chunks) / f->chunks_max], f->order[i]);
	for (uint32_t i = 0; i < f->lane_cnt; i++)
		reuse(&f->lanes[i]);
	return err;
}

/* ---- reading ---- */

static bool has_room(const struct funnel *f, const struct lane *l)
{
	return f->cap_bytes - l->out_off >= SEGMENT_HEAD + f->room_bytes;
}

/* Moves what is pending to the lane's start: it may lie behind what was written before. */
static void pack(struct lane *l)
{
	uint32_t from = l->chunk_cnt ? l->chunks[0].off : l->out_off;

	memmove(l->buf, l->buf + from, l->out_off - from);
	for (uint32_t k = 0; k < l->chunk_cnt; k++)
		l->chunks[k].off -= from;
	l->seg_off = l->out_off -= from;
}

/* The next part of an exhausted lane. 1, 0 at its end, or a negative errno. */
static int load(struct funnel *f, struct lane *l)
{
	struct fr_ring_part part;
	uint8_t *to;
	int ret;

	close_segment(f, l);
	l->in_off = l->in_end = l->out_off;
	if (!has_room(f, l))
		pack(l);
	if (!has_room(f, l)) {
		ret = flush(f);
		if (ret)
			return ret;
	}
	to = l->buf + l->out_off + SEGMENT_HEAD;
	ret = fr_ring_read(f->reader, l->cpu, to, f->room_bytes, &part);
	if (ret != 1)
		return ret;
	f->stats.read_bytes += part.bytes;
	l->seg_off = l->out_off;
	open_segment(l, &(struct fr_segment_header){
				.base_time_ns = part.base_time_ns,
				.sub_seq = part.seq,
				.first_record = part.first_record,
				.flags = (part.running ? FR_SEGMENT_RUNNING : 0) |
					 (part.loss_before ? FR_SEGMENT_LOSS_BEFORE : 0),
			});
	l->in_off = l->out_off;
	l->in_end = l->in_off + part.bytes;
	l->time_ns = full_time(part.base_time_ns, fr_load64(to));
	return 1;
}

/* The record at in_off goes through the filter and to the end of the open segment. */
static void pass(struct funnel *f, struct lane *l)
{
	uint8_t *record = l->buf + l->in_off;
	uint32_t bytes = FR_RECORD_UNITS(fr_load64(record)) * 8, new_bytes;

	new_bytes = f->sink->record(record, l->time_ns, l->cpu, f->sink->ctx);
	if (l->out_off != l->in_off)
		memmove(l->buf + l->out_off, record, new_bytes);
	l->out_off += new_bytes;
	l->in_off += bytes;
	l->seg.records++;
	l->first_ns = l->time_ns < l->first_ns ? l->time_ns : l->first_ns;
	l->last_ns = l->time_ns > l->last_ns ? l->time_ns : l->last_ns;
	if (l->in_off < l->in_end)
		l->time_ns = full_time(l->seg.base_time_ns, fr_load64(l->buf + l->in_off));
}

/* ---- merging ---- */

static bool before(const struct lane *a, const struct lane *b)
{
	return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->cpu < b->cpu;
}

static void sift_down(struct funnel *f, uint32_t at)
{
	struct lane *l = f->heap[at];
	uint32_t child;

	while ((child = 2 * at + 1) < f->heap_cnt) {
		if (child + 1 < f->heap_cnt && before(f->heap[child + 1], f->heap[child]))
			child++;
		if (!before(f->heap[child], l))
			break;
		f->heap[at] = f->heap[child];
		at = child;
	}
	f->heap[at] = l;
}

/* Up to when the first lane may go on alone. */
static uint64_t next_lane_ns(const struct funnel *f)
{
	uint64_t next_ns = f->heap_cnt > 1 ? f->heap[1]->time_ns : UINT64_MAX;

	if (f->heap_cnt > 2 && f->heap[2]->time_ns < next_ns)
		next_ns = f->heap[2]->time_ns;
	return next_ns;
}

static int merge(struct funnel *f)
{
	struct lane *l;
	uint64_t until_ns;
	int ret;

	while (f->heap_cnt) {
		l = f->heap[0];
		until_ns = next_lane_ns(f);
		do
			pass(f, l);
		while (l->in_off < l->in_end && l->time_ns < until_ns);
		if (l->in_off == l->in_end) {
			ret = load(f, l);
			if (ret < 0)
				return ret;
			if (!ret)
				f->heap[0] = f->heap[--f->heap_cnt];
		}
		if (f->heap_cnt)
			sift_down(f, 0);
	}
	return flush(f);
}

/* What is gone before the first part of a lane. */
static uint64_t oldest_of(const struct funnel *f, const struct lane *l, bool has_record)
{
	const struct fr_ring_account *a = fr_ring_account(f->reader, l->cpu);

	if (!(a->overwritten + a->overtaken + a->unfinished))
		return FR_OLDEST_ALL;
	return has_record ? l->time_ns : FR_OLDEST_NONE;
}

/* The first part of every lane: with it the common window is known. */
static int prime(struct funnel *f)
{
	uint64_t oldest_ns;
	int ret;

	for (uint32_t i = 0; i < f->lane_cnt; i++) {
		ret = load(f, &f->lanes[i]);
		if (ret < 0)
			return ret;
		if (ret)
			f->heap[f->heap_cnt++] = &f->lanes[i];
		oldest_ns = oldest_of(f, &f->lanes[i], ret);
		f->oldest_ns[f->lanes[i].cpu] = oldest_ns;
		if (oldest_ns != FR_OLDEST_NONE && oldest_ns > f->stats.common_start_ns)
			f->stats.common_start_ns = oldest_ns;
	}
	for (uint32_t i = f->heap_cnt / 2; i-- > 0;)
		sift_down(f, i);
	if (f->sink->begin)
		f->sink->begin(f->stats.common_start_ns, f->sink->ctx);
	return 0;
}

/* ---- the whole ---- */

static void share_out(struct funnel *f, size_t budget_bytes)
{
	uint64_t cap = (budget_bytes ? budget_bytes : FR_FUNNEL_BUDGET_BYTES) / f->lane_cnt & ~7ull;

	if (cap < FR_LANE_BYTES_MIN)
		cap = FR_LANE_BYTES_MIN;
	f->cap_bytes = cap < LANE_BYTES_MAX ? (uint32_t)cap : LANE_BYTES_MAX;
	f->room_bytes = FR_SUB_BYTES;
	if (f->cap_bytes < FR_SUB_BYTES + SEGMENT_HEAD)
		f->room_bytes = (f->cap_bytes / 2 - SEGMENT_HEAD) & ~7u;
	/* two neighbours together exceed a chunk, and one is open */
	f->chunks_max = 2 * (f->cap_bytes / FR_CHUNK_RAW_MAX) + 3;
}

static int funnel_init(struct funnel *f, size_t budget_bytes)
{
	const struct fr_ring_view *v = f->reader->view;
	uint32_t lane = 0;

	for (uint32_t cpu = 0; cpu < f->reader->cpu_cnt; cpu++)
		f->lane_cnt += v->cpu_slot[cpu] != FR_NO_SLOT;
	if (!f->lane_cnt)
		return 0;
	share_out(f, budget_bytes);
	f->memory = malloc((size_t)f->cap_bytes * f->lane_cnt);
	f->lanes = calloc(f->lane_cnt, sizeof(*f->lanes));
	f->heap = calloc(f->lane_cnt, sizeof(struct lane *));
	f->chunks = calloc((size_t)f->lane_cnt * f->chunks_max, sizeof(*f->chunks));
	f->order = calloc((size_t)f->lane_cnt * f->chunks_max, sizeof(struct pending *));
	if (!f->memory || !f->lanes || !f->heap || !f->chunks || !f->order)
		return -ENOMEM;
	for (uint32_t cpu = 0; cpu < f->reader->cpu_cnt; cpu++) {
		if (v->cpu_slot[cpu] == FR_NO_SLOT)
			continue;
		f->lanes[lane].buf = f->memory + (size_t)lane * f->cap_bytes;
		f->lanes[lane].chunks = f->chunks + (size_t)lane * f->chunks_max;
		f->lanes[lane++].cpu = (uint16_t)cpu;
	}
	return 0;
}

static void funnel_done(struct funnel *f)
{
	free(f->memory);
	free(f->lanes);
	free(f->heap);
	free(f->chunks);
	free(f->order);
}

int fr_funnel_run(struct fr_ring_reader *reader, const struct fr_funnel_sink *sink,
		  size_t budget_bytes, uint64_t *oldest_ns, struct fr_funnel_stats *ret_stats)
{
	struct funnel f = { .reader = reader, .sink = sink, .oldest_ns = oldest_ns };
	int err = funnel_init(&f, budget_bytes);

	memset(oldest_ns, 0, reader->cpu_cnt * sizeof(*oldest_ns));
	if (!err)
		err = prime(&f);
	if (!err)
		err = merge(&f);
	if (!err)
		*ret_stats = f.stats;
	funnel_done(&f);
	return err;
}
