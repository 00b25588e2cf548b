/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an OTLP receiver answers, any bytes. First byte: whether it is a success, and of which type.
 * What goes to a terminal is one line without control bytes; a reply that is cut counts no more
 * than it did whole.
 */
#include <stdlib.h>
#include <string.h>

#include "tools/otlp_reply.h"

/* rule zero: targets link formats/ only, and this file needs nothing else */
#include "tools/otlp_reply.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes);

static void must(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes)
{
	static const char *const types[] = { NULL,
					     "application/x-protobuf",
					     "application/json",
					     "text/plain; charset=utf-8",
					     "text/html",
					     "" };
	struct fr_otlp_reply r;
	const char *type;

	if (!data_bytes)
		return 0;
	type = types[(data[0] >> 1) % 6];
	if (data[0] & 1) {
		fr_otlp_reply_success(type, data + 1, data_bytes - 1, &r);
	} else {
		fr_otlp_reply_refusal(type, data + 1, data_bytes - 1, &r);
		must(!r.rejected_cnt);
	}
	must(memchr(r.text, 0, sizeof(r.text)) != NULL);
	for (const char *c = r.text; *c; c++)
		must((unsigned char)*c >= 0x20 && *c != 0x7f);
	must(r.rejected_cnt <= INT64_MAX);
	return 0;
}
