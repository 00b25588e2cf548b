/* SPDX-License-Identifier: BSD-2-Clause */
/* Which switches were not seen: who leaves a CPU is who got it last. */
#include "cm.h"

#include "formats/abi/event.h"
#include "recorder/dump_chain.h"

static void goes(struct fr_chain *c, uint16_t cpu, uint32_t prev, uint32_t next)
{
	struct fr_sched_switch e = {
		.word = FR_RECORD_WORD(0, FR_EV_SCHED_SWITCH, sizeof(e) / 8),
		.who = FR_SWITCH_WHO(prev, next, 0, 0),
	};

	fr_chain_record(c, (const uint8_t *)&e, cpu);
}

static void execs(struct fr_chain *c, uint16_t cpu, uint32_t tid, uint32_t old_tid)
{
	struct fr_proc_exec e = {
		.word = FR_RECORD_WORD(0, FR_EV_PROC_EXEC, sizeof(e) / 8),
		.tid = tid,
		.old_tid = old_tid,
	};

	fr_chain_record(c, (const uint8_t *)&e, cpu);
}

static void test_whole_chains_of_two_cpus(void **state)
{
	struct fr_chain c;

	(void)state;
	assert_int_equal(fr_chain_init(&c, 2), 0);
	goes(&c, 0, 10, 11);
	goes(&c, 1, 20, 0);
	goes(&c, 0, 11, 0);
	goes(&c, 1, 0, 20);
	goes(&c, 0, 0, 10);
	goes(&c, 7, 1, 2); /* no such CPU */
	assert_int_equal(c.broken, 0);
	fr_chain_done(&c);
}

static void test_a_missing_switch_is_counted_once(void **state)
{
	struct fr_chain c;

	(void)state;
	assert_int_equal(fr_chain_init(&c, 1), 0);
	goes(&c, 0, 10, 11);
	goes(&c, 0, 12, 13);
	goes(&c, 0, 13, 10);
	assert_int_equal(c.broken, 1);
	fr_chain_done(&c);
}

/* By a thread that is not the leader: it gets the leader's tid, before or after it is seen to. */
static void test_exec_of_another_thread_breaks_nothing(void **state)
{
	struct fr_chain c;

	(void)state;
	assert_int_equal(fr_chain_init(&c, 2), 0);
	goes(&c, 0, 1, 31);
	execs(&c, 0, 30, 31);
	goes(&c, 0, 30, 1);
	assert_int_equal(c.broken, 0);
	goes(&c, 0, 1, 41);
	goes(&c, 0, 40, 1); /* waits for its pages */
	goes(&c, 1, 1, 40);
	execs(&c, 1, 40, 41);
	assert_int_equal(c.broken, 0);
	execs(&c, 1, 40, 41);
	assert_int_equal(c.broken, 0);
	fr_chain_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_chains_of_two_cpus),
		cmocka_unit_test(test_a_missing_switch_is_counted_once),
		cmocka_unit_test(test_exec_of_another_thread_breaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
