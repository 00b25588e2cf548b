/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests as spans: names, attributes, kinds, status, links, waits. */
#include "cm.h"

#include "formats/out/convert.h"
#include "otlp_fixture.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, of_begin, of_end)

static struct fr_request get(const char *target, int32_t status, bool server)
{
	return (struct fr_request){
		.protocol = FR_WIRE_HTTP1,
		.server = server,
		.status = status,
		.command = OF_SLICE("GET"),
		.text = { (const uint8_t *)target, strlen(target) },
		.host = OF_SLICE("shop.example:8080"),
		.version = 10,
		.request_bytes = 120,
		.response_bytes = 4500,
		.start = { .time_ns = 10 * OF_S, .tid = OF_WEB_M },
		.first = { .time_ns = 10 * OF_S + 5000000 },
		.end = { .time_ns = 10 * OF_S + 20000000 },
	};
}

/* ---- HTTP ----------------------------------------------------------------------------------- */

static void a_server_span(void **state)
{
	struct fr_request r = get("/cart?id=1&sig=abc&x", 200, true);

	(void)state;
	of_json(&r);
	of_has(of.traces, "\"name\":\"GET\",\"kind\":2,"
			  "\"startTimeUnixNano\":\"1764000010000000000\","
			  "\"endTimeUnixNano\":\"1764000010020000000\",");
	of_str("http.request.method", "GET");
	of_str("http.request.method_original", NULL);
	of_int("http.response.status_code", 200);
	of_str("url.path", "/cart");
	of_str("url.query", "id=1&sig=REDACTED&x");
	of_str("url.scheme", "http");
	of_str("url.full", NULL);
	of_str("http.route", NULL);
	of_str("server.address", "shop.example");
	of_int("server.port", 8080);
	of_str("client.address", "10.0.0.200");
	of_str("network.peer.address", "10.0.0.200");
	of_int("network.peer.port", 40000);
	of_str("network.transport", "tcp");
	of_str("error.type", NULL);
	of_str("network.protocol.version", "1.0");
	of_int("flightrec.request.bytes", 120);
	of_int("flightrec.response.bytes", 4500);
	of_int("flightrec.time.to_first_byte_ns", 5000000);
	of_int("flightrec.thread.id", OF_WEB_M);
	of_str("flightrec.thread.name", "web-m");
	of_int("flightrec.socket.id", 7);
	of_has_not(of.traces, "\"status\"");
	of_has(of.traces, "\"flags\":1}");
}

static void a_client_span(void **state)
{
	struct fr_request r = get("http://bob:secret@api.example/v1?Signature=q", 404, false);

	(void)state;
	of_json(&r);
	of_has(of.traces, "\"name\":\"GET\",\"kind\":3,");
	of_str("url.full", "http://REDACTED:REDACTED@api.example/v1?Signature=REDACTED");
	of_str("url.path", NULL);
	of_str("server.address", "api.example");
	of_int("server.port", 40000); /* where it went: the name has none */
	of_str("client.address", NULL);
	of_str("error.type", "404");
	of_has(of.traces, "\"status\":{\"code\":2}");
	of_has_not(of.traces, "secret");
	r = get("/plain", 200, false);
	of_json(&r);
	of_str("url.full", "http://shop.example:8080/plain");
	r.host.len_bytes = 0;
	of_json(&r);
	of_str("url.full", "http://10.0.0.200:40000/plain");
	of_str("server.address", "10.0.0.200");
}

static void status_by_side(void **state)
{
	struct fr_request r = get("/", 404, true);

	(void)state;
	of_json(&r);
	of_has_not(of.traces, "\"status\"");
	of_str("error.type", NULL);
	r.status = 503;
	of_json(&r);
	of_has(of.traces, "\"status\":{\"code\":2}");
	of_str("error.type", "503");
	r.status = FR_WIRE_STATUS_UNKNOWN;
	of_json(&r);
	of_has_not(of.traces, "\"status\"");
	of_has_not(of.traces, "http.response.status_code");
}

