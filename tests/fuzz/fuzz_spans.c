/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The input is a play of transfers, switches and wake-ups of a few threads on a few connections:
 * for each step a byte of kind, and what that takes. It goes through threads, budgets and requests.
 * Spans must have times in order, ids of their own, their parent in their trace, and a budget that
 * adds up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "formats/dump/chunk.h"
#include "formats/model/spans.h"

#define SOCKETS 12 /* 6 connections, both ends */
#define THREADS 9  /* of three processes */
#define SEEN_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes);

struct seen {
	uint8_t span_id[8], trace_id[16], parent_id[8];
};

struct play {
	struct fr_names *names;
	struct fr_threads *threads;
	struct fr_spans *spans;
	struct fr_session session;
	struct fr_session_dump dump;
	uint64_t now_ns;
	uint64_t offs[SOCKETS][2];
	struct seen seen[SEEN_MAX];
	uint32_t seen_cnt;
};

#define TRACE "0af7651916cd43dd8448eb211c80319c"

static const char *const texts[] = {
	"GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
	"GET /b HTTP/1.1\r\ntraceparent: 00-" TRACE "-b7ad6b7169203331-01\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 500 No\r\nConnection: close\r\n\r\nabc",
	"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n",
	"*1\r\n$4\r\nPING\r\n",
	"+PONG\r\n",
	"-ERR no\r\n",
	"G",
	"ET /c HTTP/1.1\r\n\r\n",
	"\x16\x03\x01 nobody knows",
	"",
};

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_spans: %s\n", what);
	abort();
}

static void take(void *ctx, const struct fr_span *span)
{
	static const uint8_t none[16];
	struct play *p = ctx;
	struct seen *s;

	must(span->start_ns <= span->end_ns, "a span ends before it starts");
	must(memcmp(span->span_id, none, 8) && memcmp(span->trace_id, none, 16), "an id is zero");
	must((span->link == FR_LINK_NONE) == !memcmp(span->parent_id, none, 8),
	     "a link without a parent, or a parent without a link");
	must(!span->budget_known ||
		     fr_budget_total_ns(&span->budget) == span->end_ns - span->start_ns,
	     "the budget does not add up");
	must(span->request->status >= -1 && span->socket, "no status, no socket");
	if (p->seen_cnt == SEEN_MAX)
		return;
	s = &p->seen[p->seen_cnt++];
	memcpy(s->span_id, span->span_id, 8);
	memcpy(s->trace_id, span->trace_id, 16);
	memcpy(s->parent_id, span->parent_id, 8);
}

/* A child has its parent's trace. */
static void check_traces(const struct play *p)
{
	for (uint32_t i = 0; i < p->seen_cnt && i < 256; i++)
		for (uint32_t k = 0; k < p->seen_cnt && k < 256; k++) {
			const struct seen *a = &p->seen[i], *b = &p->seen[k];

			must(i == k || memcmp(a->span_id, b->span_id, 8), "two spans of one id");
			must(memcmp(a->parent_id, b->span_id, 8) ||
				     !memcmp(a->trace_id, b->trace_id, 16),
			     "another trace than its parent's");
		}
}

/* ---- the stage ------------------------------------------------------------------------------ */

static struct fr_record record_of(uint64_t t, uint32_t kind, void *record, size_t bytes)
{
	uint64_t word = FR_RECORD_WORD(t, kind, bytes / 8);

	memcpy(record, &word, sizeof(word));
	return (struct fr_record){
		.time_ns = t, .kind = kind, .bytes = (uint32_t)bytes, .data = record
	};
}

static void learn(struct play *p)
{
	struct fr_record r;

	for (uint32_t i = 0; i < THREADS; i++) {
		struct fr_proc_state e = { .tid = 100 * (i / 3 + 1) + i % 3,
					   .tgid = 100 * (i / 3 + 1),
					   .start_ns = 1,
					   .comm = "t" };

		r = record_of(1, FR_EV_PROC_STATE, &e, sizeof(e));
		must(!fr_names_learn(p->names, &r, 0), "names");
	}
	for (uint32_t i = 0; i < SOCKETS; i++) {
		struct fr_sock_open e = { .sock_id = i + 1,
					  .type = FR_SOCK_STREAM,
					  .netns_inum = 1,
					  .flags = i & 1 ? FR_SOCK_ACCEPTED : FR_SOCK_CONNECTED };
		uint16_t port = (uint16_t)(1000 + i / 2);

		e.addr = (struct fr_sock_addr){ .family = FR_AF_INET,
						.local_port = i & 1 ? 80 : port,
						.remote_port = i & 1 ? port : 80,
						.local = { 127, 0, 0, 1 },
						.remote = { 127, 0, 0, 1 } };
		r = record_of(1, FR_EV_SOCK_OPEN, &e, sizeof(e));
		must(!fr_names_learn(p->names, &r, 0), "names");
	}
	must(!fr_names_seal(p->names), "names");
}

static struct fr_dump *empty_dump(void)
{
	struct fr_dump_header header = { .major = FR_DUMP_MAJOR,
					 .header_bytes = sizeof(header),
					 .incompat_flags = FR_DUMP_INCOMPLETE,
					 .dump_id = "fuzz_spans......" };
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct fr_dump *d = NULL;
	char err[200];

	fr_dump_header_seal(&header);
	must(write(fd, &header, sizeof(header)) == sizeof(header), "memfd");
	must(!fr_dump_open(fd, &d, err, sizeof(err)), "a sound file does not open");
	return d;
}

