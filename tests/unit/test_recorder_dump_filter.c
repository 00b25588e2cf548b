/* SPDX-License-Identifier: BSD-2-Clause */
/* What of a record reaches the disk. */
#include "cm.h"

#include <stdbool.h>
#include <stdio.h>

#include "formats/base/bytes.h"
#include "formats/dump/record.h"
#include "recorder/dump_filter.h"

static union {
	uint64_t align;
	uint8_t bytes[8192];
} record;

static uint32_t put_word(uint32_t kind, uint32_t bytes)
{
	uint64_t word = FR_RECORD_WORD(12345, kind, (bytes + 7) / 8);

	memcpy(record.bytes, &word, sizeof(word));
	return (bytes + 7) & ~7u;
}

/* A send with an address, if wanted, and `captured` bytes of a secret. */
static uint32_t put_send(uint32_t flags, uint16_t captured)
{
	struct fr_sock_io e = {
		.sock_id = 7, .result = captured, .captured_bytes = captured, .flags = flags
	};
	struct fr_sock_addr addr = { .family = FR_AF_INET, .local_port = 53 };
	uint32_t bytes = sizeof(e);

	memset(record.bytes, 0, sizeof(record.bytes));
	memcpy(record.bytes, &e, sizeof(e));
	if (flags & FR_IO_ADDR) {
		memcpy(record.bytes + bytes, &addr, sizeof(addr));
		bytes += sizeof(addr);
	}
	memset(record.bytes + bytes, 'S', captured);
	return put_word(FR_EV_SOCK_SEND, bytes + captured);
}

static void check_sound(uint32_t bytes)
{
	uint64_t word = fr_load64(record.bytes);
	struct fr_record r = { .kind = FR_RECORD_KIND(word), .bytes = bytes, .data = record.bytes };

	assert_int_equal(FR_RECORD_UNITS(word) * 8, bytes);
	assert_int_equal(FR_RECORD_TIME(word), 12345);
	assert_true(fr_record_sound(&r));
}

/* It keeps a pointer to itself. */
static struct fr_filter *filter_of(enum fr_redact level)
{
	static struct fr_filter f;
	struct fr_redact_rules rules = { .level = level };

	assert_int_equal(fr_filter_init(&f, &rules), 0);
	return &f;
}

static void unknown_bytes_go(void **state)
{
	struct fr_filter *f = filter_of(FR_REDACT_STANDARD);
	uint32_t before = put_send(FR_IO_MSG_START, 101), after;
	struct fr_sock_io e;

	(void)state;
	after = fr_filter_record(f, record.bytes);
	memcpy(&e, record.bytes, sizeof(e));
	assert_true(after < before);
	assert_int_equal(after, sizeof(e));
	assert_int_equal(e.captured_bytes, 0);
	assert_int_equal(e.result, 101);
	assert_int_equal(e.sock_id, 7);
	assert_int_equal(f->counts.removed_bytes[FR_REMOVED_UNKNOWN], 101);
	check_sound(after);
	fr_filter_done(f);
}

/* A send of this text, as a message's start. */
static uint32_t put_text(uint64_t sock_id, uint64_t off, const char *text)
{
	struct fr_sock_io e;
	uint32_t bytes = put_send(FR_IO_MSG_START, (uint16_t)strlen(text));

	memcpy(&e, record.bytes, sizeof(e));
	e.sock_id = sock_id;
	e.stream_off = off;
	memcpy(record.bytes, &e, sizeof(e));
	memcpy(record.bytes + sizeof(e), text, strlen(text));
	return put_word(FR_EV_SOCK_SEND, bytes);
}

static void known_bytes_stay_without_secrets(void **state)
{
	static const char text[] = "GET /a?k=vvvv HTTP/1.1\r\nCookie: SECRET\r\n\r\n";
	struct fr_filter *f = filter_of(FR_REDACT_STANDARD);
	uint32_t before = put_text(9, 0, text), after;

	(void)state;
	after = fr_filter_record(f, record.bytes);
	assert_int_equal(after, before);
	check_sound(after);
	assert_memory_equal(record.bytes + sizeof(struct fr_sock_io),
			    "GET /a?k=**** HTTP/1.1\r\n??????????????\r\n\r\n", sizeof(text) - 1);
	assert_int_equal(f->counts.removed_bytes[FR_REMOVED_QUERY], 4);
	assert_int_equal(f->counts.removed_bytes[FR_REMOVED_HEADERS], 14);
	fr_filter_done(f);
}

