/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a synthetic dump of requests, for measuring how fast spans are made:
 *
 *   otlp_speed FILE.frd [REQUESTS [CONNECTIONS [CPUS]]]
 *
 * A service with a thread and goroutine per connection answers HTTP requests, each with one SQL
 * query on a connection of its own: two spans a request, six records. CPUs (1) take them in turn.
 */
#include <stdio.h>

#include "formats/base/cli.h"
#include "made_dump.h"

#define TGID 10000u
#define TEXT_MAX 512

struct conn {
	uint64_t offs[2]
		     [2]; /* stream offsets by socket (HTTP, SQL) and direction (sent, received) */
};

struct gen {
	struct made_dump dump;
	struct made_cpu *cpus, *cpu; /* all, and the one that the present request runs on */
	struct conn *conns;
	uint32_t conn_cnt, cpu_cnt;
	uint64_t now_ns;
};

static void add(struct gen *g, uint32_t kind, void *record, uint32_t bytes)
{
	g->now_ns += 5000;
	g->cpu->now_ns = g->now_ns;
	made_add(&g->dump, g->cpu, kind, record, bytes);
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

/* A table may be several chunks. */
static void put_full(struct gen *g, enum fr_chunk_type type, struct fr_buf *b)
{
	if (b->len_bytes > FR_CHUNK_RAW_MAX / 2)
		made_put(&g->dump, type, b);
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
	made_put(&g->dump, FR_CHUNK_SOCKETS, b);
}

static void put_tables(struct gen *g)
{
	struct fr_meta_process process = { .tgid = TGID, .start_ns = BOOT_NS / 2 };
	struct fr_buf b = { 0 };

	made_put_head(&g->dump, g->cpu_cnt);
	for (uint32_t i = 0; i < g->conn_cnt; i++) {
		struct fr_meta_thread t = {
			.tid = TGID + i, .tgid = TGID, .start_ns = BOOT_NS / 2, .comm = "shop"
		};

		fr_meta_add_thread(&b, &t);
		put_full(g, FR_CHUNK_THREADS, &b);
	}
	made_put(&g->dump, FR_CHUNK_THREADS, &b);
	process.exe = (struct fr_slice){ (const uint8_t *)"/srv/shop", 9 };
	fr_meta_add_process(&b, &process);
	made_put(&g->dump, FR_CHUNK_PROCESSES, &b);
	put_sockets(g, &b);
	fr_buf_done(&b);
}

static int write_dump(struct gen *g, const char *path, uint32_t request_cnt)
{
	int err = made_create(&g->dump, path, "lz4");

	if (err)
		return err;
	put_tables(g);
	for (uint32_t i = 0; i < request_cnt && !g->dump.err; i++) {
		g->cpu = &g->cpus[i % g->cpu_cnt];
		one_request(g, i % g->conn_cnt, i);
	}
	for (uint32_t i = 0; i < g->cpu_cnt; i++)
		made_end_chunk(&g->dump, &g->cpus[i]);
	made_put_loss(&g->dump, g->cpu_cnt, g->now_ns);
	return made_finish(&g->dump);
}

static int set_up(struct gen *g, uint32_t conn_cnt, uint32_t cpu_cnt)
{
	g->now_ns = BOOT_NS;
	g->conn_cnt = conn_cnt;
	g->cpu_cnt = cpu_cnt;
	g->conns = calloc(conn_cnt, sizeof(*g->conns));
	g->cpus = calloc(cpu_cnt, sizeof(*g->cpus));
	for (uint32_t i = 0; g->cpus && i < cpu_cnt; i++)
		g->cpus[i].cpu = (uint16_t)i;
	return g->conns && g->cpus ? 0 : -ENOMEM;
}

int main(int argc, char **argv)
{
	uint64_t request_cnt = 200000, conn_cnt = 64, cpu_cnt = 1;
	struct gen g = { 0 };
	int err;

	if (argc < 2 || (argc > 2 && fr_parse_u64(argv[2], UINT32_MAX, &request_cnt)) ||
	    (argc > 3 && fr_parse_u64(argv[3], 10000, &conn_cnt)) ||
	    (argc > 4 && fr_parse_u64(argv[4], FR_CPUS_MAX, &cpu_cnt)) || !conn_cnt || !cpu_cnt) {
		fprintf(stderr, "usage: otlp_speed FILE.frd [REQUESTS [CONNECTIONS [CPUS]]]\n");
		return 2;
	}
	err = set_up(&g, (uint32_t)conn_cnt, (uint32_t)cpu_cnt);
	err = err ? err : write_dump(&g, argv[1], (uint32_t)request_cnt);
	if (err)
		fprintf(stderr, "otlp_speed: %s: %s\n", argv[1], strerror(-err));
	for (uint32_t i = 0; g.cpus && i < g.cpu_cnt; i++)
		fr_buf_done(&g.cpus[i].raw);
	free(g.cpus);
	free(g.conns);
	return err ? 5 : 0;
}
