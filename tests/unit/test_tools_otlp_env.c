/* SPDX-License-Identifier: BSD-2-Clause */
/* Where OTLP goes: variables, options above them, and what is refused. */
#include "cm.h"

#include <errno.h>
#include <stdio.h>

#include "tools/otlp_env.h"

/* rule zero: unit tests link formats/ only, and this file needs nothing else */
#include "tools/otlp_env.c"

static const char *const *vars; /* name, value, name, value, ..., NULL */

static const char *get_var(const char *name)
{
	for (size_t i = 0; vars[i]; i += 2)
		if (!strcmp(vars[i], name))
			return vars[i + 1];
	return NULL;
}

static char why[300];

static int make(const struct fr_otlp_options *o, enum fr_otlp_signal signal,
		struct fr_otlp_target *t, const char *const *with)
{
	vars = with;
	why[0] = 0;
	return fr_otlp_target_make(o, get_var, signal, t, why, sizeof(why));
}

#define VARS(...) ((const char *const[]){ __VA_ARGS__, NULL })
static const char *const no_vars[] = { NULL };
static const struct fr_otlp_options no_options;

static void assert_url(const struct fr_otlp_options *o, enum fr_otlp_signal signal,
		       const char *const *with, const char *want)
{
	struct fr_otlp_target t;

	assert_int_equal(make(o, signal, &t, with), 0);
	assert_string_equal(t.url, want);
	fr_otlp_target_done(&t);
}

static void assert_refused(const struct fr_otlp_options *o, const char *const *with,
			   const char *part, const char *other_part)
{
	struct fr_otlp_target t;

	assert_int_equal(make(o, FR_OTLP_TRACES, &t, with), -EINVAL);
	if (!strstr(why, part) || !strstr(why, other_part))
		fail_msg("'%s' should say '%s' and '%s'", why, part, other_part);
}

static void defaults_are_of_the_specification(void **state)
{
	struct fr_otlp_target t;

	(void)state;
	assert_int_equal(make(&no_options, FR_OTLP_LOGS, &t, no_vars), 0);
	assert_string_equal(t.url, "http://localhost:4318/v1/logs");
	assert_int_equal(t.timeout_ns, 10000000000);
	assert_false(t.gzip);
	assert_null(t.certificate);
	assert_int_equal(t.header_cnt, 0);
	fr_otlp_target_done(&t);
}

static void base_gets_a_path_and_own_is_as_it_is(void **state)
{
	const struct fr_otlp_options said = { .endpoint = "https://c.example/x/" };
	const struct fr_otlp_options env = { .endpoint = "env" };

	(void)state;
	assert_url(&no_options, FR_OTLP_TRACES, VARS("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:1"),
		   "http://h:1/v1/traces");
	assert_url(&no_options, FR_OTLP_LOGS, VARS("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h/a//"),
		   "http://h/a/v1/logs");
	assert_url(&env, FR_OTLP_TRACES,
		   VARS("OTEL_EXPORTER_OTLP_ENDPOINT", "HTTPS://h/a?key=1&b=/c"),
		   "HTTPS://h/a/v1/traces?key=1&b=/c");
	assert_url(&no_options, FR_OTLP_TRACES,
		   VARS("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:1",
			"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://other:2"),
		   "http://other:2");
	assert_url(&no_options, FR_OTLP_LOGS,
		   VARS("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:1",
			"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://other:2"),
		   "http://h:1/v1/logs");
	/* an option stands above all of them */
	assert_url(&said, FR_OTLP_TRACES,
		   VARS("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:1",
			"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://other:2"),
		   "https://c.example/x/v1/traces");
}

static void empty_is_not_set(void **state)
{
	struct fr_otlp_target t;

	(void)state;
	assert_int_equal(
		make(&no_options, FR_OTLP_TRACES, &t,
		     VARS("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "", "OTEL_EXPORTER_OTLP_ENDPOINT",
			  "", "OTEL_EXPORTER_OTLP_TIMEOUT", "", "OTEL_EXPORTER_OTLP_COMPRESSION",
			  "", "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "", "OTEL_EXPORTER_OTLP_HEADERS",
			  "a=b", "OTEL_EXPORTER_OTLP_PROTOCOL", "",
			  "OTEL_EXPORTER_OTLP_CERTIFICATE", "")),
		0);
	assert_string_equal(t.url, "http://localhost:4318/v1/traces");
	assert_int_equal(t.timeout_ns, 10000000000);
	assert_int_equal(t.header_cnt, 1);
	assert_string_equal(t.headers[0], "a: b");
	assert_null(t.certificate);
	fr_otlp_target_done(&t);
}

static void bad_urls_are_refused_by_name(void **state)
{
	static const char *const bad[] = { "localhost:4318", "ftp://h",	    "http://",
					   "http:///path",   "http://:80",  "http://h/#x",
					   "http://h/a b",   "http://u:p@", "http://h\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const struct fr_otlp_options o = { .endpoint = bad[i] };

		assert_refused(&o, no_vars, "--endpoint: ", "http://HOST:4318");
		assert_refused(&no_options, VARS("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", bad[i]),
			       "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: ", "http://HOST:4318");
	}
}

