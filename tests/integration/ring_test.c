/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring under stress: every CPU writes at full speed from task, softirq, hard interrupt and
 * uprobe programs, which interrupt each other; a writer is held back for more than a lap, another
 * one's clock jumps, one CPU's sub-buffer numbers wrap around 2^32; meanwhile snapshots are taken
 * and every record in them is checked. The same with the writers' entry check taken out must fail.
 *
 * 8 s; FR_LONG=1: 40 s; FR_RING_SECONDS=N. timeout: 300
 */
#include <libgen.h>
#include <sys/resource.h>

#include "ring_check.h"

#define SUB_SHIFT 6 /* 4 MiB per CPU */
#define PATIENCE_NS 60000000000ull
#define WRAP_AHEAD 8 /* laps until the second CPU's numbers wrap */

static char dir[4096];
static uint32_t failed_cnt;

static void result(bool ok, const char *name)
{
	printf("%sok %s\n", ok ? "" : "not ", name);
	failed_cnt += !ok;
}

/* ---- the writers that the test itself steers ----------------------------------------------- */

struct steering {
	uint32_t peace_until[RT_CPUS_MAX];
	uint32_t holds[RT_CPUS_MAX];
	uint64_t next_jump_ns;
};

/*
 * A writer stops in a sub-buffer for more than a lap, then comes back: by then its record is of
 * history that was overwritten. Or for a quarter of one: then it must be found. In between peace.
 */
static void steer_held(struct rt_ring *r, struct steering *s, uint32_t cpu)
{
	uint32_t seq = FR_HEAD_SEQ(rt_load(&r->ctl[cpu].head)), n = 1u << r->view.sub_shift;
	const struct rt_cpu *c = &r->cpus[cpu];

	if (!rt_load(&c->held)) {
		if ((int32_t)(seq - s->peace_until[cpu]) >= 0)
			s->holds[cpu] += !rt_run_on(r, "rt_hold", cpu);
	} else if (seq - c->held_seq > (s->holds[cpu] % 2 ? n + 4 : n / 4)) {
		(void)rt_run_on(r, "rt_release", cpu);
		s->peace_until[cpu] = seq + n / 2;
	}
}

static void steer(struct rt_ring *r, struct steering *s)
{
	uint64_t now_ns = fr_now_ns();

	for (uint32_t cpu = 0; cpu < r->cpu_cnt; cpu++) {
		steer_held(r, s, cpu);
		if (now_ns > s->next_jump_ns)
			(void)rt_run_on(r, "rt_jump", cpu);
	}
	if (now_ns > s->next_jump_ns)
		s->next_jump_ns = now_ns + 50000000;
}

static void let_go(struct rt_ring *r)
{
	for (uint32_t cpu = 0; cpu < r->cpu_cnt; cpu++)
		if (r->cpus[cpu].held)
			(void)rt_run_on(r, "rt_release", cpu);
}

/* ---- what a run did ------------------------------------------------------------------------ */

static void print_run(const struct rt_ring *r, const struct rt_check *k)
{
	static const char *const names[] = {
#define NAME(id, NAME, name) #name,
		RT_WRITERS(NAME)
#undef NAME
	};

	printf("# %llu snapshots, %llu records checked (%llu MiB), %llu errors\n",
	       (unsigned long long)k->snapshots, (unsigned long long)k->records,
	       (unsigned long long)(k->bytes >> 20), (unsigned long long)k->errors);
	printf("# %llu nested, %llu jumped, %llu steps back, %llu overtaken, %llu unfinished, "
	       "%llu skipped, %llu unsettled, %llu read in place\n",
	       (unsigned long long)k->nested, (unsigned long long)k->jumped,
	       (unsigned long long)k->steps_back, (unsigned long long)k->overtaken,
	       (unsigned long long)k->unfinished, (unsigned long long)k->skipped,
	       (unsigned long long)k->unsettled, (unsigned long long)k->running_parts);
	for (uint32_t cpu = 0; cpu < r->cpu_cnt; cpu++) {
		const struct fr_ring_ctl *c = &r->ctl[cpu];

		printf("# cpu %u: %llu emitted, %llu retries, %llu/%llu dropped, %llu flushes:",
		       cpu, (unsigned long long)r->cpus[cpu].emitted,
		       (unsigned long long)c->retries, (unsigned long long)c->dropped_retry,
		       (unsigned long long)c->dropped_busy, (unsigned long long)c->flushes);
		for (int w = 0; w < RT_WRITER_CNT; w++)
			printf(" %s %llu", names[w], (unsigned long long)r->cpus[cpu].by_writer[w]);
		putchar('\n');
	}
}

