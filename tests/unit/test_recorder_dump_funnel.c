/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The merge of all CPUs into chunks: what comes out is every record of the window once, in the
 * order of time on the way through the filter, in well-formed chunks of one CPU in order of first
 * time, whatever the budget.
 */
#include "fake_ring.h"

#include "formats/base/bytes.h"
#include "formats/dump/record.h"
#include "recorder/dump_funnel.h"

#define SHIFT 4
#define CHUNKS_MAX 100000

/* What came out. */
struct out {
	uint64_t records, filtered; /* in chunks, through the filter */
	uint64_t last_ns;	    /* in merged order */
	uint64_t common_start_ns;
	uint32_t begins, chunks, segments, losses, running;
	uint64_t last_first_ns; /* of the last chunk */
	uint64_t cpu_last_ns[FAKE_CPUS_MAX], cpu_records[FAKE_CPUS_MAX];
	uint32_t cpu_seq[FAKE_CPUS_MAX], cpu_ordinal[FAKE_CPUS_MAX];
	uint64_t number_sum, filtered_sum;
	bool shorten;	    /* the filter cuts every third record to 16 bytes */
	bool steps;	    /* times may step back */
	int chunk_error_at; /* 0 = never */
	uint32_t largest_chunk;
};

static void on_begin(uint64_t common_start_ns, void *ctx)
{
	struct out *o = ctx;

	o->begins++;
	o->common_start_ns = common_start_ns;
}

static uint32_t on_record(uint8_t *record, uint64_t time_ns, uint16_t cpu, void *ctx)
{
	uint64_t word = fr_load64(record), number = fr_load64(record + 8);
	uint32_t bytes = FR_RECORD_UNITS(word) * 8;
	struct out *o = ctx;

	(void)cpu;
	assert_int_equal(o->begins, 1);
	if (!o->steps)
		assert_true(time_ns >= o->last_ns);
	o->last_ns = time_ns;
	o->filtered++;
	o->filtered_sum += number;
	if (!o->shorten || o->filtered % 3)
		return bytes;
	word = FR_RECORD_WORD(word, FR_RECORD_KIND(word), 2);
	memcpy(record, &word, sizeof(word));
	return 16;
}

static void take_record(struct out *o, const struct fr_record *r)
{
	uint32_t next = r->sub_seq == o->cpu_seq[r->cpu] ? o->cpu_ordinal[r->cpu] + 1 : 0;

	/* records of a CPU come in ring order: nothing is between them that is not said */
	assert_int_equal(r->ordinal, next);
	o->cpu_seq[r->cpu] = r->sub_seq;
	o->cpu_ordinal[r->cpu] = r->ordinal;
	if (!o->steps)
		assert_true(r->time_ns >= o->cpu_last_ns[r->cpu]);
	o->cpu_last_ns[r->cpu] = r->time_ns;
	o->cpu_records[r->cpu]++;
	o->records++;
	o->number_sum += fr_load64(r->data + 8);
}

static int on_chunk(const struct fr_dump_events *ev, void *ctx)
{
	uint64_t first_ns = UINT64_MAX, last_ns = 0;
	uint32_t records = 0, segments = 0;
	struct fr_record_walk w;
	struct out *o = ctx;
	struct fr_record r;
	int ret;

	if (o->chunk_error_at && (int)++o->chunks == o->chunk_error_at)
		return -ENOSPC;
	assert_true(ev->raw_bytes <= FR_CHUNK_RAW_MAX);
	assert_true(ev->records > 0);
	assert_true(ev->first_time_ns >= o->last_first_ns || o->steps);
	o->last_first_ns = ev->first_time_ns;
	fr_record_walk_init(&w, ev->cpu, (struct fr_slice){ ev->raw, ev->raw_bytes });
	while ((ret = fr_record_next(&w, &r)) == 1) {
		if (w.segments != segments) {
			segments = w.segments;
			o->losses += !!(w.flags & FR_SEGMENT_LOSS_BEFORE);
			o->running += !!(w.flags & FR_SEGMENT_RUNNING);
		}
		take_record(o, &r);
		records++;
		first_ns = r.time_ns < first_ns ? r.time_ns : first_ns;
		last_ns = r.time_ns > last_ns ? r.time_ns : last_ns;
	}
	assert_int_equal(ret, 0);
	assert_int_equal(records, ev->records);
	assert_int_equal(segments, ev->segments);
	assert_int_equal(first_ns, ev->first_time_ns);
	assert_int_equal(last_ns, ev->last_time_ns);
	o->segments += segments;
	o->largest_chunk = ev->raw_bytes > o->largest_chunk ? ev->raw_bytes : o->largest_chunk;
	if (!o->chunk_error_at)
		o->chunks++;
	return 0;
}

