/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring's reader on a ring in ordinary memory, one situation at a time. */
#include "fake_ring.h"

#include "formats/base/bytes.h"

#define SHIFT 4
#define SUBS (1u << SHIFT)
#define UNITS 32u /* 256 records fill a sub-buffer to its last byte */
#define PER_SUB (FR_SUB_UNITS / UNITS)

static uint8_t part_bytes[FR_SUB_BYTES];

/* Everything of one CPU, whole sub-buffers at a time. */
struct got {
	struct fr_ring_account account;
	uint64_t records, first_number, last_number;
	uint32_t parts, first_seq, last_seq, losses;
	bool running;
	bool numbers_shared; /* see fake_ring.data_mask */
};

static void take_part(struct got *g, const struct fr_ring_part *part)
{
	uint32_t off = 0, records = 0;
	uint64_t number;

	if (!g->parts++)
		g->first_seq = part->seq;
	g->last_seq = part->seq;
	g->losses += part->loss_before;
	g->running |= part->running;
	for (; off < part->bytes; off += FR_RECORD_UNITS(fr_load64(part_bytes + off)) * 8) {
		records++;
		if (FR_RECORD_KIND(fr_load64(part_bytes + off)) == FR_EV_REC_FLUSH) {
			g->records++;
			continue;
		}
		number = fr_load64(part_bytes + off + 8);
		if (!g->records++)
			g->first_number = number;
		else if (!g->numbers_shared)
			assert_true(number > g->last_number);
		g->last_number = number;
	}
	assert_int_equal(off, part->bytes);
	assert_int_equal(records, part->records);
}

static void check_account(const struct fr_ring_account *a)
{
	assert_int_equal(a->emitted, a->kept + a->overwritten + a->overtaken + a->unfinished +
					     a->dropped_retry + a->dropped_busy + a->dropped_nocpu);
}

static void read_on(struct fr_ring_reader *r, uint32_t cpu, uint32_t room_bytes, struct got *g)
{
	struct fr_ring_part part;
	int ret;

	while ((ret = fr_ring_read(r, cpu, part_bytes, room_bytes, &part)) == 1)
		take_part(g, &part);
	assert_int_equal(ret, 0);
	g->account = *fr_ring_account(r, cpu);
	check_account(&g->account);
	assert_int_equal(g->account.kept, g->records);
}

static struct got read_cpu(struct fake_ring *f, uint32_t cpu, uint32_t room_bytes)
{
	struct fr_ring_reader r;
	struct got g = { .numbers_shared = f->data_mask != UINT32_MAX };

	assert_int_equal(fr_ring_begin(&r, &f->view, &f->io), 0);
	read_on(&r, cpu, room_bytes, &g);
	fr_ring_end(&r);
	return g;
}

static void write_cnt(struct fake_ring *f, uint32_t cpu, uint32_t cnt)
{
	for (uint32_t i = 0; i < cnt; i++)
		fake_write(f, cpu, 1000 + f->events[cpu], 100, UNITS);
}

static void an_empty_ring_has_nothing(void **state)
{
	struct fake_ring f;
	struct got g;

	(void)state;
	fake_init(&f, 1, SHIFT);
	g = read_cpu(&f, 0, FR_SUB_BYTES);
	assert_int_equal(g.parts, 0);
	assert_int_equal(g.account.emitted, 0);
	fake_done(&f);
}

static void the_first_lap_is_kept_whole(void **state)
{
	struct fake_ring f;
	struct got g;

	(void)state;
	fake_init(&f, 1, SHIFT);
	write_cnt(&f, 0, 3 * PER_SUB + 7);
	g = read_cpu(&f, 0, FR_SUB_BYTES);
	assert_int_equal(g.records, 3 * PER_SUB + 7);
	assert_int_equal(g.parts, 4);
	assert_true(g.running);
	assert_int_equal(g.account.overwritten, 0);
	assert_int_equal(f.flushes, 0);
	fake_done(&f);
}

