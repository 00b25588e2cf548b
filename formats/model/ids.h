/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ids of spans and traces, from where the request's first byte lies: the same request has the same
 * id in every dump that holds it, and nobody else's.
 */
#ifndef FR_MODEL_IDS_H
#define FR_MODEL_IDS_H

#include "session.h"

struct fr_ids {
	uint64_t *seeds; /* owned; by instance */
	size_t seed_cnt;
};

/* A request's place. The kind tells apart what begins at one byte (a statement that fails while it
 * is prepared, and its execution). */
struct fr_id_place {
	uint64_t sock_id;
	uint64_t stream_off;
	uint32_t instance;
	uint8_t dir; /* enum fr_wire_dir of that byte */
	uint8_t kind;
	bool reply; /* the request was not seen: the place is its reply's */
};

int fr_ids_init(struct fr_ids *ids, const struct fr_session *s); /* 0 or -ENOMEM */
void fr_ids_done(struct fr_ids *ids);
/* Never all zero. */
void fr_ids_span(const struct fr_ids *ids, const struct fr_id_place *at, uint8_t ret[8]);
void fr_ids_trace(const struct fr_ids *ids, const struct fr_id_place *at, uint8_t ret[16]);

#endif
