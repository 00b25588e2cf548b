/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "formats/model/datagrams.h"

#define HEAD "\1\2\1\0\0\1\0\0\0\0\0\0"

struct datagram {
	struct fr_sock_io io;
	struct fr_sock_addr addr;
	char captured[16];
};

static struct fr_datagrams d;

static struct fr_record record_of(uint32_t kind, const void *data, size_t data_bytes)
{
	return (struct fr_record){ .data = data,
				   .kind = kind,
				   .bytes = (uint32_t)data_bytes };
}

static struct fr_dns_source source_of(uint64_t sock_id, uint8_t last, uint16_t port)
{
	struct fr_dns_source s = { .word = 1,
				   .sock_id = sock_id,
				   .family = FR_AF_INET,
				   .local_port = 53,
				   .remote_port = port,
				   .datagram_bytes = 40,
				   .remote = { 192, 0, 2, last } };

	memcpy(s.head, HEAD, sizeof(s.head));
	return s;
}

static void comes(const struct fr_dns_source *s)
{
	struct fr_record r = record_of(FR_EV_DNS_SOURCE, s, sizeof(*s));

	fr_datagrams_came(&d, 1, &r);
}

static struct datagram receive_of(uint64_t sock_id)
{
	struct datagram g = { .io = { .sock_id = sock_id,
				      .result = 40,
				      .flags = FR_IO_ADDR,
				      .captured_bytes = 16 },
			      .addr = { .family = FR_AF_INET, .local_port = 53 } };

	memcpy(g.captured, HEAD "\3www", 16);
	return g;
}

/* The port that it is found to come from; 0 = nobody knows. */
static uint16_t port_of(const struct datagram *g, uint32_t instance, struct fr_sock_addr *ret)
{
	struct fr_record r = record_of(FR_EV_SOCK_RECV, g, sizeof(*g));

	assert_true(fr_datagrams_ends(&d, instance, &r, ret));
	return ret->remote_port;
}

static int fresh(void **state)
{
	(void)state;
	memset(&d, 0, sizeof(d));
	return 0;
}

static void found_in_order_and_once(void **state)
{
	struct fr_dns_source a = source_of(7, 1, 1001), b = source_of(0, 2, 1002);
	struct datagram g = receive_of(7);
	struct fr_sock_addr ends;

	(void)state;
	comes(&a);
	comes(&b);
	assert_int_equal(port_of(&g, 1, &ends), 1001);
	assert_int_equal(ends.remote[3], 1);
	assert_int_equal(port_of(&g, 1, &ends), 1002);
	assert_int_equal(ends.remote[3], 2);
	assert_int_equal(port_of(&g, 1, &ends), 0);
}

static void another_is_not_taken(void **state)
{
	struct fr_dns_source a = source_of(7, 1, 1001);
	struct fr_sock_addr ends;
	struct datagram g;

	(void)state;
	comes(&a);
	g = receive_of(8); /* another socket */
	assert_int_equal(port_of(&g, 1, &ends), 0);
	g = receive_of(7);
	assert_int_equal(port_of(&g, 2, &ends), 0); /* another recorder's */
	g.io.result = 41;
	assert_int_equal(port_of(&g, 1, &ends), 0);
	g = receive_of(7);
	g.captured[1] = 9;
	assert_int_equal(port_of(&g, 1, &ends), 0);
	g = receive_of(7);
	g.io.captured_bytes = 3;
	assert_int_equal(port_of(&g, 1, &ends), 0);
	g = receive_of(7);
	g.addr.local_port = 54;
	assert_int_equal(port_of(&g, 1, &ends), 0);
	g = receive_of(7);
	assert_int_equal(port_of(&g, 1, &ends), 1001);
}

static void who_is_known_stays(void **state)
{
	struct fr_dns_source a = source_of(7, 1, 1001);
	struct datagram g = receive_of(7);
	struct fr_sock_addr ends;
	struct fr_record r;

	(void)state;
	comes(&a);
	g.addr.remote_port = 9; /* connected */
	assert_int_equal(port_of(&g, 1, &ends), 9);
	g.addr.remote_port = 0;
	r = record_of(FR_EV_SOCK_SEND, &g, sizeof(g));
	assert_true(fr_datagrams_ends(&d, 1, &r, &ends));
	assert_int_equal(ends.remote_port, 0);
	g.io.flags = 0; /* a stream */
	assert_false(fr_datagrams_ends(&d, 1, &r, &ends));
}

static void ipv4_as_ipv6_sees_it(void **state)
{
	static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 };
	struct fr_dns_source a = source_of(7, 1, 1001);
	struct datagram g = receive_of(7);
	struct fr_sock_addr ends;

	(void)state;
	comes(&a);
	g.addr.family = FR_AF_INET6;
	assert_int_equal(port_of(&g, 1, &ends), 1001);
	assert_memory_equal(ends.remote, mapped, sizeof(mapped));
}

static void the_oldest_gives_way(void **state)
{
	struct datagram g = receive_of(7);
	struct fr_sock_addr ends;

	(void)state;
	for (uint16_t i = 0; i < FR_DATAGRAMS_MAX + 3; i++) {
		struct fr_dns_source s = source_of(7, 1, (uint16_t)(2000 + i));

		comes(&s);
	}
	for (uint16_t i = 3; i < FR_DATAGRAMS_MAX + 3; i++)
		assert_int_equal(port_of(&g, 1, &ends), 2000 + i);
	assert_int_equal(port_of(&g, 1, &ends), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(found_in_order_and_once, fresh),
		cmocka_unit_test_setup(another_is_not_taken, fresh),
		cmocka_unit_test_setup(who_is_known_stays, fresh),
		cmocka_unit_test_setup(ipv4_as_ipv6_sees_it, fresh),
		cmocka_unit_test_setup(the_oldest_gives_way, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