static void later_laps_overwrite_whole_sub_buffers(void **state)
{
	const uint32_t cnt = 5 * SUBS * PER_SUB + 2 * PER_SUB + 11;
	struct fake_ring f;
	struct got g;

	(void)state;
	fake_init(&f, 1, SHIFT);
	write_cnt(&f, 0, cnt);
	g = read_cpu(&f, 0, FR_SUB_BYTES);
	assert_int_equal(g.records, (SUBS - 1) * PER_SUB + 11);
	assert_int_equal(g.last_number, cnt - 1);
	assert_int_equal(g.account.emitted, cnt);
	assert_int_equal(g.account.overwritten, cnt - g.records);
	assert_int_equal(g.losses, 0);
	fake_done(&f);
}

static void two_readers_see_the_same(void **state)
{
	struct fake_ring f;
	struct got a, b;

	(void)state;
	fake_init(&f, 1, SHIFT);
	write_cnt(&f, 0, 2 * SUBS * PER_SUB + 5);
	a = read_cpu(&f, 0, FR_SUB_BYTES);
	b = read_cpu(&f, 0, FR_SUB_BYTES);
	assert_memory_equal(&a.account, &b.account, sizeof(a.account));
	assert_int_equal(a.first_number, b.first_number);
	fake_done(&f);
}

static void a_held_writer_leaves_its_sub_buffer_unfinished(void **state)
{
	struct fake_slot held = { 0 };
	struct fake_ring f;
	struct got g;

	(void)state;
	fake_init(&f, 1, SHIFT);
	write_cnt(&f, 0, PER_SUB + 3);
	assert_true(fake_reserve(&f, 0, 5000, 100, UNITS, &held));
	write_cnt(&f, 0, 3 * PER_SUB);
	g = read_cpu(&f, 0, FR_SUB_BYTES);
	assert_int_equal(g.account.unfinished, PER_SUB);
	assert_int_equal(g.losses, 1);
	assert_int_equal(g.account.emitted, 4 * PER_SUB + 4);
	fake_commit(&f, &held);
	g = read_cpu(&f, 0, FR_SUB_BYTES);
	assert_int_equal(g.account.unfinished, 0);
	assert_int_equal(g.account.kept, 4 * PER_SUB + 4);
	fake_done(&f);
}

static void a_sub_buffer_still_held_is_skipped_not_lost(void **state)
{
	struct fake_slot held = { 0 };
	struct fake_ring f;
	struct got g;

	(void)state;
	fake_init(&f, 1, SHIFT);
	assert_true(fake_reserve(&f, 0, 5000, 100, UNITS, &held));
	write_cnt(&f, 0, (SUBS + 4) * PER_SUB);
	assert_int_equal(f.ctl[0].skipped_subs, 1);
	g = read_cpu(&f, 0, FR_SUB_BYTES);
	assert_int_equal(g.account.skipped_subs, 1);
	assert_int_equal(g.account.unfinished, 0);
	assert_int_equal(g.losses, 0); /* no record is missing in between */
	fake_commit(&f, &held);
	write_cnt(&f, 0, SUBS * PER_SUB);
	assert_int_equal(f.ctl[0].skipped_subs, 1);
	g = read_cpu(&f, 0, FR_SUB_BYTES);
	assert_int_equal(g.account.skipped_subs, 0);
	fake_done(&f);
}

static void a_running_sub_buffer_at_work_is_closed_by_a_flush(void **state)
{
	struct fake_slot held = { 0 };
	struct fake_ring f;
	struct got g;

	(void)state;
	fake_init(&f, 1, SHIFT);
	write_cnt(&f, 0, 5);
	assert_true(fake_reserve(&f, 0, 5000, 100, UNITS, &held));
	g = read_cpu(&f, 0, FR_SUB_BYTES);
	assert_int_equal(f.flushes, 1);
	assert_int_equal(g.account.unfinished, 6); /* the flush cannot end what is held */
	fake_commit(&f, &held);
	g = read_cpu(&f, 0, FR_SUB_BYTES);
	assert_int_equal(g.account.kept, 7); /* with the flush record */
	assert_int_equal(g.account.flushes, 1);
	assert_int_equal(f.flushes, 1);
	fake_done(&f);
}

