/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets and transfers of the fixture dump (dump_fixture.h). */
#ifndef FR_TESTS_FIXTURE_SOCK_H
#define FR_TESTS_FIXTURE_SOCK_H

#include "fixture_build.h"

#define FX_GOID 18u
#define FX_G 0xc000006380ull
#define FX_CAPTURE_REQUEST 512u
#define FX_CAPTURE_RESPONSE 128u
#define FX_NETNS 4026531840u
#define FX_JOURNAL_PATH "/run/systemd/journal/socket"

enum fx_tid {
	FX_SYSTEMD = 1,
	FX_JOURNALD = 300,
	FX_WEB = 2000,
	FX_WEB_M1 = 2001,
	FX_WEB_M2 = 2002,
	FX_POSTGRES = 3000,
	FX_BACKEND = 3001,
	FX_SHELL = 4000,
	FX_CURL = 4001,
	FX_WRK = 5000,
	FX_CRASH = 6000,
	FX_HOG = 6100,
};

/* One end of a connection. */
struct fx_sock {
	uint64_t id;
	struct fr_sock_addr addr;
	uint32_t tgid;
	uint32_t flags; /* FR_SOCK_* */
	uint16_t type;
	int32_t fd;
	uint64_t sent, received;
};

#define FX_SOCK_ID(cpu, n) ((uint64_t)(cpu) << 48 | (n))

static inline struct fr_sock_addr fx_loopback(uint16_t local_port, uint16_t remote_port)
{
	return (struct fr_sock_addr){
		.family = FR_AF_INET,
		.local_port = local_port,
		.remote_port = remote_port,
		.local = { 127, 0, 0, 1 },
		.remote = { 127, 0, 0, 1 },
	};
}

static inline struct fx_sock fx_tcp(uint64_t id, uint32_t tgid, int32_t fd, uint32_t flags,
				    struct fr_sock_addr addr)
{
	return (struct fx_sock){
		.id = id,
		.addr = addr,
		.tgid = tgid,
		.flags = flags,
		.type = FR_SOCK_STREAM,
		.fd = fd,
	};
}

/* sock_open or sock_close: the socket as it stands now. */
static inline void fx_sock_row(struct fx *fx, uint16_t cpu, uint64_t t, uint32_t kind,
			       const struct fx_sock *sk)
{
	bool is_unix = sk->addr.family == FR_AF_UNIX;
	struct fr_sock_open e = {
		.sock_id = sk->id,
		.addr = sk->addr,
		.tgid = sk->tgid,
		.peer_tgid = is_unix ? FX_JOURNALD : 0,
		.netns_inum = FX_NETNS,
		.type = sk->type,
		.path_bytes = is_unix ? sizeof(FX_JOURNAL_PATH) - 1 : 0,
		.flags = sk->flags,
		.sent_bytes = sk->sent,
		.received_bytes = sk->received,
	};
	struct fx_part path = { FX_JOURNAL_PATH, e.path_bytes };

	fx_add(fx, cpu, t, kind, &e, sizeof(e), &path, is_unix);
}

static inline void fx_tcp_state(struct fx *fx, uint16_t cpu, uint64_t t, const struct fx_sock *sk,
				uint16_t old_and_new)
{
	struct fr_sock_state e = {
		.sock_id = sk->id,
		.local_port = sk->addr.local_port,
		.remote_port = sk->addr.remote_port,
		.old_state = (uint8_t)(old_and_new >> 8),
		.new_state = (uint8_t)old_and_new,
	};

	FX_ADD(fx, cpu, t, FR_EV_SOCK_STATE, e);
}

/* TCP_* numbers of the kernel */
enum {
	FX_ESTABLISHED = 1,
	FX_SYN_SENT = 2,
	FX_SYN_RECV = 3,
	FX_FIN_WAIT1 = 4,
	FX_CLOSE = 7,
	FX_CLOSE_WAIT = 8,
	FX_LAST_ACK = 9
};
#define FX_FROM_TO(from, to) ((uint16_t)((from) << 8 | (to)))

/* A transfer: how many bytes went (or a negative errno), and the message as far as it is known. */
struct fx_xfer {
	uint32_t kind;
	int32_t result;
	struct fx_part text;
	uint32_t flags; /* beyond those that follow from the rest */
};

static inline bool fx_is_go(uint32_t tid)
{
	return tid >= FX_WEB && tid <= FX_WEB_M2;
}

static inline uint32_t fx_captured(const struct fx_sock *sk, const struct fx_xfer *x)
{
	bool client_end = sk->flags & FR_SOCK_CONNECTED || sk->type == FR_SOCK_DGRAM;
	bool request = (x->kind == FR_EV_SOCK_SEND) == client_end;
	size_t limit = request ? FX_CAPTURE_REQUEST : FX_CAPTURE_RESPONSE;

	assert(x->result <= 0 || x->text.bytes <= (size_t)x->result);
	return x->result < 0 ? 0 : (uint32_t)(x->text.bytes < limit ? x->text.bytes : limit);
}

/* Done by whoever runs on the CPU. */
static inline void fx_io(struct fx *fx, uint16_t cpu, uint64_t t, struct fx_sock *sk,
			 struct fx_xfer x)
{
	uint64_t *off = x.kind == FR_EV_SOCK_SEND ? &sk->sent : &sk->received;
	uint32_t tid = fx->cpu[cpu].running, n = fx_captured(sk, &x);
	bool go = fx_is_go(tid) && n;
	struct fr_sock_io e = {
		.sock_id = sk->id,
		.stream_off = *off,
		.result = x.result,
		.tid = tid,
		.fd = sk->fd,
		.syscall_nr = x.kind == FR_EV_SOCK_SEND ? 1 : 0,
		.captured_bytes = (uint16_t)n,
		.g = fx_is_go(tid) ? FX_G : 0,
		.goid = go ? FX_GOID : 0,
		.flags = x.flags | (n ? FR_IO_MSG_START : 0) | (go ? FR_IO_GOID : 0) |
			 (n && (int32_t)n < x.result ? FR_IO_CUT : 0) |
			 (sk->flags & FR_SOCK_EXISTED ? FR_IO_FIRST_SIGHT : 0) |
			 (sk->type == FR_SOCK_DGRAM ? FR_IO_COUNTED : 0),
	};
	struct fx_part parts[2] = { { &sk->addr, sizeof(sk->addr) }, { x.text.data, n } };
	bool addr = x.flags & FR_IO_ADDR;

	assert(tid);
	fx_add(fx, cpu, t, x.kind, &e, sizeof(e), addr ? parts : parts + 1, addr ? 2 : 1);
	if (x.result > 0)
		*off += (uint32_t)x.result;
}

static inline void fx_send(struct fx *fx, uint16_t cpu, uint64_t t, struct fx_sock *sk,
			   struct fx_part text)
{
	fx_io(fx, cpu, t, sk, (struct fx_xfer){ FR_EV_SOCK_SEND, (int32_t)text.bytes, text, 0 });
}

static inline void fx_recv(struct fx *fx, uint16_t cpu, uint64_t t, struct fx_sock *sk,
			   struct fx_part text)
{
	fx_io(fx, cpu, t, sk, (struct fx_xfer){ FR_EV_SOCK_RECV, (int32_t)text.bytes, text, 0 });
}

#endif
