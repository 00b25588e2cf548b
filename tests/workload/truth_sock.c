/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * truth_sock: known sends and receives through every kind of call, over loopback TCP (IPv4 and
 * IPv6), unix streams and UDP (connected and not), and the errors that go with them.
 *
 * The truth: "sockets" names each end (fd, inode, peer: index of the other end, path of a unix
 * name or "", ports); "ops" are the transfers in the order in which they were made, each with
 *   sock   index into sockets       dir    send or recv        call, nr   the system call
 *   tid    the thread (0: a kernel worker of io_uring did it)  ring_op    with io_uring: what
 *   asked  bytes asked for (of a batch's part: its result)     result bytes or -errno
 *   flags  MSG_* as given
 *   off    bytes that went before it in this direction (peeks don't count)
 *   start  true: the first data, or the first after the direction flipped
 *   head   its first 64 bytes, hex  part   index in the batch, of sendmmsg and recvmmsg
 *   sum    true: the kernel may have made several transfers of it; their sum is right
 *   gap    true: no transfer is to be seen, only that the offset went on by result
 * "blocked_in" says what system call its thread sat in when an io_uring receive completed.
 */
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "truth_xfer.h"

#define HEAD_BYTES 64
#define SOCKETS_MAX 32

static struct end ends[SOCKETS_MAX];
static int end_cnt;
static FILE *ops;
static bool any_op;
static uint8_t buf[BUF_BYTES], in_buf[BUF_BYTES];
static long size_bytes = 300, repeat_cnt = 1;
static const char *kinds = "tcp,tcp6,unix,udp";

/* ---- the truth ----------------------------------------------------------------------------- */

/* One transfer to be noted. */
struct op {
	const struct method *m;
	struct end *end;
	enum dir dir;
	size_t asked;
	int flags;
	long result;
	const uint8_t *data;
	int part;		/* -1: not of a batch */
	const char *blocked_in; /* NULL: in the call that asked for it */
};

static void note(const struct op *o)
{
	struct end *e = o->end;
	bool peek = o->flags & MSG_PEEK;
	bool start = o->result > 0 && !peek && e->last != o->dir;
	/* MSG_TRUNC: TCP copies nothing, a datagram is told in full but copied in part */
	bool copied = o->result > 0 && !(o->flags & MSG_TRUNC);
	size_t shown = o->result < HEAD_BYTES ? (size_t)o->result : HEAD_BYTES;

	fprintf(ops, "%s{\"sock\":%d,\"fd\":%d,\"dir\":\"%s\",\"call\":\"%s\",\"nr\":%ld,",
		any_op ? ",\n" : "", (int)(e - ends), e->fd, o->dir == SEND ? "send" : "recv",
		o->m->call, o->m->nr);
	fprintf(ops, "\"tid\":%d,\"asked\":%zu,\"result\":%ld,\"flags\":%d,\"off\":%llu,",
		o->m->worker ? 0 : (int)truth_tid(), o->asked, o->result, o->flags,
		(unsigned long long)e->off[o->dir]);
	if (o->m->ring_op)
		fprintf(ops, "\"ring_op\":\"%s\",", o->m->ring_op);
	if (o->blocked_in)
		fprintf(ops, "\"blocked_in\":\"%s\",", o->blocked_in);
	if (o->part >= 0)
		fprintf(ops, "\"part\":%d,", o->part);
	fprintf(ops, "\"sum\":%s,\"gap\":%s,\"start\":%s,\"head\":", o->m->sum ? "true" : "false",
		o->m->gap ? "true" : "false", start ? "true" : "false");
	truth_json_hex(ops, o->data, copied ? shown : 0);
	fputc('}', ops);
	any_op = true;
	if (o->result > 0 && !peek) {
		e->off[o->dir] += (uint64_t)o->result;
		e->last = o->dir;
	}
}

/* Makes one transfer and notes it; returns its bytes, or the error. */
static long transfer(const struct method *m, struct end *e, enum dir dir, uint8_t *data,
		     size_t bytes, int flags)
{
	struct xfer x = { .end = e, .buf = data, .bytes = bytes, .flags = m->flags | flags };
	long total = 0;

	m->run(&x);
	for (int i = 0; i < x.part_cnt; i++) {
		bool alone = x.part_cnt != 2;

		note(&(struct op){ .m = m,
				   .end = e,
				   .dir = dir,
				   .flags = x.flags,
				   .data = data + total,
				   .asked = alone ? bytes : (size_t)x.part[i],
				   .result = x.part[i],
				   .part = alone ? -1 : i });
		if (x.part[i] < 0)
			return x.part[i];
		total += x.part[i];
	}
	return total;
}

static void must_transfer(const struct method *m, struct end *e, enum dir dir, uint8_t *data,
			  size_t bytes, size_t expect)
{
	long n = transfer(m, e, dir, data, bytes, 0);

	if (n != (long)expect)
		truth_die("%s on %s: %ld of %zu bytes", m->call, e->kind, n, expect);
}

/* Receives until all has come: a stream may give it in pieces, datagrams come one by one. */
static void receive_all(const struct method *m, struct end *e, size_t bytes)
{
	size_t have = 0;

	if (m->flags & MSG_PEEK) {
		if (transfer(m, e, RECV, in_buf, bytes, 0) <= 0)
			truth_die("MSG_PEEK saw nothing");
		m = &plain_recv;
	}
	while (have < bytes) {
		bool cut = (m->flags & MSG_TRUNC) && e->kind[1] == 'd';
		size_t want = bytes - have;
		long n = transfer(m, e, RECV, in_buf, cut && want > 1 ? want / 2 : want, 0);

		if (n <= 0)
			truth_die("%s on %s: %s after %zu of %zu bytes", m->call, e->kind,
				  n ? strerror((int)-n) : "end of stream", have, bytes);
		have += (size_t)n;
	}
}

static void fill(const char *kind, const char *what, int i)
{
	int n = snprintf((char *)buf, BUF_BYTES, "%s %s %d: ", kind, what, i);

	for (size_t at = (size_t)n; at < (size_t)size_bytes; at++)
		buf[at] = (uint8_t)('a' + (at + (size_t)i) % 26);
}

/* Each way to send meets one to receive; a plain answer flips the direction back. */
static void exchange(struct end *a, struct end *b)
{
	bool datagrams = a->kind[1] == 'd';
	bool unconnected = a->to.sin_family != 0;
	int turns = SEND_CNT > RECV_CNT ? SEND_CNT : RECV_CNT;

	for (int i = 0; i < turns * repeat_cnt; i++) {
		const struct method *s = &sends[i % SEND_CNT], *r = &recvs[i % RECV_CNT];
		bool addressed = s->run == run_sendto || s->run == run_sendmsg ||
				 s->run == run_sendmmsg || s->run == run_ring_sendmsg;

		if ((datagrams && s->streams_only) || (s->ring_op && !have_ring) ||
		    (unconnected && !addressed))
			s = &sends[0];
		if ((datagrams && r->streams_only) || (r->ring_op && !have_ring))
			r = &recvs[0];
		fill(a->kind, s->call, i);
		must_transfer(s, a, SEND, buf, (size_t)size_bytes, (size_t)size_bytes);
		receive_all(r, b, (size_t)size_bytes);
		if (unconnected)
			continue;
		fill(a->kind, "answer", i);
		must_transfer(&plain_send, b, SEND, buf, 40, 40);
		receive_all(&plain_recv, a, 40);
	}
}

/* ---- sockets ------------------------------------------------------------------------------- */

/* 0 for unix sockets. */
static int port_of(const struct sockaddr_storage *s)
{
	if (s->ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)(const void *)s)->sin6_port);
	if (s->ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)(const void *)s)->sin_port);
	return 0;
}

