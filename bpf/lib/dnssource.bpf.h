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
	struct sk_buff *next;
	struct sk_buff *prev;
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

/* The youngest datagram of a socket that was told of: what lies behind it in the queue is new. An
 * address is used again, so it counts together with what the datagram was. */
struct fr_dns_told {
	__u64 skb;
	__u8 head[12];
	__u16 remote_port;
	__u16 reserved_zero;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct fr_dns_told);
} fr_dns_last SEC(".maps");

#define FR_DNS_NEW_MAX 4 /* datagrams that one call tells of: several are enqueued at a time */

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
	if (bpf_ntohs(udp.dest) != e->local_port) /* another CPU has taken it: it is another's */
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

/* Reads what one datagram tells; false when it is not DNS. */
FR_INLINE bool fr_dns_read(struct fr_dns_source *e, const struct sk_buff___dns *skb)
{
	__u32 bytes = BPF_CORE_READ(skb, len);

	if (bytes < FR_DNS_BYTES_MIN || bytes > 0xffff ||
	    bpf_probe_read_kernel(e->head, sizeof(e->head), BPF_CORE_READ(skb, data)))
		return false;
	e->datagram_bytes = bytes;
	return fr_dns_looks_so(e->head) && !fr_dns_remote(e, skb);
}

FR_INLINE bool fr_dns_is_told(const struct fr_dns_told *last, const struct fr_dns_source *e,
			      const struct sk_buff___dns *skb)
{
	/* both heads are aligned to 8 bytes */
	return last && last->skb == (__u64)skb && last->remote_port == e->remote_port &&
	       *(const __u64 *)last->head == *(const __u64 *)e->head &&
	       *(const __u32 *)(last->head + 8) == *(const __u32 *)(e->head + 8);
}

/* Finds those that are new, from the youngest on; returns how many. What was read counts only if
 * the datagram is in the queue afterwards: a freed one is used for the next that comes. */
FR_INLINE __u32 fr_dns_find_new(const struct sock *sk, struct fr_dns_source *found)
{
	const struct sock___dns *s = (const void *)sk;
	__u64 end = (__u64)&s->sk_receive_queue, next = end, key = (__u64)sk;
	__u64 at = (__u64)BPF_CORE_READ(s, sk_receive_queue.prev);
	struct fr_dns_told told = {}, *last;
	struct fr_dns_source *e;
	__u32 cnt = 0;

	last = bpf_map_lookup_elem(&fr_dns_last, &key);
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < FR_DNS_NEW_MAX; i++) {
		const struct sk_buff___dns *skb = (const void *)at;

		if (!at || at == end)
			break;
		e = &found[cnt & (FR_DNS_NEW_MAX - 1)];
		e->local_port = found[0].local_port;
		if (fr_dns_read(e, skb)) {
			if ((__u64)BPF_CORE_READ(skb, next) != next || fr_dns_is_told(last, e, skb))
				break;
			if (!cnt) {
				told.skb = at;
				told.remote_port = e->remote_port;
				__builtin_memcpy(told.head, e->head, sizeof(told.head));
			}
			cnt++;
		}
		next = at;
		at = (__u64)BPF_CORE_READ(skb, prev);
	}
	if (cnt)
		bpf_map_update_elem(&fr_dns_last, &key, &told, BPF_ANY);
	return cnt;
}

FR_INLINE int fr_dns_came(struct sock *sk)
{
	struct fr_dns_source found[FR_DNS_NEW_MAX] = {}, *e;
	struct fr_sock_kept *k;
	__u32 cnt, netns_inum;

	found[0].local_port = fr_sock_local_port(sk);
	cnt = fr_dns_find_new(sk, found);
	if (!cnt)
		return 0;
	k = fr_sock_find(sk);
	if (!fr_sock_is_wanted(k))
		return 0;
	netns_inum = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < FR_DNS_NEW_MAX && cnt; i++) { /* in the order in which they came */
		e = &found[--cnt & (FR_DNS_NEW_MAX - 1)];
		e->sock_id = k ? k->id : 0;
		e->netns_inum = netns_inum;
		fr_dns_record(e);
	}
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
