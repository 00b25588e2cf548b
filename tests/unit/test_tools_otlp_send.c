/* SPDX-License-Identifier: BSD-2-Clause */
/* Deliveries: each item is sent, rejected or dropped, in bounded time. The network is a script. */
#include "cm.h"

#include <errno.h>

#include "formats/base/cli.h"
#include "formats/base/log.h"
#include "formats/base/pb.h"
#include "tools/otlp_send.h"

/* rule zero: unit tests link formats/ only, and these files need nothing else */
#include "tools/otlp_reply.c"
#include "tools/otlp_retry.c"
#include "tools/otlp_send.c"

#define SECOND 1000000000ull

/* What comes of each attempt; the last line goes on for ever. */
struct line {
	int status; /* 0 = lost, -1 = hopeless, -2 = an answer too large, -3 = interrupted */
	uint64_t retry_after_s;
	uint64_t rejected;
};

static const struct line *script;
static size_t script_cnt, script_at;
static uint64_t now_ns, waited_ns;
static uint32_t posted_items;
static uint64_t accepted_items; /* in requests answered with 200 */
static bool interrupt_wait;

static int fake_post(void *ctx, const struct fr_otlp_batch *batch, struct fr_otlp_answer *a)
{
	const struct line *l = &script[script_at < script_cnt ? script_at : script_cnt - 1];
	size_t mark;

	(void)ctx;
	script_at++;
	now_ns += SECOND / 100;
	posted_items = batch->item_cnt;
	fr_buf_clear(&a->body);
	*a = (struct fr_otlp_answer){ .body = a->body,
				      .retry_after_ns = l->retry_after_s * SECOND };
	if (l->status == -3)
		return -EINTR;
	a->attempt = l->status == 0    ? FR_OTLP_LOST
		     : l->status == -1 ? FR_OTLP_BROKEN
		     : l->status == -2 ? FR_OTLP_TOO_LARGE
				       : FR_OTLP_ANSWERED;
	a->http_status = l->status > 0 ? l->status : 0;
	memcpy(a->content_type, "application/x-protobuf", sizeof("application/x-protobuf"));
	if (l->status == 200)
		accepted_items += batch->item_cnt;
	if (l->rejected) {
		mark = fr_pb_open(&a->body, 1);
		fr_pb_add_u64(&a->body, 1, l->rejected);
		fr_pb_close(&a->body, mark);
	}
	return 0;
}

static int fake_wait(void *ctx, uint64_t wait_ns)
{
	(void)ctx;
	now_ns += wait_ns;
	waited_ns += wait_ns;
	return interrupt_wait ? -EINTR : 0;
}

static uint64_t fake_now(void *ctx)
{
	(void)ctx;
	return now_ns;
}

static uint32_t fake_random(void *ctx)
{
	(void)ctx;
	return UINT32_MAX;
}

static const char *fake_where(void *ctx, enum fr_otlp_signal signal)
{
	(void)ctx;
	return signal == FR_OTLP_TRACES ? "http://x/v1/traces" : "http://x/v1/logs";
}

static struct fr_otlp_sender s;
static struct fr_buf bytes;
static struct fr_otlp_batch batch;

/* A request with so many spans. */
static void make_batch(uint32_t item_cnt)
{
	size_t resource, scope, span;

	fr_buf_clear(&bytes);
	resource = fr_pb_open(&bytes, 1);
	scope = fr_pb_open(&bytes, 2);
	for (uint32_t i = 0; i < item_cnt; i++) {
		span = fr_pb_open(&bytes, 2);
		fr_pb_add_u64(&bytes, 6, i + 1);
		fr_pb_close(&bytes, span);
	}
	fr_pb_close(&bytes, scope);
	fr_pb_close(&bytes, resource);
	batch = (struct fr_otlp_batch){ .signal = FR_OTLP_TRACES,
					.data = bytes.data,
					.data_bytes = bytes.len_bytes,
					.item_cnt = item_cnt };
}

static int begin(void **state)
{
	(void)state;
	s = (struct fr_otlp_sender){ .transport = { fake_post, fake_wait, fake_now, fake_random,
						    fake_where, NULL },
				     .retry_for_ns = 60 * SECOND };
	script_at = 0;
	now_ns = 5 * SECOND;
	waited_ns = 0;
	accepted_items = 0;
	interrupt_wait = false;
	make_batch(100);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fr_otlp_sender_done(&s);
	fr_buf_done(&bytes);
	return 0;
}

