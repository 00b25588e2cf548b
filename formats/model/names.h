/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is who: threads, processes and sockets of one or several dumps of one boot.
 *
 * Filled from the identity tables of the dumps, and, where a dump is cut or its tables are damaged,
 * from the events themselves (a pass of its own); then sealed. A thread is (tid, start time): tids
 * are reused. Whatever an event refers to gets an entry: what has no name is made up on the spot
 * and counted.
 */
#ifndef FR_MODEL_NAMES_H
#define FR_MODEL_NAMES_H

#include "../dump/reader.h"

#define FR_WHO_NONE UINT32_MAX
#define FR_WHO_IDLE 0u /* tid 0: swapper/N of whatever CPU */

/* One thread. */
struct fr_who {
	uint32_t tid;
	uint32_t tgid; /* 0 = not known */
	uint64_t start_ns;
	uint64_t end_ns;	  /* 0 = alive at the end, or not known */
	char comm[FR_COMM_BYTES]; /* its last name */
	uint32_t rename_first;	  /* into the renames, oldest first */
	uint32_t rename_cnt;
	uint32_t leader; /* index of the thread that its process is known by; FR_WHO_NONE */
	bool named;
	uint64_t age; /* among rows about one thread the highest has the last word */
};

struct fr_process {
	uint32_t tgid;
	uint64_t start_ns;
	uint32_t parent_tgid;
	uint32_t uid;
	/* borrowed from the names */
	struct fr_slice exe;
	struct fr_slice args; /* strings, each ended by a zero */
	struct fr_slice cgroup;
	struct fr_slice container_id;
	struct fr_slice environment; /* like args; allowed variables only */
	struct fr_slice go_version;
	uint64_t age; /* as fr_who.age */
};

struct fr_socket {
	uint64_t id;
	uint32_t instance;
	uint32_t tgid;
	uint32_t peer_tgid;
	uint32_t flags; /* FR_SOCK_* */
	uint16_t type;
	bool named;
	struct fr_sock_addr addr;
	uint64_t netns_inum;  /* 0 = not known */
	struct fr_slice path; /* borrowed from the names */
};

struct fr_names_stats {
	uint64_t threads, processes, sockets;	   /* that have names */
	uint64_t unnamed_threads, unnamed_sockets; /* that events refer to */
	uint64_t bad_tables;			   /* chunks of identity that could not be read */
	bool from_events; /* events were searched, because tables were missing */
};

struct fr_names;

int fr_names_new(struct fr_names **ret_names);	    /* 0 or -ENOMEM */
struct fr_names *fr_names_free(struct fr_names *n); /* NULL is fine; returns NULL */

/* Adds the tables of a dump. In ascending order of time: what a later dump says of a thread counts.
 * 0 or -ENOMEM; *ret_whole is false when something was missing or damaged. */
int fr_names_add_tables(struct fr_names *n, struct fr_dump *d, uint32_t instance, bool *ret_whole);
/* Adds what the events of a dump say. 0 or -ENOMEM. */
int fr_names_add_events(struct fr_names *n, struct fr_dump *d, uint32_t instance);
/* One record of it; proc_* and sock_open/close, others are passed over. Must be sound. */
int fr_names_learn(struct fr_names *n, const struct fr_record *r, uint32_t instance);
/* After this nothing can be added, and before it nothing can be asked. 0 or -ENOMEM. */
int fr_names_seal(struct fr_names *n);

/* Index of whoever had this tid then; FR_WHO_NONE only when memory is out. */
uint32_t fr_names_thread(struct fr_names *n, uint32_t tid, uint64_t time_ns);
/* Valid until the next fr_names_thread(). */
const struct fr_who *fr_names_who(const struct fr_names *n, uint32_t who);
uint32_t fr_names_who_cnt(const struct fr_names *n);
/* The name it had then, zero-padded. */
void fr_names_comm_at(const struct fr_names *n, uint32_t who, uint64_t time_ns,
		      char ret_comm[FR_COMM_BYTES]);
/* Every name it ever had: the last for i = 0, then the oldest up; NULL at the end. */
const char *fr_names_comm_any(const struct fr_names *n, uint32_t who, uint32_t i);
/* The process of a thread; NULL where nothing is known of it. */
const struct fr_process *fr_names_process_of(const struct fr_names *n, uint32_t who);

/* NULL only when memory is out. Valid until the next call. id must not be 0. */
const struct fr_socket *fr_names_socket(struct fr_names *n, uint32_t instance, uint64_t id,
					uint32_t *ret_index);
const struct fr_socket *fr_names_socket_at(const struct fr_names *n, uint32_t index);

const struct fr_names_stats *fr_names_stats(const struct fr_names *n);

#endif
