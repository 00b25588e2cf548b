/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/abi/sock.h"
#include "formats/base/cli.h"
#include "formats/base/log.h"
#include "formats/dump/format.h"
#include "on_dump.h"
#include "value.h"

/* ---- one pair of functions for each setting ---------------------------------------------- */

#define SET(name) static int set_##name(void *ctx, const char *value, char *err, size_t n)
#define GET(name) static void get_##name(const struct fr_config *c, struct fr_buf *out)

#define SWITCH(name)                                                                               \
	SET(name) { return fr_value_bool(value, &((struct fr_config *)ctx)->name, err, n); }
#define NUMBER(name, field, type, min, max)                                                        \
	SET(name)                                                                                  \
	{                                                                                          \
		uint64_t v = 0;                                                                    \
		int bad = fr_value_number(value, min, max, &v, err, n);                            \
                                                                                                   \
		if (!bad)                                                                          \
			((struct fr_config *)ctx)->field = (type)v;                                \
		return bad;                                                                        \
	}                                                                                          \
	GET(name) { fr_buf_add_u64(out, c->field); }
#define SIZE(name, field, min, max)                                                                \
	SET(name)                                                                                  \
	{                                                                                          \
		struct fr_config *c = ctx;                                                         \
                                                                                                   \
		return fr_value_size(value, min, max, &c->field, err, n);                          \
	}                                                                                          \
	GET(name) { fr_value_put_size(out, c->field); }
#define DURATION(name, field, min, max)                                                            \
	SET(name)                                                                                  \
	{                                                                                          \
		struct fr_config *c = ctx;                                                         \
                                                                                                   \
		return fr_value_duration(value, min, max, &c->field, err, n);                      \
	}                                                                                          \
	GET(name) { fr_value_put_duration(out, c->field); }
#define PATH(name, field, none)                                                                    \
	SET(name)                                                                                  \
	{                                                                                          \
		return fr_value_path(value, none, ((struct fr_config *)ctx)->field, err, n);       \
	}                                                                                          \
	GET(name)                                                                                  \
	{                                                                                          \
		const char *word = none;                                                           \
                                                                                                   \
		fr_buf_add_str(out, c->field[0] || !word ? c->field : word);                       \
	}

SWITCH(check_config)
SWITCH(features)
SWITCH(json)
SWITCH(self_test)
SWITCH(version)
SWITCH(foreground)
GET(foreground)
{
	fr_buf_add_str(out, c->foreground ? "on" : "off");
}

SET(config)
{
	struct fr_config *c = ctx;

	c->config_given = true;
	return fr_value_path(value, NULL, c->config_path, err, n);
}

PATH(dump_dir, dump_dir, NULL)
PATH(control, control_path, "off")
PATH(pid_file, pid_path, "off")
PATH(btf, btf_path, "kernel")
DURATION(post_window, post_window_ns, 50000000ull, 60000000000ull)
DURATION(cooldown, cooldown_ns, 0, 86400000000000ull)
NUMBER(max_per_day, max_per_day, uint32_t, 0, 1000000)
NUMBER(capture_request_bytes, capture_request_bytes, uint32_t, 0, FR_CAPTURE_MAX)
NUMBER(capture_response_bytes, capture_response_bytes, uint32_t, 0, FR_CAPTURE_MAX)
NUMBER(max_sockets, max_sockets, uint32_t, 1, 16u << 20)
NUMBER(dump_max_files, dump_max_files, uint32_t, 1, 100000)
SIZE(dump_quota, dump_quota_bytes, 1ull << 20, 1ull << 60)

SET(ring_size)
{
	struct fr_config *c = ctx;

	if (!strcmp(value, "auto")) {
		c->ring_bytes = 0;
		return 0;
	}
	return fr_value_size(value, 1ull << 20, 1ull << 46, &c->ring_bytes, err, n);
}
GET(ring_size)
{
	if (c->ring_bytes)
		fr_value_put_size(out, c->ring_bytes);
	else
		fr_buf_add_str(out, "auto");
}

