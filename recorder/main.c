/* SPDX-License-Identifier: BSD-2-Clause */
/* flightrecd: parse, start, be ready, run, end. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "background.h"
#include "daemon.h"
#include "dumpdir.h"
#include "formats/base/cli.h"
#include "formats/base/log.h"
#include "launcher.h"
#include "notify.h"
#include "privilege.h"
#include "selftest.h"
#include "start.h"
#include "status.h"

static struct fr_recorder rec; /* large, and lives as long as the process */
static struct fr_daemon daemon_state;
static struct fr_launcher launcher = { .fd = -1 };

static int exit_code(int err)
{
	switch (-err) {
	case 0:
		return FR_EXIT_OK;
	case EINVAL:
	case ERANGE:
		return FR_EXIT_USAGE;
	case EPERM:
	case EACCES:
	case EROFS:
		return FR_EXIT_NOPERM;
	case ENOTSUP:
		return FR_EXIT_NOKERNEL;
	default:
		return FR_EXIT_IO;
	}
}

static int print_buf(struct fr_buf *b)
{
	int code = FR_EXIT_OK;

	if (b->err || fwrite(b->data, 1, b->len_bytes, stdout) != b->len_bytes || fflush(stdout)) {
		fr_err("cannot write to standard output: %s", strerror(b->err ? -b->err : errno));
		code = FR_EXIT_IO;
	}
	fr_buf_done(b);
	return code;
}

static int print_config(void)
{
	struct fr_buf out = { 0 };

	fr_config_print(&rec.config, &out);
	return print_buf(&out);
}

/* With the privileges for it, by trying; else by what the type information says. */
static int print_features(void)
{
	struct fr_buf out = { 0 };
	int code, err = 0;

	if (fr_privilege_check(false))
		fr_info("without the privileges of a recorder only type information is looked at; "
			"run as root to try each program");
	else
		err = fr_recorder_start(&rec);
	fr_features_print(&rec.features, rec.config.json, &out);
	fr_recorder_stop(&rec);
	code = print_buf(&out);
	return err ? exit_code(err) : code;
}

static void raise_priority(void)
{
	if (!setpriority(PRIO_PROCESS, 0, rec.config.nice))
		return;
	fr_warn("cannot set priority %d: %s; dumps take longer on a busy host, continuing without",
		rec.config.nice, strerror(errno));
}

static void tell_ready(void)
{
	struct fr_buf line = { 0 };

	fr_buf_add_str(&line, "ready families=");
	fr_status_families(&rec, &line);
	/* no history yet: `flightrec status` tells how much there is later */
	fr_buf_printf(&line, " ring=%lluM cpus=%u seconds=0 degraded=%u dump_dir=%s pid=%d\n",
		      (unsigned long long)(rec.layout.ring_bytes >> 20), rec.layout.slot_cnt,
		      rec.features.degraded_cnt, rec.config.dump_dir, (int)getpid());
	fr_buf_add_char(&line, 0);
	if (!line.err) {
		fputs((char *)line.data, stdout);
		fflush(stdout);
	}
	fr_buf_done(&line);
	if (fr_notify("READY=1\nSTATUS=recording") < 0)
		fr_warn("cannot tell the service manager that recording began, continuing without");
}

/* In the launcher: type information of the kernel is several MiB. */
static void forget(void)
{
	fr_features_done(&rec.features);
	malloc_trim(0);
}

/* Everything up to readiness. Returns an exit code. */
static int start(int argc, char **argv)
{
	int lock_fd, err;

	/* first: it shall inherit nothing */
	err = fr_launcher_start(&rec.config, forget, &launcher);
	rec.launcher = &launcher;
	if (!err)
		err = fr_dumpdir_open(rec.config.dump_dir, &rec.dump_dir_fd, &lock_fd);
	if (!err)
		err = fr_recorder_start(&rec);
	if (!err)
		err = fr_daemon_init(&daemon_state, &rec, argc, argv);
	if (!err)
		err = fr_pidfile_write(rec.config.pid_path);
	if (err)
		return exit_code(err);
	raise_priority();
	for (uint32_t i = 0; i < rec.features.degraded_cnt; i++)
		fr_warn("degraded: %s", rec.features.degraded[i]);
	return FR_EXIT_OK;
}

/* Programs, maps and links take a hundred descriptors. What may not be had shows when they are. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		fr_debug("cannot raise the limit on descriptors: %s, ignoring", strerror(errno));
}

/* Whoever reads the log may go away; recording must not end with it. */
static void ignore_broken_pipes(void)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)sigaction(SIGPIPE, &ignore, NULL); /* fails for wrong numbers only */
}

static int record(int argc, char **argv)
{
	int ready_fd = -1, code, err;

	ignore_broken_pipes();
	if (!rec.config.foreground) {
		err = fr_background_start(&ready_fd);
		if (err) {
			fr_err("cannot go into the background: %s; use --foreground",
			       strerror(-err));
			return FR_EXIT_IO;
		}
	}
	fr_daemon_block_signals(NULL);
	code = start(argc, argv);
	if (code == FR_EXIT_OK) {
		tell_ready();
		if (ready_fd >= 0)
			fr_background_ready(ready_fd);
		/* steady state: no malloc, no exit below (answers on the control socket apart: they
		 * are asked for, bounded, and freed with their client) */
		code = exit_code(fr_daemon_run(&daemon_state));
		fr_pidfile_remove(rec.config.pid_path);
	}
	fr_daemon_done(&daemon_state);
	fr_launcher_done(&launcher);
	fr_recorder_stop(&rec);
	return code;
}

static int self_test(void)
{
	int code = exit_code(fr_recorder_start(&rec));

	if (code == FR_EXIT_OK)
		code = fr_selftest_run(&rec);
	fr_recorder_stop(&rec);
	return code;
}

int main(int argc, char **argv)
{
	int err;

	fr_log_init("flightrecd", FR_LOG_INFO);
	rec.dump_dir_fd = -1;
	err = fr_config_load(&rec.config, argc, argv);
	if (err == -ECANCELED)
		return FR_EXIT_OK;
	if (err)
		return exit_code(err);
	fr_log_init("flightrecd", (enum fr_log_level)rec.config.log_level);
	if (rec.config.version) {
		printf("flightrecd %s\n", FR_VERSION);
		return FR_EXIT_OK;
	}
	if (rec.config.check_config)
		return print_config();
	allow_descriptors();
	if (fr_features_read(&rec.features, rec.config.btf_path))
		return FR_EXIT_NOKERNEL;
	if (rec.config.features)
		return print_features();
	if (fr_privilege_check(true))
		return FR_EXIT_NOPERM;
	return rec.config.self_test ? self_test() : record(argc, argv);
}
