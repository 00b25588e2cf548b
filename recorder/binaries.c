/* SPDX-License-Identifier: BSD-2-Clause */
#include "binaries.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "formats/base/log.h"
#include "formats/exe/exe.h"
#include "procmem.h"
#include "selfpid.h"

#define FR_BINARIES_KILL_NS 1000000000ull /* for a killed child to end */

/* What the child tells, in one piece. */
struct result {
	struct fr_binary_key key;
	uint32_t tgid;
	int32_t error;
	struct fr_binary binary;
	char version[64];
};

/* ---- in the child ------------------------------------------------------------------------ */

static int look_at_go(const struct fr_exe_mem *mem, const struct fr_exe_elf *elf, struct result *r)
{
	struct fr_exe_go go;
	int err = fr_exe_go_buildinfo(mem, elf, &go);

	if (err == -ENOENT) {
		r->binary.state = FR_BINARY_NOT_GO;
		return 0;
	}
	if (err == -ENODATA || err == -EFBIG) {
		r->binary.state = FR_BINARY_GO_UNKNOWN;
		return 0;
	}
	if (err)
		return err;
	snprintf(r->version, sizeof(r->version), "%.63s", go.version);
	r->binary.state = fr_exe_go_goid_offset(go.version, elf->machine, &r->binary.goid_off)
				  ? FR_BINARY_GO_UNKNOWN
				  : FR_BINARY_GO;
	return 0;
}

static void look(const struct fr_recorder *rec, const struct fr_notice *n, struct result *r)
{
	struct fr_procmem procmem;
	struct fr_exe_mem mem;
	struct fr_exe_elf elf;

	r->error = fr_procmem_open(&procmem, rec, n->tgid, &n->binary, &mem);
	if (r->error)
		return;
	r->error = fr_exe_find_elf(&mem, procmem.start_code, &elf);
	if (r->error == -ENOEXEC || r->error == -E2BIG || r->error == -ENOENT) {
		r->error = 0;
		r->binary.state = FR_BINARY_NOT_GO; /* no program for this machine */
		return;
	}
	if (!r->error)
		r->error = look_at_go(&mem, &elf, r);
}

static void run_child(const struct fr_recorder *rec, const struct fr_notice *n, int result_fd)
{
	struct result r = { .key = n->binary, .tgid = n->tgid };

	look(rec, n, &r);
	_exit(write(result_fd, &r, sizeof(r)) != (ssize_t)sizeof(r));
}

static bool is_new(struct fr_binary_key *keys, uint32_t *cnt, const struct fr_binary_key *key)
{
	for (uint32_t i = 0; i < *cnt; i++)
		if (!memcmp(&keys[i], key, sizeof(*key)))
			return false;
	keys[(*cnt)++] = *key;
	return true;
}

/* Each program that runs, once. What fails, the probes will ask about. */
static void run_first_child(const struct fr_recorder *rec, int result_fd)
{
	static struct fr_binary_key keys[FR_BINARIES_FIRST_MAX];
	uint32_t cnt = 0;
	DIR *proc = opendir("/proc");
	const struct dirent *e;
	struct result r;
	struct fr_notice n;

	while (proc && cnt < FR_BINARIES_FIRST_MAX && (e = readdir(proc))) {
		n = (struct fr_notice){ .tgid = (uint32_t)strtoul(e->d_name, NULL, 10) };
		if (!n.tgid || fr_procmem_binary(rec, n.tgid, &n.binary) ||
		    !is_new(keys, &cnt, &n.binary))
			continue;
		r = (struct result){ .key = n.binary, .tgid = n.tgid };
		look(rec, &n, &r);
		if (!r.error && write(result_fd, &r, sizeof(r)) != (ssize_t)sizeof(r))
			break; /* the pipe is full */
	}
	_exit(0);
}

static void begin_child(const struct fr_recorder *rec)
{
	/* its deadline is the daemon's timer: without a daemon it would hold the ring for ever */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fr_recorder_forked(rec);
	setpriority(PRIO_PROCESS, 0, 5); /* nobody waits for it */
}

/* ---- answers ----------------------------------------------------------------------------- */

static void forget_question(struct fr_binaries *b, const struct fr_notice *n)
{
	bpf_map_delete_elem(b->map_fd, &n->binary);
	b->put_off_cnt++;
}

