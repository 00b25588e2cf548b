/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "formats/wire/mysql.h"
#include "mysql_fixture.h"

#define SAY(is_request, s)                                                                         \
	{                                                                                          \
		.request = (is_request), .data = (s), .data_bytes = sizeof(s) - 1                  \
	}
#define CNT(a) (sizeof(a) / sizeof((a)[0]))

/* In the order of their replies' ends; text NULL = of a prepared statement, see below. */
static const struct wire_truth talk_truth[] = {
	{ "QUERY", "SELECT 1", NULL, 0 },
	{ "QUERY", "CREATE TEMPORARY TABLE t (id INT, word VARCHAR(100), more LONGTEXT)", NULL, 0 },
	{ "QUERY", "INSERT INTO t VALUES (1, 'one', NULL), (2, 'two', 'x'), (3, 'three', '')", NULL,
	  0 },
	{ "QUERY", "UPDATE t SET word = 'changed' WHERE id > 1", NULL, 0 },
	{ "QUERY", "SELECT id, word, more FROM t ORDER BY id", NULL, 0 },
	{ "QUERY", "SELECT 1; UPDATE t SET id = id + 1; SELECT id FROM t; SELECT 'last'", NULL, 0 },
	{ "QUERY", "SELEC wrong", "42000", 1 },
	{ "QUERY", "SELECT * FROM nowhere.nothing", "42S02", 1 },
	{ "QUERY", "SELECT 1; SELECT * FROM missing; SELECT 2", "42S02", 1 },
	{ "QUERY", "LOAD DATA LOCAL INFILE 'rows.txt' INTO TABLE t (id, word)", NULL, 0 },
	{ "QUERY", "SELECT REPEAT('a long row ', 12), 2", NULL, 0 },
	{ "EXECUTE", "SELECT id, word FROM t WHERE id = ?", NULL, 0 },
	{ "EXECUTE", "SELECT id, word FROM t WHERE id = ?", NULL, 0 },
	{ "EXECUTE", "INSERT INTO t (id) VALUES (? + 10)", NULL, 0 },
	{ "EXECUTE", "INSERT INTO t (id) VALUES (? + 10)", NULL, 0 },
	{ "PREPARE", "SELECT 1 / (? - ?) FROM nothing.here", "42S02", 1 },
	{ "EXECUTE", "UPDATE t SET more = ? WHERE id = 2", NULL, 0 },
	{ "EXECUTE", "SELECT id, word FROM t, (SELECT 1 UNION SELECT 2 UNION SELECT 3) AS u", NULL,
	  0 },
	{ "INIT_DB", "no_such_db", "42000", 1 },
	{ "QUERY", "DROP TABLE t", NULL, 0 },
	{ "QUERY", "SELECT 'again'", NULL, 0 },
};

static void test_recorded_session(void **state)
{
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	wire_run(mysql_talk, CNT(mysql_talk), &d);
	assert_ptr_equal(wire_conn.proto, &fr_wire_mysql);
	wire_print_found();
	assert_int_equal(wire_result.cnt, CNT(talk_truth));
	for (unsigned i = 0; i < wire_result.cnt; i++) {
		const struct wire_found *f = &wire_result.found[i];

		assert_string_equal(f->command, talk_truth[i].command);
		assert_string_equal(f->text, talk_truth[i].text);
		assert_string_equal(f->code, talk_truth[i].code ? talk_truth[i].code : "");
		assert_int_equal(f->r.status, talk_truth[i].status);
		assert_int_equal(f->r.marks, 0);
		assert_string_equal(f->user, "app");
		assert_string_equal(f->database, "test");
	}
	assert_int_equal(wire_result.found[6].r.error_nr, 1064);
	assert_int_equal(wire_result.found[7].r.error_nr, 1146);
	assert_int_equal(wire_result.found[18].r.error_nr, 1049);
	assert_int_equal(wire_conn.unmatched_cnt, 0);
	assert_int_equal(wire_conn.lost_cnt, 0);
}

static void test_sweep(void **state)
{
	(void)state;
	wire_sweep(mysql_talk, CNT(mysql_talk), talk_truth, CNT(talk_truth));
}

