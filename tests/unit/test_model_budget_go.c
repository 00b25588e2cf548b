/* SPDX-License-Identifier: BSD-2-Clause */
/* Time budgets of goroutines: a thread has many, and only runs that are told of are theirs. */
#include "cm.h"

#include "budget_feed.h"

#define US 1000u

static fr_account_t begin_go(void)
{
	sw(0, 1 * US, 0, G1, 0);
	event(0, 10 * US, G1, 7, FR_LINE_SERVES, FRONT);
	return opens(G1, 7, true, FRONT, 10 * US);
}

/* Asked on one thread, answered on another; another goroutine works meanwhile. */
static void a_goroutine_waits_for_its_own_reply(void **state)
{
	fr_account_t a = begin_go();

	(void)state;
	event(0, 60 * US, G1, 7, FR_LINE_ASKS, DB);
	event(0, 70 * US, G1, 8, FR_LINE_SERVES, FRONT2);
	sw(1, 90 * US, 0, G2, 0);
	event(1, 900 * US, G2, 7, FR_LINE_ANSWERED, DB);
	event(1, 930 * US, G2, 7, FR_LINE_SERVES, FRONT);
	closes(a, 10 * US, 930 * US);
	EXPECT(50 * US + 30 * US, 0, 840 * US, 0, 0, 0);
	expect_wait(0, FR_WAIT_BLOCKED, FR_BLOCK_NETWORK, 60 * US, 900 * US, FR_WHO_NONE, DB);
	assert_int_equal(got.peers[0].wait_ns, 840 * US);
}

static void a_goroutine_whose_call_another_one_sent(void **state)
{
	fr_account_t a = begin_go();

	(void)state;
	event(0, 60 * US, 0, 7, FR_LINE_ASKS, DB);
	event(1, 900 * US, 0, 7, FR_LINE_ANSWERED, DB);
	event(0, 930 * US, G1, 7, FR_LINE_SERVES, FRONT);
	closes(a, 10 * US, 930 * US);
	EXPECT(0, 0, 840 * US, 0, 0, 80 * US);
}

/* Nobody sees it when a thread changes from one goroutine to another and back. */
static void a_goroutine_is_charged_for_short_runs_only(void **state)
{
	fr_account_t a = begin_go();

	(void)state;
	event(0, 1010 * US, G1, 7, FR_LINE_SERVES, FRONT);
	preempt(0, 1050 * US, G1, HOG);
	sw(0, 1950 * US, HOG, G1, 0);
	event(0, 2000 * US, G1, 7, FR_LINE_SERVES, FRONT);
	closes(a, 10 * US, 2000 * US);
	EXPECT(90 * US, 900 * US, 0, 0, 0, 1000 * US);
	assert_int_equal(got.maybe_on_cpu_ns, 1000 * US);
}

static void a_thread_that_slept_may_have_had_another_goroutine(void **state)
{
	fr_account_t a = begin_go();

	(void)state;
	sw(0, 20 * US, G1, 0, SLEEPING);
	wake(0, 500 * US, G1, G2, FR_WAKER_TASK);
	sw(0, 500 * US, 0, G1, 0);
	event(0, 510 * US, G1, 7, FR_LINE_SERVES, FRONT);
	/* it does not sleep so for a disk, but in a call */
	sw(0, 520 * US, G1, 0, DISK_SLEEP);
	complete(0, 900 * US, 64);
	wake(0, 900 * US, G1, 0, FR_WAKER_HARDIRQ);
	sw(0, 900 * US, 0, G1, 0);
	event(0, 910 * US, G1, 7, FR_LINE_SERVES, FRONT);
	closes(a, 10 * US, 910 * US);
	EXPECT(20 * US, 0, 0, 380 * US, 0, 500 * US);
	assert_int_equal(got.maybe_on_cpu_ns, 20 * US);
}