static void answer(struct fr_binaries *b, const struct fr_notice *n, const struct result *r)
{
	if (bpf_map_update_elem(b->map_fd, &n->binary, &r->binary, BPF_ANY)) {
		fr_warn("process %u: cannot answer what its program is: %s, continuing without",
			n->tgid, strerror(errno));
		return;
	}
	b->answered_cnt++;
	b->go_cnt += r->binary.state == FR_BINARY_GO;
	b->unknown_cnt += r->binary.state == FR_BINARY_GO_UNKNOWN;
	b->failed_cnt += r->binary.state == FR_BINARY_FAILED;
	if (r->version[0])
		fr_go_versions_keep(&b->go_versions, &n->binary, r->version);
	if (r->binary.state == FR_BINARY_GO)
		fr_debug("process %u: built by %s, goroutine number at g+%u", n->tgid, r->version,
			 r->binary.goid_off);
	if (r->binary.state == FR_BINARY_GO_UNKNOWN)
		fr_info("process %u: built by %s, which this release does not know: its goroutines "
			"are not told apart",
			n->tgid, r->version[0] ? r->version : "a Go that does not say which");
}

/* It timed out: may it be asked about again? */
static bool deserves_more(struct fr_binaries *b)
{
	if (memcmp(&b->late, &b->asked.binary, sizeof(b->late))) {
		b->late = b->asked.binary;
		b->late_cnt = 0;
	}
	return ++b->late_cnt < FR_BINARIES_LATE_MAX;
}

/* As many as the first child came to; a process that hangs its reader may have ended it. */
static void take_first_results(struct fr_binaries *b)
{
	struct result r;
	struct fr_notice n;

	while (read(b->result_fd, &r, sizeof(r)) == (ssize_t)sizeof(r)) {
		n = (struct fr_notice){ .tgid = r.tgid, .binary = r.key };
		answer(b, &n, &r);
	}
	close(b->result_fd);
	b->result_fd = -1;
	b->first = false;
}

static void take_result(struct fr_binaries *b, bool hung)
{
	struct result r = { 0 };
	ssize_t n;

	if (b->first) {
		take_first_results(b);
		return;
	}
	n = read(b->result_fd, &r, sizeof(r));
	close(b->result_fd);
	b->result_fd = -1;
	if (n == (ssize_t)sizeof(r) && !r.error) {
		answer(b, &b->asked, &r);
	} else if (!hung && (b->paused || (n == (ssize_t)sizeof(r) && r.error == -ESRCH))) {
		forget_question(b, &b->asked); /* it has ended, or runs another program: later */
	} else if (!hung && b->timed_out && deserves_more(b)) {
		fr_debug("process %u: its program is not read yet: no answer in time, later again",
			 b->asked.tgid);
		forget_question(b, &b->asked);
	} else {
		r = (struct result){ .binary.state = FR_BINARY_FAILED };
		fr_info("process %u: its program cannot be read (%s): no goroutine numbers",
			b->asked.tgid, b->timed_out ? "no answer in time" : "memory error");
		answer(b, &b->asked, &r);
	}
}

static pid_t *stuck_place(struct fr_binaries *b)
{
	for (int i = 0; i < FR_BINARIES_STUCK_MAX; i++)
		if (!b->stuck[i])
			return &b->stuck[i];
	return NULL;
}

/* Has somebody answered it meanwhile? */
static bool is_answered(const struct fr_binaries *b, const struct fr_notice *n)
{
	struct fr_binary known;

	return !bpf_map_lookup_elem(b->map_fd, &n->binary, &known) &&
	       known.state != FR_BINARY_ASKED;
}

static bool next_question(struct fr_binaries *b)
{
	while (b->queue_cnt) {
		b->asked = b->queue[b->queue_first];
		b->queue_first = (b->queue_first + 1) % FR_BINARIES_QUEUE_MAX;
		b->queue_cnt--;
		if (!is_answered(b, &b->asked))
			return true;
	}
	return false;
}

/* Forks, about what was asked or about all that run. 0 or -1. */
static int start_child(struct fr_binaries *b, bool first)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return -1;
	pid = fork();
	if (!pid) {
		begin_child(b->rec);
		if (first)
			run_first_child(b->rec, ends[1]);
		run_child(b->rec, &b->asked, ends[1]);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return -1;
	}
	b->child = pid;
	b->first = first;
	b->result_fd = ends[0];
	b->timed_out = false;
	fr_timer_set(b->timer_fd, FR_BINARIES_DEADLINE_NS, 0);
	return 0;
}

static void start_next(struct fr_binaries *b)
{
	if (b->child || b->paused || !stuck_place(b) || !next_question(b))
		return;
	if (start_child(b, false))
		forget_question(b, &b->asked);
}

void fr_binaries_begin(struct fr_binaries *b)
{
	if (b->map_fd < 0 || b->child || b->paused || !fr_pid_namespace_is_first())
		return;
	if (start_child(b, true))
		fr_debug("the programs that run are not looked at before they are asked about: %s",
			 strerror(errno));
}

