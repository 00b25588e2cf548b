/* SPDX-License-Identifier: BSD-2-Clause */
#include "trigger_reason.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "formats/base/cli.h"

struct text {
	char *at;
	size_t left_bytes;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(t->at, t->left_bytes, fmt, args);
	va_end(args);
	if (n < 0)
		return;
	if ((size_t)n >= t->left_bytes)
		n = (int)t->left_bytes - 1;
	t->at += n;
	t->left_bytes -= (size_t)n;
}

/* Up to max characters that lie in a number, the first in its lowest byte. */
static void add_chars(struct text *t, uint64_t chars, uint32_t max)
{
	for (; max && chars & 0xff; max--, chars >>= 8) {
		uint8_t c = chars & 0xff;

		add(t, "%c", c > ' ' && c < 127 ? c : '?');
	}
}

static void add_time(struct text *t, uint64_t ns)
{
	char time[32];

	add(t, "%s", fr_format_duration(ns, time, sizeof(time)));
}

static const char *wire_name(uint32_t wire)
{
	static const char *const names[] = {
		[FR_SPEAKS_HTTP] = "http",
		[FR_SPEAKS_POSTGRES] = "postgresql",
		[FR_SPEAKS_MYSQL] = "mysql",
		[FR_SPEAKS_REDIS] = "redis",
	};

	return wire < sizeof(names) / sizeof(names[0]) && names[wire] ? names[wire] : "a protocol";
}

static void add_sql(struct text *t, const struct fr_notice_trigger *n)
{
	char severity = (char)(n->value >> 40 & 0xff);

	add(t, "%s ", severity == 'F' ? "FATAL" : severity == 'P' ? "PANIC" : "ERROR");
	add_chars(t, n->value, 5);
	if (n->value >> 48)
		add(t, " (%u)", (unsigned int)(n->value >> 48));
	add(t, " by %s", wire_name(n->wire));
}

static void add_signal(struct text *t, uint64_t sig)
{
	const char *name = sig < 65 ? sigabbrev_np((int)sig) : NULL;

	if (name)
		add(t, "SIG%s", name);
	else
		add(t, "signal %" PRIu64, sig);
}

static void add_exit(struct text *t, uint64_t code)
{
	if (code & 0x7f) {
		add(t, "ended by ");
		add_signal(t, code & 0x7f);
	} else {
		add(t, "ended with status %u", (unsigned int)(code >> 8 & 0xff));
	}
}

static void add_latency(struct text *t, const struct fr_notice_trigger *n)
{
	add_time(t, n->value);
	add(t, " for a request by %s", wire_name(n->wire));
}

static void add_what(struct text *t, const struct fr_notice_trigger *n)
{
	switch ((enum fr_gate_id)n->gate) {
	case FR_GATE_HTTP_5XX:
		add(t, "%u", (unsigned int)n->value);
		return;
	case FR_GATE_SQL_ERROR:
		add_sql(t, n);
		return;
	case FR_GATE_REDIS_ERROR:
		add_chars(t, n->value, 8);
		return;
	case FR_GATE_LATENCY:
		add_latency(t, n);
		add(t, ", limit ");
		add_time(t, n->limit_ns);
		return;
	case FR_GATE_LATENCY_P99:
		add_latency(t, n);
		add(t, ", far beyond the usual");
		return;
	case FR_GATE_SIGNAL:
		add_signal(t, n->value);
		return;
	case FR_GATE_OOM:
		add(t, "out of memory, victim chosen");
		return;
	case FR_GATE_RUNQUEUE:
		add(t, "waited ");
		add_time(t, n->value);
		add(t, " for a CPU, limit ");
		add_time(t, n->limit_ns);
		return;
	case FR_GATE_BLOCK:
		add_time(t, n->value);
		add(t, " for a request to disk %u:%u, limit ", n->dev >> 20, n->dev & 0xfffff);
		add_time(t, n->limit_ns);
		return;
	case FR_GATE_EXIT:
		add_exit(t, n->value);
		return;
	case FR_GATE_CNT:
		return;
	}
}

void fr_trigger_reason(const struct fr_notice_trigger *n, char *text, size_t text_bytes)
{
	struct text t = { text, text_bytes };
	char comm[17] = { 0 };

	text[0] = 0;
	add_what(&t, n);
	if (n->port)
		add(&t, n->client ? ", sent by port %u" : " on port %u", n->port);
	else if (n->sock_id)
		add(&t, n->client ? ", sent by a unix socket" : " on a unix socket");
	memcpy(comm, n->comm, sizeof(n->comm));
	for (char *c = comm; *c; c++) /* a name may hold anything */
		if (*c < ' ' || *c > '~')
			*c = '?';
	if (n->tgid)
		add(&t, ", pid %u", n->tgid);
	if (comm[0])
		add(&t, " (%s)", comm);
}
