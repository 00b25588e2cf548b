/* SPDX-License-Identifier: BSD-2-Clause */
#include "launcher.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "formats/base/cli.h"
#include "formats/base/log.h"

int fr_launcher_start(const struct fr_config *config, void (*forget)(void), struct fr_launcher *ret)
{
	pid_t daemon = getpid(), pid;
	int fds[2], err;

	*ret = (struct fr_launcher){ .fd = -1 };
	ret->commands_cnt = (config->on_dump[0] != 0) + (config->on_dump_endpoint[0] != 0);
	if (!ret->commands_cnt)
		return 0;
	/* datagrams: a message comes whole or not at all */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds)) {
		err = -errno;
		fr_err("cannot start the launcher of on_dump: %s", strerror(-err));
		return err;
	}
	pid = fork();
	if (!pid) {
		close(fds[0]);
		forget();
		fr_launcher_child(config, fds[1], daemon);
	}
	err = pid < 0 ? -errno : 0;
	close(fds[1]);
	if (err) {
		close(fds[0]);
		fr_err("cannot start the launcher of on_dump: %s", strerror(-err));
		return err;
	}
	ret->pid = pid;
	ret->fd = fds[0];
	return 0;
}

/* ---- outcomes ---------------------------------------------------------------------------- */

static void describe(const struct fr_launch_outcome *o, char *text, size_t text_bytes)
{
	char took[32];

	fr_format_duration(o->took_ns, took, sizeof(took));
	switch ((enum fr_launch_how)o->how) {
	case FR_LAUNCH_EXITED:
		snprintf(text, text_bytes, "ended with status %d after %s", o->code, took);
		return;
	case FR_LAUNCH_SIGNALLED:
		snprintf(text, text_bytes, "was ended by signal %d (%s) after %s", o->code,
			 strsignal(o->code), took);
		return;
	case FR_LAUNCH_TIMED_OUT:
		snprintf(text, text_bytes, "took longer than on_dump_timeout and was ended");
		return;
	case FR_LAUNCH_NOT_STARTED:
		snprintf(text, text_bytes, "could not be started: %s", strerror(o->code));
		return;
	case FR_LAUNCH_DROPPED:
		snprintf(text, text_bytes, "was left out: %d dumps wait already",
			 FR_LAUNCH_QUEUE_MAX);
		return;
	case FR_LAUNCH_BEGUN:
	case FR_LAUNCH_ENDED:
		break;
	}
	snprintf(text, text_bytes, "ended in a way that is not known");
}

/* Its end was seen, and it is our child. */
static void wait_for(struct fr_launch_outcome *o)
{
	int status;

	if (waitpid(o->pid, &status, WNOHANG) != o->pid)
		return;
	if (o->how != FR_LAUNCH_ENDED)
		return;
	o->how = WIFEXITED(status) ? FR_LAUNCH_EXITED : FR_LAUNCH_SIGNALLED;
	o->code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
}

static void take_outcome(struct fr_launcher *l, struct fr_launch_outcome *o)
{
	char how[120];
	bool good;

	l->command_pid = 0;
	if (o->pid > 0)
		wait_for(o);
	good = o->how == FR_LAUNCH_EXITED && !o->code;
	o->name[sizeof(o->name) - 1] = 0;
	o->text[sizeof(o->text) - 1] = 0;
	if (l->under_way_cnt)
		l->under_way_cnt--;
	if (o->how == FR_LAUNCH_DROPPED)
		l->dropped_cnt++;
	else if (good)
		l->done_cnt++;
	else
		l->failed_cnt++;
	describe(o, how, sizeof(how));
	snprintf(l->last, sizeof(l->last), "%s for %.80s %s%s%.150s",
		 o->sends ? "on_dump_endpoint" : "on_dump", o->name, how, o->text[0] ? ": " : "",
		 o->text);
	fr_log(good ? FR_LOG_INFO : FR_LOG_WARN, "%s", l->last);
	if (!l->under_way_cnt && l->on_idle)
		l->on_idle(l->ctx);
}

/* It has ended before the daemon: nobody can start another one without the privileges. */
static void lose(struct fr_launcher *l)
{
	if (l->loop)
		fr_loop_remove(l->loop, l->fd);
	close(l->fd);
	l->fd = -1;
	if (l->command_pid > 0) { /* nobody else looks after it */
		kill(l->command_pid, SIGKILL);
		kill(-l->command_pid, SIGKILL);
	}
	fr_err("the launcher of on_dump (process %d) has ended: no command runs after dumps any "
	       "more, continuing without; restart flightrecd to have it again",
	       (int)l->pid);
	l->failed_cnt += l->under_way_cnt;
	l->under_way_cnt = 0;
	if (l->on_idle)
		l->on_idle(l->ctx);
}

static void on_message(void *ctx, uint32_t events)
{
	struct fr_launcher *l = ctx;
	struct fr_launch_outcome o;
	ssize_t n = recv(l->fd, &o, sizeof(o), MSG_DONTWAIT);

	(void)events;
	if (n == (ssize_t)sizeof(o) && o.how == FR_LAUNCH_BEGUN)
		l->command_pid = o.pid;
	else if (n == (ssize_t)sizeof(o))
		take_outcome(l, &o);
	else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		lose(l);
}

int fr_launcher_watch(struct fr_launcher *l, struct fr_loop *loop, void (*on_idle)(void *ctx),
		      void *ctx)
{
	l->loop = loop;
	l->on_idle = on_idle;
	l->ctx = ctx;
	return l->fd < 0 ? 0 : fr_loop_add(loop, l->fd, EPOLLIN, on_message, l);
}

/* ---- jobs -------------------------------------------------------------------------------- */

void fr_launcher_run(struct fr_launcher *l, const struct fr_launch_job *job)
{
	if (!l->commands_cnt)
		return;
	if (l->fd >= 0 &&
	    send(l->fd, job, sizeof(*job), MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(*job)) {
		l->under_way_cnt += l->commands_cnt;
		return;
	}
	l->dropped_cnt += l->commands_cnt;
	fr_warn("on_dump is left out for %s: %s", job->name,
		l->fd < 0 ? "its launcher has ended" : "its launcher takes no more");
}

/* ---- the end ----------------------------------------------------------------------------- */

void fr_launcher_reap(struct fr_launcher *l)
{
	if (l->pid > 0 && waitpid(l->pid, NULL, WNOHANG) == l->pid) {
		if (l->fd >= 0)
			lose(l);
		l->pid = 0;
	}
	if (l->fd < 0 && l->command_pid > 0 &&
	    waitpid(l->command_pid, NULL, WNOHANG) == l->command_pid)
		l->command_pid = 0;
}

void fr_launcher_forked(struct fr_launcher *l)
{
	if (l->fd >= 0)
		close(l->fd);
}

void fr_launcher_done(struct fr_launcher *l)
{
	if (l->fd >= 0)
		close(l->fd); /* it ends when it sees this; it kills what it runs, never waits */
	l->fd = -1;
	if (l->pid > 0)
		waitpid(l->pid, NULL, 0);
	l->pid = 0;
}
