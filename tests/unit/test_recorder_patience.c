/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is silent: does it sleep, turn in circles, or wait for a CPU? */
#include "cm.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "recorder/patience.h"

#define MS 1000000ull

/* ---- made up ------------------------------------------------------------------------------- */

static struct fr_patience_look look(uint64_t at_ms, char state, uint64_t stints, uint64_t ran_ms)
{
	return (struct fr_patience_look){ .from_ns = at_ms * MS,
					  .to_ns = at_ms * MS,
					  .ran_ns = ran_ms * MS,
					  .stints = stints,
					  .state = state };
}

/* Looks every 10 ms until it ends, at most 1 s; returns after how long. */
static uint64_t ends_after_ms(char state, uint64_t stints_each, uint64_t ran_ms_each)
{
	struct fr_patience p = { 0 };
	struct fr_patience_look l;

	for (uint64_t i = 0; i <= 100; i++) {
		l = look(i * 10, state, 5 + i * stints_each, i * ran_ms_each);
		if (fr_patience_ends(&p, &l))
			return i * 10;
	}
	return UINT64_MAX;
}

static void a_sleep_of_50_ms_ends_it(void **state)
{
	(void)state;
	assert_int_equal(ends_after_ms('D', 0, 0), 50);
	assert_int_equal(ends_after_ms('S', 0, 0), 50);
	assert_int_equal(ends_after_ms('T', 0, 0), 50);
}

static void waiting_for_a_cpu_never_does(void **state)
{
	(void)state;
	assert_true(ends_after_ms('R', 0, 0) == UINT64_MAX);
	assert_true(ends_after_ms('R', 1, 1) == UINT64_MAX); /* a little at a time: 100 ms */
}

static void nor_do_short_sleeps_between_two_stints(void **state)
{
	(void)state;
	assert_true(ends_after_ms('S', 1, 0) == UINT64_MAX);
}

static void sleeps_add_up(void **state)
{
	struct fr_patience p = { 0 };
	uint64_t at_ms = 0, rounds = 0;
	struct fr_patience_look l;
	bool ends = false;

	(void)state;
	for (; !ends && rounds < 100; rounds++) {
		for (int i = 0; i < 3 && !ends; i++) { /* asleep for 20 ms, then it runs */
			l = look(at_ms += 10, 'D', rounds, 0);
			ends = fr_patience_ends(&p, &l);
		}
		if (!ends) {
			l = look(at_ms += 10, 'R', rounds, 0);
			ends = fr_patience_ends(&p, &l);
		}
	}
	assert_true(ends);
	assert_int_equal(rounds, 3);
}

static void one_that_turns_in_circles_ends(void **state)
{
	(void)state;
	assert_int_equal(ends_after_ms('R', 0, 10), 200);
}

static void what_cannot_be_told_counts_as_sleep(void **state)
{
	(void)state;
	assert_int_equal(ends_after_ms(0, 0, 0), 50);
}

/* It was on a CPU for 30 ms, then it cannot be seen any more. */
static void a_look_that_fails_later_ends_nothing_at_once(void **state)
{
	struct fr_patience p = { 0 };
	struct fr_patience_look l = look(0, 'R', 3, 30);

	(void)state;
	assert_false(fr_patience_ends(&p, &l));
	l = look(10, 0, 0, 0);
	assert_false(fr_patience_ends(&p, &l));
}

/* Whoever looks was not on a CPU itself, between two looks or in the middle of one. */
static void a_look_that_takes_long_is_no_sleep(void **state)
{
	struct fr_patience p = { 0 };
	struct fr_patience_look l = look(0, 'S', 3, 0);

	(void)state;
	l.to_ns = 100 * MS;
	assert_false(fr_patience_ends(&p, &l));
	l = look(110, 'S', 3, 0);
	l.to_ns = 200 * MS;
	assert_false(fr_patience_ends(&p, &l));
	assert_int_equal(p.slept_ns, 10 * MS);
}

/* ---- real ---------------------------------------------------------------------------------- */

static int one_cpu(void)
{
	cpu_set_t set;
	int cpu = 0;

	if (sched_getaffinity(0, sizeof(set), &set))
		return -1;
	while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET((size_t)cpu, &set))
		cpu++;
	return cpu;
}

static void to_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

/* A child that is always busy, on this CPU; it is there and has told so. */
static pid_t start_busy(int cpu, int policy)
{
	const struct sched_param none = { 0 };
	int told[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(told), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		to_cpu(cpu);
		(void)sched_setscheduler(0, policy, &none);
		if (write(told[1], "", 1) != 1)
			_exit(1);
		for (;;)
			;
	}
	assert_int_equal(read(told[0], &c, 1), 1);
	close(told[0]);
	close(told[1]);
	return pid;
}

static void end_child(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void wait_ms(long ms)
{
	struct timespec t = { .tv_nsec = ms * 1000000 };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

/* 0 = it did not end within so many looks. */
static int looks_until_it_ends(pid_t child, int most, struct fr_patience *p)
{
	struct fr_patience_look l;

	*p = (struct fr_patience){ 0 };
	for (int i = 1; i <= most; i++) {
		wait_ms(10);
		fr_patience_take(child, &l);
		if (fr_patience_ends(p, &l))
			return i;
	}
	return 0;
}

static void a_child_that_sleeps(void **state)
{
	struct fr_patience p;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	assert_int_not_equal(looks_until_it_ends(pid, 200, &p), 0);
	assert_int_equal(p.last.state, 'S');
	assert_true(p.slept_ns >= FR_PATIENCE_ASLEEP_NS);
	end_child(pid);
}

/* Another one has its CPU: it is silent for longer than a sleeper may be, and not stuck. */
static void a_child_that_waits_for_its_cpu(void **state)
{
	int cpu = one_cpu(), ended;
	pid_t child = start_busy(cpu, SCHED_IDLE), hog = start_busy(cpu, SCHED_OTHER);
	struct fr_patience p;

	(void)state;
	ended = looks_until_it_ends(child, 15, &p);
	assert_int_equal(p.last.state, 'R');
	assert_int_equal(p.slept_ns, 0);
	assert_int_equal(ended, 0);
	end_child(child);
	end_child(hog);
}

static void nobodys_child_cannot_be_told(void **state)
{
	struct fr_patience_look l;

	(void)state;
	fr_patience_take(getppid(), &l);
	assert_int_equal(l.state, 0);
	assert_int_equal(l.stints, 0);
	assert_true(l.from_ns && l.to_ns >= l.from_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sleep_of_50_ms_ends_it),
		cmocka_unit_test(waiting_for_a_cpu_never_does),
		cmocka_unit_test(nor_do_short_sleeps_between_two_stints),
		cmocka_unit_test(sleeps_add_up),
		cmocka_unit_test(one_that_turns_in_circles_ends),
		cmocka_unit_test(what_cannot_be_told_counts_as_sleep),
		cmocka_unit_test(a_look_that_fails_later_ends_nothing_at_once),
		cmocka_unit_test(a_look_that_takes_long_is_no_sleep),
		cmocka_unit_test(a_child_that_sleeps),
		cmocka_unit_test(a_child_that_waits_for_its_cpu),
		cmocka_unit_test(nobodys_child_cannot_be_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
