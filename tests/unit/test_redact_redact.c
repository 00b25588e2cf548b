/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of sockets, datagrams, rules of URLs; what single calls give. */
#include "redact_fixture.h"

#include <stdio.h>

#define GET "GET / HTTP/1.1\r\n\r\n"

static size_t give(uint64_t sock_id, uint64_t off, bool start, const char *text, char *ret_shown)
{
	uint8_t bytes[2048];
	size_t n = strlen(text), left;
	struct fr_redact_part p = {
		.sock_id = sock_id,
		.stream_off = off,
		.transfer_bytes = n,
		.is_send = true,
		.start = start,
	};

	memcpy(bytes, text, n);
	left = fr_redact_bytes(rd_redactor, &p, bytes, n);
	memcpy(ret_shown, bytes, left);
	ret_shown[left] = 0;
	return left;
}

static void check(const char *from, const char *to)
{
	static uint64_t sock_id = 1000;
	char shown[2049];

	give(++sock_id, 0, true, from, shown);
	assert_string_equal(shown, to);
}

static void targets(void **state)
{
	(void)state;
	check("GET /a/b?x=y&token=z HTTP/1.1\r\n\r\n", "GET /a/b?x=*&token=* HTTP/1.1\r\n\r\n");
	check("GET /a;p=q/b#frag HTTP/1.1\r\n\r\n", "GET /a****/b***** HTTP/1.1\r\n\r\n");
	check("GET /a?bm9uYW1l HTTP/1.1\r\n\r\n", "GET /a?******** HTTP/1.1\r\n\r\n");
	check("GET /a?bm9uYW1l== HTTP/1.1\r\n\r\n", "GET /a?********** HTTP/1.1\r\n\r\n");
	check("GET //u:p@h/x HTTP/1.1\r\n\r\n", "GET //****h/x HTTP/1.1\r\n\r\n");
	check("GET /via/http://u:p@h/x HTTP/1.1\r\n\r\n",
	      "GET /via/http://****h/x HTTP/1.1\r\n\r\n");
	check("OPTIONS * HTTP/1.1\r\n\r\n", "OPTIONS * HTTP/1.1\r\n\r\n");
	check("CONNECT h.example.org:443 HTTP/1.1\r\n\r\n",
	      "CONNECT h.example.org:443 HTTP/1.1\r\n\r\n");
}

static void targets_strict(void **state)
{
	(void)state;
	check("GET /api/v1/users/bob?x=y HTTP/1.1\r\nHost: a.b.example.co.uk:80\r\n\r\n",
	      "GET /api/************?*** HTTP/1.1\r\nHost: ****example.co.uk:80\r\n\r\n");
	check("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
	      "GET / HTTP/1.1\r\nHost: *********\r\n\r\n");
	check("GET / HTTP/1.1\r\nHost: 10.0.0.1:8080\r\n\r\n",
	      "GET / HTTP/1.1\r\nHost: 10.0.0.1:8080\r\n\r\n");
}

static void query_may_stay(void **state)
{
	(void)state;
	rd_rules.keep_query = true;
	fr_redactor_free(rd_redactor);
	rd_redactor = fr_redactor_new(&rd_rules, &rd_counts);
	check("GET /a?x=yz&X-Amz-Signature=abc&sig=q&api_key=zz&page=2 HTTP/1.1\r\n\r\n",
	      "GET /a?x=yz&X-Amz-Signature=***&sig=*&api_key=**&page=2 HTTP/1.1\r\n\r\n");
}

static void sql_strict(void **state)
{
	rd_begin("sql");
	(void)state;
	RD_PG('Q', "SELECT secretcol, 5 FROM users u WHERE pin = '1234' AND x IN (1, 2) -- c\0");
	rd_say(true);
	rd_do(&(struct rd_deed){ 0 });
	assert_null(memmem(rd.out, rd.used, "secretcol", 9));
	assert_null(memmem(rd.out, rd.used, "1234", 4));
	assert_non_null(memmem(rd.out, rd.used, "FROM users", 10));
}

/* More sockets than there is room for: the oldest are forgotten, and only what they miss is lost.
 */
