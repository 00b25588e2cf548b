/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing a dump: temporary name, chunks, index, flag cleared, fsync, rename, directory fsync.
 * Memory: one raw chunk, one stored chunk, the index. Nothing is printed; errors are returned.
 *
 *   fr_dump_create() -> fr_dump_put_meta()* / fr_dump_put_events()* -> fr_dump_finish()
 *                                                                 or -> fr_dump_abort()
 *
 * System calls made, for whoever runs this in a sandbox: openat, fchmod, fstatat, pwrite64,
 * ftruncate, fsync, renameat2 (renameat where a file system lacks its flag), unlinkat, close,
 * getrandom, clock_gettime, and what malloc does.
 */
#ifndef FR_DUMP_WRITER_H
#define FR_DUMP_WRITER_H

#include <stdbool.h>

#include "../base/buf.h"
#include "format.h"
#include "meta.h"

struct fr_dump_writer;

struct fr_dump_options {
	int dir_fd;	  /* directory to write into, not O_PATH; borrowed */
	const char *name; /* final name; the temporary one is ".<name>.tmp" */
	enum fr_codec codec;
	int level; /* zstd only; 0 = its default */
	uint64_t created_unix_ns;
	/* Called before each write with the size that the file will have after it; non-zero (a
	 * negative errno, e.g. -EDQUOT) ends the dump with it. May be NULL. */
	int (*may_write)(void *ctx, uint64_t total_bytes);
	void *ctx;
	const uint8_t *dump_id; /* 16 bytes; NULL = random, as every real dump must have it */
};

struct fr_dump_totals {
	uint64_t raw_bytes;
	uint64_t stored_bytes; /* the whole file */
	uint64_t records;
	uint64_t chunks;
	uint64_t fsync_ns; /* of it all, what the disk took to have it safe */
};

/*
 * -EEXIST if the final or the temporary name is there; -EINVAL for a name that is empty, starts
 * with '.' or has a '/'; -ENAMETOOLONG; -ENOMEM; or what the file system says. The file is 0600
 * and new: no link is followed.
 */
int fr_dump_create(const struct fr_dump_options *opt, struct fr_dump_writer **ret_writer);
/*
 * One metadata chunk; raw must not exceed FR_CHUNK_RAW_MAX (-E2BIG, and nothing is written: split
 * the table). An error latched in raw is returned; empty raw writes nothing. Any other error ends
 * the dump: whatever came before it is whole on disk, every later call returns it again.
 */
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
/* Loss in as many chunks as it needs: thousands of CPUs exceed one. */
int fr_dump_put_loss(struct fr_dump_writer *w, const struct fr_meta_loss *l);
/*
 * Writes the index, clears INCOMPLETE, fsyncs, renames (never over an existing file: -EEXIST),
 * fsyncs the directory. Frees w always. On failure the file stays under its temporary name, to be
 * read up to where it goes or to be removed: fr_dump_temp_name().
 */
int fr_dump_finish(struct fr_dump_writer *w, struct fr_dump_totals *ret_totals);
/* Leaves what is written under the temporary name (keep) or removes it. NULL is fine. */
void fr_dump_abort(struct fr_dump_writer *w, bool keep);
/* "." name ".tmp" into a buffer; -ENAMETOOLONG. */
int fr_dump_temp_name(const char *name, char *buf, size_t buf_bytes);

#endif
