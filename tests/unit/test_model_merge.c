/* SPDX-License-Identifier: BSD-2-Clause */
/* One order for the records of all CPUs, each once, and what is missing said where it is missing.
 */
#include "cm.h"

#include "dump_fixture.h"
#include "formats/dump/chunk.h"
#include "formats/model/merge.h"
#include "make_dump.h"

/* Everything a merge hands out, in short: "0:5" is the record of time 5 on CPU 0, "1:gap5-9" a gap.
 */
static char seen[4096];

static void note(const struct fr_merged *x)
{
	static const char *const causes[] = { "lost", "damaged", "between", "cut" };
	size_t at = strlen(seen);

	if (x->type == FR_MERGED_RECORD)
		snprintf(seen + at, sizeof(seen) - at, "%s%u:%llu%s", at ? " " : "", x->rec.cpu,
			 (unsigned long long)x->rec.time_ns, x->after_gap ? "*" : "");
	else
		snprintf(seen + at, sizeof(seen) - at, "%s%u:%s%llu-%llu", at ? " " : "",
			 x->rec.cpu, causes[x->cause], (unsigned long long)x->order_ns,
			 (unsigned long long)x->gap_to_ns);
}

static struct fr_merge_stats merge_all(const struct fr_merge_input *ins, size_t cnt,
				       size_t budget_bytes)
{
	struct fr_merge_stats stats;
	const struct fr_merged *x;
	struct fr_merge *m;
	int ret;

	seen[0] = 0;
	assert_int_equal(fr_merge_open(ins, cnt, budget_bytes, &m), 0);
	while ((ret = fr_merge_next(m, &x)) == 1)
		note(x);
	assert_int_equal(ret, 0);
	assert_int_equal(fr_merge_next(m, &x), 0);
	stats = *fr_merge_stats(m);
	fr_merge_close(m);
	return stats;
}

/* In both modes: whole chunks, and parts of them. */
static struct fr_merge_stats expect(const struct fr_merge_input *ins, size_t cnt, const char *want)
{
	struct fr_merge_stats whole, parts;

	whole = merge_all(ins, cnt, FR_MERGE_BUDGET_BYTES);
	assert_string_equal(seen, want);
	parts = merge_all(ins, cnt, 1);
	assert_string_equal(seen, want);
	assert_int_equal(whole.records, parts.records);
	assert_int_equal(whole.gaps, parts.gaps);
	return whole;
}

static void ticks(struct mk *m, const char *times)
{
	char *at;

	for (const char *p = times; *p; p = at) {
		mk_waking(m, strtoull(p, &at, 10), 1, 0);
		while (*at == ' ')
			at++;
	}
}

static void part(struct mk *m, uint16_t cpu, uint32_t sub_seq, uint32_t first, uint32_t flags,
		 const char *times)
{
	mk_segment(m, cpu, sub_seq, first, flags);
	ticks(m, times);
}

/* ---- order ---------------------------------------------------------------------------------- */

static void merges_by_time_then_cpu(void **state)
{
	struct fr_merge_input in = { 0 };
	struct mk m = { 0 };

	(void)state;
	mk_begin(&m, 1);
	part(&m, 0, 1, 0, 0, "10 20 30 40");
	mk_chunk(&m);
	part(&m, 3, 9, 0, 0, "5 20 35");
	mk_chunk(&m);
	part(&m, 1, 4, 0, 0, "20 21");
	mk_chunk(&m);
	part(&m, 0, 2, 0, 0, "50");
	mk_chunk(&m);
	in.dump = mk_end(&m, NULL);
	expect(&in, 1, "3:5 0:10 0:20 1:20 3:20 1:21 0:30 3:35 0:40 0:50");
	mk_close(&m);
}

static void keeps_ring_order_when_the_clock_steps_back(void **state)
{
	struct fr_merge_input in = { 0 };
	struct mk m = { 0 };

	(void)state;
	mk_begin(&m, 1);
	part(&m, 0, 1, 0, 0, "100 150 140 160");
	mk_chunk(&m);
	part(&m, 1, 1, 0, 0, "145 155");
	mk_chunk(&m);
	in.dump = mk_end(&m, NULL);
	expect(&in, 1, "0:100 1:145 0:150 0:140 1:155 0:160");
	mk_close(&m);
}

