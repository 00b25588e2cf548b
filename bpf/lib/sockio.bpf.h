/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One transfer on a socket becomes one record: stream offset, result, who, and at the start of a
 * message its first bytes. Common to both kinds of socket hooks.
 *
 * User memory is what costs here, so it is read at message starts only, goroutine number and bytes
 * together; every other record carries sizes.
 */
#ifndef FR_BPF_SOCKIO_H
#define FR_BPF_SOCKIO_H

#include "call.bpf.h"
#include "filter.bpf.h"
#include "sockstate.bpf.h"
#include "trigger.bpf.h"

#define FR_EAGAIN 11
#define FR_ERESTART_FIRST 512 /* ERESTARTSYS and its like: the call goes on later */
#define FR_IOVECS_MAX 8
#define FR_CAPTURE_SMALL 1024 /* classes of records by their captured bytes: below this, or */
#define FR_CAPTURE_LARGE 4096 /* up to FR_CAPTURE_MAX */

struct fr_transfer {
	struct fr_call call;
	struct fr_go go;
	__u64 stream_off;
	__s32 result;
	__u32 flags;	     /* FR_IO_* */
	__u32 msg_off;
	__u32 capture_bytes; /* wanted */
	__u32 dir;
	__u32 tid;
	bool addressed;
	struct fr_sock_addr addr; /* datagrams */
};

/* States in which the other end's FIN has been counted into copied_seq. */
FR_INLINE bool fr_tcp_fin_seen(__u8 state)
{
	return state >= 6 && state <= 11 && state != FR_TCP_LISTEN;
}

/* Two CPUs may be at work on one direction of a socket, and the later one come first. */
#define FR_STREAM_BACK (1ll << 26)

/* Where in its stream this transfer lies; moves the state on. The offset's low half follows from
 * the kernel's counter alone, so that two CPUs at once never count the same bytes twice. */
FR_INLINE void fr_stream_advance(struct fr_transfer *x, struct fr_sock_kept *k, struct sock *sk)
{
	struct fr_sock_dir *d = &k->dir[x->dir & 1];
	struct tcp_sock *tp = NULL;
	__u32 done = x->result > 0 ? x->result : 0, now, moved;

	x->flags |= d->flags;
	x->stream_off = d->off;
	if (fr_unlikely(x->flags & FR_IO_PEEK))
		return;
	if (fr_likely(!(d->flags & FR_IO_COUNTED)))
		tp = fr_sk_tcp(sk);
	if (fr_unlikely(!tp)) {
		d->off += done;
		return;
	}
	now = x->dir == FR_DIR_SEND ? fr_sk_get(tp, write_seq) : fr_sk_get(tp, copied_seq);
	moved = now - d->base - (__u32)d->off;
	if (fr_unlikely(moved == done + 1) &&
	    fr_tcp_fin_seen(fr_sk_get(sk, __sk_common.skc_state))) {
		moved = done; /* a FIN takes a sequence number, not a byte */
		d->base++;
	}
	if (fr_unlikely(moved != done) && fr_sk_get(tp, inet_conn.icsk_ulp_ops)) {
		/* kernel TLS moves its own records there, and hands out what is in them */
		d->flags |= FR_IO_COUNTED;
		x->flags |= FR_IO_COUNTED;
		d->off += done;
		return;
	}
	d->off += (__u32)(moved + FR_STREAM_BACK) - FR_STREAM_BACK;
	/* done before the base was taken: first sight, or in a SYN */
	if (fr_unlikely((__s64)d->off < done)) {
		d->base -= done - (__u32)d->off;
		d->off = moved = done;
	}
	if (fr_unlikely((__s32)(moved - done) > 0)) /* less: told before, or before its state */
		x->flags |= FR_IO_GAP;
	x->stream_off = d->off - done;
}

FR_INLINE __u32 fr_capture_limit(const struct fr_sock_kept *k, __u32 dir)
{
	__u32 request = fr_knobs.capture_request_bytes, response = fr_knobs.capture_response_bytes;

	if (k->flags & FR_SOCK_ACCEPTED)
		return dir == FR_DIR_RECV ? request : response;
	if (k->flags & FR_SOCK_CONNECTED)
		return dir == FR_DIR_SEND ? request : response;
	return request > response ? request : response; /* side not known: the larger */
}

