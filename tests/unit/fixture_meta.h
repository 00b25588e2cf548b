/* SPDX-License-Identifier: BSD-2-Clause */
/* Metadata of the fixture dump (dump_fixture.h): who the numbers of the story are. */
#ifndef FR_TESTS_FIXTURE_META_H
#define FR_TESTS_FIXTURE_META_H

#include "fixture_acts.h"

#define FX_CONTAINER "4f1d2c3b5a69788796a5b4c3d2e1f00112233445566778899aabbccddeeff001"

static inline void fx_put_once(struct fr_dump_writer *w, const struct fr_fixture_facts *f,
			       struct fr_buf *b, int *err)
{
	struct fr_meta_trigger trigger = {
		.main = { .name = "usr1", .reason = "SIGUSR1", .boot_ns = f->trigger_ns,
			  .unix_ns = FX_UNIX_NS + f->trigger_ns - FX_BOOT_NS,
			  .sender_pid = FX_SHELL, .number = 3, .post_window_ns = 2000 * FX_US },
		.joined = { { .name = "manual", .reason = "flightrec trigger: \"why slow?\"",
			      .boot_ns = f->trigger_ns + 700 * FX_US,
			      .unix_ns = FX_UNIX_NS + f->trigger_ns - FX_BOOT_NS + 700 * FX_US,
			      .number = 4 } },
		.joined_cnt = 1,
	};
	/* REALTIME is slewed: 20 us more than BOOTTIME over the story */
	struct fr_meta_clocks clocks = {
		.pairs = { { FR_CLOCK_START, FX_BOOT_NS - 1000000000, FX_UNIX_NS - 1000000000,
			     300 },
			   { FR_CLOCK_TRIGGER, f->trigger_ns,
			     FX_UNIX_NS + f->trigger_ns - FX_BOOT_NS, 250 },
			   { FR_CLOCK_END, f->trigger_ns + 40000 * FX_US,
			     FX_UNIX_NS + f->trigger_ns - FX_BOOT_NS + 40020 * FX_US, 400 } },
		.pair_cnt = 3,
	};
	struct fr_meta_host host = {
		.name = "fixture", .machine_id = "0123456789abcdef0123456789abcdef",
		.boot_id = "11111111-2222-3333-4444-555555555555", .kernel_release = "6.18.44",
		.kernel_version = "#1 SMP PREEMPT_DYNAMIC", .arch = "x86_64", .cpus_possible = 2,
		.cpus_online = 2, .memory_bytes = 8ull << 30, .recorder_version = "0.1.0",
		.recorder_start_ns = FX_BOOT_NS - 1000000000, .recorder_pid = 777,
		.page_bytes = 4096, .utc_offset_s = -3600,
	};

	fr_meta_add_trigger(b, &trigger);
	*err = fr_dump_put_meta(w, FR_CHUNK_TRIGGER, b);
	fr_buf_clear(b);
	fr_meta_add_clocks(b, &clocks);
	*err = *err ? *err : fr_dump_put_meta(w, FR_CHUNK_CLOCK, b);
	fr_buf_clear(b);
	fr_meta_add_host(b, &host);
	*err = *err ? *err : fr_dump_put_meta(w, FR_CHUNK_HOST, b);
	fr_buf_clear(b);
}

static inline void fx_put_config(struct fr_dump_writer *w, struct fr_buf *b, int *err)
{
	static const char *const names[] = { "rec", "proc", "sched", "waking",
					     "sock", "tcp", "block", "dns" };
	struct fr_meta_config *c = calloc(1, sizeof(*c));

	assert(c && sizeof(names) / sizeof(*names) == FR_FAMILY_CNT);
	snprintf(c->redact, sizeof(c->redact), "off");
	c->settings[0] = (struct fr_setting){ "ring_size", "64M" };
	c->settings[1] = (struct fr_setting){ "post_window", "2ms" };
	c->setting_cnt = 2;
	for (size_t i = 0; i < FR_FAMILY_CNT; i++) {
		snprintf(c->families[i].name, sizeof(c->families[i].name), "%s", names[i]);
		c->families[i].on = i != FR_FAMILY_DNS;
	}
	snprintf(c->families[FR_FAMILY_DNS].why, sizeof(c->families[0].why), "off by default");
	c->family_cnt = FR_FAMILY_CNT;
	snprintf(c->degraded[0], sizeof(c->degraded[0]),
		 "kprobes: not on this kernel, nothing needs them");
	c->degraded_cnt = 1;
	fr_meta_add_config(b, c);
	*err = *err ? *err : fr_dump_put_meta(w, FR_CHUNK_CONFIG, b);
	fr_buf_clear(b);
	free(c);
}