static void a_filter_that_failed_lets_nothing_through(void **state)
{
	struct fr_filter f = { 0 };

	(void)state;
	put_text(9, 0, "GET / HTTP/1.1\r\n\r\n");
	assert_int_equal(fr_filter_record(&f, record.bytes), sizeof(struct fr_sock_io));
}

static void peeked_bytes_go(void **state)
{
	struct fr_filter *f = filter_of(FR_REDACT_STANDARD);
	struct fr_sock_io e;

	(void)state;
	put_text(9, 0, "GET / HTTP/1.1\r\n\r\n");
	memcpy(&e, record.bytes, sizeof(e));
	e.flags |= FR_IO_PEEK;
	memcpy(record.bytes, &e, sizeof(e));
	assert_int_equal(fr_filter_record(f, record.bytes), sizeof(struct fr_sock_io));
	fr_filter_done(f);
}

static void addresses_stay(void **state)
{
	struct fr_filter *f = filter_of(FR_REDACT_STRICT);
	struct fr_sock_addr addr;
	uint32_t after;

	(void)state;
	put_send(FR_IO_ADDR, 33);
	after = fr_filter_record(f, record.bytes);
	memcpy(&addr, record.bytes + sizeof(struct fr_sock_io), sizeof(addr));
	assert_int_equal(addr.local_port, 53);
	assert_int_equal(after, sizeof(struct fr_sock_io) + sizeof(addr));
	check_sound(after);
	fr_filter_done(f);
}

static void off_leaves_all_as_it_is(void **state)
{
	struct fr_filter *f = filter_of(FR_REDACT_OFF);
	uint32_t before = put_send(FR_IO_ADDR, 500);
	uint8_t copy[1024];

	(void)state;
	memcpy(copy, record.bytes, before);
	assert_int_equal(fr_filter_record(f, record.bytes), before);
	assert_memory_equal(copy, record.bytes, before);
	assert_int_equal(f->counts.removed_bytes[FR_REMOVED_UNKNOWN], 0);
	fr_filter_done(f);
}

static uint32_t put_exec(const char *path, const char *args, uint16_t args_bytes)
{
	struct fr_proc_exec e = { .tid = 5,
				  .path_bytes = (uint16_t)strlen(path),
				  .args_bytes = args_bytes };

	memset(record.bytes, 0, sizeof(record.bytes));
	memcpy(record.bytes, &e, sizeof(e));
	memcpy(record.bytes + sizeof(e), path, e.path_bytes);
	memcpy(record.bytes + sizeof(e) + e.path_bytes, args, args_bytes);
	return put_word(FR_EV_PROC_EXEC, (uint32_t)sizeof(e) + e.path_bytes + args_bytes);
}

static void secret_arguments_go(void **state)
{
	static const char args[] = "mysql\0-psecret\0db";
	struct fr_filter *f = filter_of(FR_REDACT_STANDARD);
	struct fr_proc_exec e;
	uint32_t after;

	(void)state;
	put_exec("/usr/bin/mysql", args, sizeof(args));
	after = fr_filter_record(f, record.bytes);
	memcpy(&e, record.bytes, sizeof(e));
	assert_int_equal(e.args_bytes, sizeof(args) - 3);
	assert_false(e.flags & FR_EXEC_ARGS_CUT);
	assert_memory_equal(record.bytes + sizeof(e), "/usr/bin/mysqlmysql\0-p***\0db\0", 30);
	assert_int_equal(f->counts.removed_bytes[FR_REMOVED_ARGUMENTS], 6);
	assert_null(memmem(record.bytes, after, "secret", 6));
	check_sound(after);
	fr_filter_done(f);
}