static void test_recorded_without_eof(void **state)
{
	static const struct wire_truth truth[] = {
		{ "QUERY", "SELECT 1, 'two'", NULL, 0 },
		{ "QUERY", "SELECT 1; SELECT 2; SELEC", "42000", 1 },
		{ "EXECUTE", "SELECT ?, ? + 1", NULL, 0 },
		{ "EXECUTE", "SELECT ?, ? + 1", NULL, 0 },
		{ "PREPARE", "SELECT id FROM mysql.innodb_table_stats WHERE 0", "42S22", 1 },
		{ "EXECUTE", "DO 1", NULL, 0 },
		{ "QUERY", "SELECT * FROM nothing_here", "42S02", 1 },
		{ "FIELD_LIST", "", "42S02", 1 },
	};
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	wire_run(mysql_no_eof_talk, CNT(mysql_no_eof_talk), &d);
	assert_int_equal(wire_result.cnt, CNT(truth));
	for (unsigned i = 0; i < wire_result.cnt; i++) {
		assert_string_equal(wire_result.found[i].command, truth[i].command);
		assert_string_equal(wire_result.found[i].text, truth[i].text);
		assert_string_equal(wire_result.found[i].code, truth[i].code ? truth[i].code : "");
		assert_int_equal(wire_result.found[i].r.status, truth[i].status);
		assert_int_equal(wire_result.found[i].r.marks, 0);
	}
	assert_int_equal(wire_conn.unmatched_cnt + wire_conn.lost_cnt, 0);
	wire_sweep(mysql_no_eof_talk, CNT(mysql_no_eof_talk), truth, CNT(truth));
}

/* ---- made by hand: what that library and server do not do -------------------------------------
 */

#define OK_REPLY "\7\0\0\1\0\0\0\2\0\0\0"
#define ONE_COLUMN(seq) "\7\0\0" seq "\3def\0\0\0"
#define SELECT_1 "\11\0\0\0\3SELECT 1"

static void check_talk(const struct wire_say *says, size_t say_cnt, const struct wire_truth *truth,
		       size_t truth_cnt)
{
	struct wire_damage d = WIRE_WHOLE;

	wire_run(says, say_cnt, &d);
	assert_ptr_equal(wire_conn.proto, &fr_wire_mysql);
	if (wire_result.cnt != truth_cnt)
		wire_print_found();
	assert_int_equal(wire_result.cnt, truth_cnt);
	for (unsigned i = 0; i < truth_cnt; i++) {
		const struct wire_found *f = &wire_result.found[i];

		assert_string_equal(f->text, truth[i].text);
		assert_int_equal(f->r.status, truth[i].status);
		assert_int_equal(f->r.marks, 0);
	}
	assert_int_equal(wire_conn.lost_cnt, 0);
	wire_sweep(says, say_cnt, truth, truth_cnt);
}

#define GREETING                                                                                   \
	"\60\0\0\0\n8.0.36\0\1\0\0\0saltsalt\0\xff\xff\xff\2\0\xff\xdf\25\0\0\0\0\0\0\0\0\0\0"     \
	"moresalt\0"
#define ZEROS_23 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
/* capabilities: 41, secure, lenenc proof, database, no EOF */
#define LOGIN_NO_EOF "\50\0\0\1\10\202\40\1\0\0\0\1\55" ZEROS_23 "me\0\1pdb\0"

/* MySQL 5.7 and later: an OK that begins as an EOF did ends the rows, and nothing the columns. */
static void test_deprecated_eof(void **state)
{
	static const struct wire_say says[] = {
		SAY(false, GREETING),
		SAY(true, LOGIN_NO_EOF),
		SAY(false, "\7\0\0\2\0\0\0\2\0\0\0"),
		SAY(true, SELECT_1),
		SAY(false, "\1\0\0\1\1" ONE_COLUMN("\2") "\2\0\0\3\0011\7\0\0\4\xfe\0\0\2\0\0\0"),
		SAY(true, "\11\0\0\0\26SELECT ?"),
		SAY(false, "\14\0\0\1\0\1\0\0\0\1\0\1\0\0\0\0" ONE_COLUMN("\2") ONE_COLUMN("\3")),
		SAY(true, "\12\0\0\0\27\1\0\0\0\0\1\0\0\0"),
		SAY(false, "\1\0\0\1\1" ONE_COLUMN("\2") "\7\0\0\3\xfe\0\0\12\0\0\0"
							 "\1\0\0\4\1" ONE_COLUMN(
								 "\5") "\7\0\0\6\xfe\0\0\2\0\0\0"),
		SAY(true, "\11\0\0\0\3SELECT 2"),
		SAY(false, "\1\0\0\1\1" ONE_COLUMN("\2") "\15\0\0\3\xff\5\5#70100stop"),
	};
	static const struct wire_truth truth[] = {
		{ "QUERY", "SELECT 1", NULL, 0 },
		{ "EXECUTE", "SELECT ?", NULL, 0 },
		{ "QUERY", "SELECT 2", "70100", 1 },
	};

	(void)state;
	check_talk(says, CNT(says), truth, CNT(truth));
	assert_string_equal(wire_result.found[0].user, "me");
	assert_string_equal(wire_result.found[0].database, "db");
}

