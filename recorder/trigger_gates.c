/* SPDX-License-Identifier: BSD-2-Clause */
#include "trigger_gates.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const int8_t gate_kinds[FR_GATE_CNT] = {
#define GATE_KIND(number, NAME) [FR_GATE_##NAME] = FR_TRIGGER_##NAME,
	FR_GATES(GATE_KIND)
#undef GATE_KIND
};

/* The kernel maps whole pages. */
static size_t map_bytes(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (sizeof(struct fr_gate_table) + page - 1) / page * page;
}

int fr_gates_map(const struct fr_recorder *rec, struct fr_gate_table **ret_table)
{
	int fd = rec->probes ? fr_probes_map_fd(rec->probes, "fr_gates") : -ENOENT;
	void *at;

	if (fd < 0) {
		*ret_table = NULL;
		return 0;
	}
	at = mmap(NULL, map_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	*ret_table = at;
	return 0;
}

void fr_gates_unmap(struct fr_gate_table *table)
{
	if (table)
		munmap(table, map_bytes());
}

int fr_gate_kind(uint32_t gate)
{
	return gate < FR_GATE_CNT ? gate_kinds[gate] : -1;
}

int fr_gate_of(enum fr_trigger_kind kind)
{
	for (int gate = 0; gate < FR_GATE_CNT; gate++)
		if (gate_kinds[gate] == (int)kind)
			return gate;
	return -1;
}

static void set_gate(struct fr_gate *g, const struct fr_config *config, enum fr_trigger_kind kind,
		     uint64_t last_told_ns)
{
	struct fr_trigger_rule rule = fr_config_rule(config, kind);

	g->closed_ns = rule.cooldown_ns > FR_GATE_LEAST_NS ? rule.cooldown_ns : FR_GATE_LEAST_NS;
	g->limit_ns = rule.limit_ns;
	g->factor = rule.factor;
	__atomic_store_n(&g->next_ns, last_told_ns ? last_told_ns + g->closed_ns : 0,
			 __ATOMIC_RELAXED);
}

void fr_gates_set(struct fr_gate_table *table, const struct fr_config *config,
		  const uint64_t *last_told_ns)
{
	const struct fr_trigger_more *more = &config->trigger_more;
	uint32_t enabled = 0;

	if (!table)
		return;
	/* nothing is looked for while limits and lists change */
	__atomic_store_n(&table->enabled, 0, __ATOMIC_SEQ_CST);
	table->exit_cnt = more->exit_cnt;
	table->exit_failures_only = more->exit_failures_only;
	memcpy(table->exit_comms, more->exit_names, sizeof(table->exit_comms));
	memcpy(table->sql_ignore, more->sql_ignore, sizeof(table->sql_ignore));
	memcpy(table->sql_only, more->sql_only, sizeof(table->sql_only));
	for (uint32_t gate = 0; gate < FR_GATE_CNT; gate++) {
		enum fr_trigger_kind kind = (enum fr_trigger_kind)gate_kinds[gate];

		set_gate(&table->gates[gate], config, kind, last_told_ns[kind]);
		if (fr_config_trigger_on(config, kind))
			enabled |= 1u << gate;
	}
	__atomic_store_n(&table->enabled, enabled, __ATOMIC_SEQ_CST);
}

uint64_t fr_gate_seen(const struct fr_gate_table *table, enum fr_trigger_kind kind)
{
	int gate = fr_gate_of(kind);

	if (!table || gate < 0)
		return 0;
	return __atomic_load_n(&table->gates[gate].seen_cnt, __ATOMIC_RELAXED);
}

uint64_t fr_gate_told(const struct fr_gate_table *table, enum fr_trigger_kind kind)
{
	int gate = fr_gate_of(kind);

	if (!table || gate < 0)
		return 0;
	return __atomic_load_n(&table->gates[gate].told_cnt, __ATOMIC_RELAXED);
}

void fr_gate_open_at(struct fr_gate_table *table, enum fr_trigger_kind kind, uint64_t boot_ns)
{
	int gate = fr_gate_of(kind);

	if (table && gate >= 0)
		__atomic_store_n(&table->gates[gate].next_ns, boot_ns, __ATOMIC_RELAXED);
}
