/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a record to named fields: one decoder per event, one file per family. Every row of
 * FR_EVENTS must have its fr_ev_fields_<name>() here, or linking fails.
 *
 * A decoder is only called with a record for which fr_record_sound() holds; it hands out fields in
 * a fixed order. The same decoders serve text, JSON arguments and tests. Fast sinks read the hot
 * structs of abi/ themselves.
 */
#ifndef FR_EVENTS_EVENT_H
#define FR_EVENTS_EVENT_H

#include "../abi/event.h"
#include "../base/bytes.h"
#include "../dump/record.h"

enum fr_field_type {
	FR_FIELD_U64,
	FR_FIELD_I64,
	FR_FIELD_HEX,	/* number best read in hex: flags, addresses */
	FR_FIELD_STR,	/* bytes, printable for people; may hold anything */
	FR_FIELD_BYTES, /* captured payload */
	FR_FIELD_NS,	/* duration */
	FR_FIELD_ADDR,	/* struct fr_sock_addr, both ends, in .addr */
};

struct fr_field {
	const char *name;
	enum fr_field_type type;
	uint64_t number; /* U64, I64 (two's complement), HEX, NS */
	struct fr_slice bytes;
	const struct fr_sock_addr *addr;
};

/* Receives each field in order. The field, its bytes and its address end with the call. */
struct fr_field_sink {
	void (*field)(void *ctx, const struct fr_field *f);
	void *ctx;
};

typedef void fr_ev_fields_fn(const struct fr_record *r, const struct fr_field_sink *out);
#define FR_EV_DECLARE(id, NAME, name, family, type) fr_ev_fields_fn fr_ev_fields_##name;
FR_EVENTS(FR_EV_DECLARE)
#undef FR_EV_DECLARE

/* Fields of any known, sound record. False when the kind is unknown or the record unsound. */
bool fr_event_fields(const struct fr_record *r, const struct fr_field_sink *out);

/* Parts of variable records; the slices are borrowed from the record. */
struct fr_slice fr_exec_path(const struct fr_record *r);
struct fr_slice fr_exec_args(const struct fr_record *r);
struct fr_slice fr_sock_path(const struct fr_record *r);	  /* sock_open, sock_close */
const struct fr_sock_addr *fr_io_addr(const struct fr_record *r); /* NULL = none */
struct fr_slice fr_io_captured(const struct fr_record *r);

/* "R" running or runnable, "S", "D", ...: one letter as ps has it, from TASK_* bits. */
char fr_task_state_letter(uint32_t state);
const char *fr_errno_name(int err);	   /* "ECONNRESET", either sign; "errno" if unknown */
const char *fr_signal_name(uint32_t sig);  /* "SIGSEGV"; "signal" if there is none */
const char *fr_tcp_state_name(uint32_t s); /* "ESTABLISHED"; "unknown" */
const char *fr_block_op_name(uint32_t op); /* "read"; "other" for what kernels disagree about */
/* "127.0.0.1:80", "[::1]:80" (RFC 5952), "unix:12345" (inode), "unix" without one, into at least
 * 64 bytes; returns buf. */
char *fr_addr_format(const struct fr_sock_addr *a, bool remote, char *buf, size_t buf_bytes);
/* The IP address alone, of IPv6 that holds an IPv4 address that one, without a zero into at least
 * 48 bytes; returns how many bytes it has, 0 = it is no IP address. */
size_t fr_addr_ip(const struct fr_sock_addr *a, bool remote, char *buf);

#endif