static struct end *add_end(int fd, const char *kind)
{
	struct end *e = &ends[end_cnt++];
	struct sockaddr_storage at = { 0 };
	socklen_t at_bytes = sizeof(at);
	struct stat st;

	if (end_cnt == SOCKETS_MAX)
		truth_die("too many sockets for the table");
	truth_must(fstat(fd, &st), "fstat");
	*e = (struct end){ .fd = fd, .kind = kind, .inode = st.st_ino };
	truth_must(getsockname(fd, (struct sockaddr *)&at, &at_bytes), "getsockname");
	e->local_port = port_of(&at);
	at_bytes = sizeof(at);
	if (!getpeername(fd, (struct sockaddr *)&at, &at_bytes)) /* else: not connected */
		e->remote_port = port_of(&at);
	return e;
}

/* A socket on a free port of the loopback address. */
static int bound(int family, int type, struct sockaddr_storage *at, socklen_t *ret_bytes)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	bool six = family == AF_INET6;
	int fd = (int)truth_must(socket(family, type | SOCK_CLOEXEC, 0), "socket");

	truth_must(bind(fd, six ? (void *)&in6 : (void *)&in, six ? sizeof(in6) : sizeof(in)),
		   "bind");
	*ret_bytes = sizeof(*at);
	truth_must(getsockname(fd, (struct sockaddr *)at, ret_bytes), "getsockname");
	return fd;
}

