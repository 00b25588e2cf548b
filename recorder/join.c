/* SPDX-License-Identifier: BSD-2-Clause */
#include "join.h"

void fr_join_reset(struct fr_join *j)
{
	__atomic_store_n(&j->state, 0, __ATOMIC_RELEASE);
}

bool fr_join_add(struct fr_join *j, const struct fr_trigger_info *t)
{
	uint32_t state = __atomic_load_n(&j->state, __ATOMIC_ACQUIRE);

	if (state & FR_JOIN_CLOSED)
		return false;
	/* nobody reads a row at or above state, and this side alone raises it */
	if (state < FR_JOINED_MAX)
		j->infos[state] = *t;
	/* fails only if the dumper closed it in between; pairs with fr_join_close */
	return __atomic_compare_exchange_n(&j->state, &state, state + 1, false, __ATOMIC_RELEASE,
					   __ATOMIC_RELAXED);
}

void fr_join_close(struct fr_join *j, struct fr_meta_trigger *ret)
{
	/* pairs with fr_join_add: rows below the count are whole */
	uint32_t cnt = __atomic_fetch_or(&j->state, FR_JOIN_CLOSED, __ATOMIC_ACQ_REL);

	cnt &= ~FR_JOIN_CLOSED;
	ret->joined_cnt = cnt < FR_JOINED_MAX ? cnt : FR_JOINED_MAX;
	ret->joined_more = cnt - ret->joined_cnt;
	for (uint32_t i = 0; i < ret->joined_cnt; i++)
		ret->joined[i] = j->infos[i];
}

bool fr_join_is_closed(const struct fr_join *j)
{
	return __atomic_load_n(&j->state, __ATOMIC_ACQUIRE) & FR_JOIN_CLOSED;
}
