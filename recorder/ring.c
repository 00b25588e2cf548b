/* SPDX-License-Identifier: BSD-2-Clause */
#include "ring.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "formats/abi/event.h"
#include "formats/abi/knobs.h"
#include "formats/base/now.h"

/* ---- the real ring ------------------------------------------------------------------------ */

/* A part of an element cannot be looked up: its pages are mapped for the moment. They are the
 * ring's own, so this takes no memory. */
static int copy_part(const struct fr_ring_view *v, uint32_t index, uint32_t off_bytes,
		     uint32_t bytes, void *to)
{
	uint32_t page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
	uint32_t skip_bytes = off_bytes & (page_bytes - 1);
	uint32_t map_bytes = (skip_bytes + bytes + page_bytes - 1) & ~(page_bytes - 1);
	off_t at = ((off_t)index << FR_SUB_SHIFT) + off_bytes - skip_bytes;
	uint8_t *p = mmap(NULL, map_bytes, PROT_READ, MAP_SHARED, v->ring_fd, at);

	if (p == MAP_FAILED)
		return -errno;
	memcpy(to, p + skip_bytes, bytes);
	munmap(p, map_bytes);
	return 0;
}

static int copy_real(const struct fr_ring_view *v, uint32_t index, uint32_t off_bytes,
		     uint32_t bytes, void *to, void *ctx)
{
	(void)ctx;
	if (off_bytes || bytes != FR_SUB_BYTES)
		return copy_part(v, index, off_bytes, bytes, to);
	return bpf_map_lookup_elem(v->ring_fd, &index, to);
}

static int flush_real(const struct fr_ring_view *v, uint32_t cpu, void *ctx)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .flags = BPF_F_TEST_RUN_ON_CPU, .cpu = cpu);

	(void)ctx;
	return bpf_prog_test_run_opts(v->flush_prog_fd, &opts);
}

static const struct fr_ring_io real_io = { .copy = copy_real, .flush = flush_real };

/* ---- waiting ------------------------------------------------------------------------------ */

/* Zero-initialised. True while there is patience left; lets a writer that was pre-empted run. */
struct patience {
	uint64_t until_ns;
	uint32_t looks;
};

static bool wait_a_little(struct patience *p)
{
	if (++p->looks < 16)
		return true;
	if (!p->until_ns)
		p->until_ns = fr_now_ns() + FR_RING_PATIENCE_NS;
	sched_yield();
	return fr_now_ns() < p->until_ns;
}

/* ---- words of the protocol ---------------------------------------------------------------- */

/* Pairs with the writers' cmpxchg; the fence keeps what was loaded before it before it. */
static uint64_t load_head(const struct fr_ring_ctl *ctl)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&ctl->head, __ATOMIC_ACQUIRE);
}

static uint32_t ring_size(const struct fr_ring_view *v)
{
	return 1u << v->sub_shift;
}

static uint32_t sub_index(const struct fr_ring_view *v, uint16_t slot, uint32_t seq)
{
	return (uint32_t)slot << v->sub_shift | (seq & (ring_size(v) - 1));
}

static const struct fr_ring_sub *sub_of(const struct fr_ring_view *v, uint16_t slot, uint32_t seq)
{
	return &v->sub[sub_index(v, slot, seq)];
}

/* Has a writer come round to the place of sub-buffer `seq`? */
static bool came_round(const struct fr_ring_view *v, const struct fr_ring_ctl *ctl, uint32_t seq)
{
	return FR_HEAD_SEQ(load_head(ctl)) - seq >= ring_size(v);
}

/* Acquire: pairs with the additions of fr_commit() and fr_turn(). */
static bool committed(const struct fr_ring_view *v, const struct fr_ring_sub *sub, uint32_t seq,
		      uint32_t units)
{
	uint64_t commit = __atomic_load_n(&sub->commit, __ATOMIC_ACQUIRE);
	uint32_t want = (seq >> v->sub_shift) * FR_SUB_UNITS + units;

	return !((FR_COMMITTED(commit) ^ want) & FR_COMMIT_MASK(v->sub_shift));
}

static bool lies_here(const struct fr_ring_sub *sub, uint32_t seq)
{
	return (uint32_t)__atomic_load_n(&sub->seq, __ATOMIC_RELAXED) == seq;
}

/* Every turn up to this head is complete: headers are filled, counters agree with the head. */
static bool settled(const struct fr_ring_ctl *ctl, uint64_t head, uint64_t *ret_turns)
{
	*ret_turns = __atomic_load_n(&ctl->closed_subs, __ATOMIC_ACQUIRE) +
		     __atomic_load_n(&ctl->skipped_subs, __ATOMIC_ACQUIRE);
	return (uint32_t)*ret_turns == FR_HEAD_SEQ(head);
}

