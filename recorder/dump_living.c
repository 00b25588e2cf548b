/* SPDX-License-Identifier: BSD-2-Clause */
#include "dump_living.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect.h"
#include "collect_args.h"
#include "container.h"
#include "procfile.h"
#include "selfpid.h"

/* ---- listing ------------------------------------------------------------------------------ */

static void write_process(struct fr_living *l, const struct fr_task_row *t, struct fr_slice exe,
			  const struct fr_args_got *got);

static bool stash_process(struct fr_living *l, const struct fr_task_row *t, struct fr_slice exe)
{
	static const uint8_t zeros[8];
	size_t bytes = sizeof(*t) + exe.len_bytes, padded = (bytes + 7) & ~7ull;

	if (l->stash.len_bytes + padded > FR_LIVING_STASH_MAX)
		return false;
	fr_buf_add(&l->stash, t, sizeof(*t));
	fr_buf_add(&l->stash, exe.data, exe.len_bytes);
	fr_buf_add(&l->stash, zeros, padded - bytes);
	return !l->stash.err;
}

static int list_task(const struct fr_task_row *t, struct fr_slice exe, void *ctx)
{
	struct fr_meta_thread row = {
		.tid = t->tid,
		.tgid = t->tgid,
		.start_ns = t->start_ns,
		.state = t->state,
		.cpu = t->cpu,
	};
	struct fr_living *l = ctx;

	memcpy(row.comm, t->comm, sizeof(row.comm));
	row.comm[sizeof(row.comm) - 1] = 0;
	fr_rows_thread(l->rows, &row);
	fr_obits_living(l->obits, t->tid, t->start_ns);
	l->threads++;
	if (t->tid != t->tgid)
		return l->rows->err;
	l->processes++;
	if (!stash_process(l, t, exe)) {
		l->not_asked++;
		write_process(l, t, exe, &(struct fr_args_got){ .error = -ECANCELED });
	}
	return l->rows->err;
}

static int list_sock(const uint8_t *record, void *ctx)
{
	struct fr_living *l = ctx;

	l->sockets++;
	fr_socks_living(l->socks, record);
	return l->rows->err;
}

int fr_living_list(struct fr_living *l)
{
	int err, sock_err;

	/* /proc speaks the pid namespace of its reader, the kernel's rows speak the first one */
	l->proc_fd = fr_pid_namespace_is_first() ? open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
						 : -1;
	err = fr_collect_tasks(l->probes, list_task, l);
	sock_err = fr_collect_socks(l->probes, list_sock, l);
	if (sock_err == -ENOENT)
		sock_err = 0; /* the family is not recorded */
	return err ? err : sock_err;
}

void fr_living_done(struct fr_living *l)
{
	fr_buf_done(&l->stash);
	if (l->proc_fd >= 0)
		close(l->proc_fd);
	l->proc_fd = -1;
}

/* ---- processes ---------------------------------------------------------------------------- */

/* Why there is no command line; "" = there is one, or nobody expects one. */
static const char *note_of(const struct fr_task_row *t, const struct fr_args_got *got)
{
	if (t->flags & FR_TASK_KTHREAD || !got->error)
		return "";
	switch (got->error) {
	case -ETIMEDOUT:
		return "command line not read: its memory did not answer in time";
	case -ECANCELED:
		return "command line not read: out of time";
	case -ESRCH:
		return "command line not read: it has no memory any more";
	case -EFAULT:
		return "command line not read: its memory is not there";
	}
	return "command line not read: refused by the kernel";
}

static struct fr_slice cgroup_of(struct fr_living *l, const struct fr_task_row *t)
{
	if (t->flags & FR_TASK_KTHREAD || l->proc_fd < 0 ||
	    fr_container_read(l->proc_fd, t->tgid, l->cgroup, sizeof(l->cgroup)))
		return (struct fr_slice){ 0 };
	return (struct fr_slice){ (const uint8_t *)l->cgroup, strlen(l->cgroup) };
}

/* What may be written of strings that were read from a process; in a copy, as it is rewritten. */
static struct fr_slice filtered(struct fr_living *l, uint8_t *copy, size_t copy_bytes,
				struct fr_slice strings,
				size_t (*filter)(struct fr_filter *, uint8_t *, size_t))
{
	size_t cnt = strings.len_bytes < copy_bytes ? strings.len_bytes : copy_bytes;

	if (!cnt)
		return (struct fr_slice){ 0 };
	memcpy(copy, strings.data, cnt);
	return (struct fr_slice){ copy, filter(l->filter, copy, cnt) };
}

