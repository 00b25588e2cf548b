/* SPDX-License-Identifier: BSD-2-Clause */
/* Names from events: births, execs, renames, obituaries; sockets' births and obituaries. */
#include <errno.h>

#include "../events/event.h"
#include "names_internal.h"

static int add_who(struct fr_names *n, const struct fr_record *r, struct fr_who w, const char *comm)
{
	memcpy(w.comm, comm, sizeof(w.comm));
	w.named = comm[0] != 0;
	w.age = r->time_ns & (FR_AGE_TABLES - 1);
	return fr_names_add_who(n, &w);
}

static int learn_fork(struct fr_names *n, const struct fr_record *r)
{
	struct fr_proc_fork e;

	memcpy(&e, r->data, sizeof(e));
	return add_who(n, r,
		       (struct fr_who){ .tid = e.child_tid,
					.tgid = e.child_tgid,
					.start_ns = e.child_start_ns },
		       e.comm);
}

/* The old leader dies with the caller's tid and its own start time. */
static int add_swapped(struct fr_names *n, uint32_t tid, uint64_t start_ns)
{
	int err = fr_names_room((void **)&n->swapped, n->swapped_cnt, &n->swapped_cap,
				sizeof(*n->swapped));

	if (!err)
		n->swapped[n->swapped_cnt++] = (struct fr_swapped){ tid, start_ns };
	return err;
}

static int learn_exec(struct fr_names *n, const struct fr_record *r)
{
	struct fr_process p;
	struct fr_proc_exec e;
	int err;

	memcpy(&e, r->data, sizeof(e));
	err = add_who(n, r, (struct fr_who){ .tid = e.tid, .tgid = e.tid, .start_ns = e.start_ns },
		      e.comm);
	if (!err && e.old_tid != e.tid)
		err = add_swapped(n, e.old_tid, e.start_ns);
	p = (struct fr_process){
		.tgid = e.tid,
		.start_ns = e.start_ns,
		.exe = fr_exec_path(r),
		.args = fr_exec_args(r),
		.age = r->time_ns & (FR_AGE_TABLES - 1),
	};
	return err ? err : fr_names_add_process(n, &p);
}

static int learn_end(struct fr_names *n, const struct fr_record *r)
{
	struct fr_proc_end e;

	memcpy(&e, r->data, sizeof(e));
	/* an exit is no end yet: the thread still switches away, or (the leader of a process
	 * whose other thread execs) lives on under another's skin */
	return add_who(n, r,
		       (struct fr_who){
			       .tid = e.tid,
			       .tgid = e.tgid,
			       .start_ns = e.start_ns,
			       .end_ns = r->kind == FR_EV_PROC_FREE ? r->time_ns : 0,
		       },
		       e.comm);
}

static int learn_rename(struct fr_names *n, const struct fr_record *r)
{
	struct fr_proc_rename e;
	int err;

	memcpy(&e, r->data, sizeof(e));
	err = add_who(n, r, (struct fr_who){ .tid = e.tid, .tgid = e.tgid, .start_ns = e.start_ns },
		      e.new_comm);
	return err ? err : fr_names_add_change(n, e.tid, e.start_ns, r->time_ns, e.old_comm);
}

static int learn_state(struct fr_names *n, const struct fr_record *r)
{
	struct fr_proc_state e;

	memcpy(&e, r->data, sizeof(e));
	return add_who(n, r,
		       (struct fr_who){ .tid = e.tid, .tgid = e.tgid, .start_ns = e.start_ns },
		       e.comm);
}

static int learn_socket(struct fr_names *n, const struct fr_record *r, uint32_t instance)
{
	struct fr_sock_open e;
	struct fr_socket s;

	memcpy(&e, r->data, sizeof(e));
	if (!e.sock_id)
		return 0;
	s = (struct fr_socket){
		.id = e.sock_id,
		.instance = instance,
		.tgid = e.tgid,
		.peer_tgid = e.peer_tgid,
		.flags = e.flags,
		.type = e.type,
		.named = true,
		.addr = e.addr,
		.netns_inum = e.netns_inum,
		.path = fr_sock_path(r),
	};
	return fr_names_add_socket(n, &s);
}

int fr_names_learn(struct fr_names *n, const struct fr_record *r, uint32_t instance)
{
	switch (r->kind) {
	case FR_EV_PROC_FORK:
		return learn_fork(n, r);
	case FR_EV_PROC_EXEC:
		return learn_exec(n, r);
	case FR_EV_PROC_EXIT:
	case FR_EV_PROC_FREE:
		return learn_end(n, r);
	case FR_EV_PROC_RENAME:
		return learn_rename(n, r);
	case FR_EV_PROC_STATE:
		return learn_state(n, r);
	case FR_EV_SOCK_OPEN:
	case FR_EV_SOCK_CLOSE:
		return learn_socket(n, r, instance);
	}
	return 0;
}
