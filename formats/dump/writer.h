/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing a dump: temporary name, chunks, index, flag cleared, fsync, rename, directory fsync.
 * Memory: one raw chunk, one stored chunk, the index. Nothing is printed; errors are returned.
 *
 *   fr_dump_create() -> fr_dump_put_meta()* / fr_dump_put_events()* -> fr_dump_finish()
 *                                                                 or -> fr_dump_abort()
 */
#ifndef FR_DUMP_WRITER_H
#define FR_DUMP_WRITER_H

#include <stdbool.h>

#include "../base/buf.h"
#include "format.h"

struct fr_dump_writer;

struct fr_dump_options {
	int dir_fd;		 /* directory to write into; borrowed */
	const char *name;	 /* final name; the temporary one is ".<name>.tmp" */
	enum fr_codec codec;
	int level;		 /* zstd only; 0 = its default */
	uint64_t created_unix_ns;
	/* Called before each write with the bytes about to be added; non-zero (a negative errno,
	 * e.g. -EDQUOT) ends the dump with it. May be NULL. */
	int (*may_write)(void *ctx, uint64_t total_bytes);
	void *ctx;
};

struct fr_dump_totals {
	uint64_t raw_bytes;
	uint64_t stored_bytes; /* the whole file */
	uint64_t records;
	uint64_t chunks;
};

/* -EEXIST if the final name is there; files are 0600, O_NOFOLLOW. */
int fr_dump_create(const struct fr_dump_options *opt, struct fr_dump_writer **ret_writer);
/* One metadata chunk; raw must not exceed FR_CHUNK_RAW_MAX (-E2BIG). */
int fr_dump_put_meta(struct fr_dump_writer *w, enum fr_chunk_type type, const struct fr_buf *raw);

struct fr_dump_events {
	const void *raw; /* segments, see format.h */
	uint32_t raw_bytes;
	uint16_t cpu;
	uint64_t first_time_ns;
	uint64_t last_time_ns;
	uint32_t records;
	uint32_t segments;
};
int fr_dump_put_events(struct fr_dump_writer *w, const struct fr_dump_events *ev);
/* Writes the index, clears INCOMPLETE, fsyncs, renames, fsyncs the directory. Frees w always. */
int fr_dump_finish(struct fr_dump_writer *w, struct fr_dump_totals *ret_totals);
/* Leaves what is written under the temporary name (keep) or removes it. NULL is fine. */
void fr_dump_abort(struct fr_dump_writer *w, bool keep);

#endif
