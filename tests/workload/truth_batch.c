/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * truth_batch: datagrams by sendmmsg and recvmmsg, of which a recorder must find out which message
 * of the vector each was: batches of one size from one vector again and again, batches that end
 * early, vectors that cannot be read or written, threads that share a socket, and a batch that is
 * under way before the recorder starts (so start it when this program is ready).
 *
 * The truth: "messages", in order for each thread, each with its case, the socket's local port,
 * tid, dir, nr, result, data (in hex), shown (how many of its bytes can be captured), and for
 * either kind of hooks, 1 tracepoints, 2 system calls: seen (who has a record of it), must (who has
 * its bytes; others may have them, or none).
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "truth.h"

#define TRACEPOINTS 1
#define SYSCALLS 2
#define BOTH (TRACEPOINTS | SYSCALLS)
#define PAGE_BYTES 4096
#define SLOT_BYTES 256 /* of one message */
#define BATCH_MAX 130  /* the hooks at system calls tell 128 datagrams one by one */
#define TOLD_MAX 128
#define THREAD_CNT 2
#define THREAD_BATCHES 100

enum dir { SEND, RECV };

/* One call's memory. */
struct batch {
	struct mmsghdr vector[BATCH_MAX];
	struct iovec iov[BATCH_MAX];
	uint8_t bytes[BATCH_MAX][SLOT_BYTES];
};

static int fd[2], port[2];
static FILE *messages;
static pthread_mutex_t messages_lock = PTHREAD_MUTEX_INITIALIZER;
static struct batch main_batch, spare_batch, early_batch;

static void tell(const char *name, int end, enum dir dir, long result, const uint8_t *data,
		 size_t shown, int seen, int must)
{
	pthread_mutex_lock(&messages_lock);
	fprintf(messages,
		"%s{\"case\":\"%s\",\"port\":%d,\"tid\":%d,\"dir\":\"%s\",\"nr\":%ld,"
		"\"result\":%ld,\"shown\":%zu,\"seen\":%d,\"must\":%d,\"data\":\"",
		ftell(messages) ? "," : "", name, port[end], (int)truth_tid(),
		dir == SEND ? "send" : "recv",
		dir == SEND ? (long)SYS_sendmmsg : (long)SYS_recvmmsg, result, shown, seen, must);
	for (long i = 0; i < result; i++)
		fprintf(messages, "%02x", data ? data[i] : 0);
	fputs("\"}", messages);
	pthread_mutex_unlock(&messages_lock);
}

/* ---- vectors ------------------------------------------------------------------------------- */

static void lay(struct batch *b, size_t cnt, size_t bytes)
{
	for (size_t i = 0; i < cnt; i++) {
		b->iov[i] = (struct iovec){ b->bytes[i], bytes };
		b->vector[i].msg_hdr = (struct msghdr){ .msg_iov = &b->iov[i], .msg_iovlen = 1 };
	}
}

/* Other bytes each time: what is of an earlier call or message is told by them. */
static void fill(struct batch *b, size_t cnt, size_t bytes)
{
	static unsigned number;
	unsigned base = __atomic_fetch_add(&number, (unsigned)cnt, __ATOMIC_RELAXED);
	char head[16];

	for (size_t i = 0; i < cnt; i++) {
		memset(b->bytes[i], 'a' + (int)((base + i) % 26), bytes);
		snprintf(head, sizeof(head), "%08u", base + (unsigned)i);
		memcpy(b->bytes[i], head, 8);
	}
}

static long send_batch(int end, struct mmsghdr *v, size_t cnt)
{
	long n = syscall(SYS_sendmmsg, fd[end], v, cnt, 0);

	return n < 0 ? -errno : n;
}

static long recv_batch(int end, struct mmsghdr *v, size_t cnt, int flags, struct timespec *timeout)
{
	long n = syscall(SYS_recvmmsg, fd[end], v, cnt, flags, timeout);

	return n < 0 ? -errno : n;
}

static void want(const char *name, long have, long wanted)
{
	if (have != wanted)
		truth_die("%s: %ld instead of %ld", name, have, wanted);
}

