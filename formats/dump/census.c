/* SPDX-License-Identifier: BSD-2-Clause */
#include "census.h"

#include <errno.h>

/* The clock may step back a little between records; a chunk's times may be those of its first and
 * last record. */
#define BACKWARD_STEP_MAX_NS 1000000u

struct count {
	struct fr_dump *d;
	struct fr_census *c;
	struct fr_buf scratch; /* of process rows */
};

/* What one chunk of events turns out to hold. */
struct content {
	uint64_t records, segments, bad_places, unsound, outside;
};

static void take_record(struct count *ct, const struct fr_dump_entry *e, const struct fr_record *r,
			struct content *has)
{
	has->records++;
	has->outside += r->time_ns + BACKWARD_STEP_MAX_NS < e->first_time_ns ||
			r->time_ns > e->last_time_ns + BACKWARD_STEP_MAX_NS;
	if (!fr_event_infos[r->kind].name) {
		ct->c->unknown_kinds++;
	} else if (!fr_record_sound(r)) {
		ct->c->unsound++;
		has->unsound++;
	} else {
		ct->c->kinds[r->kind]++;
	}
}

static void note_content(struct count *ct, const struct fr_dump_entry *e, const struct content *has)
{
	uint64_t missing = e->records > has->records ? e->records - has->records : 0;

	if (!has->bad_places && !has->unsound && !has->outside && has->records == e->records &&
	    has->segments == e->segments)
		return;
	ct->c->bad_chunks++;
	ct->c->lost_records += missing;
	fr_dump_note_damage(ct->d, e->off,
			    "chunk %u (events of CPU %u) holds %llu records in %llu segments, "
			    "not %u in %u; %llu make no sense",
			    e->number, e->cpu, (unsigned long long)has->records,
			    (unsigned long long)has->segments, e->records, e->segments,
			    (unsigned long long)(has->bad_places + has->unsound + has->outside));
}

static void take_events(struct count *ct, const struct fr_dump_entry *e, struct fr_slice raw)
{
	struct content has = { 0 };
	struct fr_record_walk w;
	struct fr_record r;
	int ret;

	fr_record_walk_init(&w, e->cpu, raw);
	while ((ret = fr_record_next(&w, &r))) {
		if (ret < 0)
			has.bad_places++;
		else
			take_record(ct, e, &r, &has);
	}
	has.segments = w.segments;
	ct->c->records += has.records;
	note_content(ct, e, &has);
}

static int next_row(struct count *ct, uint16_t type, struct fr_cursor *c)
{
	struct fr_meta_thread thread;
	struct fr_meta_process process;
	struct fr_meta_socket socket;

	if (type == FR_CHUNK_THREADS)
		return fr_meta_next_thread(c, &thread);
	if (type == FR_CHUNK_PROCESSES)
		return fr_meta_next_process(c, &process, &ct->scratch);
	return fr_meta_next_socket(c, &socket);
}

static int take_rows(struct count *ct, const struct fr_dump_entry *e, struct fr_slice raw)
{
	struct fr_cursor c = fr_cursor_of(raw.data, raw.len_bytes);
	uint64_t *cnt = &ct->c->sockets, bad = 0;
	int ret;

	if (e->type == FR_CHUNK_THREADS)
		cnt = &ct->c->threads;
	else if (e->type == FR_CHUNK_PROCESSES)
		cnt = &ct->c->processes;
	while ((ret = next_row(ct, e->type, &c))) {
		if (ret == -ENOMEM)
			return ret;
		if (ret < 0)
			bad++;
		else
			(*cnt)++;
	}
	ct->c->bad_rows += bad;
	if (bad) {
		ct->c->bad_chunks++;
		fr_dump_note_damage(ct->d, e->off, "chunk %u: %llu rows of its table make no sense",
				    e->number, (unsigned long long)bad);
	}
	return 0;
}

static int take_chunk(struct count *ct, size_t i, struct fr_buf *raw)
{
	const struct fr_dump_entry *e = fr_dump_chunk(ct->d, i);
	struct fr_slice bytes;
	int err = fr_dump_load(ct->d, i, raw);

	if (err == -ENOMEM)
		return err;
	if (err) {
		ct->c->bad_chunks++;
		ct->c->lost_records += e->records;
		return 0;
	}
	bytes = (struct fr_slice){ raw->data, raw->len_bytes };
	ct->c->raw_bytes += e->raw_bytes;
	ct->c->stored_bytes += e->stored_bytes;
	if (e->type == FR_CHUNK_EVENTS)
		take_events(ct, e, bytes);
	else if (e->type == FR_CHUNK_THREADS || e->type == FR_CHUNK_PROCESSES ||
		 e->type == FR_CHUNK_SOCKETS)
		return take_rows(ct, e, bytes);
	return 0;
}

int fr_dump_census(struct fr_dump *d, struct fr_census *ret)
{
	struct count ct = { .d = d, .c = ret };
	struct fr_buf raw = { 0 };
	int err = 0;

	*ret = (struct fr_census){ .lost_records = fr_dump_lost_records(d) };
	for (size_t i = 0; i < fr_dump_chunk_cnt(d) && !err; i++)
		err = take_chunk(&ct, i, &raw);
	fr_buf_done(&raw);
	fr_buf_done(&ct.scratch);
	return err;
}
