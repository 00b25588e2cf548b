/* SPDX-License-Identifier: BSD-2-Clause */
/* flightrec: what to do with dumps, and how to speak to the daemon. */
#include <stdio.h>
#include <string.h>

#include "../formats/base/log.h"
#include "tool.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *about;
} commands[] = {
	{ "convert", fr_cmd_convert, "turn dumps into a trace for a viewer, or into text" },
	{ "info", fr_cmd_info, "say what is in a dump" },
	{ "verify", fr_cmd_verify, "check a dump: sound, or up to where" },
	{ "status", fr_cmd_status, "ask the daemon how it is" },
	{ "trigger", fr_cmd_trigger, "have the daemon write a dump" },
	{ "list", fr_cmd_list, "list the daemon's dumps" },
	{ "reload", fr_cmd_reload, "have the daemon read its configuration again" },
	{ "stop", fr_cmd_stop, "end the daemon" },
	{ "sql-normalize", fr_cmd_sql_normalize, "show what is kept of SQL texts" },
	{ "traceparent", fr_cmd_traceparent, "show the trace context in header lines" },
	{ "version", fr_cmd_version, "print the version" },
};
#define COMMAND_CNT (sizeof(commands) / sizeof(*commands))

static void help(FILE *to)
{
	fprintf(to, "Usage: flightrec COMMAND [OPTIONS]\n\n"
		    "Converts and examines the dumps of flightrecd, the flight recorder, on any "
		    "machine\n"
		    "and without privileges; and speaks to a running flightrecd.\n\nCommands:\n");
	for (size_t i = 0; i < COMMAND_CNT; i++)
		fprintf(to, "  %-13s %s\n", commands[i].name, commands[i].about);
	fprintf(to, "\n'flightrec COMMAND --help' tells the options of each.\n"
		    "Exit codes: 0 ok, 1 done but something was damaged or lost, 2 wrong use,\n"
		    "3 no permission, 5 input or output failed. See flightrec(1).\n");
}

int main(int argc, char **argv)
{
	char *help_argv[] = { NULL, (char *)"--help", NULL };
	const char *name = argc > 1 ? argv[1] : "";
	bool is_help = !strcmp(name, "help") || !strcmp(name, "--help") || !strcmp(name, "-h");

	fr_log_init("flightrec", FR_LOG_INFO);
	if (is_help && argc < 3) {
		help(stdout);
		return FR_EXIT_OK;
	}
	if (is_help)
		name = argv[2];
	if (!strcmp(name, "--version"))
		name = "version";
	for (size_t i = 0; i < COMMAND_CNT; i++) {
		if (strcmp(commands[i].name, name))
			continue;
		help_argv[0] = argv[argc > 1];
		return is_help ? commands[i].run(2, help_argv)
			       : commands[i].run(argc - 1, argv + 1);
	}
	if (!*name)
		help(stderr);
	else
		fprintf(stderr, "flightrec: there is no command '%s'.\nTry 'flightrec --help'.\n",
			name);
	return FR_EXIT_USAGE;
}
