/* SPDX-License-Identifier: BSD-2-Clause */
#include "merge.h"

#include <errno.h>
#include <stdlib.h>

#include "stream.h"

#define STEP_BACK_MAX_NS 1000000u /* further back is no jitter of the clock */
/* A stream takes part this long before its first chunk's time: steps back must not reorder. */
#define JOIN_EARLY_NS (10 * STEP_BACK_MAX_NS)

/* One CPU: its streams, one per dump, joined by the records' identity. */
struct lane {
	struct fr_stream *streams; /* borrowed from the merge */
	uint32_t stream_cnt;
	uint32_t joined; /* streams[0..joined) take part */
	uint16_t cpu;
	bool any;     /* a record was handed out; what follows describes it */
	bool running; /* it came from a sub-buffer that was not closed */
	uint32_t instance, sub_seq, ordinal, dump;
	uint64_t order_ns;
	struct fr_stream_damage damage; /* since then, over all streams */
	bool cut_said;
	uint32_t from; /* stream that `next` came from */
	struct fr_merged next;
	struct fr_record behind; /* next is a gap: the record that follows it */
	uint64_t behind_ns;
	bool has_behind;
};

/* The lanes in the order in which their next records come: the first FRONT_MAX of them sorted, so
 * that it is known ahead what will be needed, the others in a heap. */
#define FRONT_MAX 16u
/* So many CPUs that their records are no longer in the cache when their turn comes. */
#define MANY_LANES 128u

struct heap_node {
	uint64_t order_ns;
	uint32_t lane;
};

struct fr_merge {
	struct fr_stream *streams;
	size_t stream_cnt;
	uint32_t *chunks;   /* all inputs' event chunks, by input, CPU and place in the file */
	struct lane *lanes; /* by CPU */
	size_t lane_cnt;
	struct heap_node front[FRONT_MAX];
	uint32_t front_cnt;
	struct heap_node *heap;
	size_t heap_cnt;
	bool started;
	struct fr_stream_shared shared;
	struct fr_merge_stats stats;
};

/* ---- one lane ------------------------------------------------------------------------------- */

/* <0, 0, >0. Sub-buffer numbers are 32 bits and may wrap. */
static int compare_identity(uint32_t instance, const struct fr_record *r, uint32_t instance_b,
			    uint32_t sub_seq_b, uint32_t ordinal_b)
{
	if (instance != instance_b)
		return instance < instance_b ? -1 : 1;
	if (r->sub_seq != sub_seq_b)
		return (int32_t)(r->sub_seq - sub_seq_b) < 0 ? -1 : 1;
	return r->ordinal < ordinal_b ? -1 : r->ordinal > ordinal_b;
}

static void take_damage(struct lane *l, const struct fr_stream *s)
{
	if (!s->damage.any)
		return;
	if (!l->damage.any)
		l->damage.from_ns = s->damage.from_ns;
	l->damage.any = true;
	if (s->damage.to_ns > l->damage.to_ns)
		l->damage.to_ns = s->damage.to_ns;
	l->damage.records += s->damage.records;
}

/* Moves one stream on, past what the lane has handed out already. 1, 0, -ENOMEM. */
static int advance_stream(struct lane *l, struct fr_stream *s, struct fr_merge *m)
{
	int ret;

	for (;;) {
		ret = fr_stream_next(s, &m->shared);
		take_damage(l, s);
		if (ret != 1 || !l->any || l->stream_cnt == 1 ||
		    compare_identity(s->instance, &s->rec, l->instance, l->sub_seq, l->ordinal) > 0)
			return ret;
		m->stats.duplicates++;
	}
}

/* The stream with the lane's next record; NULL at the end. Sets *ret_err. */
static struct fr_stream *choose_stream(struct lane *l, struct fr_merge *m, int *ret_err)
{
	struct fr_stream *best = NULL, *s;
	int ret;