/* Nobody saw the login, so nobody knows whether an EOF ends a list: it is learnt. */
static void test_eof_is_learnt(void **state)
{
	static const struct wire_say says[] = {
		SAY(true, "\11\0\0\0\26SELECT ?"),
		SAY(false,
		    "\14\0\0\1\0\1\0\0\0\1\0\0\0\0\0\0" ONE_COLUMN("\2") "\5\0\0\3\xfe\0\0\2\0"),
		SAY(true, "\12\0\0\0\27\1\0\0\0\0\1\0\0\0"),
		SAY(false, OK_REPLY),
	};
	static const struct wire_truth truth[] = { { "EXECUTE", "SELECT ?", NULL, 0 } };

	(void)state;
	check_talk(says, CNT(says), truth, CNT(truth));
}

static void test_tls_and_compression_end_it(void **state)
{
	static const struct wire_say tls[] = {
		SAY(false, GREETING),
		SAY(true, "\40\0\0\1\10\212\40\1\0\0\0\1\55" ZEROS_23),
		SAY(true, "\26\3\1\0\5\1\0\0\1\0"),
		SAY(false, "\26\3\3\0\5\2\0\0\1\0"),
	};
	static const struct wire_say compressed[] = {
		SAY(false, GREETING),
		SAY(true, "\50\0\0\1\50\202\40\1\0\0\0\1\55" ZEROS_23 "me\0\1pdb\0"),
		SAY(false, "\7\0\0\2\0\0\0\2\0\0\0"),
		SAY(true, "\15\0\0\0\0\0\0" SELECT_1),
		SAY(false, "\13\0\0\1\0\0\0" OK_REPLY),
	};
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	wire_run(tls, CNT(tls), &d);
	assert_int_equal(wire_result.cnt, 0);
	assert_true(wire_conn.raw);
	wire_run(compressed, CNT(compressed), &d);
	assert_int_equal(wire_result.cnt, 0);
	assert_true(wire_conn.raw);
	wire_sweep(tls, CNT(tls), NULL, 0);
}

/* A text behind attributes (a name, a type, a value each), and one behind none of them. */
static void test_query_attributes(void **state)
{
	static const struct wire_say says[] = {
		SAY(true, "\13\0\0\0\3\0\1SELECT 1"),
		SAY(false, OK_REPLY),
		SAY(true, "\42\0\0\0\3\2\1\0\1\xfe\0\5trace\3\0\1n\4abcd\1\0\0\0SELECT 2"),
		SAY(false, OK_REPLY),
	};
	static const struct wire_truth truth[] = {
		{ "QUERY", "SELECT 1", NULL, 0 },
		{ "QUERY", "SELECT 2", NULL, 0 },
	};

	(void)state;
	check_talk(says, CNT(says), truth, CNT(truth));
}

/* Several commands before the first reply; the statement prepared last is executed by no id. */
static void test_pipelined(void **state)
{
	static const struct wire_say says[] = {
		SAY(true, "\21\0\0\0\26UPDATE t SET x=?"
			  "\12\0\0\0\27\xff\xff\xff\xff\0\1\0\0\0" SELECT_1 "\1\0\0\0\16"),
		SAY(false, "\14\0\0\1\0\1\0\0\0\0\0\1\0\0\0\0" ONE_COLUMN(
				   "\2") "\5\0\0\3\xfe\0\0\2\0"
					 "\7\0\0\1\0\1\0\2\0\0\0"
					 "\15\0\0\1\xff\50\4#42000oops" OK_REPLY),
	};
	static const struct wire_truth truth[] = {
		{ "EXECUTE", "UPDATE t SET x=?", NULL, 0 },
		{ "QUERY", "SELECT 1", "42000", 1 },
	};

	(void)state;
	check_talk(says, CNT(says), truth, CNT(truth));
	assert_int_equal(wire_result.found[1].r.error_nr, 1064);
}

