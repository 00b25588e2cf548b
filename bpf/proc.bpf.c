// SPDX-License-Identifier: GPL-2.0-only
/*
 * Family proc: birth, change of name and death of threads and processes. Never filtered and never
 * off: these records keep the names of everybody else's numbers.
 */
#include "filter.bpf.h"
#include "notice.bpf.h"
#include "ring.bpf.h"

FR_INLINE void fr_comm_copy(char *to, const struct task_struct *t)
{
	bpf_probe_read_kernel(to, FR_COMM_BYTES, t->comm);
}

SEC("tp_btf/sched_process_fork")
int FR_PROG(fr_proc_fork)
{
	struct task_struct *parent = (void *)ctx[0], *child = (void *)ctx[1];
	struct fr_proc_fork *e;
	struct fr_slot s;

	if (fr_reserve(&s, sizeof(*e) / 8, sizeof(*e)))
		return 0;
	e = s.record;
	e->parent_tid = parent->pid;
	e->parent_tgid = parent->tgid;
	e->child_tid = child->pid;
	e->child_tgid = child->tgid;
	e->child_start_ns = child->start_boottime;
	fr_comm_copy(e->comm, child);
	fr_commit(&s, FR_EV_PROC_FORK, sizeof(*e) / 8);
	return 0;
}

/* Sizes first, so that the record can be reserved to measure. */
struct fr_exec_text {
	__u64 args_at;
	__u32 path_bytes;
	__u32 args_bytes;
	__u32 flags;
};

FR_INLINE void fr_exec_measure(struct fr_exec_text *x, const char *path,
			       const struct task_struct *t)
{
	char head[FR_EXEC_PATH_MAX];
	long n = bpf_probe_read_kernel_str(head, sizeof(head), path);
	__u64 total = t->mm->arg_end - t->mm->arg_start;

	x->flags = 0;
	x->path_bytes = n > 0 ? n - 1 : 0;
	if (x->path_bytes == FR_EXEC_PATH_MAX - 1)
		x->flags |= FR_EXEC_PATH_CUT;
	x->args_at = t->mm->arg_start;
	x->args_bytes = total;
	if (total > FR_EXEC_ARGS_MAX) {
		x->args_bytes = FR_EXEC_ARGS_MAX;
		x->flags |= FR_EXEC_ARGS_CUT;
	}
}

#define FR_EXEC_MAX (sizeof(struct fr_proc_exec) + FR_EXEC_PATH_MAX + FR_EXEC_ARGS_MAX + 8)

SEC("tp_btf/sched_process_exec")
int FR_PROG(fr_proc_exec)
{
	struct task_struct *t = (void *)ctx[0];
	struct linux_binprm *bprm = (void *)ctx[2];
	__u32 units, path_bytes, args_bytes, tail;
	struct fr_exec_text x;
	struct fr_proc_exec *e;
	struct fr_slot s;

	fr_exec_measure(&x, bprm->filename, t);
	path_bytes = x.path_bytes;
	args_bytes = x.args_bytes;
	tail = (path_bytes + args_bytes + 7) & ~7u;
	units = (sizeof(*e) + tail) / 8;
	if (fr_reserve(&s, units, FR_EXEC_MAX))
		return 0;
	e = s.record;
	e->tid = t->pid;
	e->old_tid = ctx[1];
	e->start_ns = t->start_boottime;
	fr_comm_copy(e->comm, t);
	e->path_bytes = path_bytes;
	e->args_bytes = args_bytes;
	if (tail) /* the last unit may end in padding: at most 504 bytes in */
		*(__u64 *)((void *)(e + 1) + ((tail - 8) & 0x1f8)) = 0;
	barrier_var(path_bytes);
	if (path_bytes < FR_EXEC_PATH_MAX)
		bpf_probe_read_kernel(e + 1, path_bytes, bprm->filename);
	barrier_var(args_bytes);
	barrier_var(path_bytes);
	if (args_bytes <= FR_EXEC_ARGS_MAX && path_bytes < FR_EXEC_PATH_MAX &&
	    bpf_probe_read_user((void *)(e + 1) + path_bytes, args_bytes, (void *)x.args_at)) {
		x.flags |= FR_EXEC_ARGS_FAULT; /* the kernel has filled the place with zeros */
		fr_count(FR_COUNTER_CAPTURE_FAULT);
	}
	e->flags = x.flags;
	fr_commit(&s, FR_EV_PROC_EXEC, units);
	return 0;
}

