/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Chrome sink where it is easily got wrong: order inside a track, what is held back, ids that
 * are used again, requests that overlap, ranges and filters. Whole outputs: tests/golden.
 */
#include "cm.h"

#include <errno.h>
#include <stdio.h>

#include "formats/out/convert.h"
#include "make_dump.h"
#include "convert_to.h"

#define S 1000000000ull
#define US 1000ull
enum { A = 100, B = 101, C = 102, DISK = 8u << 20 };

static struct mk mk;
static char *text; /* the output */

static int start(void **state)
{
	(void)state;
	mk = (struct mk){ 0 };
	mk_begin(&mk, 1);
	mk_segment(&mk, 0, 1, 0, 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	mk_close(&mk);
	return 0;
}

static void convert(const struct fr_convert *opt)
{
	struct fr_convert_stats stats;
	int err;

	free(text);
	text = convert_to(mk.dump, "chrome", opt, &stats, &err);
	assert_int_equal(err, 0);
	assert_non_null(text);
	if (!is_json(text))
		fail_msg("no JSON: %s", text);
}

static void finish(void)
{
	mk_chunk(&mk);
	mk_end(&mk, NULL);
}

/* How often this occurs in the output. */
static int count(const char *part)
{
	int cnt = 0;

	for (const char *p = text; (p = strstr(p, part)); p++)
		cnt++;
	return cnt;
}

static void has(const char *part)
{
	if (!count(part))
		fail_msg("'%s' is not in %s", part, text);
}

/* An event of the output, one line. */
struct event {
	char ph;
	unsigned long long pid, tid;
	double ts, dur;
};

static bool next_event(const char **at, struct event *e)
{
	const char *line = *at, *field;

	for (; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		if (strncmp(line, "{\"ph\":\"", 7))
			continue;
		*e = (struct event){ .ph = line[7] };
		field = strstr(line, "\"pid\":");
		if (sscanf(field, "\"pid\":%llu,\"tid\":%llu,\"ts\":%lf", &e->pid, &e->tid,
			   &e->ts) < 3)
			continue;
		field = strstr(field, "\"dur\":");
		if (field && field < strchr(line, '\n'))
			e->dur = strtod(field + 6, NULL);
		*at = strchr(line, '\n') + 1;
		return true;
	}
	return false;
}

/* No track goes back in time, and no slice sticks out of another. */
static void expect_sound_tracks(void)
{
	struct {
		unsigned long long tid;
		double ts, slice_end;
	} tracks[64] = { { 0 } };
	const char *at = text;
	struct event e;
	size_t cnt = 0, i;

	while (next_event(&at, &e)) {
		for (i = 0; i < cnt && tracks[i].tid != e.tid; i++)
			;
		assert_in_range(i, 0, 63);
		if (i == cnt)
			tracks[cnt++].tid = e.tid;
		if (e.ts < tracks[i].ts)
			fail_msg("track %llu goes back to %f: %s", e.tid, e.ts, text);
		tracks[i].ts = e.ts;
		if (e.ph != 'X')
			continue;
		if (e.ts < tracks[i].slice_end && e.ts + e.dur > tracks[i].slice_end)
			fail_msg("track %llu: slices cross at %f: %s", e.tid, e.ts, text);
		if (e.ts + e.dur > tracks[i].slice_end)
			tracks[i].slice_end = e.ts + e.dur;
	}
	assert_true(cnt > 0);
}

static void send_by(uint64_t t, uint32_t tid)
{
	struct fr_sock_io e = { .tid = tid, .result = 7, .flags = FR_IO_NOSTATE };

	mk_add(&mk, t, FR_EV_SOCK_SEND, &e, sizeof(e));
}

/* ---- tracks --------------------------------------------------------------------------------- */

static void what_happens_inside_a_slice_comes_behind_it(void **state)
{
	struct fr_convert opt = { 0 };

	(void)state;
	mk_thread(&mk, A, A, 5, 0, "a");
	mk_switch(&mk, S, 0, A, 0, 0);
	send_by(S + 10 * US, A);
	send_by(S + 20 * US, A);
	mk_switch(&mk, S + 30 * US, A, 0, 1, 5);
	finish();
	convert(&opt);
	expect_sound_tracks();
	assert_int_equal(count("\"name\":\"send\""), 2);
	has("{\"ph\":\"X\",\"name\":\"Running\",\"cat\":\"sched\",\"pid\":100,\"tid\":100,\"ts\":0."
	    "000,"
	    "\"dur\":30.000,\"args\":{\"cpu\":0}}");
	has("{\"ph\":\"T\",\"name\":\"Running\",\"pid\":100,\"tid\":100,\"ts\":0.000,\"dur\":30."
	    "000,"
	    "\"args\":{\"cpu\":0}}");
	has("{\"ph\":\"X\",\"cat\":\"sched\",\"name\":\"a\",\"pid\":4194304,\"tid\":4200000,\"ts\":"
	    "0.000,"
	    "\"dur\":30.000,\"args\":{\"tid\":100}}");
}

static void a_very_long_slice_is_cut_rather_than_held(void **state)
{
	struct fr_convert opt = { 0 };

	(void)state;
	mk_thread(&mk, A, A, 5, 0, "a");
	mk_switch(&mk, S, 0, A, 0, 0);
	for (uint64_t i = 1; i <= 3000; i++)
		send_by(S + i * US, A);
	mk_switch(&mk, S + 3001 * US, A, 0, 1, 5);
	finish();
	convert(&opt);
	expect_sound_tracks();
	assert_int_equal(count("\"name\":\"send\""), 3000);
	assert_in_range(count("\"name\":\"Running\",\"cat\""), 2, 20);
	has("\"began_earlier\":true");
	/* the CPU's own slice stays whole */
	assert_int_equal(count("\"pid\":4194304,\"tid\":4200000,\"ts\":"), 1);
}

static void an_event_of_a_sleeper_does_not_break_its_track(void **state)
{
	struct fr_proc_oom e = { .tid = A, .tgid = A };
	struct fr_convert opt = { 0 };

	(void)state;
	mk_thread(&mk, A, A, 5, 0, "a");
	mk_thread(&mk, B, B, 5, 0, "b");
	mk_switch(&mk, S, 0, A, 0, 0);
	mk_switch(&mk, S + 10 * US, A, B, 2, 5);
	mk_add(&mk, S + 20 * US, FR_EV_PROC_OOM, &e, sizeof(e)); /* B ran into the limit */
	mk_switch(&mk, S + 30 * US, B, A, 1, 5);
	mk_switch(&mk, S + 40 * US, A, 0, 1, 10005);
	finish();
	convert(&opt);
	expect_sound_tracks();
	has("\"name\":\"OOM victim\"");
	/* asleep in two parts, then runnable for the 10 us that the kernel counted */
	has("{\"ph\":\"T\",\"name\":\"D\",\"pid\":100,\"tid\":100,\"ts\":10.000,\"dur\":10.000}");
	has("{\"ph\":\"T\",\"name\":\"R\",\"pid\":100,\"tid\":100,\"ts\":20.000,\"dur\":10.000}");
}

static void an_arrow_leads_from_the_waker_to_the_woken(void **state)
{
	struct fr_convert opt = { 0 };

	(void)state;
	mk_thread(&mk, A, A, 5, 0, "a");
	mk_thread(&mk, B, B, 5, 0, "b");
	mk_switch(&mk, S, 0, A, 0, 0);
	mk_waking(&mk, S + 5 * US, B, A);
	mk_switch(&mk, S + 10 * US, A, B, 1, 5);
	mk_switch(&mk, S + 20 * US, B, 0, 1, 5);
	finish();
	convert(&opt);
	expect_sound_tracks();
	has("{\"ph\":\"s\",\"name\":\"wake\",\"cat\":\"sched\",\"id\":1,\"pid\":100,\"tid\":100,"
	    "\"ts\":5.000}");
	has("{\"ph\":\"f\",\"bp\":\"e\",\"name\":\"wake\",\"cat\":\"sched\",\"id\":1,\"pid\":101,"
	    "\"tid\":101,\"ts\":10.000}");
}

/* A leaves and B comes unseen: B's run begins at the CPU's last record, which is the wake-up. */
static void no_arrow_leads_to_where_nobody_saw_it_begin(void **state)
{
	struct fr_convert opt = { 0 };

	(void)state;
	mk_thread(&mk, A, A, 5, 0, "a");
	mk_thread(&mk, B, B, 5, 0, "b");
	mk_switch(&mk, S, 0, A, 0, 0);
	mk_waking(&mk, S + 5 * US, B, A);
	mk_switch(&mk, S + 20 * US, B, 0, 1, 5);
	finish();
	convert(&opt);
	expect_sound_tracks();
	has("\"tid\":101,\"ts\":5.000,\"dur\":15.000,\"args\":{\"cpu\":0,\"began_earlier\":true}");
	assert_int_equal(count("\"ph\":\"f\""), 0);
}

/* ---- names ---------------------------------------------------------------------------------- */

static void a_tid_used_again_has_a_track_of_its_own(void **state)
{
	struct fr_convert opt = { 0 };

	(void)state;
	mk_thread(&mk, A, A, 5, S + 15 * US, "first");
	mk_thread(&mk, A, A, 2 * S, 0, "second");
	mk_switch(&mk, S, 0, A, 0, 0);
	mk_switch(&mk, S + 10 * US, A, 0, 0x80, 5);
	mk_switch(&mk, 3 * S, 0, A, 0, 0);
	mk_switch(&mk, 3 * S + 10 * US, A, 0, 1, 5);
	finish();
	convert(&opt);
	expect_sound_tracks();
	has("\"name\":\"thread_name\",\"pid\":100,\"tid\":100,\"args\":{\"name\":\"first\"}");
	has("\"name\":\"thread_name\",\"pid\":8388708,\"tid\":8388708,\"args\":{\"name\":"
	    "\"second (tid 100 again)\"}");
}

static void who_has_no_name_is_shown_as_such(void **state)
{
	struct fr_convert opt = { 0 };

	(void)state;
	mk_switch(&mk, S, 0, C, 0, 0);
	mk_switch(&mk, S + 10 * US, C, 0, 1, 5);
	finish();
	convert(&opt);
	has("\"name\":\"thread_name\",\"pid\":102,\"tid\":102,\"args\":{\"name\":\"tid 102 "
	    "(unnamed)\"}");
	has("\"name\":\"process_name\",\"pid\":102,\"args\":{\"name\":\"pid 102 (unnamed)\"}");
	has("\"unnamed\":\"1\"");
}

static void any_bytes_may_be_a_name(void **state)
{
	static const char *const comms[] = {
		"a\"b\\c\n", "\xff\xfe\x80 bad", "\xc3\xa9t\xc3\xa9",
		"\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x10\x11\x12"
	};
	struct fr_convert opt = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		mk_thread(&mk, A + i, A + i, 5, 0, comms[i]);
		mk_switch(&mk, S + i * 20 * US, 0, A + i, 0, 0);
		mk_switch(&mk, S + i * 20 * US + 10 * US, A + i, 0, 1, 5);
	}
	mk_switch(&mk, S + 100 * US, 0, A, 0, 0);
	mk_switch(&mk, S + 110 * US, A, 0, 1, 5);
	finish();
	convert(&opt); /* strict JSON, or it fails */
	has("\"name\":\"a\\\"b\\\\c\\n\"");
	has("\xc3\xa9t\xc3\xa9");
	has("\\u0001\\u0002");
	/* on the CPU's track, whoever was there in between */
	has("\"sched\",\"name\":\"a\\\"b\\\\c\\n\",\"pid\":4194304,\"tid\":4200000,\"ts\":0.000,");
	has("\"sched\",\"name\":\"a\\\"b\\\\c\\n\",\"pid\":4194304,\"tid\":4200000,\"ts\":100."
	    "000,");
	has("\"sched\",\"name\":\"\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\",\"pid\":4194304,");
}

