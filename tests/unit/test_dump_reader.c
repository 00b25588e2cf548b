/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader on files made by hand: what the writer would never write. */
#include "cm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "formats/base/pb.h"
#include "formats/dump/census.h"
#include "formats/dump/chunk.h"
#include "formats/dump/index.h"
#include "formats/dump/reader.h"

static struct fr_buf file;
static struct fr_dump_header header;
static uint32_t chunk_number;
static struct fr_dump *dump;
static int file_fd;
static char why[200];

/* ---- building a file ------------------------------------------------------------------------ */

static int start(void **state)
{
	(void)state;
	fr_buf_clear(&file);
	header = (struct fr_dump_header){ .major = FR_DUMP_MAJOR,
					  .header_bytes = sizeof(header),
					  .incompat_flags = FR_DUMP_INCOMPLETE,
					  .dump_id = "random-as-can-be" };
	fr_dump_header_seal(&header);
	fr_buf_add(&file, &header, sizeof(header));
	chunk_number = 0;
	file_fd = -1;
	dump = NULL;
	return 0;
}

static int end(void **state)
{
	(void)state;
	dump = fr_dump_close(dump);
	if (file_fd >= 0)
		close(file_fd);
	return 0;
}

static int done(void **state)
{
	(void)state;
	fr_buf_done(&file);
	return 0;
}

/* Puts the file header as it now stands into the file. */
static void reseal(void)
{
	fr_dump_header_seal(&header);
	memcpy(file.data, &header, sizeof(header));
}

/* Appends a chunk; h may hold anything but magic, number and checksums. */
static size_t add_chunk(struct fr_chunk_header h, const void *stored)
{
	size_t off = file.len_bytes;

	h.number = chunk_number++;
	fr_chunk_seal(&h, stored, fr_dump_salt(&header));
	fr_buf_add(&file, &h, sizeof(h));
	fr_buf_add(&file, stored, h.stored_bytes);
	while (file.len_bytes % 8)
		fr_buf_add_char(&file, 0);
	return off;
}

static size_t add_plain(uint16_t type, const void *raw, uint32_t raw_bytes)
{
	return add_chunk((struct fr_chunk_header){ .type = type,
						   .cpu = FR_CHUNK_NO_CPU,
						   .raw_bytes = raw_bytes,
						   .stored_bytes = raw_bytes },
			 raw);
}

/* A chunk of n waking records on a CPU. */
static size_t add_events(uint16_t cpu, uint32_t n)
{
	struct fr_segment_header seg = { .base_time_ns = 5000, .bytes = n * 16, .records = n };
	struct fr_buf raw = { 0 };
	size_t off;

	fr_buf_add(&raw, &seg, sizeof(seg));
	for (uint64_t i = 0; i < n; i++) {
		struct fr_sched_waking e = {
			.word = FR_RECORD_WORD(5000 + i, FR_EV_SCHED_WAKING, 2), .who = i
		};

		fr_buf_add(&raw, &e, sizeof(e));
	}
	off = add_chunk((struct fr_chunk_header){ .type = FR_CHUNK_EVENTS,
						  .cpu = cpu,
						  .raw_bytes = (uint32_t)raw.len_bytes,
						  .stored_bytes = (uint32_t)raw.len_bytes,
						  .first_time_ns = 5000,
						  .last_time_ns = 4999 + n,
						  .records = n,
						  .segments = 1 },
			raw.data);
	fr_buf_done(&raw);
	return off;
}

static int try_open(void)
{
	end(NULL);
	file_fd = memfd_create("dump", MFD_CLOEXEC);
	assert_true(file_fd >= 0);
	assert_int_equal(write(file_fd, file.data, file.len_bytes), file.len_bytes);
	why[0] = 0;
	return fr_dump_open(file_fd, &dump, why, sizeof(why));
}

static struct fr_census census(void)
{
	struct fr_census c;

	assert_int_equal(try_open(), 0);
	assert_int_equal(fr_dump_census(dump, &c), 0);
	return c;
}

static void assert_problem(const char *part)
{
	for (size_t i = 0; fr_dump_problem(dump, i); i++)
		if (strstr(fr_dump_problem(dump, i)->what, part))
			return;
	for (size_t i = 0; fr_dump_problem(dump, i); i++)
		print_error("problem: %s\n", fr_dump_problem(dump, i)->what);
	fail_msg("no problem says \"%s\"", part);
}

