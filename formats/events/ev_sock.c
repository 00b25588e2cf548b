/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoders of the family sock. */
#include "fields.h"

#define NO_SYSCALL 0xffff

static const char *type_name(uint16_t type)
{
	return type == FR_SOCK_STREAM ? "stream" : type == FR_SOCK_DGRAM ? "dgram" : NULL;
}

struct fr_slice fr_sock_path(const struct fr_record *r)
{
	struct fr_sock_open e;

	memcpy(&e, r->data, sizeof(e));
	return (struct fr_slice){ .data = r->data + sizeof(e), .len_bytes = e.path_bytes };
}

static void open_fields(const struct fr_record *r, const struct fr_field_sink *out)
{
	static const struct fr_flag_name flags[] = {
		{ FR_SOCK_ACCEPTED, "accepted" },
		{ FR_SOCK_CONNECTED, "connected" },
		{ FR_SOCK_EXISTED, "existed" },
		{ FR_SOCK_LISTENING, "listening" },
		{ FR_SOCK_MPTCP, "mptcp" },
		{ FR_SOCK_FAILED, "failed" },
		{ FR_SOCK_PATH_CUT, "path_cut" },
		{ 0, NULL },
	};
	struct fr_sock_open e;

	memcpy(&e, r->data, sizeof(e));
	fr_field_hex(out, "sock_id", e.sock_id);
	fr_field_named(out, "type", type_name(e.type), e.type);
	fr_field_addr(out, "addr", &e.addr);
	if (e.path_bytes)
		fr_field_slice(out, "path", FR_FIELD_STR, fr_sock_path(r));
	if (e.tgid)
		fr_field_u64(out, "tgid", e.tgid);
	if (e.peer_tgid)
		fr_field_u64(out, "peer_tgid", e.peer_tgid);
	fr_field_u64(out, "netns_inum", e.netns_inum);
	fr_field_u64(out, "sent_bytes", e.sent_bytes);
	fr_field_u64(out, "received_bytes", e.received_bytes);
	fr_field_flags(out, "flags", e.flags, flags);
}

void fr_ev_fields_sock_open(const struct fr_record *r, const struct fr_field_sink *out)
{
	open_fields(r, out);
}

void fr_ev_fields_sock_close(const struct fr_record *r, const struct fr_field_sink *out)
{
	open_fields(r, out);
}

void fr_ev_fields_sock_state(const struct fr_record *r, const struct fr_field_sink *out)
{
	struct fr_sock_state e;

	memcpy(&e, r->data, sizeof(e));
	if (e.sock_id)
		fr_field_hex(out, "sock_id", e.sock_id);
	fr_field_u64(out, "local_port", e.local_port);
	fr_field_u64(out, "remote_port", e.remote_port);
	fr_field_named(out, "old_state", fr_tcp_state_lookup(e.old_state), e.old_state);
	fr_field_named(out, "new_state", fr_tcp_state_lookup(e.new_state), e.new_state);
}

static struct fr_sock_io io_of(const struct fr_record *r)
{
	struct fr_sock_io e;

	memcpy(&e, r->data, sizeof(e));
	return e;
}

const struct fr_sock_addr *fr_io_addr(const struct fr_record *r)
{
	struct fr_sock_io e = io_of(r);

	/* records are 8-byte aligned, and so is the end of the fixed part */
	return e.flags & FR_IO_ADDR ? (const void *)(r->data + sizeof(e)) : NULL;
}

struct fr_slice fr_io_captured(const struct fr_record *r)
{
	struct fr_sock_io e = io_of(r);
	size_t addr_bytes = e.flags & FR_IO_ADDR ? sizeof(struct fr_sock_addr) : 0;

	return (struct fr_slice){
		.data = r->data + sizeof(e) + addr_bytes,
		.len_bytes = e.captured_bytes,
	};
}

static const struct fr_flag_name io_flags[] = {
	{ FR_IO_GOID, "goid" },
	{ FR_IO_MSG_START, "msg_start" },
	{ FR_IO_CUT, "cut" },
	{ FR_IO_FAULT, "fault" },
	{ FR_IO_ADDR, "addr" },
	{ FR_IO_PEEK, "peek" },
	{ FR_IO_TRUNC, "trunc" },
	{ FR_IO_SIZE_ONLY, "size_only" },
	{ FR_IO_FIRST_SIGHT, "first_sight" },
	{ FR_IO_COUNTED, "counted" },
	{ FR_IO_SYSCALL, "syscall" },
	{ FR_IO_KTHREAD, "kthread" },
	{ FR_IO_NOSTATE, "nostate" },
	{ FR_IO_GAP, "gap" },
	{ FR_IO_GO_UNKNOWN, "go_unknown" },
	{ FR_IO_MSG_MORE, "msg_more" },
	{ 0, NULL },
};

static void io_fields(const struct fr_record *r, const struct fr_field_sink *out)
{
	struct fr_sock_io e = io_of(r);
	struct fr_sock_addr addr;

	if (e.sock_id)
		fr_field_hex(out, "sock_id", e.sock_id);
	fr_field_u64(out, "tid", e.tid);
	if (e.fd >= 0)
		fr_field_i64(out, "fd", e.fd);
	if (e.result >= 0)
		fr_field_i64(out, "bytes", e.result);
	else
		fr_field_named(out, "error", fr_errno_lookup(e.result), 0u - (uint32_t)e.result);
	if (!(e.flags & FR_IO_NOSTATE)) {
		fr_field_u64(out, "stream_off", e.stream_off);
		fr_field_u64(out, "msg_off", e.msg_off);
	}
	if (e.flags & FR_IO_GOID)
		fr_field_u64(out, "goid", e.goid);
	/* the register holds anything in programs that are not Go */
	if (e.flags & (FR_IO_GOID | FR_IO_GO_UNKNOWN))
		fr_field_hex(out, "g", e.g);
	if (e.syscall_nr != NO_SYSCALL)
		fr_field_u64(out, "syscall_nr", e.syscall_nr);
	fr_field_flags(out, "flags", e.flags, io_flags);
	if (e.flags & FR_IO_ADDR) {
		memcpy(&addr, fr_io_addr(r), sizeof(addr));
		fr_field_addr(out, "addr", &addr);
	}
	if (e.captured_bytes)
		fr_field_slice(out, "captured", FR_FIELD_BYTES, fr_io_captured(r));
}

void fr_ev_fields_sock_send(const struct fr_record *r, const struct fr_field_sink *out)
{
	io_fields(r, out);
}

void fr_ev_fields_sock_recv(const struct fr_record *r, const struct fr_field_sink *out)
{
	io_fields(r, out);
}

void fr_ev_fields_sock_accept(const struct fr_record *r, const struct fr_field_sink *out)
{
	struct fr_sock_accept e;

	memcpy(&e, r->data, sizeof(e));
	if (e.sock_id)
		fr_field_hex(out, "sock_id", e.sock_id);
	fr_field_u64(out, "tid", e.tid);
	fr_field_i64(out, "fd", e.fd);
}