/* Sends cnt messages from end 0; they wait at end 1. */
static void send_all(const char *name, struct batch *b, size_t cnt, size_t bytes)
{
	lay(b, cnt, bytes);
	fill(b, cnt, bytes);
	want(name, send_batch(0, b->vector, cnt), (long)cnt);
	for (size_t i = 0; i < cnt; i++)
		tell(name, 0, SEND, b->vector[i].msg_len, b->bytes[i], bytes, BOTH, BOTH);
}

static void told_received(const char *name, const struct batch *b, long cnt, int must)
{
	for (long i = 0; i < cnt; i++)
		tell(name, 1, RECV, b->vector[i].msg_len, b->bytes[i], b->vector[i].msg_len, BOTH,
		     must);
}

/* Takes away what waits at end 1, by calls that the truth leaves out. */
static void drain(void)
{
	uint8_t bytes[SLOT_BYTES];

	while (recv(fd[1], bytes, sizeof(bytes), MSG_DONTWAIT) >= 0)
		;
}

/* ---- cases --------------------------------------------------------------------------------- */

/* Vector, count and sizes never change; the receiver's calls all end early. */
static void repeated(void)
{
	static const int flags[] = { MSG_DONTWAIT, MSG_WAITFORONE, MSG_DONTWAIT };
	struct batch *in = &spare_batch;

	for (size_t turn = 0; turn < 3; turn++) {
		send_all("repeated", &main_batch, 4, 60);
		lay(in, 8, SLOT_BYTES);
		memset(in->bytes, '?', sizeof(in->bytes));
		want("repeated", recv_batch(1, in->vector, 8, flags[turn], NULL), 4);
		told_received("repeated", in, 4, BOTH);
	}
	for (size_t turn = 0; turn < 3; turn++) { /* the receiver's calls end full */
		send_all("full", &main_batch, 4, 60);
		want("full", recv_batch(1, in->vector, 4, 0, NULL), 4);
		told_received("full", in, 4, BOTH);
	}
	want("empty", recv_batch(1, in->vector, 4, MSG_DONTWAIT, NULL), -EAGAIN);
}

/* Nothing but the early end tells one call from the next: no other batch lies in between. */
static void early_ends(void)
{
	static const int flags[] = { MSG_DONTWAIT, MSG_WAITFORONE, MSG_DONTWAIT, MSG_DONTWAIT };
	struct batch *in = &spare_batch;

	lay(in, 8, SLOT_BYTES);
	for (size_t turn = 0; turn < sizeof(flags) / sizeof(flags[0]); turn++) {
		fill(&main_batch, 3, 60);
		for (int i = 0; i < 3; i++)
			want("early ends", send(fd[0], main_batch.bytes[i], 60, 0), 60);
		memset(in->bytes, '?', sizeof(in->bytes));
		want("early ends", recv_batch(1, in->vector, 8, flags[turn], NULL), 3);
		told_received("early ends", in, 3, BOTH);
	}
}

/* A call with a timeout may end behind any message. */
static void timed(void)
{
	struct timespec timeout = { .tv_nsec = 1 };
	struct batch *in = &spare_batch;
	int must = SYSCALLS;

	for (int turn = 0; turn < 3; turn++) {
		send_all("timed", &main_batch, 2, 60);
		lay(in, 4, SLOT_BYTES);
		timeout.tv_nsec = 1;
		want("timed", recv_batch(1, in->vector, 4, MSG_DONTWAIT, &timeout), 1);
		told_received("timed", in, 1, must);
		drain();
	}
}

static void one_at_a_time(void)
{
	for (int turn = 0; turn < 2; turn++)
		send_all("one", &main_batch, 1, 50);
	drain();
}

static void long_row(void)
{
	struct batch *b = &main_batch;
	const char *name = "long row";
	long rest = 0;

	lay(b, BATCH_MAX, 20);
	fill(b, BATCH_MAX, 20);
	want(name, send_batch(0, b->vector, BATCH_MAX), BATCH_MAX);
	for (int i = 0; i < BATCH_MAX; i++) {
		bool told = i < TOLD_MAX;

		tell(name, 0, SEND, 20, b->bytes[i], 20, told ? BOTH : TRACEPOINTS,
		     told ? BOTH : TRACEPOINTS);
		rest += told ? 0 : 20;
	}
	tell(name, 0, SEND, rest, NULL, 0, SYSCALLS, 0);
	drain();
}

