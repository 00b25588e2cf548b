/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include <errno.h>
#include <stdio.h>

#include "formats/base/pb.h"
#include "formats/dump/meta.h"

static struct fr_buf b;

static struct fr_slice bytes(void)
{
	assert_int_equal(b.err, 0);
	return (struct fr_slice){ b.data, b.len_bytes };
}

static int start(void **state)
{
	(void)state;
	fr_buf_clear(&b);
	return 0;
}

static int done(void **state)
{
	(void)state;
	fr_buf_done(&b);
	return 0;
}

/* Fills every byte of a string array, zero-ended, so that nothing is left to chance. */
#define FILL(array, letter)                                                                        \
	do {                                                                                       \
		memset(array, letter, sizeof(array) - 1);                                          \
		(array)[sizeof(array) - 1] = 0;                                                    \
	} while (0)

/* ---- round trips ---------------------------------------------------------------------------- */

static void trigger_info(struct fr_trigger_info *t, uint32_t salt)
{
	FILL(t->name, 'n');
	FILL(t->reason, 'r');
	t->boot_ns = ~0ull - salt;
	t->unix_ns = 1764000000000000000ull + salt;
	t->sender_pid = 4194303 - salt;
	t->number = 1ull << 40 | salt;
	t->post_window_ns = 500000000 + salt;
	t->tgid = 5 + salt;
	t->tid = 6 + salt;
	t->sock_id = 1ull << 48 | salt;
	t->goid = 7 + salt;
	t->seen = 10000 + salt;
	t->suppressed = 9999 + salt;
}

static void trigger_comes_back(void **state)
{
	struct fr_meta_trigger in, out;

	(void)state;
	memset(&in, 0, sizeof(in));
	trigger_info(&in.main, 0);
	for (uint32_t i = 0; i < FR_JOINED_MAX; i++)
		trigger_info(&in.joined[i], i + 1);
	in.joined_cnt = FR_JOINED_MAX;
	in.joined_more = 7;
	fr_meta_add_trigger(&b, &in);
	assert_int_equal(fr_meta_read_trigger(bytes(), &out), 0);
	assert_memory_equal(&in, &out, sizeof(in));
}

static void joined_triggers_beyond_the_array_are_counted(void **state)
{
	struct fr_meta_trigger in = { .joined_cnt = FR_JOINED_MAX, .joined_more = 2 }, out;
	size_t mark;

	(void)state;
	fr_meta_add_trigger(&b, &in);
	for (int i = 0; i < 3; i++) {
		mark = fr_pb_open(&b, 5);
		fr_pb_add_str(&b, 1, "late");
		fr_pb_close(&b, mark);
	}
	assert_int_equal(fr_meta_read_trigger(bytes(), &out), 1);
	assert_int_equal(out.joined_cnt, FR_JOINED_MAX);
	assert_int_equal(out.joined_more, 5);
}

static void clocks_come_back(void **state)
{
	struct fr_meta_clocks in, out;

	(void)state;
	memset(&in, 0, sizeof(in));
	for (uint32_t i = 0; i < FR_CLOCK_PAIRS_MAX; i++)
		in.pairs[i] = (struct fr_clock_pair){ i % 3, 1000 + i, ~0ull - i, i * 77 };
	in.pair_cnt = FR_CLOCK_PAIRS_MAX;
	fr_meta_add_clocks(&b, &in);
	assert_int_equal(fr_meta_read_clocks(bytes(), &out), 0);
	assert_memory_equal(&in, &out, sizeof(in));
}

static void host_comes_back(void **state)
{
	struct fr_meta_host in, out;

	(void)state;
	memset(&in, 0, sizeof(in));
	FILL(in.name, 'a');
	FILL(in.machine_id, 'b');
	FILL(in.boot_id, 'c');
	FILL(in.kernel_release, 'd');
	FILL(in.kernel_version, 'e');
	FILL(in.arch, 'f');
	FILL(in.recorder_version, 'g');
	in.cpus_possible = 4096;
	in.cpus_online = 1;
	in.memory_bytes = ~0ull;
	in.recorder_start_ns = 42;
	in.recorder_pid = 43;
	in.page_bytes = 4096;
	in.utc_offset_s = -12600;
	fr_meta_add_host(&b, &in);
	assert_int_equal(fr_meta_read_host(bytes(), &out), 0);
	assert_memory_equal(&in, &out, sizeof(in));
}

