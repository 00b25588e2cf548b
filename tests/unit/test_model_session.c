/* SPDX-License-Identifier: BSD-2-Clause */
/* Several dumps as one recording: which belong together, and which time they cover. */
#include "cm.h"

#include "formats/model/session.h"
#include "make_dump.h"

#define MS 1000000ull

static struct mk a, b;
static struct fr_session *session;
static char why[400];

static int end(void **state)
{
	(void)state;
	session = fr_session_close(session);
	mk_close(&a);
	mk_close(&b);
	return 0;
}

static int start(void **state)
{
	(void)state;
	a = (struct mk){ .fd = -1 };
	b = (struct mk){ .fd = -1 };
	why[0] = 0;
	return 0;
}

static void part(struct mk *m, uint16_t cpu, uint32_t sub_seq, uint64_t from, uint64_t to)
{
	mk_segment(m, cpu, sub_seq, 0, 0);
	mk_waking(m, from, 1, 0);
	mk_waking(m, to, 1, 0);
	mk_chunk(m);
}

static int open_both(void)
{
	struct fr_session_dump ins[2] = { { .dump = a.dump, .name = "a.frd" },
					  { .dump = b.dump, .name = "b.frd" } };

	return fr_session_open(ins, b.dump ? 2 : 1, &session, why, sizeof(why));
}

static void without_a_loss_table_the_chunks_tell_the_window(void **state)
{
	(void)state;
	mk_begin(&a, 1);
	part(&a, 0, 1, 10 * MS, 90 * MS);
	part(&a, 1, 1, 40 * MS, 95 * MS);
	part(&a, 0, 2, 91 * MS, 92 * MS);
	mk_end(&a, NULL);
	assert_int_equal(open_both(), 0);
	assert_int_equal(session->start_ns, 10 * MS);
	assert_int_equal(session->common_ns, 40 * MS);
	assert_int_equal(session->end_ns, 95 * MS);
	assert_int_equal(session->hidden_until_ns, 40 * MS);
	assert_int_equal(fr_session_cpu_oldest(&session->dumps[0], 1), 40 * MS);
}

static void the_loss_table_knows_better(void **state)
{
	struct fr_cpu_loss cpus[2] = { { .cpu = 0, .oldest_ns = 10 * MS, .overwritten = 1 },
				       { .cpu = 1, .oldest_ns = 20 * MS } };
	struct fr_meta_loss loss = {
		.cpus = cpus, .cpu_cnt = 2, .common_start_ns = 20 * MS, .end_ns = 99 * MS
	};

	(void)state;
	mk_begin(&a, 1);
	part(&a, 0, 1, 10 * MS, 90 * MS);
	part(&a, 1, 1, 40 * MS, 95 * MS); /* it was quiet before */
	mk_end(&a, &loss);
	assert_int_equal(open_both(), 0);
	assert_int_equal(session->common_ns, 20 * MS);
	assert_int_equal(session->end_ns, 99 * MS);
	/* CPU 1 lost nothing: only what CPU 0 had before 10 ms is hidden */
	assert_int_equal(session->hidden_until_ns, 10 * MS);
}

static void a_mad_loss_table_is_not_believed(void **state)
{
	struct fr_cpu_loss cpus[1] = { { .cpu = 0, .oldest_ns = 10 * MS } };
	struct fr_meta_loss loss = {
		.cpus = cpus, .cpu_cnt = 1, .common_start_ns = UINT64_MAX, .end_ns = UINT64_MAX
	};

	(void)state;
	mk_begin(&a, 1);
	part(&a, 0, 1, 10 * MS, 90 * MS);
	mk_end(&a, &loss);
	assert_int_equal(open_both(), 0);
	assert_int_equal(session->common_ns, 10 * MS);
	assert_int_equal(session->end_ns, 90 * MS);
}

static void dumps_are_put_in_order(void **state)
{
	(void)state;
	mk_begin(&a, 1);
	part(&a, 0, 5, 100 * MS, 200 * MS);
	mk_end(&a, NULL);
	mk_begin(&b, 1);
	part(&b, 0, 1, 10 * MS, 50 * MS);
	mk_end(&b, NULL);
	assert_int_equal(open_both(), 0);
	assert_string_equal(session->dumps[0].name, "b.frd");
	assert_int_equal(session->dumps[0].instance, session->dumps[1].instance);
	assert_int_equal(session->start_ns, 10 * MS);
	assert_int_equal(session->end_ns, 200 * MS);
}

