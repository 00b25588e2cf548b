/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands that only ask the daemon: status, trigger, list, reload, stop. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "control_client.h"
#include "tool.h"

#define ANSWER_MS 10000
#define DUMP_MS 200000 /* a daemon waits less for a dump */

struct ask {
	const char *control;
	const char *format; /* of status */
	const char *reason;
	bool wait;
	bool watch;
};

static int set_control(void *ctx, const char *value, char *err, size_t err_bytes)
{
	struct ask *a = ctx;

	a->control = value;
	if (*value)
		return 0;
	snprintf(err, err_bytes, "the name is empty");
	return -EINVAL;
}

static int set_format(struct ask *a, const char *format, char *err, size_t err_bytes)
{
	if (a->format) {
		snprintf(err, err_bytes, "one of --json and --prometheus, not both");
		return -EINVAL;
	}
	a->format = format;
	return 0;
}

static int set_json(void *ctx, const char *value, char *err, size_t err_bytes)
{
	(void)value;
	return set_format(ctx, "json", err, err_bytes);
}

static int set_prometheus(void *ctx, const char *value, char *err, size_t err_bytes)
{
	(void)value;
	return set_format(ctx, "prometheus", err, err_bytes);
}

static int set_watch(void *ctx, const char *value, char *err, size_t err_bytes)
{
	struct ask *a = ctx;

	(void)value;
	(void)err;
	(void)err_bytes;
	a->watch = true;
	return 0;
}

static int set_wait(void *ctx, const char *value, char *err, size_t err_bytes)
{
	struct ask *a = ctx;

	(void)value;
	(void)err;
	(void)err_bytes;
	a->wait = true;
	return 0;
}

static int set_reason(void *ctx, const char *value, char *err, size_t err_bytes)
{
	struct ask *a = ctx;

	(void)err;
	(void)err_bytes;
	a->reason = value;
	return 0;
}

#define OPTION_CONTROL                                                                             \
	{                                                                                          \
		"control", 0, "PATH",                                                              \
			"the daemon's control socket (default " FR_CONTROL_DEFAULT ")",            \
			set_control                                                                \
	}
#define EPILOG                                                                                     \
	"Exit codes: 0 ok, 1 suppressed or done only in part, 2 wrong use, 3 no permission,\n"     \
	"5 the daemon does not answer or failed."

static const struct fr_option status_options[] = {
	{ "json", 0, NULL, "print JSON", set_json },
	{ "prometheus", 0, NULL, "print metrics in the Prometheus text format", set_prometheus },
	{ "watch", 0, NULL, "print anew every second until interrupted", set_watch },
	OPTION_CONTROL,
	{ 0 },
};

static const struct fr_option trigger_options[] = {
	{ "reason", 0, "TEXT", "why; it is kept in the dump", set_reason },
	{ "wait", 0, NULL, "wait until the dump is written, and print its path", set_wait },
	OPTION_CONTROL,
	{ 0 },
};

static const struct fr_option plain_options[] = {
	OPTION_CONTROL,
	{ 0 },
};

/* Parses a command without positional arguments. 0; else *ret_exit is set. */
static int parse(const struct fr_command *cmd, int argc, char **argv, struct ask *a, int *ret_exit)
{
	int cnt = fr_cli_parse(cmd, argc, argv, a);

	*ret_exit = FR_EXIT_USAGE;
	if (cnt < 0)
		*ret_exit = fr_tool_parse_exit(cnt);
	else if (cnt > 0)
		fprintf(stderr, "%s: takes no argument, but got '%s'\nTry '%s --help'.\n",
			cmd->name, argv[1], cmd->name);
	return cnt;
}

static int ask_and_print(const struct ask *a, const char *request, int timeout_ms)
{
	struct fr_buf body = { 0 };
	int ret = fr_control_ask(a->control, request, timeout_ms, &body);

	if (!ret)
		ret = fr_tool_print(&body);
	fr_buf_done(&body);
	return ret;
}

