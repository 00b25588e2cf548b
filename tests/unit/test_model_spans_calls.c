/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls through net/http's client: written by one goroutine (50), their replies read by another
 * (51), for a third (7), which parks before the one and wakes after the other. All that is seen of
 * it is on which threads.
 */
#include "spans_fixture.h"

enum { WRITER = 50, READER = 51, HANDLER = 7, OTHER = 8, INNER = 9 };

/* Connection 1 brings the request, 2 another one, 3 is the call's, to a server in the same program.
 * One exchange has passed on 3, so that it is no new connection. */
static void prepare(void)
{
	for (uint64_t n = 1; n <= 4; n++)
		sp_pair(n, n < 3 ? CLIENT : GO, GO);
	sp_go();
	sp_switch(0, 100, 0, M1, 0);
	sp_switch(1, 101, 0, M2, 0);
	sp_switch(2, 102, 0, M3, 0);
	sp_send(200, 6, M1, WRITER, SP_GET("/before"));
	sp_recv(201, 6, M2, READER, SP_OK);
	sp.got_cnt = 0;
	sp.offs[7][0] = sp.offs[6][1];
	sp.offs[7][1] = sp.offs[6][0];
}

static void inner_serves(uint64_t t)
{
	sp_recv(t, 7, M3, INNER, SP_GET("/call"));
	sp_send(t + 10, 7, M3, INNER, SP_OK);
}

static void the_caller_parks_before_and_wakes_behind_it(void **state)
{
	(void)state;
	prepare();
	sp_recv(1000, 3, M1, HANDLER, SP_GET("/a"));
	sp_send(1010, 6, M1, WRITER, SP_GET("/call"));
	inner_serves(1020);
	sp_recv(1040, 6, M2, READER, SP_OK);
	assert_int_equal(sp.got_cnt, 0); /* both wait to know their trace */
	sp_send(1050, 3, M2, HANDLER, SP_OK);
	assert_int_equal(sp.got_cnt, 3);
	sp_assert_parent(sp_find("/call", false), sp_find("/a", true), FR_LINK_INFERRED);
	sp_assert_parent(sp_find("/call", true), sp_find("/call", false), FR_LINK_PEER);
	assert_int_equal(sp_find("/call", false)->span.end_ns, 1040);
	assert_string_equal(sp_find("/call", true)->command, "GET");
	/* and what it waited for is known */
	assert_true(sp_find("/a", true)->span.budget_known);
	assert_int_equal(sp_find("/a", true)->span.budget.blocked_ns[FR_BLOCK_NETWORK], 30);
	assert_int_equal(fr_budget_total_ns(&sp_find("/a", true)->span.budget), 50);
}

/* It parked for a lock; another ran on its thread, and called. */
static void who_wakes_elsewhere_was_not_the_caller(void **state)
{
	(void)state;
	prepare();
	sp_recv(1000, 3, M1, HANDLER, SP_GET("/a"));
	sp_send(1010, 6, M1, WRITER, SP_GET("/call"));
	inner_serves(1020);
	sp_recv(1040, 6, M2, READER, SP_OK);
	sp_send(1050, 3, M3, HANDLER, SP_OK);
	assert_int_equal(sp.got_cnt, 3);
	sp_assert_root(sp_find("/call", false));
	sp_assert_parent(sp_find("/call", true), sp_find("/call", false), FR_LINK_PEER);
	assert_memory_not_equal(sp_find("/call", false)->span.trace_id,
				sp_find("/a", true)->span.trace_id, 16);
	assert_int_equal(sp_find("/a", true)->span.budget.blocked_ns[FR_BLOCK_NETWORK], 0);
	assert_int_equal(sp_find("/a", true)->span.budget.unattributed_ns, 50);
}

static void whoever_comes_between_hides_the_waking(void **state)
{
	(void)state;
	prepare();
	sp_recv(1000, 3, M1, HANDLER, SP_GET("/a"));
	sp_send(1010, 6, M1, WRITER, SP_GET("/call"));
	sp_recv(1040, 6, M2, READER, SP_OK);
	sp_recv(1045, 5, M2, OTHER, SP_GET("/b"));
	sp_send(1050, 3, M2, HANDLER, SP_OK);
	sp_assert_root(sp_find("/call", false));
}

