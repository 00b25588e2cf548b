/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "formats/base/log.h"
#include "formats/dump/format.h"
#include "recorder/config.h"
#include "recorder/settings.h"

static char path[] = "/tmp/fr-config-test-XXXXXX";
static char option[64];

static int write_file(const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	ssize_t n = write(fd, text, strlen(text));

	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

/* Messages go to stderr; these tests look at results only. */
static int load(struct fr_config *c, const char *text, const char *more)
{
	char program[] = "flightrecd", words[64];
	char *argv[4] = { program, option, more ? words : NULL, NULL };

	assert_int_equal(write_file(text), 0);
	snprintf(option, sizeof(option), "--config=%s", path);
	snprintf(words, sizeof(words), "%s", more ? more : "");
	return fr_config_load(c, more ? 3 : 2, argv);
}

static void defaults_are_the_documented_ones(void **state)
{
	struct fr_config c;

	(void)state;
	assert_int_equal(load(&c, "", NULL), 0);
	assert_string_equal(c.dump_dir, "/var/lib/flightrec");
	assert_string_equal(c.control_path, "/run/flightrec/control.sock");
	assert_int_equal(c.ring_bytes, 0);
	assert_int_equal(c.redact.level, FR_REDACT_STANDARD);
	assert_int_equal(c.post_window_ns, 500000000);
	assert_int_equal(c.capture_request_bytes, 512);
	assert_int_equal(c.capture_response_bytes, 128);
	assert_int_equal(c.max_sockets, 65536);
	assert_int_equal(c.dump_quota_bytes, 1u << 30);
	assert_int_equal(c.dump_max_files, 50);
	assert_int_equal(c.dump_min_free_pct, 10);
	assert_int_equal(c.nice, -15);
	assert_int_equal(c.families & 1u << FR_FAMILY_DNS, 0);
	assert_int_not_equal(c.families & 1u << FR_FAMILY_WAKING, 0);
}

static void values_are_taken(void **state)
{
	struct fr_config c;

	(void)state;
	assert_int_equal(load(&c,
			      "ring_size = 1G\nfamilies = sched, dns\nredact=off\nkeep_query=on\n"
			      "[flightrecd]\ncodec = lz4\nnice = 0\n"
			      "filter_pid = 12,34\ncontrol = off\n",
			      NULL),
			 0);
	assert_int_equal(c.ring_bytes, 1u << 30);
	assert_int_equal(c.families, 1u << FR_FAMILY_REC | 1u << FR_FAMILY_PROC |
					     1u << FR_FAMILY_SCHED | 1u << FR_FAMILY_DNS);
	assert_int_equal(c.redact.level, FR_REDACT_OFF);
	assert_true(c.redact.keep_query);
	assert_int_equal(c.codec, FR_CODEC_LZ4);
	assert_int_equal(c.nice, 0);
	assert_int_equal(c.filter_kind, FR_FILTER_PID);
	assert_int_equal(c.filter_cnt, 2);
	assert_int_equal(c.filter_pids[1], 34);
	assert_string_equal(c.control_path, "");
}

static void command_line_beats_file(void **state)
{
	struct fr_config c;

	(void)state;
	assert_int_equal(load(&c, "ring_size = 1G\nfilter_pid = 1,2,3\n", "--filter-pid=9"), 0);
	assert_int_equal(c.ring_bytes, 1u << 30);
	assert_int_equal(c.filter_cnt, 1);
	assert_int_equal(c.filter_pids[0], 9);
}

static void relative_paths_become_absolute(void **state)
{
	struct fr_config c;
	char want[PATH_MAX + 8], cwd[PATH_MAX];

	(void)state;
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	snprintf(want, sizeof(want), "%s/dumps", cwd);
	assert_int_equal(load(&c, "dump_dir = dumps\n", NULL), 0);
	assert_string_equal(c.dump_dir, want);
}

static void wrong_values_are_refused(void **state)
{
	static const char *const texts[] = {
		"ring_size = 1\n",
		"ring_size =\n",
		"post_window = 10\n",
		"post_window = 2h\n",
		"families = tcp,,all\n",
		"redact = Off\n",
		"codec = zstd:0\n",
		"codec = zstd:20\n",
		"codec = zstd:\n",
		"codec = none:1\n",
		"codec = lz4x\n",
		"nice = -21\n",
		"nice = low\n",
		"max_sockets = 0\n",
		"capture_request_bytes = 2049\n",
		"dump_min_free = 100%\n",
		"dump_min_free = -1\n",
		"dump_max_files = 0\n",
		"filter_pid = 0\n",
		"filter_pid = x\n",
		"filter_comm = a234567890123456\n",
		"filter_cgroup = x\n",
		"hooks = kprobes\n",
		"log_level = loud\n",
		"foreground = maybe\n",
		"btf = \n",
		"trigger = usr1=on\n",
		"filter_pid = 1,2,3,4,5,6,7,8,9\n",
		"codec = lz4\ncodec = lz4\n",
		"latency_limit = 1\n",
		"[trigger.fire]\nenabled = on\n",
		"[trigger.oom]\nlimit = 1s\n",
		"[trigger.latency]\nfactor = 3\n",
		"[trigger.latency-p99]\nlimit = off\n",
		"[trigger.latency-p99]\nfactor = 1\n",
		"[trigger.sql-error]\nignore = 2350\n",
		"[trigger.sql-error]\nonly = 23505,abcde\n",
		"[trigger.sql-error]\nonly = 01,02,03,04,05,06,07,08,09,0A,0B,0C,0D,0E,0F,10,11\n",
		"[trigger.exit]\nprocess = a234567890123456\n",
		"[trigger.exit]\nprocess = 1,2,3,4,5,6,7,8,9\n",
		"[trigger.exit]\nstatus = bad\n",
		"[trigger.psi]\ncpu = 101%\n",
		"[trigger.psi]\ncpu = 50\n",
		"[trigger.psi]\nwindow = 100ms\n",
	};
	struct fr_config c;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (load(&c, texts[i], NULL) != -EINVAL)
			fail_msg("taken: %s", texts[i]);
}

/* What is printed is a file that says the same. */
static void printed_settings_read_back(void **state)
{
	struct fr_config a, b;
	struct fr_buf first = { 0 }, second = { 0 };

	(void)state;
	assert_int_equal(load(&a,
			      "post_window = 123456us\ncooldown = 90s\ncodec = zstd:-3\n"
			      "filter_comm = a b,c\ndump_quota = 1025K\nring_size = 33M\n"
			      "pid_file = /run/x.pid\nforeground = yes\n"
			      "[trigger.usr1]\ncooldown = 1500ms\nmax_per_day = 3\n"
			      "[trigger.manual]\nenabled = no\n"
			      "[trigger.latency]\nlimit = 250ms\n"
			      "[trigger.latency-p99]\nfactor = 3\nlimit = 1ms\n"
			      "[trigger.sql-error]\nignore =\nonly = 57, 53300\n"
			      "[trigger.exit]\nprocess = shopd, postgres\nstatus = failure\n"
			      "[trigger.psi]\ncpu = 30%\nwindow = 4s\n",
			      NULL),
			 0);
	fr_config_print(&a, &first);
	fr_buf_add_char(&first, 0);
	assert_int_equal(first.err, 0);
	assert_int_equal(load(&b, (char *)first.data, NULL), 0);
	fr_config_print(&b, &second);
	fr_buf_add_char(&second, 0);
	assert_string_equal((char *)first.data, (char *)second.data);
	assert_non_null(strstr((char *)first.data, "post_window = 123456us\n"));
	assert_non_null(strstr((char *)first.data, "filter_comm = a b,c\n"));
	assert_non_null(strstr((char *)first.data, "dump_quota = 1025K\n"));
	assert_memory_equal(a.triggers, b.triggers, sizeof(a.triggers));
	assert_memory_equal(&a.trigger_more, &b.trigger_more, sizeof(a.trigger_more));
	assert_non_null(strstr((char *)first.data, "latency_limit = 250ms\n"));
	assert_non_null(strstr((char *)first.data, "ignore = \nonly = 57,53300\n"));
	assert_non_null(strstr((char *)first.data, "process = shopd,postgres\n"));
	fr_buf_done(&first);
	fr_buf_done(&second);
}

static void rules_of_triggers(void **state)
{
	struct fr_trigger_rule rule;
	struct fr_config c;

	(void)state;
	assert_int_equal(load(&c,
			      "cooldown = 5s\nmax_per_day = 7\n"
			      "[trigger.manual]\ncooldown = 2s\nenabled = off\n",
			      NULL),
			 0);
	rule = fr_config_rule(&c, FR_TRIGGER_USR1);
	assert_true(rule.enabled);
	assert_int_equal(rule.cooldown_ns, 0);
	assert_int_equal(rule.max_per_day, 0);
	rule = fr_config_rule(&c, FR_TRIGGER_MANUAL);
	assert_false(rule.enabled);
	assert_int_equal(rule.cooldown_ns, 2000000000);
}

/* On by default; some only once they know what to look for. */
static void triggers_wait_for_what_they_need(void **state)
{
	struct fr_config c;

	(void)state;
	assert_int_equal(load(&c, "", NULL), 0);
	assert_true(fr_config_trigger_on(&c, FR_TRIGGER_HTTP_5XX));
	assert_true(fr_config_trigger_on(&c, FR_TRIGGER_LATENCY_P99));
	assert_false(fr_config_trigger_on(&c, FR_TRIGGER_REDIS_ERROR));
	assert_false(fr_config_trigger_on(&c, FR_TRIGGER_LATENCY));
	assert_false(fr_config_trigger_on(&c, FR_TRIGGER_RUNQUEUE));
	assert_false(fr_config_trigger_on(&c, FR_TRIGGER_BLOCK));
	assert_false(fr_config_trigger_on(&c, FR_TRIGGER_EXIT));
	assert_false(fr_config_trigger_on(&c, FR_TRIGGER_PSI));
	assert_int_equal(fr_config_rule(&c, FR_TRIGGER_OOM).cooldown_ns, 60000000000);
	assert_int_equal(fr_config_rule(&c, FR_TRIGGER_OOM).max_per_day, 24);
	assert_int_equal(load(&c,
			      "[trigger.psi]\nmemory = 5%\n[trigger.exit]\nprocess = x\n"
			      "[trigger.block]\nlimit = 1s\n[trigger.redis-error]\nenabled = on\n",
			      "--latency-limit=1ms"),
			 0);
	assert_true(fr_config_trigger_on(&c, FR_TRIGGER_REDIS_ERROR));
	assert_true(fr_config_trigger_on(&c, FR_TRIGGER_LATENCY));
	assert_int_equal(c.triggers[FR_TRIGGER_LATENCY].limit_ns, 1000000);
	assert_true(fr_config_trigger_on(&c, FR_TRIGGER_BLOCK));
	assert_true(fr_config_trigger_on(&c, FR_TRIGGER_EXIT));
	assert_true(fr_config_trigger_on(&c, FR_TRIGGER_PSI));
	assert_int_equal(load(&c, "[trigger.psi]\nmemory = 5%\nenabled = off\n",
			      "--trigger=http-5xx=off"),
			 0);
	assert_false(fr_config_trigger_on(&c, FR_TRIGGER_PSI));
	assert_false(fr_config_trigger_on(&c, FR_TRIGGER_HTTP_5XX));
}

static int reload(struct fr_config *c, const char *text, uint32_t *ret_changed_cnt)
{
	char program[] = "flightrecd";
	char *argv[] = { program, option, NULL };

	assert_int_equal(write_file(text), 0);
	return fr_config_reload(c, 2, argv, ret_changed_cnt);
}

static void reload_is_all_or_nothing(void **state)
{
	struct fr_config c, before;
	uint32_t changed = 99;

	(void)state;
	assert_int_equal(load(&c, "ring_size = 64M\ncodec = lz4\n", NULL), 0);
	before = c;
	assert_int_equal(reload(&c, "codec = zstd\nnonsense = 1\n", &changed), -EINVAL);
	assert_memory_equal(&c, &before, sizeof(c));
	assert_int_equal(changed, 99);
	assert_int_equal(reload(&c, "ring_size = 32M\ncodec = zstd:5\nredact = strict\n", &changed),
			 0);
	assert_int_equal(changed, 2);
	assert_int_equal(c.codec, FR_CODEC_ZSTD);
	assert_int_equal(c.codec_level, 5);
	assert_int_equal(c.redact.level, FR_REDACT_STRICT);
	assert_int_equal(c.ring_bytes, 64u << 20); /* takes a restart */
	assert_int_equal(reload(&c, "ring_size = 64M\n[trigger.usr1]\nenabled=off\n", &changed), 0);
	assert_false(c.triggers[FR_TRIGGER_USR1].enabled);
	/* not in the file any more: default */
	assert_int_equal(c.redact.level, FR_REDACT_STANDARD);
}

static void dump_gets_all_settings(void **state)
{
	static struct fr_meta_config meta;
	struct fr_config c;
	bool seen = false;

	(void)state;
	assert_int_equal(load(&c, "redact = off\n", NULL), 0);
	assert_false(c.redact.keep_query);
	fr_config_settings(&c, &meta);
	assert_string_equal(meta.redact, "off");
	for (uint32_t i = 0; i < meta.setting_cnt; i++) {
		assert_int_not_equal(meta.settings[i].key[0], 0);
		seen = seen || (!strcmp(meta.settings[i].key, "post_window") &&
				!strcmp(meta.settings[i].value, "500ms"));
	}
	assert_true(seen);
}

/* What would silently do nothing is refused: a switch that needs another setting. */
static void options_that_need_others_are_refused(void **state)
{
	struct fr_config c;

	(void)state;
	assert_int_equal(load(&c, "", "--json"), -EINVAL);
	assert_int_equal(load(&c, "", "--trigger=latency=on"), -EINVAL);
	assert_int_equal(load(&c, "", "--trigger=exit=on"), -EINVAL);
	assert_int_equal(load(&c, "", "--trigger=psi=on"), -EINVAL);
	assert_int_equal(load(&c, "latency_limit = 1s\n", "--trigger=latency=on"), 0);
	assert_int_equal(load(&c, "[trigger.exit]\nprocess = a\n", "--trigger=exit=on"), 0);
	assert_int_equal(load(&c, "", "--trigger=latency=off"), 0);
	assert_int_equal(load(&c, "", "--trigger=redis-error=on"), 0);
}

/* Each row has what its kind needs, and no name is used twice. */
static void table_is_sound(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < fr_setting_cnt; i++) {
		const struct fr_setting_row *row = &fr_setting_rows[i];

		assert_non_null(row->set);
		assert_true((row->get != NULL) == !(row->flags & FR_SETTING_CLI));
		for (uint32_t k = 0; k < i; k++)
			assert_string_not_equal(row->name, fr_setting_rows[k].name);
	}
}

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_the_documented_ones),
		cmocka_unit_test(values_are_taken),
		cmocka_unit_test(command_line_beats_file),
		cmocka_unit_test(relative_paths_become_absolute),
		cmocka_unit_test(wrong_values_are_refused),
		cmocka_unit_test(printed_settings_read_back),
		cmocka_unit_test(rules_of_triggers),
		cmocka_unit_test(triggers_wait_for_what_they_need),
		cmocka_unit_test(reload_is_all_or_nothing),
		cmocka_unit_test(dump_gets_all_settings),
		cmocka_unit_test(options_that_need_others_are_refused),
		cmocka_unit_test(table_is_sound),
	};

	fr_log_init("test", FR_LOG_ERR);
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
