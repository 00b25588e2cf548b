/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * service_floor COUNT ROUNDS PID: while a load runs, the service's rate without any program, and
 * with those of service_floor.bpf.c, which take turns every fifth of a second. COUNT: the file in
 * whose first word the service counts its requests. PID: the service.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "formats/base/cli.h"
#include "formats/base/now.h"
#include "service_floor.h"
#include "tests/lib/ring_object.h"

#define RING_SUBS 1024u /* 64 MiB, the default */
#define CPUS_MAX 256
#define LINKS_MAX 16
#define SLICE_NS 200000000u
#define SETTLE_NS 20000000u
#define ROUNDS_MAX 10000u

static const char *const names[SF_STATE_CNT] = { "no programs", "empty programs", "the clock read",
						 "24 bytes recorded",
						 "bytes of sockets", "bytes of sends" };

struct floor {
	struct bpf_object *obj;
	struct bpf_link *links[LINKS_MAX];
	uint32_t link_cnt;
	const volatile uint64_t *requests;
	struct sf_told told;
	int told_fd;
	int ctl_fd;
	uint32_t cpu_cnt;
	double rates[SF_STATE_CNT][ROUNDS_MAX]; /* requests per ns */
	uint32_t round_cnt;
};

static void wait_ns(uint32_t ns)
{
	struct timespec t = { 0, ns };

	nanosleep(&t, NULL);
}

static int load(struct floor *f, const char *dir)
{
	int cpu_cnt = libbpf_num_possible_cpus(), err;
	uint32_t shift = 0;

	if (cpu_cnt <= 0 || cpu_cnt > CPUS_MAX)
		return -E2BIG;
	f->cpu_cnt = (uint32_t)cpu_cnt;
	while (f->cpu_cnt << (shift + 1) <= RING_SUBS)
		shift++;
	err = ring_object_open(dir, "service_floor.bpf.o", f->cpu_cnt, shift, 0, &f->obj);
	err = err ? err : bpf_object__load(f->obj);
	if (err)
		return err;
	f->told_fd = bpf_object__find_map_fd_by_name(f->obj, ".data.told");
	f->ctl_fd = bpf_object__find_map_fd_by_name(f->obj, "fr_ctl");
	if (f->told_fd < 0)
		return f->told_fd;
	return ring_object_share(f->obj, f->cpu_cnt, shift);
}

static void detach(struct floor *f)
{
	while (f->link_cnt)
		bpf_link__destroy(f->links[--f->link_cnt]);
}

static int attach(struct floor *f)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, f->obj)
	{
		if (f->link_cnt == LINKS_MAX)
			return -E2BIG;
		f->links[f->link_cnt] = bpf_program__attach(p);
		if (!f->links[f->link_cnt])
			return -errno;
		f->link_cnt++;
	}
	return 0;
}

static int enter(struct floor *f, enum sf_state s)
{
	uint32_t zero = 0;

	f->told.state = s;
	if (bpf_map_update_elem(f->told_fd, &zero, &f->told, BPF_ANY))
		return -errno;
	if (s != SF_OFF)
		return f->link_cnt ? 0 : attach(f);
	detach(f);
	return 0;
}

static double rate(const struct floor *f)
{
	uint64_t start_ns, before;

	start_ns = fr_now_ns();
	before = *f->requests;
	wait_ns(SLICE_NS);
	return (double)(*f->requests - before) / (double)(fr_now_ns() - start_ns);
}

/* The sum of all CPUs' ring heads: it moves exactly when programs record. */
static uint64_t heads(const struct floor *f)
{
	struct fr_ring_ctl ctl;
	uint64_t sum = 0;

	for (uint32_t cpu = 0; cpu < f->cpu_cnt; cpu++)
		if (!bpf_map_lookup_elem(f->ctl_fd, &cpu, &ctl))
			sum += ctl.head;
	return sum;
}

/* All states once, from another one on each time, forwards and backwards in turn. */
static int round_of(struct floor *f, uint32_t round)
{
	uint64_t before;
	int err;

	for (uint32_t i = 0; i < SF_STATE_CNT; i++) {
		uint32_t at = round & 1 ? SF_STATE_CNT - 1 - i : i;
		enum sf_state s = (enum sf_state)((at + round / 2) % SF_STATE_CNT);

		err = enter(f, s);
		if (err)
			return err;
		wait_ns(SETTLE_NS);
		before = heads(f);
		f->rates[s][round] = rate(f);
		if ((heads(f) != before) != (s >= SF_RECORD))
			return -EPROTO;
		if (f->rates[s][round] <= 0)
			return -ENODATA; /* the load is over, or the service gone */
	}
	return 0;
}

static double mean(const double *v, uint32_t cnt)
{
	double sum = 0;

	for (uint32_t i = 0; i < cnt; i++)
		sum += v[i];
	return sum / cnt;
}

/* What is left of the rate, and how sure that is: from what the rounds' pairs differ by. */
static void report_state(const struct floor *f, enum sf_state s)
{
	double off = mean(f->rates[SF_OFF], f->round_cnt), ratio, d, squares = 0;

	ratio = mean(f->rates[s], f->round_cnt) / off;
	for (uint32_t i = 0; i < f->round_cnt; i++) {
		d = f->rates[s][i] - ratio * f->rates[SF_OFF][i];
		squares += d * d;
	}
	printf("service with %-17s %6.2f %% of the rate with none, +- %.2f\n", names[s],
	       100 * ratio, 100 * sqrt(squares) / f->round_cnt / off);
}

int main(int argc, char **argv)
{
	static struct floor f;
	uint64_t round_cnt, service;
	int fd, err;

	if (argc != 4 || fr_parse_u64(argv[2], ROUNDS_MAX, &round_cnt) || !round_cnt ||
	    fr_parse_u64(argv[3], UINT32_MAX, &service)) {
		fputs("usage: service_floor COUNT ROUNDS PID\n", stderr);
		return 2;
	}
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	f.requests = mmap(NULL, sizeof(*f.requests), PROT_READ, MAP_SHARED, fd, 0);
	if (f.requests == MAP_FAILED) {
		fprintf(stderr, "service_floor: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	f.told.service = (uint32_t)service;
	err = load(&f, dirname(strdupa(argv[0])));
	for (; f.round_cnt < round_cnt && !err; f.round_cnt++)
		err = round_of(&f, f.round_cnt);
	detach(&f);
	if (err) {
		fprintf(stderr, "service_floor: %s\n",
			err == -ENODATA ? "the service answers nothing any more" :
			err == -EPROTO	? "the programs do not do what they were told" :
					  strerror(-err));
		return 1;
	}
	for (int s = SF_EMPTY; s < SF_STATE_CNT; s++)
		report_state(&f, (enum sf_state)s);
	return 0;
}
