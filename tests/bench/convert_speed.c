/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a large synthetic dump of scheduler events, for measuring converters:
 *
 *   convert_speed FILE.frd [EVENTS [CPUS [THREADS [none|lz4|zstd]]]]
 *
 * Per CPU a plausible loop: a thread runs, wakes another, sleeps; the next one gets the CPU. Always
 * the same for the same arguments.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/base/cli.h"
#include "formats/dump/codec.h"
#include "formats/dump/writer.h"

#define BOOT_NS 3600000000000ull
#define UNIX_NS 1764000000000000000ull
#define FIRST_TID 10000u
#define SEGMENT_BYTES (48u << 10)
#define SWITCH_GAP_NS 4000u

struct gen {
	uint64_t events, made;
	uint32_t cpus, threads;
	struct gen_cpu {
		struct fr_buf raw;
		size_t seg_at;
		struct fr_segment_header seg;
		uint64_t now_ns, first_ns;
		uint32_t running, sub_seq, records, segments;
	} * cpu;
	uint32_t *run_delay_ns; /* by thread */
	uint64_t random;
	struct fr_dump_writer *w;
	int err;
};

static uint32_t rnd(struct gen *g, uint32_t below)
{
	g->random = g->random * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(g->random >> 33) % below;
}

static void end_segment(struct gen_cpu *c)
{
	if (!c->seg.records)
		return;
	memcpy(c->raw.data + c->seg_at, &c->seg, sizeof(c->seg));
	c->segments++;
	c->sub_seq++;
	c->seg.records = 0;
}

static void end_chunk(struct gen *g, uint32_t cpu)
{
	struct gen_cpu *c = &g->cpu[cpu];
	struct fr_dump_events ev;

	end_segment(c);
	if (!c->records)
		return;
	ev = (struct fr_dump_events){
		.raw = c->raw.data,
		.raw_bytes = (uint32_t)c->raw.len_bytes,
		.cpu = (uint16_t)cpu,
		.first_time_ns = c->first_ns,
		.last_time_ns = c->now_ns,
		.records = c->records,
		.segments = c->segments,
	};
	if (!g->err)
		g->err = c->raw.err ? c->raw.err : fr_dump_put_events(g->w, &ev);
	fr_buf_clear(&c->raw);
	c->records = c->segments = 0;
}

static void add(struct gen *g, uint32_t cpu, uint32_t kind, void *record, uint32_t bytes)
{
	struct gen_cpu *c = &g->cpu[cpu];
	uint64_t word;

	if (c->raw.len_bytes + bytes + sizeof(c->seg) > FR_CHUNK_RAW_MAX)
		end_chunk(g, cpu);
	if (c->seg.records && c->seg.bytes + bytes > SEGMENT_BYTES)
		end_segment(c);
	if (!c->seg.records) {
		c->seg = (struct fr_segment_header){ .base_time_ns = c->now_ns,
						     .sub_seq = c->sub_seq };
		c->seg_at = c->raw.len_bytes;
		fr_buf_add(&c->raw, &c->seg, sizeof(c->seg));
	}
	if (!c->records)
		c->first_ns = c->now_ns;
	word = FR_RECORD_WORD(c->now_ns, kind, bytes / 8);
	memcpy(record, &word, sizeof(word));
	fr_buf_add(&c->raw, record, bytes);
	c->seg.records++;
	c->seg.bytes += bytes;
	c->records++;
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
	c->now_ns += 200 + rnd(g, SWITCH_GAP_NS);
	waking.who = FR_WAKING_WHO(FIRST_TID + next, FIRST_TID + c->running, cpu, FR_WAKER_TASK);
	add(g, cpu, FR_EV_SCHED_WAKING, &waking, sizeof(waking));
	g->run_delay_ns[next] += 300;
	c->now_ns += 300 + rnd(g, SWITCH_GAP_NS);
	sw = (struct fr_sched_switch){
		.who = FR_SWITCH_WHO(FIRST_TID + c->running, FIRST_TID + next, 1, 0),
		.run_delay_ns = g->run_delay_ns[c->running],
	};
	add(g, cpu, FR_EV_SCHED_SWITCH, &sw, sizeof(sw));
	c->running = next;
}

