/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line of the control protocol, any bytes. What is taken keeps its promises, what is refused is
 * refused with a message of printable characters.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "recorder/request.h"

/* rule zero: targets link formats/ only, and this file needs nothing else */
#include "recorder/request.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes)
{
	struct fr_request r;
	char err[160] = "";

	if (fr_request_parse((const char *)data, data_bytes, &r, err, sizeof(err))) {
		assert(err[0] && memchr(err, 0, sizeof(err)));
		for (const char *c = err; *c; c++)
			assert(*c >= 0x20 && *c < 0x7f);
		return 0;
	}
	assert(r.verb < FR_VERB_CNT && r.format <= FR_FORMAT_PROMETHEUS);
	assert(memchr(r.reason, 0, sizeof(r.reason)));
	for (const char *c = r.reason; *c; c++)
		assert((unsigned char)*c >= 0x20 && *c != 0x7f);
	return 0;
}
