/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which message of a sendmmsg or recvmmsg a datagram was. The tracepoints tell of each message, but
 * not which of the vector it is, so they are counted by thread, which is in one call at a time.
 *
 * A count is believed only as long as nothing of the call can have gone by unseen; else the message
 * has its size only, and so have all those that could belong to the same call. That a call ended is
 * known by its last message, by an error (also EAGAIN), or because the next call differs from it.
 * How calls end without a hook of ours: by a timeout, so those with one are never counted; or as
 * the next message's header was refused (an address that cannot be read), which the caller would
 * have to repair before making the very same call again.
 *
 *	first (next = 0) --message--> next = 1 .. --last one, error--> first
 *	any --message not counted--> FR_BATCH_LOST --error, another call--> first
 */
#ifndef FR_BPF_BATCH_H
#define FR_BPF_BATCH_H

#include "mmsg.bpf.h"

#define FR_BATCH_LOST 0xffffffffu

/* Of one thread; zero = its next message is the first of a call. Written by the thread itself, and
 * by the iterator below while nobody believes it. */
struct fr_batch {
	__u64 sock_id; /* with FR_BATCH_LOST, 0: lost in a call that is not known */
	__u64 vector;
	__u32 length;	     /* of the vector */
	__u32 next;	     /* index of the next message, or FR_BATCH_LOST */
	__u32 before_result; /* of the last message */
	__u32 reserved_zero;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct fr_batch);
} fr_batches SEC(".maps");

/* Set once every thread that was in a batch when the hooks were attached is known. */
__u32 fr_batches_known;

FR_INLINE struct fr_batch *fr_batch_of(struct task_struct *t)
{
	return bpf_task_storage_get(&fr_batches, t, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

/* Counts a message: its index, or FR_BATCH_LOST. */
FR_INLINE __u32 fr_batch_count(struct fr_batch *b, const struct fr_transfer *x, __u64 sock_id)
{
	__u32 length = x->call.length < FR_MMSG_MAX ? x->call.length : FR_MMSG_MAX, index = 0;
	bool same = b->sock_id == sock_id && b->vector == x->call.buffer && b->length == length;

	if (!*(volatile __u32 *)&fr_batches_known)
		index = FR_BATCH_LOST;
	else if (b->next == FR_BATCH_LOST && (same || !b->sock_id))
		index = FR_BATCH_LOST;
	else if (same && b->next < length)
		index = b->next;
	b->sock_id = sock_id;
	b->vector = x->call.buffer;
	b->length = length;
	b->next = index == FR_BATCH_LOST ? index : index + 1;
	return index;
}

/* The kernel has told the caller the size of the message before: a vector that lacks it is not the
 * one that was counted. */
FR_INLINE bool fr_batch_follows(const struct fr_batch *b, __u64 at)
{
	__u32 bytes;

	return !bpf_probe_read_user(&bytes, sizeof(bytes),
				    (void *)(at - FR_MMSG_BYTES + FR_MMSG_SIZE_AT)) &&
	       bytes == b->before_result;
}

/* The thread's call may be a batch of which messages went by uncounted. */
FR_INLINE void fr_batch_lose_of(struct task_struct *t)
{
	const struct pt_regs *regs = (void *)bpf_task_pt_regs(t);
	struct fr_batch *b;

	if (t->flags & FR_PF_NO_CALL || fr_is_compat(t) || !fr_call_is_batch(FR_NR(regs)))
		return;
	b = fr_batch_of(t);
	if (b) {
		b->sock_id = 0;
		b->next = FR_BATCH_LOST;
	}
}

/* The running call may be a batch, and this message of it was not counted. */
int fr_batch_lose(void);
__attribute__((noinline)) int fr_batch_lose(void)
{
	fr_batch_lose_of(bpf_get_current_task_btf());
	return 0;
}

FR_INLINE bool fr_batch_is_timed(struct task_struct *t)
{
	const struct pt_regs *regs = (void *)bpf_task_pt_regs(t);

	return FR_NR(regs) == FR_NR_RECVMMSG && FR_ARG4(regs);
}

/* A datagram that a batch moved: takes its buffers from the vector. Global: rare, and the verifier
 * sees it once. */
int fr_batch_message(struct fr_transfer *x, struct fr_sock_kept *k);
__attribute__((noinline)) int fr_batch_message(struct fr_transfer *x, struct fr_sock_kept *k)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct fr_batch *b;
	__u32 index;
	__u64 at;

	if (!x || !k || k->uncounted)
		return 0;
	if (!k->id)
		return fr_batch_lose();
	at = x->call.buffer;
	if (x->call.length == 1)
		return fr_mmsg_open(x, at);
	if (fr_batch_is_timed(t))
		return 0;
	b = fr_batch_of(t);
	if (!b) { /* the call's next message must not be taken for its first */
		k->uncounted = 1;
		return 0;
	}
	if (x->result < 0) { /* ends the call */
		b->sock_id = b->next = 0;
		return 0;
	}
	index = fr_batch_count(b, x, k->id);
	if (index == FR_BATCH_LOST)
		return 0;
	at += (__u64)index * FR_MMSG_BYTES;
	if ((index && !fr_batch_follows(b, at)) || !fr_mmsg_open(x, at))
		b->next = FR_BATCH_LOST;
	b->before_result = x->result;
	return 0;
}

/* A datagram's call found nothing, or was interrupted: if it is a batch, it is over. Not so if this
 * was another socket's: what is done on behalf of others within the call. */
static __attribute__((noinline)) int fr_batch_end(struct sock *sk)
{
	struct task_struct *t = bpf_get_current_task_btf();
	const struct pt_regs *regs = (void *)bpf_task_pt_regs(t);
	struct fr_sock_kept *k;
	struct fr_batch *b;

	if (!fr_call_is_batch(FR_NR(regs)) || t->flags & FR_PF_NO_CALL)
		return 0;
	b = bpf_task_storage_get(&fr_batches, t, NULL, 0);
	k = fr_sock_find(sk);
	if (b && k && b->sock_id == k->id)
		b->sock_id = b->next = 0;
	return 0;
}

/* Run once, after the hooks are attached: of a batch that is under way the messages before are not
 * known. A thread that runs may have left it just now. */
SEC("iter/task")
int fr_iter_batches(struct bpf_iter__task *ctx);
int fr_iter_batches(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;

	if (t)
		fr_batch_lose_of(t);
	else
		*(volatile __u32 *)&fr_batches_known = 1;
	return 0;
}

#endif