/* ---- versions and flags --------------------------------------------------------------------- */

static void a_newer_major_is_refused_by_name(void **state)
{
	(void)state;
	add_events(0, 3);
	header.major = 7;
	header.minor = 3;
	reseal();
	assert_int_equal(try_open(), -EPROTONOSUPPORT);
	assert_non_null(strstr(why, "version 7.3"));
	header.major = 0;
	reseal();
	assert_int_equal(try_open(), -EPROTONOSUPPORT);
}

static void a_newer_minor_and_compatible_flags_are_read(void **state)
{
	(void)state;
	add_events(0, 3);
	header.minor = 999;
	header.compat_flags = 0xffffffff;
	reseal();
	assert_int_equal(census().records, 3);
	assert_int_equal(fr_dump_problem_cnt(dump), 0);
	assert_true(fr_dump_incomplete(dump));
}

static void unknown_incompatible_flags_are_refused_by_number(void **state)
{
	(void)state;
	header.incompat_flags = FR_DUMP_INCOMPLETE | 0x40;
	reseal();
	assert_int_equal(try_open(), -EPROTONOSUPPORT);
	assert_non_null(strstr(why, "0x40"));
}

static void a_damaged_version_is_damage_not_a_version(void **state)
{
	(void)state;
	add_events(0, 3);
	file.data[8] = 9; /* major, checksum not mended */
	assert_int_equal(census().records, 3);
	assert_problem("file header does not match its checksum");
	assert_int_equal(fr_dump_sound_until(dump), 0);
}

static void a_longer_header_is_skipped(void **state)
{
	uint8_t more[64] = { 1, 2, 3 };

	(void)state;
	header.header_bytes = 128;
	reseal();
	fr_buf_add(&file, more, sizeof(more));
	add_events(0, 3);
	assert_int_equal(census().records, 3);
	assert_int_equal(fr_dump_problem_cnt(dump), 0);
	header.header_bytes = 60; /* nonsense, sealed: read on as usual */
	reseal();
	assert_int_equal(census().records, 3);
	assert_problem("claims a size of 60 bytes");
}

/* ---- what is no dump ------------------------------------------------------------------------ */

static void other_files_are_no_dumps(void **state)
{
	(void)state;
	fr_buf_clear(&file);
	assert_int_equal(try_open(), -ENOMSG);
	assert_non_null(strstr(why, "empty"));
	fr_buf_add_str(&file,
		       "#!/bin/sh\necho no dump at all, but long enough to hold a header, is it\n");
	assert_int_equal(try_open(), -ENOMSG);
	assert_non_null(strstr(why, "not a flightrec dump"));
}

static void chunks_somewhere_do_not_make_a_dump(void **state)
{
	(void)state;
	add_plain(FR_CHUNK_HOST, "xx", 2);
	memset(file.data, 'z', 72);
	add_events(0, 3);
	assert_int_equal(try_open(), -ENOMSG);
}

static void a_lost_magic_with_a_chunk_behind_it_is_read(void **state)
{
	(void)state;
	add_events(0, 3);
	add_events(1, 4);
	file.data[1] ^= 0x20;
	assert_int_equal(census().records, 7);
	assert_problem("magic bytes are damaged");
	memset(file.data, 0, 64); /* the whole header: even the salt is found again */
	assert_int_equal(census().records, 7);
}

static void a_file_that_ends_in_its_header_opens_empty(void **state)
{
	(void)state;
	for (size_t n = 8; n < 64; n++) {
		file.len_bytes = n;
		assert_int_equal(try_open(), 0);
		assert_int_equal(fr_dump_chunk_cnt(dump), 0);
		assert_true(fr_dump_incomplete(dump));
		assert_problem("ends inside its header");
	}
}

static void a_pipe_is_refused_and_spooled(void **state)
{
	char back[64];
	int fds[2], fd;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fr_dump_open(fds[0], &dump, why, sizeof(why)), -ESPIPE);
	assert_int_equal(write(fds[1], "through a pipe", 14), 14);
	close(fds[1]);
	fd = fr_dump_spool(fds[0]);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, back, sizeof(back), 0), 14);
	assert_memory_equal(back, "through a pipe", 14);
	close(fd);
	close(fds[0]);
	assert_int_equal(fr_dump_spool(-1), -EBADF);
	dump = NULL;
}

