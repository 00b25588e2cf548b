/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The story that the fixture dump tells (dump_fixture.h), in events. Two CPUs:
 *
 *   requests 0..n-1   wrk (5000) asks web (2000) over one kept connection; web's goroutine 18 asks
 *                     postgres (3001), which reads from the disk; the goroutine moves from thread
 *                     2001 to thread 2002 when the reply is there; 200 OK. One millisecond each.
 *   then, 1 ms        a shell (4000) forks curl (4001): exec, connect, GET, SQL error, 500, close,
 *                     exit, free.
 *   then, 1 ms        a retransmit, a refused connection, a DNS question, a line to journald, a
 *                     rename, a crash (6000), an OOM kill (6100).
 *   then              SIGUSR1: the trigger; 2 ms later the end.
 */
#ifndef FR_TESTS_FIXTURE_STORY_H
#define FR_TESTS_FIXTURE_STORY_H

#include <stdio.h>

#include "fixture_sock.h"

#define FX_BOOT_NS 5000000000000ull	  /* the story begins */
#define FX_UNIX_NS 1764000000000000000ull /* 2025-11-24T16:00:00Z, then */
#define FX_US 1000ull
#define FX_ACT_NS (1000 * FX_US)
#define FX_DEV (259u << 20 | 1u) /* nvme0n1p1 or so */

struct fx_story {
	struct fx fx;
	struct fx_sock wrk, web_wrk; /* client end, server end */
	struct fx_sock db, backend;
	struct fx_sock curl, web_curl;
	struct fx_sock dns, log;
	uint32_t request; /* number of the one being told */
	uint64_t curl_start_ns;
};

/* The two connections that one request goes over. */
struct fx_path {
	struct fx_sock *client, *server;
	uint32_t client_tid;
	bool fails;
};

static inline void fx_story_sockets(struct fx_story *s)
{
	const uint32_t old_client = FR_SOCK_CONNECTED | FR_SOCK_EXISTED;
	const uint32_t old_server = FR_SOCK_ACCEPTED | FR_SOCK_EXISTED;

	s->wrk = fx_tcp(FX_SOCK_ID(0, 1), FX_WRK, 4, old_client, fx_loopback(40000, 8080));
	s->web_wrk = fx_tcp(FX_SOCK_ID(0, 2), FX_WEB, 7, old_server, fx_loopback(8080, 40000));
	s->db = fx_tcp(FX_SOCK_ID(1, 1), FX_WEB, 8, old_client, fx_loopback(40100, 5432));
	s->backend = fx_tcp(FX_SOCK_ID(1, 2), FX_BACKEND, 9, old_server, fx_loopback(5432, 40100));
	s->curl = fx_tcp(FX_SOCK_ID(0, 3), FX_CURL, 5, FR_SOCK_CONNECTED, fx_loopback(40001, 8080));
	s->web_curl = fx_tcp(FX_SOCK_ID(0, 4), FX_WEB, 10, FR_SOCK_ACCEPTED,
			     fx_loopback(8080, 40001));
	s->dns = (struct fx_sock){
		.id = FX_SOCK_ID(1, 3),
		.tgid = FX_WEB,
		.type = FR_SOCK_DGRAM,
		.fd = 11,
		.addr = { .family = FR_AF_INET,
			  .local_port = 41000,
			  .remote_port = 53,
			  .local = { 10, 0, 0, 7 },
			  .remote = { 10, 0, 0, 2 } },
	};
	s->log = (struct fx_sock){
		.id = FX_SOCK_ID(1, 4),
		.tgid = FX_WEB,
		.type = FR_SOCK_DGRAM,
		.fd = 12,
		.flags = FR_SOCK_EXISTED,
		.addr = { .family = FR_AF_UNIX, .local = { 0x39, 0x30 }, .remote = { 0x3a, 0x30 } },
	};
}

/* ---- what they say -------------------------------------------------------------------------- */

struct fx_text {
	char data[640];
	size_t bytes;
};

static inline struct fx_part fx_part_of(const struct fx_text *t)
{
	return (struct fx_part){ t->data, t->bytes };
}

/* Each request has a trace id and a span id of its own. */
static inline struct fx_text fx_http_request(uint32_t number)
{
	struct fx_text t;

	t.bytes = (size_t)snprintf(t.data, sizeof(t.data),
				   "GET /orders/%u?card=4111111111111111 HTTP/1.1\r\n"
				   "Host: shop.example\r\nUser-Agent: fixture/1.0\r\n"
				   "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e%04x-"
				   "00f067aa0ba9%04x-01\r\nAccept: */*\r\n\r\n",
				   41 + number, 0x4700 + number, 0x200 + number);
	return t;
}

