/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a dump, damaged or not. Opening finds the chunks (by the index, else by walking, with
 * resynchronisation on the chunk magic after damage), reads the small metadata chunks, and notes
 * every problem. Event chunks are loaded one at a time. Nothing is printed.
 *
 * Every length in the file is hostile; memory is bounded by the number of chunks.
 */
#ifndef FR_DUMP_READER_H
#define FR_DUMP_READER_H

#include "format.h"
#include "meta.h"
#include "record.h"

struct fr_dump_entry {
	uint64_t off; /* of the chunk header */
	uint16_t type;
	uint16_t cpu;
	uint8_t codec;
	uint8_t transform;
	uint32_t number;
	uint32_t raw_bytes;
	uint32_t stored_bytes;
	uint32_t records;
	uint32_t segments;
	uint64_t first_time_ns;
	uint64_t last_time_ns;
	bool bad; /* its contents failed the checksum or did not decompress or parse */
};

struct fr_dump_problem {
	uint64_t off; /* in the file */
	char what[120];
};

struct fr_dump; /* an open dump */

/* Reasons for not opening at all; text for people is put into `err`. */
/* -ENOMSG: not a dump. -EPROTONOSUPPORT: newer or unknown incompatible flags, named in err.
 * Other negative errno: I/O. 0: opened, problems may be noted.
 * fd is borrowed and must be seekable (spool standard input first: fr_dump_spool). */
int fr_dump_open(int fd, struct fr_dump **ret_dump, char *err, size_t err_bytes);
struct fr_dump *fr_dump_close(struct fr_dump *d); /* NULL is fine; returns NULL */

/* Copies a pipe into an unlinked temporary file and returns its fd, or a negative errno. */
int fr_dump_spool(int in_fd);

const struct fr_dump_header *fr_dump_file_header(const struct fr_dump *d);
bool fr_dump_incomplete(const struct fr_dump *d); /* flag set, or cut: no sound index */
uint64_t fr_dump_sound_until(const struct fr_dump *d); /* file offset of the first damage, or size */
uint64_t fr_dump_file_bytes(const struct fr_dump *d);
size_t fr_dump_problem_cnt(const struct fr_dump *d); /* counts beyond what is kept, too */
const struct fr_dump_problem *fr_dump_problem(const struct fr_dump *d, size_t i); /* NULL past end */

size_t fr_dump_chunk_cnt(const struct fr_dump *d);
const struct fr_dump_entry *fr_dump_chunk(const struct fr_dump *d, size_t i);
/* Loads, checks and decompresses chunk i into raw (cleared first). -EBADMSG: damaged (noted).
 * -EOPNOTSUPP: unknown codec or transform (noted). */
int fr_dump_load(struct fr_dump *d, size_t i, struct fr_buf *raw);

/* Metadata; NULL where the dump has none that is sound. Owned by d. */
const struct fr_meta_trigger *fr_dump_trigger(const struct fr_dump *d);
const struct fr_meta_clocks *fr_dump_clocks(const struct fr_dump *d);
const struct fr_meta_host *fr_dump_host(const struct fr_dump *d);
const struct fr_meta_config *fr_dump_config(const struct fr_dump *d);
const struct fr_meta_loss *fr_dump_loss(const struct fr_dump *d);

/* Counts of what was skipped as unknown: chunk types, event kinds are counted by the walker. */
uint64_t fr_dump_unknown_chunks(const struct fr_dump *d);

#endif
