/* SPDX-License-Identifier: BSD-2-Clause */
#include "fields.h"

#include <stdio.h>

static void hand_out(const struct fr_field_sink *out, const struct fr_field *f)
{
	out->field(out->ctx, f);
}

static void add_number(const struct fr_field_sink *out, const char *name,
		       enum fr_field_type type, uint64_t v)
{
	hand_out(out, &(struct fr_field){ .name = name, .type = type, .number = v });
}

void fr_field_u64(const struct fr_field_sink *out, const char *name, uint64_t v)
{
	add_number(out, name, FR_FIELD_U64, v);
}

void fr_field_i64(const struct fr_field_sink *out, const char *name, int64_t v)
{
	add_number(out, name, FR_FIELD_I64, (uint64_t)v);
}

void fr_field_hex(const struct fr_field_sink *out, const char *name, uint64_t v)
{
	add_number(out, name, FR_FIELD_HEX, v);
}

void fr_field_ns(const struct fr_field_sink *out, const char *name, uint64_t ns)
{
	add_number(out, name, FR_FIELD_NS, ns);
}

void fr_field_slice(const struct fr_field_sink *out, const char *name, enum fr_field_type type,
		    struct fr_slice bytes)
{
	hand_out(out, &(struct fr_field){ .name = name, .type = type, .bytes = bytes });
}

static void add_text(const struct fr_field_sink *out, const char *name, const char *s,
		     size_t s_bytes)
{
	fr_field_slice(out, name, FR_FIELD_STR,
		       (struct fr_slice){ .data = (const uint8_t *)s, .len_bytes = s_bytes });
}

void fr_field_str(const struct fr_field_sink *out, const char *name, const char *s)
{
	add_text(out, name, s, strlen(s));
}

void fr_field_letter(const struct fr_field_sink *out, const char *name, char letter)
{
	add_text(out, name, &letter, 1);
}

void fr_field_comm(const struct fr_field_sink *out, const char *name, const char *comm)
{
	add_text(out, name, comm, strnlen(comm, FR_COMM_BYTES));
}

void fr_field_addr(const struct fr_field_sink *out, const char *name, const struct fr_sock_addr *a)
{
	hand_out(out, &(struct fr_field){ .name = name, .type = FR_FIELD_ADDR, .addr = a });
}

void fr_field_named(const struct fr_field_sink *out, const char *name, const char *text,
		    uint64_t number)
{
	if (text)
		fr_field_str(out, name, text);
	else
		fr_field_u64(out, name, number);
}

void fr_field_flags(const struct fr_field_sink *out, const char *name, uint32_t flags,
		    const struct fr_flag_name *names)
{
	char list[320];
	size_t used = 0;
	int added;

	if (!flags)
		return;
	for (; names->name && used < sizeof(list); names++) {
		if (!(flags & names->bit))
			continue;
		flags &= ~names->bit;
		added = snprintf(list + used, sizeof(list) - used, "%s%s", used ? "," : "",
				 names->name);
		used += (size_t)added;
	}
	if (flags && used < sizeof(list))
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s0x%x",
					 used ? "," : "", flags);
	add_text(out, name, list, used < sizeof(list) ? used : sizeof(list) - 1);
}
