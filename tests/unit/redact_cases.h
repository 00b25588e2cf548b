/* SPDX-License-Identifier: BSD-2-Clause */
/* The dialogues of the redaction tests: every kind of secret that the rules name. */
#ifndef FR_TESTS_REDACT_CASES_H
#define FR_TESTS_REDACT_CASES_H

#include "mysql_fixture.h"
#include "redact_fixture.h"

static inline void case_http(void)
{
	rd_begin("http");
	rd_text(true,
		"POST /login;" SECRET("jsession=PQRS") "/x?user=" SECRET("bob") "&" SECRET("qqzzy")
		"&sig=" SECRET("abcdefgh") "&p=" SECRET("w") " HTTP/1.1\r\n"
		"Host: shop.example.com:8443\r\n"
		"Authorization: " SECRET("Bearer_eyJhbGci.X") "\r\n"
		"cookie:" SECRET("sid=QWERTY") "\r\n"
		"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-" "00f067aa0ba902b7-01\r\n"
		"X-Api-Key: " SECRET("KKKKK") "\r\n"
		"Content-Type: text/plain; " SECRET("boundary=BBBB") "\r\n"
		"Content-Length: 26\r\n\r\n" SECRET("password=hunter2&x=yzGET.\n"));
	rd_text(false, "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/html\r\n"
		       "Set-Cookie: " SECRET("sid=ASDF;Path") "\r\nTransfer-Encoding: chunked\r\n"
		       "Server: " SECRET("nginx") "\r\n\r\n"
		       "5;" SECRET("ext=QQ") "\r\n" SECRET("hello") "\r\n"
		       "b\r\n" SECRET("HTTP/zz QQQ") "\r\n"
		       "0\r\nX-T: " SECRET("TTTT") "\r\n\r\n");
	rd_text(true, "HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n");
	rd_text(false, "HTTP/1.1 200 " SECRET("Ok_i_say") "\r\nContent-Length: 7\r\n\r\n");
	rd_text(true, "GET http://" SECRET("bob:hunter") "@a.example.org/p/q?" SECRET("tttt")
		      " HTTP/1.1\r\nHost: " SECRET("u:pw") "@b.example.org\r\n\r\n");
	rd_text(false, "HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\n" SECRET("nobody"));
}

