/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect_args.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collect.h"
#include "formats/base/now.h"
#include "patience.h"
#include "taskiter.h"

#define ROW_BYTES_MAX ((uint32_t)sizeof(struct fr_args_row) + FR_ARGS_MAX + FR_ENV_MAX)
#define ASK_TRIES 3

/* What the helper writes for each process; row_bytes of a row follow. */
struct answer {
	uint32_t i;
	int32_t error;
	uint32_t row_bytes;
	uint32_t reserved;
};

/* ---- in the helper ------------------------------------------------------------------------ */

struct asker {
	struct fr_task_iter iter;
	int ask_fd;
	const struct fr_args_wanted *wanted; /* the one that is asked for */
	struct answer answer;
	uint8_t row[ROW_BYTES_MAX];
};

static uint32_t row_size(const uint8_t *row)
{
	return fr_load32(row);
}

static int keep_row(const uint8_t *row, uint32_t bytes, void *ctx)
{
	struct asker *a = ctx;
	struct fr_args_row r;

	memcpy(&r, row, sizeof(r));
	if (r.tgid != a->wanted->tgid || r.start_ns != a->wanted->start_ns)
		return 0;
	memcpy(a->row, row, bytes);
	a->answer.row_bytes = bytes;
	return 0;
}

static int ask_once(struct asker *a)
{
	const struct fr_row_reader reader = {
		.least_bytes = sizeof(struct fr_args_row),
		.most_bytes = ROW_BYTES_MAX,
		.row_bytes = row_size,
		.row = keep_row,
		.ctx = a,
	};
	struct fr_ask ask = { .tgid = a->wanted->tgid };
	uint32_t zero = 0;
	int fd, err;

	if (bpf_map_update_elem(a->ask_fd, &zero, &ask, BPF_ANY))
		return -errno;
	fd = fr_task_iter_open(&a->iter, a->wanted->tgid);
	if (fd < 0)
		return fd;
	err = fr_rows_read(fd, &reader);
	close(fd);
	return err;
}

/* The question lies in a map that the daemon uses, too: an answer to another one is no answer. */
static void ask(struct asker *a)
{
	int err = 0;

	for (int i = 0; i < ASK_TRIES && !err && !a->answer.row_bytes; i++)
		err = ask_once(a);
	a->answer.error = err || a->answer.row_bytes ? err : -ESRCH;
}

static bool write_all(int fd, const void *data, size_t bytes)
{
	const uint8_t *at = data;
	ssize_t n;

	while (bytes) {
		n = write(fd, at, bytes);
		if (n <= 0)
			return false;
		at += n;
		bytes -= (size_t)n;
	}
	return true;
}

static _Noreturn void helper(const struct fr_probes *p, const struct fr_args_wanted *wanted,
			     uint32_t from, uint32_t cnt, int out_fd)
{
	struct asker a = {
		.ask_fd = fr_probes_map_fd(p, "fr_ask"),
	};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)fr_task_iter_init(&a.iter, p, "fr_iter_args"); /* opening it then says why not */
	for (uint32_t i = from; i < cnt; i++) {
		a.wanted = &wanted[i];
		a.answer = (struct answer){ .i = i };
		ask(&a);
		if (!write_all(out_fd, &a.answer, sizeof(a.answer)) ||
		    !write_all(out_fd, a.row, a.answer.row_bytes))
			break;
	}
	_exit(0);
}

/* ---- in the dumper ------------------------------------------------------------------------ */

struct collector {
	const struct fr_probes *p;
	const struct fr_args_wanted *wanted;
	uint32_t cnt, next; /* next: the first one without an answer */
	uint64_t until_ns;
	int (*got)(const struct fr_args_got *g, void *ctx);
	void *ctx;
	pid_t helper_pid;
	struct fr_patience patience; /* since the helper was heard last */
	int fd;
	uint32_t held_bytes;
	uint8_t held[2 * (sizeof(struct answer) + ROW_BYTES_MAX)];
};

static int start_helper(struct collector *c)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0) {
		close(fds[0]);
		close(fds[1]);
		return -errno;
	}
	if (!pid) {
		close(fds[0]);
		helper(c->p, c->wanted, c->next, c->cnt, fds[1]);
	}
	close(fds[1]);
	c->fd = fds[0];
	c->helper_pid = pid;
	c->patience = (struct fr_patience){ 0 };
	c->held_bytes = 0;
	return 0;
}

/* One that hangs inside the kernel may not die at once: nobody waits for it. */
static void stop_helper(struct collector *c)
{
	kill(c->helper_pid, SIGKILL);
	close(c->fd);
	(void)waitpid(c->helper_pid, NULL, WNOHANG);
}

static int tell(struct collector *c, const struct fr_args_got *g)
{
	c->next++;
	return c->got(g, c->ctx);
}