static void pair_up(struct end *a, struct end *b)
{
	a->peer = (int)(b - ends);
	b->peer = (int)(a - ends);
}

/* Connects a new socket to the listener at this address, which is closed then. */
static void connect_pair(int listener, const void *at, socklen_t at_bytes, int ret_fd[2])
{
	const struct sockaddr *to = at;

	truth_must(listen(listener, 1), "listen");
	ret_fd[0] = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	truth_must(ret_fd[0], "socket");
	truth_must(connect(ret_fd[0], to, at_bytes), "connect");
	ret_fd[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	truth_must(ret_fd[1], "accept");
	close(listener);
}

static void tcp_pair(int family, struct end **ret_a, struct end **ret_b)
{
	const char *kind = family == AF_INET6 ? "tcp6" : "tcp";
	struct sockaddr_storage at;
	socklen_t at_bytes;
	int listener = bound(family, SOCK_STREAM, &at, &at_bytes), fd[2], on = 1;

	connect_pair(listener, &at, at_bytes, fd);
	/* without it the second of two small sends may wait for an acknowledgement */
	for (int i = 0; i < 2; i++)
		setsockopt(fd[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	*ret_a = add_end(fd[0], kind);
	*ret_b = add_end(fd[1], kind);
	pair_up(*ret_a, *ret_b);
}

static void unix_pair(struct end **ret_a, struct end **ret_b)
{
	int fd[2];

	truth_must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), "socketpair");
	*ret_a = add_end(fd[0], "unix");
	*ret_b = add_end(fd[1], "unix");
	pair_up(*ret_a, *ret_b);
}

/* A connection to a name in the file system; the name is the server's. */
static void unix_path_pair(struct end **ret_a, struct end **ret_b)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int listener = (int)truth_must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
	const char *tmp = getenv("TMPDIR");
	int fd[2];

	snprintf(at.sun_path, sizeof(at.sun_path), "%.80s/truth_sock.%d", tmp ? tmp : "/tmp",
		 (int)getpid());
	unlink(at.sun_path);
	truth_must(bind(listener, (struct sockaddr *)&at, sizeof(at)), "bind to a path");
	connect_pair(listener, &at, sizeof(at), fd);
	unlink(at.sun_path);
	*ret_a = add_end(fd[0], "unix");
	*ret_b = add_end(fd[1], "unix");
	memcpy((*ret_b)->path, at.sun_path, sizeof(at.sun_path));
	pair_up(*ret_a, *ret_b);
}

static void udp_pair(bool connected, struct end **ret_a, struct end **ret_b)
{
	struct sockaddr_storage at_a, at_b;
	socklen_t bytes;
	int a = bound(AF_INET, SOCK_DGRAM, &at_a, &bytes);
	int b = bound(AF_INET, SOCK_DGRAM, &at_b, &bytes);

	if (connected) {
		truth_must(connect(a, (struct sockaddr *)&at_b, bytes), "connect");
		truth_must(connect(b, (struct sockaddr *)&at_a, bytes), "connect");
	}
	*ret_a = add_end(a, "udp");
	*ret_b = add_end(b, "udp");
	pair_up(*ret_a, *ret_b);
	(*ret_a)->remote_port = port_of(&at_b);
	(*ret_b)->remote_port = port_of(&at_a);
	if (!connected) {
		(*ret_a)->kind = (*ret_b)->kind = "udp-unconnected";
		memcpy(&(*ret_a)->to, &at_b, sizeof((*ret_a)->to));
		memcpy(&(*ret_b)->to, &at_a, sizeof((*ret_b)->to));
	}
}

/* ---- what goes wrong ----------------------------------------------------------------------- */