static void runs_of_the_recorder_are_told_apart(void **state)
{
	(void)state;
	mk_begin(&a, 2);
	part(&a, 0, 5, 100 * MS, 200 * MS);
	mk_end(&a, NULL);
	mk_begin(&b, 1);
	part(&b, 0, 1, 10 * MS, 50 * MS);
	mk_end(&b, NULL);
	assert_int_equal(open_both(), 0);
	assert_string_equal(session->dumps[0].name, "b.frd");
	assert_int_equal(session->dumps[0].instance + 1, session->dumps[1].instance);
}

static void two_recorders_at_once_are_refused(void **state)
{
	(void)state;
	mk_begin(&a, 2);
	part(&a, 0, 5, 40 * MS, 200 * MS);
	mk_end(&a, NULL);
	mk_begin(&b, 1);
	part(&b, 0, 1, 10 * MS, 50 * MS);
	mk_end(&b, NULL);
	assert_int_equal(open_both(), -EXDEV);
	assert_non_null(strstr(why, "a.frd"));
	assert_non_null(strstr(why, "b.frd"));
}

static void two_boots_are_refused(void **state)
{
	(void)state;
	mk_begin(&a, 1);
	part(&a, 0, 5, 40 * MS, 200 * MS);
	mk_end(&a, NULL);
	mk_begin_on(&b, 1, "boot-2");
	part(&b, 0, 1, 10 * MS, 50 * MS);
	mk_end(&b, NULL);
	assert_int_equal(open_both(), -EXDEV);
	assert_non_null(strstr(why, "one by one"));
}

static void times_are_found(void **state)
{
	struct fr_when before = { .relative = true, .offset_ns = -5 * (int64_t)MS };
	struct fr_when date = { .unix_ns = MK_UNIX_NS + 42 * MS };
	struct fr_when long_ago = { .relative = true, .offset_ns = INT64_MIN };
	uint64_t t;

	(void)state;
	mk_begin(&a, 1);
	mk_trigger(&a, 80 * MS);
	part(&a, 0, 1, 10 * MS, 90 * MS);
	mk_end(&a, NULL);
	assert_int_equal(open_both(), 0);
	assert_int_equal(fr_session_when(session, &before, &t), 0);
	assert_int_equal(t, 75 * MS);
	assert_int_equal(fr_session_when(session, &date, &t), 0);
	assert_int_equal(t, 42 * MS);
	assert_int_equal(fr_session_when(session, &long_ago, &t), 0);
	assert_int_equal(t, 0);
	assert_int_equal(fr_session_to_unix(session, 42 * MS), MK_UNIX_NS + 42 * MS);
}

static void without_a_trigger_nothing_is_relative_to_it(void **state)
{
	struct fr_when before = { .relative = true, .offset_ns = -1 };
	uint64_t t;

	(void)state;
	mk_begin(&a, 1);
	part(&a, 0, 1, 10 * MS, 90 * MS);
	mk_end(&a, NULL);
	assert_int_equal(open_both(), 0);
	assert_int_equal(fr_session_when(session, &before, &t), -ENODATA);
}

static void no_events_is_no_crash(void **state)
{
	const struct fr_merged *x;
	struct fr_merge *m;

	(void)state;
	mk_begin(&a, 1);
	mk_end(&a, NULL);
	assert_int_equal(open_both(), 0);
	assert_int_equal(session->end_ns, 0);
	assert_int_equal(fr_session_merge(session, &m), 0);
	assert_int_equal(fr_merge_next(m, &x), 0);
	fr_merge_close(m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(without_a_loss_table_the_chunks_tell_the_window),
		TEST(the_loss_table_knows_better),
		TEST(a_mad_loss_table_is_not_believed),
		TEST(dumps_are_put_in_order),
		TEST(runs_of_the_recorder_are_told_apart),
		TEST(two_recorders_at_once_are_refused),
		TEST(two_boots_are_refused),
		TEST(times_are_found),
		TEST(without_a_trigger_nothing_is_relative_to_it),
		TEST(no_events_is_no_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
