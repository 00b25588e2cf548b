/* SPDX-License-Identifier: BSD-2-Clause */
#include "codec.h"

#include <errno.h>
#include <limits.h>
#include <lz4.h>
#include <stdlib.h>
#include <zstd.h>

void fr_codec_done(struct fr_codec_state *s)
{
	ZSTD_freeCCtx(s->zstd_pack);
	ZSTD_freeDCtx(s->zstd_unpack);
	*s = (struct fr_codec_state){ 0 };
}

static int pack_lz4(struct fr_slice raw, uint8_t *out, size_t out_bytes, size_t *ret_bytes)
{
	int n = LZ4_compress_default((const char *)raw.data, (char *)out, (int)raw.len_bytes,
				     (int)out_bytes);

	if (n <= 0)
		return -ENOSPC;
	*ret_bytes = (size_t)n;
	return 0;
}

static int pack_zstd(struct fr_codec_state *s, int level, struct fr_slice raw, uint8_t *out,
		     size_t out_bytes, size_t *ret_bytes)
{
	size_t n;

	if (!s->zstd_pack) {
		s->zstd_pack = ZSTD_createCCtx();
		if (!s->zstd_pack)
			return -ENOMEM;
	}
	n = ZSTD_compressCCtx(s->zstd_pack, out, out_bytes, raw.data, raw.len_bytes,
			      level ? level : FR_ZSTD_LEVEL_DEFAULT);
	/* only two things can go wrong with a whole buffer at hand: no room, no memory; in both
	 * cases the caller's way out (store it unpacked) is right */
	if (ZSTD_isError(n))
		return -ENOSPC;
	*ret_bytes = n;
	return 0;
}

int fr_codec_pack(struct fr_codec_state *s, enum fr_codec codec, int level, struct fr_slice raw,
		  uint8_t *out, size_t out_bytes, size_t *ret_bytes)
{
	/* lz4 counts in int; a chunk is far below */
	if (raw.len_bytes > FR_CHUNK_RAW_MAX)
		return -EINVAL;
	if (!raw.len_bytes)
		return -ENOSPC;
	if (out_bytes > raw.len_bytes - 1)
		out_bytes = raw.len_bytes - 1;
	switch (codec) {
	case FR_CODEC_NONE:
		return -ENOSPC;
	case FR_CODEC_LZ4:
		return pack_lz4(raw, out, out_bytes, ret_bytes);
	case FR_CODEC_ZSTD:
		return pack_zstd(s, level, raw, out, out_bytes, ret_bytes);
	}
	return -EOPNOTSUPP;
}

/*
 * Exactly one frame of the present format that says the right size: no skippable frames, no
 * frames of old experimental versions (libzstd may have decoders for those built in), no
 * concatenation.
 */
static int unpack_zstd(struct fr_codec_state *s, struct fr_slice stored, uint8_t *raw,
		       size_t raw_bytes)
{
	if (stored.len_bytes < 4 || fr_load32(stored.data) != ZSTD_MAGICNUMBER)
		return -EBADMSG;
	if (ZSTD_getFrameContentSize(stored.data, stored.len_bytes) != raw_bytes)
		return -EBADMSG;
	if (ZSTD_findFrameCompressedSize(stored.data, stored.len_bytes) != stored.len_bytes)
		return -EBADMSG;
	if (!s->zstd_unpack) {
		s->zstd_unpack = ZSTD_createDCtx();
		if (!s->zstd_unpack)
			return -ENOMEM;
	}
	if (ZSTD_decompressDCtx(s->zstd_unpack, raw, raw_bytes, stored.data, stored.len_bytes) !=
	    raw_bytes)
		return -EBADMSG;
	return 0;
}

int fr_codec_unpack(struct fr_codec_state *s, uint32_t codec, struct fr_slice stored, uint8_t *raw,
		    size_t raw_bytes)
{
	if (stored.len_bytes > FR_CHUNK_STORED_MAX || raw_bytes > FR_CHUNK_RAW_MAX)
		return -EBADMSG;
	switch (codec) {
	case FR_CODEC_NONE:
		if (stored.len_bytes != raw_bytes)
			return -EBADMSG;
		if (raw_bytes)
			memcpy(raw, stored.data, raw_bytes);
		return 0;
	case FR_CODEC_LZ4:
		if (LZ4_decompress_safe((const char *)stored.data, (char *)raw,
					(int)stored.len_bytes, (int)raw_bytes) != (int)raw_bytes)
			return -EBADMSG;
		return 0;
	case FR_CODEC_ZSTD:
		return unpack_zstd(s, stored, raw, raw_bytes);
	}
	return -EOPNOTSUPP;
}

const char *fr_codec_name(uint32_t codec)
{
	static const char *const names[] = { "none", "lz4", "zstd" };

	return codec < sizeof(names) / sizeof(*names) ? names[codec] : NULL;
}

int fr_codec_parse(const char *s, enum fr_codec *ret_codec, int *ret_level)
{
	const char *level_text;
	char *end;
	long level;

	for (uint32_t c = FR_CODEC_NONE; c <= FR_CODEC_ZSTD; c++) {
		if (strcmp(s, fr_codec_name(c)) == 0) {
			*ret_codec = (enum fr_codec)c;
			*ret_level = 0;
			return 0;
		}
	}
	if (strncmp(s, "zstd:", 5) != 0)
		return -EINVAL;
	level_text = s + 5;
	errno = 0;
	level = strtol(level_text, &end, 10);
	if (end == level_text || *end)
		return -EINVAL;
	if (errno || level < FR_ZSTD_LEVEL_MIN || level > FR_ZSTD_LEVEL_MAX)
		return -ERANGE;
	*ret_codec = FR_CODEC_ZSTD;
	*ret_level = (int)level;
	return 0;
}