static void secrets_of_urls_are_not_shown(void **state)
{
	char buf[100];

	(void)state;
	assert_string_equal(fr_otlp_url_shown("https://me:secret@h:1/v1/traces?key=secret", buf,
					      sizeof(buf)),
			    "https://h:1/v1/traces");
	assert_string_equal(fr_otlp_url_shown("http://h/a@b", buf, sizeof(buf)), "http://h/a@b");
	assert_string_equal(fr_otlp_url_shown("http://a@b@h/", buf, sizeof(buf)), "http://h/");
}

static void headers_are_decoded_and_replaced(void **state)
{
	const struct fr_otlp_options o = { .headers = { "Authorization=Basic a==", "X-P=50%" },
					   .header_cnt = 2 };
	struct fr_otlp_target t;

	(void)state;
	assert_int_equal(make(&o, FR_OTLP_TRACES, &t,
			      VARS("OTEL_EXPORTER_OTLP_HEADERS",
				   "authorization=Bearer%20x, tenant = a%2Cb%3d,,empty=")),
			 0);
	assert_int_equal(t.header_cnt, 4);
	assert_string_equal(t.headers[0], "Authorization: Basic a==");
	assert_string_equal(t.headers[1], "tenant: a,b=");
	assert_string_equal(t.headers[2], "empty: ");
	assert_string_equal(t.headers[3], "X-P: 50%");
	fr_otlp_target_done(&t);
}

static void bad_headers_are_refused_without_their_value(void **state)
{
	static const char *const bad[] = { "abc",	  "a b=secret",
					   "=secret",	  "a=secret%0d%0aX: 1",
					   "a=secret%00", "a=secret%2",
					   "a=secret%zz", "Content-Type=secret",
					   "a:b=secret",  "expect=secret" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_refused(&no_options, VARS("OTEL_EXPORTER_OTLP_HEADERS", bad[i]),
			       "OTEL_EXPORTER_OTLP_HEADERS: ", "");
		assert_null(strstr(why, "secret"));
	}
}

static void too_many_headers_are_refused(void **state)
{
	char many[1000] = "";

	(void)state;
	for (int i = 0; i <= FR_OTLP_HEADERS_MAX; i++)
		snprintf(many + strlen(many), 20, "h%d=1,", i);
	assert_refused(&no_options, VARS("OTEL_EXPORTER_OTLP_HEADERS", many), "more than 32", "");
}

static void others_by_signal_and_option(void **state)
{
	const struct fr_otlp_options o = { .timeout_ns = 5,
					   .compression = FR_OTLP_COMPRESS_NONE,
					   .certificate = "mine.pem" };
	const char *const *with =
		VARS("OTEL_EXPORTER_OTLP_TIMEOUT", "2500", "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "1",
		     "OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", "OTEL_EXPORTER_OTLP_PROTOCOL",
		     "http/protobuf", "OTEL_EXPORTER_OTLP_CERTIFICATE", "ca.pem",
		     "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "c.pem",
		     "OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY", "k.pem");
	struct fr_otlp_target t;

	(void)state;
	assert_int_equal(make(&no_options, FR_OTLP_TRACES, &t, with), 0);
	assert_int_equal(t.timeout_ns, 2500000000);
	assert_true(t.gzip);
	assert_string_equal(t.certificate, "ca.pem");
	assert_string_equal(t.client_certificate, "c.pem");
	assert_null(t.client_key);
	fr_otlp_target_done(&t);
	assert_int_equal(make(&no_options, FR_OTLP_LOGS, &t, with), 0);
	assert_int_equal(t.timeout_ns, 1000000);
	assert_string_equal(t.client_key, "k.pem");
	fr_otlp_target_done(&t);
	assert_int_equal(make(&o, FR_OTLP_TRACES, &t, with), 0);
	assert_int_equal(t.timeout_ns, 5);
	assert_false(t.gzip);
	assert_string_equal(t.certificate, "mine.pem");
	fr_otlp_target_done(&t);
}

static void nonsense_is_refused_by_name(void **state)
{
	(void)state;
	assert_refused(&no_options, VARS("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
		       "OTEL_EXPORTER_OTLP_PROTOCOL is 'grpc'", "http/protobuf");
	assert_refused(&no_options,
		       VARS("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf",
			    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
		       "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL is 'http/json'", "4318");
	assert_refused(&no_options, VARS("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
		       "OTEL_EXPORTER_OTLP_COMPRESSION: ", "gzip or none");
	assert_refused(&no_options, VARS("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
		       "OTEL_EXPORTER_OTLP_TIMEOUT: ", "milliseconds");
	assert_refused(&no_options, VARS("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
		       "OTEL_EXPORTER_OTLP_TIMEOUT: ", "milliseconds");
	assert_refused(&no_options, VARS("OTEL_EXPORTER_OTLP_CLIENT_KEY", "k"),
		       "--client-certificate", "without");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_of_the_specification),
		cmocka_unit_test(base_gets_a_path_and_own_is_as_it_is),
		cmocka_unit_test(empty_is_not_set),
		cmocka_unit_test(bad_urls_are_refused_by_name),
		cmocka_unit_test(secrets_of_urls_are_not_shown),
		cmocka_unit_test(headers_are_decoded_and_replaced),
		cmocka_unit_test(bad_headers_are_refused_without_their_value),
		cmocka_unit_test(too_many_headers_are_refused),
		cmocka_unit_test(others_by_signal_and_option),
		cmocka_unit_test(nonsense_is_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