/* As on a CPU that is offline: nobody can run there, nobody writes there. */
static void without_a_flush_what_rests_is_read_all_the_same(void **state)
{
	struct fake_slot held = { 0 };
	struct fake_ring f;
	struct got g;

	(void)state;
	fake_init(&f, 1, SHIFT);
	f.flush_error = -ENXIO;
	write_cnt(&f, 0, 5);
	g = read_cpu(&f, 0, FR_SUB_BYTES);
	assert_int_equal(g.records, 5);
	assert_int_equal(f.flushes, 0);
	assert_true(fake_reserve(&f, 0, 5000, 100, UNITS, &held));
	g = read_cpu(&f, 0, FR_SUB_BYTES);
	assert_int_equal(f.flushes, 1);
	assert_int_equal(g.account.unfinished, 6);
	assert_int_equal(g.account.emitted, 6);
	fake_done(&f);
}

/* A whole lap passes during the third copy. */
static void lap_during_copy(struct fake_ring *f, uint32_t index, uint32_t off_bytes)
{
	(void)index;
	(void)off_bytes;
	if (f->copies == 3)
		write_cnt(f, 0, (SUBS - 4) * PER_SUB);
}

static void what_writers_come_round_to_is_overtaken(void **state)
{
	const uint32_t before = 3 * SUBS * PER_SUB;
	struct fake_ring f;
	struct got g;

	(void)state;
	fake_init(&f, 1, SHIFT);
	write_cnt(&f, 0, before);
	f.on_copy = lap_during_copy;
	g = read_cpu(&f, 0, FR_SUB_BYTES);
	/* 2 copied before it; window sub-buffers 0..SUBS-5 are gone then, the last 4 are there */
	assert_int_equal(g.records, 6 * PER_SUB);
	assert_int_equal(g.account.overtaken, (SUBS - 6) * PER_SUB);
	assert_int_equal(g.losses, 1);
	assert_int_equal(g.account.emitted, before); /* writers are not chased */
	assert_int_equal(g.last_number, before - 1);
	fake_done(&f);
}

/* The whole window is gone before the first copy. */
static void a_reader_that_sleeps_for_a_lap_keeps_nothing(void **state)
{
	struct fr_ring_reader r;
	struct fake_ring f;
	struct got g = { 0 };

	(void)state;
	fake_init(&f, 1, SHIFT);
	write_cnt(&f, 0, 2 * SUBS * PER_SUB + 9);
	assert_int_equal(fr_ring_begin(&r, &f.view, &f.io), 0);
	write_cnt(&f, 0, 3 * SUBS * PER_SUB);
	read_on(&r, 0, FR_SUB_BYTES, &g);
	fr_ring_end(&r);
	assert_int_equal(g.records, 0);
	assert_int_equal(g.account.overtaken, (SUBS - 1) * PER_SUB + 9);
	fake_done(&f);
}

static void the_last_sub_buffer_is_read_to_its_end_when_closed_meanwhile(void **state)
{
	struct fr_ring_reader r;
	struct fake_ring f;
	struct got g = { 0 };

	(void)state;
	fake_init(&f, 1, SHIFT);
	write_cnt(&f, 0, PER_SUB + 9);
	assert_int_equal(fr_ring_begin(&r, &f.view, &f.io), 0);
	write_cnt(&f, 0, 2 * PER_SUB);
	read_on(&r, 0, FR_SUB_BYTES, &g);
	fr_ring_end(&r);
	assert_int_equal(g.records, 2 * PER_SUB);
	assert_int_equal(g.account.emitted, 2 * PER_SUB);
	assert_false(g.running);
	fake_done(&f);
}

static void sequence_numbers_wrap(void **state)
{
	static const uint32_t shifts[] = { 4, 13, 14 };
	struct fake_ring f;
	struct got g;

	(void)state;
	for (size_t i = 0; i < sizeof(shifts) / sizeof(shifts[0]); i++) {
		fake_init(&f, 1, shifts[i]);
		fake_start_at(&f, 0, -(1u << shifts[i]));
		write_cnt(&f, 0, ((1u << shifts[i]) + 3) * PER_SUB + 4);
		assert_int_equal(FR_HEAD_SEQ(f.ctl[0].head), 3);
		g = read_cpu(&f, 0, FR_SUB_BYTES);
		assert_int_equal(g.records, ((1u << shifts[i]) - 1) * PER_SUB + 4);
		assert_int_equal(g.account.overwritten, 4 * PER_SUB);
		assert_int_equal(g.account.skipped_subs, 0);
		fake_done(&f);
	}
}

