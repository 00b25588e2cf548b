// SPDX-License-Identifier: GPL-2.0-only
/*
 * Family sock where the kernel lacks the socket tracepoints (before 6.3), or by --hooks=syscalls:
 * every system call's exit, filtered by number. Dearer, as each call of the host passes here.
 *
 * A verifier-trusted socket cannot be had from a file descriptor, so state lies in a table by the
 * socket's address. Not seen: io_uring and kernel threads. The datagrams of a sendmmsg or recvmmsg
 * are told one by one as the call ends; of a stream's there is one record with the sum.
 */
#define FR_SOCK_BY_ADDRESS 1
#include "mmsg.bpf.h"
#include "sockio.bpf.h"
#include "socklife.bpf.h"

#define FR_S_IFMT 0xf000
#define FR_S_IFSOCK 0xc000

/* The transfer in hand: older kernels bound the stack of all frames. The kernel runs this program
 * once at a time on a CPU, and no other has it. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fr_transfer);
} fr_sys_transfers SEC(".maps");

/* The socket behind a descriptor of the running task. */
FR_INLINE struct sock *fr_fd_sock(const struct task_struct *t, __s32 fd)
{
	struct file *file = (void *)fr_call_file(t, fd);
	struct socket *sock;

	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & FR_S_IFMT) != FR_S_IFSOCK)
		return NULL;
	sock = BPF_CORE_READ(file, private_data);
	return sock ? BPF_CORE_READ(sock, sk) : NULL;
}

/* Addresses are reused: a state whose inode is another one's belongs to a socket that is gone. */
FR_INLINE struct fr_sock_kept *fr_sock_of(struct sock *sk)
{
	struct fr_sock_kept *k = fr_sock_find(sk);

	if (!k) {
		k = fr_sock_born(sk, FR_SOCK_EXISTED);
		if (k)
			fr_sock_tell(k);
	}
	if (k && k->inode != fr_sock_inode(sk)) {
		if (k->inode) {
			fr_sock_init(k, sk, FR_SOCK_EXISTED);
			fr_count(FR_COUNTER_SOCK_CREATED);
			fr_sock_tell(k);
		}
		k->inode = fr_sock_inode(sk); /* just born, or in softirq, before it had one */
	}
	return k;
}

FR_INLINE void fr_sys_datagram(struct fr_transfer *x, const struct sock *sk)
{
	x->addressed = true;
	fr_sock_addr_inet(&x->addr, sk);
	if (!x->addr.remote_port && x->call.name)
		fr_remote_from_user(&x->addr, x->call.name);
}

FR_INLINE void fr_sys_transfer(struct sock *sk, struct fr_transfer *x, __u16 family, __u16 type)
{
	struct fr_sock_kept *k = fr_sock_of(sk);
	__u64 at;

	if (!k || !fr_result_is_news(x->result, x->dir, type, k))
		return;
	if (!k->tgid)
		k->tgid = bpf_get_current_pid_tgid() >> 32;
	if (fr_knobs.filter_kind != FR_FILTER_NONE)
		k->wanted = 1;
	fr_stream_advance(x, k, sk);
	fr_message_advance(x, k);
	if (x->capture_bytes)
		fr_transfer_capture(x, k, bpf_get_current_task_btf());
	if (type == FR_SOCK_DGRAM) {
		if (x->call.kind == FR_CALL_MSGHDR)
			fr_call_open_msghdr(&x->call);
		fr_sys_datagram(x, sk);
	}
	at = fr_io_emit(x, k);
	if (family == FR_AF_UNIX)
		fr_unix_name(k, sk, at);
	else if (k->flags & FR_SOCK_MPTCP && !k->addr.remote_port)
		fr_mptcp_tell(k, fr_sock_number(sk));
}

FR_INLINE __u32 fr_call_direction(__u32 nr)
{
	switch (nr) {
	case FR_NR_READ:
	case FR_NR_READV:
	case FR_NR_PREADV2:
	case FR_NR_RECVFROM:
	case FR_NR_RECVMSG:
	case FR_NR_RECVMMSG:
		return FR_DIR_RECV;
	}
	return FR_DIR_SEND;
}

#define FR_BATCH_MAX 128 /* datagrams of a batch that are told one by one */

/* The size of one message of a batch, as the kernel gave it back. */
FR_INLINE bool fr_batch_size(struct fr_transfer *x, __u64 at, __u32 *ret_bytes)
{
	if (!bpf_probe_read_user(ret_bytes, sizeof(*ret_bytes), (void *)(at + FR_MMSG_SIZE_AT)))
		return true;
	fr_count(FR_COUNTER_CAPTURE_FAULT);
	x->flags |= FR_IO_FAULT;
	return false;
}

/* One datagram of a batch. Global: many of them, and the verifier sees it once. */
int fr_sys_message(struct fr_transfer *x, __u64 sk, __u64 at);
__attribute__((noinline)) int fr_sys_message(struct fr_transfer *x, __u64 sk, __u64 at)
{
	__u32 flags, bytes;

	if (!x)
		return 0;
	flags = x->flags;
	if (!fr_batch_size(x, at, &bytes))
		return -1;
	x->result = bytes;
	x->capture_bytes = x->msg_off = 0;
	x->call.name = 0;
	x->dir &= 1;
	fr_mmsg_open(x, at);
	fr_sys_transfer((void *)sk, x, FR_AF_INET, FR_SOCK_DGRAM);
	x->flags = flags;
	return 0;
}

