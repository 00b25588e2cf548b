/* SPDX-License-Identifier: BSD-2-Clause */
#include "chunk.h"

#include <xxhash.h>

uint64_t fr_dump_salt(const struct fr_dump_header *h)
{
	return fr_load64(h->dump_id);
}

uint64_t fr_bytes_checksum(const void *data, size_t data_bytes)
{
	return XXH3_64bits(data, data_bytes);
}

static uint64_t dump_header_sum(const struct fr_dump_header *h)
{
	return XXH3_64bits(h, offsetof(struct fr_dump_header, checksum));
}

void fr_dump_header_seal(struct fr_dump_header *h)
{
	memcpy(h->magic, FR_DUMP_MAGIC, sizeof(h->magic));
	h->checksum = dump_header_sum(h);
}

bool fr_dump_header_sealed(const struct fr_dump_header *h)
{
	return memcmp(h->magic, FR_DUMP_MAGIC, sizeof(h->magic)) == 0 &&
	       h->checksum == dump_header_sum(h);
}

static uint64_t chunk_header_sum(const struct fr_chunk_header *h)
{
	return XXH3_64bits(h, offsetof(struct fr_chunk_header, header_checksum));
}

void fr_chunk_seal(struct fr_chunk_header *h, const void *stored, uint64_t salt)
{
	h->magic = FR_CHUNK_MAGIC;
	h->stored_checksum = XXH3_64bits(stored, h->stored_bytes);
	h->header_checksum = chunk_header_sum(h) ^ salt;
}

bool fr_chunk_sealed(const struct fr_chunk_header *h, uint64_t salt)
{
	return h->magic == FR_CHUNK_MAGIC && (h->header_checksum ^ salt) == chunk_header_sum(h);
}

uint64_t fr_chunk_salt_of(const struct fr_chunk_header *h)
{
	return h->header_checksum ^ chunk_header_sum(h);
}

const char *fr_chunk_unsound(const struct fr_chunk_header *h)
{
	if (h->raw_bytes > FR_CHUNK_RAW_MAX)
		return "claims more raw bytes than a chunk may have";
	if (h->stored_bytes > FR_CHUNK_STORED_MAX)
		return "claims more stored bytes than a chunk may have";
	if (h->codec == FR_CODEC_NONE && h->transform == FR_TRANSFORM_RAW &&
	    h->raw_bytes != h->stored_bytes)
		return "is not compressed but claims two sizes";
	return NULL;
}

const char *fr_chunk_type_name(uint32_t type)
{
	static const char *const names[] = {
		[FR_CHUNK_TRIGGER] = "trigger", [FR_CHUNK_CLOCK] = "clock",
		[FR_CHUNK_HOST] = "host",	[FR_CHUNK_CONFIG] = "config",
		[FR_CHUNK_THREADS] = "threads", [FR_CHUNK_PROCESSES] = "processes",
		[FR_CHUNK_SOCKETS] = "sockets", [FR_CHUNK_EVENTS] = "events",
		[FR_CHUNK_LOSS] = "loss",	[FR_CHUNK_INDEX] = "index",
	};

	return fr_chunk_type_known(type) ? names[type] : NULL;
}
