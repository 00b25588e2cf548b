/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon's hand on the gates that probes keep: which kinds are looked for, with what limits,
 * and from when on one may be told of again. */
#ifndef FR_RECORDER_TRIGGER_GATES_H
#define FR_RECORDER_TRIGGER_GATES_H

#include "formats/abi/notice.h"
#include "recorder.h"

/* A gate closes for at least so long, whatever the cool-down is: wake-ups are bounded. */
#define FR_GATE_LEAST_NS 100000000ull

/* Maps the table; NULL in *ret_table when the probes have none. 0 or a negative errno. */
int fr_gates_map(const struct fr_recorder *rec, struct fr_gate_table **ret_table);
void fr_gates_unmap(struct fr_gate_table *table);
/* Between the two numberings; -1 = there is no such one (usr1, manual and psi have no gate). */
int fr_gate_of(enum fr_trigger_kind kind);
int fr_gate_kind(uint32_t gate);
/* What the configuration says, at start and after a reload. last_told_ns: by kind, of what a
 * dump tells; 0 = never. */
void fr_gates_set(struct fr_gate_table *table, const struct fr_config *config,
		  const uint64_t *last_told_ns);
/* Causes seen so far, and those of them that were told. Zero without a gate. */
uint64_t fr_gate_seen(const struct fr_gate_table *table, enum fr_trigger_kind kind);
uint64_t fr_gate_told(const struct fr_gate_table *table, enum fr_trigger_kind kind);
/* The next cause may be told from then on (BOOTTIME). */
void fr_gate_open_at(struct fr_gate_table *table, enum fr_trigger_kind kind, uint64_t boot_ns);

#endif
