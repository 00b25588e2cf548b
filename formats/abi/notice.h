/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Notices: the only messages that wake the daemon (map fr_notices, a BPF ring buffer of 64 KiB).
 * And the binaries table, which the daemon fills in answer.
 */
#ifndef FR_ABI_NOTICE_H
#define FR_ABI_NOTICE_H

#ifndef __BPF__
#include <stdint.h>
#endif
#include "abi.h"

#define FR_NOTICE_BINARY 1u /* a process of an unknown binary carries captured bytes */
#define FR_NOTICE_SOCKETS 2u /* sockets with state are near their limit, as probes count */

/* fr_binary.state */
#define FR_BINARY_ASKED 0u	/* a notice is under way: no goid yet */
#define FR_BINARY_NOT_GO 1u
#define FR_BINARY_GO 2u		/* goid_off is right for it */
#define FR_BINARY_GO_UNKNOWN 3u /* a Go version that is not known: no goid, ever */
#define FR_BINARY_FAILED 4u	/* could not be read */

FR_ABI_BEGIN

/* An executable, for as long as it isn't written to. Key of the map fr_binaries. */
struct fr_binary_key {
	uint64_t inode;
	uint64_t ctime_ns; /* status change time of the inode */
	uint32_t dev;	   /* kernel form: major << 20 | minor */
	uint32_t reserved_zero;
};

struct fr_binary {
	uint32_t state; /* FR_BINARY_* */
	uint32_t goid_off; /* bytes from g to goid */
};

struct fr_notice {
	uint32_t kind; /* FR_NOTICE_* */
	uint32_t tgid;
	uint64_t time_ns; /* BOOTTIME */
	struct fr_binary_key binary;
};

FR_ABI_END

FR_ABI_SIZE(fr_binary_key, 24);
FR_ABI_SIZE(fr_notice, 40);

#endif
