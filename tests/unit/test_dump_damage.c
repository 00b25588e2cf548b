/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A realistic dump, damaged in every way that a disk or a transfer damages files: cut at each byte,
 * each byte flipped, each 512-byte sector zeroed. All in one process, on the entry points that
 * verify, info and convert use. Whatever is sound must come out, byte for byte; what is not must
 * be named; nothing may crash, leak or hang.
 *
 * By default about 1,000 cuts and 1,000 flips of each dump, and all borders of headers; with
 * FR_LONG=1 every one, flips with two patterns.
 */
#include "cm.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dump_fixture.h"
#include "formats/dump/census.h"
#include "formats/dump/chunk.h"

#define SAMPLES 1000   /* of each kind and dump */
#define SECONDS_MAX 20 /* for one sample; a hang ends in SIGALRM */
#define CHUNKS_MAX 256
#define SECTOR_BYTES 512
#define LEAK_BYTES_MIN (16u << 10)

/* ---- what every damaged dump goes through --------------------------------------------------- */

/* 0 is the only good answer: damage is not a failure of these. To put another consumer of dumps
 * under the same damage, add it here. */
struct consumer {
	const char *name;
	int (*consume)(struct fr_dump *d);
};

static int consume_census(struct fr_dump *d)
{
	struct fr_census c;

	return fr_dump_census(d, &c);
}

static int consume_accessors(struct fr_dump *d)
{
	const struct fr_meta_clocks *clocks = fr_dump_clocks(d);
	const struct fr_meta_loss *loss = fr_dump_loss(d);
	uint64_t sum = clocks ? fr_clocks_to_unix(clocks, 1) : 0;
	size_t i;

	for (i = 0; fr_dump_problem(d, i); i++)
		if (!fr_dump_problem(d, i)->what[0] ||
		    fr_dump_problem(d, i)->off > fr_dump_file_bytes(d))
			return -EINVAL;
	for (uint32_t k = 0; loss && k < loss->cpu_cnt; k++)
		sum += loss->cpus[k].kept;
	return sum == 1 || fr_dump_sound_until(d) > fr_dump_file_bytes(d) ? -EINVAL : 0;
}

static const struct consumer consumers[] = {
	{ "census", consume_census },
	{ "accessors", consume_accessors },
};

/* ---- the dump as it should be --------------------------------------------------------------- */

struct chunk {
	uint64_t off, contents_end, end; /* end: with padding */
	uint16_t type;
	uint32_t records;
	uint64_t sum; /* of its raw bytes */
};

static struct {
	uint8_t *bytes;
	uint64_t size;
	struct chunk chunks[CHUNKS_MAX];
	size_t chunk_cnt;
	bool incomplete;
	int fd; /* memfd: the file under damage, whole between samples */
} whole;

static uint64_t sum_of(struct fr_dump *d, size_t i, struct fr_buf *raw)
{
	return fr_dump_load(d, i, raw) ? 0 : fr_bytes_checksum(raw->data, raw->len_bytes);
}

static void learn_chunks(void)
{
	struct fr_buf raw = { 0 };
	struct fr_dump *d;
	char err[200];

	assert_int_equal(fr_dump_open(whole.fd, &d, err, sizeof(err)), 0);
	assert_int_equal(fr_dump_problem_cnt(d), 0);
	whole.chunk_cnt = fr_dump_chunk_cnt(d);
	whole.incomplete = fr_dump_incomplete(d);
	assert_in_range(whole.chunk_cnt, 10, CHUNKS_MAX);
	for (size_t i = 0; i < whole.chunk_cnt; i++) {
		const struct fr_dump_entry *e = fr_dump_chunk(d, i);

		whole.chunks[i] = (struct chunk){
			.off = e->off,
			.contents_end = e->off + sizeof(struct fr_chunk_header) + e->stored_bytes,
			.end = e->off + FR_CHUNK_BYTES(e->stored_bytes),
			.type = e->type,
			.records = e->records,
			.sum = sum_of(d, i, &raw),
		};
		assert_int_not_equal(whole.chunks[i].sum, 0);
	}
	fr_buf_done(&raw);
	fr_dump_close(d);
}

static void make_whole(const struct fr_fixture_options *opt)
{
	int fd = fr_fixture_open(opt, NULL);
	off_t size = lseek(fd, 0, SEEK_END);

	assert_true(size > 0);
	whole.size = (uint64_t)size;
	whole.bytes = malloc(whole.size);
	assert_non_null(whole.bytes);
	assert_int_equal(pread(fd, whole.bytes, whole.size, 0), size);
	close(fd);
	whole.fd = memfd_create("damaged", MFD_CLOEXEC);
	assert_int_equal(pwrite(whole.fd, whole.bytes, whole.size, 0), size);
	learn_chunks();
}

