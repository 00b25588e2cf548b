/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flat protobuf messages by table: one row per field says its number, its form on the wire and
 * where it lies in the C struct, so that writing and reading cannot disagree. Submessages and
 * repeated fields are the callers' business. Private to the meta_*.c files.
 */
#ifndef FR_DUMP_META_FIELDS_H
#define FR_DUMP_META_FIELDS_H

#include <stddef.h>

#include "../base/buf.h"
#include "../base/bytes.h"
#include "../base/pb.h"

enum fr_meta_kind {
	FR_META_UINT,	 /* varint; member of 1, 2, 4 or 8 bytes, unsigned or bool */
	FR_META_I32,	 /* varint, sign-extended; int32_t */
	FR_META_FIXED64, /* uint64_t */
	FR_META_STR,	 /* char array, always ended by a zero when read */
	FR_META_SLICE,	 /* struct fr_slice, borrowed */
};

struct fr_meta_field {
	uint16_t number; /* 0 ends the table */
	uint16_t kind;	 /* enum fr_meta_kind */
	uint16_t off;
	uint16_t bytes;
};

#define FR_META_FIELD(field_number, field_kind, type, member)                                      \
	{                                                                                          \
		.number = (field_number), .kind = (field_kind),                                    \
		.off = offsetof(struct type, member), .bytes = sizeof(((struct type *)0)->member)  \
	}
#define FR_META_FIELDS_END                                                                         \
	{                                                                                          \
		.number = 0                                                                        \
	}

/* Appends the fields in the table's order; zero and empty ones are left out, as proto3 does. */
void fr_meta_put_fields(struct fr_buf *b, const struct fr_meta_field *fields, const void *row);

/*
 * Reads a whole message into row, which keeps what it had where the message says nothing: reading
 * twice merges, as protobuf wants it. Fields that are not in the table go to `nested` (may be
 * NULL: skipped), which returns as this does: 0; 1 = something did not fit and was cut; -EBADMSG;
 * or another negative errno.
 */
int fr_meta_read_fields(struct fr_slice raw, const struct fr_meta_field *fields, void *row,
			int (*nested)(void *row, const struct fr_pb_field *f));

/* Copies a string into a char array, ended by a zero. 1 = it was cut. */
int fr_meta_take_str(char *member, size_t member_bytes, struct fr_slice s);

/* Next submessage of field 1: 1 and *ret_row, 0 at the end, -EBADMSG (then the end follows). */
int fr_meta_next_row(struct fr_cursor *c, struct fr_slice *ret_row);

#endif
