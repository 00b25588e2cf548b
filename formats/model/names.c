/* SPDX-License-Identifier: BSD-2-Clause */
#include "names.h"

#include <errno.h>
#include <stdlib.h>

#include "names_internal.h"

#define TIDY_FIRST 16384

/* ---- adding --------------------------------------------------------------------------------- */

int fr_names_room(void **array, size_t cnt, size_t *cap, size_t element_bytes)
{
	size_t bigger_cap = *cap ? *cap * 2 : 64;
	void *bigger;

	if (cnt < *cap)
		return 0;
	bigger = realloc(*array, bigger_cap * element_bytes);
	if (!bigger)
		return -ENOMEM;
	*array = bigger;
	*cap = bigger_cap;
	return 0;
}

int fr_names_keep(struct fr_names *n, struct fr_slice s, struct fr_slice *ret)
{
	struct fr_names_block *b = n->blocks;
	size_t size;

	*ret = (struct fr_slice){ 0 };
	if (!s.len_bytes)
		return 0;
	if (!b || b->size_bytes - b->used_bytes < s.len_bytes) {
		size = s.len_bytes > FR_NAMES_BLOCK_BYTES ? s.len_bytes : FR_NAMES_BLOCK_BYTES;
		b = malloc(sizeof(*b) + size);
		if (!b)
			return -ENOMEM;
		*b = (struct fr_names_block){ .next = n->blocks, .size_bytes = size };
		n->blocks = b;
	}
	memcpy(b->data + b->used_bytes, s.data, s.len_bytes);
	*ret = (struct fr_slice){ b->data + b->used_bytes, s.len_bytes };
	b->used_bytes += s.len_bytes;
	return 0;
}

int fr_names_by_thread(const void *a, const void *b)
{
	const struct fr_who *x = a, *y = b;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return x->age < y->age ? -1 : x->age > y->age;
}

/* What the younger row does not know stays as the older one said it. */
static void join_rows(struct fr_who *into, const struct fr_who *younger)
{
	if (younger->named) {
		memcpy(into->comm, younger->comm, sizeof(into->comm));
		into->named = true;
	}
	if (younger->tgid)
		into->tgid = younger->tgid;
	if (younger->end_ns > into->end_ns)
		into->end_ns = younger->end_ns;
	into->age = younger->age;
}

void fr_names_tidy_threads(struct fr_names *n)
{
	size_t out = 0;

	if (n->who_cnt < 2)
		return;
	qsort(n->who, n->who_cnt, sizeof(*n->who), fr_names_by_thread);
	for (size_t i = 1; i < n->who_cnt; i++) {
		if (n->who[i].tid == n->who[out].tid && n->who[i].start_ns == n->who[out].start_ns)
			join_rows(&n->who[out], &n->who[i]);
		else
			n->who[++out] = n->who[i];
	}
	n->who_cnt = out + 1;
}

int fr_names_add_who(struct fr_names *n, const struct fr_who *w)
{
	int err;

	if (!w->tid)
		return 0; /* the idle task is known */
	if (n->who_cnt == n->tidy_at) {
		fr_names_tidy_threads(n);
		n->tidy_at = n->who_cnt * 2 > TIDY_FIRST ? n->who_cnt * 2 : TIDY_FIRST;
	}
	err = fr_names_room((void **)&n->who, n->who_cnt, &n->who_cap, sizeof(*n->who));
	if (err)
		return err;
	n->who[n->who_cnt] = *w;
	n->who[n->who_cnt++].comm[FR_COMM_BYTES - 1] = 0;
	return 0;
}

int fr_names_add_change(struct fr_names *n, uint32_t tid, uint64_t start_ns, uint64_t time_ns,
			const char *old_comm)
{
	struct fr_name_change *c;
	int err = fr_names_room((void **)&n->changes, n->change_cnt, &n->change_cap,
				sizeof(*n->changes));

	if (err)
		return err;
	c = &n->changes[n->change_cnt++];
	*c = (struct fr_name_change){ .tid = tid, .start_ns = start_ns, .time_ns = time_ns };
	memcpy(c->old_comm, old_comm, sizeof(c->old_comm) - 1);
	return 0;
}

int fr_names_add_process(struct fr_names *n, const struct fr_process *p)
{
	struct fr_process kept = *p;
	struct fr_slice *const texts[] = {
		&kept.exe,	    &kept.args,	       &kept.cgroup,
		&kept.container_id, &kept.environment, &kept.go_version
	};
	int err = fr_names_room((void **)&n->processes, n->process_cnt, &n->process_cap,
				sizeof(*n->processes));

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts) && !err; i++)
		err = fr_names_keep(n, *texts[i], texts[i]);
	if (!err)
		n->processes[n->process_cnt++] = kept;
	return err;
}

uint64_t fr_names_socket_key(uint32_t instance, uint64_t id)
{
	/* ids of different runs of the recorder collide: fold the run in where CPUs end */
	return id ^ (uint64_t)instance << 60 ^ (uint64_t)(instance >> 4) << 40;
}

static int fill_socket(struct fr_names *n, struct fr_socket *have, const struct fr_socket *s)
{
	struct fr_socket was = *have;
	int err = 0;

	*have = *s;
	have->tgid = s->tgid ? s->tgid : was.tgid;
	have->peer_tgid = s->peer_tgid ? s->peer_tgid : was.peer_tgid;
	have->flags |= was.flags;
	have->netns_inum = s->netns_inum ? s->netns_inum : was.netns_inum;
	/* at a close the ports may be gone */
	if (was.named && was.addr.family &&
	    (!s->addr.family || (was.addr.remote_port && !s->addr.remote_port)))
		have->addr = was.addr;
	have->path = was.path;
	if (!was.path.len_bytes)
		err = fr_names_keep(n, s->path, &have->path);
	return err;
}

int fr_names_add_socket(struct fr_names *n, const struct fr_socket *s)
{
	uint64_t key = fr_names_socket_key(s->instance, s->id);
	uint32_t at;
	int err;

	if (!s->id)
		return 0;
	if (fr_map_get(&n->socket_of, key, &at))
		return fill_socket(n, &n->sockets[at], s);
	err = fr_names_room((void **)&n->sockets, n->socket_cnt, &n->socket_cap,
			    sizeof(*n->sockets));
	if (!err)
		err = fr_map_put(&n->socket_of, key, (uint32_t)n->socket_cnt);
	if (err)
		return err;
	n->sockets[n->socket_cnt] = *s;
	return fr_names_keep(n, s->path, &n->sockets[n->socket_cnt++].path);
}

int fr_names_new(struct fr_names **ret_names)
{
	struct fr_names *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	n->tidy_at = TIDY_FIRST;
	n->age = FR_AGE_TABLES;
	*ret_names = n;
	return 0;
}

struct fr_names *fr_names_free(struct fr_names *n)
{
	struct fr_names_block *next;

	if (!n)
		return NULL;
	for (struct fr_names_block *b = n->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	fr_map_done(&n->unnamed);
	fr_map_done(&n->socket_of);
	free(n->who);
	free(n->changes);
	free(n->processes);
	free(n->sockets);
	free(n->swapped);
	free(n);
	return NULL;
}
