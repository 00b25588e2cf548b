/* SPDX-License-Identifier: BSD-2-Clause */
/* Which connection a socket's id was, from the iterator and from its records. */
#include "rows_fixture.h"

#include "recorder/dump_socks.h"

static struct fr_seen seen;
static struct fr_socks socks;

static int setup(void **state)
{
	struct rows_fixture *x;
	int err = rows_setup(state);

	x = *state;
	if (!err)
		err = fr_seen_init(&seen);
	return err ? err : fr_socks_init(&socks, &x->rows, &seen);
}

static int teardown(void **state)
{
	fr_socks_done(&socks);
	fr_seen_done(&seen);
	return rows_teardown(state);
}

static void finish(struct rows_fixture *x)
{
	fr_socks_flush(&socks);
	rows_read(x);
}

struct open_record {
	struct fr_sock_open e;
	char path[112];
};

static struct open_record make(uint32_t kind, uint64_t id, uint16_t port, uint32_t flags,
			       const char *path)
{
	struct open_record r = {
		.e = {
			.sock_id = id,
			.addr.family = path[0] ? FR_AF_UNIX : FR_AF_INET,
			.addr.remote_port = port,
			.tgid = 4,
			.flags = flags,
			.path_bytes = (uint16_t)strlen(path),
			.sent_bytes = 10,
			.received_bytes = 20,
		},
	};

	memcpy(r.path, path, strlen(path));
	r.e.word = FR_RECORD_WORD(0, kind, (sizeof(r.e) + strlen(path) + 7) / 8);
	return r;
}

static void opened(uint64_t at_ns, uint64_t id, uint16_t port, uint32_t flags, const char *path)
{
	struct open_record r = make(FR_EV_SOCK_OPEN, id, port, flags, path);

	fr_socks_record(&socks, (const uint8_t *)&r, at_ns);
}

static void closed(uint64_t at_ns, uint64_t id, uint16_t port, uint32_t flags)
{
	struct open_record r = make(FR_EV_SOCK_CLOSE, id, port, flags, "");

	fr_socks_record(&socks, (const uint8_t *)&r, at_ns);
}

static void used(uint64_t id)
{
	struct fr_sock_io e = { .word = FR_RECORD_WORD(0, FR_EV_SOCK_SEND, sizeof(e) / 8),
				.sock_id = id,
				.tid = 0 };

	fr_seen_record(&seen, (const uint8_t *)&e, 1);
}

static void a_closed_connection_has_one_row(void **state)
{
	struct rows_fixture *x = *state;

	opened(10, 1, 5432, FR_SOCK_CONNECTED, "");
	closed(20, 1, 5432, 0);
	finish(x);
	assert_int_equal(x->socket_cnt, 1);
	assert_int_equal(x->sockets[0].end_ns, 20);
	assert_int_equal(x->sockets[0].addr.remote_port, 5432);
	assert_true(x->sockets[0].flags & FR_SOCK_CONNECTED);
	assert_int_equal(x->sockets[0].sent_bytes, 10);
}

static void an_obituary_alone_says_it_all(void **state)
{
	struct rows_fixture *x = *state;

	used(2);
	assert_int_equal(fr_seen_unnamed_sockets(&seen), 1);
	closed(20, 2, 80, FR_SOCK_FAILED);
	assert_int_equal(fr_seen_unnamed_sockets(&seen), 0);
	finish(x);
	assert_int_equal(x->socket_cnt, 1);
	assert_true(x->sockets[0].flags & FR_SOCK_FAILED);
}

static void one_still_open_has_no_end(void **state)
{
	struct rows_fixture *x = *state;

	opened(10, 3, 81, FR_SOCK_ACCEPTED, "");
	finish(x);
	assert_int_equal(x->socket_cnt, 1);
	assert_int_equal(x->sockets[0].end_ns, 0);
}

