/* SPDX-License-Identifier: BSD-2-Clause */
/* The checker of the ring's stress test: believes nothing that a snapshot says. */
#ifndef FR_TEST_RING_CHECK_H
#define FR_TEST_RING_CHECK_H

#include <stdarg.h>

#include "formats/base/bytes.h"
#include "ring_setup.h"

/* Around a gap, numbers of writers that interrupted each other lie on both sides of it. */
#define RT_EDGE 512
#define RT_IN_FLIGHT                                                                               \
	16 /* writers between their number and their reservation; nesting is far less */
#define RT_STEP_BACK_NS 1000000 /* bpf_ktime_get_boot_ns is not strictly monotonic */
#define RT_COMPLAINTS 10

struct rt_check {
	uint64_t snapshots, parts, records, bytes;
	uint64_t by_kind[256];
	uint64_t errors; /* torn, stale, duplicated, missing or reordered records; wrong accounts */
	uint64_t nested; /* neighbours whose numbers are out of order: one interrupted the other */
	uint64_t jumped; /* records with the clock of a jump */
	uint64_t steps_back;
	uint64_t missing; /* numbers that were refused room */
	uint64_t overtaken, unfinished, skipped, unsettled, running_parts;
	/* scratch */
	uint64_t *numbers;
	size_t number_cnt, number_cap, range_at;
	uint8_t *part;
	uint32_t room_bytes; /* of a part: a sub-buffer, or what a machine of many CPUs affords */
	uint64_t prev_time_ns, prev_number;
};

__attribute__((format(printf, 2, 3))) static inline void rt_complain(struct rt_check *k,
								     const char *fmt, ...)
{
	va_list args;

	if (k->errors++ >= RT_COMPLAINTS)
		return;
	va_start(args, fmt);
	fputs("# ", stdout);
	vprintf(fmt, args);
	putchar('\n');
	va_end(args);
}

static inline int rt_check_init(struct rt_check *k, const struct rt_ring *r)
{
	memset(k, 0, sizeof(*k));
	k->number_cap = ((size_t)FR_SUB_BYTES << r->view.sub_shift) / (RT_FIXED_UNITS * 8);
	k->numbers = malloc(k->number_cap * sizeof(*k->numbers));
	k->part = malloc(FR_SUB_BYTES);
	return k->numbers && k->part ? 0 : -ENOMEM;
}

static inline void rt_check_done(struct rt_check *k)
{
	free(k->numbers);
	free(k->part);
}

/* ---- one record ---------------------------------------------------------------------------- */

static inline uint64_t rt_full_time(uint64_t base_ns, uint64_t word)
{
	int64_t delta = (int64_t)((FR_RECORD_TIME(word) - base_ns) << (64 - FR_TIME_BITS));

	return base_ns + (uint64_t)(delta >> (64 - FR_TIME_BITS));
}

static inline bool rt_words_right(const uint8_t *at, uint64_t number)
{
	for (uint32_t i = 0; i < RT_WORDS(number); i++)
		if (fr_load64(at + i * 8) != RT_WORD(number, i))
			return false;
	return true;
}

static inline void rt_check_record(struct rt_check *k, const uint8_t *at, uint32_t cpu,
				   const struct fr_ring_part *part)
{
	uint64_t word = fr_load64(at), time_ns = rt_full_time(part->base_time_ns, word),
		 straight_ns;
	uint32_t kind = FR_RECORD_KIND(word), units = FR_RECORD_UNITS(word);
	struct rt_record e;

	k->records++;
	k->by_kind[kind]++;
	if (kind == FR_EV_REC_FLUSH)
		return;
	if (kind < RT_KIND_FIRST || kind >= RT_KIND_FIRST + RT_WRITER_CNT ||
	    units < RT_FIXED_UNITS) {
		rt_complain(k, "cpu %u sub %u: kind %u, %u units", cpu, part->seq, kind, units);
		return;
	}
	memcpy(&e, at, sizeof(e));
	if (units != RT_FIXED_UNITS + RT_WORDS(e.number) ||
	    !rt_words_right(at + sizeof(e), e.number) || (e.info & 0xff) != kind - RT_KIND_FIRST ||
	    (uint32_t)(e.info >> 8 & 0xffffff) != cpu) {
		rt_complain(k, "cpu %u sub %u: number %llu is torn", cpu, part->seq,
			    (unsigned long long)e.number);
		return;
	}
	if (e.time_ns != time_ns)
		rt_complain(k, "cpu %u sub %u: time %llu rebuilt as %llu", cpu, part->seq,
			    (unsigned long long)e.time_ns, (unsigned long long)time_ns);
	k->jumped += e.info >> 32 & 1;
	straight_ns = e.time_ns - (e.info >> 32 & 1 ? RT_JUMP_NS : 0);
	if (straight_ns < k->prev_time_ns) {
		k->steps_back++;
		if (k->prev_time_ns - straight_ns > RT_STEP_BACK_NS)
			rt_complain(k, "cpu %u sub %u: number %llu is %llu ns late", cpu, part->seq,
				    (unsigned long long)e.number,
				    (unsigned long long)(k->prev_time_ns - straight_ns));
	}
	k->prev_time_ns = straight_ns;
	k->nested += e.number < k->prev_number;
	k->prev_number = e.number;
	if (k->number_cnt < k->number_cap)
		k->numbers[k->number_cnt++] = e.number;
}

