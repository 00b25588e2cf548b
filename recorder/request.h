/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line of the control protocol: "VERB key=value key=value", values percent-encoded.
 *
 *   status [format=text|json|prometheus]     how recording goes
 *   trigger [reason=TEXT] [wait=0|1]         make a dump; wait=1 answers with its path when it is
 *                                            written
 *   list                                     the dumps there are: "UNIX_SECONDS BYTES PATH" each
 *   reload                                   read the configuration again
 *   stop                                     end the daemon
 *
 * The answer is a first line "ok" or "error CODE TEXT" (CODE: the exit code for the client), then
 * the body up to the end of the stream.
 */
#ifndef FR_RECORDER_REQUEST_H
#define FR_RECORDER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

enum fr_verb {
	FR_VERB_STATUS,
	FR_VERB_TRIGGER,
	FR_VERB_LIST,
	FR_VERB_RELOAD,
	FR_VERB_STOP,
	FR_VERB_CNT
};
enum fr_format { FR_FORMAT_TEXT, FR_FORMAT_JSON, FR_FORMAT_PROMETHEUS };

#define FR_REQUEST_BYTES_MAX 1024 /* a longer line is refused */
#define FR_REQUEST_REASON_BYTES 200

struct fr_request {
	enum fr_verb verb;
	enum fr_format format;
	bool wait;
	char reason[FR_REQUEST_REASON_BYTES]; /* control characters are replaced by '?' */
};

/*
 * Parses line_bytes bytes, any bytes, without the line's end. 0, or -EINVAL with one line for
 * people in err.
 */
int fr_request_parse(const char *line, size_t line_bytes, struct fr_request *ret_request, char *err,
		     size_t err_bytes);

#endif
