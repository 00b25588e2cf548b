// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which sockets are open: every one that has state as a row for the daemon (fr_iter_socks); and,
 * when recording begins, state for every one that a process holds (fr_iter_files; an iterator over
 * TCP sockets would see one network namespace only).
 */
#include "sockstate.bpf.h"

#include "formats/abi/collect.h"

SEC("iter/bpf_sk_storage_map")
int fr_iter_socks(struct bpf_iter__bpf_sk_storage_map *ctx);
int fr_iter_socks(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	const struct fr_sock_kept *k = ctx->value;
	const struct sock *sk = ctx->sk;

	if (sk && k)
		fr_sock_list(ctx->meta->seq, k, sk);
	return 0;
}

FR_INLINE bool fr_worth_state(const struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family, type = sk->sk_type;

	if (family == FR_AF_UNIX)
		return type == FR_SOCK_STREAM && sk->__sk_common.skc_state == FR_TCP_ESTABLISHED;
	return (family == FR_AF_INET || family == FR_AF_INET6) && type == FR_SOCK_STREAM;
}

SEC("iter/task_file")
int fr_iter_files(struct bpf_iter__task_file *ctx);
int fr_iter_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *t = ctx->task;
	struct file *file = ctx->file;
	__u32 flags = FR_SOCK_EXISTED;
	struct fr_sock_kept *k;
	struct socket *sock;
	__u64 at;
	struct sock *sk;

	if (!file || !t)
		return 0;
	sock = bpf_sock_from_file(file);
	if (!sock)
		return 0;
	sk = sock->sk;
	if (!sk || !fr_worth_state(sk) || fr_sock_find(sk))
		return 0;
	if (sk->__sk_common.skc_state == FR_TCP_LISTEN)
		flags |= FR_SOCK_LISTENING;
	k = fr_sock_born(sk, flags);
	if (!k)
		return 0;
	k->tgid = t->tgid;
	fr_sock_mark_wanted(k, t);
	if (k->addr.family == FR_AF_UNIX) {
		at = fr_unix_record(k, fr_sock_number(sk));
		FR_BIRTH(k, at) = at;
	} else {
		fr_sock_record(k, FR_EV_SOCK_OPEN);
	}
	return 0;
}
