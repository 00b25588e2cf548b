/* SPDX-License-Identifier: BSD-2-Clause */
/* The OTLP sinks as a whole: both encodings say the same; files, requests, logs. */
#include "cm.h"

#include "convert_to.h"
#include "otlp_fixture.h"
#include "otlp_schema.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, of_begin, of_end)

static const struct fr_request plain = { .protocol = FR_WIRE_HTTP1,
					 .server = true,
					 .status = 200,
					 .command = OF_SLICE("GET"),
					 .text = OF_SLICE("/a?\"\\\x01\xff"),
					 .start = { .time_ns = 10 * OF_S, .tid = OF_JAVA } };

/* Spans with all that one can have, of three resources. */
static void rich_spans(void)
{
	struct fr_request r = plain;
	struct fr_request sql = { .protocol = FR_WIRE_POSTGRES,
				  .status = FR_WIRE_STATUS_ERROR,
				  .code = OF_SLICE("23505"),
				  .text = OF_SLICE("INSERT INTO t VALUES ('x')"),
				  .marks = FR_MARK_CUT | FR_MARK_GAP };
	struct fr_span s;

	of_span(&r);
	of.span.parent_id[3] = 1;
	of.span.link = FR_LINK_WIRE;
	of.span.goid = UINT64_MAX >> 1;
	r.traceparent_cnt = 1;
	r.traceparent = OF_SLICE("00-0a0102030405060708090a0b0c0d0e0f-0000000100000000-01");
	r.tracestate = OF_SLICE("k=v");
	of.span.budget_known = true;
	of.span.budget.wait_cnt = 2;
	of.span.budget.waits[0] = (struct fr_wait){ .from_ns = 10 * OF_S,
						    .to_ns = 10 * OF_S + 5,
						    .socket_id = 3,
						    .kind = FR_WAIT_BLOCKED,
						    .waker = of.span.who };
	of.span.budget.waits[1] = (struct fr_wait){ .from_ns = 10 * OF_S + 9,
						    .to_ns = 10 * OF_S + 10,
						    .kind = FR_WAIT_RUNQUEUE,
						    .waker = FR_WHO_NONE };
	of_span(&r);
	s = of.span;
	of.span.who = fr_names_thread(of.session->names, OF_JAVA, 10 * OF_S);
	of_span(&sql);
	of.span.who = FR_WHO_NONE;
	of.span.tgid = OF_NOBODY;
	of_span(&sql);
	of.span = s; /* of the first resource again */
	of_span(&sql);
}

static void send_signal(uint64_t time_ns, uint32_t tid, uint32_t tgid, uint32_t sig)
{
	struct fr_proc_signal e = { .tid = tid,
				    .tgid = tgid,
				    .sig = sig,
				    .code = (uint32_t)-6,
				    .address = 0xdead,
				    .sender_tgid = 1,
				    .comm = "java" };
	struct fr_merged m = { .order_ns = time_ns,
			       .rec = { .kind = FR_EV_PROC_SIGNAL, .data = (uint8_t *)&e } };

	of.sink->record(of.ctx, &m, NULL);
}

static void send_oom(uint64_t time_ns, uint32_t tid)
{
	struct fr_proc_oom e = { .tid = tid, .tgid = tid, .rss_pages = 77, .comm = "j\xff" };
	struct fr_merged m = { .order_ns = time_ns,
			       .rec = { .kind = FR_EV_PROC_OOM, .data = (uint8_t *)&e } };

	of.sink->record(of.ctx, &m, NULL);
}

static void rich_logs(void)
{
	struct fr_lost lost = { .cpu = 2,
				.cause = FR_GAP_LOST,
				.from_ns = 10 * OF_S,
				.to_ns = 10 * OF_S + 7,
				.records = 12 };

	send_signal(10 * OF_S + 1, OF_JAVA, OF_JAVA, 11);
	send_oom(10 * OF_S + 2, OF_JAVA);
	of.sink->lost(of.ctx, &lost);
}

