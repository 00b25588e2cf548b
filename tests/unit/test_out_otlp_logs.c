/* SPDX-License-Identifier: BSD-2-Clause */
/* What the OTLP sinks tell beside spans, and the traces that it belongs to. */
#include "cm.h"

#include "formats/out/convert.h"
#include "otlp_fixture.h"

#define TRACE "\"traceId\":\"0a0102030405060708090a0b0c0d0e0f\",\"spanId\":\"b001020304050607\""

static const struct fr_request ok = { .protocol = FR_WIRE_HTTP1,
				      .server = true,
				      .status = 200,
				      .command = OF_SLICE("GET"),
				      .text = OF_SLICE("/"),
				      .start = { .time_ns = 10 * OF_S, .tid = OF_JAVA },
				      .first = { .time_ns = 10 * OF_S + 5000000 },
				      .end = { .time_ns = 10 * OF_S + 6000000 } };

static void start(const struct fr_meta_trigger *t, const struct fr_meta_loss *loss)
{
	of_begin_with(t, loss);
	of_open("otlp-json", NULL);
}

static void only(const struct fr_request *r)
{
	of_span(r);
	of_close();
}

static void triggers_and_the_joined(void **state)
{
	struct fr_meta_trigger t = {
		.main = { .name = "manual",
			  .reason = "why \"slow\"?",
			  .boot_ns = 10 * OF_S,
			  .unix_ns = 1764000010000000000,
			  .number = 3,
			  .sender_pid = 44 },
		.joined = { { .name = "usr1", .boot_ns = 10 * OF_S + 1, .number = 4 } },
		.joined_cnt = 1,
	};

	(void)state;
	start(&t, NULL);
	of_close();
	of_has(of.logs, "{\"timeUnixNano\":\"1764000010000000000\",\"severityNumber\":13,"
			"\"severityText\":\"WARN\",\"body\":{\"stringValue\":"
			"\"manual: why \\\"slow\\\"?\"},\"attributes\":["
			"{\"key\":\"flightrec.trigger.name\",\"value\":"
			"{\"stringValue\":\"manual\"}},");
	of_has(of.logs, "{\"key\":\"flightrec.trigger.joined\",\"value\":{\"boolValue\":true}}");
	of_has(of.logs, "{\"key\":\"flightrec.trigger.sender_pid\",\"value\":"
			"{\"intValue\":\"44\"}}");
	of_has(of.logs, "\"eventName\":\"flightrec.trigger\"}");
	of_has(of.logs, "{\"timeUnixNano\":\"1764000010000000001\",");
	of_has(of.logs, "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"flightrecd\"}}");
	of_has_not(of.logs, "\"traceId\"");
	of_end(NULL);
}

/* The trigger tells of the request with the error, not of one that was nearer but well. */
static void a_trigger_is_in_the_trace_of_its_cause(void **state)
{
	struct fr_meta_trigger t = { .main = { .name = "http-5xx",
					       .boot_ns = 10 * OF_S + 5000100 } };
	struct fr_request r = ok;

	(void)state;
	start(&t, NULL);
	r.status = 500;
	r.first.time_ns += 200000;
	r.end.time_ns += 900000;
	of_span(&r);
	of.span.trace_id[0] = 0xff;
	of_span(&ok); /* nearer, but well */
	r.first.time_ns += 100000;
	of_span(&r); /* farther */
	of_close();
	of_has(of.logs, "\"flags\":1," TRACE);
	of_has_not(of.logs, "\"traceId\":\"ff");
	of_end(NULL);
	/* none is near enough */
	t.main.boot_ns += 20000000;
	start(&t, NULL);
	only(&r);
	of_has_not(of.logs, "\"traceId\"");
	of_end(NULL);
}

/* Where the socket is known, it alone counts, wherever in the reply the cause was. */
static void a_trigger_knows_its_socket(void **state)
{
	struct fr_meta_trigger t = { .main = { .name = "http-5xx",
					       .boot_ns = 10 * OF_S + 5500000,
					       .sock_id = 7,
					       .tgid = OF_WEB,
					       .seen = 12,
					       .suppressed = 11 } };
	struct fr_request r = ok;

	(void)state;
	start(&t, NULL);
	r.status = 500;
	r.end.time_ns += 5000000;
	of_span(&r);
	r.first.time_ns = 10 * OF_S + 5500000; /* nearer, but of another one */
	of.socket.id = 8;
	of.span.trace_id[0] = 0xff;
	of_span(&r);
	of_close();
	of_has(of.logs, TRACE);
	of_has_not(of.logs, "\"traceId\":\"ff");
	of_has(of.logs, "{\"key\":\"flightrec.trigger.suppressed\",\"value\":"
			"{\"intValue\":\"11\"}}");
	of_end(NULL);
}