/* ---- the beginning ------------------------------------------------------------------------ */

static void note_counters(struct fr_ring_account *a, const struct fr_ring_ctl *ctl)
{
	a->dropped_retry = __atomic_load_n(&ctl->dropped_retry, __ATOMIC_RELAXED);
	a->dropped_busy = __atomic_load_n(&ctl->dropped_busy, __ATOMIC_RELAXED);
	a->dropped_nocpu = __atomic_load_n(&ctl->dropped_nocpu, __ATOMIC_RELAXED);
	a->flushes = __atomic_load_n(&ctl->flushes, __ATOMIC_RELAXED);
	a->emitted = a->dropped_retry + a->dropped_busy + a->dropped_nocpu;
}

/*
 * Head and counters of one moment: the head did not turn meanwhile, and the turns counted are as
 * many as its sequence number says. Returns the turns in 64 bits, which tell the first lap from
 * any later one even when the sequence number has wrapped.
 */
static uint64_t note_head(struct fr_ring_cursor *cur, const struct fr_ring_ctl *ctl,
			  uint64_t *ret_closed_records)
{
	struct patience patience = { 0 };
	uint64_t turns;
	bool ok;

	do {
		cur->last_head = load_head(ctl);
		ok = settled(ctl, cur->last_head, &turns);
		*ret_closed_records = __atomic_load_n(&ctl->closed_records, __ATOMIC_RELAXED);
		note_counters(&cur->account, ctl);
		ok = ok && FR_HEAD_SEQ(load_head(ctl)) == FR_HEAD_SEQ(cur->last_head);
	} while (!ok && wait_a_little(&patience));
	cur->account.unsettled = !ok;
	return turns + (uint32_t)(FR_HEAD_SEQ(cur->last_head) - (uint32_t)turns);
}

/* How many records each closed sub-buffer of the window holds, as long as that can be known. */
static uint64_t note_records(const struct fr_ring_view *v, const struct fr_ring_ctl *ctl,
			     struct fr_ring_cursor *cur)
{
	uint32_t mask = ring_size(v) - 1, seq = cur->next_seq, last = FR_HEAD_SEQ(cur->last_head);
	const struct fr_ring_sub *sub;
	uint64_t sum = 0;

	for (; seq != last; seq++) {
		sub = sub_of(v, cur->slot, seq);
		cur->records[seq & mask] = lies_here(sub, seq)
						   ? (uint16_t)__atomic_load_n(&sub->records,
									       __ATOMIC_RELAXED)
						   : 0;
	}
	/* those that writers came round to while we looked were overwritten before the window */
	while (cur->next_seq != last && came_round(v, ctl, cur->next_seq)) {
		cur->next_seq++;
		cur->left_cnt--;
	}
	for (seq = cur->next_seq; seq != last; seq++)
		sum += cur->records[seq & mask];
	return sum;
}

static void note_cpu(struct fr_ring_reader *r, uint32_t cpu)
{
	const struct fr_ring_view *v = r->view;
	const struct fr_ring_ctl *ctl = &v->ctl[cpu];
	struct fr_ring_cursor *cur = &r->cursors[cpu];
	uint64_t closed_records, turns;

	cur->slot = v->cpu_slot[cpu];
	if (cur->slot == FR_NO_SLOT) {
		note_counters(&cur->account, ctl);
		return;
	}
	cur->records = r->records + ((size_t)cur->slot << v->sub_shift);
	turns = note_head(cur, ctl, &closed_records);
	cur->left_cnt = turns + 1 < ring_size(v) ? (uint32_t)turns + 1 : ring_size(v);
	cur->next_seq = FR_HEAD_SEQ(cur->last_head) - (cur->left_cnt - 1);
	cur->account.overwritten = closed_records - note_records(v, ctl, cur);
	cur->account.emitted += closed_records;
}

int fr_ring_begin(struct fr_ring_reader *ret_reader, const struct fr_ring_view *view,
		  const struct fr_ring_io *io)
{
	struct fr_ring_reader r = {
		.view = view,
		.io = io ? *io : real_io,
		.cpu_cnt = view->cpu_cnt,
		.cursors = calloc(view->cpu_cnt, sizeof(*r.cursors)),
		.records = calloc((size_t)view->slot_cnt << view->sub_shift, sizeof(*r.records)),
	};

	if (!r.cursors || !r.records) {
		fr_ring_end(&r);
		return -ENOMEM;
	}
	for (uint32_t cpu = 0; cpu < r.cpu_cnt; cpu++)
		note_cpu(&r, cpu);
	*ret_reader = r;
	return 0;
}

