/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dump file on disk (.frd): the byte layout. FORMAT.md in this folder is the normative text;
 * flightrec.proto has the messages inside metadata chunks. Everything is little-endian.
 *
 *   file header (64) | chunk | chunk | ... | index chunk(s)
 *   chunk = chunk header (64) | stored bytes | zeros up to a multiple of 8
 *
 * Readable without the index, by walking the chunks; readable up to any cut.
 */
#ifndef FR_DUMP_FORMAT_H
#define FR_DUMP_FORMAT_H

#include <stdint.h>

#define FR_DUMP_MAGIC "\x89" "FRD\r\n\x1a\n" /* not text; CR-LF and ^Z catch mangling transfers */
#define FR_DUMP_MAJOR 1
#define FR_DUMP_MINOR 0
#define FR_CHUNK_MAGIC 0x48435246u /* "FRCH" */
#define FR_CHUNK_RAW_MAX (256u << 10)
#define FR_CHUNK_STORED_MAX (FR_CHUNK_RAW_MAX + (4u << 10)) /* incompressible data grows a little */
#define FR_CHUNKS_MAX (1u << 18) /* in one file: bounds a reader's memory, 64 GiB of events */
#define FR_DUMP_HEADER_MAX (64u << 10) /* fr_dump_header.header_bytes */
#define FR_CHUNK_NO_CPU 0xffffu

/* fr_dump_header.incompat_flags: a reader refuses those it does not know, by number. */
#define FR_DUMP_INCOMPLETE 0x1u /* the writer did not reach the end */

enum fr_chunk_type {
	FR_CHUNK_TRIGGER = 1,	 /* message Trigger */
	FR_CHUNK_CLOCK = 2,	 /* message Clocks */
	FR_CHUNK_HOST = 3,	 /* message Host */
	FR_CHUNK_CONFIG = 4,	 /* message Config */
	FR_CHUNK_THREADS = 5,	 /* message Threads; several: living first, then the dead */
	FR_CHUNK_PROCESSES = 6,	 /* message Processes; several */
	FR_CHUNK_SOCKETS = 7,	 /* message Sockets; several */
	FR_CHUNK_EVENTS = 8,	 /* segments of records of one CPU */
	FR_CHUNK_LOSS = 9,	 /* message Loss */
	FR_CHUNK_INDEX = 10,	 /* message Index; last, several when large */
};

enum fr_codec { FR_CODEC_NONE = 0, FR_CODEC_LZ4 = 1, FR_CODEC_ZSTD = 2 };
enum fr_transform { FR_TRANSFORM_RAW = 0 };

struct fr_dump_header {
	uint8_t magic[8];
	uint16_t major; /* a reader refuses a newer major */
	uint16_t minor;
	uint32_t header_bytes; /* 64; a reader starts the first chunk here */
	uint32_t compat_flags;
	uint32_t incompat_flags;
	uint64_t created_unix_ns;
	uint8_t dump_id[16]; /* random, the same in no two dumps; its first 8 bytes are the salt */
	uint64_t index_off;  /* file offset of the first index chunk; 0 while incomplete */
	uint64_t checksum;   /* XXH3-64 of the bytes before */
};

struct fr_chunk_header {
	uint32_t magic;
	uint16_t type;
	uint8_t codec;
	uint8_t transform;
	uint32_t raw_bytes;    /* <= FR_CHUNK_RAW_MAX */
	uint32_t stored_bytes; /* <= FR_CHUNK_STORED_MAX */
	uint32_t number;       /* chunks count from 0 in the file */
	uint16_t cpu;	       /* FR_CHUNK_NO_CPU for metadata */
	uint16_t reserved_zero;
	uint64_t first_time_ns; /* BOOTTIME; events only, else 0 */
	uint64_t last_time_ns;
	uint32_t records;
	uint32_t segments;
	uint64_t stored_checksum; /* XXH3-64 of the stored bytes */
	uint64_t header_checksum; /* XXH3-64 of the 56 bytes before, xor the salt: captured bytes
				     that look like a chunk never pass for one */
};

/*
 * The raw bytes of an events chunk are segments, each one self-contained: this header, then
 * `bytes` of records. A segment never spans two sub-buffers. (cpu, sub_seq, first_record + i)
 * identifies a record for ever: how overlapping dumps are joined.
 */
struct fr_segment_header {
	uint64_t base_time_ns; /* full time that the records' 46-bit times are rebuilt from */
	uint32_t sub_seq;      /* sub-buffer it was read from */
	uint32_t first_record; /* ordinal in that sub-buffer of the first record here */
	uint32_t bytes;	       /* of records, without this header; multiple of 8 */
	uint32_t records;
	uint32_t flags;		/* FR_SEGMENT_* */
	uint32_t reserved_zero;
};

#define FR_SEGMENT_RUNNING 0x1u /* prefix of a sub-buffer that was not closed yet */
#define FR_SEGMENT_LOSS_BEFORE 0x2u /* records between the segment before and this one are lost */

_Static_assert(sizeof(struct fr_dump_header) == 64, "file header");
_Static_assert(sizeof(struct fr_chunk_header) == 64, "chunk header");
_Static_assert(sizeof(struct fr_segment_header) == 32, "segment header");

#endif
