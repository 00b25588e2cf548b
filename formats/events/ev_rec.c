/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoders of what the recorder writes about itself. */
#include "fields.h"

void fr_ev_fields_rec_flush(const struct fr_record *r, const struct fr_field_sink *out)
{
	(void)r; /* its time and place say all */
	(void)out;
}

#define FAMILY_NAME(bit, NAME, name) [bit] = #name,
static const char *const family_names[FR_FAMILY_CNT] = { FR_FAMILIES(FAMILY_NAME) };
#undef FAMILY_NAME

void fr_ev_fields_rec_family(const struct fr_record *r, const struct fr_field_sink *out)
{
	static const char *const whys[] = {
		[FR_FAMILY_WHY_START] = "start",
		[FR_FAMILY_WHY_FAILED] = "failed",
		[FR_FAMILY_WHY_SHED] = "shed",
		[FR_FAMILY_WHY_ASKED] = "asked",
	};
	struct fr_rec_family e;
	const char *why;

	memcpy(&e, r->data, sizeof(e));
	/* a later version may know more of both */
	fr_field_named(out, "family", e.family < FR_FAMILY_CNT ? family_names[e.family] : NULL,
		       e.family);
	fr_field_u64(out, "on", e.on);
	why = e.why < sizeof(whys) / sizeof(*whys) ? whys[e.why] : NULL;
	fr_field_named(out, "why", why, e.why);
}
