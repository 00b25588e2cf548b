/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an OTLP receiver answers: Export*ServiceResponse with its partial success, or
 * google.rpc.Status with the reason of a refusal. Bytes of a stranger, and perhaps only their
 * beginning.
 */
#ifndef FR_TOOLS_OTLP_REPLY_H
#define FR_TOOLS_OTLP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fr_otlp_reply {
	bool understood;       /* it is what an OTLP receiver says */
	uint64_t rejected_cnt; /* of a success: items that were not taken */
	char text[256];	       /* message; printable, cut to what fits; "" = none */
};

/* content_type as in the header, NULL = none was sent. An empty body is a full success. */
void fr_otlp_reply_success(const char *content_type, const void *body, size_t body_bytes,
			   struct fr_otlp_reply *ret);
void fr_otlp_reply_refusal(const char *content_type, const void *body, size_t body_bytes,
			   struct fr_otlp_reply *ret);

#endif