/* ---- disks ---------------------------------------------------------------------------------- */

static void issue(uint64_t t, uint64_t sector, uint32_t bytes)
{
	struct fr_block_issue e = { .sector = sector, .dev = DISK, .bytes = bytes, .tid = A };

	mk_add(&mk, t, FR_EV_BLOCK_ISSUE, &e, sizeof(e));
}

static void complete(uint64_t t, uint64_t sector, uint32_t bytes, uint64_t latency_ns)
{
	struct fr_block_complete e = {
		.sector = sector, .dev = DISK, .bytes = bytes, .latency_ns = latency_ns
	};

	mk_add(&mk, t, FR_EV_BLOCK_COMPLETE, &e, sizeof(e));
}

static void requests_that_overlap_lie_on_lanes(void **state)
{
	struct fr_convert opt = { 0 };

	(void)state;
	mk_thread(&mk, A, A, 5, 0, "a");
	issue(S, 8, 4096);
	issue(S + 10 * US, 80, 4096);
	complete(S + 20 * US, 8, 4096, 20 * US);
	issue(S + 30 * US, 800, 512);
	complete(S + 40 * US, 80, 4096, 30 * US);
	complete(S + 50 * US, 800, 512, 20 * US);
	finish();
	convert(&opt);
	expect_sound_tracks();
	assert_int_equal(count("\"tid\":5000000,\"ts\""), 2);
	assert_int_equal(count("\"tid\":5000001,\"ts\""), 1);
	has("\"name\":\"8:0 #2\"");
}

