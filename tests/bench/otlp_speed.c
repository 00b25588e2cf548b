/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a synthetic dump of requests, for measuring how fast spans are made:
 *
 *   otlp_speed FILE.frd [REQUESTS [CONNECTIONS]]
 *
 * One CPU; a service with a thread and goroutine per connection answers HTTP requests, each with
 * one SQL query on a connection of its own: two spans a request, six records.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/base/cli.h"
#include "formats/dump/codec.h"
#include "formats/dump/writer.h"

#define BOOT_NS 3600000000000ull
#define UNIX_NS 1764000000000000000ull
#define TGID 10000u
#define SEGMENT_BYTES (48u << 10)
#define TEXT_MAX 512

struct conn {
	uint64_t offs[2]
		     [2]; /* stream offsets by socket (HTTP, SQL) and direction (sent, received) */
};

struct gen {
	struct fr_dump_writer *w;
	struct conn *conns;
	uint32_t conn_cnt;
	struct fr_buf raw;
	struct fr_segment_header seg;
	size_t seg_at;
	uint64_t now_ns, first_ns;
	uint32_t records, segments, sub_seq;
	int err;
};

/* ---- chunks --------------------------------------------------------------------------------- */

static void end_segment(struct gen *g)
{
	if (!g->seg.records)
		return;
	memcpy(g->raw.data + g->seg_at, &g->seg, sizeof(g->seg));
	g->segments++;
	g->sub_seq++;
	g->seg.records = 0;
}

static void end_chunk(struct gen *g)
{
	struct fr_dump_events ev;

	end_segment(g);
	if (!g->records)
		return;
	ev = (struct fr_dump_events){ .raw = g->raw.data,
				      .raw_bytes = (uint32_t)g->raw.len_bytes,
				      .first_time_ns = g->first_ns,
				      .last_time_ns = g->now_ns,
				      .records = g->records,
				      .segments = g->segments };
	if (!g->err)
		g->err = g->raw.err ? g->raw.err : fr_dump_put_events(g->w, &ev);
	fr_buf_clear(&g->raw);
	g->records = g->segments = 0;
}

static void add(struct gen *g, uint32_t kind, void *record, uint32_t bytes)
{
	uint64_t word;

	g->now_ns += 5000;
	if (g->raw.len_bytes + bytes + sizeof(g->seg) > FR_CHUNK_RAW_MAX)
		end_chunk(g);
	if (g->seg.records && g->seg.bytes + bytes > SEGMENT_BYTES)
		end_segment(g);
	if (!g->seg.records) {
		g->seg = (struct fr_segment_header){ .base_time_ns = g->now_ns,
						     .sub_seq = g->sub_seq };
		g->seg_at = g->raw.len_bytes;
		fr_buf_add(&g->raw, &g->seg, sizeof(g->seg));
	}
	if (!g->records)
		g->first_ns = g->now_ns;
	word = FR_RECORD_WORD(g->now_ns, kind, bytes / 8);
	memcpy(record, &word, sizeof(word));
	fr_buf_add(&g->raw, record, bytes);
	g->seg.records++;
	g->seg.bytes += bytes;
	g->records++;
}

/* ---- requests ------------------------------------------------------------------------------- */

enum side { HTTP, SQL };

static void transfer(struct gen *g, uint32_t conn, enum side side, bool sends, const void *text,
		     size_t text_bytes)
{
	struct {
		struct fr_sock_io io;
		uint8_t text[TEXT_MAX];
	} e = { 0 };
	uint64_t *off = &g->conns[conn].offs[side][!sends];

	e.io = (struct fr_sock_io){ .sock_id = 1 + conn * 2 + side,
				    .stream_off = *off,
				    .result = (int32_t)text_bytes,
				    .tid = TGID + conn,
				    .fd = 5,
				    .syscall_nr = sends,
				    .captured_bytes = (uint16_t)text_bytes,
				    .g = 0xc000000000 + conn * 4096,
				    .goid = conn + 1,
				    .flags = FR_IO_GOID | FR_IO_MSG_START };
	memcpy(e.text, text, text_bytes);
	*off += text_bytes;
	add(g, sends ? FR_EV_SOCK_SEND : FR_EV_SOCK_RECV, &e,
	    (uint32_t)(sizeof(e.io) + (text_bytes + 7) / 8 * 8));
}

static void run_thread(struct gen *g, uint32_t prev, uint32_t next)
{
	struct fr_sched_switch sw = { .who = FR_SWITCH_WHO(prev, next, prev ? 1 : 0, 0) };

	add(g, FR_EV_SCHED_SWITCH, &sw, sizeof(sw));
}

static void one_request(struct gen *g, uint32_t conn, uint32_t n)
{
	static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
				    "Content-Length: 2\r\n\r\n{}";
	static const char done[] = "C\0\0\0\x0dSELECT 1\0Z\0\0\0\5I";
	char text[TEXT_MAX];
	int used;

	run_thread(g, 0, TGID + conn);
	used = snprintf(text, sizeof(text),
			"GET /items/%u?sort=name HTTP/1.1\r\nHost: shop.example:8080\r\n"
			"traceparent: 00-%032x-%016x-01\r\n\r\n",
			n, n + 1, n + 1);
	transfer(g, conn, HTTP, false, text, (size_t)used);
	used = snprintf(text + 5, sizeof(text) - 5,
			"SELECT i.id, i.name FROM items i JOIN stock s ON s.item = i.id "
			"WHERE i.id = %u AND s.place = 'north'",
			n);
	memcpy(text, "Q\0\0\0", 4);
	text[4] = (char)(used + 5);
	transfer(g, conn, SQL, true, text, (size_t)used + 6);
	transfer(g, conn, SQL, false, done, sizeof(done) - 1);
	transfer(g, conn, HTTP, true, reply, sizeof(reply) - 1);
	run_thread(g, TGID + conn, 0);
}

