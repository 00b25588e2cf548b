/* SPDX-License-Identifier: BSD-2-Clause */
#include "selftest.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "formats/abi/event.h"
#include "formats/base/cli.h"
#include "stats.h"

struct seen {
	uint64_t kinds[256];
	bool broken;
};

/* At rest enough for a test: what is committed of the sub-buffer that each CPU writes now. */
static void count_sub(const struct fr_ring_view *ring, uint32_t cpu, uint8_t *copy, struct seen *s)
{
	uint64_t head = __atomic_load_n(&ring->ctl[cpu].head, __ATOMIC_ACQUIRE), word;
	uint32_t index = (uint32_t)ring->cpu_slot[cpu] << ring->sub_shift |
			 (FR_HEAD_SEQ(head) & ((1u << ring->sub_shift) - 1));
	uint32_t end = FR_HEAD_UNITS(head), units;

	if (bpf_map_lookup_elem(ring->ring_fd, &index, copy)) {
		s->broken = true;
		return;
	}
	for (uint32_t at = 0; at < end; at += units) {
		memcpy(&word, copy + (size_t)at * 8, sizeof(word));
		units = FR_RECORD_UNITS(word);
		if (!units)
			return; /* its writer is not done yet */
		s->kinds[FR_RECORD_KIND(word)]++;
	}
}

static void do_something(void)
{
	struct timespec pause = { .tv_nsec = 20000000 };
	char byte = 0;
	int ends[2];
	pid_t pid;

	if (pipe(ends))
		return;
	pid = fork();
	if (!pid) {
		if (read(ends[0], &byte, 1) != 1)
			_exit(1);
		_exit(0);
	}
	clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL); /* a switch; the child blocks */
	if (write(ends[1], &byte, 1) == 1 && pid > 0)
		waitpid(pid, NULL, 0);
	close(ends[0]);
	close(ends[1]);
}

static int tell(bool ok, const char *what, uint64_t cnt)
{
	printf("%s %s (%llu)\n", ok ? "ok" : "not ok", what, (unsigned long long)cnt);
	return !ok;
}

static int check(const struct fr_recorder *rec, const struct seen *s, const struct fr_stats *stats)
{
	static const struct {
		uint32_t family;
		uint32_t kind;
		const char *what;
	} parts[] = {
		{ FR_FAMILY_PROC, FR_EV_PROC_FORK, "proc: a fork is seen" },
		{ FR_FAMILY_PROC, FR_EV_PROC_EXIT, "proc: an exit is seen" },
		{ FR_FAMILY_SCHED, FR_EV_SCHED_SWITCH, "sched: switches are seen" },
		{ FR_FAMILY_WAKING, FR_EV_SCHED_WAKING, "waking: wake-ups are seen" },
	};
	int bad = 0;

	for (uint32_t i = 0; i < rec->family_cnt; i++)
		if (rec->config.families & 1u << (i + 1) && !rec->families[i].on) {
			printf("not ok family %s: %s\n", rec->families[i].name,
			       rec->families[i].why);
			bad++;
		}
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (rec->families[parts[i].family - 1].on)
			bad += tell(s->kinds[parts[i].kind] > 0, parts[i].what,
				    s->kinds[parts[i].kind]);
	bad += tell(!s->broken, "ring: can be read", stats->emitted);
	bad += tell(!stats->dropped, "ring: nothing dropped", stats->dropped);
	return bad;
}

int fr_selftest_run(struct fr_recorder *rec)
{
	uint8_t *copy = malloc(FR_SUB_BYTES);
	struct seen seen = { 0 };
	struct fr_stats stats;
	int bad = 1;

	if (!copy || fr_stats_init(&stats, rec)) {
		printf("not ok memory: %s\n", strerror(errno));
		free(copy);
		return FR_EXIT_IO;
	}
	for (int i = 0; i < 5; i++)
		do_something();
	fr_stats_read(&stats);
	for (uint32_t cpu = 0; cpu < rec->ring.cpu_cnt; cpu++)
		if (rec->ring.cpu_slot[cpu] != FR_NO_SLOT)
			count_sub(&rec->ring, cpu, copy, &seen);
	bad = check(rec, &seen, &stats);
	for (uint32_t i = 0; i < rec->features.degraded_cnt; i++)
		printf("degraded: %s\n", rec->features.degraded[i]);
	fr_stats_done(&stats);
	free(copy);
	return bad ? FR_EXIT_DAMAGED : FR_EXIT_OK;
}
