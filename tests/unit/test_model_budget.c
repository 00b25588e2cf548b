/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the time of requests went, and whose time it was. */
#include "cm.h"

#include "budget_feed.h"

#define US 1000u

/* A reads a request from FRONT at 1000; it has its CPU since 500. */
static fr_account_t begin(void)
{
	sw(0, 500, 0, A, 0);
	event(0, 1000, A, 0, FR_LINE_SERVES, FRONT);
	return opens(A, 0, true, FRONT, 1000);
}

/* It writes the response at t. */
static void respond(fr_account_t account, uint64_t t)
{
	event(0, t, A, 0, FR_LINE_SERVES, FRONT);
	closes(account, 1000, t);
}

/* ---- threads -------------------------------------------------------------------------------- */

static void running_and_waiting_for_a_cpu(void **state)
{
	fr_account_t a = begin();

	(void)state;
	preempt(0, 3000, A, HOG);
	sw(0, 3100, HOG, WORK, 0);
	sw(0, 3200, WORK, HOG, SLEEPING);
	sw(0, 8000, HOG, A, 0);
	sw(0, 8500, A, HOG, 0); /* gives it up by itself, but stays runnable */
	sw(0, 8600, HOG, A, 0);
	respond(a, 9000);
	EXPECT(2000 + 500 + 400, 5000 + 100, 0, 0, 0, 0);
	assert_int_equal(got.wait_cnt, 2);
	expect_wait(0, FR_WAIT_RUNQUEUE, 0, 3000, 8000, who(HOG), 0);
	expect_wait(1, FR_WAIT_RUNQUEUE, 0, 8500, 8600, who(HOG), 0);
}

static void a_lock_that_another_thread_held(void **state)
{
	fr_account_t a = begin();

	(void)state;
	sw(1, 1000, 0, B, 0);
	sw(0, 2000, A, 0, SLEEPING);
	wake(1, 7000, A, B, FR_WAKER_TASK);
	sw(0, 7300, 0, A, 0);
	/* a send right after it does not make it the network's */
	respond(a, 8000);
	EXPECT(1000 + 700, 300, 0, 0, 5000, 0);
	assert_int_equal(got.wait_cnt, 2);
	expect_wait(0, FR_WAIT_BLOCKED, FR_BLOCK_OTHER, 2000, 7000, who(B), 0);
	assert_int_equal(got.waits[0].off_state, SLEEPING);
	/* nobody ran instead: it took a while to get there */
	expect_wait(1, FR_WAIT_RUNQUEUE, 0, 7000, 7300, FR_WHO_NONE, 0);
}

static void a_timer(void **state)
{
	fr_account_t a = begin();

	(void)state;
	sw(0, 2000, A, 0, SLEEPING);
	wake(0, 7000, A, 0, FR_WAKER_HARDIRQ);
	sw(0, 7000, 0, A, 0);
	respond(a, 8000);
	EXPECT(2000, 0, 0, 0, 5000, 0);
	expect_wait(0, FR_WAIT_BLOCKED, FR_BLOCK_OTHER, 2000, 7000, FR_WHO_NONE, 0);
}

static void a_reply_from_the_network(void **state)
{
	fr_account_t a = begin(), q;

	(void)state;
	event(0, 1500, A, 0, FR_LINE_ASKS, DB);
	q = opens(A, 0, false, DB, 1500);
	sw(0, 2000, A, 0, SLEEPING);
	wake(1, 6000, A, 0, FR_WAKER_SOFTIRQ);
	sw(0, 6200, 0, A, 0);
	event(0, 6300, A, 0, FR_LINE_ANSWERED, DB);
	closes(q, 1500, 6300);
	EXPECT(600, 200, 4000, 0, 0, 0);
	respond(a, 7000);
	EXPECT(1800, 200, 4000, 0, 0, 0);
	expect_wait(0, FR_WAIT_BLOCKED, FR_BLOCK_NETWORK, 2000, 6000, FR_WHO_NONE, DB);
	assert_int_equal(got.peer_cnt, 1);
	assert_int_equal(got.peers[0].socket_id, DB);
	assert_int_equal(got.peers[0].wait_ns, 4000);
	assert_int_equal(got.peers[0].wait_cnt, 1);
}

