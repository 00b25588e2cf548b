/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is remembered of each socket: its id, addresses as they were when it was established (at
 * its end the ports may be 0 already), stream offsets, how much of the present message may still
 * be captured.
 *
 * Kept in socket storage, which dies with the socket. The fallback hooks (FR_SOCK_BY_ADDRESS)
 * cannot reach that from a file descriptor and use a table by the socket's address instead; as
 * addresses are reused, a state is believed only while the socket's inode is the same.
 */
#ifndef FR_BPF_SOCKSTATE_H
#define FR_BPF_SOCKSTATE_H

#include <bpf/bpf_endian.h>

#include "filter.bpf.h"
#include "goid.bpf.h"
#include "ring.bpf.h"

#define FR_IPPROTO_TCP 6
#define FR_IPPROTO_MPTCP 262
#define FR_TCP_ESTABLISHED 1
#define FR_TCP_SYN_SENT 2
#define FR_TCP_CLOSE 7
#define FR_TCP_LISTEN 10

/* A field of a socket: a plain load where the verifier knows the pointer. */
#ifdef FR_SOCK_BY_ADDRESS
#define fr_sk_get(sk, ...) BPF_CORE_READ(sk, __VA_ARGS__)
#define fr_sk_tcp(sk) ((struct tcp_sock *)(sk)) /* after its protocol was looked at */
#else
#define fr_sk_get(sk, field) ((sk)->field)
#define fr_sk_tcp(sk) /* after its protocol was looked at */					\
	(fr_feature(FR_FEAT_RDONLY_CAST) ? fr_view(sk, struct tcp_sock) : bpf_skc_to_tcp_sock(sk))
#endif

enum { FR_DIR_SEND, FR_DIR_RECV, FR_DIR_NONE };

struct fr_sock_dir {
	__u64 off;	  /* stream offset behind the last transfer */
	__u32 base;	  /* what write_seq or copied_seq is at stream offset 0 */
	__u32 msg_off;	  /* bytes of the present message so far, saturating */
	__u32 budget;	  /* bytes of it that may still be captured */
	__u32 flags;	  /* FR_IO_FIRST_SIGHT, FR_IO_COUNTED */
};

/* What triggers keep of a socket (trigger.bpf.h). */
struct fr_asked {
	__u64 at_ns; /* when the present request began; 0 = answered, or not seen */
	__u8 wire;   /* FR_SPEAKS_* */
	__u8 dir;    /* FR_DIR_*: the way that requests go, once wire is known */
	__u8 tries;  /* messages that were not understood */
	__u8 replies; /* whose time was taken; wraps */
	__u8 reserved_zero[4];
};

/* Who uses a socket from several CPUs in turn finds its name in the sub-buffers of all of them. */
#define FR_BIRTHS 4

struct fr_sock_kept {
	/* of every transfer: two cache lines */
	__u64 id;
	__u32 tgid;	   /* first user */
	__u32 passed_tgid; /* last user that is neither the recorder nor kept out by a filter */
	__u32 flags;	   /* FR_SOCK_* */
	__u16 type;
	__u8 last_dir;
	__u8 eof_seen;
	struct fr_go_known go;
	struct fr_sock_dir dir[2];
	struct fr_asked asked;
	/* the rest is for births, ends and those that ask */
	__u64 birth_at[FR_BIRTHS]; /* unix: by CPU, the place (FR_PLACE) that last named it */
	__u64 inode;
	__u64 netns_inum;
	struct fr_sock_addr addr;
	__u32 peer_tgid;
	__u8 wanted; /* with a filter: a process that passes it has used the socket */
	__u8 uncounted; /* no room to count its batches' messages (batch.bpf.h) */
};

/* Stands in for the state of a socket that has none; stays zero. */
struct fr_sock_kept fr_sock_none;

