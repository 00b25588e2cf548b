/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The writer's side of the ring: reserve, fill, commit. The layout and its invariants are in
 * formats/abi/ring.h.
 *
 *	struct fr_slot s;
 *
 *	if (fr_reserve(&s, sizeof(*e) / 8, sizeof(*e)))
 *		return 0;		(counted by the cause)
 *	e = s.record;
 *	...fill every byte...
 *	fr_commit(&s, FR_EV_..., sizeof(*e) / 8);
 *
 * Right under any nesting on one CPU: a program that interrupts another one reserves, writes and
 * commits wholly inside. Never sleep between the two calls. Uprobe programs may be preempted: they
 * gather first, then call fr_preempt_off() before and fr_preempt_on() after; where a kernel lacks
 * that, their object has to be compiled with FR_WRITER_PREEMPTIBLE.
 */
#ifndef FR_BPF_RING_H
#define FR_BPF_RING_H

#include "probe.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* the loader sets slots << sub_shift */
	__uint(key_size, sizeof(__u32));
	__uint(value_size, FR_SUB_BYTES);
} fr_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fr_ring_sub);
} fr_subs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* possible CPUs */
	__type(key, __u32);
	__type(value, struct fr_ring_ctl);
} fr_ctl SEC(".maps");

struct fr_slot {
	void *record;		 /* where the record goes */
	struct fr_ring_sub *sub; /* the sub-buffer it lies in */
	struct fr_ring_ctl *ctl;
	__u64 time_ns;
	__u64 head; /* before this reservation */
	__u32 seq;  /* of the sub-buffer */
	__u32 cpu;
};

extern void bpf_preempt_disable(void) __ksym __weak;
extern void bpf_preempt_enable(void) __ksym __weak;

FR_INLINE void fr_preempt_off(void)
{
	if (fr_feature(FR_FEAT_PREEMPT_OFF))
		bpf_preempt_disable();
}

FR_INLINE void fr_preempt_on(void)
{
	if (fr_feature(FR_FEAT_PREEMPT_OFF))
		bpf_preempt_enable();
}

#ifndef FR_TEST_CLOCK_SKEW
#define FR_TEST_CLOCK_SKEW(now) (now) /* tests let one writer's clock jump */
#endif

/* The clock may step back a little, so the span reaches to both sides. A stale first time (its
 * opener was interrupted) makes a writer turn early, never wrong. */
FR_INLINE bool fr_time_fits(__u64 time_ns, const struct fr_ring_sub *sub)
{
	__u64 first = *(const volatile __u64 *)&sub->first_time_ns;

	return time_ns - first + FR_TIME_SPAN_MAX < 2 * FR_TIME_SPAN_MAX;
}

/* May a writer enter sub-buffer `seq`? Only when every writer of its older lap is out. */
FR_INLINE bool fr_may_enter(const struct fr_ring_sub *sub, __u32 seq)
{
#ifdef FR_TEST_NO_ENTRY_CHECK
	return true; /* negative control of the stress test: it must notice */
#else
	__u64 commit = *(const volatile __u64 *)&sub->commit;

	return !((FR_COMMITTED(commit) ^ (seq >> fr_knobs.sub_shift) * FR_SUB_UNITS) &
		 FR_COMMIT_MASK(fr_knobs.sub_shift));
#endif
}

/* What a reservation won: the place, and the head before. */
struct fr_claim {
	__u64 time_ns;
	__u64 head;
	__u32 seq;
	__u32 off; /* bytes */
};

/* The winner of the move into a sub-buffer opens it, closes the one before, and marks those passed
 * over as whole for this lap. */