static int plain(const struct fr_command *cmd, int argc, char **argv, const char *request)
{
	struct ask a = { 0 };
	int ret;

	if (parse(cmd, argc, argv, &a, &ret))
		return ret;
	return ask_and_print(&a, request, ANSWER_MS);
}

static int watch(const struct ask *a, const char *request)
{
	struct itimerspec every = { .it_interval = { .tv_sec = 1 }, .it_value = { .tv_nsec = 1 } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), ret = 0;
	bool clear = isatty(STDOUT_FILENO);
	uint64_t ticks;

	if (fd < 0 || timerfd_settime(fd, 0, &every, NULL)) {
		fprintf(stderr, "flightrec status: no timer: %s\n", strerror(errno));
		ret = FR_EXIT_IO;
	}
	while (!ret && read(fd, &ticks, sizeof(ticks)) == sizeof(ticks)) {
		if (clear)
			printf("\033[H\033[2J");
		ret = ask_and_print(a, request, ANSWER_MS);
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

int fr_cmd_status(int argc, char **argv)
{
	static const struct fr_command cmd = {
		.name = "flightrec status",
		.synopsis = "[--json|--prometheus] [--watch] [--control PATH]",
		.about = "Asks the daemon what it records, how many seconds a dump would hold now, "
			 "and what it\ncounted. flightrec(1) says what each line means.",
		.options = status_options,
		.epilog = EPILOG,
	};
	struct ask a = { 0 };
	char request[64];
	int ret;

	if (parse(&cmd, argc, argv, &a, &ret))
		return ret;
	snprintf(request, sizeof(request), "status format=%s", a.format ? a.format : "text");
	return a.watch ? watch(&a, request) : ask_and_print(&a, request, ANSWER_MS);
}

int fr_cmd_trigger(int argc, char **argv)
{
	static const struct fr_command cmd = {
		.name = "flightrec trigger",
		.synopsis = "[--reason TEXT] [--wait] [--control PATH]",
		.about = "Has the daemon write a dump of the last seconds. Without --wait it "
			 "prints at once what became\nof that (started, joined, queued or "
			 "suppressed) and the number of the dump that tells of it.",
		.options = trigger_options,
		.epilog = EPILOG,
	};
	struct fr_buf request = { 0 };
	struct ask a = { 0 };
	int ret;

	if (parse(&cmd, argc, argv, &a, &ret))
		return ret;
	fr_buf_add_str(&request, "trigger reason=");
	fr_control_escape(&request, a.reason ? a.reason : "");
	fr_buf_printf(&request, " wait=%d", a.wait);
	fr_buf_add(&request, "", 1);
	if (request.err) {
		fprintf(stderr, "flightrec trigger: %s\n", strerror(-request.err));
		ret = FR_EXIT_IO;
	} else {
		ret = ask_and_print(&a, (const char *)request.data, a.wait ? DUMP_MS : ANSWER_MS);
	}
	fr_buf_done(&request);
	return ret;
}

int fr_cmd_list(int argc, char **argv)
{
	static const struct fr_command cmd = {
		.name = "flightrec list",
		.synopsis = "[--control PATH]",
		.about = "Lists the dumps in the daemon's folder, a line each: unix time, bytes, "
			 "path.",
		.options = plain_options,
		.epilog = EPILOG,
	};

	return plain(&cmd, argc, argv, "list");
}

int fr_cmd_reload(int argc, char **argv)
{
	static const struct fr_command cmd = {
		.name = "flightrec reload",
		.synopsis = "[--control PATH]",
		.about = "Has the daemon read its configuration again: all of it takes effect, or "
			 "nothing.",
		.options = plain_options,
		.epilog = EPILOG,
	};

	return plain(&cmd, argc, argv, "reload");
}

int fr_cmd_stop(int argc, char **argv)
{
	static const struct fr_command cmd = {
		.name = "flightrec stop",
		.synopsis = "[--control PATH]",
		.about = "Ends the daemon.",
		.options = plain_options,
		.epilog = EPILOG,
	};

	return plain(&cmd, argc, argv, "stop");
}
