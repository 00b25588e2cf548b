/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoders of sched, waking, tcp, block and rec; and all decoders on whatever bytes come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "event_text.h"

static void switches(void **state)
{
	struct fr_sched_switch e = { .who = FR_SWITCH_WHO(1234, 0, 1, 0), .run_delay_ns = 77 };

	(void)state;
	assert_string_equal(EVENT_TEXT(FR_EV_SCHED_SWITCH, e),
			    "prev_tid=1234 prev_state='S' preempted=0 next_tid=0 "
			    "run_delay_sum_ns=77");
	e.who = FR_SWITCH_WHO(4194303, 4194302, 0, 1);
	e.run_delay_ns = UINT32_MAX;
	assert_string_equal(EVENT_TEXT(FR_EV_SCHED_SWITCH, e),
			    "prev_tid=4194303 prev_state='R' preempted=1 next_tid=4194302 "
			    "run_delay_sum_ns=4294967295");
}

static void wakings(void **state)
{
	struct fr_sched_waking e = { .who = FR_WAKING_WHO(10, 11, 8191, FR_WAKER_TASK) };

	(void)state;
	assert_string_equal(EVENT_TEXT(FR_EV_SCHED_WAKING, e),
			    "wakee_tid=10 wakee_cpu=8191 context='task' waker_tid=11");
	/* an interrupt blames nobody */
	e.who = FR_WAKING_WHO(10, 11, 3, FR_WAKER_SOFTIRQ);
	assert_string_equal(EVENT_TEXT(FR_EV_SCHED_WAKING, e),
			    "wakee_tid=10 wakee_cpu=3 context='softirq'");
	e.who = FR_WAKING_WHO(10, 0, 3, FR_WAKER_HARDIRQ);
	assert_string_equal(EVENT_TEXT(FR_EV_SCHED_WAKING, e),
			    "wakee_tid=10 wakee_cpu=3 context='hardirq'");
	e.who = FR_WAKING_WHO(10, 11, 3, FR_WAKER_UNKNOWN);
	assert_string_equal(EVENT_TEXT(FR_EV_SCHED_WAKING, e),
			    "wakee_tid=10 wakee_cpu=3 context='unknown' running_tid=11");
}

static void retransmits_and_resets(void **state)
{
	struct fr_tcp_retransmit t = { .sock_id = 0x1000000000002, .local_port = 8080,
				       .remote_port = 40000, .state = 1 };
	struct fr_tcp_reset s = { .local_port = 1, .remote_port = 65535,
				  .direction = FR_RESET_RECEIVED, .state = 2 };

	(void)state;
	assert_string_equal(EVENT_TEXT(FR_EV_TCP_RETRANSMIT, t),
			    "sock_id=0x1000000000002 local_port=8080 remote_port=40000 "
			    "state='ESTABLISHED'");
	t.sock_id = 0;
	t.state = 200;
	assert_string_equal(EVENT_TEXT(FR_EV_TCP_RETRANSMIT, t),
			    "local_port=8080 remote_port=40000 state=200");
	assert_string_equal(EVENT_TEXT(FR_EV_TCP_RESET, s),
			    "local_port=1 remote_port=65535 direction='received' "
			    "state='SYN_SENT'");
	s.direction = FR_RESET_SENT;
	s.state = 0;
	assert_string_equal(EVENT_TEXT(FR_EV_TCP_RESET, s),
			    "local_port=1 remote_port=65535 direction='sent'");
	s.direction = 9;
	assert_string_equal(EVENT_TEXT(FR_EV_TCP_RESET, s),
			    "local_port=1 remote_port=65535 direction=9");
}

static void sources_of_datagrams(void **state)
{
	struct fr_dns_source e = { .sock_id = 0x15, .family = FR_AF_INET, .local_port = 53,
				   .remote_port = 40000, .datagram_bytes = 33,
				   .head = { 0x12, 0x34, 1, 0, 0, 1 }, .netns_inum = 7,
				   .remote = { 192, 0, 2, 1 } };

	(void)state;
	assert_string_equal(EVENT_TEXT(FR_EV_DNS_SOURCE, e),
			    "sock_id=0x15 local_port=53 from='192.0.2.1:40000' bytes=33 "
			    "dns_id=4660 netns_inum=7");
	e.sock_id = 0;
	e.family = FR_AF_INET6;
	assert_string_equal(EVENT_TEXT(FR_EV_DNS_SOURCE, e),
			    "local_port=53 from='[c000:201::]:40000' bytes=33 dns_id=4660 "
			    "netns_inum=7");
}

