/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The input is a dump file. It is read twice: as it is, and mended, that is with magics and
 * checksums put right wherever its chunks claim to be, because no fuzzer guesses a hash. Whatever
 * opens is read whole: every chunk, record, row and accessor.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "formats/dump/census.h"
#include "formats/dump/chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes);

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_dump: %s\n", what);
	abort();
}

/* What the accessors hand out must make sense whatever the file holds. */
static void look_around(const struct fr_dump *d)
{
	const struct fr_meta_trigger *t = fr_dump_trigger(d);
	const struct fr_meta_config *c = fr_dump_config(d);
	const struct fr_meta_clocks *clocks = fr_dump_clocks(d);
	const struct fr_meta_host *h = fr_dump_host(d);

	must(fr_dump_sound_until(d) <= fr_dump_file_bytes(d), "sound until beyond the file");
	for (size_t i = 0; fr_dump_problem(d, i); i++)
		must(fr_dump_problem(d, i)->what[0], "a problem without text");
	must(!t || t->joined_cnt <= FR_JOINED_MAX, "joined triggers");
	must(!c || (c->setting_cnt <= FR_SETTINGS_MAX && c->family_cnt <= FR_FAMILY_CNT &&
		    c->degraded_cnt <= FR_DEGRADED_MAX),
	     "configuration");
	must(!h || strlen(h->kernel_version) < sizeof(h->kernel_version), "host strings");
	for (uint64_t ns = 1; clocks && ns; ns <<= 3) {
		fr_clocks_to_unix(clocks, ns);
		fr_clocks_to_boot(clocks, ~ns);
	}
}

static void read_file(int fd)
{
	struct fr_census one, two;
	struct fr_dump *d;
	char err[200] = "";
	uint64_t problems;

	if (fr_dump_open(fd, &d, err, sizeof(err))) {
		must(err[0], "refused without a word");
		return;
	}
	look_around(d);
	must(!fr_dump_census(d, &one), "census failed");
	problems = fr_dump_problem_cnt(d);
	must(!one.bad_chunks || problems, "bad chunks without a problem");
	must(!fr_dump_census(d, &two), "second census failed");
	must(one.records == two.records && one.bad_chunks == two.bad_chunks, "censuses differ");
	for (size_t i = 0; i < fr_dump_chunk_cnt(d); i++)
		must(fr_dump_chunk(d, i)->off < fr_dump_file_bytes(d), "a chunk beyond the file");
	fr_dump_close(d);
}

/* Makes believable what stands where a chunk should: returns false where none can be. */
static bool mend_chunk(uint8_t *at, size_t left, uint64_t salt)
{
	struct fr_chunk_header h;

	memcpy(&h, at, sizeof(h));
	if (h.stored_bytes > left - sizeof(h))
		return false;
	fr_chunk_seal(&h, at + sizeof(h), salt);
	memcpy(at, &h, sizeof(h));
	return true;
}

static void mend(uint8_t *file, size_t file_bytes)
{
	struct fr_dump_header header;
	size_t off = sizeof(header);
	uint32_t stored_bytes;

	if (file_bytes < sizeof(header))
		return;
	memcpy(&header, file, sizeof(header));
	header.major = FR_DUMP_MAJOR;
	header.incompat_flags &= FR_DUMP_INCOMPLETE;
	fr_dump_header_seal(&header);
	memcpy(file, &header, sizeof(header));
	while (file_bytes - off >= sizeof(struct fr_chunk_header)) {
		if (!mend_chunk(file + off, file_bytes - off, fr_dump_salt(&header)))
			return;
		memcpy(&stored_bytes, file + off + offsetof(struct fr_chunk_header, stored_bytes),
		       sizeof(stored_bytes));
		off += FR_CHUNK_BYTES(stored_bytes);
		if (off > file_bytes)
			return;
	}
}

static int file_of(const uint8_t *data, size_t data_bytes)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	must(fd >= 0 && write(fd, data, data_bytes) == (ssize_t)data_bytes, "memfd");
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes)
{
	int fd = file_of(data, data_bytes);
	uint8_t *mended;

	read_file(fd);
	if (data_bytes) {
		mended = malloc(data_bytes);
		must(mended, "memory");
		memcpy(mended, data, data_bytes);
		mend(mended, data_bytes);
		must(pwrite(fd, mended, data_bytes, 0) == (ssize_t)data_bytes, "memfd");
		free(mended);
		read_file(fd);
	}
	close(fd);
	return 0;
}