static void who_acts_meanwhile_does_not_wait(void **state)
{
	(void)state;
	prepare();
	sp_recv(1000, 3, M1, HANDLER, SP_GET("/a"));
	sp_send(1010, 6, M1, WRITER, SP_GET("/call"));
	sp_move(1020, true, 3, M3, HANDLER, FR_IO_MSG_START,
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na", 0);
	sp_recv(1040, 6, M2, READER, SP_OK);
	sp_move(1050, true, 3, M2, HANDLER, FR_IO_MSG_MORE, "b", 0);
	sp_assert_root(sp_find("/call", false));
	assert_int_equal(sp_find("/a", true)->span.end_ns, 1050);
}

static void a_thread_that_slept_has_forgotten_who_parked(void **state)
{
	(void)state;
	prepare();
	sp_recv(1000, 3, M1, HANDLER, SP_GET("/a"));
	sp_switch(0, 1003, M1, 0, 1);
	sp_switch(0, 1006, 0, M1, 0);
	sp_send(1010, 6, M1, WRITER, SP_GET("/call"));
	sp_recv(1040, 6, M2, READER, SP_OK);
	assert_int_equal(sp.got_cnt, 1); /* nothing to wait for */
	sp_assert_root(&sp.got[0]);
}

/* It was runnable all the time: the goroutine on it is the same. */
static void a_thread_that_only_made_way_remembers(void **state)
{
	(void)state;
	prepare();
	sp_recv(1000, 3, M1, HANDLER, SP_GET("/a"));
	sp_switch(0, 1003, M1, T1, 0);
	sp_switch(0, 1006, T1, M1, 1);
	sp_send(1010, 6, M1, WRITER, SP_GET("/call"));
	sp_recv(1040, 6, M2, READER, SP_OK);
	sp_send(1050, 3, M2, HANDLER, SP_OK);
	sp_assert_parent(sp_find("/call", false), sp_find("/a", true), FR_LINK_INFERRED);
}

/* An idle thread takes any goroutine that can run, not only that of the thread which woke it. */
static void who_is_woken_tells_nothing(void **state)
{
	(void)state;
	prepare();
	sp_switch(2, 900, M3, 0, 1);
	sp_recv(1000, 3, M1, HANDLER, SP_GET("/a"));
	sp_wake(0, 1005, M3, M1);
	sp_switch(2, 1006, 0, M3, 0);
	sp_send(1010, 6, M3, WRITER, SP_GET("/call"));
	sp_recv(1040, 6, M2, READER, SP_OK);
	sp_send(1050, 3, M2, HANDLER, SP_OK);
	sp_assert_root(sp_find("/call", false));
}

static void another_event_on_the_thread_hides_who_parked(void **state)
{
	(void)state;
	prepare();
	sp_recv(1000, 3, M1, HANDLER, SP_GET("/a"));
	sp_move(1005, false, 9, M1, 77, FR_IO_MSG_START, "\x17\x03\x03 of nobody knows what", 0);
	sp_send(1010, 6, M1, WRITER, SP_GET("/call"));
	sp_recv(1040, 6, M2, READER, SP_OK);
	sp_assert_root(&sp.got[0]);
}

/* Who wanted it waited while it was dialled. */
static void a_new_connection_tells_nothing(void **state)
{
	(void)state;
	prepare();
	sp_recv(1000, 3, M1, HANDLER, SP_GET("/a"));
	sp_send(1010, 8, M1, WRITER, SP_GET("/call"));
	sp_recv(1040, 8, M2, READER, SP_OK);
	sp_assert_root(&sp.got[0]);
}

static void who_parked_is_taken_once(void **state)
{
	(void)state;
	prepare();
	sp_send(210, 8, M1, WRITER + 10, SP_GET("/before2"));
	sp_recv(220, 8, M2, READER + 10, SP_OK);
	sp.got_cnt = 0;
	sp_recv(1000, 3, M1, HANDLER, SP_GET("/a"));
	sp_send(1010, 6, M1, WRITER, SP_GET("/call"));
	sp_send(1011, 8, M1, WRITER + 10, SP_GET("/stranger"));
	sp_recv(1020, 8, M3, READER + 10, SP_OK);
	sp_assert_root(sp_find("/stranger", false));
}

/* It waits for its own statement's reply: another goroutine ran next. */
static void who_waits_for_a_reply_has_not_called(void **state)
{
	(void)state;
	prepare();
	sp_recv(1000, 3, M1, HANDLER, SP_GET("/a"));
	sp_send(1005, 8, M1, HANDLER, SP_GET("/own"));
	sp_send(1010, 6, M1, WRITER, SP_GET("/call"));
	sp_recv(1020, 6, M2, READER, SP_OK);
	sp_recv(1030, 8, M2, HANDLER, SP_OK);
	sp_send(1040, 3, M2, HANDLER, SP_OK);
	sp_assert_root(sp_find("/call", false));
	sp_assert_parent(sp_find("/own", false), sp_find("/a", true), FR_LINK_LINE);
}

static void one_call_may_follow_another(void **state)
{
	(void)state;
	prepare();
	sp_recv(1000, 3, M1, HANDLER, SP_GET("/a"));
	sp_send(1010, 6, M1, WRITER, SP_GET("/one"));
	sp_recv(1020, 6, M2, READER, SP_OK);
	sp_send(1030, 6, M2, WRITER, SP_GET("/two"));
	sp_recv(1040, 6, M3, READER, SP_OK);
	sp_send(1050, 3, M3, HANDLER, SP_OK);
	sp_assert_parent(sp_find("/one", false), sp_find("/a", true), FR_LINK_INFERRED);
	sp_assert_parent(sp_find("/two", false), sp_find("/a", true), FR_LINK_INFERRED);
	assert_int_equal(sp_find("/a", true)->span.budget.blocked_ns[FR_BLOCK_NETWORK], 20);
}

/* Somebody else may have woken there meanwhile: the second is his, the first not proven. */
static void a_call_much_later_proves_nothing_of_the_one_before(void **state)
{
	(void)state;
	prepare();
	sp_recv(1000, 3, M1, HANDLER, SP_GET("/a"));
	sp_send(1010, 6, M1, WRITER, SP_GET("/one"));
	sp_recv(1020, 6, M2, READER, SP_OK);
	sp_send(101030, 6, M2, WRITER, SP_GET("/two"));
	sp_recv(101040, 6, M3, READER, SP_OK);
	sp_send(101050, 3, M3, HANDLER, SP_OK);
	sp_assert_root(sp_find("/one", false));
	sp_assert_parent(sp_find("/two", false), sp_find("/a", true), FR_LINK_INFERRED);
}

static void a_thread_that_slept_has_not_woken_the_caller(void **state)
{
	(void)state;
	prepare();
	sp_recv(1000, 3, M1, HANDLER, SP_GET("/a"));
	sp_send(1010, 6, M1, WRITER, SP_GET("/call"));
	sp_recv(1040, 6, M2, READER, SP_OK);
	sp_switch(1, 1041, M2, 0, 1);
	sp_switch(1, 1045, 0, M2, 0);
	sp_send(1050, 3, M2, HANDLER, SP_OK);
	sp_assert_root(sp_find("/call", false));
}

static void what_waits_when_the_recording_ends_comes_out(void **state)
{
	(void)state;
	prepare();
	sp_recv(1000, 3, M1, HANDLER, SP_GET("/a"));
	sp_send(1010, 6, M1, WRITER, SP_GET("/call"));
	inner_serves(1020);
	sp_recv(1040, 6, M2, READER, SP_OK);
	sp_finish();
	assert_int_equal(sp.got_cnt, 3);
	sp_assert_root(sp_find("/call", false));
	sp_assert_parent(sp_find("/call", true), sp_find("/call", false), FR_LINK_PEER);
}

/* A handler that calls on and on and is never seen itself. */
static void not_too_much_waits(void **state)
{
	uint64_t t = 1000;

	(void)state;
	prepare();
	sp_recv(t, 3, M1, HANDLER, SP_GET("/a"));
	for (uint32_t i = 0; i < 30000; i++) {
		sp_send(++t, 6, M1, WRITER, SP_GET("/call"));
		sp_recv(++t, 6, M1, READER, SP_OK);
		if (sp.got_cnt > 1000)
			break;
	}
	assert_true(sp.got_cnt > 1000);
	assert_true(fr_spans_stats(sp.spans)->guesses_dropped >= sp.got_cnt);
	sp.got_cnt = 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, sp_start, sp_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_caller_parks_before_and_wakes_behind_it),
		T(who_wakes_elsewhere_was_not_the_caller),
		T(whoever_comes_between_hides_the_waking),
		T(who_acts_meanwhile_does_not_wait),
		T(a_thread_that_slept_has_forgotten_who_parked),
		T(a_thread_that_only_made_way_remembers),
		T(who_is_woken_tells_nothing),
		T(another_event_on_the_thread_hides_who_parked),
		T(a_new_connection_tells_nothing),
		T(who_parked_is_taken_once),
		T(who_waits_for_a_reply_has_not_called),
		T(one_call_may_follow_another),
		T(a_call_much_later_proves_nothing_of_the_one_before),
		T(a_thread_that_slept_has_not_woken_the_caller),
		T(what_waits_when_the_recording_ends_comes_out),
		T(not_too_much_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
