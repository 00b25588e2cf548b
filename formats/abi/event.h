/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Records of the ring and of a dump's event chunks.
 *
 * Every record starts with one 8-byte word:
 *      63..54  size of the whole record in 8-byte units (1..1023; 0 is never valid)
 *      53..46  kind, FR_EV_*
 *      45..0   CLOCK_BOOTTIME in ns, truncated; rebuilt from the first time of the sub-buffer
 *              (or segment) that the record lies in
 * A reader skips kinds that it does not know by their size and counts them. A record may be longer
 * than the struct that the reader knows (appended fields): never shorter.
 *
 * Byte order is little-endian. Bits are packed by the FR_* macros of each family's header, never
 * by C bit-fields, so that every compiler agrees.
 *
 * To add an event: a struct in the family's header, a row in FR_EVENTS below, the probe in bpf/,
 * the decoder in events/, a paragraph in dump/EVENTS.md. Ids are append-only; a retired id stays
 * in this table as a comment.
 */
#ifndef FR_ABI_EVENT_H
#define FR_ABI_EVENT_H

#ifndef __BPF__
#include <stddef.h>
#include <stdint.h>
#endif
#include "abi.h"
#include "block.h"
#include "dns.h"
#include "proc.h"
#include "rec.h"
#include "sched.h"
#include "sock.h"
#include "tcp.h"

#define FR_TIME_BITS 46
#define FR_TIME_MASK ((1ull << FR_TIME_BITS) - 1)
/* A writer whose clock is further past the sub-buffer's first time opens the next sub-buffer. */
#define FR_TIME_SPAN_MAX (1ull << (FR_TIME_BITS - 1))
#define FR_RECORD_UNITS_MAX 1023

#define FR_RECORD_WORD(time_ns, kind, units)                                                       \
	(((time_ns) & FR_TIME_MASK) | (uint64_t)(kind) << FR_TIME_BITS | (uint64_t)(units) << 54)
#define FR_RECORD_UNITS(word) ((uint32_t)((word) >> 54))
#define FR_RECORD_KIND(word) ((uint32_t)((word) >> FR_TIME_BITS) & 0xff)
#define FR_RECORD_TIME(word) ((word) & FR_TIME_MASK)

/*
 * X(id, NAME, name, family, struct): kind number, FR_EV_NAME, name in every output, family that
 * switches it, struct of its fixed part (header word included).
 */
#define FR_EVENTS(X)                                                                               \
	X(1, SCHED_SWITCH, sched_switch, SCHED, fr_sched_switch)                                   \
	X(2, SCHED_WAKING, sched_waking, WAKING, fr_sched_waking)                                  \
	X(8, PROC_FORK, proc_fork, PROC, fr_proc_fork)                                             \
	X(9, PROC_EXEC, proc_exec, PROC, fr_proc_exec)                                             \
	X(10, PROC_EXIT, proc_exit, PROC, fr_proc_end)                                             \
	X(11, PROC_FREE, proc_free, PROC, fr_proc_end)                                             \
	X(12, PROC_RENAME, proc_rename, PROC, fr_proc_rename)                                      \
	X(13, PROC_SIGNAL, proc_signal, PROC, fr_proc_signal)                                      \
	X(14, PROC_OOM, proc_oom, PROC, fr_proc_oom)                                               \
	X(15, PROC_STATE, proc_state, PROC, fr_proc_state)                                         \
	X(24, SOCK_OPEN, sock_open, SOCK, fr_sock_open)                                            \
	X(25, SOCK_CLOSE, sock_close, SOCK, fr_sock_open)                                          \
	X(26, SOCK_STATE, sock_state, SOCK, fr_sock_state)                                         \
	X(27, SOCK_SEND, sock_send, SOCK, fr_sock_io)                                              \
	X(28, SOCK_RECV, sock_recv, SOCK, fr_sock_io)                                              \
	X(29, SOCK_ACCEPT, sock_accept, SOCK, fr_sock_accept)                                      \
	X(40, TCP_RETRANSMIT, tcp_retransmit, TCP, fr_tcp_retransmit)                              \
	X(41, TCP_RESET, tcp_reset, TCP, fr_tcp_reset)                                             \
	X(44, DNS_SOURCE, dns_source, DNS, fr_dns_source)                                          \
	X(48, BLOCK_ISSUE, block_issue, BLOCK, fr_block_issue)                                     \
	X(49, BLOCK_COMPLETE, block_complete, BLOCK, fr_block_complete)                            \
	X(60, REC_FLUSH, rec_flush, REC, fr_rec_flush)                                             \
	X(61, REC_FAMILY, rec_family, REC, fr_rec_family)

/* X(bit, NAME, name): what can be switched on and off together. REC is the recorder's own. */
#define FR_FAMILIES(X)                                                                             \
	X(0, REC, rec)                                                                             \
	X(1, PROC, proc)                                                                           \
	X(2, SCHED, sched)                                                                         \
	X(3, WAKING, waking)                                                                       \
	X(4, SOCK, sock)                                                                           \
	X(5, TCP, tcp)                                                                             \
	X(6, BLOCK, block)                                                                         \
	X(7, DNS, dns)

#define FR_EV_ENUM(id, NAME, name, family, type) FR_EV_##NAME = (id),
enum fr_event_kind { FR_EVENTS(FR_EV_ENUM) };
#undef FR_EV_ENUM

#define FR_FAMILY_ENUM(bit, NAME, name) FR_FAMILY_##NAME = (bit),
enum fr_family { FR_FAMILIES(FR_FAMILY_ENUM) FR_FAMILY_CNT };
#undef FR_FAMILY_ENUM

/* A reused id is a redefinition here; a struct of no whole number of units fails the assert. */
#define FR_EV_ASSERT(id, NAME, name, family, type)                                                 \
	enum { fr_ev_id_is_unique_##id = FR_FAMILY_##family };                                     \
	_Static_assert((id) > 0 && (id) < 256, #name ": kind is 8 bits");                          \
	_Static_assert(sizeof(struct type) % 8 == 0, #name ": size is in 8-byte units");           \
	_Static_assert(sizeof(struct type) / 8 <= FR_RECORD_UNITS_MAX, #name ": too large");
FR_EVENTS(FR_EV_ASSERT)
#undef FR_EV_ASSERT

#endif
