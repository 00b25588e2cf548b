/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "formats/model/map.h"

#define KEYS 5000u

/* Against an array: random puts, replacements and removals. */
static void agrees_with_an_array(void **state)
{
	uint32_t want[KEYS] = { 0 }, value;
	struct fr_map m = { 0 };
	uint64_t random = 7;
	size_t cnt = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		random = random * 6364136223846793005ull + 1442695040888963407ull;
		uint32_t key = (uint32_t)(random >> 40) % KEYS;

		if (random >> 33 & 1) {
			assert_int_equal(fr_map_put(&m, key, (uint32_t)i + 1), 0);
			cnt += !want[key];
			want[key] = (uint32_t)i + 1;
		} else {
			fr_map_del(&m, key);
			cnt -= !!want[key];
			want[key] = 0;
		}
		if (i % 1000)
			continue;
		for (uint32_t k = 0; k < KEYS; k++) {
			value = 0;
			assert_int_equal(fr_map_get(&m, k, &value), want[k] != 0);
			assert_int_equal(value, want[k]);
		}
		assert_int_equal(m.cnt, cnt);
	}
	fr_map_done(&m);
	assert_int_equal(m.cap, 0);
}

static void an_empty_map_has_nothing(void **state)
{
	struct fr_map m = { 0 };
	uint32_t value = 99;

	(void)state;
	assert_false(fr_map_get(&m, 0, &value));
	assert_int_equal(value, 99);
	fr_map_del(&m, 0);
	fr_map_done(&m);
}

static void any_key_is_fine(void **state)
{
	const uint64_t keys[] = { 0, 1, UINT64_MAX, 1ull << 63, 0xff00ff00ff00ff00 };
	struct fr_map m = { 0 };
	uint32_t value;

	(void)state;
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(fr_map_put(&m, keys[i], i), 0);
	for (uint32_t i = 0; i < 5; i++) {
		assert_true(fr_map_get(&m, keys[i], &value));
		assert_int_equal(value, i);
	}
	fr_map_done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_an_array),
		cmocka_unit_test(an_empty_map_has_nothing),
		cmocka_unit_test(any_key_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
