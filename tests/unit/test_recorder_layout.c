/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include <errno.h>

#include "recorder/layout.h"

static struct fr_cpus some_cpus(uint32_t possible, uint32_t online)
{
	struct fr_cpus c = { .possible_cnt = possible, .online_cnt = online };

	for (uint32_t cpu = 0; cpu < possible; cpu++) {
		c.possible[cpu] = 1;
		c.online[cpu] = cpu < online;
	}
	return c;
}

static void lists_are_parsed(void **state)
{
	static const struct {
		const char *list;
		int err;
		uint32_t cnt;
		uint32_t end;
	} cases[] = {
		{ "0\n", 0, 1, 1 },
		{ "0-3\n", 0, 4, 4 },
		{ "0-3,8,10-11\n", 0, 7, 12 },
		{ "0-1,1-2", 0, 3, 3 },
		{ "4095", 0, 1, 4096 },
		{ "4096", -ERANGE, 0, 0 },
		{ "99999999999999999999", -ERANGE, 0, 0 },
		{ "3-1", -EBADMSG, 0, 0 },
		{ "", -EBADMSG, 0, 0 },
		{ "a", -EBADMSG, 0, 0 },
		{ "1-", -EBADMSG, 0, 0 },
		{ "1;2", -EBADMSG, 0, 0 },
		{ "-1", -EBADMSG, 0, 0 },
	};
	uint32_t cnt, end;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t marks[FR_CPU_SLOTS_MAX] = { 0 };

		assert_int_equal(fr_cpus_parse(cases[i].list, marks, &cnt, &end), cases[i].err);
		if (cases[i].err)
			continue;
		assert_int_equal(cnt, cases[i].cnt);
		assert_int_equal(end, cases[i].end);
	}
}

static void default_grows_with_cpus(void **state)
{
	struct fr_cpus c = some_cpus(2, 2);
	struct fr_layout l;
	char err[200];

	(void)state;
	assert_int_equal(fr_layout_make(&l, &c, 0, err, sizeof(err)), 0);
	assert_int_equal(l.ring_bytes, 64u << 20);
	assert_int_equal(l.sub_shift, 9); /* 32 MiB of 64 KiB */
	c = some_cpus(128, 128);
	assert_int_equal(fr_layout_make(&l, &c, 0, err, sizeof(err)), 0);
	assert_int_equal(l.ring_bytes, 256u << 20);
}

static void shares_are_powers_of_two(void **state)
{
	struct fr_cpus c = some_cpus(3, 3);
	struct fr_layout l;
	char err[200];

	(void)state;
	assert_int_equal(fr_layout_make(&l, &c, 64u << 20, err, sizeof(err)), 0);
	assert_int_equal(l.sub_shift, 8); /* 21 MiB each: 16 */
	assert_int_equal(l.slot_cnt, 3);
	assert_int_equal(l.ring_bytes, 48u << 20);
}

static void left_over_goes_to_offline_cpus(void **state)
{
	struct fr_cpus c = some_cpus(6, 3);
	struct fr_layout l;
	char err[200];

	(void)state;
	c.online[0] = 0; /* the order of numbers is not the order of slots */
	c.online[5] = 1;
	assert_int_equal(fr_layout_make(&l, &c, 64u << 20, err, sizeof(err)), 0);
	assert_int_equal(l.slot_cnt, 4);
	assert_int_equal(l.cpu_slot[1], 0);
	assert_int_equal(l.cpu_slot[2], 1);
	assert_int_equal(l.cpu_slot[5], 2);
	assert_int_equal(l.cpu_slot[0], 3);
	assert_int_equal(l.cpu_slot[3], FR_NO_SLOT);
	assert_int_equal(l.cpu_slot[6], FR_NO_SLOT);
	assert_int_equal(l.cpu_cnt, 6);
}

static void impossible_cpus_get_nothing(void **state)
{
	struct fr_cpus c = some_cpus(8, 1);
	struct fr_layout l;
	char err[200];

	(void)state;
	c.possible[4] = 0;
	assert_int_equal(fr_layout_make(&l, &c, 16u << 20, err, sizeof(err)), 0);
	assert_int_equal(l.slot_cnt, 1); /* one CPU online takes all */
	assert_int_equal(l.cpu_slot[4], FR_NO_SLOT);
}

static void too_small_is_refused(void **state)
{
	struct fr_cpus c = some_cpus(4, 4);
	struct fr_layout l;
	char err[200];

	(void)state;
	assert_int_equal(fr_layout_make(&l, &c, 3u << 20, err, sizeof(err)), -ERANGE);
	assert_non_null(strstr(err, "at least 4M"));
	assert_int_equal(fr_layout_make(&l, &c, 4u << 20, err, sizeof(err)), 0);
	assert_int_equal(1u << l.sub_shift, FR_SUBS_MIN);
	assert_int_equal(fr_layout_make(&l, &c, 1ull << 50, err, sizeof(err)), -ERANGE);
}

static void this_host_can_be_shared_out(void **state)
{
	struct fr_cpus c;
	struct fr_layout l;
	char err[200];
	uint32_t with_slot = 0;

	(void)state;
	assert_int_equal(fr_cpus_read(&c), 0);
	assert_int_equal(fr_layout_make(&l, &c, 0, err, sizeof(err)), 0);
	for (uint32_t cpu = 0; cpu < c.possible_cnt; cpu++) {
		if (c.online[cpu])
			assert_int_not_equal(l.cpu_slot[cpu], FR_NO_SLOT);
		with_slot += l.cpu_slot[cpu] != FR_NO_SLOT;
	}
	assert_int_equal(with_slot, l.slot_cnt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_parsed),
		cmocka_unit_test(default_grows_with_cpus),
		cmocka_unit_test(shares_are_powers_of_two),
		cmocka_unit_test(left_over_goes_to_offline_cpus),
		cmocka_unit_test(impossible_cpus_get_nothing),
		cmocka_unit_test(too_small_is_refused),
		cmocka_unit_test(this_host_can_be_shared_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
