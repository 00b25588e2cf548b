/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of dumps, and which of them go when the disk's limits are reached. */
#include "cm.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "recorder/dump_quota.h"

#define MIB ((off_t)1 << 20)
#define OLDEST "flightrec-20260101T000000.000Z-usr1-9.frd"
#define UNFINISHED ".flightrec-20260102T000000.000Z-usr1-10.frd.tmp"
#define MIDDLE "flightrec-20260103T000000.000Z-oom-1.frd"
#define NEWEST "flightrec-20260104T000000.000Z-latency-p99-2.frd"
#define WRITING ".flightrec-20251231T000000.000Z-usr1-1.frd.tmp" /* older than all of them */

static char dir[64];
static int dir_fd;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/fr-quota-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0;
}

static int teardown(void **state)
{
	(void)state;
	close(dir_fd);
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void make_file(const char *name, off_t bytes)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, bytes), 0);
	close(fd);
}

static bool there(const char *name)
{
	return !faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW);
}

/* Three dumps, one unfinished, the one being written, and what is none of ours. */
static struct fr_quota four_files(off_t bytes)
{
	struct fr_quota q = { .dir_fd = dir_fd };

	make_file(OLDEST, bytes);
	make_file(UNFINISHED, bytes);
	make_file(MIDDLE, bytes);
	make_file(NEWEST, bytes);
	make_file(WRITING, bytes);
	make_file("notes.txt", bytes);
	make_file("flightrec-mine.frd", bytes);
	snprintf(q.writing, sizeof(q.writing), "%s", WRITING);
	return q;
}

static void names_say_when_and_why(void **state)
{
	char name[FR_DUMP_NAME_BYTES];
	const char *order;
	bool temp;

	(void)state;
	fr_dump_name(name, sizeof(name), 1795454152123456789ull, "usr1", 7);
	assert_string_equal(name, "flightrec-20261123T171552.123Z-usr1-7.frd");
	assert_true(fr_dump_name_ours(name, &temp, &order));
	assert_false(temp);
	assert_true(fr_dump_name_ours(UNFINISHED, &temp, &order));
	assert_true(temp);
	assert_true(strcmp(order, "flightrec-20260102") > 0);
	assert_true(fr_dump_name_ours(NEWEST, &temp, &order));
}

static void what_is_not_ours_is_told_by_its_name(void **state)
{
	static const char *const names[] = {
		"",
		".",
		"..",
		"flightrec-",
		"flightrec.frd",
		"core",
		".flightrecd.lock",
		"flightrec-20260101T000000.000Z-usr1-9.frd.bak",
		"flightrec-20260101T000000.000Z-usr1-9.frd.tmp", /* without the dot */
		".flightrec-20260101T000000.000Z-usr1-9.frd",	 /* without .tmp */
		"flightrec-20260101T000000.000Z--.frd",
		"flightrec-20260101T000000.000Z-usr1-.frd",
		"flightrec-2026010xT000000.000Z-usr1-9.frd",
		"flightrec-20260101T000000.000Z-../../x-9.frd",
		"Flightrec-20260101T000000.000Z-usr1-9.frd",
	};
	const char *order;
	bool temp;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (fr_dump_name_ours(names[i], &temp, &order))
			fail_msg("%s is taken for a dump", names[i]);
}

static void without_limits_nothing_goes(void **state)
{
	struct fr_quota q = four_files(MIB);

	(void)state;
	assert_int_equal(fr_quota_admit(&q, 0), 0);
	assert_int_equal(fr_quota_admit(&q, 1000 * MIB), 0);
	assert_int_equal(q.removed_cnt, 0);
}

static void the_oldest_go_for_the_number_of_files(void **state)
{
	struct fr_quota q = four_files(MIB);

	(void)state;
	q.max_files = 3; /* with the one being written */
	assert_int_equal(fr_quota_admit(&q, 0), 0);
	assert_int_equal(q.removed_cnt, 2);
	assert_int_equal(q.removed_bytes, 2 * MIB);
	assert_false(there(OLDEST));
	assert_false(there(UNFINISHED));
	assert_true(there(MIDDLE) && there(NEWEST) && there(WRITING));
	assert_true(there("notes.txt") && there("flightrec-mine.frd"));
}