	for (uint32_t i = 0; i < l->stream_cnt; i++) {
		s = &l->streams[i];
		if (s->done)
			continue;
		if (i >= l->joined) {
			if (best && s->first_ns > best->rec.time_ns + JOIN_EARLY_NS)
				break;
			l->joined = i + 1;
		}
		if (!s->have || (l->any && compare_identity(s->instance, &s->rec, l->instance,
							    l->sub_seq, l->ordinal) <= 0)) {
			m->stats.duplicates += s->have && l->from != i;
			ret = advance_stream(l, s, m);
			if (ret < 0)
				*ret_err = ret;
			if (ret != 1)
				continue;
		}
		if (!best || compare_identity(s->instance, &s->rec, best->instance,
					      best->rec.sub_seq, best->rec.ordinal) < 0)
			best = s;
	}
	return best;
}

static bool follows_at_once(const struct lane *l, const struct fr_stream *s)
{
	return l->any && s->rec.sub_seq == l->sub_seq && s->rec.ordinal == l->ordinal + 1 &&
	       s->instance == l->instance;
}

/* Is something missing between the lane's last record and this one, which does not follow at once?
 */
static bool gap_before(const struct lane *l, const struct fr_stream *s, enum fr_gap_cause *cause)
{
	const struct fr_record *r = &s->rec;
	bool same_dump = s->dump_no == l->dump;

	if (!l->any)
		return false;
	*cause = same_dump ? FR_GAP_LOST : FR_GAP_BETWEEN;
	if (s->instance != l->instance)
		return true;
	if (r->sub_seq == l->sub_seq)
		return true;
	if (s->flags & FR_SEGMENT_LOSS_BEFORE)
		return true;
	/* inside a dump, numbers that are jumped over are sub-buffers that never held a record */
	if (same_dump)
		return r->ordinal != 0;
	return l->running || r->ordinal != 0 || r->sub_seq != l->sub_seq + 1;
}

static uint64_t smooth(struct lane *l, uint64_t time_ns, struct fr_merge_stats *stats)
{
	if (!l->any || time_ns >= l->order_ns)
		return time_ns;
	if (l->order_ns - time_ns <= STEP_BACK_MAX_NS)
		return l->order_ns;
	stats->steps_back++;
	return time_ns;
}

static void put_gap(struct lane *l, enum fr_gap_cause cause, uint64_t to_ns, uint32_t dump,
		    struct fr_merge *m)
{
	uint64_t from_ns = l->any ? l->order_ns : l->damage.from_ns;

	if (from_ns > to_ns || !from_ns)
		from_ns = to_ns;
	l->next = (struct fr_merged){
		.rec = { .cpu = l->cpu },
		.order_ns = from_ns,
		.dump = dump,
		.type = FR_MERGED_GAP,
		.cause = cause,
		.gap_to_ns = to_ns,
		.gap_records = cause == FR_GAP_DAMAGED ? l->damage.records : 0,
	};
	l->damage = (struct fr_stream_damage){ 0 };
	m->stats.gaps += cause != FR_GAP_BETWEEN;
	m->stats.gaps_between += cause == FR_GAP_BETWEEN;
}

static void put_record(struct lane *l, const struct fr_stream *s, uint64_t order_ns, bool after_gap)
{
	l->next = (struct fr_merged){
		.rec = s->rec,
		.order_ns = order_ns,
		.dump = s->dump_no,
		.type = FR_MERGED_RECORD,
		.after_gap = after_gap,
	};
	l->any = true;
	l->running = s->flags & FR_SEGMENT_RUNNING;
	l->instance = s->instance;
	l->sub_seq = s->rec.sub_seq;
	l->ordinal = s->rec.ordinal;
	l->dump = s->dump_no;
	l->order_ns = order_ns;
}

/* The lane's last word: what is missing behind its last record. False = nothing. */
static bool put_last_gap(struct lane *l, struct fr_merge *m)
{
	const struct fr_stream *last = &l->streams[l->stream_cnt - 1];

	if (l->damage.any) {
		uint64_t to_ns = l->damage.to_ns > l->order_ns ? l->damage.to_ns : l->order_ns;

		put_gap(l, FR_GAP_DAMAGED, to_ns, last->dump_no, m);
		return true;
	}
	if (!l->any || l->cut_said || last->cut_ns <= l->order_ns)
		return false;
	l->cut_said = true;
	put_gap(l, FR_GAP_CUT, last->cut_ns, last->dump_no, m);
	return true;
}

