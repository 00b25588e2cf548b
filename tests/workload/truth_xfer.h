/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ways to send and to receive that truth_sock knows: one function each, and their tables.
 */
#ifndef FR_TRUTH_XFER_H
#define FR_TRUTH_XFER_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "truth_uring.h"

#define BUF_BYTES 65536

enum dir { SEND = 1, RECV = 2 };

struct end {
	int fd;
	const char *kind;
	uint64_t inode;
	int local_port, remote_port;
	int peer;	 /* index of the other end */
	char path[108];	 /* unix, of the end that has one */
	uint64_t off[3]; /* by dir */
	enum dir last;
	struct sockaddr_in to; /* where unconnected sends go; sin_family 0: connected */
};

/* One transfer as a method makes it. part[] are the results, more than one for a batch. */
struct xfer {
	struct end *end;
	uint8_t *buf;
	size_t bytes;
	int flags;
	long part[2];
	int part_cnt;
};

struct method {
	const char *call;
	long nr;
	const char *ring_op; /* NULL: not io_uring */
	void (*run)(struct xfer *x);
	bool sum, gap, worker, streams_only;
	int flags;
};

static struct truth_uring ring;
static bool have_ring;
static int file_fd, pipe_fd[2];

static long checked(long result)
{
	return result < 0 ? -errno : result;
}

static void one(struct xfer *x, long result)
{
	x->part[0] = result;
	x->part_cnt = 1;
}

/* ---- ways to send -------------------------------------------------------------------------- */

/* Up to three pieces of a message; returns how many. */
static int split(struct iovec *iov, uint8_t *p, size_t bytes, int pieces)
{
	size_t part = bytes / (size_t)pieces;

	for (int i = 0; i < pieces; i++)
		iov[i] = (struct iovec){ p + part * (size_t)i,
					 i == pieces - 1 ? bytes - part * (size_t)i : part };
	return pieces;
}

static struct msghdr header(struct xfer *x, struct iovec *iov, int pieces)
{
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = (size_t)pieces };

	if (x->end->to.sin_family) {
		m.msg_name = &x->end->to;
		m.msg_namelen = sizeof(x->end->to);
	}
	return m;
}

static void run_sendto(struct xfer *x)
{
	bool far = x->end->to.sin_family != 0;

	one(x, checked(syscall(SYS_sendto, x->end->fd, x->buf, x->bytes, x->flags,
			       far ? &x->end->to : NULL, far ? sizeof(x->end->to) : 0)));
}

static void run_write(struct xfer *x)
{
	one(x, checked(syscall(SYS_write, x->end->fd, x->buf, x->bytes)));
}

static void run_writev(struct xfer *x)
{
	struct iovec iov[3];

	one(x, checked(syscall(SYS_writev, x->end->fd, iov, split(iov, x->buf, x->bytes, 3))));
}

static void run_sendmsg(struct xfer *x)
{
	struct iovec iov[2];
	struct msghdr m = header(x, iov, split(iov, x->buf, x->bytes, 2));

	one(x, checked(syscall(SYS_sendmsg, x->end->fd, &m, x->flags)));
}

static void batch(struct xfer *x, const struct mmsghdr *m, long n)
{
	x->part_cnt = n < 0 ? 1 : (int)n;
	x->part[0] = n < 0 ? n : (long)m[0].msg_len;
	x->part[1] = (long)m[1].msg_len;
}

static void run_sendmmsg(struct xfer *x)
{
	struct iovec iov[2];
	struct mmsghdr m[2] = { 0 };

	split(iov, x->buf, x->bytes, 2);
	m[0].msg_hdr = header(x, &iov[0], 1);
	m[1].msg_hdr = header(x, &iov[1], 1);
	batch(x, m, checked(syscall(SYS_sendmmsg, x->end->fd, m, 2, x->flags)));
}

static void run_sendfile(struct xfer *x)
{
	off_t at = 0;

	truth_must(pwrite(file_fd, x->buf, x->bytes, 0), "writing a file");
	one(x, checked(syscall(SYS_sendfile, x->end->fd, file_fd, &at, x->bytes)));
}

static void run_splice_in(struct xfer *x)
{
	truth_must(write(pipe_fd[1], x->buf, x->bytes), "writing a pipe");
	one(x, checked(syscall(SYS_splice, pipe_fd[0], NULL, x->end->fd, NULL, x->bytes, 0)));
}

static void by_ring(struct xfer *x, uint8_t op, uint8_t sqe_flags, const void *what, size_t n)
{
	struct io_uring_sqe sqe = { .opcode = op,
				    .flags = sqe_flags,
				    .fd = x->end->fd,
				    .addr = (uint64_t)(uintptr_t)what,
				    .len = (uint32_t)n,
				    .msg_flags = (uint32_t)x->flags };

	truth_uring_submit(&ring, &sqe);
	one(x, truth_uring_take(&ring));
}

static void run_ring_send(struct xfer *x)
{
	by_ring(x, IORING_OP_SEND, 0, x->buf, x->bytes);
}

static void run_ring_send_async(struct xfer *x)
{
	by_ring(x, IORING_OP_SEND, IOSQE_ASYNC, x->buf, x->bytes);
}

