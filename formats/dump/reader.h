/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a dump, damaged or not. Opening finds the chunks by walking their headers (one small read
 * each; behind damage the next one is looked for by its magic), reads the small metadata chunks,
 * compares with the index what should be there, and notes every problem. Event chunks are loaded
 * one at a time. Nothing is printed.
 *
 * Every length in the file is hostile; memory is bounded by the number of chunks, and that by
 * FR_CHUNKS_MAX and the size of the file.
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
	bool padding_noted;
	bool bad; /* its contents failed the checksum or did not decompress or parse */
	int err;  /* what loading it returned: -EBADMSG, -EOPNOTSUPP or an I/O error; 0 = not bad */
};

struct fr_dump_problem {
	uint64_t off; /* in the file */
	char what[120];
};
#define FR_PROBLEMS_KEPT 64 /* more are counted only */

struct fr_dump; /* an open dump */

/*
 * 0: opened; problems may be noted, and there may be no chunk at all. Else the reason, with text
 * for people in err (reason and next step, without the file's name): -ENOMSG: not a dump.
 * -EPROTONOSUPPORT: a newer version or unknown incompatible flags, named. -ESPIPE: fd cannot be
 * read at offsets (spool it first: fr_dump_spool). -ENOMEM, or I/O. fd is borrowed and must stay
 * open until fr_dump_close().
 */
int fr_dump_open(int fd, struct fr_dump **ret_dump, char *err, size_t err_bytes);
struct fr_dump *fr_dump_close(struct fr_dump *d); /* NULL is fine; returns NULL */

/* Copies a pipe into an unlinked temporary file (in TMPDIR, else /tmp) and returns its fd, or a
 * negative errno. */
int fr_dump_spool(int in_fd);

const struct fr_dump_header *fr_dump_file_header(const struct fr_dump *d); /* as in the file */
bool fr_dump_incomplete(const struct fr_dump *d); /* flag set, or cut: no sound index */
uint64_t fr_dump_sound_until(const struct fr_dump *d); /* offset of the first damage, or size */
uint64_t fr_dump_file_bytes(const struct fr_dump *d);
size_t fr_dump_problem_cnt(const struct fr_dump *d); /* counts beyond what is kept, too */
/* NULL past the end, and beyond FR_PROBLEMS_KEPT. */
const struct fr_dump_problem *fr_dump_problem(const struct fr_dump *d, size_t i);

size_t fr_dump_chunk_cnt(const struct fr_dump *d);
const struct fr_dump_entry *fr_dump_chunk(const struct fr_dump *d, size_t i);
/* Loads, checks and decompresses chunk i into raw (cleared first). -EBADMSG: damaged (noted).
 * -EOPNOTSUPP: unknown codec or transform (noted). -ENOMEM: of this machine, not of the file. */
int fr_dump_load(struct fr_dump *d, size_t i, struct fr_buf *raw);

/* Metadata; NULL where the dump has none that is sound. Owned by d. */
const struct fr_meta_trigger *fr_dump_trigger(const struct fr_dump *d);
const struct fr_meta_clocks *fr_dump_clocks(const struct fr_dump *d);
const struct fr_meta_host *fr_dump_host(const struct fr_dump *d);
const struct fr_meta_config *fr_dump_config(const struct fr_dump *d);
const struct fr_meta_loss *fr_dump_loss(const struct fr_dump *d);

/* Chunks of types that this version does not know. They are in the list, and may be skipped. */
uint64_t fr_dump_unknown_chunks(const struct fr_dump *d);
/* Records in chunks that the index names and that are not there any more. */
uint64_t fr_dump_lost_records(const struct fr_dump *d);

/* For whoever looks closer and finds something wrong: notes what, and where. */
__attribute__((format(printf, 3, 4))) void fr_dump_note_damage(struct fr_dump *d, uint64_t off,
							       const char *fmt, ...);

#endif