/* The protobuf of each file, turned into JSON by the schema, is the JSON file. */
static void both_encodings_say_the_same(void **state)
{
	struct fr_buf traces = { 0 }, logs = { 0 };

	(void)state;
	of_open("otlp", NULL);
	rich_logs();
	rich_spans();
	of_close();
	os_to_json(of.traces, of.traces_bytes, &os_traces_data, &traces);
	os_to_json(of.logs, of.logs_bytes, &os_logs_data, &logs);
	of_next_span();
	of_open("otlp-json", NULL);
	rich_logs();
	rich_spans();
	of_close();
	assert_string_equal((char *)traces.data, of.traces);
	assert_string_equal((char *)logs.data, of.logs);
	assert_true(is_json(of.traces));
	assert_true(is_json(of.logs));
	of_has(of.logs, "flightrec.signal");
	of_has(of.logs, "flightrec.oom_kill");
	fr_buf_done(&traces);
	fr_buf_done(&logs);
}

static size_t count(const char *text, const char *part)
{
	size_t cnt = 0;

	for (; (text = strstr(text, part)); text++)
		cnt++;
	return cnt;
}

static void spans_are_under_their_process(void **state)
{
	(void)state;
	of_open("otlp-json", NULL);
	rich_spans();
	of_close();
	assert_int_equal(count(of.traces, "\n"), 1);
	assert_int_equal(count(of.traces, "{\"resource\":"), 3);
	assert_int_equal(count(of.traces, "\"traceId\":"), 5);
	of_has(of.traces, "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"shop\"}}");
	of_has(of.traces, "\"stringValue\":\"unknown_service:java\"");
	of_has(of.traces, "\"stringValue\":\"unknown_service\"");
	of_has(of.traces, "\"schemaUrl\":\"https://opentelemetry.io/schemas/1.44.0\"}],"
			  "\"schemaUrl\":\"https://opentelemetry.io/schemas/1.44.0\"}");
}

static void nothing_seen_nothing_sent(void **state)
{
	(void)state;
	of_open("otlp-json", NULL);
	of_close();
	assert_int_equal(of.traces_bytes, 0);
	/* what the dump says of itself is told all the same */
	of_has(of.logs, "\"eventName\":\"flightrec.dump\"");
}

/* ---- requests -------------------------------------------------------------------------------- */

static struct taken {
	size_t cnt[2], items[2], most_bytes;
	int ret;
	struct fr_buf part;
} taken;

static int take(void *ctx, const struct fr_otlp_batch *b)
{
	struct fr_otlp_batch half = *b;
	struct fr_buf first = { 0 }, json = { 0 };

	assert_ptr_equal(ctx, &taken);
	assert_true(b->item_cnt);
	taken.cnt[b->signal]++;
	taken.items[b->signal] += b->item_cnt;
	if (b->data_bytes > taken.most_bytes)
		taken.most_bytes = b->data_bytes;
	os_to_json(b->data, b->data_bytes,
		   b->signal == FR_OTLP_TRACES ? &os_traces_data : &os_logs_data, &json);
	assert_int_equal(count((char *)json.data,
			       b->signal == FR_OTLP_TRACES ? "\"kind\":" : "\"severityNumber\":"),
			 b->item_cnt);
	if (b->item_cnt > 1) {
		/* one less, as after a 413 */
		assert_int_equal(fr_otlp_part(&half, 1, b->item_cnt - 1, &first), 0);
		os_to_json(first.data, first.len_bytes,
			   b->signal == FR_OTLP_TRACES ? &os_traces_data : &os_logs_data, &json);
		assert_int_equal(count((char *)json.data, b->signal == FR_OTLP_TRACES
								  ? "\"kind\":"
								  : "\"severityNumber\":"),
				 b->item_cnt - 1);
	}
	fr_buf_done(&first);
	fr_buf_done(&json);
	return taken.ret;
}

static void requests_are_bounded(void **state)
{
	struct fr_otlp_to to = { .take = take, .ctx = &taken };

	(void)state;
	taken = (struct taken){ 0 };
	of_open("otlp", &to);
	for (int i = 0; i < 2500; i++)
		of_span(&plain);
	of_close();
	assert_int_equal(taken.items[FR_OTLP_TRACES], 2500);
	assert_int_equal(taken.cnt[FR_OTLP_TRACES], 3);
	assert_true(taken.items[FR_OTLP_LOGS] >= 1);
	assert_int_equal(taken.cnt[FR_OTLP_LOGS], 1);
	/* by bytes; the items of all are the same */
	taken = (struct taken){ 0 };
	to.batch_bytes = 20000;
	of_open("otlp-json", &to);
	for (int i = 0; i < 2500; i++)
		of_span(&plain);
	of_close();
	assert_int_equal(taken.items[FR_OTLP_TRACES], 2500);
	assert_true(taken.cnt[FR_OTLP_TRACES] > 50);
	assert_true(taken.most_bytes < 23000);
}