static void the_oldest_sockets_are_forgotten(void **state)
{
	char shown[128];

	(void)state;
	for (uint64_t id = 1; id <= 20000; id++)
		assert_int_equal(give(id, 0, true, GET, shown), strlen(GET));
	assert_true(rd_counts.evicted_cnt >= 20000 - 8192);
	/* in the middle of a message nobody knows what it is */
	assert_int_equal(give(1, strlen(GET), false, GET, shown), 0);
	assert_int_equal(give(20000, strlen(GET), false, GET, shown), strlen(GET));
	assert_int_equal(rd_counts.removed_bytes[FR_REMOVED_UNKNOWN], strlen(GET));
}

/* More messages in parts than there is room for. */
static void the_oldest_parts_are_forgotten(void **state)
{
	char shown[128];

	(void)state;
	for (uint64_t id = 1; id <= 2000; id++)
		give(id, 0, true, "GET / HTTP/1.1\r\nCookie: ab", shown);
	assert_int_equal(rd_counts.evicted_cnt, 2000 - 512);
	assert_int_equal(give(1, 26, false, "cd\r\n\r\n", shown), 0);
	assert_int_equal(give(2000, 26, false, "cd\r\n\r\n", shown), 6);
	assert_string_equal(shown, "??\r\n\r\n");
}

static void a_forgotten_socket_frees_its_room(void **state)
{
	char shown[128];

	(void)state;
	for (uint64_t id = 1; id <= 20000; id++) {
		give(id, 0, true, "GET / HTTP/1.1\r\nCookie: ab", shown);
		fr_redact_forget(rd_redactor, id);
	}
	assert_int_equal(rd_counts.evicted_cnt, 0);
}

static size_t datagram(const char *bytes, size_t cnt, uint8_t *ret)
{
	struct fr_redact_part p = { .transfer_bytes = cnt, .datagram = true, .start = true };

	memcpy(ret, bytes, cnt);
	return fr_redact_bytes(rd_redactor, &p, ret, cnt);
}

static void dns_keeps_the_question(void **state)
{
	static const char query[] = "\x12\x34\1\0\0\1\0\0\0\0\0\1\3www\7example\3com\0\0\1\0\1"
				    "\0\0\x29\4\0\0\0\0\0\0\0SECRETS";
	static const char reply[] = "\x12\x34\x81\x80\0\1\0\1\0\0\0\0\3www\7example\3com\0\0\1\0\1"
				    "\xc0\x0c\0\1\0\1\0\0\0\5\0\4SECR";
	uint8_t out[128];

	(void)state;
	assert_int_equal(datagram(query, sizeof(query) - 1, out), 33);
	assert_memory_equal(out, query, 33);
	assert_int_equal(datagram(reply, sizeof(reply) - 1, out), 33);
	assert_memory_equal(out, reply, 33);
	/* cut anywhere: nothing behind the question, and nothing of half a one */
	for (size_t cut = 1; cut < sizeof(query); cut++)
		assert_int_equal(datagram(query, cut, out), cut < 33 ? 0 : 33);
	assert_int_equal(datagram("SECRETSECRETSECRETSECRET", 24, out), 0);
	/* what is spoken over streams is not taken from a datagram */
	assert_int_equal(datagram(GET, strlen(GET), out), 0);
}

static void dns_strict_keeps_the_domain(void **state)
{
	static const char query[] =
		"\x12\x34\1\0\0\1\0\0\0\0\0\0\3bob\5shops\7example\3com\0\0\1\0\1";
	uint8_t out[128];

	(void)state;
	assert_int_equal(datagram(query, sizeof(query) - 1, out), sizeof(query) - 1);
	assert_memory_equal(out + 12, "\3\?\?\?\5\?\?\?\?\?\7example\3com", 23);
}

static void nothing_without_a_socket(void **state)
{
	char shown[128];

	(void)state;
	assert_int_equal(give(0, 0, true, GET, shown), 0);
	assert_int_equal(rd_counts.removed_bytes[FR_REMOVED_UNKNOWN], strlen(GET));
}

#define STANDARD(f) cmocka_unit_test_setup_teardown(f, rd_setup, rd_teardown)
#define STRICT(f) cmocka_unit_test_setup_teardown(f, rd_setup_strict, rd_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STANDARD(targets),
		STRICT(targets_strict),
		STANDARD(query_may_stay),
		STRICT(sql_strict),
		STANDARD(the_oldest_sockets_are_forgotten),
		STANDARD(the_oldest_parts_are_forgotten),
		STANDARD(a_forgotten_socket_frees_its_room),
		STANDARD(dns_keeps_the_question),
		STRICT(dns_strict_keeps_the_domain),
		STANDARD(nothing_without_a_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