FR_INLINE void fr_turn(struct fr_ring_ctl *ctl, struct fr_ring_sub *opened,
		       const struct fr_claim *won, __u32 passed)
{
	__u32 old = FR_HEAD_SEQ(won->head), idx;
	struct fr_ring_sub *sub;
	__u64 was;

	opened->seq = won->seq;
	opened->first_time_ns = won->time_ns;

	idx = FR_SUB_INDEX(ctl, old);
	sub = bpf_map_lookup_elem(&fr_subs, &idx);
	if (!sub)
		return;
	sub->used_units = FR_HEAD_UNITS(won->head);
	sub->records = FR_HEAD_RECORDS(won->head);
	sub->last_time_ns = won->time_ns;
	__sync_fetch_and_add(&ctl->closed_records, FR_HEAD_RECORDS(won->head));
	/* fetch form: whoever sees as many turns as the head says sees their records, too */
	was = __sync_fetch_and_add(&ctl->closed_subs, 1);
	barrier_var(was);
	/* pairs with the reader's acquire of commit: what stands above is seen before */
	was = __sync_fetch_and_add(&sub->commit,
				   FR_COMMIT_ATOMIC(FR_SUB_UNITS - FR_HEAD_UNITS(won->head)));
	barrier_var(was);
	if (!passed)
		return;
	__sync_fetch_and_add(&ctl->skipped_subs, passed);
#pragma clang loop unroll(disable)
	for (__u32 k = 1; k <= FR_RESERVE_TRIES; k++) {
		if (k > passed)
			break;
		idx = FR_SUB_INDEX(ctl, old + k);
		sub = bpf_map_lookup_elem(&fr_subs, &idx);
		if (sub) {
			was = __sync_fetch_and_add(&sub->commit, FR_COMMIT_ATOMIC(FR_SUB_UNITS));
			barrier_var(was);
		}
	}
}

/*
 * The whole reservation, with retries and the turn to the next sub-buffer: taken once per
 * sub-buffer, or when an interrupt came in between. A global function, so that the verifier sees
 * it once and not in every place that writes. 0, or -1 with the drop counted.
 */
int fr_reserve_slow(__u32 units, __u32 max_bytes, struct fr_claim *claim);
__attribute__((noinline)) int fr_reserve_slow(__u32 units, __u32 max_bytes, struct fr_claim *claim)
{
	__u32 cpu = bpf_get_smp_processor_id(), idx, passed = 0;
	struct fr_ring_ctl *ctl = bpf_map_lookup_elem(&fr_ctl, &cpu);
	struct fr_ring_sub *sub;
	__u64 head, next;
	bool turn;

	if (!ctl || !claim)
		return -1;
	if (ctl->first_sub == FR_NO_SUB) {
		__sync_fetch_and_add(&ctl->dropped_nocpu, 1);
		return -1;
	}
#pragma clang loop unroll(disable)
	for (int i = 0; i < FR_RESERVE_TRIES; i++) {
		head = *(volatile __u64 *)&ctl->head;
		claim->time_ns = FR_TEST_CLOCK_SKEW(bpf_ktime_get_boot_ns());
		claim->head = head;
		claim->seq = FR_HEAD_SEQ(head);
		claim->off = FR_HEAD_UNITS(head) * 8;
		idx = FR_SUB_INDEX(ctl, claim->seq);
		sub = bpf_map_lookup_elem(&fr_subs, &idx);
		if (!sub)
			return -1;
		turn = passed || claim->off + max_bytes > FR_SUB_BYTES ||
		       max_bytes == FR_SUB_BYTES || !fr_time_fits(claim->time_ns, sub);
		next = head + FR_HEAD_ONE_RECORD + units;
		if (turn) {
			claim->seq = FR_HEAD_SEQ(head) + 1 + passed;
			claim->off = 0;
			idx = FR_SUB_INDEX(ctl, claim->seq);
			sub = bpf_map_lookup_elem(&fr_subs, &idx);
			if (!sub)
				return -1;
			if (!fr_may_enter(sub, claim->seq)) {
				passed++;
				continue;
			}
			next = FR_HEAD_MAKE(claim->seq, 1, units);
		}
		if (__sync_val_compare_and_swap(&ctl->head, head, next) == head) {
			if (turn)
				fr_turn(ctl, sub, claim, passed);
			return 0;
		}
		__sync_fetch_and_add(&ctl->retries, 1);
		passed = 0;
	}
	if (passed)
		__sync_fetch_and_add(&ctl->dropped_busy, 1);
	else
		__sync_fetch_and_add(&ctl->dropped_retry, 1);
	return -1;
}