/* ---- one CPU ------------------------------------------------------------------------------- */

static inline int rt_by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Records without a gap between them: their numbers are dense but at the edges. */
static inline void rt_end_range(struct rt_check *k, uint32_t cpu, bool at_rest)
{
	uint64_t *n = k->numbers + k->range_at;
	size_t cnt = k->number_cnt - k->range_at, from = RT_EDGE, to;

	k->range_at = k->number_cnt;
	to = at_rest ? cnt : cnt - (cnt < RT_EDGE ? cnt : RT_EDGE);
	if (cnt <= RT_EDGE)
		return;
	qsort(n, cnt, sizeof(*n), rt_by_value);
	for (size_t i = 1; i < cnt; i++) {
		if (n[i] == n[i - 1])
			rt_complain(k, "cpu %u: number %llu twice", cpu, (unsigned long long)n[i]);
		else if (i >= from && i < to)
			k->missing += n[i] - n[i - 1] - 1;
	}
}

static inline void rt_check_account(struct rt_check *k, uint32_t cpu,
				    const struct fr_ring_account *a, uint64_t kept)
{
	if (a->emitted != a->kept + a->overwritten + a->overtaken + a->unfinished +
				  a->dropped_retry + a->dropped_busy + a->dropped_nocpu)
		rt_complain(k,
			    "cpu %u: %llu emitted, but kept %llu + overwritten %llu + overtaken "
			    "%llu + unfinished %llu + dropped",
			    cpu, (unsigned long long)a->emitted, (unsigned long long)a->kept,
			    (unsigned long long)a->overwritten, (unsigned long long)a->overtaken,
			    (unsigned long long)a->unfinished);
	if (a->kept != kept)
		rt_complain(k, "cpu %u: %llu kept, %llu handed out", cpu,
			    (unsigned long long)a->kept, (unsigned long long)kept);
	if (a->torn)
		rt_complain(k, "cpu %u: %llu torn", cpu, (unsigned long long)a->torn);
	k->overtaken += a->overtaken;
	k->unfinished += a->unfinished;
	k->skipped += a->skipped_subs;
	k->unsettled += a->unsettled;
}

static inline void rt_check_cpu(struct rt_check *k, struct fr_ring_reader *reader, uint32_t cpu,
				bool at_rest)
{
	struct fr_ring_part part;
	uint64_t kept = 0;
	bool begun = false;
	int ret;

	k->number_cnt = k->range_at = 0;
	k->prev_time_ns = k->prev_number = 0;
	while ((ret = fr_ring_read(reader, cpu, k->part, k->room_bytes, &part)) == 1) {
		if (begun && part.loss_before)
			rt_end_range(k, cpu, false);
		begun = true;
		k->parts++;
		k->bytes += part.bytes;
		k->running_parts += part.running;
		kept += part.records;
		for (uint32_t off = 0; off < part.bytes;
		     off += FR_RECORD_UNITS(fr_load64(k->part + off)) * 8)
			rt_check_record(k, k->part + off, cpu, &part);
	}
	rt_end_range(k, cpu, at_rest);
	if (ret < 0)
		rt_complain(k, "cpu %u: reading: %s", cpu, strerror(-ret));
	rt_check_account(k, cpu, fr_ring_account(reader, cpu), kept);
}

/* ---- the whole ring ------------------------------------------------------------------------ */

/* The writers' own counters around the beginning of a snapshot bound what it says was emitted. */
static inline void rt_check_emitted(struct rt_check *k, uint32_t cpu,
				    const struct fr_ring_account *a, uint64_t before,
				    uint64_t after)
{
	uint64_t events = a->emitted - a->flushes;

	if (events + RT_IN_FLIGHT < before || events > after + 1)
		rt_complain(k, "cpu %u: %llu emitted, writers say %llu to %llu", cpu,
			    (unsigned long long)events, (unsigned long long)before,
			    (unsigned long long)after);
}

