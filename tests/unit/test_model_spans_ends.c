/* SPDX-License-Identifier: BSD-2-Clause */
/* Both ends of connections that are older than what was recorded. */
#include "spans_fixture.h"

/* PostgreSQL's extended protocol, as drivers speak it: prepared, and then run. */
static const char prepare[] = "P\0\0\0\x10\0SELECT 1\0\0\0D\0\0\0\6S\0S\0\0\0\4";
static const char prepared[] = "1\0\0\0\4t\0\0\0\6\0\0n\0\0\0\4Z\0\0\0\5I";
static const char run[] = "B\0\0\0\xc\0\0\0\0\0\0\0\0E\0\0\0\t\0\0\0\0\0S\0\0\0\4";
static const char ran[] = "2\0\0\0\4C\0\0\0\rSELECT 1\0Z\0\0\0\5I";

static void sp_bytes(uint64_t t, bool send, uint64_t sock, uint32_t tid, const char *bytes,
		     size_t len)
{
	_Alignas(8) uint8_t record[sizeof(struct fr_sock_io) + 256] = { 0 };
	struct fr_sock_io io = {
		.sock_id = sock,
		.tid = tid,
		.result = (int32_t)len,
		.captured_bytes = (uint16_t)len,
		.stream_off = sp.offs[sock][send],
		.flags = FR_IO_MSG_START | sp.first_sight,
	};

	sp.offs[sock][send] += len;
	memcpy(record, &io, sizeof(io));
	memcpy(record + sizeof(io), bytes, len);
	sp_feed(0, t, send ? FR_EV_SOCK_SEND : FR_EV_SOCK_RECV, record,
		sizeof(io) + (len + 7) / 8 * 8);
}

/* One way and back over connection 1: its client's end is 2, its server's end is 3. */
static void exchange(uint64_t t, const char *there, size_t there_len, const char *back,
		     size_t back_len)
{
	sp_bytes(t, true, 2, C1, there, there_len);
	sp_bytes(t + 10, false, 3, T1, there, there_len);
	sp_bytes(t + 20, true, 3, T1, back, back_len);
	sp_bytes(t + 30, false, 2, C1, back, back_len);
}

static void get(uint64_t t, const char *request)
{
	exchange(t, request, strlen(request), SP_OK, strlen(SP_OK));
}

static void start(void)
{
	sp_pair(1, CLIENT, PROG);
	sp_go();
	sp.first_sight = FR_IO_FIRST_SIGHT;
	sp.offs[3][0] = 1000; /* the server was seen earlier */
	sp.offs[3][1] = 500;
}

/* The kernel's counts told where in the connection they began: no guess is needed. */
static void offsets_from_the_connections_start_are_a_proof(void **state)
{
	(void)state;
	sp_pair(1, CLIENT, PROG);
	sp_go();
	sp.offs[2][1] = sp.offs[3][0] = 1ull << 33;
	sp.offs[2][0] = sp.offs[3][1] = 12345;
	get(1000, SP_GET("/a"));
	sp_assert_parent(sp_find("/a", true), sp_find("/a", false), FR_LINK_PEER);
}

/* What is only told of when it fails is open beside the statement. */
static void statements_are_matched_beside_what_is_quiet(void **state)
{
	const struct sp_span *client = NULL, *server = NULL;

	(void)state;
	start();
	for (uint64_t t = 1000; t < 4000; t += 1000) {
		sp.got_cnt = 0;
		exchange(t, prepare, sizeof(prepare) - 1, prepared, sizeof(prepared) - 1);
		exchange(t + 100, run, sizeof(run) - 1, ran, sizeof(ran) - 1);
	}
	assert_int_equal(sp.got_cnt, 2);
	client = &sp.got[sp.got[0].request.server];
	server = &sp.got[!sp.got[0].request.server];
	assert_string_equal(server->text, "SELECT 1");
	sp_assert_parent(server, client, FR_LINK_INFERRED);
}

/* Two of the same bytes are on their way at once, and the second is late to be seen sent: the first
 * one at the client is not the second one at the server. */
static void what_does_not_wait_its_turn_is_not_guessed(void **state)
{
	(void)state;
	start();
	get(1000, SP_GET("/"));
	sp.got_cnt = 0;
	sp_send(2000, 2, C1, 0, SP_GET("/a"));
	/* the server's first record of it is missing */
	sp.offs[3][0] += strlen(SP_GET("/a"));
	sp_send(2005, 3, T1, 0, SP_OK);
	sp_recv(2010, 3, T1, 0, SP_GET("/a"));
	sp_send(2020, 3, T1, 0, SP_OK);
	sp_recv(2030, 2, C1, 0, SP_OK);
	for (uint32_t i = 0; i < sp.got_cnt; i++)
		sp_assert_root(&sp.got[i]);
}

/* A guess is given up when other bytes lie where it says, and the next one is better. */
static void a_wrong_guess_is_noticed(void **state)
{
	(void)state;
	start();
	get(1000, SP_GET("/"));
	get(2000, SP_GET("/a"));
	sp_assert_parent(sp_find("/a", true), sp_find("/a", false), FR_LINK_INFERRED);

	sp_send(3000, 2, C1, 0, SP_GET("/b"));
	sp_recv(3010, 3, T1, 0, SP_GET("/c"));
	sp_send(3020, 3, T1, 0, SP_OK);
	sp_recv(3030, 2, C1, 0, SP_OK);
	sp_assert_root(sp_find("/c", true));
	sp.offs[3][0] += 77;
	get(4000, SP_GET("/d"));
	sp_assert_parent(sp_find("/d", true), sp_find("/d", false), FR_LINK_INFERRED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(offsets_from_the_connections_start_are_a_proof,
						sp_start, sp_end),
		cmocka_unit_test_setup_teardown(statements_are_matched_beside_what_is_quiet,
						sp_start, sp_end),
		cmocka_unit_test_setup_teardown(what_does_not_wait_its_turn_is_not_guessed,
						sp_start, sp_end),
		cmocka_unit_test_setup_teardown(a_wrong_guess_is_noticed, sp_start, sp_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