/* How many bytes to capture: from the first data after the direction flips, up to the limit. */
FR_INLINE void fr_message_advance(struct fr_transfer *x, struct fr_sock_kept *k)
{
	struct fr_sock_dir *d = &k->dir[x->dir & 1];
	__u32 take;

	if (fr_unlikely(x->result <= 0 || x->flags & FR_IO_PEEK))
		return;
	if (k->last_dir != x->dir || k->type == FR_SOCK_DGRAM) {
		k->last_dir = x->dir;
		d->msg_off = 0;
		d->budget = fr_capture_limit(k, x->dir);
		x->flags |= FR_IO_MSG_START;
	} else if (d->budget) {
		x->flags |= FR_IO_MSG_MORE;
	}
	x->msg_off = d->msg_off;
	take = (__u32)x->result < d->budget ? (__u32)x->result : d->budget;
	if (take < (__u32)x->result && d->budget)
		x->flags |= FR_IO_CUT;
	d->msg_off = d->msg_off + x->result < d->msg_off ? 0xffffffffu : d->msg_off + x->result;
	d->budget -= take;
	/* bytes passed over without capture still count: what is captured lies at msg_off */
	if (fr_unlikely(x->flags & (FR_IO_SIZE_ONLY | FR_IO_TRUNC)))
		take = 0;
	x->capture_bytes = fr_forget(take < FR_CAPTURE_MAX ? take : FR_CAPTURE_MAX);
}

/* The running task's call into x, with its g; false when it has none that could be a transfer. */
FR_INLINE bool fr_transfer_call(struct fr_transfer *x, struct task_struct *t)
{
	const struct pt_regs *regs;

	x->call.fd = -1;
	x->call.nr = FR_NR_NONE;
	if (fr_unlikely(t->flags & FR_PF_NO_CALL)) {
		x->flags |= FR_IO_KTHREAD;
		return false;
	}
	if (fr_unlikely(fr_is_compat(t)))
		return false;
	regs = (void *)bpf_task_pt_regs(t);
	fr_call_describe(&x->call, regs);
	x->call.kind = fr_forget(x->call.kind);
	fr_go_registers(&x->go, regs);
	return x->call.kind != FR_CALL_NONE;
}

/* What is needed before bytes are copied: iovecs behind a msghdr, the goroutine's number. */
FR_INLINE void fr_transfer_capture(struct fr_transfer *x, struct fr_sock_kept *k,
				   struct task_struct *t)
{
	if (fr_unlikely(!fr_call_open_msghdr(&x->call))) {
		x->flags |= FR_IO_FAULT;
		x->capture_bytes = 0;
		fr_count(FR_COUNTER_CAPTURE_FAULT);
	}
	fr_goid(&x->go, &k->go, t);
	x->flags |= x->go.flags;
}

/* A sockaddr of user memory into the remote end. */
FR_INLINE void fr_remote_from_user(struct fr_sock_addr *a, __u64 name)
{
	__u8 raw[28] = {};
	__u16 family;

	if (bpf_probe_read_user(raw, 16, (void *)name))
		return;
	family = *(__u16 *)raw;
	if (family == FR_AF_INET) {
		__builtin_memcpy(a->remote, raw + 4, 4);
	} else if (family == FR_AF_INET6) {
		if (bpf_probe_read_user(raw, 28, (void *)name))
			return;
		__builtin_memcpy(a->remote, raw + 8, 16);
	} else {
		return;
	}
	a->family = family;
	a->remote_port = bpf_ntohs(*(__u16 *)(raw + 2));
}

FR_INLINE void fr_io_fill(struct fr_sock_io *e, const struct fr_transfer *x,
			  const struct fr_sock_kept *k)
{
	e->sock_id = k->id;
	e->stream_off = x->stream_off;
	e->result = x->result;
	e->tid = x->tid;
	e->fd = x->call.fd;
	e->syscall_nr = x->call.nr;
	e->g = x->go.g;
	e->goid = x->go.goid;
	e->msg_off = x->msg_off;
}

/* Bytes of one buffer; after a fault, what lies before the end of its first page. */
FR_INLINE __u32 fr_copy_user(void *to, __u32 bytes, __u64 from, const __u32 max, __u32 *flags)
{
	__u32 page = 4096 - (from & 4095);

	if (fr_likely(!bpf_probe_read_user(to, FR_BELOW(bytes, max), (void *)from)))
		return bytes;
	*flags |= FR_IO_FAULT;
	fr_count(FR_COUNTER_CAPTURE_FAULT);
	if (page >= bytes || bpf_probe_read_user(to, FR_BELOW(page, max), (void *)from))
		return 0;
	return page;
}

/* Bytes scattered over the first iovecs, up to the first fault. */
FR_INLINE __u32 fr_copy_iovecs(void *to, __u32 bytes, const struct fr_call *c, const __u32 max,
			       __u32 *flags)
{
	struct fr_iovec iov;
	__u32 at = 0, part;

#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < FR_IOVECS_MAX; i++) {
		if (i >= c->length || at >= bytes)
			break;
		if (bpf_probe_read_user(&iov, sizeof(iov), (void *)(c->buffer + i * sizeof(iov))))
			goto fault;
		part = iov.bytes < bytes - at ? iov.bytes : bytes - at;
		if (bpf_probe_read_user(to + FR_BELOW(at, max), FR_BELOW(part, max),
					(void *)iov.base))
			goto fault;
		at += part;
	}
	if (at < bytes) /* more iovecs than we follow */
		*flags |= FR_IO_CUT;
	return at;
fault:
	*flags |= FR_IO_FAULT;
	fr_count(FR_COUNTER_CAPTURE_FAULT);
	return at;
}

