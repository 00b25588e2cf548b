/* SPDX-License-Identifier: GPL-2.0-only */
/* Retransmissions and resets: programs of family tcp beside both kinds of socket hooks. */
#ifndef FR_BPF_TCPTROUBLE_H
#define FR_BPF_TCPTROUBLE_H

#include "sockstate.bpf.h"

FR_INLINE struct fr_sock_kept *fr_tcp_kept(struct sock *sk)
{
	struct fr_sock_kept *k = fr_sock_find(sk);

	/* in a table, what a socket of another kind left at this address is not its own */
	return k && k->type == FR_SOCK_STREAM && k->addr.family != FR_AF_UNIX ? k : NULL;
}

SEC("tp_btf/tcp_retransmit_skb")
int FR_PROG(fr_tcp_retransmit)
{
	struct sock *sk = (void *)ctx[0];
	struct fr_sock_kept *k = fr_tcp_kept(sk);
	struct fr_tcp_retransmit *e;
	struct fr_slot s;

	if (!fr_sock_is_wanted(k))
		return 0;
	if (fr_reserve(&s, sizeof(*e) / 8, sizeof(*e)))
		return 0;
	e = s.record;
	e->sock_id = k ? k->id : 0;
	e->local_port = fr_sock_local_port(sk);
	e->remote_port = bpf_ntohs(sk->__sk_common.skc_dport);
	e->state = sk->__sk_common.skc_state;
	__builtin_memset(e->reserved_zero, 0, sizeof(e->reserved_zero));
	fr_commit(&s, FR_EV_TCP_RETRANSMIT, sizeof(*e) / 8);
	return 0;
}

struct fr_tcp_header { /* RFC 9293 3.1, as far as the ports */
	__be16 source;
	__be16 dest;
};

struct sk_buff___ports {
	unsigned char *head;
	__u16 transport_header;
} __attribute__((preserve_access_index));

FR_INLINE int fr_reset(struct sock *sk, const struct sk_buff___ports *skb, __u32 direction)
{
	struct fr_sock_kept *k = sk ? fr_tcp_kept(sk) : NULL;
	struct fr_tcp_header h = {};
	struct fr_tcp_reset *e;
	struct fr_slot s;

	if (!fr_sock_is_wanted(k))
		return 0;
	if (!sk && skb) /* refused: only the segment that is answered knows the ports */
		bpf_probe_read_kernel(&h, sizeof(h), skb->head + skb->transport_header);
	if (fr_reserve(&s, sizeof(*e) / 8, sizeof(*e)))
		return 0;
	e = s.record;
	e->direction = direction;
	e->reserved_zero = 0;
	if (sk) {
		e->sock_id = k ? k->id : 0;
		e->local_port = fr_sock_local_port(sk);
		e->remote_port = bpf_ntohs(sk->__sk_common.skc_dport);
		e->state = sk->__sk_common.skc_state;
	} else {
		e->sock_id = 0;
		e->local_port = bpf_ntohs(h.dest);
		e->remote_port = bpf_ntohs(h.source);
		e->state = 0;
	}
	fr_commit(&s, FR_EV_TCP_RESET, sizeof(*e) / 8);
	return 0;
}

SEC("tp_btf/tcp_send_reset")
int FR_PROG(fr_tcp_send_reset)
{
	return fr_reset((void *)ctx[0], (void *)ctx[1], FR_RESET_SENT);
}

SEC("tp_btf/tcp_receive_reset")
int FR_PROG(fr_tcp_receive_reset)
{
	return fr_reset((void *)ctx[0], NULL, FR_RESET_RECEIVED);
}

#endif
