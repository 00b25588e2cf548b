/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which release of Go built the executables that were looked at (binaries.h): told in the process
 * rows of dumps. The latest ones; what was forgotten has no version there.
 */
#ifndef FR_RECORDER_GO_VERSIONS_H
#define FR_RECORDER_GO_VERSIONS_H

#include "formats/abi/notice.h"

#define FR_GO_VERSIONS_MAX 128

struct fr_go_version {
	struct fr_binary_key exe; /* inode 0 = free */
	char version[64];
};

struct fr_go_versions {
	struct fr_go_version rows[FR_GO_VERSIONS_MAX];
	uint32_t next;
};

void fr_go_versions_keep(struct fr_go_versions *v, const struct fr_binary_key *exe,
			 const char *version);
/* NULL = not built by Go, or not known. */
const char *fr_go_versions_find(const struct fr_go_versions *v, const struct fr_binary_key *exe);

#endif