static void a_taker_may_end_it(void **state)
{
	struct fr_otlp_to to = { .take = take, .ctx = &taken, .batch_bytes = 1 };

	(void)state;
	taken = (struct taken){ .ret = -ENOSPC };
	of_open("otlp", &to);
	of.span.request = &plain;
	of.sink->span(of.ctx, &of.span);
	assert_int_equal(of.c.err, -ENOSPC);
	of.sink->drop(of.ctx);
}

static void many_resources_in_one_request(void **state)
{
	(void)state;
	of_open("otlp-json", NULL);
	of.span.who = FR_WHO_NONE;
	for (uint32_t i = 0; i < 2048; i++) {
		of.span.tgid = 1000 + i / 2;
		of_span(&plain);
	}
	of_close();
	assert_int_equal(count(of.traces, "\"traceId\":"), 2048);
	/* 1 KiB of the limit is put down for each */
	assert_true(count(of.traces, "\n") >= 2);
	assert_true(count(of.traces, "{\"resource\":") >= 1024);
	assert_true(count(of.traces, "{\"resource\":") <= 1024 + count(of.traces, "\n"));
}

/* ---- files ----------------------------------------------------------------------------------- */

/* Into a pipe: what is on the other side. */
static void into_a_pipe(const char *sink, char *ret_text, size_t text_bytes)
{
	struct fr_convert_stats stats = { 0 };
	int fds[2];
	ssize_t n;

	assert_int_equal(pipe(fds), 0);
	of.sink = fr_sink_find(sink);
	of.c.out = &of.out;
	assert_int_equal(fr_out_open_fd(&of.out, fds[1]), 0);
	assert_int_equal(of.sink->begin(&of.c, &of.ctx), 0);
	of_span(&plain);
	of.sink->end(of.ctx, &stats);
	assert_int_equal(fr_out_close(&of.out), 0);
	n = read(fds[0], ret_text, text_bytes - 1);
	assert_true(n > 0);
	ret_text[n] = 0;
	close(fds[0]);
	close(fds[1]);
}

static void a_pipe_takes_lines_of_both_or_traces(void **state)
{
	static char text[60000];

	(void)state;
	into_a_pipe("otlp-json", text, sizeof(text));
	assert_int_equal(count(text, "\n"), 2);
	assert_int_equal(count(text, "{\"resourceSpans\":"), 1);
	assert_int_equal(count(text, "{\"resourceLogs\":"), 1);
	assert_int_equal(of.c.otlp_unwritten_logs, 0);
	into_a_pipe("otlp", text, sizeof(text));
	assert_int_equal(of.c.otlp_unwritten_logs, 2); /* said, not lost silently */
}

static void what_fails_leaves_no_file(void **state)
{
	(void)state;
	of_open("otlp", NULL);
	of_span(&plain);
	of.sink->drop(of.ctx);
	fr_out_abort(&of.out);
	assert_int_not_equal(access(of.path, F_OK), 0);
	assert_int_not_equal(access(of.logs_path, F_OK), 0);
	/* a disk that is full */
	of_open("otlp", NULL);
	of_span(&plain);
	of.out.err = -ENOSPC;
	of.sink->end(of.ctx, &(struct fr_convert_stats){ 0 });
	assert_int_equal(fr_out_close(&of.out), -ENOSPC);
	assert_int_not_equal(access(of.path, F_OK), 0);
	assert_int_not_equal(access(of.logs_path, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_encodings_say_the_same),
		TEST(spans_are_under_their_process),
		TEST(nothing_seen_nothing_sent),
		TEST(requests_are_bounded),
		TEST(a_taker_may_end_it),
		TEST(many_resources_in_one_request),
		TEST(a_pipe_takes_lines_of_both_or_traces),
		TEST(what_fails_leaves_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
