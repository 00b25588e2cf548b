/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "../base/json.h"
#include "../dump/census.h"
#include "info.h"

static bool is_sound(const struct fr_dump *d, const struct fr_census *c)
{
	return !fr_dump_problem_cnt(d) && !fr_dump_incomplete(d) && !c->bad_chunks &&
	       !c->bad_rows && !c->unsound && !c->lost_records;
}

static void put_json(const struct fr_dump *d, const struct fr_dump_report *r,
		     const struct fr_census *c)
{
	struct fr_json j = fr_json_on(r->out);
	const struct fr_dump_problem *p;

	fr_json_object(&j);
	fr_json_kv_str(&j, "file", r->file);
	fr_json_kv_bool(&j, "sound", is_sound(d, c));
	fr_json_kv_bool(&j, "incomplete", fr_dump_incomplete(d));
	fr_json_kv_u64_str(&j, "file_bytes", fr_dump_file_bytes(d));
	fr_json_kv_u64_str(&j, "sound_until", fr_dump_sound_until(d));
	fr_json_kv_u64(&j, "chunks", fr_dump_chunk_cnt(d));
	fr_json_kv_u64_str(&j, "bad_chunks", c->bad_chunks);
	fr_json_kv_u64_str(&j, "unknown_chunks", fr_dump_unknown_chunks(d));
	fr_json_kv_u64_str(&j, "events", c->records);
	fr_json_kv_u64_str(&j, "bad_events", c->unsound);
	fr_json_kv_u64_str(&j, "unknown_events", c->unknown_kinds);
	fr_json_kv_u64_str(&j, "lost_events", c->lost_records);
	fr_json_kv_u64_str(&j, "bad_rows", c->bad_rows);
	fr_json_kv_u64_str(&j, "problem_count", fr_dump_problem_cnt(d));
	fr_json_key(&j, "problems");
	fr_json_array(&j);
	for (size_t i = 0; (p = fr_dump_problem(d, i)); i++) {
		fr_json_object(&j);
		fr_json_kv_u64_str(&j, "offset", p->off);
		fr_json_kv_str(&j, "what", p->what);
		fr_json_object_end(&j);
	}
	fr_json_array_end(&j);
	fr_json_object_end(&j);
	fr_buf_add_char(r->out, '\n');
}

static void put_problems(const struct fr_dump *d, struct fr_buf *out)
{
	size_t cnt = fr_dump_problem_cnt(d), i;
	const struct fr_dump_problem *p;

	for (i = 0; (p = fr_dump_problem(d, i)); i++)
		fr_buf_printf(out, "  at byte %llu: %s\n", (unsigned long long)p->off, p->what);
	if (cnt > i)
		fr_buf_printf(out, "  and %zu more\n", cnt - i);
}

static void put_text(const struct fr_dump *d, const struct fr_dump_report *r,
		     const struct fr_census *c)
{
	unsigned long long file_bytes = fr_dump_file_bytes(d), until = fr_dump_sound_until(d);
	struct fr_buf *out = r->out;

	if (is_sound(d, c)) {
		fr_buf_printf(out, "%s: sound, %llu bytes, %zu chunks, %llu events\n", r->file,
			      file_bytes, fr_dump_chunk_cnt(d), (unsigned long long)c->records);
	} else {
		fr_buf_printf(out,
			      "%s: %s, sound up to byte %llu of %llu; %llu events can be read, "
			      "%llu cannot\n",
			      r->file, fr_dump_incomplete(d) ? "incomplete" : "damaged", until,
			      file_bytes, (unsigned long long)(c->records - c->unsound),
			      (unsigned long long)(c->lost_records + c->unsound));
		put_problems(d, out);
	}
	if (fr_dump_unknown_chunks(d) || c->unknown_kinds)
		fr_buf_printf(out,
			      "  from a newer recorder: %llu chunks and %llu events of kinds this "
			      "program does not know, passed over\n",
			      (unsigned long long)fr_dump_unknown_chunks(d),
			      (unsigned long long)c->unknown_kinds);
}

int fr_verify_run(struct fr_dump *d, const struct fr_dump_report *r)
{
	struct fr_census c;
	int err = fr_dump_census(d, &c);

	if (err)
		return err;
	if (r->json)
		put_json(d, r, &c);
	else
		put_text(d, r, &c);
	if (r->out->err)
		return r->out->err;
	if (c.bad_chunks >= fr_dump_chunk_cnt(d))
		return FR_EXIT_IO;
	return is_sound(d, &c) ? FR_EXIT_OK : FR_EXIT_DAMAGED;
}
