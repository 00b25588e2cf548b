// SPDX-License-Identifier: GPL-2.0-only
/* Family block: requests to disks, and how long the device took. */
#include "filter.bpf.h"
#include "notice.bpf.h"
#include "ring.bpf.h"

/* Requests under way, by the request's address: when they were issued. */
struct fr_block_issued {
	__u64 time_ns; /* 0 = by the recorder itself: not recorded, nor is its end */
	__u64 who;     /* tgid << 32 | tid */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct fr_block_issued);
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

FR_INLINE void fr_block_track(__u64 request, __u64 time_ns)
{
	struct fr_block_issued issued = { .time_ns = time_ns, .who = bpf_get_current_pid_tgid() };

	if (bpf_map_update_elem(&block_inflight, &request, &issued, BPF_ANY))
		fr_count(FR_COUNTER_BLOCK_UNTRACKED);
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
FR_INLINE void fr_block_look(const struct fr_block_issued *issued, __u64 now, __u32 dev)
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
	struct fr_block_issued *issued;
	__u64 key = (__u64)rq, since = 0;
	__u32 done = ctx[2], left = rq->__data_len;
	struct fr_slot s;

	issued = bpf_map_lookup_elem(&block_inflight, &key);
	if (issued)
		since = issued->time_ns;
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
		bpf_map_delete_elem(&block_inflight, &key);
	return 0;
}
