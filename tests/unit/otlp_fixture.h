/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spans and records by hand into the OTLP sinks:
 *
 *	of_begin();			a host with some processes, a trigger
 *	of_open("otlp-json", NULL);	the sink, into two files
 *	of_span(&(struct fr_request){ .protocol = FR_WIRE_HTTP1, .server = true, ... });
 *	of_close();			of.traces, of.logs hold what was written
 *	of_end();
 */
#ifndef FR_TESTS_OTLP_FIXTURE_H
#define FR_TESTS_OTLP_FIXTURE_H

#include "formats/out/otlp_internal.h"
#include "make_dump.h"

enum { OF_WEB = 100, OF_WEB_M = 101, OF_JAVA = 300, OF_NOBODY = 999 };
#define OF_S 1000000000ull
#define OF_POD "0f9c2a1e-1111-4222-8333-abcdefabcdef"
#define OF_SLICE(text) ((struct fr_slice){ (const uint8_t *)("" text), sizeof(text) - 1 })

struct of {
	struct mk mk;
	struct fr_session *session;
	struct fr_threads *threads;
	struct fr_convert c;
	const struct fr_sink *sink;
	void *ctx;
	struct fr_out out;
	char dir[40];
	char path[80], logs_path[80];
	char *traces, *logs; /* what was written, with a zero behind */
	size_t traces_bytes, logs_bytes;
	struct fr_socket socket; /* of the next spans */
	struct fr_span span;	 /* the next span; its request is the caller's */
};

static struct of of;

static inline void of_socket(uint16_t local_port, uint16_t remote_port)
{
	of.socket = (struct fr_socket){ .id = 7, .named = true, .type = FR_SOCK_STREAM };
	of.socket.addr = (struct fr_sock_addr){ .family = FR_AF_INET,
						.local_port = local_port,
						.remote_port = remote_port,
						.local = { 10, 0, 0, 1 },
						.remote = { 10, 0, 0, 200 } };
}

