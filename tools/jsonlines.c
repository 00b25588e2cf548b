/* SPDX-License-Identifier: BSD-2-Clause */
#include "jsonlines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../formats/base/log.h"
#include "tool.h"

static bool is_blank(const char *line, size_t line_bytes)
{
	for (size_t i = 0; i < line_bytes; i++)
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r' && line[i] != '\n')
			return false;
	return true;
}

struct lines {
	fr_jsonlines_fn *answer;
	void *ctx;
	struct fr_buf out; /* the answer in hand */
	uint64_t line_cnt;
	uint64_t bad_cnt;
};

static void say_bad(struct lines *l, const char *why, size_t at_bytes)
{
	struct fr_json j = fr_json_on(&l->out);

	l->bad_cnt++;
	fr_warn("line %llu, byte %zu: %s; each line must be one JSON object",
		(unsigned long long)l->line_cnt, at_bytes + 1, why);
	fr_buf_clear(&l->out);
	fr_json_object(&j);
	fr_json_kv_str(&j, "error", why);
	fr_json_object_end(&j);
}

static void answer_line(struct lines *l, const char *line, size_t line_bytes)
{
	struct fr_jsonread r = fr_jsonread_of(line, line_bytes);
	struct fr_json j = fr_json_on(&l->out);

	fr_buf_clear(&l->out);
	if (line_bytes > FR_JSONLINES_BYTES_MAX) {
		say_bad(l, "the line is longer than 16 MiB", 0);
	} else {
		fr_json_object(&j);
		l->answer(l->ctx, &r, &j);
		fr_json_object_end(&j);
		if (r.why)
			say_bad(l, r.why, fr_jsonread_offset(&r));
	}
	fr_buf_add_char(&l->out, '\n');
}

int fr_jsonlines(fr_jsonlines_fn *answer, void *ctx)
{
	struct lines l = { .answer = answer, .ctx = ctx };
	char *line = NULL;
	size_t room_bytes = 0;
	ssize_t line_bytes;
	int ret = FR_EXIT_OK;

	setvbuf(stdout, NULL, _IOLBF, 0); /* whoever asks line by line gets an answer to each */
	while (!ret && (line_bytes = getline(&line, &room_bytes, stdin)) >= 0) {
		l.line_cnt++;
		if (is_blank(line, (size_t)line_bytes))
			continue;
		answer_line(&l, line, (size_t)line_bytes);
		if (l.out.err) {
			fr_err("cannot answer line %llu: %s", (unsigned long long)l.line_cnt,
			       strerror(-l.out.err));
			ret = FR_EXIT_IO;
		} else if (fwrite(l.out.data, 1, l.out.len_bytes, stdout) != l.out.len_bytes) {
			fr_err("cannot write to standard output: %s", strerror(errno));
			ret = FR_EXIT_IO;
		}
	}
	if (!ret && ferror(stdin)) {
		fr_err("cannot read standard input: %s", strerror(errno));
		ret = FR_EXIT_IO;
	}
	if (!ret && fflush(stdout)) {
		fr_err("cannot write to standard output: %s", strerror(errno));
		ret = FR_EXIT_IO;
	}
	free(line);
	fr_buf_done(&l.out);
	return !ret && l.bad_cnt ? FR_EXIT_DAMAGED : ret;
}