static inline struct fx_text fx_http_response(bool fails)
{
	static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
				 "Content-Length: 150\r\n\r\n";
	static const char failed[] = "HTTP/1.1 500 Internal Server Error\r\n"
				     "Content-Type: text/plain\r\nContent-Length: 15\r\n\r\n"
				     "no such column\n";
	struct fx_text t = { .bytes = fails ? sizeof(failed) - 1 : sizeof(ok) - 1 };

	memcpy(t.data, fails ? failed : ok, t.bytes);
	while (!fails && t.bytes < sizeof(ok) - 1 + 150)
		t.data[t.bytes++] = 'x';
	return t;
}

/* One PostgreSQL message: type, length in network order, body. */
static inline void fx_pg_add(struct fx_text *t, char type, const void *body, size_t body_bytes)
{
	uint32_t n = (uint32_t)body_bytes + 4;
	uint8_t head[5] = { (uint8_t)type, (uint8_t)(n >> 24), (uint8_t)(n >> 16),
			    (uint8_t)(n >> 8), (uint8_t)n };

	assert(t->bytes + sizeof(head) + body_bytes <= sizeof(t->data));
	memcpy(t->data + t->bytes, head, sizeof(head));
	memcpy(t->data + t->bytes + sizeof(head), body, body_bytes);
	t->bytes += sizeof(head) + body_bytes;
}

static inline struct fx_text fx_sql_query(uint32_t number)
{
	struct fx_text t = { .bytes = 0 };
	char sql[96];
	int n = snprintf(sql, sizeof(sql),
			 "SELECT id, total FROM orders WHERE id = %u AND note = '%s'", 41 + number,
			 "it''s secret");

	fx_pg_add(&t, 'Q', sql, (size_t)n + 1);
	return t;
}

static inline struct fx_text fx_sql_reply(bool fails)
{
	static const char columns[] = "\0\2id\0\0\0\0\0\0\1\0\0\0\x17\0\4\xff\xff\xff\xff\0\0"
				      "total\0\0\0\0\0\0\2\0\0\0\x17\0\4\xff\xff\xff\xff\0\0";
	static const char row[] = "\0\2\0\0\0\2"
				  "42\0\0\0\4"
				  "1999";
	static const char error[] = "SERROR\0VERROR\0C42703\0Mcolumn \"note\" does not exist\0";
	struct fx_text t = { .bytes = 0 };

	if (fails) {
		fx_pg_add(&t, 'E', error, sizeof(error));
	} else {
		fx_pg_add(&t, 'T', columns, sizeof(columns) - 1);
		fx_pg_add(&t, 'D', row, sizeof(row) - 1);
		fx_pg_add(&t, 'C', "SELECT 1", 9);
	}
	fx_pg_add(&t, 'Z', "I", 1);
	return t;
}

/* ---- acts ----------------------------------------------------------------------------------- */

/* Start time of a thread that is older than the story: one of its own. */
static inline uint64_t fx_start_of(uint32_t tid)
{
	return FX_BOOT_NS - (uint64_t)(7000 - tid) * 1000000;
}

static inline void fx_state_row(struct fx *fx, uint16_t cpu, uint64_t t, uint32_t tid,
				uint32_t tgid, const char *comm)
{
	struct fr_proc_state e = {
		.tid = tid,
		.tgid = tgid,
		.start_ns = fx_start_of(tid),
		.state = FX_TASK_SLEEPING,
		.cpu = cpu,
	};

	snprintf(e.comm, sizeof(e.comm), "%s", comm);
	FX_ADD(fx, cpu, t, FR_EV_PROC_STATE, e);
}

/* What the recorder writes when it starts: families, threads, open sockets. */
static inline void fx_act_start(struct fx_story *s)
{
	struct fr_rec_family dns = { .family = FR_FAMILY_DNS, .on = 0, .why = FR_FAMILY_WHY_START };
	const struct fx_sock *open[] = { &s->wrk, &s->web_wrk, &s->db, &s->backend, &s->log };
	uint64_t t = FX_BOOT_NS;
	struct fx *fx = &s->fx;

	FX_ADD(fx, 0, t, FR_EV_REC_FAMILY, dns);
	fx_state_row(fx, 0, t + 2 * FX_US, FX_SYSTEMD, FX_SYSTEMD, "systemd");
	fx_state_row(fx, 0, t + 3 * FX_US, FX_JOURNALD, FX_JOURNALD, "systemd-journal");
	fx_state_row(fx, 0, t + 4 * FX_US, FX_WEB, FX_WEB, "web");
	fx_state_row(fx, 0, t + 5 * FX_US, FX_WEB_M1, FX_WEB, "web");
	fx_state_row(fx, 0, t + 6 * FX_US, FX_WEB_M2, FX_WEB, "web");
	fx_state_row(fx, 0, t + 7 * FX_US, FX_POSTGRES, FX_POSTGRES, "postgres");
	fx_state_row(fx, 0, t + 8 * FX_US, FX_BACKEND, FX_BACKEND, "postgres");
	fx_state_row(fx, 0, t + 9 * FX_US, FX_SHELL, FX_SHELL, "bash");
	fx_state_row(fx, 0, t + 10 * FX_US, FX_WRK, FX_WRK, "wrk");
	fx_state_row(fx, 0, t + 11 * FX_US, FX_CRASH, FX_CRASH, "crasher");
	fx_state_row(fx, 0, t + 12 * FX_US, FX_HOG, FX_HOG, "hog");
	for (size_t i = 0; i < sizeof(open) / sizeof(*open); i++)
		fx_sock_row(fx, 1, t + (20 + i) * FX_US, FR_EV_SOCK_OPEN, open[i]);
}