static void block_requests(void **state)
{
	struct fr_block_issue i = { .sector = 2048, .dev = 259u << 20 | 1048575, .bytes = 4096,
				    .tid = 7, .op = FR_BLOCK_WRITE };
	struct fr_block_complete c = { .sector = UINT64_MAX, .dev = 8u << 20, .bytes = 512,
				       .latency_ns = 123456, .op = FR_BLOCK_READ };

	(void)state;
	assert_string_equal(EVENT_TEXT(FR_EV_BLOCK_ISSUE, i),
			    "dev='259:1048575' op='write' sector=2048 bytes=4096 tid=7");
	i.dev = 0;
	i.op = 7; /* kernels disagree about its meaning */
	assert_string_equal(EVENT_TEXT(FR_EV_BLOCK_ISSUE, i), "op=7 sector=2048 bytes=4096 tid=7");
	assert_string_equal(EVENT_TEXT(FR_EV_BLOCK_COMPLETE, c),
			    "dev='8:0' op='read' sector=18446744073709551615 bytes=512 "
			    "latency_ns=123456ns");
	c.error = -5;
	c.flags = FR_BLOCK_LATENCY_UNKNOWN;
	assert_string_equal(EVENT_TEXT(FR_EV_BLOCK_COMPLETE, c),
			    "dev='8:0' op='read' sector=18446744073709551615 bytes=512 "
			    "error='EIO' flags='latency_unknown'");
}

static void recorder_records(void **state)
{
	struct fr_rec_flush flush = { 0 };
	struct fr_rec_family f = { .family = FR_FAMILY_SOCK, .why = FR_FAMILY_WHY_SHED };

	(void)state;
	assert_string_equal(EVENT_TEXT(FR_EV_REC_FLUSH, flush), "");
	assert_string_equal(EVENT_TEXT(FR_EV_REC_FAMILY, f), "family='sock' on=0 why='shed'");
	f = (struct fr_rec_family){ .family = FR_FAMILY_CNT, .on = 1, .why = 4 };
	assert_string_equal(EVENT_TEXT(FR_EV_REC_FAMILY, f), "family=8 on=1 why=4");
}

static void later_fields_are_passed_over(void **state)
{
	struct fr_sched_waking e = { .who = FR_WAKING_WHO(10, 11, 0, FR_WAKER_TASK) };

	(void)state;
	assert_string_equal(event_text(FR_EV_SCHED_WAKING, &e, sizeof(e), "of a later version", 18),
			    "wakee_tid=10 wakee_cpu=0 context='task' waker_tid=11");
}

static void unsound_is_refused(void **state)
{
	struct fr_sched_switch e = { .who = 1 };

	(void)state;
	assert_null(event_text(FR_EV_SCHED_SWITCH, &e, 16, NULL, 0)); /* shorter than its struct */
	assert_null(EVENT_TEXT(0, e));
	assert_null(EVENT_TEXT(255, e));
	assert_null(EVENT_TEXT(256 + FR_EV_SCHED_SWITCH, e));
}

/* Every kind on random bytes of every size around its own: each either refused or decoded. */
static void any_bytes(void **state)
{
	static uint8_t bytes[256];
	unsigned int decoded = 0, refused = 0, kind, round;
	uint64_t seed = 1;
	size_t n, i;

	(void)state;
	for (kind = 0; kind < 256; kind++) {
		for (round = 0; fr_event_infos[kind].name && round < 3000; round++) {
			n = (round % 26 + 1) * 8;
			for (i = 0; i < n; i++) {
				seed = seed * 6364136223846793005ull + 1442695040888963407ull;
				/* many zeros, so that lengths often fit */
				bytes[i] = seed >> 62 ? 0 : (uint8_t)(seed >> 40);
			}
			if (event_text(kind, bytes, n, NULL, 0))
				decoded++;
			else
				refused++;
		}
	}
	assert_true(decoded > 20000);
	assert_true(refused > 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(switches),
		cmocka_unit_test(wakings),
		cmocka_unit_test(retransmits_and_resets),
		cmocka_unit_test(sources_of_datagrams),
		cmocka_unit_test(block_requests),
		cmocka_unit_test(recorder_records),
		cmocka_unit_test(later_fields_are_passed_over),
		cmocka_unit_test(unsound_is_refused),
		cmocka_unit_test(any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
