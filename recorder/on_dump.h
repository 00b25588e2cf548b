/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What on_dump and on_dump_endpoint say: settings (settings.c has their rows), and the commands
 * that come of them. Who runs them is launcher.h.
 */
#ifndef FR_RECORDER_ON_DUMP_H
#define FR_RECORDER_ON_DUMP_H

#include "config.h"

#define FR_COMMAND_WORDS_MAX 32

/* A command as words. */
struct fr_words {
	char text[FR_ON_DUMP_BYTES_MAX]; /* of all words, each with its zero byte */
	char *argv[FR_COMMAND_WORDS_MAX + 1];
	uint32_t cnt;
};

/*
 * Words are separated by blanks. '...' is taken as it is; in "..." and outside of quotes a
 * backslash takes away the meaning of the next character. Nothing else is special: there are no
 * variables, no patterns and no pipes; who wants a shell says sh -c '...'. 0, or -EINVAL with the
 * reason. ret must stay where it is.
 */
int fr_words_split(const char *command, struct fr_words *ret, char *err, size_t err_bytes);

/* Where programs are looked for: the daemon's own PATH may be anything. */
#define FR_ON_DUMP_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/*
 * The file of a command's first word, into path (PATH_MAX bytes). -EINVAL with the reason: a
 * relative path; none there, or not executable; one that anybody may change.
 */
int fr_program_find(const char *name, char *path, char *err, size_t err_bytes);
/* The flightrec that belongs to this flightrecd: beside it, in ../bin, else as above; and of an
 * owner that we trust already. Same results. */
int fr_program_tool(char *path, char *err, size_t err_bytes);

int fr_on_dump_set_command(void *config, const char *value, char *err, size_t err_bytes);
void fr_on_dump_get_command(const struct fr_config *config, struct fr_buf *out);
int fr_on_dump_set_endpoint(void *config, const char *value, char *err, size_t err_bytes);
void fr_on_dump_get_endpoint(const struct fr_config *config, struct fr_buf *out);
int fr_on_dump_set_timeout(void *config, const char *value, char *err, size_t err_bytes);
void fr_on_dump_get_timeout(const struct fr_config *config, struct fr_buf *out);

#endif
