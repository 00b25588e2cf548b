/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fixture dump that other tests stand on: every event kind is in it, its numbers are what the
 * reader finds, and the same options give the same bytes. FR_FIXTURE_OUT=FILE also writes it out,
 * for scripts (FR_FIXTURE_CODEC, FR_FIXTURE_REQUESTS and FR_FIXTURE_GAP choose);
 * FR_FIXTURE_META_DIR=DIR writes the raw bytes of its metadata chunks, as DIR/<type>.
 */
#include "cm.h"

#include "dump_fixture.h"
#include "formats/dump/chunk.h"
#include "formats/dump/codec.h"

static uint8_t *file_bytes(int fd, size_t *ret_bytes)
{
	off_t n = lseek(fd, 0, SEEK_END);
	uint8_t *bytes;

	assert_true(n > 0);
	bytes = malloc((size_t)n);
	assert_non_null(bytes);
	assert_int_equal(pread(fd, bytes, (size_t)n, 0), n);
	*ret_bytes = (size_t)n;
	return bytes;
}

static void count_records(struct fr_dump *d, size_t i, struct fr_fixture_facts *f)
{
	const struct fr_dump_entry *e = fr_dump_chunk(d, i);
	struct fr_buf raw = { 0 };
	struct fr_record_walk w;
	struct fr_record r;
	uint64_t first = f->records;
	int ret;

	assert_int_equal(fr_dump_load(d, i, &raw), 0);
	fr_record_walk_init(&w, e->cpu, (struct fr_slice){ raw.data, raw.len_bytes });
	while ((ret = fr_record_next(&w, &r)) == 1) {
		assert_true(fr_record_sound(&r));
		assert_in_range(r.time_ns, e->first_time_ns, e->last_time_ns);
		f->records++;
		f->kinds[r.kind]++;
		f->cpu_records[r.cpu]++;
	}
	assert_int_equal(ret, 0);
	assert_int_equal(f->records - first, e->records);
	fr_buf_done(&raw);
}

static void reader_finds_what_was_told(void **state)
{
	struct fr_fixture_options opt = { .codec = FR_CODEC_ZSTD, .gap = true };
	struct fr_fixture_facts facts, found = { 0 };
	int fd = fr_fixture_open(&opt, &facts);
	struct fr_dump *d;
	char err[200];

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fr_dump_open(fd, &d, err, sizeof(err)), 0);
	assert_int_equal(fr_dump_problem_cnt(d), 0);
	assert_false(fr_dump_incomplete(d));
	for (size_t i = 0; i < fr_dump_chunk_cnt(d); i++)
		if (fr_dump_chunk(d, i)->type == FR_CHUNK_EVENTS)
			count_records(d, i, &found);
	assert_int_equal(found.records, facts.records);
	assert_memory_equal(found.kinds, facts.kinds, sizeof(facts.kinds));
	assert_memory_equal(found.cpu_records, facts.cpu_records, sizeof(facts.cpu_records));
	for (uint32_t kind = 0; kind < 256; kind++)
		assert_true(!fr_event_infos[kind].name == !facts.kinds[kind]);
	fr_dump_close(d);
	close(fd);
}

static void same_options_give_same_bytes(void **state)
{
	static const enum fr_codec codecs[] = { FR_CODEC_NONE, FR_CODEC_LZ4, FR_CODEC_ZSTD };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct fr_fixture_options opt = { .codec = codecs[i] };
		int one = fr_fixture_open(&opt, NULL), two = fr_fixture_open(&opt, NULL);
		size_t one_bytes, two_bytes;
		uint8_t *a = file_bytes(one, &one_bytes), *b = file_bytes(two, &two_bytes);

		assert_int_equal(one_bytes, two_bytes);
		assert_memory_equal(a, b, one_bytes);
		free(a);
		free(b);
		close(one);
		close(two);
	}
}

/* "dir/name" into a directory fd and a name. */
static int write_out(const char *path, const struct fr_fixture_options *opt)
{
	const char *slash = strrchr(path, '/');
	char dir[4096] = ".";
	int dir_fd, err;

	if (slash)
		snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path + 1), path);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return -errno;
	unlink(path);
	err = fr_fixture_write(dir_fd, slash ? slash + 1 : path, opt, NULL);
	close(dir_fd);
	return err;
}

/* Raw metadata of the dump into files named after the chunk types. */
static int write_meta(const char *dir, const struct fr_fixture_options *opt)
{
	int fd = fr_fixture_open(opt, NULL), err;
	struct fr_buf raw = { 0 };
	char path[4096];
	struct fr_dump *d;
	FILE *f;

	err = fd < 0 ? fd : fr_dump_open(fd, &d, path, sizeof(path));
	if (err)
		return err;
	for (size_t i = 0; i < fr_dump_chunk_cnt(d) && !err; i++) {
		if (fr_dump_chunk(d, i)->type == FR_CHUNK_EVENTS)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir,
			 fr_chunk_type_name(fr_dump_chunk(d, i)->type));
		err = fr_dump_load(d, i, &raw);
		f = err ? NULL : fopen(path, "we");
		if (!f || fwrite(raw.data, 1, raw.len_bytes, f) != raw.len_bytes || fclose(f))
			err = -EIO;
	}
	fr_buf_done(&raw);
	fr_dump_close(d);
	close(fd);
	return err;
}

static int write_out_by_environment(void)
{
	const char *meta_dir = getenv("FR_FIXTURE_META_DIR");
	const char *path = getenv("FR_FIXTURE_OUT"), *codec = getenv("FR_FIXTURE_CODEC");
	const char *requests = getenv("FR_FIXTURE_REQUESTS");
	struct fr_fixture_options opt = { .codec = FR_CODEC_ZSTD };
	int err = 0;

	if (meta_dir)
		err = write_meta(meta_dir, &opt);
	if (!path || err)
		return err;
	if (codec)
		err = fr_codec_parse(codec, &opt.codec, &opt.level);
	if (requests)
		opt.requests = (uint32_t)strtoul(requests, NULL, 10);
	opt.gap = getenv("FR_FIXTURE_GAP") != NULL;
	err = err ? err : write_out(path, &opt);
	if (err)
		fprintf(stderr, "%s: %s\n", path, strerror(-err));
	return err;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reader_finds_what_was_told),
		cmocka_unit_test(same_options_give_same_bytes),
	};

	if (write_out_by_environment())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
