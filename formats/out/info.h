/* SPDX-License-Identifier: BSD-2-Clause */
/* What `flightrec info` and `flightrec verify` say of a dump, as text for people or as JSON. */
#ifndef FR_OUT_INFO_H
#define FR_OUT_INFO_H

#include "../base/buf.h"
#include "../base/cli.h"
#include "../dump/reader.h"

struct fr_dump_report {
	struct fr_buf *out; /* appended to; errors latch there */
	bool json;
	const char *file; /* its name, for people */
};

/*
 * Both read the whole dump. They return FR_EXIT_OK; FR_EXIT_DAMAGED when it is damaged or
 * incomplete; FR_EXIT_IO when nothing of it can be read; or -ENOMEM.
 */
int fr_info_run(struct fr_dump *d, const struct fr_dump_report *r);
int fr_verify_run(struct fr_dump *d, const struct fr_dump_report *r);

#endif