static uint64_t oldest_ns[FAKE_CPUS_MAX];

static int run(struct fake_ring *f, struct out *o, size_t budget_bytes,
	       struct fr_funnel_stats *stats)
{
	const struct fr_funnel_sink sink = { on_begin, on_record, on_chunk, o };
	struct fr_ring_reader r;
	int err;

	memset(o->cpu_seq, 0xff, sizeof(o->cpu_seq));
	assert_int_equal(fr_ring_begin(&r, &f->view, &f->io), 0);
	err = fr_funnel_run(&r, &sink, budget_bytes, oldest_ns, stats);
	if (!err)
		for (uint32_t cpu = 0; cpu < f->view.cpu_cnt; cpu++)
			assert_int_equal(fr_ring_account(&r, cpu)->kept, o->cpu_records[cpu]);
	fr_ring_end(&r);
	return err;
}

/* Random sizes; CPU 0 writes most, the last one hardly at all. */
static void write_mixed(struct fake_ring *f, uint32_t cnt, uint32_t seed)
{
	uint64_t time_ns = 1000000, x = seed * 2654435761u + 1;
	uint32_t cpu;

	for (uint32_t i = 0; i < cnt; i++) {
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		time_ns += x >> 56;
		cpu = (uint32_t)(x >> 40 & 0xffff) % f->view.cpu_cnt;
		cpu = (uint32_t)(x >> 30 & 0x3ff) % (cpu + 1);
		fake_write(f, cpu, time_ns, 100, 2 + (x >> 33 & 63));
	}
}

static void every_record_comes_out_once(void **state)
{
	static const uint32_t cpus[] = { 1, 2, 3, 7, 64 };
	static const size_t budgets[] = { 0, 1u << 20, 300000, 1 };
	struct fr_funnel_stats stats;
	struct fake_ring f;
	struct out *o;

	(void)state;
	for (size_t i = 0; i < sizeof(cpus) / sizeof(cpus[0]); i++) {
		for (size_t b = 0; b < sizeof(budgets) / sizeof(budgets[0]); b++) {
			o = calloc(1, sizeof(*o));
			o->shorten = b & 1;
			fake_init(&f, cpus[i], SHIFT);
			write_mixed(&f, 40000, (uint32_t)(i * 10 + b));
			assert_int_equal(run(&f, o, budgets[b], &stats), 0);
			assert_int_equal(o->records, o->filtered);
			assert_int_equal(o->records, stats.records);
			assert_int_equal(o->number_sum, o->filtered_sum);
			assert_true(o->records > 2000);
			fake_done(&f);
			free(o);
		}
	}
}

static void an_empty_ring_gives_no_chunk(void **state)
{
	struct fr_funnel_stats stats;
	struct out o = { 0 };
	struct fake_ring f;

	(void)state;
	fake_init(&f, 3, SHIFT);
	assert_int_equal(run(&f, &o, 0, &stats), 0);
	assert_int_equal(o.chunks, 0);
	assert_int_equal(o.begins, 1);
	assert_int_equal(o.common_start_ns, 0);
	assert_int_equal(oldest_ns[2], FR_OLDEST_ALL);
	fake_done(&f);
}

