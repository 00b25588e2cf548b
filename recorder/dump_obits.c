/* SPDX-License-Identifier: BSD-2-Clause */
#include "dump_obits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/bytes.h"

#define NO_RENAME UINT32_MAX
#define SLOT_CNT (2u * FR_OBITS_MAX)
#define LIVING_BITS 16

int fr_obits_init(struct fr_obits *o, struct fr_rows *rows, struct fr_seen *seen)
{
	int err;

	*o = (struct fr_obits){
		.rows = rows,
		.seen = seen,
		.table = calloc(SLOT_CNT, sizeof(*o->table)),
		.kept = calloc(FR_OBITS_KEPT_MAX, sizeof(*o->kept)),
		.renames = calloc(FR_OBIT_RENAMES_MAX, sizeof(*o->renames)),
		.text = malloc(FR_OBIT_TEXT_MAX),
	};
	err = fr_idset_init(&o->living, LIVING_BITS);
	if (!err && o->table && o->kept && o->renames && o->text)
		return 0;
	fr_obits_done(o);
	return -ENOMEM;
}

void fr_obits_done(struct fr_obits *o)
{
	free(o->table);
	free(o->kept);
	free(o->renames);
	free(o->text);
	fr_idset_done(&o->living);
	*o = (struct fr_obits){ 0 };
}

/* Two threads with one key: one of them gets a row too many or none, one in 2^40 pairs. */
static uint64_t living_key(uint32_t tid, uint64_t start_ns)
{
	return ((start_ns * 0xd6e8feb86659fd93ull) ^ (uint64_t)tid << 40 ^ tid) | 1;
}

void fr_obits_living(struct fr_obits *o, uint32_t tid, uint64_t start_ns)
{
	(void)fr_idset_mark(&o->living, living_key(tid, start_ns), FR_MARK_KNOWN);
	fr_seen_known_tid(o->seen, tid);
}

/* ---- writing ------------------------------------------------------------------------------ */

static void write_process(struct fr_obits *o, const struct fr_obit *x)
{
	struct fr_meta_process p = {
		.tgid = x->tid,
		.start_ns = x->start_ns,
		.parent_tgid = x->parent_tgid,
		.args_cut = x->args_cut,
		.exe = { o->text + x->text_off, x->exe_bytes },
		.args = { o->text + x->text_off + x->exe_bytes, x->args_bytes },
	};
	static const char note[] = "known from its records only: no user, no cgroup";

	p.note = (struct fr_slice){ (const uint8_t *)note, sizeof(note) - 1 };
	fr_rows_process(o->rows, &p);
}

static void write_obit(struct fr_obits *o, const struct fr_obit *x)
{
	struct fr_meta_thread t = {
		.tid = x->tid,
		.tgid = x->tgid,
		.start_ns = x->start_ns,
		.end_ns = x->end_ns,
		.exit_code = x->exit_code,
	};

	/* its end is overwritten, its beginning is not: but it was not among the living any more */
	if (!t.end_ns && !(x->flags & FR_OBIT_LIVING) && x->start_ns < o->listed_ns)
		t.end_ns = x->last_ns > o->listed_ns ? x->last_ns : o->listed_ns;
	memcpy(t.comm, x->comm, sizeof(t.comm));
	for (uint32_t i = x->first_rename; i != NO_RENAME; i = o->renames[i].next) {
		if (t.rename_cnt == FR_RENAMES_MAX) {
			fr_rows_thread(o->rows, &t);
			t.rename_cnt = 0;
		}
		t.renames[t.rename_cnt].boot_ns = o->renames[i].boot_ns;
		memcpy(t.renames[t.rename_cnt++].old_comm, o->renames[i].old_comm, FR_COMM_BYTES);
	}
	fr_rows_thread(o->rows, &t);
	/* a row that has nothing new would take away what the first one said */
	if (x->flags & FR_OBIT_PROCESS && (x->exe_bytes || !(x->flags & FR_OBIT_TOLD)))
		write_process(o, x);
}

void fr_obits_flush(struct fr_obits *o)
{
	if (!o->cnt)
		return; /* pages that nobody touched take no memory */
	for (uint32_t i = 0; i < SLOT_CNT; i++)
		if (o->table[i].tid && o->table[i].flags & FR_OBIT_NEWS)
			write_obit(o, &o->table[i]);
	memset(o->table, 0, SLOT_CNT * sizeof(*o->table));
	o->cnt = o->rename_cnt = o->text_bytes = 0;
}

/* ---- the table ---------------------------------------------------------------------------- */

static uint32_t slot_of(uint32_t tid)
{
	return tid * 2654435761u >> 16 & (SLOT_CNT - 1);
}

/* Writes all rows and forgets the dead. The living stay: an exec of another thread, or their end,
 * must still find them. */
