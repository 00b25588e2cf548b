/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A datagram has come to an unconnected UDP socket: who sent it is told now, as the receive's hook
 * runs before the caller's memory has the address, and the datagram is gone by then. The tracepoint
 * fires behind the enqueueing, for every socket of the host, TCP's segments as well: hence off by
 * default. Small datagrams pass none of the others (skb_copy_datagram_iovec, consume_skb).
 */
#ifndef FR_BPF_DNSSOURCE_H
#define FR_BPF_DNSSOURCE_H

#include "sockstate.bpf.h"

#define FR_IPPROTO_UDP 17
#define FR_DNS_QUESTIONS_AT 4
#define FR_DNS_RECORDS_MAX 1024
#define FR_DNS_BYTES_MIN 17 /* a header, and a question for the root */

struct sk_buff_head___dns {
	struct sk_buff *prev;
} __attribute__((preserve_access_index));

struct sock___dns {
	struct sk_buff_head___dns sk_receive_queue;
} __attribute__((preserve_access_index));

struct sk_buff___dns {
	unsigned int len;
	unsigned char *head;
	unsigned char *data;
	__u16 transport_header;
	__u16 network_header;
} __attribute__((preserve_access_index));

struct fr_udp_header { /* RFC 768, as far as the ports */
	__be16 source;
	__be16 dest;
};

FR_INLINE __u16 fr_dns_be16(const __u8 *p)
{
	return (__u16)p[0] << 8 | p[1];
}

/* Does a datagram with this header ask one question, or answer it? As strict as the reader of dumps
 * is, but for the name. */
FR_INLINE bool fr_dns_looks_so(const __u8 *head)
{
	__u32 flags = fr_dns_be16(head + 2), op = flags >> 11 & 15;

	if (flags & 0x40 || op > 5 || fr_dns_be16(head + FR_DNS_QUESTIONS_AT) != 1)
		return false;
	if (!(flags & 0x8000) && flags & 15)
		return false;
	return fr_dns_be16(head + 6) <= FR_DNS_RECORDS_MAX &&
	       fr_dns_be16(head + 8) <= FR_DNS_RECORDS_MAX &&
	       fr_dns_be16(head + 10) <= FR_DNS_RECORDS_MAX;
}

/* The youngest in the queue; NULL when another CPU has taken it already. */
FR_INLINE const struct sk_buff___dns *fr_dns_youngest(const struct sock *sk)
{
	const struct sock___dns *s = (const void *)sk;
	const struct sk_buff *skb = BPF_CORE_READ(s, sk_receive_queue.prev);

	if ((const void *)skb == (const void *)&s->sk_receive_queue)
		return NULL;
	return (const void *)skb;
}

/* Where it comes from: IPv4's address lies 12 bytes into the packet, IPv6's 8. */
FR_INLINE int fr_dns_remote(struct fr_dns_source *e, const struct sk_buff___dns *skb)
{
	const unsigned char *head = BPF_CORE_READ(skb, head);
	const unsigned char *network = head + BPF_CORE_READ(skb, network_header);
	struct fr_udp_header udp = {};
	__u8 version = 0;

	__builtin_memset(e->remote, 0, sizeof(e->remote));
	if (bpf_probe_read_kernel(&udp, sizeof(udp), head + BPF_CORE_READ(skb, transport_header)) ||
	    bpf_probe_read_kernel(&version, 1, network))
		return -1;
	e->remote_port = bpf_ntohs(udp.source);
	if (version >> 4 == 4) {
		e->family = FR_AF_INET;
		return bpf_probe_read_kernel(e->remote, 4, network + 12);
	}
	e->family = FR_AF_INET6;
	return version >> 4 != 6 || bpf_probe_read_kernel(e->remote, 16, network + 8);
}

FR_INLINE void fr_dns_record(const struct fr_dns_source *from)
{
	struct fr_dns_source *e;
	struct fr_slot s;

	if (fr_reserve(&s, sizeof(*e) / 8, sizeof(*e)))
		return;
	e = s.record;
	__builtin_memcpy(&e->sock_id, &from->sock_id, sizeof(*e) - sizeof(e->word));
	fr_commit(&s, FR_EV_DNS_SOURCE, sizeof(*e) / 8);
}

FR_INLINE int fr_dns_came(struct sock *sk)
{
	const struct sk_buff___dns *skb = fr_dns_youngest(sk);
	struct fr_sock_kept *k;
	struct fr_dns_source e;
	__u32 bytes;

	if (!skb)
		return 0;
	bytes = BPF_CORE_READ(skb, len);
	if (bytes < FR_DNS_BYTES_MIN || bytes > 0xffff ||
	    bpf_probe_read_kernel(e.head, sizeof(e.head), BPF_CORE_READ(skb, data)) ||
	    !fr_dns_looks_so(e.head) || fr_dns_remote(&e, skb))
		return 0;
	k = fr_sock_find(sk);
	if (!fr_sock_is_wanted(k))
		return 0;
	e.sock_id = k ? k->id : 0;
	e.local_port = fr_sock_local_port(sk);
	e.datagram_bytes = bytes;
	e.netns_inum = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	fr_dns_record(&e);
	return 0;
}

SEC("tp_btf/sk_data_ready")
int FR_PROG(fr_dns_ready)
{
	struct sock *sk = (void *)ctx[0];

	if (sk->sk_type != FR_SOCK_DGRAM || sk->sk_protocol != FR_IPPROTO_UDP ||
	    sk->__sk_common.skc_dport)
		return 0;
	return fr_dns_came(sk);
}

#endif
