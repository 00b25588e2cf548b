/* SPDX-License-Identifier: BSD-2-Clause */
/* Who a number was, from the records of birth, exec, rename and death. */
#include "rows_fixture.h"

#include "recorder/dump_obits.h"

static struct fr_seen seen;
static struct fr_obits obits;

static int setup(void **state)
{
	struct rows_fixture *x;
	int err = rows_setup(state);

	x = *state;
	if (!err)
		err = fr_seen_init(&seen);
	return err ? err : fr_obits_init(&obits, &x->rows, &seen);
}

static int teardown(void **state)
{
	fr_obits_done(&obits);
	fr_seen_done(&seen);
	return rows_teardown(state);
}

static void finish(struct rows_fixture *x)
{
	fr_obits_flush(&obits);
	rows_read(x);
}

/* ---- records ------------------------------------------------------------------------------- */

static void feed(void *record, size_t bytes, uint32_t kind, uint64_t time_ns)
{
	uint64_t word = FR_RECORD_WORD(time_ns, kind, bytes / 8);

	memcpy(record, &word, sizeof(word));
	fr_obits_record(&obits, record, time_ns);
}

static void forked(uint64_t at_ns, uint32_t tid, uint32_t tgid, uint64_t start_ns, uint32_t parent,
		   const char *comm)
{
	struct fr_proc_fork e = { .parent_tid = parent,
				  .parent_tgid = parent,
				  .child_tid = tid,
				  .child_tgid = tgid,
				  .child_start_ns = start_ns };

	snprintf(e.comm, sizeof(e.comm), "%s", comm);
	feed(&e, sizeof(e), FR_EV_PROC_FORK, at_ns);
}

static void ended(uint64_t at_ns, uint32_t kind, uint32_t tid, uint32_t tgid, uint64_t start_ns,
		  const char *comm, uint32_t exit_code)
{
	struct fr_proc_end e = {
		.tid = tid, .tgid = tgid, .start_ns = start_ns, .exit_code = exit_code
	};

	snprintf(e.comm, sizeof(e.comm), "%s", comm);
	feed(&e, sizeof(e), kind, at_ns);
}

static void renamed(uint64_t at_ns, uint32_t tid, uint32_t tgid, uint64_t start_ns, const char *old,
		    const char *new)
{
	struct fr_proc_rename e = { .tid = tid, .tgid = tgid, .start_ns = start_ns };

	snprintf(e.old_comm, sizeof(e.old_comm), "%s", old);
	snprintf(e.new_comm, sizeof(e.new_comm), "%s", new);
	feed(&e, sizeof(e), FR_EV_PROC_RENAME, at_ns);
}

static void looked_at(uint64_t at_ns, uint32_t tid, uint32_t tgid, uint64_t start_ns,
		      const char *comm, uint16_t flags)
{
	struct fr_proc_state e = {
		.tid = tid, .tgid = tgid, .start_ns = start_ns, .flags = flags
	};

	snprintf(e.comm, sizeof(e.comm), "%s", comm);
	feed(&e, sizeof(e), FR_EV_PROC_STATE, at_ns);
}

static void execed(uint64_t at_ns, uint32_t tid, uint32_t old_tid, uint64_t start_ns,
		   const char *comm, const char *path, const char *arg)
{
	struct {
		struct fr_proc_exec e;
		char text[64];
	} r = { .e = { .tid = tid,
		       .old_tid = old_tid,
		       .start_ns = start_ns,
		       .path_bytes = (uint16_t)strlen(path),
		       .args_bytes = (uint16_t)(strlen(arg) + 1) } };

	snprintf(r.e.comm, sizeof(r.e.comm), "%s", comm);
	memcpy(r.text, path, strlen(path));
	memcpy(r.text + strlen(path), arg, strlen(arg) + 1);
	feed(&r, sizeof(r), FR_EV_PROC_EXEC, at_ns);
}

