/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include <errno.h>

#include "formats/dump/record.h"

#define BASE_NS 123456789012345678ull

/* Segments being put together; 8-byte aligned as a loaded chunk is. */
static union {
	uint64_t align;
	uint8_t data[4096];
} raw;
static size_t raw_bytes;

static void segment(uint64_t base_ns, uint32_t bytes, uint32_t records)
{
	struct fr_segment_header h = {
		.base_time_ns = base_ns,
		.sub_seq = 9,
		.first_record = 100,
		.bytes = bytes,
		.records = records,
		.flags = FR_SEGMENT_LOSS_BEFORE,
	};

	memcpy(raw.data + raw_bytes, &h, sizeof(h));
	raw_bytes += sizeof(h);
}

static void record(uint64_t time_ns, uint32_t kind, uint32_t units)
{
	uint64_t word = FR_RECORD_WORD(time_ns, kind, units);

	memset(raw.data + raw_bytes, 0, units ? units * 8 : 8);
	memcpy(raw.data + raw_bytes, &word, sizeof(word));
	raw_bytes += units ? units * 8 : 8;
}

static struct fr_record_walk walk(void)
{
	struct fr_record_walk w;

	fr_record_walk_init(&w, 3, (struct fr_slice){ raw.data, raw_bytes });
	return w;
}

static int start(void **state)
{
	(void)state;
	raw_bytes = 0;
	return 0;
}

static void records_have_full_times_and_ordinals(void **state)
{
	const uint64_t times[] = { BASE_NS, BASE_NS + 1, BASE_NS + FR_TIME_SPAN_MAX - 1,
				   BASE_NS - 2000 };
	struct fr_record_walk w;
	struct fr_record r;

	(void)state;
	segment(BASE_NS, 4 * 24, 4);
	for (size_t i = 0; i < 4; i++)
		record(times[i], FR_EV_SCHED_SWITCH, 3);
	segment(7, 16, 1); /* a base near zero: going back saturates */
	record((uint64_t)0 - 10, FR_EV_SCHED_WAKING, 2);
	w = walk();
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(fr_record_next(&w, &r), 1);
		assert_int_equal(r.time_ns, times[i]);
		assert_int_equal(r.ordinal, 100 + i);
		assert_int_equal(r.sub_seq, 9);
		assert_int_equal(r.cpu, 3);
		assert_int_equal(r.bytes, 24);
		assert_int_equal(w.flags, FR_SEGMENT_LOSS_BEFORE);
	}
	assert_int_equal(fr_record_next(&w, &r), 1);
	assert_int_equal(r.time_ns, 0);
	assert_int_equal(fr_record_next(&w, &r), 0);
	assert_int_equal(fr_record_next(&w, &r), 0);
	assert_int_equal(w.segments, 2);
}

/* Counts what a walk yields: records, and places that make no sense. It must end. */
static void expect_walk(int records, int bad)
{
	struct fr_record_walk w = walk();
	struct fr_record r;
	int got = 0, wrong = 0, ret;

	while ((ret = fr_record_next(&w, &r))) {
		got += ret > 0;
		wrong += ret < 0;
		assert_true(ret == 1 || ret == -EBADMSG);
		assert_true(got + wrong < 1000);
	}
	assert_int_equal(got, records);
	assert_int_equal(wrong, bad);
}

static void damage_costs_the_rest_of_its_segment_only(void **state)
{
	(void)state;
	segment(BASE_NS, 24 + 8 + 24, 3);
	record(BASE_NS, FR_EV_SCHED_SWITCH, 3);
	record(BASE_NS, FR_EV_SCHED_SWITCH, 0); /* size 0 */
	record(BASE_NS, FR_EV_SCHED_SWITCH, 3);
	segment(BASE_NS, 24, 1);
	record(BASE_NS, FR_EV_SCHED_SWITCH, 3);
	expect_walk(2, 1);
}

static void a_record_must_end_inside_its_segment(void **state)
{
	(void)state;
	segment(BASE_NS, 24, 1);
	record(BASE_NS, FR_EV_SCHED_SWITCH, 4);
	raw_bytes -= 8;
	segment(BASE_NS, 16, 1);
	record(BASE_NS, FR_EV_SCHED_WAKING, 2);
	expect_walk(1, 1);
}

