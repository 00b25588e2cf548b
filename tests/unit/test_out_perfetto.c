/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Perfetto sink, read back packet by packet: every packet is whole and belongs to the sequence,
 * every interned number was told before, every track is introduced, every slice that begins ends.
 * What Perfetto itself makes of it: tests/long/perfetto.sh.
 */
#include "cm.h"

#include <stdio.h>

#include "convert_to.h"
#include "formats/base/pb.h"
#include "formats/base/utf8.h"
#include "formats/out/perfetto_fields.h"
#include "make_dump.h"

#define S 1000000000ull
#define US 1000ull
enum { A = 100, B = 101, DISK = 8u << 20 };
#define TRACKS_MAX 64
#define NAMES_MAX 256

static struct mk mk;
static uint8_t *trace;
static size_t trace_bytes;

/* What the packets said. */
static struct {
	uint64_t tracks[TRACKS_MAX];
	char track_names[TRACKS_MAX][32];
	int64_t open[TRACKS_MAX];
	uint32_t track_cnt;
	char names[NAMES_MAX][64]; /* interned, by number */
	uint32_t categories, args;
	uint32_t packets, switches, wakings, lost, begins, ends, instants, flows, clocks, systems;
	uint64_t last_switch_ns;
	char last_name[64];
	uint32_t threads, processes;
	uint64_t prev_state;
	uint64_t waking_flags;
} got;