/* tid, tgid, name; the dead have an end and an exit code. */
static inline void fx_put_threads(struct fr_dump_writer *w, const struct fx_story *s,
				  struct fr_buf *b, int *err)
{
	const uint64_t troubles = s->fx.facts.trigger_ns - FX_ACT_NS;
	const struct fr_meta_thread rows[] = {
		{ .tid = FX_SYSTEMD, .tgid = FX_SYSTEMD, .comm = "systemd" },
		{ .tid = FX_JOURNALD, .tgid = FX_JOURNALD, .comm = "systemd-journal" },
		{ .tid = FX_WEB, .tgid = FX_WEB, .comm = "web", .cpu = 1 },
		{ .tid = FX_WEB_M1, .tgid = FX_WEB, .comm = "web", .cpu = 1 },
		{ .tid = FX_WEB_M2, .tgid = FX_WEB, .comm = "web-gc", .cpu = 1, .rename_cnt = 1,
		  .renames = { { troubles + 10 * FX_US, "web" } } },
		{ .tid = FX_POSTGRES, .tgid = FX_POSTGRES, .comm = "postgres" },
		{ .tid = FX_BACKEND, .tgid = FX_BACKEND, .comm = "postgres" },
		{ .tid = FX_SHELL, .tgid = FX_SHELL, .comm = "bash" },
		{ .tid = FX_WRK, .tgid = FX_WRK, .comm = "wrk" },
		{ .tid = FX_CURL, .tgid = FX_CURL, .comm = "curl", .start_ns = s->curl_start_ns,
		  .end_ns = troubles - FX_ACT_NS + 710 * FX_US, .exit_code = 22u << 8,
		  .rename_cnt = 1, .renames = { { troubles - FX_ACT_NS + 60 * FX_US, "bash" } } },
		{ .tid = FX_CRASH, .tgid = FX_CRASH, .comm = "crasher",
		  .end_ns = troubles + 250 * FX_US, .exit_code = 0x8b },
		{ .tid = FX_HOG, .tgid = FX_HOG, .comm = "hog", .end_ns = troubles + 460 * FX_US,
		  .exit_code = 9 },
	};
	struct fr_meta_thread row;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		row = rows[i];
		row.start_ns = row.start_ns ? row.start_ns : fx_start_of(row.tid);
		row.state = row.end_ns ? 0 : FX_TASK_SLEEPING;
		fr_meta_add_thread(b, &row);
	}
	*err = *err ? *err : fr_dump_put_meta(w, FR_CHUNK_THREADS, b);
	fr_buf_clear(b);
}

#define FX_SLICE(text) { (const uint8_t *)(text), sizeof(text) - 1 }

static inline void fx_put_processes(struct fr_dump_writer *w, const struct fx_story *s,
				    struct fr_buf *b, int *err)
{
	const struct fr_meta_process rows[] = {
		{ .tgid = FX_SYSTEMD, .exe = FX_SLICE("/usr/lib/systemd/systemd"),
		  .args = FX_SLICE("/sbin/init\0"), .cgroup = FX_SLICE("/init.scope"),
		  .ns_pid = 1 },
		{ .tgid = FX_JOURNALD, .parent_tgid = FX_SYSTEMD,
		  .exe = FX_SLICE("/usr/lib/systemd/systemd-journald"),
		  .cgroup = FX_SLICE("/system.slice/systemd-journald.service") },
		{ .tgid = FX_WEB, .parent_tgid = FX_SYSTEMD, .uid = 1000, .gid = 1000, .ns_pid = 7,
		  .exe = FX_SLICE("/srv/web"), .args = FX_SLICE("/srv/web\0-listen\0:8080\0"),
		  .cgroup = FX_SLICE("/system.slice/docker-" FX_CONTAINER ".scope"),
		  .container_id = FX_SLICE(FX_CONTAINER), .go_version = FX_SLICE("go1.22.3"),
		  .environment = FX_SLICE("OTEL_SERVICE_NAME=shop\0") },
		{ .tgid = FX_POSTGRES, .parent_tgid = FX_SYSTEMD, .uid = 113, .gid = 120,
		  .exe = FX_SLICE("/usr/lib/postgresql/15/bin/postgres"),
		  .args = FX_SLICE("postgres\0-D\0/var/lib/postgresql\0") },
		{ .tgid = FX_BACKEND, .parent_tgid = FX_POSTGRES, .uid = 113, .gid = 120,
		  .exe = FX_SLICE("/usr/lib/postgresql/15/bin/postgres"), .args_cut = true,
		  .args = FX_SLICE("postgres: shop shop 127.0.0.1(40100) idle\0") },
		{ .tgid = FX_SHELL, .parent_tgid = FX_SYSTEMD, .uid = 1000, .gid = 1000,
		  .exe = FX_SLICE("/usr/bin/bash"), .args = FX_SLICE("-bash\0") },
		{ .tgid = FX_WRK, .parent_tgid = FX_SYSTEMD, .uid = 1000, .gid = 1000,
		  .exe = FX_SLICE("/usr/bin/wrk"), .args = FX_SLICE("wrk\0-c1\0http://shop\0") },
		{ .tgid = FX_CURL, .start_ns = s->curl_start_ns, .parent_tgid = FX_SHELL,
		  .uid = 1000, .gid = 1000, .exe = FX_SLICE("/usr/bin/curl"),
		  .args = FX_SLICE(FX_CURL_ARGS "\0"),
		  .note = FX_SLICE("exited before it could be asked; names are from its exec") },
		{ .tgid = FX_CRASH, .parent_tgid = FX_SHELL, .uid = 1000, .gid = 1000 },
		{ .tgid = FX_HOG, .parent_tgid = FX_SHELL, .uid = 1000, .gid = 1000 },
	};
	struct fr_meta_process row;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		row = rows[i];
		row.start_ns = row.start_ns ? row.start_ns : fx_start_of(row.tgid);
		fr_meta_add_process(b, &row);
	}
	*err = *err ? *err : fr_dump_put_meta(w, FR_CHUNK_PROCESSES, b);
	fr_buf_clear(b);
}