/* Threaded NAPI is a kernel thread; a unix socket's other end wakes by itself; TCP's does not. */
static void who_wakes_tells_the_network_from_a_lock(void **state)
{
	static const struct {
		uint32_t waker, context;
		uint64_t sock;
		bool network;
	} cases[] = {
		{ B, FR_WAKER_TASK, DB, false },    { WORK, FR_WAKER_TASK, DB, true },
		{ B, FR_WAKER_TASK, UNIX, true },   { 0, FR_WAKER_SOFTIRQ, UNIX, true },
		{ 0, FR_WAKER_HARDIRQ, DB, false }, { B, FR_WAKER_UNKNOWN, DB, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		fr_account_t a = begin();

		sw(0, 2000, A, 0, SLEEPING);
		wake(1, 6000, A, cases[i].waker, cases[i].context);
		sw(0, 6000, 0, A, 0);
		event(0, 6500, A, 0, FR_LINE_ANSWERED, cases[i].sock);
		respond(a, 7000);
		EXPECT(2000, 0, cases[i].network ? 4000 : 0, 0, cases[i].network ? 0 : 4000, 0);
		feed_end(state);
		feed_start(state);
	}
}

/* Preempted before it came to receive: the softirq still tells that it was the network. */
static void the_network_without_a_record_right_after(void **state)
{
	fr_account_t a = begin();

	(void)state;
	event(0, 1500, A, 0, FR_LINE_ASKS, DB);
	sw(0, 2000, A, 0, SLEEPING);
	wake(0, 6000, A, 0, FR_WAKER_SOFTIRQ);
	sw(0, 6000, 0, A, 0);
	preempt(0, 6100, A, HOG);
	sw(0, 9100, HOG, A, 0);
	event(0, 9200, A, 0, FR_LINE_ANSWERED, DB);
	respond(a, 9300);
	EXPECT(1000 + 100 + 200, 3000, 4000, 0, 0, 0);
	expect_wait(0, FR_WAIT_BLOCKED, FR_BLOCK_NETWORK, 2000, 6000, FR_WHO_NONE, DB);
	assert_int_equal(got.peers[0].wait_ns, 4000);
}

static void without_wake_ups_the_reply_tells(void **state)
{
	fr_account_t a = begin();

	(void)state;
	event(0, 1500, A, 0, FR_LINE_ASKS, DB);
	sw(0, 2000, A, 0, SLEEPING);
	sw(0, 6000, 0, A, 0);
	event(0, 6300, A, 0, FR_LINE_ANSWERED, DB);
	/* a lock: until the thread leaves its CPU nobody knows how long it was queued */
	sw(0, 7000, A, 0, SLEEPING);
	sw(0, 8000, 0, A, 0);
	respond(a, 8500);
	EXPECT(1000 + 300 + 700 + 500, 0, 4000, 0, 0, 1000);
}

/* ---- disks ---------------------------------------------------------------------------------- */

static void a_read_of_its_own(void **state)
{
	fr_account_t a = begin();

	(void)state;
	issue(0, 1900, A, 64);
	sw(0, 2000, A, 0, DISK_SLEEP);
	complete(1, 5990, 64);
	wake(1, 6000, A, 0, FR_WAKER_HARDIRQ);
	sw(0, 6000, 0, A, 0);
	respond(a, 6500);
	EXPECT(1500, 0, 0, 4000, 0, 0);
	expect_wait(0, FR_WAIT_BLOCKED, FR_BLOCK_DISK, 2000, 6000, FR_WHO_NONE, 0);
}

/* Where the disk's queue is full a thread sleeps before it asks for anything; what ends for others
 * wakes it, once all that this carried is let go of. */
static void room_in_the_queue_of_a_disk(void **state)
{
	static const struct {
		uint8_t op;
		uint32_t bytes;
		uint64_t disk_ns;
	} ends[] = {
		{ FR_BLOCK_WRITE, 4u << 20, 4000 * US },
		{ FR_BLOCK_READ, 4u << 20, 4000 * US },
		{ FR_BLOCK_WRITE, 4096, 0 },	    /* that was over long before */
		{ FR_BLOCK_DISCARD, 32u << 20, 0 }, /* and this carried nothing */
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		fr_account_t a = begin();

		issue(1, 1500, HOG, 64);
		sw(0, 2000, A, 0, DISK_SLEEP);
		complete_op(1, 2000 + 3870 * US, 64, ends[i].op, ends[i].bytes);
		wake(1, 2000 + 4000 * US, A, 0, FR_WAKER_SOFTIRQ);
		sw(0, 2000 + 4000 * US, 0, A, 0);
		respond(a, 2500 + 4000 * US);
		EXPECT(1500, 0, 0, ends[i].disk_ns, 4000 * US - ends[i].disk_ns, 0);
		feed_end(state);
		feed_start(state);
	}
}

/* io_getevents and the like sleep interruptibly; a reply may come while a disk is busy. */
static void an_interruptible_sleep_is_the_disks_only_if_that_woke_it(void **state)
{
	fr_account_t a = begin();

	(void)state;
	issue(0, 1900, A, 64);
	issue(0, 1900, A, 72);
	sw(0, 2000, A, 0, SLEEPING);
	complete(1, 3000, 64); /* somebody else is woken by this */
	wake(1, 3000, B, 0, FR_WAKER_HARDIRQ);
	sw(1, 3000, 0, B, 0);
	wake(1, 6000, A, 0, FR_WAKER_SOFTIRQ);
	sw(0, 6000, 0, A, 0);
	event(0, 6100, A, 0, FR_LINE_ANSWERED, DB);
	sw(0, 6200, A, 0, SLEEPING);
	complete(0, 9000, 72);
	wake(0, 9001, A, 0, FR_WAKER_SOFTIRQ);
	sw(0, 9002, 0, A, 0);
	respond(a, 9500);
	EXPECT(1000 + 200 + 498, 1, 4000, 2801, 0, 0);
}

static void a_flush_that_a_kernel_thread_did(void **state)
{
	fr_account_t a = begin();

	(void)state;
	sw(0, 2000, A, JBD, DISK_SLEEP);
	issue(0, 2500, JBD, 64);
	sw(0, 3000, JBD, 0, DISK_SLEEP);
	complete(1, 5000, 64);
	wake(1, 5000, JBD, 0, FR_WAKER_HARDIRQ);
	sw(1, 5100, 0, JBD, 0);
	wake(1, 6000, A, JBD, FR_WAKER_TASK);
	sw(0, 6100, 0, A, 0);
	respond(a, 6500);
	EXPECT(1400, 100, 0, 4000, 0, 0);
	expect_wait(0, FR_WAIT_BLOCKED, FR_BLOCK_DISK, 2000, 6000, who(JBD), 0);
}

/* B locked a buffer of the page cache until its own I/O ended, and unlocks it. */
static void a_buffer_that_another_thread_had_locked(void **state)
{
	fr_account_t a = begin();

	(void)state;
	issue(1, 1500, B, 64);
	sw(1, 1600, B, 0, DISK_SLEEP);
	sw(0, 2000, A, 0, DISK_SLEEP);
	complete(1, 5000, 64);
	wake(1, 5000, B, 0, FR_WAKER_SOFTIRQ);
	sw(1, 5100, 0, B, 0);
	wake(1, 5200, A, B, FR_WAKER_TASK);
	sw(0, 5200, 0, A, 0);
	/* but after another sleep B holds something else */
	sw(1, 5300, B, 0, SLEEPING);
	sw(0, 5400, A, 0, DISK_SLEEP);
	issue(1, 5500, HOG, 72);
	wake(1, 5600, B, 0, FR_WAKER_HARDIRQ);
	sw(1, 5600, 0, B, 0);
	wake(1, 6000, A, B, FR_WAKER_TASK);
	sw(0, 6000, 0, A, 0);
	respond(a, 6500);
	EXPECT(1000 + 200 + 500, 0, 0, 3200, 600, 0);
	expect_wait(0, FR_WAIT_BLOCKED, FR_BLOCK_DISK, 2000, 5200, who(B), 0);
}

static void a_kernel_lock_is_no_disk(void **state)
{
	fr_account_t a = begin();

	(void)state;
	issue(0, 1900, A, 64);
	sw(0, 2000, A, B, DISK_SLEEP);
	complete(0, 3000, 64); /* its own, but B has what it waits for */
	wake(0, 6000, A, B, FR_WAKER_TASK);
	sw(0, 6000, B, A, 0);
	respond(a, 6500);
	EXPECT(1500, 0, 0, 0, 4000, 0);
	/* a kernel thread that did no I/O meanwhile */
	feed_end(state);
	feed_start(state);
	a = begin();
	issue(0, 1500, JBD, 64);
	complete(0, 1600, 64);
	wake(0, 1600, JBD, 0, FR_WAKER_HARDIRQ);
	sw(0, 2000, A, JBD, DISK_SLEEP);
	wake(0, 6000, A, JBD, FR_WAKER_TASK);
	sw(0, 6000, JBD, A, 0);
	respond(a, 6500);
	EXPECT(1500, 0, 0, 0, 4000, 0);
}

/* ---- what is not known ---------------------------------------------------------------------- */

static void behind_a_gap_nothing_is_known(void **state)
{
	fr_account_t a = begin();
	struct fr_step step;

	(void)state;
	sw(0, 2000, A, 0, SLEEPING);
	fr_budgets_blind(budgets, 2500);
	fr_threads_blind(threads, 2500);
	wake(0, 5000, A, 0, FR_WAKER_SOFTIRQ);
	sw(0, 6000, 0, A, 0);
	respond(a, 6500);
	EXPECT(1500, 1000, 0, 0, 0, 3000);
	/* the same on the CPU that it has */
	a = opens(A, 0, true, FRONT, 6500);
	fr_threads_cut_cpu(threads, 0, 7000, &step);
	fr_budgets_blind(budgets, 7000);
	event(0, 9000, A, 0, FR_LINE_SERVES, FRONT);
	closes(a, 6500, 9000);
	assert_int_equal(got.unattributed_ns + got.on_cpu_ns, 2500);
	assert_true(got.unattributed_ns >= 500);
}

/* Nobody saw it get the CPU, but it had been seen to leave, and nothing is known to be missing. */
static void an_arrival_that_was_not_seen(void **state)
{
	fr_account_t a = begin();

	(void)state;
	preempt(0, 2000, A, HOG);
	event(0, 7000, A, 0, FR_LINE_OTHER, DB); /* it runs; HOG was last seen at 2000 */
	respond(a, 7500);
	EXPECT(1000 + 500, 0, 0, 0, 0, 5000); /* on CPU or queued: it has not left since */
	/* the kernel's account knows better, where it has left since */
	a = opens(A, 0, true, FRONT, 7500);
	switch_with(0, 8000, A, HOG, 0, 1000);
	sw(0, 9000, HOG, A, 0);
	switch_with(0, 9500, A, HOG, 0, 2000);
	switch_with(0, 13000, A, HOG, 0, 2000 + 2600);
	sw(0, 13100, HOG, A, 0);
	event(0, 13200, A, 0, FR_LINE_SERVES, FRONT);
	closes(a, 7500, 13200);
	EXPECT(500 + 500 + (3500 - 2600) + 100, 1000 + 2600 + 100, 0, 0, 0, 0);
	/* it slept, and was seen to be woken */
	a = opens(A, 0, true, FRONT, 13200);
	switch_with(0, 13300, A, 0, SLEEPING, 4700);
	wake(1, 13350, A, B, FR_WAKER_TASK);
	sw(0, 13360, 0, HOG, 0);
	switch_with(0, 13450, A, HOG, 0, 4730);
	sw(0, 13460, HOG, A, 0);
	event(0, 13480, A, 0, FR_LINE_SERVES, FRONT);
	closes(a, 13200, 13480);
	EXPECT(100 + (100 - 30) + 20, 30 + 10, 0, 0, 50, 0);
	/* not behind a gap */
	a = opens(A, 0, true, FRONT, 13480);
	switch_with(0, 13500, A, HOG, 0, 4740);
	fr_budgets_blind(budgets, 13600);
	fr_threads_blind(threads, 13600);
	switch_with(0, 15000, A, HOG, 0, 5700);
	sw(0, 15100, HOG, A, 0);
	event(0, 15200, A, 0, FR_LINE_SERVES, FRONT);
	closes(a, 13480, 15200);
	assert_int_equal(got.runqueue_ns, 100);
	assert_true(got.unattributed_ns >= 100);
}

static void an_account_may_begin_and_end_at_other_times_than_events(void **state)
{
	fr_account_t a;

	(void)state;
	begin();
	a = opens(A, 0, false, DB, 400); /* before anything is known */
	sw(0, 2000, A, 0, SLEEPING);
	wake(0, 4000, A, B, FR_WAKER_TASK);
	closes(a, 400, 5000);
	EXPECT(1000, 1000, 0, 0, 2000, 600);
	a = opens(A, 0, false, DB, 3000);
	closes(a, 3000, 3000);
	EXPECT(0, 0, 0, 0, 0, 0);
	closes(0, 5, 10);
	EXPECT(0, 0, 0, 0, 0, 5);
}

static void a_request_is_closed_late(void **state)
{
	fr_account_t a = begin();

	(void)state;
	sw(0, 2000, A, 0, SLEEPING);
	wake(0, 4000, A, B, FR_WAKER_TASK);
	sw(0, 4000, 0, A, 0);
	event(0, 5000, A, 0, FR_LINE_SERVES, FRONT); /* that was its end */
	event(0, 8000, A, 0, FR_LINE_OTHER, FRONT2);
	closes(a, 1000, 5000);
	EXPECT(2000, 0, 0, 0, 2000, 0);
	assert_int_equal(got.wait_cnt, 1);
}

static void a_hang_goes_on_to_the_end(void **state)
{
	fr_account_t a = begin(), q, g;

	(void)state;
	event(0, 2000, A, 0, FR_LINE_ASKS, DB);
	q = opens(A, 0, false, DB, 2000);
	sw(0, 2100, A, G1, SLEEPING);
	event(0, 2500, G1, 77, FR_LINE_ASKS, CACHE);
	g = opens(G1, 77, false, CACHE, 2500);
	closes(q, 2000, 9000);
	EXPECT(100, 0, 6900, 0, 0, 0);
	expect_wait(0, FR_WAIT_BLOCKED, FR_BLOCK_NETWORK, 2100, 9000, FR_WHO_NONE, DB);
	closes(a, 1000, 9000);
	EXPECT(1100, 0, 6900, 0, 0, 0);
	assert_int_equal(got.peers[0].socket_id, DB);
	closes(g, 2500, 9000);
	EXPECT(0, 0, 6500, 0, 0, 0);
}

static void a_disk_that_hangs(void **state)
{
	fr_account_t a = begin();

	(void)state;
	issue(0, 1900, A, 64);
	sw(0, 2000, A, 0, DISK_SLEEP);
	closes(a, 1000, 9000);
	EXPECT(1000, 0, 0, 7000, 0, 0);
}

static void the_longest_waits_come_first(void **state)
{
	static const uint64_t waits[] = { 30, 70, 10, 50, 20, 90, 50, 60 };
	static const uint64_t longest[] = { 90, 70, 60, 50, 50 };
	fr_account_t a = begin();
	uint64_t t = 2000, sum = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
		sw(0, t, A, 0, SLEEPING);
		wake(0, t + waits[i], A, B, FR_WAKER_TASK);
		sw(0, t + waits[i], 0, A, 0);
		sum += waits[i];
		t += 100;
	}
	respond(a, 3000);
	EXPECT(2000 - sum, 0, 0, 0, sum, 0);
	assert_int_equal(got.wait_cnt, FR_BUDGET_WAITS);
	for (size_t i = 0; i < FR_BUDGET_WAITS; i++)
		assert_int_equal(got.waits[i].to_ns - got.waits[i].from_ns, longest[i]);
	assert_true(got.waits[3].from_ns < got.waits[4].from_ns);
}

