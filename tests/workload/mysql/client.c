/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of MySQL or MariaDB, by the makers' own library, that does one of everything that the
 * protocol has and prints what it did: a line "COMMAND<tab>ERROR NUMBER<tab>TEXT" for each command
 * that the server answered. client HOST PORT USER FILE [ROUNDS]; FILE is loaded by LOAD DATA LOCAL.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mysql.h>

static MYSQL *db;

static void said(const char *command, unsigned error_nr, const char *text)
{
	printf("%s\t%u\t%s\n", command, error_nr, text);
}

static void query(const char *text)
{
	MYSQL_RES *res;
	int more;

	if (mysql_query(db, text)) {
		said("QUERY", mysql_errno(db), text);
		return;
	}
	do {
		res = mysql_store_result(db);
		mysql_free_result(res);
		more = mysql_next_result(db);
	} while (!more);
	said("QUERY", more > 0 ? mysql_errno(db) : 0, text);
}

static MYSQL_STMT *prepare(const char *text)
{
	MYSQL_STMT *s = mysql_stmt_init(db);

	if (!mysql_stmt_prepare(s, text, strlen(text)))
		return s;
	said("PREPARE", mysql_stmt_errno(s), text);
	mysql_stmt_close(s);
	return NULL;
}

static void execute(MYSQL_STMT *s, const char *text)
{
	int failed = mysql_stmt_execute(s);

	while (!failed && mysql_stmt_field_count(s) && !mysql_stmt_fetch(s))
		;
	said("EXECUTE", mysql_stmt_errno(s), text);
	mysql_stmt_free_result(s);
}

static void one_number(const char *text, int number)
{
	MYSQL_STMT *s = prepare(text);
	MYSQL_BIND in = { .buffer_type = MYSQL_TYPE_LONG, .buffer = &number };

	if (!s)
		return;
	mysql_stmt_bind_param(s, &in);
	execute(s, text);
	number = 1;
	execute(s, text);
	mysql_stmt_close(s);
}

static void long_data(const char *text)
{
	static const char part[] = "a secret that comes in parts";
	MYSQL_STMT *s = prepare(text);
	MYSQL_BIND in = { .buffer_type = MYSQL_TYPE_STRING };

	if (!s)
		return;
	mysql_stmt_bind_param(s, &in);
	for (int i = 0; i < 3; i++)
		mysql_stmt_send_long_data(s, 0, part, sizeof(part) - 1);
	execute(s, text);
	mysql_stmt_close(s);
}

static void by_cursor(const char *text)
{
	unsigned long kind = CURSOR_TYPE_READ_ONLY, rows = 2;
	MYSQL_STMT *s = prepare(text);

	if (!s)
		return;
	mysql_stmt_attr_set(s, STMT_ATTR_CURSOR_TYPE, &kind);
	mysql_stmt_attr_set(s, STMT_ATTR_PREFETCH_ROWS, &rows);
	execute(s, text);
	mysql_stmt_close(s);
}

static void round_of_all(const char *file)
{
	char load[600];

	query("SELECT 1");
	query("CREATE TEMPORARY TABLE t (id INT, word VARCHAR(100), more LONGTEXT)");
	query("INSERT INTO t VALUES (1, 'one', NULL), (2, 'two', 'x'), (3, 'three', '')");
	query("UPDATE t SET word = 'changed' WHERE id > 1");
	query("SELECT id, word, more FROM t ORDER BY id");
	query("SELECT 1; UPDATE t SET id = id + 1; SELECT id FROM t; SELECT 'last'");
	query("SELEC wrong");
	query("SELECT * FROM nowhere.nothing");
	query("SELECT 1; SELECT * FROM missing; SELECT 2");
	snprintf(load, sizeof(load), "LOAD DATA LOCAL INFILE '%s' INTO TABLE t (id, word)", file);
	query(load);
	query("SELECT REPEAT('a long row ', 30000), 2");
	one_number("SELECT id, word FROM t WHERE id = ?", 2);
	one_number("INSERT INTO t (id) VALUES (? + 10)", 5);
	one_number("SELECT 1 / (? - ?) FROM nothing.here", 1);
	long_data("UPDATE t SET more = ? WHERE id = 2");
	by_cursor("SELECT id, word FROM t, (SELECT 1 UNION SELECT 2 UNION SELECT 3) AS u");
	said("PING", mysql_ping(db) ? mysql_errno(db) : 0, "");
	said("INIT_DB", mysql_select_db(db, "no_such_db") ? mysql_errno(db) : 0, "no_such_db");
	said("INIT_DB", mysql_select_db(db, "test") ? mysql_errno(db) : 0, "test");
	mysql_stat(db);
	said("STATISTICS", mysql_errno(db), "");
	said("SET_OPTION",
	     mysql_set_server_option(db, MYSQL_OPTION_MULTI_STATEMENTS_ON) ? mysql_errno(db) : 0,
	     "");
	query("DROP TABLE t");
}

int main(int argc, char **argv)
{
	unsigned local = 1;

	if (argc < 5) {
		fprintf(stderr, "usage: client HOST PORT USER FILE [ROUNDS]\n");
		return 2;
	}
	db = mysql_init(NULL);
	mysql_options(db, MYSQL_OPT_LOCAL_INFILE, &local);
	mysql_options(db, MYSQL_OPT_PROTOCOL, &(unsigned){ MYSQL_PROTOCOL_TCP });
	if (!mysql_real_connect(db, argv[1], argv[3], "", "test",
				(unsigned)strtoul(argv[2], NULL, 10), NULL,
				CLIENT_MULTI_STATEMENTS)) {
		fprintf(stderr, "client: cannot connect: %s\n", mysql_error(db));
		return 1;
	}
	for (long i = argc > 5 ? strtol(argv[5], NULL, 10) : 1; i > 0; i--)
		round_of_all(argv[4]);
	mysql_reset_connection(db);
	said("RESET_CONNECTION", mysql_errno(db), "");
	said("CHANGE_USER", mysql_change_user(db, argv[3], "", "test") ? mysql_errno(db) : 0, "");
	query("SELECT 'again'");
	mysql_close(db);
	return 0;
}