/* The last row about a thread, which has the last word; NULL = none. */
static const struct fr_meta_thread *thread_of(const struct rows_fixture *x, uint32_t tid,
					      uint64_t start_ns)
{
	for (size_t i = x->thread_cnt; i-- > 0;)
		if (x->threads[i].tid == tid && x->threads[i].start_ns == start_ns)
			return &x->threads[i];
	return NULL;
}

static bool slice_is(struct fr_slice s, const char *text)
{
	return s.len_bytes == strlen(text) && !memcmp(s.data, text, s.len_bytes);
}

/* ---- tests --------------------------------------------------------------------------------- */

static void a_short_life_has_one_row(void **state)
{
	struct rows_fixture *x = *state;
	const struct fr_meta_thread *t;

	forked(100, 50, 50, 90, 7, "sh");
	renamed(110, 50, 50, 90, "sh", "true");
	execed(111, 50, 50, 90, "true", "/bin/true", "true");
	ended(120, FR_EV_PROC_EXIT, 50, 50, 90, "true", 0x100);
	ended(130, FR_EV_PROC_FREE, 50, 50, 90, "true", 0x100);
	finish(x);
	assert_int_equal(x->thread_cnt, 1);
	t = thread_of(x, 50, 90);
	assert_string_equal(t->comm, "true");
	assert_int_equal(t->end_ns, 130); /* not its exit: it switches away after that */
	assert_int_equal(t->exit_code, 0x100);
	assert_int_equal(t->rename_cnt, 1);
	assert_string_equal(t->renames[0].old_comm, "sh");
	assert_int_equal(t->renames[0].boot_ns, 110);
	assert_int_equal(x->process_cnt, 1);
	assert_true(slice_is(x->processes[0].exe, "/bin/true"));
	assert_int_equal(x->processes[0].args.len_bytes, 5);
	assert_int_equal(x->processes[0].parent_tgid, 7);
	assert_true(x->processes[0].note.len_bytes > 0);
	assert_int_equal(fr_seen_unnamed_threads(&seen), 0);
}

static void an_exit_alone_is_no_end(void **state)
{
	struct rows_fixture *x = *state;

	ended(120, FR_EV_PROC_EXIT, 51, 50, 95, "worker", 0);
	finish(x);
	assert_int_equal(x->thread_cnt, 1);
	assert_int_equal(thread_of(x, 51, 95)->end_ns, 0);
	assert_int_equal(x->process_cnt, 0); /* a thread is no process */
}

static void the_living_need_no_row_unless_something_changed(void **state)
{
	struct rows_fixture *x = *state;

	fr_obits_living(&obits, 60, 10);
	fr_obits_living(&obits, 61, 11);
	fr_obits_living(&obits, 62, 12);
	forked(100, 60, 60, 10, 1, "quiet");
	execed(101, 60, 60, 10, "quiet", "/bin/quiet", "quiet");
	renamed(102, 61, 60, 11, "before", "after");
	ended(103, FR_EV_PROC_FREE, 62, 60, 12, "gone", 0);
	finish(x);
	assert_int_equal(x->thread_cnt, 2);
	assert_string_equal(thread_of(x, 61, 11)->renames[0].old_comm, "before");
	assert_string_equal(thread_of(x, 61, 11)->comm, "after");
	assert_int_equal(thread_of(x, 62, 12)->end_ns, 103);
	assert_int_equal(x->process_cnt, 0);
}

static void a_tid_that_is_used_again_is_another_thread(void **state)
{
	struct rows_fixture *x = *state;

	ended(100, FR_EV_PROC_FREE, 70, 70, 1, "first", 0);
	forked(200, 70, 70, 150, 3, "second");
	ended(300, FR_EV_PROC_FREE, 70, 70, 150, "second", 9);
	finish(x);
	assert_int_equal(x->thread_cnt, 2);
	assert_string_equal(thread_of(x, 70, 1)->comm, "first");
	assert_string_equal(thread_of(x, 70, 150)->comm, "second");
	assert_int_equal(thread_of(x, 70, 1)->end_ns, 100);
}

