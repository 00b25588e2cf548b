/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The BPF programs: loads every embedded object, shares their maps, attaches what is a probe and
 * keeps handles to the rest. Nothing is pinned: when the daemon dies, everything is gone.
 *
 * bpf/<family>      a family's probes, attached. bpf/sock and bpf/sock_sys are two ways to one
 *                   family: one of them is chosen
 * bpf/aux/<name>    iterators (their links are made once, here) and programs that are run on
 *                   demand (SEC "syscall", or "raw_tp" without a name)
 * A map without a dot in its name is one map for all objects that have it.
 */
#ifndef FR_RECORDER_PROBES_H
#define FR_RECORDER_PROBES_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf_embed.h"
#include "config.h"
#include "features.h"
#include "layout.h"

struct fr_probes;

/*
 * Loads `objects` (a table ended by a NULL name); nothing runs yet. A family that the kernel
 * refuses is left out: the message names the program and shows the end of the verifier's log,
 * `features` gets a line, fr_probes_family() says why. Fails only when nothing can be recorded at
 * all: no permission (-EPERM), no memory for the ring (-ENOMEM), no identity (family proc:
 * -ENOTSUP).
 */
int fr_probes_load(struct fr_probes **ret_probes, const struct fr_bpf_embed *objects,
		   const struct fr_config *config, struct fr_features *features,
		   const struct fr_layout *layout);
/* Attaches the families' programs. Same rules. */
int fr_probes_attach(struct fr_probes *p, struct fr_features *features);
/* Detaches and unloads. NULL is fine. */
void fr_probes_free(struct fr_probes *p);
/* In a forked child: closes its copies of the probes' links, so that nothing stays attached when
 * the daemon dies before the child. Iterators, programs and maps are kept. */
void fr_probes_forget_links(struct fr_probes *p);

/* Handles by name; -ENOENT if there is no such thing. Borrowed: never close them. */
int fr_probes_prog_fd(const struct fr_probes *p, const char *name);
int fr_probes_iter_link_fd(const struct fr_probes *p, const char *name);
int fr_probes_map_fd(const struct fr_probes *p, const char *name);

/* Times the kernel refused to run a program because it interrupted itself: events never seen. */
uint64_t fr_probes_misses(const struct fr_probes *p);
/* Memory of all maps, as the kernel accounts it. */
uint64_t fr_probes_map_bytes(const struct fr_probes *p);
/* Is a family recorded? If not, why (a text that lives as long as p). */
bool fr_probes_family(const struct fr_probes *p, uint32_t family_bit, const char **ret_why);

#endif
