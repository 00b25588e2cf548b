/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything in a dump looked at once: each chunk loaded, each record walked, each row of the
 * identity tables decoded, and compared with what the headers promise. What `verify` says and
 * `info` counts. Problems are noted in the dump.
 */
#ifndef FR_DUMP_CENSUS_H
#define FR_DUMP_CENSUS_H

#include "reader.h"

struct fr_census {
	uint64_t kinds[256];	/* sound records by kind */
	uint64_t records;	/* walked, of whatever kind */
	uint64_t unknown_kinds; /* of them: of kinds this program does not know (no damage) */
	uint64_t unsound;	/* of them: known, but too short or pointing outside themselves */
	uint64_t lost_records;	/* promised by chunk headers or the index, but not readable */
	uint64_t bad_chunks;	/* that could not be loaded, or hold something else than promised */
	uint64_t threads, processes, sockets; /* rows */
	uint64_t bad_rows;
	uint64_t raw_bytes;    /* of all chunks that could be loaded */
	uint64_t stored_bytes; /* of the same, without headers and padding */
};

/* 0, or -ENOMEM. Damage is no failure: it is in *ret and in the dump's problems. */
int fr_dump_census(struct fr_dump *d, struct fr_census *ret);

#endif