/* Ten pieces of three bytes, of which eight are followed. */
static void pieces(void)
{
	struct batch *b = &main_batch;
	struct iovec iov[10];

	lay(b, 2, 30);
	fill(b, 2, 30);
	for (size_t i = 0; i < 10; i++)
		iov[i] = (struct iovec){ b->bytes[1] + 3 * i, 3 };
	b->vector[1].msg_hdr.msg_iov = iov;
	b->vector[1].msg_hdr.msg_iovlen = 10;
	want("pieces", send_batch(0, b->vector, 2), 2);
	tell("pieces", 0, SEND, 30, b->bytes[0], 30, BOTH, BOTH);
	tell("pieces", 0, SEND, 30, b->bytes[1], 24, BOTH, BOTH);
	drain();
}

/* The second message's bytes are not there: the kernel says so, and the batch ends. */
static void bytes_missing(uint8_t *no_page)
{
	struct batch *b = &main_batch;

	for (int turn = 0; turn < 3; turn++) {
		lay(b, 2, 60);
		fill(b, 2, 60);
		b->iov[1].iov_base = no_page;
		want("bytes missing", send_batch(0, b->vector, 2), 1);
		tell("bytes missing", 0, SEND, 60, b->bytes[0], 60, BOTH, BOTH);
		tell("bytes missing", 0, SEND, -EFAULT, NULL, 0, TRACEPOINTS, 0);
	}
	send_all("after bytes missing", b, 2, 60);
	drain();
}

/* The second message's header is not there: the batch ends, and nothing tells tracepoints. */
static void header_missing(uint8_t *no_page)
{
	struct batch *b = &main_batch;
	struct mmsghdr *v = (void *)(no_page - sizeof(*v));

	for (int turn = 0; turn < 4; turn++) {
		lay(b, 2, 60);
		fill(b, 2, 60);
		*v = b->vector[0];
		want("header missing", send_batch(0, v, 2), 1);
		tell("header missing", 0, SEND, 60, b->bytes[0], 60, BOTH, turn ? SYSCALLS : BOTH);
	}
	send_all("after header missing", b, 2, 60);
	drain();
}

/* The sizes cannot be written: the message goes out, the call fails. */
static void sizes_refused(uint8_t *page)
{
	struct batch *b = &main_batch;

	for (int turn = 0; turn < 3; turn++) {
		lay(b, 2, 60);
		fill(b, 2, 60);
		truth_must(mprotect(page, PAGE_BYTES, PROT_READ | PROT_WRITE), "mprotect");
		memcpy(page, b->vector, 2 * sizeof(b->vector[0]));
		memset(&((struct mmsghdr *)(void *)page)->msg_len, 0, 4);
		truth_must(mprotect(page, PAGE_BYTES, PROT_READ), "mprotect");
		want("sizes refused", send_batch(0, (void *)page, 2), -EFAULT);
		tell("sizes refused", 0, SEND, 60, b->bytes[0], 60, TRACEPOINTS,
		     turn ? 0 : TRACEPOINTS);
		tell("sizes refused", 0, SEND, -EFAULT, NULL, 0, SYSCALLS, 0);
	}
	send_all("after sizes refused", b, 2, 60);
	drain();
}

/* ---- threads ------------------------------------------------------------------------------- */

static void *share_socket(void *arg)
{
	struct batch *b = arg;

	for (int i = 0; i < THREAD_BATCHES; i++) {
		send_all("shared", b, 3, 60);
		drain();
	}
	return NULL;
}

static void shared(void)
{
	struct batch *b = calloc(THREAD_CNT, sizeof(*b));
	pthread_t threads[THREAD_CNT];

	if (!b)
		truth_die("no memory to be had");
	for (int i = 0; i < THREAD_CNT; i++)
		if (pthread_create(&threads[i], NULL, share_socket, &b[i]))
			truth_die("cannot create a thread");
	for (int i = 0; i < THREAD_CNT; i++)
		pthread_join(threads[i], NULL);
	free(b);
}