static bool every_writer_wrote(const struct rt_ring *r, const struct rt_check *k)
{
	uint64_t cnt;

	for (int w = 0; w < RT_BETWEEN; w++) {
		for (uint32_t cpu = 0; cpu < r->cpu_cnt; cpu++) {
			cnt = r->cpus[cpu].by_writer[w];
			if (!cnt)
				return false;
		}
		if (!k->by_kind[RT_KIND_FIRST + w])
			return false;
	}
	return true;
}

static uint64_t least_laps(const struct rt_ring *r, uint64_t *start)
{
	uint64_t least = UINT64_MAX, laps;

	for (uint32_t cpu = 0; cpu < r->cpu_cnt; cpu++) {
		laps = (r->ctl[cpu].closed_subs - start[cpu]) >> r->view.sub_shift;
		least = laps < least ? laps : least;
	}
	return least;
}

/* ---- the tests ----------------------------------------------------------------------------- */

static uint64_t seconds_of_stress(void)
{
	const char *own = getenv("FR_RING_SECONDS"), *fr_long = getenv("FR_LONG");

	if (own)
		return strtoull(own, NULL, 10);
	return fr_long && *fr_long && strcmp(fr_long, "0") ? 40 : 8;
}

static uint64_t refused(const struct rt_ring *r)
{
	uint64_t sum = 0;

	for (uint32_t cpu = 0; cpu < r->cpu_cnt; cpu++)
		sum += r->cpus[cpu].refused;
	return sum;
}

static void stress(struct rt_ring *r, struct rt_check *k)
{
	uint64_t end_ns, start[RT_CPUS_MAX];
	uint32_t wrap_from = -(WRAP_AHEAD << SUB_SHIFT);
	struct steering s = { 0 };

	if (r->cpu_cnt > 1) {
		rt_start_at(r, 1, wrap_from);
		s.peace_until[1] = wrap_from;
	}
	for (uint32_t cpu = 0; cpu < r->cpu_cnt; cpu++)
		start[cpu] = r->ctl[cpu].closed_subs;
	end_ns = fr_now_ns() + seconds_of_stress() * 1000000000u;
	result(!rt_start(r), "writers_start");
	/* on a busy machine it takes longer until everything has happened often enough */
	while (fr_now_ns() < end_ns ||
	       (fr_now_ns() < end_ns + PATIENCE_NS &&
		(k->snapshots < 100 || least_laps(r, start) < 50 || !every_writer_wrote(r, k)))) {
		steer(r, &s);
		rt_snapshot(k, r);
	}
	rt_stop(r);
	let_go(r);
	result(!k->errors, "no_torn_stale_duplicate_or_reordered_record");
	result(k->missing <= refused(r), "no_missing_record");
	rt_check_at_rest(k, r);
	print_run(r, k);
	result(!k->errors && k->missing <= refused(r), "exact_account_at_rest");
	result(k->snapshots >= 100, "snapshots");
	result(least_laps(r, start) >= 50, "laps");
	result(every_writer_wrote(r, k) && k->nested && k->jumped, "every_context_wrote");
	result(k->skipped && k->unfinished, "a_writer_was_held_for_more_than_a_lap");
	if (r->cpu_cnt > 1)
		result(FR_HEAD_SEQ(r->ctl[1].head) < wrap_from, "sub_buffer_numbers_wrapped");
}

/* Writes cnt records on one CPU by test runs. */
static int write_some(struct rt_ring *r, uint32_t cpu, uint32_t cnt)
{
	char packet[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = (int)cnt);

	rt_pin(cpu);
	return bpf_prog_test_run_opts(rt_prog_fd(r, "rt_task"), &opts);
}

/* Every other sub-buffer looks as if a writer of an older lap were in it; or not any more. */
static void occupy_others(struct rt_ring *r, uint32_t cpu, bool on)
{
	uint32_t shift = r->view.sub_shift, running = FR_HEAD_SEQ(r->ctl[cpu].head);

	for (uint32_t i = 1; i < 1u << shift; i++)
		r->sub[(uint32_t)r->cpu_slot[cpu] << shift | ((running + i) & ((1u << shift) - 1))]
			.commit += on ? -2ull : 2ull;
}