SET(dump_min_free)
{
	char text[16];
	uint64_t v = 0;
	size_t len = strlen(value);
	int bad;

	if (len >= sizeof(text))
		return fr_value_refuse(err, n, "'%s' is not a percentage", value);
	memcpy(text, value, len + 1);
	if (len && text[len - 1] == '%')
		text[len - 1] = 0;
	bad = fr_value_number(text, 0, 99, &v, err, n);
	if (bad)
		return fr_value_refuse(err, n, "'%s' is not a percentage from 0%% to 99%%", value);
	((struct fr_config *)ctx)->dump_min_free_pct = (uint32_t)v;
	return 0;
}
GET(dump_min_free)
{
	fr_buf_printf(out, "%u%%", c->dump_min_free_pct);
}

SET(nice)
{
	char *end;
	long v = strtol(value, &end, 10);

	if (end == value || *end || v < -20 || v > 19)
		return fr_value_refuse(err, n, "'%s' is not a priority from -20 to 19", value);
	((struct fr_config *)ctx)->nice = (int)v;
	return 0;
}
GET(nice)
{
	fr_buf_add_i64(out, c->nice);
}

static const char *const redact_names[] = {
	[FR_REDACT_STANDARD] = "standard", [FR_REDACT_STRICT] = "strict", [FR_REDACT_OFF] = "off",
};
SET(redact)
{
	int i = fr_value_choice(value, redact_names, 3, err, n);

	if (i < 0)
		return i;
	((struct fr_config *)ctx)->redact.level = (enum fr_redact)i;
	return 0;
}
GET(redact)
{
	fr_buf_add_str(out, redact_names[c->redact.level]);
}
SET(keep_query)
{
	return fr_value_bool(value, &((struct fr_config *)ctx)->redact.keep_query, err, n);
}
GET(keep_query)
{
	fr_buf_add_str(out, c->redact.keep_query ? "on" : "off");
}
const char *fr_redact_name(enum fr_redact redact)
{
	return redact_names[redact];
}

static const char *const hooks_names[] = {
	[FR_HOOKS_AUTO] = "auto",
	[FR_HOOKS_TRACEPOINTS] = "tracepoints",
	[FR_HOOKS_SYSCALLS] = "syscalls",
};
SET(hooks)
{
	int i = fr_value_choice(value, hooks_names, 3, err, n);

	if (i < 0)
		return i;
	((struct fr_config *)ctx)->hooks = (enum fr_hooks)i;
	return 0;
}
GET(hooks)
{
	fr_buf_add_str(out, hooks_names[c->hooks]);
}

static const struct {
	const char *name;
	uint32_t level;
} log_levels[] = {
	{ "error", FR_LOG_ERR },
	{ "warning", FR_LOG_WARN },
	{ "info", FR_LOG_INFO },
	{ "debug", FR_LOG_DEBUG },
};
SET(log_level)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };
	int i = fr_value_choice(value, names, 4, err, n);

	if (i < 0)
		return i;
	((struct fr_config *)ctx)->log_level = log_levels[i].level;
	return 0;
}
GET(log_level)
{
	for (uint32_t i = 0; i < 4; i++)
		if (log_levels[i].level == c->log_level)
			fr_buf_add_str(out, log_levels[i].name);
}

SET(codec)
{
	static const char *const names[] = { "none", "lz4", "zstd" };
	struct fr_config *c = ctx;
	char word[16] = "";
	const char *colon = strchrnul(value, ':');
	long level = 0;
	char *end;
	int codec;

	if ((size_t)(colon - value) < sizeof(word))
		memcpy(word, value, (size_t)(colon - value));
	codec = fr_value_choice(word, names, 3, err, n);
	if (codec < 0)
		return codec;
	if (*colon) {
		level = strtol(colon + 1, &end, 10);
		if (codec != FR_CODEC_ZSTD || !colon[1] || *end || level < -7 || level > 19 ||
		    !level)
			return fr_value_refuse(
				err, n, "'%s': only zstd has a level, from -7 to 19 without 0",
				value);
	}
	c->codec = (uint32_t)codec;
	c->codec_level = (int)level;
	return 0;
}
GET(codec)
{
	static const char *const names[] = { "none", "lz4", "zstd" };

	fr_buf_add_str(out, names[c->codec]);
	if (c->codec_level)
		fr_buf_printf(out, ":%d", c->codec_level);
}

/* ---- lists ------------------------------------------------------------------------------- */

