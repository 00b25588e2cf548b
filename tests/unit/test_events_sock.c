/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoders of the family sock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "event_text.h"

static const struct fr_sock_addr loopback = {
	.family = FR_AF_INET,
	.local_port = 8080,
	.remote_port = 40000,
	.local = { 127, 0, 0, 1 },
	.remote = { 10, 1, 2, 3 },
};

static void opens_and_closes(void **state)
{
	struct fr_sock_open e = { .sock_id = 1, .addr = loopback, .tgid = 10,
				  .netns_inum = 4026531840, .type = FR_SOCK_STREAM,
				  .flags = FR_SOCK_ACCEPTED };

	(void)state;
	assert_string_equal(EVENT_TEXT(FR_EV_SOCK_OPEN, e),
			    "sock_id=0x1 type='stream' addr=127.0.0.1:8080>10.1.2.3:40000 tgid=10 "
			    "netns_inum=4026531840 sent_bytes=0 received_bytes=0 "
			    "flags='accepted'");
	e.sent_bytes = UINT64_MAX;
	e.received_bytes = 12;
	e.tgid = 0;
	e.type = 3;
	e.flags = FR_SOCK_CONNECTED | FR_SOCK_EXISTED | FR_SOCK_LISTENING | FR_SOCK_MPTCP |
		  FR_SOCK_FAILED | FR_SOCK_PATH_CUT | 0x80;
	assert_string_equal(EVENT_TEXT(FR_EV_SOCK_CLOSE, e),
			    "sock_id=0x1 type=3 addr=127.0.0.1:8080>10.1.2.3:40000 "
			    "netns_inum=4026531840 sent_bytes=18446744073709551615 "
			    "received_bytes=12 "
			    "flags='connected,existed,listening,mptcp,failed,path_cut,0x80'");
}

static void unix_sockets_have_a_path(void **state)
{
	struct fr_sock_open e = { .sock_id = 0xffff000000000001, .tgid = 10, .peer_tgid = 20,
				  .addr = { .family = FR_AF_UNIX }, .type = FR_SOCK_DGRAM,
				  .path_bytes = 9 };
	uint64_t inode = 123456;

	(void)state;
	memcpy(e.addr.local, &inode, sizeof(inode));
	/* an abstract name begins with a zero, shown as | by this test */
	assert_string_equal(event_text(FR_EV_SOCK_OPEN, &e, sizeof(e), "\0abstract", 9),
			    "sock_id=0xffff000000000001 type='dgram' addr=unix:123456>unix "
			    "path='|abstract' tgid=10 peer_tgid=20 netns_inum=0 sent_bytes=0 "
			    "received_bytes=0");
	e.path_bytes = 17;
	assert_null(event_text(FR_EV_SOCK_OPEN, &e, sizeof(e), "\0abstract", 9));
}

static void states(void **state)
{
	struct fr_sock_state e = { .sock_id = 5, .local_port = 80, .remote_port = 81,
				   .old_state = 3, .new_state = 1 };

	(void)state;
	assert_string_equal(EVENT_TEXT(FR_EV_SOCK_STATE, e),
			    "sock_id=0x5 local_port=80 remote_port=81 old_state='SYN_RECV' "
			    "new_state='ESTABLISHED'");
	e.sock_id = 0;
	e.new_state = 14;
	e.old_state = 0;
	assert_string_equal(EVENT_TEXT(FR_EV_SOCK_STATE, e),
			    "local_port=80 remote_port=81 old_state=0 new_state=14");
}

static void transfers(void **state)
{
	struct fr_sock_io e = { .sock_id = 5, .stream_off = 1ull << 40, .result = 3, .tid = 10,
				.fd = 0, .syscall_nr = 1, .captured_bytes = 3, .g = 0xc000006380,
				.goid = 18, .flags = FR_IO_GOID | FR_IO_MSG_START };

	(void)state;
	assert_string_equal(event_text(FR_EV_SOCK_SEND, &e, sizeof(e), "GET", 3),
			    "sock_id=0x5 tid=10 fd=+0 bytes=+3 stream_off=1099511627776 msg_off=0 "
			    "goid=18 g=0xc000006380 syscall_nr=1 flags='goid,msg_start' "
			    "captured=<474554>");
	/* not Go: the register says nothing. No fd, no call, no bytes known. */
	e.flags = 0;
	e.fd = -1;
	e.syscall_nr = 0xffff;
	e.captured_bytes = 0;
	e.msg_off = 7;
	assert_string_equal(EVENT_TEXT(FR_EV_SOCK_RECV, e),
			    "sock_id=0x5 tid=10 bytes=+3 stream_off=1099511627776 msg_off=7");
	e.flags = FR_IO_GO_UNKNOWN;
	assert_string_equal(EVENT_TEXT(FR_EV_SOCK_RECV, e),
			    "sock_id=0x5 tid=10 bytes=+3 stream_off=1099511627776 msg_off=7 "
			    "g=0xc000006380 flags='go_unknown'");
}