static void strict_cuts_arguments(void **state)
{
	static const char args[] = "mysql\0-psecret\0db";
	struct fr_filter *f = filter_of(FR_REDACT_STRICT);
	struct fr_proc_exec e;

	(void)state;
	put_exec("/usr/bin/mysql", args, sizeof(args));
	check_sound(fr_filter_record(f, record.bytes));
	memcpy(&e, record.bytes, sizeof(e));
	assert_int_equal(e.args_bytes, 6);
	assert_true(e.flags & FR_EXEC_ARGS_CUT);
	fr_filter_done(f);
}

static void a_lone_argument_is_not_cut(void **state)
{
	struct fr_filter f = { 0 };
	uint32_t before = put_exec("/bin/true", "true", 5);
	struct fr_proc_exec e;

	(void)state;
	assert_int_equal(fr_filter_record(&f, record.bytes), before);
	memcpy(&e, record.bytes, sizeof(e));
	assert_int_equal(e.args_bytes, 5);
	assert_int_equal(e.flags, 0);
	/* one without its zero, as it is cut by the probe's limit */
	before = put_exec("/bin/true", "true", 4);
	assert_int_equal(fr_filter_record(&f, record.bytes), before);
	memcpy(&e, record.bytes, sizeof(e));
	assert_int_equal(e.args_bytes, 4);
}

/* Sizes that point outside the record: better too little than a byte too much. */
static void sizes_that_lie_lose_the_content(void **state)
{
	struct fr_filter f = { 0 };
	struct fr_sock_io io;
	struct fr_proc_exec e;

	(void)state;
	put_send(0, 40);
	memcpy(&io, record.bytes, sizeof(io));
	io.flags = FR_IO_ADDR;
	memcpy(record.bytes, &io, sizeof(io));
	put_word(FR_EV_SOCK_RECV, sizeof(io) + 16);
	assert_int_equal(fr_filter_record(&f, record.bytes), sizeof(io));
	put_exec("/bin/true", "true\0secret", 11);
	memcpy(&e, record.bytes, sizeof(e));
	e.path_bytes = 60000;
	memcpy(record.bytes, &e, sizeof(e));
	assert_int_equal(fr_filter_record(&f, record.bytes), sizeof(e));
}

static void other_records_pass(void **state)
{
	struct fr_filter f = { 0 };

	(void)state;
	memset(record.bytes, 'x', sizeof(record.bytes));
	for (uint32_t kind = 1; kind < 256; kind++) {
		if (kind == FR_EV_SOCK_SEND || kind == FR_EV_SOCK_RECV || kind == FR_EV_PROC_EXEC)
			continue;
		put_word(kind, 128);
		assert_int_equal(fr_filter_record(&f, record.bytes), 128);
	}
}

static void what_was_removed_is_reported(void **state)
{
	struct fr_filter f = { .counts.removed_bytes = { 11, 22 } };
	static struct fr_meta_loss loss;

	(void)state;
	fr_filter_report(&f, &loss);
	assert_int_equal(loss.removed_cnt, FR_REMOVAL_CNT);
	assert_string_equal(loss.removed[0].name, "headers");
	assert_int_equal(loss.removed[0].value, 11);
	assert_string_equal(loss.removed[1].name, "body");
	assert_int_equal(loss.removed[1].value, 22);
	assert_string_equal(loss.removed[FR_REMOVAL_CNT - 1].name, "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_bytes_go),
		cmocka_unit_test(known_bytes_stay_without_secrets),
		cmocka_unit_test(a_filter_that_failed_lets_nothing_through),
		cmocka_unit_test(peeked_bytes_go),
		cmocka_unit_test(addresses_stay),
		cmocka_unit_test(off_leaves_all_as_it_is),
		cmocka_unit_test(secret_arguments_go),
		cmocka_unit_test(strict_cuts_arguments),
		cmocka_unit_test(a_lone_argument_is_not_cut),
		cmocka_unit_test(sizes_that_lie_lose_the_content),
		cmocka_unit_test(other_records_pass),
		cmocka_unit_test(what_was_removed_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