static const char *const family_names[] = {
#define FAMILY_NAME(bit, NAME, name) [bit] = #name,
	FR_FAMILIES(FAMILY_NAME)
#undef FAMILY_NAME
};
_Static_assert(FR_FAMILY_REC == 0, "the recorder's own family is not for users to choose");

const char *fr_family_name(uint32_t bit)
{
	return bit < FR_FAMILY_CNT ? family_names[bit] : "unknown";
}

SET(families)
{
	uint32_t families = 1u << FR_FAMILY_REC | 1u << FR_FAMILY_PROC;
	const char *at = value;
	char word[32];
	int i;

	while (fr_value_word(&at, word, sizeof(word))) {
		i = fr_value_choice(word, family_names + 1, FR_FAMILY_CNT - 1, err, n);
		if (i < 0)
			return i;
		families |= 2u << i;
	}
	((struct fr_config *)ctx)->families = families;
	return 0;
}
GET(families)
{
	const char *comma = "";

	for (uint32_t bit = 1; bit < FR_FAMILY_CNT; bit++)
		if (c->families & 1u << bit) {
			fr_buf_printf(out, "%s%s", comma, family_names[bit]);
			comma = ",";
		}
}

/* One kind of filter at a time: a list of the same kind replaces, another kind is refused. */
static int filter_start(struct fr_config *c, uint32_t kind, char *err, size_t n)
{
	if (c->filter_kind != FR_FILTER_NONE && c->filter_kind != kind)
		return fr_value_refuse(err, n, "another kind of filter is set already: use one of "
					       "filter-pid, filter-comm, filter-cgroup");
	c->filter_kind = FR_FILTER_NONE;
	c->filter_cnt = 0;
	return 0;
}

static int filter_add(struct fr_config *c, uint32_t kind, const char *word, char *err, size_t n)
{
	uint32_t i = c->filter_cnt;
	uint64_t pid = 0;

	if (i == FR_FILTER_MAX)
		return fr_value_refuse(err, n, "more than %d entries", FR_FILTER_MAX);
	if (kind == FR_FILTER_PID) {
		if (fr_value_number(word, 1, 1u << 22, &pid, err, n))
			return -EINVAL;
		c->filter_pids[i] = pid;
	} else if (kind == FR_FILTER_COMM) {
		if (!word[0] || strlen(word) >= sizeof(c->filter_comms[0]))
			return fr_value_refuse(err, n, "a name has 1 to 15 bytes");
		memset(c->filter_comms[i], 0, sizeof(c->filter_comms[i]));
		memcpy(c->filter_comms[i], word, strlen(word));
	} else {
		if (word[0] != '/')
			return fr_value_refuse(
				err, n, "'%s' is no path of a cgroup: use one that starts with /",
				word);
		memcpy(c->filter_cgroups[i], word, strlen(word) + 1);
	}
	c->filter_kind = kind;
	c->filter_cnt++;
	return 0;
}

static int filter_set(struct fr_config *c, uint32_t kind, const char *value, char *err, size_t n)
{
	char word[sizeof(c->filter_cgroups[0])];
	int bad = filter_start(c, kind, err, n);

	while (!bad && fr_value_word(&value, word, sizeof(word)))
		bad = filter_add(c, kind, word, err, n);
	return bad;
}

#define FILTER(name, kind, put)                                                                    \
	SET(name) { return filter_set(ctx, kind, value, err, n); }                                 \
	GET(name)                                                                                  \
	{                                                                                          \
		for (uint32_t i = 0; c->filter_kind == (kind) && i < c->filter_cnt; i++) {         \
			if (i)                                                                     \
				fr_buf_add_char(out, ',');                                         \
			put;                                                                       \
		}                                                                                  \
	}
FILTER(filter_pid, FR_FILTER_PID, fr_buf_add_u64(out, c->filter_pids[i]))
FILTER(filter_comm, FR_FILTER_COMM, fr_buf_add_str(out, c->filter_comms[i]))
FILTER(filter_cgroup, FR_FILTER_CGROUP, fr_buf_add_str(out, c->filter_cgroups[i]))

/* ---- triggers ---------------------------------------------------------------------------- */