#ifdef FR_SOCK_BY_ADDRESS
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1); /* the loader sets max_sockets */
	__type(key, __u64);
	__type(value, struct fr_sock_kept);
} fr_sock_table SEC(".maps");
#else
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct fr_sock_kept);
} fr_socks SEC(".maps");
#endif

/* One number a CPU, so that ids need no shared counter. */
struct fr_sock_count {
	__u64 last_id;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* possible CPUs */
	__type(key, __u32);
	__type(value, struct fr_sock_count);
} fr_sock_counts SEC(".maps");

/* Element 0: live states as last counted, for the limit; 1: when the daemon was last asked to count
 * them anew. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} fr_sock_live SEC(".maps");

FR_INLINE void fr_sock_live_add(__s64 n)
{
	__u32 zero = 0;
	__u64 *live = bpf_map_lookup_elem(&fr_sock_live, &zero);

	if (live)
		__sync_fetch_and_add(live, n);
}

#define FR_SOCK_GATE_NS 1000000000ull

/* Unix and UDP sockets end unseen: the daemon is asked to count before it is too late. */
int fr_sock_ask_count(void);
__attribute__((noinline)) int fr_sock_ask_count(void)
{
	__u64 now = bpf_ktime_get_boot_ns(), last, *gate;
	struct fr_notice *n;
	__u32 one = 1;

	gate = bpf_map_lookup_elem(&fr_sock_live, &one);
	if (!gate)
		return 0;
	last = *(volatile __u64 *)gate;
	if (now - last < FR_SOCK_GATE_NS || __sync_val_compare_and_swap(gate, last, now) != last)
		return 0;
	n = bpf_ringbuf_reserve(&fr_notices, sizeof(*n), 0);
	if (!n) {
		fr_count(FR_COUNTER_NOTICE_DROPPED);
		return 0;
	}
	__builtin_memset(n, 0, sizeof(*n));
	n->kind = FR_NOTICE_SOCKETS;
	n->time_ns = now;
	bpf_ringbuf_submit(n, BPF_RB_FORCE_WAKEUP);
	return 0;
}

FR_INLINE bool fr_sock_room(void)
{
#ifdef FR_SOCK_BY_ADDRESS
	return true; /* the table makes room by itself, for the one not used longest */
#else
	__u32 zero = 0;
	__u64 *live = bpf_map_lookup_elem(&fr_sock_live, &zero);
	__s64 cnt = live ? *live : (__s64)fr_knobs.max_sockets;

	if (cnt > (__s64)fr_knobs.max_sockets / 4 * 3)
		fr_sock_ask_count();
	return cnt < (__s64)fr_knobs.max_sockets;
#endif
}

FR_INLINE __u64 fr_sock_new_id(void)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct fr_sock_count *c = bpf_map_lookup_elem(&fr_sock_counts, &cpu);

	return c ? (__u64)cpu << 48 | (__sync_fetch_and_add(&c->last_id, 1) + 1) : 0;
}

FR_INLINE __u64 fr_sock_inode(const struct sock *sk)
{
	struct socket *sock = BPF_CORE_READ(sk, sk_socket);
	struct socket_alloc *alloc;

	if (!sock)
		return 0;
	alloc = (void *)sock - bpf_core_field_offset(struct socket_alloc, socket);
	return BPF_CORE_READ(alloc, vfs_inode.i_ino);
}

/* At its end a socket that got its port from the kernel has given it back, but for this copy. */
FR_INLINE __u16 fr_sock_local_port(const struct sock *sk)
{
	__u16 port = BPF_CORE_READ(sk, __sk_common.skc_num);

	return port ? port : bpf_ntohs(BPF_CORE_READ((const struct inet_sock *)sk, inet_sport));
}

