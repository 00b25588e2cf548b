/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small, deterministic, realistic dump for tests: the same options give the same bytes on every
 * machine. What happens in it is told in fixture_story.h: host, clocks, trigger, two CPUs, Go web
 * service, PostgreSQL, curl, all event kinds; the numbers are in struct fr_fixture_facts.
 *
 *	struct fr_fixture_options opt = { .codec = FR_CODEC_ZSTD };
 *	struct fr_fixture_facts facts;
 *	int fd = fr_fixture_open(&opt, &facts);		(unlinked file; the caller closes it)
 *
 * As a file for scripts: FR_FIXTURE_OUT=some.frd build/tests/unit/test_dump_fixture
 */
#ifndef FR_TESTS_DUMP_FIXTURE_H
#define FR_TESTS_DUMP_FIXTURE_H

#include <fcntl.h>
#include <unistd.h>

#include "fixture_meta.h"

struct fr_fixture_options {
	enum fr_codec codec;
	int level;		  /* of zstd; 0 = default */
	uint32_t requests;	  /* before curl's; 0 = 6 */
	uint32_t chunk_bytes;	  /* raw bytes of an events chunk at most; 0 = 4096 */
	uint32_t segment_records; /* records of a segment at most; 0 = 40 */
	bool gap;		  /* 25 records of CPU 1 were overtaken in the middle */
	bool incomplete;	  /* stop before the index: the file stays flagged */
};

#define FR_FIXTURE_TABLE_ROWS                                                                      \
	{                                                                                          \
		.threads = 12, .processes = 10, .sockets = 8                                       \
	}

static inline int fr_fixture_put(struct fx_story *s, struct fr_dump_writer *w)
{
	struct fr_buf b = { 0 };
	int err = 0;

	fx_put_once(w, &s->fx.facts, &b, &err);
	fx_put_config(w, &b, &err);
	fx_put_threads(w, s, &b, &err);
	fx_put_processes(w, s, &b, &err);
	fx_put_sockets(w, s, &b, &err);
	fr_buf_done(&b);
	err = err ? err : fx_put_chunks(&s->fx, w);
	fx_put_loss(w, &s->fx.facts, &err);
	return err;
}

/* Writes the dump into a directory. 0 or a negative errno. ret_facts may be NULL. */
static inline int fr_fixture_write(int dir_fd, const char *name,
				   const struct fr_fixture_options *opt,
				   struct fr_fixture_facts *ret_facts)
{
	struct fr_dump_options dump = {
		.dir_fd = dir_fd,
		.name = name,
		.codec = opt->codec,
		.level = opt->level,
		.created_unix_ns = FX_UNIX_NS + 1000000000,
		.dump_id = (const uint8_t *)"fixture-dump-id!",
	};
	struct fx_story *s = calloc(1, sizeof(*s));
	struct fr_dump_writer *w;
	int err;

	assert(s);
	s->fx.segment_records = opt->segment_records ? opt->segment_records : 40;
	s->fx.chunk_bytes = opt->chunk_bytes ? opt->chunk_bytes : 4096;
	s->fx.facts = (struct fr_fixture_facts)FR_FIXTURE_TABLE_ROWS;
	s->fx.cpu[0].sub_seq = 70;
	s->fx.cpu[1].sub_seq = 31;
	fx_story_tell(s, opt->requests ? opt->requests : 6, opt->gap);
	err = fr_dump_create(&dump, &w);
	if (!err) {
		err = fr_fixture_put(s, w);
		if (err || opt->incomplete)
			fr_dump_abort(w, !err);
		else
			err = fr_dump_finish(w, NULL);
	}
	if (ret_facts)
		*ret_facts = s->fx.facts;
	fx_done(&s->fx);
	free(s);
	return err;
}

/* The dump as an open, unlinked file. The fd, or a negative errno. */
static inline int fr_fixture_open(const struct fr_fixture_options *opt,
				  struct fr_fixture_facts *ret_facts)
{
	char dir[] = "/tmp/fr-fixture-XXXXXX";
	const char *name = opt->incomplete ? ".fixture.frd.tmp" : "fixture.frd";
	int dir_fd, fd = -1, err;

	if (!mkdtemp(dir))
		return -errno;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = dir_fd < 0 ? -errno : fr_fixture_write(dir_fd, "fixture.frd", opt, ret_facts);
	if (!err) {
		fd = openat(dir_fd, name, O_RDWR | O_CLOEXEC);
		err = fd < 0 ? -errno : 0;
		unlinkat(dir_fd, name, 0);
	}
	if (dir_fd >= 0)
		close(dir_fd);
	rmdir(dir);
	return err ? err : fd;
}

#endif