/* Each cause of a drop, made to happen, and counted exactly. */
static void drops(void)
{
	struct rt_check k;
	struct rt_ring r;
	uint64_t before;
	uint32_t running;
	int err = rt_load_object(&r, dir, "ring_test.bpf.o", 4);

	if (!err)
		err = rt_check_init(&k, &r);
	if (err) {
		printf("# %s\n", strerror(-err));
		result(false, "drops_load");
		return;
	}
	err = write_some(&r, 0, 100);
	r.cpus[0].interrupts = 3;
	err |= write_some(&r, 0,
			  1); /* once the usual way, which is not counted, then the slow one */
	result(!err && r.ctl[0].retries == 2 && !r.ctl[0].dropped_retry &&
		       r.cpus[0].by_writer[RT_BETWEEN] == 3,
	       "an_interrupted_reservation_tries_again");
	r.cpus[0].interrupts = FR_RESERVE_TRIES + 1; /* the usual way, then the slow one */
	err = write_some(&r, 0, 1);
	result(!err && r.ctl[0].dropped_retry == 1, "a_reservation_gives_up_after_its_tries");
	r.cpus[0].commit_interrupts = 5;
	before = r.cpus[0].by_writer[RT_BETWEEN];
	err = write_some(&r, 0, 5);
	result(!err && r.cpus[0].by_writer[RT_BETWEEN] == before + 5 && !r.ctl[0].committing,
	       "an_interrupted_commit_loses_nothing");
	/* the second one where the machine has been up for longer than a sub-buffer can span */
	running = FR_HEAD_SEQ(r.ctl[0].head);
	occupy_others(&r, 0, true);
	err = write_some(&r, 0, 2000);
	result(!err && r.ctl[0].dropped_busy > 1000 && FR_HEAD_SEQ(r.ctl[0].head) == running,
	       "a_record_is_dropped_when_every_candidate_is_held");
	occupy_others(&r, 0, false);
	err = write_some(&r, 0, 20000);
	rt_check_at_rest(&k, &r);
	print_run(&r, &k);
	result(!err && !k.errors && r.ctl[0].closed_subs > 16, "drops_are_in_the_account");
	rt_check_done(&k);
	rt_unload(&r);
}

/* A CPU that has no share of the ring. */
static void no_slot(void)
{
	struct fr_ring_reader reader;
	const struct fr_ring_account *a;
	struct rt_ring r;
	int err;

	rt_without_slot = 0;
	err = rt_load_object(&r, dir, "ring_test.bpf.o", 4);
	rt_without_slot = RT_CPUS_MAX;
	if (!err)
		err = write_some(&r, 0, 1000);
	if (!err)
		err = fr_ring_begin(&reader, &r.view, NULL);
	if (err) {
		printf("# %s\n", strerror(-err));
		result(false, "no_slot_load");
		return;
	}
	a = fr_ring_account(&reader, 0);
	result(a->dropped_nocpu == 1000 && a->emitted == 1000 && !a->kept &&
		       r.cpus[0].refused == 1000,
	       "a_cpu_without_a_share_counts_what_it_drops");
	fr_ring_end(&reader);
	rt_unload(&r);
}

/* A run whose writers lack the entry check: the checker must see what it does. */
static void negative_control(void)
{
	uint64_t end_ns = fr_now_ns() + 30000000000ull;
	struct steering s = { 0 };
	struct rt_check k;
	struct rt_ring r;
	int err = rt_load_object(&r, dir, "ring_nocheck.bpf.o", SUB_SHIFT);

	if (!err)
		err = rt_check_init(&k, &r);
	if (!err)
		err = rt_start(&r);
	if (err) {
		printf("# %s\n", strerror(-err));
		result(false, "without_entry_check_starts");
		return;
	}
	while (fr_now_ns() < end_ns && k.errors < RT_COMPLAINTS) {
		steer(&r, &s);
		rt_snapshot(&k, &r);
	}
	rt_stop(&r);
	let_go(&r);
	print_run(&r, &k);
	result(k.errors > 0, "without_entry_check_the_checker_sees_wrong_records");
	rt_check_done(&k);
	rt_unload(&r);
}

int main(int argc, char **argv)
{
	struct rt_check k;
	struct rt_ring r;
	int err;

	(void)argc;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (geteuid()) {
		puts("skip ring needs root to load BPF programs");
		return 0;
	}
	snprintf(dir, sizeof(dir), "%s", dirname(strdupa(argv[0])));
	if (setpriority(PRIO_PROCESS, 0, -10)) /* this thread: the checker among full CPUs */
		printf("# no higher priority: %s, continuing without it\n", strerror(errno));
	err = rt_load_object(&r, dir, "ring_test.bpf.o", SUB_SHIFT);
	if (!err)
		err = rt_check_init(&k, &r);
	if (err) {
		printf("# %s\n", strerror(-err));
		result(false, "load");
		return 1;
	}
	stress(&r, &k);
	rt_check_done(&k);
	rt_unload(&r);
	drops();
	no_slot();
	negative_control();
	return failed_cnt ? 1 : 0;
}
