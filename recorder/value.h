/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values of settings, from text and back. Each fr_value_NAME() returns 0, or -EINVAL with the
 * reason for people in err (n bytes) and the result untouched.
 */
#ifndef FR_RECORDER_VALUE_H
#define FR_RECORDER_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/base/buf.h"

/* Writes the reason and returns -EINVAL. */
__attribute__((format(printf, 3, 4))) int fr_value_refuse(char *err, size_t err_bytes,
							  const char *fmt, ...);
int fr_value_number(const char *s, uint64_t min, uint64_t max, uint64_t *ret, char *err, size_t n);
int fr_value_size(const char *s, uint64_t min, uint64_t max, uint64_t *ret, char *err, size_t n);
int fr_value_duration(const char *s, uint64_t min, uint64_t max, uint64_t *ret, char *err,
		      size_t n);
/* s NULL: a switch that was given. */
int fr_value_bool(const char *s, bool *ret, char *err, size_t n);
/* Index of s in a list of names, or -EINVAL and the list in err. */
int fr_value_choice(const char *s, const char *const *names, uint32_t cnt, char *err, size_t n);
/* Next word of a comma list into word; false at the end. Words that don't fit come back as "". */
bool fr_value_word(const char **at, char *word, size_t word_bytes);
/* Into path (PATH_MAX bytes), made absolute, so that nothing depends on the folder that the daemon
 * was started in; "" if s is the word `none` (may be NULL). */
int fr_value_path(const char *s, const char *none, char *path, char *err, size_t n);

/* Exact, in the largest unit that is: what fr_value_size() and fr_value_duration() take. */
void fr_value_put_size(struct fr_buf *out, uint64_t v);
void fr_value_put_duration(struct fr_buf *out, uint64_t v);

#endif