/* A goroutine that waited for a CPU, say. */
static void a_trigger_knows_its_line(void **state)
{
	struct fr_meta_trigger t = { .main = { .name = "runqueue",
					       .boot_ns = 10 * OF_S + 5500000,
					       .tgid = OF_WEB,
					       .tid = OF_WEB_M,
					       .goid = 9 } };

	(void)state;
	start(&t, NULL);
	of_span(&ok); /* that thread, but no goroutine */
	of.span.goid = 8;
	of_span(&ok);
	of_close();
	of_has_not(of.logs, "\"traceId\"");
	of_end(NULL);
	start(&t, NULL);
	of.span.goid = 9;
	of_span(&ok);
	of_close();
	of_has(of.logs, TRACE);
	of_end(NULL);
}

static void which_triggers_tell_of_what(void **state)
{
	const struct {
		const char *trigger;
		enum fr_wire_proto_id protocol;
		int32_t status;
		bool want;
	} cases[] = {
		{ "sql-error", FR_WIRE_POSTGRES, FR_WIRE_STATUS_ERROR, true },
		{ "sql-error", FR_WIRE_MYSQL, FR_WIRE_STATUS_ERROR, true },
		{ "sql-error", FR_WIRE_POSTGRES, FR_WIRE_STATUS_OK, false },
		{ "sql-error", FR_WIRE_REDIS, FR_WIRE_STATUS_ERROR, false },
		{ "redis-error", FR_WIRE_REDIS, FR_WIRE_STATUS_ERROR, true },
		{ "latency", FR_WIRE_HTTP1, 200, true },
		{ "latency-p99", FR_WIRE_REDIS, FR_WIRE_STATUS_OK, true },
		{ "http-5xx", FR_WIRE_HTTP1, 499, false },
		{ "usr1", FR_WIRE_HTTP1, 500, false },
	};
	struct fr_meta_trigger t = { .main = { .boot_ns = 10 * OF_S + 6000000 } };
	struct fr_request r = ok;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(t.main.name, sizeof(t.main.name), "%s", cases[i].trigger);
		r.protocol = cases[i].protocol;
		r.status = cases[i].status;
		start(&t, NULL);
		only(&r);
		if (cases[i].want)
			of_has(of.logs, TRACE);
		else
			of_has_not(of.logs, "\"traceId\"");
		of_end(NULL);
	}
}

static void kill_it(uint64_t time_ns, uint32_t tid, uint32_t sig)
{
	struct fr_proc_signal e = {
		.tid = tid, .tgid = tid, .sig = sig, .code = 1, .address = 0xdead, .comm = "java"
	};
	struct fr_merged m = { .order_ns = time_ns,
			       .rec = { .kind = FR_EV_PROC_SIGNAL, .data = (uint8_t *)&e } };

	of.sink->record(of.ctx, &m, NULL);
}

static void java_serves(void)
{
	of.span.who = fr_names_thread(of.session->names, OF_JAVA, 10 * OF_S);
	of.span.tgid = OF_JAVA;
}

static void a_crash_is_in_the_request_that_was_served(void **state)
{
	struct fr_request client = ok;

	(void)state;
	start(NULL, NULL);
	kill_it(10 * OF_S + 1000, OF_JAVA, 11);
	java_serves();
	client.server = false;
	of.span.trace_id[0] = 0xee; /* its own call: the server's span comes and counts */
	of_span(&client);
	of.span.trace_id[0] = 0x0a;
	of_span(&ok);
	of.span.trace_id[0] = 0xee;
	of_span(&client);
	of_close();
	of_has(of.logs, "\"severityNumber\":21,\"severityText\":\"FATAL\",\"body\":{"
			"\"stringValue\":\"SIGSEGV (11) ends java (thread 300 of process 300)\"}");
	of_has(of.logs, "{\"key\":\"flightrec.signal.address\",\"value\":"
			"{\"stringValue\":\"0xdead\"}}");
	of_has(of.logs, "{\"key\":\"service.name\",\"value\":"
			"{\"stringValue\":\"unknown_service:java\"}}");
	of_end(NULL);
}

