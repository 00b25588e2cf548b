/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes as resources: whose word counts, environments, pods. */
#include "cm.h"

#include "formats/out/convert.h"
#include "otlp_fixture.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, of_begin, of_end)

static struct fr_otlp_resource resource;
static struct fr_otlp_text text;

static void describe(uint32_t tid)
{
	uint32_t who = fr_names_thread(of.session->names, tid, 10 * OF_S);

	fr_otlp_describe(of.session, fr_otlp_source_of(of.session->names, who, 0), &resource);
}

static void has(const char *key, const char *value)
{
	const struct fr_otlp_attr *a = fr_otlp_find(&resource.attrs, fr_otlp_z(key));

	if (!value) {
		assert_null(a);
		return;
	}
	if (!a)
		fail_msg("no %s", key);
	assert_int_equal(a->type, FR_OTLP_STR);
	if (!fr_slice_is(a->str, value))
		fail_msg("%s is %.*s", key, (int)a->str.len_bytes, a->str.data);
}

static void a_process_of_which_all_is_known(void **state)
{
	const struct fr_otlp_attr *a;

	(void)state;
	describe(OF_WEB_M); /* a thread of it */
	has("service.name", "shop");
	has("service.version", "1.2");
	has("team", "a,b");
	has("host.name", "node-7"); /* its environment has the word */
	has("process.executable.name", "web");
	has("process.executable.path", "/srv/web");
	has("process.command", "/srv/web");
	has("process.runtime.name", "go");
	has("process.runtime.version", "go1.22.3");
	has("process.creation.time", "2025-11-24T16:00:00.000Z");
	has("k8s.pod.uid", OF_POD);
	has("os.type", "linux");
	has("telemetry.sdk.name", NULL); /* there is none */
	a = fr_otlp_find(&resource.attrs, FR_LIT("process.pid"));
	assert_int_equal(a->number, OF_WEB);
	a = fr_otlp_find(&resource.attrs, FR_LIT("process.command_args"));
	assert_int_equal(a->strs.cnt, 3);
	assert_true(fr_slice_is(a->strs.at[2], ":8080"));
	for (uint32_t i = 0; i < resource.attrs.cnt; i++)
		assert_ptr_equal(fr_otlp_find(&resource.attrs, resource.attrs.at[i].key),
				 &resource.attrs.at[i]);
}

static void processes_of_which_little_is_known(void **state)
{
	(void)state;
	describe(OF_JAVA);
	has("service.name", "unknown_service:java");
	has("process.executable.name", NULL);
	has("host.name", "made");
	describe(OF_NOBODY);
	has("service.name", "unknown_service");
	assert_null(fr_otlp_find(&resource.attrs, FR_LIT("process.pid")));
	fr_otlp_describe(of.session, (struct fr_otlp_source){ FR_OTLP_UNKNOWN, 77 }, &resource);
	assert_int_equal(fr_otlp_find(&resource.attrs, FR_LIT("process.pid"))->number, 77);
	fr_otlp_describe(of.session, (struct fr_otlp_source){ FR_OTLP_RECORDER, 0 }, &resource);
	has("service.name", "flightrecd");
}

/* ---- environments -----------------------------------------------------------------------------
 */

/* All pairs as "key=value;", or what is wrong. */
static const char *pairs_of(const char *variable)
{
	static char got[300];
	struct fr_slice rest = fr_otlp_z(variable), key, value;
	size_t used = 0;
	int ret;

	got[0] = 0;
	fr_otlp_text_reset(&text);
	while ((ret = fr_otlp_next_pair(&rest, &text, &key, &value)) == 1)
		used += (size_t)snprintf(got + used, sizeof(got) - used, "%.*s=%.*s;",
					 (int)key.len_bytes, key.data, (int)value.len_bytes,
					 value.data);
	return ret ? "bad" : got;
}

static void pairs(void **state)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "a=b", "a=b;" },
		{ " a = b , c=d", "a=b;c=d;" },
		{ "a=b,,c=,", "a=b;c=;" },
		{ "a=b=c", "a=b=c;" },
		{ "a%2Cb=%3d%41%e2%82%ac", "a,b==A\xe2\x82\xac;" },
		{ "a=%ff", "a=\xef\xbf\xbd;" },
		{ "a", "bad" },
		{ "=b", "bad" },
		{ "a=%", "bad" },
		{ "a=%4", "bad" },
		{ "a=%4g", "bad" },
		{ "a=b,c=%zz", "bad" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(pairs_of(cases[i][0]), cases[i][1]);
}