static void feed(struct play *p, uint32_t kind, void *record, size_t bytes)
{
	struct fr_merged m = { .rec = record_of(p->now_ns, kind, record, bytes),
			       .order_ns = p->now_ns };
	struct fr_step step;

	must(fr_record_sound(&m.rec), "a record is not sound");
	must(!fr_threads_record(p->threads, &m, &step), "threads");
	must(!fr_spans_record(p->spans, &m, &step), "spans");
}

/* ---- the play ------------------------------------------------------------------------------- */

static uint32_t a_tid(struct fr_cursor *c)
{
	uint32_t i = fr_cursor_u8(c) % (THREADS + 1);

	return i == THREADS ? 0 : 100 * (i / 3 + 1) + i % 3;
}

static void act_transfer(struct play *p, struct fr_cursor *c, bool send)
{
	_Alignas(8) uint8_t record[sizeof(struct fr_sock_io) + 256] = { 0 };
	uint8_t which = fr_cursor_u8(c) % SOCKETS, how = fr_cursor_u8(c), text;
	struct fr_sock_io io = { .sock_id = which + 1u,
				 .tid = a_tid(c),
				 .goid = fr_cursor_u8(c) % 8,
				 .flags = fr_cursor_u16(c) & ~(FR_IO_ADDR | FR_IO_GOID) };
	struct fr_slice bytes;

	text = fr_cursor_u8(c);
	if (text < sizeof(texts) / sizeof(*texts))
		bytes = (struct fr_slice){ (const uint8_t *)texts[text], strlen(texts[text]) };
	else
		bytes = fr_cursor_take(c, text < fr_cursor_left(c) ? text : fr_cursor_left(c));
	io.captured_bytes = (uint16_t)bytes.len_bytes;
	io.flags |= io.goid ? FR_IO_GOID : 0;
	io.stream_off = p->offs[which][send];
	io.result = (int32_t)bytes.len_bytes + (how & 0x80 ? how & 0x7f : 0) * 10;
	if (how == 1)
		io.result = -(int32_t)bytes.len_bytes;
	p->offs[which][send] += io.result > 0 ? (uint64_t)io.result : 0;
	memcpy(record, &io, sizeof(io));
	if (bytes.len_bytes)
		memcpy(record + sizeof(io), bytes.data, bytes.len_bytes);
	feed(p, send ? FR_EV_SOCK_SEND : FR_EV_SOCK_RECV, record,
	     sizeof(io) + (bytes.len_bytes + 7) / 8 * 8);
}

static void act(struct play *p, struct fr_cursor *c)
{
	uint8_t kind = fr_cursor_u8(c);
	struct fr_sched_switch sw = { 0 };
	struct fr_sched_waking wake = { 0 };
	struct fr_sock_open close = { .type = FR_SOCK_STREAM };
	struct fr_rec_family family = { .family = FR_FAMILY_SOCK };
	uint32_t a, b;

	p->now_ns += 1 + (uint64_t)(kind >> 4) * 1000;
	switch (kind & 15) {
	case 0 ... 8:
		act_transfer(p, c, kind & 1);
		break;
	case 9:
		a = a_tid(c);
		b = a_tid(c);
		sw.who = FR_SWITCH_WHO(a, b, fr_cursor_u8(c) & 3, 0);
		feed(p, FR_EV_SCHED_SWITCH, &sw, sizeof(sw));
		break;
	case 10:
		a = a_tid(c);
		b = a_tid(c);
		wake.who = FR_WAKING_WHO(a, b, 0, b ? FR_WAKER_TASK : FR_WAKER_SOFTIRQ);
		feed(p, FR_EV_SCHED_WAKING, &wake, sizeof(wake));
		break;
	case 11:
		close.sock_id = fr_cursor_u8(c) % SOCKETS + 1u;
		feed(p, FR_EV_SOCK_CLOSE, &close, sizeof(close));
		break;
	case 12:
		fr_spans_blind(p->spans, p->now_ns);
		fr_threads_blind(p->threads, p->now_ns);
		break;
	case 13:
		a = fr_cursor_u8(c) % SOCKETS;
		p->offs[a][fr_cursor_u8(c) & 1] += fr_cursor_u16(c);
		break;
	case 14:
		feed(p, FR_EV_REC_FAMILY, &family, sizeof(family));
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes)
{
	static struct fr_dump *dump;
	struct fr_cursor c = fr_cursor_of(data, data_bytes);
	struct play *p = calloc(1, sizeof(*p));
	struct fr_spans_config config;

	if (!dump)
		dump = empty_dump();
	must(p && !fr_names_new(&p->names), "memory");
	learn(p);
	p->dump = (struct fr_session_dump){ .dump = dump, .name = "fuzz" };
	p->session = (struct fr_session){
		.dumps = &p->dump, .dump_cnt = 1, .names = p->names, .sched_on = true
	};
	must(!fr_threads_new(p->names, true, &p->threads), "memory");
	config = (struct fr_spans_config){ .session = &p->session,
					   .threads = p->threads,
					   .to_ns = 1 << 30,
					   .fn = take,
					   .ctx = p };
	must(!fr_spans_new(&config, &p->spans), "memory");
	p->now_ns = 1000;
	while (fr_cursor_left(&c))
		act(p, &c);
	must(!fr_spans_end(p->spans), "the end");
	check_traces(p);
	fr_spans_free(p->spans);
	fr_threads_free(p->threads);
	fr_names_free(p->names);
	free(p);
	return 0;
}
