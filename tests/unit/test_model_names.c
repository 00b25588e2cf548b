/* SPDX-License-Identifier: BSD-2-Clause */
/* Who had a number when: reused tids, renames, execs of threads that don't lead, cut dumps. */
#include "cm.h"

#include "formats/model/names.h"
#include "make_dump.h"

#define S 1000000000ull

static struct fr_names *names;
static struct mk mk;

static int start(void **state)
{
	(void)state;
	mk = (struct mk){ 0 };
	mk_begin(&mk, 1);
	assert_int_equal(fr_names_new(&names), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	names = fr_names_free(names);
	mk_close(&mk);
	return 0;
}

static void load_tables(void)
{
	bool whole = false;

	assert_int_equal(fr_names_add_tables(names, mk_end(&mk, NULL), 0, &whole), 0);
	assert_true(whole);
	assert_int_equal(fr_names_seal(names), 0);
}

static void load_events(void)
{
	assert_int_equal(fr_names_add_events(names, mk_end(&mk, NULL), 0), 0);
	assert_int_equal(fr_names_seal(names), 0);
}

static void expect_comm(uint32_t tid, uint64_t time_ns, const char *want)
{
	char comm[FR_COMM_BYTES];

	fr_names_comm_at(names, fr_names_thread(names, tid, time_ns), time_ns, comm);
	assert_string_equal(comm, want);
}

/* ---- events, as the probes write them ------------------------------------------------------- */

static void ev_fork(uint64_t t, uint32_t child, uint32_t child_tgid, const char *comm)
{
	struct fr_proc_fork e = { .parent_tid = 1,
				  .parent_tgid = 1,
				  .child_tid = child,
				  .child_tgid = child_tgid,
				  .child_start_ns = t };

	snprintf(e.comm, sizeof(e.comm), "%s", comm);
	mk_add(&mk, t, FR_EV_PROC_FORK, &e, sizeof(e));
}

static void ev_end(uint64_t t, uint32_t kind, uint32_t tid, uint64_t start_ns, const char *comm)
{
	/* the tests' processes are 100 (with thread 105), 500 and 501 */
	struct fr_proc_end e = { .tid = tid, .tgid = tid == 105 ? 100 : tid, .start_ns = start_ns };

	snprintf(e.comm, sizeof(e.comm), "%s", comm);
	mk_add(&mk, t, kind, &e, sizeof(e));
}

static void ev_rename(uint64_t t, uint32_t tid, uint64_t start_ns, const char *old, const char *new)
{
	struct fr_proc_rename e = { .tid = tid, .tgid = tid, .start_ns = start_ns };

	snprintf(e.old_comm, sizeof(e.old_comm), "%s", old);
	snprintf(e.new_comm, sizeof(e.new_comm), "%s", new);
	mk_add(&mk, t, FR_EV_PROC_RENAME, &e, sizeof(e));
}

static void ev_exec(uint64_t t, uint32_t tid, uint32_t old_tid, uint64_t start_ns, const char *comm)
{
	struct {
		struct fr_proc_exec e;
		char path[16];
	} r = { .e = { .tid = tid, .old_tid = old_tid, .start_ns = start_ns, .path_bytes = 9 },
		.path = "/bin/prog" };

	snprintf(r.e.comm, sizeof(r.e.comm), "%s", comm);
	mk_add(&mk, t, FR_EV_PROC_EXEC, &r, sizeof(r));
}

/* ---- tables --------------------------------------------------------------------------------- */

static void a_reused_tid_is_somebody_else(void **state)
{
	(void)state;
	mk_thread(&mk, 100, 100, 10 * S, 20 * S, "first");
	mk_thread(&mk, 100, 100, 30 * S, 40 * S, "second");
	mk_thread(&mk, 100, 100, 50 * S, 0, "third");
	load_tables();
	expect_comm(100, 10 * S, "first");
	expect_comm(100, 15 * S, "first");
	expect_comm(100, 20 * S + 5000000, "first"); /* still on its way out */
	expect_comm(100, 30 * S, "second");
	expect_comm(100, 30 * S - 1000, "second"); /* stamped a little before its birth */
	expect_comm(100, 60 * S, "third");
	assert_int_equal(fr_names_stats(names)->unnamed_threads, 0);
	/* nobody had it then */
	expect_comm(100, 25 * S, "");
	expect_comm(100, 5 * S, "");
	assert_int_equal(fr_names_stats(names)->unnamed_threads, 1);
	assert_int_equal(fr_names_stats(names)->threads, 3);
}

static void a_rename_changes_the_name_from_then_on(void **state)
{
	struct fr_meta_thread t = { .tid = 7,
				    .tgid = 7,
				    .start_ns = S,
				    .comm = "now",
				    .rename_cnt = 2,
				    .renames = { { 10 * S, "was" }, { 20 * S, "then" } } };
	uint32_t who;

	(void)state;
	mk_thread_row(&mk, &t);
	load_tables();
	expect_comm(7, 9 * S, "was");
	expect_comm(7, 10 * S, "then");
	expect_comm(7, 19 * S, "then");
	expect_comm(7, 20 * S, "now");
	who = fr_names_thread(names, 7, 15 * S);
	assert_string_equal(fr_names_comm_any(names, who, 0), "now");
	assert_string_equal(fr_names_comm_any(names, who, 1), "was");
	assert_string_equal(fr_names_comm_any(names, who, 2), "then");
	assert_null(fr_names_comm_any(names, who, 3));
}

static void a_later_dump_knows_better(void **state)
{
	struct fr_meta_thread early = { .tid = 7, .tgid = 7, .start_ns = S, .comm = "a" };
	struct fr_meta_thread late = { .tid = 7,
				       .tgid = 7,
				       .start_ns = S,
				       .comm = "b",
				       .end_ns = 30 * S,
				       .rename_cnt = 1,
				       .renames = { { 9 * S, "a" } } };
	struct mk second = { 0 };
	bool whole;

	(void)state;
	mk_thread_row(&mk, &early);
	assert_int_equal(fr_names_add_tables(names, mk_end(&mk, NULL), 0, &whole), 0);
	mk_begin(&second, 1);
	mk_thread_row(&second, &late);
	assert_int_equal(fr_names_add_tables(names, mk_end(&second, NULL), 0, &whole), 0);
	assert_int_equal(fr_names_seal(names), 0);
	assert_int_equal(fr_names_stats(names)->threads, 1);
	expect_comm(7, 5 * S, "a");
	expect_comm(7, 10 * S, "b");
	assert_int_equal(fr_names_who(names, fr_names_thread(names, 7, 10 * S))->end_ns, 30 * S);
	mk_close(&second);
}

static void threads_know_their_leader(void **state)
{
	(void)state;
	mk_thread(&mk, 100, 100, 10 * S, 0, "leader");
	mk_thread(&mk, 101, 100, 11 * S, 0, "thread");
	mk_thread(&mk, 205, 200, 11 * S, 0, "orphan"); /* its leader is in no table */
	load_tables();
	assert_int_equal(fr_names_who(names, fr_names_thread(names, 101, 20 * S))->leader,
			 fr_names_thread(names, 100, 20 * S));
	assert_int_equal(fr_names_who(names, fr_names_thread(names, 205, 20 * S))->leader,
			 FR_WHO_NONE);
}

static void a_process_without_its_leader_is_known_by_its_executable(void **state)
{
	struct fr_meta_process p = { .tgid = 100,
				     .start_ns = 10 * S,
				     .exe = { (const uint8_t *)"/usr/sbin/some-very-long-daemon",
					      31 } };
	struct fr_buf b = { 0 };

	(void)state;
	fr_meta_add_process(&b, &p);
	mk_meta(&mk, FR_CHUNK_PROCESSES, &b);
	mk_thread(&mk, 101, 100, 11 * S, 0, "thread");
	load_tables();
	expect_comm(100, 20 * S, "some-very-long-");
	assert_int_equal(fr_names_who(names, fr_names_thread(names, 101, 20 * S))->leader,
			 fr_names_thread(names, 100, 20 * S));
	assert_int_equal(fr_names_stats(names)->unnamed_threads, 0);
}

static void the_idle_task_needs_no_row(void **state)
{
	(void)state;
	mk_thread(&mk, 1, 1, 5, 0, "init");
	load_tables();
	assert_int_equal(fr_names_thread(names, 0, 5), FR_WHO_IDLE);
	assert_string_equal(fr_names_who(names, FR_WHO_IDLE)->comm, "swapper");
	assert_int_equal(fr_names_stats(names)->unnamed_threads, 0);
}

static void sockets_of_two_runs_do_not_mix(void **state)
{
	struct fr_meta_socket a = { .id = 1, .tgid = 11 }, b = { .id = 1, .tgid = 22 };
	struct mk second = { 0 };
	uint32_t i, k;
	bool whole;

	(void)state;
	fr_meta_add_socket(&mk.sockets, &a);
	assert_int_equal(fr_names_add_tables(names, mk_end(&mk, NULL), 0, &whole), 0);
	assert_false(whole); /* it has no threads */
	mk_begin(&second, 2);
	fr_meta_add_socket(&second.sockets, &b);
	assert_int_equal(fr_names_add_tables(names, mk_end(&second, NULL), 1, &whole), 0);
	assert_int_equal(fr_names_seal(names), 0);
	assert_int_equal(fr_names_socket(names, 0, 1, &i)->tgid, 11);
	assert_int_equal(fr_names_socket(names, 1, 1, &k)->tgid, 22);
	assert_int_not_equal(i, k);
	assert_false(fr_names_socket(names, 0, 5, &i)->named);
	assert_false(fr_names_socket(names, 0, 5, &k)->named);
	assert_int_equal(i, k);
	assert_int_equal(fr_names_stats(names)->unnamed_sockets, 1);
	mk_close(&second);
}

#define TEXT(text)                                                                                 \
	(struct fr_slice)                                                                          \
	{                                                                                          \
		(const uint8_t *)(text), sizeof(text) - 1                                          \
	}

/* Two dumps tell of one process; the later one could not ask for everything again. */
static void what_a_later_table_lacks_is_the_older_ones(void **state)
{
	struct fr_meta_process first = { .tgid = 100,
					 .start_ns = 5,
					 .uid = 1,
					 .exe = TEXT("/bin/app"),
					 .cgroup = TEXT("/kubepods/a"),
					 .environment = TEXT("OTEL_SERVICE_NAME=a\0"),
					 .go_version = TEXT("go1.22.3") },
			       later = { .tgid = 100,
					 .start_ns = 5,
					 .uid = 2,
					 .environment = TEXT("OTEL_SERVICE_NAME=b\0") };
	const struct fr_process *p;

	(void)state;
	fr_meta_add_process(&mk.processes, &first);
	fr_meta_add_process(&mk.processes, &later);
	mk_thread(&mk, 100, 100, 5, 0, "app");
	load_tables();
	p = fr_names_process_of(names, fr_names_thread(names, 100, S));
	assert_non_null(p);
	assert_int_equal(p->uid, 2);
	assert_true(fr_slice_is(p->exe, "/bin/app"));
	assert_true(fr_slice_is(p->cgroup, "/kubepods/a"));
	assert_true(fr_slice_is(p->go_version, "go1.22.3"));
	assert_int_equal(p->environment.len_bytes, 20);
	assert_memory_equal(p->environment.data, "OTEL_SERVICE_NAME=b", 20);
}

/* ---- events --------------------------------------------------------------------------------- */

static void events_name_what_tables_lack(void **state)
{
	(void)state;
	mk_segment(&mk, 0, 1, 0, 0);
	ev_fork(10 * S, 500, 500, "bash");
	ev_rename(11 * S, 500, 10 * S, "bash", "prog");
	ev_exec(11 * S + 1, 500, 500, 10 * S, "prog");
	ev_end(12 * S, FR_EV_PROC_EXIT, 500, 10 * S, "prog");
	ev_end(13 * S, FR_EV_PROC_FREE, 500, 10 * S, "prog");
	ev_end(14 * S, FR_EV_PROC_FREE, 501, 2 * S, "older"); /* only its obituary is left */
	mk_chunk(&mk);
	load_events();
	expect_comm(500, 10 * S + 5, "bash");
	expect_comm(500, 12 * S, "prog");
	expect_comm(501, 5 * S, "older");
	assert_int_equal(fr_names_stats(names)->unnamed_threads, 0);
	assert_int_equal(
		fr_names_process_of(names, fr_names_thread(names, 500, 12 * S))->exe.len_bytes, 9);
}

/* Thread 105 of process 100 execs: it becomes 100, and the old leader dies as 105. */
static void an_exec_of_another_thread_takes_the_leaders_number(void **state)
{
	(void)state;
	mk_segment(&mk, 0, 1, 0, 0);
	ev_fork(10 * S, 100, 100, "app");
	ev_fork(11 * S, 105, 100, "app-worker");
	ev_end(12 * S, FR_EV_PROC_EXIT, 100, 10 * S, "app"); /* the leader makes way */
	ev_exec(12 * S + 5, 100, 105, 10 * S, "prog");
	ev_end(12 * S + 9, FR_EV_PROC_FREE, 105, 10 * S,
	       "app"); /* the leader, under another number */
	mk_chunk(&mk);
	load_events();
	expect_comm(105, 11 * S + 500000000, "app-worker");
	expect_comm(100, 13 * S, "prog");
	/* the obituary of the old leader is nobody's birth */
	assert_int_equal(fr_names_stats(names)->threads, 2);
	assert_int_equal(fr_names_who(names, fr_names_thread(names, 100, 20 * S))->end_ns, 0);
}

static void the_order_of_cpus_does_not_matter(void **state)
{
	(void)state;
	mk_segment(&mk, 0, 1, 0, 0);
	ev_rename(20 * S, 100, 5 * S, "middle", "last");
	mk_chunk(&mk);
	mk_segment(&mk, 1, 1, 0, 0);
	ev_rename(10 * S, 100, 5 * S, "first", "middle");
	mk_chunk(&mk);
	load_events();
	expect_comm(100, 6 * S, "first");
	expect_comm(100, 15 * S, "middle");
	expect_comm(100, 25 * S, "last");
	assert_string_equal(fr_names_who(names, fr_names_thread(names, 100, 6 * S))->comm, "last");
}

static void many_rows_about_one_thread_are_one(void **state)
{
	char old[16], new[16];

	(void)state;
	mk_segment(&mk, 0, 1, 0, 0);
	for (int i = 0; i < 4000; i++) {
		snprintf(old, sizeof(old), "n%d", i);
		snprintf(new, sizeof(new), "n%d", i + 1);
		ev_rename(10 * S + (uint64_t)i * 10, 100, 5 * S, old, new);
	}
	mk_chunk(&mk);
	/* more rows than are kept unsorted: said several times */
	mk_end(&mk, NULL);
	for (int i = 0; i < 6; i++)
		assert_int_equal(fr_names_add_events(names, mk.dump, 0), 0);
	assert_int_equal(fr_names_seal(names), 0);
	assert_int_equal(fr_names_stats(names)->threads, 1);
	expect_comm(100, 10 * S + 20005, "n2001");
	expect_comm(100, 20 * S, "n4000");
}

static void sockets_are_named_by_birth_or_obituary(void **state)
{
	struct fr_sock_open e = {
		.sock_id = 9,
		.tgid = 0,
		.type = FR_SOCK_STREAM,
		.addr = { .family = FR_AF_INET, .local_port = 80, .remote_port = 999 }
	};
	const struct fr_socket *s;
	uint32_t i;

	(void)state;
	mk_segment(&mk, 0, 1, 0, 0);
	mk_add(&mk, 10, FR_EV_SOCK_OPEN, &e, sizeof(e));
	e.tgid = 77;
	e.addr.remote_port = 0; /* at a close it may be gone */
	mk_add(&mk, 20, FR_EV_SOCK_CLOSE, &e, sizeof(e));
	mk_chunk(&mk);
	load_events();
	s = fr_names_socket(names, 0, 9, &i);
	assert_true(s->named);
	assert_int_equal(s->tgid, 77);
	assert_int_equal(s->addr.remote_port, 999);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(a_reused_tid_is_somebody_else),
		TEST(a_rename_changes_the_name_from_then_on),
		TEST(a_later_dump_knows_better),
		TEST(threads_know_their_leader),
		TEST(a_process_without_its_leader_is_known_by_its_executable),
		TEST(the_idle_task_needs_no_row),
		TEST(sockets_of_two_runs_do_not_mix),
		TEST(what_a_later_table_lacks_is_the_older_ones),
		TEST(events_name_what_tables_lack),
		TEST(an_exec_of_another_thread_takes_the_leaders_number),
		TEST(the_order_of_cpus_does_not_matter),
		TEST(many_rows_about_one_thread_are_one),
		TEST(sockets_are_named_by_birth_or_obituary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
