/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/base/cli.h"
#include "formats/base/log.h"
#include "launcher.h"
#include "notify.h"
#include "sockets.h"
#include "status.h"

#define FR_SLOW_NS 60000000000ull
#define FR_BRISK_NS 5000000000ull /* while sockets come and go near their limit */
/* Beyond the post-window; a dump of 64 MiB takes a fraction of a second. */
#define FR_DUMP_DEADLINE_NS 120000000000ull
#define FR_KILL_DEADLINE_NS 5000000000ull /* for a killed dumper to be gone */
#define FR_TRIGGER_BYTES_LEAST 16u	  /* captured, for replies to show anything */
#define FR_END_DEADLINE_NS 20000000000ull /* for the dump under way, once asked to end */
#define FR_END_COMMANDS_NS 8000000000ull  /* and then for what on_dump runs */

static const int signals[] = { SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGHUP, SIGCHLD };

void fr_daemon_block_signals(sigset_t *ret_before)
{
	sigset_t mask;

	sigemptyset(&mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&mask, signals[i]);
	sigprocmask(SIG_BLOCK, &mask, ret_before);
}

/* ---- ending ------------------------------------------------------------------------------ */

static void set_dump_deadline(struct fr_daemon *d)
{
	uint64_t ns = FR_DUMP_DEADLINE_NS + d->rec->config.post_window_ns;

	if (!fr_triggers_busy(&d->triggers))
		ns = d->ending ? FR_END_COMMANDS_NS : 0;
	else if (d->triggers.killed)
		ns = FR_KILL_DEADLINE_NS;
	else if (d->ending)
		ns = FR_END_DEADLINE_NS;
	fr_timer_set(d->dump_fd, ns, 0);
}

static bool busy(const struct fr_daemon *d)
{
	return fr_triggers_busy(&d->triggers) || fr_launcher_busy(d->rec->launcher);
}

/* A dump under way is finished first, and what on_dump does with it: a host that goes down is when
 * it matters. Asked again, we don't wait. */
static void end(struct fr_daemon *d, const char *why)
{
	if (!busy(d) || (d->ending && !fr_triggers_busy(&d->triggers))) {
		fr_info("%s: ending", why);
		fr_loop_stop(&d->loop);
		return;
	}
	if (d->ending) {
		fr_triggers_kill(&d->triggers);
		set_dump_deadline(d);
		return;
	}
	fr_info("%s: ending when the dump under way is %s", why,
		fr_triggers_busy(&d->triggers) ? "written" : "handed on");
	d->ending = true;
	set_dump_deadline(d);
}

/* ---- triggers ---------------------------------------------------------------------------- */

/* After anything that may have begun a dump. */
static void look_at_start(struct fr_daemon *d, enum fr_outcome outcome)
{
	if (outcome != FR_OUTCOME_STARTED)
		return;
	set_dump_deadline(d);
	fr_binaries_pause(&d->binaries, true);
}

static enum fr_outcome fire(struct fr_daemon *d, enum fr_trigger_kind kind, const char *reason,
			    pid_t sender, uint64_t *ret_number, char *why, size_t why_bytes)
{
	enum fr_outcome outcome = fr_triggers_fire(&d->triggers, kind, reason, (uint32_t)sender,
						   ret_number, why, why_bytes);

	look_at_start(d, outcome);
	return outcome;
}

static void on_cause(void *ctx, const struct fr_notice_trigger *n)
{
	struct fr_daemon *d = ctx;
	uint64_t number;

	look_at_start(d, fr_triggers_cause(&d->triggers, n, &number));
}

/* What joins a dump may come again at once: then each is told of. */
static uint64_t on_pressure(void *ctx, const char *reason)
{
	struct fr_daemon *d = ctx;
	char why[200];
	uint64_t number;
	enum fr_outcome outcome;

	fr_info("seen: psi: %s", reason);
	outcome = fire(d, FR_TRIGGER_PSI, reason, 0, &number, why, sizeof(why));
	return outcome == FR_OUTCOME_JOINED
		       ? 0
		       : fr_config_rule(&d->rec->config, FR_TRIGGER_PSI).cooldown_ns;
}

/* Names in a list, for people. */
static void say_blind(const struct fr_daemon *d, uint32_t kinds, const char *why)
{
	struct fr_buf list = { 0 };

	for (uint32_t kind = 0; kind < FR_TRIGGER_CNT; kind++)
		if (kinds & 1u << kind &&
		    fr_config_trigger_on(&d->rec->config, (enum fr_trigger_kind)kind))
			fr_buf_printf(&list, "%s%s", list.len_bytes ? ", " : "",
				      fr_trigger_name((enum fr_trigger_kind)kind));
	fr_buf_add_char(&list, 0);
	if (!list.err && list.len_bytes > 1)
		fr_info("triggers that cannot fire: %s: %s", (const char *)list.data, why);
	fr_buf_done(&list);
}