static inline void case_http_upgrade(void)
{
	rd_begin("http upgrade");
	rd_text(true, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		      "Sec-WebSocket-Key: " SECRET("dGhlIHNhbXBsZS") "\r\n\r\n");
	rd_text(false, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
	rd_text(true, SECRET("\x81\x05GET /secret HTTP/1.1\r\n"));
	rd_text(false, SECRET("\x81\x18HTTP/1.1 200 OK\r\nset\r\n\r\n"));
}

static inline void case_postgres_login(void)
{
	static const char params[] = "user\0bob\0database\0shop\0options\0" SECRET("-c_a=b") "\0"
				     "application_name\0" SECRET("myapp") "\0";
	static const uint8_t ssl[] = { 0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f };
	uint8_t head[] = { 0, 0, 0, 8 + sizeof(params) - 4, 0, 3, 0, 0 };

	rd_begin("postgres login");
	rd_put(ssl, sizeof(ssl));
	rd_say(true);
	rd_text(false, "N");
	rd_put(head, sizeof(head));
	rd_put(params, sizeof(params));
	rd_say(true);
	RD_PG('R', "\0\0\0\5" SECRET("SALT"));
	rd_say(false);
	RD_PG('p', SECRET("md5abcdefabcdef") "\0");
	rd_say(true);
	RD_PG('R', "\0\0\0\0");
	RD_PG('S', SECRET("server_version\1x15.1") "\0");
	RD_PG('K', SECRET("PPPPKKKK"));
	RD_PG('Z', "I");
	rd_say(false);
}

static inline void case_postgres_simple(void)
{
	rd_begin("postgres simple");
	RD_PG('Q', "SELECT a,b FROM users WHERE n='" SECRET("it") "' AND e=E'"
		   SECRET("x\\") "'" SECRET("yz")
		   "' AND d=$t$" SECRET("dollar$x") "$t$ AND i>" SECRET("12345") " AND f=-"
		   SECRET("98.7e5") " AND u=U&'" SECRET("d\\61t") "' AND h=X'" SECRET("1FAB")
		   "' /*" SECRET("comment") "*/ AND c=$1 -- " SECRET("line") "\n LIMIT "
		   SECRET("77") "\0");
	rd_say(true);
	RD_PG('T', "\0\1" SECRET("colname") "\0\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1");
	RD_PG('D', "\0\1" SECRET("\1\1\1\5alice"));
	RD_PG('C', "SELECT 1\0");
	RD_PG('Z', "I");
	rd_say(false);
	RD_PG('Q', "INSERT INTO t VALUES ('" SECRET("ab") "')"
		   "/*traceparent='00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',"
		   SECRET("app='zz'") "*/\0");
	rd_say(true);
	RD_PG('E', "SERROR\0VERROR\0C23505\0M" SECRET("duplicate_key_value") "\0D"
		   SECRET("Key_(n)=(alice)") "\0\0");
	RD_PG('Z', "I");
	rd_say(false);
	RD_PG('Q', "COPY t FROM STDIN\0");
	rd_say(true);
	RD_PG('G', "\0\0\1\0\0");
	rd_say(false);
	RD_PG('d', SECRET("alice\t5\n"));
	RD_PG('c', "");
	rd_say(true);
	RD_PG('C', "COPY 1\0");
	RD_PG('Z', "I");
	rd_say(false);
}

/* What is split between its two quotes loses the rest of its text: no comparing. */
static inline void case_postgres_quotes(void)
{
	rd_begin("postgres quotes");
	RD_PG('Q', "SELECT '" SECRET("a") "''" SECRET("b") "', '" SECRET("c\\") "' , '"
		   SECRET("d") "' FROM t -- '" SECRET("e") "'\nf\0");
	rd_say(true);
	RD_PG('Q', "SELECT E'" SECRET("a") "'\n'" SECRET("b\\\\") "' , $$" SECRET("c")
		   "$$, $x$" SECRET("$$d$y$") "$x$, b'" SECRET("e") "', \"n\"\"m\", '"
		   SECRET("unended") "\0");
	rd_say(true);
}

static inline void case_postgres_extended(void)
{
	rd_begin("postgres extended");
	RD_PG('P', "s1\0SELECT name FROM t WHERE id=$1 AND k='" SECRET("lit") "'\0\0\0");
	RD_PG('D', "Ss1\0");
	RD_PG('S', "");
	rd_say(true);
	RD_PG('1', "");
	RD_PG('t', SECRET("\1\1pp"));
	RD_PG('n', "");
	RD_PG('Z', "I");
	rd_say(false);
	RD_PG('B', "\0s1\0" SECRET("\1\2bindvalue\1"));
	RD_PG('E', "\0\0\0\0\0");
	RD_PG('S', "");
	rd_say(true);
	RD_PG('2', "");
	RD_PG('D', "\0\1" SECRET("\1\1\1\5alice"));
	RD_PG('C', "SELECT 1\0");
	RD_PG('Z', "I");
	rd_say(false);
}

static inline void case_redis(void)
{
	rd_begin("redis");
	rd_text(true, "*3\r\n$4\r\nAUTH\r\n$3\r\n" SECRET("bob") "\r\n$7\r\n" SECRET("hunter2")
		      "\r\n");
	rd_text(false, "+OK\r\n");
	rd_text(true, "*3\r\n$3\r\nSET\r\n$5\r\n" SECRET("mykey") "\r\n$9\r\n"
		      SECRET("v\r\n$3\r\nGE") "\r\n*2\r\n$3\r\nget\r\n$5\r\n" SECRET("mykey")
		      "\r\n*2\r\n$4\r\nINCR\r\n$1\r\n" SECRET("c") "\r\n");
	rd_text(false, "+OK\r\n$9\r\n" SECRET("v\r\n$3\r\nGE") "\r\n:" SECRET("12345") "\r\n");
	rd_text(true, "*2\r\n$5\r\nLPUSH\r\n$4\r\n" SECRET("list") "\r\n");
	rd_text(false, "-WRONGTYPE " SECRET("Operation_on_key_mykey") "\r\n");
	rd_text(true, "*2\r\n$4\r\nHGET\r\n$1\r\n" SECRET("h") "\r\n");
	rd_text(false, "*2\r\n$5\r\n" SECRET("field") "\r\n%1\r\n+" SECRET("simple") "\r\n,"
		       SECRET("3.14") "\r\n");
}

/* As typed: a word in two parts may be anything. No comparing. */
static inline void case_redis_inline(void)
{
	rd_begin("redis inline");
	rd_text(true, "*1\r\n$4\r\nPING\r\n");
	rd_text(false, "+PONG\r\n");
	rd_text(true, "ECHO " SECRET("hello") "\r\n");
	rd_text(false, "+" SECRET("hello") "\r\n");
}

/* Marks what stands in the bytes said so far. */
static inline void mark(const char *secret)
{
	size_t cnt = strlen(secret), found_cnt = 0;

	for (size_t at = 0; at + cnt <= rd.used; at++) {
		if (memcmp(rd.bytes + at, secret, cnt))
			continue;
		memset(rd.secret + at, 1, cnt);
		found_cnt++;
	}
	assert_true(found_cnt);
}

/* A real session, see mysql_fixture.h: literals, rows, salt, texts of errors. */
static inline void case_mysql(void)
{
	static const char *const secrets[] = {
		"UnIc6$M:",   "yvbihN/<", "libmariadb", "15112",	 "'one'",   "'two'",
		"'three'",    "\003one\373", "changed\001x", "near",	 "nowhere.nothing' doesn",
		"Records: 3", "Rows matched", "_client_name",
	};

	rd_begin("mysql");
	for (size_t i = 0; i < sizeof(mysql_talk) / sizeof(mysql_talk[0]); i++) {
		for (size_t k = 0; k < mysql_talk[i].data_bytes; k++)
			rd_byte((uint8_t)mysql_talk[i].data[k]);
		if (mysql_talk[i].data_bytes)
			rd_say(mysql_talk[i].request);
	}
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		mark(secrets[i]);
	for (size_t i = 0; i < rd.used; i++) /* a filler that stands there already tells nothing */
		if (strchr("'\"", rd.bytes[i]) && rd.bytes[i])
			rd.secret[i] = false;
}

static inline void case_unknown(void)
{
	rd_begin("unknown");
	rd_text(true, SECRET("\x16\x03\x01secret hello"));
	rd_text(false, SECRET("\x16\x03\x03reply"));
	rd_text(true, SECRET("PASSWORD hunter"));
	rd_text(false, SECRET("welcome"));
}

/* A body that looks like a request. No sweep: seen alone it is one. */
static inline void case_body_continues(void)
{
	rd_begin("body after 100");
	rd_text(true, "PUT /f HTTP/1.1\r\nExpect: " SECRET("100-continue") "\r\nContent-Length: "
		      "44\r\n\r\n");
	rd_text(false, "HTTP/1.1 100 Continue\r\n\r\n");
	rd_text(true, SECRET("GET /fake HTTP/1.1\r\nHost: body.example\r\n\r\nxyz"));
	rd_text(false, "HTTP/1.1 204 No Content\r\n\r\n");
}

typedef void rd_case(void);
static rd_case *const rd_cases[] = {
	case_http, case_http_upgrade, case_postgres_login, case_postgres_simple,
	case_postgres_extended, case_postgres_quotes, case_redis, case_redis_inline,
	case_mysql, case_unknown,
};
#define RD_CASE_CNT (sizeof(rd_cases) / sizeof(rd_cases[0]))

#endif
