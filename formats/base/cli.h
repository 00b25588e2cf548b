/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Command lines: one table of options per command gives parsing, --help and the names that the
 * documentation checks compare. Also sizes, durations and times as users write them.
 */
#ifndef FR_BASE_CLI_H
#define FR_BASE_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit codes of both programs. */
enum fr_exit {
	FR_EXIT_OK = 0,
	FR_EXIT_DAMAGED = 1,  /* done, but something was damaged, lost, rejected or suppressed */
	FR_EXIT_USAGE = 2,    /* wrong option, configuration, not a dump, newer incompatible dump */
	FR_EXIT_NOPERM = 3,   /* no permission */
	FR_EXIT_NOKERNEL = 4, /* this kernel lacks something essential */
	FR_EXIT_IO = 5,	      /* I/O or network failed, nothing readable, second instance */
};

struct fr_option {
	const char *name; /* without "--"; NULL ends the table */
	char short_name;  /* 0 = none */
	const char *arg;  /* what the value is called in help, e.g. "SIZE"; NULL = a switch */
	const char *help; /* one line, may contain \n for more */
	/* Called for each occurrence (value NULL for switches). 0, or a negative errno with the
	 * reason written to err (one line, without the option's name). */
	int (*set)(void *ctx, const char *value, char *err, size_t err_bytes);
};

struct fr_command {
	const char *name;     /* "flightrec convert" */
	const char *synopsis; /* "DUMP... --to FORMAT [-o FILE]" */
	const char *about;    /* one paragraph */
	const struct fr_option *options;
	const char *epilog; /* examples, exit codes; may be NULL */
};

/*
 * Parses argv[1..argc-1] (options anywhere, "--" ends them, "--name=value" and "--name value",
 * unambiguous prefixes are not accepted). --help prints the help to stdout. Positional arguments
 * are moved to the front of argv + 1.
 * Returns the count of positional arguments; -ECANCELED after --help was printed (exit 0); -EINVAL
 * after a message on stderr that names the option, the reason and the next step (exit 2).
 */
int fr_cli_parse(const struct fr_command *cmd, int argc, char **argv, void *ctx);
void fr_cli_help(const struct fr_command *cmd);

/* K, M, G, T = 1024-based, also "KiB" and "1.5 GiB"; no suffix = bytes. -EINVAL, -ERANGE. */
int fr_parse_size(const char *s, uint64_t *ret_bytes);
/* ns, us, ms, s, m (min), h; a fraction is allowed ("1.5s"); a unit is required except for 0.
 * -EINVAL, -ERANGE. */
int fr_parse_duration(const char *s, uint64_t *ret_ns);
/* Decimal digits only. -EINVAL; -ERANGE above max. */
int fr_parse_u64(const char *s, uint64_t max, uint64_t *ret);
int fr_parse_bool(const char *s, bool *ret); /* on/off, yes/no, true/false, 1/0 */

/* A time as users write it. */
struct fr_when {
	bool relative;	  /* offset_ns to the trigger, else unix_ns */
	int64_t offset_ns;
	uint64_t unix_ns;
};
/* RFC 3339 with fraction and Z or an offset, unix seconds with fraction, or -2s / +500ms.
 * -EINVAL; -ERANGE when it doesn't fit in nanoseconds (before 1970, after 2554). */
int fr_parse_when(const char *s, struct fr_when *ret_when);

/* "2026-11-23T17:15:52.123456789Z" into at least 31 bytes; returns buf. */
char *fr_format_time(uint64_t unix_ns, unsigned int fraction_digits, char *buf, size_t buf_bytes);
/* "1.5 s", "230 ms", "12 us": three significant digits, for people, into at least 24 bytes, as
 * the parsers above read them; return buf. */
char *fr_format_duration(uint64_t ns, char *buf, size_t buf_bytes);
char *fr_format_size(uint64_t bytes, char *buf, size_t buf_bytes);

#endif