static void make_room(struct fr_obits *o)
{
	uint32_t kept_cnt = 0, at;
	struct fr_obit *x;

	for (uint32_t i = 0; i < SLOT_CNT; i++) {
		x = &o->table[i];
		if (!x->tid || x->end_ns || kept_cnt == FR_OBITS_KEPT_MAX)
			continue;
		o->kept[kept_cnt++] = *x;
	}
	fr_obits_flush(o);
	for (uint32_t i = 0; i < kept_cnt; i++) {
		x = &o->kept[i];
		if (x->flags & FR_OBIT_PROCESS)
			x->flags |= FR_OBIT_TOLD;
		x->flags &= (uint16_t)~(FR_OBIT_NEWS | FR_OBIT_PROCESS);
		x->first_rename = NO_RENAME;
		x->rename_cnt = x->exe_bytes = x->args_bytes = 0;
		for (at = slot_of(x->tid); o->table[at].tid; at = (at + 1) & (SLOT_CNT - 1))
			;
		o->table[at] = *x;
	}
	o->cnt = kept_cnt;
}

/* The entry of a thread; made if there is none. start_ns 0 = whoever has the tid, without end. */
static struct fr_obit *find(struct fr_obits *o, uint32_t tid, uint64_t start_ns, bool make)
{
	uint32_t at = slot_of(tid);
	struct fr_obit *x;

	for (; o->table[at].tid; at = (at + 1) & (SLOT_CNT - 1)) {
		x = &o->table[at];
		if (x->tid == tid && (start_ns ? x->start_ns == start_ns : !x->end_ns))
			return x;
	}
	if (!make)
		return NULL;
	if (o->cnt == FR_OBITS_MAX) {
		make_room(o);
		for (at = slot_of(tid); o->table[at].tid; at = (at + 1) & (SLOT_CNT - 1))
			;
	}
	o->cnt++;
	x = &o->table[at];
	*x = (struct fr_obit){ .tid = tid, .start_ns = start_ns, .first_rename = NO_RENAME };
	if (fr_idset_marks(&o->living, living_key(tid, start_ns)))
		x->flags |= FR_OBIT_LIVING;
	else
		x->flags |= FR_OBIT_NEWS;
	fr_seen_known_tid(o->seen, tid);
	return x;
}

static struct fr_obit *learn(struct fr_obits *o, uint32_t tid, uint32_t tgid, uint64_t start_ns,
			     const char *comm)
{
	struct fr_obit *x = find(o, tid, start_ns, true);

	x->tgid = tgid;
	memcpy(x->comm, comm, FR_COMM_BYTES);
	x->comm[FR_COMM_BYTES - 1] = 0;
	if (tid == tgid && !(x->flags & FR_OBIT_LIVING))
		x->flags |= FR_OBIT_PROCESS;
	return x;
}

/* ---- records ------------------------------------------------------------------------------ */

static void fork_record(struct fr_obits *o, const uint8_t *r)
{
	struct fr_proc_fork e;
	struct fr_obit *x;

	memcpy(&e, r, sizeof(e));
	x = find(o, e.child_tid, e.child_start_ns, false);
	if (x && x->end_ns)
		return; /* its records of another CPU came first */
	x = learn(o, e.child_tid, e.child_tgid, e.child_start_ns, e.comm);
	x->parent_tgid = e.parent_tgid;
}

/* There is room: rename_record() has seen to it. */
static void add_rename(struct fr_obits *o, struct fr_obit *x, uint64_t time_ns,
		       const char *old_comm)
{
	uint32_t at = o->rename_cnt++;
	struct fr_obit_rename *n = &o->renames[at];

	*n = (struct fr_obit_rename){ .boot_ns = time_ns, .next = NO_RENAME };
	memcpy(n->old_comm, old_comm, FR_COMM_BYTES);
	if (x->first_rename == NO_RENAME)
		x->first_rename = at;
	else
		o->renames[x->last_rename].next = at;
	x->last_rename = at;
	x->flags |= FR_OBIT_NEWS;
}

static void rename_record(struct fr_obits *o, const uint8_t *r, uint64_t time_ns)
{
	char before[FR_COMM_BYTES] = "";
	struct fr_proc_rename e;
	struct fr_obit *x;

	memcpy(&e, r, sizeof(e));
	if (o->rename_cnt + 2 > FR_OBIT_RENAMES_MAX)
		make_room(o);
	x = find(o, e.tid, e.start_ns, false);
	if (x)
		memcpy(before, x->comm, sizeof(before));
	x = learn(o, e.tid, e.tgid, e.start_ns, e.new_comm);
	/* another thread's exec has made it the leader: it came with a name of its own */
	if (before[0] && strncmp(before, e.old_comm, FR_COMM_BYTES) != 0)
		add_rename(o, x, time_ns - 1, before);
	add_rename(o, x, time_ns, e.old_comm);
}