/* ---- whose time ----------------------------------------------------------------------------- */

/* One thread, two requests at once: what lies between their events belongs to nobody. */
static void an_event_loop(void **state)
{
	fr_account_t a = begin(), b, c;

	(void)state;
	event(0, 2000, A, 0, FR_LINE_SERVES, FRONT2);
	b = opens(A, 0, true, FRONT2, 2000);
	event(0, 3000, A, 0, FR_LINE_SERVES, FRONT2); /* b alone: 1000 */
	event(0, 4000, A, 0, FR_LINE_SERVES, FRONT);
	event(0, 6000, A, 0, FR_LINE_SERVES, FRONT); /* a alone: 2000 */
	closes(a, 1000, 6000);
	EXPECT(2000, 0, 0, 0, 0, 3000);
	event(0, 6500, A, 0, FR_LINE_ASKS, DB); /* for a's socket, so they say; b stays strange */
	c = opens(A, 0, false, DB, 6500);
	event(0, 7000, A, 0, FR_LINE_SERVES, FRONT2);
	event(0, 7500, A, 0, FR_LINE_ANSWERED, DB);
	closes(c, 6500, 7500);
	EXPECT(0, 0, 0, 0, 0, 1000);
	event(0, 8000, A, 0, FR_LINE_SERVES, FRONT2);
	closes(b, 2000, 8000);
	EXPECT(1000, 0, 0, 0, 0, 5000);
}