/* 20 ms long, of a thread of web. */
static inline void of_next_span(void)
{
	of.span = (struct fr_span){
		.trace_id = { 0x0a, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
		.span_id = { 0xb0, 1, 2, 3, 4, 5, 6, 7 },
		.trace_flags = 1,
		.start_ns = 10 * OF_S,
		.end_ns = 10 * OF_S + 20000000,
		.who = fr_names_thread(of.session->names, OF_WEB_M, 10 * OF_S),
		.tgid = OF_WEB,
		.socket = &of.socket,
	};
}

static inline void of_processes(void)
{
	const struct fr_meta_process rows[] = {
		{ .tgid = OF_WEB,
		  .start_ns = 5,
		  .exe = OF_SLICE("/srv/web"),
		  .args = OF_SLICE("/srv/web\0-listen\0:8080\0\0\0\0"),
		  .cgroup = OF_SLICE("/kubepods/burstable/pod" OF_POD "/0123"),
		  .go_version = OF_SLICE("go1.22.3"),
		  .environment = OF_SLICE("OTEL_SERVICE_NAME=shop\0OTEL_RESOURCE_ATTRIBUTES="
					  "service.version=1.2,team=a%2Cb,host.name=node-7\0") },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		fr_meta_add_process(&of.mk.processes, &rows[i]);
	mk_thread(&of.mk, OF_WEB, OF_WEB, 5, 0, "web");
	mk_thread(&of.mk, OF_WEB_M, OF_WEB, 5, 0, "web-m");
	mk_thread(&of.mk, OF_JAVA, OF_JAVA, 5, 0, "java");
}

/* trigger: NULL = none */
static inline void of_begin_with(const struct fr_meta_trigger *trigger,
				 const struct fr_meta_loss *loss)
{
	struct fr_session_dump in = { .name = "test.frd" };
	struct fr_buf b = { 0 };
	char why[400];

	of = (struct of){ 0 };
	mk_begin(&of.mk, 1);
	if (trigger) {
		fr_meta_add_trigger(&b, trigger);
		mk_meta(&of.mk, FR_CHUNK_TRIGGER, &b);
	}
	of_processes();
	mk_segment(&of.mk, 0, 1, 0, 0);
	mk_switch(&of.mk, 9 * OF_S, OF_WEB, 0, 1, 0);
	mk_switch(&of.mk, 11 * OF_S, 0, OF_WEB, 0, 0);
	mk_chunk(&of.mk);
	in.dump = mk_end(&of.mk, loss);
	assert_int_equal(fr_session_open(&in, 1, &of.session, why, sizeof(why)), 0);
	of.c = (struct fr_convert){
		.session = of.session, .from_ns = 9 * OF_S, .to_ns = 11 * OF_S, .version = "0.0.0"
	};
	snprintf(of.dir, sizeof(of.dir), "/tmp/fr-otlp-XXXXXX");
	assert_non_null(mkdtemp(of.dir));
	of_socket(8080, 40000);
	of_next_span();
}

static inline int of_begin(void **state)
{
	(void)state;
	of_begin_with(NULL, NULL);
	return 0;
}

/* Into files, or to a taker. */
static inline void of_open(const char *sink, const struct fr_otlp_to *to)
{
	of.sink = fr_sink_find(sink);
	assert_non_null(of.sink);
	snprintf(of.path, sizeof(of.path), "%s/x.out", of.dir);
	snprintf(of.logs_path, sizeof(of.logs_path), "%s/x.logs.out", of.dir);
	of.c.otlp = to;
	of.c.out = to ? NULL : &of.out;
	of.c.err = 0;
	if (!to)
		assert_int_equal(fr_out_open(&of.out, of.path), 0);
	assert_int_equal(of.sink->begin(&of.c, &of.ctx), 0);
}

static inline void of_span(const struct fr_request *r)
{
	of.span.request = r;
	of.sink->span(of.ctx, &of.span);
	assert_int_equal(of.c.err, 0);
}

/* The contents of a file, which goes away; *ret_text is replaced. */
static inline void of_read(const char *path, char **ret_text, size_t *ret_bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t size;

	assert_true(fd >= 0);
	size = lseek(fd, 0, SEEK_END);
	free(*ret_text);
	*ret_text = malloc((size_t)size + 1);
	assert_non_null(*ret_text);
	assert_int_equal(pread(fd, *ret_text, (size_t)size, 0), size);
	(*ret_text)[size] = 0;
	*ret_bytes = (size_t)size;
	close(fd);
	assert_int_equal(unlink(path), 0);
}

/* For other judges: all that JSON sinks wrote, in the folder that FR_OTLP_OUT names. */
static inline void of_keep(void)
{
	const char *dir = getenv("FR_OTLP_OUT");
	char path[200];
	FILE *f;

	if (!dir || strcmp(of.sink->name, "otlp-json"))
		return;
	snprintf(path, sizeof(path), "%s/%s.jsonl", dir, program_invocation_short_name);
	f = fopen(path, "ae");
	assert_non_null(f);
	assert_int_equal(fwrite(of.traces, 1, of.traces_bytes, f), of.traces_bytes);
	assert_int_equal(fwrite(of.logs, 1, of.logs_bytes, f), of.logs_bytes);
	assert_int_equal(fclose(f), 0);
}

static inline void of_close(void)
{
	struct fr_convert_stats stats = { 0 };

	of.sink->end(of.ctx, &stats);
	assert_int_equal(of.c.err, 0);
	if (!of.c.out)
		return;
	assert_int_equal(fr_out_close(&of.out), 0);
	of_read(of.path, &of.traces, &of.traces_bytes);
	of_read(of.logs_path, &of.logs, &of.logs_bytes);
	of_keep();
}

static inline int of_end(void **state)
{
	(void)state;
	free(of.traces);
	free(of.logs);
	rmdir(of.dir);
	fr_session_close(of.session);
	mk_close(&of.mk);
	return 0;
}

/* One span as JSON into of.traces. */
static inline const char *of_json(const struct fr_request *r)
{
	of_open("otlp-json", NULL);
	of_span(r);
	of_close();
	return of.traces;
}

/* ---- what is in the JSON --------------------------------------------------------------------- */

static inline void of_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in %s", part, text);
}

static inline void of_has_not(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' is in %s", part, text);
}

/* An attribute of this value; NULL = none of this name. */
static inline void of_str(const char *key, const char *value)
{
	char want[1000];

	if (value)
		snprintf(want, sizeof(want), "{\"key\":\"%s\",\"value\":{\"stringValue\":\"%s\"}}",
			 key, value);
	else
		snprintf(want, sizeof(want), "{\"key\":\"%s\",", key);
	if (value)
		of_has(of.traces, want);
	else
		of_has_not(of.traces, want);
}

static inline void of_int(const char *key, long long value)
{
	char want[200];

	snprintf(want, sizeof(want), "{\"key\":\"%s\",\"value\":{\"intValue\":\"%lld\"}}", key,
		 value);
	of_has(of.traces, want);
}

#endif