FR_INLINE void fr_sock_addr_inet(struct fr_sock_addr *a, const struct sock *sk)
{
	a->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	a->local_port = fr_sock_local_port(sk);
	a->remote_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	a->reserved_zero = 0;
	__builtin_memset(a->local, 0, sizeof(a->local));
	__builtin_memset(a->remote, 0, sizeof(a->remote));
	if (a->family == FR_AF_INET6) {
		BPF_CORE_READ_INTO((struct in6_addr *)a->local, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO((struct in6_addr *)a->remote, sk, __sk_common.skc_v6_daddr);
	} else {
		BPF_CORE_READ_INTO((__u32 *)a->local, sk, __sk_common.skc_rcv_saddr);
		BPF_CORE_READ_INTO((__u32 *)a->remote, sk, __sk_common.skc_daddr);
	}
}

/* Unix: inode numbers of both ends instead of addresses. */
FR_INLINE void fr_sock_addr_unix(struct fr_sock_kept *k, const struct sock *sk)
{
	struct sock *peer = BPF_CORE_READ((const struct unix_sock *)sk, peer);
	struct pid *pid = BPF_CORE_READ(sk, sk_peer_pid);

	__builtin_memset(&k->addr, 0, sizeof(k->addr));
	k->addr.family = FR_AF_UNIX;
	k->inode = fr_sock_inode(sk);
	*(__u64 *)k->addr.local = k->inode;
	if (peer)
		*(__u64 *)k->addr.remote = fr_sock_inode(peer);
	if (pid)
		k->peer_tgid = BPF_CORE_READ(pid, numbers[0].nr);
}

/* Where a unix socket's name lies, its own or, as who connects has none, the other end's. Returns
 * its bytes, at most FR_UNIX_PATH_MAX; 0 = no name. */
FR_INLINE __u32 fr_unix_path(const struct sock *sk, const void **ret_name)
{
	struct unix_address *a = BPF_CORE_READ((const struct unix_sock *)sk, addr);
	struct sock *peer = BPF_CORE_READ((const struct unix_sock *)sk, peer);
	const char *name;
	char first = 0;
	__u32 bytes;

	if (!a && peer)
		a = BPF_CORE_READ((const struct unix_sock *)peer, addr);
	if (!a)
		return 0;
	name = (const char *)a + bpf_core_field_offset(struct unix_address, name) +
	       bpf_core_field_offset(struct sockaddr_un, sun_path);
	bytes = BPF_CORE_READ(a, len) - bpf_core_field_offset(struct sockaddr_un, sun_path);
	bpf_probe_read_kernel(&first, 1, name);
	if (first && bytes)
		bytes--; /* a path has a zero behind it, an abstract name has one in front */
	*ret_name = name;
	return bytes <= FR_UNIX_PATH_MAX ? bytes : 0;
}

FR_INLINE void fr_sock_address(struct fr_sock_kept *k, const struct sock *sk, __u16 family)
{
	if (family == FR_AF_UNIX)
		fr_sock_addr_unix(k, sk);
	else
		fr_sock_addr_inet(&k->addr, sk);
}

#define FR_COUNT_LOOKS 4 /* with a clock in between: longer than a cache line travels */

/* What the kernel has counted of a connection, with the sequence numbers that it has come to. */
struct fr_tcp_counted {
	__u64 sent, received;
	__u32 sent_seq, received_ahead;
};

FR_INLINE void fr_tcp_counted(struct fr_tcp_counted *c, const struct tcp_sock *tp)
{
	c->sent_seq = BPF_CORE_READ(tp, snd_nxt);
	c->sent = BPF_CORE_READ(tp, bytes_sent) - BPF_CORE_READ(tp, bytes_retrans);
	c->received = BPF_CORE_READ(tp, bytes_received);
	c->received_ahead = BPF_CORE_READ(tp, rcv_nxt) - (__u32)c->received;
}

/* A socket's address as a plain number: a global function takes no pointer to one. */
FR_INLINE __u64 fr_sock_number(const struct sock *sk)
{
	return (__u64)BPF_CORE_READ(sk, sk_socket, sk);
}

/*
 * Offsets of a connection that is older than its state, from its start on: both ends count alike
 * then, whenever each was first seen. The kernel changes its counts while they are read, so they
 * are believed only if
 * - two of its counts of what was sent agree, but for the SYN of who connected, which is one of the
 *   acknowledged bytes (a transmission that failed leaves them apart);
 * - sending rests;
 * - the distance of sequence number and bytes received, which never changes, doesn't seem to.
 * Records of kernel TLS are no bytes of its users. A FIN takes a sequence number, too, but there is
 * none while ESTABLISHED. Global: rare, and its frame is its own. Returns whether it was done.
 */
int fr_sock_count_all(struct fr_sock_kept *k, __u64 sk);
__attribute__((noinline)) int fr_sock_count_all(struct fr_sock_kept *k, __u64 sk)
{
	const struct tcp_sock *tp = (void *)sk;
	struct fr_tcp_counted first, again;
	struct fr_sock_dir *send, *recv;
	__u64 acked;

	if (!k || BPF_CORE_READ((struct sock *)sk, __sk_common.skc_state) != FR_TCP_ESTABLISHED ||
	    BPF_CORE_READ(tp, inet_conn.icsk_ulp_ops))
		return false;
	send = &k->dir[FR_DIR_SEND];
	recv = &k->dir[FR_DIR_RECV];
	fr_tcp_counted(&first, tp);
	acked = BPF_CORE_READ(tp, bytes_acked) + (first.sent_seq - BPF_CORE_READ(tp, snd_una));
	if (acked - first.sent > 1)
		return false;
#pragma clang loop unroll(disable)
	for (int i = 0; i < FR_COUNT_LOOKS; i++) {
		bpf_ktime_get_boot_ns();
		fr_tcp_counted(&again, tp);
		if (again.sent != first.sent || again.sent_seq != first.sent_seq ||
		    again.received_ahead != first.received_ahead)
			return false;
	}
	/* the bases are older than the counts, or younger */
	send->off = first.sent + (__s32)(send->base - first.sent_seq);
	recv->off = first.received +
		    (__s32)(recv->base - first.received_ahead - (__u32)first.received);
	send->base -= (__u32)send->off;
	recv->base -= (__u32)recv->off;
	return true;
}

FR_INLINE void fr_sock_offsets(struct fr_sock_kept *k, struct sock *sk, bool existed)
{
	struct tcp_sock *tp = NULL;
	__u32 flags = FR_IO_COUNTED;

	if (BPF_CORE_READ(sk, sk_protocol) == FR_IPPROTO_TCP)
		tp = fr_sk_tcp(sk);
	if (tp) {
		k->dir[FR_DIR_SEND].base = fr_sk_get(tp, write_seq);
		k->dir[FR_DIR_RECV].base = fr_sk_get(tp, copied_seq);
		flags = 0;
	}
	if (existed && !(tp && fr_sock_count_all(k, fr_sock_number(sk))))
		flags |= FR_IO_FIRST_SIGHT;
	k->dir[FR_DIR_SEND].flags = k->dir[FR_DIR_RECV].flags = flags;
}

FR_INLINE void fr_sock_init(struct fr_sock_kept *k, struct sock *sk, __u32 flags)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	__builtin_memset(k, 0, sizeof(*k));
	k->id = fr_sock_new_id();
	k->flags = flags;
	if (BPF_CORE_READ(sk, sk_protocol) == FR_IPPROTO_MPTCP)
		k->flags |= FR_SOCK_MPTCP;
	k->type = BPF_CORE_READ(sk, sk_type);
	k->last_dir = FR_DIR_NONE;
	k->netns_inum = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	fr_sock_address(k, sk, family);
	fr_sock_offsets(k, sk, flags & FR_SOCK_EXISTED);
}

