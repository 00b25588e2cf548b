/* SPDX-License-Identifier: BSD-2-Clause */
/* The fixture's story (fixture_story.h) from curl on, and the whole of it: fx_story_tell(). */
#ifndef FR_TESTS_FIXTURE_ACTS_H
#define FR_TESTS_FIXTURE_ACTS_H

#include "fixture_story.h"

#define FX_CURL_ARGS "curl\0-s\0http://127.0.0.1:8080/orders/47?card=4111111111111111"

/* bash forks curl on CPU 0, which preempts it and runs another program. t .. t + 60 us. */
static inline void fx_curl_begin(struct fx_story *s, uint64_t t)
{
	static const char path[] = "/usr/bin/curl", args[] = FX_CURL_ARGS;
	struct fr_proc_fork fork = {
		.parent_tid = FX_SHELL,
		.parent_tgid = FX_SHELL,
		.child_tid = FX_CURL,
		.child_tgid = FX_CURL,
		.child_start_ns = s->curl_start_ns,
		.comm = "bash",
	};
	struct fr_proc_exec exec = {
		.tid = FX_CURL,
		.old_tid = FX_CURL,
		.start_ns = s->curl_start_ns,
		.comm = "curl",
		.path_bytes = sizeof(path) - 1,
		.args_bytes = sizeof(args),
	};
	struct fx_part parts[] = { { path, sizeof(path) - 1 }, { args, sizeof(args) } };
	struct fx *fx = &s->fx;

	fx_waking(fx, 0, t, FX_SHELL, 0, FR_WAKER_HARDIRQ, 0);
	fx_switch(fx, 0, t + 4 * FX_US, FX_SHELL);
	FX_ADD(fx, 0, t + 20 * FX_US, FR_EV_PROC_FORK, fork);
	fx_waking(fx, 0, t + 21 * FX_US, FX_CURL, FX_SHELL, FR_WAKER_TASK, 0);
	fx_switch_state(fx, 0, t + 25 * FX_US, FX_CURL, 0, true);
	fx_add(fx, 0, t + 60 * FX_US, FR_EV_PROC_EXEC, &exec, sizeof(exec), parts, 2);
}

/* The handshake, seen from both ends on CPU 0. t .. t + 12 us. */
static inline void fx_curl_connect(struct fx_story *s, uint64_t t)
{
	struct fr_sock_accept accept = {
		.sock_id = s->web_curl.id,
		.tid = FX_WEB_M1,
		.fd = s->web_curl.fd,
	};
	struct fx *fx = &s->fx;

	fx_tcp_state(fx, 0, t, &s->curl, FX_FROM_TO(FX_CLOSE, FX_SYN_SENT));
	fx_tcp_state(fx, 0, t + 4 * FX_US, &s->curl, FX_FROM_TO(FX_SYN_SENT, FX_ESTABLISHED));
	fx_sock_row(fx, 0, t + 5 * FX_US, FR_EV_SOCK_OPEN, &s->curl);
	fx_tcp_state(fx, 0, t + 6 * FX_US, &s->web_curl, FX_FROM_TO(FX_SYN_RECV, FX_ESTABLISHED));
	fx_sock_row(fx, 0, t + 7 * FX_US, FR_EV_SOCK_OPEN, &s->web_curl);
	fx_waking(fx, 0, t + 8 * FX_US, FX_WEB_M1, 0, FR_WAKER_SOFTIRQ, 1);
	fx_switch(fx, 1, t + 9 * FX_US, FX_WEB_M1);
	FX_ADD(fx, 1, t + 11 * FX_US, FR_EV_SOCK_ACCEPT, accept);
	fx_switch(fx, 1, t + 12 * FX_US, 0);
}

