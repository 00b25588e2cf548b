/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of protocols, and the store of statement texts that they share. */
#include "wire.h"

#include <xxhash.h>

#define FR_WIRE_ROW(name) &fr_wire_##name,
const struct fr_wire_protocol *const fr_wire_protocols[] = {
	FR_WIRE_PROTOCOLS(FR_WIRE_ROW) NULL,
};

static struct fr_wire_text *set_of(struct fr_wire_texts *t, uint64_t hash)
{
	return t->slots[(hash >> 8) % FR_WIRE_TEXT_SETS];
}

uint64_t fr_wire_texts_put(struct fr_wire_texts *t, struct fr_slice text, bool cut)
{
	size_t kept = text.len_bytes < FR_WIRE_TEXT_BYTES ? text.len_bytes : FR_WIRE_TEXT_BYTES;
	uint64_t hash = XXH3_64bits_withSeed(text.data, text.len_bytes, cut) | 1;
	struct fr_wire_text *set = set_of(t, hash), *s = set;

	for (unsigned i = 0; i < FR_WIRE_TEXT_WAYS; i++) {
		if (set[i].hash == hash) {
			s = &set[i];
			break;
		}
		if (set[i].used < s->used)
			s = &set[i];
	}
	if (s->hash && s->hash != hash)
		t->evicted_cnt++;
	s->hash = hash;
	s->used = ++t->clock;
	s->text_bytes = (uint16_t)kept;
	s->cut = cut || kept < text.len_bytes;
	if (kept)
		memcpy(s->text, text.data, kept);
	return hash;
}

const struct fr_wire_text *fr_wire_texts_get(struct fr_wire_texts *t, uint64_t key)
{
	struct fr_wire_text *set = set_of(t, key);

	for (unsigned i = 0; key && i < FR_WIRE_TEXT_WAYS; i++) {
		if (set[i].hash == key) {
			set[i].used = ++t->clock;
			return &set[i];
		}
	}
	return NULL;
}

static struct fr_wire_name *names_of(struct fr_wire_texts *t, uint64_t hash)
{
	return t->names[(hash >> 8) % FR_WIRE_NAME_SETS];
}

void fr_wire_names_set(struct fr_wire_texts *t, uint64_t hash, uint64_t key)
{
	struct fr_wire_name *set = names_of(t, hash), *s = set;

	for (unsigned i = 0; i < FR_WIRE_NAME_WAYS; i++) {
		if (set[i].hash == hash) {
			s = &set[i];
			break;
		}
		if (set[i].used < s->used)
			s = &set[i];
	}
	if (s->hash != hash && !key)
		return;
	if (s->hash && s->hash != hash)
		t->names_evicted_cnt++;
	*s = (struct fr_wire_name){
		.hash = key ? hash : 0,
		.key = key,
		.used = key ? ++t->clock : 0,
	};
}

uint64_t fr_wire_names_get(struct fr_wire_texts *t, uint64_t hash)
{
	struct fr_wire_name *set = names_of(t, hash);

	for (unsigned i = 0; i < FR_WIRE_NAME_WAYS; i++) {
		if (set[i].hash == hash) {
			set[i].used = ++t->clock;
			return set[i].key;
		}
	}
	return 0;
}
