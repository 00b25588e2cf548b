/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small dumps made record by record, for tests of what reads them:
 *
 *	struct mk m = { 0 };
 *	mk_begin(&m, 1);				(recorder start in s: which run it was)
 *	mk_thread(&m, 100, 100, 5, 0, "web");
 *	mk_segment(&m, 0, 7, 0, 0);			(CPU 0, sub-buffer 7, from record 0)
 *	mk_switch(&m, 1000, 100, 0, 1, 0);
 *	mk_chunk(&m);					(ends the chunk that the segments made)
 *	struct fr_dump *d = mk_end(&m, loss);
 *	...
 *	mk_close(&m);
 */
#ifndef FR_TESTS_MAKE_DUMP_H
#define FR_TESTS_MAKE_DUMP_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "formats/dump/reader.h"
#include "formats/dump/writer.h"

#define MK_UNIX_NS 1764000000000000000ull /* at BOOTTIME 0 */

struct mk {
	char dir[40];
	int dir_fd;
	struct fr_dump_writer *w;
	struct fr_buf raw; /* segments of the chunk being made */
	struct fr_segment_header seg;
	size_t seg_at;
	bool seg_open;
	struct fr_dump_events ev;
	struct fr_buf threads, processes, sockets;
	int fd;
	struct fr_dump *dump;
};

static inline void mk_meta(struct mk *m, enum fr_chunk_type type, struct fr_buf *b)
{
	assert_int_equal(fr_dump_put_meta(m->w, type, b), 0);
	fr_buf_done(b);
}

