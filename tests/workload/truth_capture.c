/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * truth_capture: messages whose bytes are hard to capture. In each case a request goes from
 * socket 0 to socket 1, in the sends and receives that the case describes, and a short plain
 * answer comes back, so that each message starts with a flip of direction (but for the case
 * "pipelined", a second request before the answer). A transfer that fails for unmapped memory is
 * repeated from good memory: the messages always arrive whole.
 *
 * The truth: "messages" with the case, the sender, the size, and data: all bytes in hex (cut: the
 * first 4096); "transfers" in order, each with msg (index of its message), msg_off (bytes of the
 * message that went before), sock, dir, call, nr, fd, asked, result (bytes or -errno), and note.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "truth.h"

#define STEPS_MAX 4
#define IOVECS_MAX 1024
#define DATA_SHOWN 4096
#define MSG_BYTES_MAX 65536
#define PAGE_BYTES 4096
#define MISSING_BYTES 40 /* asked for in unmapped memory */

enum how {
	PLAIN,	    /* read, write */
	IOV_THREES, /* readv, writev with iovecs of 3 bytes */
	IOV_HOLES,  /* with empty iovecs between full ones */
	IOV_FAULT,  /* the last iovec lies in unmapped memory */
	TAIL_FAULT, /* the last bytes of the one buffer do */
	UNTOUCHED,  /* memory that no page is mapped for yet, but can be */
	CROSSING,   /* a buffer over a page boundary, sendto and recvfrom */
	PEEK,	    /* MSG_PEEK; takes nothing */
};

/* bytes 0: what is left. The last step is repeated until the message is through. */
struct step {
	enum how how;
	size_t bytes;
};

struct text_case {
	const char *name;
	size_t bytes;
	struct step send[STEPS_MAX], recv[STEPS_MAX];
	int send_cnt, recv_cnt;
};

/* clang-format off */
static const struct text_case cases[] = {
	{"plain", 200, {{PLAIN, 0}}, {{PLAIN, 0}}, 1, 1},
	{"one_byte", 1, {{PLAIN, 0}}, {{PLAIN, 0}}, 1, 1},
	{"threes", 150, {{IOV_THREES, 0}}, {{IOV_THREES, 0}}, 1, 1},
	{"holes", 150, {{IOV_HOLES, 0}}, {{IOV_HOLES, 0}}, 1, 1},
	{"crossing", 300, {{CROSSING, 0}}, {{CROSSING, 0}}, 1, 1},
	{"large", 5000, {{PLAIN, 0}}, {{PLAIN, 0}}, 1, 1},
	{"large_threes", 3000, {{IOV_THREES, 0}}, {{IOV_THREES, 0}}, 1, 1},
	{"untouched", 700, {{UNTOUCHED, 0}}, {{UNTOUCHED, 0}}, 1, 1},
	{"fault_iovec", 260, {{IOV_FAULT, 100}, {PLAIN, 0}}, {{IOV_FAULT, 60}, {PLAIN, 0}}, 2, 2},
	{"fault_tail", 260, {{TAIL_FAULT, 100}, {PLAIN, 0}}, {{TAIL_FAULT, 60}, {PLAIN, 0}}, 2, 2},
	{"large_fault_iovec", 60000, {{IOV_FAULT, 50000}, {PLAIN, 0}}, {{PLAIN, 0}}, 2, 1},
	{"large_fault_tail", 60000, {{TAIL_FAULT, 50000}, {PLAIN, 0}}, {{PLAIN, 0}}, 2, 1},
	{"spare_iovec_unmapped", 60, {{PLAIN, 0}}, {{IOV_FAULT, 0}}, 1, 1},
	{"spare_tail_unmapped", 60, {{PLAIN, 0}}, {{TAIL_FAULT, 0}}, 1, 1},
	{"first_byte_alone", 90, {{PLAIN, 0}}, {{PLAIN, 1}, {PLAIN, 0}}, 1, 2},
	{"header_of_5", 90, {{PLAIN, 0}}, {{PLAIN, 5}, {PLAIN, 0}}, 1, 2},
	{"header_sent_apart", 90, {{PLAIN, 5}, {PLAIN, 0}}, {{PLAIN, 5}, {PLAIN, 0}}, 2, 2},
	{"byte_by_byte", 40, {{PLAIN, 1}}, {{PLAIN, 1}}, 1, 1},
	{"hundreds", 1500, {{PLAIN, 100}}, {{PLAIN, 130}}, 1, 1},
	{"peek_first", 90, {{PLAIN, 0}}, {{PEEK, 50}, {PLAIN, 0}}, 1, 2},
	{"pipelined", 90, {{PLAIN, 0}}, {{PLAIN, 0}}, 1, 1},
};
/* clang-format on */