static void a_machine_without_any_share_gives_nothing(void **state)
{
	struct fr_funnel_stats stats;
	struct out o = { 0 };
	struct fake_ring f;

	(void)state;
	fake_init(&f, 1, SHIFT);
	f.cpu_slot[0] = FR_NO_SLOT;
	assert_int_equal(run(&f, &o, 0, &stats), 0);
	assert_int_equal(o.chunks, 0);
	fake_done(&f);
}

/* A busy CPU overwrites, an idle one does not: only the busy one limits the common window. */
static void the_common_window_begins_where_the_busiest_cpu_does(void **state)
{
	struct fr_funnel_stats stats;
	struct out o = { 0 };
	struct fake_ring f;

	(void)state;
	fake_init(&f, 3, SHIFT);
	fake_write(&f, 1, 50, 100, 4);
	for (uint32_t i = 0; i < 100000; i++)
		fake_write(&f, 0, 1000 + i, 100, 4);
	fake_write(&f, 1, 200000, 100, 4);
	assert_int_equal(run(&f, &o, 0, &stats), 0);
	assert_int_equal(oldest_ns[1], FR_OLDEST_ALL);
	assert_int_equal(oldest_ns[2], FR_OLDEST_ALL);
	assert_true(oldest_ns[0] > 1000);
	assert_int_equal(o.common_start_ns, oldest_ns[0]);
	assert_int_equal(stats.common_start_ns, oldest_ns[0]);
	assert_true(o.running >= 2); /* one segment, or several, of each of the two */
	fake_done(&f);
}

static void a_cpu_that_lost_everything_is_said(void **state)
{
	struct fake_slot held = { 0 };
	struct fr_funnel_stats stats;
	struct out o = { 0 };
	struct fake_ring f;

	(void)state;
	fake_init(&f, 2, SHIFT);
	f.flush_error = -ENXIO;
	fake_write(&f, 0, 10, 100, 4);
	assert_true(fake_reserve(&f, 1, 20, 100, 4, &held));
	assert_int_equal(run(&f, &o, 0, &stats), 0);
	assert_int_equal(oldest_ns[1], FR_OLDEST_NONE);
	assert_int_equal(o.records, 1);
	fake_done(&f);
}

static void a_gap_is_marked_on_the_segment_behind_it(void **state)
{
	struct fake_slot held = { 0 };
	struct fr_funnel_stats stats;
	struct fake_ring f;
	struct out *o;

	(void)state;
	for (size_t budget = 1; budget < 4 << 20; budget *= 7) {
		o = calloc(1, sizeof(*o));
		fake_init(&f, 1, SHIFT);
		for (uint32_t i = 0; i < 4096; i++)
			fake_write(&f, 0, 1000 + i, 100, 4);
		assert_true(fake_reserve(&f, 0, 6000, 100, 4, &held));
		for (uint32_t i = 0; i < 10000; i++)
			fake_write(&f, 0, 7000 + i, 100, 4);
		assert_int_equal(run(&f, o, budget, &stats), 0);
		assert_int_equal(o->losses, 1);
		fake_done(&f);
		free(o);
	}
}

/* The clock of one CPU steps back a little, another record jumps far ahead in a sub-buffer. */
static void times_that_step_back_do_no_harm(void **state)
{
	struct fr_funnel_stats stats;
	struct out o = { .steps = true };
	struct fake_ring f;

	(void)state;
	fake_init(&f, 2, SHIFT);
	for (uint32_t i = 0; i < 20000; i++) {
		fake_write(&f, 0, 100000 + 10 * i - i % 7, 100, 4);
		fake_write(&f, 1, 100000 + 10 * i + (i == 500 ? 1ull << 44 : 0), 100, 4);
	}
	assert_int_equal(run(&f, &o, 300000, &stats), 0);
	assert_int_equal(o.records, 40000);
	fake_done(&f);
}

