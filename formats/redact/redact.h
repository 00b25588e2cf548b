/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of the bytes that passed through sockets, of command lines and of environments may reach the
 * disk. A list of what is let through, never one of what is held back: what is not understood is
 * taken away.
 *
 * Bytes are rewritten where they lie, each at its place in the stream, so that the parsers in wire/
 * find in what is left what they found before: what is taken away becomes a filler of the same
 * length ('?', in a URL '*', in a number '0', in a comment a blank), or is cut off the end.
 *
 * Transfers come in order of time over all CPUs. State is kept per socket and direction in a table
 * of fixed size. A message in several parts is judged anew with each, from its first byte, but what
 * an earlier part gave away is never taken back: so a part gives only what no later byte can turn
 * into a secret. A part whose predecessor was not understood gives nothing.
 */
#ifndef FR_REDACT_REDACT_H
#define FR_REDACT_REDACT_H

#include "../base/bytes.h"

enum fr_redact { FR_REDACT_STANDARD, FR_REDACT_STRICT, FR_REDACT_OFF };

/* X(NAME, name): why bytes were taken away. They are told in Loss.removed of every dump. */
#define FR_REMOVALS(X)                                                                             \
	X(HEADERS, headers) /* HTTP header lines */                                                \
	X(BODY, body)	    /* HTTP bodies */                                                      \
	X(QUERY, query)	    /* values in the query of a URL */                                     \
	X(URL, url)	    /* user info, parameters and fragment of a URL; strict: path, host */  \
	X(LITERALS, literals)	/* SQL */                                                          \
	X(COMMENTS, comments)	/* SQL */                                                          \
	X(SQL, sql)		/* SQL that is unclear; strict: all but the summary */             \
	X(BINDS, binds)		/* values of a statement's parameters */                           \
	X(ROWS, rows)		/* results of statements: names and values */                      \
	X(COPY, copy)		/* COPY data */                                                    \
	X(LOGIN, login)		/* passwords, keys, settings of a session */                       \
	X(ERRORS, errors)	/* texts of errors and notices */                                  \
	X(VALUES, values)	/* Redis arguments and replies */                                  \
	X(ANSWERS, answers)	/* DNS: all but header and question */                             \
	X(ARGUMENTS, arguments) /* command lines */                                                \
	X(ENVIRONMENT, environment)                                                                \
	X(UNKNOWN, unknown) /* not understood, or begun before it could be */

#define FR_REMOVAL_ENUM(NAME, name) FR_REMOVED_##NAME,
enum fr_removal { FR_REMOVALS(FR_REMOVAL_ENUM) FR_REMOVAL_CNT };
#undef FR_REMOVAL_ENUM

struct fr_redact_rules {
	enum fr_redact level;
	bool keep_query; /* values of a URL's query stay, but those of names that promise a secret
			  */
};

struct fr_redact_counts {
	uint64_t removed_bytes[FR_REMOVAL_CNT];
	uint64_t evicted_cnt; /* sockets and messages forgotten for want of room */
};

/* One transfer. */
struct fr_redact_part {
	uint64_t sock_id;    /* 0 = no state */
	uint64_t stream_off; /* of its first byte */
	uint64_t transfer_bytes;
	bool is_send;
	bool start;    /* first data after the other direction's */
	bool datagram; /* a message of its own */
};

struct fr_redactor;

/* All its memory, about 2.5 MiB, comes from here. NULL without memory. Not for FR_REDACT_OFF. */
struct fr_redactor *fr_redactor_new(const struct fr_redact_rules *rules,
				    struct fr_redact_counts *counts);
void fr_redactor_free(struct fr_redactor *r);

/* The first bytes of a transfer, rewritten; returns how many of them are left. */
size_t fr_redact_bytes(struct fr_redactor *r, const struct fr_redact_part *p, uint8_t *bytes,
		       size_t bytes_cnt);
/* Its id will not come again. */
void fr_redact_forget(struct fr_redactor *r, uint64_t sock_id);

/*
 * Strings that each end with a zero, the last one perhaps cut; rewritten, returns how many bytes
 * are left. Of arguments argv[0] stays, and with standard the others but for what looks like a
 * secret: "***" stands for it.
 */
size_t fr_redact_args(const struct fr_redact_rules *rules, struct fr_redact_counts *counts,
		      uint8_t *args, size_t args_bytes);
/* Of an environment the variables of OpenTelemetry's resource stay, whatever the level. */
size_t fr_redact_environment(struct fr_redact_counts *counts, uint8_t *env, size_t env_bytes);

const char *fr_removal_name(enum fr_removal why);

#endif