/* Fills l->next. 1, 0 at the end, -ENOMEM. */
static int advance_lane(struct lane *l, struct fr_merge *m)
{
	enum fr_gap_cause cause = FR_GAP_DAMAGED;
	struct fr_stream *s = &l->streams[0];
	uint64_t order_ns;
	int ret = 0;

	if (l->has_behind) {
		s = &l->streams[l->from];
		l->has_behind = false;
		put_record(l, s, l->behind_ns, true);
		return 1;
	}
	if (l->stream_cnt == 1) {
		ret = s->done ? 0 : advance_stream(l, s, m);
		s = ret == 1 ? s : NULL;
	} else {
		s = choose_stream(l, m, &ret);
	}
	if (ret < 0)
		return ret;
	if (!s)
		return put_last_gap(l, m);
	l->from = (uint32_t)(s - l->streams);
	order_ns = smooth(l, s->rec.time_ns, &m->stats);
	if (follows_at_once(l, s) || (!l->damage.any && !gap_before(l, s, &cause))) {
		l->damage = (struct fr_stream_damage){ 0 }; /* another dump had what was bad */
		put_record(l, s, order_ns, false);
		return 1;
	}
	l->behind_ns = order_ns;
	l->has_behind = true;
	put_gap(l, cause, order_ns, s->dump_no, m);
	return 1;
}

/* ---- whose turn it is ----------------------------------------------------------------------- */

static bool node_before(const struct heap_node *a, const struct heap_node *b)
{
	return a->order_ns != b->order_ns ? a->order_ns < b->order_ns : a->lane < b->lane;
}

static void sift_down(struct fr_merge *m, size_t i)
{
	struct heap_node moving = m->heap[i];
	size_t child;

	for (;;) {
		child = 2 * i + 1;
		if (child >= m->heap_cnt)
			break;
		if (child + 1 < m->heap_cnt && node_before(&m->heap[child + 1], &m->heap[child]))
			child++;
		if (!node_before(&m->heap[child], &moving))
			break;
		m->heap[i] = m->heap[child];
		i = child;
	}
	m->heap[i] = moving;
}

/* Takes the heap's first. */
static struct heap_node heap_pop(struct fr_merge *m)
{
	struct heap_node first = m->heap[0];

	m->heap[0] = m->heap[--m->heap_cnt];
	if (m->heap_cnt > 1)
		sift_down(m, 0);
	return first;
}

static int start(struct fr_merge *m)
{
	int ret;

	m->started = true;
	for (size_t i = 0; i < m->lane_cnt; i++) {
		ret = advance_lane(&m->lanes[i], m);
		if (ret < 0)
			return ret;
		if (ret == 1)
			m->heap[m->heap_cnt++] = (struct heap_node){ m->lanes[i].next.order_ns,
								     (uint32_t)i };
	}
	for (size_t i = m->heap_cnt / 2; i--;)
		sift_down(m, i);
	while (m->front_cnt < FRONT_MAX && m->heap_cnt)
		m->front[m->front_cnt++] = heap_pop(m);
	return 0;
}

/* The lane in front has a new record: where does that leave it? */
static void place_first(struct fr_merge *m, uint64_t order_ns)
{
	struct heap_node node = { order_ns, m->front[0].lane };
	uint32_t i = 0;

	for (; i + 1 < m->front_cnt && node_before(&m->front[i + 1], &node); i++)
		m->front[i] = m->front[i + 1];
	if (i + 1 == m->front_cnt && m->heap_cnt && node_before(&m->heap[0], &node)) {
		m->front[i] = m->heap[0];
		m->heap[0] = node;
		sift_down(m, 0);
	} else {
		m->front[i] = node;
	}
}

static void drop_first(struct fr_merge *m)
{
	m->front_cnt--;
	memmove(m->front, m->front + 1, m->front_cnt * sizeof(*m->front));
	if (m->heap_cnt)
		m->front[m->front_cnt++] = heap_pop(m);
}