static void a_directory_is_refused(void **state)
{
	(void)state;
	file_fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fr_dump_open(file_fd, &dump, why, sizeof(why)), -EISDIR);
	assert_int_equal(fr_dump_open(-1, &dump, why, sizeof(why)), -EBADF);
	dump = NULL;
}

/* ---- damage --------------------------------------------------------------------------------- */

static void a_damaged_chunk_header_costs_that_chunk(void **state)
{
	size_t second;

	(void)state;
	add_events(0, 3);
	second = add_events(1, 50);
	add_events(0, 5);
	file.data[second + 20] ^= 1;
	assert_int_equal(census().records, 8);
	assert_int_equal(fr_dump_chunk_cnt(dump), 2);
	assert_int_equal(fr_dump_sound_until(dump), second);
	assert_problem("896 bytes that are no sound chunk");
}

static void damaged_contents_cost_that_chunk(void **state)
{
	struct fr_census c;
	size_t second;

	(void)state;
	add_events(0, 3);
	second = add_events(1, 50);
	add_events(0, 5);
	file.data[second + 64 + 100] ^= 1;
	c = census();
	assert_int_equal(c.records, 8);
	assert_int_equal(c.lost_records, 50);
	assert_int_equal(c.bad_chunks, 1);
	assert_problem("chunk 1 (events of CPU 1) does not match its checksum");
	assert_int_equal(fr_dump_problem_cnt(dump), 1); /* said once, however often it is loaded */
	assert_int_equal(fr_dump_census(dump, &c), 0);
	assert_int_equal(fr_dump_problem_cnt(dump), 1);
}

static void bytes_lost_in_the_middle_cost_one_chunk(void **state)
{
	size_t second;

	(void)state;
	add_events(0, 3);
	second = add_events(1, 50);
	add_events(0, 5);
	memmove(file.data + second + 200, file.data + second + 208, file.len_bytes - second - 208);
	file.len_bytes -= 8;
	assert_int_equal(census().records, 8);
	assert_problem("runs into the chunk behind it");
}

static void a_chunk_cut_out_is_missed(void **state)
{
	size_t second, third;

	(void)state;
	add_events(0, 3);
	second = add_events(1, 50);
	third = add_events(0, 5);
	memmove(file.data + second, file.data + third, file.len_bytes - third);
	file.len_bytes -= third - second;
	assert_int_equal(census().records, 8);
	assert_problem("chunk 2 follows chunk 0");
}

static void bytes_put_in_between_are_passed_over(void **state)
{
	uint8_t junk[200] = { 1 };

	(void)state;
	add_events(0, 3);
	fr_buf_add(&file, junk, sizeof(junk));
	add_events(1, 4);
	fr_buf_add(&file, junk, 13);
	assert_int_equal(census().records, 7);
	assert_problem("200 bytes that are no sound chunk");
	assert_problem("13 bytes behind the last chunk");
}

static void a_cut_chunk_is_named(void **state)
{
	struct fr_census c;

	(void)state;
	add_events(0, 3);
	add_events(1, 50);
	file.len_bytes -= 10;
	c = census();
	assert_int_equal(c.records, 3);
	assert_int_equal(c.lost_records, 50);
	assert_problem("chunk 1 (events of CPU 1) is cut: 10 of its 832 stored bytes are missing");
}

static void padding_is_checked_but_costs_nothing(void **state)
{
	(void)state;
	add_plain(FR_CHUNK_HOST,
		  "\x0a\x01"
		  "a",
		  3);
	file.data[file.len_bytes - 1] = 1;
	assert_int_equal(try_open(), 0);
	assert_string_equal(fr_dump_host(dump)->name, "a");
	assert_problem("padding is not zero");
}

/* Captured bytes may look like a chunk; behind damage they must not be taken for one. */
static void a_chunk_in_captured_bytes_is_not_believed(void **state)
{
	struct fr_dump_header other = { .dump_id = "another dump" };
	struct fr_chunk_header forged = { .type = FR_CHUNK_HOST,
					  .raw_bytes = 8,
					  .stored_bytes = 8 };
	uint8_t raw[256] = { 0 };
	size_t off;

	(void)state;
	fr_chunk_seal(&forged, raw, fr_dump_salt(&other));
	memcpy(raw + 64, &forged, sizeof(forged));
	fr_chunk_seal(&forged, raw, 0);
	memcpy(raw + 160, &forged, sizeof(forged));
	off = add_plain(99, raw, sizeof(raw));
	add_events(0, 3);
	file.data[off] ^= 1;
	assert_int_equal(census().records, 3);
	assert_int_equal(fr_dump_chunk_cnt(dump), 1);
}