static void a_crash_elsewhere_is_in_no_request(void **state)
{
	(void)state;
	start(NULL, NULL);
	kill_it(10 * OF_S + 1000, OF_WEB, 15);	   /* another process */
	kill_it(10 * OF_S + 30000000, OF_JAVA, 6); /* later */
	java_serves();
	of_span(&ok);
	of.span.goid = 5; /* a goroutine may be on any thread by then */
	of.span.end_ns = 10 * OF_S + 40000000;
	of_span(&ok);
	of_close();
	of_has(of.logs, "\"severityText\":\"WARN\",\"body\":{\"stringValue\":\"SIGTERM (15)");
	of_has(of.logs, "SIGABRT (6)");
	of_has_not(of.logs, "\"traceId\"");
	of_end(NULL);
}

/* The recorder ends its helpers, and that is no trouble; that it is ended itself is. */
static void own_helpers_die_quietly(void **state)
{
	struct fr_proc_signal e = { .tid = 500, .tgid = 500, .sig = 9, .comm = "flightrecd" };
	struct fr_merged m = { .order_ns = 10 * OF_S,
			       .rec = { .kind = FR_EV_PROC_SIGNAL, .data = (uint8_t *)&e } };

	(void)state;
	start(NULL, NULL);
	of.sink->record(of.ctx, &m, NULL);
	of_close();
	of_has(of.logs, "\"severityText\":\"INFO\",\"body\":{\"stringValue\":\"SIGKILL (9)");
	of_end(NULL);
	start(NULL, NULL);
	snprintf(e.comm, sizeof(e.comm), "other");
	of.sink->record(of.ctx, &m, NULL);
	of_close();
	of_has(of.logs, "\"severityText\":\"WARN\",\"body\":{\"stringValue\":\"SIGKILL (9)");
	of_end(NULL);
	start(NULL, NULL);
	snprintf(e.comm, sizeof(e.comm), "flightrecd");
	e.tgid = fr_dump_host(of.session->dumps[0].dump)->recorder_pid;
	of.sink->record(of.ctx, &m, NULL);
	of_close();
	of_has(of.logs, "\"severityText\":\"WARN\",\"body\":{\"stringValue\":\"SIGKILL (9)");
	of_end(NULL);
}

static void ranges_and_filters_hold_for_deaths(void **state)
{
	(void)state;
	start(NULL, NULL);
	kill_it(8 * OF_S, OF_JAVA, 11); /* before the range */
	of.c.filter.pid = OF_WEB;
	kill_it(10 * OF_S, OF_JAVA, 6);
	kill_it(10 * OF_S, OF_WEB, 3);
	of_close();
	of_has_not(of.logs, "SIGSEGV");
	of_has_not(of.logs, "SIGABRT");
	of_has(of.logs, "SIGQUIT");
	of_end(NULL);
}

static void more_deaths_than_wait(void **state)
{
	size_t cnt = 0;

	(void)state;
	start(NULL, NULL);
	for (int i = 0; i < 2000; i++)
		kill_it(10 * OF_S + (uint64_t)i, OF_JAVA, 9);
	of_close();
	for (const char *p = of.logs; (p = strstr(p, "\"flightrec.signal\"}")); p++)
		cnt++;
	assert_int_equal(cnt, 2000);
	of_end(NULL);
}

static void requests_that_found_no_room(void **state)
{
	struct fr_convert_stats stats = { .spans = { .spans = 40, .overflow = 3 } };

	(void)state;
	start(NULL, NULL);
	of.sink->end(of.ctx, &stats);
	assert_int_equal(fr_out_close(&of.out), 0);
	of_read(of.logs_path, &of.logs, &of.logs_bytes);
	unlink(of.path);
	of_has(of.logs, "\"severityText\":\"WARN\",\"body\":{\"stringValue\":"
			"\"40 requests, not all that there were\"}");
	of_has(of.logs, "{\"key\":\"flightrec.requests.overflow\",\"value\":"
			"{\"intValue\":\"3\"}}");
	of_end(NULL);
}

