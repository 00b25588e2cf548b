/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include <errno.h>
#include <lz4.h>
#include <zstd.h>

#include "formats/dump/codec.h"

#define RAW_BYTES 50000u

static struct fr_codec_state codecs;
static uint8_t raw[FR_CHUNK_RAW_MAX], packed[FR_CHUNK_STORED_MAX], back[FR_CHUNK_RAW_MAX + 16];

static void fill(size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		raw[i] = (uint8_t)(i % 97 + i / 1000);
}

static size_t pack(enum fr_codec codec, size_t raw_bytes)
{
	size_t n = 0;

	assert_int_equal(fr_codec_pack(&codecs, codec, 0, (struct fr_slice){ raw, raw_bytes },
				       packed, sizeof(packed), &n),
			 0);
	assert_true(n > 0 && n < raw_bytes);
	return n;
}

static int unpack(uint32_t codec, size_t packed_bytes, size_t raw_bytes)
{
	memset(back, 0xa5, sizeof(back));
	return fr_codec_unpack(&codecs, codec, (struct fr_slice){ packed, packed_bytes }, back,
			       raw_bytes);
}

static void what_goes_in_comes_out(void **state)
{
	(void)state;
	fill(RAW_BYTES);
	for (uint32_t codec = FR_CODEC_LZ4; codec <= FR_CODEC_ZSTD; codec++) {
		size_t n = pack((enum fr_codec)codec, RAW_BYTES);

		assert_int_equal(unpack(codec, n, RAW_BYTES), 0);
		assert_memory_equal(back, raw, RAW_BYTES);
		assert_int_equal(back[RAW_BYTES], 0xa5);
	}
	memcpy(packed, raw, RAW_BYTES);
	assert_int_equal(unpack(FR_CODEC_NONE, RAW_BYTES, RAW_BYTES), 0);
	assert_memory_equal(back, raw, RAW_BYTES);
}

static void another_size_is_refused_and_nothing_is_written_past_it(void **state)
{
	(void)state;
	fill(RAW_BYTES);
	for (uint32_t codec = FR_CODEC_LZ4; codec <= FR_CODEC_ZSTD; codec++) {
		size_t n = pack((enum fr_codec)codec, RAW_BYTES);

		assert_int_equal(unpack(codec, n, RAW_BYTES - 1), -EBADMSG);
		assert_int_equal(back[RAW_BYTES - 1], 0xa5);
		assert_int_equal(unpack(codec, n, RAW_BYTES + 1), -EBADMSG);
		assert_int_equal(unpack(codec, n - 1, RAW_BYTES), -EBADMSG);
		assert_int_equal(unpack(codec, 0, RAW_BYTES), -EBADMSG);
		assert_int_equal(unpack(codec, n, FR_CHUNK_RAW_MAX + 1), -EBADMSG);
	}
	assert_int_equal(unpack(FR_CODEC_NONE, 100, 101), -EBADMSG);
	assert_int_equal(unpack(7, 100, 100), -EOPNOTSUPP);
}

static void what_does_not_shrink_is_left_to_the_caller(void **state)
{
	uint32_t x = 12345;
	size_t n = 77;

	(void)state;
	for (size_t i = 0; i < 4096; i++) {
		x = x * 1664525u + 1013904223u;
		raw[i] = (uint8_t)(x >> 24);
	}
	for (uint32_t codec = FR_CODEC_NONE; codec <= FR_CODEC_ZSTD; codec++)
		assert_int_equal(fr_codec_pack(&codecs, (enum fr_codec)codec, 0,
					       (struct fr_slice){ raw, 4096 }, packed,
					       sizeof(packed), &n),
				 -ENOSPC);
	assert_int_equal(n, 77);
}

/* What stock zstd would unpack but a chunk must not hold. */
static void zstd_is_one_plain_frame(void **state)
{
	const uint8_t skippable[] = { 0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4 };
	size_t n, half = RAW_BYTES / 2;

	(void)state;
	fill(RAW_BYTES);
	n = pack(FR_CODEC_ZSTD, RAW_BYTES);
	memcpy(packed + n, skippable, sizeof(skippable));
	assert_int_equal(unpack(FR_CODEC_ZSTD, n + sizeof(skippable), RAW_BYTES), -EBADMSG);
	memmove(packed + sizeof(skippable), packed, n);
	memcpy(packed, skippable, sizeof(skippable));
	assert_int_equal(unpack(FR_CODEC_ZSTD, n + sizeof(skippable), RAW_BYTES), -EBADMSG);

	n = ZSTD_compress(packed, sizeof(packed), raw, half, 1);
	n += ZSTD_compress(packed + n, sizeof(packed) - n, raw + half, half, 1);
	assert_int_equal(unpack(FR_CODEC_ZSTD, n, RAW_BYTES), -EBADMSG);
}

static void every_flipped_bit_ends_in_order(void **state)
{
	(void)state;
	fill(2000);
	for (uint32_t codec = FR_CODEC_LZ4; codec <= FR_CODEC_ZSTD; codec++) {
		size_t n = pack((enum fr_codec)codec, 2000);

		for (size_t bit = 0; bit < n * 8; bit++) {
			int ret;

			packed[bit / 8] ^= (uint8_t)(1 << bit % 8);
			ret = unpack(codec, n, 2000);
			assert_true(ret == 0 || ret == -EBADMSG);
			assert_int_equal(back[2000], 0xa5);
			packed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		assert_int_equal(unpack(codec, n, 2000), 0);
	}
}

static void names(void **state)
{
	enum fr_codec codec = FR_CODEC_NONE;
	int level = 1;

	(void)state;
	assert_int_equal(fr_codec_parse("lz4", &codec, &level), 0);
	assert_int_equal(codec, FR_CODEC_LZ4);
	assert_int_equal(fr_codec_parse("zstd", &codec, &level), 0);
	assert_int_equal(level, 0);
	assert_int_equal(fr_codec_parse("zstd:-3", &codec, &level), 0);
	assert_int_equal(level, -3);
	assert_int_equal(codec, FR_CODEC_ZSTD);
	assert_int_equal(fr_codec_parse("zstd:20", &codec, &level), -ERANGE);
	assert_int_equal(fr_codec_parse("zstd:99999999999999999999", &codec, &level), -ERANGE);
	assert_int_equal(fr_codec_parse("zstd:", &codec, &level), -EINVAL);
	assert_int_equal(fr_codec_parse("zstd:3x", &codec, &level), -EINVAL);
	assert_int_equal(fr_codec_parse("gzip", &codec, &level), -EINVAL);
	assert_int_equal(level, -3);
	assert_string_equal(fr_codec_name(FR_CODEC_NONE), "none");
	assert_null(fr_codec_name(3));
}

static int done(void **state)
{
	(void)state;
	fr_codec_done(&codecs);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_out),
		cmocka_unit_test(another_size_is_refused_and_nothing_is_written_past_it),
		cmocka_unit_test(what_does_not_shrink_is_left_to_the_caller),
		cmocka_unit_test(zstd_is_one_plain_frame),
		cmocka_unit_test(every_flipped_bit_ends_in_order),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
