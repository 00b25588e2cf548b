/* SPDX-License-Identifier: BSD-2-Clause */
/* What threads do: running, runnable since when and by whom, asleep how; and what isn't known. */
#include "cm.h"

#include "formats/model/threads.h"
#include "make_dump.h"

/* tids; nanoseconds below are made up, small and round */
enum { A = 100, B = 101, C = 102, LEADER = 200, WORKER = 205 };

static struct fr_names *names;
static struct fr_threads *threads;
static struct mk mk;
static struct fr_step step;
static uint64_t last_order;

static int start(void **state)
{
	bool whole;

	(void)state;
	mk = (struct mk){ 0 };
	mk_begin(&mk, 1);
	mk_thread(&mk, A, A, 5, 0, "a");
	mk_thread(&mk, B, B, 5, 0, "b");
	mk_thread(&mk, C, C, 5, 0, "c");
	mk_thread(&mk, LEADER, LEADER, 5, 0, "prog");
	mk_thread(&mk, WORKER, LEADER, 6, 0, "worker");
	assert_int_equal(fr_names_new(&names), 0);
	assert_int_equal(fr_names_add_tables(names, mk_end(&mk, NULL), 0, &whole), 0);
	assert_int_equal(fr_names_seal(names), 0);
	assert_int_equal(fr_threads_new(names, true, &threads), 0);
	last_order = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	threads = fr_threads_free(threads);
	names = fr_names_free(names);
	mk_close(&mk);
	return 0;
}

/* ---- feeding -------------------------------------------------------------------------------- */

static bool after_gap;

static void feed(uint16_t cpu, uint64_t t, uint32_t kind, void *record, size_t bytes)
{
	uint64_t word = FR_RECORD_WORD(t, kind, bytes / 8);
	struct fr_merged m = {
		.rec = { .time_ns = t,
			 .kind = kind,
			 .bytes = (uint32_t)bytes,
			 .cpu = cpu,
			 .data = record },
		.order_ns = t,
		.after_gap = after_gap,
	};

	after_gap = false;
	assert_true(t >= last_order);
	last_order = t;
	memcpy(record, &word, sizeof(word));
	assert_true(fr_record_sound(&m.rec));
	assert_int_equal(fr_threads_record(threads, &m, &step), 0);
}

static void sw(uint16_t cpu, uint64_t t, uint32_t prev, uint32_t next, uint32_t state,
	       uint32_t delay)
{
	struct fr_sched_switch e = { .who = FR_SWITCH_WHO(prev, next, state, 0),
				     .run_delay_ns = delay };

	feed(cpu, t, FR_EV_SCHED_SWITCH, &e, sizeof(e));
}

static void preempt(uint16_t cpu, uint64_t t, uint32_t prev, uint32_t next, uint32_t delay)
{
	struct fr_sched_switch e = { .who = FR_SWITCH_WHO(prev, next, 0, 1),
				     .run_delay_ns = delay };

	feed(cpu, t, FR_EV_SCHED_SWITCH, &e, sizeof(e));
}

static void wake(uint16_t cpu, uint64_t t, uint32_t wakee, uint32_t waker)
{
	struct fr_sched_waking e = {
		.who = FR_WAKING_WHO(wakee, waker, 0, waker ? FR_WAKER_TASK : FR_WAKER_SOFTIRQ),
	};

	feed(cpu, t, FR_EV_SCHED_WAKING, &e, sizeof(e));
}

static void expect_one(uint32_t tid, uint64_t off, uint64_t ready, uint64_t from, uint64_t to)
{
	assert_int_equal(step.stint_cnt, 1);
	assert_int_equal(step.stints[0].thread->tid, tid);
	assert_int_equal(step.stints[0].off_ns, off);
	assert_int_equal(step.stints[0].ready_ns, ready);
	assert_int_equal(step.stints[0].from_ns, from);
	assert_int_equal(step.stints[0].to_ns, to);
	assert_true(step.stints[0].ran);
}

