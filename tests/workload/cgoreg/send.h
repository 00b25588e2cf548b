/* SPDX-License-Identifier: BSD-2-Clause */
/* One send of cgoreg: what to do, and what came of it. */
#ifndef FR_CGOREG_SEND_H
#define FR_CGOREG_SEND_H

#include <stdint.h>

struct cgoreg_send {
	int fd;
	int r14_from_fs; /* not 0: take the word below the thread pointer as r14 */
	const char *text;
	uint64_t r14;
	/* results */
	uint64_t fs_word; /* at fsbase - 8 */
	uint64_t local;	  /* C's thread-local variable, to see that it is its own */
	long result;
	int tid;
};

int cgoreg_on_this_thread(struct cgoreg_send *s);
int cgoreg_on_c_thread(struct cgoreg_send *s);

#endif
