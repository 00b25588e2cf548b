/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoders of the family block. */
#include <stdio.h>

#include "fields.h"

#define DEV_MINOR_BITS 20

/* "259:1", as lsblk and /proc/partitions have it. */
static void dev_field(const struct fr_field_sink *out, uint32_t dev)
{
	char text[24];

	if (!dev)
		return;
	snprintf(text, sizeof(text), "%u:%u", dev >> DEV_MINOR_BITS,
		 dev & ((1u << DEV_MINOR_BITS) - 1));
	fr_field_str(out, "dev", text);
}

void fr_ev_fields_block_issue(const struct fr_record *r, const struct fr_field_sink *out)
{
	struct fr_block_issue e;

	memcpy(&e, r->data, sizeof(e));
	dev_field(out, e.dev);
	fr_field_named(out, "op", fr_block_op_lookup(e.op), e.op);
	fr_field_u64(out, "sector", e.sector);
	fr_field_u64(out, "bytes", e.bytes);
	fr_field_u64(out, "tid", e.tid);
}

void fr_ev_fields_block_complete(const struct fr_record *r, const struct fr_field_sink *out)
{
	static const struct fr_flag_name flags[] = {
		{ FR_BLOCK_LATENCY_UNKNOWN, "latency_unknown" },
		{ 0, NULL },
	};
	struct fr_block_complete e;

	memcpy(&e, r->data, sizeof(e));
	dev_field(out, e.dev);
	fr_field_named(out, "op", fr_block_op_lookup(e.op), e.op);
	fr_field_u64(out, "sector", e.sector);
	fr_field_u64(out, "bytes", e.bytes);
	if (!(e.flags & FR_BLOCK_LATENCY_UNKNOWN))
		fr_field_ns(out, "latency_ns", e.latency_ns);
	if (e.error)
		fr_field_named(out, "error", fr_errno_lookup(e.error),
			       e.error < 0 ? 0u - (uint32_t)e.error : (uint32_t)e.error);
	fr_field_flags(out, "flags", e.flags, flags);
}