static inline void rt_snapshot(struct rt_check *k, const struct rt_ring *r)
{
	uint64_t before[RT_CPUS_MAX];
	struct fr_ring_reader reader;

	k->room_bytes = k->snapshots % 4 == 3 ? FR_RING_PART_MIN : FR_SUB_BYTES;
	for (uint32_t cpu = 0; cpu < r->cpu_cnt; cpu++)
		before[cpu] = rt_load(&r->cpus[cpu].emitted);
	if (fr_ring_begin(&reader, &r->view, NULL)) {
		rt_complain(k, "no memory");
		return;
	}
	for (uint32_t cpu = 0; cpu < r->cpu_cnt; cpu++) {
		rt_check_cpu(k, &reader, cpu, false);
		rt_check_emitted(k, cpu, fr_ring_account(&reader, cpu), before[cpu],
				 rt_load(&r->cpus[cpu].emitted));
	}
	fr_ring_end(&reader);
	k->snapshots++;
}

/* The invariants of formats/abi/ring.h, which hold while nobody writes and nobody is held. */
static inline void fr_ring_check(struct rt_check *k, const struct rt_ring *r, uint32_t cpu)
{
	uint32_t shift = r->view.sub_shift, n = 1u << shift, mask = FR_COMMIT_MASK(shift);
	const struct fr_ring_ctl *ctl = &r->ctl[cpu];
	const struct fr_ring_sub *sub;
	uint32_t head_seq = FR_HEAD_SEQ(ctl->head), seq, want;
	uint64_t dropped = ctl->dropped_retry + ctl->dropped_busy + ctl->dropped_nocpu;

	for (uint32_t i = 0; i < n; i++) {
		seq = head_seq - i;
		sub = &r->sub[((uint32_t)r->cpu_slot[cpu] << shift) | (seq & (n - 1))];
		want = (seq >> shift) * FR_SUB_UNITS +
		       (i ? FR_SUB_UNITS : FR_HEAD_UNITS(ctl->head));
		if ((FR_COMMITTED(sub->commit) ^ want) & mask)
			rt_complain(k, "cpu %u sub %u: commit %llx, not %x", cpu, seq,
				    (unsigned long long)sub->commit, want);
	}
	if ((uint32_t)(ctl->closed_subs + ctl->skipped_subs) != head_seq)
		rt_complain(k, "cpu %u: %llu closed and %llu skipped are not %u", cpu,
			    (unsigned long long)ctl->closed_subs,
			    (unsigned long long)ctl->skipped_subs, head_seq);
	if (r->cpus[cpu].emitted + ctl->flushes !=
	    ctl->closed_records + FR_HEAD_RECORDS(ctl->head) + dropped)
		rt_complain(
			k,
			"cpu %u: %llu emitted, %llu flushes, but %llu + %u records + %llu dropped",
			cpu, (unsigned long long)r->cpus[cpu].emitted,
			(unsigned long long)ctl->flushes, (unsigned long long)ctl->closed_records,
			FR_HEAD_RECORDS(ctl->head), (unsigned long long)dropped);
	if (r->cpus[cpu].refused != dropped)
		rt_complain(k, "cpu %u: %llu were refused, %llu dropped", cpu,
			    (unsigned long long)r->cpus[cpu].refused, (unsigned long long)dropped);
}

/* Nobody writes: everything is exact, and a second look sees the same. */
static inline void rt_check_at_rest(struct rt_check *k, const struct rt_ring *r)
{
	struct fr_ring_account first[RT_CPUS_MAX];
	struct fr_ring_reader reader;

	for (int look = 0; look < 2; look++) {
		k->room_bytes = look ? FR_RING_PART_MIN : FR_SUB_BYTES;
		if (fr_ring_begin(&reader, &r->view, NULL)) {
			rt_complain(k, "no memory");
			return;
		}
		for (uint32_t cpu = 0; cpu < r->cpu_cnt; cpu++) {
			const struct fr_ring_account *a = fr_ring_account(&reader, cpu);

			rt_check_cpu(k, &reader, cpu, true);
			fr_ring_check(k, r, cpu);
			if (a->emitted - a->flushes != r->cpus[cpu].emitted)
				rt_complain(k, "cpu %u: %llu emitted, writers say %llu", cpu,
					    (unsigned long long)(a->emitted - a->flushes),
					    (unsigned long long)r->cpus[cpu].emitted);
			if (a->overtaken || a->unfinished)
				rt_complain(k, "cpu %u: loss at rest", cpu);
			if (look && memcmp(a, &first[cpu], sizeof(*a)))
				rt_complain(k, "cpu %u: the second look differs", cpu);
			first[cpu] = *a;
		}
		fr_ring_end(&reader);
	}
}

#endif
