/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Made-up dumps for benches: records of a CPU into segments and chunks, chunks into a file. The
 * including program says what is recorded.
 */
#ifndef FR_TESTS_MADE_DUMP_H
#define FR_TESTS_MADE_DUMP_H

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/dump/codec.h"
#include "formats/dump/writer.h"

#define BOOT_NS 3600000000000ull
#define UNIX_NS 1764000000000000000ull
#define SEGMENT_BYTES (48u << 10)

struct made_dump {
	struct fr_dump_writer *w;
	char *path; /* owned; the writer borrows its last part */
	int err;    /* the first one */
};

struct made_cpu {
	struct fr_buf raw; /* the chunk so far */
	struct fr_segment_header seg;
	size_t seg_at;
	uint64_t now_ns, first_ns;
	uint32_t sub_seq, records, segments;
	uint16_t cpu;
};

static void made_end_segment(struct made_cpu *c)
{
	if (!c->seg.records)
		return;
	memcpy(c->raw.data + c->seg_at, &c->seg, sizeof(c->seg));
	c->segments++;
	c->sub_seq++;
	c->seg.records = 0;
}

static void made_end_chunk(struct made_dump *d, struct made_cpu *c)
{
	struct fr_dump_events ev;

	made_end_segment(c);
	if (!c->records)
		return;
	ev = (struct fr_dump_events){
		.raw = c->raw.data,
		.raw_bytes = (uint32_t)c->raw.len_bytes,
		.cpu = c->cpu,
		.first_time_ns = c->first_ns,
		.last_time_ns = c->now_ns,
		.records = c->records,
		.segments = c->segments,
	};
	if (!d->err)
		d->err = c->raw.err ? c->raw.err : fr_dump_put_events(d->w, &ev);
	fr_buf_clear(&c->raw);
	c->records = c->segments = 0;
}

/* At c->now_ns; writes the record's word. */
static void made_add(struct made_dump *d, struct made_cpu *c, uint32_t kind, void *record,
		     uint32_t bytes)
{
	uint64_t word;

	if (c->raw.len_bytes + bytes + sizeof(c->seg) > FR_CHUNK_RAW_MAX)
		made_end_chunk(d, c);
	if (c->seg.records && c->seg.bytes + bytes > SEGMENT_BYTES)
		made_end_segment(c);
	if (!c->seg.records) {
		c->seg = (struct fr_segment_header){ .base_time_ns = c->now_ns,
						     .sub_seq = c->sub_seq };
		c->seg_at = c->raw.len_bytes;
		fr_buf_add(&c->raw, &c->seg, sizeof(c->seg));
	}
	if (!c->records)
		c->first_ns = c->now_ns;
	word = FR_RECORD_WORD(c->now_ns, kind, bytes / 8);
	memcpy(record, &word, sizeof(word));
	fr_buf_add(&c->raw, record, bytes);
	c->seg.records++;
	c->seg.bytes += bytes;
	c->records++;
}

static void made_put(struct made_dump *d, enum fr_chunk_type type, struct fr_buf *b)
{
	if (!d->err)
		d->err = fr_dump_put_meta(d->w, type, b);
	fr_buf_clear(b);
}

/* Trigger, clocks, host: what every dump begins with. */
static void made_put_head(struct made_dump *d, uint32_t cpus)
{
	struct fr_meta_trigger trigger = { .main = { .name = "bench", .boot_ns = BOOT_NS } };
	struct fr_meta_clocks clocks = { .pairs = { { FR_CLOCK_TRIGGER, BOOT_NS, UNIX_NS, 0 } },
					 .pair_cnt = 1 };
	struct fr_meta_host host = { .name = "bench",
				     .boot_id = "bench",
				     .cpus_online = cpus,
				     .cpus_possible = cpus };
	struct fr_buf b = { 0 };

	fr_meta_add_trigger(&b, &trigger);
	made_put(d, FR_CHUNK_TRIGGER, &b);
	fr_meta_add_clocks(&b, &clocks);
	made_put(d, FR_CHUNK_CLOCK, &b);
	fr_meta_add_host(&b, &host);
	made_put(d, FR_CHUNK_HOST, &b);
	fr_buf_done(&b);
}

/* Nothing was lost on any CPU. */
static void made_put_loss(struct made_dump *d, uint32_t cpus, uint64_t end_ns)
{
	struct fr_meta_loss loss = { .cpu_cnt = cpus,
				     .common_start_ns = BOOT_NS,
				     .end_ns = end_ns };

	loss.cpus = calloc(cpus, sizeof(*loss.cpus));
	if (!loss.cpus && !d->err)
		d->err = -ENOMEM;
	for (uint32_t i = 0; loss.cpus && i < cpus; i++)
		loss.cpus[i] = (struct fr_cpu_loss){ .cpu = i, .oldest_ns = BOOT_NS };
	if (!d->err)
		d->err = fr_dump_put_loss(d->w, &loss);
	free(loss.cpus);
}

/* 0, or a negative errno: then nothing is to be finished. */
static int made_create(struct made_dump *d, const char *path, const char *codec)
{
	char *folder = strdup(path);
	struct fr_dump_options opt = { .created_unix_ns = UNIX_NS,
				       .dump_id = (const uint8_t *)"synthetic-dump-!" };
	int err = fr_codec_parse(codec, &opt.codec, &opt.level);

	d->path = strdup(path);
	opt.name = basename(d->path);
	opt.dir_fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!err && opt.dir_fd < 0)
		err = -errno;
	if (!err)
		err = fr_dump_create(&opt, &d->w);
	if (err)
		free(d->path);
	free(folder);
	return err;
}

static int made_finish(struct made_dump *d)
{
	int err = d->err;

	if (err)
		fr_dump_abort(d->w, false);
	else
		err = fr_dump_finish(d->w, NULL);
	free(d->path);
	return err;
}

#endif