static void the_fixture_comes_out_whole(void **state)
{
	const struct fr_fixture_options opt = { .codec = FR_CODEC_ZSTD, .requests = 40 };
	struct fr_merge_input in = { 0 };
	struct fr_fixture_facts facts;
	const struct fr_merged *x;
	uint64_t cnt, last;
	struct fr_merge *m;
	char err[200];
	int fd = fr_fixture_open(&opt, &facts);

	(void)state;
	assert_int_equal(fr_dump_open(fd, &in.dump, err, sizeof(err)), 0);
	for (size_t budget = 1; budget; budget = budget == 1 ? FR_MERGE_BUDGET_BYTES : 0) {
		assert_int_equal(fr_merge_open(&in, 1, budget, &m), 0);
		for (cnt = last = 0; fr_merge_next(m, &x) == 1; cnt++) {
			assert_int_equal(x->type, FR_MERGED_RECORD);
			assert_true(x->order_ns >= last);
			assert_true(fr_record_sound(&x->rec));
			last = x->order_ns;
		}
		assert_int_equal(cnt, facts.records);
		fr_merge_close(m);
	}
	fr_dump_close(in.dump);
	close(fd);
}

/* ---- gaps ----------------------------------------------------------------------------------- */

static void says_where_records_were_lost(void **state)
{
	struct fr_merge_input in = { 0 };
	struct mk m = { 0 };

	(void)state;
	mk_begin(&m, 1);
	part(&m, 0, 1, 0, 0, "10 20");
	part(&m, 0, 2, 0, FR_SEGMENT_LOSS_BEFORE, "30"); /* lost between */
	part(&m, 0, 4, 0, 0, "40");			 /* sub-buffer 3 was passed over: no loss */
	part(&m, 0, 4, 5, 0, "50");			 /* records 1..4 are missing */
	mk_chunk(&m);
	in.dump = mk_end(&m, NULL);
	expect(&in, 1, "0:10 0:20 0:lost20-30 0:30* 0:40 0:lost40-50 0:50*");
	mk_close(&m);
}

static void a_segment_goes_on_in_the_next_chunk(void **state)
{
	struct fr_merge_input in = { 0 };
	struct mk m = { 0 };

	(void)state;
	mk_begin(&m, 1);
	part(&m, 0, 1, 0, 0, "10 20");
	mk_chunk(&m);
	part(&m, 0, 1, 2, 0, "30");
	mk_chunk(&m);
	in.dump = mk_end(&m, NULL);
	expect(&in, 1, "0:10 0:20 0:30");
	mk_close(&m);
}

static void a_bad_chunk_is_a_gap(void **state)
{
	struct fr_merge_input in = { 0 };
	struct fr_merge_stats stats;
	struct mk m = { 0 };

	(void)state;
	mk_begin(&m, 1);
	part(&m, 0, 1, 0, 0, "10 20");
	mk_chunk(&m);
	part(&m, 0, 2, 0, 0, "30 31 32");
	mk_chunk(&m);
	part(&m, 1, 1, 0, 0, "35");
	mk_chunk(&m);
	part(&m, 0, 3, 0, 0, "40");
	mk_chunk(&m);
	mk_end(&m, NULL);
	in.dump = mk_break_chunk(&m, 1);
	stats = expect(&in, 1, "0:10 0:20 0:damaged20-40 1:35 0:40*");
	assert_int_equal(stats.bad_chunks, 1);
	assert_int_equal(stats.bad_records, 3);
	mk_close(&m);
}

static void bad_chunks_at_both_ends_are_gaps(void **state)
{
	struct fr_merge_input in = { 0 };
	struct mk m = { 0 };

	(void)state;
	mk_begin(&m, 1);
	part(&m, 0, 1, 0, 0, "10 11");
	mk_chunk(&m);
	part(&m, 0, 2, 0, 0, "30");
	mk_chunk(&m);
	part(&m, 0, 3, 0, 0, "40 49");
	mk_chunk(&m);
	mk_end(&m, NULL);
	mk_break_chunk(&m, 0);
	in.dump = mk_break_chunk(&m, 2);
	expect(&in, 1, "0:damaged10-30 0:30* 0:damaged30-49");
	mk_close(&m);
}

static void a_cut_dump_ends_in_gaps(void **state)
{
	struct fr_merge_input in = { .cut_ns = 100 };
	struct mk m = { 0 };

	(void)state;
	mk_begin(&m, 1);
	part(&m, 0, 1, 0, 0, "10 90");
	mk_chunk(&m);
	part(&m, 1, 1, 0, 0, "20 100");
	mk_chunk(&m);
	in.dump = mk_end(&m, NULL);
	expect(&in, 1, "0:10 1:20 0:90 0:cut90-100 1:100");
	mk_close(&m);
}

/* ---- several dumps -------------------------------------------------------------------------- */

