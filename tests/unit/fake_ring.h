/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ring in ordinary memory with a writer that follows the rules of formats/abi/ring.h, for tests
 * of its reader. Writers can be held between reserve and commit, and things can happen while the
 * reader copies.
 */
#ifndef FR_TESTS_FAKE_RING_H
#define FR_TESTS_FAKE_RING_H

#include <errno.h>
#include <sys/mman.h>

#include "cm.h"
#include "formats/abi/event.h"
#include "formats/abi/knobs.h"
#include "recorder/ring.h"

#define FAKE_CPUS_MAX 512
#define FAKE_DATA_SUBS 64u

struct fake_slot {
	uint32_t cpu, seq, units;
	uint64_t off_bytes;
};

struct fake_ring {
	struct fr_ring_view view;
	struct fr_ring_ctl *ctl;
	struct fr_ring_sub *sub;
	uint8_t *data;
	size_t sub_bytes, data_bytes;
	uint32_t data_mask; /* rings too large for a test share a few sub-buffers' contents */
	uint16_t cpu_slot[FAKE_CPUS_MAX];
	struct fr_ring_io io;
	uint64_t events[FAKE_CPUS_MAX]; /* what writers wanted, whatever became of it */
	/* while reading */
	void (*on_copy)(struct fake_ring *f, uint32_t index, uint32_t off_bytes);
	int copies, copy_error_at; /* the n-th copy fails; 0 = none */
	int flushes, flush_error;
	int user; /* the test's own */
};

static inline void *fake_memory(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
}

static inline struct fr_ring_sub *fake_sub(struct fake_ring *f, uint32_t cpu, uint32_t seq)
{
	return &f->sub[(uint32_t)f->cpu_slot[cpu] << f->view.sub_shift |
		       (seq & ((1u << f->view.sub_shift) - 1))];
}

static inline uint8_t *fake_data(struct fake_ring *f, uint32_t cpu, uint32_t seq)
{
	size_t index = (size_t)(fake_sub(f, cpu, seq) - f->sub) & f->data_mask;

	return f->data + (index << FR_SUB_SHIFT);
}

/* ---- writing ------------------------------------------------------------------------------- */

static inline bool fake_may_enter(struct fake_ring *f, uint32_t cpu, uint32_t seq)
{
	uint32_t want = (seq >> f->view.sub_shift) * FR_SUB_UNITS;

	return !((FR_COMMITTED(fake_sub(f, cpu, seq)->commit) ^ want) &
		 FR_COMMIT_MASK(f->view.sub_shift));
}

/* Closes the running sub-buffer and opens the next one that nobody is in. False: all are held. */
static inline bool fake_turn(struct fake_ring *f, uint32_t cpu, uint64_t time_ns)
{
	struct fr_ring_ctl *ctl = &f->ctl[cpu];
	uint32_t seq = FR_HEAD_SEQ(ctl->head), passed = 0;
	struct fr_ring_sub *old = fake_sub(f, cpu, seq), *next;

	while (!fake_may_enter(f, cpu, seq + 1 + passed))
		if (++passed == FR_RESERVE_TRIES)
			return false;
	old->used_units = FR_HEAD_UNITS(ctl->head);
	old->records = FR_HEAD_RECORDS(ctl->head);
	old->last_time_ns = time_ns;
	ctl->closed_records += old->records;
	ctl->closed_subs++;
	ctl->skipped_subs += passed;
	old->commit += FR_COMMIT_ATOMIC(FR_SUB_UNITS - old->used_units);
	for (uint32_t k = 1; k <= passed; k++)
		fake_sub(f, cpu, seq + k)->commit += FR_COMMIT_ATOMIC(FR_SUB_UNITS);
	next = fake_sub(f, cpu, seq + 1 + passed);
	next->seq = seq + 1 + passed;
	next->first_time_ns = time_ns;
	ctl->head = FR_HEAD_MAKE(seq + 1 + passed, 0, 0);
	return true;
}

/* Reserves and fills, but for the commit. The payload is the record's own number, repeated. */
static inline bool fake_reserve(struct fake_ring *f, uint32_t cpu, uint64_t time_ns, uint32_t kind,
				uint32_t units, struct fake_slot *ret)
{
	struct fr_ring_ctl *ctl = &f->ctl[cpu];
	uint64_t number = f->events[cpu]++, *at;

	if (f->cpu_slot[cpu] == FR_NO_SLOT) {
		ctl->dropped_nocpu++;
		return false;
	}
	if (FR_HEAD_UNITS(ctl->head) + units > FR_SUB_UNITS && !fake_turn(f, cpu, time_ns)) {
		ctl->dropped_busy++;
		return false;
	}
	*ret = (struct fake_slot){ cpu, FR_HEAD_SEQ(ctl->head), units,
				   FR_HEAD_UNITS(ctl->head) * 8 };
	ctl->head += FR_HEAD_ONE_RECORD + units;
	at = (uint64_t *)(fake_data(f, cpu, ret->seq) + ret->off_bytes);
	at[0] = FR_RECORD_WORD(time_ns, kind, units);
	for (uint32_t i = 1; i < units; i++)
		at[i] = number;
	return true;
}

