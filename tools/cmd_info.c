/* SPDX-License-Identifier: BSD-2-Clause */
/* flightrec info and flightrec verify: one dump each, looked at whole. */
#include <stdio.h>
#include <string.h>

#include "../formats/base/log.h"
#include "../formats/out/info.h"
#include "tool.h"

struct look {
	bool json;
};

static int set_json(void *ctx, const char *value, char *err, size_t err_bytes)
{
	struct look *l = ctx;

	(void)value;
	(void)err;
	(void)err_bytes;
	l->json = true;
	return 0;
}

static const struct fr_option options[] = {
	{ "json", 0, NULL, "print one JSON object; 64-bit numbers are strings in it", set_json },
	{ 0 },
};

static int look_at(const struct fr_command *cmd, int argc, char **argv,
		   int (*run)(struct fr_dump *d, const struct fr_dump_report *r))
{
	struct fr_tool_dumps dumps;
	struct fr_dump_report r;
	struct fr_buf out = { 0 };
	struct look l = { 0 };
	int cnt = fr_cli_parse(cmd, argc, argv, &l), ret, printed;

	if (cnt < 0)
		return fr_tool_parse_exit(cnt);
	if (cnt != 1) {
		fprintf(stderr, "%s: needs one dump, but got %d\nTry '%s --help'.\n", cmd->name,
			cnt, cmd->name);
		return FR_EXIT_USAGE;
	}
	ret = fr_tool_open(argv + 1, 1, &dumps);
	if (!ret && dumps.cnt != 1) {
		fprintf(stderr, "%s: %s is a folder with %zu dumps: name one of them\n", cmd->name,
			argv[1], dumps.cnt);
		ret = FR_EXIT_USAGE;
	}
	if (!ret) {
		r = (struct fr_dump_report){ &out, l.json, dumps.dumps[0].name };
		ret = run(dumps.dumps[0].dump, &r);
		printed = ret < 0 ? 0 : fr_tool_print(&out);
		if (ret < 0)
			fr_err("%s: %s", dumps.dumps[0].name, strerror(-ret));
		else if (ret == FR_EXIT_IO)
			fr_err("%s: nothing in it can be read", dumps.dumps[0].name);
		else if (ret == FR_EXIT_DAMAGED && fr_dump_incomplete(dumps.dumps[0].dump))
			fr_warn("%s is incomplete: its writer did not reach the end, or it was cut",
				dumps.dumps[0].name);
		else if (ret == FR_EXIT_DAMAGED)
			fr_warn("%s is damaged: %zu problems", dumps.dumps[0].name,
				fr_dump_problem_cnt(dumps.dumps[0].dump));
		ret = printed ? printed : ret < 0 ? FR_EXIT_IO : ret;
	}
	fr_buf_done(&out);
	fr_tool_close(&dumps);
	return ret;
}

int fr_cmd_info(int argc, char **argv)
{
	static const struct fr_command command = {
		.name = "flightrec info",
		.synopsis = "DUMP [--json]",
		.about = "Says what is in a dump: host, trigger, window, per CPU what was kept and "
			 "what was lost,\nevents by kind, names. DUMP may be - for standard input.",
		.options = options,
		.epilog = "Exit codes: 0 ok, 1 damaged or incomplete, 2 not a dump or a newer one, "
			  "3 no permission,\n5 nothing readable.",
	};

	return look_at(&command, argc, argv, fr_info_run);
}

int fr_cmd_verify(int argc, char **argv)
{
	static const struct fr_command command = {
		.name = "flightrec verify",
		.synopsis = "DUMP [--json]",
		.about = "Reads a dump to the last byte and says whether it is sound, or up to "
			 "where, "
			 "and each problem\nwith its place in the file. DUMP may be - for standard "
			 "input.",
		.options = options,
		.epilog = "Exit codes: 0 sound, 1 damaged or incomplete, 2 not a dump or a newer "
			  "one, "
			  "3 no permission,\n5 nothing readable.",
	};

	return look_at(&command, argc, argv, fr_verify_run);
}