static void of_pipelined_requests_the_oldest_is_worked_on(void **state)
{
	fr_account_t a = begin(), b = opens(A, 0, true, FRONT, 1000);

	(void)state;
	event(0, 3000, A, 0, FR_LINE_SERVES, FRONT);
	closes(a, 1000, 3000);
	EXPECT(2000, 0, 0, 0, 0, 0);
	event(0, 4000, A, 0, FR_LINE_SERVES, FRONT);
	event(0, 5000, A, 0, FR_LINE_SERVES, FRONT);
	closes(b, 1000, 5000);
	EXPECT(1000, 0, 0, 0, 0, 3000);
}

static void a_pipeline_of_a_client_waits_together(void **state)
{
	fr_account_t a, b;

	(void)state;
	sw(0, 500, 0, A, 0);
	event(0, 1000, A, 0, FR_LINE_ASKS, DB);
	a = opens(A, 0, false, DB, 1000);
	b = opens(A, 0, false, DB, 1000);
	sw(0, 1100, A, 0, SLEEPING);
	wake(0, 3000, A, 0, FR_WAKER_SOFTIRQ);
	sw(0, 3000, 0, A, 0);
	event(0, 3100, A, 0, FR_LINE_ANSWERED, DB);
	closes(a, 1000, 3100);
	EXPECT(200, 0, 1900, 0, 0, 0);
	event(0, 3300, A, 0, FR_LINE_ANSWERED, DB);
	closes(b, 1000, 3300);
	EXPECT(400, 0, 1900, 0, 0, 0);
}