SET(trigger)
{
	struct fr_config *c = ctx;
	const char *equals = strchr(value, '=');
	char name[32];
	int bad, kind;

	if (!equals || (size_t)(equals - value) >= sizeof(name))
		return fr_value_refuse(err, n, "'%s' is not NAME=on or NAME=off", value);
	memcpy(name, value, (size_t)(equals - value));
	name[equals - value] = 0;
	bad = fr_setting_trigger(c, name, "enabled", equals + 1, err, n);
	if (bad)
		return bad;
	kind = fr_trigger_by_name(name);
	c->asked_on &= ~(1u << kind);
	c->asked_on |= (uint32_t)c->triggers[kind].enabled << kind;
	return 0;
}

SET(latency_limit)
{
	return fr_setting_trigger(ctx, "latency", "limit", value, err, n);
}

GET(latency_limit)
{
	if (c->triggers[FR_TRIGGER_LATENCY].limit_ns)
		fr_value_put_duration(out, c->triggers[FR_TRIGGER_LATENCY].limit_ns);
	else
		fr_buf_add_str(out, "off");
}

/* ---- the table --------------------------------------------------------------------------- */

#define CLI FR_SETTING_CLI
#define RELOAD FR_SETTING_RELOAD
#define PRIVATE FR_SETTING_PRIVATE

const struct fr_setting_row fr_setting_rows[] = {
	{ "config", "FILE", "read settings from FILE (default /etc/flightrec/flightrec.ini)", CLI,
	  set_config, NULL },
	{ "check-config", NULL, "check all settings, print them, and end", CLI, set_check_config,
	  NULL },
	{ "dump-dir", "DIR", "where dumps are written", 0, set_dump_dir, get_dump_dir },
	{ "ring-size", "SIZE", "memory for history, or auto: the larger of 64M and 2M per CPU", 0,
	  set_ring_size, get_ring_size },
	{ "families", "LIST", "what to record: sched,waking,sock,tcp,block,dns (proc is always on)",
	  0, set_families, get_families },
	{ "redact", "LEVEL", "what may reach the disk: standard, strict, or off (laboratories)",
	  RELOAD, set_redact, get_redact },
	{ "keep-query", "on|off", "keep the values in the query of a URL, but for secret names",
	  RELOAD, set_keep_query, get_keep_query },
	{ "post-window", "TIME", "how long to go on recording after a trigger", RELOAD,
	  set_post_window, get_post_window },
	{ "trigger", "NAME=on|off", "switch a trigger (may be given again): usr1, manual,\n"
	  "http-5xx, sql-error, redis-error, latency, latency-p99, signal, oom, runqueue,\n"
	  "block, exit, psi",
	  CLI, set_trigger, NULL },
	{ "latency-limit", "TIME|off", "dump when a request takes longer (trigger latency)", RELOAD,
	  set_latency_limit, get_latency_limit },
	{ "cooldown", "TIME", "least time between two dumps of one trigger that has a cool-down\n"
	  "(usr1 and manual have none unless their section sets one)", RELOAD, set_cooldown,
	  get_cooldown },
	{ "max-per-day", "N", "most dumps a day of one such trigger; 0 = no limit", RELOAD,
	  set_max_per_day, get_max_per_day },
	{ "codec", "NAME", "compression of dumps: lz4, zstd, zstd:LEVEL, none", RELOAD, set_codec,
	  get_codec },
	{ "dump-quota", "SIZE", "most bytes in the dump directory; the oldest dump goes first",
	  RELOAD, set_dump_quota, get_dump_quota },
	{ "dump-max-files", "N", "most dumps in the dump directory", RELOAD, set_dump_max_files,
	  get_dump_max_files },
	{ "dump-min-free", "PERCENT", "leave this much of the file system free", RELOAD,
	  set_dump_min_free, get_dump_min_free },
	{ "on-dump", "COMMAND", "run this after each dump ($FLIGHTREC_DUMP is its path)", PRIVATE,
	  fr_on_dump_set_command, fr_on_dump_get_command },
	{ "on-dump-endpoint", "URL", "send each dump as OTLP to URL, e.g. http://localhost:4318",
	  PRIVATE, fr_on_dump_set_endpoint, fr_on_dump_get_endpoint },
	{ "on-dump-timeout", "TIME", "how long either of them may take", 0, fr_on_dump_set_timeout,
	  fr_on_dump_get_timeout },
	{ "hooks", "KIND", "socket probes: auto, tracepoints (Linux 6.3), syscalls (any)", 0,
	  set_hooks, get_hooks },
	{ "btf", "FILE", "kernel type information, if not /sys/kernel/btf/vmlinux", 0, set_btf,
	  get_btf },
	{ "filter-pid", "LIST", "record sockets, tcp and block only for these processes", 0,
	  set_filter_pid, get_filter_pid },
	{ "filter-comm", "LIST", "... only for threads of these names", 0, set_filter_comm,
	  get_filter_comm },
	{ "filter-cgroup", "LIST", "... only in these cgroups (paths) and below", 0,
	  set_filter_cgroup, get_filter_cgroup },
	{ "capture-request-bytes", "N", "bytes kept of the start of each request", 0,
	  set_capture_request_bytes, get_capture_request_bytes },
	{ "capture-response-bytes", "N", "bytes kept of the start of each response", 0,
	  set_capture_response_bytes, get_capture_response_bytes },
	{ "max-sockets", "N", "sockets that are kept track of at one time", 0, set_max_sockets,
	  get_max_sockets },
	{ "nice", "N", "priority of the daemon and of dumping", 0, set_nice, get_nice },
	{ "log-level", "LEVEL", "error, warning, info, debug", RELOAD, set_log_level,
	  get_log_level },
	{ "control", "PATH", "socket for the flightrec command; off = none", 0, set_control,
	  get_control },
	{ "pid-file", "PATH", "write the daemon's process number here; off = none", 0, set_pid_file,
	  get_pid_file },
	{ "foreground", NULL, "stay in the foreground", 0, set_foreground, get_foreground },
	{ "features", NULL, "say what this kernel has and what is degraded, and end", CLI,
	  set_features, NULL },
	{ "json", NULL, "with --features: as JSON", CLI, set_json, NULL },
	{ "self-test", NULL, "load and attach every probe, record a moment, and end", CLI,
	  set_self_test, NULL },
	{ "version", NULL, "print the version and end", CLI, set_version, NULL },
};
const uint32_t fr_setting_cnt = sizeof(fr_setting_rows) / sizeof(fr_setting_rows[0]);
_Static_assert(sizeof(fr_setting_rows) / sizeof(fr_setting_rows[0]) <= FR_SETTINGS_MAX,
	       "all settings fit into a dump");