#define CASE_CNT (sizeof(cases) / sizeof(cases[0]))

/* One attempt at a transfer: what was asked of the kernel, and what it said. */
struct attempt {
	const char *call;
	long nr, result;
	size_t asked;
};

static int fd[2];
static int server_port; /* the server's port, 0 with unix sockets */
static int client_port;
static FILE *messages, *transfers;
static int msg_cnt;
static const char *kind = "tcp";

static struct attempt call_iov(bool send, int s, const struct iovec *iov, int n, size_t asked)
{
	long r = syscall(send ? SYS_writev : SYS_readv, s, iov, n);

	return (struct attempt){ send ? "writev" : "readv", send ? SYS_writev : SYS_readv,
				 r < 0 ? -errno : r, asked };
}

static struct attempt call_plain(bool send, int s, void *p, size_t bytes)
{
	long r = syscall(send ? SYS_write : SYS_read, s, p, bytes);

	return (struct attempt){ send ? "write" : "read", send ? SYS_write : SYS_read,
				 r < 0 ? -errno : r, bytes };
}

static struct attempt call_flags(bool send, int s, void *p, size_t bytes, int flags)
{
	long r = syscall(send ? SYS_sendto : SYS_recvfrom, s, p, bytes, flags, NULL, NULL);

	return (struct attempt){ send ? "sendto" : "recvfrom", send ? SYS_sendto : SYS_recvfrom,
				 r < 0 ? -errno : r, bytes };
}

static struct attempt by_threes(bool send, int s, uint8_t *p, size_t bytes, bool holes)
{
	static struct iovec iov[IOVECS_MAX];
	size_t at = 0;
	int n = 0;

	while (at < bytes && n < IOVECS_MAX - 1) {
		size_t part = bytes - at < 3 ? bytes - at : 3;

		if (holes)
			iov[n++] = (struct iovec){ p + at, 0 };
		iov[n++] = (struct iovec){ p + at, part };
		at += part;
	}
	return call_iov(send, s, iov, n, at);
}

