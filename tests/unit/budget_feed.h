/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of the time budgets: names, threads and budgets, fed record by record.
 *
 * Threads: A, B, C of a program; HOG; G1, G2 of a Go program (process GO); JBD and WORK, kernel
 * threads. Sockets: DB and FRONT are TCP, UNIX is a unix socket. Times are made up, small and
 * round.
 */
#ifndef FR_TESTS_BUDGET_FEED_H
#define FR_TESTS_BUDGET_FEED_H

#include "formats/model/budget_internal.h"
#include "make_dump.h"

enum { A = 100, B = 101, C = 102, HOG = 103, G1 = 200, G2 = 201, GO = 200, JBD = 50, WORK = 51 };
enum { DB = 7, CACHE = 8, FRONT = 9, FRONT2 = 10, UNIX = 11 };

#define SLEEPING 1u
#define DISK_SLEEP 2u

static struct fr_names *names;
static struct fr_threads *threads;
static struct fr_budgets *budgets;
static struct mk mk;
static struct fr_budget got;

static inline void feed_process(uint32_t tgid, uint32_t parent, const char *comm)
{
	struct fr_meta_process p = { .tgid = tgid, .start_ns = 5, .parent_tgid = parent };

	fr_meta_add_process(&mk.processes, &p);
	mk_thread(&mk, tgid, tgid, 5, 0, comm);
}

static inline void feed_socket(uint64_t id, uint16_t family)
{
	struct fr_meta_socket s = { .id = id, .addr = { .family = family } };

	fr_meta_add_socket(&mk.sockets, &s);
}

static inline int feed_start(void **state)
{
	bool whole;

	(void)state;
	mk = (struct mk){ 0 };
	mk_begin(&mk, 1);
	feed_process(A, 1, "a");
	mk_thread(&mk, B, A, 6, 0, "b");
	mk_thread(&mk, C, A, 6, 0, "c");
	feed_process(HOG, 1, "hog");
	feed_process(GO, 1, "go");
	mk_thread(&mk, G2, GO, 6, 0, "go");
	feed_process(JBD, 2, "jbd2/vda1-8");
	feed_process(WORK, 2, "kworker/0:1H");
	feed_socket(DB, FR_AF_INET);
	feed_socket(CACHE, FR_AF_INET);
	feed_socket(FRONT, FR_AF_INET);
	feed_socket(FRONT2, FR_AF_INET);
	feed_socket(UNIX, FR_AF_UNIX);
	assert_int_equal(fr_names_new(&names), 0);
	assert_int_equal(fr_names_add_tables(names, mk_end(&mk, NULL), 0, &whole), 0);
	assert_true(whole);
	assert_int_equal(fr_names_seal(names), 0);
	assert_int_equal(fr_threads_new(names, true, &threads), 0);
	assert_int_equal(fr_budgets_new(names, threads, &budgets), 0);
	return 0;
}

static inline int feed_end(void **state)
{
	(void)state;
	budgets = fr_budgets_free(budgets);
	threads = fr_threads_free(threads);
	names = fr_names_free(names);
	mk_close(&mk);
	return 0;
}

static inline void feed(uint16_t cpu, uint64_t t, uint32_t kind, void *record, size_t bytes)
{
	uint64_t word = FR_RECORD_WORD(t, kind, bytes / 8);
	struct fr_merged m = {
		.rec = { .time_ns = t,
			 .kind = kind,
			 .bytes = (uint32_t)bytes,
			 .cpu = cpu,
			 .data = record },
		.order_ns = t,
	};
	struct fr_step step;

	memcpy(record, &word, sizeof(word));
	assert_true(fr_record_sound(&m.rec));
	assert_int_equal(fr_threads_record(threads, &m, &step), 0);
	assert_int_equal(fr_budgets_record(budgets, &m, 0, &step), 0);
}

static inline void sw(uint16_t cpu, uint64_t t, uint32_t prev, uint32_t next, uint32_t state)
{
	struct fr_sched_switch e = { .who = FR_SWITCH_WHO(prev, next, state, 0) };

	feed(cpu, t, FR_EV_SCHED_SWITCH, &e, sizeof(e));
}

/* delay: the leaving one's summed run-queue wait */
static inline void switch_with(uint16_t cpu, uint64_t t, uint32_t prev, uint32_t next,
			       uint32_t state, uint32_t delay)
{
	struct fr_sched_switch e = { .who = FR_SWITCH_WHO(prev, next, state, 0),
				     .run_delay_ns = delay };

	feed(cpu, t, FR_EV_SCHED_SWITCH, &e, sizeof(e));
}

