/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of each trigger, with a dumper that is only a child which ends when told. */
#include "cm.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "formats/base/log.h"
#include "recorder/trigger.h"

static struct fr_recorder rec;
static struct fr_triggers t;
static int go_fd = -1; /* a byte or an end here lets the child end */
static bool refuse;    /* the dumper cannot be started */
static uint32_t joined_cnt, joined_more;
static uint64_t done_number;
static struct fr_dump_result done;

static pid_t fake_dumper(const struct fr_recorder *r, const struct fr_dump_job *job,
			 int *ret_result_fd)
{
	int result[2], go[2];
	char byte;
	pid_t pid;

	(void)r;
	if (refuse)
		return -EAGAIN;
	assert_int_equal(pipe(result), 0);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (!pid) {
		struct fr_dump_result res = { .records = 7 };

		close(go[1]);
		snprintf(res.name, sizeof(res.name), "%s-%llu.frd", job->trigger.name,
			 (unsigned long long)job->trigger.number);
		if (read(go[0], &byte, 1) == 1 && byte == 'x')
			_exit(3); /* dies without a result */
		if (write(result[1], &res, sizeof(res)) != (ssize_t)sizeof(res))
			_exit(1);
		_exit(0);
	}
	close(result[1]);
	close(go[0]);
	go_fd = go[1];
	*ret_result_fd = result[0];
	return pid;
}

/* The dumper's side of the join, done here: the page is shared anyway. */
static void close_join(void)
{
	struct fr_meta_trigger m = { 0 };

	fr_join_close(t.join, &m);
	joined_cnt = m.joined_cnt;
	joined_more = (uint32_t)m.joined_more;
}

static void on_done(void *ctx, uint64_t number, const struct fr_dump_result *result)
{
	(void)ctx;
	done_number = number;
	done = *result;
}

static void end_dump(char how)
{
	siginfo_t info;
	int fd = go_fd;

	assert_int_equal(write(fd, &how, 1), 1);
	close(fd);
	assert_int_equal(waitid(P_PID, (id_t)t.dumper_pid, &info, WEXITED | WNOWAIT), 0);
	fr_triggers_reap(&t);
}

static enum fr_outcome fire(enum fr_trigger_kind kind, uint64_t *ret_number)
{
	char why[200];

	return fr_triggers_fire(&t, kind, "because", 42, ret_number, why, sizeof(why));
}

static int set_up(void **state)
{
	(void)state;
	rec = (struct fr_recorder){ 0 };
	for (int i = 0; i < FR_TRIGGER_CNT; i++)
		rec.config.triggers[i] = (struct fr_trigger_rule){ .enabled = true,
								   .cooldown_ns = FR_RULE_UNSET,
								   .max_per_day = FR_RULE_UNSET };
	rec.config.cooldown_ns = 60000000000ull;
	refuse = false;
	if (fr_triggers_init(&t, &rec))
		return -1;
	t.start = fake_dumper;
	t.on_done = on_done;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (fr_triggers_busy(&t)) {
		kill(t.dumper_pid, SIGKILL);
		waitpid(t.dumper_pid, NULL, 0);
		close(go_fd);
	}
	fr_triggers_done(&t);
	return 0;
}

static void one_dump(void **state)
{
	uint64_t number = 0;

	(void)state;
	assert_int_equal(fire(FR_TRIGGER_USR1, &number), FR_OUTCOME_STARTED);
	assert_int_equal(number, 1);
	assert_true(fr_triggers_busy(&t));
	fr_triggers_reap(&t); /* somebody else's SIGCHLD: not done yet */
	assert_true(fr_triggers_busy(&t));
	close_join();
	assert_int_equal(joined_cnt, 0);
	end_dump('.');
	assert_false(fr_triggers_busy(&t));
	assert_int_equal(done_number, 1);
	assert_string_equal(done.name, "usr1-1.frd");
	assert_int_equal(t.done_cnt, 1);
	assert_int_equal(t.failed_cnt, 0);
}