/* Triggers signal, oom, exit: what happens to `t` is a cause, unless it is one of ours. */
FR_INLINE void fr_proc_tell(__u32 gate, const struct task_struct *t, __u64 value)
{
	struct fr_comm comm;

	if (!fr_gates_of(gate) || fr_is_self(t))
		return;
	fr_comm_of(&comm, t);
	fr_gate_tell(gate, (__u64)t->tgid << 32 | (__u32)t->pid, &comm, value, 0);
}

FR_INLINE int fr_end(const struct task_struct *t, __u32 kind, __u32 flags)
{
	struct fr_proc_end *e;
	struct fr_slot s;

	if (fr_reserve(&s, sizeof(*e) / 8, sizeof(*e)))
		return 0;
	e = s.record;
	e->tid = t->pid;
	e->tgid = t->tgid;
	e->start_ns = t->start_boottime;
	fr_comm_copy(e->comm, t);
	e->exit_code = t->exit_code;
	e->flags = flags;
	fr_commit(&s, kind, sizeof(*e) / 8);
	return 0;
}

/* Trigger exit: is the process that ends one of those that are watched? Known by its leader's name,
 * as threads may have others. */
FR_INLINE bool fr_exit_watched(const struct fr_gate_table *g, const struct task_struct *t)
{
	char comm[FR_COMM_BYTES] = {};
	const __u64 *is = (const void *)comm, *want;

	bpf_probe_read_kernel_str(comm, sizeof(comm), t->group_leader->comm);
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < FR_EXITS_MAX; i++) {
		want = (const void *)g->exit_comms[i];
		if (i < g->exit_cnt && want[0] == is[0] && want[1] == is[1])
			return true;
	}
	return false;
}

FR_INLINE void fr_exit_look(const struct task_struct *t, bool group_dead)
{
	struct fr_gate_table *g = fr_gates_of(FR_GATE_EXIT);

	if (!g || !group_dead || (g->exit_failures_only && !t->exit_code) || !fr_exit_watched(g, t))
		return;
	fr_proc_tell(FR_GATE_EXIT, t, (__u32)t->exit_code);
}

SEC("tp_btf/sched_process_exit")
int FR_PROG(fr_proc_exit)
{
	struct task_struct *t = (void *)ctx[0];
	__u32 flags = 0;
	bool dead;

	if (fr_feature(FR_FEAT_EXIT_GROUP_DEAD))
		dead = ctx[1];
	else
		dead = !t->signal->live.counter;
	if (fr_feature(FR_FEAT_EXIT_GROUP_DEAD) && dead)
		flags = FR_END_GROUP_DEAD;
	fr_exit_look(t, dead);
	return fr_end((void *)ctx[0], FR_EV_PROC_EXIT, flags);
}

/* Younger than every other record of its thread: the name that cannot age out before them. */
SEC("tp_btf/sched_process_free")
int FR_PROG(fr_proc_free)
{
	return fr_end((void *)ctx[0], FR_EV_PROC_FREE, 0);
}

SEC("tp_btf/task_rename")
int FR_PROG(fr_proc_rename)
{
	struct task_struct *t = (void *)ctx[0];
	struct fr_proc_rename *e;
	struct fr_slot s;

	if (fr_reserve(&s, sizeof(*e) / 8, sizeof(*e)))
		return 0;
	e = s.record;
	e->tid = t->pid;
	e->tgid = t->tgid;
	e->start_ns = t->start_boottime;
	fr_comm_copy(e->old_comm, t);
	__builtin_memset(e->new_comm, 0, FR_COMM_BYTES);
	bpf_probe_read_kernel_str(e->new_comm, FR_COMM_BYTES, (void *)ctx[1]);
	fr_commit(&s, FR_EV_PROC_RENAME, sizeof(*e) / 8);
	return 0;
}

/* signal(7): those whose default is to be ignored, to stop or to go on. The rest ends a process. */
#define FR_SIG_BIT(n) (1ull << (n))
#define FR_SIG_HARMLESS                                                                            \
	(FR_SIG_BIT(17) | FR_SIG_BIT(18) | FR_SIG_BIT(19) | FR_SIG_BIT(20) | FR_SIG_BIT(21) |      \
	 FR_SIG_BIT(22) | FR_SIG_BIT(23) | FR_SIG_BIT(28))
