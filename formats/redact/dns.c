/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS over UDP: header and question. Answers, and what else a datagram holds, go. */
#include "mask.h"

#define HEADER_BYTES 12
#define NAME_BYTES_MAX 255

static const char label_bytes[] = "a-zA-Z0-9_*-";

/* Where the name's empty label lies, and the name with dots between labels. 0 = it does not end. */
static size_t read_name(const struct fr_mask *m, char *dotted)
{
	size_t at = HEADER_BYTES;

	while (at < m->len_bytes && at - HEADER_BYTES < NAME_BYTES_MAX) {
		size_t cnt = m->in[at];

		if (!cnt)
			return at;
		if (cnt > 63 || at + cnt >= m->len_bytes ||
		    at + cnt - HEADER_BYTES >= NAME_BYTES_MAX)
			return 0;
		memcpy(dotted + at - HEADER_BYTES, m->in + at + 1, cnt);
		dotted[at + cnt - HEADER_BYTES] = '.';
		at += 1 + cnt;
	}
	return 0;
}

/* Strict: only so many bytes of the name's end. The dotted name's byte i lies at i + 1 in labels.
 */
static void mask_name(const struct fr_redact_rules *rules, struct fr_mask *m, size_t end,
		      const char *dotted)
{
	size_t name_bytes = end - HEADER_BYTES, hidden = 0;
	struct fr_slice name = { (const uint8_t *)dotted, name_bytes };

	if (rules->level == FR_REDACT_STRICT)
		hidden = name_bytes - fr_registrable_bytes(name);
	for (size_t at = HEADER_BYTES; at < end;) {
		size_t cnt = m->in[at];

		fr_mask_keep(m, at, 1);
		if (at - HEADER_BYTES < hidden)
			fr_mask_drop(m, at + 1, cnt, '?', FR_REMOVED_URL);
		else
			fr_mask_keep_set(m, at + 1, cnt, label_bytes, FR_REMOVED_URL);
		at += 1 + cnt;
	}
	fr_mask_keep(m, end, 1);
}

static enum fr_wire_verdict mask(const struct fr_redact_look *look, struct fr_mask *m,
				 struct fr_redact_unit *ret_unit)
{
	char dotted[NAME_BYTES_MAX + 64];
	size_t end = m->len_bytes > HEADER_BYTES ? read_name(m, dotted) : 0;

	if (!end || end + 5 > m->len_bytes)
		return FR_WIRE_LOST;
	fr_mask_drop(m, 0, m->len_bytes, '?', FR_REMOVED_ANSWERS);
	fr_mask_keep(m, 0, HEADER_BYTES);
	mask_name(look->rules, m, end, dotted);
	fr_mask_keep(m, end + 1, 4);
	ret_unit->unit_bytes = m->len_bytes;
	return FR_WIRE_UNIT;
}

static void rejoin(void *memory, enum fr_wire_role role)
{
	(void)memory; /* a datagram follows from nothing */
	(void)role;
}

static void other_lost(void *memory, enum fr_wire_role role)
{
	(void)memory;
	(void)role;
}

const struct fr_redact_protocol fr_redact_dns = {
	.wire = &fr_wire_dns,
	.datagram = true,
	.mask = mask,
	.rejoin = rejoin,
	.other_lost = other_lost,
};