static void a_birth_record_that_is_repeated_is_one_socket(void **state)
{
	struct rows_fixture *x = *state;

	for (int i = 0; i < 5; i++)
		opened(10 + (uint64_t)i, 4, 0, FR_SOCK_ACCEPTED, "/run/postgresql/.s.PGSQL.5432");
	fr_socks_flush(&socks);
	opened(30, 4, 0, FR_SOCK_ACCEPTED, "/run/postgresql/.s.PGSQL.5432");
	finish(x);
	assert_int_equal(x->socket_cnt, 1);
	assert_int_equal(x->sockets[0].path.len_bytes, 29);
}

static void the_living_are_not_told_twice(void **state)
{
	struct rows_fixture *x = *state;
	struct open_record r = make(FR_EV_SOCK_OPEN, 5, 443, FR_SOCK_CONNECTED, "");

	fr_socks_living(&socks, (const uint8_t *)&r);
	opened(10, 5, 443, FR_SOCK_CONNECTED, "");
	used(5);
	assert_int_equal(fr_seen_unnamed_sockets(&seen), 0);
	finish(x);
	assert_int_equal(x->socket_cnt, 1);
}

static void one_that_lived_and_then_ended_gets_its_end(void **state)
{
	struct rows_fixture *x = *state;
	struct open_record r = make(FR_EV_SOCK_OPEN, 6, 443, FR_SOCK_CONNECTED, "");

	fr_socks_living(&socks, (const uint8_t *)&r);
	closed(50, 6, 443, 0);
	finish(x);
	assert_int_equal(x->socket_cnt, 2); /* readers join them by the id */
	assert_int_equal(x->sockets[1].end_ns, 50);
}

static void more_open_ones_than_the_table_holds(void **state)
{
	struct rows_fixture *x = *state;
	const uint64_t cnt = 5 * FR_SOCKS_MAX / 2;
	uint8_t *ends = calloc(cnt + 1, 1);

	for (uint64_t id = 1; id <= cnt; id++)
		opened(id, id << 48 | id, 1, 0, "");
	for (uint64_t id = 1; id <= cnt; id++)
		closed(100000 + id, id << 48 | id, 1, 0);
	finish(x);
	for (size_t i = 0; i < x->socket_cnt; i++)
		if (x->sockets[i].end_ns)
			ends[x->sockets[i].id & 0xffffffff]++;
	for (uint64_t id = 1; id <= cnt; id++)
		assert_int_equal(ends[id], 1);
	free(ends);
}

static void a_path_longer_than_its_record_is_none(void **state)
{
	struct rows_fixture *x = *state;
	struct open_record r = make(FR_EV_SOCK_OPEN, 7, 0, 0, "/x");

	r.e.path_bytes = 60000;
	fr_socks_record(&socks, (const uint8_t *)&r, 1);
	finish(x);
	assert_int_equal(x->sockets[0].path.len_bytes, 0);
}

static void other_records_and_stateless_sockets_pass(void **state)
{
	struct rows_fixture *x = *state;
	struct fr_sock_state e = { .word = FR_RECORD_WORD(0, FR_EV_SOCK_STATE, sizeof(e) / 8) };

	fr_socks_record(&socks, (const uint8_t *)&e, 1);
	opened(1, 0, 5, 0, "");
	used(0);
	assert_int_equal(fr_seen_unnamed_sockets(&seen), 0);
	finish(x);
	assert_int_equal(x->socket_cnt, 0);
}

#define WITH_ROWS(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ROWS(a_closed_connection_has_one_row),
		WITH_ROWS(an_obituary_alone_says_it_all),
		WITH_ROWS(one_still_open_has_no_end),
		WITH_ROWS(a_birth_record_that_is_repeated_is_one_socket),
		WITH_ROWS(the_living_are_not_told_twice),
		WITH_ROWS(one_that_lived_and_then_ended_gets_its_end),
		WITH_ROWS(more_open_ones_than_the_table_holds),
		WITH_ROWS(a_path_longer_than_its_record_is_none),
		WITH_ROWS(other_records_and_stateless_sockets_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