static void strangers_on_the_thread(void **state)
{
	struct fr_line stranger = { .tgid = GO, .tid = G1, .goid = FR_GOID_UNKNOWN };
	fr_account_t a = begin_go();

	(void)state;
	event(0, 30 * US, G1, 8, FR_LINE_SERVES, FRONT2); /* another goroutine */
	event(0, 50 * US, G1, 7, FR_LINE_SERVES, FRONT);
	io(0, 60 * US, G1, DB, false); /* one that nobody knows */
	assert_int_equal(fr_budgets_line(budgets, &stranger, FR_LINE_OTHER, 0, DB, 60 * US), 0);
	event(0, 80 * US, G1, 7, FR_LINE_SERVES, FRONT);
	io(0, 90 * US, G1, DB, false); /* one that nobody claims */
	event(0, 100 * US, G1, 7, FR_LINE_SERVES, FRONT);
	event(0, 120 * US, G1, 7, FR_LINE_SERVES, FRONT);
	closes(a, 10 * US, 120 * US);
	EXPECT(20 * US, 0, 0, 0, 0, 90 * US);
	assert_int_equal(opens(G1, FR_GOID_UNKNOWN, true, FRONT, 120 * US), 0);
}

static void the_second_part_of_a_reply_is_no_wait_for_it(void **state)
{
	fr_account_t a = begin_go();

	(void)state;
	event(0, 20 * US, G1, 7, FR_LINE_ASKS, DB);
	event(0, 500 * US, G1, 7, FR_LINE_ANSWERED, DB);
	event(0, 900 * US, G1, 7, FR_LINE_ANSWERED, DB);
	closes(a, 10 * US, 900 * US);
	EXPECT(10 * US, 0, 480 * US, 0, 0, 400 * US);
	assert_int_equal(got.maybe_on_cpu_ns, 400 * US);
}

static void a_reply_to_who_knows_whom(void **state)
{
	struct fr_wait w = { .from_ns = 150,
			     .to_ns = 900,
			     .socket_id = DB,
			     .waker = FR_WHO_NONE,
			     .kind = FR_WAIT_BLOCKED,
			     .cause = FR_BLOCK_NETWORK };

	(void)state;
	assert_true(fr_budget_of_reply(&w, 100, 1000, &got));
	assert_int_equal(fr_budget_total_ns(&got), 900);
	EXPECT(0, 0, 750, 0, 0, 150);
	expect_wait(0, FR_WAIT_BLOCKED, FR_BLOCK_NETWORK, 150, 900, FR_WHO_NONE, DB);
	assert_int_equal(got.peers[0].wait_ns, 750);
	assert_false(fr_budget_of_reply(&w, 160, 1000, &got));
	assert_false(fr_budget_of_reply(&w, 100, 899, &got));
	w.to_ns = 149;
	assert_false(fr_budget_of_reply(&w, 100, 1000, &got));
}

static void lines_without_accounts_are_forgotten(void **state)
{
	fr_account_t a = begin_go();

	(void)state;
	for (uint64_t g = 100; g < 20000; g++)
		event(0, (20 + g) * US, G1, g, FR_LINE_SERVES, FRONT2);
	assert_true(budgets->line_cnt < 2000);
	assert_true(budgets->line_of.cnt < 2000);
	event(0, 20050 * US, G1, 7, FR_LINE_SERVES, FRONT);
	closes(a, 10 * US, 20050 * US);
	EXPECT(0, 0, 0, 0, 0, 20040 * US);
}

#define T(name) cmocka_unit_test_setup_teardown(name, feed_start, feed_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_goroutine_waits_for_its_own_reply),
		T(a_goroutine_whose_call_another_one_sent),
		T(a_goroutine_is_charged_for_short_runs_only),
		T(a_thread_that_slept_may_have_had_another_goroutine),
		T(strangers_on_the_thread),
		T(the_second_part_of_a_reply_is_no_wait_for_it),
		T(a_reply_to_who_knows_whom),
		T(lines_without_accounts_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
