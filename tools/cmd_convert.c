/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../formats/base/log.h"
#include "../formats/base/now.h"
#include "../formats/model/conns.h"
#include "../formats/out/convert.h"
#include "convert_send.h"
#include "tool.h"

struct convert {
	struct fr_send_options send; /* first: its setters take the whole for it */
	const struct fr_sink *sink;
	const char *output; /* NULL = not said */
	bool all;
	bool has_from, has_until;
	struct fr_when from, until;
	struct fr_filter filter;
	struct fr_span_filter span_filter;
};

/* ---- options -------------------------------------------------------------------------------- */

static int set_to(void *ctx, const char *value, char *err, size_t err_bytes)
{
	struct convert *c = ctx;
	const struct fr_sink *s;
	size_t used;

	c->sink = fr_sink_find(value);
	if (c->sink)
		return 0;
	used = (size_t)snprintf(err, err_bytes, "there is no format '%.40s'; there are:", value);
	for (size_t i = 0; (s = fr_sink_at(i)) && used < err_bytes; i++)
		used += (size_t)snprintf(err + used, err_bytes - used, " %s", s->name);
	return -EINVAL;
}

static int set_output(void *ctx, const char *value, char *err, size_t err_bytes)
{
	struct convert *c = ctx;

	c->output = value;
	if (*value)
		return 0;
	snprintf(err, err_bytes, "the name is empty; - is standard output");
	return -EINVAL;
}

static int set_all(void *ctx, const char *value, char *err, size_t err_bytes)
{
	struct convert *c = ctx;

	(void)value;
	(void)err;
	(void)err_bytes;
	c->all = true;
	return 0;
}

static int set_when(struct fr_when *to, bool *has, const char *value, char *err, size_t err_bytes)
{
	int ret = fr_parse_when(value, to);

	*has = true;
	if (ret)
		snprintf(err, err_bytes,
			 "'%.60s' is no time; write -2s or +500ms (relative to the "
			 "trigger), 2026-11-23T17:15:52.5Z, or unix seconds",
			 value);
	return ret;
}

static int set_from(void *ctx, const char *value, char *err, size_t err_bytes)
{
	struct convert *c = ctx;

	return set_when(&c->from, &c->has_from, value, err, err_bytes);
}

static int set_until(void *ctx, const char *value, char *err, size_t err_bytes)
{
	struct convert *c = ctx;

	return set_when(&c->until, &c->has_until, value, err, err_bytes);
}

static int set_pid(void *ctx, const char *value, char *err, size_t err_bytes)
{
	struct convert *c = ctx;
	uint64_t pid;

	if (fr_parse_u64(value, FR_TID_MASK, &pid) || !pid) {
		snprintf(err, err_bytes, "'%.40s' is no process id", value);
		return -EINVAL;
	}
	c->filter.pid = (uint32_t)pid;
	return 0;
}

static int set_comm(void *ctx, const char *value, char *err, size_t err_bytes)
{
	struct convert *c = ctx;

	c->filter.comm = value;
	if (*value)
		return 0;
	snprintf(err, err_bytes, "the name is empty");
	return -EINVAL;
}