static void put_meta(struct gen *g)
{
	struct fr_meta_trigger trigger = { .main = { .name = "bench", .boot_ns = BOOT_NS } };
	struct fr_meta_clocks clocks = { .pairs = { { FR_CLOCK_TRIGGER, BOOT_NS, UNIX_NS, 0 } },
					 .pair_cnt = 1 };
	struct fr_meta_host host = { .name = "bench",
				     .boot_id = "bench",
				     .cpus_online = g->cpus,
				     .cpus_possible = g->cpus };
	struct fr_buf b = { 0 };

	fr_meta_add_trigger(&b, &trigger);
	g->err = g->err ? g->err : fr_dump_put_meta(g->w, FR_CHUNK_TRIGGER, &b);
	fr_buf_clear(&b);
	fr_meta_add_clocks(&b, &clocks);
	g->err = g->err ? g->err : fr_dump_put_meta(g->w, FR_CHUNK_CLOCK, &b);
	fr_buf_clear(&b);
	fr_meta_add_host(&b, &host);
	g->err = g->err ? g->err : fr_dump_put_meta(g->w, FR_CHUNK_HOST, &b);
	fr_buf_clear(&b);
	for (uint32_t i = 0; i < g->threads; i++) {
		struct fr_meta_thread t = { .tid = FIRST_TID + i,
					    .tgid = FIRST_TID + i - i % 8,
					    .start_ns = BOOT_NS / 2 };

		snprintf(t.comm, sizeof(t.comm), "worker-%u", i % 100000);
		fr_meta_add_thread(&b, &t);
		if (b.len_bytes > FR_CHUNK_RAW_MAX / 2 || i + 1 == g->threads) {
			g->err = g->err ? g->err : fr_dump_put_meta(g->w, FR_CHUNK_THREADS, &b);
			fr_buf_clear(&b);
		}
	}
	fr_buf_done(&b);
}

static void put_loss(struct gen *g)
{
	struct fr_meta_loss loss = { .cpu_cnt = g->cpus, .common_start_ns = BOOT_NS };

	loss.cpus = calloc(g->cpus, sizeof(*loss.cpus));
	if (!loss.cpus) {
		g->err = -ENOMEM;
		return;
	}
	for (uint32_t i = 0; i < g->cpus; i++) {
		loss.cpus[i] = (struct fr_cpu_loss){ .cpu = i, .oldest_ns = BOOT_NS };
		if (g->cpu[i].now_ns > loss.end_ns)
			loss.end_ns = g->cpu[i].now_ns;
	}
	g->err = g->err ? g->err : fr_dump_put_loss(g->w, &loss);
	free(loss.cpus);
}

/* Chunks go into the file in order of time: the CPU that is behind goes next. */
static void make_events(struct gen *g)
{
	uint32_t cpu = 0;

	for (uint32_t i = 0; i < g->cpus; i++) {
		g->cpu[i].now_ns = BOOT_NS;
		g->cpu[i].running = i * (g->threads / g->cpus);
		g->cpu[i].seg.records = 0;
	}
	while (g->made < g->events && !g->err) {
		turn(g, cpu);
		cpu = (cpu + 1) % g->cpus;
	}
	for (uint32_t i = 0; i < g->cpus; i++)
		end_chunk(g, i);
}

static int write_dump(struct gen *g, char *path, const char *codec)
{
	char *dir_copy = strdup(path), *base_copy = strdup(path);
	struct fr_dump_options opt = { .name = basename(base_copy),
				       .created_unix_ns = UNIX_NS,
				       .dump_id = (const uint8_t *)"synthetic-dump-!" };
	int err = fr_codec_parse(codec, &opt.codec, &opt.level);

	opt.dir_fd = open(dirname(dir_copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!err && opt.dir_fd < 0)
		err = -errno;
	if (!err)
		err = fr_dump_create(&opt, &g->w);
	if (!err) {
		put_meta(g);
		make_events(g);
		put_loss(g);
		if (g->err)
			fr_dump_abort(g->w, false);
		err = g->err ? g->err : fr_dump_finish(g->w, NULL);
	}
	free(dir_copy);
	free(base_copy);
	return err;
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
		fr_buf_done(&g.cpu[i].raw);
	free(g.cpu);
	free(g.run_delay_ns);
	return err ? 5 : 0;
}
