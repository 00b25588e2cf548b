/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/dump/chunk.h"
#include "formats/dump/reader.h"
#include "formats/dump/writer.h"

#define NAME "flightrec-20261123T171552.123Z-usr1-1.frd"
#define TEMP "." NAME ".tmp"

static char dir_path[64];
static int dir_fd;
static uint64_t events_raw[FR_CHUNK_RAW_MAX / 8];

static int start(void **state)
{
	(void)state;
	snprintf(dir_path, sizeof(dir_path), "/tmp/fr-writer-XXXXXX");
	if (!mkdtemp(dir_path))
		return -1;
	dir_fd = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 ? -1 : 0;
}

static int end(void **state)
{
	(void)state;
	unlinkat(dir_fd, NAME, 0);
	unlinkat(dir_fd, TEMP, 0);
	close(dir_fd);
	return rmdir(dir_path); /* fails when a test left anything else behind */
}

static struct fr_dump_options options(void)
{
	return (struct fr_dump_options){
		.dir_fd = dir_fd, .name = NAME, .codec = FR_CODEC_LZ4, .created_unix_ns = 42
	};
}

/* One segment of waking records, full chunk size unless told otherwise. */
static struct fr_dump_events events(uint32_t records)
{
	struct fr_segment_header h = { .base_time_ns = 1000,
				       .bytes = records * 16,
				       .records = records };
	uint64_t *at = events_raw + sizeof(h) / 8;

	memcpy(events_raw, &h, sizeof(h));
	for (uint32_t i = 0; i < records; i++) {
		*at++ = FR_RECORD_WORD(1000 + i, FR_EV_SCHED_WAKING, 2);
		*at++ = FR_WAKING_WHO(i % 1000, 7, 0, FR_WAKER_TASK) ^ (uint64_t)i * 2654435761u
									       << 60;
	}
	return (struct fr_dump_events){ .raw = events_raw,
					.raw_bytes = (uint32_t)sizeof(h) + records * 16,
					.cpu = 1,
					.first_time_ns = 1000,
					.last_time_ns = 999 + records,
					.records = records,
					.segments = 1 };
}

