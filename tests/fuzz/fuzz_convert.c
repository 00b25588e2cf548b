/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The input is what lies inside the chunks of a dump: whoever writes a hostile dump gets its
 * checksums right. Items of one byte of kind, two of length, and so many bytes: kinds 0..3 are
 * event chunks of that CPU, 4..10 the metadata that follow the events in fuzz_kinds[]. Around them
 * a sound file is built, which goes through info and both sinks; JSON must come out as JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "formats/dump/chunk.h"
#include "formats/out/info.h"
#include "tests/unit/convert_to.h"

#define CPUS 4

static const uint8_t fuzz_kinds[] = { FR_CHUNK_THREADS, FR_CHUNK_PROCESSES, FR_CHUNK_SOCKETS,
				      FR_CHUNK_LOSS,	FR_CHUNK_CONFIG,    FR_CHUNK_TRIGGER,
				      FR_CHUNK_CLOCK };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes);

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_convert: %s\n", what);
	abort();
}

static uint64_t first_time(const uint8_t *raw, size_t raw_bytes)
{
	return raw_bytes >= 8 ? fr_load64(raw) : 0;
}

static void add_chunk(struct fr_buf *file, const struct fr_dump_header *header, uint32_t number,
		      uint8_t kind, struct fr_slice raw)
{
	struct fr_chunk_header h = {
		.type = FR_CHUNK_EVENTS,
		.cpu = kind,
		.raw_bytes = (uint32_t)raw.len_bytes,
		.stored_bytes = (uint32_t)raw.len_bytes,
		.number = number,
	};

	if (kind < CPUS) {
		h.first_time_ns = first_time(raw.data, raw.len_bytes);
		h.last_time_ns = h.first_time_ns + raw.len_bytes;
		h.records = h.segments = 1;
	} else {
		h.type = fuzz_kinds[(kind - CPUS) % sizeof(fuzz_kinds)];
		h.cpu = FR_CHUNK_NO_CPU;
	}
	fr_chunk_seal(&h, raw.data, fr_dump_salt(header));
	fr_buf_add(file, &h, sizeof(h));
	fr_buf_add(file, raw.data, raw.len_bytes);
	while (file->len_bytes % 8)
		fr_buf_add_char(file, 0);
}

static int file_of(const uint8_t *data, size_t data_bytes)
{
	struct fr_dump_header header = { .major = FR_DUMP_MAJOR,
					 .header_bytes = sizeof(header),
					 .incompat_flags = FR_DUMP_INCOMPLETE,
					 .dump_id = "fuzz_convert...." };
	struct fr_cursor c = fr_cursor_of(data, data_bytes);
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct fr_buf file = { 0 };
	uint32_t number = 0;
	struct fr_slice raw;
	size_t want;
	uint8_t kind;

	fr_dump_header_seal(&header);
	fr_buf_add(&file, &header, sizeof(header));
	while (fr_cursor_left(&c) > 3) {
		kind = fr_cursor_u8(&c) % (CPUS + sizeof(fuzz_kinds));
		want = fr_cursor_u16(&c);
		if (want > fr_cursor_left(&c))
			want = fr_cursor_left(&c);
		raw = fr_cursor_take(&c, want);
		add_chunk(&file, &header, number++, kind, raw);
	}
	must(!file.err && write(fd, file.data, file.len_bytes) == (ssize_t)file.len_bytes, "memfd");
	fr_buf_done(&file);
	return fd;
}

static void convert(struct fr_dump *d, const char *sink, const struct fr_convert *opt)
{
	struct fr_convert_stats stats;
	int err;
	char *text = convert_to(d, sink, opt, &stats, &err);

	must(text != NULL, "converting failed");
	must(strcmp(sink, "chrome") || is_json(text), "no JSON");
	free(text);
}

static void tell(struct fr_dump *d, bool json)
{
	struct fr_buf out = { 0 };
	struct fr_dump_report r = { &out, json, "fuzz.frd" };

	must(fr_info_run(d, &r) >= 0, "info failed");
	fr_buf_add_char(&out, 0);
	must(!json || is_json((char *)out.data), "info: no JSON");
	fr_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes)
{
	const struct fr_convert all = { .all = true };
	const struct fr_convert some = { .filter = { .pid = 2000, .comm = "web" } };
	int fd = file_of(data, data_bytes);
	struct fr_dump *d;
	char err[200];

	must(!fr_dump_open(fd, &d, err, sizeof(err)), "a sound file does not open");
	tell(d, true);
	tell(d, false);
	convert(d, "chrome", &all);
	convert(d, "chrome", &some);
	convert(d, "text", &all);
	convert(d, "perfetto", &all);
	convert(d, "perfetto", &some);
	fr_dump_close(d);
	close(fd);
	return 0;
}