static void drop_whole(void)
{
	free(whole.bytes);
	close(whole.fd);
}

/* ---- one sample ----------------------------------------------------------------------------- */

/* Bytes [from, to) are damaged; `size` is what is left of the file. */
struct damage {
	uint64_t from, to, size;
	const char *what;
};

static bool touches(const struct damage *g, uint64_t from, uint64_t to)
{
	return g->size < to || (g->from < to && from < g->to);
}

/* Index in the damaged dump of the chunk at off, or -1. */
static ssize_t find(struct fr_dump *d, uint64_t off)
{
	for (size_t i = 0; i < fr_dump_chunk_cnt(d); i++)
		if (fr_dump_chunk(d, i)->off == off)
			return (ssize_t)i;
	return -1;
}

/* Every untouched chunk is there, byte for byte; no touched one is, nor any that never was. */
static uint64_t check_chunks(struct fr_dump *d, const struct damage *g)
{
	uint64_t records = 0, at_most = whole.chunk_cnt;
	struct fr_buf raw = { 0 };

	for (size_t i = 0; i < whole.chunk_cnt; i++) {
		const struct chunk *c = &whole.chunks[i];
		ssize_t at = find(d, c->off);

		if (touches(g, c->off, c->contents_end)) {
			assert_true(at < 0 || fr_dump_load(d, (size_t)at, &raw) == -EBADMSG);
			at_most -= at < 0;
			continue;
		}
		if (at < 0 || sum_of(d, (size_t)at, &raw) != c->sum)
			fail_msg("%s at %llu: the chunk at %llu is sound and did not come out",
				 g->what, (unsigned long long)g->from, (unsigned long long)c->off);
		records += c->type == FR_CHUNK_EVENTS ? c->records : 0;
	}
	assert_int_equal(fr_dump_chunk_cnt(d), at_most);
	fr_buf_done(&raw);
	return records;
}

/* Start of the part of the file that byte `at` belongs to: what must be sound goes up to there. */
static uint64_t part_of(uint64_t at)
{
	for (size_t i = whole.chunk_cnt; i--;)
		if (at >= whole.chunks[i].off)
			return at >= whole.chunks[i].contents_end ? whole.chunks[i].contents_end
								  : whole.chunks[i].off;
	return 0;
}

/* A dump without end that is cut between two chunks is one that ended there. */
static bool unnoticeable(const struct damage *g)
{
	if (!whole.incomplete || g->size == whole.size)
		return false;
	for (size_t i = 0; i < whole.chunk_cnt; i++)
		if (g->size == whole.chunks[i].off)
			return true;
	return false;
}

static void check_opened(struct fr_dump *d, const struct damage *g)
{
	struct fr_census c;
	uint64_t records;

	for (size_t i = 0; i < sizeof(consumers) / sizeof(*consumers); i++)
		if (consumers[i].consume(d))
			fail_msg("%s at %llu: %s failed", g->what, (unsigned long long)g->from,
				 consumers[i].name);
	records = check_chunks(d, g);
	assert_int_equal(fr_dump_census(d, &c), 0);
	assert_int_equal(c.records, records);
	if (!fr_dump_problem_cnt(d) && !unnoticeable(g))
		fail_msg("%s at %llu went unnoticed", g->what, (unsigned long long)g->from);
	assert_in_range(fr_dump_sound_until(d), part_of(g->from), g->from);
	if (g->size < whole.chunks[whole.chunk_cnt - 1].contents_end)
		assert_true(fr_dump_incomplete(d));
}

/* Without the magic, a chunk must follow in its place. */
static bool is_dump(const struct damage *g)
{
	if (g->size < 8)
		return false;
	return !touches(g, 0, 8) || !touches(g, 64, 68);
}

static void check_sample(const struct damage *g)
{
	struct fr_dump *d = NULL;
	char err[200] = "";
	int ret;

	alarm(SECONDS_MAX);
	ret = fr_dump_open(whole.fd, &d, err, sizeof(err));
	if (is_dump(g)) {
		if (ret)
			fail_msg("%s at %llu: not opened: %s", g->what, (unsigned long long)g->from,
				 err);
		check_opened(d, g);
	} else {
		assert_int_equal(ret, -ENOMSG);
		assert_int_not_equal(err[0], 0);
	}
	fr_dump_close(d);
	alarm(0);
}

/* ---- kinds of damage ------------------------------------------------------------------------ */