static void what_two_dumps_hold_comes_once(void **state)
{
	struct fr_merge_input ins[2] = { { 0 } };
	struct mk a = { 0 }, b = { 0 };
	struct fr_merge_stats stats;

	(void)state;
	mk_begin(&a, 1);
	part(&a, 0, 1, 0, 0, "10 20");
	part(&a, 0, 2, 0, FR_SEGMENT_RUNNING, "30 40");
	mk_chunk(&a);
	part(&a, 1, 7, 0, FR_SEGMENT_RUNNING, "25");
	mk_chunk(&a);
	ins[0].dump = mk_end(&a, NULL);
	mk_begin(&b, 1);
	part(&b, 0, 2, 0, 0, "30 40 50");
	part(&b, 0, 3, 0, FR_SEGMENT_RUNNING, "60");
	mk_chunk(&b);
	part(&b, 1, 7, 0, FR_SEGMENT_RUNNING, "25 55");
	mk_chunk(&b);
	ins[1].dump = mk_end(&b, NULL);
	stats = expect(ins, 2, "0:10 0:20 1:25 0:30 0:40 0:50 1:55 0:60");
	assert_int_equal(stats.duplicates, 3);
	mk_close(&a);
	mk_close(&b);
}

static void one_dump_stands_in_for_the_damage_of_another(void **state)
{
	struct fr_merge_input ins[2] = { { 0 } };
	struct mk a = { 0 }, b = { 0 };

	(void)state;
	mk_begin(&a, 1);
	part(&a, 0, 1, 0, 0, "10 20");
	mk_chunk(&a);
	part(&a, 0, 1, 2, 0, "30");
	mk_chunk(&a);
	mk_end(&a, NULL);
	ins[0].dump = mk_break_chunk(&a, 1);
	mk_begin(&b, 1);
	part(&b, 0, 1, 0, 0, "10 20 30 40");
	mk_chunk(&b);
	ins[1].dump = mk_end(&b, NULL);
	expect(ins, 2, "0:10 0:20 0:30 0:40");
	mk_close(&a);
	mk_close(&b);
}

static void between_two_dumps_there_is_a_gap(void **state)
{
	struct fr_merge_input ins[2] = { { 0 }, { .instance = 0 } };
	struct mk a = { 0 }, b = { 0 };

	(void)state;
	mk_begin(&a, 1);
	part(&a, 0, 1, 0, FR_SEGMENT_RUNNING, "10 20");
	mk_chunk(&a);
	ins[0].dump = mk_end(&a, NULL);
	mk_begin(&b, 1);
	part(&b, 0, 5, 0, 0, "70 80");
	mk_chunk(&b);
	ins[1].dump = mk_end(&b, NULL);
	expect(ins, 2, "0:10 0:20 0:between20-70 0:70* 0:80");
	/* another run of the recorder counts its sub-buffers anew */
	ins[1].instance = 1;
	expect(ins, 2, "0:10 0:20 0:between20-70 0:70* 0:80");
	mk_close(&a);
	mk_close(&b);
}

static void sub_buffer_numbers_may_wrap(void **state)
{
	struct fr_merge_input ins[2] = { { 0 } };
	struct mk a = { 0 }, b = { 0 };

	(void)state;
	mk_begin(&a, 1);
	part(&a, 0, UINT32_MAX, 0, 0, "10 20");
	part(&a, 0, 0, 0, 0, "30");
	mk_chunk(&a);
	ins[0].dump = mk_end(&a, NULL);
	mk_begin(&b, 1);
	part(&b, 0, 0, 0, 0, "30 40");
	mk_chunk(&b);
	ins[1].dump = mk_end(&b, NULL);
	expect(ins, 2, "0:10 0:20 0:30 0:40");
	mk_close(&a);
	mk_close(&b);
}

/* ---- whole chunks and parts of them ---------------------------------------------------------- */

static uint32_t below(uint64_t *random, uint32_t limit)
{
	*random = *random * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*random >> 33) % limit;
}

/* Segments of all sizes, some empty, records of all sizes, and now and then a byte that is wrong.
 */