static void too_many_at_once_have_no_account(void **state)
{
	fr_account_t all[60];
	size_t kept = 0;

	(void)state;
	begin();
	for (size_t i = 0; i < 60; i++) {
		all[i] = opens(A, 0, true, 1000 + i, 1000);
		kept += all[i] != 0;
	}
	assert_true(kept > 30 && kept < 60);
	for (size_t i = 0; i < 60; i++) {
		closes(all[i], 1000, 2000);
		assert_int_equal(got.on_cpu_ns + got.unattributed_ns, 1000);
	}
	assert_true(opens(A, 0, true, FRONT, 2000) != 0);
}

/* ---- memory, identity ----------------------------------------------------------------------- */

static void threads_that_end_are_forgotten(void **state)
{
	struct fr_proc_end e = { .tid = A, .tgid = A, .start_ns = 5 };
	fr_account_t a = begin();

	(void)state;
	sw(0, 2000, A, 0, 0x80); /* dead */
	feed(0, 2500, FR_EV_PROC_FREE, &e, sizeof(e));
	assert_null(fr_budget_thread(budgets, A));
	closes(a, 1000, 3000);
	EXPECT(0, 0, 0, 0, 0, 2000);
}

/* Whatever happens: all parts add up. */
static uint64_t seed;

static uint32_t pick(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % below;
}

