/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a dump says beside events: C form of the messages in flightrec.proto, one encode and one
 * decode function each. Encoders append one message to a fr_buf. Decoders accept any bytes, skip
 * unknown fields, cut overlong strings at the array's size (and say so by returning 1), and fail
 * with -EBADMSG on malformed ones.
 */
#ifndef FR_DUMP_META_H
#define FR_DUMP_META_H

#include <stdbool.h>

#include "../abi/event.h"
#include "../base/buf.h"
#include "../base/bytes.h"

#define FR_JOINED_MAX 16
#define FR_CLOCK_PAIRS_MAX 16
#define FR_CPUS_MAX 4096
#define FR_COUNTERS_MAX 64
#define FR_DEGRADED_MAX 32
#define FR_RENAMES_MAX 8

struct fr_trigger_info {
	char name[24];
	char reason[200];
	uint64_t boot_ns;
	uint64_t unix_ns;
	uint32_t sender_pid;
	uint64_t number;
	uint64_t post_window_ns;
	/* where a probe saw it; 0 = not known, or none is involved */
	uint32_t tgid;
	uint32_t tid;
	uint64_t sock_id;
	uint64_t goid;
	/* causes of this name since the recorder's start, until the post-window ended */
	uint64_t seen;
	uint64_t suppressed; /* those that neither made nor joined a dump */
};

struct fr_meta_trigger {
	struct fr_trigger_info main;
	struct fr_trigger_info joined[FR_JOINED_MAX];
	uint32_t joined_cnt;
	uint64_t joined_more;
};

enum fr_clock_when { FR_CLOCK_START = 0, FR_CLOCK_TRIGGER = 1, FR_CLOCK_END = 2 };

struct fr_clock_pair {
	uint32_t when;
	uint64_t boot_ns;
	uint64_t unix_ns;
	uint64_t bound_ns;
};

struct fr_meta_clocks {
	struct fr_clock_pair pairs[FR_CLOCK_PAIRS_MAX];
	uint32_t pair_cnt;
};

/* BOOTTIME to REALTIME by the pairs, piecewise between them. 0 when there is no pair. */
uint64_t fr_clocks_to_unix(const struct fr_meta_clocks *c, uint64_t boot_ns);
uint64_t fr_clocks_to_boot(const struct fr_meta_clocks *c, uint64_t unix_ns);

struct fr_meta_host {
	char name[65];
	char machine_id[40];
	char boot_id[40];
	char kernel_release[65];
	char kernel_version[128];
	char arch[16];
	uint32_t cpus_possible;
	uint32_t cpus_online;
	uint64_t memory_bytes;
	char recorder_version[32];
	uint64_t recorder_start_ns;
	uint32_t recorder_pid;
	uint32_t page_bytes;
	int32_t utc_offset_s;
};

struct fr_setting {
	char key[32];
	char value[160];
};

#define FR_SETTINGS_MAX 64

struct fr_family_state {
	char name[16];
	bool on;
	char why[120];
};

struct fr_meta_config {
	struct fr_setting settings[FR_SETTINGS_MAX];
	uint32_t setting_cnt;
	char redact[12];
	struct fr_family_state families[FR_FAMILY_CNT];
	uint32_t family_cnt;
	char degraded[FR_DEGRADED_MAX][160];
	uint32_t degraded_cnt;
};

struct fr_rename {
	uint64_t boot_ns;
	char old_comm[FR_COMM_BYTES];
};

/* Rows of the identity tables are encoded and decoded one at a time: no limit on their number. */
struct fr_meta_thread {
	uint32_t tid;
	uint32_t tgid;
	uint64_t start_ns;
	uint64_t end_ns; /* 0 = alive */
	char comm[FR_COMM_BYTES];
	uint32_t state;
	uint32_t cpu;
	uint32_t exit_code;
	struct fr_rename renames[FR_RENAMES_MAX];
	uint32_t rename_cnt;
};

