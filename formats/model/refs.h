/* SPDX-License-Identifier: BSD-2-Clause */
/* Which threads, processes and sockets a record is about. */
#ifndef FR_MODEL_REFS_H
#define FR_MODEL_REFS_H

#include "../dump/record.h"

#define FR_REF_TIDS_MAX 2

struct fr_refs {
	uint32_t tids[FR_REF_TIDS_MAX]; /* the one in whose context it happened first, if any */
	uint32_t tid_cnt;
	bool in_context;  /* tids[0] is who ran when it happened */
	uint64_t sock_id; /* 0 = none */
};

/* The record must be sound. */
void fr_record_refs(const struct fr_record *r, struct fr_refs *ret);

#endif