/* What the next but some will need is fetched meanwhile: first the lane, then what it points to. */
static inline void look_ahead(const struct fr_merge *m)
{
	const struct lane *l;
	const char *s;

	if (m->lane_cnt < MANY_LANES || m->front_cnt < FRONT_MAX)
		return;
	l = &m->lanes[m->front[FRONT_MAX - 1].lane];
	for (size_t at = 0; at < sizeof(*l); at += 64)
		__builtin_prefetch((const char *)l + at, 1);
	l = &m->lanes[m->front[FRONT_MAX - 5].lane];
	__builtin_prefetch(l->next.rec.data);
	s = (const char *)l->streams;
	for (size_t at = 0; at < sizeof(*l->streams); at += 64)
		__builtin_prefetch(s + at, 1);
}

int fr_merge_next(struct fr_merge *m, const struct fr_merged **ret)
{
	struct lane *l;
	int err = 0;

	if (!m->started) {
		err = start(m);
	} else if (m->front_cnt) {
		l = &m->lanes[m->front[0].lane];
		err = advance_lane(l, m);
		if (err == 1)
			place_first(m, l->next.order_ns);
		else if (err == 0)
			drop_first(m);
		look_ahead(m);
	}
	if (err < 0)
		return err;
	if (!m->front_cnt)
		return 0;
	l = &m->lanes[m->front[0].lane];
	m->stats.records += l->next.type == FR_MERGED_RECORD;
	*ret = &l->next;
	return 1;
}

const struct fr_merged *fr_merge_ahead(const struct fr_merge *m, uint32_t n)
{
	if (m->lane_cnt < MANY_LANES || n >= m->front_cnt)
		return NULL;
	return &m->lanes[m->front[n].lane].next;
}

const struct fr_merge_stats *fr_merge_stats(const struct fr_merge *m)
{
	return &m->stats;
}

/* ---- opening -------------------------------------------------------------------------------- */

static int by_cpu_then_place(const void *a, const void *b, void *dump)
{
	const uint32_t *x = a, *y = b;
	uint16_t cpu_x = fr_dump_chunk(dump, *x)->cpu, cpu_y = fr_dump_chunk(dump, *y)->cpu;

	if (cpu_x != cpu_y)
		return cpu_x < cpu_y ? -1 : 1;
	return *x < *y ? -1 : *x > *y;
}

/* Event chunks of one input, sorted, into chunks[]; returns how many. */
static size_t list_chunks(struct fr_dump *d, uint32_t *chunks)
{
	size_t cnt = 0;

	for (size_t i = 0; i < fr_dump_chunk_cnt(d); i++)
		if (fr_dump_chunk(d, i)->type == FR_CHUNK_EVENTS)
			chunks[cnt++] = (uint32_t)i;
	if (cnt)
		qsort_r(chunks, cnt, sizeof(*chunks), by_cpu_then_place, d);
	return cnt;
}

static int add_stream(struct fr_merge *m, const struct fr_merge_input *in, uint32_t dump_no,
		      const uint32_t *chunks, uint32_t chunk_cnt)
{
	const struct fr_dump_entry *first = fr_dump_chunk(in->dump, chunks[0]);
	struct fr_stream *bigger;

	if (!(m->stream_cnt & (m->stream_cnt - 1))) {
		bigger = realloc(m->streams,
				 (m->stream_cnt ? m->stream_cnt * 2 : 1) * sizeof(*bigger));
		if (!bigger)
			return -ENOMEM;
		m->streams = bigger;
	}
	m->streams[m->stream_cnt++] = (struct fr_stream){
		.dump = in->dump,
		.dump_no = dump_no,
		.instance = in->instance,
		.cut_ns = in->cut_ns,
		.chunks = chunks,
		.chunk_cnt = chunk_cnt,
		.cpu = first->cpu,
		.first_ns = first->first_time_ns,
		.last_ns = fr_dump_chunk(in->dump, chunks[chunk_cnt - 1])->last_time_ns,
	};
	for (uint32_t i = 0; i < chunk_cnt; i++)
		m->stats.all_stored_bytes += fr_dump_chunk(in->dump, chunks[i])->stored_bytes;
	return 0;
}

static int add_streams(struct fr_merge *m, const struct fr_merge_input *in, uint32_t dump_no,
		       const uint32_t *chunks, size_t chunk_cnt)
{
	size_t from = 0, to;
	int err = 0;

	while (from < chunk_cnt && !err) {
		for (to = from + 1; to < chunk_cnt; to++)
			if (fr_dump_chunk(in->dump, chunks[to])->cpu !=
			    fr_dump_chunk(in->dump, chunks[from])->cpu)
				break;
		err = add_stream(m, in, dump_no, chunks + from, (uint32_t)(to - from));
		from = to;
	}
	return err;
}