static bool exists(const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static struct fr_dump *opened(const char *name, int *ret_fd)
{
	struct fr_dump *d = NULL;
	char err[200];

	*ret_fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	assert_true(*ret_fd >= 0);
	assert_int_equal(fr_dump_open(*ret_fd, &d, err, sizeof(err)), 0);
	return d;
}

static void a_dump_appears_whole_under_its_name(void **state)
{
	struct fr_dump_options opt = options();
	struct fr_dump_events ev = events(5000);
	struct fr_dump_totals totals;
	struct fr_dump_writer *w;
	struct fr_buf raw = { 0 };
	struct fr_dump *d;
	struct stat st;
	mode_t mask = umask(0);
	int fd;

	(void)state;
	assert_int_equal(fr_dump_create(&opt, &w), 0);
	umask(mask);
	assert_true(exists(TEMP));
	assert_false(exists(NAME));
	assert_int_equal(fr_dump_put_events(w, &ev), 0);
	d = opened(TEMP, &fd);
	assert_true(fr_dump_incomplete(d));
	assert_int_equal(fr_dump_problem_cnt(d), 0);
	fr_dump_close(d);
	close(fd);
	assert_int_equal(fr_dump_finish(w, &totals), 0);
	assert_false(exists(TEMP));
	assert_int_equal(fstatat(dir_fd, NAME, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(totals.stored_bytes, st.st_size);
	assert_int_equal(totals.records, 5000);
	assert_int_equal(totals.chunks, 2);

	d = opened(NAME, &fd);
	assert_false(fr_dump_incomplete(d));
	assert_int_equal(fr_dump_file_header(d)->created_unix_ns, 42);
	assert_int_equal(fr_dump_load(d, 0, &raw), 0);
	assert_int_equal(raw.len_bytes, ev.raw_bytes);
	assert_memory_equal(raw.data, events_raw, ev.raw_bytes);
	fr_buf_done(&raw);
	fr_dump_close(d);
	close(fd);
}

static void ids_are_random_unless_given(void **state)
{
	struct fr_dump_options opt = options();
	uint8_t ids[3][16];
	struct fr_dump_writer *w;
	struct fr_dump *d;
	int fd;

	(void)state;
	for (int i = 0; i < 3; i++) {
		opt.dump_id = i == 2 ? (const uint8_t *)"0123456789abcdef" : NULL;
		assert_int_equal(fr_dump_create(&opt, &w), 0);
		assert_int_equal(fr_dump_finish(w, NULL), 0);
		d = opened(NAME, &fd);
		memcpy(ids[i], fr_dump_file_header(d)->dump_id, 16);
		fr_dump_close(d);
		close(fd);
		unlinkat(dir_fd, NAME, 0);
	}
	assert_memory_not_equal(ids[0], ids[1], 16);
	assert_memory_equal(ids[2], "0123456789abcdef", 16);
}

static void names_that_lead_elsewhere_are_refused(void **state)
{
	static const char *const bad[] = { "", ".hidden", "a/b", "../x", "/etc/x" };
	struct fr_dump_options opt = options();
	char long_name[300];
	struct fr_dump_writer *w;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		opt.name = bad[i];
		assert_int_equal(fr_dump_create(&opt, &w), -EINVAL);
	}
	memset(long_name, 'n', sizeof(long_name));
	long_name[251] = 0; /* with "." and ".tmp" one more than a name may have */
	opt.name = long_name;
	assert_int_equal(fr_dump_create(&opt, &w), -ENAMETOOLONG);
}

static void existing_files_are_left_alone(void **state)
{
	static const char *const names[] = { NAME, TEMP };
	struct fr_dump_options opt = options();
	struct fr_dump_writer *w;
	struct stat st;
	int fd;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		fd = openat(dir_fd, names[i], O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
		assert_int_equal(write(fd, "mine", 4), 4);
		close(fd);
		assert_int_equal(fr_dump_create(&opt, &w), -EEXIST);
		assert_int_equal(fstatat(dir_fd, names[i], &st, 0), 0);
		assert_int_equal(st.st_size, 4);
		assert_false(exists(names[1 - i]));
		unlinkat(dir_fd, names[i], 0);
	}
}

static void a_name_taken_meanwhile_is_not_overwritten(void **state)
{
	struct fr_dump_options opt = options();
	struct fr_dump_writer *w;
	struct stat st;
	int fd;

	(void)state;
	assert_int_equal(fr_dump_create(&opt, &w), 0);
	fd = openat(dir_fd, NAME, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	assert_int_equal(fr_dump_finish(w, NULL), -EEXIST);
	assert_int_equal(fstatat(dir_fd, NAME, &st, 0), 0);
	assert_int_equal(st.st_size, 0);
	assert_true(exists(TEMP)); /* nothing recorded is thrown away unasked */
}

static void links_are_not_followed(void **state)
{
	struct fr_dump_options opt = options();
	char target[96];
	struct fr_dump_writer *w;

	(void)state;
	snprintf(target, sizeof(target), "%s/target", dir_path);
	assert_int_equal(symlinkat(target, dir_fd, TEMP), 0);
	assert_int_equal(fr_dump_create(&opt, &w), -EEXIST);
	assert_false(exists("target"));
	unlinkat(dir_fd, TEMP, 0);
	assert_int_equal(symlinkat(target, dir_fd, NAME), 0); /* dangling */
	assert_int_equal(fr_dump_create(&opt, &w), -EEXIST);
	assert_false(exists("target"));
}

static void aborting_keeps_or_removes(void **state)
{
	struct fr_dump_options opt = options();
	struct fr_dump_writer *w;

	(void)state;
	assert_int_equal(fr_dump_create(&opt, &w), 0);
	fr_dump_abort(w, false);
	assert_false(exists(TEMP));
	assert_int_equal(fr_dump_create(&opt, &w), 0);
	fr_dump_abort(w, true);
	assert_true(exists(TEMP));
	assert_false(exists(NAME));
	fr_dump_abort(NULL, false);
}

/* ---- limits ---------------------------------------------------------------------------------- */

struct quota {
	uint64_t limit_bytes, seen_bytes;
	int calls;
};

static int within_quota(void *ctx, uint64_t total_bytes)
{
	struct quota *q = ctx;

	assert_true(total_bytes > q->seen_bytes);
	q->calls++;
	if (total_bytes > q->limit_bytes)
		return -EDQUOT;
	q->seen_bytes = total_bytes;
	return 0;
}

static void a_quota_ends_the_dump_between_chunks(void **state)
{
	struct quota q = { .limit_bytes = 100000 };
	struct fr_dump_options opt = options();
	struct fr_dump_events ev = events(2000);
	struct fr_buf raw = { 0 };
	struct fr_dump_writer *w;
	struct fr_dump *d;
	int fd, chunks = 0, err;

	(void)state;
	opt.may_write = within_quota;
	opt.ctx = &q;
	opt.codec = FR_CODEC_NONE;
	assert_int_equal(fr_dump_create(&opt, &w), 0);
	while (!(err = fr_dump_put_events(w, &ev)))
		chunks++;
	assert_int_equal(err, -EDQUOT);
	assert_int_equal(chunks, (100000 - 64) / (64 + 32 + 2000 * 16));
	assert_int_equal(q.calls, 1 + chunks + 1);
	fr_buf_add_str(&raw, "x");
	assert_int_equal(fr_dump_put_meta(w, FR_CHUNK_HOST, &raw), -EDQUOT); /* it stays so */
	assert_int_equal(fr_dump_finish(w, NULL), -EDQUOT);
	assert_int_equal(q.calls, 1 + chunks + 1);
	fr_buf_done(&raw);
	d = opened(TEMP, &fd);
	assert_int_equal(fr_dump_chunk_cnt(d), chunks);
	assert_int_equal(fr_dump_problem_cnt(d), 0);
	assert_int_equal(fr_dump_file_bytes(d), q.seen_bytes);
	assert_true(fr_dump_incomplete(d));
	fr_dump_close(d);
	close(fd);
}

static void a_full_disk_leaves_whole_chunks_only(void **state)
{
	const struct rlimit small = { 50000, RLIM_INFINITY };
	struct fr_dump_options opt = options();
	struct fr_dump_events ev = events(1000);
	struct fr_dump_writer *w;
	struct rlimit old;
	struct fr_dump *d;
	int fd, chunks = 0, err;

	(void)state;
	/* the write that crosses the limit is short, the next one fails: as on a full disk */
	sigaction(SIGXFSZ, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	getrlimit(RLIMIT_FSIZE, &old);
	opt.codec = FR_CODEC_NONE;
	assert_int_equal(fr_dump_create(&opt, &w), 0);
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){ small.rlim_cur, old.rlim_max });
	while (!(err = fr_dump_put_events(w, &ev)))
		chunks++;
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(err, -EFBIG);
	assert_int_equal(chunks, (50000 - 64) / (64 + 32 + 16000));
	assert_int_equal(fr_dump_finish(w, NULL), -EFBIG);
	d = opened(TEMP, &fd);
	assert_int_equal(fr_dump_chunk_cnt(d), chunks);
	assert_int_equal(fr_dump_problem_cnt(d), 0);
	fr_dump_close(d);
	close(fd);
}

static void too_large_metadata_is_the_callers_to_split(void **state)
{
	struct fr_dump_options opt = options();
	struct fr_buf raw = { 0 };
	struct fr_dump_writer *w;

	(void)state;
	assert_int_equal(fr_dump_create(&opt, &w), 0);
	memset(fr_buf_reserve(&raw, FR_CHUNK_RAW_MAX + 1), 'x', FR_CHUNK_RAW_MAX + 1);
	raw.len_bytes = FR_CHUNK_RAW_MAX + 1;
	assert_int_equal(fr_dump_put_meta(w, FR_CHUNK_THREADS, &raw), -E2BIG);
	raw.len_bytes--;
	assert_int_equal(fr_dump_put_meta(w, FR_CHUNK_THREADS, &raw), 0);
	raw.err = -ENOMEM;
	assert_int_equal(fr_dump_put_meta(w, FR_CHUNK_THREADS, &raw), -ENOMEM);
	fr_buf_clear(&raw);
	assert_int_equal(fr_dump_put_meta(w, FR_CHUNK_THREADS, &raw), 0); /* nothing to say */
	assert_int_equal(fr_dump_finish(w, NULL), 0);
	fr_buf_done(&raw);
}

static void loss_of_thousands_of_cpus_is_split_and_joined(void **state)
{
	static struct fr_cpu_loss cpus[FR_CPUS_MAX];
	struct fr_meta_loss loss = { .cpus = cpus,
				     .cpu_cnt = FR_CPUS_MAX,
				     .end_ns = 77,
				     .counters = { { "self", 3 } },
				     .counter_cnt = 1 };
	struct fr_dump_options opt = options();
	const struct fr_meta_loss *back;
	struct fr_dump_writer *w;
	struct fr_dump *d;
	int fd;

	(void)state;
	for (uint32_t i = 0; i < FR_CPUS_MAX; i++)
		cpus[i] = (struct fr_cpu_loss){ i,     ~0ull, ~0ull, ~0ull, ~0ull, ~0ull,
						~0ull, ~0ull, ~0ull, ~0ull, ~0ull };
	assert_int_equal(fr_dump_create(&opt, &w), 0);
	assert_int_equal(fr_dump_put_loss(w, &loss), 0);
	assert_int_equal(fr_dump_finish(w, NULL), 0);
	d = opened(NAME, &fd);
	assert_int_equal(fr_dump_chunk_cnt(d), 5); /* 4 and the index */
	back = fr_dump_loss(d);
	assert_non_null(back);
	assert_int_equal(back->cpu_cnt, FR_CPUS_MAX);
	assert_memory_equal(back->cpus, cpus, sizeof(cpus));
	assert_int_equal(back->end_ns, 77);
	assert_int_equal(back->counter_cnt, 1);
	fr_dump_close(d);
	close(fd);
}

static void a_large_index_is_split_and_understood(void **state)
{
	struct fr_dump_options opt = options();
	struct fr_dump_events ev = events(1);
	struct fr_dump_writer *w;
	struct fr_dump *d;
	int fd, index_chunks = 0;

	(void)state;
	assert_int_equal(fr_dump_create(&opt, &w), 0);
	for (int i = 0; i < 7000; i++)
		assert_int_equal(fr_dump_put_events(w, &ev), 0);
	assert_int_equal(fr_dump_finish(w, NULL), 0);
	d = opened(NAME, &fd);
	for (size_t i = 0; i < fr_dump_chunk_cnt(d); i++)
		index_chunks += fr_dump_chunk(d, i)->type == FR_CHUNK_INDEX;
	assert_int_equal(index_chunks, 3);
	assert_int_equal(fr_dump_chunk_cnt(d), 7003);
	assert_int_equal(fr_dump_problem_cnt(d), 0);
	assert_false(fr_dump_incomplete(d));
	fr_dump_close(d);
	close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(a_dump_appears_whole_under_its_name),
		TEST(ids_are_random_unless_given),
		TEST(names_that_lead_elsewhere_are_refused),
		TEST(existing_files_are_left_alone),
		TEST(a_name_taken_meanwhile_is_not_overwritten),
		TEST(links_are_not_followed),
		TEST(aborting_keeps_or_removes),
		TEST(a_quota_ends_the_dump_between_chunks),
		TEST(a_full_disk_leaves_whole_chunks_only),
		TEST(too_large_metadata_is_the_callers_to_split),
		TEST(loss_of_thousands_of_cpus_is_split_and_joined),
		TEST(a_large_index_is_split_and_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