static void variables(void **state)
{
	struct fr_slice env = OF_SLICE("AB=1\0B=\0A=2\0A=3\0CUT=4"), v;

	(void)state;
	assert_true(fr_slice_is(fr_otlp_variable(env, "A"), "2"));
	assert_true(fr_slice_is(fr_otlp_variable(env, "AB"), "1"));
	v = fr_otlp_variable(env, "B");
	assert_non_null(v.data);
	assert_int_equal(v.len_bytes, 0);
	assert_null(fr_otlp_variable(env, "C").data);
	assert_null(fr_otlp_variable(env, "CUT").data); /* nobody knows its end */
	assert_null(fr_otlp_variable((struct fr_slice){ 0 }, "A").data);
}

/* One process with this environment. */
static void with_environment(const char *env, size_t env_bytes)
{
	struct fr_session_dump in = { .name = "test.frd" };
	struct fr_meta_process p = { .tgid = 400,
				     .start_ns = 5,
				     .exe = OF_SLICE("/bin/app"),
				     .environment = { (const uint8_t *)env, env_bytes } };
	char why[400];

	of_end(NULL);
	of = (struct of){ 0 };
	mk_begin(&of.mk, 1);
	fr_meta_add_process(&of.mk.processes, &p);
	mk_thread(&of.mk, 400, 400, 5, 0, "app");
	in.dump = mk_end(&of.mk, NULL);
	assert_int_equal(fr_session_open(&in, 1, &of.session, why, sizeof(why)), 0);
	describe(400);
}

static void whose_word_counts(void **state)
{
#define ENV(text) with_environment(text, sizeof(text) - 1)
	(void)state;
	ENV("OTEL_RESOURCE_ATTRIBUTES=service.name=inner,process.pid=1,x=1,x=2\0");
	has("service.name", "inner");
	has("x", "2");
	assert_int_equal(fr_otlp_find(&resource.attrs, FR_LIT("process.pid"))->number, 400);
	ENV("OTEL_SERVICE_NAME=outer\0OTEL_RESOURCE_ATTRIBUTES=service.name=inner\0");
	has("service.name", "outer");
	ENV("OTEL_SERVICE_NAME=\0");
	has("service.name", "unknown_service:app");
	/* one that is no pair voids all, and it is said */
	ENV("OTEL_RESOURCE_ATTRIBUTES=service.name=inner,x\0");
	has("service.name", "unknown_service:app");
	has("x", NULL);
	assert_non_null(fr_otlp_find(&resource.attrs, FR_LIT("flightrec.note")));
#undef ENV
}

/* ---- pods ----------------------------------------------------------------------------------- */

static void pods(void **state)
{
#define UID "0f9c2a1e-1111-4222-8333-abcdefabcdef"
#define UID_ "0f9c2a1e_1111_4222_8333_abcdefabcdef"
#define OTHER "11111111-2222-3333-4444-555555555555"
	static const char *const cases[][2] = {
		{ "/kubepods/burstable/pod" UID "/0123abcd", UID },
		{ "/kubepods/pod" UID "/x", UID },
		{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_
		  ".slice/cri-containerd-0123.scope",
		  UID },
		{ "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" UID_ ".slice", UID },
		/* a static pod */
		{ "/kubepods/besteffort/pod0123456789abcdef0123456789abcdef/x",
		  "0123456789abcdef0123456789abcdef" },
		/* a node that is itself a pod's container */
		{ "/kubepods/pod" OTHER "/x/kubelet/kubepods/pod" UID "/y", UID },
		{ "/system.slice/pod" UID, "" }, /* nobody's pods */
		{ "/kubepods/pod" UID "0", "" },
		{ "/kubepods/pod0f9c2a1e-1111-4222-8333_abcdefabcdeg", "" },
		{ "/kubepods/xpod" UID, "" },
		{ "/", "" },
		{ "", "" },
	};
	char buf[36];
	struct fr_slice got;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		got = fr_otlp_pod_uid(fr_otlp_z(cases[i][0]), buf);
		if (got.len_bytes != strlen(cases[i][1]) ||
		    memcmp(got.len_bytes ? (const char *)got.data : "", cases[i][1], got.len_bytes))
			fail_msg("%s: %.*s", cases[i][0], (int)got.len_bytes, got.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_process_of_which_all_is_known),
		TEST(processes_of_which_little_is_known),
		TEST(pairs),
		TEST(variables),
		TEST(whose_word_counts),
		TEST(pods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
