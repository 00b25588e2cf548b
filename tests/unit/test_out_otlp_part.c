/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests taken apart: every item is in exactly one part, with its own resource and scope. */
#include "cm.h"

#include <errno.h>

#include "formats/base/pb.h"
#include "formats/out/otlp.h"

static struct fr_buf request, part, seen;

/* Two resources; the first has two scopes. Items are named by their number. */
static void add_item(uint32_t n)
{
	size_t item = fr_pb_open(&request, 2);

	fr_pb_add_u64(&request, 5, n);
	fr_pb_close(&request, item);
}

static void add_scope(const char *name, uint32_t first, uint32_t cnt)
{
	size_t scope = fr_pb_open(&request, 2);

	fr_pb_add_str(&request, 1, name);
	for (uint32_t i = 0; i < cnt; i++)
		add_item(first + i);
	fr_pb_add_str(&request, 3, "scope schema");
	fr_pb_close(&request, scope);
}

static int start(void **state)
{
	size_t resource = fr_pb_open(&request, 1);

	(void)state;
	fr_pb_add_str(&request, 1, "A");
	add_scope("a", 0, 3);
	add_scope("b", 3, 1);
	fr_pb_add_str(&request, 3, "schema");
	fr_pb_close(&request, resource);
	resource = fr_pb_open(&request, 1);
	fr_pb_add_str(&request, 1, "B");
	add_scope("c", 4, 2);
	fr_pb_close(&request, resource);
	return request.err;
}

static int end(void **state)
{
	(void)state;
	fr_buf_done(&request);
	fr_buf_done(&part);
	fr_buf_done(&seen);
	return 0;
}

static struct fr_otlp_batch whole(void)
{
	return (struct fr_otlp_batch){ .data = request.data,
				       .data_bytes = request.len_bytes,
				       .item_cnt = 6 };
}

/* Writes a message as text: strings as they are, items as their number. */
static void show(struct fr_slice raw, int below)
{
	struct fr_cursor c = fr_cursor_of(raw.data, raw.len_bytes);
	struct fr_pb_field f;
	int ret;

	while ((ret = fr_pb_next(&c, &f)) == 1) {
		if (f.wire == FR_PB_VARINT) {
			fr_buf_add_u64(&seen, f.value);
		} else if (f.number == (below == 2 ? 1u : 2u)) {
			fr_buf_add_char(&seen, '(');
			show(f.bytes, below - 1);
			fr_buf_add_char(&seen, ')');
		} else {
			fr_buf_add(&seen, f.bytes.data, f.bytes.len_bytes);
		}
		fr_buf_add_char(&seen, ' ');
	}
	assert_int_equal(ret, 0);
}

static const char *text_of(uint32_t first, uint32_t cnt)
{
	struct fr_otlp_batch b = whole();

	fr_buf_clear(&part);
	fr_buf_clear(&seen);
	assert_int_equal(fr_otlp_part(&b, first, cnt, &part), 0);
	show((struct fr_slice){ part.data, part.len_bytes }, 2);
	fr_buf_add_char(&seen, 0);
	return (const char *)seen.data;
}

static void each_part_keeps_its_resource(void **state)
{
	(void)state;
	assert_string_equal(text_of(0, 6), "(A (a (0 ) (1 ) (2 ) scope schema ) (b (3 ) scope "
					   "schema ) schema ) (B (c (4 ) (5 ) scope schema ) ) ");
	assert_string_equal(text_of(0, 1), "(A (a (0 ) scope schema ) schema ) ");
	assert_string_equal(text_of(2, 3), "(A (a (2 ) scope schema ) (b (3 ) scope schema ) "
					   "schema ) (B (c (4 ) scope schema ) ) ");
	assert_string_equal(text_of(5, 1), "(B (c (5 ) scope schema ) ) ");
}

static void halves_hold_all(void **state)
{
	struct fr_otlp_batch half = { 0 };
	struct fr_buf again = { 0 };

	(void)state;
	text_of(3, 3);
	half.data = part.data;
	half.data_bytes = part.len_bytes;
	/* a part can be taken apart again */
	assert_int_equal(fr_otlp_part(&half, 0, 1, &again), 0);
	fr_buf_clear(&seen);
	show((struct fr_slice){ again.data, again.len_bytes }, 2);
	fr_buf_add_char(&seen, 0);
	assert_string_equal((const char *)seen.data, "(A (b (3 ) scope schema ) schema ) ");
	fr_buf_done(&again);
}

static void what_is_not_there(void **state)
{
	struct fr_otlp_batch b = whole();

	(void)state;
	fr_buf_clear(&part);
	assert_int_equal(fr_otlp_part(&b, 0, 7, &part), -EINVAL);
	assert_int_equal(fr_otlp_part(&b, 6, 1, &part), -EINVAL);
	assert_int_equal(fr_otlp_part(&b, 0, 0, &part), -EINVAL);
	assert_int_equal(fr_otlp_part(&b, UINT32_MAX, UINT32_MAX, &part), -EINVAL);
	b.data_bytes--;
	assert_int_equal(fr_otlp_part(&b, 0, 1, &part), -EBADMSG);
	assert_int_equal(part.len_bytes, 0);
	part.limit_bytes = part.cap_bytes = 4;
	b = whole();
	assert_int_equal(fr_otlp_part(&b, 0, 1, &part), -E2BIG);
	assert_int_equal(part.len_bytes, 0);
	part.limit_bytes = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_part_keeps_its_resource),
		cmocka_unit_test(halves_hold_all),
		cmocka_unit_test(what_is_not_there),
	};

	return cmocka_run_group_tests(tests, start, end);
}