#define SLEEPING 1u
#define DISK 2u

/* ---- runnable since ------------------------------------------------------------------------- */

static void the_run_delay_says_since_when_it_was_runnable(void **state)
{
	(void)state;
	sw(0, 1000, 0, A, 0, 0);
	assert_int_equal(step.stint_cnt, 0);
	sw(0, 2000, A, 0, SLEEPING, 500);
	expect_one(A, 0, 0, 1000, 2000); /* what was before is not known */
	wake(0, 4000, A, 0);
	sw(0, 4300, 0, A, 0, 0);
	sw(0, 5000, A, 0, DISK, 500 + 270); /* it waited 270, 30 less than from its wake-up */
	expect_one(A, 2000, 4300 - 270, 4300, 5000);
	assert_int_equal(step.stints[0].off_state, SLEEPING);
	assert_int_equal(step.stints[0].wake_ns, 4000);
	assert_int_equal(step.stints[0].waker, FR_WHO_NONE);
	sw(0, 9000, 0, A, 0, 0);
	sw(0, 9500, A, 0, SLEEPING, 500 + 270 + 1000);
	expect_one(A, 5000, 8000, 9000, 9500); /* no wake-up was recorded: not needed */
	assert_int_equal(step.stints[0].off_state, DISK);
}

static void without_run_delay_the_wake_up_says_it(void **state)
{
	(void)state;
	sw(0, 1000, 0, A, 0, 0);
	sw(0, 2000, A, 0, SLEEPING, 0);
	wake(0, 4000, A, 0);
	wake(0, 4100, A, 0); /* it was runnable already */
	sw(0, 4300, 0, A, 0, 0);
	sw(0, 5000, A, 0, SLEEPING, 0);
	expect_one(A, 2000, 4000, 4300, 5000);
	/* neither: it is taken to sleep until it ran */
	sw(0, 6000, 0, A, 0, 0);
	sw(0, 7000, A, 0, SLEEPING, 0);
	expect_one(A, 5000, 6000, 6000, 7000);
}

static void the_summed_delay_may_wrap(void **state)
{
	(void)state;
	sw(0, 1000, 0, A, 0, 0);
	sw(0, 2000, A, 0, SLEEPING, UINT32_MAX - 9);
	sw(0, 4000, 0, A, 0, 0);
	sw(0, 5000, A, 0, SLEEPING, 90); /* 100 more */
	expect_one(A, 2000, 3900, 4000, 5000);
}

static void who_is_preempted_stays_runnable(void **state)
{
	(void)state;
	sw(0, 1000, 0, A, 0, 0);
	preempt(0, 2000, A, B, 100);
	sw(0, 3000, B, A, SLEEPING, 50);
	sw(0, 4000, A, 0, SLEEPING, 1100);
	expect_one(A, 2000, 2000, 3000, 4000);
	assert_true(step.stints[0].off_preempted);
	/* so does who leaves with state 0 */
	sw(0, 5000, 0, A, 0, 0);
	sw(0, 6000, A, B, 0, 1200);
	sw(0, 7000, B, A, SLEEPING, 60);
	sw(0, 8000, A, 0, SLEEPING, 2200);
	expect_one(A, 6000, 6000, 7000, 8000);
}

/* ---- who woke whom -------------------------------------------------------------------------- */

static void the_waker_is_kept(void **state)
{
	(void)state;
	sw(0, 1000, 0, A, 0, 0);
	sw(1, 1000, 0, B, 0, 0);
	sw(1, 1500, B, 0, SLEEPING, 10);
	wake(0, 2000, B, A);
	assert_int_equal(step.wakee->tid, B);
	assert_int_equal(step.waker->tid, A);
	sw(1, 2200, 0, B, 0, 0);
	sw(1, 3000, B, 0, SLEEPING, 20);
	assert_int_equal(step.stints[0].waker, fr_names_thread(names, A, 3000));
	/* an interrupt blames nobody */
	wake(0, 4000, B, 0);
	assert_int_equal(step.wakee->tid, B);
	assert_null(step.waker);
}

