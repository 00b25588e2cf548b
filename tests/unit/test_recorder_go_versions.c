/* SPDX-License-Identifier: BSD-2-Clause */
/* Versions of Go by executable: found, not doubled, the oldest forgotten first. */
#include "cm.h"

#include <stdio.h>

#include "recorder/go_versions.h"

static struct fr_go_versions v;

static struct fr_binary_key key(uint64_t inode)
{
	return (struct fr_binary_key){ .inode = inode, .ctime_ns = 5, .dev = 8 };
}

static void keep(uint64_t inode, const char *version)
{
	struct fr_binary_key k = key(inode);

	fr_go_versions_keep(&v, &k, version);
}

static const char *look(uint64_t inode)
{
	struct fr_binary_key k = key(inode);

	return fr_go_versions_find(&v, &k);
}

static void what_was_kept_is_found(void **state)
{
	struct fr_binary_key other = key(1);

	(void)state;
	keep(1, "go1.21.13");
	keep(2, "go1.26.1");
	keep(1, "go1.21.13");
	assert_string_equal(look(1), "go1.21.13");
	assert_string_equal(look(2), "go1.26.1");
	assert_null(look(3));
	assert_null(look(0)); /* free rows are nobody's */
	other.ctime_ns++;     /* written to since */
	assert_null(fr_go_versions_find(&v, &other));
	assert_int_equal(v.next, 2);
}

static void the_oldest_are_forgotten(void **state)
{
	(void)state;
	for (uint64_t i = 10; i < 10 + FR_GO_VERSIONS_MAX; i++)
		keep(i, "go1.25");
	assert_null(look(1));
	assert_string_equal(look(9 + FR_GO_VERSIONS_MAX), "go1.25");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_kept_is_found),
		cmocka_unit_test(the_oldest_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
