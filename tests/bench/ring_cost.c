/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one event costs: a program that writes it, against an empty program and one that only reads
 * the clock, and against the kernel's BPF ring buffer (without wake-ups, its reader not counted)
 * and its perf buffer (overwriting). Test runs in a tight loop on one CPU; median of 20 passes in
 * which the programs take turns.
 *   FR_RUNS (20) FR_REPEAT (200000)
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <libgen.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/lib/ring_object.h"

#define SUB_SHIFT 9 /* 32 MiB, as on a machine with 2 CPUs */
#define RUNS_MAX 200
#define PERF_PAGES 1024
#define BAR_NS 10

enum body { EMPTY, CLOCK, RING16, RING24, RING32, RINGBUF32, PERF32, BODY_CNT };

static const char *const names[BODY_CNT] = { "rc_empty",  "rc_clock",	  "rc_ring16", "rc_ring24",
					     "rc_ring32", "rc_ringbuf32", "rc_perf32" };

struct bench {
	struct bpf_object *obj;
	struct ring_buffer *ringbuf;
	double ns[BODY_CNT][RUNS_MAX];
	uint32_t run_cnt, repeat_cnt;
};

/* The ring of the one CPU that the test runs on. */
static int set_up_object(struct bench *b, const char *dir)
{
	int err = ring_object_open(dir, "ring_cost.bpf.o", 1, SUB_SHIFT, 0, &b->obj);

	err = err ? err : bpf_object__load(b->obj);
	return err ? err : ring_object_share(b->obj, 1, SUB_SHIFT);
}

/* A ring that the kernel overwrites from its end: nobody has to read it. */
static int set_up_perf(const struct bench *b)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_BPF_OUTPUT,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_RAW,
		.write_backward = 1,
		.watermark = 1,
		.wakeup_watermark = 0x7fffffff,
	};
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	int map_fd = bpf_object__find_map_fd_by_name(b->obj, "rc_perf"), cpu = 0, fd;
	void *p;

	fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	p = mmap(NULL, (1 + PERF_PAGES) * page_bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) ||
	    bpf_map_update_elem(map_fd, &cpu, &fd, BPF_ANY))
		return -errno;
	return 0;
}

static int ignore_record(void *ctx, void *data, size_t bytes)
{
	(void)ctx;
	(void)data;
	(void)bytes;
	return 0;
}

static int measure(struct bench *b, enum body body, double *ret_ns)
{
	struct bpf_program *p = bpf_object__find_program_by_name(b->obj, names[body]);
	char packet[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = (int)b->repeat_cnt);
	int err = bpf_prog_test_run_opts(bpf_program__fd(p), &opts);

	if (err)
		return err;
	if (opts.retval)
		return -ENOBUFS; /* it had no room: that is not what is measured */
	*ret_ns = opts.duration;
	ring_buffer__consume(b->ringbuf);
	return 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(const struct bench *b, enum body body)
{
	double sorted[RUNS_MAX];

	memcpy(sorted, b->ns[body], b->run_cnt * sizeof(sorted[0]));
	qsort(sorted, b->run_cnt, sizeof(sorted[0]), by_value);
	return (sorted[(b->run_cnt - 1) / 2] + sorted[b->run_cnt / 2]) / 2;
}

/* Differences within one pass: what disturbs the machine disturbs both sides. */
static double median_over(const struct bench *b, enum body body, enum body base)
{
	double sorted[RUNS_MAX];

	for (uint32_t i = 0; i < b->run_cnt; i++)
		sorted[i] = b->ns[body][i] - b->ns[base][i];
	qsort(sorted, b->run_cnt, sizeof(sorted[0]), by_value);
	return (sorted[(b->run_cnt - 1) / 2] + sorted[b->run_cnt / 2]) / 2;
}

static void report(const struct bench *b)
{
	double clock = median_over(b, CLOCK, EMPTY), worst = 0, over;

	printf("%-14s %8s %14s %18s %18s\n", "program", "ns", "over empty", "over empty+clock",
	       "in clock reads");
	for (int i = 0; i < BODY_CNT; i++)
		printf("%-14s %8.1f %14.1f %18.1f %18.2f\n", names[i] + 3, median(b, (enum body)i),
		       median_over(b, (enum body)i, EMPTY), median_over(b, (enum body)i, CLOCK),
		       median_over(b, (enum body)i, EMPTY) / clock);
	over = median_over(b, RING32, CLOCK);
	printf("32 bytes beyond the clock: BPF ring buffer %.1fx, perf buffer %.1fx of ours\n",
	       median_over(b, RINGBUF32, CLOCK) / over, median_over(b, PERF32, CLOCK) / over);
	for (int i = RING16; i <= RING32; i++) {
		over = median_over(b, (enum body)i, CLOCK);
		worst = over > worst ? over : worst;
	}
	printf("event of 16 to 32 bytes over an empty program + clock read: %.1f ns, median of %u "
	       "(bar <= %d ns: %s)\n",
	       worst, b->run_cnt, BAR_NS, worst <= BAR_NS ? "met" : "missed");
}

static uint32_t number_of(const char *name, uint32_t usual, uint32_t most)
{
	const char *s = getenv(name);
	unsigned long v = s ? strtoul(s, NULL, 10) : usual;

	return v && v <= most ? (uint32_t)v : usual;
}

int main(int argc, char **argv)
{
	static struct bench b;
	cpu_set_t set;
	int err;

	(void)argc;
	if (geteuid()) {
		puts("skip ring_cost needs root to load BPF programs");
		return 0;
	}
	b.run_cnt = number_of("FR_RUNS", 20, RUNS_MAX);
	b.repeat_cnt = number_of("FR_REPEAT", 200000, 1000000); /* that many fit the ring buffer */
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);
	err = set_up_object(&b, dirname(strdupa(argv[0])));
	err = err ? err : set_up_perf(&b);
	if (!err) {
		b.ringbuf = ring_buffer__new(bpf_object__find_map_fd_by_name(b.obj, "rc_ringbuf"),
					     ignore_record, NULL, NULL);
		err = b.ringbuf ? 0 : -errno;
	}
	for (uint32_t run = 0; run < b.run_cnt && !err; run++)
		for (int i = 0; i < BODY_CNT && !err; i++)
			err = measure(&b, (enum body)i, &b.ns[i][run]);
	if (err) {
		fprintf(stderr, "ring_cost: %s\n", strerror(-err));
		return 1;
	}
	report(&b);
	return 0;
}