static void unknown_methods(void **state)
{
	struct fr_request r = get("*", 200, true);

	(void)state;
	r.command = OF_SLICE("PURGE");
	of_json(&r);
	of_has(of.traces, "\"name\":\"HTTP\"");
	of_str("http.request.method", "_OTHER");
	of_str("http.request.method_original", "PURGE");
	of_str("url.path", "*");
	/* its head was not seen */
	r.command = r.text = r.host = (struct fr_slice){ 0 };
	r.marks = FR_MARK_START_UNSEEN | FR_MARK_GAP;
	of_json(&r);
	of_str("http.request.method", "_OTHER");
	of_str("http.request.method_original", NULL);
	of_str("url.path", NULL);
	of_str("server.address", "10.0.0.1");
	of_int("server.port", 8080);
	of_has(of.traces, "{\"key\":\"flightrec.marks\",\"value\":{\"arrayValue\":{\"values\":["
			  "{\"stringValue\":\"start_unseen\"},{\"stringValue\":\"gap\"}]}}}");
}

static void targets_and_hosts(void **state)
{
	struct fr_request r = get("example.net:443", 200, false);

	(void)state;
	r.command = OF_SLICE("CONNECT");
	of_json(&r);
	of_str("server.address", "example.net");
	of_int("server.port", 443);
	r = get("/", 200, true);
	r.host = OF_SLICE("[::1]:81");
	of_json(&r);
	of_str("server.address", "::1");
	of_int("server.port", 81);
	r.host = OF_SLICE("[fe80::1]");
	of_json(&r);
	of_str("server.address", "fe80::1");
	of_has_not(of.traces, "server.port");
	r.host = OF_SLICE("a:123456");
	of_json(&r);
	of_str("server.address", "a:123456"); /* no port: as it came */
	r.host = OF_SLICE("a:99999");
	of_json(&r);
	of_str("server.address", "a");
	of_has_not(of.traces, "server.port");
}

static void what_is_not_utf8(void **state)
{
	struct fr_request r = get("/\xff\xc3\xbc", 200, true);

	(void)state;
	of_json(&r);
	of_str("url.path", "/\xef\xbf\xbd\xc3\xbc");
}

static void query_values_that_sign(void **state)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "&", "&" },
		{ "sig", "sig" },
		{ "sig=", "sig=REDACTED" },
		{ "a=b&X-Amz-Signature=1=2&c", "a=b&X-Amz-Signature=REDACTED&c" },
		{ "signature=1", "signature=1" }, /* keys are case-sensitive */
		{ "AWSAccessKeyId=1&X-Goog-Signature=2&X-Amz-Credential=&X-Amz-Security-Token=9",
		  "AWSAccessKeyId=REDACTED&X-Goog-Signature=REDACTED&X-Amz-Credential=REDACTED&"
		  "X-Amz-Security-Token=REDACTED" },
	};
	static struct fr_otlp_text text;
	struct fr_slice got;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		fr_otlp_text_reset(&text);
		got = fr_otlp_scrub_query(&text, fr_otlp_z(cases[i][0]));
		assert_int_equal(got.len_bytes, strlen(cases[i][1]));
		assert_memory_equal(got.data, cases[i][1], got.len_bytes);
	}
}

/* ---- databases ------------------------------------------------------------------------------- */

static struct fr_request query(const char *sql)
{
	return (struct fr_request){
		.protocol = FR_WIRE_POSTGRES,
		.text = { (const uint8_t *)sql, strlen(sql) },
		.command = OF_SLICE("SELECT"),
		.database = OF_SLICE("shop"),
		.start = { .time_ns = 10 * OF_S, .tid = OF_WEB_M },
	};
}

