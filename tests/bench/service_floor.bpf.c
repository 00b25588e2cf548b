// SPDX-License-Identifier: GPL-2.0-only
/*
 * The least that any recorder of these events does: the hooks that a request of the service comes
 * by, with programs that do nothing, read the clock, or write one small event; and of a transfer on
 * a socket what makes requests of it later: which socket, which goroutine, the first bytes. Nothing
 * here is checked, and no error is looked for.
 */
#include "ring.bpf.h"
#include "service_floor.h"

#define SF_EAGAIN 11
#define SF_UNITS 3
#define SF_GOID_OFF 152 /* of the Go that builds the service */
#define SF_BYTES_MAX 128u /* the recorder's lesser limit: of requests it takes up to 512 */

struct sf_told sf_told SEC(".data.told");

#define sf_state (*(volatile __u32 *)&sf_told.state)

FR_INLINE int sf_event(void)
{
	__u32 state = sf_state;
	struct fr_slot s;
	__u64 now, *e;

	if (state == SF_CLOCK) {
		now = bpf_ktime_get_boot_ns();
		barrier_var(now);
	} else if (state >= SF_RECORD && !fr_reserve(&s, SF_UNITS, SF_UNITS * 8)) {
		e = s.record;
		e[1] = s.time_ns;
		e[2] = s.cpu;
		fr_commit(&s, FR_EV_SCHED_SWITCH, SF_UNITS);
	}
	return 0;
}

enum { SF_SEND, SF_RECV };

struct sf_sock {
	__u64 id;
	__u64 moved[2];	  /* bytes, by direction */
	__u32 last_dir_1; /* direction of the last transfer + 1 */
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct sf_sock);
} sf_socks SEC(".maps");

struct sf_transfer {
	__u64 word, sock_id, stream_off, goid;
	__s32 result;
	__u32 tid, bytes, reserved_zero;
};

/* How many bytes of this transfer to record: of a message's first. */
FR_INLINE __u32 sf_wanted(struct sf_sock *k, __u32 result, const __u32 dir)
{
	if (k->last_dir_1 == dir + 1)
		return 0;
	k->last_dir_1 = dir + 1;
	if (dir == SF_RECV && sf_state == SF_SENDS)
		return 0;
	return result < SF_BYTES_MAX ? result : SF_BYTES_MAX;
}

FR_INLINE int sf_transfer(struct sock *sk, __s32 result, const __u32 dir)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct sf_sock *k = bpf_sk_storage_get(&sf_socks, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	const struct pt_regs *regs = (void *)bpf_task_pt_regs(t);
	__u32 bytes, tail;
	struct sf_transfer *e;
	struct fr_slot s;

	if (!k || result <= 0)
		return 0;
	if (!k->id)
		k->id = (__u64)sk;
	bytes = fr_forget(sf_wanted(k, result, dir));
	tail = (bytes + 7) & ~7u;
	if (fr_reserve(&s, (sizeof(*e) + tail) / 8, sizeof(*e) + 2 * SF_BYTES_MAX))
		return 0;
	e = s.record;
	e->sock_id = k->id;
	e->stream_off = k->moved[dir];
	e->result = result;
	e->tid = t->pid;
	e->bytes = bytes;
	e->reserved_zero = 0;
	e->goid = 0;
	if (bytes) {
		if ((__u32)t->tgid == sf_told.service)
			bpf_probe_read_user(&e->goid, sizeof(e->goid),
					    (void *)(regs->r14 + SF_GOID_OFF));
		asm volatile("%0 &= %1" : "+r"(bytes) : "i"(2 * SF_BYTES_MAX - 1));
		bpf_probe_read_user(e + 1, bytes, (void *)regs->si);
	}
	fr_commit(&s, FR_EV_SOCK_SEND, (sizeof(*e) + tail) / 8);
	k->moved[dir] += result;
	return 0;
}

#define SF_HOOK(tracepoint)                                                                        \
	SEC("tp_btf/" #tracepoint)                                                                 \
	int FR_PROG(sf_##tracepoint)                                                               \
	{                                                                                          \
		return sf_event();                                                                 \
	}

SF_HOOK(sched_switch)
SF_HOOK(sched_waking)
SF_HOOK(block_rq_issue)
SF_HOOK(block_rq_complete)

SEC("tp_btf/sock_send_length")
int FR_PROG(sf_sock_send_length)
{
	return sf_state < SF_BYTES ? sf_event() : sf_transfer((void *)ctx[0], ctx[1], SF_SEND);
}

/* Half of a server's receives find nothing, and are no event. */
SEC("tp_btf/sock_recv_length")
int FR_PROG(sf_sock_recv_length)
{
	if ((__s32)ctx[1] == -SF_EAGAIN)
		return 0;
	return sf_state < SF_BYTES ? sf_event() : sf_transfer((void *)ctx[0], ctx[1], SF_RECV);
}
