/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages on stderr: one line each, nothing that takes over a terminal, priorities for systemd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "formats/base/log.h"

static char caught[16384];
static FILE *catcher;
static int kept_stderr;

static void catch_stderr(void)
{
	catcher = tmpfile();
	assert_non_null(catcher);
	kept_stderr = dup(STDERR_FILENO);
	assert_true(dup2(fileno(catcher), STDERR_FILENO) >= 0);
}

static void release_stderr(void)
{
	ssize_t n;

	assert_true(dup2(kept_stderr, STDERR_FILENO) >= 0);
	close(kept_stderr);
	n = pread(fileno(catcher), caught, sizeof(caught) - 1, 0);
	assert_true(n >= 0);
	caught[n] = 0;
	fclose(catcher);
}

static void lines_carry_the_name(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	fr_log_init("flightrecd", FR_LOG_INFO);
	catch_stderr();
	errno = ENOSPC;
	fr_err("%s: %s", "/var/x", "No space");
	fr_info("two\nlines");
	fr_debug("not shown");
	fr_warn("%s", "");
	fr_warn("end\n");
	assert_int_equal(errno, ENOSPC);
	release_stderr();
	assert_string_equal(caught, "flightrecd: /var/x: No space\n"
				    "flightrecd: two\nflightrecd: lines\n"
				    "flightrecd: \n"
				    "flightrecd: end\n");
	assert_true(fr_log_on(FR_LOG_ERR) && fr_log_on(FR_LOG_INFO) && !fr_log_on(FR_LOG_DEBUG));
}

static void journal_gets_priorities(void **state)
{
	char stream[64];
	struct stat st;

	(void)state;
	catch_stderr();
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	fr_log_init("flightrecd", FR_LOG_DEBUG);
	fr_err("a\nb");
	fr_warn("c");
	fr_info("d");
	fr_debug("e");
	/* inherited by a child whose stderr is something else: of no meaning */
	setenv("JOURNAL_STREAM", "1:2", 1);
	fr_log_init("flightrecd", FR_LOG_DEBUG);
	fr_err("f");
	setenv("JOURNAL_STREAM", "nonsense", 1);
	fr_log_init("flightrecd", FR_LOG_DEBUG);
	fr_err("g");
	unsetenv("JOURNAL_STREAM");
	release_stderr();
	assert_string_equal(caught, "<3>a\n<3>b\n<4>c\n<6>d\n<7>e\nflightrecd: f\nflightrecd: g\n");
}

static void hostile_text_is_tamed(void **state)
{
	(void)state;
	fr_log_init("x", FR_LOG_INFO);
	catch_stderr();
	fr_info("comm '%s'", "\x1b[2Jevil\r\x7f\ttab");
	release_stderr();
	assert_string_equal(caught, "x: comm '?[2Jevil??\ttab'\n");
}

static void overlong_is_cut_and_says_so(void **state)
{
	static char text[9000];
	size_t len;

	(void)state;
	memset(text, 'y', sizeof(text) - 1);
	fr_log_init("x", FR_LOG_INFO);
	catch_stderr();
	fr_info("%s", text);
	release_stderr();
	len = strlen(caught);
	assert_true(len > 4000 && len < 4200);
	assert_string_equal(caught + len - 5, "y...\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_carry_the_name),
		cmocka_unit_test(journal_gets_priorities),
		cmocka_unit_test(hostile_text_is_tamed),
		cmocka_unit_test(overlong_is_cut_and_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