static void test_prepared_before(void **state)
{
	static const struct wire_say says[] = {
		SAY(true, "\12\0\0\0\27\1\0\0\0\0\1\0\0\0"),
		SAY(false, OK_REPLY),
	};
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	wire_run(says, CNT(says), &d);
	assert_int_equal(wire_result.cnt, 1);
	assert_string_equal(wire_result.found[0].command, "EXECUTE");
	assert_int_equal(wire_result.found[0].r.marks, FR_MARK_PREPARED_BEFORE);
	assert_int_equal(wire_result.found[0].r.status, 0);
}

/* Refused before it could say anything. */
static void test_too_many_connections(void **state)
{
	static const struct wire_say says[] = {
		SAY(false, "\35\0\0\0\xff\20\4#08004Too many connectio"),
	};
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	wire_run(says, CNT(says), &d);
	assert_int_equal(wire_result.cnt, 1);
	assert_int_equal(wire_result.found[0].r.error_nr, 1040);
	assert_string_equal(wire_result.found[0].code, "08004");
	assert_int_equal(wire_result.found[0].r.marks, FR_MARK_START_UNSEEN);
}

/* MariaDB tells of its progress by something that looks like an error. */
static void test_progress_is_no_error(void **state)
{
	static const struct wire_say says[] = {
		SAY(true, "\15\0\0\0\3ALTER TABLE "),
		SAY(false, "\16\0\0\1\xff\xff\xff\1\1\2\0\0\0\4work"
			   "\7\0\0\2\0\0\0\2\0\0\0"),
	};
	static const struct wire_truth truth[] = { { "QUERY", "ALTER TABLE ", NULL, 0 } };

	(void)state;
	check_talk(says, CNT(says), truth, CNT(truth));
}

/* A query, and a row, of more than 16 MiB go on in a second packet. */
static void test_packets_that_go_on(void **state)
{
	static const char rest[] = "\5\0\0\1tail)";
	static const char count[] = "\1\0\0\2\1" ONE_COLUMN("\3") "\xff\xff\xff\4\xfe";
	static const char end[] = "\2\0\0\5zz\5\0\0\6\xfe\0\0\2\0";
	size_t big = 0xffffff + 4, at;
	char *ask = calloc(1, big + sizeof(rest)), *row = calloc(1, big + 200);
	struct wire_say says[] = { SAY(true, SELECT_1),
				   SAY(false, OK_REPLY),
				   { true, ask, big + sizeof(rest) - 1 },
				   { false, row, 0 } };
	struct wire_damage d = WIRE_WHOLE;

	(void)state;
	assert_true(ask && row);
	memset(ask, 'x', big);
	memcpy(ask, "\xff\xff\xff\0\3INSERT INTO t VALUES (", 27);
	memcpy(ask + big, rest, sizeof(rest) - 1);
	memcpy(row, count, sizeof(count) - 1);
	at = sizeof(count) - 2 + 0xffffff;
	memcpy(row + at, end, sizeof(end) - 1);
	says[3].data_bytes = at + sizeof(end) - 1;
	wire_run(says, CNT(says), &d);
	assert_int_equal(wire_result.cnt, 2);
	assert_int_equal(wire_result.found[1].r.status, 0);
	assert_int_equal(wire_result.found[1].r.marks, FR_MARK_CUT);
	assert_int_equal(wire_result.found[1].r.request_bytes, says[2].data_bytes);
	assert_int_equal(wire_result.found[1].r.response_bytes, says[3].data_bytes);
	free(ask);
	free(row);
}