/* The state of a socket, or NULL. */
#ifdef FR_SOCK_BY_ADDRESS
FR_INLINE struct fr_sock_kept *fr_sock_find(struct sock *sk)
{
	__u64 key = (__u64)sk;

	return bpf_map_lookup_elem(&fr_sock_table, &key);
}

FR_INLINE struct fr_sock_kept *fr_sock_create(struct sock *sk)
{
	__u64 key = (__u64)sk;

	bpf_map_update_elem(&fr_sock_table, &key, &fr_sock_none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&fr_sock_table, &key);
}

FR_INLINE void fr_sock_forget(struct sock *sk)
{
	__u64 key = (__u64)sk;

	bpf_map_delete_elem(&fr_sock_table, &key);
}
#else
FR_INLINE struct fr_sock_kept *fr_sock_find(struct sock *sk)
{
	return bpf_sk_storage_get(&fr_socks, sk, NULL, 0);
}

FR_INLINE struct fr_sock_kept *fr_sock_create(struct sock *sk)
{
	return bpf_sk_storage_get(&fr_socks, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
}

FR_INLINE void fr_sock_forget(struct sock *sk)
{
	bpf_sk_storage_delete(&fr_socks, sk);
}
#endif

/* Makes the state of a socket that has none; NULL with the reason counted. */
FR_INLINE struct fr_sock_kept *fr_sock_born(struct sock *sk, __u32 flags)
{
	struct fr_sock_kept *k = fr_sock_room() ? fr_sock_create(sk) : NULL;

	if (!k) {
		fr_count(FR_COUNTER_SOCK_NOSTATE);
		return NULL;
	}
	if (k->id)
		return k; /* another CPU was quicker */
	fr_sock_init(k, sk, flags);
	fr_sock_live_add(1);
	fr_count(FR_COUNTER_SOCK_CREATED);
	return k;
}

/* Interrupts have no process to ask the filter about: what happens to a socket by itself is wanted
 * once a wanted process has used it. Counts what it keeps out. */
FR_INLINE bool fr_sock_is_wanted(const struct fr_sock_kept *k)
{
	if (fr_knobs.filter_kind == FR_FILTER_NONE || (k && k->wanted))
		return true;
	fr_count(FR_COUNTER_FILTERED);
	return false;
}

FR_INLINE void fr_sock_mark_wanted(struct fr_sock_kept *k, const struct task_struct *t)
{
	if (fr_knobs.filter_kind != FR_FILTER_NONE && !k->wanted)
		k->wanted = fr_filter_wants(t);
}

/* A record's contents but its first word, from the state alone. */
FR_INLINE void fr_sock_row(struct fr_sock_open *e, const struct fr_sock_kept *k)
{
	e->sock_id = k->id;
	__builtin_memcpy(&e->addr, &k->addr, sizeof(e->addr));
	e->tgid = k->tgid;
	e->peer_tgid = k->peer_tgid;
	e->netns_inum = k->netns_inum;
	e->type = k->type;
	e->path_bytes = 0;
	e->flags = k->flags;
	e->sent_bytes = k->dir[FR_DIR_SEND].off;
	e->received_bytes = k->dir[FR_DIR_RECV].off;
}

/* Which sub-buffer of which CPU a record lies in; never 0, which says that it was dropped. */
#define FR_PLACE(slot) ((__u64)((slot)->cpu + 1) << 32 | (slot)->seq)
#define FR_BIRTH(kept, place) ((kept)->birth_at[(place) >> 32 & (FR_BIRTHS - 1)])

/* sock_open and sock_close. Returns the record's place, 0 when dropped. */
FR_INLINE __u64 fr_sock_record(const struct fr_sock_kept *k, __u32 kind)
{
	struct fr_slot s;

	if (fr_reserve(&s, sizeof(struct fr_sock_open) / 8, sizeof(struct fr_sock_open)))
		return 0;
	fr_sock_row(s.record, k);
	fr_commit(&s, kind, sizeof(struct fr_sock_open) / 8);
	return FR_PLACE(&s);
}

/* A length that is below max (a power of two), in a form that every verifier understands and no
 * compiler undoes. */
#define FR_BELOW(length, max)                                                                      \
	({                                                                                         \
		__u64 fr_below = (length);                                                         \
		asm volatile("%0 &= %1" : "+r"(fr_below) : "i"((max) - 1));                        \
		fr_below;                                                                          \
	})

/* Who a TCP socket is, as far as is known, before others name it: a list of all sockets that was
 * made a moment ago lacks it. Datagrams' records say all themselves; unix sockets are named behind
 * the records that name them. */
__u64 fr_sock_tell(struct fr_sock_kept *k);
__attribute__((noinline)) __u64 fr_sock_tell(struct fr_sock_kept *k)
{
	if (!k || k->type != FR_SOCK_STREAM || k->addr.family == FR_AF_UNIX)
		return 0;
	return fr_sock_record(k, FR_EV_SOCK_OPEN);
}

/* An accepted MPTCP socket gets its addresses only after its state: known at its first transfer. */
__u64 fr_mptcp_tell(struct fr_sock_kept *k, __u64 sk);
__attribute__((noinline)) __u64 fr_mptcp_tell(struct fr_sock_kept *k, __u64 sk)
{
	if (!k)
		return 0;
	fr_sock_addr_inet(&k->addr, (void *)sk);
	return fr_sock_record(k, FR_EV_SOCK_OPEN);
}

#define FR_UNIX_PATH_ROOM 128 /* a power of two for the verifier */

/* sock_open of a unix socket, with its name. Global: rare, and the verifier sees it once. */
__u64 fr_unix_record(struct fr_sock_kept *k, __u64 sk);
__attribute__((noinline)) __u64 fr_unix_record(struct fr_sock_kept *k, __u64 sk)
{
	const void *name = NULL;
	struct fr_sock_open *e;
	struct fr_slot s;
	__u32 bytes, tail;

	if (!k)
		return 0;
	bytes = fr_unix_path((void *)sk, &name);
	tail = (bytes + 7) & ~7u;
	if (fr_reserve(&s, (sizeof(*e) + tail) / 8, sizeof(*e) + FR_UNIX_PATH_ROOM + 8))
		return 0;
	e = s.record;
	fr_sock_row(e, k);
	if (tail)
		*(__u64 *)((void *)(e + 1) + (FR_BELOW(tail - 8, FR_UNIX_PATH_ROOM) & ~7ull)) = 0;
	if (!bpf_probe_read_kernel(e + 1, FR_BELOW(bytes, FR_UNIX_PATH_ROOM), name))
		e->path_bytes = bytes;
	fr_commit(&s, FR_EV_SOCK_OPEN, (sizeof(*e) + tail) / 8);
	return FR_PLACE(&s);
}

/* A row of the socket iterators: a sock_open record on the stack. */
struct fr_sock_line {
	struct fr_sock_open open;
	char path[FR_UNIX_PATH_ROOM];
};

FR_INLINE void fr_sock_list(struct seq_file *seq, const struct fr_sock_kept *k,
			    const struct sock *sk)
{
	struct fr_sock_line line = {};
	const void *name = NULL;
	__u32 bytes = 0;

	fr_sock_row(&line.open, k);
	/* what lies at a table's address by now may be another socket */
	if (k->addr.family == FR_AF_UNIX && fr_sock_inode(sk) == k->inode)
		bytes = fr_unix_path(sk, &name);
	else if (k->type == FR_SOCK_STREAM && !line.open.addr.local_port)
		line.open.addr.local_port = fr_sock_local_port(sk); /* still connecting */
	if (bytes && !bpf_probe_read_kernel(line.path, FR_BELOW(bytes, FR_UNIX_PATH_ROOM), name))
		line.open.path_bytes = bytes;
	bytes = sizeof(line.open) + FR_BELOW((bytes + 7) & ~7u, FR_UNIX_PATH_ROOM);
	line.open.word = FR_RECORD_WORD(0, FR_EV_SOCK_OPEN, (__u64)bytes / 8);
	bpf_seq_write(seq, &line, bytes);
}

#endif