#define FR_SIG_FAULTS                                                                              \
	(FR_SIG_BIT(4) | FR_SIG_BIT(5) | FR_SIG_BIT(7) | FR_SIG_BIT(8) | FR_SIG_BIT(11))

#define FR_SIG_CORE                                                                                \
	(FR_SIG_FAULTS | FR_SIG_BIT(3) | FR_SIG_BIT(6) | FR_SIG_BIT(24) | FR_SIG_BIT(25) |         \
	 FR_SIG_BIT(31))

/*
 * Whatever ends a whole process reaches each of its threads as SIGKILL, a plain exit too. Which
 * signal was it really? The leader tells; 0 = none, or another thread has told already.
 */
FR_INLINE __u32 fr_group_signal(const struct task_struct *t)
{
	__u32 sig = t->signal->group_exit_code & 0x7f;

	return t->pid != t->tgid || FR_SIG_CORE & FR_SIG_BIT(sig & 63) ? 0 : sig;
}

#define FR_SI_USER 0
#define FR_SI_QUEUE (-1)
#define FR_SI_MESGQ (-3)
#define FR_SI_TKILL (-6)

/* Who sent it, where siginfo says so by a process. A process in a pid namespace of its own is told
 * numbers of that namespace: those would blame somebody else. */
FR_INLINE int fr_signal_sender(const struct task_struct *t, const struct kernel_siginfo *info,
			       int code)
{
	if (code != FR_SI_USER && code != FR_SI_QUEUE && code != FR_SI_MESGQ && code != FR_SI_TKILL)
		return 0;
	if (BPF_CORE_READ(t, thread_pid, level))
		return 0;
	return BPF_CORE_READ(info, _sifields._kill._pid);
}

SEC("tp_btf/signal_deliver")
int FR_PROG(fr_proc_signal)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct kernel_siginfo *info = (void *)ctx[1];
	struct k_sigaction *action = (void *)ctx[2];
	__u32 sig = ctx[0];
	struct fr_proc_signal *e;
	struct fr_slot s;
	__u64 raw = ctx[1];
	int code = 0, sender = 0;
	void *fault = NULL;

	if (sig == 9)
		sig = fr_group_signal(t);
	if (sig == 0 || sig > 64 || action->sa.sa_handler || FR_SIG_HARMLESS & FR_SIG_BIT(sig & 63))
		return 0;
	if (raw > 2) { /* SEND_SIG_NOINFO and SEND_SIG_PRIV are 0 and 1 */
		code = info->si_code;
		if (code > 0 && FR_SIG_FAULTS & FR_SIG_BIT(sig & 63))
			fault = BPF_CORE_READ(info, _sifields._sigfault._addr);
		else
			sender = fr_signal_sender(t, info, code);
	}
	if (FR_SIG_CORE & FR_SIG_BIT(sig & 63))
		fr_proc_tell(FR_GATE_SIGNAL, t, sig);
	if (fr_reserve(&s, sizeof(*e) / 8, sizeof(*e)))
		return 0;
	e = s.record;
	e->tid = t->pid;
	e->tgid = t->tgid;
	e->sig = sig;
	e->code = code;
	e->address = (__u64)fault;
	e->sender_tgid = sender;
	e->reserved_zero = 0;
	fr_comm_copy(e->comm, t);
	fr_commit(&s, FR_EV_PROC_SIGNAL, sizeof(*e) / 8);
	return 0;
}

/* Until 6.8 the tracepoint passes a pid only: the name then comes from the thread's own records. */
SEC("tp_btf/mark_victim")
int FR_PROG(fr_proc_oom)
{
	struct fr_proc_oom *e;
	struct fr_slot s;

	if (fr_reserve(&s, sizeof(*e) / 8, sizeof(*e)))
		return 0;
	e = s.record;
	__builtin_memset(e->comm, 0, FR_COMM_BYTES);
	e->rss_pages = 0;
	if (fr_feature(FR_FEAT_VICTIM_TASK)) {
		struct task_struct *t = (void *)ctx[0];

		e->tid = t->pid;
		e->tgid = t->tgid;
		fr_comm_copy(e->comm, t);
		fr_proc_tell(FR_GATE_OOM, t, 0);
	} else {
		e->tid = e->tgid = ctx[0];
		fr_gate_tell(FR_GATE_OOM, ctx[0] << 32 | (__u32)ctx[0], NULL, 0, 0);
	}
	fr_commit(&s, FR_EV_PROC_OOM, sizeof(*e) / 8);
	return 0;
}