/* Its first lap is not told by a small sequence number but by the turns counted. */
static void after_a_wrap_a_small_number_is_no_first_lap(void **state)
{
	struct fake_ring f;
	struct got g;

	(void)state;
	fake_init(&f, 1, SHIFT);
	fake_start_at(&f, 0, -(4 * SUBS));
	write_cnt(&f, 0, 4 * SUBS * PER_SUB + 1);
	assert_int_equal(FR_HEAD_SEQ(f.ctl[0].head), 0);
	g = read_cpu(&f, 0, FR_SUB_BYTES);
	assert_int_equal(g.records, (SUBS - 1) * PER_SUB + 1);
	fake_done(&f);
}

static void parts_smaller_than_sub_buffers_give_the_same(void **state)
{
	struct fake_ring f;
	struct got whole, small;

	(void)state;
	fake_init(&f, 1, SHIFT);
	for (uint32_t i = 0; i < 30000; i++) /* sizes that fit no room evenly */
		fake_write(&f, 0, 1000 + i, 100, 2 + i % 61);
	whole = read_cpu(&f, 0, FR_SUB_BYTES);
	small = read_cpu(&f, 0, FR_RING_PART_MIN);
	assert_true(small.parts > 7 * whole.parts);
	assert_int_equal(small.records, whole.records);
	assert_int_equal(small.first_number, whole.first_number);
	assert_memory_equal(&small.account, &whole.account, sizeof(whole.account));
	fake_done(&f);
}

/* Overtaken in the middle of a sub-buffer: what was handed out of it stays. */
static void a_small_part_is_overtaken_alone(void **state)
{
	struct fake_ring f;
	struct got g;

	(void)state;
	fake_init(&f, 1, SHIFT);
	write_cnt(&f, 0, SUBS * PER_SUB);
	f.on_copy = lap_during_copy; /* in the third part of the oldest one */
	g = read_cpu(&f, 0, FR_RING_PART_MIN);
	assert_int_equal(g.account.overtaken,
			 (SUBS - 4) * PER_SUB - 2 * (FR_RING_PART_MIN / UNITS / 8));
	assert_int_equal(g.losses, 1);
	fake_done(&f);
}

static void the_largest_record_fits_the_smallest_part(void **state)
{
	struct fake_ring f;
	struct got g;

	(void)state;
	fake_init(&f, 1, SHIFT);
	for (int i = 0; i < 40; i++)
		fake_write(&f, 0, 1000, 100, FR_RECORD_UNITS_MAX);
	g = read_cpu(&f, 0, FR_RING_PART_MIN);
	assert_int_equal(g.records, 40);
	fake_done(&f);
}

static void a_cpu_without_a_share_only_counts(void **state)
{
	struct fake_ring f;
	struct got g;

	(void)state;
	fake_init(&f, 2, SHIFT);
	f.cpu_slot[1] = FR_NO_SLOT;
	write_cnt(&f, 0, 3);
	write_cnt(&f, 1, 77);
	g = read_cpu(&f, 1, FR_SUB_BYTES);
	assert_int_equal(g.account.emitted, 77);
	assert_int_equal(g.account.dropped_nocpu, 77);
	assert_int_equal(read_cpu(&f, 0, FR_SUB_BYTES).records, 3);
	fake_done(&f);
}

static void drops_are_part_of_what_was_emitted(void **state)
{
	struct fake_ring f;
	struct got g;

	(void)state;
	fake_init(&f, 1, SHIFT);
	write_cnt(&f, 0, 10);
	for (uint32_t i = 1; i < SUBS; i++)
		fake_sub(&f, 0, i)->commit -= 2;
	write_cnt(&f, 0, PER_SUB);
	assert_int_equal(f.ctl[0].dropped_busy, 10);
	g = read_cpu(&f, 0, FR_SUB_BYTES);
	assert_int_equal(g.account.emitted, PER_SUB + 10);
	assert_int_equal(g.account.dropped_busy, 10);
	assert_int_equal(g.records, PER_SUB);
	fake_done(&f);
}

