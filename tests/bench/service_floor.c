/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * service_floor COUNT: while a load runs, the service's rate without any program, and with those
 * of service_floor.bpf.c, which take turns every fifth of a second. COUNT: the file in whose first
 * word the service counts its requests.
 *   FR_ROUNDS (150)
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

#include "formats/abi/knobs.h"
#include "formats/abi/ring.h"
#include "service_floor.h"

#define RING_SUBS 1024u /* 64 MiB, the default */
#define CPUS_MAX 256u
#define SLICE_NS 200000000u
#define SETTLE_NS 20000000u
#define ROUNDS_MAX 10000u

enum state { OFF, EMPTY, CLOCK, RECORD, STATE_CNT };

static const char *const names[STATE_CNT] = { "no programs", "empty programs", "the clock read",
					      "24 bytes recorded" };

struct floor {
	struct bpf_object *obj;
	struct bpf_link *links[16];
	const volatile uint64_t *requests;
	volatile uint32_t *body;
	double rates[STATE_CNT][ROUNDS_MAX]; /* requests per ns */
	uint32_t round_cnt;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void wait_ns(uint32_t ns)
{
	struct timespec t = { 0, ns };

	nanosleep(&t, NULL);
}

/* Every CPU gets its part of a ring of the default's size. */
static int set_up_ring(const struct floor *f, uint32_t cpu_cnt, uint32_t shift)
{
	int fd = bpf_object__find_map_fd_by_name(f->obj, "fr_ctl"), err = 0;

	for (uint32_t cpu = 0; cpu < cpu_cnt && !err; cpu++) {
		struct fr_ring_ctl ctl = FR_RING_CTL(cpu, shift);

		err = bpf_map_update_elem(fd, &cpu, &ctl, BPF_ANY);
	}
	return err;
}

static void set_up_maps(const struct floor *f, uint32_t cpu_cnt, uint32_t shift)
{
	struct bpf_map *map;
	struct fr_knobs *k;
	size_t bytes;

	bpf_object__for_each_map(map, f->obj)
	{
		if (!strstr(bpf_map__name(map), ".rodata.knobs"))
			continue;
		k = (void *)(uintptr_t)bpf_map__initial_value(map, &bytes);
		k->sub_shift = (uint8_t)shift;
	}
	bpf_map__set_max_entries(bpf_object__find_map_by_name(f->obj, "fr_ring"), cpu_cnt << shift);
	bpf_map__set_max_entries(bpf_object__find_map_by_name(f->obj, "fr_subs"), cpu_cnt << shift);
	bpf_map__set_max_entries(bpf_object__find_map_by_name(f->obj, "fr_ctl"), cpu_cnt);
}

static int load(struct floor *f, const char *dir)
{
	int cpu_cnt = libbpf_num_possible_cpus();
	struct bpf_map *body;
	uint32_t shift = 0;
	char path[4200];
	size_t bytes;

	if (cpu_cnt <= 0 || (uint32_t)cpu_cnt > CPUS_MAX)
		return -E2BIG;
	while ((uint32_t)cpu_cnt << (shift + 1) <= RING_SUBS)
		shift++;
	snprintf(path, sizeof(path), "%s/service_floor.bpf.o", dir);
	f->obj = bpf_object__open_file(path, NULL);
	if (!f->obj)
		return -errno;
	set_up_maps(f, (uint32_t)cpu_cnt, shift);
	if (bpf_object__load(f->obj))
		return -errno;
	body = bpf_object__find_map_by_name(f->obj, ".data.body");
	if (!body)
		return -ENOENT;
	f->body = (void *)(uintptr_t)bpf_map__initial_value(body, &bytes);
	return set_up_ring(f, (uint32_t)cpu_cnt, shift);
}

static void detach(struct floor *f)
{
	for (int i = 0; f->links[i]; i++) {
		bpf_link__destroy(f->links[i]);
		f->links[i] = NULL;
	}
}

static int attach(struct floor *f)
{
	struct bpf_program *p;
	int i = 0;

	bpf_object__for_each_program(p, f->obj)
	{
		f->links[i] = bpf_program__attach(p);
		if (!f->links[i++])
			return -errno;
	}
	return 0;
}

static int enter(struct floor *f, enum state s)
{
	static const uint32_t bodies[STATE_CNT] = { 0, SF_EMPTY, SF_CLOCK, SF_RECORD };

	*f->body = bodies[s];
	if (s == OFF)
		detach(f);
	else if (!f->links[0])
		return attach(f);
	return 0;
}

static double rate(const struct floor *f)
{
	uint64_t start_ns, before;

	wait_ns(SETTLE_NS);
	start_ns = now_ns();
	before = *f->requests;
	wait_ns(SLICE_NS);
	return (double)(*f->requests - before) / (double)(now_ns() - start_ns);
}

/* All states once, from another one on each time, forwards and backwards in turn. */
static int round_of(struct floor *f, uint32_t round)
{
	int err;

	for (uint32_t i = 0; i < STATE_CNT; i++) {
		uint32_t at = round & 1 ? STATE_CNT - 1 - i : i;
		enum state s = (enum state)((at + round / 2) % STATE_CNT);

		err = enter(f, s);
		if (err)
			return err;
		f->rates[s][round] = rate(f);
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
static void report_state(const struct floor *f, enum state s)
{
	double off = mean(f->rates[OFF], f->round_cnt), ratio, d, squares = 0;

	ratio = mean(f->rates[s], f->round_cnt) / off;
	for (uint32_t i = 0; i < f->round_cnt; i++) {
		d = f->rates[s][i] - ratio * f->rates[OFF][i];
		squares += d * d;
	}
	printf("service with %-18s %6.2f %% of the rate with none, +- %.2f\n", names[s],
	       100 * ratio, 100 * sqrt(squares) / f->round_cnt / off);
}

static uint32_t rounds(void)
{
	const char *s = getenv("FR_ROUNDS");
	unsigned long v = s ? strtoul(s, NULL, 10) : 0;

	return v && v <= ROUNDS_MAX ? (uint32_t)v : 150;
}

int main(int argc, char **argv)
{
	static struct floor f;
	int fd, err;

	if (argc != 2) {
		fputs("service_floor: needs the file of the service's count\n", stderr);
		return 2;
	}
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	f.requests = mmap(NULL, sizeof(*f.requests), PROT_READ, MAP_SHARED, fd, 0);
	if (f.requests == MAP_FAILED) {
		fprintf(stderr, "service_floor: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	err = load(&f, dirname(strdupa(argv[0])));
	for (; f.round_cnt < rounds() && !err; f.round_cnt++)
		err = round_of(&f, f.round_cnt);
	detach(&f);
	if (err) {
		fprintf(stderr, "service_floor: %s\n", strerror(-err));
		return 1;
	}
	if (mean(f.rates[OFF], f.round_cnt) <= 0) {
		fputs("service_floor: the service answers nothing\n", stderr);
		return 1;
	}
	for (int s = EMPTY; s < STATE_CNT; s++)
		report_state(&f, (enum state)s);
	return 0;
}
