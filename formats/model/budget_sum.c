/* SPDX-License-Identifier: BSD-2-Clause */
#include "budget_internal.h"

const char *const fr_block_names[FR_BLOCK_CNT] = {
#define NAME(UPPER, name) [FR_BLOCK_##UPPER] = #name,
	FR_BLOCKS(NAME)
#undef NAME
};

void fr_budget_add_wait(struct fr_budget *sum, const struct fr_wait *w)
{
	uint64_t wait_ns = w->to_ns - w->from_ns;
	uint32_t i = sum->wait_cnt;

	if (!wait_ns)
		return;
	while (i && sum->waits[i - 1].to_ns - sum->waits[i - 1].from_ns < wait_ns)
		i--;
	if (i == FR_BUDGET_WAITS)
		return;
	if (sum->wait_cnt < FR_BUDGET_WAITS)
		sum->wait_cnt++;
	for (uint32_t j = sum->wait_cnt - 1; j > i; j--)
		sum->waits[j] = sum->waits[j - 1];
	sum->waits[i] = *w;
}

void fr_budget_add_peer(struct fr_budget *sum, uint32_t instance, uint64_t socket_id,
			uint64_t wait_ns, uint32_t wait_cnt)
{
	struct fr_peer_wait *p = sum->peers;

	while (p < sum->peers + sum->peer_cnt &&
	       (p->socket_id != socket_id || p->instance != instance))
		p++;
	if (p == sum->peers + FR_BUDGET_PEERS)
		return;
	if (p == sum->peers + sum->peer_cnt) {
		sum->peer_cnt++;
		*p = (struct fr_peer_wait){ .socket_id = socket_id, .instance = instance };
	}
	p->wait_ns += wait_ns;
	p->wait_cnt += wait_cnt;
}

void fr_budget_add(struct fr_budget *sum, const struct fr_budget *more)
{
	sum->on_cpu_ns += more->on_cpu_ns;
	sum->runqueue_ns += more->runqueue_ns;
	for (int i = 0; i < FR_BLOCK_CNT; i++)
		sum->blocked_ns[i] += more->blocked_ns[i];
	sum->unattributed_ns += more->unattributed_ns;
	sum->maybe_on_cpu_ns += more->maybe_on_cpu_ns;
	for (uint32_t i = 0; i < more->wait_cnt; i++)
		fr_budget_add_wait(sum, &more->waits[i]);
	for (uint32_t i = 0; i < more->peer_cnt; i++)
		fr_budget_add_peer(sum, more->peers[i].instance, more->peers[i].socket_id,
				   more->peers[i].wait_ns, more->peers[i].wait_cnt);
}

bool fr_budget_of_reply(const struct fr_wait *wait, uint64_t start_ns, uint64_t end_ns,
			struct fr_budget *ret)
{
	uint64_t wait_ns = wait->to_ns - wait->from_ns;

	if (wait->from_ns < start_ns || wait->to_ns < wait->from_ns || end_ns < wait->to_ns)
		return false;
	*ret = (struct fr_budget){
		.blocked_ns[FR_BLOCK_NETWORK] = wait_ns,
		.unattributed_ns = end_ns - start_ns - wait_ns,
	};
	fr_budget_add_wait(ret, wait);
	fr_budget_add_peer(ret, wait->instance, wait->socket_id, wait_ns, 1);
	return true;
}

uint64_t fr_budget_total_ns(const struct fr_budget *budget)
{
	uint64_t total_ns = budget->on_cpu_ns + budget->runqueue_ns + budget->unattributed_ns;

	for (int i = 0; i < FR_BLOCK_CNT; i++)
		total_ns += budget->blocked_ns[i];
	return total_ns;
}
