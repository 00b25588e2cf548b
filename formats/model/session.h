/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several dumps taken as one recording: they must be of one boot of one host. Orders them, finds
 * their windows, reads all names.
 *
 *   window    [ start_ns ............................................... end_ns ]
 *   CPU 0                 oldest [##########################################]
 *   CPU 1     oldest [#################################################]
 *   common                common_ns [#######################################]
 */
#ifndef FR_MODEL_SESSION_H
#define FR_MODEL_SESSION_H

#include "../base/cli.h"
#include "merge.h"
#include "names.h"

struct fr_session_dump {
	struct fr_dump *dump; /* borrowed */
	const char *name;     /* borrowed: the file, for people */
	uint32_t instance;
	uint64_t start_ns, common_ns, end_ns; /* BOOTTIME; 0 = it has no events */
	uint32_t cpu_cnt;		      /* that have events */
	bool cut;			      /* events at the end are missing */
};

struct fr_session {
	struct fr_session_dump *dumps; /* owned; in order of time */
	size_t dump_cnt;
	uint64_t start_ns, common_ns, end_ns;
	/* Before it, threads may have run unseen on a CPU whose history was overwritten. 0 = never:
	 * nothing was overwritten since recording began. */
	uint64_t hidden_until_ns;
	struct fr_names *names; /* owned */
	bool sched_on;		/* switches were recorded when recording began */
};

/*
 * ins: dump and name are set. 0; -ENOMEM; -EXDEV when they cannot be one recording, with the reason
 * in err.
 */
int fr_session_open(const struct fr_session_dump *ins, size_t in_cnt,
		    struct fr_session **ret_session, char *err, size_t err_bytes);
struct fr_session *fr_session_close(struct fr_session *s); /* NULL is fine; dumps stay open */

/* The merge over all of it. 0 or -ENOMEM. */
int fr_session_merge(const struct fr_session *s, struct fr_merge **ret_merge);

/* By the clock pairs of the dump nearest in time. 0 when no dump has any. */
uint64_t fr_session_to_unix(const struct fr_session *s, uint64_t boot_ns);
uint64_t fr_session_to_boot(const struct fr_session *s, uint64_t unix_ns);
/* A time as the user wrote it; relative ones to the last dump's trigger. -ENODATA: the dump does
 * not say when its trigger was, or has no clocks. */
int fr_session_when(const struct fr_session *s, const struct fr_when *when, uint64_t *ret_boot_ns);

/* Oldest record kept of each CPU in a dump: from the loss table, else from the chunks. 0 = none. */
uint64_t fr_session_cpu_oldest(const struct fr_session_dump *d, uint16_t cpu);

#endif
