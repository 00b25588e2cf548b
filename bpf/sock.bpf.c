// SPDX-License-Identifier: GPL-2.0-only
/*
 * Family sock, by the tracepoints of Linux 6.3: they run in the caller's context, after the
 * transfer, with the socket and the result.
 */
#include "batch.bpf.h"
#include "sockio.bpf.h"
#include "socklife.bpf.h"

/* The running system call is believed to be the cause of this transfer only if its descriptor is
 * this very socket: an io_uring completion can run while its thread sits in a read of a pipe; and
 * if its buffer has room for the result, should that read be one of this socket, too. */
FR_INLINE bool fr_call_believed(const struct fr_transfer *x, const struct task_struct *t,
				const struct sock *sk)
{
	__u64 file = fr_call_file(t, x->call.fd);

	if (fr_unlikely(x->call.kind == FR_CALL_BUFFER && x->result > 0 &&
			!(x->flags & FR_IO_TRUNC) && (__u64)x->result > x->call.length))
		return false;
	return file && fr_view((void *)file, struct file)->private_data ==
			       fr_untrusted(sk, struct sock)->sk_socket;
}

FR_INLINE void fr_transfer_caller(struct fr_transfer *x, struct task_struct *t,
				  const struct sock *sk, struct fr_sock_kept *k)
{
	bool called = fr_transfer_call(x, t);

	if (fr_likely(called && fr_call_believed(x, t, sk))) {
		if (fr_unlikely(x->call.kind == FR_CALL_SIZE_ONLY)) {
			x->flags |= FR_IO_SIZE_ONLY;
			if (fr_call_is_batch(x->call.nr) && sk->sk_type == FR_SOCK_DGRAM)
				fr_batch_message(x, k);
		}
		return;
	}
	if (called) {
		fr_count(FR_COUNTER_CAPTURE_DISTRUST);
		if (sk->sk_type == FR_SOCK_DGRAM)
			fr_batch_lose();
	}
	x->flags |= FR_IO_SIZE_ONLY;
	x->call.fd = -1;
	x->call.kind = FR_CALL_NONE;
	if (x->call.nr != FR_NR_IO_URING_ENTER)
		x->call.nr = FR_NR_NONE; /* what the thread sits in is not what moved the bytes */
	x->go.g = 0;
}

FR_INLINE void fr_transfer_addr(struct fr_transfer *x, const struct sock *sk)
{
	x->addressed = true;
	fr_sock_addr_inet(&x->addr, sk);
	/* an unconnected receive's source is written to user memory only later */
	if (!x->addr.remote_port && x->dir == FR_DIR_SEND && x->call.name)
		fr_remote_from_user(&x->addr, x->call.name);
}

/* No room for the socket's state: the record has sizes only, and says so. */
FR_IO_WRITER(fr_io_nostate, FR_CAPTURE_SMALL, false)

FR_INLINE void fr_transfer_known(struct fr_transfer *x, struct fr_sock_kept *k, struct sock *sk,
				 struct task_struct *t, __u16 family)
{
	__u64 at;

	if (fr_unlikely(!k->tgid))
		k->tgid = t->tgid;
	if (fr_knobs.filter_kind != FR_FILTER_NONE)
		k->wanted = 1;
	fr_stream_advance(x, k, sk);
	fr_message_advance(x, k);
	if (x->capture_bytes)
		fr_transfer_capture(x, k, t);
	if (fr_unlikely(k->type == FR_SOCK_DGRAM))
		fr_transfer_addr(x, sk);
	at = fr_io_emit(x, k);
	if (fr_unlikely(family == FR_AF_UNIX))
		fr_unix_name(k, sk, at);
	else if (fr_unlikely(k->flags & FR_SOCK_MPTCP && !k->addr.remote_port))
		fr_mptcp_tell(k, fr_sock_number(sk));
}

/* May this task's transfers be recorded? Asked again only when another process uses the socket: the
 * answer costs cache lines of parents. A name that a filter asks for can change, so that is asked
 * each time. */