/* Sizes of a batch from one message on, as one transfer: a stream's bytes follow each other, and
 * what is left of a very long row of datagrams is told by its sum. */
int fr_batch_sum(struct fr_transfer *x, __u64 vector, __u32 from, __u32 cnt);
__attribute__((noinline)) int fr_batch_sum(struct fr_transfer *x, __u64 vector, __u32 from,
					   __u32 cnt)
{
	__u32 bytes, sum = 0;

	if (!x)
		return 0;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < FR_MMSG_MAX && from + i < cnt; i++) {
		if (!fr_batch_size(x, vector + (__u64)(from + i) * FR_MMSG_BYTES, &bytes))
			break;
		sum += bytes;
	}
	x->call.kind = FR_CALL_SIZE_ONLY;
	x->call.name = 0;
	x->capture_bytes = x->msg_off = 0;
	x->result = sum;
	return 0;
}

/* The call gives back how many messages it moved; their sizes lie in user memory. False when all
 * of them are told. */
FR_INLINE bool fr_sys_batch(struct fr_transfer *x, struct sock *sk, __u16 type)
{
	__u64 vector = x->call.buffer;
	__u32 cnt = x->result, from = 0;

	if (type == FR_SOCK_DGRAM) {
#pragma clang loop unroll(disable)
		for (; from < FR_BATCH_MAX && from < cnt; from++)
			if (fr_sys_message(x, (__u64)sk, vector + (__u64)from * FR_MMSG_BYTES))
				break;
		from = fr_forget(from);
		if (from >= cnt)
			return false;
	}
	fr_batch_sum(x, vector, from, cnt);
	return true;
}

FR_INLINE void fr_accept(const struct task_struct *t, __s32 fd)
{
	struct sock *sk = fr_fd_sock(t, fd);
	struct fr_sock_accept *e;
	struct fr_sock_kept *k;
	struct fr_slot s;

	if (!sk)
		return;
	k = fr_sock_of(sk);
	if (fr_reserve(&s, sizeof(*e) / 8, sizeof(*e)))
		return;
	e = s.record;
	e->sock_id = k ? k->id : 0;
	e->tid = t->pid;
	e->fd = fd;
	fr_commit(&s, FR_EV_SOCK_ACCEPT, sizeof(*e) / 8);
}

FR_INLINE struct fr_transfer *fr_sys_begin(const struct task_struct *t, __s32 result)
{
	__u32 zero = 0;
	struct fr_transfer *x = bpf_map_lookup_elem(&fr_sys_transfers, &zero);

	if (!x)
		return NULL;
	__builtin_memset(x, 0, sizeof(*x));
	x->flags = FR_IO_SYSCALL;
	x->result = result;
	x->tid = t->pid;
	return x;
}

FR_INLINE void fr_sys_flags(struct fr_transfer *x)
{
	if (x->call.msg_flags & FR_MSG_PEEK && x->dir == FR_DIR_RECV)
		x->flags |= FR_IO_PEEK;
	if (x->call.msg_flags & FR_MSG_TRUNC)
		x->flags |= FR_IO_TRUNC;
	if (x->call.kind == FR_CALL_SIZE_ONLY)
		x->flags |= FR_IO_SIZE_ONLY;
}

FR_INLINE int fr_sys_done(struct task_struct *t, __s32 result)
{
	struct fr_transfer *x = fr_sys_begin(t, result);
	__u16 family, type;
	struct sock *sk;

	if (!x || !fr_transfer_call(x, t))
		return 0;
	sk = fr_fd_sock(t, x->call.fd);
	if (!sk)
		return 0;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	type = BPF_CORE_READ(sk, sk_type);
	if (!fr_sock_recorded(family, type) || !fr_wanted(t))
		return 0;
	x->dir = fr_call_direction(x->call.nr);
	if (x->call.msg_flags & FR_MSG_ERRQUEUE && x->dir == FR_DIR_RECV)
		return 0;
	fr_sys_flags(x);
	if (result > 0 && fr_call_is_batch(x->call.nr) && !fr_sys_batch(x, sk, type))
		return 0;
	fr_sys_transfer(sk, x, family, type);
	return 0;
}

SEC("tp_btf/sys_exit")
int FR_PROG(fr_sys_exit)
{
	const struct pt_regs *regs = (void *)ctx[0];
	struct task_struct *t;
	__s64 result = ctx[1];

	if (result == -FR_EAGAIN)
		return 0;
	switch (FR_NR(regs)) {
	case FR_NR_READ:
	case FR_NR_WRITE:
	case FR_NR_READV:
	case FR_NR_WRITEV:
	case FR_NR_PREADV2:
	case FR_NR_PWRITEV2:
	case FR_NR_SENDTO:
	case FR_NR_RECVFROM:
	case FR_NR_SENDMSG:
	case FR_NR_RECVMSG:
	case FR_NR_SENDMMSG:
	case FR_NR_RECVMMSG:
	case FR_NR_SENDFILE:
	case FR_NR_SPLICE:
		return fr_sys_done(bpf_get_current_task_btf(), result);
	case FR_NR_ACCEPT:
	case FR_NR_ACCEPT4:
		t = bpf_get_current_task_btf();
		if (result >= 0 && !fr_is_compat(t) && fr_wanted(t))
			fr_accept(t, result);
	}
	return 0;
}
