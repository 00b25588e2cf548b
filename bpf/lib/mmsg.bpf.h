/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sendmmsg and recvmmsg: one call, many messages. Common to both kinds of socket hooks: a message
 * of the vector becomes the transfer's buffers, if it is such that the result can be its own.
 */
#ifndef FR_BPF_MMSG_H
#define FR_BPF_MMSG_H

#include "sockio.bpf.h"

#define FR_MMSG_MAX 1024 /* UIO_MAXIOV: the kernel looks at no more of a vector */
#define FR_MMSG_BYTES 64
#define FR_MMSG_SIZE_AT 56 /* of struct mmsghdr: a msghdr, the size as 32 bits, padding */

FR_INLINE bool fr_call_is_batch(__u32 nr)
{
	return nr == FR_NR_SENDMMSG || nr == FR_NR_RECVMMSG;
}

/* Can buffers with so much room have held this datagram? What is sent goes out whole. */
FR_INLINE bool fr_mmsg_fits(const struct fr_transfer *x, __u64 room, bool all)
{
	if (x->dir == FR_DIR_SEND)
		return all ? room == (__u64)x->result : room <= (__u64)x->result;
	return !all || x->flags & FR_IO_TRUNC || room >= (__u64)x->result;
}

/* Room of the buffers that are followed. False when user memory cannot be read. */
FR_INLINE bool fr_mmsg_room(struct fr_transfer *x, const struct fr_msghdr *m, __u64 *ret_room)
{
	struct fr_iovec iov = {};
	__u64 room = 0;

#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < FR_IOVECS_MAX && i < m->iov_cnt; i++) {
		if (bpf_probe_read_user(&iov, sizeof(iov), (void *)(m->iov + i * sizeof(iov))))
			return false;
		room += iov.bytes;
	}
	*ret_room = room;
	if (m->iov_cnt == 1) { /* nearly always: then nobody reads it again */
		x->call.kind = FR_CALL_BUFFER;
		x->call.buffer = iov.base;
		x->call.length = iov.bytes;
	}
	return true;
}

/* The message at this user address is what was moved: from here on the transfer is one like any
 * other. Otherwise it stays one of which the size is known only. */
FR_INLINE bool fr_mmsg_open(struct fr_transfer *x, __u64 at)
{
	struct fr_msghdr m;
	__u64 room;

	x->call.kind = FR_CALL_IOVEC;
	if (bpf_probe_read_user(&m, sizeof(m), (void *)at) || !fr_mmsg_room(x, &m, &room)) {
		x->flags |= FR_IO_FAULT;
		fr_count(FR_COUNTER_CAPTURE_FAULT);
		goto refused;
	}
	if (x->result >= 0 && !fr_mmsg_fits(x, room, m.iov_cnt <= FR_IOVECS_MAX)) {
		fr_count(FR_COUNTER_CAPTURE_DISTRUST);
		goto refused;
	}
	if (x->call.kind == FR_CALL_IOVEC) {
		x->call.buffer = m.iov;
		x->call.length = m.iov_cnt;
	}
	x->call.name = m.name_bytes ? m.name : 0;
	x->flags &= ~FR_IO_SIZE_ONLY;
	return true;
refused:
	x->call.kind = FR_CALL_SIZE_ONLY;
	return false;
}

#endif