static void a_query(void **state)
{
	struct fr_request r = query("SELECT * FROM orders WHERE id = 42");

	(void)state;
	of_socket(40001, 5432);
	of_json(&r);
	of_has(of.traces, "\"name\":\"SELECT orders\",\"kind\":3,");
	of_str("db.system.name", "postgresql");
	of_str("db.namespace", "shop");
	of_str("db.query.text", "SELECT * FROM orders WHERE id = ?");
	of_str("db.query.summary", "SELECT orders");
	of_str("db.operation.name", NULL); /* never out of the text */
	of_str("server.address", "10.0.0.200");
	of_has_not(of.traces, "server.port"); /* the default one */
	of_has_not(of.traces, "network.peer");
	of_has_not(of.traces, "\"status\"");
	of_socket(40001, 6000);
	of_json(&r);
	of_int("server.port", 6000);
	/* the database's own process sees who asked */
	r.server = true;
	of_socket(5432, 40001);
	of_json(&r);
	of_has(of.traces, "\"kind\":2,");
	of_str("server.address", "10.0.0.1");
	of_str("client.address", "10.0.0.200");
	of_int("network.peer.port", 40001);
}

static void sql_errors(void **state)
{
	struct fr_request r = query("SELEC 1");

	(void)state;
	r.status = FR_WIRE_STATUS_ERROR;
	r.code = OF_SLICE("42601");
	of_json(&r);
	of_str("db.response.status_code", "42601");
	of_str("error.type", "42601");
	of_has(of.traces, "\"status\":{\"message\":\"42601\",\"code\":2}");
	r.code = OF_SLICE("01000"); /* a warning */
	of_json(&r);
	of_str("db.response.status_code", "01000");
	of_str("error.type", NULL);
	of_has_not(of.traces, "\"status\"");
	r.protocol = FR_WIRE_MYSQL; /* has numbers of its own */
	r.code = OF_SLICE("42S02");
	r.error_nr = 1146;
	of_json(&r);
	of_str("db.system.name", "mysql");
	of_str("db.response.status_code", "1146");
	of_str("error.type", "1146");
	r = query("INSERT INTO t VALUES (1)");
	r.status = FR_WIRE_STATUS_UNKNOWN;
	r.marks = FR_MARK_SKIPPED;
	of_json(&r);
	of_str("error.type", "skipped");
	of_has(of.traces, "\"status\":{\"message\":\"not executed");
	/* prepared before the recording: only the reply tells */
	r = query("");
	r.marks = FR_MARK_PREPARED_BEFORE;
	of_json(&r);
	of_has(of.traces, "\"name\":\"SELECT\"");
	of_str("db.operation.name", "SELECT");
	of_str("db.query.text", NULL);
}

static void redis_and_dns(void **state)
{
	struct fr_request r = { .protocol = FR_WIRE_REDIS,
				.command = OF_SLICE("HSET"),
				.status = FR_WIRE_STATUS_ERROR,
				.code = OF_SLICE("WRONGTYPE") };

	(void)state;
	of_socket(40001, 6379);
	of_json(&r);
	of_has(of.traces, "\"name\":\"HSET\",\"kind\":3,");
	of_str("db.system.name", "redis");
	of_str("db.operation.name", "HSET");
	of_str("network.peer.address", "10.0.0.200");
	of_int("network.peer.port", 6379);
	of_str("error.type", "WRONGTYPE");
	r = (struct fr_request){ .protocol = FR_WIRE_DNS,
				 .command = OF_SLICE("AAAA"),
				 .text = OF_SLICE("api.example"),
				 .status = 3,
				 .code = OF_SLICE("NXDOMAIN") };
	of_socket(40001, 53);
	of.socket.type = FR_SOCK_DGRAM;
	of_json(&r);
	of_has(of.traces, "\"name\":\"DNS AAAA\"");
	of_str("dns.question.name", "api.example");
	of_str("network.transport", "udp");
	of_str("error.type", "NXDOMAIN");
	of_str("server.address", "10.0.0.200");
	of_has_not(of.traces, "server.port"); /* 53 */
	/* a socket that is not connected: each exchange has its own other end */
	r.ends = of.socket.addr;
	r.ends.remote[3] = 53;
	of.socket.addr = (struct fr_sock_addr){ .family = FR_AF_INET, .local_port = 40001 };
	of_json(&r);
	of_str("server.address", "10.0.0.53");
	of_int("network.peer.port", 53);
}