#define PLAY(...)                                                                                  \
	do {                                                                                       \
		static const struct line lines[] = { __VA_ARGS__ };                                \
		script = lines;                                                                    \
		script_cnt = sizeof(lines) / sizeof(*lines);                                       \
	} while (0)

static void assert_counts(uint64_t sent, uint64_t rejected, uint64_t dropped, int exit_code)
{
	assert_int_equal(s.counts[FR_OTLP_TRACES].sent, sent);
	assert_int_equal(s.counts[FR_OTLP_TRACES].rejected, rejected);
	assert_int_equal(s.counts[FR_OTLP_TRACES].dropped, dropped);
	assert_int_equal(fr_otlp_sender_say(&s), exit_code);
}

static void taken(void **state)
{
	(void)state;
	PLAY({ .status = 200 });
	assert_int_equal(fr_otlp_send(&s, &batch), 0);
	assert_counts(100, 0, 0, FR_EXIT_OK);
}

static void partly_taken_is_not_repeated(void **state)
{
	(void)state;
	PLAY({ .status = 200, .rejected = 30 }, { .status = 200, .rejected = 1000 });
	assert_int_equal(fr_otlp_send(&s, &batch), 0);
	assert_int_equal(script_at, 1);
	assert_counts(70, 30, 0, FR_EXIT_DAMAGED);
	assert_int_equal(fr_otlp_send(&s, &batch), 0); /* more than there are */
	assert_counts(70, 130, 0, FR_EXIT_DAMAGED);
}

static void refused_is_not_repeated(void **state)
{
	static const int statuses[] = { 300, 302, 400, 401, 404, 408, 500, 501, 505 };

	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
		const struct line one = { .status = statuses[i] };

		script = &one;
		script_cnt = 1;
		assert_int_equal(fr_otlp_send(&s, &batch), 0);
		assert_int_equal(script_at, i + 1);
	}
	assert_int_equal(waited_ns, 0);
	assert_counts(0, 900, 0, FR_EXIT_DAMAGED);
}

static void unavailable_is_repeated(void **state)
{
	(void)state;
	PLAY({ .status = 503 }, { .status = 502 }, { .status = 504 }, { .status = 429 },
	     { .status = 0 }, { .status = 200 });
	assert_int_equal(fr_otlp_send(&s, &batch), 0);
	assert_int_equal(waited_ns, (1 + 2 + 4 + 8 + 16) * SECOND / 2);
	assert_int_equal(s.retry_cnt, 5);
	assert_counts(100, 0, 0, FR_EXIT_OK);
}

static void waits_as_long_as_asked(void **state)
{
	(void)state;
	PLAY({ .status = 429, .retry_after_s = 20 }, { .status = 200 });
	assert_int_equal(fr_otlp_send(&s, &batch), 0);
	assert_true(waited_ns >= 20 * SECOND && waited_ns <= 22 * SECOND);
	assert_counts(100, 0, 0, FR_EXIT_OK);
}

static void asked_too_long_gives_up_at_once(void **state)
{
	(void)state;
	PLAY({ .status = 503, .retry_after_s = 3600 });
	assert_int_equal(fr_otlp_send(&s, &batch), 0);
	assert_int_equal(fr_otlp_send(&s, &batch), 0);
	assert_int_equal(waited_ns, 0);
	assert_int_equal(script_at, 1);
	assert_counts(0, 0, 200, FR_EXIT_IO);
}

static void dead_receiver_takes_bounded_time(void **state)
{
	(void)state;
	PLAY({ .status = 0 });
	for (int i = 0; i < 1000; i++)
		assert_int_equal(fr_otlp_send(&s, &batch), 0);
	assert_true(waited_ns > 20 * SECOND && waited_ns <= 60 * SECOND);
	assert_counts(0, 0, 100000, FR_EXIT_IO);
}

static void time_counts_from_the_first_failure(void **state)
{
	(void)state;
	/* long troubles that end: none of them alone is too long */
	PLAY({ .status = 503, .retry_after_s = 50 }, { .status = 200 },
	     { .status = 503, .retry_after_s = 50 }, { .status = 200 },
	     { .status = 503, .retry_after_s = 50 }, { .status = 400 });
	for (int i = 0; i < 3; i++)
		assert_int_equal(fr_otlp_send(&s, &batch), 0);
	assert_counts(200, 100, 0, FR_EXIT_DAMAGED);
}