static void the_oldest_go_for_the_quota(void **state)
{
	struct fr_quota q = four_files(10 * MIB);

	(void)state;
	q.limit_bytes = 50 * MIB;
	assert_int_equal(fr_quota_admit(&q, 0), 0);
	assert_int_equal(q.removed_cnt, 0);
	/* while it grows */
	for (off_t bytes = 0; bytes < 25 * MIB; bytes += 100000)
		assert_int_equal(fr_quota_admit(&q, (uint64_t)bytes), 0);
	assert_int_equal(q.removed_cnt, 2);
	assert_string_equal(q.removed_last, UNFINISHED);
	assert_true(there(MIDDLE) && there(NEWEST) && there(WRITING));
}

static void the_quota_is_never_exceeded(void **state)
{
	struct fr_quota q = four_files(10 * MIB);

	(void)state;
	q.limit_bytes = 45 * MIB;
	for (off_t bytes = 0; bytes <= 45 * MIB; bytes += 50000) {
		assert_int_equal(fr_quota_admit(&q, (uint64_t)bytes), 0);
		assert_true((4 - q.removed_cnt) * 10 * MIB + bytes <= 45 * MIB);
	}
	assert_int_equal(fr_quota_admit(&q, 45 * MIB + 1), -EDQUOT);
	assert_true(there(WRITING) && there("notes.txt"));
}

static void one_larger_than_the_quota_removes_nobody(void **state)
{
	struct fr_quota q = four_files(MIB);

	(void)state;
	q.limit_bytes = 100 * MIB;
	assert_int_equal(fr_quota_admit(&q, 101 * MIB), -EDQUOT);
	assert_int_equal(q.removed_cnt, 0);
}

/* The disk is full of other things: giving up our history would not help. */
static void nothing_goes_when_it_is_no_help(void **state)
{
	struct fr_quota q = four_files(1);

	(void)state;
	q.min_free_pct = 100;
	assert_int_equal(fr_quota_admit(&q, 0), -ENOSPC);
	assert_int_equal(q.removed_cnt, 0);
	assert_true(there(OLDEST));
}

static void the_oldest_go_for_what_must_stay_free(void **state)
{
	struct statvfs fs;
	struct fr_quota q;

	(void)state;
	assert_int_equal(fstatvfs(dir_fd, &fs), 0);
	/* with holes: on paper the four are larger than the disk */
	q = four_files((off_t)(fs.f_blocks * fs.f_frsize / 3));
	q.min_free_pct = 100;
	/* all together seemed to be enough; they were not what their sizes said */
	assert_int_equal(fr_quota_admit(&q, 0), -ENOSPC);
	assert_true(q.removed_cnt >= 1);
	assert_false(there(OLDEST));
	assert_true(there(WRITING) && there("notes.txt"));
}

static void links_and_folders_are_left_alone(void **state)
{
	struct fr_quota q = { .dir_fd = dir_fd, .max_files = 1 };

	(void)state;
	make_file("target", MIB);
	assert_int_equal(symlinkat("target", dir_fd, OLDEST), 0);
	assert_int_equal(mkdirat(dir_fd, MIDDLE, 0700), 0);
	assert_int_equal(fr_quota_admit(&q, 0), 0);
	assert_int_equal(q.removed_cnt, 0);
	assert_true(there(OLDEST) && there(MIDDLE) && there("target"));
}

#define WITH_DIR(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_say_when_and_why),
		cmocka_unit_test(what_is_not_ours_is_told_by_its_name),
		WITH_DIR(without_limits_nothing_goes),
		WITH_DIR(the_oldest_go_for_the_number_of_files),
		WITH_DIR(the_oldest_go_for_the_quota),
		WITH_DIR(the_quota_is_never_exceeded),
		WITH_DIR(one_larger_than_the_quota_removes_nobody),
		WITH_DIR(nothing_goes_when_it_is_no_help),
		WITH_DIR(the_oldest_go_for_what_must_stay_free),
		WITH_DIR(links_and_folders_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