static void joins_then_queues(void **state)
{
	uint64_t number = 0;

	(void)state;
	assert_int_equal(fire(FR_TRIGGER_USR1, &number), FR_OUTCOME_STARTED);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(fire(FR_TRIGGER_MANUAL, &number), FR_OUTCOME_JOINED);
		assert_int_equal(number, 1);
	}
	close_join();
	assert_int_equal(joined_cnt, FR_JOINED_MAX);
	assert_int_equal(joined_more, 20 - FR_JOINED_MAX);
	/* too late for this dump */
	assert_int_equal(fire(FR_TRIGGER_USR1, &number), FR_OUTCOME_QUEUED);
	assert_int_equal(number, 2);
	for (int i = 0; i < 18; i++) {
		assert_int_equal(fire(FR_TRIGGER_USR1, &number), FR_OUTCOME_JOINED);
		assert_int_equal(number, 2);
	}
	end_dump('.');
	assert_int_equal(done_number, 1);
	assert_true(fr_triggers_busy(&t)); /* the queued one began */
	assert_int_equal(t.number, 2);
	assert_int_equal(fire(FR_TRIGGER_USR1, &number), FR_OUTCOME_JOINED);
	close_join();
	assert_int_equal(joined_cnt, FR_JOINED_MAX);
	assert_int_equal(joined_more, 19 - FR_JOINED_MAX);
	end_dump('.');
	assert_int_equal(done_number, 2);
	assert_false(fr_triggers_busy(&t));
	assert_int_equal(t.kinds[FR_TRIGGER_USR1].outcomes[FR_OUTCOME_JOINED], 19);
	assert_int_equal(t.kinds[FR_TRIGGER_MANUAL].outcomes[FR_OUTCOME_JOINED], 20);
}

/* A cool-down that began in another's dump lasts, too. */
static void reload_opens_no_gate(void **state)
{
	static struct fr_gate_table table;
	const struct fr_notice_trigger joins = { .gate = FR_GATE_HTTP_5XX, .time_ns = 7 },
				       starts = { .gate = FR_GATE_SQL_ERROR, .time_ns = 5 };
	uint64_t number = 0;

	(void)state;
	t.gates = &table;
	assert_int_equal(fr_triggers_cause(&t, &starts, &number), FR_OUTCOME_STARTED);
	assert_int_equal(fr_triggers_cause(&t, &joins, &number), FR_OUTCOME_JOINED);
	fr_triggers_arm(&t);
	assert_int_equal(table.gates[FR_GATE_SQL_ERROR].next_ns, rec.config.cooldown_ns + 5);
	assert_int_equal(table.gates[FR_GATE_HTTP_5XX].next_ns, rec.config.cooldown_ns + 7);
	assert_int_equal(table.gates[FR_GATE_OOM].next_ns, 0);
	t.gates = NULL; /* not of a map */
}