/* Headers that each claim the bytes of all others: linear work, none of them believed. */
static void overlapping_chunks_are_bad_and_cheap(void **state)
{
	static uint8_t zeros[200000];
	struct fr_chunk_header h = { .type = 99,
				     .raw_bytes = sizeof(zeros),
				     .stored_bytes = sizeof(zeros) };

	(void)state;
	for (uint32_t i = 0; i < 3000; i++) {
		h.number = i;
		fr_chunk_seal(&h, zeros, fr_dump_salt(&header));
		fr_buf_add(&file, &h, sizeof(h));
	}
	assert_int_equal(census().bad_chunks, 3000); /* all of them end behind the file */
	assert_int_equal(fr_dump_chunk_cnt(dump), 3000);
	fr_buf_add(&file, zeros, sizeof(zeros));
	fr_buf_add(&file, zeros, 64);
	assert_int_equal(census().bad_chunks, 2999); /* and now the last one is whole */
	assert_int_equal(fr_dump_chunk_cnt(dump), 3000);
}

static void a_file_that_shrinks_while_it_is_read(void **state)
{
	struct fr_buf raw = { 0 };
	size_t second;

	(void)state;
	add_events(0, 3);
	second = add_events(1, 50);
	assert_int_equal(try_open(), 0);
	assert_int_equal(ftruncate(file_fd, (off_t)second + 100), 0);
	assert_int_equal(fr_dump_load(dump, 0, &raw), 0);
	assert_int_equal(fr_dump_load(dump, 1, &raw), -EBADMSG);
	assert_problem("cannot be read whole");
	fr_buf_done(&raw);
}

static void what_does_not_unpack_is_named(void **state)
{
	struct fr_chunk_header h = {
		.type = FR_CHUNK_EVENTS, .codec = FR_CODEC_LZ4, .raw_bytes = 64, .stored_bytes = 8
	};
	uint64_t nonsense = 0xffffffffffffffff;

	(void)state;
	add_chunk(h, &nonsense);
	h.codec = FR_CODEC_ZSTD;
	add_chunk(h, &nonsense);
	assert_int_equal(census().bad_chunks, 2);
	assert_problem("chunk 0 (events of CPU 0) does not decompress to its size");
	assert_problem("chunk 1 (events of CPU 0) does not decompress to its size");
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void chunks_beyond_the_limit_are_said_and_not_read(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < FR_CHUNKS_MAX; i++)
		add_plain(99, NULL, 0);
	assert_int_equal(try_open(), 0);
	assert_int_equal(fr_dump_chunk_cnt(dump), FR_CHUNKS_MAX);
	assert_int_equal(fr_dump_problem_cnt(dump), 0);
	add_events(0, 3);
	assert_int_equal(try_open(), 0);
	assert_int_equal(fr_dump_chunk_cnt(dump), FR_CHUNKS_MAX);
	assert_problem("more than 262144 chunks");
}

static void metadata_is_joined_up_to_a_limit(void **state)
{
	static uint8_t filler[FR_CHUNK_RAW_MAX - 16];
	struct fr_buf raw = { 0 };

	(void)state;
	fr_pb_add_str(&raw, 1, "fixture");
	fr_pb_add_bytes(&raw, 2000, filler, sizeof(filler));
	assert_in_range(raw.len_bytes, 1, FR_CHUNK_RAW_MAX);
	for (int i = 0; i < 40; i++)
		add_plain(FR_CHUNK_HOST, raw.data, (uint32_t)raw.len_bytes);
	fr_buf_done(&raw);
	assert_int_equal(try_open(), 0);
	assert_problem("too much metadata of type host");
	assert_string_equal(fr_dump_host(dump)->name, "fixture");
}

