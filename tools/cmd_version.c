/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "tool.h"

int fr_cmd_version(int argc, char **argv)
{
	static const struct fr_option options[] = { { 0 } };
	static const struct fr_command command = {
		.name = "flightrec version",
		.synopsis = "",
		.about = "Prints the version of this program.",
		.options = options,
	};
	int cnt = fr_cli_parse(&command, argc, argv, NULL);

	if (cnt < 0)
		return fr_tool_parse_exit(cnt);
	if (cnt > 0) {
		fprintf(stderr, "flightrec version: takes no argument, but got '%s'\n", argv[1]);
		return FR_EXIT_USAGE;
	}
	printf("flightrec %s\n", FR_VERSION);
	return FR_EXIT_OK;
}
