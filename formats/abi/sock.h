/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Family sock: sockets, and what passes through them.
 *
 * A socket is known by its id: a number given when the recorder first sees it, never reused.
 * 63..48 CPU that gave it, 47..0 counter of that CPU from 1; 0 = the socket has no state (the table
 * was full).
 */
#ifndef FR_ABI_SOCK_H
#define FR_ABI_SOCK_H

#ifndef __BPF__
#include <stdint.h>
#endif
#include "abi.h"

#define FR_CAPTURE_MAX 2048    /* bytes of one record at most, whatever the limits say */
#define FR_UNIX_PATH_MAX 108   /* sun_path */

/* fr_sock_open.family and .type, fr_sock_addr.family: the kernel's numbers */
#define FR_AF_UNIX 1
#define FR_AF_INET 2
#define FR_AF_INET6 10
#define FR_SOCK_STREAM 1
#define FR_SOCK_DGRAM 2

/* fr_sock_open.flags */
#define FR_SOCK_ACCEPTED 0x1u	 /* this end was accepted (server side) */
#define FR_SOCK_CONNECTED 0x2u	 /* this end called connect (client side) */
#define FR_SOCK_EXISTED 0x4u	 /* older than the recording or than its first event */
#define FR_SOCK_LISTENING 0x8u
#define FR_SOCK_MPTCP 0x10u
#define FR_SOCK_FAILED 0x20u	 /* closed without ever being established */
#define FR_SOCK_PATH_CUT 0x40u

/*
 * fr_sock_io.flags: what a send or receive record says about itself
 */
#define FR_IO_GOID 0x0001u	/* goid holds a goroutine id (else it is 0) */
#define FR_IO_MSG_START 0x0002u /* first data after the direction flipped, or of the connection */
#define FR_IO_CUT 0x0004u	/* fewer bytes captured than the message part had, for the limit */
#define FR_IO_FAULT 0x0008u	/* user memory could not be read, wholly or from some iovec on */
#define FR_IO_ADDR 0x0010u	/* a struct fr_sock_addr follows the fixed part (datagrams) */
#define FR_IO_PEEK 0x0020u	/* MSG_PEEK: nothing was consumed */
#define FR_IO_TRUNC 0x0040u	/* MSG_TRUNC given: the result may exceed what was copied */
#define FR_IO_SIZE_ONLY 0x0080u /* this kind of call is never captured, or was not believed */
#define FR_IO_FIRST_SIGHT 0x0100u /* stream_off counts from first sight, not from its start */
#define FR_IO_COUNTED 0x0200u	/* stream_off counts results, not sequence numbers */
#define FR_IO_SYSCALL 0x0400u	/* seen at the system call's exit (fallback hooks) */
#define FR_IO_KTHREAD 0x0800u	/* done by a kernel thread or an I/O worker */
#define FR_IO_NOSTATE 0x1000u	/* no room for this socket's state: id, offset are 0 */
#define FR_IO_GAP 0x2000u	/* the kernel's counters moved on by more than this call's result
				   since the last record: stream_off has jumped over the gap */
#define FR_IO_GO_UNKNOWN 0x4000u /* a Go-like context, but the binary is not (yet) understood */
#define FR_IO_MSG_MORE 0x8000u	/* captured continuation of a message that a former record began */

FR_ABI_BEGIN

/* Two ends of a socket, as this end sees them. IPv4 lies in the first 4 bytes of the address. */
struct fr_sock_addr {
	uint16_t family;
	uint16_t local_port;  /* host byte order */
	uint16_t remote_port; /* host byte order */
	uint16_t reserved_zero;
	uint8_t local[16];
	uint8_t remote[16];
};

/*
 * sock_open: a socket is there: established, first seen, or (unix) named again in this
 * sub-buffer. sock_close: its obituary.
 */
struct fr_sock_open {
	uint64_t word;
	uint64_t sock_id;
	struct fr_sock_addr addr; /* family unix: local/remote hold inode numbers, LE, 8 bytes */
	uint32_t tgid;		  /* process that first used it, 0 = not known yet */
	uint32_t peer_tgid;	  /* unix: process at the other end, else 0 */
	uint64_t netns_inum;
	uint16_t type;		  /* FR_SOCK_STREAM or FR_SOCK_DGRAM */
	uint16_t path_bytes;	  /* unix: bytes of the path (may start with 0) that follow */
	uint32_t flags;		  /* FR_SOCK_* */
	uint64_t sent_bytes;	  /* so far, by stream offset */
	uint64_t received_bytes;
};

/* sock_state: a TCP socket changed its state (TCP_* numbers of the kernel). */
struct fr_sock_state {
	uint64_t word;
	uint64_t sock_id; /* 0 = no state for this socket: the ports then tell */
	uint16_t local_port;
	uint16_t remote_port;
	uint8_t old_state;
	uint8_t new_state;
	uint16_t reserved_zero;
};

/*
 * sock_send, sock_recv. Followed by, in this order: struct fr_sock_addr when FR_IO_ADDR is set,
 * captured_bytes of the message, zeros up to a whole unit.
 */
struct fr_sock_io {
	uint64_t word;
	uint64_t sock_id;
	uint64_t stream_off;	  /* of the first byte of this transfer, per direction */
	int32_t result;		  /* bytes, or a negative errno */
	uint32_t tid;
	int32_t fd;		  /* -1 = not known */
	uint16_t syscall_nr;	  /* 0xffff = not known or none */
	uint16_t captured_bytes;
	uint64_t g;		  /* Go's g pointer (amd64: r14); of other programs, anything */
	uint64_t goid;		  /* see FR_IO_GOID */
	uint32_t flags;		  /* FR_IO_* */
	uint32_t msg_off;	  /* bytes of this message that went before, saturating */
};

/* sock_accept: a process took a connection from a listening socket (system call hooks only). */
struct fr_sock_accept {
	uint64_t word;
	uint64_t sock_id;
	uint32_t tid;
	int32_t fd;
};

FR_ABI_END

FR_ABI_SIZE(fr_sock_addr, 40);
FR_ABI_SIZE(fr_sock_open, 96);
FR_ABI_SIZE(fr_sock_state, 24);
FR_ABI_SIZE(fr_sock_io, 64);
FR_ABI_SIZE(fr_sock_accept, 24);

#endif
