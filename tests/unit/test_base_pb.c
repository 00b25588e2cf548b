/* SPDX-License-Identifier: BSD-2-Clause */
/* Protocol buffers: the bytes of the specification, and what a reader refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/pb.h"

#define ASSERT_BYTES(b, ...)                                                                       \
	do {                                                                                       \
		const uint8_t want[] = { __VA_ARGS__ };                                            \
		assert_int_equal((b).err, 0);                                                      \
		assert_int_equal((b).len_bytes, sizeof(want));                                     \
		assert_memory_equal((b).data, want, sizeof(want));                                 \
		fr_buf_clear(&(b));                                                                \
	} while (0)

/* The examples of protobuf.dev, "Encoding". */
static void bytes_of_the_specification(void **state)
{
	struct fr_buf b = { 0 };

	(void)state;
	fr_pb_add_u64(&b, 1, 150);
	ASSERT_BYTES(b, 0x08, 0x96, 0x01);
	fr_pb_add_str(&b, 2, "testing");
	ASSERT_BYTES(b, 0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67);
	fr_pb_add_i64(&b, 1, -2);
	ASSERT_BYTES(b, 0x08, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
	fr_pb_add_fixed32(&b, 5, 0x01020304);
	ASSERT_BYTES(b, 0x2d, 0x04, 0x03, 0x02, 0x01);
	fr_pb_add_fixed64(&b, 16, 1);
	ASSERT_BYTES(b, 0x81, 0x01, 1, 0, 0, 0, 0, 0, 0, 0);
	fr_pb_add_double(&b, 1, 1.0);
	ASSERT_BYTES(b, 0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f);
	fr_pb_add_bytes(&b, 536870911, NULL, 0);
	ASSERT_BYTES(b, 0xfa, 0xff, 0xff, 0xff, 0x0f, 0x00);
	fr_buf_done(&b);
}

static void submessages_nest(void **state)
{
	struct fr_buf b = { 0 };
	size_t outer, inner;

	(void)state;
	outer = fr_pb_open(&b, 3);
	fr_pb_add_u64(&b, 1, 150);
	inner = fr_pb_open(&b, 4);
	fr_pb_close(&b, inner);
	fr_pb_close(&b, outer);
	ASSERT_BYTES(b, 0x1a, 0x88, 0x80, 0x80, 0x00, 0x08, 0x96, 0x01, 0x22, 0x80, 0x80, 0x80,
		     0x00);
	fr_buf_done(&b);
}

static void written_is_read(void **state)
{
	struct fr_buf b = { 0 };
	struct fr_pb_field f;
	struct fr_cursor c, sub;
	uint8_t blob[300];
	size_t mark;
	double d;

	(void)state;
	memset(blob, 0xa5, sizeof(blob));
	fr_pb_add_u64(&b, 1, UINT64_MAX);
	mark = fr_pb_open(&b, 2);
	fr_pb_add_bytes(&b, 7, blob, sizeof(blob));
	fr_pb_close(&b, mark);
	fr_pb_add_double(&b, 3, -0.25);
	fr_pb_add_fixed32(&b, 4, 9);
	c = fr_cursor_of(b.data, b.len_bytes);
	assert_int_equal(fr_pb_next(&c, &f), 1);
	assert_int_equal(f.number, 1);
	assert_int_equal(f.wire, FR_PB_VARINT);
	assert_true(f.value == UINT64_MAX);
	assert_int_equal(fr_pb_next(&c, &f), 1);
	assert_int_equal(f.wire, FR_PB_BYTES);
	sub = fr_cursor_of(f.bytes.data, f.bytes.len_bytes);
	assert_int_equal(fr_pb_next(&sub, &f), 1);
	assert_int_equal(f.number, 7);
	assert_int_equal(f.bytes.len_bytes, sizeof(blob));
	assert_memory_equal(f.bytes.data, blob, sizeof(blob));
	assert_int_equal(fr_pb_next(&sub, &f), 0);
	assert_int_equal(fr_pb_next(&c, &f), 1);
	assert_int_equal(f.wire, FR_PB_FIXED64);
	memcpy(&d, &f.value, sizeof(d));
	assert_true(d + 0.25 == 0);
	assert_int_equal(fr_pb_next(&c, &f), 1);
	assert_int_equal(f.wire, FR_PB_FIXED32);
	assert_int_equal(f.value, 9);
	assert_int_equal(fr_pb_next(&c, &f), 0);
	fr_buf_done(&b);
}

/* Cut anywhere, a message ends cleanly between fields only, and is malformed elsewhere. */
static void cuts_are_noticed(void **state)
{
	struct fr_buf b = { 0 };
	struct fr_pb_field f;
	bool boundary[64] = { 0 };
	size_t cut;

	(void)state;
	fr_pb_add_u64(&b, 1, 300);
	boundary[0] = boundary[b.len_bytes] = true;
	fr_pb_add_str(&b, 2, "abc");
	boundary[b.len_bytes] = true;
	fr_pb_add_fixed64(&b, 200, 5);
	boundary[b.len_bytes] = true;
	fr_pb_add_fixed32(&b, 3, 5);
	boundary[b.len_bytes] = true;
	for (cut = 0; cut <= b.len_bytes; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1);
		struct fr_cursor c;
		int ret;

		assert_non_null(copy);
		memcpy(copy, b.data, cut);
		c = fr_cursor_of(copy, cut);
		do {
			ret = fr_pb_next(&c, &f);
		} while (ret == 1);
		assert_int_equal(ret, boundary[cut] ? 0 : -EBADMSG);
		free(copy);
	}
	fr_buf_done(&b);
}