/* postgres reads a page from the disk; 300 us of waiting. From t to t + 310 us on CPU 0. */
static inline void fx_disk_read(struct fx *fx, uint64_t t, uint32_t number)
{
	struct fr_block_issue issue = {
		.sector = 2048 + 16ull * number,
		.dev = FX_DEV,
		.bytes = 8192,
		.tid = FX_BACKEND,
		.op = FR_BLOCK_READ,
	};
	struct fr_block_complete complete = {
		.sector = issue.sector,
		.dev = FX_DEV,
		.bytes = 8192,
		.latency_ns = 300 * FX_US,
		.op = FR_BLOCK_READ,
	};

	FX_ADD(fx, 0, t, FR_EV_BLOCK_ISSUE, issue);
	fx_switch_state(fx, 0, t + 2 * FX_US, 0, FX_TASK_DISK, false);
	FX_ADD(fx, 0, t + 300 * FX_US, FR_EV_BLOCK_COMPLETE, complete);
	fx_waking(fx, 0, t + 302 * FX_US, FX_BACKEND, 0, FR_WAKER_HARDIRQ, 0);
	fx_switch(fx, 0, t + 308 * FX_US, FX_BACKEND);
}

/*
 * One request, the client already running on CPU 0 and CPU 1 idle; 520 us; leaves it so, with the
 * response read.
 */
static inline void fx_request(struct fx_story *s, uint64_t t, const struct fx_path *p)
{
	struct fx_text request = fx_http_request(s->request), query = fx_sql_query(s->request);
	struct fx_text reply = fx_sql_reply(p->fails), response = fx_http_response(p->fails);
	struct fx_xfer nothing = { FR_EV_SOCK_RECV, -EAGAIN, { NULL, 0 }, 0 };
	struct fx *fx = &s->fx;

	fx_send(fx, 0, t, p->client, fx_part_of(&request));
	fx_waking(fx, 0, t + 1 * FX_US, FX_WEB_M1, 0, FR_WAKER_SOFTIRQ, 1);
	fx_switch(fx, 1, t + 4 * FX_US, FX_WEB_M1);
	fx_recv(fx, 1, t + 10 * FX_US, p->server, fx_part_of(&request));
	fx_switch(fx, 0, t + 12 * FX_US, 0);
	fx_send(fx, 1, t + 40 * FX_US, &s->db, fx_part_of(&query));
	fx_waking(fx, 1, t + 42 * FX_US, FX_BACKEND, 0, FR_WAKER_SOFTIRQ, 0);
	fx_switch(fx, 0, t + 46 * FX_US, FX_BACKEND);
	fx_recv(fx, 0, t + 50 * FX_US, &s->backend, fx_part_of(&query));
	fx_io(fx, 1, t + 58 * FX_US, &s->db, nothing);
	fx_switch(fx, 1, t + 60 * FX_US, 0);
	fx_disk_read(fx, t + 80 * FX_US, s->request);
	fx_send(fx, 0, t + 420 * FX_US, &s->backend, fx_part_of(&reply));
	fx_waking(fx, 0, t + 421 * FX_US, FX_WEB_M2, 0, FR_WAKER_SOFTIRQ, 1);
	fx_switch(fx, 1, t + 424 * FX_US, FX_WEB_M2);
	fx_recv(fx, 1, t + 430 * FX_US, &s->db, fx_part_of(&reply));
	fx_switch(fx, 0, t + 435 * FX_US, 0);
	fx_send(fx, 1, t + 480 * FX_US, p->server, fx_part_of(&response));
	fx_waking(fx, 1, t + 481 * FX_US, p->client_tid, 0, FR_WAKER_SOFTIRQ, 0);
	fx_switch(fx, 0, t + 485 * FX_US, p->client_tid);
	fx_recv(fx, 0, t + 490 * FX_US, p->client, fx_part_of(&response));
	fx_switch(fx, 1, t + 495 * FX_US, 0);
	s->request++;
}

static inline void fx_act_request(struct fx_story *s, uint64_t t)
{
	struct fx_path path = { &s->wrk, &s->web_wrk, FX_WRK, false };

	fx_waking(&s->fx, 0, t, FX_WRK, 0, FR_WAKER_HARDIRQ, 0);
	fx_switch(&s->fx, 0, t + 5 * FX_US, FX_WRK);
	fx_request(s, t + 20 * FX_US, &path);
	fx_switch(&s->fx, 0, t + 540 * FX_US, 0);
}

#endif
