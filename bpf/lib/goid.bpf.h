/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which goroutine is this? Go keeps the running g in a register (amd64: r14; also at fsbase-8) and
 * its number at a place in g that depends on the Go version. The daemon tells the place once per
 * binary, asked by a notice when one that nobody knows first carries captured bytes.
 *
 * No goid rather than a wrong one: r14 counts only if it equals the word at fsbase-8 and the
 * system call was made from the program's own text (under cgo, C code has anything in r14).
 */
#ifndef FR_BPF_GOID_H
#define FR_BPF_GOID_H

#include "exe.bpf.h"
#include "notice.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct fr_binary_key);
	__type(value, struct fr_binary);
} fr_binaries SEC(".maps");

/* Time of the last notice about a binary: a host that runs 1,000 programs a second must not wake
 * the daemon for each. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} fr_binary_gate SEC(".maps");

#define FR_BINARY_GATE_NS 20000000ull

/* Asks the daemon, unless it was just asked something. */
FR_INLINE void fr_binary_ask(const struct fr_binary_key *key, __u32 tgid)
{
	struct fr_binary asked = { .state = FR_BINARY_ASKED };
	__u64 now = bpf_ktime_get_boot_ns(), last, *gate;
	struct fr_notice *n;
	__u32 zero = 0;

	fr_count(FR_COUNTER_BINARY_UNKNOWN);
	gate = bpf_map_lookup_elem(&fr_binary_gate, &zero);
	if (!gate)
		return;
	last = *(volatile __u64 *)gate;
	if (now - last < FR_BINARY_GATE_NS || __sync_val_compare_and_swap(gate, last, now) != last)
		return; /* its next message asks again */
	if (bpf_map_update_elem(&fr_binaries, key, &asked, BPF_NOEXIST))
		return;
	n = bpf_ringbuf_reserve(&fr_notices, sizeof(*n), 0);
	if (!n) {
		fr_count(FR_COUNTER_NOTICE_DROPPED);
		bpf_map_delete_elem(&fr_binaries, key);
		return;
	}
	n->kind = FR_NOTICE_BINARY;
	n->tgid = tgid;
	n->time_ns = now;
	n->binary = *key;
	bpf_ringbuf_submit(n, BPF_RB_FORCE_WAKEUP);
}

struct fr_go {
	__u64 g;     /* the register, whatever it holds */
	__u64 ip;    /* where the system call was made */
	__u64 goid;
	__u32 flags; /* FR_IO_GOID, FR_IO_GO_UNKNOWN */
};

/*
 * The answer for one process's binary, kept beside what it carries (a socket): the table costs a
 * hash of the key and cache lines of file and inode, this a comparison. The same process with the
 * same place of its arguments (chosen at random by each exec) runs the same binary.
 */
struct fr_go_known {
	__u64 args_at;
	__u64 site; /* a system call instruction known as Go's; 0 = none yet */
	__u32 tgid; /* 0 = nothing known */
	__u32 goid_off; /* FR_GOID_NONE: not Go, or a version that nobody knows */
};

#if defined(__TARGET_ARCH_x86)
FR_INLINE void fr_go_registers(struct fr_go *go, const struct pt_regs *regs)
{
	go->g = regs->r14;
	go->ip = regs->ip;
}

/* Go's system calls compare their result with -4095 right behind the instruction; C's with -4096:
 * 48 3d 01 f0 ff ff (cmp rax, -4095) 76 (jbe) */
#define FR_GO_SITE 0x0076fffff0013d48ull
#define FR_GO_SITE_MASK 0x00ffffffffffffffull

FR_INLINE bool fr_go_context(const struct fr_go *go, struct fr_go_known *known,
			     const struct task_struct *t, const struct mm_struct *mm)
{
	__u64 word = 0;

	if (fr_likely(known->site && go->ip == known->site))
		return go->g;
	if (go->ip < mm->start_code || go->ip >= mm->end_code || !go->g)
		return false;
	if (bpf_probe_read_user(&word, sizeof(word), (void *)(t->thread.fsbase - 8)) ||
	    word != go->g)
		return false;
	if (!bpf_probe_read_user(&word, sizeof(word), (void *)go->ip) &&
	    (word & FR_GO_SITE_MASK) == FR_GO_SITE)
		known->site = go->ip;
	return true;
}
#else
FR_INLINE void fr_go_registers(struct fr_go *go, const struct pt_regs *regs)
{
	go->g = regs->regs[28];
	go->ip = regs->pc;
}

FR_INLINE bool fr_go_context(const struct fr_go *go, struct fr_go_known *known,
			     const struct task_struct *t, const struct mm_struct *mm)
{
	return go->ip >= mm->start_code && go->ip < mm->end_code && go->g;
}
#endif

#define FR_GOID_NONE 0xffffffffu

/* Where goid lies in g for this process, or FR_GOID_NONE. */
FR_INLINE __u32 fr_goid_off(struct fr_go *go, struct fr_go_known *known,
			    const struct mm_struct *mm, __u32 tgid)
{
	const struct file *exe;
	struct fr_binary_key key;
	struct fr_binary *b;

	if (fr_likely(known->tgid == tgid && known->args_at == mm->arg_start))
		return known->goid_off;
	exe = mm->exe_file;
	if (!exe)
		return FR_GOID_NONE;
	fr_binary_key_of(&key, exe->f_inode);
	b = bpf_map_lookup_elem(&fr_binaries, &key);
	if (!b)
		fr_binary_ask(&key, tgid);
	if (!b || b->state == FR_BINARY_ASKED) {
		go->flags = FR_IO_GO_UNKNOWN;
		return FR_GOID_NONE;
	}
	if (b->state == FR_BINARY_GO_UNKNOWN || b->state == FR_BINARY_FAILED) {
		go->flags = FR_IO_GO_UNKNOWN; /* not kept: each record shall say so */
		return FR_GOID_NONE;
	}
	known->args_at = mm->arg_start;
	known->site = 0;
	known->goid_off = b->state == FR_BINARY_GO ? b->goid_off : FR_GOID_NONE;
	known->tgid = tgid;
	return known->goid_off;
}

/* Reads the goroutine's number: at the start of messages only, as that reads user memory. */
FR_INLINE void fr_goid(struct fr_go *go, struct fr_go_known *known, const struct task_struct *t)
{
	const struct mm_struct *mm = fr_untrusted(t, struct task_struct)->mm;
	__u32 off;

	if (fr_unlikely(!mm))
		return;
	off = fr_forget(fr_goid_off(go, known, mm, t->tgid));
	if (off == FR_GOID_NONE || !fr_go_context(go, known, t, mm))
		return;
	if (!bpf_probe_read_user(&go->goid, sizeof(go->goid), (void *)(go->g + off)) &&
	    go->goid) /* 0: the scheduler's own g */
		go->flags = FR_IO_GOID;
}

#endif
