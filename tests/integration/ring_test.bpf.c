// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writers of the ring's stress test, in every context that probes run in: they interrupt each
 * other in the middle of a reservation. Programs that hold a writer back between reserve and
 * commit, or let its clock jump, are run on one CPU at a time by the test.
 */
#include "probe.bpf.h"

#include "formats/abi/ring.h"
#include "ring_test.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* possible CPUs */
	__type(key, __u32);
	__type(value, struct rt_cpu);
} rt_cpus SEC(".maps");

FR_INLINE struct rt_cpu *rt_cpu(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&rt_cpus, &cpu);
}

static __u64 rt_clock(__u64 now);
#define FR_TEST_CLOCK_SKEW(now) rt_clock(now)
static void rt_in_commit(void);
#define FR_TEST_IN_COMMIT() rt_in_commit()
#include "bpf/aux/flush.bpf.c"

/* Everything but the header word. */
FR_INLINE void rt_fill(struct rt_record *r, __u64 number, __u64 time_ns, __u64 info)
{
	__u64 *words = (__u64 *)(r + 1);

	r->number = number;
	r->time_ns = time_ns;
	r->info = info;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < RT_WORDS_MAX; i++) {
		if (i >= RT_WORDS(number))
			break;
		words[i] = RT_WORD(number, i);
	}
}

/*
 * A whole writer between the load and the cmpxchg of another one on this CPU, as an interrupt
 * would put it there. By hand, as the reservation it interrupts is the one in ring.bpf.h; it stays
 * in the running sub-buffer, whose first room the test has made sure of.
 */
int rt_between(__u64 now);
__attribute__((noinline)) int rt_between(__u64 now)
{
	__u32 cpu = bpf_get_smp_processor_id(), index, off, units;
	struct fr_ring_ctl *ctl = bpf_map_lookup_elem(&fr_ctl, &cpu);
	struct rt_cpu *c = rt_cpu();
	struct fr_ring_sub *sub;
	struct rt_record *r;
	__u64 head, number, was;

	if (!ctl || !c)
		return 1;
	head = *(volatile __u64 *)&ctl->head;
	index = FR_SUB_INDEX(ctl, FR_HEAD_SEQ(head));
	sub = bpf_map_lookup_elem(&fr_subs, &index);
	r = bpf_map_lookup_elem(&fr_ring, &index);
	off = FR_HEAD_UNITS(head) * 8;
	barrier_var(off);
	if (!sub || !r || off > FR_SUB_BYTES - RT_UNITS_MAX * 8)
		return 1;
	number = __sync_fetch_and_add(&c->emitted, 1);
	units = RT_FIXED_UNITS + RT_WORDS(number);
	if (__sync_val_compare_and_swap(&ctl->head, head, head + FR_HEAD_ONE_RECORD + units) !=
	    head)
		return 1;
	r = (void *)r + off;
	rt_fill(r, number, now, RT_INFO(RT_BETWEEN, cpu, 0));
	*(volatile __u64 *)r = FR_RECORD_WORD(now, RT_KIND_FIRST + RT_BETWEEN, units);
	/* in the middle of another one's commit it has to see that; else nobody is there to see */
	if (c->in_commit && !*(volatile __u32 *)&ctl->committing)
		return 1;
	was = __sync_fetch_and_add(&sub->commit, FR_COMMIT_ATOMIC(units));
	barrier_var(was);
	__sync_fetch_and_add(&c->by_writer[RT_BETWEEN], 1);
	return 0;
}

static __attribute__((noinline)) __u64 rt_clock(__u64 now)
{
	struct rt_cpu *c = rt_cpu();

	if (!c)
		return now;
	if (*(volatile __u64 *)&c->interrupts) {
		__sync_fetch_and_add(&c->interrupts, -1);
		rt_between(now);
	}
	return now + *(volatile __u64 *)&c->skew_ns;
}

static __attribute__((noinline)) void rt_in_commit(void)
{
	struct rt_cpu *c = rt_cpu();

	if (!c || !*(volatile __u64 *)&c->commit_interrupts)
		return;
	__sync_fetch_and_add(&c->commit_interrupts, -1);
	c->in_commit = 1;
	rt_between(bpf_ktime_get_boot_ns());
	c->in_commit = 0;
}