const struct fr_setting_row *fr_setting_by_key(const char *key)
{
	const struct fr_setting_row *row;
	const char *a, *b;

	for (uint32_t i = 0; i < fr_setting_cnt; i++) {
		row = &fr_setting_rows[i];
		if (row->flags & CLI)
			continue;
		for (a = key, b = row->name; *a && *a == (*b == '-' ? '_' : *b); a++, b++)
			;
		if (!*a && !*b)
			return row;
	}
	return NULL;
}

void fr_setting_defaults(struct fr_config *config)
{
	*config = (struct fr_config){
		.config_path = "/etc/flightrec/flightrec.ini",
		.dump_dir = "/var/lib/flightrec",
		.control_path = "/run/flightrec/control.sock",
		.families = 1u << FR_FAMILY_REC | 1u << FR_FAMILY_PROC | 1u << FR_FAMILY_SCHED |
			    1u << FR_FAMILY_WAKING | 1u << FR_FAMILY_SOCK | 1u << FR_FAMILY_TCP |
			    1u << FR_FAMILY_BLOCK,
		.capture_request_bytes = 512,
		.capture_response_bytes = 128,
		.max_sockets = 65536,
		.redact = { .level = FR_REDACT_STANDARD },
		.post_window_ns = 500000000ull,
		.cooldown_ns = 60000000000ull,
		.max_per_day = 24,
		.codec = FR_CODEC_ZSTD,
		.codec_level = 1,
		.dump_quota_bytes = 1ull << 30,
		.dump_max_files = 50,
		.dump_min_free_pct = 10,
		.on_dump_timeout_ns = 60000000000ull,
		.nice = -15,
		.log_level = FR_LOG_INFO,
	};
	fr_setting_trigger_defaults(config);
}
