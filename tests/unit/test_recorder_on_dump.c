/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands after dumps: how they are written, what is refused, how each of them ends. */
#include "cm.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/base/cli.h"
#include "formats/base/log.h"
#include "recorder/launcher.h"
#include "recorder/on_dump.h"

/* ---- words ---------------------------------------------------------------------------------- */

static char why[300];

static void assert_words(const char *command, uint32_t cnt, const char *const *want)
{
	struct fr_words w;

	assert_int_equal(fr_words_split(command, &w, why, sizeof(why)), 0);
	assert_int_equal(w.cnt, cnt);
	for (uint32_t i = 0; i < cnt; i++)
		assert_string_equal(w.argv[i], want[i]);
	assert_null(w.argv[cnt]);
}

#define WORDS(...)                                                                                 \
	(sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)), (const char *const[])     \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

static void words_and_quotes(void **state)
{
	(void)state;
	assert_words("true", WORDS("true"));
	assert_words("  a \t b  ", WORDS("a", "b"));
	assert_words("sh -c 'a \"b\" \\ $c'", WORDS("sh", "-c", "a \"b\" \\ $c"));
	assert_words("a \"b 'c' \\\" \\\\\" \\'d\\ e", WORDS("a", "b 'c' \" \\", "'d e"));
	assert_words("a'b c'\"d\"e '' \"\"", WORDS("ab cde", "", ""));
	assert_words("a $HOME * ; | # `x`", WORDS("a", "$HOME", "*", ";", "|", "#", "`x`"));
}

static void no_commands(void **state)
{
	static const char *const bad[] = { "", "  ", "''", "a 'b", "a \"b", "a \\", "\"a'" };
	char many[200] = "x", longer[FR_ON_DUMP_BYTES_MAX + 1];
	struct fr_words w;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(fr_words_split(bad[i], &w, why, sizeof(why)), -EINVAL);
	for (int i = 0; i < FR_COMMAND_WORDS_MAX; i++)
		memcpy(many + 1 + i * 2, " x", 3);
	assert_int_equal(fr_words_split(many, &w, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "more than 32 words"));
	many[strlen(many) - 2] = 0;
	assert_int_equal(fr_words_split(many, &w, why, sizeof(why)), 0);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	assert_int_equal(fr_words_split(longer, &w, why, sizeof(why)), -EINVAL);
	longer[sizeof(longer) - 2] = 0;
	assert_int_equal(fr_words_split(longer, &w, why, sizeof(why)), 0);
	assert_int_equal(strlen(w.argv[0]), FR_ON_DUMP_BYTES_MAX - 1);
}

/* ---- programs ------------------------------------------------------------------------------- */

static void programs_are_looked_for(void **state)
{
	char path[PATH_MAX], file[] = "/tmp/flightrec-test.XXXXXX";
	int fd = mkstemp(file);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(fr_program_find("sh", path, why, sizeof(why)), 0);
	assert_int_equal(access(path, X_OK), 0);
	assert_int_equal(fr_program_find("/bin/sh", path, why, sizeof(why)), 0);
	assert_string_equal(path, "/bin/sh");
	assert_int_equal(fr_program_find("./sh", path, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "the whole path"));
	assert_int_equal(fr_program_find("no-such-program", path, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "no program 'no-such-program'"));
	assert_int_equal(fr_program_find("/bin", path, why, sizeof(why)), -EINVAL);
	assert_int_equal(fr_program_find(file, path, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "not an executable"));
	assert_int_equal(chmod(file, 0757), 0);
	assert_int_equal(fr_program_find(file, path, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "anybody may change"));
	assert_int_equal(chmod(file, 0755), 0);
	assert_int_equal(fr_program_find(file, path, why, sizeof(why)), 0);
	unlink(file);
}