static void without_patience_once(void **state)
{
	(void)state;
	PLAY({ .status = 503 });
	s.retry_for_ns = 0;
	assert_int_equal(fr_otlp_send(&s, &batch), 0);
	assert_int_equal(script_at, 1);
	assert_counts(0, 0, 100, FR_EXIT_IO);
}

static void hopeless_is_not_repeated(void **state)
{
	(void)state;
	PLAY({ .status = -1 });
	assert_int_equal(fr_otlp_send(&s, &batch), 0);
	assert_int_equal(fr_otlp_send(&s, &batch), 0);
	assert_int_equal(script_at, 1);
	assert_counts(0, 0, 200, FR_EXIT_IO);
}

static void too_large_is_halved(void **state)
{
	(void)state;
	/* 100 → 50, 50 → 50 taken, 25, 25 taken */
	PLAY({ .status = 413 }, { .status = 200 }, { .status = 413 }, { .status = 200 });
	assert_int_equal(fr_otlp_send(&s, &batch), 0);
	assert_int_equal(script_at, 5);
	assert_int_equal(posted_items, 25);
	assert_int_equal(accepted_items, 100);
	assert_counts(100, 0, 0, FR_EXIT_OK);
}

static void single_too_large_item_is_rejected(void **state)
{
	(void)state;
	PLAY({ .status = 413 });
	assert_int_equal(fr_otlp_send(&s, &batch), 0);
	assert_int_equal(script_at, 199); /* a tree with 100 leaves */
	assert_counts(0, 100, 0, FR_EXIT_DAMAGED);
}

static void request_that_cannot_be_split_is_dropped(void **state)
{
	(void)state;
	PLAY({ .status = 413 });
	batch.data_bytes = 3;
	assert_int_equal(fr_otlp_send(&s, &batch), 0);
	assert_counts(0, 0, 100, FR_EXIT_IO);
}

static void endless_answer_is_no_success(void **state)
{
	(void)state;
	PLAY({ .status = -2 });
	assert_int_equal(fr_otlp_send(&s, &batch), 0);
	assert_int_equal(script_at, 1);
	assert_counts(0, 0, 100, FR_EXIT_IO);
}

static void interrupted_while_sending(void **state)
{
	(void)state;
	PLAY({ .status = 200 }, { .status = -3 });
	assert_int_equal(fr_otlp_send(&s, &batch), 0);
	assert_int_equal(fr_otlp_send(&s, &batch), -EINTR);
	assert_int_equal(fr_otlp_send(&s, &batch), -EINTR);
	assert_int_equal(script_at, 2);
	assert_counts(100, 0, 200, FR_EXIT_IO);
}

static void interrupted_while_waiting(void **state)
{
	(void)state;
	PLAY({ .status = 413 }, { .status = 503 });
	interrupt_wait = true;
	assert_int_equal(fr_otlp_send(&s, &batch), -EINTR);
	assert_int_equal(script_at, 2);
	assert_counts(0, 0, 100, FR_EXIT_IO);
}

static void signals_are_counted_apart(void **state)
{
	(void)state;
	PLAY({ .status = 200 }, { .status = 400 });
	assert_int_equal(fr_otlp_send(&s, &batch), 0);
	batch.signal = FR_OTLP_LOGS;
	assert_int_equal(fr_otlp_send(&s, &batch), 0);
	assert_int_equal(s.counts[FR_OTLP_LOGS].rejected, 100);
	assert_counts(100, 0, 0, FR_EXIT_DAMAGED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(taken),
		TEST(partly_taken_is_not_repeated),
		TEST(refused_is_not_repeated),
		TEST(unavailable_is_repeated),
		TEST(waits_as_long_as_asked),
		TEST(asked_too_long_gives_up_at_once),
		TEST(dead_receiver_takes_bounded_time),
		TEST(time_counts_from_the_first_failure),
		TEST(without_patience_once),
		TEST(hopeless_is_not_repeated),
		TEST(too_large_is_halved),
		TEST(single_too_large_item_is_rejected),
		TEST(request_that_cannot_be_split_is_dropped),
		TEST(endless_answer_is_no_success),
		TEST(interrupted_while_sending),
		TEST(interrupted_while_waiting),
		TEST(signals_are_counted_apart),
	};

	fr_log_init("test", (enum fr_log_level)0); /* quiet */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