/* The caller of an exec was not the leader: its own tid ends here. */
static void swap_record(struct fr_obits *o, const struct fr_proc_exec *e, const struct fr_obit *now,
			uint64_t time_ns)
{
	char comm[FR_COMM_BYTES];
	struct fr_obit *old;

	o->swapped[o->swapped_cnt % FR_SWAPPED_MAX].tid = e->old_tid;
	o->swapped[o->swapped_cnt++ % FR_SWAPPED_MAX].start_ns = e->start_ns;
	memcpy(comm, now->first_rename == NO_RENAME ? now->comm :
						      o->renames[now->last_rename].old_comm,
	       FR_COMM_BYTES);
	/* the old leader's end came first, and nothing told then that it was no thread */
	old = find(o, e->old_tid, e->start_ns, false);
	if (old) {
		old->flags &= (uint16_t)~FR_OBIT_NEWS;
		old->end_ns = time_ns;
	}
	old = find(o, e->old_tid, 0, false);
	if (!old) /* younger than its leader; when exactly it began is not known any more */
		old = learn(o, e->old_tid, e->tid, e->start_ns, comm);
	old->end_ns = time_ns;
	old->flags |= FR_OBIT_NEWS;
}

static void exec_record(struct fr_obits *o, const uint8_t *r, uint64_t time_ns)
{
	uint32_t bytes = FR_RECORD_UNITS(fr_load64(r)) * 8, text_bytes;
	struct fr_proc_exec e;
	struct fr_obit *x;

	memcpy(&e, r, sizeof(e));
	text_bytes = (uint32_t)e.path_bytes + e.args_bytes;
	if (text_bytes > bytes - sizeof(e))
		text_bytes = e.path_bytes = e.args_bytes = 0;
	if (o->text_bytes + text_bytes > FR_OBIT_TEXT_MAX)
		make_room(o);
	x = learn(o, e.tid, e.tid, e.start_ns, e.comm);
	x->text_off = o->text_bytes;
	x->exe_bytes = e.path_bytes;
	x->args_bytes = e.args_bytes;
	x->args_cut = e.flags & (FR_EXEC_ARGS_CUT | FR_EXEC_ARGS_FAULT) ? 1 : 0;
	memcpy(o->text + o->text_bytes, r + sizeof(e), text_bytes);
	o->text_bytes += text_bytes;
	if (e.old_tid != e.tid)
		swap_record(o, &e, x, time_ns);
}

/* Whether this end names the old leader by the tid of the thread that took its place. Such an exec
 * tells so, but on a busy host it may come later than the end; then a leader that has the very same
 * start time does: no thread is as old as its leader. */
static bool is_swapped(struct fr_obits *o, const struct fr_proc_end *e)
{
	if (e->tid != e->tgid && (find(o, e->tgid, e->start_ns, false) ||
				  fr_idset_marks(&o->living, living_key(e->tgid, e->start_ns))))
		return true;
	for (uint32_t i = 0; i < FR_SWAPPED_MAX && i < o->swapped_cnt; i++)
		if (o->swapped[i].tid == e->tid && o->swapped[i].start_ns == e->start_ns)
			return true;
	return false;
}

static void end_record(struct fr_obits *o, const uint8_t *r, bool freed, uint64_t time_ns)
{
	struct fr_proc_end e;
	struct fr_obit *x;

	memcpy(&e, r, sizeof(e));
	if (freed && is_swapped(o, &e))
		return;
	x = learn(o, e.tid, e.tgid, e.start_ns, e.comm);
	x->exit_code = e.exit_code;
	x->flags |= FR_OBIT_NEWS;
	if (freed)
		x->end_ns = time_ns;
}

/* A look at one thread: when recording began, or at one of its last switches. */
static void state_record(struct fr_obits *o, const uint8_t *r, uint64_t time_ns)
{
	struct fr_proc_end as_end;
	struct fr_proc_state e;
	struct fr_obit *x;

	memcpy(&e, r, sizeof(e));
	if (fr_idset_marks(&o->living, living_key(e.tid, e.start_ns)))
		return; /* has a row */
	as_end = (struct fr_proc_end){ .tid = e.tid, .tgid = e.tgid, .start_ns = e.start_ns };
	/* better the old leader's name for the tid that it was left with than none */
	if (is_swapped(o, &as_end) && fr_seen_is_known_tid(o->seen, e.tid))
		return;
	x = learn(o, e.tid, e.tgid, e.start_ns, e.comm);
	if (e.flags & FR_STATE_ENDED && time_ns > x->last_ns)
		x->last_ns = time_ns;
}

void fr_obits_record(struct fr_obits *o, const uint8_t *record, uint64_t time_ns)
{
	switch (FR_RECORD_KIND(fr_load64(record))) {
	case FR_EV_PROC_FORK:
		fork_record(o, record);
		break;
	case FR_EV_PROC_EXEC:
		exec_record(o, record, time_ns);
		break;
	case FR_EV_PROC_RENAME:
		rename_record(o, record, time_ns);
		break;
	case FR_EV_PROC_EXIT:
		end_record(o, record, false, time_ns);
		break;
	case FR_EV_PROC_FREE:
		end_record(o, record, true, time_ns);
		break;
	case FR_EV_PROC_STATE:
		state_record(o, record, time_ns);
		break;
	}
}