static void run_ring_sendmsg(struct xfer *x)
{
	struct iovec iov[2];
	struct msghdr m = header(x, iov, split(iov, x->buf, x->bytes, 2));

	by_ring(x, IORING_OP_SENDMSG, 0, &m, 1);
}

static void run_ring_write(struct xfer *x)
{
	by_ring(x, IORING_OP_WRITE, 0, x->buf, x->bytes);
}

/* ---- ways to receive ----------------------------------------------------------------------- */

static void run_read(struct xfer *x)
{
	one(x, checked(syscall(SYS_read, x->end->fd, x->buf, x->bytes)));
}

static void run_recvfrom(struct xfer *x)
{
	struct sockaddr_storage from;
	socklen_t from_bytes = sizeof(from);

	one(x, checked(syscall(SYS_recvfrom, x->end->fd, x->buf, x->bytes, x->flags, &from,
			       &from_bytes)));
}

static void run_readv(struct xfer *x)
{
	struct iovec iov[3];

	one(x, checked(syscall(SYS_readv, x->end->fd, iov, split(iov, x->buf, x->bytes, 3))));
}

static void run_recvmsg(struct xfer *x)
{
	struct iovec iov[2];
	struct msghdr m = { .msg_iov = iov };

	m.msg_iovlen = (size_t)split(iov, x->buf, x->bytes, 2);
	one(x, checked(syscall(SYS_recvmsg, x->end->fd, &m, x->flags)));
}

static void run_recvmmsg(struct xfer *x)
{
	/* a datagram must fit into one buffer; a stream shows both when each takes half */
	bool datagrams = x->end->kind[1] == 'd';
	size_t half = datagrams ? BUF_BYTES / 2 : (x->bytes + 1) / 2;
	struct iovec iov[2] = { { x->buf, half }, { x->buf + half, half } };
	struct mmsghdr m[2] = { { .msg_hdr = { .msg_iov = &iov[0], .msg_iovlen = 1 } },
				{ .msg_hdr = { .msg_iov = &iov[1], .msg_iovlen = 1 } } };

	batch(x, m, checked(syscall(SYS_recvmmsg, x->end->fd, m, 2, x->flags, NULL)));
	if (x->part_cnt == 2) /* the bytes in one piece, for the truth's heads */
		memmove(x->buf + x->part[0], x->buf + half, (size_t)x->part[1]);
}

static void run_splice_out(struct xfer *x)
{
	one(x, checked(syscall(SYS_splice, x->end->fd, NULL, pipe_fd[1], NULL, x->bytes, 0)));
	if (x->part[0] > 0)
		truth_must(read(pipe_fd[0], x->buf, (size_t)x->part[0]), "reading a pipe");
}

static void run_ring_recv(struct xfer *x)
{
	by_ring(x, IORING_OP_RECV, 0, x->buf, x->bytes);
}

static void run_ring_read(struct xfer *x)
{
	by_ring(x, IORING_OP_READ, 0, x->buf, x->bytes);
}

#define CALL(name) .call = #name, .nr = SYS_##name
#define RING(op) .call = "io_uring_enter", .nr = SYS_io_uring_enter, .ring_op = op

static const struct method sends[] = {
	{ CALL(sendto), .run = run_sendto },
	{ CALL(write), .run = run_write },
	{ CALL(writev), .run = run_writev },
	{ CALL(sendmsg), .run = run_sendmsg },
	{ CALL(sendmmsg), .run = run_sendmmsg },
	{ CALL(sendfile), .run = run_sendfile, .sum = true, .streams_only = true },
	{ CALL(splice), .run = run_splice_in, .sum = true, .streams_only = true },
	{ RING("send"), .run = run_ring_send },
	{ RING("sendmsg"), .run = run_ring_sendmsg },
	{ RING("write"), .run = run_ring_write },
	{ RING("send"), .run = run_ring_send_async, .worker = true },
};

static const struct method recvs[] = {
	{ CALL(read), .run = run_read },
	{ CALL(recvfrom), .run = run_recvfrom },
	{ CALL(readv), .run = run_readv },
	{ CALL(recvmsg), .run = run_recvmsg },
	{ CALL(recvmmsg), .run = run_recvmmsg, .flags = MSG_WAITFORONE },
	{ CALL(recvfrom), .run = run_recvfrom, .flags = MSG_TRUNC },
	{ CALL(recvmsg), .run = run_recvmsg, .flags = MSG_TRUNC },
	{ CALL(splice), .run = run_splice_out, .gap = true, .streams_only = true },
	{ RING("recv"), .run = run_ring_recv },
	{ RING("read"), .run = run_ring_read },
	{ CALL(recvfrom), .run = run_recvfrom, .flags = MSG_PEEK },
};

#define SEND_CNT ((int)(sizeof(sends) / sizeof(sends[0])))
#define RECV_CNT ((int)(sizeof(recvs) / sizeof(recvs[0])))
static const struct method plain_send = { CALL(write), .run = run_write };
static const struct method plain_recv = { CALL(read), .run = run_read };

#endif
