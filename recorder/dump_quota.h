/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much of the disk dumps may take: a number of bytes, a number of files, and what must stay
 * free. Before and while one is written, the oldest go: only files that are ours by their name,
 * never the one being written, and none at all when that could not help.
 *
 * Names: flightrec-20261123T171552.123Z-<trigger>-<n>.frd, and the same with a leading dot and
 * ".tmp" behind it for what a dumper left unfinished.
 */
#ifndef FR_RECORDER_DUMP_QUOTA_H
#define FR_RECORDER_DUMP_QUOTA_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FR_DUMP_NAME_BYTES 256

/* Into buf; at least FR_DUMP_NAME_BYTES. */
void fr_dump_name(char *buf, size_t buf_bytes, uint64_t unix_ns, const char *trigger,
		  uint64_t number);
/* Is it a name of ours? ret_temp: of an unfinished file. ret_order points into it: names sort by
 * time from there on. */
bool fr_dump_name_ours(const char *file_name, bool *ret_temp, const char **ret_order);

struct fr_quota {
	int dir_fd;	      /* borrowed */
	uint64_t limit_bytes; /* 0 = none */
	uint32_t max_files;   /* 0 = none */
	uint32_t min_free_pct;
	char writing[FR_DUMP_NAME_BYTES]; /* temporary name of the dump being written */
	/* private */
	uint64_t checked_bytes;
	/* results */
	uint32_t removed_cnt;
	uint64_t removed_bytes;
	char removed_last[FR_DUMP_NAME_BYTES];
};

/*
 * May the dump have total_bytes? Makes room if need be. -EDQUOT: larger than the quota by itself;
 * -ENOSPC: less than min_free_pct would stay free, whatever we removed; or what the file system
 * says. Cheap while far from the limits: the file system is asked once per MiB.
 */
int fr_quota_admit(struct fr_quota *q, uint64_t total_bytes);

#endif