/* Triggers need families: what is switched on in vain is said. */
static void arm(struct fr_daemon *d)
{
	static const uint32_t by_bytes = 1u << FR_TRIGGER_HTTP_5XX | 1u << FR_TRIGGER_SQL_ERROR |
					 1u << FR_TRIGGER_REDIS_ERROR | 1u << FR_TRIGGER_LATENCY |
					 1u << FR_TRIGGER_LATENCY_P99;
	const struct fr_config *c = &d->rec->config;
	const char *why;

	if (!fr_probes_family(d->rec->probes, FR_FAMILY_SOCK, &why))
		say_blind(d, by_bytes, "family sock is not recorded");
	else if (c->capture_response_bytes < FR_TRIGGER_BYTES_LEAST ||
		 c->capture_request_bytes < FR_TRIGGER_BYTES_LEAST)
		say_blind(d, by_bytes, "too few bytes are captured");
	if (!fr_probes_family(d->rec->probes, FR_FAMILY_BLOCK, &why))
		say_blind(d, 1u << FR_TRIGGER_BLOCK, "family block is not recorded");
	if (!fr_probes_family(d->rec->probes, FR_FAMILY_SCHED, &why))
		say_blind(d, 1u << FR_TRIGGER_RUNQUEUE, "family sched is not recorded");
	else if (!(d->rec->features.bits & FR_FEAT_SCHED_INFO))
		say_blind(d, 1u << FR_TRIGGER_RUNQUEUE, "this kernel keeps no sched_info");
	fr_triggers_arm(&d->triggers);
	fr_psi_watch(&d->psi);
}

static void hand_on(struct fr_daemon *d, const struct fr_dump_result *result)
{
	struct fr_launch_job job = { 0 };

	if (result->error || !result->name[0])
		return;
	snprintf(job.name, sizeof(job.name), "%s", result->name);
	snprintf(job.trigger, sizeof(job.trigger), "%s", d->triggers.current.name);
	snprintf(job.reason, sizeof(job.reason), "%s", d->triggers.current.reason);
	fr_launcher_run(d->rec->launcher, &job);
}

static void on_dump_done(void *ctx, uint64_t number, const struct fr_dump_result *result)
{
	struct fr_daemon *d = ctx;
	char path[PATH_MAX + 256];

	snprintf(path, sizeof(path), "%s/%s", d->rec->config.dump_dir, result->name);
	fr_control_dump_done(&d->control, number, result->error ? NULL : path,
			     result->text[0] ? result->text : "the dump could not be written");
	hand_on(d, result);
}

/* After anything that may have ended a dump. */
static void look_at_dumper(struct fr_daemon *d)
{
	fr_binaries_pause(&d->binaries, fr_triggers_busy(&d->triggers));
	set_dump_deadline(d);
	if (d->ending && !busy(d))
		fr_loop_stop(&d->loop);
}

static void on_commands_done(void *ctx)
{
	struct fr_daemon *d = ctx;

	if (d->ending && !busy(d))
		fr_loop_stop(&d->loop);
}

static void reap(struct fr_daemon *d)
{
	fr_binaries_reap(&d->binaries);
	fr_triggers_reap(&d->triggers);
	fr_launcher_reap(d->rec->launcher);
	look_at_dumper(d);
}

static void on_dump_deadline(void *ctx, uint32_t events)
{
	struct fr_daemon *d = ctx;

	(void)events;
	fr_timer_ack(d->dump_fd);
	if (!fr_triggers_busy(&d->triggers) && d->ending) {
		fr_loop_stop(&d->loop);
		return;
	}
	if (d->triggers.killed)
		fr_triggers_abandon(&d->triggers);
	else
		fr_triggers_kill(&d->triggers);
	look_at_dumper(d);
}

/* ---- reload ------------------------------------------------------------------------------ */

static int reload(struct fr_daemon *d, uint32_t *ret_changed_cnt)
{
	uint32_t changed_cnt = 0;
	int err = fr_config_reload(&d->rec->config, d->argc, d->argv, &changed_cnt);

	if (err) {
		fr_err("the configuration was not taken over, the one in use stays");
		return err;
	}
	fr_log_init("flightrecd", (enum fr_log_level)d->rec->config.log_level);
	arm(d);
	fr_info("configuration read again, %u settings changed", changed_cnt);
	*ret_changed_cnt = changed_cnt;
	return 0;
}

/* ---- control socket ---------------------------------------------------------------------- */

static struct fr_status status_of(struct fr_daemon *d)
{
	fr_stats_read(&d->stats);
	return (struct fr_status){ .stats = &d->stats,
				   .triggers = &d->triggers,
				   .binaries = &d->binaries,
				   .control = &d->control };
}

