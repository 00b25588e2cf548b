/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of numbers, against the C library where it knows them; addresses, against RFC 5952. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>

#include "formats/events/event.h"

static void errnos(void **state)
{
	const char *libc;
	int i, named = 0;

	(void)state;
	/* the tables are the numbers of Linux, which are this machine's own */
	for (i = 1; i < 200; i++) {
		libc = strerrorname_np(i);
		assert_string_equal(fr_errno_name(i), libc ? libc : "errno");
		assert_string_equal(fr_errno_name(-i), fr_errno_name(i));
		named += libc != NULL;
	}
	assert_true(named > 120);
	assert_string_equal(fr_errno_name(-512), "ERESTARTSYS");
	assert_string_equal(fr_errno_name(516), "ERESTART_RESTARTBLOCK");
	assert_string_equal(fr_errno_name(529), "EIOCBQUEUED");
	assert_string_equal(fr_errno_name(531), "ENOGRACE");
	assert_string_equal(fr_errno_name(0), "errno");
	assert_string_equal(fr_errno_name(520), "errno");
	assert_string_equal(fr_errno_name(532), "errno");
	assert_string_equal(fr_errno_name(INT32_MIN), "errno");
	assert_string_equal(fr_errno_name(INT32_MAX), "errno");
}

static void signals(void **state)
{
	char want[24];
	uint32_t i;

	(void)state;
	for (i = 1; i < 32; i++) {
		/* the kernel and kill -l say SIGIO, some versions of the C library SIGPOLL */
		snprintf(want, sizeof(want), "SIG%s", i == SIGIO ? "IO" : sigabbrev_np((int)i));
		assert_string_equal(fr_signal_name(i), want);
	}
	for (; i <= 64; i++) {
		snprintf(want, sizeof(want), "SIG%u", i);
		assert_string_equal(fr_signal_name(i), want);
	}
	assert_string_equal(fr_signal_name(0), "signal");
	assert_string_equal(fr_signal_name(65), "signal");
	assert_string_equal(fr_signal_name(UINT32_MAX), "signal");
}

static void tcp_states(void **state)
{
	(void)state;
	assert_string_equal(fr_tcp_state_name(1), "ESTABLISHED");
	assert_string_equal(fr_tcp_state_name(4), "FIN_WAIT1");
	assert_string_equal(fr_tcp_state_name(7), "CLOSE");
	assert_string_equal(fr_tcp_state_name(10), "LISTEN");
	assert_string_equal(fr_tcp_state_name(12), "NEW_SYN_RECV");
	assert_string_equal(fr_tcp_state_name(0), "unknown");
	assert_string_equal(fr_tcp_state_name(14), "unknown");
	assert_string_equal(fr_tcp_state_name(UINT32_MAX), "unknown");
}

static void block_ops(void **state)
{
	(void)state;
	assert_string_equal(fr_block_op_name(0), "read");
	assert_string_equal(fr_block_op_name(1), "write");
	assert_string_equal(fr_block_op_name(2), "flush");
	assert_string_equal(fr_block_op_name(3), "discard");
	assert_string_equal(fr_block_op_name(35), "drv_out");
	assert_string_equal(fr_block_op_name(4), "other");
	assert_string_equal(fr_block_op_name(36), "other");
}

