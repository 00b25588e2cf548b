/* SPDX-License-Identifier: BSD-2-Clause */
/* Names from the identity tables of a dump, and the searching of its events where they lack. */
#include <errno.h>
#include <stdlib.h>

#include "names_internal.h"

static int load_threads(struct fr_names *n, struct fr_cursor *c)
{
	struct fr_meta_thread row;
	struct fr_who w;
	int ret, err = 0;

	while (!err && (ret = fr_meta_next_thread(c, &row)) == 1) {
		w = (struct fr_who){
			.tid = row.tid,
			.tgid = row.tgid,
			.start_ns = row.start_ns,
			.end_ns = row.end_ns,
			.named = row.comm[0] != 0,
			.age = n->age++,
		};
		memcpy(w.comm, row.comm, sizeof(w.comm));
		err = fr_names_add_who(n, &w);
		for (uint32_t i = 0; i < row.rename_cnt && !err; i++)
			err = fr_names_add_change(n, row.tid, row.start_ns, row.renames[i].boot_ns,
						  row.renames[i].old_comm);
	}
	return err ? err : ret;
}

static int load_processes(struct fr_names *n, struct fr_cursor *c)
{
	struct fr_buf scratch = { 0 };
	struct fr_meta_process row;
	struct fr_process p;
	int ret, err = 0;

	while (!err && (ret = fr_meta_next_process(c, &row, &scratch)) == 1) {
		p = (struct fr_process){
			.tgid = row.tgid,
			.start_ns = row.start_ns,
			.parent_tgid = row.parent_tgid,
			.uid = row.uid,
			.exe = row.exe,
			.args = row.args,
			.cgroup = row.cgroup,
			.container_id = row.container_id,
			.environment = row.environment,
			.go_version = row.go_version,
			.age = n->age++,
		};
		err = fr_names_add_process(n, &p);
	}
	fr_buf_done(&scratch);
	return err ? err : ret;
}

static int load_sockets(struct fr_names *n, struct fr_cursor *c, uint32_t instance)
{
	struct fr_meta_socket row;
	struct fr_socket s;
	int ret, err = 0;

	while (!err && (ret = fr_meta_next_socket(c, &row)) == 1) {
		s = (struct fr_socket){
			.id = row.id,
			.instance = instance,
			.tgid = row.tgid,
			.peer_tgid = row.peer_tgid,
			.flags = row.flags,
			.type = (uint16_t)row.type,
			.named = true,
			.addr = row.addr,
			.netns_inum = row.netns_inum,
			.path = row.path,
		};
		err = fr_names_add_socket(n, &s);
	}
	return err ? err : ret;
}

static int load_table(struct fr_names *n, uint16_t type, struct fr_slice raw, uint32_t instance)
{
	struct fr_cursor c = fr_cursor_of(raw.data, raw.len_bytes);

	if (type == FR_CHUNK_THREADS)
		return load_threads(n, &c);
	if (type == FR_CHUNK_PROCESSES)
		return load_processes(n, &c);
	return load_sockets(n, &c, instance);
}

int fr_names_add_tables(struct fr_names *n, struct fr_dump *d, uint32_t instance, bool *ret_whole)
{
	const struct fr_dump_entry *e;
	struct fr_buf raw = { 0 };
	bool any_threads = false;
	uint64_t bad = 0;
	int err = 0;

	for (size_t i = 0; i < fr_dump_chunk_cnt(d) && err != -ENOMEM; i++) {
		e = fr_dump_chunk(d, i);
		if (e->type != FR_CHUNK_THREADS && e->type != FR_CHUNK_PROCESSES &&
		    e->type != FR_CHUNK_SOCKETS)
			continue;
		any_threads |= e->type == FR_CHUNK_THREADS;
		err = fr_dump_load(d, i, &raw);
		if (!err) {
			err = load_table(n, e->type, (struct fr_slice){ raw.data, raw.len_bytes },
					 instance);
			if (err == -EBADMSG)
				fr_dump_note_damage(d, e->off, "chunk %u: a row makes no sense",
						    e->number);
		}
		bad += err != 0;
	}
	fr_buf_done(&raw);
	n->stats.bad_tables += bad;
	if (err == -ENOMEM)
		return err;
	*ret_whole = any_threads && !bad && !fr_dump_incomplete(d);
	return 0;
}

int fr_names_add_events(struct fr_names *n, struct fr_dump *d, uint32_t instance)
{
	struct fr_record_walk w;
	struct fr_buf raw = { 0 };
	struct fr_record r;
	int err = 0, ret;

	n->stats.from_events = true;
	for (size_t i = 0; i < fr_dump_chunk_cnt(d) && err != -ENOMEM; i++) {
		if (fr_dump_chunk(d, i)->type != FR_CHUNK_EVENTS)
			continue;
		err = fr_dump_load(d, i, &raw);
		if (err)
			continue; /* noted there; the merge counts what is missing */
		fr_record_walk_init(&w, fr_dump_chunk(d, i)->cpu,
				    (struct fr_slice){ raw.data, raw.len_bytes });
		while (!err && (ret = fr_record_next(&w, &r)))
			if (ret == 1 && r.kind != FR_EV_SCHED_SWITCH && fr_record_sound(&r))
				err = fr_names_learn(n, &r, instance);
	}
	fr_buf_done(&raw);
	return err == -ENOMEM ? err : 0;
}
