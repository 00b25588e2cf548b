/* SPDX-License-Identifier: BSD-2-Clause */
/* Sealing the names, and asking them. */
#include <errno.h>
#include <stdlib.h>

#include "names_internal.h"

/* An event may be stamped a little before the birth that caused it. */
#define START_SLACK_NS 1000000u
/* What is freed late still switches and is seen: the end that a table gives may be its exit. */
#define END_SLACK_NS 100000000u

/* ---- sealing -------------------------------------------------------------------------------- */

/* The first of who[0..cnt) that is not before (tid, start). */
static size_t lower_bound(const struct fr_names *n, size_t cnt, uint32_t tid, uint64_t start_ns)
{
	struct fr_who key = { .tid = tid, .start_ns = start_ns };
	size_t low = 0, high = cnt, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (fr_names_by_thread(&n->who[mid], &key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The row of exactly this thread, or cnt. */
static size_t find_exactly(const struct fr_names *n, uint32_t tid, uint64_t start_ns)
{
	size_t i = lower_bound(n, n->who_cnt, tid, start_ns);

	return i < n->who_cnt && n->who[i].tid == tid && n->who[i].start_ns == start_ns
		       ? i
		       : n->who_cnt;
}

/* Rows that a free record after an exec of a non-leader made: they name the wrong thread. */
static void drop_swapped(struct fr_names *n)
{
	size_t out = 0, i;

	for (size_t k = 0; k < n->swapped_cnt; k++) {
		i = find_exactly(n, n->swapped[k].tid, n->swapped[k].start_ns);
		if (i < n->who_cnt)
			n->who[i].leader = FR_WHO_NONE; /* a mark; it is set for all below */
	}
	for (i = 0; i < n->who_cnt; i++)
		if (n->who[i].leader != FR_WHO_NONE)
			n->who[out++] = n->who[i];
	n->who_cnt = out;
}

static int by_change(const void *a, const void *b)
{
	const struct fr_name_change *x = a, *y = b;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return memcmp(x->old_comm, y->old_comm, sizeof(x->old_comm));
}

/* Sorts the renames, drops what two tables said, and hangs them on their threads. */
static void attach_changes(struct fr_names *n)
{
	const struct fr_name_change *c;
	size_t out = 0, i;

	if (!n->change_cnt)
		return;
	qsort(n->changes, n->change_cnt, sizeof(*n->changes), by_change);
	for (i = 1; i < n->change_cnt; i++)
		if (by_change(&n->changes[out], &n->changes[i]))
			n->changes[++out] = n->changes[i];
	n->change_cnt = out + 1;
	for (size_t k = 0; k < n->change_cnt; k++) {
		c = &n->changes[k];
		i = find_exactly(n, c->tid, c->start_ns);
		if (i == n->who_cnt)
			continue;
		if (!n->who[i].rename_cnt++)
			n->who[i].rename_first = (uint32_t)k;
	}
}

static int by_process(const void *a, const void *b)
{
	const struct fr_process *x = a, *y = b;

	if (x->tgid != y->tgid)
		return x->tgid < y->tgid ? -1 : 1;
	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return x->age < y->age ? -1 : x->age > y->age;
}

static void or_older(struct fr_slice *s, struct fr_slice older)
{
	if (!s->len_bytes)
		*s = older;
}

static void join_process(struct fr_process *into, const struct fr_process *younger)
{
	struct fr_process was = *into;

	*into = *younger;
	or_older(&into->exe, was.exe);
	or_older(&into->args, was.args);
	or_older(&into->cgroup, was.cgroup);
	or_older(&into->container_id, was.container_id);
	or_older(&into->environment, was.environment);
	or_older(&into->go_version, was.go_version);
	if (!into->parent_tgid)
		into->parent_tgid = was.parent_tgid;
}

static void tidy_processes(struct fr_names *n)
{
	struct fr_process *p = n->processes;
	size_t out = 0;

	if (!n->process_cnt)
		return;
	qsort(p, n->process_cnt, sizeof(*p), by_process);
	for (size_t i = 1; i < n->process_cnt; i++) {
		if (p[i].tgid == p[out].tgid && p[i].start_ns == p[out].start_ns)
			join_process(&p[out], &p[i]);
		else
			p[++out] = p[i];
	}
	n->process_cnt = out + 1;
}

/*
 * A process may be listed although its leader did nothing, so that no thread row names it: then it
 * is known by its executable.
 */
static int add_missing_leaders(struct fr_names *n)
{
	size_t known = n->who_cnt; /* sorted up to here */
	int err = 0;

	for (size_t i = 0; i < n->process_cnt && !err; i++) {
		const struct fr_process *p = &n->processes[i];
		struct fr_who w = { .tid = p->tgid, .tgid = p->tgid, .start_ns = p->start_ns };
		struct fr_slice name = p->exe.len_bytes ? p->exe : p->args;
		size_t at = lower_bound(n, known, w.tid, w.start_ns), len;
		const uint8_t *slash;

		if (!name.len_bytes ||
		    (at < known && n->who[at].tid == w.tid && n->who[at].start_ns == w.start_ns))
			continue;
		len = strnlen((const char *)name.data,
			      name.len_bytes); /* argv[0] ends with a zero */
		slash = memrchr(name.data, '/', len);
		if (slash && slash + 1 < name.data + len) {
			len -= (size_t)(slash + 1 - name.data);
			name.data = slash + 1;
		}
		memcpy(w.comm, name.data, len < sizeof(w.comm) ? len : sizeof(w.comm) - 1);
		w.named = w.comm[0] != 0;
		n->tidy_at = SIZE_MAX; /* the order must stand while it is searched */
		err = fr_names_add_who(n, &w);
	}
	if (!err)
		fr_names_tidy_threads(n);
	return err;
}

/* Whoever had this tid then, by what is known; FR_WHO_NONE. */
static uint32_t find_then(const struct fr_names *n, uint32_t tid, uint64_t time_ns)
{
	uint64_t latest = time_ns > UINT64_MAX - START_SLACK_NS ? UINT64_MAX
								: time_ns + START_SLACK_NS;
	size_t i = lower_bound(n, n->known_cnt, tid, latest);
	const struct fr_who *w;

	if (i < n->known_cnt && n->who[i].tid == tid && n->who[i].start_ns == latest)
		i++;
	if (!i || n->who[i - 1].tid != tid)
		return FR_WHO_NONE;
	w = &n->who[--i];
	/* inside the slack the older one may be meant, if it still lived */
	if (w->start_ns > time_ns && i && w[-1].tid == tid && w[-1].end_ns >= time_ns)
		w = &n->who[--i];
	if (w->end_ns && time_ns > w->end_ns && time_ns - w->end_ns > END_SLACK_NS)
		return FR_WHO_NONE;
	return (uint32_t)i;
}

static void find_leaders(struct fr_names *n)
{
	struct fr_who *w;

	for (size_t i = 0; i < n->known_cnt; i++) {
		w = &n->who[i];
		w->leader = w->tid == w->tgid ? (uint32_t)i
			    : w->tgid	      ? find_then(n, w->tgid, w->start_ns)
					      : FR_WHO_NONE;
	}
}

int fr_names_seal(struct fr_names *n)
{
	struct fr_who idle = { .comm = "swapper", .named = true };
	int err;

	fr_names_tidy_threads(n);
	drop_swapped(n);
	tidy_processes(n);
	err = add_missing_leaders(n);
	if (err)
		return err;
	err = fr_names_room((void **)&n->who, n->who_cnt, &n->who_cap, sizeof(*n->who));
	if (err)
		return err;
	memmove(n->who + 1, n->who, n->who_cnt * sizeof(*n->who));
	n->who[0] = idle;
	n->who_cnt++;
	n->known_cnt = n->who_cnt;
	attach_changes(n);
	find_leaders(n);
	for (size_t i = 1; i < n->who_cnt; i++)
		n->stats.threads += n->who[i].named;
	n->stats.processes = n->process_cnt;
	n->stats.sockets = n->socket_cnt;
	n->sealed = true;
	return 0;
}

/* ---- asking --------------------------------------------------------------------------------- */

static uint32_t add_unnamed(struct fr_names *n, uint32_t tid)
{
	uint32_t i;

	if (fr_map_get(&n->unnamed, tid, &i))
		return i;
	if (fr_names_room((void **)&n->who, n->who_cnt, &n->who_cap, sizeof(*n->who)) ||
	    fr_map_put(&n->unnamed, tid, (uint32_t)n->who_cnt))
		return FR_WHO_NONE;
	n->stats.unnamed_threads++;
	n->who[n->who_cnt] = (struct fr_who){ .tid = tid, .leader = FR_WHO_NONE };
	return (uint32_t)n->who_cnt++;
}

uint32_t fr_names_thread(struct fr_names *n, uint32_t tid, uint64_t time_ns)
{
	uint32_t i;

	if (!tid)
		return FR_WHO_IDLE;
	i = find_then(n, tid, time_ns);
	if (i == FR_WHO_NONE)
		return add_unnamed(n, tid);
	if (!n->who[i].named && n->who[i].age != UINT64_MAX) {
		n->stats.unnamed_threads++;
		n->who[i].age = UINT64_MAX; /* counted */
	}
	return i;
}

const struct fr_who *fr_names_who(const struct fr_names *n, uint32_t who)
{
	return &n->who[who];
}

uint32_t fr_names_who_cnt(const struct fr_names *n)
{
	return (uint32_t)n->who_cnt;
}

void fr_names_comm_at(const struct fr_names *n, uint32_t who, uint64_t time_ns,
		      char ret_comm[FR_COMM_BYTES])
{
	const struct fr_who *w = &n->who[who];
	const char *comm = w->comm;

	/* the first rename that came later says what it was called before it */
	for (uint32_t i = 0; i < w->rename_cnt; i++) {
		if (n->changes[w->rename_first + i].time_ns > time_ns) {
			comm = n->changes[w->rename_first + i].old_comm;
			break;
		}
	}
	memcpy(ret_comm, comm, FR_COMM_BYTES);
	ret_comm[FR_COMM_BYTES - 1] = 0;
}

const char *fr_names_comm_any(const struct fr_names *n, uint32_t who, uint32_t i)
{
	const struct fr_who *w = &n->who[who];

	if (!i)
		return w->comm;
	return i <= w->rename_cnt ? n->changes[w->rename_first + i - 1].old_comm : NULL;
}

const struct fr_process *fr_names_process_of(const struct fr_names *n, uint32_t who)
{
	const struct fr_who *w = &n->who[who];
	const struct fr_process *p;
	size_t low = 0, high = n->process_cnt, mid;
	struct fr_process key;

	if (w->leader == FR_WHO_NONE)
		return NULL;
	w = &n->who[w->leader];
	key = (struct fr_process){ .tgid = w->tid, .start_ns = w->start_ns };
	while (low < high) {
		mid = low + (high - low) / 2;
		if (by_process(&n->processes[mid], &key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == n->process_cnt)
		return NULL;
	p = &n->processes[low];
	return p->tgid == w->tid && p->start_ns == w->start_ns ? p : NULL;
}

const struct fr_socket *fr_names_socket(struct fr_names *n, uint32_t instance, uint64_t id,
					uint32_t *ret_index)
{
	uint64_t key = fr_names_socket_key(instance, id);
	uint32_t i;

	if (!fr_map_get(&n->socket_of, key, &i)) {
		if (fr_names_room((void **)&n->sockets, n->socket_cnt, &n->socket_cap,
				  sizeof(*n->sockets)) ||
		    fr_map_put(&n->socket_of, key, (uint32_t)n->socket_cnt))
			return NULL;
		i = (uint32_t)n->socket_cnt++;
		n->sockets[i] = (struct fr_socket){ .id = id, .instance = instance };
		n->stats.unnamed_sockets++;
	}
	*ret_index = i;
	return &n->sockets[i];
}

const struct fr_socket *fr_names_socket_at(const struct fr_names *n, uint32_t index)
{
	return &n->sockets[index];
}

const struct fr_names_stats *fr_names_stats(const struct fr_names *n)
{
	return &n->stats;
}
