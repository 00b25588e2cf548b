/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which connection a socket's id was, where the iterator did not list it: from sock_open and
 * sock_close records. A unix socket has no end that could be seen; its birth record is repeated in
 * each sub-buffer that names it, and written once.
 */
#ifndef FR_RECORDER_DUMP_SOCKS_H
#define FR_RECORDER_DUMP_SOCKS_H

#include "dump_rows.h"
#include "dump_seen.h"

#define FR_SOCKS_MAX 2048

struct fr_socks_open {
	struct fr_sock_open e; /* sock_id 0 = free slot */
	uint8_t path[FR_UNIX_PATH_MAX];
	bool closed; /* its row was written */
};

struct fr_socks {
	struct fr_rows *rows;	    /* borrowed */
	struct fr_seen *seen;	    /* borrowed */
	struct fr_socks_open *open; /* 2 * FR_SOCKS_MAX slots: no close so far; owned */
	uint32_t open_cnt;
};

int fr_socks_init(struct fr_socks *s, struct fr_rows *rows, struct fr_seen *seen);
void fr_socks_done(struct fr_socks *s);
/* A row of the iterator: a whole sock_open record, its size checked. */
void fr_socks_living(struct fr_socks *s, const uint8_t *record);
/* A sock_open or sock_close record, in merged order; others are passed over. */
void fr_socks_record(struct fr_socks *s, const uint8_t *record, uint64_t time_ns);
/* Writes those that were opened and never closed. */
void fr_socks_flush(struct fr_socks *s);

#endif