static void errors(struct end *a, struct end *b)
{
	bool tcp = a->kind[0] == 't';
	const int quiet = MSG_NOSIGNAL | MSG_DONTWAIT;
	long n;

	if (transfer(&recvs[1], a, RECV, in_buf, 100, MSG_DONTWAIT) != -EAGAIN)
		truth_die("an empty socket had something to read");
	fill(a->kind, "flood", 0);
	for (int i = 0; i < 1000; i++)
		if (transfer(&sends[0], a, SEND, buf, 16384, quiet) < 0)
			break;
	do
		n = transfer(&recvs[1], b, RECV, in_buf, BUF_BYTES, MSG_DONTWAIT);
	while (n > 0 || b->off[RECV] < a->off[SEND]);
	shutdown(b->fd, SHUT_WR);
	if (transfer(&plain_recv, a, RECV, in_buf, 100, 0) != 0)
		truth_die("no end of stream after the peer's shutdown");
	transfer(&sends[0], a, SEND, buf, 100, quiet);
	close(b->fd); /* with 100 bytes unread: a reset */
	for (int i = 0; i < 3; i++)
		transfer(i == 1 && tcp ? &recvs[1] : &sends[0], a, i == 1 && tcp ? RECV : SEND, buf,
			 50, quiet);
}

/* A peer that closes with unread bytes, out of the blue. */
static void reset(void)
{
	struct end *a, *b;

	tcp_pair(AF_INET, &a, &b);
	fill("tcp", "never read", 0);
	must_transfer(&plain_send, a, SEND, buf, 100, 100);
	close(b->fd);
	if (transfer(&recvs[1], a, RECV, in_buf, 100, 0) != -ECONNRESET)
		truth_die("the peer's reset did not arrive");
	if (transfer(&sends[3], a, SEND, buf, 100, MSG_NOSIGNAL) != -EPIPE)
		truth_die("a reset connection took a send");
}

/* A receive that completes in the context of a thread that sits in a read of something else. */
struct trap {
	struct truth_uring ring;
	struct end *end;
	int pipe_fd[2];
	pid_t tid; /* set by the thread before it blocks */
	long result;
	uint8_t data[256];
};

static void *trap_thread(void *arg)
{
	static const struct method m = { RING("recv"), .run = run_ring_recv };
	struct trap *t = arg;
	struct io_uring_sqe sqe = { .opcode = IORING_OP_RECV,
				    .fd = t->end->fd,
				    .addr = (uint64_t)(uintptr_t)t->data,
				    .len = sizeof(t->data) };
	struct op op = { .m = &m,
			 .end = t->end,
			 .dir = RECV,
			 .asked = sizeof(t->data),
			 .data = t->data,
			 .part = -1,
			 .result = -EAGAIN };
	char text[sizeof(t->data)];

	if (!truth_uring_open(&t->ring))
		truth_die("no second io_uring: %s", strerror(errno));
	truth_uring_submit(&t->ring, &sqe);
	/* the kernel tries at once, finds nothing, and comes back when data is there */
	note(&op);
	__atomic_store_n(&t->tid, truth_tid(), __ATOMIC_RELEASE); /* pairs with trap_run */
	if (syscall(SYS_read, t->pipe_fd[0], text, sizeof(text)) != 1)
		truth_die("the pipe gave something else than one byte");
	t->result = truth_uring_take(&t->ring);
	op.result = t->result;
	op.blocked_in = "read";
	note(&op);
	return NULL;
}

/* Whether the thread is inside read(2) of this fd, by the kernel's own word. */
static bool blocked_in_read(pid_t tid, int fd)
{
	char path[64], text[256];
	unsigned int arg0 = 0;
	long nr = -1;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", (int)tid);
	if (!truth_read_file(path, text, sizeof(text)))
		return truth_sched_of(tid).state == 'S'; /* a kernel without that file */
	return sscanf(text, "%ld %x", &nr, &arg0) == 2 && nr == SYS_read &&
	       arg0 == (unsigned int)fd;
}

static void trap_run(void)
{
	static struct trap t;
	struct end *peer;
	pthread_t thread;
	int wait_ms = 5000;

	tcp_pair(AF_INET, &t.end, &peer);
	truth_must(pipe(t.pipe_fd), "pipe");
	if (pthread_create(&thread, NULL, trap_thread, &t))
		truth_die("cannot start a thread");
	while (!__atomic_load_n(&t.tid, __ATOMIC_ACQUIRE) ||
	       !blocked_in_read(t.tid, t.pipe_fd[0])) {
		truth_sleep_ms(1);
		if (!wait_ms--)
			truth_die("the thread never blocked in its read");
	}
	fill("tcp", "under a read", 0);
	must_transfer(&plain_send, peer, SEND, buf, 120, 120);
	for (wait_ms = 5000; !truth_uring_ready(&t.ring); wait_ms--) {
		truth_sleep_ms(1);
		if (!wait_ms)
			truth_die("the receive did not complete while its thread was blocked");
	}
	truth_must(write(t.pipe_fd[1], "x", 1), "writing a pipe");
	pthread_join(thread, NULL);
	if (t.result != 120)
		truth_die("the io_uring receive gave %ld instead of 120", t.result);
}