static void a_segment_must_end_inside_its_chunk(void **state)
{
	(void)state;
	segment(BASE_NS, 16, 1);
	record(BASE_NS, FR_EV_SCHED_WAKING, 2);
	segment(BASE_NS, 0xfffffff8u, 1);
	record(BASE_NS, FR_EV_SCHED_WAKING, 2);
	expect_walk(1, 1);
	raw_bytes = 16 + 32 + 31; /* cut inside the second header */
	expect_walk(1, 1);
}

static void odd_sizes_are_refused(void **state)
{
	(void)state;
	segment(BASE_NS, 17, 1);
	record(BASE_NS, FR_EV_SCHED_WAKING, 2);
	record(BASE_NS, FR_EV_SCHED_WAKING, 2);
	expect_walk(0, 1);
}

static void counts_that_differ_are_said_once(void **state)
{
	(void)state;
	segment(BASE_NS, 16, 5);
	record(BASE_NS, FR_EV_SCHED_WAKING, 2);
	segment(BASE_NS, 32, 1);
	record(BASE_NS, FR_EV_SCHED_WAKING, 2);
	record(BASE_NS, FR_EV_SCHED_WAKING, 2);
	expect_walk(2, 2);
	raw_bytes = 0;
	expect_walk(0, 0);
}

/* A record of `bytes` with a fixed part of `fixed`. */
static struct fr_record sample(uint32_t kind, const void *fixed, size_t fixed_bytes, uint32_t bytes)
{
	memset(raw.data, 0, sizeof(raw.data));
	memcpy(raw.data, fixed, fixed_bytes);
	return (struct fr_record){ .kind = kind, .bytes = bytes, .data = raw.data };
}

static void fixed_parts_must_be_there(void **state)
{
	uint64_t word = 0;
	struct fr_record r;

	(void)state;
	for (uint32_t kind = 0; kind < 256; kind++) {
		const struct fr_event_info *info = &fr_event_infos[kind];

		r = sample(kind, &word, sizeof(word), info->name ? info->fixed_bytes : 64);
		assert_int_equal(fr_record_sound(&r), info->name != NULL);
		r.bytes += 8; /* fields of a later version */
		assert_int_equal(fr_record_sound(&r), info->name != NULL);
		r.bytes -= 16;
		assert_false(fr_record_sound(&r));
	}
	assert_string_equal(fr_event_infos[FR_EV_SOCK_CLOSE].name, "sock_close");
	assert_int_equal(fr_event_infos[FR_EV_SCHED_WAKING].family, FR_FAMILY_WAKING);
}

static void variable_parts_must_fit(void **state)
{
	struct fr_proc_exec exec = { .path_bytes = 10, .args_bytes = 22 };
	struct fr_sock_open open = { .path_bytes = 8 };
	struct fr_sock_io io = { .captured_bytes = 16 };
	struct fr_record r;

	(void)state;
	r = sample(FR_EV_PROC_EXEC, &exec, sizeof(exec), sizeof(exec) + 32);
	assert_true(fr_record_sound(&r));
	r.bytes -= 8;
	assert_false(fr_record_sound(&r));
	exec.path_bytes = exec.args_bytes = 0xffff;
	r = sample(FR_EV_PROC_EXEC, &exec, sizeof(exec), 1023 * 8);
	assert_false(fr_record_sound(&r));

	r = sample(FR_EV_SOCK_CLOSE, &open, sizeof(open), sizeof(open) + 8);
	assert_true(fr_record_sound(&r));
	r.bytes -= 8;
	assert_false(fr_record_sound(&r));

	r = sample(FR_EV_SOCK_RECV, &io, sizeof(io), sizeof(io) + 16);
	assert_true(fr_record_sound(&r));
	io.flags = FR_IO_ADDR;
	r = sample(FR_EV_SOCK_SEND, &io, sizeof(io), sizeof(io) + 16);
	assert_false(fr_record_sound(&r));
	r.bytes += sizeof(struct fr_sock_addr);
	assert_true(fr_record_sound(&r));
	r.bytes -= 8;
	assert_false(fr_record_sound(&r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(records_have_full_times_and_ordinals, start),
		cmocka_unit_test_setup(damage_costs_the_rest_of_its_segment_only, start),
		cmocka_unit_test_setup(a_record_must_end_inside_its_segment, start),
		cmocka_unit_test_setup(a_segment_must_end_inside_its_chunk, start),
		cmocka_unit_test_setup(odd_sizes_are_refused, start),
		cmocka_unit_test_setup(counts_that_differ_are_said_once, start),
		cmocka_unit_test_setup(fixed_parts_must_be_there, start),
		cmocka_unit_test_setup(variable_parts_must_fit, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