struct fr_meta_process {
	uint32_t tgid;
	uint64_t start_ns;
	uint32_t parent_tgid;
	uint32_t uid;
	uint32_t gid;
	uint32_t ns_pid;
	bool args_cut;
	/* borrowed: from the encoder's caller, or from the decoded bytes */
	struct fr_slice exe;
	struct fr_slice args; /* strings, each ended by a zero */
	struct fr_slice cgroup;
	struct fr_slice container_id;
	struct fr_slice environment; /* like args */
	struct fr_slice note;
	struct fr_slice go_version;
};

struct fr_meta_socket {
	uint64_t id;
	struct fr_sock_addr addr;
	uint32_t type;
	uint32_t flags; /* FR_SOCK_* */
	uint32_t tgid;
	uint32_t peer_tgid;
	uint32_t state;
	uint64_t sent_bytes;
	uint64_t received_bytes;
	uint64_t end_ns; /* 0 = open */
	uint64_t netns_inum;
	struct fr_slice path; /* borrowed */
};

struct fr_cpu_loss {
	uint32_t cpu;
	uint64_t oldest_ns;
	uint64_t emitted;
	uint64_t kept;
	uint64_t overwritten;
	uint64_t overtaken;
	uint64_t unfinished;
	uint64_t dropped_retry;
	uint64_t dropped_busy;
	uint64_t dropped_nocpu;
	uint64_t recursion_misses;
};

struct fr_counter {
	char name[48];
	uint64_t value;
};

struct fr_meta_loss {
	struct fr_cpu_loss *cpus; /* owned by whoever made the struct; cpu_cnt entries */
	uint32_t cpu_cnt;
	uint64_t common_start_ns;
	uint64_t end_ns;
	struct fr_counter counters[FR_COUNTERS_MAX];
	uint32_t counter_cnt;
	struct fr_counter removed[FR_COUNTERS_MAX];
	uint32_t removed_cnt;
	uint64_t unnamed_threads;
	uint64_t unnamed_sockets;
};

void fr_meta_add_trigger(struct fr_buf *b, const struct fr_meta_trigger *t);
void fr_meta_add_clocks(struct fr_buf *b, const struct fr_meta_clocks *c);
void fr_meta_add_host(struct fr_buf *b, const struct fr_meta_host *h);
void fr_meta_add_config(struct fr_buf *b, const struct fr_meta_config *c);
void fr_meta_add_loss(struct fr_buf *b, const struct fr_meta_loss *l);
/* One row, as field 1 of Threads, Processes, Sockets: concatenated rows are the table. */
void fr_meta_add_thread(struct fr_buf *b, const struct fr_meta_thread *t);
void fr_meta_add_process(struct fr_buf *b, const struct fr_meta_process *p);
void fr_meta_add_socket(struct fr_buf *b, const struct fr_meta_socket *s);

int fr_meta_read_trigger(struct fr_slice raw, struct fr_meta_trigger *ret);
int fr_meta_read_clocks(struct fr_slice raw, struct fr_meta_clocks *ret);
int fr_meta_read_host(struct fr_slice raw, struct fr_meta_host *ret);
int fr_meta_read_config(struct fr_slice raw, struct fr_meta_config *ret);
/* ret->cpus is allocated; fr_meta_loss_done() frees it. */
int fr_meta_read_loss(struct fr_slice raw, struct fr_meta_loss *ret);
void fr_meta_loss_done(struct fr_meta_loss *l);
/* Next row of a table under the cursor: 1 and *ret, 0 at the end, -EBADMSG. */
int fr_meta_next_thread(struct fr_cursor *c, struct fr_meta_thread *ret);
int fr_meta_next_process(struct fr_cursor *c, struct fr_meta_process *ret, struct fr_buf *scratch);
int fr_meta_next_socket(struct fr_cursor *c, struct fr_meta_socket *ret);

#endif