static int by_cpu_then_time(const void *a, const void *b)
{
	const struct fr_stream *x = a, *y = b;

	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	if (x->instance != y->instance)
		return x->instance < y->instance ? -1 : 1;
	if (x->first_ns != y->first_ns)
		return x->first_ns < y->first_ns ? -1 : 1;
	return x->dump_no < y->dump_no ? -1 : x->dump_no > y->dump_no;
}

static int make_lanes(struct fr_merge *m)
{
	m->lanes = calloc(m->stream_cnt + 1, sizeof(*m->lanes));
	m->heap = calloc(m->stream_cnt + 1, sizeof(*m->heap));
	if (!m->lanes || !m->heap)
		return -ENOMEM;
	if (m->stream_cnt)
		qsort(m->streams, m->stream_cnt, sizeof(*m->streams), by_cpu_then_time);
	for (size_t i = 0; i < m->stream_cnt; i++) {
		if (!i || m->streams[i].cpu != m->streams[i - 1].cpu)
			m->lanes[m->lane_cnt++] = (struct lane){ .streams = &m->streams[i],
								 .cpu = m->streams[i].cpu };
		m->lanes[m->lane_cnt - 1].stream_cnt++;
	}
	return 0;
}

/* Whole chunks where the budget allows one for every stream that is read at the same time. */
static void share_budget(struct fr_merge *m, size_t budget_bytes)
{
	size_t deepest = 1, overlap, window, beside = m->lane_cnt * FR_MERGE_BESIDE_BYTES;

	/* dumps of one CPU overlap in time now and then: count how many at once, at worst */
	for (size_t i = 0; i < m->stream_cnt; i++) {
		overlap = 1;
		for (size_t k = i; k-- && m->streams[k].cpu == m->streams[i].cpu;)
			overlap += m->streams[k].last_ns + JOIN_EARLY_NS >= m->streams[i].first_ns;
		if (overlap > deepest)
			deepest = overlap;
	}
	budget_bytes = budget_bytes > beside ? budget_bytes - beside : 0;
	window = m->lane_cnt ? budget_bytes / (m->lane_cnt * deepest) : budget_bytes;
	if (window >= FR_CHUNK_RAW_MAX)
		return;
	if (window < FR_MERGE_WINDOW_MIN_BYTES)
		window = FR_MERGE_WINDOW_MIN_BYTES;
	for (size_t i = 0; i < m->stream_cnt; i++)
		m->streams[i].window_bytes = window;
}

int fr_merge_open(const struct fr_merge_input *inputs, size_t input_cnt, size_t budget_bytes,
		  struct fr_merge **ret_merge)
{
	struct fr_merge *m = calloc(1, sizeof(*m));
	size_t all = 0, at = 0, cnt;
	int err = m ? 0 : -ENOMEM;

	for (size_t i = 0; i < input_cnt; i++)
		all += fr_dump_chunk_cnt(inputs[i].dump);
	if (!err)
		m->chunks = malloc((all + 1) * sizeof(*m->chunks));
	if (!err && !m->chunks)
		err = -ENOMEM;
	for (size_t i = 0; i < input_cnt && !err; i++) {
		cnt = list_chunks(inputs[i].dump, m->chunks + at);
		err = add_streams(m, &inputs[i], (uint32_t)i, m->chunks + at, cnt);
		at += cnt;
	}
	if (!err)
		err = make_lanes(m);
	if (err) {
		fr_merge_close(m);
		return err;
	}
	m->shared.stats = &m->stats;
	share_budget(m, budget_bytes);
	*ret_merge = m;
	return 0;
}

struct fr_merge *fr_merge_close(struct fr_merge *m)
{
	if (!m)
		return NULL;
	for (size_t i = 0; i < m->stream_cnt; i++)
		fr_stream_done(&m->streams[i]);
	fr_buf_done(&m->shared.chunk);
	free(m->streams);
	free(m->chunks);
	free(m->lanes);
	free(m->heap);
	free(m);
	return NULL;
}