/* Takes four messages, two before anybody records; then again, from where it must be counted. */
static void *early(void *arg)
{
	struct batch *b = &early_batch;
	const char *name = "under way";

	(void)arg;
	lay(b, 4, SLOT_BYTES);
	want(name, recv_batch(1, b->vector, 4, 0, NULL), 4);
	for (int i = 0; i < 4; i++)
		tell(name, 1, RECV, b->vector[i].msg_len, b->bytes[i], 60, i < 2 ? SYSCALLS : BOTH,
		     SYSCALLS);
	for (int turn = 0; turn < 2; turn++) {
		want(name, recv_batch(1, b->vector, 4, 0, NULL), 4);
		told_received(name, b, 4, SYSCALLS);
	}
	return NULL;
}

/* Until the thread has taken all that waits. */
static void wait_taken(void)
{
	int waiting = 1;

	while (truth_must(ioctl(fd[1], FIONREAD, &waiting), "FIONREAD") >= 0 && waiting)
		truth_sleep_ms(1);
}

static pthread_t early_start(void)
{
	struct batch *b = &spare_batch;
	pthread_t thread;

	lay(b, 2, 60);
	fill(b, 2, 60);
	if (pthread_create(&thread, NULL, early, NULL))
		truth_die("cannot create a thread");
	want("under way", send_batch(0, b->vector, 2), 2);
	wait_taken();
	return thread;
}

static void early_end(pthread_t thread)
{
	for (int i = 0; i < 5; i++) {
		send_all("to under way", &main_batch, 2, 60);
		wait_taken();
	}
	pthread_join(thread, NULL);
}

/* ---- all ----------------------------------------------------------------------------------- */

static void connect_ends(void)
{
	struct sockaddr_in at[2] = { 0 };
	socklen_t at_bytes = sizeof(at[0]);

	for (int i = 0; i < 2; i++) {
		fd[i] = (int)truth_must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
		at[i].sin_family = AF_INET;
		at[i].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		truth_must(bind(fd[i], (void *)&at[i], sizeof(at[i])), "bind");
		truth_must(getsockname(fd[i], (void *)&at[i], &at_bytes), "getsockname");
		port[i] = ntohs(at[i].sin_port);
	}
	for (int i = 0; i < 2; i++)
		truth_must(connect(fd[i], (void *)&at[!i], sizeof(at[!i])), "connect");
}

static uint8_t *pages(void)
{
	uint8_t *p = mmap(NULL, 2 * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	if (p == MAP_FAILED || mprotect(p + PAGE_BYTES, PAGE_BYTES, PROT_NONE) < 0)
		truth_die("no memory to be had: %s", strerror(errno));
	return p;
}

static void work(void)
{
	uint8_t *page = pages();

	repeated();
	early_ends();
	timed();
	one_at_a_time();
	long_row();
	pieces();
	bytes_missing(page + PAGE_BYTES);
	header_missing(page + PAGE_BYTES);
	sizes_refused(page);
	shared();
	munmap(page, 2 * PAGE_BYTES);
}

int main(int argc, char **argv)
{
	static const struct truth_opt opts[] = { { .name = NULL } };
	int64_t begin_ns, end_ns;
	pthread_t thread;
	size_t bytes;
	char *text;

	truth_options(argc, argv, "datagrams by sendmmsg and recvmmsg", opts);
	messages = open_memstream(&text, &bytes);
	if (!messages)
		truth_die("no memory to be had");
	connect_ends();
	thread = early_start();
	truth_ready();
	begin_ns = truth_now_ns();
	early_end(thread);
	work();
	end_ns = truth_now_ns();
	fclose(messages);
	printf("{\"program\":\"truth_batch\",\"pid\":%d,\"begin_ns\":%lld,\"end_ns\":%lld,"
	       "\"messages\":[%s]}\n",
	       (int)getpid(), (long long)begin_ns, (long long)end_ns, text);
	free(text);
	truth_done();
	return 0;
}