FR_INLINE bool fr_transfer_wanted(struct fr_sock_kept *k, const struct task_struct *t)
{
	if (fr_likely(fr_knobs.filter_kind == FR_FILTER_NONE &&
		      k->passed_tgid == (__u32)t->tgid))
		return true;
	if (!fr_wanted(t))
		return false;
	k->passed_tgid = t->tgid;
	return true;
}

FR_INLINE void fr_transfer_flags(struct fr_transfer *x, struct task_struct *t,
				 const struct sock *sk, struct fr_sock_kept *k, __u32 msg_flags)
{
	x->tid = t->pid;
	if (fr_unlikely(msg_flags & FR_MSG_PEEK) && x->dir == FR_DIR_RECV)
		x->flags |= FR_IO_PEEK;
	if (fr_unlikely(msg_flags & FR_MSG_TRUNC))
		x->flags |= FR_IO_TRUNC;
	fr_transfer_caller(x, t, sk, k);
	x->flags = fr_forget(x->flags);
}

/* The first transfer of a socket that has no state: makes it. NULL when nothing more is to do. */
FR_INLINE struct fr_sock_kept *fr_transfer_first(struct fr_transfer *x, struct sock *sk,
						 struct task_struct *t, __u32 msg_flags)
{
	struct fr_sock_kept *k;

	if (!fr_wanted(t))
		return NULL;
	k = fr_sock_born(sk, FR_SOCK_EXISTED);
	if (k) {
		k->passed_tgid = t->tgid;
		fr_sock_tell(k);
	} else if (x->result) {
		x->flags = FR_IO_NOSTATE;
		fr_transfer_flags(x, t, sk, &fr_sock_none, msg_flags);
		fr_io_nostate(x, &fr_sock_none);
	}
	return k;
}

/* Nothing is recorded: a batch that this was part of is over, or can no longer be counted. */
FR_INLINE int fr_transfer_left(struct sock *sk, __s32 result)
{
	if (sk->sk_type != FR_SOCK_DGRAM)
		return 0;
	return result < 0 ? fr_batch_end(sk) : fr_batch_lose();
}

FR_INLINE int fr_transfer_done(struct sock *sk, __s32 result, __u32 msg_flags, const __u32 dir,
			       __u16 family, __u16 type)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct fr_transfer x = { .dir = dir, .result = result };
	struct fr_sock_kept *k = fr_sock_find(sk);

	if (fr_unlikely(!k))
		k = fr_transfer_first(&x, sk, t, msg_flags);
	else if (fr_unlikely(!fr_transfer_wanted(k, t)))
		return fr_transfer_left(sk, result);
	if (fr_unlikely(!k || !fr_result_is_news(result, dir, type, k)))
		return fr_transfer_left(sk, result);
	fr_transfer_flags(&x, t, sk, k, msg_flags);
	x.result = fr_forget(x.result);
	fr_transfer_known(&x, k, sk, t, fr_forget(family));
	return 0;
}

/* What is not recorded leaves first: half of a server's receives find nothing. */
FR_INLINE int fr_transfer(struct sock *sk, __s32 result, __u32 msg_flags, const __u32 dir)
{
	__u16 family, type;

	if (fr_unlikely(result == -FR_EAGAIN))
		return fr_transfer_left(sk, result);
	family = sk->__sk_common.skc_family;
	type = sk->sk_type;
	if (fr_unlikely(!fr_sock_recorded(family, type)))
		return 0;
	if (fr_unlikely(msg_flags & FR_MSG_ERRQUEUE) && dir == FR_DIR_RECV)
		return 0;
	return fr_transfer_done(sk, result, msg_flags, dir, family, type);
}

SEC("tp_btf/sock_send_length")
int FR_PROG(fr_sock_send)
{
	return fr_transfer((void *)ctx[0], ctx[1], ctx[2], FR_DIR_SEND);
}

SEC("tp_btf/sock_recv_length")
int FR_PROG(fr_sock_recv)
{
	return fr_transfer((void *)ctx[0], ctx[1], ctx[2], FR_DIR_RECV);
}