static int set_min_duration(void *ctx, const char *value, char *err, size_t err_bytes)
{
	struct convert *c = ctx;

	if (!fr_parse_duration(value, &c->span_filter.min_duration_ns))
		return 0;
	snprintf(err, err_bytes, "'%.40s' is no duration; write 250ms, 2s or 800us", value);
	return -EINVAL;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int set_trace_id(void *ctx, const char *value, char *err, size_t err_bytes)
{
	struct fr_span_filter *f = &((struct convert *)ctx)->span_filter;
	bool is_hex = strlen(value) == 2 * sizeof(f->trace_id);

	for (size_t i = 0; is_hex && i < sizeof(f->trace_id); i++) {
		int high = hex_digit(value[2 * i]), low = hex_digit(value[2 * i + 1]);

		is_hex = high >= 0 && low >= 0;
		f->trace_id[i] = (uint8_t)(is_hex ? high << 4 | low : 0);
	}
	f->has_trace_id = is_hex;
	if (is_hex)
		return 0;
	snprintf(err, err_bytes, "'%.60s' is no trace id, which has 32 hexadecimal digits", value);
	return -EINVAL;
}

static const struct fr_option options[] = {
	{ "to", 0, "FORMAT",
	  "chrome: Chrome trace JSON, for ui.perfetto.dev and chrome://tracing\n"
	  "perfetto: Perfetto's own format, in exact nanoseconds\n"
	  "text: one line per event and per request\n"
	  "otlp: requests as OpenTelemetry spans, the rest as log records (a second file\n"
	  "FILE.logs beside it), in protobuf; otlp-json: the same as JSON lines",
	  set_to },
	{ "output", 'o', "FILE",
	  "where to write; - is standard output (default unless that is a "
	  "terminal)",
	  set_output },
	{ "all", 0, NULL,
	  "also the part of the window that not every CPU covers; what is missing "
	  "there is marked",
	  set_all },
	{ "from", 0, "TIME",
	  "leave out what is earlier: -2s (before the trigger), an RFC 3339 time, "
	  "or unix seconds",
	  set_from },
	{ "until", 0, "TIME", "leave out what is later", set_until },
	{ "pid", 0, "PID", "only this process", set_pid },
	{ "comm", 0, "NAME", "only threads of this name, and of processes of this name", set_comm },
	{ "min-duration", 0, "TIME", "only requests that took at least so long", set_min_duration },
	{ "trace-id", 0, "ID", "only requests of this trace (32 hexadecimal digits)",
	  set_trace_id },
	{ "endpoint", 0, "URL",
	  "send as OTLP to URL/v1/traces and URL/v1/logs, e.g. http://localhost:4318;\n"
	  "'env': where OTEL_EXPORTER_OTLP_ENDPOINT says. The options below stand above\n"
	  "the OTEL_EXPORTER_OTLP_* variables",
	  fr_send_set_endpoint },
	{ "header", 0, "NAME=VALUE", "send this header (may be given again)", fr_send_set_header },
	{ "timeout", 0, "TIME", "for one attempt to send (default 10s)", fr_send_set_timeout },
	{ "retry-for", 0, "TIME",
	  "how long to try again while nobody answers (default 60s, 0: give up at once)",
	  fr_send_set_retry_for },
	{ "compression", 0, "NAME", "gzip or none (default)", fr_send_set_compression },
	{ "certificate", 0, "FILE", "trust the receiver by these certificates only (PEM)",
	  fr_send_set_certificate },
	{ "client-certificate", 0, "FILE", "our own certificate (PEM)",
	  fr_send_set_client_certificate },
	{ "client-key", 0, "FILE", "the key of it (PEM), unless it is in the same file",
	  fr_send_set_client_key },
	{ 0 },
};

static const struct fr_command command = {
	.name = "flightrec convert",
	.synopsis = "DUMP... --to FORMAT [-o FILE | --endpoint URL]",
	.about = "Turns one dump, or several of one boot of a host, into a trace. DUMP may be a "
		 "folder "
		 "(all its\n.frd files) or - for standard input. What several dumps hold is taken "
		 "once. "
		 "The same dumps give\nthe same bytes. Needs no privileges, and memory does not "
		 "grow "
		 "with the dump.",
	.options = options,
	.epilog =
		"By default the trace covers the time that every CPU still covers.\n\n"
		"Examples:\n"
		"  flightrec convert x.frd --to chrome -o x.json\n"
		"  flightrec convert x.frd --to text --from -200ms --comm nginx | less\n"
		"  flightrec convert /var/lib/flightrec --to chrome -o - | gzip > all.json.gz\n"
		"  flightrec convert x.frd --endpoint https://collector:4318 --compression gzip\n\n"
		"Exit codes: 0 ok, 1 done but something was damaged, lost or rejected, 2 wrong "
		"use, not a dump, or a\nnewer one, 3 no permission, 5 reading, writing or sending "
		"failed, nothing readable.",
};

/* ---- progress ------------------------------------------------------------------------------- */

#define SILENT_FOR_NS 1000000000u
#define TELL_EVERY_NS 200000000u

struct bar {
	uint64_t began_ns, told_ns;
	bool told;
	const struct fr_otlp_sender *sender; /* NULL = nothing is sent */
};

static void tell(void *ctx, uint64_t done_bytes, uint64_t of_bytes)
{
	struct bar *b = ctx;
	uint64_t now = fr_now_ns();

	if (now - b->began_ns < SILENT_FOR_NS || now - b->told_ns < TELL_EVERY_NS || !of_bytes)
		return;
	b->told_ns = now;
	b->told = true;
	fprintf(stderr, "\rconverting %3u %%", (unsigned int)(done_bytes * 100 / of_bytes));
	if (b->sender)
		fprintf(stderr, ", %llu sent",
			(unsigned long long)(b->sender->counts[FR_OTLP_TRACES].sent +
					     b->sender->counts[FR_OTLP_LOGS].sent));
	fflush(stderr);
}

static void wipe(void *ctx)
{
	struct bar *b = ctx;

	if (b->told)
		fputs("\r\033[K", stderr);
	b->told = false;
}

/* ---- the range ------------------------------------------------------------------------------ */

static int one_time(const struct fr_session *s, const struct fr_when *when, const char *option,
		    uint64_t *ret_ns)
{
	int err = fr_session_when(s, when, ret_ns);

	if (err)
		fr_err("--%s: the dump %s; write the time %s", option,
		       when->relative ? "does not say when its trigger was" : "has no clocks",
		       when->relative ? "as a date" : "relative to the trigger");
	return err ? FR_EXIT_USAGE : 0;
}

static void say_covered(const struct fr_session *s)
{
	char from[40], to[40];

	fr_warn("the dump covers %s to %s",
		fr_format_time(fr_session_to_unix(s, s->common_ns), 3, from, sizeof(from)),
		fr_format_time(fr_session_to_unix(s, s->end_ns), 3, to, sizeof(to)));
}

/* 0 or an exit code after a message. */
static int find_range(const struct convert *o, struct fr_convert *c)
{
	const struct fr_session *s = c->session;
	uint64_t first_ns = o->all ? s->start_ns : s->common_ns;
	int ret;

	c->from_ns = first_ns;
	c->to_ns = s->end_ns;
	if (o->has_from) {
		ret = one_time(s, &o->from, "from", &c->from_ns);
		if (ret)
			return ret;
	}
	if (o->has_until) {
		ret = one_time(s, &o->until, "until", &c->to_ns);
		if (ret)
			return ret;
	}
	if (c->from_ns > c->to_ns && o->has_from && o->has_until) {
		fr_err("--from is later than --until");
		return FR_EXIT_USAGE;
	}
	if (c->from_ns > s->end_ns || c->to_ns < first_ns) {
		fr_err("nothing was recorded between --from and --until");
		say_covered(s);
		return FR_EXIT_USAGE;
	}
	if (c->from_ns < first_ns) {
		c->from_ns = first_ns;
		fr_info("--from is earlier than what %s: beginning there%s",
			o->all ? "was recorded" : "every CPU covers", o->all ? "" : " (see --all)");
	}
	if (c->to_ns > s->end_ns)
		c->to_ns = s->end_ns;
	return 0;
}

/* ---- what went wrong ------------------------------------------------------------------------ */

static bool say_damage(const struct fr_tool_dumps *dumps)
{
	const struct fr_dump_problem *p;
	bool any = false;
	size_t cnt;

	for (size_t i = 0; i < dumps->cnt; i++) {
		cnt = fr_dump_problem_cnt(dumps->dumps[i].dump);
		if (fr_dump_incomplete(dumps->dumps[i].dump))
			fr_warn("%s is incomplete: its writer did not reach the end, or it was cut",
				dumps->dumps[i].name);
		if (cnt) {
			p = fr_dump_problem(dumps->dumps[i].dump, 0);
			fr_warn("%s: %zu problems, the first at byte %llu: %s ('flightrec verify' "
				"lists "
				"them)",
				dumps->dumps[i].name, cnt, (unsigned long long)p->off, p->what);
		}
		any |= cnt || fr_dump_incomplete(dumps->dumps[i].dump);
	}
	return any;
}

/* What was missed of requests, beside what the events lack. */
static void say_requests(const struct fr_spans_stats *st)
{
	if (st->evicted_conns)
		fr_warn("more connections at once than there was room for (%u): %llu of them were "
			"given "
			"up to make room; requests open on them then are marked end_unseen",
			st->conns_room, (unsigned long long)st->evicted_conns);
	if (st->nostate)
		fr_warn("%llu transfers on sockets that the recorder had no room for: their "
			"requests "
			"are missing; set max_sockets higher",
			(unsigned long long)st->nostate);
	if (st->overflow)
		fr_warn("%llu requests are missing: more than %u were open on one connection",
			(unsigned long long)st->overflow, FR_WIRE_PENDING_MAX);
	if (st->crowded)
		fr_warn("more requests open at once than can be followed: some have no parent");
	if (st->guesses_dropped)
		fr_warn("%llu calls have no parent: too many were waiting to know theirs",
			(unsigned long long)st->guesses_dropped);
}

/* Exit code of a conversion that came to its end. */
static int say_result(const struct convert *o, const struct fr_tool_dumps *dumps,
		      const struct fr_convert_stats *st)
{
	bool bad = say_damage(dumps);

	if (st->merge.bad_chunks || st->merge.bad_segments || st->unsound)
		fr_warn("left out as damaged: %llu chunks with %llu events, %llu parts of others, "
			"%llu "
			"single events",
			(unsigned long long)st->merge.bad_chunks,
			(unsigned long long)st->merge.bad_records,
			(unsigned long long)st->merge.bad_segments,
			(unsigned long long)st->unsound);
	if (st->merge.gaps)
		fr_warn("%llu gaps between events; the output marks them",
			(unsigned long long)st->merge.gaps);
	if (st->merge.gaps_between)
		fr_info("the dumps do not cover all of the time between them; the output marks "
			"where");
	if (st->unknown_kinds)
		fr_warn("%llu events of kinds that only a newer version knows, passed over",
			(unsigned long long)st->unknown_kinds);
	say_requests(&st->spans);
	if (!st->shown)
		fr_warn("no event lies in the range");
	if ((o->span_filter.has_trace_id || o->span_filter.min_duration_ns) && !st->told)
		fr_warn("none of the %llu requests in the range is as --trace-id and "
			"--min-duration ask",
			(unsigned long long)st->spans.spans);
	return bad || st->merge.bad_chunks || st->merge.bad_segments || st->unsound ||
			       st->merge.gaps
		       ? FR_EXIT_DAMAGED
		       : FR_EXIT_OK;
}

/* ---- the command ---------------------------------------------------------------------------- */

static int run(const struct convert *o, const struct fr_tool_dumps *dumps, struct fr_convert *c)
{
	struct bar bar = { .began_ns = fr_now_ns() };
	struct fr_progress progress = { tell, &bar };
	struct fr_convert_stats stats;
	struct fr_out out;
	int err = fr_out_open(&out, o->output ? o->output : "-"), write_err;

	if (err) {
		fr_err("cannot write %s: %s", o->output ? o->output : "standard output",
		       strerror(-err));
		return fr_tool_exit_of(err);
	}
	c->out = &out;
	err = fr_convert_run(c, o->sink, isatty(STDERR_FILENO) ? &progress : NULL, &stats);
	wipe(&bar);
	if (err) {
		fr_out_abort(&out);
		fr_err("converting failed: %s", strerror(-err));
		return FR_EXIT_IO;
	}
	write_err = fr_out_close(&out);
	if (write_err) {
		fr_err("cannot write %s: %s", o->output ? o->output : "standard output",
		       strerror(-write_err));
		return fr_tool_exit_of(write_err);
	}
	if (c->otlp_unwritten_logs)
		fr_warn("%llu log records (triggers, crashes, losses) have no place in this "
			"output; "
			"write to a file to have them in one beside it",
			(unsigned long long)c->otlp_unwritten_logs);
	return say_result(o, dumps, &stats);
}

/* The same with a receiver for an output. The worse of two exit codes is the larger one. */
static int run_send(const struct convert *o, const struct fr_tool_dumps *dumps,
		    struct fr_convert *c)
{
	struct fr_send send;
	struct bar bar = { .began_ns = fr_now_ns(), .sender = &send.sender };
	struct fr_progress progress = { tell, &bar };
	struct fr_convert_stats stats = { 0 };
	int ret = fr_send_open(&o->send, &send), err, sent;

	if (ret)
		return ret;
	send.sender.before_message = wipe;
	send.sender.ctx = &bar;
	c->otlp = &send.to;
	err = fr_convert_run(c, o->sink, isatty(STDERR_FILENO) ? &progress : NULL, &stats);
	wipe(&bar);
	if (err && err != -EINTR) {
		fr_err("converting failed: %s", strerror(-err));
		ret = FR_EXIT_IO;
	} else if (!err) {
		ret = say_result(o, dumps, &stats);
	}
	sent = fr_send_close(&send);
	return sent > ret ? sent : ret;
}

static bool anything_readable(const struct fr_tool_dumps *dumps)
{
	for (size_t i = 0; i < dumps->cnt; i++)
		for (size_t k = 0; k < fr_dump_chunk_cnt(dumps->dumps[i].dump); k++)
			if (!fr_dump_chunk(dumps->dumps[i].dump, k)->bad)
				return true;
	return false;
}

/* A filter that fits nobody is a slip of the pen. */
static void say_nobody(const struct fr_convert *c)
{
	uint32_t cnt = fr_names_who_cnt(c->session->names);

	if (!fr_filter_on(c))
		return;
	for (uint32_t who = 0; who < cnt; who++)
		if (fr_filter_thread(c, who))
			return;
	if (c->filter.comm && c->filter.pid)
		fr_warn("no thread in the dump is of process %u and called '%s'", c->filter.pid,
			c->filter.comm);
	else if (c->filter.comm)
		fr_warn("no thread in the dump is called '%s' (what ps shows as COMMAND, of at "
			"most 15 bytes)",
			c->filter.comm);
	else
		fr_warn("no process in the dump has the number %u", c->filter.pid);
}

static int convert(const struct convert *o, const struct fr_tool_dumps *dumps)
{
	struct fr_session_dump *ins = calloc(dumps->cnt + 1, sizeof(*ins));
	struct fr_convert c = { .all = o->all,
				.filter = o->filter,
				.span_filter = o->span_filter,
				.version = FR_VERSION };
	struct fr_session *s = NULL;
	char why[400];
	int ret;

	if (!ins) {
		fr_err("not enough memory");
		return FR_EXIT_IO;
	}
	for (size_t i = 0; i < dumps->cnt; i++)
		ins[i] = (struct fr_session_dump){ .dump = dumps->dumps[i].dump,
						   .name = dumps->dumps[i].name };
	ret = fr_session_open(ins, dumps->cnt, &s, why, sizeof(why));
	free(ins);
	if (ret) {
		fr_err("%s", why);
		return ret == -EXDEV ? FR_EXIT_USAGE : FR_EXIT_IO;
	}
	c.session = s;
	if (!anything_readable(dumps)) {
		say_damage(dumps);
		fr_err("nothing in it can be read");
		ret = FR_EXIT_IO;
	} else {
		ret = find_range(o, &c);
	}
	if (!ret)
		say_nobody(&c);
	if (!ret)
		ret = o->send.otlp.endpoint ? run_send(o, dumps, &c) : run(o, dumps, &c);
	fr_session_close(s);
	return ret;
}

static int complain(const char *what)
{
	fprintf(stderr, "flightrec convert: %s\nTry 'flightrec convert --help'.\n", what);
	return FR_EXIT_USAGE;
}

static int check_sending(const struct convert *o)
{
	char text[120];

	if (!o->send.otlp.endpoint && o->send.needs_endpoint) {
		snprintf(text, sizeof(text), "%s is about sending: say --endpoint URL as well",
			 o->send.needs_endpoint);
		return complain(text);
	}
	if (!o->send.otlp.endpoint)
		return 0;
	if (strcmp(o->sink->name, "otlp"))
		return complain("--endpoint takes OTLP in protobuf: say --to otlp, or no --to");
	if (o->output)
		return complain("--endpoint and -o are two outputs: convert once for each");
	return 0;
}

int fr_cmd_convert(int argc, char **argv)
{
	struct fr_tool_dumps dumps;
	struct convert o = { 0 };
	int cnt = fr_cli_parse(&command, argc, argv, &o), ret;

	if (cnt < 0)
		return fr_tool_parse_exit(cnt);
	if (!cnt)
		return complain("which dump? Name a .frd file, a folder of them, or - for standard "
				"input");
	if (!o.sink && o.send.otlp.endpoint)
		o.sink = fr_sink_find("otlp");
	if (!o.sink)
		return complain("to what? Say --to chrome, perfetto, text, otlp or otlp-json");
	ret = check_sending(&o);
	if (ret)
		return ret;
	if (!o.send.otlp.endpoint && !o.output && strcmp(o.sink->name, "text") &&
	    isatty(STDOUT_FILENO))
		return complain(
			"this would fill the terminal: say -o FILE, or -o - if you mean it");
	ret = fr_tool_open(argv + 1, cnt, &dumps);
	if (!ret)
		ret = convert(&o, &dumps);
	fr_tool_close(&dumps);
	return ret;
}
