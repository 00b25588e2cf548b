/* SPDX-License-Identifier: BSD-2-Clause */
#include "mask.h"

static size_t cut(const struct fr_mask *m, size_t at, size_t cnt)
{
	if (at >= m->len_bytes)
		return 0;
	return cnt < m->len_bytes - at ? cnt : m->len_bytes - at;
}

void fr_mask_keep(struct fr_mask *m, size_t at, size_t cnt)
{
	cnt = cut(m, at, cnt);
	if (!cnt)
		return;
	memcpy(m->out + at, m->in + at, cnt);
	memset(m->why + at, FR_REDACT_KEPT, cnt);
}

void fr_mask_drop(struct fr_mask *m, size_t at, size_t cnt, char filler, enum fr_removal why)
{
	cnt = cut(m, at, cnt);
	if (!cnt)
		return;
	memset(m->out + at, filler, cnt);
	memset(m->why + at, (int)why, cnt);
}

static bool is_in(uint8_t b, const char *allowed)
{
	for (; *allowed; allowed++) {
		if (allowed[1] == '-' && allowed[2]) {
			if (b >= (uint8_t)allowed[0] && b <= (uint8_t)allowed[2])
				return true;
			allowed += 2;
		} else if (b == (uint8_t)*allowed) {
			return true;
		}
	}
	return false;
}

void fr_mask_keep_set(struct fr_mask *m, size_t at, size_t cnt, const char *allowed,
		      enum fr_removal why)
{
	cnt = cut(m, at, cnt);
	for (size_t i = at; i < at + cnt; i++) {
		if (is_in(m->in[i], allowed))
			fr_mask_keep(m, i, 1);
		else
			fr_mask_drop(m, i, 1, '?', why);
	}
}

struct fr_mask fr_mask_part(const struct fr_mask *m, size_t at, size_t cnt)
{
	at = at < m->len_bytes ? at : m->len_bytes;
	return (struct fr_mask){
		.in = m->in + at,
		.out = m->out + at,
		.why = m->why + at,
		.len_bytes = cut(m, at, cnt),
		.fresh = m->fresh > at ? m->fresh - at : 0,
	};
}

struct fr_slice fr_mask_slice(const struct fr_mask *m, size_t at, size_t cnt)
{
	at = at < m->len_bytes ? at : m->len_bytes;
	return (struct fr_slice){ .data = m->in + at, .len_bytes = cut(m, at, cnt) };
}