static void config_comes_back(void **state)
{
	static struct fr_meta_config in, out;

	(void)state;
	FILL(in.redact, 's');
	for (uint32_t i = 0; i < FR_SETTINGS_MAX; i++) {
		FILL(in.settings[i].key, 'k');
		FILL(in.settings[i].value, 'v');
		in.settings[i].key[0] = (char)('A' + i % 26);
	}
	in.setting_cnt = FR_SETTINGS_MAX;
	for (uint32_t i = 0; i < FR_FAMILY_CNT; i++) {
		FILL(in.families[i].name, 'f');
		FILL(in.families[i].why, 'w');
		in.families[i].on = i % 2;
	}
	in.family_cnt = FR_FAMILY_CNT;
	for (uint32_t i = 0; i < FR_DEGRADED_MAX; i++)
		FILL(in.degraded[i], 'd');
	in.degraded[3][0] = 0; /* an empty line stays a line */
	memset(in.degraded[3], 0, sizeof(in.degraded[3]));
	in.degraded_cnt = FR_DEGRADED_MAX;
	fr_meta_add_config(&b, &in);
	assert_int_equal(fr_meta_read_config(bytes(), &out), 0);
	assert_memory_equal(&in, &out, sizeof(in));
}

static void loss_comes_back(void **state)
{
	static struct fr_cpu_loss cpus[300];
	static struct fr_meta_loss in, out;

	(void)state;
	for (uint32_t i = 0; i < 300; i++)
		cpus[i] = (struct fr_cpu_loss){ i, i * 3, ~0ull, i, 4, 5, 6, 7, 8, 9, 1ull << 50 };
	in.cpus = cpus;
	in.cpu_cnt = 300;
	in.common_start_ns = 11;
	in.end_ns = 12;
	for (uint32_t i = 0; i < FR_COUNTERS_MAX; i++) {
		FILL(in.counters[i].name, 'c');
		in.counters[i].value = i;
		FILL(in.removed[i].name, 'r');
		in.removed[i].value = ~0ull - i;
	}
	in.counter_cnt = in.removed_cnt = FR_COUNTERS_MAX;
	in.unnamed_threads = 1;
	in.unnamed_sockets = 2;
	fr_meta_add_loss(&b, &in);
	assert_int_equal(fr_meta_read_loss(bytes(), &out), 0);
	assert_int_equal(out.cpu_cnt, 300);
	assert_memory_equal(out.cpus, cpus, sizeof(cpus));
	in.cpus = out.cpus;
	assert_memory_equal(&in, &out, sizeof(in));
	fr_meta_loss_done(&out);
	assert_null(out.cpus);
}

static void threads_come_back(void **state)
{
	struct fr_meta_thread in[3], out;
	struct fr_cursor c;

	(void)state;
	memset(in, 0, sizeof(in));
	in[0].tid = 1;
	for (uint32_t i = 1; i < 3; i++) {
		in[i] = (struct fr_meta_thread){ .tid = 4194303,
						 .tgid = i,
						 .start_ns = ~0ull,
						 .end_ns = 3,
						 .state = 0x402,
						 .cpu = 4095,
						 .exit_code = 0x8b,
						 .rename_cnt = FR_RENAMES_MAX };
		FILL(in[i].comm, 'm');
		for (uint32_t k = 0; k < FR_RENAMES_MAX; k++) {
			in[i].renames[k].boot_ns = k;
			FILL(in[i].renames[k].old_comm, 'o');
		}
	}
	for (uint32_t i = 0; i < 3; i++)
		fr_meta_add_thread(&b, &in[i]);
	c = fr_cursor_of(b.data, b.len_bytes);
	for (uint32_t i = 0; i < 3; i++) {
		memset(&out, 0x5a, sizeof(out));
		assert_int_equal(fr_meta_next_thread(&c, &out), 1);
		assert_int_equal(out.tid, in[i].tid);
		assert_int_equal(out.start_ns, in[i].start_ns);
		assert_string_equal(out.comm, in[i].comm);
		assert_int_equal(out.exit_code, in[i].exit_code);
		assert_int_equal(out.rename_cnt, in[i].rename_cnt);
		assert_memory_equal(out.renames, in[i].renames, sizeof(out.renames));
	}
	assert_int_equal(fr_meta_next_thread(&c, &out), 0);
}