static inline void fake_commit(struct fake_ring *f, const struct fake_slot *s)
{
	uint64_t *commit = &fake_sub(f, s->cpu, s->seq)->commit;

	*commit = (*commit & 0xffffffff00000000ull) | (uint32_t)(*commit + s->units);
}

static inline void fake_write(struct fake_ring *f, uint32_t cpu, uint64_t time_ns, uint32_t kind,
			      uint32_t units)
{
	struct fake_slot s = { 0 };

	if (fake_reserve(f, cpu, time_ns, kind, units, &s))
		fake_commit(f, &s);
}

/* ---- reading ------------------------------------------------------------------------------- */

static inline int fake_copy(const struct fr_ring_view *v, uint32_t index, uint32_t off_bytes,
			    uint32_t bytes, void *to, void *ctx)
{
	struct fake_ring *f = ctx;

	(void)v;
	if (++f->copies == f->copy_error_at)
		return -EIO;
	memcpy(to, f->data + ((size_t)(index & f->data_mask) << FR_SUB_SHIFT) + off_bytes, bytes);
	if (f->on_copy)
		f->on_copy(f, index, off_bytes);
	return 0;
}

static inline int fake_flush(const struct fr_ring_view *v, uint32_t cpu, void *ctx)
{
	struct fake_ring *f = ctx;
	struct fake_slot s = { 0 };

	(void)v;
	f->flushes++;
	if (f->flush_error)
		return f->flush_error;
	if (!fake_turn(f, cpu, 1))
		return 0; /* the program says 1: dropped */
	f->ctl[cpu].flushes++;
	f->events[cpu]--; /* no event of anybody's */
	if (fake_reserve(f, cpu, 1, FR_EV_REC_FLUSH, 1, &s))
		fake_commit(f, &s);
	return 0;
}

/* ---- making -------------------------------------------------------------------------------- */

static inline void fake_init(struct fake_ring *f, uint32_t cpu_cnt, uint32_t sub_shift)
{
	size_t subs = (size_t)cpu_cnt << sub_shift;

	memset(f, 0, sizeof(*f));
	f->sub_bytes = subs * sizeof(*f->sub);
	f->data_mask = sub_shift > 10 ? FAKE_DATA_SUBS - 1 : UINT32_MAX;
	f->data_bytes = (sub_shift > 10 ? FAKE_DATA_SUBS : subs) << FR_SUB_SHIFT;
	f->sub = fake_memory(f->sub_bytes);
	f->data = fake_memory(f->data_bytes);
	f->ctl = fake_memory(cpu_cnt * sizeof(*f->ctl));
	for (uint32_t cpu = 0; cpu < cpu_cnt; cpu++)
		f->cpu_slot[cpu] = (uint16_t)cpu;
	f->view = (struct fr_ring_view){
		.ctl = f->ctl,
		.sub = f->sub,
		.ring_fd = -1,
		.sub_shift = sub_shift,
		.slot_cnt = cpu_cnt,
		.cpu_cnt = cpu_cnt,
		.cpu_slot = f->cpu_slot,
		.flush_prog_fd = -1,
	};
	f->io = (struct fr_ring_io){ fake_copy, fake_flush, f };
}

static inline void fake_done(struct fake_ring *f)
{
	munmap(f->sub, f->sub_bytes);
	munmap(f->data, f->data_bytes);
	munmap(f->ctl, f->view.cpu_cnt * sizeof(*f->ctl));
}

/* As if `seq` sub-buffers (a multiple of the ring's size) had been written. */
static inline void fake_start_at(struct fake_ring *f, uint32_t cpu, uint32_t seq)
{
	uint32_t n = 1u << f->view.sub_shift;

	for (uint32_t i = 0; i < n; i++) {
		fake_sub(f, cpu, i)->commit = (seq >> f->view.sub_shift) * FR_SUB_UNITS;
		fake_sub(f, cpu, i)->seq = seq - n + i - 1; /* nobody's */
	}
	fake_sub(f, cpu, seq)->seq = seq;
	f->ctl[cpu].closed_subs = seq;
	f->ctl[cpu].head = FR_HEAD_MAKE(seq, 0, 0);
}

#endif