/* Both ends close; curl exits on CPU 0 and bash, which waits for it, goes on. t .. t + 60 us. */
static inline void fx_curl_end(struct fx_story *s, uint64_t t)
{
	struct fr_proc_end end = {
		.tid = FX_CURL,
		.tgid = FX_CURL,
		.start_ns = s->curl_start_ns,
		.comm = "curl",
		.exit_code = 22u << 8, /* curl -f says so for a 5xx */
		.flags = FR_END_GROUP_DEAD,
	};
	struct fx *fx = &s->fx;

	fx_tcp_state(fx, 0, t, &s->curl, FX_FROM_TO(FX_ESTABLISHED, FX_FIN_WAIT1));
	fx_tcp_state(fx, 0, t + 1 * FX_US, &s->web_curl, FX_FROM_TO(FX_ESTABLISHED, FX_CLOSE_WAIT));
	fx_tcp_state(fx, 0, t + 2 * FX_US, &s->web_curl, FX_FROM_TO(FX_CLOSE_WAIT, FX_LAST_ACK));
	fx_tcp_state(fx, 0, t + 3 * FX_US, &s->web_curl, FX_FROM_TO(FX_LAST_ACK, FX_CLOSE));
	fx_sock_row(fx, 0, t + 4 * FX_US, FR_EV_SOCK_CLOSE, &s->web_curl);
	fx_tcp_state(fx, 0, t + 5 * FX_US, &s->curl, FX_FROM_TO(FX_FIN_WAIT1, FX_CLOSE));
	fx_sock_row(fx, 0, t + 6 * FX_US, FR_EV_SOCK_CLOSE, &s->curl);
	FX_ADD(fx, 0, t + 20 * FX_US, FR_EV_PROC_EXIT, end);
	fx_waking(fx, 0, t + 21 * FX_US, FX_SHELL, FX_CURL, FR_WAKER_TASK, 0);
	fx_switch_state(fx, 0, t + 24 * FX_US, FX_SHELL, FX_TASK_DEAD, false);
	fx_switch(fx, 0, t + 50 * FX_US, 0);
	FX_ADD(fx, 0, t + 60 * FX_US, FR_EV_PROC_FREE, end);
}

static inline void fx_act_curl(struct fx_story *s, uint64_t t)
{
	struct fx_path path = { &s->curl, &s->web_curl, FX_CURL, true };
	struct fx *fx = &s->fx;

	s->curl_start_ns = t + 20 * FX_US;
	fx_curl_begin(s, t);
	fx_curl_connect(s, t + 80 * FX_US);
	/* curl sleeps a moment in poll: bash, which it preempted, gets on and waits for it */
	fx_switch(fx, 0, t + 110 * FX_US, FX_SHELL);
	fx_waking(fx, 0, t + 115 * FX_US, FX_CURL, 0, FR_WAKER_SOFTIRQ, 0);
	fx_switch(fx, 0, t + 120 * FX_US, FX_CURL);
	fx_request(s, t + 150 * FX_US, &path);
	fx_curl_end(s, t + 690 * FX_US);
}

/* web on CPU 1: a DNS question and its answer, a line to journald, a thread that renames itself,
 * a retransmit, and a connection that is refused. t .. t + 100 us. */
