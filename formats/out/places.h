/* SPDX-License-Identifier: BSD-2-Clause */
/* On which track an event is shown, and under which name: the same in all outputs with tracks. */
#ifndef FR_OUT_PLACES_H
#define FR_OUT_PLACES_H

#include "../events/event.h"

enum fr_place {
	FR_PLACE_BY_FIELDS, /* the thread that its field "tid" names, else one for all others */
	FR_PLACE_NOWHERE,   /* it only keeps names, states and order */
	FR_PLACE_THREAD,    /* the first thread that it refers to */
	FR_PLACE_SOCKETS,
	FR_PLACE_TCP,
	FR_PLACE_DISKS,
	FR_PLACE_RECORDER,
};

/* ret_name: of a known kind; the event's own where there is no better one. */
enum fr_place fr_place_of(uint32_t kind, const char **ret_name);
/* The event's family by name. */
const char *fr_place_category(uint32_t kind);
/* The thread that the field "tid" of an event names; 0 = none. */
uint32_t fr_place_tid(const struct fr_record *r);

#endif
