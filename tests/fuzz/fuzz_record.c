/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The input is the raw bytes of an events chunk: walking must end, records must lie inside, in
 * order and apart, and what is called sound must be whole.
 */
#include <stdio.h>
#include <stdlib.h>

#include "formats/dump/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes);

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_record: %s\n", what);
	abort();
}

/* Reads every byte, so that a sanitizer sees one that is not ours. */
static uint32_t touch(const uint8_t *at, size_t bytes)
{
	uint32_t sum = 0;

	while (bytes--)
		sum = sum * 31 + at[bytes];
	return sum;
}

static void check_sound(const struct fr_record *r)
{
	struct fr_sock_io io;

	must(fr_event_infos[r->kind].name != NULL, "sound, but unknown");
	must(r->bytes >= fr_event_infos[r->kind].fixed_bytes, "sound, but too short");
	if (r->kind != FR_EV_SOCK_SEND && r->kind != FR_EV_SOCK_RECV)
		return;
	memcpy(&io, r->data, sizeof(io));
	must(sizeof(io) + (io.flags & FR_IO_ADDR ? sizeof(struct fr_sock_addr) : 0) +
			     io.captured_bytes <=
		     r->bytes,
	     "captured bytes reach out of the record");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes)
{
	const uint8_t *behind = data;
	struct fr_record_walk w;
	struct fr_record r;
	size_t steps = 0;
	uint32_t sum = 0;
	int ret;

	fr_record_walk_init(&w, 1, (struct fr_slice){ data, data_bytes });
	while ((ret = fr_record_next(&w, &r))) {
		must(++steps <= data_bytes / 8 + 2, "the walk does not end");
		if (ret < 0)
			continue;
		must(ret == 1 && r.data >= behind && r.bytes >= 8 && r.bytes % 8 == 0 &&
			     r.bytes <= (size_t)(data + data_bytes - r.data),
		     "a record outside of what is left");
		behind = r.data + r.bytes;
		sum += touch(r.data, r.bytes);
		if (fr_record_sound(&r))
			check_sound(&r);
	}
	must(fr_record_next(&w, &r) == 0, "the end is not the end");
	return sum == 1 ? -1
			: 0; /* the sum must be used; -1 only keeps the input out of the corpus */
}