/* More statements than are kept: some are not known any more, none is taken for another. */
static void test_many_statements(void **state)
{
	static char bytes[100][2][64];
	static struct wire_say says[400];
	struct wire_damage d = WIRE_WHOLE;
	unsigned n = 0, known = 0;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		char *ask = bytes[i][0], *ok = bytes[i][1];
		int text = snprintf(ask + 5, 40, "SELECT %u", i);

		ask[0] = (char)(text + 1);
		ask[4] = 0x16;
		memcpy(ok, "\14\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0", 16);
		ok[5] = (char)(i + 1);
		says[n++] = (struct wire_say){ true, ask, (size_t)text + 5 };
		says[n++] = (struct wire_say){ false, ok, 16 };
	}
	for (unsigned i = 0; i < 100; i++) {
		char *ask = bytes[i][0] + 32;

		memcpy(ask, "\12\0\0\0\27\1\0\0\0\0\1\0\0\0", 14);
		ask[5] = (char)(i + 1);
		says[n++] = (struct wire_say){ true, ask, 14 };
		says[n++] = (struct wire_say)SAY(false, OK_REPLY);
	}
	wire_run(says, n, &d);
	assert_int_equal(wire_result.cnt, 100);
	for (unsigned i = 0; i < 100; i++) {
		char text[40];

		snprintf(text, sizeof(text), "SELECT %u", i);
		if (wire_result.found[i].text[0])
			assert_string_equal(wire_result.found[i].text, text);
		else
			assert_int_equal(wire_result.found[i].r.marks, FR_MARK_PREPARED_BEFORE);
		known += wire_result.found[i].text[0] != 0;
	}
	assert_int_equal(known, FR_MYSQL_STATEMENTS_MAX);
}

static void test_what_is_no_mysql(void **state)
{
	static const struct wire_say others[] = {
		SAY(true, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		SAY(true, "*1\r\n$4\r\nPING\r\n"),
		SAY(true, "Q\0\0\0\15SELECT 1\0"),
		SAY(true, "\0\0\0\40\0\3\0\0user\0a\0"),
		SAY(true, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
		SAY(true, "\0\0\22\4\0\0\0\0\0\0\3\0\0\0\144"),		  /* HTTP/2 settings */
		SAY(true, "\26\3\1\2\0\1\0\1\374\3\3"),			  /* TLS */
		SAY(true, "\72\0\0\0\3\0\0\0\0\0\0\0\335\7\0\0\0\0\0\0"), /* MongoDB */
		SAY(true, "\0\0\0\43\0\3\0\4\0\0\0\1\0\6client"),	  /* Kafka */
		SAY(true, "\1\0\0\0\0"),
		SAY(true, "\0\0\0\0\3"),
		SAY(true, "\2\0\0\0\16\16"),
		SAY(true, "SSH-2.0-OpenSSH_9.2\r\n"),
		SAY(false, "HTTP/1.1 200 OK\r\n\r\n"),
		SAY(false, "+PONG\r\n"),
		SAY(false, "Z\0\0\0\5I"),
		SAY(false, "R\0\0\0\10\0\0\0\0"),
		SAY(false, "\7\0\0\2\0\0\0\2\0\0\0"),
		SAY(false, "\1\0\0\1\0"),
		SAY(false, "220 mail ESMTP\r\n"),
	};

	(void)state;
	for (size_t i = 0; i < CNT(others); i++) {
		struct fr_slice s = { (const uint8_t *)others[i].data, others[i].data_bytes };
		struct fr_slice none = { 0 };

		assert_true(fr_wire_mysql.detect(s, none) < 2);
		assert_true(fr_wire_mysql.detect(none, s) < 2);
	}
}

/* The bytes of this protocol are nobody else's. */
static void test_others_keep_off(void **state)
{
	(void)state;
	for (size_t i = 0; i < CNT(mysql_talk); i++) {
		struct fr_slice s = { (const uint8_t *)mysql_talk[i].data,
				      mysql_talk[i].data_bytes };
		struct fr_slice none = { 0 };

		for (unsigned k = 0; fr_wire_protocols[k]; k++) {
			const struct fr_wire_protocol *p = fr_wire_protocols[k];

			if (p == &fr_wire_mysql)
				continue;
			assert_true(p->detect(s, none) < 2);
			assert_true(p->detect(none, s) < 2);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded_session),
		cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_recorded_without_eof),
		cmocka_unit_test(test_deprecated_eof),
		cmocka_unit_test(test_eof_is_learnt),
		cmocka_unit_test(test_tls_and_compression_end_it),
		cmocka_unit_test(test_query_attributes),
		cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_prepared_before),
		cmocka_unit_test(test_too_many_connections),
		cmocka_unit_test(test_progress_is_no_error),
		cmocka_unit_test(test_packets_that_go_on),
		cmocka_unit_test(test_many_statements),
		cmocka_unit_test(test_what_is_no_mysql),
		cmocka_unit_test(test_others_keep_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