/* ---- all of it ----------------------------------------------------------------------------- */

static void zero_datagram(struct end *a, struct end *b)
{
	must_transfer(&sends[0], a, SEND, buf, 0, 0);
	must_transfer(&recvs[1], b, RECV, in_buf, 100, 0);
}

static bool wanted(const char *kind)
{
	size_t bytes = strlen(kind);
	const char *at = kinds;

	while (at && (strncmp(at, kind, bytes) || (at[bytes] && at[bytes] != ','))) {
		at = strchr(at, ',');
		at += at != NULL;
	}
	return at != NULL;
}

static bool has_ipv6(void)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && !bind(fd, (struct sockaddr *)&at, sizeof(at));

	if (fd >= 0)
		close(fd);
	return ok;
}

static void run_tcp(int family)
{
	struct end *a, *b;

	tcp_pair(family, &a, &b);
	exchange(a, b);
	if (family == AF_INET6)
		return;
	errors(a, b);
	reset();
	if (have_ring)
		trap_run();
}

static void run_kinds(void)
{
	struct end *a, *b;

	if (wanted("tcp"))
		run_tcp(AF_INET);
	if (wanted("tcp6") && has_ipv6())
		run_tcp(AF_INET6);
	if (wanted("unix")) {
		unix_pair(&a, &b);
		exchange(a, b);
		errors(a, b);
		unix_path_pair(&a, &b);
		exchange(a, b);
	}
	if (wanted("udp")) {
		udp_pair(true, &a, &b);
		exchange(a, b);
		zero_datagram(a, b);
		udp_pair(false, &a, &b);
		exchange(a, b);
		exchange(b, a);
	}
}

static void show(const char *text, int64_t begin_ns, int64_t end_ns)
{
	printf("{\"program\":\"truth_sock\",\"pid\":%d,\"tid\":%d,\"begin_ns\":%lld,"
	       "\"end_ns\":%lld,\"io_uring\":%s,\"sockets\":[",
	       (int)getpid(), (int)truth_tid(), (long long)begin_ns, (long long)end_ns,
	       have_ring ? "true" : "false");
	for (int i = 0; i < end_cnt; i++) {
		const struct end *e = &ends[i];

		printf("%s{\"fd\":%d,\"kind\":\"%s\",\"inode\":%llu,\"peer\":%d,\"path\":",
		       i ? "," : "", e->fd, e->kind, (unsigned long long)e->inode, e->peer);
		truth_json_text(stdout, e->path);
		printf(",\"local_port\":%d,\"remote_port\":%d,\"sent\":%llu,\"received\":%llu}",
		       e->local_port, e->remote_port, (unsigned long long)e->off[SEND],
		       (unsigned long long)e->off[RECV]);
	}
	printf("],\"ops\":[");
	for (; *text; text++)
		if (*text != '\n')
			putchar(*text);
	printf("]}\n");
}

int main(int argc, char **argv)
{
	const struct truth_opt opts[] = {
		{ .name = "kinds",
		  .text = &kinds,
		  .help = "of tcp, tcp6, unix, udp, with commas (all)" },
		{ .name = "size",
		  .number = &size_bytes,
		  .min = 80,
		  .help = "bytes of each message" },
		{ .name = "repeat", .number = &repeat_cnt, .min = 1, .help = "times all of it" },
		{ 0 },
	};
	int64_t begin_ns;
	char *text;
	size_t text_bytes;

	truth_options(argc, argv, "Sends and receives known data by every kind of call.", opts);
	if (size_bytes > BUF_BYTES / 2)
		truth_wrong_use("--size", "at most 32768");
	ops = open_memstream(&text, &text_bytes);
	file_fd = (int)truth_must(syscall(SYS_memfd_create, "truth", 1u), "memfd_create");
	truth_must(pipe(pipe_fd), "pipe");
	have_ring = truth_uring_open(&ring);
	truth_ready();
	begin_ns = truth_now_ns();
	run_kinds();
	fclose(ops);
	show(text, begin_ns, truth_now_ns());
	free(text);
	truth_done();
	return 0;
}
