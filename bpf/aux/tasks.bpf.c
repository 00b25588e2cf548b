// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who lives: every thread as a row for the daemon (fr_iter_tasks), or as a proc_state record in
 * the ring when recording begins (fr_iter_states). Neither touches user memory.
 */
#include "exe.bpf.h"
#include "procstate.bpf.h"
#include "ring.bpf.h"

#include "formats/abi/collect.h"

#define FR_PF_KTHREAD 0x00200000u
#define FR_PF_EXITING 0x00000004u

/* One at a time: rows are too large for the stack. Only iterators use it, under seq_file's lock
 * of one reader at a time; two readers at once would use two elements (by CPU: no migration). */
struct fr_task_scratch {
	struct fr_task_row row;
	char path[FR_EXE_PATH_MAX];
	__u64 tail;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fr_task_scratch);
} task_scratch SEC(".maps");

FR_INLINE __u32 fr_ns_pid(const struct task_struct *t)
{
	struct pid *pid = BPF_CORE_READ(t, signal, pids[1]); /* PIDTYPE_TGID */
	unsigned int level = BPF_CORE_READ(pid, level);
	struct upid up = {};

	bpf_probe_read_kernel(&up, sizeof(up), (void *)&pid->numbers[0] +
			      (level & 31) * bpf_core_type_size(struct upid));
	return up.nr;
}

FR_INLINE __u16 fr_row_flags(const struct task_struct *t)
{
	__u32 flags = t->flags;

	return (flags & FR_PF_KTHREAD ? FR_TASK_KTHREAD : 0) |
	       (flags & FR_PF_EXITING ? FR_TASK_EXITING : 0) | (t->on_cpu ? FR_TASK_ON_CPU : 0);
}

FR_INLINE void fr_row_fill(struct fr_task_row *r, struct task_struct *t)
{
	r->tid = t->pid;
	r->tgid = t->tgid;
	r->parent_tgid = BPF_CORE_READ(t, real_parent, tgid);
	r->start_ns = t->start_boottime;
	r->leader_start_ns = BPF_CORE_READ(t, group_leader, start_boottime);
	bpf_probe_read_kernel(r->comm, FR_COMM_BYTES, t->comm);
	r->uid = BPF_CORE_READ(t, real_cred, uid.val);
	r->gid = BPF_CORE_READ(t, real_cred, gid.val);
	r->ns_pid = fr_ns_pid(t);
	r->state = t->__state;
	r->cgroup_id = BPF_CORE_READ(t, cgroups, dfl_cgrp, kn, id);
	r->cpu = bpf_core_field_exists(t->wake_cpu) ? t->wake_cpu : 0;
	r->flags = fr_row_flags(t);
	r->exe_bytes = 0;
	r->reserved_zero = 0;
	__builtin_memset(&r->exe, 0, sizeof(r->exe));
}

SEC("iter/task")
int fr_iter_tasks(struct bpf_iter__task *ctx);
int fr_iter_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct fr_task_scratch *x;
	__u32 zero = 0, bytes;
	struct file *exe;
	long n = 0;

	if (!t)
		return 0;
	x = bpf_map_lookup_elem(&task_scratch, &zero);
	if (!x)
		return 0;
	fr_row_fill(&x->row, t);
	if (t->pid == t->tgid && t->mm) {
		exe = t->mm->exe_file;
		if (exe) {
			fr_binary_key_of(&x->row.exe, exe->f_inode);
			n = bpf_d_path(&exe->f_path, x->path, sizeof(x->path));
		}
		if (n == -36) /* ENAMETOOLONG: the path is longer than we keep */
			x->row.flags |= FR_TASK_EXE_CUT;
	}
	bytes = n > 1 && n <= FR_EXE_PATH_MAX ? n - 1 : 0;
	x->row.exe_bytes = bytes;
	bytes = (sizeof(x->row) + bytes + 7) & ~7u;
	x->row.row_bytes = bytes;
	if (bytes <= sizeof(*x))
		bpf_seq_write(ctx->meta->seq, x, bytes);
	return 0;
}

SEC("iter/task")
int fr_iter_states(struct bpf_iter__task *ctx);
int fr_iter_states(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;

	if (t)
		fr_procstate_record(t, t->__state, t->wake_cpu, t->on_cpu ? FR_STATE_ON_CPU : 0);
	return 0;
}