static void a_request_may_be_done_in_parts(void **state)
{
	struct fr_convert opt = { 0 };

	(void)state;
	issue(S, 8, 4096);
	complete(S + 20 * US, 8, 1024, 20 * US);
	complete(S + 30 * US, 10, 3072, 30 * US);
	finish();
	convert(&opt);
	assert_int_equal(count("\"cat\":\"block\""), 1);
	has("\"dur\":30.000,\"args\":{\"device\":\"8:0\",\"sector\":\"8\",\"bytes\":4096");
}

static void half_seen_requests_are_shown(void **state)
{
	struct fr_convert opt = { 0 };

	(void)state;
	mk_switch(&mk, S, 0, A, 0, 0);
	complete(S + 20 * US, 8, 4096, 5 * US); /* issued unseen, 5 us ago */
	issue(S + 30 * US, 80, 4096);		/* never done */
	mk_switch(&mk, S + 90 * US, A, 0, 1, 1);
	finish();
	convert(&opt);
	expect_sound_tracks();
	has("\"ts\":15.000,\"dur\":5.000,\"args\":{\"device\":\"8:0\"");
	has("\"ts\":30.000,\"dur\":60.000");
	has("\"unfinished\":true");
}

/* ---- ranges and filters --------------------------------------------------------------------- */