static void records_that_make_no_sense_are_not_handed_out(void **state)
{
	static const uint64_t senseless[] = { 0, FR_RECORD_WORD(1, 100, FR_RECORD_UNITS_MAX) };
	struct fake_ring f;
	struct got g;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		fake_init(&f, 1, SHIFT);
		write_cnt(&f, 0, 2 * PER_SUB);
		/* 10 records before the end of the first one */
		memcpy(fake_data(&f, 0, 0) + (PER_SUB - 10) * UNITS * 8, &senseless[i], 8);
		g = read_cpu(&f, 0, FR_SUB_BYTES);
		assert_int_equal(g.account.torn, 10);
		assert_int_equal(g.account.unfinished, 10);
		assert_int_equal(g.records, 2 * PER_SUB - 10);
		assert_int_equal(g.losses, 1);
		fake_done(&f);
	}
}

static void a_failing_copy_ends_this_cpu(void **state)
{
	struct fr_ring_reader r;
	struct fr_ring_part part;
	struct fake_ring f;

	(void)state;
	fake_init(&f, 2, SHIFT);
	write_cnt(&f, 0, 3 * PER_SUB);
	write_cnt(&f, 1, 1);
	f.copy_error_at = 2;
	assert_int_equal(fr_ring_begin(&r, &f.view, &f.io), 0);
	assert_int_equal(fr_ring_read(&r, 0, part_bytes, FR_SUB_BYTES, &part), 1);
	assert_int_equal(fr_ring_read(&r, 0, part_bytes, FR_SUB_BYTES, &part), -EIO);
	assert_int_equal(fr_ring_read(&r, 0, part_bytes, FR_SUB_BYTES, &part), 0);
	assert_int_equal(fr_ring_read(&r, 1, part_bytes, FR_SUB_BYTES, &part), 1);
	fr_ring_end(&r);
	fake_done(&f);
}

/* A turn that is not complete: the head has moved on, nothing else has. */
static void an_unsettled_turn_is_said_and_read_around(void **state)
{
	struct fake_ring f;
	struct got g;

	(void)state;
	fake_init(&f, 1, SHIFT);
	write_cnt(&f, 0, 3 * PER_SUB);
	f.ctl[0].head = FR_HEAD_MAKE(3, 1, UNITS);
	g = read_cpu(&f, 0, FR_SUB_BYTES);
	assert_true(g.account.unsettled);
	assert_int_equal(g.account.kept, 2 * PER_SUB);
	fake_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_ring_has_nothing),
		cmocka_unit_test(the_first_lap_is_kept_whole),
		cmocka_unit_test(later_laps_overwrite_whole_sub_buffers),
		cmocka_unit_test(two_readers_see_the_same),
		cmocka_unit_test(a_held_writer_leaves_its_sub_buffer_unfinished),
		cmocka_unit_test(a_sub_buffer_still_held_is_skipped_not_lost),
		cmocka_unit_test(a_running_sub_buffer_at_work_is_closed_by_a_flush),
		cmocka_unit_test(without_a_flush_what_rests_is_read_all_the_same),
		cmocka_unit_test(what_writers_come_round_to_is_overtaken),
		cmocka_unit_test(a_reader_that_sleeps_for_a_lap_keeps_nothing),
		cmocka_unit_test(the_last_sub_buffer_is_read_to_its_end_when_closed_meanwhile),
		cmocka_unit_test(sequence_numbers_wrap),
		cmocka_unit_test(after_a_wrap_a_small_number_is_no_first_lap),
		cmocka_unit_test(parts_smaller_than_sub_buffers_give_the_same),
		cmocka_unit_test(a_small_part_is_overtaken_alone),
		cmocka_unit_test(the_largest_record_fits_the_smallest_part),
		cmocka_unit_test(a_cpu_without_a_share_only_counts),
		cmocka_unit_test(drops_are_part_of_what_was_emitted),
		cmocka_unit_test(records_that_make_no_sense_are_not_handed_out),
		cmocka_unit_test(a_failing_copy_ends_this_cpu),
		cmocka_unit_test(an_unsettled_turn_is_said_and_read_around),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
