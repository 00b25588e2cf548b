/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What decoders hand fields out with. A field that has nothing to say (no peer, no fd, no flag) is
 * left out by the decoder, never shown as a number that means nothing.
 */
#ifndef FR_EVENTS_FIELDS_H
#define FR_EVENTS_FIELDS_H

#include "event.h"

void fr_field_u64(const struct fr_field_sink *out, const char *name, uint64_t v);
void fr_field_i64(const struct fr_field_sink *out, const char *name, int64_t v);
void fr_field_hex(const struct fr_field_sink *out, const char *name, uint64_t v);
void fr_field_ns(const struct fr_field_sink *out, const char *name, uint64_t ns);
void fr_field_str(const struct fr_field_sink *out, const char *name, const char *s);
void fr_field_slice(const struct fr_field_sink *out, const char *name, enum fr_field_type type,
		    struct fr_slice bytes);
void fr_field_letter(const struct fr_field_sink *out, const char *name, char letter);
/* A comm: up to its first zero, at most FR_COMM_BYTES. */
void fr_field_comm(const struct fr_field_sink *out, const char *name, const char *comm);
void fr_field_addr(const struct fr_field_sink *out, const char *name, const struct fr_sock_addr *a);
/* A number by its name, or as the number it is when text is NULL: later kernels know more. */
void fr_field_named(const struct fr_field_sink *out, const char *name, const char *text,
		    uint64_t number);

/* The names behind fr_errno_name() and the like; NULL when there is none. */
const char *fr_errno_lookup(int err);
const char *fr_signal_lookup(uint32_t sig);
const char *fr_tcp_state_lookup(uint32_t s);
const char *fr_block_op_lookup(uint32_t op);

struct fr_flag_name {
	uint32_t bit;
	const char *name; /* NULL ends the table */
};

/* "goid,cut" and what has no name as "0x10000"; nothing when no flag is set. */
void fr_field_flags(const struct fr_field_sink *out, const char *name, uint32_t flags,
		    const struct fr_flag_name *names);

#endif