/* As de_thread() does it: the leader exits, the caller takes its tid and start time, the leader is
 * freed under the caller's old tid. */
static void exec_by_a_thread_that_is_not_the_leader(void **state)
{
	struct rows_fixture *x = *state;
	const struct fr_meta_thread *t;

	forked(100, 81, 80, 95, 80, "main"); /* the caller; leader 80 began at 50 */
	renamed(101, 81, 80, 95, "main", "helper");
	ended(110, FR_EV_PROC_EXIT, 80, 80, 50, "main", 0);
	renamed(120, 80, 80, 50, "helper", "new");
	execed(121, 80, 81, 50, "new", "/bin/new", "new");
	ended(125, FR_EV_PROC_FREE, 81, 80, 50, "main", 0);
	finish(x);
	t = thread_of(x, 80, 50);
	assert_string_equal(t->comm, "new");
	assert_int_equal(t->end_ns, 0); /* it lives on */
	t = thread_of(x, 81, 95);
	assert_string_equal(t->comm, "helper");
	assert_int_equal(t->end_ns, 121);
	assert_null(thread_of(x, 81, 50)); /* the old leader was never that */
	assert_int_equal(x->process_cnt, 1);
	assert_true(slice_is(x->processes[0].exe, "/bin/new"));
}

/* The same, with the caller's birth long overwritten: its tid still gets its name. */
static void exec_by_a_thread_of_unknown_birth(void **state)
{
	struct rows_fixture *x = *state;
	const struct fr_meta_thread *t;

	ended(110, FR_EV_PROC_EXIT, 80, 80, 50, "main", 0);
	renamed(120, 80, 80, 50, "helper", "new");
	execed(121, 80, 81, 50, "new", "/bin/new", "new");
	ended(125, FR_EV_PROC_FREE, 81, 80, 50, "main", 0);
	finish(x);
	t = thread_of(x, 81, 50);
	assert_string_equal(t->comm, "helper");
	assert_int_equal(t->end_ns, 121);
	assert_int_equal(t->tgid, 80);
}

/* Its exit is overwritten, no list had it, it is not freed yet: its last switches name it. */
static void who_ends_slowly_has_a_name(void **state)
{
	struct rows_fixture *x = *state;

	obits.listed_ns = 1000;
	fr_obits_living(&obits, 85, 10);
	looked_at(900, 86, 85, 20, "earlier", FR_STATE_ENDED | FR_STATE_ON_CPU);
	looked_at(1100, 87, 85, 30, "late", FR_STATE_ENDED | FR_STATE_ON_CPU);
	looked_at(1200, 87, 85, 30, "late", FR_STATE_ENDED);
	finish(x);
	assert_int_equal(x->thread_cnt, 2);
	assert_string_equal(thread_of(x, 86, 20)->comm, "earlier");
	assert_int_equal(thread_of(x, 86, 20)->end_ns, 1000);
	assert_string_equal(thread_of(x, 87, 30)->comm, "late");
	assert_int_equal(thread_of(x, 87, 30)->tgid, 85);
	assert_int_equal(thread_of(x, 87, 30)->end_ns, 1200);
	assert_int_equal(x->process_cnt, 0);
	assert_true(fr_seen_is_known_tid(&seen, 87));
	assert_false(fr_seen_is_known_tid(&seen, 88));
	assert_int_equal(fr_seen_unnamed_threads(&seen), 0);
}

static void a_look_at_the_living_is_no_news(void **state)
{
	struct rows_fixture *x = *state;

	fr_obits_living(&obits, 60, 10);
	looked_at(100, 60, 60, 10, "lives", FR_STATE_ON_CPU);
	looked_at(101, 61, 60, 11, "lived", 0);
	ended(110, FR_EV_PROC_FREE, 61, 60, 11, "lived", 7);
	finish(x);
	assert_int_equal(x->thread_cnt, 1);
	assert_int_equal(thread_of(x, 61, 11)->end_ns, 110);
	assert_int_equal(thread_of(x, 61, 11)->exit_code, 7);
}