static inline void fx_web_troubles(struct fx_story *s, uint64_t t)
{
	static const char dns[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\2db\7example\0\0\1\0\1";
	static const char reply[] = "\x12\x34\x81\x80\0\1\0\1\0\0\0\0\2db\7example\0\0\1\0\1"
				    "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\x09";
	static const char line[] = "<6>web: order served";
	struct fr_tcp_retransmit again = {
		.sock_id = s->web_wrk.id,
		.local_port = 8080,
		.remote_port = 40000,
		.state = FX_ESTABLISHED,
	};
	struct fr_tcp_reset refused = { .local_port = 9999,
					.remote_port = 40777,
					.direction = FR_RESET_SENT };
	struct fr_rec_family on = { .family = FR_FAMILY_DNS, .on = 1, .why = FR_FAMILY_WHY_ASKED };
	struct fr_dns_source source = { .sock_id = s->dns.id,
					.family = FR_AF_INET,
					.local_port = 41000,
					.remote_port = 53,
					.datagram_bytes = sizeof(reply) - 1,
					.head = { 0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1 },
					.netns_inum = FX_NETNS,
					.remote = { 10, 0, 0, 2 } };
	struct fr_proc_rename rename = { .tid = FX_WEB_M2,
					 .tgid = FX_WEB,
					 .start_ns = fx_start_of(FX_WEB_M2),
					 .old_comm = "web",
					 .new_comm = "web-gc" };
	struct fx_xfer ask = {
		FR_EV_SOCK_SEND, sizeof(dns) - 1, { dns, sizeof(dns) - 1 }, FR_IO_ADDR
	};
	struct fx_xfer answer = {
		FR_EV_SOCK_RECV, sizeof(reply) - 1, { reply, sizeof(reply) - 1 }, FR_IO_ADDR
	};
	struct fx *fx = &s->fx;

	fx_waking(fx, 1, t, FX_WEB_M2, 0, FR_WAKER_HARDIRQ, 1);
	fx_switch(fx, 1, t + 3 * FX_US, FX_WEB_M2);
	FX_ADD(fx, 1, t + 10 * FX_US, FR_EV_PROC_RENAME, rename);
	fx_sock_row(fx, 1, t + 12 * FX_US, FR_EV_SOCK_OPEN, &s->dns);
	fx_io(fx, 1, t + 13 * FX_US, &s->dns, ask);
	FX_ADD(fx, 1, t + 14 * FX_US, FR_EV_REC_FAMILY, on);
	FX_ADD(fx, 1, t + 38 * FX_US, FR_EV_DNS_SOURCE, source);
	fx_io(fx, 1, t + 40 * FX_US, &s->dns, answer);
	fx_sock_row(fx, 1, t + 42 * FX_US, FR_EV_SOCK_CLOSE, &s->dns);
	fx_send(fx, 1, t + 50 * FX_US, &s->log, (struct fx_part){ line, sizeof(line) - 1 });
	FX_ADD(fx, 1, t + 60 * FX_US, FR_EV_TCP_RETRANSMIT, again);
	FX_ADD(fx, 1, t + 70 * FX_US, FR_EV_TCP_RESET, refused);
	fx_switch(fx, 1, t + 100 * FX_US, 0);
}

/* A process dies by a signal: record of the signal, obituaries. On CPU 0, t .. t + 80 us. */
static inline void fx_killed(struct fx *fx, uint64_t t, uint32_t pid, uint32_t sig)
{
	bool oom = sig == 9;
	struct fr_proc_signal signal = {
		.tid = pid,
		.tgid = pid,
		.sig = sig,
		.code = oom ? 0x80 : 1, /* SI_KERNEL, SEGV_MAPERR */
		.address = oom ? 0 : 0xdeadbee8,
	};
	struct fr_proc_end end = {
		.tid = pid,
		.tgid = pid,
		.start_ns = fx_start_of(pid),
		.exit_code = sig | (oom ? 0 : 0x80), /* with a core */
		.flags = FR_END_GROUP_DEAD,
	};

	snprintf(signal.comm, sizeof(signal.comm), "%s", oom ? "hog" : "crasher");
	memcpy(end.comm, signal.comm, sizeof(end.comm));
	fx_waking(fx, 0, t, pid, 0, FR_WAKER_HARDIRQ, 0);
	fx_switch(fx, 0, t + 4 * FX_US, pid);
	FX_ADD(fx, 0, t + 30 * FX_US, FR_EV_PROC_SIGNAL, signal);
	FX_ADD(fx, 0, t + 50 * FX_US, FR_EV_PROC_EXIT, end);
	fx_switch_state(fx, 0, t + 54 * FX_US, 0, FX_TASK_DEAD, false);
	FX_ADD(fx, 0, t + 80 * FX_US, FR_EV_PROC_FREE, end);
}

static inline void fx_act_troubles(struct fx_story *s, uint64_t t)
{
	struct fr_proc_oom oom = {
		.tid = FX_HOG, .tgid = FX_HOG, .rss_pages = 123456, .comm = "hog"
	};

	fx_web_troubles(s, t);
	fx_killed(&s->fx, t + 200 * FX_US, FX_CRASH, 11);
	FX_ADD(&s->fx, 0, t + 400 * FX_US, FR_EV_PROC_OOM, oom);
	fx_killed(&s->fx, t + 410 * FX_US, FX_HOG, 9);
}

/* The whole story. Returns the time of the trigger; the window ends 2 ms later. */
static inline uint64_t fx_story_tell(struct fx_story *s, uint32_t requests, bool gap)
{
	struct fr_rec_flush flush = { 0 };
	uint64_t t = FX_BOOT_NS + FX_ACT_NS;

	fx_story_sockets(s);
	fx_act_start(s);
	for (uint32_t i = 0; i < requests; i++, t += FX_ACT_NS) {
		if (gap && i == requests / 2)
			fx_gap(&s->fx, 1, 25);
		fx_act_request(s, t);
	}
	fx_act_curl(s, t);
	t += FX_ACT_NS;
	fx_act_troubles(s, t);
	t += FX_ACT_NS;
	s->fx.facts.trigger_ns = t;
	fx_act_request(s, t + 200 * FX_US); /* after the trigger, inside the post-window */
	FX_ADD(&s->fx, 0, t + 2000 * FX_US, FR_EV_REC_FLUSH, flush);
	FX_ADD(&s->fx, 1, t + 2001 * FX_US, FR_EV_REC_FLUSH, flush);
	return t;
}

#endif