static void unix_sockets(void **state)
{
	struct fr_request r = query("SELECT 1");

	(void)state;
	of.socket = (struct fr_socket){ .id = 9,
					.type = FR_SOCK_STREAM,
					.addr.family = FR_AF_UNIX,
					.path = OF_SLICE("/run/.s.PGSQL.5432") };
	of_json(&r);
	of_str("server.address", "/run/.s.PGSQL.5432");
	of_str("network.transport", "unix");
	of_has_not(of.traces, "server.port");
	of.socket.path = OF_SLICE("\0name");
	of_json(&r);
	of_str("server.address", "@name");
	of.span.socket = NULL;
	of_json(&r);
	of_str("network.transport", NULL);
}

/* ---- links ---------------------------------------------------------------------------------- */

static void parents_and_flags(void **state)
{
	struct fr_request r = get("/", 200, true);

	(void)state;
	of.span.parent_id[7] = 9;
	of.span.link = FR_LINK_WIRE;
	r.traceparent_cnt = 1;
	r.traceparent = OF_SLICE("00-0a0102030405060708090a0b0c0d0e0f-0000000000000009-01");
	r.tracestate = OF_SLICE("a=1,b=2");
	of_json(&r);
	of_has(of.traces, "{\"traceId\":\"0a0102030405060708090a0b0c0d0e0f\","
			  "\"spanId\":\"b001020304050607\",\"traceState\":\"a=1,b=2\","
			  "\"parentSpanId\":\"0000000000000009\",\"name\"");
	of_has(of.traces, "\"flags\":769}");
	of_str("flightrec.link", "wire");
	/* of another trace: that state is not this one's */
	r.traceparent = OF_SLICE("00-0b0102030405060708090a0b0c0d0e0f-0000000000000009-01");
	of_json(&r);
	of_has_not(of.traces, "traceState");
	r.traceparent = OF_SLICE("00-0a0102030405060708090a0b0c0d0e0f-0000000000000009-01");
	r.tracestate = OF_SLICE("a=1,a=2,");
	r.tracestate.data = (const uint8_t *)"=x,a=2, ";
	of_json(&r);
	of_has_not(of.traces, "traceState");
	of.span.link = FR_LINK_LINE;
	of.span.goid = 55;
	of_json(&r);
	of_has(of.traces, "\"flags\":257}");
	of_str("flightrec.link", "line");
	of_int("flightrec.goid", 55);
	of.span.link = FR_LINK_PEER;
	of_json(&r);
	of_has(of.traces, "\"flags\":769}");
}

/* ---- time ----------------------------------------------------------------------------------- */