static void settings(void **state)
{
	static struct fr_config c;
	struct fr_buf text = { 0 };

	(void)state;
	assert_int_equal(fr_on_dump_set_command(&c, "sh -c 'x'", why, sizeof(why)), 0);
	fr_on_dump_get_command(&c, &text);
	fr_buf_add_char(&text, 0);
	assert_string_equal((char *)text.data, "sh -c 'x'"); /* as it was written */
	assert_int_equal(fr_on_dump_set_command(&c, "no-such x", why, sizeof(why)), -EINVAL);
	assert_int_equal(fr_on_dump_set_command(&c, "sh 'x", why, sizeof(why)), -EINVAL);
	assert_string_equal(c.on_dump, "sh -c 'x'"); /* untouched */
	assert_int_equal(fr_on_dump_set_command(&c, "off", why, sizeof(why)), 0);
	assert_string_equal(c.on_dump, "");
	assert_int_equal(fr_on_dump_set_endpoint(&c, "h:4318", why, sizeof(why)), -EINVAL);
	assert_int_equal(fr_on_dump_set_endpoint(&c, "http://h a", why, sizeof(why)), -EINVAL);
	assert_int_equal(fr_on_dump_set_endpoint(&c, "off", why, sizeof(why)), 0);
	assert_int_equal(fr_on_dump_set_timeout(&c, "500ms", why, sizeof(why)), -EINVAL);
	assert_int_equal(fr_on_dump_set_timeout(&c, "2s", why, sizeof(why)), 0);
	assert_int_equal(c.on_dump_timeout_ns, 2000000000);
	fr_buf_done(&text);
}

/* ---- commands run --------------------------------------------------------------------------- */

static struct fr_config config;
static struct fr_launcher l;
static struct fr_loop loop;

static void forget_nothing(void)
{
}

static void stop(void *ctx)
{
	fr_loop_stop(ctx);
}

static void begin(const char *command, const char *timeout)
{
	assert_int_equal(fr_on_dump_set_command(&config, command, why, sizeof(why)), 0);
	assert_int_equal(fr_on_dump_set_timeout(&config, timeout, why, sizeof(why)), 0);
	snprintf(config.dump_dir, sizeof(config.dump_dir), "/the/dumps");
	assert_int_equal(fr_loop_init(&loop), 0);
	assert_int_equal(fr_launcher_start(&config, forget_nothing, &l), 0);
	assert_true(fr_launcher_on(&l));
	assert_int_equal(fr_launcher_watch(&l, &loop, stop, &loop), 0);
}

static void run(uint32_t job_cnt)
{
	struct fr_launch_job job = { .trigger = "usr1", .reason = "a \"reason\"" };

	for (uint32_t i = 0; i < job_cnt; i++) {
		snprintf(job.name, sizeof(job.name), "x-%u.frd", i);
		fr_launcher_run(&l, &job);
	}
	if (fr_launcher_busy(&l))
		assert_int_equal(fr_loop_run(&loop), 0);
	loop.stop = false;
}

static void finish(void)
{
	fr_launcher_done(&l);
	fr_loop_done(&loop);
}

static void assert_counts(uint64_t done, uint64_t failed, uint64_t dropped, const char *last)
{
	assert_int_equal(l.done_cnt, done);
	assert_int_equal(l.failed_cnt, failed);
	assert_int_equal(l.dropped_cnt, dropped);
	assert_false(fr_launcher_busy(&l));
	if (!strstr(l.last, last))
		fail_msg("'%s' should say '%s'", l.last, last);
}

static void command_gets_what_it_needs(void **state)
{
	(void)state;
	begin("sh -c 'echo first; printf \"%s|%s|%s|%s|\" \"$FLIGHTREC_DUMP\" "
	      "\"$FLIGHTREC_TRIGGER\""
	      " \"$FLIGHTREC_REASON\" \"$(cat)$PWD$(ulimit -n)\"'",
	      "10s");
	run(1);
	assert_counts(1, 0, 0, "status 0");
	assert_non_null(strstr(l.last, ": /the/dumps/x-0.frd|usr1|a \"reason\"|/1024|"));
	finish();
}

static void command_has_no_privileges_and_no_descriptors(void **state)
{
	(void)state;
	begin("sh -c 'test \"$(grep -c \"^Cap\\(Prm\\|Eff\\|Amb\\):.0*$\" /proc/self/status)\" = 3 "
	      "&& "
	      "grep -q \"NoNewPrivs:.1\" /proc/self/status && grep -q \"SigBlk:.0*$\" "
	      "/proc/self/status && echo $(ls /proc/$$/fd)'",
	      "10s");
	run(1);
	assert_counts(1, 0, 0, ": 0 1 2");
	finish();
}

static void failures_are_told(void **state)
{
	(void)state;
	begin("sh -c 'echo bad\033thing >&2; exit 3'", "10s");
	run(1);
	assert_counts(0, 1, 0, "ended with status 3");
	assert_non_null(strstr(l.last, ": bad thing"));
	finish();
	begin("sh -c 'kill -SEGV $$'", "10s");
	run(1);
	assert_counts(0, 1, 0, "ended by signal 11");
	finish();
}

