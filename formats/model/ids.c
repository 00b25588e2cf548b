/* SPDX-License-Identifier: BSD-2-Clause */
#include "ids.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

/* What tells this run of the recorder on this host from every other. */
static uint64_t seed_of(struct fr_dump *d)
{
	const struct fr_meta_host *h = fr_dump_host(d);
	struct {
		char host[72];
		char boot_id[40];
		uint64_t recorder_start_ns;
	} key = { 0 };

	if (h) {
		snprintf(key.host, sizeof(key.host), "%s",
			 h->machine_id[0] ? h->machine_id : h->name);
		snprintf(key.boot_id, sizeof(key.boot_id), "%s", h->boot_id);
		key.recorder_start_ns = h->recorder_start_ns;
	}
	return XXH3_64bits(&key, sizeof(key));
}

int fr_ids_init(struct fr_ids *ids, const struct fr_session *s)
{
	size_t cnt = 1;

	for (size_t i = 0; i < s->dump_cnt; i++)
		if (s->dumps[i].instance >= cnt)
			cnt = (size_t)s->dumps[i].instance + 1;
	ids->seeds = calloc(cnt, sizeof(*ids->seeds));
	if (!ids->seeds)
		return -ENOMEM;
	ids->seed_cnt = cnt;
	for (size_t i = 0; i < s->dump_cnt; i++)
		ids->seeds[s->dumps[i].instance] = seed_of(s->dumps[i].dump);
	return 0;
}

void fr_ids_done(struct fr_ids *ids)
{
	free(ids->seeds);
	*ids = (struct fr_ids){ 0 };
}

struct key {
	uint64_t sock_id;
	uint64_t stream_off;
	uint8_t what[8];
};

static struct key key_of(const struct fr_id_place *at, uint8_t what)
{
	return (struct key){ at->sock_id, at->stream_off, { what, at->dir, at->kind, at->reply } };
}

static uint64_t seed_at(const struct fr_ids *ids, const struct fr_id_place *at)
{
	return at->instance < ids->seed_cnt ? ids->seeds[at->instance] : 0;
}

void fr_ids_span(const struct fr_ids *ids, const struct fr_id_place *at, uint8_t ret[8])
{
	struct key k = key_of(at, 1);
	uint64_t hash = XXH3_64bits_withSeed(&k, sizeof(k), seed_at(ids, at));

	hash += !hash;
	memcpy(ret, &hash, sizeof(hash));
}

void fr_ids_trace(const struct fr_ids *ids, const struct fr_id_place *at, uint8_t ret[16])
{
	struct key k = key_of(at, 2);
	XXH128_hash_t hash = XXH3_128bits_withSeed(&k, sizeof(k), seed_at(ids, at));

	hash.low64 += !(hash.low64 | hash.high64);
	memcpy(ret, &hash.low64, sizeof(hash.low64));
	memcpy(ret + 8, &hash.high64, sizeof(hash.high64));
}
