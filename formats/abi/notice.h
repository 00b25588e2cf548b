/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Notices: the only messages that wake the daemon (map fr_notices, a BPF ring buffer of 64 KiB).
 * The binaries table, which the daemon fills in answer; and the gates that notices of triggers
 * pass, which the daemon opens and closes.
 */
#ifndef FR_ABI_NOTICE_H
#define FR_ABI_NOTICE_H

#ifndef __BPF__
#include <stdint.h>
#endif
#include "abi.h"

#define FR_NOTICE_BINARY 1u /* a process of an unknown binary carries captured bytes */
#define FR_NOTICE_SOCKETS 2u /* sockets with state are near their limit, as probes count */
#define FR_NOTICE_TRIGGER 3u /* a struct fr_notice_trigger: a cause to dump was seen */

/* X(number, NAME): the kinds of trigger that probes look for, each with a gate of its own. */
#define FR_GATES(X)                                                                                \
	X(0, HTTP_5XX)                                                                             \
	X(1, SQL_ERROR)                                                                            \
	X(2, REDIS_ERROR)                                                                          \
	X(3, LATENCY)                                                                              \
	X(4, LATENCY_P99)                                                                          \
	X(5, SIGNAL)                                                                               \
	X(6, OOM)                                                                                  \
	X(7, RUNQUEUE)                                                                             \
	X(8, BLOCK)                                                                                \
	X(9, EXIT)

#define FR_GATE_ENUM(number, NAME) FR_GATE_##NAME = (number),
enum fr_gate_id { FR_GATES(FR_GATE_ENUM) FR_GATE_CNT };
#undef FR_GATE_ENUM

/* What a socket carries, as far as triggers need to know: fr_notice_trigger.wire */
#define FR_SPEAKS_UNKNOWN 0u
#define FR_SPEAKS_HTTP 1u
#define FR_SPEAKS_POSTGRES 2u
#define FR_SPEAKS_MYSQL 3u
#define FR_SPEAKS_REDIS 4u
#define FR_SPEAKS_OTHER 5u /* not looked at any more */

#define FR_STATES_MAX 16 /* codes in a list of SQLSTATEs */
#define FR_EXITS_MAX 8	 /* names of processes whose end is watched */

/* fr_binary.state */
#define FR_BINARY_ASKED 0u	/* a notice is under way: no goid yet */
#define FR_BINARY_NOT_GO 1u
#define FR_BINARY_GO 2u		/* goid_off is right for it */
#define FR_BINARY_GO_UNKNOWN 3u /* a Go version that is not known: no goid, ever */
#define FR_BINARY_FAILED 4u	/* could not be read */

FR_ABI_BEGIN

/* An executable, for as long as it isn't written to. Key of the map fr_binaries. */
struct fr_binary_key {
	uint64_t inode;
	uint64_t ctime_ns; /* status change time of the inode */
	uint32_t dev;	   /* kernel form: major << 20 | minor */
	uint32_t reserved_zero;
};

struct fr_binary {
	uint32_t state; /* FR_BINARY_* */
	uint32_t goid_off; /* bytes from g to goid */
};

struct fr_notice {
	uint32_t kind; /* FR_NOTICE_* */
	uint32_t tgid;
	uint64_t time_ns; /* BOOTTIME */
	struct fr_binary_key binary;
};

/* A cause to dump, past its gate. The first three fields lie as in fr_notice. */
struct fr_notice_trigger {
	uint32_t kind; /* FR_NOTICE_TRIGGER */
	uint32_t tgid;
	uint64_t time_ns; /* BOOTTIME: of the cause */
	uint32_t gate;	  /* FR_GATE_* */
	uint32_t tid;
	uint64_t sock_id; /* 0 = no socket is involved */
	uint64_t goid;
	/* http: the status; sql: characters 0..4 SQLSTATE, 5 severity (E, F, P), then the number
	 * that MySQL gives, 16 bits; redis: the reply's first word; latencies and waits: ns;
	 * signal; exit code */
	uint64_t value;
	uint64_t limit_ns; /* that value went past */
	uint32_t dev;	   /* block: kernel form, major << 20 | minor */
	uint16_t port;	   /* of the service; 0 = none (unix) */
	uint8_t wire;	   /* FR_SPEAKS_* */
	uint8_t client;	   /* 1 = seen at the end that asks */
	char comm[16];
};

/*
 * One kind's gate: a notice passes when next_ns is past, and closes it for closed_ns, so that a
 * storm costs a count. What is seen and not told is suppressed.
 */
struct fr_gate {
	uint64_t next_ns;   /* probes move it on by cmpxchg; the daemon opens or closes it */
	uint64_t seen_cnt;  /* probes: causes, all of them */
	uint64_t told_cnt;  /* probes: notices written */
	uint64_t closed_ns; /* daemon */
	uint64_t limit_ns;  /* daemon: for the kinds that have one */
	uint64_t factor;    /* daemon: latency-p99 */
	uint64_t reserved_zero[2];
};

/* The one element of the map fr_gates, mapped by the daemon: what a reload changes. */
struct fr_gate_table {
	uint32_t enabled; /* bit FR_GATE_* */
	uint32_t exit_cnt;
	uint32_t exit_failures_only; /* a status of 0 is no cause */
	uint32_t reserved_zero;
	/* SQLSTATEs as characters from the lowest byte on: a code of 5, a class of 2; 0 = none */
	uint64_t sql_ignore[FR_STATES_MAX];
	uint64_t sql_only[FR_STATES_MAX]; /* first 0 = all but those ignored */
	char exit_comms[FR_EXITS_MAX][16];
	uint64_t reserved_zero2[4];
	struct fr_gate gates[FR_GATE_CNT];
};

FR_ABI_END

FR_ABI_SIZE(fr_binary_key, 24);
FR_ABI_SIZE(fr_notice, 40);
FR_ABI_SIZE(fr_notice_trigger, 80);
FR_ABI_SIZE(fr_gate, 64);
FR_ABI_SIZE(fr_gate_table, 16 + 2 * 8 * FR_STATES_MAX + 16 * FR_EXITS_MAX + 32 + 64 * FR_GATE_CNT);

#endif