static void chunks_are_filled_when_there_is_memory(void **state)
{
	struct fr_funnel_stats stats;
	struct out o = { 0 };
	struct fake_ring f;

	(void)state;
	fake_init(&f, 2, SHIFT);
	for (uint32_t i = 0; i < 120000; i++)
		fake_write(&f, i & 1, 1000 + i, 100, 2);
	assert_int_equal(run(&f, &o, 0, &stats), 0);
	assert_true(o.largest_chunk > 3 * FR_SUB_BYTES);
	/* 60000 records of 16 bytes are 14.6 sub-buffers: 3 to a chunk */
	assert_int_equal(o.chunks, 10);
	fake_done(&f);
}

static void hundreds_of_cpus_take_little_memory(void **state)
{
	struct fr_funnel_stats stats;
	struct fake_ring f;
	struct out *o = calloc(1, sizeof(*o));

	(void)state;
	fake_init(&f, 512, SHIFT);
	write_mixed(&f, 60000, 3);
	assert_int_equal(run(&f, o, 0, &stats), 0);
	assert_int_equal(o->records, o->filtered);
	assert_true(o->largest_chunk <= FR_LANE_BYTES_MIN);
	fake_done(&f);
	free(o);
}

static void what_the_sink_returns_ends_it(void **state)
{
	struct fr_funnel_stats stats;
	struct fake_ring f;
	struct out o = { .chunk_error_at = 2 };

	(void)state;
	fake_init(&f, 2, SHIFT);
	write_mixed(&f, 40000, 5);
	assert_int_equal(run(&f, &o, 200000, &stats), -ENOSPC);
	assert_int_equal(o.chunks, 2);
	fake_done(&f);
}

static void what_the_ring_returns_ends_it(void **state)
{
	struct fr_funnel_stats stats;
	struct out o = { 0 };
	struct fake_ring f;

	(void)state;
	fake_init(&f, 2, SHIFT);
	write_mixed(&f, 40000, 5);
	f.copy_error_at = 5;
	assert_int_equal(run(&f, &o, 0, &stats), -EIO);
	fake_done(&f);
}

/* A lap passes on CPU 0 while its fifth part is copied. */
static void lap_during_copy(struct fake_ring *f, uint32_t index, uint32_t off_bytes)
{
	(void)off_bytes;
	if (index < 1u << SHIFT && ++f->user == 5)
		for (uint32_t i = 0; i < 60000; i++)
			fake_write(f, 0, 500000 + i, 100, 4);
}

static void what_is_overtaken_in_the_middle_is_a_gap(void **state)
{
	struct fr_funnel_stats stats;
	struct out o = { 0 };
	struct fake_ring f;

	(void)state;
	fake_init(&f, 2, SHIFT);
	for (uint32_t i = 0; i < 100000; i++) {
		fake_write(&f, 0, 1000 + i, 100, 4);
		fake_write(&f, 1, 1000 + i, 100, 2);
	}
	f.on_copy = lap_during_copy;
	assert_int_equal(run(&f, &o, 0, &stats), 0);
	assert_int_equal(o.cpu_records[0], 4 * (FR_SUB_UNITS / 4));
	assert_true(o.cpu_records[1] > 60000);
	fake_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_record_comes_out_once),
		cmocka_unit_test(an_empty_ring_gives_no_chunk),
		cmocka_unit_test(a_machine_without_any_share_gives_nothing),
		cmocka_unit_test(the_common_window_begins_where_the_busiest_cpu_does),
		cmocka_unit_test(a_cpu_that_lost_everything_is_said),
		cmocka_unit_test(a_gap_is_marked_on_the_segment_behind_it),
		cmocka_unit_test(times_that_step_back_do_no_harm),
		cmocka_unit_test(chunks_are_filled_when_there_is_memory),
		cmocka_unit_test(hundreds_of_cpus_take_little_memory),
		cmocka_unit_test(what_the_sink_returns_ends_it),
		cmocka_unit_test(what_the_ring_returns_ends_it),
		cmocka_unit_test(what_is_overtaken_in_the_middle_is_a_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