static void impossible_sizes_are_no_chunk(void **state)
{
	struct fr_chunk_header h = { .type = FR_CHUNK_EVENTS,
				     .raw_bytes = FR_CHUNK_RAW_MAX + 8,
				     .stored_bytes = 8,
				     .codec = FR_CODEC_LZ4 };
	uint64_t eight = 0;

	(void)state;
	add_chunk(h, &eight);
	h.raw_bytes = 16;
	h.codec = FR_CODEC_NONE;
	add_chunk(h, &eight);
	add_events(0, 3);
	assert_int_equal(census().records, 3);
	assert_int_equal(fr_dump_chunk_cnt(dump), 1);
	assert_problem("chunk 0 claims more raw bytes");
}

/* ---- what a later version may hold ---------------------------------------------------------- */

static void unknown_chunks_kinds_codecs_and_transforms(void **state)
{
	struct fr_chunk_header h = { .type = FR_CHUNK_EVENTS,
				     .raw_bytes = 16,
				     .stored_bytes = 8,
				     .records = 9,
				     .codec = 77 };
	struct fr_segment_header seg = { .base_time_ns = 0, .bytes = 24, .records = 1 };
	uint64_t raw[7] = { 0 };
	struct fr_census c;

	(void)state;
	add_plain(4321, "later", 5);
	add_chunk(h, raw);
	h.codec = FR_CODEC_NONE;
	h.transform = 3;
	add_chunk(h, raw);
	memcpy(raw, &seg, sizeof(seg));
	raw[4] = FR_RECORD_WORD(0, 200, 3); /* a kind of the future */
	add_chunk((struct fr_chunk_header){ .type = FR_CHUNK_EVENTS,
					    .raw_bytes = 56,
					    .stored_bytes = 56,
					    .records = 1,
					    .segments = 1 },
		  raw);
	c = census();
	assert_int_equal(fr_dump_unknown_chunks(dump), 1);
	assert_int_equal(c.unknown_kinds, 1);
	assert_int_equal(c.records, 1);
	assert_int_equal(c.lost_records, 18);
	assert_problem("uses a codec");
	assert_problem("uses a transform");
	assert_int_equal(fr_dump_chunk(dump, 1)->err, -EOPNOTSUPP);
	assert_int_equal(fr_dump_sound_until(dump), fr_dump_file_bytes(dump)); /* no damage */
}

/* ---- headers against contents, index against chunks ------------------------------------------ */

static void contents_are_held_against_headers(void **state)
{
	struct fr_segment_header seg = { .base_time_ns = 100, .bytes = 16, .records = 1 };
	uint64_t raw[6] = { 0 };
	struct fr_census c;

	(void)state;
	memcpy(raw, &seg, sizeof(seg));
	raw[4] = FR_RECORD_WORD(100, FR_EV_SCHED_WAKING, 2);
	add_chunk((struct fr_chunk_header){ .type = FR_CHUNK_EVENTS,
					    .raw_bytes = 48,
					    .stored_bytes = 48,
					    .records = 3,
					    .segments = 1,
					    .first_time_ns = 100,
					    .last_time_ns = 100 },
		  raw);
	raw[4] = FR_RECORD_WORD(100, FR_EV_SCHED_SWITCH, 2); /* too short for its kind */
	add_chunk((struct fr_chunk_header){ .type = FR_CHUNK_EVENTS,
					    .raw_bytes = 48,
					    .stored_bytes = 48,
					    .records = 1,
					    .segments = 1,
					    .first_time_ns = 100,
					    .last_time_ns = 100 },
		  raw);
	c = census();
	assert_int_equal(c.records, 2);
	assert_int_equal(c.unsound, 1);
	assert_int_equal(c.lost_records, 2);
	assert_int_equal(c.bad_chunks, 2);
	assert_problem("holds 1 records in 1 segments, not 3 in 1");
}