/* Another CPU wakes a thread that has decided to sleep but is not gone yet. */
static void a_wake_up_just_before_the_switch_counts(void **state)
{
	(void)state;
	sw(0, 100000, 0, A, 0, 0);
	sw(1, 100000, 0, B, 0, 0);
	wake(0, 200000, B, A);
	assert_null(step.wakee); /* it runs: this may mean nothing */
	sw(1, 201000, B, 0, SLEEPING, 0);
	sw(1, 203000, 0, B, 0, 0);
	sw(1, 300000, B, 0, SLEEPING, 0);
	expect_one(B, 201000, 201000, 203000, 300000);
	assert_int_equal(step.stints[0].waker, fr_names_thread(names, A, 300000));
	/* long before it slept: another matter */
	sw(1, 400000, 0, B, 0, 0);
	wake(0, 410000, B, A);
	sw(1, 480000, B, 0, SLEEPING, 0);
	wake(1, 490000, B, 0);
	sw(1, 491000, 0, B, 0, 0);
	sw(1, 500000, B, 0, SLEEPING, 0);
	expect_one(B, 480000, 490000, 491000, 500000);
	assert_int_equal(step.stints[0].waker, FR_WHO_NONE);
}

static void a_newborn_is_runnable_from_its_birth(void **state)
{
	struct fr_proc_fork e = { .parent_tid = A,
				  .parent_tgid = A,
				  .child_tid = C,
				  .child_tgid = C,
				  .child_start_ns = 1500,
				  .comm = "a" };

	(void)state;
	sw(0, 1000, 0, A, 0, 0);
	feed(0, 1500, FR_EV_PROC_FORK, &e, sizeof(e));
	assert_int_equal(step.wakee->tid, C);
	assert_int_equal(step.waker->tid, A);
	sw(1, 1700, 0, C, 0, 0);
	sw(1, 2000, C, 0, SLEEPING, 200);
	expect_one(C, 1500, 1500, 1700, 2000);
}

/* ---- what isn't known ----------------------------------------------------------------------- */

/* Born as "parent"; that it then called itself "c" is lost, but for its row, which is younger. */
static void a_newborn_has_the_name_that_it_has_later(void **state)
{
	struct fr_proc_fork e = { .parent_tid = A,
				  .parent_tgid = A,
				  .child_tid = C,
				  .child_tgid = A,
				  .child_start_ns = 5,
				  .comm = "parent" };

	(void)state;
	feed(0, 1500, FR_EV_PROC_FORK, &e, sizeof(e));
	assert_string_equal(step.wakee->comm, "c");
}

static void who_ran_when_recording_began_began_earlier(void **state)
{
	(void)state;
	wake(0, 1000, B, 0);
	sw(0, 2000, A, 0, SLEEPING, 700);
	expect_one(A, 0, 0, 1000, 2000);
	assert_true(step.stints[0].from_unseen);
}

static void doing_something_tells_who_runs(void **state)
{
	struct fr_sock_io e = { .tid = A, .result = 1 };

	(void)state;
	feed(0, 1000, FR_EV_SOCK_SEND, &e, sizeof(e));
	assert_int_equal(fr_threads_on_cpu(threads, 0)->tid, A);
	sw(0, 2000, A, 0, SLEEPING, 700);
	expect_one(A, 0, 0, 1000, 2000);
}