static void transfers_that_failed(void **state)
{
	struct fr_sock_io e = { .result = -104, .tid = 10, .fd = 3, .syscall_nr = 0,
				.flags = FR_IO_NOSTATE };

	(void)state;
	assert_string_equal(EVENT_TEXT(FR_EV_SOCK_RECV, e),
			    "tid=10 fd=+3 error='ECONNRESET' syscall_nr=0 flags='nostate'");
	e.result = -512;
	assert_string_equal(EVENT_TEXT(FR_EV_SOCK_RECV, e),
			    "tid=10 fd=+3 error='ERESTARTSYS' syscall_nr=0 flags='nostate'");
	e.result = INT32_MIN;
	assert_string_equal(EVENT_TEXT(FR_EV_SOCK_RECV, e),
			    "tid=10 fd=+3 error=2147483648 syscall_nr=0 flags='nostate'");
}

static void datagrams_carry_their_address(void **state)
{
	struct fr_sock_io e = { .sock_id = 5, .result = 2, .tid = 10, .fd = 3,
				.syscall_nr = 0xffff, .captured_bytes = 2, .flags = FR_IO_ADDR };
	uint8_t tail[sizeof(loopback) + 2];

	(void)state;
	memcpy(tail, &loopback, sizeof(loopback));
	memcpy(tail + sizeof(loopback), "ab", 2);
	assert_string_equal(event_text(FR_EV_SOCK_SEND, &e, sizeof(e), tail, sizeof(tail)),
			    "sock_id=0x5 tid=10 fd=+3 bytes=+2 stream_off=0 msg_off=0 flags='addr' "
			    "addr=127.0.0.1:8080>10.1.2.3:40000 captured=<6162>");
	/* the flag without the address, and captured bytes beyond the record */
	assert_null(event_text(FR_EV_SOCK_SEND, &e, sizeof(e), tail, 8));
	e.captured_bytes = 9;
	assert_null(event_text(FR_EV_SOCK_SEND, &e, sizeof(e), tail, sizeof(tail)));
}

static void every_flag_has_a_name(void **state)
{
	struct fr_sock_io e = { .fd = -1, .syscall_nr = 0xffff, .flags = UINT32_MAX };

	(void)state;
	assert_string_equal(event_text(FR_EV_SOCK_SEND, &e, sizeof(e), &loopback, sizeof(loopback)),
			    "tid=0 bytes=+0 goid=0 g=0x0 flags='goid,msg_start,cut,fault,addr,peek,"
			    "trunc,size_only,first_sight,counted,syscall,kthread,nostate,gap,"
			    "go_unknown,msg_more,0xffff0000' addr=127.0.0.1:8080>10.1.2.3:40000");
}

static void accepts(void **state)
{
	struct fr_sock_accept e = { .sock_id = 5, .tid = 10, .fd = 7 };

	(void)state;
	assert_string_equal(EVENT_TEXT(FR_EV_SOCK_ACCEPT, e), "sock_id=0x5 tid=10 fd=+7");
	e.sock_id = 0;
	assert_string_equal(EVENT_TEXT(FR_EV_SOCK_ACCEPT, e), "tid=10 fd=+7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_and_closes),
		cmocka_unit_test(unix_sockets_have_a_path),
		cmocka_unit_test(states),
		cmocka_unit_test(transfers),
		cmocka_unit_test(transfers_that_failed),
		cmocka_unit_test(datagrams_carry_their_address),
		cmocka_unit_test(every_flag_has_a_name),
		cmocka_unit_test(accepts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
