/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Protocol buffers, wire level (protobuf.dev, "Encoding"): varints, fixed 32/64, length-delimited.
 * The writer appends to a fr_buf in one pass; a submessage's length is back-patched as a 4-byte
 * redundant varint (so a submessage is at most 2^28 - 1 bytes). The reader walks fields of hostile
 * bytes and never allocates.
 */
#ifndef FR_BASE_PB_H
#define FR_BASE_PB_H

#include "buf.h"
#include "bytes.h"

enum fr_pb_wire {
	FR_PB_VARINT = 0,
	FR_PB_FIXED64 = 1,
	FR_PB_BYTES = 2,
	FR_PB_FIXED32 = 5,
};

void fr_pb_add_u64(struct fr_buf *b, uint32_t field, uint64_t v); /* also int32/64, bool, enum */
void fr_pb_add_i64(struct fr_buf *b, uint32_t field, int64_t v);
void fr_pb_add_fixed64(struct fr_buf *b, uint32_t field, uint64_t v);
void fr_pb_add_fixed32(struct fr_buf *b, uint32_t field, uint32_t v);
void fr_pb_add_double(struct fr_buf *b, uint32_t field, double v);
void fr_pb_add_bytes(struct fr_buf *b, uint32_t field, const void *data, size_t data_bytes);
void fr_pb_add_str(struct fr_buf *b, uint32_t field, const char *s);

/* Opens a submessage; give the returned mark to fr_pb_close. Nesting closes inside out. */
size_t fr_pb_open(struct fr_buf *b, uint32_t field);
void fr_pb_close(struct fr_buf *b, size_t mark);

struct fr_pb_field {
	uint32_t number;
	enum fr_pb_wire wire;
	uint64_t value;		/* of varint and fixed fields */
	struct fr_slice bytes;	/* of length-delimited fields; borrowed */
};

/* Next field of a message: 1 and *ret, 0 at the clean end, -EBADMSG on malformed bytes. */
int fr_pb_next(struct fr_cursor *c, struct fr_pb_field *ret_field);

#endif
