/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Headers of a dump and of its chunks: sealing them on writing, believing them on reading. No I/O.
 *
 * A chunk's header checksum is salted with the dump's random id. Captured payload may hold
 * anything, also parts of another dump on its way over a socket; without the salt a reader that
 * looks for the next chunk behind damage could take such bytes for a chunk of this file.
 */
#ifndef FR_DUMP_CHUNK_H
#define FR_DUMP_CHUNK_H

#include <stdbool.h>

#include "../base/bytes.h"
#include "format.h"

#define FR_CHUNK_BYTES(stored_bytes)                                                               \
	(sizeof(struct fr_chunk_header) + (((uint64_t)(stored_bytes) + 7) & ~7ull))

uint64_t fr_dump_salt(const struct fr_dump_header *h);
uint64_t fr_bytes_checksum(const void *data, size_t data_bytes);

void fr_dump_header_seal(struct fr_dump_header *h);
bool fr_dump_header_sealed(const struct fr_dump_header *h);

/* Sets magic, stored_checksum and header_checksum; everything else must be there. */
void fr_chunk_seal(struct fr_chunk_header *h, const void *stored, uint64_t salt);
/* Magic and header checksum are right. */
bool fr_chunk_sealed(const struct fr_chunk_header *h, uint64_t salt);
/* The salt that would make the header checksum right. */
uint64_t fr_chunk_salt_of(const struct fr_chunk_header *h);
/* NULL, or what makes the sizes in a sealed header impossible. */
const char *fr_chunk_unsound(const struct fr_chunk_header *h);

const char *fr_chunk_type_name(uint32_t type); /* "events"; NULL = unknown */
static inline bool fr_chunk_type_known(uint32_t type)
{
	return type >= FR_CHUNK_TRIGGER && type <= FR_CHUNK_INDEX;
}

#endif
