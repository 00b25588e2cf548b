/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What wakes the daemon: the notice ring, and the gates of triggers before it. A cause is counted
 * always, and told only when its kind's gate is open: a storm costs a count, not a wake-up. Not for
 * programs on perf events.
 */
#ifndef FR_BPF_NOTICE_H
#define FR_BPF_NOTICE_H

#include "probe.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} fr_notices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fr_gate_table);
} fr_gates SEC(".maps");

/* The table if this kind of trigger is on, or NULL. */
FR_INLINE struct fr_gate_table *fr_gates_of(__u32 gate)
{
	__u32 zero = 0;
	struct fr_gate_table *t = bpf_map_lookup_elem(&fr_gates, &zero);

	return t && t->enabled & 1u << gate ? t : NULL;
}

/* Counts a cause; true for the one that may be told. */
FR_INLINE bool fr_gate_pass(struct fr_gate *g, __u64 now)
{
	__u64 next;

	__sync_fetch_and_add(&g->seen_cnt, 1);
	next = *(volatile __u64 *)&g->next_ns;
	return now >= next &&
	       __sync_val_compare_and_swap(&g->next_ns, next, now + g->closed_ns) == next;
}

/* A notice to fill in, for a cause that has passed; NULL with the gate opened again. */
FR_INLINE struct fr_notice_trigger *fr_gate_notice(struct fr_gate *g, __u32 gate, __u64 now)
{
	struct fr_notice_trigger *n = bpf_ringbuf_reserve(&fr_notices, sizeof(*n), 0);

	if (!n) {
		fr_count(FR_COUNTER_NOTICE_DROPPED);
		g->next_ns = now;
		return NULL;
	}
	__sync_fetch_and_add(&g->told_cnt, 1);
	__builtin_memset(n, 0, sizeof(*n));
	n->kind = FR_NOTICE_TRIGGER;
	n->gate = gate;
	n->time_ns = now;
	n->limit_ns = g->limit_ns;
	return n;
}

struct fr_comm {
	char name[16];
};

FR_INLINE void fr_comm_of(struct fr_comm *c, const struct task_struct *t)
{
	__builtin_memset(c, 0, sizeof(*c));
	bpf_probe_read_kernel_str(c->name, sizeof(c->name), t->comm);
}

/*
 * A cause that is a thread's or a disk's, not a socket's. who: tgid << 32 | tid; comm: its name, or
 * NULL. Global, so that the verifier sees it once.
 */
int fr_gate_tell(__u32 gate, __u64 who, struct fr_comm *comm, __u64 value, __u32 dev);
__attribute__((noinline)) int fr_gate_tell(__u32 gate, __u64 who, struct fr_comm *comm, __u64 value,
					   __u32 dev)
{
	struct fr_gate_table *t = fr_gates_of(gate & 31);
	__u64 now = bpf_ktime_get_boot_ns();
	struct fr_notice_trigger *n;
	struct fr_gate *g;

	if (!t || gate >= FR_GATE_CNT)
		return 0;
	g = &t->gates[gate];
	if (!fr_gate_pass(g, now))
		return 0;
	n = fr_gate_notice(g, gate, now);
	if (!n)
		return 0;
	n->tgid = who >> 32;
	n->tid = who;
	n->value = value;
	n->dev = dev;
	if (comm)
		__builtin_memcpy(n->comm, comm->name, sizeof(n->comm));
	bpf_ringbuf_submit(n, BPF_RB_FORCE_WAKEUP);
	return 0;
}

#endif