static void dead_dumper_is_a_failure(void **state)
{
	uint64_t number = 0;

	(void)state;
	assert_int_equal(fire(FR_TRIGGER_USR1, &number), FR_OUTCOME_STARTED);
	end_dump('x');
	assert_int_equal(t.failed_cnt, 1);
	assert_int_equal(done.error, -EIO);
	assert_non_null(strstr(done.text, "status 3"));
	assert_int_equal(fire(FR_TRIGGER_USR1, &number), FR_OUTCOME_STARTED);
	assert_int_equal(number, 2);
	fr_triggers_kill(&t);
	close(go_fd);
	waitid(P_PID, (id_t)t.dumper_pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
	fr_triggers_reap(&t);
	assert_int_equal(t.failed_cnt, 2);
	assert_non_null(strstr(done.text, "signal 9"));
}

static void hanging_dumper_is_left_alone(void **state)
{
	uint64_t number = 0;
	int go[FR_DUMPERS_STUCK_MAX];

	(void)state;
	for (int i = 0; i < FR_DUMPERS_STUCK_MAX; i++) {
		assert_int_equal(fire(FR_TRIGGER_USR1, &number), FR_OUTCOME_STARTED);
		go[i] = go_fd;
		/* as if the signal had no effect */
		fr_triggers_abandon(&t);
		assert_false(fr_triggers_busy(&t));
		assert_int_equal(done_number, i + 1);
		assert_int_equal(done.error, -ETIMEDOUT);
	}
	assert_int_equal(t.failed_cnt, FR_DUMPERS_STUCK_MAX);
	assert_int_equal(fire(FR_TRIGGER_USR1, &number), FR_OUTCOME_FAILED);
	/* one of them ends after all */
	assert_int_equal(write(go[1], ".", 1), 1);
	waitid(P_PID, (id_t)t.stuck[1], &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
	fr_triggers_reap(&t);
	assert_int_equal(t.done_cnt, 0); /* too late to count */
	assert_int_equal(fire(FR_TRIGGER_USR1, &number), FR_OUTCOME_STARTED);
	close_join();
	end_dump('.');
	assert_int_equal(t.done_cnt, 1);
	for (int i = 0; i < FR_DUMPERS_STUCK_MAX; i++) {
		if (i == 1)
			continue;
		assert_int_equal(write(go[i], ".", 1), 1);
		waitpid(t.stuck[i], NULL, 0);
		close(go[i]);
	}
	close(go[1]);
}

static void no_dumper(void **state)
{
	uint64_t number = 0;

	(void)state;
	refuse = true;
	assert_int_equal(fire(FR_TRIGGER_USR1, &number), FR_OUTCOME_FAILED);
	assert_false(fr_triggers_busy(&t));
	assert_int_equal(t.failed_cnt, 1);
	assert_int_equal(t.kinds[FR_TRIGGER_USR1].outcomes[FR_OUTCOME_FAILED], 1);
	refuse = false;
	assert_int_equal(fire(FR_TRIGGER_USR1, &number), FR_OUTCOME_STARTED);
	close_join();
	assert_int_equal(fire(FR_TRIGGER_USR1, &number), FR_OUTCOME_QUEUED);
	refuse = true; /* now the queued one cannot be started: those who wait are told */
	end_dump('.');
	assert_int_equal(done_number, 2);
	assert_int_not_equal(done.error, 0);
	assert_false(fr_triggers_busy(&t));
}

static void limits(void **state)
{
	uint64_t number = 0;

	(void)state;
	rec.config.triggers[FR_TRIGGER_MANUAL].enabled = false;
	assert_int_equal(fire(FR_TRIGGER_MANUAL, &number), FR_OUTCOME_SUPPRESSED);
	assert_int_equal(t.kinds[FR_TRIGGER_MANUAL].outcomes[FR_OUTCOME_SUPPRESSED], 1);
	/* usr1 has no limit of its own, whatever the common ones are */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(fire(FR_TRIGGER_USR1, &number), FR_OUTCOME_STARTED);
		close_join();
		end_dump('.');
	}
	rec.config.triggers[FR_TRIGGER_USR1].max_per_day = 4;
	assert_int_equal(fire(FR_TRIGGER_USR1, &number), FR_OUTCOME_STARTED);
	/* past the limit it may still join, but not make a dump */
	assert_int_equal(fire(FR_TRIGGER_USR1, &number), FR_OUTCOME_JOINED);
	close_join();
	assert_int_equal(fire(FR_TRIGGER_USR1, &number), FR_OUTCOME_SUPPRESSED);
	end_dump('.');
	assert_int_equal(fire(FR_TRIGGER_USR1, &number), FR_OUTCOME_SUPPRESSED);
	assert_int_equal(t.kinds[FR_TRIGGER_USR1].outcomes[FR_OUTCOME_SUPPRESSED], 2);
}

/* Two processes: every trigger that was accepted is seen by the one that closes, and only those. */
static void join_is_exact_between_processes(void **state)
{
	struct {
		struct fr_join join;
		uint32_t ready;
		uint32_t taken;
	} *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			 -1, 0);
	struct fr_trigger_info info = { .name = "usr1" };
	uint32_t accepted;
	pid_t pid;

	(void)state;
	assert_ptr_not_equal(shared, MAP_FAILED);
	for (int round = 0; round < 200; round++) {
		fr_join_reset(&shared->join);
		shared->ready = 0;
		pid = fork();
		if (!pid) {
			struct fr_meta_trigger m = { 0 };
			bool whole = true;

			__atomic_store_n(&shared->ready, 1, __ATOMIC_RELEASE);
			for (int i = 0; i < round; i++)
				poll(NULL, 0, 0);
			fr_join_close(&shared->join, &m);
			for (uint32_t i = 0; i < m.joined_cnt; i++)
				whole = whole && m.joined[i].number == i &&
					m.joined[i].unix_ns == ~(uint64_t)i;
			shared->taken = m.joined_cnt + (uint32_t)m.joined_more;
			_exit(!whole);
		}
		while (!__atomic_load_n(&shared->ready, __ATOMIC_ACQUIRE))
			poll(NULL, 0, 0);
		for (accepted = 0; accepted < 100000; accepted++) {
			info.number = accepted;
			info.unix_ns = ~(uint64_t)accepted;
			if (!fr_join_add(&shared->join, &info))
				break;
		}
		int status;

		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_int_equal(shared->taken, accepted);
		assert_true(fr_join_is_closed(&shared->join));
	}
	munmap(shared, sizeof(*shared));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_dump, set_up, tear_down),
		cmocka_unit_test_setup_teardown(joins_then_queues, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reload_opens_no_gate, set_up, tear_down),
		cmocka_unit_test_setup_teardown(dead_dumper_is_a_failure, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hanging_dumper_is_left_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_dumper, set_up, tear_down),
		cmocka_unit_test_setup_teardown(limits, set_up, tear_down),
		cmocka_unit_test(join_is_exact_between_processes),
	};

	fr_log_init("test", FR_LOG_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
