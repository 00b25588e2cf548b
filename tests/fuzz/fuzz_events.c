/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segments of any bytes: the walk ends, every record lies inside, every sound one decodes into
 * fields that lie inside the record or are whole texts.
 */
#include <errno.h>
#include <stdlib.h>

#include "formats/events/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static uint64_t touched; /* keeps the reads */

static void take_field(void *ctx, const struct fr_field *f)
{
	char text[64];
	size_t i;

	(void)ctx;
	must(f->name && f->name[0]);
	must(f->type != FR_FIELD_ADDR || f->addr);
	if (f->addr) {
		touched += strlen(fr_addr_format(f->addr, false, text, sizeof(text)));
		touched += strlen(fr_addr_format(f->addr, true, text, sizeof(text)));
	}
	for (i = 0; i < f->bytes.len_bytes; i++)
		touched += f->bytes.data[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes)
{
	const struct fr_field_sink sink = { .field = take_field };
	size_t steps = 0, record_off;
	struct fr_record_walk w;
	struct fr_record r;
	uint8_t *aligned;
	int ret;

	/* a chunk lies in a buffer that is aligned and exactly as long */
	aligned = malloc(data_bytes ? data_bytes : 1);
	if (!aligned)
		return 0;
	if (data_bytes)
		memcpy(aligned, data, data_bytes);
	fr_record_walk_init(&w, 3, (struct fr_slice){ .data = aligned, .len_bytes = data_bytes });
	while ((ret = fr_record_next(&w, &r)) != 0) {
		must(steps++ <= data_bytes);
		if (ret != 1) {
			must(ret == -EBADMSG);
			continue;
		}
		record_off = (size_t)(r.data - aligned);
		must(record_off < data_bytes && r.bytes <= data_bytes - record_off && r.bytes >= 8);
		must(fr_event_fields(&r, &sink) == fr_record_sound(&r));
	}
	free(aligned);
	return 0;
}