/* The usual case, inline: room in the running sub-buffer and nobody in between. */
FR_INLINE bool fr_reserve_fast(struct fr_ring_ctl *ctl, struct fr_ring_sub *sub, __u32 units,
			       const __u32 max_bytes, struct fr_claim *claim)
{
	claim->off = FR_HEAD_UNITS(claim->head) * 8;
	if (fr_unlikely(max_bytes == FR_SUB_BYTES || claim->off > FR_SUB_BYTES - max_bytes))
		return false;
	if (fr_unlikely(!fr_time_fits(claim->time_ns, sub)))
		return false;
	return __sync_val_compare_and_swap(&ctl->head, claim->head,
					   claim->head + FR_HEAD_ONE_RECORD + units) == claim->head;
}

/*
 * Reserves `units` 8-byte units; max_bytes is a compile-time bound of units * 8. 0, or -1 with the
 * drop counted. max_bytes == FR_SUB_BYTES always turns to the next sub-buffer (a flush).
 */
FR_INLINE int fr_reserve(struct fr_slot *s, __u32 units, const __u32 max_bytes)
{
	__u32 cpu = bpf_get_smp_processor_id(), idx, off;
	struct fr_ring_ctl *ctl = bpf_map_lookup_elem(&fr_ctl, &cpu);
	struct fr_claim claim;
	struct fr_ring_sub *sub;

	if (fr_unlikely(!ctl))
		return -1;
	/* the clock is read between load and cmpxchg: ring order is time order */
	claim.head = *(volatile __u64 *)&ctl->head;
	claim.time_ns = FR_TEST_CLOCK_SKEW(bpf_ktime_get_boot_ns());
	claim.seq = FR_HEAD_SEQ(claim.head);
	idx = FR_SUB_INDEX(ctl, claim.seq);
	sub = bpf_map_lookup_elem(&fr_subs, &idx);
	if (fr_unlikely(!sub || !fr_reserve_fast(ctl, sub, units, max_bytes, &claim))) {
		if (fr_reserve_slow(units, max_bytes, &claim))
			return -1;
		idx = FR_SUB_INDEX(ctl, claim.seq);
		sub = bpf_map_lookup_elem(&fr_subs, &idx);
	}
	s->record = bpf_map_lookup_elem(&fr_ring, &idx);
	if (fr_unlikely(!sub || !s->record))
		return -1;
	s->sub = sub;
	s->ctl = ctl;
	s->time_ns = claim.time_ns;
	s->head = claim.head;
	s->seq = claim.seq;
	s->cpu = cpu;
	off = claim.off;
	barrier_var(off);
	if (fr_unlikely(off > FR_SUB_BYTES - max_bytes))
		return -1;
	s->record += off;
	return 0;
}

#ifndef FR_TEST_IN_COMMIT
#define FR_TEST_IN_COMMIT() ((void)0) /* tests interrupt it there */
#endif

/* Adds to what is committed: see formats/abi/ring.h. The fetch form of the atomic is a full barrier
 * on every architecture (the form without a result is relaxed on arm64). */
FR_INLINE void fr_commit_units(struct fr_ring_ctl *ctl, struct fr_ring_sub *sub, __u32 units)
{
	__u64 was;

#if defined(__TARGET_ARCH_x86) && !defined(FR_WRITER_PREEMPTIBLE)
	if (fr_likely(!*(volatile __u32 *)&ctl->committing)) {
		volatile __u32 *low = (volatile __u32 *)&sub->commit;
		__u32 before;

		*(volatile __u32 *)&ctl->committing = 1;
		before = *low;
		FR_TEST_IN_COMMIT();
		*low = before + units;
		*(volatile __u32 *)&ctl->committing = 0;
		return;
	}
#endif
	was = __sync_fetch_and_add(&sub->commit, FR_COMMIT_ATOMIC(units));
	barrier_var(was);
}

/* Header word last. */
FR_INLINE void fr_commit(struct fr_slot *s, __u32 kind, __u32 units)
{
	*(volatile __u64 *)s->record = FR_RECORD_WORD(s->time_ns, kind, units);
	fr_commit_units(s->ctl, s->sub, units);
}

#endif
