/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A buffered output file for sinks. Errors latch, and what is written after one is thrown away:
 * hot loops check nothing, the caller asks fr_out_close() once.
 *
 * A regular file is written under a temporary name beside it and takes its own name at
 * fr_out_close(), so that a conversion that fails leaves what was there before. Anything else
 * ("-" for stdout, a device, a pipe) is written as it comes.
 */
#ifndef FR_BASE_OUT_H
#define FR_BASE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

#define FR_OUT_BUF_BYTES (1u << 20)
#define FR_OUT_BURST_MAX (64u << 10) /* most that one fr_out_reserve() may ask for */

struct fr_out {
	char *data; /* owned; FR_OUT_BUF_BYTES */
	char *at;   /* where the next byte goes */
	char *end;
	uint64_t flushed_bytes;
	char *path;	 /* owned; the final name, NULL when there is nothing to rename */
	char *temp_path; /* owned */
	int fd;
	int err; /* 0 or the first negative errno */
	bool owns_fd;
};

/*
 * Opens `path` for writing, "-" is stdout. -ENOMEM, -EISDIR, or what open() says. On failure there
 * is nothing to close.
 */
int fr_out_open(struct fr_out *ret_out, const char *path);
/* Writes to an fd that stays the caller's. -ENOMEM. */
int fr_out_open_fd(struct fr_out *ret_out, int fd);

/* fr_out_reserve() for when the buffer must be written first. */
char *fr_out_make_room(struct fr_out *o);

/*
 * Room for burst_bytes (<= FR_OUT_BURST_MAX) in the buffer. Never NULL. The caller writes there and
 * gives the place behind to fr_out_advance(); what it doesn't advance over isn't written.
 */
static inline char *fr_out_reserve(struct fr_out *o, size_t burst_bytes)
{
	if (__builtin_expect(burst_bytes <= (size_t)(o->end - o->at), 1))
		return o->at;
	return fr_out_make_room(o);
}

static inline void fr_out_advance(struct fr_out *o, char *end)
{
	o->at = end;
}

/* Any number of bytes. */
void fr_out_add(struct fr_out *o, const void *data, size_t data_bytes);
void fr_out_add_str(struct fr_out *o, const char *s);
/* Moves what a buffer holds to the output and clears it; a latched error of it is taken over. */
void fr_out_add_buf(struct fr_out *o, struct fr_buf *b);

/* Bytes given so far, written or not. */
uint64_t fr_out_bytes(const struct fr_out *o);
/* Hands all to the kernel now. 0 or the latched error. */
int fr_out_flush(struct fr_out *o);

/*
 * Flushes, closes, gives the file its name, frees. Returns 0 or the first error of all that
 * happened since opening; after an error no new file is left and an older one is as it was.
 */
int fr_out_close(struct fr_out *o);
/* Closes and removes the unfinished file. */
void fr_out_abort(struct fr_out *o);

#endif
