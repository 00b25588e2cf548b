/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of flightrec, and what they share: opening dumps, saying why not. */
#ifndef FR_TOOLS_TOOL_H
#define FR_TOOLS_TOOL_H

#include "../formats/base/buf.h"
#include "../formats/base/cli.h"
#include "../formats/dump/reader.h"

/* Each takes its own argv (argv[0] is the command's name) and returns an exit code. */
int fr_cmd_convert(int argc, char **argv);
int fr_cmd_info(int argc, char **argv);
int fr_cmd_verify(int argc, char **argv);
int fr_cmd_status(int argc, char **argv);
int fr_cmd_trigger(int argc, char **argv);
int fr_cmd_list(int argc, char **argv);
int fr_cmd_reload(int argc, char **argv);
int fr_cmd_stop(int argc, char **argv);
int fr_cmd_sql_normalize(int argc, char **argv);
int fr_cmd_traceparent(int argc, char **argv);
int fr_cmd_version(int argc, char **argv);

struct fr_tool_dump {
	struct fr_dump *dump;
	char *name; /* owned; "standard input" for "-" */
	int fd;
};

struct fr_tool_dumps {
	struct fr_tool_dump *dumps; /* owned */
	size_t cnt;
};

/* Opens files, folders (every *.frd in them, by name) and "-". 0, or an exit code after a message.
 * Call close in either case. */
int fr_tool_open(char *const *paths, int path_cnt, struct fr_tool_dumps *ret);
void fr_tool_close(struct fr_tool_dumps *d);

/* Exit code for an errno of the system. */
int fr_tool_exit_of(int err);

/* Exit code of a parse result below zero: 0 after --help, else 2. */
int fr_tool_parse_exit(int parsed);

/* Writes all of b to stdout. 0, or an exit code after a message. */
int fr_tool_print(const struct fr_buf *b);

#endif
