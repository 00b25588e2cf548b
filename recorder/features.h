/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this kernel has, told by its type information (BTF), never by its version: which
 * tracepoints with which arguments, which fields, which helper functions for BPF programs. What is
 * missing is named: what, why, and what stands in.
 */
#ifndef FR_RECORDER_FEATURES_H
#define FR_RECORDER_FEATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/base/buf.h"
#include "formats/dump/meta.h"

struct btf;

struct fr_features {
	struct btf *btf;       /* the kernel's; owned, freed by fr_features_done() */
	uint32_t bits;	       /* FR_FEAT_* of formats/abi/knobs.h */
	bool sock_tracepoints; /* sock_send_length and sock_recv_length are there */
	char kernel_release[65];
	/* one line each: what, why, what stands in; also filled by the loader */
	char degraded[FR_DEGRADED_MAX][160];
	uint32_t degraded_cnt;
	uint32_t degraded_more; /* that found no room above */
};

/* btf_path "" = the running kernel's. 0, or a negative errno after a message on stderr. */
int fr_features_read(struct fr_features *ret_features, const char *btf_path);
void fr_features_done(struct fr_features *f);
__attribute__((format(printf, 2, 3))) void fr_features_degrade(struct fr_features *f,
							       const char *fmt, ...);
/* Is there a tracepoint of this name that programs can attach to by type (btf_trace_*)? */
bool fr_features_has_tracepoint(const struct fr_features *f, const char *name);
void fr_features_print(const struct fr_features *f, bool json, struct fr_buf *out);

#endif