void fr_ring_end(struct fr_ring_reader *r)
{
	free(r->cursors);
	free(r->records);
	*r = (struct fr_ring_reader){ 0 };
}

const struct fr_ring_account *fr_ring_account(const struct fr_ring_reader *r, uint32_t cpu)
{
	return &r->cursors[cpu].account;
}

/* ---- one sub-buffer ----------------------------------------------------------------------- */

static bool is_last(const struct fr_ring_cursor *cur)
{
	return cur->left_cnt == 1;
}

/* On to the next one; `missing` records of this one are lost by the cause that `counter` counts. */
static void leave(struct fr_ring_cursor *cur, uint64_t *counter, uint32_t missing)
{
	if (counter && missing) {
		*counter += missing;
		cur->lost = true;
	}
	cur->begun = cur->running = false;
	cur->next_seq++;
	cur->left_cnt--;
}

static uint32_t known_records(const struct fr_ring_view *v, const struct fr_ring_cursor *cur)
{
	return is_last(cur) ? FR_HEAD_RECORDS(cur->last_head)
			    : cur->records[cur->next_seq & (ring_size(v) - 1)];
}

/* The window's end moves with its last sub-buffer: what is in that one counts as emitted. */
static void count_last(struct fr_ring_cursor *cur, uint32_t records)
{
	if (is_last(cur))
		cur->account.emitted += records;
}

static void leave_overtaken(const struct fr_ring_view *v, struct fr_ring_cursor *cur)
{
	uint32_t missing = cur->begun ? cur->record_cnt - cur->ordinal : known_records(v, cur);

	if (!cur->begun)
		count_last(cur, missing);
	leave(cur, &cur->account.overtaken, missing);
}

/* A writer never came back. How many records are in there is known once it has been closed. */
static void leave_unfinished(const struct fr_ring_view *v, const struct fr_ring_ctl *ctl,
			     struct fr_ring_cursor *cur)
{
	const struct fr_ring_sub *sub = sub_of(v, cur->slot, cur->next_seq);
	uint32_t missing = known_records(v, cur), closed;
	uint64_t head = load_head(ctl), turns;

	if (is_last(cur) && FR_HEAD_SEQ(head) == cur->next_seq) {
		missing = FR_HEAD_RECORDS(head);
	} else if (is_last(cur) && settled(ctl, head, &turns)) {
		closed = __atomic_load_n(&sub->records, __ATOMIC_RELAXED);
		if (!came_round(v, ctl, cur->next_seq))
			missing = closed;
	}
	count_last(cur, missing);
	leave(cur, &cur->account.unfinished, missing);
}

/* A closed sub-buffer: waits until its last writer is out. True when it can be copied. */
static bool enter_closed(const struct fr_ring_view *v, const struct fr_ring_ctl *ctl,
			 struct fr_ring_cursor *cur)
{
	const struct fr_ring_sub *sub = sub_of(v, cur->slot, cur->next_seq);
	struct patience patience = { 0 };
	bool here, whole;

	do {
		whole = committed(v, sub, cur->next_seq, FR_SUB_UNITS);
		here = lies_here(sub, cur->next_seq);
		if (came_round(v, ctl, cur->next_seq)) {
			leave_overtaken(v, cur);
			return false;
		}
		if (!here && !cur->account.unsettled) {
			/* its turn was complete at the beginning: no writer has opened it */
			cur->account.skipped_subs++;
			leave(cur, NULL, 0);
			return false;
		}
	} while (!(whole && here) && wait_a_little(&patience));
	if (!whole || !here) {
		leave_unfinished(v, ctl, cur);
		return false;
	}
	cur->first_time_ns = __atomic_load_n(&sub->first_time_ns, __ATOMIC_RELAXED);
	cur->end_bytes = __atomic_load_n(&sub->used_units, __ATOMIC_RELAXED) * 8;
	cur->record_cnt = __atomic_load_n(&sub->records, __ATOMIC_RELAXED);
	if (came_round(v, ctl, cur->next_seq)) { /* what was just read may be of the next lap */
		leave_overtaken(v, cur);
		return false;
	}
	return true;
}

/*
 * The running sub-buffer without closing it: if nobody moved the head around a look at commit, and
 * commit says that all up to the head is in, then that prefix never changes any more.
 * 1: entered. 0: it was closed meanwhile. -EBUSY: writers are at work all the time.
 */
static int enter_at_rest(const struct fr_ring_view *v, const struct fr_ring_ctl *ctl,
			 struct fr_ring_cursor *cur)
{
	const struct fr_ring_sub *sub = sub_of(v, cur->slot, cur->next_seq);
	struct patience patience = { 0 };
	uint64_t head;
	bool rests;

