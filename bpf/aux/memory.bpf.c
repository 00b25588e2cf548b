// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks into one process: its arguments and environment (fr_iter_args), or a window of its memory
 * (fr_iter_memory). Sleepable, as pages may have to be brought in; a page backed by FUSE or
 * userfaultfd can hang the reader, so whoever opens these has a deadline. Read-only.
 */
#include "goid.bpf.h"

#include "formats/abi/collect.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fr_ask);
} fr_ask SEC(".maps");

/* Where rows are put together: one reader at a time. */
struct fr_args_scratch {
	struct fr_args_row row;
	char text[FR_ARGS_MAX + FR_ENV_MAX];
};

struct fr_memory_scratch {
	struct fr_memory_row row;
	char bytes[FR_MEMORY_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fr_args_scratch);
} args_scratch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fr_memory_scratch);
} memory_scratch SEC(".maps");

FR_INLINE struct fr_ask *fr_asked(const struct task_struct *t)
{
	__u32 zero = 0;
	struct fr_ask *ask = bpf_map_lookup_elem(&fr_ask, &zero);

	if (!ask || !t || (__u32)t->pid != ask->tgid || t->pid != t->tgid || !t->mm)
		return NULL;
	return ask;
}

/* Bytes from..end of the process to text + at; how many of them. */
FR_INLINE __u32 fr_take(struct fr_args_scratch *x, __u32 at, __u64 from, __u64 end,
			const __u32 max, struct task_struct *t, __u32 *ret_total)
{
	__u32 bytes = end - from;
	long err;

	*ret_total = bytes;
	if (bytes > max)
		bytes = max;
	barrier_var(bytes);
	barrier_var(at);
	if (bytes > max || at > FR_ARGS_MAX)
		return 0;
	err = bpf_copy_from_user_task(x->text + at, bytes, (void *)from, t, 0);
	if (!err)
		return bytes;
	if (!x->row.error)
		x->row.error = err;
	return 0;
}

SEC("iter.s/task")
int fr_iter_args(struct bpf_iter__task *ctx);
int fr_iter_args(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct fr_args_scratch *x;
	__u32 zero = 0, at, bytes;

	if (!t || !fr_asked(t))
		return 0;
	x = bpf_map_lookup_elem(&args_scratch, &zero);
	if (!x)
		return 0;
	x->row.tgid = t->tgid;
	x->row.start_ns = t->start_boottime;
	x->row.error = 0;
	x->row.reserved_zero = 0;
	x->row.args_bytes = fr_take(x, 0, t->mm->arg_start, t->mm->arg_end, FR_ARGS_MAX, t,
				    &x->row.args_total_bytes);
	at = (x->row.args_bytes + 7) & ~7u;
	x->row.env_bytes = fr_take(x, at, t->mm->env_start, t->mm->env_end, FR_ENV_MAX, t,
				   &x->row.env_total_bytes);
	bytes = sizeof(x->row) + at + ((x->row.env_bytes + 7) & ~7u);
	x->row.row_bytes = bytes;
	barrier_var(bytes);
	if (bytes <= sizeof(*x))
		bpf_seq_write(ctx->meta->seq, x, bytes);
	return 0;
}

#define FR_AT_PHDR 3
#define FR_AUXV_PAIRS 20 /* AT_PHDR is among the first */

FR_INLINE __u64 fr_at_phdr(const struct mm_struct *mm)
{
	unsigned long pair[2];

#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < FR_AUXV_PAIRS; i++) {
		if (bpf_probe_read_kernel(pair, sizeof(pair),
					  (void *)mm->saved_auxv + i * sizeof(pair)))
			return 0;
		if (pair[0] == FR_AT_PHDR)
			return pair[1];
	}
	return 0;
}

FR_INLINE void fr_memory_head(struct fr_memory_row *r, const struct task_struct *t,
			      const struct fr_ask *ask)
{
	struct fr_binary_key key = {};

	if (t->mm->exe_file)
		fr_binary_key_of(&key, t->mm->exe_file->f_inode);
	r->tgid = t->tgid;
	r->address = ask->address;
	r->start_code = t->mm->start_code;
	r->start_data = t->mm->start_data;
	r->at_phdr = fr_at_phdr(t->mm);
	r->exe.inode = key.inode;
	r->exe.ctime_ns = key.ctime_ns;
	r->exe.dev = key.dev;
	r->exe.reserved_zero = 0;
}

SEC("iter.s/task")
int fr_iter_memory(struct bpf_iter__task *ctx);
int fr_iter_memory(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct fr_memory_scratch *x;
	__u32 zero = 0, bytes;
	struct fr_ask *ask;

	if (!t)
		return 0;
	ask = fr_asked(t);
	x = bpf_map_lookup_elem(&memory_scratch, &zero);
	if (!ask || !x)
		return 0;
	fr_memory_head(&x->row, t, ask);
	bytes = ask->bytes;
	barrier_var(bytes);
	if (bytes > FR_MEMORY_MAX)
		bytes = FR_MEMORY_MAX;
	x->row.error = bpf_copy_from_user_task(x->bytes, bytes, (void *)ask->address, t, 0);
	if (x->row.error)
		bytes = 0;
	x->row.bytes = bytes;
	bytes = (sizeof(x->row) + bytes + 7) & ~7u;
	x->row.row_bytes = bytes;
	barrier_var(bytes);
	if (bytes <= sizeof(*x))
		bpf_seq_write(ctx->meta->seq, x, bytes);
	return 0;
}
