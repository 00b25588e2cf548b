/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session as it passed between MariaDB's own client library and a MariaDB 10.11 server: what
 * tests/workload/mysql/client.c says, with a row of 12 repeats instead of 30000. Recorded again, it
 * has other salt, and nothing else new.
 */
#ifndef FR_TESTS_MYSQL_FIXTURE_H
#define FR_TESTS_MYSQL_FIXTURE_H

#include "wire_fixture.h"

static const struct wire_say mysql_talk[] = {
	{ .request = false,
	  .data_bytes = 104,
	  .data = "d\000\000\000\0125.5.5-10.11.19-MariaDB-0+deb12u1\000\006\000\000\000UnIc6$M"
		  ":\000\376\367\010\002\000\377\201\025\000\000\000\000\000\000\035\000\000"
		  "\000yvbihN/<\"3w!\000mysql_native_password\000" },
	{ .request = true,
	  .data_bytes = 177,
	  .data = "\255\000\000\001\214\242\277\000\000\000\020\000-\000\000\000\000\000\000"
		  "\000\000\000\000\000\000\000\000\000\000\000\000\000\035\000\000\000app\000"
		  "\000test\000mysql_native_password\000l\003_os\005Linux\014_client_name\012li"
		  "bmariadb\004_pid\00515112\017_client_version\0063.3.20\011_platform\006x86_6"
		  "4\014_server_host\011127.0.0.1" },
	{ .request = false,
	  .data_bytes = 20,
	  .data = "\020\000\000\002\000\000\000\002@\000\000\000\007\001\005\004test" },
	{ .request = true,
	  .data_bytes = 13,
	  .data = "\011\000\000\000\003SELECT 1" },
	{ .request = false,
	  .data_bytes = 58,
	  .data = "\002\000\000\001\001\001\030\000\000\002\003def\000\000\000\0011\000\000\014"
		  "\?\000\001\000\000\000\003\201\000\000\000\000\005\000\000\003\376\000\000"
		  "\002\000\002\000\000\004\0011\005\000\000\005\376\000\000\002\000" },
	{ .request = true,
	  .data_bytes = 72,
	  .data = "D\000\000\000\003CREATE TEMPORARY TABLE t (id INT, word VARCHAR(100), more L"
		  "ONGTEXT)" },
	{ .request = false,
	  .data_bytes = 11,
	  .data = "\007\000\000\001\000\000\000\002\000\000\000" },
	{ .request = true,
	  .data_bytes = 77,
	  .data = "I\000\000\000\003INSERT INTO t VALUES (1, 'one', NULL), (2, 'two', 'x'), (3,"
		  " 'three', '')" },
	{ .request = false,
	  .data_bytes = 50,
	  .data = ".\000\000\001\000\003\000\002\000\000\000&Records: 3  Duplicates: 0  Warning"
		  "s: 0" },
	{ .request = true,
	  .data_bytes = 47,
	  .data = "+\000\000\000\003UPDATE t SET word = 'changed' WHERE id > 1" },
	{ .request = false,
	  .data_bytes = 52,
	  .data = "0\000\000\001\000\002\000\"\000\000\000(Rows matched: 2  Changed: 2  Warning"
		  "s: 0" },
	{ .request = true,
	  .data_bytes = 45,
	  .data = ")\000\000\000\003SELECT id, word, more FROM t ORDER BY id" },
	{ .request = false,
	  .data_bytes = 185,
	  .data = "\002\000\000\001\003\001!\000\000\002\003def\004test\001t\001t\002id\002id"
		  "\000\014\?\000\013\000\000\000\003\000\000\000\000\000%\000\000\003\003def"
		  "\004test\001t\001t\004word\004word\000\014-\000\220\001\000\000\375\000\000"
		  "\000\000\000%\000\000\004\003def\004test\001t\001t\004more\004more\000\014-"
		  "\000\377\377\377\377\374\020\000\000\000\000\005\000\000\005\376\000\000\""
		  "\000\007\000\000\006\0011\003one\373\014\000\000\007\0012\007changed\001x"
		  "\013\000\000\010\0013\007changed\000\005\000\000\011\376\000\000\"\000" },
	{ .request = true,
	  .data_bytes = 72,
	  .data = "D\000\000\000\003SELECT 1; UPDATE t SET id = id + 1; SELECT id FROM t; SELEC"
		  "T 'last'" },
	{ .request = false,
	  .data_bytes = 58,
	  .data = "\002\000\000\001\001\001\030\000\000\002\003def\000\000\000\0011\000\000\014"
		  "\?\000\001\000\000\000\003\201\000\000\000\000\005\000\000\003\376\000\000"
		  "\012\000\002\000\000\004\0011\005\000\000\005\376\000\000\012\000" },
	{ .request = false,
	  .data_bytes = 52,
	  .data = "0\000\000\006\000\003\000*\000\000\000(Rows matched: 3  Changed: 3  Warnings"
		  ": 0" },
	{ .request = false,
	  .data_bytes = 79,
	  .data = "\002\000\000\007\001\001!\000\000\010\003def\004test\001t\001t\002id\002id"
		  "\000\014\?\000\013\000\000\000\003\000\000\000\000\000\005\000\000\011\376"
		  "\000\000*\000\002\000\000\012\0012\002\000\000\013\0013\002\000\000\014\0014"
		  "\005\000\000\015\376\000\000*\000" },
	{ .request = false,
	  .data_bytes = 64,
	  .data = "\002\000\000\016\001\001\033\000\000\017\003def\000\000\000\004last\000\000"
		  "\014-\000\020\000\000\000\375\001\000'\000\000\005\000\000\020\376\000\000"
		  "\002\000\005\000\000\021\004last\005\000\000\022\376\000\000\002\000" },
	{ .request = true,
	  .data_bytes = 16,
	  .data = "\014\000\000\000\003SELEC wrong" },
	{ .request = false,
	  .data_bytes = 172,
	  .data = "\250\000\000\001\377(\004#42000You have an error in your SQL syntax; check t"
		  "he manual that corresponds to your MariaDB server version for the right synt"
		  "ax to use near 'SELEC wrong' at line 1" },
	{ .request = true,
	  .data_bytes = 34,
	  .data = "\036\000\000\000\003SELECT * FROM nowhere.nothing" },
	{ .request = false,
	  .data_bytes = 50,
	  .data = ".\000\000\001\377z\004#42S02Table 'nowhere.nothing' doesn't exist" },
	{ .request = true,
	  .data_bytes = 46,
	  .data = "*\000\000\000\003SELECT 1; SELECT * FROM missing; SELECT 2" },
	{ .request = false,
	  .data_bytes = 105,
	  .data = "\002\000\000\001\001\001\030\000\000\002\003def\000\000\000\0011\000\000\014"
		  "\?\000\001\000\000\000\003\201\000\000\000\000\005\000\000\003\376\000\000"
		  "\012\000\002\000\000\004\0011\005\000\000\005\376\000\000\012\000+\000\000"
		  "\006\377z\004#42S02Table 'test.missing' doesn't exist" },
	{ .request = true,
	  .data_bytes = 62,
	  .data = ":\000\000\000\003LOAD DATA LOCAL INFILE 'rows.txt' INTO TABLE t (id, word)" },
	{ .request = false,
	  .data_bytes = 13,
	  .data = "\011\000\000\001\373rows.txt" },
	{ .request = true,
	  .data_bytes = 27,
	  .data = "\023\000\000\002100\011loaded\012101\011row\012\000\000\000\003" },
	{ .request = false,
	  .data_bytes = 29,
	  .data = "\031\000\000\004\377\377\377\001\002\002\000\000\000\017End bulk insert" },
	{ .request = false,
	  .data_bytes = 59,
	  .data = "7\000\000\005\000\002\000\002\000\000\000/Records: 2  Deleted: 0  Skipped: 0"
		  "  Warnings: 0" },
	{ .request = true,
	  .data_bytes = 40,
	  .data = "$\000\000\000\003SELECT REPEAT('a long row ', 12), 2" },
	{ .request = false,
	  .data_bytes = 243,
	  .data = "\002\000\000\001\002\0010\000\000\002\003def\000\000\000\031REPEAT('a long r"
		  "ow ', 12)\000\000\014-\000\020\002\000\000\375\000\000'\000\000\030\000\000"
		  "\003\003def\000\000\000\0012\000\000\014\?\000\001\000\000\000\003\201\000"
		  "\000\000\000\005\000\000\004\376\000\000\002\000\207\000\000\005\204a long r"
		  "ow a long row a long row a long row a long row a long row a long row a long "
		  "row a long row a long row a long row a long row \0012\005\000\000\006\376"
		  "\000\000\002\000" },
	{ .request = true,
	  .data_bytes = 40,
	  .data = "$\000\000\000\026SELECT id, word FROM t WHERE id = \?" },
	{ .request = false,
	  .data_bytes = 140,
	  .data = "\014\000\000\001\000\006\000\000\000\002\000\001\000\000\000\000\030\000\000"
		  "\002\003def\000\000\000\001\?\000\000\014\?\000\000\000\000\000\006\200\000"
		  "\000\000\000\005\000\000\003\376\000\000\002\000!\000\000\004\003def\004test"
		  "\001t\001t\002id\002id\000\014\?\000\013\000\000\000\003\000\000\000\000\000"
		  "%\000\000\005\003def\004test\001t\001t\004word\004word\000\014-\000\220\001"
		  "\000\000\375\000\000\000\000\000\005\000\000\006\376\000\000\002\000" },
	{ .request = true,
	  .data_bytes = 22,
	  .data = "\022\000\000\000\027\006\000\000\000\000\001\000\000\000\000\001\003\000\002"
		  "\000\000\000" },
	{ .request = false,
	  .data_bytes = 38,
	  .data = "\002\000\000\001\002\000\005\000\000\002\376\000\000\"\000\012\000\000\003"
		  "\000\000\002\000\000\000\003one\005\000\000\004\376\000\000\"\000" },
	{ .request = true,
	  .data_bytes = 20,
	  .data = "\020\000\000\000\027\006\000\000\000\000\001\000\000\000\000\000\001\000\000"
		  "\000" },
	{ .request = false,
	  .data_bytes = 24,
	  .data = "\002\000\000\001\002\000\005\000\000\002\376\000\000\"\000\005\000\000\003"
		  "\376\000\000\"\000" },
	{ .request = true,
	  .data_bytes = 48,
	  .data = "\005\000\000\000\031\006\000\000\000#\000\000\000\026INSERT INTO t (id) VALU"
		  "ES (\? + 10)" },
	{ .request = false,
	  .data_bytes = 53,
	  .data = "\014\000\000\001\000\007\000\000\000\000\000\001\000\000\000\000\030\000\000"
		  "\002\003def\000\000\000\001\?\000\000\014\?\000\000\000\000\000\006\200\000"
		  "\000\000\000\005\000\000\003\376\000\000\002\000" },
	{ .request = true,
	  .data_bytes = 22,
	  .data = "\022\000\000\000\027\007\000\000\000\000\001\000\000\000\000\001\003\000\005"
		  "\000\000\000" },
	{ .request = false,
	  .data_bytes = 11,
	  .data = "\007\000\000\001\000\001\000\002\000\000\000" },
	{ .request = true,
	  .data_bytes = 20,
	  .data = "\020\000\000\000\027\007\000\000\000\000\001\000\000\000\000\000\001\000\000"
		  "\000" },
	{ .request = false,
	  .data_bytes = 11,
	  .data = "\007\000\000\001\000\001\000\002\000\000\000" },
	{ .request = true,
	  .data_bytes = 50,
	  .data = "\005\000\000\000\031\007\000\000\000%\000\000\000\026SELECT 1 / (\? - \?) FR"
		  "OM nothing.here" },
	{ .request = false,
	  .data_bytes = 47,
	  .data = "+\000\000\001\377z\004#42S02Table 'nothing.here' doesn't exist" },
	{ .request = true,
	  .data_bytes = 39,
	  .data = "#\000\000\000\026UPDATE t SET more = \? WHERE id = 2" },
	{ .request = false,
	  .data_bytes = 53,
	  .data = "\014\000\000\001\000\011\000\000\000\000\000\001\000\000\000\000\030\000\000"
		  "\002\003def\000\000\000\001\?\000\000\014\?\000\000\000\000\000\006\200\000"
		  "\000\000\000\005\000\000\003\376\000\000\002\000" },
	{ .request = true,
	  .data_bytes = 39,
	  .data = "#\000\000\000\030\011\000\000\000\000\000a secret that comes in parts" },
	{ .request = true,
	  .data_bytes = 39,
	  .data = "#\000\000\000\030\011\000\000\000\000\000a secret that comes in parts" },
	{ .request = true,
	  .data_bytes = 57,
	  .data = "#\000\000\000\030\011\000\000\000\000\000a secret that comes in parts\016"
		  "\000\000\000\027\011\000\000\000\000\001\000\000\000\001\001\376\000" },
	{ .request = false,
	  .data_bytes = 52,
	  .data = "0\000\000\001\000\001\000\"\000\000\000(Rows matched: 1  Changed: 1  Warning"
		  "s: 0" },
	{ .request = true,
	  .data_bytes = 83,
	  .data = "\005\000\000\000\031\011\000\000\000F\000\000\000\026SELECT id, word FROM t,"
		  " (SELECT 1 UNION SELECT 2 UNION SELECT 3) AS u" },
	{ .request = false,
	  .data_bytes = 103,
	  .data = "\014\000\000\001\000\012\000\000\000\002\000\000\000\000\000\000!\000\000"
		  "\002\003def\004test\001t\001t\002id\002id\000\014\?\000\013\000\000\000\003"
		  "\000\000\000\000\000%\000\000\003\003def\004test\001t\001t\004word\004word"
		  "\000\014-\000\220\001\000\000\375\000\000\000\000\000\005\000\000\004\376"
		  "\000\000\002\000" },
	{ .request = true,
	  .data_bytes = 14,
	  .data = "\012\000\000\000\027\012\000\000\000\001\001\000\000\000" },
	{ .request = false,
	  .data_bytes = 15,
	  .data = "\002\000\000\001\002\000\005\000\000\002\376\000\000b\000" },
	{ .request = true,
	  .data_bytes = 13,
	  .data = "\011\000\000\000\034\012\000\000\000\002\000\000\000" },
	{ .request = false,
	  .data_bytes = 37,
	  .data = "\012\000\000\001\000\000\002\000\000\000\003one\012\000\000\002\000\000\002"
		  "\000\000\000\003one\005\000\000\003\376\000\000B\000" },
	{ .request = true,
	  .data_bytes = 13,
	  .data = "\011\000\000\000\034\012\000\000\000\002\000\000\000" },
	{ .request = false,
	  .data_bytes = 41,
	  .data = "\012\000\000\001\000\000\002\000\000\000\003one\016\000\000\002\000\000\003"
		  "\000\000\000\007changed\005\000\000\003\376\000\000B\000" },
	{ .request = true,
	  .data_bytes = 13,
	  .data = "\011\000\000\000\034\012\000\000\000\002\000\000\000" },
	{ .request = false,
	  .data_bytes = 45,
	  .data = "\016\000\000\001\000\000\003\000\000\000\007changed\016\000\000\002\000\000"
		  "\003\000\000\000\007changed\005\000\000\003\376\000\000B\000" },
	{ .request = true,
	  .data_bytes = 13,
	  .data = "\011\000\000\000\034\012\000\000\000\002\000\000\000" },
	{ .request = false,
	  .data_bytes = 45,
	  .data = "\016\000\000\001\000\000\004\000\000\000\007changed\016\000\000\002\000\000"
		  "\004\000\000\000\007changed\005\000\000\003\376\000\000B\000" },
	{ .request = true,
	  .data_bytes = 13,
	  .data = "\011\000\000\000\034\012\000\000\000\002\000\000\000" },
	{ .request = false,
	  .data_bytes = 44,
	  .data = "\016\000\000\001\000\000\004\000\000\000\007changed\015\000\000\002\000\000d"
		  "\000\000\000\006loaded\005\000\000\003\376\000\000B\000" },
	{ .request = true,
	  .data_bytes = 13,
	  .data = "\011\000\000\000\034\012\000\000\000\002\000\000\000" },
	{ .request = false,
	  .data_bytes = 43,
	  .data = "\015\000\000\001\000\000d\000\000\000\006loaded\015\000\000\002\000\000d\000"
		  "\000\000\006loaded\005\000\000\003\376\000\000B\000" },
	{ .request = true,
	  .data_bytes = 13,
	  .data = "\011\000\000\000\034\012\000\000\000\002\000\000\000" },
	{ .request = false,
	  .data_bytes = 37,
	  .data = "\012\000\000\001\000\000e\000\000\000\003row\012\000\000\002\000\000e\000"
		  "\000\000\003row\005\000\000\003\376\000\000B\000" },
	{ .request = true,
	  .data_bytes = 13,
	  .data = "\011\000\000\000\034\012\000\000\000\002\000\000\000" },
	{ .request = false,
	  .data_bytes = 33,
	  .data = "\012\000\000\001\000\000e\000\000\000\003row\006\000\000\002\000\010\017\000"
		  "\000\000\005\000\000\003\376\000\000B\000" },
	{ .request = true,
	  .data_bytes = 13,
	  .data = "\011\000\000\000\034\012\000\000\000\002\000\000\000" },
	{ .request = false,
	  .data_bytes = 29,
	  .data = "\006\000\000\001\000\010\017\000\000\000\006\000\000\002\000\010\017\000\000"
		  "\000\005\000\000\003\376\000\000B\000" },
	{ .request = true,
	  .data_bytes = 13,
	  .data = "\011\000\000\000\034\012\000\000\000\002\000\000\000" },
	{ .request = false,
	  .data_bytes = 29,
	  .data = "\006\000\000\001\000\010\013\000\000\000\006\000\000\002\000\010\013\000\000"
		  "\000\005\000\000\003\376\000\000B\000" },
	{ .request = true,
	  .data_bytes = 13,
	  .data = "\011\000\000\000\034\012\000\000\000\002\000\000\000" },
	{ .request = false,
	  .data_bytes = 19,
	  .data = "\006\000\000\001\000\010\013\000\000\000\005\000\000\002\376\000\000\202\000" },
	{ .request = true,
	  .data_bytes = 9,
	  .data = "\005\000\000\000\031\012\000\000\000" },
	{ .request = true,
	  .data_bytes = 5,
	  .data = "\001\000\000\000\016" },
	{ .request = false,
	  .data_bytes = 11,
	  .data = "\007\000\000\001\000\000\000\002\000\000\000" },
	{ .request = true,
	  .data_bytes = 15,
	  .data = "\013\000\000\000\002no_such_db" },
	{ .request = false,
	  .data_bytes = 42,
	  .data = "&\000\000\001\377\031\004#42000Unknown database 'no_such_db'" },
	{ .request = true,
	  .data_bytes = 9,
	  .data = "\005\000\000\000\002test" },
	{ .request = false,
	  .data_bytes = 20,
	  .data = "\020\000\000\001\000\000\000\002@\000\000\000\007\001\005\004test" },
	{ .request = true,
	  .data_bytes = 5,
	  .data = "\001\000\000\000\011" },
	{ .request = false,
	  .data_bytes = 118,
	  .data = "r\000\000\001Uptime: 25  Threads: 1  Questions: 104  Slow queries: 0  Opens:"
		  " 19  Open tables: 10  Queries per second avg: 4.160" },
	{ .request = true,
	  .data_bytes = 7,
	  .data = "\003\000\000\000\033\000\000" },
	{ .request = false,
	  .data_bytes = 9,
	  .data = "\005\000\000\001\376\000\000\002\000" },
	{ .request = true,
	  .data_bytes = 17,
	  .data = "\015\000\000\000\003DROP TABLE t" },
	{ .request = false,
	  .data_bytes = 11,
	  .data = "\007\000\000\001\000\000\000\002\000\000\000" },
	{ .request = true,
	  .data_bytes = 5,
	  .data = "\001\000\000\000\037" },
	{ .request = false,
	  .data_bytes = 11,
	  .data = "\007\000\000\001\000\000\000\002\000\000\000" },
	{ .request = true,
	  .data_bytes = 148,
	  .data = "\220\000\000\000\021app\000\000test\000-\000mysql_native_password\000l\003_o"
		  "s\005Linux\014_client_name\012libmariadb\004_pid\00515112\017_client_version"
		  "\0063.3.20\011_platform\006x86_64\014_server_host\011127.0.0.1" },
	{ .request = false,
	  .data_bytes = 48,
	  .data = ",\000\000\001\376mysql_native_password\000UnIc6$M:yvbihN/<\"3w!\000" },
	{ .request = true,
	  .data_bytes = 4,
	  .data = "\000\000\000\002" },
	{ .request = false,
	  .data_bytes = 20,
	  .data = "\020\000\000\003\000\000\000\002@\000\000\000\007\001\005\004test" },
	{ .request = true,
	  .data_bytes = 19,
	  .data = "\017\000\000\000\003SELECT 'again'" },
	{ .request = false,
	  .data_bytes = 66,
	  .data = "\002\000\000\001\001\001\034\000\000\002\003def\000\000\000\005again\000\000"
		  "\014-\000\024\000\000\000\375\001\000'\000\000\005\000\000\003\376\000\000"
		  "\002\000\006\000\000\004\005again\005\000\000\005\376\000\000\002\000" },
	{ .request = true,
	  .data_bytes = 5,
	  .data = "\001\000\000\000\001" },
};

#endif