static void a_lost_switch_is_noticed(void **state)
{
	(void)state;
	sw(0, 1000, 0, A, 0, 0);
	wake(0, 1400, C, 0);
	sw(0, 2000, B, 0, SLEEPING, 0); /* nobody saw A leave and B come */
	assert_int_equal(step.stint_cnt, 2);
	assert_int_equal(step.stints[0].thread->tid, A);
	assert_int_equal(step.stints[0].to_ns, 1400); /* it was still there then */
	assert_true(step.stints[0].to_unseen);
	assert_int_equal(step.stints[1].thread->tid, B);
	assert_int_equal(step.stints[1].from_ns, 1400);
	assert_true(step.stints[1].from_unseen);
	assert_int_equal(fr_threads_stats(threads)->mismatches, 1);
}

/* Some hypervisors hide the switches away from their agent's threads: each time anew. */
static void a_wake_up_before_a_lost_switch_is_over(void **state)
{
	struct fr_stint s;

	(void)state;
	wake(0, 1000, A, 0);
	sw(0, 1100, 0, A, 0, 0);
	wake(1, 1900, C, 0);
	wake(0, 2000, A, 0); /* it sleeps, unseen */
	sw(0, 3000, 0, A, 0, 0);
	assert_int_equal(step.stint_cnt, 1);
	expect_one(A, 0, 1000, 1100, 2000);
	sw(0, 4000, 0, B, 0, 0);
	expect_one(A, 0, 0, 3000, 3000);
	assert_false(fr_threads_stint_until(threads, fr_threads_get(threads, A, 5000), 5000, &s));
}

static void who_was_woken_did_not_run_before(void **state)
{
	(void)state;
	sw(0, 1000, 0, A, 0, 0);
	sw(1, 1100, 0, C, 0, 0);
	wake(1, 1500, B, C);
	sw(0, 2000, B, 0, SLEEPING, 0); /* A went and B came, unseen */
	assert_int_equal(step.stint_cnt, 2);
	assert_int_equal(step.stints[1].from_ns, 1500);
	assert_int_equal(step.stints[1].wake_ns, 1500);
}

static void a_gap_ends_what_is_known(void **state)
{
	(void)state;
	sw(0, 1000, 0, A, 0, 0);
	sw(1, 1000, 0, B, 0, 0);
	sw(1, 1200, B, 0, SLEEPING, 40);
	fr_threads_cut_cpu(threads, 0, 1500, &step);
	expect_one(A, 0, 0, 1000, 1500);
	assert_true(step.stints[0].to_unseen);
	fr_threads_blind(threads, 1500);
	/* B may have run on CPU 0 meanwhile: its sleep and its summed delay say nothing any more */
	sw(1, 3000, 0, B, 0, 0);
	sw(1, 3500, B, 0, SLEEPING, 4040);
	expect_one(B, 0, 0, 3000, 3500);
	after_gap = true;
	wake(0, 4000, C, 0);
	sw(0, 4500, C, 0, SLEEPING, 0);
	expect_one(C, 0, 0, 4000, 4500);
	assert_true(step.stints[0].from_unseen);
}

/* What is shown of A ends where it is not known any more: it must not run before that. */
static void who_ran_unseen_behind_a_gap_did_so_from_the_gap_on(void **state)
{
	(void)state;
	sw(0, 900, 0, A, 0, 0);
	preempt(0, 1000, A, B, 0);
	fr_threads_blind(threads, 1500);
	sw(0, 2000, A, 0, SLEEPING, 0); /* nobody saw B leave and A come */
	assert_int_equal(step.stint_cnt, 2);
	assert_int_equal(step.stints[1].thread->tid, A);
	assert_int_equal(step.stints[1].from_ns, 1500);
	assert_int_equal(step.stints[1].to_ns, 2000);
}

