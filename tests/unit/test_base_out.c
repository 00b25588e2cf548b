/* SPDX-License-Identifier: BSD-2-Clause */
/* The output file: all bytes or none, whatever it is written to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "formats/base/digits.h"
#include "formats/base/out.h"

static const struct sigaction ignore = { .sa_handler = SIG_IGN };
static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/fr-out-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	struct dirent *e;
	DIR *d = opendir(dir);

	(void)state;
	while (d && (e = readdir(d)))
		unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	return rmdir(dir);
}

static const char *in_dir(const char *name)
{
	static char path[2][128];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return path[turn];
}

static unsigned int files_in_dir(void)
{
	unsigned int cnt = 0;
	struct dirent *e;
	DIR *d = opendir(dir);

	assert_non_null(d);
	while ((e = readdir(d)))
		cnt += e->d_name[0] != '.';
	closedir(d);
	return cnt;
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void assert_file(const char *path, const char *want)
{
	char got[64] = "";
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	got[fread(got, 1, sizeof(got) - 1, f)] = 0;
	fclose(f);
	assert_string_equal(got, want);
}

static void appears_when_closed(void **state)
{
	struct fr_buf b = { 0 };
	struct fr_out o;

	(void)state;
	assert_int_equal(fr_out_open(&o, in_dir("a")), 0);
	fr_out_add_str(&o, "one ");
	fr_out_add(&o, "two", 3);
	fr_out_add(&o, NULL, 0);
	fr_buf_add_str(&b, " three");
	fr_out_add_buf(&o, &b);
	assert_int_equal(b.len_bytes, 0);
	assert_int_equal(fr_out_bytes(&o), 13);
	assert_int_equal(fr_out_flush(&o), 0);
	assert_int_equal(fr_out_bytes(&o), 13);
	assert_int_equal(access(in_dir("a"), F_OK), -1);
	assert_int_equal(fr_out_close(&o), 0);
	assert_file(in_dir("a"), "one two three");
	assert_int_equal(files_in_dir(), 1);
	fr_buf_done(&b);
}

static void abort_keeps_the_old_file(void **state)
{
	struct fr_out o;

	(void)state;
	write_file(in_dir("a"), "old");
	assert_int_equal(fr_out_open(&o, in_dir("a")), 0);
	fr_out_add_str(&o, "new");
	fr_out_flush(&o);
	fr_out_abort(&o);
	assert_file(in_dir("a"), "old");
	assert_int_equal(files_in_dir(), 1);
}

static void mode_and_links_stay(void **state)
{
	struct stat st;
	struct fr_out o;

	(void)state;
	write_file(in_dir("real"), "old");
	assert_int_equal(chmod(in_dir("real"), 0604), 0);
	assert_int_equal(symlink("real", in_dir("link")), 0);
	assert_int_equal(fr_out_open(&o, in_dir("link")), 0);
	fr_out_add_str(&o, "new");
	assert_int_equal(fr_out_close(&o), 0);
	assert_file(in_dir("real"), "new");
	assert_int_equal(lstat(in_dir("link"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat(in_dir("real"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0604);
	assert_int_equal(symlink("nowhere", in_dir("dangling")), 0);
	assert_int_equal(fr_out_open(&o, in_dir("dangling")), -ENOENT);
}

static void what_cannot_be_opened(void **state)
{
	struct fr_out o;

	(void)state;
	assert_int_equal(fr_out_open(&o, dir), -EISDIR);
	assert_int_equal(fr_out_open(&o, in_dir("no/such/folder")), -ENOENT);
	write_file(in_dir("file"), "");
	assert_int_equal(fr_out_open(&o, in_dir("file/below")), -ENOTDIR);
	assert_int_equal(fr_out_open(&o, ""), -ENOENT);
}

/* A file that may not grow further stands for a full disk. */
static void full_disk_leaves_the_old_file(void **state)
{
	struct rlimit old_limit, limit;
	static char block[300000];
	struct fr_out o;
	int i;

	(void)state;
	sigaction(SIGXFSZ, &ignore, NULL);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
	limit = old_limit;
	limit.rlim_cur = 3u << 20;
	write_file(in_dir("a"), "old");
	assert_int_equal(fr_out_open(&o, in_dir("a")), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (i = 0; i < 20; i++)
		fr_out_add(&o, block, sizeof(block));
	i = fr_out_close(&o);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
	assert_int_equal(i, -EFBIG);
	assert_file(in_dir("a"), "old");
	assert_int_equal(files_in_dir(), 1);
}

static void devices_are_written_into(void **state)
{
	struct fr_out o;
	struct stat st;

	(void)state;
	assert_int_equal(fr_out_open(&o, "/dev/null"), 0);
	fr_out_add_str(&o, "x");
	assert_int_equal(fr_out_close(&o), 0);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(fr_out_open(&o, "/dev/full"), 0);
	fr_out_add_str(&o, "x");
	assert_int_equal(fr_out_flush(&o), -ENOSPC);
	/* after the error nothing is written, and the first error is what is told */
	*fr_out_reserve(&o, 10) = 'y';
	assert_int_equal(fr_out_close(&o), -ENOSPC);
}

static void error_of_a_buffer_is_taken_over(void **state)
{
	struct fr_buf b = { .limit_bytes = 2 };
	struct fr_out o;

	(void)state;
	assert_int_equal(fr_out_open(&o, in_dir("a")), 0);
	fr_buf_add_str(&b, "too long");
	fr_out_add_buf(&o, &b);
	assert_int_equal(fr_out_close(&o), -E2BIG);
	assert_int_equal(files_in_dir(), 0);
	fr_buf_done(&b);
}

#define PATTERN_CNT 700000u

/* Numbers in bursts, blocks smaller and larger than the buffer; a checksum of the same. */
static uint64_t write_pattern(struct fr_out *o)
{
	size_t big_bytes = FR_OUT_BUF_BYTES * 2 + 12345, i;
	char *big = malloc(big_bytes), *p, *start;
	uint64_t sum = 0;

	assert_non_null(big);
	for (i = 0; i < PATTERN_CNT; i++) {
		start = p = fr_out_reserve(o, FR_DIGITS_U64 + 1);
		p = fr_put_u64(p, i * 7919);
		*p++ = '\n';
		for (; start < p; start++)
			sum = sum * 31 + (uint8_t)*start;
		fr_out_advance(o, p);
	}
	for (i = 0; i < big_bytes; i++) {
		big[i] = (char)(i * 31 % 251);
		sum = sum * 31 + (uint8_t)big[i];
	}
	fr_out_add(o, big, big_bytes);
	for (i = 0; i < 5; i++) {
		size_t k;

		fr_out_add(o, big, FR_OUT_BUF_BYTES - 1);
		for (k = 0; k < FR_OUT_BUF_BYTES - 1; k++)
			sum = sum * 31 + (uint8_t)big[k];
	}
	free(big);
	return sum;
}

/* Reads fd to its end, in pieces of odd sizes; the same checksum. */
static uint64_t sum_of(int fd, uint64_t *ret_bytes)
{
	static uint8_t piece[7919];
	uint64_t sum = 0, total = 0;
	ssize_t n, i;

	while ((n = read(fd, piece, sizeof(piece))) > 0) {
		for (i = 0; i < n; i++)
			sum = sum * 31 + piece[i];
		total += (uint64_t)n;
	}
	*ret_bytes = total;
	return sum;
}

static void large_file_is_whole(void **state)
{
	uint64_t want, bytes, given;
	struct fr_out o;
	int fd;

	(void)state;
	assert_int_equal(fr_out_open(&o, in_dir("big")), 0);
	want = write_pattern(&o);
	given = fr_out_bytes(&o);
	assert_int_equal(fr_out_close(&o), 0);
	fd = open(in_dir("big"), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(sum_of(fd, &bytes) == want);
	assert_int_equal(bytes, given);
	close(fd);
}

/* A reader slower than the writer, on a pipe that somebody made non-blocking. */
static void slow_pipe_gets_all(void **state)
{
	uint64_t want, got[2] = { 0 };
	int data[2], result[2], status;
	struct fr_out o;
	pid_t child;

	(void)state;
	assert_int_equal(pipe2(data, O_CLOEXEC), 0);
	assert_int_equal(pipe2(result, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		close(data[1]);
		got[0] = sum_of(data[0], &got[1]);
		_exit(write(result[1], got, sizeof(got)) != sizeof(got));
	}
	close(data[0]);
	assert_int_equal(fcntl(data[1], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fr_out_open_fd(&o, data[1]), 0);
	want = write_pattern(&o);
	assert_int_equal(fr_out_close(&o), 0);
	/* the fd was the caller's and is still open */
	assert_int_equal(close(data[1]), 0);
	assert_int_equal(read(result[0], got, sizeof(got)), sizeof(got));
	assert_true(got[0] == want);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(result[0]);
	close(result[1]);
}

static void reader_that_leaves_is_an_error(void **state)
{
	struct fr_out o;
	int ends[2];

	(void)state;
	sigaction(SIGPIPE, &ignore, NULL);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	assert_int_equal(fr_out_open_fd(&o, ends[1]), 0);
	fr_out_add_str(&o, "x");
	assert_int_equal(fr_out_close(&o), -EPIPE);
	close(ends[1]);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(appears_when_closed),
		IN_DIR(abort_keeps_the_old_file),
		IN_DIR(mode_and_links_stay),
		IN_DIR(what_cannot_be_opened),
		IN_DIR(full_disk_leaves_the_old_file),
		cmocka_unit_test(devices_are_written_into),
		IN_DIR(error_of_a_buffer_is_taken_over),
		IN_DIR(large_file_is_whole),
		cmocka_unit_test(slow_pipe_gets_all),
		cmocka_unit_test(reader_that_leaves_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