#define SLICE(text)                                                                                \
	{                                                                                          \
		(const uint8_t *)(text), sizeof(text) - 1                                          \
	}
#define ASSERT_SLICE(s, text)                                                                      \
	do {                                                                                       \
		assert_int_equal((s).len_bytes, sizeof(text) - 1);                                 \
		assert_memory_equal((s).data, text, sizeof(text) - 1);                             \
	} while (0)

static void processes_come_back(void **state)
{
	const struct fr_meta_process in = {
		.tgid = 7,
		.start_ns = 8,
		.parent_tgid = 9,
		.uid = ~0u,
		.gid = 10,
		.ns_pid = 11,
		.args_cut = true,
		.exe = SLICE("/a b"),
		.args = SLICE("x\0\0--y=z\0last"),
		.cgroup = SLICE("/c"),
		.container_id = SLICE("d"),
		.environment = SLICE("A=1\0"),
		.note = SLICE("n"),
		.go_version = SLICE("go1.22"),
	};
	const struct fr_meta_process bare = { .tgid = 1 };
	struct fr_meta_process out;
	struct fr_buf scratch = { 0 };
	struct fr_cursor c;

	(void)state;
	fr_meta_add_process(&b, &in);
	fr_meta_add_process(&b, &bare);
	c = fr_cursor_of(b.data, b.len_bytes);
	assert_int_equal(fr_meta_next_process(&c, &out, &scratch), 1);
	assert_int_equal(out.tgid, 7);
	assert_int_equal(out.start_ns, 8);
	assert_int_equal(out.parent_tgid, 9);
	assert_int_equal(out.uid, ~0u);
	assert_int_equal(out.gid, 10);
	assert_int_equal(out.ns_pid, 11);
	assert_true(out.args_cut);
	ASSERT_SLICE(out.exe, "/a b");
	ASSERT_SLICE(out.args, "x\0\0--y=z\0last\0");
	ASSERT_SLICE(out.cgroup, "/c");
	ASSERT_SLICE(out.container_id, "d");
	ASSERT_SLICE(out.environment, "A=1\0");
	ASSERT_SLICE(out.note, "n");
	ASSERT_SLICE(out.go_version, "go1.22");
	assert_int_equal(fr_meta_next_process(&c, &out, &scratch), 1);
	assert_int_equal(out.args.len_bytes, 0);
	assert_int_equal(out.environment.len_bytes, 0);
	assert_int_equal(fr_meta_next_process(&c, &out, &scratch), 0);
	fr_buf_done(&scratch);
}

static void sockets_come_back(void **state)
{
	static const uint16_t families[] = { FR_AF_INET, FR_AF_INET6, FR_AF_UNIX, 77 };
	static const size_t address_bytes[] = { 4, 16, 8, 16 };
	struct fr_meta_socket in, out;
	struct fr_cursor c;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		memset(&in, 0, sizeof(in));
		in.id = ~0ull - i;
		in.addr.family = families[i];
		in.addr.local_port = 65535;
		in.addr.remote_port = 443;
		memset(in.addr.local, 0xfe, address_bytes[i]);
		memset(in.addr.remote, 0x01, address_bytes[i]);
		in.type = 1;
		in.flags = FR_SOCK_FAILED | FR_SOCK_ACCEPTED;
		in.tgid = 4194303;
		in.peer_tgid = 2;
		in.state = 7;
		in.sent_bytes = 1ull << 63;
		in.received_bytes = 3;
		in.end_ns = 4;
		in.netns_inum = 4026531840u;
		fr_buf_clear(&b);
		fr_meta_add_socket(&b, &in);
		c = fr_cursor_of(b.data, b.len_bytes);
		assert_int_equal(fr_meta_next_socket(&c, &out), 1);
		assert_memory_equal(&in, &out, sizeof(in));
		assert_int_equal(fr_meta_next_socket(&c, &out), 0);
	}
}

/* ---- foreign and hostile bytes -------------------------------------------------------------- */