FR_INLINE int rt_reserve(struct fr_slot *s, struct rt_cpu *c, __u64 number)
{
	if (!fr_reserve(s, RT_FIXED_UNITS + RT_WORDS(number), RT_UNITS_MAX * 8))
		return 0;
	__sync_fetch_and_add(&c->refused, 1);
	return -1;
}

FR_INLINE int rt_write(__u32 writer)
{
	struct rt_cpu *c = rt_cpu();
	struct fr_slot s;
	__u64 number;

	if (!c)
		return 0;
	number = __sync_fetch_and_add(&c->emitted, 1);
	if (rt_reserve(&s, c, number))
		return 0;
	rt_fill(s.record, number, s.time_ns, RT_INFO(writer, s.cpu, c->skew_ns != 0));
	fr_commit(&s, RT_KIND_FIRST + writer, RT_FIXED_UNITS + RT_WORDS(number));
	__sync_fetch_and_add(&c->by_writer[writer < RT_WRITER_CNT ? writer : 0], 1);
	return 0;
}

SEC("tc")
int rt_task(struct __sk_buff *skb);
int rt_task(struct __sk_buff *skb)
{
	return rt_write(RT_TASK);
}

SEC("tp_btf/sys_enter")
int FR_PROG(rt_syscall)
{
	return rt_write(RT_SYSCALL);
}

SEC("tp_btf/sched_switch")
int FR_PROG(rt_switch)
{
	return rt_write(RT_SWITCH);
}

SEC("tp_btf/softirq_entry")
int FR_PROG(rt_softirq)
{
	return rt_write(RT_SOFTIRQ);
}

SEC("perf_event")
int FR_PROG(rt_hardirq)
{
	return rt_write(RT_HARDIRQ);
}

SEC("uprobe")
int FR_PROG(rt_uprobe)
{
	fr_preempt_off();
	rt_write(RT_UPROBE);
	fr_preempt_on();
	return 0;
}

/* ---- run by the test on one CPU ------------------------------------------------------------ */

SEC("raw_tp")
int FR_PROG(rt_hold)
{
	struct rt_cpu *c = rt_cpu();
	struct fr_slot s;
	__u64 number;

	if (!c || c->held)
		return 1;
	number = __sync_fetch_and_add(&c->emitted, 1);
	if (rt_reserve(&s, c, number))
		return 1;
	c->held_number = number;
	c->held_time_ns = s.time_ns;
	c->held_seq = s.seq;
	c->held_index = FR_SUB_INDEX(s.ctl, s.seq);
	/* where it goes: right behind the head before it, or at the start of the next sub-buffer */
	c->held_off = FR_HEAD_SEQ(s.head) == s.seq ? FR_HEAD_UNITS(s.head) * 8 : 0;
	c->held = 1;
	return 0;
}

SEC("raw_tp")
int FR_PROG(rt_release)
{
	struct rt_cpu *c = rt_cpu();
	struct fr_slot s = {};
	__u32 cpu = bpf_get_smp_processor_id(), index, off;

	if (!c || !c->held)
		return 1;
	index = c->held_index;
	off = c->held_off;
	s.sub = bpf_map_lookup_elem(&fr_subs, &index);
	s.record = bpf_map_lookup_elem(&fr_ring, &index);
	s.ctl = bpf_map_lookup_elem(&fr_ctl, &cpu);
	barrier_var(off);
	if (!s.ctl || !s.sub || !s.record || off > FR_SUB_BYTES - RT_UNITS_MAX * 8)
		return 1;
	s.record += off;
	s.time_ns = c->held_time_ns;
	rt_fill(s.record, c->held_number, s.time_ns,
		RT_INFO(RT_HELD, bpf_get_smp_processor_id(), 0));
	fr_commit(&s, RT_KIND_FIRST + RT_HELD, RT_FIXED_UNITS + RT_WORDS(c->held_number));
	__sync_fetch_and_add(&c->by_writer[RT_HELD], 1);
	c->held = 0;
	return 0;
}

SEC("raw_tp")
int FR_PROG(rt_jump)
{
	struct rt_cpu *c = rt_cpu();

	if (!c)
		return 1;
	*(volatile __u64 *)&c->skew_ns = RT_JUMP_NS;
	rt_write(RT_JUMP);
	*(volatile __u64 *)&c->skew_ns = 0;
	return 0;
}
