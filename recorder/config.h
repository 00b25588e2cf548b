/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the user asked for. One table in config.c names every setting once: it is the long option,
 * the key of the INI file (with _ for -), a line of --help and a row in the dump's configuration.
 *
 * Command line beats file beats default. Paths are absolute after loading.
 */
#ifndef FR_RECORDER_CONFIG_H
#define FR_RECORDER_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/abi/event.h"
#include "formats/abi/knobs.h"
#include "formats/abi/notice.h"
#include "formats/base/buf.h"
#include "formats/dump/meta.h"
#include "formats/redact/redact.h"

enum fr_hooks { FR_HOOKS_AUTO, FR_HOOKS_TRACEPOINTS, FR_HOOKS_SYSCALLS };

/* Kinds of trigger. X(NAME, name, limited, on): limited ones have the common cool-down and daily
 * limit unless their section says otherwise; the others have none unless theirs says so. on: by
 * default; some of them wait for a limit or a name all the same, see fr_config_trigger_on(). */
#define FR_TRIGGERS(X)                                                                             \
	X(USR1, "usr1", false, true)                                                               \
	X(MANUAL, "manual", false, true)                                                           \
	X(HTTP_5XX, "http-5xx", true, true)                                                        \
	X(SQL_ERROR, "sql-error", true, true)                                                      \
	X(REDIS_ERROR, "redis-error", true, false)                                                 \
	X(LATENCY, "latency", true, true)                                                          \
	X(LATENCY_P99, "latency-p99", true, true)                                                  \
	X(SIGNAL, "signal", true, true)                                                            \
	X(OOM, "oom", true, true)                                                                  \
	X(RUNQUEUE, "runqueue", true, true)                                                        \
	X(BLOCK, "block", true, true)                                                              \
	X(EXIT, "exit", true, true)                                                                \
	X(PSI, "psi", true, true)

#define FR_TRIGGER_ENUM(NAME, name, limited, on) FR_TRIGGER_##NAME,
enum fr_trigger_kind { FR_TRIGGERS(FR_TRIGGER_ENUM) FR_TRIGGER_CNT };
#undef FR_TRIGGER_ENUM

#define FR_RULE_UNSET UINT64_MAX

#define FR_ON_DUMP_BYTES_MAX 1024

struct fr_trigger_rule {
	bool enabled;
	uint64_t cooldown_ns; /* 0 = none; FR_RULE_UNSET: see above */
	uint64_t max_per_day; /* 0 = no limit; FR_RULE_UNSET: see above */
	uint64_t limit_ns;    /* latency, latency-p99, runqueue, block; 0 = not set */
	uint64_t factor;      /* latency-p99 */
};

enum fr_pressure { FR_PRESSURE_CPU, FR_PRESSURE_IO, FR_PRESSURE_MEMORY, FR_PRESSURE_CNT };

/* What single kinds have beside their rule. */
struct fr_trigger_more {
	uint64_t sql_ignore[FR_STATES_MAX]; /* as in fr_gate_table */
	uint64_t sql_only[FR_STATES_MAX];
	uint32_t exit_cnt;
	bool exit_failures_only;
	char exit_names[FR_EXITS_MAX][16];
	uint64_t pressure_pct[FR_PRESSURE_CNT]; /* of the window; 0 = off */
	uint64_t pressure_window_ns;
};

struct fr_config {
	/* what to do; not in the file */
	char config_path[PATH_MAX];
	bool config_given; /* a missing file is an error only if it was named */
	bool check_config;
	bool foreground;
	bool features;
	bool json;
	uint32_t asked_on; /* bit enum fr_trigger_kind: by --trigger NAME=on */
	bool self_test;
	bool version;

	char dump_dir[PATH_MAX];
	char control_path[PATH_MAX]; /* "" = no control socket */
	char pid_path[PATH_MAX];     /* "" = none */
	char btf_path[PATH_MAX];     /* "" = the running kernel's */
	uint64_t ring_bytes;	     /* 0 = by the number of CPUs, see layout.h */
	uint32_t families;	     /* bit FR_FAMILY_* */
	enum fr_hooks hooks;
	uint32_t capture_request_bytes;
	uint32_t capture_response_bytes;
	uint32_t max_sockets;
	uint32_t filter_kind; /* FR_FILTER_* */
	uint32_t filter_cnt;
	uint64_t filter_pids[FR_FILTER_MAX];
	char filter_comms[FR_FILTER_MAX][16];
	char filter_cgroups[FR_FILTER_MAX][256];
	uint64_t filter_cgroup_ids[FR_FILTER_MAX]; /* found by fr_cgroup_find() */
	uint32_t filter_cgroup_subsys;
	char on_dump[FR_ON_DUMP_BYTES_MAX];	     /* command; "" = none */
	char on_dump_endpoint[FR_ON_DUMP_BYTES_MAX]; /* URL; "" = none */
	uint64_t on_dump_timeout_ns;

	/* the rest can change on SIGHUP */
	struct fr_redact_rules redact;
	uint64_t post_window_ns;
	uint64_t cooldown_ns;
	uint32_t max_per_day;
	struct fr_trigger_rule triggers[FR_TRIGGER_CNT];
	struct fr_trigger_more trigger_more;
	uint32_t codec;	 /* enum fr_codec */
	int codec_level; /* 0 = the codec's default */
	uint64_t dump_quota_bytes;
	uint32_t dump_max_files;
	uint32_t dump_min_free_pct;
	int nice;
	uint32_t log_level; /* enum fr_log_level */
};

/*
 * Fills ret_config from defaults, file and command line. 0; -ECANCELED when --help was printed;
 * -EINVAL after a message on stderr (exit 2); -EACCES, -ENOENT, -EIO: the file, after a message.
 */
int fr_config_load(struct fr_config *ret_config, int argc, char **argv);
/*
 * Reads the same again and takes over what may change while running. 0 and the number of settings
 * taken over; on any error nothing changes. What would need a restart is named in a warning.
 */
int fr_config_reload(struct fr_config *config, int argc, char **argv, uint32_t *ret_changed_cnt);
/* The rule of one kind with nothing unset. */
struct fr_trigger_rule fr_config_rule(const struct fr_config *config, enum fr_trigger_kind kind);
/* Can this kind fire: enabled, with the limit or the names that it waits for? */
bool fr_config_trigger_on(const struct fr_config *config, enum fr_trigger_kind kind);
/* Every setting with its value, for the dump and --check-config (as a file that says the same). */
void fr_config_settings(const struct fr_config *config, struct fr_meta_config *ret_meta);
void fr_config_print(const struct fr_config *config, struct fr_buf *out);

const char *fr_redact_name(enum fr_redact redact);
const char *fr_trigger_name(enum fr_trigger_kind kind);
int fr_trigger_by_name(const char *name); /* -1 = there is no such kind */
const char *fr_family_name(uint32_t bit);

#endif