static void serve_status(struct fr_daemon *d, struct fr_client *client, const struct fr_request *r)
{
	struct fr_status status = status_of(d);
	struct fr_buf body = { 0 };

	fr_status_print(&status, r->format, &body);
	fr_client_ok(client, &body);
	fr_buf_done(&body);
}

static void serve_trigger(struct fr_daemon *d, struct fr_client *client, const struct fr_request *r)
{
	struct fr_buf body = { 0 };
	char why[200];
	uint64_t number = 0;
	enum fr_outcome outcome =
		fire(d, FR_TRIGGER_MANUAL, r->reason, client->pid, &number, why, sizeof(why));

	if (outcome == FR_OUTCOME_SUPPRESSED) {
		fr_client_error(client, FR_EXIT_DAMAGED, why);
	} else if (outcome == FR_OUTCOME_FAILED) {
		fr_client_error(client, FR_EXIT_IO, why);
	} else if (r->wait) {
		fr_client_wait(client, number);
	} else {
		fr_buf_printf(&body, "%s %llu\n", fr_outcome_name(outcome),
			      (unsigned long long)number);
		fr_client_ok(client, &body);
	}
	fr_buf_done(&body);
}

static int is_dump(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return e->d_name[0] != '.' && len > 4 && !strcmp(e->d_name + len - 4, ".frd");
}

