/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash map from 64-bit keys to 32-bit values (indexes, mostly): open addressing, grows by
 * doubling. A zeroed struct is an empty map.
 */
#ifndef FR_MODEL_MAP_H
#define FR_MODEL_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fr_map_slot {
	uint64_t key;
	uint32_t value;
	uint32_t used;
};

struct fr_map {
	struct fr_map_slot *slots; /* owned; cap is a power of two */
	size_t cap;
	size_t cnt;
};

/* False, with *ret_value untouched, when the key is not there. */
bool fr_map_get(const struct fr_map *m, uint64_t key, uint32_t *ret_value);
/* Sets or replaces. 0 or -ENOMEM (the map is as before). */
int fr_map_put(struct fr_map *m, uint64_t key, uint32_t value);
void fr_map_del(struct fr_map *m, uint64_t key);
void fr_map_done(struct fr_map *m);

#endif