/* ---- tables --------------------------------------------------------------------------------- */

static void put(struct gen *g, enum fr_chunk_type type, struct fr_buf *b)
{
	g->err = g->err ? g->err : fr_dump_put_meta(g->w, type, b);
	fr_buf_clear(b);
}

/* A table may be several chunks. */
static void put_full(struct gen *g, enum fr_chunk_type type, struct fr_buf *b)
{
	if (b->len_bytes > FR_CHUNK_RAW_MAX / 2)
		put(g, type, b);
}

static void put_sockets(struct gen *g, struct fr_buf *b)
{
	for (uint32_t i = 0; i < g->conn_cnt * 2; i++) {
		struct fr_meta_socket s = { .id = 1 + i,
					    .type = FR_SOCK_STREAM,
					    .tgid = TGID,
					    .flags = i & 1 ? FR_SOCK_CONNECTED : FR_SOCK_ACCEPTED };

		s.addr = (struct fr_sock_addr){ .family = FR_AF_INET,
						.local_port = i & 1 ? (uint16_t)(20000 + i) : 8080,
						.remote_port = i & 1 ? 5432 : (uint16_t)(30000 + i),
						.local = { 10, 0, 0, 1 },
						.remote = { 10, 0, 0, 2 } };
		fr_meta_add_socket(b, &s);
		put_full(g, FR_CHUNK_SOCKETS, b);
	}
	put(g, FR_CHUNK_SOCKETS, b);
}

static void put_tables(struct gen *g)
{
	struct fr_meta_trigger trigger = { .main = { .name = "bench", .boot_ns = BOOT_NS } };
	struct fr_meta_clocks clocks = { .pairs = { { FR_CLOCK_TRIGGER, BOOT_NS, UNIX_NS, 0 } },
					 .pair_cnt = 1 };
	struct fr_meta_host host = { .name = "bench", .boot_id = "bench", .cpus_possible = 1 };
	struct fr_meta_process process = { .tgid = TGID, .start_ns = BOOT_NS / 2 };
	struct fr_buf b = { 0 };

	fr_meta_add_trigger(&b, &trigger);
	put(g, FR_CHUNK_TRIGGER, &b);
	fr_meta_add_clocks(&b, &clocks);
	put(g, FR_CHUNK_CLOCK, &b);
	fr_meta_add_host(&b, &host);
	put(g, FR_CHUNK_HOST, &b);
	for (uint32_t i = 0; i < g->conn_cnt; i++) {
		struct fr_meta_thread t = {
			.tid = TGID + i, .tgid = TGID, .start_ns = BOOT_NS / 2, .comm = "shop"
		};

		fr_meta_add_thread(&b, &t);
		put_full(g, FR_CHUNK_THREADS, &b);
	}
	put(g, FR_CHUNK_THREADS, &b);
	process.exe = (struct fr_slice){ (const uint8_t *)"/srv/shop", 9 };
	fr_meta_add_process(&b, &process);
	put(g, FR_CHUNK_PROCESSES, &b);
	put_sockets(g, &b);
	fr_buf_done(&b);
}

static int write_dump(struct gen *g, char *path, uint32_t request_cnt)
{
	char *dir_copy = strdup(path), *base_copy = strdup(path);
	struct fr_cpu_loss cpu = { .oldest_ns = BOOT_NS };
	struct fr_meta_loss loss = { .cpus = &cpu, .cpu_cnt = 1, .common_start_ns = BOOT_NS };
	struct fr_dump_options opt = { .name = basename(base_copy),
				       .created_unix_ns = UNIX_NS,
				       .dump_id = (const uint8_t *)"synthetic-dump-!" };
	int err = fr_codec_parse("lz4", &opt.codec, &opt.level);

	opt.dir_fd = open(dirname(dir_copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!err && opt.dir_fd < 0)
		err = -errno;
	if (!err)
		err = fr_dump_create(&opt, &g->w);
	if (!err) {
		put_tables(g);
		for (uint32_t i = 0; i < request_cnt && !g->err; i++)
			one_request(g, i % g->conn_cnt, i);
		end_chunk(g);
		loss.end_ns = g->now_ns;
		g->err = g->err ? g->err : fr_dump_put_loss(g->w, &loss);
		if (g->err)
			fr_dump_abort(g->w, false);
		err = g->err ? g->err : fr_dump_finish(g->w, NULL);
	}
	free(dir_copy);
	free(base_copy);
	return err;
}

int main(int argc, char **argv)
{
	struct gen g = { .now_ns = BOOT_NS };
	uint64_t request_cnt = 200000, conn_cnt = 64;
	int err;

	if (argc < 2 || (argc > 2 && fr_parse_u64(argv[2], UINT32_MAX, &request_cnt)) ||
	    (argc > 3 && fr_parse_u64(argv[3], 10000, &conn_cnt)) || !conn_cnt) {
		fprintf(stderr, "usage: otlp_speed FILE.frd [REQUESTS [CONNECTIONS]]\n");
		return 2;
	}
	g.conn_cnt = (uint32_t)conn_cnt;
	g.conns = calloc(conn_cnt, sizeof(*g.conns));
	err = g.conns ? write_dump(&g, argv[1], (uint32_t)request_cnt) : -ENOMEM;
	if (err)
		fprintf(stderr, "otlp_speed: %s: %s\n", argv[1], strerror(-err));
	fr_buf_done(&g.raw);
	free(g.conns);
	return err ? 5 : 0;
}
