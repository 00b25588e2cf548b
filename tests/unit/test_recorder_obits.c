/* SPDX-License-Identifier: BSD-2-Clause */
/* Who a number was, from records alone: an exec by a thread that is not the leader, also when the
 * table was full in between. */
#include "cm.h"

#include "formats/abi/event.h"
#include "recorder/dump_obits.h"

#define LEADER 100u
#define CALLER 101u
#define LEADER_START 1000u
#define CALLER_START 2000u
#define NOISY 50u
#define ROWS_MAX 1024

static struct fr_rows rows;
static struct fr_seen seen;
static struct fr_obits obits;
static uint64_t now_ns;
static struct fr_meta_thread got[ROWS_MAX];
static uint32_t got_cnt;

static int set_up(void **state)
{
	(void)state;
	now_ns = 10000;
	fr_rows_init(&rows, NULL); /* few enough that nothing is written */
	assert_int_equal(fr_seen_init(&seen), 0);
	assert_int_equal(fr_obits_init(&obits, &rows, &seen), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fr_obits_done(&obits);
	fr_seen_done(&seen);
	fr_rows_done(&rows);
	return 0;
}

#define TELL(record, kind)                                                                         \
	do {                                                                                       \
		(record).word = FR_RECORD_WORD(++now_ns, (kind), sizeof(record) / 8);              \
		fr_obits_record(&obits, (const uint8_t *)&(record), now_ns);                       \
	} while (0)

static void comm_set(char *to, const char *comm)
{
	size_t len = strlen(comm);

	assert_true(len < FR_COMM_BYTES);
	memcpy(to, comm, len);
}

static void tell_fork(uint32_t tid, uint32_t tgid, uint64_t start_ns, const char *comm)
{
	struct fr_proc_fork e = { .child_tid = tid,
				  .child_tgid = tgid,
				  .child_start_ns = start_ns };

	comm_set(e.comm, comm);
	TELL(e, FR_EV_PROC_FORK);
}

static void tell_rename(uint32_t tid, uint64_t start_ns, const char *old, const char *new)
{
	struct fr_proc_rename e = { .tid = tid, .tgid = LEADER, .start_ns = start_ns };

	comm_set(e.old_comm, old);
	comm_set(e.new_comm, new);
	TELL(e, FR_EV_PROC_RENAME);
}

static void tell_end(uint32_t kind, uint32_t tid, uint64_t start_ns, const char *comm)
{
	struct fr_proc_end e = { .tid = tid, .tgid = LEADER, .start_ns = start_ns };

	comm_set(e.comm, comm);
	TELL(e, kind);
}

static void births(void)
{
	tell_fork(LEADER, LEADER, LEADER_START, "parent");
	tell_fork(CALLER, LEADER, CALLER_START, "parent");
	tell_rename(CALLER, CALLER_START, "parent", "caller");
}

/* As the kernel tells it: the leader exits, the caller takes its tid and start time, gets the
 * program's name, and the old leader is freed under the caller's tid (sooner than the exec is told,
 * when that takes long). Then the new leader ends. */
static void exec_by_caller(bool freed_first)
{
	struct fr_proc_exec e = {
		.tid = LEADER, .old_tid = CALLER, .start_ns = LEADER_START, .comm = "program"
	};

	tell_end(FR_EV_PROC_EXIT, LEADER, LEADER_START, "parent");
	tell_rename(LEADER, LEADER_START, "caller", "program");
	if (freed_first)
		tell_end(FR_EV_PROC_FREE, CALLER, LEADER_START, "parent");
	TELL(e, FR_EV_PROC_EXEC);
	if (!freed_first)
		tell_end(FR_EV_PROC_FREE, CALLER, LEADER_START, "parent");
	tell_end(FR_EV_PROC_EXIT, LEADER, LEADER_START, "program");
	tell_end(FR_EV_PROC_FREE, LEADER, LEADER_START, "program");
}

static void fill_the_table(void)
{
	tell_fork(NOISY, NOISY, 1, "a");
	for (int i = 0; i < FR_OBIT_RENAMES_MAX; i++)
		tell_rename(NOISY, 1, i % 2 ? "b" : "a", i % 2 ? "a" : "b");
}

/* Joins the rows of each thread as a reader does. */
static void read_rows(void)
{
	struct fr_meta_thread t, *x;
	struct fr_cursor c;
	uint32_t i;

	fr_obits_flush(&obits);
	assert_int_equal(rows.err, 0);
	c = fr_cursor_of(rows.bufs[FR_TABLE_THREADS].data, rows.bufs[FR_TABLE_THREADS].len_bytes);
	got_cnt = 0;
	while (fr_meta_next_thread(&c, &t) == 1) {
		if (t.tid == NOISY)
			continue;
		for (i = 0; i < got_cnt; i++)
			if (got[i].tid == t.tid && got[i].start_ns == t.start_ns)
				break;
		assert_true(i < ROWS_MAX);
		x = &got[i];
		if (i == got_cnt) {
			*x = t;
			got_cnt++;
			continue;
		}
		x->end_ns = t.end_ns;
		memcpy(x->comm, t.comm, sizeof(x->comm));
		for (i = 0; i < t.rename_cnt; i++)
			x->renames[x->rename_cnt++] = t.renames[i];
	}
}

static const struct fr_meta_thread *row_of(uint32_t tid, uint64_t start_ns)
{
	for (uint32_t i = 0; i < got_cnt; i++)
		if (got[i].tid == tid && got[i].start_ns == start_ns)
			return &got[i];
	return NULL;
}

static void judge(void)
{
	const struct fr_meta_thread *leader, *caller;

	read_rows();
	assert_int_equal(got_cnt, 2);
	leader = row_of(LEADER, LEADER_START);
	caller = row_of(CALLER, CALLER_START);
	assert_non_null(leader);
	assert_non_null(caller);
	assert_string_equal(leader->comm, "program");
	assert_int_equal(leader->end_ns, now_ns);
	assert_int_equal(leader->rename_cnt, 2);
	assert_string_equal(leader->renames[0].old_comm, "parent");
	assert_string_equal(leader->renames[1].old_comm, "caller");
	assert_true(leader->renames[0].boot_ns < leader->renames[1].boot_ns);
	assert_string_equal(caller->comm, "caller");
	assert_true(caller->end_ns != 0 && caller->end_ns < leader->end_ns);
	assert_int_equal(caller->rename_cnt, 1);
	assert_string_equal(caller->renames[0].old_comm, "parent");
}

static void the_leader_keeps_its_name_until_another_thread_execs(void **state)
{
	(void)state;
	births();
	exec_by_caller(false);
	judge();
}

static void a_full_table_keeps_the_living(void **state)
{
	(void)state;
	births();
	fill_the_table();
	exec_by_caller(false);
	judge();
}

static void an_old_leader_may_be_freed_before_the_exec_is_told(void **state)
{
	(void)state;
	births();
	exec_by_caller(true);
	judge();
}

/* Nothing is known of the leader until its successor tells. */
static void an_end_that_was_no_threads_is_taken_back(void **state)
{
	struct fr_proc_exec e = {
		.tid = LEADER, .old_tid = CALLER, .start_ns = LEADER_START, .comm = "program"
	};

	(void)state;
	tell_fork(CALLER, LEADER, CALLER_START, "parent");
	tell_end(FR_EV_PROC_FREE, CALLER, LEADER_START, "parent");
	tell_rename(LEADER, LEADER_START, "caller", "program");
	TELL(e, FR_EV_PROC_EXEC);
	read_rows();
	assert_null(row_of(CALLER, LEADER_START));
	assert_int_equal(row_of(CALLER, CALLER_START)->end_ns, now_ns);
	assert_string_equal(row_of(LEADER, LEADER_START)->comm, "program");
}

/* One CPU still has the fork, the other one has lost the end. */
static void who_is_not_listed_as_living_has_ended(void **state)
{
	(void)state;
	fr_obits_living(&obits, CALLER, CALLER_START); /* before any record is read */
	obits.listed_ns = 5000;
	tell_fork(LEADER, LEADER, LEADER_START, "gone");
	tell_fork(CALLER, CALLER, CALLER_START, "lives");
	tell_fork(NOISY + 1, NOISY + 1, 6000, "born later");
	read_rows();
	assert_int_equal(row_of(LEADER, LEADER_START)->end_ns, 5000);
	assert_null(row_of(CALLER, CALLER_START)); /* the list has it */
	assert_int_equal(row_of(NOISY + 1, 6000)->end_ns, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_leader_keeps_its_name_until_another_thread_execs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_table_keeps_the_living, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_old_leader_may_be_freed_before_the_exec_is_told,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_end_that_was_no_threads_is_taken_back, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(who_is_not_listed_as_living_has_ended, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
