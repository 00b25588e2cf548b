/* SPDX-License-Identifier: BSD-2-Clause */
#include "index.h"

#include "meta_fields.h"

static const struct fr_meta_field entry_fields[] = {
	FR_META_FIELD(1, FR_META_FIXED64, fr_index_entry, off),
	FR_META_FIELD(2, FR_META_UINT, fr_index_entry, type),
	FR_META_FIELD(3, FR_META_UINT, fr_index_entry, cpu),
	FR_META_FIELD(4, FR_META_FIXED64, fr_index_entry, first_time_ns),
	FR_META_FIELD(5, FR_META_FIXED64, fr_index_entry, last_time_ns),
	FR_META_FIELD(6, FR_META_UINT, fr_index_entry, records),
	FR_META_FIELD(7, FR_META_UINT, fr_index_entry, raw_bytes),
	FR_META_FIELD(8, FR_META_UINT, fr_index_entry, stored_bytes),
	FR_META_FIELDS_END,
};

static const struct fr_meta_field sums_fields[] = {
	FR_META_FIELD(2, FR_META_UINT, fr_index_sums, records),
	FR_META_FIELD(3, FR_META_UINT, fr_index_sums, raw_bytes),
	FR_META_FIELD(4, FR_META_UINT, fr_index_sums, stored_bytes),
	FR_META_FIELDS_END,
};

void fr_index_add(struct fr_buf *b, const struct fr_index_entry *e)
{
	size_t mark = fr_pb_open(b, 1);

	fr_meta_put_fields(b, entry_fields, e);
	fr_pb_close(b, mark);
}

void fr_index_add_sums(struct fr_buf *b, const struct fr_index_sums *s)
{
	fr_meta_put_fields(b, sums_fields, s);
}

int fr_index_next(struct fr_cursor *c, struct fr_index_entry *ret)
{
	struct fr_slice row;
	int err = fr_meta_next_row(c, &row);

	if (err <= 0)
		return err;
	*ret = (struct fr_index_entry){ 0 };
	err = fr_meta_read_fields(row, entry_fields, ret, NULL);
	return err < 0 ? err : 1;
}
