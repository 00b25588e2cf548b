// SPDX-License-Identifier: GPL-2.0-only
/* Family block: requests to disks, and how long the device took. */
#include "filter.bpf.h"
#include "notice.bpf.h"
#include "ring.bpf.h"

/*
 * Requests under way: a table of pairs found by the request's address. A hash map costs a lock, a
 * hash and its chain, twice a request. With no place free in its pair, a request takes the older
 * one's, counted: most likely that one's completion was not seen. Two CPUs that take one place at
 * the same moment leave it to the later; the other's completion tells no latency, and says so.
 */
#define FR_BLOCK_PAIRS 2048u

struct fr_block_place {
	__u64 request; /* 0 = free; written last by who takes the place */
	__u64 time_ns; /* when it was issued; 0 = by the recorder: not recorded, nor its end */
	__u64 who;     /* tgid << 32 | tid */
};

struct fr_block_pair {
	struct fr_block_place places[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FR_BLOCK_PAIRS);
	__type(key, __u32);
	__type(value, struct fr_block_pair);
} block_inflight SEC(".maps");

struct request___disk { /* before 5.17 the request itself named the disk */
	struct gendisk *rq_disk;
} __attribute__((preserve_access_index));

FR_INLINE __u32 fr_block_dev(const struct request *rq)
{
	const struct request___disk *old = (const void *)rq;
	const struct gendisk *disk;

	if (rq->part)
		return rq->part->bd_dev;
	disk = bpf_core_field_exists(old->rq_disk) ? old->rq_disk : rq->q->disk;
	return disk ? (__u32)disk->major << 20 | (__u32)disk->first_minor : 0;
}

#define fr_block_holder(p) (*(volatile __u64 *)&(p)->request)

FR_INLINE struct fr_block_pair *fr_block_pair_of(__u64 request)
{
	/* requests of a queue lie side by side, a few cache lines each */
	__u32 index = (__u32)((request >> 6) ^ (request >> 17)) & (FR_BLOCK_PAIRS - 1);

	return bpf_map_lookup_elem(&block_inflight, &index);
}

/* The place that holds this request, or NULL. */
FR_INLINE struct fr_block_place *fr_block_place_of(__u64 request)
{
	struct fr_block_pair *pair = fr_block_pair_of(request);

	if (!pair)
		return NULL;
	if (fr_block_holder(&pair->places[0]) == request)
		return &pair->places[0];
	if (fr_block_holder(&pair->places[1]) == request)
		return &pair->places[1];
	return NULL;
}

/* A place of its own pair: its own of before, a free one, the older one's. */
FR_INLINE struct fr_block_place *fr_block_place_take(struct fr_block_pair *pair, __u64 request)
{
	struct fr_block_place *one = &pair->places[0], *two = &pair->places[1];
	__u64 first = fr_block_holder(one), second = fr_block_holder(two);

	if (first == request || (!first && second != request))
		return one;
	if (second == request || !second)
		return two;
	fr_count(FR_COUNTER_BLOCK_UNTRACKED);
	return one->time_ns < two->time_ns ? one : two;
}

FR_INLINE void fr_block_track(__u64 request, __u64 time_ns)
{
	struct fr_block_pair *pair = fr_block_pair_of(request);
	struct fr_block_place *p;

	if (!pair)
		return;
	p = fr_block_place_take(pair, request);
	fr_block_holder(p) = 0;
	p->time_ns = time_ns;
	p->who = bpf_get_current_pid_tgid();
	barrier();
	fr_block_holder(p) = request;
}

SEC("tp_btf/block_rq_issue")
int FR_PROG(fr_block_issue)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct fr_block_issue *e;
	const struct request *rq;
	struct fr_slot s;

	rq = (void *)ctx[0];
	if (!fr_wanted(t)) {
		if (fr_knobs.filter_kind == FR_FILTER_NONE)
			fr_block_track((__u64)rq, 0);
		return 0;
	}
	if (fr_reserve(&s, sizeof(*e) / 8, sizeof(*e)))
		return 0;
	e = s.record;
	e->sector = rq->__sector;
	e->dev = fr_block_dev(rq);
	e->bytes = rq->__data_len;
	e->tid = t->pid;
	e->op = rq->cmd_flags & 0xff;
	__builtin_memset(e->reserved_zero, 0, sizeof(e->reserved_zero));
	fr_commit(&s, FR_EV_BLOCK_ISSUE, sizeof(*e) / 8);
	fr_block_track((__u64)rq, s.time_ns);
	return 0;
}

/* blk_status_t to errno, as the kernel's table in block/blk-core.c has it. */
FR_INLINE __s32 fr_block_errno(__u32 status)
{
	switch (status) {
	case 0:
		return 0;
	case 1: /* NOTSUPP */
		return -95;
	case 2: /* TIMEOUT */
		return -110;
	case 3: /* NOSPC */
		return -28;
	case 4: /* TRANSPORT */
		return -67;
	case 5: /* TARGET */
		return -121;
	case 7: /* MEDIUM */
		return -61;
	case 9: /* RESOURCE */
		return -12;
	}
	return -5;
}

FR_INLINE bool fr_block_is_news(const struct request *rq, bool tracked, __u64 since, __u32 done)
{
	if (tracked)
		return since;
	if (fr_knobs.filter_kind != FR_FILTER_NONE)
		return false; /* its issue was kept out */
	/* nothing done: the end of a write with flushes around it, whose parts have been told */
	return done || (rq->cmd_flags & 0xff) == FR_BLOCK_FLUSH;
}

/* Trigger block: a request took long. */
FR_INLINE void fr_block_look(const struct fr_block_place *issued, __u64 now, __u32 dev)
{
	struct fr_gate_table *t = fr_gates_of(FR_GATE_BLOCK);

	if (t && issued && now - issued->time_ns > t->gates[FR_GATE_BLOCK].limit_ns)
		fr_gate_tell(FR_GATE_BLOCK, issued->who, NULL, now - issued->time_ns, dev);
}

SEC("tp_btf/block_rq_complete")
int FR_PROG(fr_block_complete)
{
	const struct request *rq = (void *)ctx[0];
	struct fr_block_complete *e;
	struct fr_block_place *issued = fr_block_place_of((__u64)rq);
	__u64 since = issued ? issued->time_ns : 0;
	__u32 done = ctx[2], left = rq->__data_len;
	struct fr_slot s;

	if (!fr_block_is_news(rq, issued, since, done) ||
	    fr_reserve(&s, sizeof(*e) / 8, sizeof(*e)))
		goto out;
	e = s.record;
	e->sector = rq->__sector;
	e->dev = fr_block_dev(rq);
	e->bytes = done;
	e->latency_ns = since ? s.time_ns - since : 0;
	e->error = fr_block_errno(ctx[1] & 0xff);
	e->op = rq->cmd_flags & 0xff;
	e->flags = since ? 0 : FR_BLOCK_LATENCY_UNKNOWN;
	e->reserved_zero = 0;
	fr_commit(&s, FR_EV_BLOCK_COMPLETE, sizeof(*e) / 8);
	fr_block_look(issued, s.time_ns, e->dev);
out:
	if (issued && done >= left) /* else the rest is still under way */
		fr_block_holder(issued) = 0;
	return 0;
}
