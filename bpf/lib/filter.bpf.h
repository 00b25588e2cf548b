/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose sockets, TCP trouble and disk requests are recorded. Switches, wakings and identity are
 * always whole: a timeline with holes would lie.
 */
#ifndef FR_BPF_FILTER_H
#define FR_BPF_FILTER_H

#include "probe.bpf.h"

/* The daemon, its children (dumper, launcher) and theirs. */
FR_INLINE bool fr_is_self(const struct task_struct *t)
{
	const struct task_struct *parent = fr_untrusted(t, struct task_struct)->real_parent;
	int self = fr_knobs.self_tgid;

	return t->tgid == self || parent->tgid == self || parent->real_parent->tgid == self;
}

FR_INLINE bool fr_comm_is(const char *comm, const volatile char *want)
{
#pragma unroll
	for (int i = 0; i < 16; i++) {
		if (comm[i] != want[i])
			return false;
		if (!comm[i])
			return true;
	}
	return true;
}

FR_INLINE bool fr_filter_comm(const struct task_struct *t)
{
	char comm[16];

	bpf_probe_read_kernel(comm, sizeof(comm), t->comm);
	for (__u32 i = 0; i < FR_FILTER_MAX; i++) {
		if (i >= fr_knobs.filter_cnt)
			break;
		if (fr_comm_is(comm, fr_knobs.filter_comms[i]))
			return true;
	}
	return false;
}

FR_INLINE struct kernfs_node *fr_kn_parent(struct kernfs_node *kn)
{
	if (bpf_core_field_exists(((struct kernfs_node___old *)kn)->parent))
		return BPF_CORE_READ((struct kernfs_node___old *)kn, parent);
	return BPF_CORE_READ(kn, __parent);
}

#define FR_CGROUP_DEPTH_MAX 12

/* The task's cgroup, or one of its ancestors, is wanted. */
FR_INLINE bool fr_filter_cgroup(const struct task_struct *t)
{
	__u32 subsys = fr_knobs.filter_cgroup_subsys;
	struct kernfs_node *kn;
	__u64 id;

	if (subsys < 12)
		kn = BPF_CORE_READ(t, cgroups, subsys[subsys], cgroup, kn);
	else
		kn = BPF_CORE_READ(t, cgroups, dfl_cgrp, kn);
#pragma clang loop unroll(disable)
	for (int depth = 0; depth < FR_CGROUP_DEPTH_MAX; depth++) {
		if (!kn)
			return false;
		id = BPF_CORE_READ(kn, id);
		for (__u32 i = 0; i < FR_FILTER_MAX; i++)
			if (i < fr_knobs.filter_cnt && id == fr_knobs.filter_ids[i])
				return true;
		kn = fr_kn_parent(kn);
	}
	return false;
}

FR_INLINE bool fr_filter_wants(const struct task_struct *t)
{
	switch (fr_knobs.filter_kind) {
	case FR_FILTER_PID:
		for (__u32 i = 0; i < FR_FILTER_MAX; i++)
			if (i < fr_knobs.filter_cnt && (__u64)t->tgid == fr_knobs.filter_ids[i])
				return true;
		return false;
	case FR_FILTER_COMM:
		return fr_filter_comm(t);
	case FR_FILTER_CGROUP:
		return fr_filter_cgroup(t);
	}
	return true;
}

/* May what `t` does be recorded? Counts what it keeps out. */
FR_INLINE bool fr_wanted(const struct task_struct *t)
{
	if (fr_is_self(t)) {
		fr_count(FR_COUNTER_SELF);
		return false;
	}
	if (fr_filter_wants(t))
		return true;
	fr_count(FR_COUNTER_FILTERED);
	return false;
}

#endif