static int tell_error(struct collector *c, int error)
{
	return tell(c, &(struct fr_args_got){ .i = c->next, .error = error });
}

/* Sizes inside the row are checked against its end. */
static int tell_row(struct collector *c, const uint8_t *row, uint32_t bytes)
{
	struct fr_args_row r;
	uint32_t env_off;

	if (bytes < sizeof(r))
		return tell_error(c, -EBADMSG);
	memcpy(&r, row, sizeof(r));
	if (r.args_bytes > FR_ARGS_MAX || r.env_bytes > FR_ENV_MAX)
		return tell_error(c, -EBADMSG);
	env_off = (uint32_t)sizeof(r) + ((r.args_bytes + 7) & ~7u);
	if (env_off + r.env_bytes > bytes)
		return tell_error(c, -EBADMSG);
	return tell(c, &(struct fr_args_got){
			       .i = c->next,
			       .error = r.error,
			       .args = { row + sizeof(r), r.args_bytes },
			       .environment = { row + env_off, r.env_bytes },
			       .args_cut = r.args_bytes < r.args_total_bytes,
		       });
}

/* Tells what is whole in `held`. */
static int tell_held(struct collector *c)
{
	struct answer a;
	uint32_t whole;
	int err = 0;

	while (!err && c->held_bytes >= sizeof(a)) {
		memcpy(&a, c->held, sizeof(a));
		if (a.i != c->next || a.row_bytes > ROW_BYTES_MAX)
			return -EBADMSG;
		whole = (uint32_t)sizeof(a) + a.row_bytes;
		if (c->held_bytes < whole)
			break;
		err = a.error ? tell_error(c, a.error)
			      : tell_row(c, c->held + sizeof(a), a.row_bytes);
		c->held_bytes -= whole;
		memmove(c->held, c->held + whole, c->held_bytes);
	}
	return err;
}

/* It is silent. 1: it may be waited for; -ETIMEDOUT. */
static int look_at_helper(struct collector *c)
{
	struct fr_patience_look look;

	fr_patience_take(c->helper_pid, &look);
	return fr_patience_ends(&c->patience, &look) ? -ETIMEDOUT : 1;
}

/* 1: bytes came, or will; 0: the helper is through or dead; -ETIMEDOUT: it is stuck, or the time is
 * over; -errno. */
static int read_some(struct collector *c)
{
	uint64_t now_ns = fr_now_ns(), wait_ns = FR_PATIENCE_LOOK_NS;
	struct pollfd pfd = { .fd = c->fd, .events = POLLIN };
	ssize_t n;
	int ret;

	if (now_ns >= c->until_ns)
		return -ETIMEDOUT;
	if (c->until_ns - now_ns < wait_ns)
		wait_ns = c->until_ns - now_ns;
	ret = poll(&pfd, 1, (int)(wait_ns / 1000000) + 1);
	if (!ret)
		return look_at_helper(c);
	if (ret < 0)
		return errno == EINTR ? 1 : -errno;
	c->patience = (struct fr_patience){ 0 };
	n = read(c->fd, c->held + c->held_bytes, sizeof(c->held) - c->held_bytes);
	if (n < 0)
		return errno == EINTR ? 1 : -errno;
	c->held_bytes += (uint32_t)n;
	return n > 0;
}

/* One helper until it is through (0), or stuck (-ETIMEDOUT); other errors come from got(). */
static int run_helper(struct collector *c)
{
	int ret = start_helper(c), err = 0;

	if (ret)
		return tell_error(c, ret);
	do {
		ret = read_some(c);
		if (ret > 0)
			err = tell_held(c);
	} while (ret > 0 && !err);
	stop_helper(c);
	if (err)
		return err == -EBADMSG ? tell_error(c, err) : err;
	if (ret == -ETIMEDOUT || c->next == c->cnt)
		return c->next == c->cnt ? 0 : ret;
	return tell_error(c, ret < 0 ? ret : -EIO); /* it died over this one */
}

int fr_args_collect(const struct fr_probes *p, const struct fr_args_wanted *wanted, uint32_t cnt,
		    uint64_t until_ns, int (*got)(const struct fr_args_got *g, void *ctx),
		    void *ctx)
{
	struct collector c = {
		.p = p,
		.wanted = wanted,
		.cnt = cnt,
		.until_ns = until_ns,
		.got = got,
		.ctx = ctx,
	};
	int err = 0;

	for (int i = 0; i < FR_ARGS_HELPERS_MAX && c.next < cnt && !err; i++) {
		err = run_helper(&c);
		if (err == -ETIMEDOUT && fr_now_ns() >= until_ns)
			break;
		if (err == -ETIMEDOUT)
			err = tell_error(&c, -ETIMEDOUT);
	}
	if (err == -ETIMEDOUT)
		err = 0;
	while (c.next < cnt && !err)
		err = tell_error(&c, -ECANCELED);
	return err;
}
