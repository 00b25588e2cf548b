/* SPDX-License-Identifier: BSD-2-Clause */
#include "dump_loss.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "dump_funnel.h"
#include "stats.h"

void fr_loss_count(struct fr_meta_loss *loss, const char *name, uint64_t value)
{
	struct fr_counter *c;

	if (!value || loss->counter_cnt == FR_COUNTERS_MAX)
		return;
	c = &loss->counters[loss->counter_cnt++];
	snprintf(c->name, sizeof(c->name), "%s", name);
	c->value = value;
}

/* From when on every record of this CPU is kept. */
static uint64_t oldest_of(uint64_t oldest_ns, uint64_t start_ns)
{
	if (oldest_ns == FR_OLDEST_NONE)
		return 0;
	return oldest_ns == FR_OLDEST_ALL ? start_ns : oldest_ns;
}

static void add_cpu(struct fr_meta_loss *loss, uint32_t cpu, const struct fr_ring_account *a,
		    uint64_t oldest_ns)
{
	loss->cpus[loss->cpu_cnt++] = (struct fr_cpu_loss){
		.cpu = cpu,
		.oldest_ns = oldest_ns,
		.emitted = a->emitted,
		.kept = a->kept,
		.overwritten = a->overwritten,
		.overtaken = a->overtaken,
		.unfinished = a->unfinished,
		.dropped_retry = a->dropped_retry,
		.dropped_busy = a->dropped_busy,
		.dropped_nocpu = a->dropped_nocpu,
	};
	if (oldest_ns > loss->common_start_ns)
		loss->common_start_ns = oldest_ns;
}

/* What probes count for themselves, summed up over CPUs. */
static void count_probes(struct fr_meta_loss *loss, const struct fr_recorder *rec)
{
	int map_fd = fr_probes_map_fd(rec->probes, "fr_counters");
	int cpus = libbpf_num_possible_cpus();
	uint64_t *values, sum;

	if (map_fd < 0 || cpus <= 0)
		return;
	values = calloc((size_t)cpus, sizeof(*values));
	for (uint32_t id = 0; values && id < FR_COUNTER_CNT; id++) {
		if (bpf_map_lookup_elem(map_fd, &id, values))
			continue;
		sum = 0;
		for (int i = 0; i < cpus; i++)
			sum += values[i];
		fr_loss_count(loss, fr_counter_name(id), sum);
	}
	free(values);
}

int fr_loss_begin(struct fr_meta_loss *loss, const struct fr_recorder *rec,
		  const struct fr_ring_reader *reader, const uint64_t *oldest_ns)
{
	uint64_t skipped = 0, torn = 0, flushes = 0, unsettled = 0, from_ns;
	const struct fr_ring_account *a;

	loss->cpus = calloc(reader->cpu_cnt, sizeof(*loss->cpus));
	if (!loss->cpus)
		return -ENOMEM;
	for (uint32_t cpu = 0; cpu < reader->cpu_cnt; cpu++) {
		a = fr_ring_account(reader, cpu);
		if (rec->ring.cpu_slot[cpu] == FR_NO_SLOT && !a->emitted)
			continue; /* a CPU that never was */
		from_ns = oldest_of(oldest_ns[cpu], rec->start_clock.boot_ns);
		add_cpu(loss, cpu, a, rec->ring.cpu_slot[cpu] == FR_NO_SLOT ? 0 : from_ns);
		skipped += a->skipped_subs;
		torn += a->torn;
		flushes += a->flushes;
		unsettled += a->unsettled;
	}
	fr_loss_count(loss, "skipped_sub_buffers", skipped);
	fr_loss_count(loss, "torn", torn);
	fr_loss_count(loss, "flush_records", flushes);
	fr_loss_count(loss, "unsettled_cpus", unsettled);
	fr_loss_count(loss, "recursion_misses", fr_probes_misses(rec->probes));
	count_probes(loss, rec);
	return 0;
}
