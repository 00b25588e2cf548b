/* SPDX-License-Identifier: GPL-2.0-only */
/* Birth, change and death of TCP sockets: programs of both kinds of socket hooks. */
#ifndef FR_BPF_SOCKLIFE_H
#define FR_BPF_SOCKLIFE_H

#include "sockstate.bpf.h"

FR_INLINE void fr_sock_state_record(const struct fr_sock_kept *k, const struct sock *sk, __u32 old,
				    __u32 new)
{
	struct fr_sock_state *e;
	struct fr_slot s;

	if (fr_reserve(&s, sizeof(*e) / 8, sizeof(*e)))
		return;
	e = s.record;
	e->sock_id = k ? k->id : 0;
	e->local_port = fr_sock_local_port(sk);
	e->remote_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	e->old_state = old;
	e->new_state = new;
	e->reserved_zero = 0;
	fr_commit(&s, FR_EV_SOCK_STATE, sizeof(*e) / 8);
}

/* At the beginning of a connection: the state that a former socket left at this address (one whose
 * end is not seen: unix, UDP) is not its own. */
FR_INLINE bool fr_sock_is_stale(const struct fr_sock_kept *k, const struct sock *sk, __u32 new)
{
#ifdef FR_SOCK_BY_ADDRESS
	if (k && (new == FR_TCP_SYN_SENT || new == FR_TCP_ESTABLISHED || new == FR_TCP_LISTEN))
		return k->inode && k->inode != fr_sock_inode(sk);
#endif
	return false;
}

/* The first states of a connection: which side we are on, what the other end is. */
FR_INLINE struct fr_sock_kept *fr_sock_grow(struct sock *sk, __u32 old, __u32 new)
{
	struct fr_sock_kept *k = fr_sock_find(sk);

	if (fr_sock_is_stale(k, sk, new)) {
		fr_sock_forget(sk);
		k = NULL;
	}
	if (new == FR_TCP_SYN_SENT && k)
		k->flags = FR_SOCK_CONNECTED | (k->flags & FR_SOCK_MPTCP);
	else if (new == FR_TCP_SYN_SENT)
		return fr_sock_born(sk, FR_SOCK_CONNECTED);
	if (new == FR_TCP_LISTEN && k)
		k->flags |= FR_SOCK_LISTENING;
	else if (new == FR_TCP_LISTEN)
		return fr_sock_born(sk, FR_SOCK_LISTENING);
	if (new == FR_TCP_ESTABLISHED && !k)
		k = fr_sock_born(sk, old == FR_TCP_SYN_SENT ? FR_SOCK_CONNECTED : FR_SOCK_ACCEPTED);
	return k;
}

/* Both ends are known, and counting starts at the first byte: whatever the socket was before (it
 * may have been refused and connects again). */
FR_INLINE void fr_sock_connected(struct fr_sock_kept *k, struct sock *sk)
{
	k->flags = FR_SOCK_CONNECTED | (k->flags & FR_SOCK_MPTCP);
	k->last_dir = FR_DIR_NONE;
	k->eof_seen = 0;
	__builtin_memset(k->dir, 0, sizeof(k->dir));
	__builtin_memset(&k->asked, 0, sizeof(k->asked));
	fr_sock_offsets(k, sk, false);
}

/* The obituary: younger than every other record of the socket. */
FR_INLINE void fr_sock_end(struct fr_sock_kept *k, struct sock *sk)
{
	fr_sock_record(k, FR_EV_SOCK_CLOSE);
	fr_sock_live_add(-1);
	fr_count(FR_COUNTER_SOCK_ENDED);
	fr_sock_forget(sk);
}

SEC("tp_btf/inet_sock_set_state")
int FR_PROG(fr_sock_set_state)
{
	struct sock *sk = (void *)ctx[0];
	__u32 old = ctx[1], new = ctx[2];
	struct fr_sock_kept *k;

	if (old == new)
		return 0; /* MPTCP says some twice */
	k = fr_sock_grow(sk, old, new);
	if (k && new == FR_TCP_ESTABLISHED) {
		if (old == FR_TCP_SYN_SENT || k->flags & FR_SOCK_CONNECTED)
			fr_sock_connected(k, sk);
		else
			k->flags |= FR_SOCK_ACCEPTED;
		fr_sock_addr_inet(&k->addr, sk);
		fr_sock_record(k, FR_EV_SOCK_OPEN);
	} else if (k && (new == FR_TCP_SYN_SENT || new == FR_TCP_LISTEN)) {
		fr_sock_addr_inet(&k->addr, sk); /* the local port may come later */
		fr_sock_mark_wanted(k, bpf_get_current_task_btf()); /* it calls connect, listen */
		fr_sock_tell(k);
	} else if (k && old == FR_TCP_SYN_SENT && new == FR_TCP_CLOSE) {
		fr_sock_addr_inet(&k->addr, sk);
		k->flags |= FR_SOCK_FAILED;
	}
	if (fr_sock_is_wanted(k))
		fr_sock_state_record(k, sk, old, new);
	if (k && new == FR_TCP_CLOSE && k->flags & FR_SOCK_MPTCP)
		fr_sock_end(k, sk); /* tcp_destroy_sock tells of its subflows only */
	return 0;
}

SEC("tp_btf/tcp_destroy_sock")
int FR_PROG(fr_sock_destroy)
{
	struct sock *sk = (void *)ctx[0];
	struct fr_sock_kept *k = fr_sock_find(sk);

	if (k)
		fr_sock_end(k, sk);
	return 0;
}

#endif
