/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Feeds files to one fuzz target, without a fuzzer: the corpus is a regression test for every
 * compiler and sanitizer. Arguments are files or folders of files. Each input lies alone in memory
 * of exactly its size, so that ASan sees a read past its end. The name of the input in hand is on
 * stderr before it is tried: after a crash it's the last line.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_BYTES 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static int complain(const char *path)
{
	int err = errno;

	fprintf(stderr, "replay: %s: %s\n", path, strerror(err));
	return -err;
}

static int feed_bytes(const uint8_t *data, size_t data_bytes)
{
	uint8_t *alone = malloc(data_bytes ? data_bytes : 1);

	if (!alone)
		return -ENOMEM;
	if (data_bytes)
		memcpy(alone, data, data_bytes);
	LLVMFuzzerTestOneInput(alone, data_bytes);
	free(alone);
	return 0;
}

static int feed_file(const char *path, size_t file_bytes, unsigned *input_cnt)
{
	FILE *f = fopen(path, "rbe");
	uint8_t *data;
	int err = 0;

	if (!f)
		return complain(path);
	data = malloc(file_bytes + 1);
	if (!data || fread(data, 1, file_bytes, f) != file_bytes) {
		err = complain(path);
	} else {
		fprintf(stderr, "%s\n", path);
		err = feed_bytes(data, file_bytes);
		(*input_cnt)++;
	}
	free(data);
	fclose(f);
	return err;
}

static int feed_path(const char *path, unsigned *input_cnt);

static int feed_folder(const char *path, unsigned *input_cnt)
{
	struct dirent **entries;
	int entry_cnt = scandir(path, &entries, NULL, alphasort);
	int err = 0;

	if (entry_cnt < 0)
		return complain(path);
	for (int i = 0; i < entry_cnt; i++) {
		char below[PATH_BYTES];

		if (entries[i]->d_name[0] != '.' && !err) {
			if (snprintf(below, sizeof(below), "%s/%s", path, entries[i]->d_name) >=
			    (int)sizeof(below))
				err = -ENAMETOOLONG;
			else
				err = feed_path(below, input_cnt);
		}
		free(entries[i]);
	}
	free(entries);
	return err;
}

static int feed_path(const char *path, unsigned *input_cnt)
{
	struct stat st;

	if (stat(path, &st))
		return complain(path);
	if (S_ISDIR(st.st_mode))
		return feed_folder(path, input_cnt);
	return feed_file(path, (size_t)st.st_size, input_cnt);
}

int main(int argc, char **argv)
{
	unsigned input_cnt = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: %s FILE|FOLDER...\n", argv[0]);
		return 2;
	}
	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	if (feed_bytes(NULL, 0))
		return 1;
	for (int i = 1; i < argc; i++)
		if (feed_path(argv[i], &input_cnt))
			return 1;
	if (!input_cnt) {
		fprintf(stderr, "replay: no input in %s: it shows nothing without seeds\n",
			argv[1]);
		return 1;
	}
	printf("ok %u_inputs\n", input_cnt);
	return 0;
}