static void a_range_clips_slices(void **state)
{
	struct fr_convert opt = { .from_ns = S + 5 * US, .to_ns = S + 25 * US };

	(void)state;
	mk_thread(&mk, A, A, 5, 0, "a");
	mk_switch(&mk, S, 0, A, 0, 0);
	send_by(S + 2 * US, A);
	send_by(S + 7 * US, A);
	mk_switch(&mk, S + 10 * US, A, 0, 1, 5);
	mk_switch(&mk, S + 20 * US, 0, A, 0, 0);
	send_by(S + 27 * US, A);
	mk_switch(&mk, S + 30 * US, A, 0, 1, 5);
	finish();
	convert(&opt);
	expect_sound_tracks();
	assert_int_equal(count("\"name\":\"send\""), 1);
	has("\"ts\":5.000,\"dur\":5.000,\"args\":{\"cpu\":0}}");
	has("\"ts\":20.000,\"dur\":5.000,\"args\":{\"cpu\":0,\"went_on\":true}}");
}

static void a_filter_keeps_a_process_and_its_threads(void **state)
{
	struct fr_convert opt = { .filter = { .pid = A } };

	(void)state;
	mk_thread(&mk, A, A, 5, 0, "a");
	mk_thread(&mk, C, A, 5, 0, "a-thread");
	mk_thread(&mk, B, B, 5, 0, "b");
	mk_switch(&mk, S, 0, A, 0, 0);
	mk_switch(&mk, S + 10 * US, A, B, 1, 5);
	send_by(S + 12 * US, B);
	mk_switch(&mk, S + 20 * US, B, C, 1, 5);
	mk_switch(&mk, S + 30 * US, C, 0, 1, 5);
	finish();
	convert(&opt);
	assert_int_equal(count("\"name\":\"Running\",\"cat\""), 2);
	assert_int_equal(count("\"tid\":101"), 0);
	assert_int_equal(count("\"name\":\"send\""), 0);
	has("\"pid\":100,\"tid\":102");
	opt.filter = (struct fr_filter){ .comm = "b" };
	convert(&opt);
	assert_int_equal(count("\"name\":\"Running\",\"cat\""), 1);
	assert_int_equal(count("\"name\":\"send\""), 1);
	opt.filter = (struct fr_filter){ .comm = "a" }; /* its threads have other names */
	convert(&opt);
	assert_int_equal(count("\"name\":\"Running\",\"cat\""), 2);
}

static void the_same_dump_gives_the_same_bytes(void **state)
{
	struct fr_convert opt = { .all = true };
	char *first;

	(void)state;
	mk_switch(&mk, S, 0, A, 0, 0);
	send_by(S + 7 * US, A);
	mk_switch(&mk, S + 10 * US, A, 0, 1, 5);
	finish();
	convert(&opt);
	first = text;
	text = NULL;
	convert(&opt);
	assert_string_equal(first, text);
	free(first);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(what_happens_inside_a_slice_comes_behind_it),
		TEST(a_very_long_slice_is_cut_rather_than_held),
		TEST(an_event_of_a_sleeper_does_not_break_its_track),
		TEST(an_arrow_leads_from_the_waker_to_the_woken),
		TEST(no_arrow_leads_to_where_nobody_saw_it_begin),
		TEST(a_tid_used_again_has_a_track_of_its_own),
		TEST(who_has_no_name_is_shown_as_such),
		TEST(any_bytes_may_be_a_name),
		TEST(requests_that_overlap_lie_on_lanes),
		TEST(a_request_may_be_done_in_parts),
		TEST(half_seen_requests_are_shown),
		TEST(a_range_clips_slices),
		TEST(a_filter_keeps_a_process_and_its_threads),
		TEST(the_same_dump_gives_the_same_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
