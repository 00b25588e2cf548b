/* SPDX-License-Identifier: BSD-2-Clause */
/* Causes that probes tell of: what they are called, and what becomes of gates and counts. */
#include "cm.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "formats/base/log.h"
#include "recorder/settings.h"
#include "recorder/trigger.h"
#include "recorder/trigger_reason.h"

#define S 1000000000ull

static struct fr_recorder rec;
static struct fr_triggers t;
static struct fr_gate_table gates;
static struct fr_trigger_info dumped; /* what the last dump was made of */
static int dump_cnt;
static bool refuse;

static pid_t fake_dumper(const struct fr_recorder *r, const struct fr_dump_job *job,
			 int *ret_result_fd)
{
	int result[2];
	pid_t pid;

	(void)r;
	if (refuse)
		return -EAGAIN;
	dumped = job->trigger;
	assert_ptr_equal(job->triggers, &t);
	dump_cnt++;
	assert_int_equal(pipe(result), 0);
	pid = fork();
	if (!pid) {
		struct fr_dump_result res = { .name = "x.frd" };

		_exit(write(result[1], &res, sizeof(res)) != (ssize_t)sizeof(res));
	}
	close(result[1]);
	*ret_result_fd = result[0];
	return pid;
}

static void end_dump(void)
{
	struct fr_meta_trigger m = { 0 };

	fr_join_close(t.join, &m);
	waitid(P_PID, (id_t)t.dumper_pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
	fr_triggers_reap(&t);
}

static int set_up(void **state)
{
	(void)state;
	rec = (struct fr_recorder){ 0 };
	fr_setting_defaults(&rec.config);
	gates = (struct fr_gate_table){ 0 };
	dumped = (struct fr_trigger_info){ 0 };
	dump_cnt = 0;
	refuse = false;
	if (fr_triggers_init(&t, &rec))
		return -1;
	t.gates = &gates;
	t.start = fake_dumper;
	fr_triggers_arm(&t);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (fr_triggers_busy(&t))
		end_dump();
	t.gates = NULL; /* not mapped */
	fr_triggers_done(&t);
	return 0;
}

/* As a probe does it: seen, and told if the gate is open. */
static enum fr_outcome cause(uint32_t gate, uint64_t now_ns)
{
	struct fr_notice_trigger n = { .gate = gate,
				       .time_ns = now_ns,
				       .tgid = 7,
				       .tid = 8,
				       .sock_id = 9,
				       .goid = 10,
				       .value = 503,
				       .port = 8080,
				       .comm = "svc" };
	struct fr_gate *g = &gates.gates[gate];
	uint64_t number = 0;

	if (!(gates.enabled & 1u << gate))
		return FR_OUTCOME_CNT;
	g->seen_cnt++;
	if (now_ns < g->next_ns)
		return FR_OUTCOME_CNT;
	g->next_ns = now_ns + g->closed_ns;
	g->told_cnt++;
	return fr_triggers_cause(&t, &n, &number);
}

static void gates_follow_the_configuration(void **state)
{
	char err[128];

	(void)state;
	assert_int_equal(gates.enabled, 1u << FR_GATE_HTTP_5XX | 1u << FR_GATE_SQL_ERROR |
						1u << FR_GATE_LATENCY_P99 | 1u << FR_GATE_SIGNAL |
						1u << FR_GATE_OOM);
	assert_int_equal(gates.gates[FR_GATE_LATENCY_P99].factor, 8);
	assert_int_equal(gates.gates[FR_GATE_LATENCY_P99].limit_ns, S / 10);
	assert_int_equal(gates.gates[FR_GATE_HTTP_5XX].closed_ns, 60 * S);
	assert_memory_equal(&gates.sql_ignore[2], "40P01\0\0\0", 8);
	assert_int_equal(
		fr_setting_trigger(&rec.config, "runqueue", "limit", "5ms", err, sizeof(err)), 0);
	assert_int_equal(
		fr_setting_trigger(&rec.config, "exit", "process", "a, bc", err, sizeof(err)), 0);
	assert_int_equal(
		fr_setting_trigger(&rec.config, "exit", "status", "failure", err, sizeof(err)), 0);
	assert_int_equal(
		fr_setting_trigger(&rec.config, "http-5xx", "enabled", "off", err, sizeof(err)), 0);
	assert_int_equal(fr_setting_trigger(&rec.config, "oom", "cooldown", "0s", err, sizeof(err)),
			 0);
	fr_triggers_arm(&t);
	assert_false(gates.enabled & 1u << FR_GATE_HTTP_5XX);
	assert_true(gates.enabled & 1u << FR_GATE_RUNQUEUE);
	assert_true(gates.enabled & 1u << FR_GATE_EXIT);
	assert_int_equal(gates.gates[FR_GATE_RUNQUEUE].limit_ns, 5000000);
	assert_int_equal(gates.exit_cnt, 2);
	assert_string_equal(gates.exit_comms[1], "bc");
	assert_int_equal(gates.exit_failures_only, 1);
	/* without a cool-down wake-ups are bounded all the same */
	assert_int_equal(gates.gates[FR_GATE_OOM].closed_ns, FR_GATE_LEAST_NS);
}

static void storm_is_one_dump_and_a_count(void **state)
{
	(void)state;
	assert_int_equal(cause(FR_GATE_HTTP_5XX, 100 * S), FR_OUTCOME_STARTED);
	for (uint64_t i = 1; i < 10000; i++)
		assert_int_equal(cause(FR_GATE_HTTP_5XX, 100 * S + i * 100000), FR_OUTCOME_CNT);
	end_dump();
	assert_int_equal(dump_cnt, 1);
	assert_int_equal(fr_triggers_seen(&t, FR_TRIGGER_HTTP_5XX), 10000);
	assert_int_equal(fr_triggers_suppressed(&t, FR_TRIGGER_HTTP_5XX), 9999);
	assert_string_equal(dumped.name, "http-5xx");
	assert_string_equal(dumped.reason, "503 on port 8080, pid 7 (svc)");
	assert_int_equal(dumped.boot_ns, 100 * S);
	assert_int_equal(dumped.tid, 8);
	assert_int_equal(dumped.sock_id, 9);
	assert_int_equal(dumped.goid, 10);
	/* and again when it has cooled down */
	assert_int_equal(cause(FR_GATE_HTTP_5XX, 160 * S - 1), FR_OUTCOME_CNT);
	assert_int_equal(cause(FR_GATE_HTTP_5XX, 160 * S), FR_OUTCOME_STARTED);
	end_dump();
	assert_int_equal(fr_triggers_suppressed(&t, FR_TRIGGER_HTTP_5XX), 10000);
}

static void storm_of_two_kinds_is_one_dump(void **state)
{
	(void)state;
	assert_int_equal(cause(FR_GATE_SQL_ERROR, 100 * S), FR_OUTCOME_STARTED);
	assert_int_equal(cause(FR_GATE_HTTP_5XX, 100 * S + 1), FR_OUTCOME_JOINED);
	assert_int_equal(cause(FR_GATE_HTTP_5XX, 101 * S), FR_OUTCOME_CNT);
	end_dump();
	assert_int_equal(cause(FR_GATE_HTTP_5XX, 130 * S), FR_OUTCOME_CNT);
	assert_int_equal(fr_triggers_suppressed(&t, FR_TRIGGER_HTTP_5XX), 2);
	assert_int_equal(cause(FR_GATE_HTTP_5XX, 161 * S), FR_OUTCOME_STARTED);
}

static void daily_limit_closes_the_gate_until_tomorrow(void **state)
{
	uint64_t day = 86400 * S;

	(void)state;
	rec.config.triggers[FR_TRIGGER_OOM].max_per_day = 1;
	rec.config.triggers[FR_TRIGGER_OOM].cooldown_ns = 0;
	fr_triggers_arm(&t);
	/* without probes the clocks are the same */
	assert_int_equal(cause(FR_GATE_OOM, day + 100 * S), FR_OUTCOME_STARTED);
	end_dump();
	assert_int_equal(cause(FR_GATE_OOM, day + 200 * S), FR_OUTCOME_SUPPRESSED);
	assert_int_equal(gates.gates[FR_GATE_OOM].next_ns, 2 * day);
	assert_int_equal(cause(FR_GATE_OOM, 2 * day - 1), FR_OUTCOME_CNT);
	assert_int_equal(cause(FR_GATE_OOM, 2 * day), FR_OUTCOME_STARTED);
	assert_int_equal(fr_triggers_seen(&t, FR_TRIGGER_OOM), 4);
	assert_int_equal(fr_triggers_suppressed(&t, FR_TRIGGER_OOM), 2);
}

static void failure_opens_the_gate_soon(void **state)
{
	(void)state;
	refuse = true;
	assert_int_equal(cause(FR_GATE_SIGNAL, 5 * S), FR_OUTCOME_FAILED);
	assert_int_equal(gates.gates[FR_GATE_SIGNAL].next_ns, 6 * S);
	refuse = false;
	assert_int_equal(cause(FR_GATE_SIGNAL, 6 * S), FR_OUTCOME_STARTED);
}

static void reload_keeps_the_cooldown(void **state)
{
	(void)state;
	assert_int_equal(cause(FR_GATE_HTTP_5XX, 100 * S), FR_OUTCOME_STARTED);
	end_dump();
	fr_triggers_arm(&t);
	assert_int_equal(gates.gates[FR_GATE_HTTP_5XX].next_ns, 160 * S);
	rec.config.cooldown_ns = 10 * S;
	fr_triggers_arm(&t);
	assert_int_equal(cause(FR_GATE_HTTP_5XX, 109 * S), FR_OUTCOME_CNT);
	assert_int_equal(cause(FR_GATE_HTTP_5XX, 110 * S), FR_OUTCOME_STARTED);
}

static void unknown_gate_is_refused(void **state)
{
	struct fr_notice_trigger n = { .gate = FR_GATE_CNT };
	uint64_t number;

	(void)state;
	assert_int_equal(fr_triggers_cause(&t, &n, &number), FR_OUTCOME_FAILED);
	assert_int_equal(dump_cnt, 0);
}

static void each_gate_has_a_kind(void **state)
{
	(void)state;
	for (int gate = 0; gate < FR_GATE_CNT; gate++) {
		int kind = fr_gate_kind((uint32_t)gate);

		assert_true(kind > FR_TRIGGER_MANUAL && kind < FR_TRIGGER_PSI);
		assert_int_equal(fr_gate_of((enum fr_trigger_kind)kind), gate);
	}
	assert_int_equal(fr_gate_of(FR_TRIGGER_USR1), -1);
	assert_int_equal(fr_gate_of(FR_TRIGGER_PSI), -1);
	assert_int_equal(fr_gate_kind(FR_GATE_CNT), -1);
}

static uint64_t chars(const char *s)
{
	uint64_t v = 0;

	for (int i = 0; s[i]; i++)
		v |= (uint64_t)(uint8_t)s[i] << i * 8;
	return v;
}

static void says(const struct fr_notice_trigger *n, const char *want)
{
	char text[200];

	fr_trigger_reason(n, text, sizeof(text));
	assert_string_equal(text, want);
}

static void reasons_say_what_was_seen(void **state)
{
	(void)state;
	says(&(struct fr_notice_trigger){ .gate = FR_GATE_SQL_ERROR,
					  .value = chars("42P01E"),
					  .wire = FR_SPEAKS_POSTGRES,
					  .port = 5432,
					  .tgid = 3,
					  .comm = "postgres" },
	     "ERROR 42P01 by postgresql on port 5432, pid 3 (postgres)");
	says(&(struct fr_notice_trigger){ .gate = FR_GATE_SQL_ERROR,
					  .value = chars("42S02E") | 1146ull << 48,
					  .wire = FR_SPEAKS_MYSQL,
					  .port = 3306,
					  .client = 1 },
	     "ERROR 42S02 (1146) by mysql, sent by port 3306");
	says(&(struct fr_notice_trigger){ .gate = FR_GATE_REDIS_ERROR,
					  .value = chars("WRONGTYP"),
					  .wire = FR_SPEAKS_REDIS,
					  .port = 6379 },
	     "WRONGTYP on port 6379");
	says(&(struct fr_notice_trigger){ .gate = FR_GATE_LATENCY,
					  .value = 2 * S,
					  .limit_ns = S,
					  .wire = FR_SPEAKS_HTTP,
					  .sock_id = 1 },
	     "2 s for a request by http, limit 1 s on a unix socket");
	says(
		&(struct fr_notice_trigger){
			.gate = FR_GATE_SIGNAL, .value = SIGSEGV, .tgid = 5, .comm = "a\033b" },
		"SIGSEGV, pid 5 (a?b)");
	says(
		&(struct fr_notice_trigger){
			.gate = FR_GATE_BLOCK, .value = S, .limit_ns = S / 2, .dev = 7u << 20 | 3 },
		"1 s for a request to disk 7:3, limit 500 ms");
	says(&(struct fr_notice_trigger){ .gate = FR_GATE_EXIT, .value = 3 << 8, .comm = "shopd" },
	     "ended with status 3 (shopd)");
	says(&(struct fr_notice_trigger){ .gate = FR_GATE_EXIT, .value = SIGKILL },
	     "ended by SIGKILL");
	says(&(struct fr_notice_trigger){ .gate = 99, .comm = "sixteen bytes of" },
	     " (sixteen bytes of)");
}

/* Hostile numbers neither overrun nor say anything unprintable. */
static void reasons_fit(void **state)
{
	struct fr_notice_trigger n = { .value = ~0ull,
				       .limit_ns = ~0ull,
				       .dev = ~0u,
				       .port = 65535,
				       .sock_id = 1,
				       .tgid = ~0u };
	char text[200];

	(void)state;
	memset(n.comm, 'x', sizeof(n.comm));
	for (n.gate = 0; n.gate <= FR_GATE_CNT; n.gate++)
		for (size_t room = 1; room < sizeof(text); room++) {
			memset(text, 1, sizeof(text));
			fr_trigger_reason(&n, text, room);
			assert_true(strlen(text) < room);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(gates_follow_the_configuration, set_up, tear_down),
		cmocka_unit_test_setup_teardown(storm_is_one_dump_and_a_count, set_up, tear_down),
		cmocka_unit_test_setup_teardown(storm_of_two_kinds_is_one_dump, set_up, tear_down),
		cmocka_unit_test_setup_teardown(daily_limit_closes_the_gate_until_tomorrow, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(failure_opens_the_gate_soon, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reload_keeps_the_cooldown, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unknown_gate_is_refused, set_up, tear_down),
		cmocka_unit_test(each_gate_has_a_kind),
		cmocka_unit_test(reasons_say_what_was_seen),
		cmocka_unit_test(reasons_fit),
	};

	fr_log_init("test", FR_LOG_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