static void task_states(void **state)
{
	static const struct {
		uint32_t bits;
		char letter;
	} cases[] = {
		{ 0x0, 'R' },	 { 0x1, 'S' },	  { 0x2, 'D' },	   { 0x4, 'T' },
		{ 0x8, 't' },	 { 0x10, 'X' },	  { 0x20, 'Z' },   { 0x40, 'P' },
		{ 0x80, 'X' },	 { 0x102, 'D' },  { 0x402, 'I' },  { 0x104, 'T' },
		{ 0x200, 'R' },	 { 0x1000, 'D' }, { 0x2001, 'S' }, { 0x8000, 'D' },
		{ 0x2002, 'D' }, { 0x800, '?' },  { 0x10000, '?' },
		{ 0x400, '?' }, /* idle, but of what? */
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (fr_task_state_letter(cases[i].bits) != cases[i].letter)
			fail_msg("state 0x%x is %c", cases[i].bits,
				 fr_task_state_letter(cases[i].bits));
}

static void check_v6(const char *in, const char *want)
{
	struct fr_sock_addr a = { .family = FR_AF_INET6, .local_port = 1, .remote_port = 65535 };
	char text[64], expect[64];

	assert_int_equal(inet_pton(AF_INET6, in, a.remote), 1);
	snprintf(expect, sizeof(expect), "[%s]:65535", want);
	assert_string_equal(fr_addr_format(&a, true, text, sizeof(text)), expect);
}

/* The rules and examples of RFC 5952, section 4 and 5. */
static void ipv6_as_recommended(void **state)
{
	(void)state;
	check_v6("::", "::");
	check_v6("::1", "::1");
	check_v6("1::", "1::");
	check_v6("2001:0db8::0001", "2001:db8::1");
	check_v6("2001:db8:0:0:0:0:2:1", "2001:db8::2:1");
	check_v6("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"); /* one zero isn't compressed */
	check_v6("2001:0:0:1:0:0:0:1", "2001:0:0:1::1");	   /* the longest run */
	check_v6("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1");	   /* the first of equal ones */
	check_v6("0:0:1:0:0:0:0:0", "0:0:1::");
	check_v6("0:0:0:1:0:0:1:1", "::1:0:0:1:1");
	check_v6("2001:DB8::ABCD", "2001:db8::abcd");
	check_v6("::ffff:192.0.2.1", "::ffff:192.0.2.1");
	check_v6("::ffff:0.0.0.0", "::ffff:0.0.0.0");
	check_v6("64:ff9b::192.0.2.33", "64:ff9b::c000:221");
	check_v6("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

/* Any address comes back from inet_pton() as it was, and is never longer than its text of libc. */
static void ipv6_is_read_back(void **state)
{
	struct fr_sock_addr a = { .family = FR_AF_INET6 };
	uint64_t seed = 7;
	char text[64], libc[64];
	uint8_t back[16];
	int round, i;

	(void)state;
	for (round = 0; round < 100000; round++) {
		for (i = 0; i < 16; i++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			a.local[i] = seed >> 62 ? 0 : (uint8_t)(seed >> 40);
		}
		fr_addr_format(&a, false, text, sizeof(text));
		text[strlen(text) - strlen("]:0")] = 0;
		assert_int_equal(inet_pton(AF_INET6, text + 1, back), 1);
		assert_memory_equal(back, a.local, 16);
		assert_non_null(inet_ntop(AF_INET6, a.local, libc, sizeof(libc)));
		assert_true(strlen(text + 1) <= strlen(libc));
	}
}

static void other_families(void **state)
{
	struct fr_sock_addr a = { .family = FR_AF_INET, .local_port = 0, .remote_port = 443,
				  .local = { 255, 255, 255, 255 }, .remote = { 1, 2, 3, 4 } };
	uint64_t inode = UINT64_MAX;
	char text[64];

	(void)state;
	assert_string_equal(fr_addr_format(&a, false, text, sizeof(text)), "255.255.255.255:0");
	assert_string_equal(fr_addr_format(&a, true, text, sizeof(text)), "1.2.3.4:443");
	a = (struct fr_sock_addr){ .family = FR_AF_UNIX };
	memcpy(a.local, &inode, sizeof(inode));
	assert_string_equal(fr_addr_format(&a, false, text, sizeof(text)),
			    "unix:18446744073709551615");
	assert_string_equal(fr_addr_format(&a, true, text, sizeof(text)), "unix");
	a.family = 40;
	assert_string_equal(fr_addr_format(&a, true, text, sizeof(text)), "family 40");
	a.family = 0;
	assert_string_equal(fr_addr_format(&a, true, text, sizeof(text)), "family 0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errnos),
		cmocka_unit_test(signals),
		cmocka_unit_test(tcp_states),
		cmocka_unit_test(block_ops),
		cmocka_unit_test(task_states),
		cmocka_unit_test(ipv6_as_recommended),
		cmocka_unit_test(ipv6_is_read_back),
		cmocka_unit_test(other_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