static void too_long_is_ended_with_its_group(void **state)
{
	char file[] = "/tmp/flightrec-test.XXXXXX", command[300];
	int fd = mkstemp(file);
	char text[16] = "";
	uint64_t pid = 0;

	(void)state;
	assert_true(fd >= 0);
	snprintf(command, sizeof(command),
		 "sh -c 'trap \"\" TERM; sleep 1000 & echo $! >%s; wait; wait; sleep 1000'", file);
	begin(command, "3s"); /* on a busy machine a shell may need one to begin */
	run(1);
	assert_counts(0, 1, 0, "longer than on_dump_timeout");
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	text[strcspn(text, "\n")] = 0;
	assert_int_equal(fr_parse_u64(text, 1u << 22, &pid), 0);
	for (int i = 0; i < 500 && !kill((pid_t)pid, 0); i++)
		poll(NULL, 0, 10); /* until init has taken note of its end */
	assert_int_equal(kill((pid_t)pid, 0), -1);
	close(fd);
	unlink(file);
	finish();
}

static void what_is_left_running_is_killed(void **state)
{
	(void)state;
	begin("sh -c 'sleep 1000 & exit 0'", "100s");
	run(1); /* it holds our pipe: this would wait for it */
	assert_counts(1, 0, 0, "status 0");
	finish();
}

static void flood_of_output_keeps_the_last_line(void **state)
{
	(void)state;
	begin("sh -c 'yes | head -n 300000; yes x | head -c 100000 | tr -d \"\\n\"; echo; echo the "
	      "end'",
	      "60s");
	run(1);
	assert_counts(1, 0, 0, ": the end");
	finish();
}

static void queue_is_bounded(void **state)
{
	(void)state;
	begin("sleep 0.3", "10s");
	run(20);
	assert_int_equal(l.done_cnt, FR_LAUNCH_QUEUE_MAX);
	assert_int_equal(l.dropped_cnt, 20 - FR_LAUNCH_QUEUE_MAX);
	finish();
}

static void end_kills_what_runs(void **state)
{
	struct fr_launch_job job = { .name = "x.frd" };

	(void)state;
	begin("sleep 1000", "1h");
	fr_launcher_run(&l, &job);
	finish(); /* would wait for it */
	assert_int_equal(l.pid, 0);
}

static void launcher_that_dies_is_noticed(void **state)
{
	struct fr_launch_job job = { .name = "x.frd" };

	(void)state;
	begin("sleep 1000", "1h");
	fr_launcher_run(&l, &job);
	while (!l.command_pid) { /* until it has begun */
		struct pollfd p = { .fd = l.fd, .events = POLLIN };

		assert_int_equal(poll(&p, 1, 10000), 1);
		loop.sources[0].on(loop.sources[0].ctx, POLLIN);
	}
	kill(l.pid, SIGKILL);
	assert_int_equal(fr_loop_run(&loop), 0);
	assert_int_equal(l.failed_cnt, 1);
	assert_int_equal(l.fd, -1);
	fr_launcher_run(&l, &job);
	assert_int_equal(l.dropped_cnt, 1);
	for (int i = 0; i < 500 && l.command_pid; i++) { /* its command is ended as well */
		poll(NULL, 0, 10);
		fr_launcher_reap(&l);
	}
	assert_int_equal(l.command_pid, 0);
	finish();
}

static void ways_out_of_the_folder_end_it(void **state)
{
	static const char *const bad[] = { "../x", ".hidden", "", "a/b" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct fr_launch_job job = { 0 };

		begin("sh -c 'exit 0'", "10s");
		snprintf(job.name, sizeof(job.name), "%s", bad[i]);
		fr_launcher_run(&l, &job);
		assert_int_equal(fr_loop_run(&loop), 0);
		loop.stop = false;
		assert_int_equal(l.done_cnt, 0);
		assert_int_equal(l.fd, -1);
		finish();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_quotes),
		cmocka_unit_test(no_commands),
		cmocka_unit_test(programs_are_looked_for),
		cmocka_unit_test(settings),
		cmocka_unit_test(command_gets_what_it_needs),
		cmocka_unit_test(command_has_no_privileges_and_no_descriptors),
		cmocka_unit_test(failures_are_told),
		cmocka_unit_test(too_long_is_ended_with_its_group),
		cmocka_unit_test(what_is_left_running_is_killed),
		cmocka_unit_test(flood_of_output_keeps_the_last_line),
		cmocka_unit_test(queue_is_bounded),
		cmocka_unit_test(end_kills_what_runs),
		cmocka_unit_test(launcher_that_dies_is_noticed),
		cmocka_unit_test(ways_out_of_the_folder_end_it),
	};

	fr_log_init("test", (enum fr_log_level)0); /* quiet */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
