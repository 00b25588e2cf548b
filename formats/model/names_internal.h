/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by names.c (adding), names_load.c (tables), names_learn.c (events), names_ask.c. */
#ifndef FR_MODEL_NAMES_INTERNAL_H
#define FR_MODEL_NAMES_INTERNAL_H

#include "map.h"
#include "names.h"

/* Strings live in blocks that never move, so that slices into them stay valid. */
#define FR_NAMES_BLOCK_BYTES (64u << 10)
struct fr_names_block {
	struct fr_names_block *next;
	size_t used_bytes, size_bytes;
	uint8_t data[];
};

struct fr_name_change {
	uint32_t tid;
	uint64_t start_ns; /* of the thread */
	uint64_t time_ns;
	char old_comm[FR_COMM_BYTES];
};

/* A tid that an exec of a non-leader took away: its free record names the wrong thread. */
struct fr_swapped {
	uint32_t tid;
	uint64_t start_ns;
};

/* Ages: rows from events are as old as their records, rows from tables are above all of those. */
#define FR_AGE_TABLES (1ull << 63)

struct fr_names {
	struct fr_who *who; /* sealed: [0] idle, known_cnt by (tid, start), then the unnamed */
	size_t who_cnt, who_cap, known_cnt;
	size_t tidy_at;	       /* rows are sorted and joined when there are so many */
	struct fr_map unnamed; /* tid to index */

	struct fr_name_change *changes;
	size_t change_cnt, change_cap;

	struct fr_process *processes; /* sealed: by (tgid, start) */
	size_t process_cnt, process_cap;

	struct fr_socket *sockets;
	size_t socket_cnt, socket_cap;
	struct fr_map socket_of; /* id and instance to index */

	struct fr_names_block *blocks;
	struct fr_swapped *swapped;
	size_t swapped_cnt, swapped_cap;
	uint64_t age; /* of the next row from a table */
	bool sealed;
	struct fr_names_stats stats;
};

/* Room for one more element in an array; the pointer may change. 0 or -ENOMEM. */
int fr_names_room(void **array, size_t cnt, size_t *cap, size_t element_bytes);
/* A copy that lives as long as the names. -ENOMEM. */
int fr_names_keep(struct fr_names *n, struct fr_slice s, struct fr_slice *ret);
int fr_names_add_who(struct fr_names *n, const struct fr_who *w);
int fr_names_add_change(struct fr_names *n, uint32_t tid, uint64_t start_ns, uint64_t time_ns,
			const char *old_comm);
int fr_names_add_process(struct fr_names *n, const struct fr_process *p);
/* Adds the socket or fills in what was not known of it. */
int fr_names_add_socket(struct fr_names *n, const struct fr_socket *s);
uint64_t fr_names_socket_key(uint32_t instance, uint64_t id);
/* qsort() order: by tid, start, age. */
int fr_names_by_thread(const void *a, const void *b);
/* Sorts the rows and joins those about one thread. */
void fr_names_tidy_threads(struct fr_names *n);

#endif