static void refuse(const uint8_t *bytes, size_t bytes_cnt)
{
	struct fr_pb_field f = { .number = 77 };
	struct fr_cursor c = fr_cursor_of(bytes, bytes_cnt);

	assert_int_equal(fr_pb_next(&c, &f), -EBADMSG);
	assert_int_equal(f.number, 77);
	assert_int_equal(fr_pb_next(&c, &f), -EBADMSG);
}

static void malformed_is_refused(void **state)
{
	static const uint8_t zero_field[] = { 0x00, 0x01 };
	static const uint8_t group[] = { 0x0b, 0x0c };
	static const uint8_t wire_6[] = { 0x0e, 0x00 };
	static const uint8_t wire_7[] = { 0x0f, 0x00 };
	static const uint8_t huge_field[] = { 0x80, 0x80, 0x80, 0x80, 0x10, 0x00 };
	static const uint8_t huge_length[] = { 0x0a, 0xff, 0xff, 0xff, 0xff, 0xff,
					       0xff, 0xff, 0xff, 0xff, 0x01, 'x' };

	(void)state;
	refuse(zero_field, sizeof(zero_field));
	refuse(group, sizeof(group));
	refuse(wire_6, sizeof(wire_6));
	refuse(wire_7, sizeof(wire_7));
	refuse(huge_field, sizeof(huge_field));
	refuse(huge_length, sizeof(huge_length));
}

static void full_buffer_latches(void **state)
{
	size_t limit;

	(void)state;
	/* whatever append fails first, closing doesn't write outside */
	for (limit = 1; limit < 24; limit++) {
		struct fr_buf b = { .limit_bytes = limit };
		size_t outer = fr_pb_open(&b, 1);
		size_t inner = fr_pb_open(&b, 2);

		fr_pb_add_str(&b, 3, "0123456789");
		fr_pb_close(&b, inner);
		fr_pb_close(&b, outer);
		assert_int_equal(b.err, limit < 22 ? -E2BIG : 0);
		fr_buf_done(&b);
	}
}

static void oversized_submessage_is_an_error(void **state)
{
	/* only counted, never touched: the buffer says it is that long */
	struct fr_buf b = { 0 };
	size_t mark = fr_pb_open(&b, 1), len_bytes = b.len_bytes;

	(void)state;
	b.len_bytes += 1u << 28;
	fr_pb_close(&b, mark);
	assert_int_equal(b.err, -E2BIG);
	b.err = 0;
	b.len_bytes = len_bytes + (1u << 28) - 1;
	fr_pb_close(&b, mark);
	assert_int_equal(b.err, 0);
	assert_int_equal(b.data[len_bytes - 1], 0x7f);
	fr_buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_of_the_specification),
		cmocka_unit_test(submessages_nest),
		cmocka_unit_test(written_is_read),
		cmocka_unit_test(cuts_are_noticed),
		cmocka_unit_test(malformed_is_refused),
		cmocka_unit_test(full_buffer_latches),
		cmocka_unit_test(oversized_submessage_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