void fr_binaries_reap(struct fr_binaries *b)
{
	for (int i = 0; i < FR_BINARIES_STUCK_MAX; i++)
		if (b->stuck[i] && waitpid(b->stuck[i], NULL, WNOHANG) == b->stuck[i])
			b->stuck[i] = 0;
	if (b->child <= 0 || waitpid(b->child, NULL, WNOHANG) != b->child)
		return;
	b->child = 0;
	fr_timer_set(b->timer_fd, 0, 0);
	take_result(b, false);
	start_next(b);
}

static void on_deadline(void *ctx, uint32_t events)
{
	struct fr_binaries *b = ctx;

	(void)events;
	fr_timer_ack(b->timer_fd);
	if (b->child <= 0)
		return;
	if (!b->timed_out) {
		b->timed_out = true;
		kill(b->child, SIGKILL);
		fr_timer_set(b->timer_fd, FR_BINARIES_KILL_NS, 0);
		return;
	}
	*stuck_place(b) = b->child; /* there was one when it was started */
	b->child = 0;
	take_result(b, true);
	if (!stuck_place(b))
		fr_warn("%d readers of memory hang: no program is looked at until one ends",
			FR_BINARIES_STUCK_MAX);
	start_next(b);
}

void fr_binaries_pause(struct fr_binaries *b, bool paused)
{
	if (b->map_fd < 0)
		return;
	b->paused = paused;
	if (paused && b->child > 0 && !b->timed_out) {
		kill(b->child, SIGKILL);
		b->timed_out = true;
		fr_timer_set(b->timer_fd, FR_BINARIES_KILL_NS, 0);
	}
	if (!paused)
		start_next(b);
}

/* ---- questions --------------------------------------------------------------------------- */

void fr_binaries_ask(struct fr_binaries *b, const struct fr_notice *n)
{
	uint32_t last;

	if (b->map_fd < 0)
		return;
	if (b->queue_cnt == FR_BINARIES_QUEUE_MAX || !stuck_place(b)) {
		forget_question(b, n);
		return;
	}
	last = (b->queue_first + b->queue_cnt++) % FR_BINARIES_QUEUE_MAX;
	b->queue[last] = *n;
	start_next(b);
}

/* Deletes what may be asked again: all but Go programs, or everything. */
static uint32_t delete_answers(struct fr_binaries *b, bool all)
{
	struct fr_binary_key key, next;
	struct fr_binary value;
	uint32_t left_cnt = 0;
	int err = bpf_map_get_next_key(b->map_fd, NULL, &key);

	while (!err) {
		err = bpf_map_get_next_key(b->map_fd, &key, &next);
		if (bpf_map_lookup_elem(b->map_fd, &key, &value))
			value.state = FR_BINARY_ASKED;
		if (value.state == FR_BINARY_ASKED || (value.state == FR_BINARY_GO && !all))
			left_cnt++; /* somebody waits for it, or it is worth keeping */
		else
			bpf_map_delete_elem(b->map_fd, &key);
		key = next;
	}
	return left_cnt;
}

static uint32_t count_answers(struct fr_binaries *b)
{
	struct fr_binary_key key, *at = NULL;
	uint32_t cnt = 0;

	while (!bpf_map_get_next_key(b->map_fd, at, &key)) {
		at = &key;
		cnt++;
	}
	return cnt;
}

void fr_binaries_tidy(struct fr_binaries *b)
{
	struct bpf_map_info info = { 0 };
	uint32_t info_bytes = sizeof(info), limit;

	if (b->map_fd < 0 || bpf_obj_get_info_by_fd(b->map_fd, &info, &info_bytes))
		return;
	limit = info.max_entries / 4 * 3;
	if (count_answers(b) <= limit)
		return;
	fr_debug("the table of known programs is nearly full: forgetting some");
	if (delete_answers(b, false) > limit)
		delete_answers(b, true);
}

/* ---- start and end ----------------------------------------------------------------------- */

int fr_binaries_init(struct fr_binaries *b, const struct fr_recorder *rec, struct fr_loop *loop)
{
	*b = (struct fr_binaries){ .rec = rec, .loop = loop, .timer_fd = -1, .result_fd = -1 };
	b->map_fd = fr_probes_map_fd(rec->probes, "fr_binaries");
	if (b->map_fd < 0)
		return 0;
	b->timer_fd = fr_timer_open();
	if (b->timer_fd < 0)
		return b->timer_fd;
	return fr_loop_add(loop, b->timer_fd, EPOLLIN, on_deadline, b);
}

void fr_binaries_done(struct fr_binaries *b)
{
	if (!b->loop)
		return;
	if (b->child > 0) /* not waited for: it may hang */
		kill(b->child, SIGKILL);
	if (b->result_fd >= 0)
		close(b->result_fd);
	fr_loop_remove(b->loop, b->timer_fd);
	if (b->timer_fd >= 0)
		close(b->timer_fd);
	*b = (struct fr_binaries){ .timer_fd = -1, .map_fd = -1, .result_fd = -1 };
}