static void losses_by_cause_and_cpu(void **state)
{
	struct fr_cpu_loss cpus[] = { { .cpu = 0, .emitted = 100, .kept = 90, .overwritten = 10 },
				      { .cpu = 1, .emitted = 9, .kept = 4, .dropped_busy = 5 } };
	struct fr_meta_loss loss = { .cpus = cpus,
				     .cpu_cnt = 2,
				     .unnamed_sockets = 3,
				     .counters = { { "nostate", 17 }, { "none", 0 } },
				     .counter_cnt = 2,
				     .removed = { { "headers", 4096 } },
				     .removed_cnt = 1 };
	struct fr_lost lost = { .cpu = 1,
				.cause = FR_GAP_LOST,
				.from_ns = 10 * OF_S,
				.to_ns = 10 * OF_S + 7,
				.records = 5 };

	(void)state;
	start(NULL, &loss);
	of.sink->lost(of.ctx, &lost);
	lost.cause = FR_GAP_BETWEEN;
	lost.records = 0;
	of.sink->lost(of.ctx, &lost);
	lost.to_ns = 1; /* before the range */
	lost.cause = FR_GAP_DAMAGED;
	of.sink->lost(of.ctx, &lost);
	of_close();
	of_has(of.logs,
	       "\"stringValue\":\"CPU 1: events were lost while recording\"},"
	       "\"attributes\":[{\"key\":\"flightrec.cpu\",\"value\":{\"intValue\":\"1\"}},"
	       "{\"key\":\"flightrec.lost.cause\",\"value\":"
	       "{\"stringValue\":\"lost_while_recording\"}},"
	       "{\"key\":\"flightrec.lost.duration_ns\",\"value\":{\"intValue\":\"7\"}},"
	       "{\"key\":\"flightrec.lost.events\",\"value\":{\"intValue\":\"5\"}}]");
	of_has(of.logs, "CPU 1: no dump covers this time");
	of_has_not(of.logs, "damaged");
	of_has(of.logs, "\"severityText\":\"INFO\",\"body\":{\"stringValue\":"
			"\"CPU 0: 90 events kept, 10 overwritten, 0 lost\"}");
	of_has(of.logs, "\"severityText\":\"WARN\",\"body\":{\"stringValue\":"
			"\"CPU 1: 4 events kept, 0 overwritten, 5 lost\"}");
	of_has(of.logs, "{\"key\":\"flightrec.counter.nostate\",\"value\":{\"intValue\":\"17\"}}");
	of_has(of.logs, "{\"key\":\"flightrec.removed.headers\",\"value\":"
			"{\"intValue\":\"4096\"}}");
	of_has(of.logs, "{\"key\":\"flightrec.unnamed.sockets\",\"value\":{\"intValue\":\"3\"}}");
	of_has_not(of.logs, "counter.none");
	of_end(NULL);
}

static void damage_is_told(void **state)
{
	struct fr_convert_stats stats = { .merge = { .bad_chunks = 2, .bad_records = 30 },
					  .unsound = 4 };

	(void)state;
	start(NULL, NULL);
	of.sink->end(of.ctx, &stats);
	assert_int_equal(fr_out_close(&of.out), 0);
	of_read(of.logs_path, &of.logs, &of.logs_bytes);
	unlink(of.path);
	of_has(of.logs, "\"eventName\":\"flightrec.damage\"");
	of_has(of.logs, "{\"key\":\"flightrec.damage.chunk_events\",\"value\":"
			"{\"intValue\":\"30\"}}");
	of_end(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(triggers_and_the_joined),
		cmocka_unit_test(a_trigger_is_in_the_trace_of_its_cause),
		cmocka_unit_test(a_trigger_knows_its_socket),
		cmocka_unit_test(a_trigger_knows_its_line),
		cmocka_unit_test(which_triggers_tell_of_what),
		cmocka_unit_test(a_crash_is_in_the_request_that_was_served),
		cmocka_unit_test(a_crash_elsewhere_is_in_no_request),
		cmocka_unit_test(own_helpers_die_quietly),
		cmocka_unit_test(ranges_and_filters_hold_for_deaths),
		cmocka_unit_test(more_deaths_than_wait),
		cmocka_unit_test(losses_by_cause_and_cpu),
		cmocka_unit_test(requests_that_found_no_room),
		cmocka_unit_test(damage_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
