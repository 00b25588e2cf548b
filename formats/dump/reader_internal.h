/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by the reader's files: reader.c (opening, accessors), reader_walk.c (which chunks there
 * are), reader_load.c (one chunk, metadata, index).
 */
#ifndef FR_DUMP_READER_INTERNAL_H
#define FR_DUMP_READER_INTERNAL_H

#include "chunk.h"
#include "codec.h"
#include "reader.h"

struct fr_dump {
	int fd; /* borrowed */
	uint64_t file_bytes;
	struct fr_dump_header header;
	bool header_ok;
	uint64_t salt; /* of the chunk headers' checksums */

	struct fr_dump_entry *entries; /* by ascending offset */
	size_t entry_cnt, entry_cap;
	uint64_t unknown_chunks;

	struct fr_dump_problem problems[FR_PROBLEMS_KEPT];
	size_t problem_cnt;
	uint64_t first_damage; /* offset; file_bytes = none */

	bool index_sound;
	uint64_t lost_records;

	struct fr_codec_state codec;
	uint8_t *stored; /* one chunk as it lies in the file; made at the first load */

	bool has_trigger, has_clocks, has_host, has_config, has_loss;
	struct fr_meta_trigger trigger;
	struct fr_meta_clocks clocks;
	struct fr_meta_host host;
	struct fr_meta_config config;
	struct fr_meta_loss loss;
};

/* Reads up to data_bytes at off. Bytes read (fewer where the file or the readable part of it ends),
 * or a negative errno when there is not even one. */
ssize_t fr_dump_read_at(const struct fr_dump *d, void *data, size_t data_bytes, uint64_t off);
/* A remark that is not damage. */
__attribute__((format(printf, 3, 4))) void fr_dump_note(struct fr_dump *d, uint64_t off,
							const char *fmt, ...);
/* "chunk 12 (events of CPU 1)" */
const char *fr_dump_chunk_label(const struct fr_dump_entry *e, char *buf, size_t buf_bytes);

/* The salt, without a sound file header, by a chunk whose contents are whole. False = not found. */
bool fr_dump_find_salt(struct fr_dump *d);
/* Fills entries from `start` on. 0 or -ENOMEM. */
int fr_dump_walk(struct fr_dump *d, uint64_t start);
/* Index and small metadata. 0 or -ENOMEM. */
int fr_dump_read_index(struct fr_dump *d);
int fr_dump_read_meta(struct fr_dump *d);

#endif
