/* SPDX-License-Identifier: BSD-2-Clause */
/* The recorder as a whole, after start-up: what a dump is made from. Read-only for the dumper. */
#ifndef FR_RECORDER_RECORDER_H
#define FR_RECORDER_RECORDER_H

#include "config.h"
#include "features.h"
#include "go_versions.h"
#include "formats/dump/meta.h"
#include "layout.h"
#include "probes.h"
#include "ring.h"

struct fr_launcher;

struct fr_recorder {
	struct fr_config config;
	struct fr_features features;
	struct fr_layout layout;
	struct fr_probes *probes; /* owned */
	struct fr_ring_view ring;
	struct fr_family_state families[FR_FAMILY_CNT]; /* what is recorded, and why not */
	uint32_t family_cnt;
	struct fr_clock_pair start_clock; /* when recording began */
	struct fr_go_versions *go_versions; /* kept by the daemon's binaries; NULL = none are */
	int dump_dir_fd;		  /* locked: no other daemon writes there */
	struct fr_launcher *launcher;	  /* of on_dump; NULL = there is none */
	void (*forked)(void *ctx);	  /* see fr_recorder_forked() */
	void *forked_ctx;
};

/*
 * Every child calls this first: it lets go of what must not outlive the daemon (links of probes,
 * control socket, event loop), so that a daemon that is killed leaves nothing attached and can be
 * started again at once, even while a child of it still hangs in a write.
 */
static inline void fr_recorder_forked(const struct fr_recorder *rec)
{
	if (rec->forked)
		rec->forked(rec->forked_ctx);
}

#endif
