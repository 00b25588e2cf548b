/* SPDX-License-Identifier: BSD-2-Clause */
#include "event.h"

/* A row without its decoder is a link error here. */
#define DECODER(id, NAME, name, family, type) [id] = fr_ev_fields_##name,
static fr_ev_fields_fn *const decoders[256] = { FR_EVENTS(DECODER) };
#undef DECODER

bool fr_event_fields(const struct fr_record *r, const struct fr_field_sink *out)
{
	if (!fr_record_sound(r))
		return false;
	decoders[r->kind](r, out);
	return true;
}