static void long_strings_are_cut_and_said(void **state)
{
	char name[300];
	struct fr_meta_host h;

	(void)state;
	memset(name, 'x', sizeof(name));
	fr_pb_add_bytes(&b, 1, name, sizeof(name));
	fr_pb_add_u64(&b, 7, 5);
	assert_int_equal(fr_meta_read_host(bytes(), &h), 1);
	assert_int_equal(strlen(h.name), sizeof(h.name) - 1);
	assert_int_equal(h.cpus_possible, 5);
	fr_buf_clear(&b);
	fr_pb_add_bytes(&b, 1, name, sizeof(h.name) - 1);
	assert_int_equal(fr_meta_read_host(bytes(), &h), 0);
}

static void unknown_fields_and_other_forms_are_skipped(void **state)
{
	struct fr_meta_host h;

	(void)state;
	fr_pb_add_str(&b, 1000, "later");
	fr_pb_add_fixed32(&b, 1001, 1);
	fr_pb_add_double(&b, 1002, 1.5);
	fr_pb_add_str(&b, 7, "a string where a number was");
	fr_pb_add_u64(&b, 1, 9);
	fr_pb_add_str(&b, 1, "name");
	assert_int_equal(fr_meta_read_host(bytes(), &h), 0);
	assert_string_equal(h.name, "name");
	assert_int_equal(h.cpus_possible, 0);
}

static void messages_joined_are_the_message(void **state)
{
	struct fr_cpu_loss one[2] = { { .cpu = 0, .kept = 1 }, { .cpu = 1, .kept = 2 } };
	struct fr_meta_loss first = { .cpus = one, .cpu_cnt = 1, .end_ns = 5 }, out;
	struct fr_meta_loss second = { .cpus = one + 1, .cpu_cnt = 1 };

	(void)state;
	fr_meta_add_loss(&b, &first);
	fr_meta_add_loss(&b, &second);
	assert_int_equal(fr_meta_read_loss(bytes(), &out), 0);
	assert_int_equal(out.cpu_cnt, 2);
	assert_int_equal(out.end_ns, 5);
	assert_int_equal(out.cpus[1].kept, 2);
	fr_meta_loss_done(&out);
}

static void a_bad_row_does_not_end_its_table_but_a_bad_table_does(void **state)
{
	struct fr_meta_thread t = { .tid = 5 };
	struct fr_cursor c;

	(void)state;
	fr_meta_add_thread(&b, &t);
	fr_pb_add_bytes(&b, 1, "\xff\xff", 2); /* a row that is no message */
	fr_meta_add_thread(&b, &t);
	fr_buf_add(&b, "\x0a\x7f", 2); /* a row longer than the table */
	c = fr_cursor_of(b.data, b.len_bytes);
	assert_int_equal(fr_meta_next_thread(&c, &t), 1);
	assert_int_equal(fr_meta_next_thread(&c, &t), -EBADMSG);
	assert_int_equal(fr_meta_next_thread(&c, &t), 1);
	assert_int_equal(t.tid, 5);
	assert_int_equal(fr_meta_next_thread(&c, &t), -EBADMSG);
	assert_int_equal(fr_meta_next_thread(&c, &t), 0);
}

static void a_socket_address_too_long_is_refused(void **state)
{
	struct fr_meta_socket s;
	struct fr_cursor c;
	size_t mark = fr_pb_open(&b, 1);

	(void)state;
	fr_pb_add_bytes(&b, 4, "0123456789abcdefX", 17);
	fr_pb_close(&b, mark);
	c = fr_cursor_of(b.data, b.len_bytes);
	assert_int_equal(fr_meta_next_socket(&c, &s), -EBADMSG);
}

static void loss_of_more_cpus_than_there_are_is_cut(void **state)
{
	struct fr_meta_loss out;
	size_t mark;

	(void)state;
	for (uint32_t i = 0; i < FR_CPUS_MAX + 3; i++) {
		mark = fr_pb_open(&b, 1);
		fr_pb_close(&b, mark);
	}
	assert_int_equal(fr_meta_read_loss(bytes(), &out), 1);
	assert_int_equal(out.cpu_cnt, FR_CPUS_MAX);
	fr_meta_loss_done(&out);
	fr_buf_add(&b, "\xff", 1);
	assert_int_equal(fr_meta_read_loss(bytes(), &out), -EBADMSG);
	assert_null(out.cpus);
}