static void random_record(uint64_t t)
{
	static const uint32_t tids[] = { 0, A, B, C, HOG, G1, G2, JBD };
	uint32_t x = tids[pick(8)], y = tids[pick(8)], sock = DB + (pick(8) ? x % 5 : pick(5));
	uint16_t cpu = (uint16_t)pick(3);
	uint64_t goid = x == G1 || x == G2 ? 1 + pick(4) : 0;
	struct fr_line stray = { .tgid = GO, .tid = G1, .goid = FR_GOID_UNKNOWN };

	switch (pick(10)) {
	case 0:
	case 1:
		sw(cpu, t, x, y, pick(3));
		break;
	case 2:
		preempt(cpu, t, x, y);
		break;
	case 3:
		if (x)
			wake(cpu, t, x, y, y ? FR_WAKER_TASK : pick(4));
		break;
	case 4:
		issue(cpu, t, x, pick(4));
		break;
	case 5:
		complete(cpu, t, pick(4));
		break;
	case 6:
		if (!pick(20)) {
			fr_budgets_blind(budgets, t);
			fr_threads_blind(threads, t);
		}
		if (x)
			io(cpu, t, x, sock, pick(2));
		break;
	case 7:
		assert_int_equal(fr_budgets_line(budgets, &stray, FR_LINE_OTHER, 0, sock, t), 0);
		break;
	default:
		event(cpu, t, x ? x : A, x ? goid : 0, pick(4), sock);
		break;
	}
}

