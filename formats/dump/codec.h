/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compression of one chunk at a time: none, lz4 (block), zstd (one frame). Each chunk stands
 * alone. Unpacking never writes more than the raw size that the chunk header claims, and that was
 * checked against FR_CHUNK_RAW_MAX before.
 */
#ifndef FR_DUMP_CODEC_H
#define FR_DUMP_CODEC_H

#include <stdbool.h>

#include "../base/bytes.h"
#include "format.h"

#define FR_ZSTD_LEVEL_DEFAULT 3
#define FR_ZSTD_LEVEL_MIN (-7)
#define FR_ZSTD_LEVEL_MAX 19

/* Working memory, made at first use and kept from chunk to chunk. Zero-initialised is valid. */
struct fr_codec_state {
	void *zstd_pack;   /* ZSTD_CCtx, owned */
	void *zstd_unpack; /* ZSTD_DCtx, owned */
};
void fr_codec_done(struct fr_codec_state *s);

/*
 * Packs raw into out. 0 and *ret_bytes (less than raw.len_bytes); -ENOSPC when it does not get
 * smaller (store it with FR_CODEC_NONE); -EOPNOTSUPP; -ENOMEM. Same input and level, same bytes.
 */
int fr_codec_pack(struct fr_codec_state *s, enum fr_codec codec, int level, struct fr_slice raw,
		  uint8_t *out, size_t out_bytes, size_t *ret_bytes);
/* Unpacks into exactly raw_bytes. -EBADMSG: malformed, or another size; -EOPNOTSUPP; -ENOMEM. */
int fr_codec_unpack(struct fr_codec_state *s, uint32_t codec, struct fr_slice stored, uint8_t *raw,
		    size_t raw_bytes);

const char *fr_codec_name(uint32_t codec); /* NULL = unknown */
/* "none", "lz4", "zstd", "zstd:LEVEL". -EINVAL: unknown word, -ERANGE: level out of range. */
int fr_codec_parse(const char *s, enum fr_codec *ret_codec, int *ret_level);

#endif
