/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A realistic dump, cut and flipped at many places, through what `verify`, `info` and `convert`
 * do, in one process. Nothing may crash, leak or hang; JSON stays JSON; damage is said. By default
 * 1,000 cuts and 1,000 flips; FR_LONG=1 takes every one.
 * timeout: 600
 */
#include "cm.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "dump_fixture.h"
#include "formats/out/info.h"
#include "convert_to.h"

#define SAMPLES 1000u
#define SECONDS_MAX 20 /* for one sample */

static uint8_t *whole;
static size_t whole_bytes;
static int file_fd; /* the damaged file */
static uint64_t whole_events;

static bool is_long(void)
{
	const char *s = getenv("FR_LONG");

	return s && *s && strcmp(s, "0");
}

static int setup(void **state)
{
	const struct fr_fixture_options opt = { .codec = FR_CODEC_LZ4, .requests = 4, .gap = true };
	struct fr_fixture_facts facts = { 0 };
	int fd = fr_fixture_open(&opt, &facts);
	off_t size = lseek(fd, 0, SEEK_END);

	(void)state;
	whole = malloc((size_t)size);
	whole_bytes = (size_t)size;
	whole_events = facts.records;
	if (!whole || pread(fd, whole, whole_bytes, 0) != size)
		return -1;
	close(fd);
	file_fd = memfd_create("damaged", MFD_CLOEXEC);
	return file_fd < 0;
}

static int teardown(void **state)
{
	(void)state;
	free(whole);
	close(file_fd);
	return 0;
}

/* What each said of one sample. */
struct said {
	int verify, info;
	uint64_t shown; /* events that came out of convert */
	bool opened;
};

static void report(struct fr_dump *d, bool json, struct said *said)
{
	struct fr_buf out = { 0 };
	struct fr_dump_report r = { &out, json, "damaged.frd" };

	said->verify = fr_verify_run(d, &r);
	assert_in_range(said->verify, FR_EXIT_OK, FR_EXIT_IO);
	fr_buf_add_char(&out, 0);
	assert_true(!json || is_json((char *)out.data));
	fr_buf_clear(&out);
	said->info = fr_info_run(d, &r);
	assert_in_range(said->info, FR_EXIT_OK, FR_EXIT_IO);
	fr_buf_add_char(&out, 0);
	assert_true(!json || is_json((char *)out.data));
	fr_buf_done(&out);
}

static void convert(struct fr_dump *d, const char *sink, bool all, struct said *said)
{
	struct fr_convert opt = { .all = all };
	struct fr_convert_stats stats;
	int err;
	char *text = convert_to(d, sink, &opt, &stats, &err);

	assert_int_equal(err, 0);
	assert_non_null(text);
	if (!strcmp(sink, "chrome") && !is_json(text))
		fail_msg("no JSON: %.200s", text);
	said->shown = stats.shown;
	free(text);
}

static struct said consume(size_t file_bytes)
{
	struct said said = { 0 };
	char err[200] = "";
	struct fr_dump *d;
	int ret;

	alarm(SECONDS_MAX);
	assert_int_equal(ftruncate(file_fd, 0), 0);
	assert_int_equal(pwrite(file_fd, whole, file_bytes, 0), (ssize_t)file_bytes);
	ret = fr_dump_open(file_fd, &d, err, sizeof(err));
	if (ret) {
		assert_true(err[0]);
		return said;
	}
	said.opened = true;
	report(d, false, &said);
	report(d, true, &said);
	convert(d, "text", false, &said);
	convert(d, "chrome", false, &said);
	convert(d, "chrome", true, &said);
	fr_dump_close(d);
	alarm(0);
	return said;
}

static void the_whole_dump_is_fine(void **state)
{
	struct said said = consume(whole_bytes);

	(void)state;
	assert_true(said.opened);
	assert_int_equal(said.verify, FR_EXIT_OK);
	assert_int_equal(said.info, FR_EXIT_OK);
	assert_int_equal(said.shown, whole_events);
}

static void cut_anywhere(void **state)
{
	size_t step = is_long() ? 1 : whole_bytes / SAMPLES + 1;
	uint64_t last = 0;
	struct said said;

	(void)state;
	for (size_t at = 0; at < whole_bytes; at += step) {
		said = consume(at);
		if (!said.opened)
			continue;
		assert_int_not_equal(said.verify, FR_EXIT_OK);
		assert_int_not_equal(said.info, FR_EXIT_OK);
		/* more of the file is never less of the events */
		assert_true(said.shown >= last);
		last = said.shown;
	}
	assert_int_equal(last, whole_events); /* only the index was missing in the end */
}

static void flipped_anywhere(void **state)
{
	size_t step = is_long() ? 1 : whole_bytes / SAMPLES + 1;
	struct said said;

	(void)state;
	for (size_t at = 0; at < whole_bytes; at += step) {
		whole[at] ^= (uint8_t)(0x01 << at % 8);
		said = consume(whole_bytes);
		whole[at] ^= (uint8_t)(0x01 << at % 8);
		if (!said.opened)
			continue;
		if (said.verify == FR_EXIT_OK)
			fail_msg("nobody noticed the flip at byte %zu", at);
		assert_true(said.shown <= whole_events);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_whole_dump_is_fine),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(flipped_anywhere),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