static int start(void **state)
{
	(void)state;
	mk = (struct mk){ 0 };
	memset(&got, 0, sizeof(got));
	mk_begin(&mk, 1);
	mk_trigger(&mk, S + 12 * US);
	mk_segment(&mk, 0, 1, 0, 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(trace);
	trace = NULL;
	mk_close(&mk);
	return 0;
}

static struct fr_cursor inside(const struct fr_pb_field *f)
{
	assert_int_equal(f->wire, FR_PB_BYTES);
	return fr_cursor_of(f->bytes.data, f->bytes.len_bytes);
}

static uint32_t track_index(uint64_t uuid)
{
	for (uint32_t i = 0; i < got.track_cnt; i++)
		if (got.tracks[i] == uuid)
			return i;
	return UINT32_MAX;
}

static void read_track(struct fr_cursor c)
{
	uint32_t at = UINT32_MAX;
	struct fr_pb_field f;
	int more;

	while ((more = fr_pb_next(&c, &f)) == 1) {
		if (f.number == PF_TRACK_UUID) {
			at = track_index(f.value);
			if (at == UINT32_MAX)
				at = got.track_cnt++;
			assert_true(at < TRACKS_MAX);
			got.tracks[at] = f.value;
		}
		if (f.number == PF_TRACK_PARENT)
			assert_int_not_equal(track_index(f.value), UINT32_MAX);
		if (f.number == PF_TRACK_NAME)
			snprintf(got.track_names[at], 32, "%.*s", (int)f.bytes.len_bytes,
				 (const char *)f.bytes.data);
		got.processes += f.number == PF_TRACK_PROCESS;
		got.threads += f.number == PF_TRACK_THREAD;
	}
	assert_int_equal(more, 0);
}

static void read_string(struct fr_cursor c, uint32_t kind)
{
	uint64_t iid = 0;
	struct fr_pb_field f;

	while (fr_pb_next(&c, &f) == 1) {
		if (f.number == PF_INTERNED_IID)
			iid = f.value;
		else
			assert_true(fr_utf8_valid(f.bytes));
		if (f.number != PF_INTERNED_STRING || kind != PF_INTERNED_NAMES)
			continue;
		assert_true(iid && iid < NAMES_MAX && !got.names[iid][0]);
		snprintf(got.names[iid], 64, "%.*s", (int)f.bytes.len_bytes,
			 (const char *)f.bytes.data);
	}
	if (kind == PF_INTERNED_CATEGORIES)
		assert_int_equal(iid, ++got.categories);
	if (kind == PF_INTERNED_ARGS)
		assert_int_equal(iid, ++got.args);
}

static void read_arg(struct fr_cursor c)
{
	struct fr_pb_field f;
	uint32_t fields = 0;

	while (fr_pb_next(&c, &f) == 1) {
		fields++;
		if (f.number == PF_ARG_NAME_IID)
			assert_in_range(f.value, 1, got.args);
	}
	assert_int_equal(fields, 2);
}

static void read_event(struct fr_cursor c)
{
	uint32_t at = UINT32_MAX;
	uint64_t type = 0;
	struct fr_pb_field f;
	int more;

	while ((more = fr_pb_next(&c, &f)) == 1) {
		if (f.number == PF_EVENT_TYPE)
			type = f.value;
		if (f.number == PF_EVENT_TRACK)
			at = track_index(f.value);
		if (f.number == PF_EVENT_CATEGORY_IIDS)
			assert_in_range(f.value, 1, got.categories);
		if (f.number == PF_EVENT_NAME_IID) {
			assert_true(f.value < NAMES_MAX && got.names[f.value][0]);
			snprintf(got.last_name, 64, "%s", got.names[f.value]);
		}
		if (f.number == PF_EVENT_ARG)
			read_arg(inside(&f));
		got.flows += f.number == PF_EVENT_FLOWS;
	}
	assert_int_equal(more, 0);
	assert_int_not_equal(at, UINT32_MAX);
	got.begins += type == 1;
	got.ends += type == 2;
	got.instants += type == 3;
	got.open[at] += type == 1 ? 1 : type == 2 ? -1 : 0;
}

static void read_switch(struct fr_cursor c)
{
	struct fr_pb_field f;
	uint32_t fields = 0;

	while (fr_pb_next(&c, &f) == 1) {
		fields++;
		if (f.number == PF_SWITCH_PREV_STATE)
			got.prev_state = f.value;
	}
	assert_int_equal(fields, 7);
	got.switches++;
}

static void read_ftrace(struct fr_cursor bundle)
{
	struct fr_pb_field b, f;
	struct fr_cursor c;
	uint64_t flags;

	while (fr_pb_next(&bundle, &b) == 1) {
		got.lost += b.number == PF_FTRACE_LOST;
		if (b.number != PF_FTRACE_EVENT)
			continue;
		c = inside(&b);
		flags = 0;
		while (fr_pb_next(&c, &f) == 1) {
			if (f.number == PF_FEVENT_TIMESTAMP) {
				assert_true(f.value >= got.last_switch_ns);
				got.last_switch_ns = f.value;
			}
			if (f.number == PF_FEVENT_FLAGS)
				flags = f.value;
			if (f.number == PF_FEVENT_SWITCH)
				read_switch(inside(&f));
			if (f.number == PF_FEVENT_WAKING) {
				got.wakings++;
				got.waking_flags = flags;
			}
		}
	}
}

static void read_packet(struct fr_cursor c)
{
	bool timed = false, sequence = false;
	struct fr_pb_field f, g;
	struct fr_cursor in;
	int more;

	got.packets++;
	while ((more = fr_pb_next(&c, &f)) == 1) {
		timed |= f.number == PF_PACKET_TIMESTAMP;
		sequence |= f.number == PF_PACKET_SEQUENCE && f.value;
		got.clocks += f.number == PF_PACKET_CLOCKS;
		got.systems += f.number == PF_PACKET_SYSTEM;
		if (f.number == PF_PACKET_TRACK)
			read_track(inside(&f));
		if (f.number == PF_PACKET_INTERNED) {
			in = inside(&f);
			while (fr_pb_next(&in, &g) == 1)
				read_string(inside(&g), g.number);
		}
		if (f.number == PF_PACKET_EVENT)
			read_event(inside(&f));
		if (f.number == PF_PACKET_FTRACE)
			read_ftrace(inside(&f));
	}
	assert_int_equal(more, 0);
	assert_true(timed && sequence);
}

/* Converts, and reads all of it. */
static void convert(const struct fr_convert *opt, const struct fr_meta_loss *loss)
{
	struct fr_convert_stats stats;
	struct fr_pb_field f;
	struct fr_cursor c;
	int err, more;

	mk_chunk(&mk);
	mk_end(&mk, loss);
	trace = (uint8_t *)convert_to_bytes(mk.dump, "perfetto", opt, &stats, &trace_bytes, &err);
	assert_int_equal(err, 0);
	assert_non_null(trace);
	c = fr_cursor_of(trace, trace_bytes);
	while ((more = fr_pb_next(&c, &f)) == 1) {
		assert_int_equal(f.number, PF_TRACE_PACKET);
		read_packet(inside(&f));
	}
	assert_int_equal(more, 0);
	for (uint32_t i = 0; i < got.track_cnt; i++)
		assert_int_equal(got.open[i], 0);
}

static bool has_track(const char *name)
{
	for (uint32_t i = 0; i < got.track_cnt; i++)
		if (!strcmp(got.track_names[i], name))
			return true;
	return false;
}

static void part(uint64_t t, uint32_t kind, const char *bytes, uint32_t tid)
{
	size_t len = strlen(bytes);
	struct {
		struct fr_sock_io io;
		char bytes[256];
	} e = { .io = { .sock_id = 7,
			.result = (int32_t)len,
			.tid = tid,
			.fd = 3,
			.captured_bytes = (uint16_t)len,
			.flags = FR_IO_MSG_START } };

	memcpy(e.bytes, bytes, len);
	mk_add(&mk, t, kind, &e, sizeof(e.io) + ((len + 7) & ~7ul));
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void switches_and_wakings_as_the_kernel_tells_them(void **state)
{
	struct fr_convert opt = { 0 };
	struct fr_sched_waking w = { .who = FR_WAKING_WHO(B, 0, 0, FR_WAKER_SOFTIRQ) };

	(void)state;
	mk_thread(&mk, A, A, 5, 0, "a");
	mk_thread(&mk, B, A, 6, 0, "b");
	mk_switch(&mk, S, 0, A, 0, 0);
	mk_add(&mk, S + 5 * US, FR_EV_SCHED_WAKING, &w, sizeof(w));
	mk_switch(&mk, S + 10 * US, A, B, 1, 5);
	mk_preempt(&mk, S + 20 * US, B, A, 5);
	convert(&opt, NULL);
	assert_int_equal(got.switches, 3);
	assert_int_equal(got.wakings, 1);
	assert_int_equal(got.waking_flags, PF_TRACE_SOFTIRQ);
	assert_int_equal(got.prev_state, 0x100);
	assert_int_equal(got.threads, 2);
	assert_int_equal(got.processes, 1);
	assert_int_equal(got.systems, 1);
	assert_int_equal(got.clocks, 2);
	assert_true(has_track("triggers"));
}

static void instants_and_disks_have_tracks(void **state)
{
	struct fr_block_complete e = { .dev = DISK, .bytes = 4096, .latency_ns = 10 * US };
	struct fr_convert opt = { 0 };

	(void)state;
	mk_thread(&mk, A, A, 5, 0, "a");
	part(S + 10 * US, FR_EV_SOCK_SEND, "\xff\xfe no text", A);
	mk_add(&mk, S + 30 * US, FR_EV_BLOCK_COMPLETE, &e, sizeof(e));
	e.latency_ns = 15 * US; /* overlaps: another lane */
	mk_add(&mk, S + 35 * US, FR_EV_BLOCK_COMPLETE, &e, sizeof(e));
	convert(&opt, NULL);
	assert_true(has_track("disk 8:0"));
	assert_int_equal(got.begins, 2);
	assert_int_equal(got.ends, 2);
	assert_int_equal(got.instants, 2); /* the send, the trigger */
}

static void requests_are_slices(void **state)
{
	struct fr_convert opt = { 0 };

	(void)state;
	mk_thread(&mk, A, A, 5, 0, "a");
	part(S + 10 * US, FR_EV_SOCK_RECV, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n", A);
	part(S + 20 * US, FR_EV_SOCK_SEND, "HTTP/1.1 204 No Content\r\n\r\n", A);
	convert(&opt, NULL);
	assert_true(has_track("requests"));
	assert_int_equal(got.begins, 1);
	assert_string_equal(got.last_name, "GET");
}

static void losses_are_said(void **state)
{
	struct fr_cpu_loss cpu = { .cpu = 0, .dropped_retry = 3 };
	struct fr_meta_loss loss = { .cpus = &cpu, .cpu_cnt = 1 };
	struct fr_convert opt = { 0 };

	(void)state;
	mk_thread(&mk, A, A, 5, 0, "a");
	mk_switch(&mk, S, 0, A, 0, 0);
	mk_segment(&mk, 0, 5, 1000, 0);
	mk_switch(&mk, S + 40 * US, A, 0, 1, 5);
	convert(&opt, &loss);
	assert_true(has_track("lost on CPU 0"));
	assert_int_equal(got.lost, 1);
	assert_int_equal(got.begins, 2); /* the gap, and what was dropped at no known time */
}

static void a_filter_keeps_others_out(void **state)
{
	struct fr_convert opt = { .filter = { .pid = B } };

	(void)state;
	mk_thread(&mk, A, A, 5, 0, "a");
	mk_thread(&mk, B, B, 6, 0, "b");
	mk_switch(&mk, S, 0, A, 0, 0);
	mk_switch(&mk, S + 10 * US, A, 0, 1, 5);
	mk_switch(&mk, S + 20 * US, 0, B, 0, 0);
	part(S + 25 * US, FR_EV_SOCK_SEND, "abc", A);
	mk_switch(&mk, S + 30 * US, B, A, 1, 5);
	convert(&opt, NULL);
	assert_int_equal(got.switches, 2);
	assert_int_equal(got.threads, 1);
	assert_int_equal(got.instants, 1); /* the trigger */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(switches_and_wakings_as_the_kernel_tells_them,
						start, end),
		cmocka_unit_test_setup_teardown(instants_and_disks_have_tracks, start, end),
		cmocka_unit_test_setup_teardown(requests_are_slices, start, end),
		cmocka_unit_test_setup_teardown(losses_are_said, start, end),
		cmocka_unit_test_setup_teardown(a_filter_keeps_others_out, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