	do {
		head = load_head(ctl);
		if (FR_HEAD_SEQ(head) != cur->next_seq)
			return 0;
		rests = committed(v, sub, cur->next_seq, FR_HEAD_UNITS(head)) &&
			load_head(ctl) == head;
	} while (!rests && wait_a_little(&patience));
	if (!rests)
		return -EBUSY;
	cur->first_time_ns = __atomic_load_n(&sub->first_time_ns, __ATOMIC_RELAXED);
	cur->end_bytes = FR_HEAD_UNITS(head) * 8;
	cur->record_cnt = FR_HEAD_RECORDS(head);
	cur->running = true;
	return 1;
}

/* True when the sub-buffer at next_seq can be copied; else it was left and accounted for. */
static bool enter(struct fr_ring_reader *r, uint32_t cpu)
{
	const struct fr_ring_view *v = r->view;
	const struct fr_ring_ctl *ctl = &v->ctl[cpu];
	struct fr_ring_cursor *cur = &r->cursors[cpu];
	int at_rest = 0;

	if (is_last(cur))
		at_rest = enter_at_rest(v, ctl, cur);
	if (at_rest == -EBUSY) {
		(void)r->io.flush(v, cpu, r->io.ctx); /* refused: it stays as unfinished as it is */
		if (FR_HEAD_SEQ(load_head(ctl)) == cur->next_seq) {
			leave_unfinished(v, ctl, cur);
			return false;
		}
	}
	if (at_rest <= 0 && !enter_closed(v, ctl, cur))
		return false;
	if (cur->end_bytes > FR_SUB_BYTES)
		cur->end_bytes = FR_SUB_BYTES;
	cur->off_bytes = cur->ordinal = 0;
	cur->begun = true;
	count_last(cur, cur->record_cnt);
	return true;
}

/* Whole records at the start of `part`, by their sizes alone. */
static void walk(const uint8_t *at, uint32_t bytes, uint32_t records_max, struct fr_ring_part *part)
{
	uint32_t size_bytes;
	uint64_t word;

	while (part->records < records_max && part->bytes + 8 <= bytes) {
		memcpy(&word, at + part->bytes, sizeof(word));
		size_bytes = FR_RECORD_UNITS(word) * 8;
		if (!size_bytes || size_bytes > bytes - part->bytes)
			return;
		part->bytes += size_bytes;
		part->records++;
	}
}

/* Copies the next part of the entered sub-buffer. 1, 0 = it gave nothing, or -errno. */
static int take_part(struct fr_ring_reader *r, uint32_t cpu, void *to, uint32_t room_bytes,
		     struct fr_ring_part *ret_part)
{
	const struct fr_ring_view *v = r->view;
	struct fr_ring_cursor *cur = &r->cursors[cpu];
	uint32_t left_bytes = cur->end_bytes - cur->off_bytes;
	uint32_t bytes = left_bytes < room_bytes ? left_bytes : room_bytes;
	bool to_end = bytes == left_bytes, whole = room_bytes >= FR_SUB_BYTES;
	struct fr_ring_part part = {
		.base_time_ns = cur->first_time_ns,
		.seq = cur->next_seq,
		.first_record = cur->ordinal,
		.running = cur->running,
		.loss_before = cur->lost,
	};
	int err = 0;

	if (bytes)
		err = r->io.copy(v, sub_index(v, cur->slot, cur->next_seq), cur->off_bytes,
				 whole ? FR_SUB_BYTES : bytes, to, r->io.ctx);
	if (err)
		return err;
	if (came_round(v, &v->ctl[cpu], cur->next_seq)) {
		leave_overtaken(v, cur);
		return 0;
	}
	walk(to, bytes, cur->record_cnt - cur->ordinal, &part);
	cur->account.kept += part.records;
	cur->ordinal += part.records;
	cur->off_bytes += part.bytes;
	if (part.records) {
		cur->lost = false;
		*ret_part = part;
	}
	if (to_end || !part.records || cur->ordinal == cur->record_cnt) {
		cur->account.torn += cur->record_cnt - cur->ordinal;
		leave(cur, &cur->account.unfinished, cur->record_cnt - cur->ordinal);
	}
	return part.records ? 1 : 0;
}

int fr_ring_read(struct fr_ring_reader *r, uint32_t cpu, void *to, uint32_t room_bytes,
		 struct fr_ring_part *ret_part)
{
	struct fr_ring_cursor *cur = &r->cursors[cpu];
	int got = 0;

	while (cur->left_cnt && !got)
		if (cur->begun || enter(r, cpu))
			got = take_part(r, cpu, to, room_bytes, ret_part);
	if (got < 0)
		cur->left_cnt = 0;
	return got;
}