static void a_cpu_begins_anew_behind_a_cut(void **state)
{
	(void)state;
	sw(0, 1000, 0, A, 0, 0);
	fr_threads_cut_cpu(threads, 0, 1500, &step);
	expect_one(A, 0, 0, 1000, 1500);
	sw(0, 2000, B, 0, SLEEPING, 0);
	expect_one(B, 0, 0, 1500, 2000);
	assert_int_equal(step.stints[0].cpu_from_ns, 1500);
	/* also when nothing was known of it */
	fr_threads_cut_cpu(threads, 1, 2000, &step);
	sw(1, 3000, C, 0, SLEEPING, 0);
	assert_int_equal(step.stints[0].cpu_from_ns, 3000);
	fr_threads_cut_cpu(threads, 1, 4000, &step);
	assert_int_equal(step.stint_cnt, 0);
	sw(1, 5000, C, 0, SLEEPING, 0);
	expect_one(C, 0, 0, 4000, 5000);
}

static void clocks_of_two_cpus_may_disagree(void **state)
{
	(void)state;
	sw(0, 1000, 0, A, 0, 0);
	sw(1, 2000, 0, A, 0, 0); /* it starts here.. */
	expect_one(A, 0, 0, 1000, 2000);
	sw(0, 2010, A, 0, SLEEPING, 5); /* ..before it leaves there */
	assert_int_equal(step.stint_cnt, 1);
	assert_false(step.stints[0].ran);
	assert_true(step.stints[0].on_cpu_track);
	sw(1, 3000, A, 0, SLEEPING, 5);
	expect_one(A, 2000, 2000, 2000, 3000);
}

/* ---- ends ----------------------------------------------------------------------------------- */

static void a_freed_tid_is_free(void **state)
{
	struct fr_proc_end e = { .tid = A, .tgid = A, .start_ns = 5 };

	(void)state;
	sw(0, 1000, 0, A, 0, 0);
	assert_int_equal(fr_threads_stats(threads)->live, 1);
	sw(0, 2000, A, 0, 0x80, 5);
	feed(0, 2500, FR_EV_PROC_FREE, &e, sizeof(e));
	assert_int_equal(fr_threads_stats(threads)->live, 0);
}

static void many_lives_take_the_room_of_one(void **state)
{
	struct fr_proc_end e = { .tid = A, .tgid = A, .start_ns = 5 };
	uint64_t t = 1000;

	(void)state;
	for (int i = 0; i < 10000; i++, t += 30) {
		sw(0, t, 0, A, 0, 0);
		sw(0, t + 10, A, 0, 0x80, 5);
		feed(0, t + 20, FR_EV_PROC_FREE, &e, sizeof(e));
	}
	assert_int_equal(fr_threads_stats(threads)->live_max, 1);
}

/* A worker execs: it goes on as the leader, on the same CPU, and the old leader is gone. */
static void an_exec_goes_on_under_the_leaders_number(void **state)
{
	struct fr_proc_exec e = { .tid = LEADER, .old_tid = WORKER, .start_ns = 5, .comm = "prog" };
	struct fr_proc_end gone = { .tid = WORKER, .tgid = LEADER, .start_ns = 5 };

	(void)state;
	sw(0, 1000, 0, LEADER, 0, 0);
	sw(0, 1500, LEADER, 0, 0x80, 10);
	sw(1, 1600, 0, WORKER, 0, 0);
	feed(1, 2000, FR_EV_PROC_EXEC, &e, sizeof(e));
	expect_one(WORKER, 0, 0, 1600, 2000);
	assert_true(step.stints[0].on_cpu_track);
	assert_int_equal(fr_threads_on_cpu(threads, 1)->tid, LEADER);
	assert_string_equal(fr_threads_on_cpu(threads, 1)->comm, "prog");
	feed(1, 2100, FR_EV_PROC_FREE, &gone, sizeof(gone));
	sw(1, 2500, LEADER, 0, SLEEPING, 20);
	expect_one(LEADER, 0, 0, 2000, 2500);
	assert_int_equal(fr_threads_stats(threads)->mismatches, 0);
}

