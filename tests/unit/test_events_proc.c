/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoders of the family proc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "event_text.h"

static void forks(void **state)
{
	struct fr_proc_fork e = { .parent_tid = 11, .parent_tgid = 10, .child_tid = 13,
				  .child_tgid = 12, .child_start_ns = 99, .comm = "web" };

	(void)state;
	assert_string_equal(EVENT_TEXT(FR_EV_PROC_FORK, e),
			    "parent_tid=11 parent_tgid=10 child_tid=13 child_tgid=12 "
			    "child_start_ns=99 comm='web'");
	/* a name without its zero ends where the array does */
	memset(e.comm, 'x', sizeof(e.comm));
	assert_string_equal(EVENT_TEXT(FR_EV_PROC_FORK, e),
			    "parent_tid=11 parent_tgid=10 child_tid=13 child_tgid=12 "
			    "child_start_ns=99 comm='xxxxxxxxxxxxxxxx'");
}

static void execs(void **state)
{
	static const char tail[] = "/bin/lsls\0-l\0";
	struct fr_proc_exec e = { .tid = 10, .old_tid = 10, .start_ns = 5, .comm = "ls",
				  .path_bytes = 7, .args_bytes = 6 };

	(void)state;
	assert_string_equal(event_text(FR_EV_PROC_EXEC, &e, sizeof(e), tail, 13),
			    "tid=10 start_ns=5 comm='ls' path='/bin/ls' args='ls|-l|'");
	e.old_tid = 12;
	e.args_bytes = 0;
	e.flags = FR_EXEC_PATH_CUT | FR_EXEC_ARGS_FAULT;
	assert_string_equal(event_text(FR_EV_PROC_EXEC, &e, sizeof(e), tail, 7),
			    "tid=10 old_tid=12 start_ns=5 comm='ls' path='/bin/ls' "
			    "flags='path_cut,args_fault'");
	e.path_bytes = 0;
	e.flags = FR_EXEC_ARGS_CUT | 0x100;
	assert_string_equal(EVENT_TEXT(FR_EV_PROC_EXEC, e),
			    "tid=10 old_tid=12 start_ns=5 comm='ls' path='' "
			    "flags='args_cut,0x100'");
	/* parts that would reach beyond the record */
	e.path_bytes = 9;
	assert_null(event_text(FR_EV_PROC_EXEC, &e, sizeof(e), tail, 8));
	e.path_bytes = 4;
	e.args_bytes = 5;
	assert_null(event_text(FR_EV_PROC_EXEC, &e, sizeof(e), tail, 8));
	e.path_bytes = e.args_bytes = UINT16_MAX;
	assert_null(event_text(FR_EV_PROC_EXEC, &e, sizeof(e), tail, 8));
}

static void ends(void **state)
{
	struct fr_proc_end e = { .tid = 11, .tgid = 10, .start_ns = 5, .comm = "sh",
				 .exit_code = 3 << 8, .flags = FR_END_GROUP_DEAD };

	(void)state;
	assert_string_equal(EVENT_TEXT(FR_EV_PROC_EXIT, e),
			    "tid=11 tgid=10 start_ns=5 comm='sh' exit_value=3 flags='group_dead'");
	e.exit_code = 11 | 0x80;
	e.flags = 0;
	assert_string_equal(EVENT_TEXT(FR_EV_PROC_FREE, e),
			    "tid=11 tgid=10 start_ns=5 comm='sh' signal='SIGSEGV' core_dumped=1");
	e.exit_code = 9;
	assert_string_equal(EVENT_TEXT(FR_EV_PROC_EXIT, e),
			    "tid=11 tgid=10 start_ns=5 comm='sh' signal='SIGKILL' core_dumped=0");
	e.exit_code = 127;
	assert_string_equal(EVENT_TEXT(FR_EV_PROC_EXIT, e),
			    "tid=11 tgid=10 start_ns=5 comm='sh' signal=127 core_dumped=0");
}

static void renames(void **state)
{
	struct fr_proc_rename e = { .tid = 11, .tgid = 10, .start_ns = 5, .old_comm = "old",
				    .new_comm = "new" };

	(void)state;
	assert_string_equal(EVENT_TEXT(FR_EV_PROC_RENAME, e),
			    "tid=11 tgid=10 start_ns=5 old_comm='old' new_comm='new'");
}

static void signals(void **state)
{
	struct fr_proc_signal e = { .tid = 11, .tgid = 10, .sig = 11, .code = 1,
				    .address = 0xdead, .comm = "crash" };

	(void)state;
	assert_string_equal(EVENT_TEXT(FR_EV_PROC_SIGNAL, e),
			    "tid=11 tgid=10 comm='crash' signal='SIGSEGV' code=+1 address=0xdead");
	e.sig = 15;
	e.code = (uint32_t)-6; /* SI_TKILL */
	e.address = 0;
	e.sender_tgid = 4;
	assert_string_equal(EVENT_TEXT(FR_EV_PROC_SIGNAL, e),
			    "tid=11 tgid=10 comm='crash' signal='SIGTERM' code=-6 sender_tgid=4");
	e.sig = 65;
	assert_string_equal(EVENT_TEXT(FR_EV_PROC_SIGNAL, e),
			    "tid=11 tgid=10 comm='crash' signal=65 code=-6 sender_tgid=4");
}

static void oom_victims(void **state)
{
	struct fr_proc_oom e = { .tid = 10, .tgid = 10, .rss_pages = 1ull << 40, .comm = "hog" };

	(void)state;
	assert_string_equal(EVENT_TEXT(FR_EV_PROC_OOM, e),
			    "tid=10 tgid=10 comm='hog' rss_pages=1099511627776");
	e = (struct fr_proc_oom){ .tid = 10, .tgid = 10 };
	assert_string_equal(EVENT_TEXT(FR_EV_PROC_OOM, e), "tid=10 tgid=10");
}

static void snapshots(void **state)
{
	struct fr_proc_state e = { .tid = 11, .tgid = 10, .start_ns = 5, .comm = "db",
				   .state = 0x402, .cpu = 4095 };

	(void)state;
	assert_string_equal(EVENT_TEXT(FR_EV_PROC_STATE, e),
			    "tid=11 tgid=10 start_ns=5 comm='db' state='I' cpu=4095");
	e.state = 0;
	e.flags = FR_STATE_ON_CPU;
	assert_string_equal(EVENT_TEXT(FR_EV_PROC_STATE, e),
			    "tid=11 tgid=10 start_ns=5 comm='db' state='R' cpu=4095 "
			    "flags='on_cpu'");
	e.state = 0x80;
	e.flags = FR_STATE_ENDED;
	assert_string_equal(EVENT_TEXT(FR_EV_PROC_STATE, e),
			    "tid=11 tgid=10 start_ns=5 comm='db' state='X' cpu=4095 "
			    "flags='ended'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forks),
		cmocka_unit_test(execs),
		cmocka_unit_test(ends),
		cmocka_unit_test(renames),
		cmocka_unit_test(signals),
		cmocka_unit_test(oom_victims),
		cmocka_unit_test(snapshots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