static inline void preempt(uint16_t cpu, uint64_t t, uint32_t prev, uint32_t next)
{
	struct fr_sched_switch e = { .who = FR_SWITCH_WHO(prev, next, 0, 1) };

	feed(cpu, t, FR_EV_SCHED_SWITCH, &e, sizeof(e));
}

static inline void wake(uint16_t cpu, uint64_t t, uint32_t wakee, uint32_t waker, uint32_t context)
{
	struct fr_sched_waking e = { .who = FR_WAKING_WHO(wakee, waker, 0, context) };

	feed(cpu, t, FR_EV_SCHED_WAKING, &e, sizeof(e));
}

static inline void io(uint16_t cpu, uint64_t t, uint32_t tid, uint64_t sock, bool receives)
{
	struct fr_sock_io e = { .sock_id = sock, .tid = tid, .result = 10, .fd = 3 };

	feed(cpu, t, receives ? FR_EV_SOCK_RECV : FR_EV_SOCK_SEND, &e, sizeof(e));
}

static inline void issue(uint16_t cpu, uint64_t t, uint32_t tid, uint64_t sector)
{
	struct fr_block_issue e = { .sector = sector, .dev = 1 << 20, .bytes = 4096, .tid = tid };

	feed(cpu, t, FR_EV_BLOCK_ISSUE, &e, sizeof(e));
}

static inline void complete_op(uint16_t cpu, uint64_t t, uint64_t sector, uint8_t op,
			       uint32_t bytes)
{
	struct fr_block_complete e = {
		.sector = sector, .dev = 1 << 20, .bytes = bytes, .op = op
	};

	feed(cpu, t, FR_EV_BLOCK_COMPLETE, &e, sizeof(e));
}

static inline void complete(uint16_t cpu, uint64_t t, uint64_t sector)
{
	complete_op(cpu, t, sector, FR_BLOCK_READ, 4096);
}

/* A socket record, and the event of the line that it is. */
static inline void event(uint16_t cpu, uint64_t t, uint32_t tid, uint64_t goid,
			 enum fr_line_event what, uint64_t sock)
{
	struct fr_line line = { .tgid = goid ? GO : A, .tid = tid, .goid = goid };

	if (tid)
		io(cpu, t, tid, sock, what == FR_LINE_ANSWERED || what == FR_LINE_SERVES);
	assert_int_equal(fr_budgets_line(budgets, &line, what, 0, sock, t), 0);
}

static inline fr_account_t opens(uint32_t tid, uint64_t goid, bool server, uint64_t sock,
				 uint64_t t)
{
	struct fr_line line = { .tgid = goid ? GO : A, .tid = tid, .goid = goid };

	return fr_budgets_open(budgets, &line, server, 0, sock, t);
}

static inline void closes(fr_account_t account, uint64_t from_ns, uint64_t to_ns)
{
	fr_budgets_close(budgets, account, from_ns, to_ns, &got);
	assert_int_equal(fr_budget_total_ns(&got), to_ns - from_ns);
}

static inline uint32_t who(uint32_t tid)
{
	return fr_names_thread(names, tid, 1000);
}

#define EXPECT(on, queued, network, disk, other, unknown)                                          \
	do {                                                                                       \
		assert_int_equal(got.on_cpu_ns, on);                                               \
		assert_int_equal(got.runqueue_ns, queued);                                         \
		assert_int_equal(got.blocked_ns[FR_BLOCK_NETWORK], network);                       \
		assert_int_equal(got.blocked_ns[FR_BLOCK_DISK], disk);                             \
		assert_int_equal(got.blocked_ns[FR_BLOCK_OTHER], other);                           \
		assert_int_equal(got.unattributed_ns, unknown);                                    \
	} while (0)

static inline void expect_wait(uint32_t i, enum fr_wait_kind kind, enum fr_block cause,
			       uint64_t from_ns, uint64_t to_ns, uint32_t waker, uint64_t sock)
{
	assert_true(i < got.wait_cnt);
	assert_int_equal(got.waits[i].kind, kind);
	assert_int_equal(got.waits[i].cause, cause);
	assert_int_equal(got.waits[i].from_ns, from_ns);
	assert_int_equal(got.waits[i].to_ns, to_ns);
	assert_int_equal(got.waits[i].waker, waker);
	assert_int_equal(got.waits[i].socket_id, sock);
}

#endif