/* ---- clocks --------------------------------------------------------------------------------- */

static void clock_pairs_map_piecewise(void **state)
{
	const struct fr_meta_clocks c = {
		.pairs = { { FR_CLOCK_END, 3000000, 9003000400, 0 }, /* in any order */
			   { FR_CLOCK_START, 1000000, 9001000000, 0 },
			   { FR_CLOCK_TRIGGER, 2000000, 9002000400, 0 } },
		.pair_cnt = 3,
	};

	(void)state;
	assert_int_equal(fr_clocks_to_unix(&c, 0), 9000000000);
	assert_int_equal(fr_clocks_to_unix(&c, 1000000), 9001000000);
	assert_int_equal(fr_clocks_to_unix(&c, 1500000), 9001500200);
	assert_int_equal(fr_clocks_to_unix(&c, 2500000), 9002500400);
	assert_int_equal(fr_clocks_to_unix(&c, 3500000), 9003500400);
	assert_int_equal(fr_clocks_to_boot(&c, 9001500200), 1500000);
	assert_int_equal(fr_clocks_to_boot(&c, 9003500400), 3500000);
	assert_int_equal(fr_clocks_to_boot(&c, 9000000000), 0);
	assert_int_equal(fr_clocks_to_boot(&c, 5), 0); /* before boot */
}

static void a_clock_that_was_set_is_not_smeared(void **state)
{
	const struct fr_meta_clocks c = {
		.pairs = { { FR_CLOCK_START, 1000000, 9001000000, 10 },
			   { FR_CLOCK_END, 2000000, 3602000000, 10 } }, /* set back */
		.pair_cnt = 2,
	};
	const struct fr_meta_clocks none = { .pair_cnt = 0 };

	(void)state;
	assert_int_equal(fr_clocks_to_unix(&c, 1999999), 9001999999);
	assert_int_equal(fr_clocks_to_unix(&c, 2000000), 3602000000);
	assert_int_equal(fr_clocks_to_unix(&none, 5), 0);
	assert_int_equal(fr_clocks_to_boot(&none, 5), 0);
}

static void wild_clock_pairs_do_not_overflow(void **state)
{
	const struct fr_meta_clocks c = {
		.pairs = { { 0, 0, 0, ~0ull },
			   { 0, ~0ull, ~0ull - 5, ~0ull },
			   { 0, 1ull << 63, 7, ~0ull } },
		.pair_cnt = 3,
	};

	(void)state;
	for (uint64_t t = 1; t; t <<= 1) {
		fr_clocks_to_unix(&c, t);
		fr_clocks_to_unix(&c, ~t);
		fr_clocks_to_boot(&c, t);
		fr_clocks_to_boot(&c, ~t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(trigger_comes_back, start),
		cmocka_unit_test_setup(joined_triggers_beyond_the_array_are_counted, start),
		cmocka_unit_test_setup(clocks_come_back, start),
		cmocka_unit_test_setup(host_comes_back, start),
		cmocka_unit_test_setup(config_comes_back, start),
		cmocka_unit_test_setup(loss_comes_back, start),
		cmocka_unit_test_setup(threads_come_back, start),
		cmocka_unit_test_setup(processes_come_back, start),
		cmocka_unit_test_setup(sockets_come_back, start),
		cmocka_unit_test_setup(long_strings_are_cut_and_said, start),
		cmocka_unit_test_setup(unknown_fields_and_other_forms_are_skipped, start),
		cmocka_unit_test_setup(messages_joined_are_the_message, start),
		cmocka_unit_test_setup(a_bad_row_does_not_end_its_table_but_a_bad_table_does,
				       start),
		cmocka_unit_test_setup(a_socket_address_too_long_is_refused, start),
		cmocka_unit_test_setup(loss_of_more_cpus_than_there_are_is_cut, start),
		cmocka_unit_test(clock_pairs_map_piecewise),
		cmocka_unit_test(a_clock_that_was_set_is_not_smeared),
		cmocka_unit_test(wild_clock_pairs_do_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