/* The old leader switches away with the tid that the exec has left it. */
static void a_leader_that_ends_slowly_while_another_thread_execs(void **state)
{
	struct rows_fixture *x = *state;
	const struct fr_meta_thread *t;

	forked(100, 81, 80, 95, 80, "helper");
	ended(110, FR_EV_PROC_EXIT, 80, 80, 50, "main", 0);
	looked_at(115, 81, 80, 50, "main", FR_STATE_ENDED);
	execed(121, 80, 81, 50, "new", "/bin/new", "new");
	looked_at(122, 81, 80, 50, "main", FR_STATE_ENDED);
	ended(125, FR_EV_PROC_FREE, 81, 80, 50, "main", 0);
	finish(x);
	t = thread_of(x, 81, 95);
	assert_string_equal(t->comm, "helper");
	assert_int_equal(t->end_ns, 121);
	assert_null(thread_of(x, 81, 50));
}

/* The same when all else is overwritten: then the tid has the name of who has it now. */
static void a_leader_that_ends_slowly_long_after_the_exec(void **state)
{
	struct rows_fixture *x = *state;

	obits.listed_ns = 1000;
	fr_obits_living(&obits, 80, 50);
	looked_at(2000, 81, 80, 50, "main", FR_STATE_ENDED);
	ended(2100, FR_EV_PROC_FREE, 81, 80, 50, "main", 0);
	finish(x);
	assert_int_equal(x->thread_cnt, 1);
	assert_string_equal(thread_of(x, 81, 50)->comm, "main");
	assert_int_equal(thread_of(x, 81, 50)->end_ns, 2000);
}

/* More than the table, the renames and the text have room for. */
static void a_full_table_is_written_and_begun_anew(void **state)
{
	struct rows_fixture *x = *state;
	char name[16];

	for (uint32_t i = 1; i <= 3 * FR_OBITS_MAX / 2; i++) {
		snprintf(name, sizeof(name), "c%u", i);
		forked(i * 10, i, i, i * 10, 1, "sh");
		renamed(i * 10 + 1, i, i, i * 10, "sh", name);
		execed(i * 10 + 2, i, i, i * 10, name, "/usr/libexec/a/rather/long/path/to/it",
		       name);
		ended(i * 10 + 3, FR_EV_PROC_EXIT, i, i, i * 10, name, 0);
		ended(i * 10 + 4, FR_EV_PROC_FREE, i, i, i * 10, name, 0);
	}
	finish(x);
	assert_true(x->thread_cnt >= 3 * FR_OBITS_MAX / 2);
	assert_true(x->thread_cnt < 3 * FR_OBITS_MAX / 2 + 10);
	for (uint32_t i = 1; i <= 3 * FR_OBITS_MAX / 2; i++) {
		const struct fr_meta_thread *t = thread_of(x, i, i * 10);

		snprintf(name, sizeof(name), "c%u", i);
		assert_non_null(t);
		assert_string_equal(t->comm, name);
		assert_int_equal(t->end_ns, i * 10 + 4);
	}
}

static void more_renames_than_a_row_holds(void **state)
{
	struct rows_fixture *x = *state;
	size_t renames = 0;
	char old[16], new[16];

	for (uint32_t i = 0; i < 3 * FR_RENAMES_MAX + 1; i++) {
		snprintf(old, sizeof(old), "n%u", i);
		snprintf(new, sizeof(new), "n%u", i + 1);
		renamed(100 + i, 90, 90, 5, old, new);
	}
	finish(x);
	assert_int_equal(x->thread_cnt, 4);
	for (size_t i = 0; i < x->thread_cnt; i++)
		for (uint32_t k = 0; k < x->threads[i].rename_cnt; k++, renames++)
			assert_int_equal(x->threads[i].renames[k].boot_ns, 100 + renames);
	assert_int_equal(renames, 3 * FR_RENAMES_MAX + 1);
	assert_string_equal(thread_of(x, 90, 5)->comm, "n25");
}

