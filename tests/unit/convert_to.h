/* SPDX-License-Identifier: BSD-2-Clause */
/* Converting dumps into memory, and a strict look at JSON. */
#ifndef FR_TESTS_CONVERT_TO_H
#define FR_TESTS_CONVERT_TO_H

#include <sys/mman.h>
#include <unistd.h>

#include "formats/out/convert.h"

/* Converts one dump; opt has all, from_ns, to_ns (0 = the default range) and filter. Returns the
 * output, with a zero behind it, to be freed, or NULL and *ret_err. */
static inline char *convert_to_bytes(struct fr_dump *d, const char *sink,
				     const struct fr_convert *opt,
				     struct fr_convert_stats *ret_stats, size_t *ret_bytes,
				     int *ret_err)
{
	struct fr_session_dump in = { .dump = d, .name = "test.frd" };
	struct fr_convert c = *opt;
	struct fr_session *s;
	struct fr_out out;
	char why[400], *text;
	off_t size;
	int fd;

	*ret_err = fr_session_open(&in, 1, &s, why, sizeof(why));
	if (*ret_err)
		return NULL;
	fd = memfd_create("converted", MFD_CLOEXEC);
	c.session = s;
	c.version = "test";
	c.out = &out;
	if (!c.from_ns)
		c.from_ns = c.all ? s->start_ns : s->common_ns;
	if (!c.to_ns)
		c.to_ns = s->end_ns;
	*ret_err = fr_out_open_fd(&out, fd);
	if (!*ret_err)
		*ret_err = fr_convert_run(&c, fr_sink_find(sink), NULL, ret_stats);
	if (*ret_err)
		fr_out_abort(&out);
	else
		*ret_err = fr_out_close(&out);
	size = lseek(fd, 0, SEEK_END);
	text = malloc((size_t)size + 1);
	if (text && pread(fd, text, (size_t)size, 0) == size)
		text[size] = 0;
	close(fd);
	fr_session_close(s);
	*ret_bytes = (size_t)size;
	if (!*ret_err)
		return text;
	free(text);
	return NULL;
}

static inline char *convert_to(struct fr_dump *d, const char *sink, const struct fr_convert *opt,
			       struct fr_convert_stats *ret_stats, int *ret_err)
{
	size_t bytes;

	return convert_to_bytes(d, sink, opt, ret_stats, &bytes, ret_err);
}

/* ---- JSON, strictly ------------------------------------------------------------------------- */

static inline const char *json_string(const char *p)
{
	for (p++; *p != '"'; p++) {
		if ((unsigned char)*p < 0x20)
			return NULL;
		if (*p != '\\')
			continue;
		p++;
		if (*p == 'u') {
			for (int i = 0; i < 4; i++)
				if (!strchr("0123456789abcdefABCDEF", *++p) || !*p)
					return NULL;
		} else if (!*p || !strchr("\"\\/bfnrt", *p)) {
			return NULL;
		}
	}
	return p + 1;
}

static inline const char *json_number(const char *p)
{
	if (*p == '-')
		p++;
	if (*p == '0')
		p++;
	else if (*p >= '1' && *p <= '9')
		p += strspn(p, "0123456789");
	else
		return NULL;
	if (*p == '.') {
		if (!strspn(p + 1, "0123456789"))
			return NULL;
		p += 1 + strspn(p + 1, "0123456789");
	}
	return p;
}

static inline const char *json_space(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

static inline const char *json_value(const char *p, int depth);

/* What is between brackets, from the opening one on. */
static inline const char *json_inside(const char *p, char close, int depth)
{
	p = json_space(p + 1);
	if (*p == close)
		return p + 1;
	for (;;) {
		if (close == '}') {
			p = *p == '"' ? json_string(p) : NULL;
			if (!p || *(p = json_space(p)) != ':')
				return NULL;
			p = json_space(p + 1);
		}
		p = json_value(p, depth + 1);
		if (!p)
			return NULL;
		p = json_space(p);
		if (*p == close)
			return p + 1;
		if (*p != ',')
			return NULL;
		p = json_space(p + 1);
	}
}

static inline const char *json_value(const char *p, int depth)
{
	static const char *const words[] = { "true", "false", "null" };

	if (depth > 64)
		return NULL;
	if (*p == '{')
		return json_inside(p, '}', depth);
	if (*p == '[')
		return json_inside(p, ']', depth);
	if (*p == '"')
		return json_string(p);
	for (size_t i = 0; i < 3; i++)
		if (!strncmp(p, words[i], strlen(words[i])))
			return p + strlen(words[i]);
	return json_number(p);
}

/* The whole text is one JSON value. */
static inline bool is_json(const char *text)
{
	const char *end = json_value(json_space(text), 0);

	return end && !*json_space(end);
}

#endif