/* Memory of at least bytes, followed by a page that is none. */
static uint8_t *guarded(size_t bytes, size_t *ret_map_bytes)
{
	size_t map_bytes = (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES + PAGE_BYTES;
	uint8_t *p = mmap(NULL, map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			  0);

	if (p == MAP_FAILED || mprotect(p + map_bytes - PAGE_BYTES, PAGE_BYTES, PROT_NONE) < 0)
		truth_die("no memory to be had: %s", strerror(errno));
	*ret_map_bytes = map_bytes;
	return p;
}

/* A transfer that reaches into the missing page, in one buffer or in an iovec of its own. */
static struct attempt faulty(bool send, int s, uint8_t *p, size_t bytes, bool own_iovec)
{
	size_t map_bytes;
	uint8_t *map = guarded(bytes, &map_bytes);
	uint8_t *end = map + map_bytes - PAGE_BYTES, *at = end - bytes;
	struct iovec iov[2] = { { at, bytes }, { end, MISSING_BYTES } };
	struct attempt a;

	memcpy(at, p, bytes);
	a = own_iovec ? call_iov(send, s, iov, 2, bytes + MISSING_BYTES)
		      : call_plain(send, s, at, bytes + MISSING_BYTES);
	if (!send && a.result > 0)
		memcpy(p, at, (size_t)a.result);
	munmap(map, map_bytes);
	return a;
}

/* From or into a mapping that has no pages before the call. */
static struct attempt untouched(bool send, int s, uint8_t *p, size_t bytes)
{
	int file = (int)truth_must(syscall(SYS_memfd_create, "untouched", 1u), "memfd_create");
	struct attempt a;
	uint8_t *map;

	truth_must(ftruncate(file, MSG_BYTES_MAX), "ftruncate");
	if (send)
		truth_must(pwrite(file, p, bytes, 0), "writing a file");
	map = mmap(NULL, MSG_BYTES_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	if (map == MAP_FAILED)
		truth_die("no memory to be had: %s", strerror(errno));
	a = call_plain(send, s, map, bytes);
	if (!send && a.result > 0)
		memcpy(p, map, (size_t)a.result);
	munmap(map, MSG_BYTES_MAX);
	close(file);
	return a;
}

static struct attempt crossing(bool send, int s, uint8_t *p, size_t bytes)
{
	static _Alignas(PAGE_BYTES) uint8_t area[2 * PAGE_BYTES];
	uint8_t *at = area + PAGE_BYTES - (bytes / 2 < PAGE_BYTES ? bytes / 2 : PAGE_BYTES);
	size_t n = bytes < PAGE_BYTES ? bytes : PAGE_BYTES;
	struct attempt a;

	memcpy(at, p, n);
	a = call_flags(send, s, at, n, 0);
	if (!send && a.result > 0)
		memcpy(p, at, (size_t)a.result);
	return a;
}

static struct attempt attempt(bool send, int s, uint8_t *p, size_t bytes, enum how how)
{
	switch (how) {
	case IOV_THREES:
	case IOV_HOLES:
		return by_threes(send, s, p, bytes, how == IOV_HOLES);
	case IOV_FAULT:
	case TAIL_FAULT:
		return faulty(send, s, p, bytes, how == IOV_FAULT);
	case UNTOUCHED:
		return untouched(send, s, p, bytes);
	case CROSSING:
		return crossing(send, s, p, bytes);
	case PEEK:
		return call_flags(send, s, p, bytes, MSG_PEEK);
	case PLAIN:
		break;
	}
	return call_plain(send, s, p, bytes);
}

/* Brings all of a message through one end, by its steps. */
static void carry(int sock, bool send, int msg, uint8_t *p, const struct text_case *c)
{
	const struct step *steps = send ? c->send : c->recv;
	int step_cnt = send ? c->send_cnt : c->recv_cnt;
	size_t bytes = c->bytes;
	static const char *const notes[] = {
		"",	     "iovecs of 3",   "empty iovecs", "iovec unmapped", "tail unmapped",
		"untouched", "page boundary", "peek"
	};
	size_t at = 0;
	int step = 0;

	while (at < bytes) {
		enum how how = steps[step].how;
		size_t want = steps[step].bytes;
		struct attempt a;

		if (!want || want > bytes - at)
			want = bytes - at;
		a = attempt(send, fd[sock], p + at, want, how);
		fprintf(transfers,
			"%s{\"msg\":%d,\"msg_off\":%zu,\"sock\":%d,\"fd\":%d,\"dir\":\"%s\","
			"\"call\":\"%s\",\"nr\":%ld,\"asked\":%zu,\"result\":%ld,\"note\":\"%s\"}",
			ftell(transfers) ? "," : "", msg, at, sock, fd[sock],
			send ? "send" : "recv", a.call, a.nr, a.asked, a.result, notes[how]);
		if (a.result <= 0 && a.result != -EFAULT)
			truth_die("%s of message %d: %s", a.call, msg, strerror((int)-a.result));
		if (a.result == -EFAULT && step + 1 >= step_cnt)
			truth_die("%s of message %d: unexpected EFAULT", a.call, msg);
		if (a.result > 0 && how != PEEK)
			at += (size_t)a.result;
		if (step + 1 < step_cnt)
			step++;
	}
}

static int new_message(const char *name, int sender, const uint8_t *p, size_t bytes)
{
	size_t shown = bytes < DATA_SHOWN ? bytes : DATA_SHOWN;

	fprintf(messages, "%s{\"case\":\"%s\",\"sender\":%d,\"bytes\":%zu,\"cut\":%s,\"data\":",
		msg_cnt ? "," : "", name, sender, bytes, shown < bytes ? "true" : "false");
	truth_json_hex(messages, p, shown);
	fputc('}', messages);
	return msg_cnt++;
}

/* Every 16 bytes say which message they are of and where: no shift goes unseen. */
static void fill(uint8_t *p, size_t bytes, const char *name)
{
	char text[32];

	for (size_t at = 0; at < bytes; at += 16) {
		snprintf(text, sizeof(text), "%-9.9s%02d %04zx", name, msg_cnt % 100, at);
		memcpy(p + at, text, bytes - at < 16 ? bytes - at : 16);
	}
}

static void pass(int from, const struct text_case *c)
{
	static uint8_t out[MSG_BYTES_MAX], in[MSG_BYTES_MAX];
	int msg;

	fill(out, c->bytes, c->name);
	msg = new_message(c->name, from, out, c->bytes);
	memset(in, 0, sizeof(in));
	carry(from, true, msg, out, c);
	carry(!from, false, msg, in, c);
	if (memcmp(out, in, c->bytes))
		truth_die("message %d (%s) did not arrive as sent", msg, c->name);
}

static void connect_tcp(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = (int)truth_must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
	socklen_t at_bytes = sizeof(at);
	int on = 1;

	truth_must(bind(listener, (struct sockaddr *)&at, sizeof(at)), "bind");
	truth_must(listen(listener, 1), "listen");
	truth_must(getsockname(listener, (struct sockaddr *)&at, &at_bytes), "getsockname");
	server_port = ntohs(at.sin_port);
	fd[0] = (int)truth_must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
	truth_must(connect(fd[0], (struct sockaddr *)&at, sizeof(at)), "connect");
	fd[1] = (int)truth_must(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept");
	truth_must(getsockname(fd[0], (struct sockaddr *)&at, &at_bytes), "getsockname");
	client_port = ntohs(at.sin_port);
	close(listener);
	/* the parts of a message must not wait for an acknowledgement of the first */
	for (int i = 0; i < 2; i++)
		setsockopt(fd[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int main(int argc, char **argv)
{
	static const struct text_case answer = { "answer",	   50, { { PLAIN, 0 } },
						 { { PLAIN, 0 } }, 1,  1 };
	const struct truth_opt opts[] = {
		{ .name = "kind", .text = &kind, .help = "tcp or unix (tcp)" },
		{ 0 },
	};
	char *message_text, *transfer_text;
	size_t message_bytes, transfer_bytes;
	int64_t begin_ns;

	truth_options(argc, argv, "Sends messages whose bytes are hard to capture.", opts);
	if (strcmp(kind, "tcp") && strcmp(kind, "unix"))
		truth_wrong_use("--kind", "tcp or unix");
	messages = open_memstream(&message_text, &message_bytes);
	transfers = open_memstream(&transfer_text, &transfer_bytes);
	truth_ready();
	begin_ns = truth_now_ns();
	if (kind[0] == 't')
		connect_tcp();
	else
		truth_must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), "socketpair");
	for (size_t i = 0; i < CASE_CNT; i++) {
		pass(0, &cases[i]);
		if (!strcmp(cases[i].name, "pipelined"))
			pass(0, &cases[i]);
		pass(1, &answer);
	}
	fclose(messages);
	fclose(transfers);
	printf("{\"program\":\"truth_capture\",\"pid\":%d,\"tid\":%d,\"kind\":\"%s\","
	       "\"begin_ns\":%lld,\"end_ns\":%lld,\"client_port\":%d,\"server_port\":%d,"
	       "\"messages\":[%s],\"transfers\":[%s]}\n",
	       (int)getpid(), (int)truth_tid(), kind, (long long)begin_ns,
	       (long long)truth_now_ns(), client_port, server_port, message_text, transfer_text);
	free(message_text);
	free(transfer_text);
	truth_done();
	return 0;
}