static void put(const void *bytes, uint64_t n, uint64_t off)
{
	assert_int_equal(pwrite(whole.fd, bytes, n, (off_t)off), n);
}

static void flip(uint64_t at, uint8_t pattern)
{
	const struct damage g = { at, at + 1, whole.size, "flip" };
	uint8_t byte = whole.bytes[at] ^ pattern;

	put(&byte, 1, at);
	check_sample(&g);
	put(&whole.bytes[at], 1, at);
}

static void cut(uint64_t size)
{
	const struct damage g = { size, whole.size, size, "cut" };

	assert_int_equal(ftruncate(whole.fd, (off_t)size), 0);
	check_sample(&g);
	put(whole.bytes + size, whole.size - size, size);
}

/* Only what is not zero already is damaged. */
static void zero_sector(uint64_t off)
{
	uint64_t n = whole.size - off < SECTOR_BYTES ? whole.size - off : SECTOR_BYTES;
	struct damage g = { off, off + n, whole.size, "zeros" };
	static const uint8_t zeros[SECTOR_BYTES];

	while (g.from < g.to && !whole.bytes[g.from])
		g.from++;
	while (g.to > g.from && !whole.bytes[g.to - 1])
		g.to--;
	if (g.from == g.to)
		return;
	put(zeros, n, off);
	check_sample(&g);
	put(whole.bytes + off, n, off);
}

static bool is_long(void)
{
	const char *s = getenv("FR_LONG");

	return s && *s && *s != '0';
}

static void flip_and_cut(uint64_t at)
{
	if (at >= whole.size)
		return;
	flip(at, (uint8_t)(1u << at % 8));
	if (is_long())
		flip(at, 0xff);
	cut(at);
}

/* The bytes beside each border of a header, contents and padding. */
static void damage_borders(void)
{
	for (size_t i = 0; i < whole.chunk_cnt; i++) {
		const struct chunk *c = &whole.chunks[i];
		const uint64_t borders[] = { c->off, c->off + sizeof(struct fr_chunk_header),
					     c->contents_end, c->end };

		for (size_t k = 0; k < sizeof(borders) / sizeof(*borders); k++)
			for (uint64_t at = borders[k] - 1; at <= borders[k] + 1; at++)
				flip_and_cut(at);
	}
}

static void damage_everywhere(uint64_t step)
{
	for (uint64_t at = 0; at < whole.size; at += step)
		flip_and_cut(at);
	for (uint64_t at = 0; at < sizeof(struct fr_dump_header) && step > 1; at++)
		flip_and_cut(at);
	for (uint64_t off = 0; off < whole.size; off += SECTOR_BYTES)
		zero_sector(off);
}

static void damage_dump(const struct fr_fixture_options *opt, bool everywhere)
{
	size_t used_bytes;

	make_whole(opt);
	assert_true(!everywhere || whole.size <= 64 << 10);
	flip_and_cut(whole.size / 2);
	used_bytes = mallinfo2().uordblks;
	if (everywhere)
		damage_everywhere(is_long() ? 1 : whole.size / SAMPLES + 1);
	damage_borders();
	/* thousands of samples later; what malloc keeps for itself is less. With sanitizers it says
	 * 0, and their own check of leaks sees to it. */
	assert_in_range(mallinfo2().uordblks, 0, used_bytes + LEAK_BYTES_MIN);
	drop_whole();
}

static void plain(void **state)
{
	(void)state;
	damage_dump(&(struct fr_fixture_options){ .gap = true, .chunk_bytes = 2048 }, true);
}

static void lz4(void **state)
{
	(void)state;
	damage_dump(&(struct fr_fixture_options){ .codec = FR_CODEC_LZ4, .chunk_bytes = 2048 },
		    true);
}

static void zstd(void **state)
{
	(void)state;
	damage_dump(&(struct fr_fixture_options){ .codec = FR_CODEC_ZSTD, .chunk_bytes = 2048 },
		    true);
}

static void unfinished(void **state)
{
	(void)state;
	damage_dump(&(struct fr_fixture_options){ .codec = FR_CODEC_ZSTD,
						  .chunk_bytes = 2048,
						  .incomplete = true },
		    true);
}

/* Full-size chunks, borders only. */
static void large(void **state)
{
	(void)state;
	damage_dump(&(struct fr_fixture_options){ .codec = FR_CODEC_LZ4,
						  .requests = 600,
						  .segment_records = 2000,
						  .chunk_bytes = FR_CHUNK_RAW_MAX },
		    false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),      cmocka_unit_test(lz4),   cmocka_unit_test(zstd),
		cmocka_unit_test(unfinished), cmocka_unit_test(large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