static inline void mk_begin_on(struct mk *m, uint64_t recorder_start_s, const char *boot_id)
{
	struct fr_dump_options opt = { .name = "made.frd",
				       .dump_id = (const uint8_t *)"made-by-hand-...",
				       .created_unix_ns = MK_UNIX_NS };
	struct fr_meta_host host = { .name = "made",
				     .recorder_start_ns = recorder_start_s * 1000000000,
				     .cpus_possible = 4 };
	struct fr_meta_clocks clocks = { .pairs = { { FR_CLOCK_START, 1, MK_UNIX_NS + 1, 0 } },
					 .pair_cnt = 1 };
	struct fr_buf b = { 0 };

	snprintf(host.boot_id, sizeof(host.boot_id), "%s", boot_id);
	snprintf(m->dir, sizeof(m->dir), "/tmp/fr-made-XXXXXX");
	assert_non_null(mkdtemp(m->dir));
	m->dir_fd = open(m->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	opt.dir_fd = m->dir_fd;
	assert_int_equal(fr_dump_create(&opt, &m->w), 0);
	fr_meta_add_host(&b, &host);
	mk_meta(m, FR_CHUNK_HOST, &b);
	fr_meta_add_clocks(&b, &clocks);
	mk_meta(m, FR_CHUNK_CLOCK, &b);
}

static inline void mk_begin(struct mk *m, uint64_t recorder_start_s)
{
	mk_begin_on(m, recorder_start_s, "boot-1");
}

static inline void mk_trigger(struct mk *m, uint64_t boot_ns)
{
	struct fr_meta_trigger t = {
		.main = { .name = "usr1", .boot_ns = boot_ns, .unix_ns = MK_UNIX_NS + boot_ns }
	};
	struct fr_buf b = { 0 };

	fr_meta_add_trigger(&b, &t);
	mk_meta(m, FR_CHUNK_TRIGGER, &b);
}

/* A row with everything in it. */
static inline void mk_thread_row(struct mk *m, const struct fr_meta_thread *t)
{
	fr_meta_add_thread(&m->threads, t);
}

static inline void mk_thread(struct mk *m, uint32_t tid, uint32_t tgid, uint64_t start_ns,
			     uint64_t end_ns, const char *comm)
{
	struct fr_meta_thread t = {
		.tid = tid, .tgid = tgid, .start_ns = start_ns, .end_ns = end_ns
	};

	snprintf(t.comm, sizeof(t.comm), "%s", comm);
	mk_thread_row(m, &t);
}

static inline void mk_end_segment(struct mk *m)
{
	if (!m->seg_open)
		return;
	memcpy(m->raw.data + m->seg_at, &m->seg, sizeof(m->seg));
	m->seg_open = false;
	m->ev.segments++;
}

static inline void mk_segment(struct mk *m, uint16_t cpu, uint32_t sub_seq, uint32_t first_record,
			      uint32_t flags)
{
	mk_end_segment(m);
	assert_true(!m->ev.records || m->ev.cpu == cpu);
	m->ev.cpu = cpu;
	m->seg = (struct fr_segment_header){ .sub_seq = sub_seq,
					     .first_record = first_record,
					     .flags = flags };
	m->seg_at = m->raw.len_bytes;
	fr_buf_add(&m->raw, &m->seg, sizeof(m->seg));
	m->seg_open = true;
}

/* The record's first word is made here. */
static inline void mk_add(struct mk *m, uint64_t t, uint32_t kind, const void *record, size_t bytes)
{
	uint64_t word = FR_RECORD_WORD(t, kind, bytes / 8);

	assert_true(m->seg_open && bytes % 8 == 0);
	if (!m->seg.records)
		m->seg.base_time_ns = t;
	if (!m->ev.records)
		m->ev.first_time_ns = t;
	m->ev.last_time_ns = t;
	fr_buf_add(&m->raw, &word, sizeof(word));
	fr_buf_add(&m->raw, (const uint8_t *)record + sizeof(word), bytes - sizeof(word));
	m->seg.records++;
	m->seg.bytes += (uint32_t)bytes;
	m->ev.records++;
}
#define MK_ADD(m, t, kind, ...)                                                                    \
	do {                                                                                       \
		__VA_ARGS__;                                                                       \
		mk_add(m, t, kind, &e, sizeof(e));                                                 \
	} while (0)

static inline void mk_switch(struct mk *m, uint64_t t, uint32_t prev, uint32_t next, uint32_t state,
			     uint32_t run_delay_ns)
{
	MK_ADD(m, t, FR_EV_SCHED_SWITCH,
	       struct fr_sched_switch e = { .who = FR_SWITCH_WHO(prev, next, state, 0),
					    .run_delay_ns = run_delay_ns });
}

static inline void mk_preempt(struct mk *m, uint64_t t, uint32_t prev, uint32_t next,
			      uint32_t run_delay_ns)
{
	MK_ADD(m, t, FR_EV_SCHED_SWITCH,
	       struct fr_sched_switch e = { .who = FR_SWITCH_WHO(prev, next, 0, 1),
					    .run_delay_ns = run_delay_ns });
}

static inline void mk_waking(struct mk *m, uint64_t t, uint32_t wakee, uint32_t waker)
{
	uint32_t context = waker ? FR_WAKER_TASK : FR_WAKER_HARDIRQ;

	MK_ADD(m, t, FR_EV_SCHED_WAKING,
	       struct fr_sched_waking e = { .who = FR_WAKING_WHO(wakee, waker, 0, context) });
}

static inline void mk_chunk(struct mk *m)
{
	mk_end_segment(m);
	assert_int_equal(m->raw.err, 0);
	m->ev.raw = m->raw.data;
	m->ev.raw_bytes = (uint32_t)m->raw.len_bytes;
	assert_int_equal(fr_dump_put_events(m->w, &m->ev), 0);
	m->ev = (struct fr_dump_events){ 0 };
	fr_buf_clear(&m->raw);
}

/* Finishes the file and opens it. loss may be NULL; no threads, no table. */
static inline struct fr_dump *mk_end(struct mk *m, const struct fr_meta_loss *loss)
{
	char err[200] = "";

	if (m->threads.len_bytes)
		mk_meta(m, FR_CHUNK_THREADS, &m->threads);
	if (m->processes.len_bytes)
		mk_meta(m, FR_CHUNK_PROCESSES, &m->processes);
	if (m->sockets.len_bytes)
		mk_meta(m, FR_CHUNK_SOCKETS, &m->sockets);
	if (loss)
		assert_int_equal(fr_dump_put_loss(m->w, loss), 0);
	assert_int_equal(fr_dump_finish(m->w, NULL), 0);
	m->fd = openat(m->dir_fd, "made.frd", O_RDWR | O_CLOEXEC);
	assert_true(m->fd >= 0);
	assert_int_equal(unlinkat(m->dir_fd, "made.frd", 0), 0);
	assert_int_equal(rmdir(m->dir), 0);
	close(m->dir_fd);
	fr_buf_done(&m->raw);
	if (fr_dump_open(m->fd, &m->dump, err, sizeof(err)))
		fail_msg("%s", err);
	return m->dump;
}

/* Breaks the contents of the n-th event chunk, and opens the file again. */
static inline struct fr_dump *mk_break_chunk(struct mk *m, size_t n)
{
	char err[200] = "";
	uint8_t byte;

	for (size_t i = 0; i < fr_dump_chunk_cnt(m->dump); i++) {
		const struct fr_dump_entry *e = fr_dump_chunk(m->dump, i);
		off_t at = (off_t)(e->off + sizeof(struct fr_chunk_header) + e->stored_bytes / 2);

		if (e->type != FR_CHUNK_EVENTS || n--)
			continue;
		assert_int_equal(pread(m->fd, &byte, 1, at), 1);
		byte ^= 0x55;
		assert_int_equal(pwrite(m->fd, &byte, 1, at), 1);
		break;
	}
	fr_dump_close(m->dump);
	if (fr_dump_open(m->fd, &m->dump, err, sizeof(err)))
		fail_msg("%s", err);
	return m->dump;
}

static inline void mk_close(struct mk *m)
{
	m->dump = fr_dump_close(m->dump);
	if (m->fd > 0)
		close(m->fd);
	m->fd = -1;
}

#endif