static void the_index_tells_what_is_gone(void **state)
{
	struct fr_index_entry e[3] = { 0 };
	struct fr_buf raw = { 0 };
	struct fr_census c;

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		e[i] = (struct fr_index_entry){ .off = add_events((uint16_t)i, 10 + i),
						.type = FR_CHUNK_EVENTS,
						.cpu = i,
						.records = 10 + i };
	for (uint32_t i = 0; i < 3; i++) {
		e[i].raw_bytes = e[i].stored_bytes = 32 + 16 * (10 + i);
		fr_index_add(&raw, &e[i]);
	}
	header.index_off = add_plain(FR_CHUNK_INDEX, raw.data, (uint32_t)raw.len_bytes);
	header.incompat_flags = 0;
	reseal();
	fr_buf_done(&raw);
	assert_int_equal(census().records, 33);
	assert_int_equal(fr_dump_problem_cnt(dump), 0);
	assert_false(fr_dump_incomplete(dump));

	file.data[e[1].off + 3] ^= 8;
	c = census();
	assert_int_equal(c.records, 22);
	assert_int_equal(c.lost_records, 11);
	assert_problem("lost here: 11 events of CPU 1");
	assert_false(fr_dump_incomplete(dump));

	header.index_off -= 8; /* points elsewhere: only a hint */
	reseal();
	assert_int_equal(census().records, 22);
	assert_problem("not here");
}

static void an_index_that_lies_is_not_believed(void **state)
{
	struct fr_index_entry e = { .type = FR_CHUNK_EVENTS, .records = 1000000 };
	struct fr_buf raw = { 0 };

	(void)state;
	e.off = add_events(0, 3);
	add_events(1, 4);
	fr_index_add(&raw, &e);
	header.index_off = add_plain(FR_CHUNK_INDEX, raw.data, (uint32_t)raw.len_bytes);
	header.incompat_flags = 0;
	reseal();
	fr_buf_done(&raw);
	assert_int_equal(census().records, 7);
	assert_problem("chunk 0 is not what the index says");
	assert_problem("1 chunks are not in the index");
}

static void a_complete_dump_without_index_was_cut(void **state)
{
	(void)state;
	add_events(0, 3);
	header.incompat_flags = 0;
	header.index_off = file.len_bytes;
	reseal();
	assert_int_equal(census().records, 3);
	assert_true(fr_dump_incomplete(dump));
	assert_problem("the index at the end is missing");
}

static void metadata_that_makes_no_sense_is_left_out(void **state)
{
	(void)state;
	add_plain(FR_CHUNK_HOST, "\x0a\xff", 2);
	add_plain(FR_CHUNK_TRIGGER,
		  "\x0a\x04"
		  "usr1",
		  6);
	add_plain(FR_CHUNK_THREADS, "\x0a\x02\xff\xff", 4);
	assert_int_equal(census().bad_rows, 1);
	assert_null(fr_dump_host(dump));
	assert_string_equal(fr_dump_trigger(dump)->main.name, "usr1");
	assert_problem("chunk 0 (host) makes no sense inside");
	assert_problem("1 rows of its table make no sense");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(a_newer_major_is_refused_by_name),
		TEST(a_newer_minor_and_compatible_flags_are_read),
		TEST(unknown_incompatible_flags_are_refused_by_number),
		TEST(a_damaged_version_is_damage_not_a_version),
		TEST(a_longer_header_is_skipped),
		TEST(other_files_are_no_dumps),
		TEST(chunks_somewhere_do_not_make_a_dump),
		TEST(a_lost_magic_with_a_chunk_behind_it_is_read),
		TEST(a_file_that_ends_in_its_header_opens_empty),
		TEST(a_pipe_is_refused_and_spooled),
		TEST(a_directory_is_refused),
		TEST(a_damaged_chunk_header_costs_that_chunk),
		TEST(damaged_contents_cost_that_chunk),
		TEST(bytes_lost_in_the_middle_cost_one_chunk),
		TEST(a_chunk_cut_out_is_missed),
		TEST(bytes_put_in_between_are_passed_over),
		TEST(a_cut_chunk_is_named),
		TEST(padding_is_checked_but_costs_nothing),
		TEST(a_chunk_in_captured_bytes_is_not_believed),
		TEST(overlapping_chunks_are_bad_and_cheap),
		TEST(impossible_sizes_are_no_chunk),
		TEST(a_file_that_shrinks_while_it_is_read),
		TEST(what_does_not_unpack_is_named),
		TEST(chunks_beyond_the_limit_are_said_and_not_read),
		TEST(metadata_is_joined_up_to_a_limit),
		TEST(unknown_chunks_kinds_codecs_and_transforms),
		TEST(contents_are_held_against_headers),
		TEST(the_index_tells_what_is_gone),
		TEST(an_index_that_lies_is_not_believed),
		TEST(a_complete_dump_without_index_was_cut),
		TEST(metadata_that_makes_no_sense_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
