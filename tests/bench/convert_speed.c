/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a large synthetic dump of scheduler events, for measuring converters:
 *
 *   convert_speed FILE.frd [EVENTS [CPUS [THREADS [none|lz4|zstd]]]]
 *
 * Per CPU a plausible loop: a thread runs, wakes another, sleeps; the next one gets the CPU. Always
 * the same for the same arguments.
 */
#include <stdio.h>

#include "formats/base/cli.h"
#include "made_dump.h"

#define FIRST_TID 10000u
#define SWITCH_GAP_NS 4000u

struct gen {
	uint64_t events, made;
	uint32_t cpus, threads;
	struct gen_cpu {
		struct made_cpu made;
		uint32_t running;
	} * cpu;
	uint32_t *run_delay_ns; /* by thread */
	uint64_t random;
	struct made_dump dump;
};

static uint32_t rnd(struct gen *g, uint32_t below)
{
	g->random = g->random * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(g->random >> 33) % below;
}

static void add(struct gen *g, struct gen_cpu *c, uint32_t kind, void *record, uint32_t bytes)
{
	made_add(&g->dump, &c->made, kind, record, bytes);
	g->made++;
}

/* One turn of a CPU: the running thread wakes somebody, leaves, the next one comes. */
static void turn(struct gen *g, uint32_t cpu)
{
	struct gen_cpu *c = &g->cpu[cpu];
	/* threads belong to CPUs, so that nobody runs on two at once */
	uint32_t per_cpu = g->threads / g->cpus, first = cpu * per_cpu;
	uint32_t next = first + rnd(g, per_cpu);
	struct fr_sched_waking waking;
	struct fr_sched_switch sw;

	if (next == c->running)
		next = first + (next - first + 1) % per_cpu;
	c->made.now_ns += 200 + rnd(g, SWITCH_GAP_NS);
	waking.who = FR_WAKING_WHO(FIRST_TID + next, FIRST_TID + c->running, cpu, FR_WAKER_TASK);
	add(g, c, FR_EV_SCHED_WAKING, &waking, sizeof(waking));
	g->run_delay_ns[next] += 300;
	c->made.now_ns += 300 + rnd(g, SWITCH_GAP_NS);
	sw = (struct fr_sched_switch){
		.who = FR_SWITCH_WHO(FIRST_TID + c->running, FIRST_TID + next, 1, 0),
		.run_delay_ns = g->run_delay_ns[c->running],
	};
	add(g, c, FR_EV_SCHED_SWITCH, &sw, sizeof(sw));
	c->running = next;
}

static void put_threads(struct gen *g)
{
	struct fr_buf b = { 0 };

	for (uint32_t i = 0; i < g->threads; i++) {
		struct fr_meta_thread t = { .tid = FIRST_TID + i,
					    .tgid = FIRST_TID + i - i % 8,
					    .start_ns = BOOT_NS / 2 };

		snprintf(t.comm, sizeof(t.comm), "worker-%u", i % 100000);
		fr_meta_add_thread(&b, &t);
		if (b.len_bytes > FR_CHUNK_RAW_MAX / 2 || i + 1 == g->threads)
			made_put(&g->dump, FR_CHUNK_THREADS, &b);
	}
	fr_buf_done(&b);
}

static uint64_t last_ns(const struct gen *g)
{
	uint64_t last = 0;

	for (uint32_t i = 0; i < g->cpus; i++)
		last = g->cpu[i].made.now_ns > last ? g->cpu[i].made.now_ns : last;
	return last;
}

/* Chunks go into the file in order of time: the CPU that is behind goes next. */
static void make_events(struct gen *g)
{
	uint32_t cpu = 0;

	for (uint32_t i = 0; i < g->cpus; i++) {
		g->cpu[i].made = (struct made_cpu){ .now_ns = BOOT_NS, .cpu = (uint16_t)i };
		g->cpu[i].running = i * (g->threads / g->cpus);
	}
	while (g->made < g->events && !g->dump.err) {
		turn(g, cpu);
		cpu = (cpu + 1) % g->cpus;
	}
	for (uint32_t i = 0; i < g->cpus; i++)
		made_end_chunk(&g->dump, &g->cpu[i].made);
}

static int write_dump(struct gen *g, const char *path, const char *codec)
{
	int err = made_create(&g->dump, path, codec);

	if (err)
		return err;
	made_put_head(&g->dump, g->cpus);
	put_threads(g);
	make_events(g);
	made_put_loss(&g->dump, g->cpus, last_ns(g));
	return made_finish(&g->dump);
}

static uint32_t number(int argc, char **argv, int i, uint32_t otherwise)
{
	uint64_t v = otherwise;

	if (argc > i && fr_parse_u64(argv[i], UINT32_MAX, &v))
		fprintf(stderr, "convert_speed: '%s' is no number, taking %u\n", argv[i],
			otherwise);
	return (uint32_t)v;
}

int main(int argc, char **argv)
{
	struct gen g = { .random = 42 };
	int err;

	if (argc < 2) {
		fprintf(stderr,
			"usage: convert_speed FILE.frd [EVENTS [CPUS [THREADS [CODEC]]]]\n");
		return 2;
	}
	g.events = number(argc, argv, 2, 4000000);
	g.cpus = number(argc, argv, 3, 2);
	g.threads = number(argc, argv, 4, 64);
	if (!g.cpus || g.cpus > FR_CPUS_MAX || g.threads / g.cpus < 2) {
		fprintf(stderr, "convert_speed: needs 1 to %u CPUs and two threads a CPU\n",
			FR_CPUS_MAX);
		return 2;
	}
	g.cpu = calloc(g.cpus, sizeof(*g.cpu));
	g.run_delay_ns = calloc(g.threads, sizeof(*g.run_delay_ns));
	err = g.cpu && g.run_delay_ns ? write_dump(&g, argv[1], argc > 5 ? argv[5] : "lz4")
				      : -ENOMEM;
	if (err)
		fprintf(stderr, "convert_speed: %s: %s\n", argv[1], strerror(-err));
	else
		printf("%llu\n", (unsigned long long)g.made);
	for (uint32_t i = 0; g.cpu && i < g.cpus; i++)
		fr_buf_done(&g.cpu[i].made.raw);
	free(g.cpu);
	free(g.run_delay_ns);
	return err ? 5 : 0;
}