static inline void fx_put_sockets(struct fr_dump_writer *w, const struct fx_story *s,
				  struct fr_buf *b, int *err)
{
	const struct fx_sock *socks[] = { &s->wrk,  &s->web_wrk,  &s->db,  &s->backend,
					  &s->curl, &s->web_curl, &s->dns, &s->log };
	const uint64_t troubles = s->fx.facts.trigger_ns - FX_ACT_NS;

	for (size_t i = 0; i < sizeof(socks) / sizeof(*socks); i++) {
		const struct fx_sock *sk = socks[i];
		bool is_unix = sk->addr.family == FR_AF_UNIX, dead = i >= 4 && i <= 6;
		struct fr_meta_socket row = {
			.id = sk->id,
			.addr = sk->addr,
			.type = sk->type,
			.flags = sk->flags,
			.tgid = sk->tgid,
			.peer_tgid = is_unix ? FX_JOURNALD : 0,
			.state = dead ? FX_CLOSE : FX_ESTABLISHED,
			.sent_bytes = sk->sent,
			.received_bytes = sk->received,
			.end_ns = dead ? troubles - FX_ACT_NS + 696 * FX_US : 0,
			.netns_inum = FX_NETNS,
		};

		if (is_unix)
			row.path = (struct fr_slice)FX_SLICE(FX_JOURNAL_PATH);
		if (sk == &s->web_curl)
			row.end_ns -= 2 * FX_US;
		if (sk == &s->dns)
			row.end_ns = troubles + 42 * FX_US;
		fr_meta_add_socket(b, &row);
	}
	*err = *err ? *err : fr_dump_put_meta(w, FR_CHUNK_SOCKETS, b);
	fr_buf_clear(b);
}

/* emitted = kept + overwritten + overtaken + unfinished + dropped, as in a real one */
static inline void fx_put_loss(struct fr_dump_writer *w, const struct fr_fixture_facts *f, int *err)
{
	struct fr_cpu_loss cpus[FX_CPUS];
	struct fr_meta_loss loss = {
		.cpus = cpus,
		.cpu_cnt = FX_CPUS,
		.common_start_ns = f->cpu_oldest_ns[0] > f->cpu_oldest_ns[1] ? f->cpu_oldest_ns[0] :
									       f->cpu_oldest_ns[1],
		.end_ns = f->last_ns,
		.counters = { { "sock_created", 8 }, { "sock_ended", 3 }, { "capture_fault", 0 } },
		.counter_cnt = 3,
	};

	for (uint32_t cpu = 0; cpu < FX_CPUS; cpu++) {
		cpus[cpu] = (struct fr_cpu_loss){
			.cpu = cpu,
			.oldest_ns = f->cpu_oldest_ns[cpu],
			.kept = f->cpu_records[cpu],
			.overwritten = 1000 * (cpu + 1),
			.overtaken = f->cpu_overtaken[cpu],
			.recursion_misses = 2 * cpu,
		};
		cpus[cpu].emitted = cpus[cpu].kept + cpus[cpu].overwritten + cpus[cpu].overtaken;
	}
	*err = *err ? *err : fr_dump_put_loss(w, &loss);
}

#endif
