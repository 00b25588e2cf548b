/* SPDX-License-Identifier: BSD-2-Clause */
#include "map.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_CAP 64

static size_t home_of(const struct fr_map *m, uint64_t key)
{
	/* splitmix64's finisher: ids count upwards, tids cluster */
	key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9ull;
	key = (key ^ key >> 27) * 0x94d049bb133111ebull;
	return (size_t)(key ^ key >> 31) & (m->cap - 1);
}

static struct fr_map_slot *slot_of(const struct fr_map *m, uint64_t key)
{
	size_t i = home_of(m, key);

	while (m->slots[i].used && m->slots[i].key != key)
		i = (i + 1) & (m->cap - 1);
	return &m->slots[i];
}

bool fr_map_get(const struct fr_map *m, uint64_t key, uint32_t *ret_value)
{
	const struct fr_map_slot *s;

	if (!m->cnt)
		return false;
	s = slot_of(m, key);
	if (!s->used)
		return false;
	*ret_value = s->value;
	return true;
}

static int grow(struct fr_map *m)
{
	struct fr_map bigger = { .cap = m->cap ? m->cap * 2 : FIRST_CAP, .cnt = m->cnt };

	bigger.slots = calloc(bigger.cap, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].used)
			*slot_of(&bigger, m->slots[i].key) = m->slots[i];
	free(m->slots);
	*m = bigger;
	return 0;
}

int fr_map_put(struct fr_map *m, uint64_t key, uint32_t value)
{
	struct fr_map_slot *s;
	int err;

	if (m->cnt * 4 >= m->cap * 3) {
		err = grow(m);
		if (err)
			return err;
	}
	s = slot_of(m, key);
	m->cnt += !s->used;
	*s = (struct fr_map_slot){ .key = key, .value = value, .used = 1 };
	return 0;
}

void fr_map_del(struct fr_map *m, uint64_t key)
{
	size_t hole, i, home;

	if (!m->cnt || !slot_of(m, key)->used)
		return;
	hole = i = (size_t)(slot_of(m, key) - m->slots);
	/* whoever probed past the hole moves into it, so that no chain is cut */
	for (;;) {
		i = (i + 1) & (m->cap - 1);
		if (!m->slots[i].used)
			break;
		home = home_of(m, m->slots[i].key);
		if (((i - home) & (m->cap - 1)) < ((i - hole) & (m->cap - 1)))
			continue;
		m->slots[hole] = m->slots[i];
		hole = i;
	}
	m->slots[hole].used = 0;
	m->cnt--;
}

void fr_map_done(struct fr_map *m)
{
	free(m->slots);
	*m = (struct fr_map){ 0 };
}