static void budgets_and_waits(void **state)
{
	struct fr_request r = get("/", 200, true);
	struct fr_budget *b = &of.span.budget;

	(void)state;
	of_json(&r);
	of_int("flightrec.time.unattributed_ns", 20000000);
	of_has_not(of.traces, "on_cpu_ns");
	of_has_not(of.traces, "\"events\"");
	of.span.budget_known = true;
	*b = (struct fr_budget){
		.on_cpu_ns = 1000000,
		.runqueue_ns = 2000000,
		.blocked_ns = { 12000000, 3000000, 1500000 },
		.unattributed_ns = 500000,
		.peers = { { .socket_id = 5, .wait_ns = 12000000, .wait_cnt = 2 } },
		.peer_cnt = 1,
		.wait_cnt = 3
	};
	b->waits[0] = (struct fr_wait){ .from_ns = 10 * OF_S + 5000000,
					.to_ns = 10 * OF_S + 17000000,
					.socket_id = 5,
					.kind = FR_WAIT_BLOCKED,
					.cause = FR_BLOCK_NETWORK,
					.waker = FR_WHO_NONE };
	b->waits[1] =
		(struct fr_wait){ .from_ns = 10 * OF_S + 1000000,
				  .to_ns = 10 * OF_S + 3000000,
				  .kind = FR_WAIT_RUNQUEUE,
				  .waker = fr_names_thread(of.session->names, OF_JAVA, 10 * OF_S) };
	b->waits[2] = (struct fr_wait){ .from_ns = 10 * OF_S + 18000000,
					.to_ns = 10 * OF_S + 19500000,
					.kind = FR_WAIT_BLOCKED,
					.cause = FR_BLOCK_OTHER,
					.waker = of.span.who };
	of_json(&r);
	of_int("flightrec.time.on_cpu_ns", 1000000);
	of_int("flightrec.time.runqueue_ns", 2000000);
	of_int("flightrec.time.blocked.network_ns", 12000000);
	of_int("flightrec.time.blocked.disk_ns", 3000000);
	of_int("flightrec.time.blocked.other_ns", 1500000);
	of_int("flightrec.time.unattributed_ns", 500000);
	/* nobody knows that socket's other end */
	of_has(of.traces, "{\"key\":\"flightrec.network.waits\",\"value\":"
			  "{\"arrayValue\":{\"values\":[{\"stringValue\":\"? 12000000\"}]}}}");
	/* in order of time */
	of_has(of.traces,
	       "\"events\":[{\"timeUnixNano\":\"1764000010001000000\","
	       "\"name\":\"flightrec.wait.runqueue\",\"attributes\":["
	       "{\"key\":\"flightrec.wait.duration_ns\",\"value\":{\"intValue\":\"2000000\"}},"
	       "{\"key\":\"flightrec.wait.ran_instead\",\"value\":{\"stringValue\":\"java\"}},"
	       "{\"key\":\"flightrec.wait.ran_instead_thread_id\",\"value\":"
	       "{\"intValue\":\"300\"}}]},{\"timeUnixNano\":\"1764000010005000000\","
	       "\"name\":\"flightrec.wait.network\"");
	of_int("flightrec.wait.duration_ns", 12000000);
	of_str("flightrec.wait.waker", "web-m");
	of_int("flightrec.wait.waker_thread_id", OF_WEB_M);
}

static void more_than_there_is_room_for(void **state)
{
	static struct fr_otlp_attr at[2];
	struct fr_otlp_attrs a = { .at = at, .cap = 2 };
	static struct fr_otlp_text text;
	static uint8_t big[FR_OTLP_TEXT_BYTES];

	(void)state;
	fr_otlp_int(&a, FR_LIT("a"), 1);
	fr_otlp_str(&a, FR_LIT("b"), (struct fr_slice){ 0 }); /* no room was found for its text */
	fr_otlp_int(&a, FR_LIT("c"), 1);
	fr_otlp_int(&a, FR_LIT("d"), 1);
	assert_int_equal(a.cnt, 2);
	assert_int_equal(a.dropped_cnt, 2);
	fr_otlp_text_reset(&text);
	memset(big, 0xff, sizeof(big));
	assert_null(fr_otlp_utf8(&text, (struct fr_slice){ big, sizeof(big) }).data);
	assert_int_equal(fr_otlp_utf8(&text, (struct fr_slice){ big, sizeof(big) / 3 }).len_bytes,
			 sizeof(big) / 3 * 3);
	assert_null(fr_otlp_printf(&text, "%s", "longer than what is left").data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_server_span),
		TEST(a_client_span),
		TEST(status_by_side),
		TEST(unknown_methods),
		TEST(targets_and_hosts),
		TEST(what_is_not_utf8),
		TEST(query_values_that_sign),
		TEST(a_query),
		TEST(sql_errors),
		TEST(redis_and_dns),
		TEST(unix_sockets),
		TEST(parents_and_flags),
		TEST(budgets_and_waits),
		TEST(more_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
