/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages for people, on stderr: "flightrecd: <text>". One line each: thing, reason, next step.
 * Under systemd (JOURNAL_STREAM) lines carry the <N> priority prefix instead of the name. A daemon
 * that loses its terminal can send them to the system's log instead (RFC 3164, without a time: the
 * log has its own).
 */
#ifndef FR_BASE_LOG_H
#define FR_BASE_LOG_H

#include <stdbool.h>

enum fr_log_level { FR_LOG_ERR = 3, FR_LOG_WARN = 4, FR_LOG_INFO = 6, FR_LOG_DEBUG = 7 };

void fr_log_init(const char *program, enum fr_log_level max_level);
/* From now on to the system's log, never waiting for it: a line that it has no room for is lost.
 * 0, or -errno when there is none; then nothing changes. */
int fr_log_to_system(void);
bool fr_log_on(enum fr_log_level level);
__attribute__((format(printf, 2, 3))) void fr_log(enum fr_log_level level, const char *fmt, ...);

#define fr_err(...) fr_log(FR_LOG_ERR, __VA_ARGS__)
#define fr_warn(...) fr_log(FR_LOG_WARN, __VA_ARGS__)
#define fr_info(...) fr_log(FR_LOG_INFO, __VA_ARGS__)
#define fr_debug(...) fr_log(FR_LOG_DEBUG, __VA_ARGS__)

#endif