/* Writes the record. max: a power of two above capture_bytes; a tight one wastes less of the
 * sub-buffer's end. Returns the record's place (FR_PLACE), 0 when dropped. */
FR_INLINE __u64 fr_io_write(struct fr_transfer *x, struct fr_sock_kept *k, const __u32 max,
			    const bool iovecs)
{
	__u32 tail = (x->capture_bytes + 7) & ~7u, fixed = sizeof(struct fr_sock_io), units;
	__u32 flags = x->flags, got = 0;
	struct fr_sock_io *e;
	struct fr_slot s;
	void *to;

	if (fr_unlikely(x->addressed))
		fixed += sizeof(struct fr_sock_addr);
	units = (fixed + tail) / 8;
	if (fr_unlikely(fr_reserve(&s, units,
				   sizeof(*e) + sizeof(struct fr_sock_addr) +
					   max * (iovecs ? 2 : 1) + 8)))
		return 0;
	e = s.record;
	to = e + 1;
	fr_io_fill(e, x, k);
	if (fr_unlikely(x->addressed)) {
		__builtin_memcpy(to, &x->addr, sizeof(x->addr));
		to += sizeof(x->addr);
		flags |= FR_IO_ADDR;
	}
	if (tail) {
		*(__u64 *)(to + (FR_BELOW(tail - 8, max) & ~7ull)) = 0;
		got = iovecs ? fr_copy_iovecs(to, x->capture_bytes, &x->call, max, &flags) :
			       fr_copy_user(to, x->capture_bytes, x->call.buffer, max, &flags);
	}
	e->captured_bytes = got;
	e->flags = flags;
	fr_commit(&s, x->dir == FR_DIR_SEND ? FR_EV_SOCK_SEND : FR_EV_SOCK_RECV, units);
	fr_trigger_io(e, k, flags, got, s.time_ns, x->dir);
	return FR_PLACE(&s);
}

/* The rarer ones as global functions, so that the verifier sees each once. */
#define FR_IO_WRITER(name, max, iovecs)                                                            \
	__u64 name(struct fr_transfer *x, struct fr_sock_kept *k);                                 \
	__attribute__((noinline)) __u64 name(struct fr_transfer *x, struct fr_sock_kept *k)        \
	{                                                                                          \
		return x && k ? fr_io_write(x, k, max, iovecs) : 0;                                \
	}
FR_IO_WRITER(fr_io_bytes_large, FR_CAPTURE_LARGE, false)
FR_IO_WRITER(fr_io_iovecs_small, FR_CAPTURE_SMALL, true)
FR_IO_WRITER(fr_io_iovecs_large, FR_CAPTURE_LARGE, true)
#ifdef FR_SOCK_BY_ADDRESS /* a call more, but older kernels bound the stack of all frames */
FR_IO_WRITER(fr_io_bytes_small, FR_CAPTURE_SMALL, false)
#else
#define fr_io_bytes_small(x, k) fr_io_write(x, k, FR_CAPTURE_SMALL, false)
#endif

FR_INLINE __u64 fr_io_emit(struct fr_transfer *x, struct fr_sock_kept *k)
{
	x->flags = fr_forget(x->flags);
	if (fr_unlikely(x->capture_bytes && x->call.kind == FR_CALL_IOVEC))
		return x->capture_bytes < FR_CAPTURE_SMALL ? fr_io_iovecs_small(x, k) :
							     fr_io_iovecs_large(x, k);
	if (fr_unlikely(x->capture_bytes >= FR_CAPTURE_SMALL))
		return fr_io_bytes_large(x, k);
	return fr_io_bytes_small(x, k);
}

/* Results that say nothing: try again, restart, empty writes. A stream's end is told once. */
FR_INLINE bool fr_result_is_news(__s32 result, __u32 dir, __u16 type, struct fr_sock_kept *k)
{
	if (fr_unlikely(result == -FR_EAGAIN || result <= -FR_ERESTART_FIRST))
		return false;
	if (fr_likely(result || type == FR_SOCK_DGRAM))
		return true;
	if (dir == FR_DIR_SEND || !k || k->eof_seen)
		return false;
	k->eof_seen = 1;
	return true;
}

FR_INLINE bool fr_sock_recorded(__u16 family, __u16 type)
{
	if (family == FR_AF_UNIX)
		return type == FR_SOCK_STREAM;
	return (family == FR_AF_INET || family == FR_AF_INET6) &&
	       (type == FR_SOCK_STREAM || type == FR_SOCK_DGRAM);
}

/* A unix socket has no obituary: its birth is told again in each sub-buffer that names it, after
 * the record that does, so that it ages out later. */
FR_INLINE void fr_unix_name(struct fr_sock_kept *k, const struct sock *sk, __u64 at)
{
	if (at && FR_BIRTH(k, at) != at) /* of the same CPU, maybe of its next sub-buffer */
		FR_BIRTH(k, at) = fr_unix_record(k, fr_sock_number(sk));
}

#endif