/* The record of an exec comes well behind the change of the number: switches come in between. */
static void an_exec_may_lose_its_cpu_before_it_is_told(void **state)
{
	struct fr_proc_exec e = { .tid = LEADER, .old_tid = WORKER, .start_ns = 5, .comm = "prog" };
	struct fr_stint s;

	(void)state;
	sw(0, 1000, 0, LEADER, 0, 0);
	sw(0, 1500, LEADER, 0, 0x80, 10);
	sw(1, 1600, 0, WORKER, 0, 0);
	wake(1, 1700, C, 0);
	preempt(1, 1800, LEADER, B, 10);
	assert_int_equal(step.stint_cnt, 2);
	assert_int_equal(step.stints[0].thread->tid, WORKER);
	assert_int_equal(step.stints[0].to_ns, 1700);
	assert_int_equal(step.stints[1].thread->tid, LEADER);
	assert_int_equal(step.stints[1].to_ns, 1800);
	sw(1, 1900, B, LEADER, SLEEPING, 0);
	feed(1, 2000, FR_EV_PROC_EXEC, &e, sizeof(e));
	assert_int_equal(step.stint_cnt, 0); /* its run goes on */
	assert_string_equal(fr_threads_on_cpu(threads, 1)->comm, "prog");
	sw(1, 2500, LEADER, 0, SLEEPING, 110);
	expect_one(LEADER, 1800, 1800, 1900, 2500);
	assert_true(step.stints[0].on_cpu_track);
	assert_false(
		fr_threads_stint_until(threads, fr_threads_get(threads, WORKER, 3000), 3000, &s));
}

static void the_end_of_the_window_ends_what_is_open(void **state)
{
	struct fr_stint s;

	(void)state;
	sw(0, 1000, 0, A, 0, 0);
	sw(1, 1000, 0, B, 0, 0);
	sw(1, 1500, B, 0, DISK, 10);
	assert_true(fr_threads_stint_until(threads, fr_threads_get(threads, A, 2000), 2000, &s));
	assert_true(s.ran && s.on_cpu_track && s.to_unseen);
	assert_int_equal(s.from_ns, 1000);
	assert_true(fr_threads_stint_until(threads, fr_threads_get(threads, B, 2000), 2000, &s));
	assert_false(s.ran);
	assert_int_equal(s.off_ns, 1500);
	assert_int_equal(s.ready_ns, 2000);
	wake(1, 1800, B, 0);
	assert_true(fr_threads_stint_until(threads, fr_threads_get(threads, B, 2000), 2000, &s));
	assert_int_equal(s.ready_ns, 1800);
	assert_false(fr_threads_stint_until(threads, fr_threads_get(threads, C, 2000), 2000, &s));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(the_run_delay_says_since_when_it_was_runnable),
		TEST(without_run_delay_the_wake_up_says_it),
		TEST(the_summed_delay_may_wrap),
		TEST(who_is_preempted_stays_runnable),
		TEST(the_waker_is_kept),
		TEST(a_wake_up_just_before_the_switch_counts),
		TEST(a_newborn_is_runnable_from_its_birth),
		TEST(a_newborn_has_the_name_that_it_has_later),
		TEST(who_ran_when_recording_began_began_earlier),
		TEST(doing_something_tells_who_runs),
		TEST(a_lost_switch_is_noticed),
		TEST(a_wake_up_before_a_lost_switch_is_over),
		TEST(who_was_woken_did_not_run_before),
		TEST(a_gap_ends_what_is_known),
		TEST(who_ran_unseen_behind_a_gap_did_so_from_the_gap_on),
		TEST(a_cpu_begins_anew_behind_a_cut),
		TEST(clocks_of_two_cpus_may_disagree),
		TEST(a_freed_tid_is_free),
		TEST(many_lives_take_the_room_of_one),
		TEST(an_exec_goes_on_under_the_leaders_number),
		TEST(an_exec_may_lose_its_cpu_before_it_is_told),
		TEST(the_end_of_the_window_ends_what_is_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