static void serve_list(struct fr_daemon *d, struct fr_client *client)
{
	struct fr_buf body = { 0 };
	struct dirent **names;
	struct stat st;
	int cnt = scandir(d->rec->config.dump_dir, &names, is_dump, alphasort);

	if (cnt < 0) {
		fr_client_error(client, FR_EXIT_IO, "the dump directory cannot be read");
		return;
	}
	for (int i = 0; i < cnt; i++) {
		if (!fstatat(d->rec->dump_dir_fd, names[i]->d_name, &st, AT_SYMLINK_NOFOLLOW))
			fr_buf_printf(&body, "%lld.%09ld %lld %s/%s\n",
				      (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
				      (long long)st.st_size, d->rec->config.dump_dir,
				      names[i]->d_name);
		free(names[i]);
	}
	free(names);
	fr_client_ok(client, &body);
	fr_buf_done(&body);
}

static void serve_reload(struct fr_daemon *d, struct fr_client *client)
{
	struct fr_buf body = { 0 };
	uint32_t changed_cnt;

	if (reload(d, &changed_cnt)) {
		fr_client_error(client, FR_EXIT_USAGE, "the configuration is wrong: see the log");
		return;
	}
	fr_buf_printf(&body, "%u settings changed\n", changed_cnt);
	fr_client_ok(client, &body);
	fr_buf_done(&body);
}

static void serve(void *ctx, struct fr_client *client, const struct fr_request *r)
{
	struct fr_daemon *d = ctx;

	switch (r->verb) {
	case FR_VERB_STATUS:
		serve_status(d, client, r);
		return;
	case FR_VERB_TRIGGER:
		serve_trigger(d, client, r);
		return;
	case FR_VERB_LIST:
		serve_list(d, client);
		return;
	case FR_VERB_RELOAD:
		serve_reload(d, client);
		return;
	case FR_VERB_STOP:
		fr_client_ok(client, NULL);
		end(d, "asked to stop");
		return;
	case FR_VERB_CNT:
		return;
	}
}

/* ---- signals and time -------------------------------------------------------------------- */

static void on_signal(void *ctx, uint32_t events)
{
	struct fr_daemon *d = ctx;
	struct signalfd_siginfo si;
	struct fr_status status;
	char reason[64], why[200];
	uint64_t number;
	uint32_t changed_cnt;

	(void)events;
	if (read(d->signal_fd, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return;
	switch (si.ssi_signo) {
	case SIGUSR1:
		snprintf(reason, sizeof(reason), "SIGUSR1 from process %u of user %u", si.ssi_pid,
			 si.ssi_uid);
		fire(d, FR_TRIGGER_USR1, reason, (pid_t)si.ssi_pid, &number, why, sizeof(why));
		return;
	case SIGUSR2:
		status = status_of(d);
		fr_status_log(&status);
		return;
	case SIGHUP:
		reload(d, &changed_cnt);
		return;
	case SIGCHLD:
		reap(d);
		return;
	case SIGTERM:
	case SIGINT:
		end(d, si.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
		return;
	}
}

static void on_slow(void *ctx, uint32_t events)
{
	struct fr_daemon *d = ctx;
	bool brisk;

	(void)events;
	fr_timer_ack(d->slow_fd);
	fr_stats_read(&d->stats); /* keeps the worst history seen */
	fr_binaries_tidy(&d->binaries);
	fr_psi_tend(&d->psi);
	brisk = fr_sockets_recount(d->rec);
	if (brisk != d->brisk)
		fr_timer_set(d->slow_fd, brisk ? FR_BRISK_NS : FR_SLOW_NS,
			     brisk ? FR_BRISK_NS : FR_SLOW_NS);
	d->brisk = brisk;
}

static int open_signals(struct fr_daemon *d)
{
	sigset_t mask;

	sigemptyset(&mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&mask, signals[i]);
	d->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	return d->signal_fd < 0 ? -errno : 0;
}

static int open_timers(struct fr_daemon *d)
{
	int err;

	d->slow_fd = fr_timer_open();
	d->dump_fd = fr_timer_open();
	if (d->slow_fd < 0 || d->dump_fd < 0)
		return d->slow_fd < 0 ? d->slow_fd : d->dump_fd;
	err = fr_loop_add(&d->loop, d->slow_fd, EPOLLIN, on_slow, d);
	if (!err)
		err = fr_loop_add(&d->loop, d->dump_fd, EPOLLIN, on_dump_deadline, d);
	if (!err)
		err = fr_timer_set(d->slow_fd, FR_SLOW_NS, FR_SLOW_NS);
	return err;
}

/* In a child. The loop's table is shared with the daemon: close, never remove. */
static void forked(void *ctx)
{
	struct fr_daemon *d = ctx;

	fr_probes_forget_links(d->rec->probes);
	fr_control_forked(&d->control);
	fr_launcher_forked(d->rec->launcher);
	for (int what = 0; what < FR_PRESSURE_CNT; what++)
		if (d->psi.watches[what].psi && d->psi.watches[what].fd >= 0)
			close(d->psi.watches[what].fd);
	close(d->loop.epoll_fd);
	close(d->signal_fd);
	close(d->slow_fd);
	close(d->dump_fd);
}

int fr_daemon_init(struct fr_daemon *d, struct fr_recorder *rec, int argc, char **argv)
{
	int err;

	*d = (struct fr_daemon){ .rec = rec,
				 .argc = argc,
				 .argv = argv,
				 .signal_fd = -1,
				 .slow_fd = -1,
				 .dump_fd = -1 };
	d->loop.epoll_fd = -1;
	rec->forked = forked; /* first of all: questions may be waiting, and fork a child below */
	rec->forked_ctx = d;
	err = fr_loop_init(&d->loop);
	if (!err)
		err = open_signals(d);
	if (!err)
		err = fr_loop_add(&d->loop, d->signal_fd, EPOLLIN, on_signal, d);
	if (!err)
		err = open_timers(d);
	if (!err)
		err = fr_triggers_init(&d->triggers, rec);
	if (!err)
		err = fr_stats_init(&d->stats, rec);
	if (!err)
		err = fr_binaries_init(&d->binaries, rec, &d->loop);
	rec->go_versions = &d->binaries.go_versions;
	if (!err)
		err = fr_launcher_watch(rec->launcher, &d->loop, on_commands_done, d);
	d->notices = (struct fr_notices){ .binaries = &d->binaries,
					  .on_trigger = on_cause,
					  .ctx = d };
	if (!err)
		err = fr_notices_open(&d->notices, rec, &d->loop);
	if (err) {
		fr_err("cannot set up the event loop: %s", strerror(-err));
		return err;
	}
	d->triggers.on_done = on_dump_done;
	d->triggers.ctx = d;
	d->psi = (struct fr_psi){ .config = &rec->config,
				  .loop = &d->loop,
				  .on_pressure = on_pressure,
				  .ctx = d };
	arm(d);
	d->control.serve = serve;
	d->control.ctx = d;
	return rec->config.control_path[0]
		       ? fr_control_open(&d->control, &d->loop, rec->config.control_path)
		       : 0;
}

int fr_daemon_run(struct fr_daemon *d)
{
	int err;

	fr_binaries_begin(&d->binaries);
	err = fr_loop_run(&d->loop);

	if (err)
		fr_err("the event loop failed: %s", strerror(-err));
	fr_notify("STOPPING=1");
	return err;
}

void fr_daemon_done(struct fr_daemon *d)
{
	if (!d->rec)
		return;
	if (d->triggers.dumper_pid > 0) /* not waited for: a write may hang */
		kill(d->triggers.dumper_pid, SIGKILL);
	d->rec->forked = NULL;
	fr_psi_close(&d->psi);
	fr_notices_close(&d->notices);
	fr_binaries_done(&d->binaries);
	fr_control_close(&d->control);
	fr_triggers_done(&d->triggers);
	fr_stats_done(&d->stats);
	if (d->signal_fd >= 0)
		close(d->signal_fd);
	if (d->slow_fd >= 0)
		close(d->slow_fd);
	if (d->dump_fd >= 0)
		close(d->dump_fd);
	fr_loop_done(&d->loop);
}