static void parts_always_add_up(void **state)
{
	struct {
		fr_account_t account;
		uint64_t from;
	} open[16] = { 0 };
	uint64_t t = 1000, known = 0, all = 0;

	for (seed = 1; seed < 40; seed++) {
		for (uint32_t step = 0; step < 3000; step++) {
			uint32_t i = pick(16), x;

			t += pick(300);
			random_record(t);
			if (pick(4))
				continue;
			if (open[i].account) {
				uint64_t span = t - open[i].from + 50;

				closes(open[i].account, open[i].from,
				       open[i].from + (pick(2) ? span : pick((uint32_t)span)));
				all += fr_budget_total_ns(&got);
				known += fr_budget_total_ns(&got) - got.unattributed_ns;
				open[i].account = 0;
				continue;
			}
			open[i].from = t - pick(100);
			x = A + pick(3);
			x = pick(3) ? x : G1;
			open[i].account = opens(x, x == G1 ? 1 + pick(4) : 0, pick(2), DB + x % 5,
						open[i].from);
		}
	}
	/* it is no wild goose chase: much of it is known */
	assert_true(known * 20 > all);
	(void)state;
}

#define T(name) cmocka_unit_test_setup_teardown(name, feed_start, feed_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(running_and_waiting_for_a_cpu),
		T(a_lock_that_another_thread_held),
		T(a_timer),
		T(a_reply_from_the_network),
		T(who_wakes_tells_the_network_from_a_lock),
		T(the_network_without_a_record_right_after),
		T(without_wake_ups_the_reply_tells),
		T(a_read_of_its_own),
		T(room_in_the_queue_of_a_disk),
		T(an_interruptible_sleep_is_the_disks_only_if_that_woke_it),
		T(a_flush_that_a_kernel_thread_did),
		T(a_buffer_that_another_thread_had_locked),
		T(a_kernel_lock_is_no_disk),
		T(behind_a_gap_nothing_is_known),
		T(an_arrival_that_was_not_seen),
		T(an_account_may_begin_and_end_at_other_times_than_events),
		T(a_request_is_closed_late),
		T(a_hang_goes_on_to_the_end),
		T(a_disk_that_hangs),
		T(the_longest_waits_come_first),
		T(an_event_loop),
		T(of_pipelined_requests_the_oldest_is_worked_on),
		T(a_pipeline_of_a_client_waits_together),
		T(too_many_at_once_have_no_account),
		T(threads_that_end_are_forgotten),
		T(parts_always_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