static void put_wild_chunk(struct mk *m, uint16_t cpu, uint32_t *sub_seq, uint64_t *t,
			   uint64_t *random)
{
	static const uint32_t sizes[] = { 2, 2, 3, 40, 300, FR_RECORD_UNITS_MAX };
	static uint64_t record[FR_RECORD_UNITS_MAX];
	uint32_t units, damage;

	for (uint32_t i = below(random, 12) + 1; i; i--) {
		mk_segment(m, cpu, (*sub_seq)++, 0, below(random, 5) ? 0 : FR_SEGMENT_LOSS_BEFORE);
		for (uint32_t k = below(random, 3) ? below(random, 60) : 0; k; k--) {
			units = sizes[below(random, below(random, 8) ? 3 : 6)];
			if (m->raw.len_bytes + units * 8 > FR_CHUNK_RAW_MAX / 2)
				break;
			*t += below(random, 1000);
			mk_add(m, *t, FR_EV_SCHED_WAKING, record, units * 8);
		}
		for (uint32_t k = below(random, 8) ? 0 : below(random, 200); k; k--)
			mk_segment(m, cpu, (*sub_seq)++, 0, 0);
	}
	mk_end_segment(m);
	for (damage = below(random, 12); damage && m->raw.len_bytes; damage--)
		m->raw.data[below(random, (uint32_t)m->raw.len_bytes)] ^=
			(uint8_t)(1u << below(random, 8));
	mk_chunk(m);
}

/* All that a merge hands out, as one number. */
static uint64_t digest(const struct fr_merge_input *in, size_t budget_bytes,
		       struct fr_merge_stats *ret_stats)
{
	const struct fr_merged *x;
	struct fr_buf all = { 0 };
	struct fr_merge *m;
	uint64_t sum;

	assert_int_equal(fr_merge_open(in, 1, budget_bytes, &m), 0);
	while (fr_merge_next(m, &x) == 1) {
		fr_buf_printf(&all, "%u %u %u %u %llu %llu %llu %llu %u,", x->type, x->cause,
			      x->rec.cpu, x->after_gap, (unsigned long long)x->order_ns,
			      (unsigned long long)x->gap_to_ns, (unsigned long long)x->gap_records,
			      (unsigned long long)x->rec.time_ns, x->rec.ordinal);
		fr_buf_add(&all, x->rec.data, x->rec.bytes);
	}
	*ret_stats = *fr_merge_stats(m);
	ret_stats->stored_bytes_read = 0; /* parts are read again and again */
	fr_merge_close(m);
	assert_int_equal(all.err, 0);
	sum = fr_bytes_checksum(all.data, all.len_bytes);
	fr_buf_done(&all);
	return sum;
}

static void parts_of_chunks_tell_the_same_damaged_or_not(void **state)
{
	static const size_t windows[] = { 1, 3000, 8192, 10000, 70000 };
	uint64_t random = 7, records = 0, bad = 0, t[3], want;
	struct fr_merge_stats whole, parts;
	struct fr_merge_input in = { 0 };
	uint32_t sub_seq[3];

	(void)state;
	for (int round = 0; round < 60; round++) {
		struct mk m = { 0 };

		mk_begin(&m, 1);
		for (uint16_t cpu = 0; cpu < 3; cpu++)
			t[cpu] = 1000 + cpu;
		for (uint16_t cpu = 0; cpu < 3; cpu++)
			sub_seq[cpu] = 1;
		for (int i = 0; i < 9; i++)
			put_wild_chunk(&m, (uint16_t)(i % 3), &sub_seq[i % 3], &t[i % 3], &random);
		in.dump = mk_end(&m, NULL);
		want = digest(&in, FR_MERGE_BUDGET_BYTES, &whole);
		for (size_t i = 0; i < sizeof(windows) / sizeof(*windows); i++) {
			size_t budget = 3 * (FR_MERGE_BESIDE_BYTES + windows[i]);

			assert_int_equal(digest(&in, budget, &parts), want);
			assert_memory_equal(&parts, &whole, sizeof(whole));
		}
		records += whole.records;
		bad += whole.bad_segments;
		mk_close(&m);
	}
	assert_true(records > 5000);
	assert_true(bad > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merges_by_time_then_cpu),
		cmocka_unit_test(keeps_ring_order_when_the_clock_steps_back),
		cmocka_unit_test(the_fixture_comes_out_whole),
		cmocka_unit_test(says_where_records_were_lost),
		cmocka_unit_test(a_segment_goes_on_in_the_next_chunk),
		cmocka_unit_test(a_bad_chunk_is_a_gap),
		cmocka_unit_test(bad_chunks_at_both_ends_are_gaps),
		cmocka_unit_test(a_cut_dump_ends_in_gaps),
		cmocka_unit_test(what_two_dumps_hold_comes_once),
		cmocka_unit_test(one_dump_stands_in_for_the_damage_of_another),
		cmocka_unit_test(between_two_dumps_there_is_a_gap),
		cmocka_unit_test(sub_buffer_numbers_may_wrap),
		cmocka_unit_test(parts_of_chunks_tell_the_same_damaged_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
