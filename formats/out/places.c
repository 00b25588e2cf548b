/* SPDX-License-Identifier: BSD-2-Clause */
#include "places.h"

#include <string.h>

static const struct {
	uint8_t place;
	const char *name; /* NULL = the event's */
} places[256] = {
	[FR_EV_PROC_FORK] = { FR_PLACE_THREAD, "fork" },
	[FR_EV_PROC_EXEC] = { FR_PLACE_THREAD, "exec" },
	[FR_EV_PROC_EXIT] = { FR_PLACE_THREAD, "exit" },
	[FR_EV_PROC_RENAME] = { FR_PLACE_THREAD, "rename" },
	[FR_EV_PROC_SIGNAL] = { FR_PLACE_THREAD, "fatal signal" },
	[FR_EV_PROC_OOM] = { FR_PLACE_THREAD, "OOM victim" },
	[FR_EV_PROC_FREE] = { FR_PLACE_NOWHERE, NULL },
	[FR_EV_PROC_STATE] = { FR_PLACE_NOWHERE, NULL },
	[FR_EV_REC_FLUSH] = { FR_PLACE_NOWHERE, NULL },
	[FR_EV_SOCK_OPEN] = { FR_PLACE_SOCKETS, "open" },
	[FR_EV_SOCK_CLOSE] = { FR_PLACE_SOCKETS, "close" },
	[FR_EV_SOCK_STATE] = { FR_PLACE_SOCKETS, "state" },
	[FR_EV_SOCK_SEND] = { FR_PLACE_THREAD, "send" },
	[FR_EV_SOCK_RECV] = { FR_PLACE_THREAD, "recv" },
	[FR_EV_SOCK_ACCEPT] = { FR_PLACE_THREAD, "accept" },
	[FR_EV_TCP_RETRANSMIT] = { FR_PLACE_TCP, "retransmit" },
	[FR_EV_TCP_RESET] = { FR_PLACE_TCP, "reset" },
	[FR_EV_BLOCK_ISSUE] = { FR_PLACE_DISKS, NULL },
	[FR_EV_BLOCK_COMPLETE] = { FR_PLACE_DISKS, NULL },
	[FR_EV_REC_FAMILY] = { FR_PLACE_RECORDER, "family switched" },
};

enum fr_place fr_place_of(uint32_t kind, const char **ret_name)
{
	const char *name = places[kind & 0xff].name;

	*ret_name = name ? name : fr_event_infos[kind & 0xff].name;
	return (enum fr_place)places[kind & 0xff].place;
}

const char *fr_place_category(uint32_t kind)
{
	static const char *const names[FR_FAMILY_CNT] = {
#define FAMILY_NAME(bit, NAME, name) [bit] = #name,
		FR_FAMILIES(FAMILY_NAME)
#undef FAMILY_NAME
	};

	return names[fr_event_infos[kind & 0xff].family];
}

static void find_tid(void *ctx, const struct fr_field *f)
{
	uint64_t *tid = ctx;

	if (f->type == FR_FIELD_U64 && !strcmp(f->name, "tid"))
		*tid = f->number;
}

uint32_t fr_place_tid(const struct fr_record *r)
{
	uint64_t tid = 0;
	struct fr_field_sink fields = { find_tid, &tid };

	fr_event_fields(r, &fields);
	return tid <= FR_TID_MASK ? (uint32_t)tid : 0;
}
