/* SPDX-License-Identifier: BSD-2-Clause */
#include "stats.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "clock.h"

const char *fr_counter_name(uint32_t id)
{
	static const char *const names[] = {
#define COUNTER_NAME(number, NAME, name) [number] = #name,
		FR_COUNTERS(COUNTER_NAME)
#undef COUNTER_NAME
	};

	return id < FR_COUNTER_CNT ? names[id] : "unknown";
}

int fr_stats_init(struct fr_stats *s, const struct fr_recorder *rec)
{
	int cpu_cnt = libbpf_num_possible_cpus();

	*s = (struct fr_stats){ .rec = rec };
	if (cpu_cnt < 0)
		return cpu_cnt;
	s->percpu_cnt = (uint32_t)cpu_cnt;
	s->percpu = calloc(s->percpu_cnt, sizeof(*s->percpu));
	s->cpus = calloc(rec->ring.cpu_cnt, sizeof(*s->cpus));
	if (!s->percpu || !s->cpus) {
		fr_stats_done(s);
		return -ENOMEM;
	}
	for (uint32_t cpu = 0; cpu < rec->ring.cpu_cnt; cpu++)
		s->cpus[cpu].worst_ns = FR_NS_UNKNOWN;
	s->worst_ns = FR_NS_UNKNOWN;
	return 0;
}

void fr_stats_done(struct fr_stats *s)
{
	free(s->cpus);
	free(s->percpu);
	s->cpus = NULL;
	s->percpu = NULL;
}

/* First time of the oldest sub-buffer that still lies in the ring. */
static uint64_t oldest_ns(const struct fr_ring_view *ring, uint32_t cpu, uint32_t seq)
{
	uint32_t subs = 1u << ring->sub_shift, first = seq >= subs ? seq - subs + 1 : 0;
	const struct fr_ring_sub *sub =
		ring->sub + ((size_t)ring->cpu_slot[cpu] << ring->sub_shift);

	/* one that was passed over, or is being opened right now, holds another's number */
	for (; first != seq; first++)
		if ((uint32_t)__atomic_load_n(&sub[first & (subs - 1)].seq, __ATOMIC_ACQUIRE) ==
		    first)
			break;
	return __atomic_load_n(&sub[first & (subs - 1)].first_time_ns, __ATOMIC_RELAXED);
}

/* What a full ring of this CPU would cover if events go on coming as they did since the start. */
static uint64_t full_ns(const struct fr_ring_view *ring, uint64_t head, uint64_t uptime_ns)
{
	uint64_t units = (uint64_t)FR_HEAD_SEQ(head) * FR_SUB_UNITS + FR_HEAD_UNITS(head);
	uint64_t whole = (uint64_t)FR_SUB_UNITS << ring->sub_shift;

	if (units < 1024)
		return FR_NS_UNKNOWN; /* too little to tell */
	return (uint64_t)((double)uptime_ns * (double)whole / (double)units);
}

static void read_cpu(struct fr_stats *s, uint32_t cpu)
{
	const struct fr_ring_view *ring = &s->rec->ring;
	const struct fr_ring_ctl *ctl = &ring->ctl[cpu];
	uint64_t head = __atomic_load_n(&ctl->head, __ATOMIC_ACQUIRE), oldest;
	struct fr_cpu_stats *c = &s->cpus[cpu];

	c->has_slot = ring->cpu_slot[cpu] != FR_NO_SLOT;
	c->dropped_retry = ctl->dropped_retry;
	c->dropped_busy = ctl->dropped_busy;
	c->dropped_nocpu = ctl->dropped_nocpu;
	c->skipped_subs = ctl->skipped_subs;
	c->retries = ctl->retries;
	c->emitted = ctl->closed_records + FR_HEAD_RECORDS(head) - ctl->flushes +
		     ctl->dropped_retry + ctl->dropped_busy + ctl->dropped_nocpu;
	s->emitted += c->emitted;
	s->dropped += c->dropped_retry + c->dropped_busy + c->dropped_nocpu;
	if (!c->has_slot)
		return;
	c->laps = FR_HEAD_SEQ(head) >> ring->sub_shift;
	oldest = oldest_ns(ring, cpu, FR_HEAD_SEQ(head));
	c->now_ns = s->boot_ns > oldest ? s->boot_ns - oldest : 0;
	c->full_ns = c->laps ? c->now_ns : full_ns(ring, head, s->uptime_ns);
	if (c->laps && c->now_ns < c->worst_ns)
		c->worst_ns = c->now_ns;
	s->now_ns = c->now_ns < s->now_ns ? c->now_ns : s->now_ns;
	s->full_ns = c->full_ns < s->full_ns ? c->full_ns : s->full_ns;
	s->worst_ns = c->worst_ns < s->worst_ns ? c->worst_ns : s->worst_ns;
}

static void read_counters(struct fr_stats *s)
{
	int fd = fr_probes_map_fd(s->rec->probes, "fr_counters");

	for (uint32_t id = 0; fd >= 0 && id < FR_COUNTER_CNT; id++) {
		s->counters[id] = 0;
		if (bpf_map_lookup_elem(fd, &id, s->percpu))
			continue;
		for (uint32_t cpu = 0; cpu < s->percpu_cnt; cpu++)
			s->counters[id] += s->percpu[cpu];
	}
}

static uint64_t anon_bytes(void)
{
	char line[128];
	unsigned long long kib = 0;
	FILE *file = fopen("/proc/self/status", "re");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "RssAnon: %llu kB", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib << 10;
}

static uint64_t own_cpu_ns(void)
{
	struct rusage u;

	if (getrusage(RUSAGE_SELF, &u))
		return 0;
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000ull +
	       (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000ull;
}

void fr_stats_read(struct fr_stats *s)
{
	struct fr_clock_pair now = { 0 };

	if (!fr_clock_pair(s->rec->probes, FR_CLOCK_TRIGGER, &now)) {
		s->boot_ns = now.boot_ns;
		s->unix_ns = now.unix_ns;
	}
	s->uptime_ns = s->boot_ns - s->rec->start_clock.boot_ns;
	s->emitted = s->dropped = 0;
	s->now_ns = s->full_ns = s->worst_ns = FR_NS_UNKNOWN;
	for (uint32_t cpu = 0; cpu < s->rec->ring.cpu_cnt; cpu++)
		read_cpu(s, cpu);
	s->misses = fr_probes_misses(s->rec->probes);
	s->map_bytes = fr_probes_map_bytes(s->rec->probes);
	s->anon_bytes = anon_bytes();
	s->cpu_ns = own_cpu_ns();
	read_counters(s);
}