/* ---- numbers that nobody explains ---------------------------------------------------------- */

static void see_switch(uint32_t prev, uint32_t next, uint64_t time_ns)
{
	struct fr_sched_switch e = {
		.word = FR_RECORD_WORD(time_ns, FR_EV_SCHED_SWITCH, sizeof(e) / 8),
		.who = FR_SWITCH_WHO(prev, next, 0, 0),
	};

	fr_seen_record(&seen, (const uint8_t *)&e, time_ns);
}

static void who_is_used_and_never_explained_is_unnamed(void **state)
{
	struct rows_fixture *x = *state;

	see_switch(0, 100, 10); /* the idle task has a name */
	see_switch(100, 200, 20);
	see_switch(200, 0x3fffff, 30);
	assert_int_equal(fr_seen_unnamed_threads(&seen), 3);
	assert_int_equal(fr_seen_next_unnamed(&seen, 1), 100);
	assert_int_equal(fr_seen_next_unnamed(&seen, 101), 200);
	assert_int_equal(fr_seen_next_unnamed(&seen, 201), 0x3fffff);
	assert_int_equal(fr_seen_next_unnamed(&seen, 0x400000), 0);
	ended(40, FR_EV_PROC_FREE, 100, 100, 1, "a", 0); /* also when it is told of later */
	fr_obits_living(&obits, 200, 2);
	assert_int_equal(fr_seen_unnamed_threads(&seen), 1);
	finish(x);
}

static void before_the_common_window_nobody_is_missed(void **state)
{
	(void)state;
	seen.from_ns = 1000;
	see_switch(5, 6, 999);
	assert_int_equal(fr_seen_unnamed_threads(&seen), 0);
	see_switch(5, 6, 1000);
	assert_int_equal(fr_seen_unnamed_threads(&seen), 2);
}

static void a_full_set_counts_what_it_refuses(void **state)
{
	struct fr_idset s;

	(void)state;
	assert_int_equal(fr_idset_init(&s, 6), 0);
	for (uint64_t key = 1; key <= 100; key++)
		fr_idset_mark(&s, key, FR_MARK_SEEN);
	assert_int_equal(s.cnt + s.refused, 100);
	assert_true(s.refused > 0);
	assert_int_equal(fr_idset_mark(&s, 1, FR_MARK_KNOWN), FR_MARK_SEEN);
	assert_int_equal(fr_idset_marks(&s, 1), FR_MARK_SEEN | FR_MARK_KNOWN);
	assert_int_equal(fr_idset_marks(&s, 1000), 0);
	assert_int_equal(fr_idset_count(&s, FR_MARK_SEEN), s.cnt - 1);
	fr_idset_done(&s);
}

#define WITH_ROWS(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ROWS(a_short_life_has_one_row),
		WITH_ROWS(an_exit_alone_is_no_end),
		WITH_ROWS(the_living_need_no_row_unless_something_changed),
		WITH_ROWS(a_tid_that_is_used_again_is_another_thread),
		WITH_ROWS(exec_by_a_thread_that_is_not_the_leader),
		WITH_ROWS(exec_by_a_thread_of_unknown_birth),
		WITH_ROWS(who_ends_slowly_has_a_name),
		WITH_ROWS(a_look_at_the_living_is_no_news),
		WITH_ROWS(a_leader_that_ends_slowly_while_another_thread_execs),
		WITH_ROWS(a_leader_that_ends_slowly_long_after_the_exec),
		WITH_ROWS(a_full_table_is_written_and_begun_anew),
		WITH_ROWS(more_renames_than_a_row_holds),
		WITH_ROWS(who_is_used_and_never_explained_is_unnamed),
		WITH_ROWS(before_the_common_window_nobody_is_missed),
		WITH_ROWS(a_full_set_counts_what_it_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