static void write_process(struct fr_living *l, const struct fr_task_row *t, struct fr_slice exe,
			  const struct fr_args_got *got)
{
	const char *note = note_of(t, got), *go = NULL;
	struct fr_meta_process p = {
		.tgid = t->tgid,
		.start_ns = t->start_ns,
		.parent_tgid = t->parent_tgid,
		.uid = t->uid,
		.gid = t->gid,
		.ns_pid = t->ns_pid,
		.exe = exe,
		.args = got->args,
		.args_cut = got->args_cut,
		.cgroup = cgroup_of(l, t),
		.note = { (const uint8_t *)note, strlen(note) },
	};

	if (l->go_versions)
		go = fr_go_versions_find(l->go_versions, &t->exe);
	if (go)
		p.go_version = (struct fr_slice){ (const uint8_t *)go, strlen(go) };
	p.container_id = fr_container_id(p.cgroup);
	p.args = filtered(l, l->args, sizeof(l->args), got->args, fr_filter_args);
	if (p.args.len_bytes < got->args.len_bytes && l->filter->rules.level == FR_REDACT_STRICT)
		p.args_cut = true;
	p.environment = filtered(l, l->environment, sizeof(l->environment), got->environment,
				 fr_filter_environment);
	fr_rows_process(l->rows, &p);
}

/* The next process in the stash. False at its end. */
static bool next_stashed(struct fr_living *l, struct fr_task_row *ret_task,
			 struct fr_slice *ret_exe)
{
	if (l->stash_at == l->stash.len_bytes)
		return false;
	memcpy(ret_task, l->stash.data + l->stash_at, sizeof(*ret_task));
	*ret_exe = (struct fr_slice){ l->stash.data + l->stash_at + sizeof(*ret_task),
				      ret_task->exe_bytes };
	l->stash_at += (sizeof(*ret_task) + ret_task->exe_bytes + 7) & ~7ull;
	return true;
}

static bool has_memory(const struct fr_task_row *t)
{
	return !(t->flags & (FR_TASK_KTHREAD | FR_TASK_EXITING));
}

/* Writes those in the stash that are not asked, up to the next one that is. */
static bool next_asked(struct fr_living *l, struct fr_task_row *ret_task, struct fr_slice *ret_exe)
{
	while (next_stashed(l, ret_task, ret_exe)) {
		if (has_memory(ret_task))
			return true;
		write_process(l, ret_task, *ret_exe, &(struct fr_args_got){ .error = -ESRCH });
	}
	return false;
}

static int got_args(const struct fr_args_got *g, void *ctx)
{
	struct fr_living *l = ctx;
	struct fr_task_row t;
	struct fr_slice exe;

	if (!next_asked(l, &t, &exe))
		return -EBADMSG;
	l->args_failed += g->error && g->error != -ECANCELED;
	l->not_asked += g->error == -ECANCELED;
	write_process(l, &t, exe, g);
	return l->rows->err;
}

int fr_living_ask(struct fr_living *l, uint64_t until_ns)
{
	struct fr_args_wanted *wanted = calloc(l->processes + 1, sizeof(*wanted));
	struct fr_task_row t;
	struct fr_slice exe;
	uint32_t cnt = 0;
	int err;

	if (!wanted)
		return -ENOMEM;
	while (next_stashed(l, &t, &exe))
		if (has_memory(&t))
			wanted[cnt++] = (struct fr_args_wanted){ .tgid = t.tgid,
								 .start_ns = t.start_ns };
	l->stash_at = 0;
	err = fr_args_collect(l->probes, wanted, cnt, until_ns, got_args, l);
	(void)next_asked(l, &t, &exe); /* those behind the last one that was asked */
	fr_buf_done(&l->stash);
	free(wanted);
	return err;
}

/* ---- whom iterators hide ------------------------------------------------------------------ */

/* "tid (comm) state ppid ..."; the 22nd field is the start in ticks. comm may hold anything. */
static bool parse_stat(const char *text, struct fr_meta_thread *t)
{
	const char *open_at = strchr(text, '('), *close_at = strrchr(text, ')'), *at;
	size_t comm_bytes;

	if (!open_at || !close_at || close_at < open_at)
		return false;
	comm_bytes = (size_t)(close_at - open_at - 1);
	if (comm_bytes > sizeof(t->comm) - 1)
		comm_bytes = sizeof(t->comm) - 1;
	memcpy(t->comm, open_at + 1, comm_bytes);
	at = close_at + 1;
	for (int field = 2; field < 21 && at; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return false;
	t->start_ns = strtoull(at, NULL, 10) * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
	return true;
}

static void find_one(struct fr_living *l, struct fr_seen *seen, uint32_t tid)
{
	struct fr_meta_thread t = { .tid = tid };
	char text[2048];
	const char *tgid;

	if (fr_procfile_read(l->proc_fd, tid, "stat", text, sizeof(text)) <= 0 ||
	    !parse_stat(text, &t) ||
	    fr_procfile_read(l->proc_fd, tid, "status", text, sizeof(text)) <= 0)
		return;
	tgid = strstr(text, "\nTgid:");
	if (!tgid)
		return;
	t.tgid = (uint32_t)strtoul(tgid + 6, NULL, 10);
	fr_rows_thread(l->rows, &t);
	fr_seen_known_tid(seen, tid);
	l->found++;
}

void fr_living_find_rest(struct fr_living *l, struct fr_seen *seen)
{
	uint32_t tid = 0;

	for (int i = 0; i < FR_LIVING_FIND_MAX && l->proc_fd >= 0; i++) {
		tid = fr_seen_next_unnamed(seen, tid + 1);
		if (!tid)
			break;
		find_one(l, seen, tid);
	}
}
