/* SPDX-License-Identifier: BSD-2-Clause */
#include "dump_chain.h"

#include <errno.h>
#include <stdlib.h>

#include "formats/abi/event.h"
#include "formats/base/bytes.h"

int fr_chain_init(struct fr_chain *c, uint32_t cpu_cnt)
{
	*c = (struct fr_chain){ .running = calloc(cpu_cnt, sizeof(*c->running)),
				.cpu_cnt = cpu_cnt };
	for (uint32_t cpu = 0; c->running && cpu < cpu_cnt; cpu++)
		c->running[cpu] = UINT32_MAX;
	return c->running ? 0 : -ENOMEM;
}

void fr_chain_done(struct fr_chain *c)
{
	free(c->running);
	*c = (struct fr_chain){ 0 };
}

static void switch_record(struct fr_chain *c, const uint8_t *record, uint16_t cpu)
{
	uint64_t who = fr_load64(record + offsetof(struct fr_sched_switch, who));
	uint32_t came = c->running[cpu], left = FR_SWITCH_PREV(who);

	c->running[cpu] = FR_SWITCH_NEXT(who);
	if (came == UINT32_MAX || came == left)
		return;
	c->breaks[c->broken % FR_CHAIN_BREAKS].came = came;
	c->breaks[c->broken++ % FR_CHAIN_BREAKS].left = left;
}

/* The caller was not the leader: it has the leader's tid since a moment before the record. */
static void exec_record(struct fr_chain *c, const uint8_t *record, uint16_t cpu)
{
	uint32_t now = fr_load32(record + offsetof(struct fr_proc_exec, tid));
	uint32_t before = fr_load32(record + offsetof(struct fr_proc_exec, old_tid));

	if (now == before)
		return;
	if (c->running[cpu] == before)
		c->running[cpu] = now;
	for (uint32_t i = 0; i < FR_CHAIN_BREAKS && i < c->broken; i++)
		if (c->breaks[i].came == before && c->breaks[i].left == now) {
			c->breaks[i].came = c->breaks[i].left = 0;
			c->broken--;
			return;
		}
}

void fr_chain_record(struct fr_chain *c, const uint8_t *record, uint16_t cpu)
{
	uint32_t kind = FR_RECORD_KIND(fr_load64(record));

	if (cpu >= c->cpu_cnt)
		return;
	if (kind == FR_EV_SCHED_SWITCH)
		switch_record(c, record, cpu);
	else if (kind == FR_EV_PROC_EXEC)
		exec_record(c, record, cpu);
}
