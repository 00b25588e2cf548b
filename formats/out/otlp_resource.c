/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes and hosts as resource attributes (semantic conventions 1.44, process, host, os,
 * container, k8s; resource SDK specification for the environment).
 *
 * What is certain of the process itself (process.*) stands; for all else its environment has the
 * word, as it was set by people: OTEL_SERVICE_NAME, then OTEL_RESOURCE_ATTRIBUTES, then what the
 * dump says.
 */
#include <errno.h>

#include "otlp_internal.h"

#define ISO_TIME_BYTES 40

/* ---- the environment ------------------------------------------------------------------------ */

struct fr_slice fr_otlp_variable(struct fr_slice environment, const char *name)
{
	const uint8_t *at = environment.data, *end, *zero;
	size_t name_bytes = strlen(name);

	if (!environment.len_bytes)
		return (struct fr_slice){ 0 };
	for (end = at + environment.len_bytes; at < end; at = zero + 1) {
		zero = memchr(at, 0, (size_t)(end - at));
		if (!zero)
			break; /* cut: nobody knows how it goes on */
		if ((size_t)(zero - at) > name_bytes && !memcmp(at, name, name_bytes) &&
		    at[name_bytes] == '=')
			return (struct fr_slice){ at + name_bytes + 1,
						  (size_t)(zero - at) - name_bytes - 1 };
	}
	return (struct fr_slice){ 0 };
}

static int hex_digit(uint8_t b)
{
	if (b >= '0' && b <= '9')
		return b - '0';
	b |= 0x20;
	return b >= 'a' && b <= 'f' ? b - 'a' + 10 : -1;
}

/* -EINVAL: a % without two digits; -E2BIG: no room. */
static int percent_decode(struct fr_slice s, struct fr_otlp_text *t, struct fr_slice *ret)
{
	char *to = fr_otlp_room(t, s.len_bytes), *const start = to;
	int high, low;

	if (!to)
		return -E2BIG;
	for (size_t i = 0; i < s.len_bytes; i++) {
		if (s.data[i] != '%') {
			*to++ = (char)s.data[i];
			continue;
		}
		high = s.len_bytes - i > 2 ? hex_digit(s.data[i + 1]) : -1;
		low = high >= 0 ? hex_digit(s.data[i + 2]) : -1;
		if (low < 0)
			return -EINVAL;
		*to++ = (char)(high << 4 | low);
		i += 2;
	}
	*ret = fr_otlp_utf8(t, (struct fr_slice){ (const uint8_t *)start, (size_t)(to - start) });
	return ret->data ? 0 : -E2BIG;
}

int fr_otlp_next_pair(struct fr_slice *rest, struct fr_otlp_text *t, struct fr_slice *ret_key,
		      struct fr_slice *ret_value)
{
	struct fr_slice pair, key, value;
	const uint8_t *comma, *equals;
	int err;

	do { /* an empty member is none */
		if (!rest->len_bytes)
			return 0;
		comma = memchr(rest->data, ',', rest->len_bytes);
		pair = *rest;
		pair.len_bytes = comma ? (size_t)(comma - rest->data) : rest->len_bytes;
		rest->data += pair.len_bytes + (comma != NULL);
		rest->len_bytes -= pair.len_bytes + (comma != NULL);
		pair = fr_slice_trimmed(pair);
	} while (!pair.len_bytes);
	equals = memchr(pair.data, '=', pair.len_bytes);
	if (!equals)
		return -EINVAL;
	key = fr_slice_trimmed((struct fr_slice){ pair.data, (size_t)(equals - pair.data) });
	value = fr_slice_trimmed(
		(struct fr_slice){ equals + 1, (size_t)(pair.data + pair.len_bytes - equals - 1) });
	if (!key.len_bytes)
		return -EINVAL;
	err = percent_decode(key, t, ret_key);
	if (!err)
		err = percent_decode(value, t, ret_value);
	return err ? err : 1;
}

static bool begins_with(struct fr_slice s, struct fr_slice prefix)
{
	return s.len_bytes >= prefix.len_bytes && !memcmp(s.data, prefix.data, prefix.len_bytes);
}

/* The last of two values of one key counts. */
static void put_env(struct fr_otlp_attrs *a, struct fr_slice key, struct fr_slice value)
{
	struct fr_otlp_attr *have = fr_otlp_find(a, key);

	if (begins_with(key, FR_LIT("process.")))
		return;
	if (have)
		have->str = value;
	else
		fr_otlp_str(a, key, value);
}

/* Adds the pairs, or, when one of them is no pair, none of them and a word about it. */
static void put_pairs(struct fr_otlp_resource *r, struct fr_slice pairs)
{
	struct fr_slice rest = pairs, key, value;
	char *const text_at = r->text.at;
	int ret;

	while ((ret = fr_otlp_next_pair(&rest, &r->text, &key, &value)) == 1)
		;
	r->text.at = text_at;
	if (ret < 0) {
		fr_otlp_str(&r->attrs, FR_LIT("flightrec.note"),
			    FR_LIT("OTEL_RESOURCE_ATTRIBUTES of this process is not of the form "
				   "key=value,key=value: all of it is ignored"));
		return;
	}
	for (rest = pairs; fr_otlp_next_pair(&rest, &r->text, &key, &value) == 1;)
		put_env(&r->attrs, key, value);
}

static void put_environment(struct fr_otlp_resource *r, struct fr_slice environment)
{
	struct fr_slice name = fr_otlp_variable(environment, "OTEL_SERVICE_NAME");
	struct fr_slice pairs = fr_otlp_variable(environment, "OTEL_RESOURCE_ATTRIBUTES");

	if (pairs.len_bytes)
		put_pairs(r, pairs);
	name = fr_otlp_utf8(&r->text, name);
	if (name.len_bytes)
		put_env(&r->attrs, FR_LIT("service.name"), name);
}

/* ---- what the dump says --------------------------------------------------------------------- */

/* Unless the environment said something else. Empty values are not known ones. */
static void put(struct fr_otlp_resource *r, struct fr_slice key, struct fr_slice value)
{
	if (!value.len_bytes || fr_otlp_find(&r->attrs, key))
		return;
	fr_otlp_str(&r->attrs, key, fr_otlp_utf8(&r->text, value));
}

static struct fr_slice base_name(struct fr_slice path)
{
	const uint8_t *slash = path.len_bytes ? memrchr(path.data, '/', path.len_bytes) : NULL;

	if (!slash)
		return path;
	return (struct fr_slice){ slash + 1, (size_t)(path.data + path.len_bytes - slash - 1) };
}

static void put_args(struct fr_otlp_resource *r, struct fr_slice args)
{
	const uint8_t *at = args.data, *end, *zero;
	size_t cnt = 0;

	/* a program that wrote itself a title leaves zeros where its arguments were */
	while (args.len_bytes > 1 && !args.data[args.len_bytes - 1] &&
	       !args.data[args.len_bytes - 2])
		args.len_bytes--;
	if (!args.len_bytes)
		return;
	for (end = at + args.len_bytes; at < end && cnt < FR_OTLP_ARGS; at = zero + 1) {
		zero = memchr(at, 0, (size_t)(end - at));
		if (!zero)
			zero = end;
		r->args[cnt] = fr_otlp_utf8(&r->text, (struct fr_slice){ at, (size_t)(zero - at) });
		if (!r->args[cnt].data)
			break;
		cnt++;
		if (zero == end)
			break;
	}
	if (!cnt)
		return;
	put(r, FR_LIT("process.command"), r->args[0]);
	fr_otlp_strs(&r->attrs, FR_LIT("process.command_args"), r->args, cnt);
}

/* An id of a pod with dashes (or, in systemd's names, underscores), or 32 digits. */
static bool is_uid(struct fr_slice s)
{
	if (s.len_bytes != 36 && s.len_bytes != 32)
		return false;
	for (size_t i = 0; i < s.len_bytes; i++) {
		bool dash = s.len_bytes == 36 && (i == 8 || i == 13 || i == 18 || i == 23);

		if (dash ? s.data[i] != '-' && s.data[i] != '_' : hex_digit(s.data[i]) < 0)
			return false;
	}
	return true;
}

/* "podUID", "kubepods-burstable-podUID.slice", "kubelet-kubepods-podUID.slice" */
static struct fr_slice uid_of_component(struct fr_slice c)
{
	struct fr_slice slice = FR_LIT(".slice"), uid;

	if (c.len_bytes > slice.len_bytes &&
	    begins_with((struct fr_slice){ c.data + c.len_bytes - slice.len_bytes,
					   slice.len_bytes },
			slice))
		c.len_bytes -= slice.len_bytes;
	for (size_t i = 0; i + 3 < c.len_bytes; i++) {
		if ((i && c.data[i - 1] != '-') || memcmp(c.data + i, "pod", 3))
			continue;
		uid = (struct fr_slice){ c.data + i + 3, c.len_bytes - i - 3 };
		if (is_uid(uid))
			return uid;
	}
	return (struct fr_slice){ 0 };
}

struct fr_slice fr_otlp_pod_uid(struct fr_slice cgroup, char buf[36])
{
	struct fr_slice found = { 0 }, uid;
	bool in_pods = false;

	for (size_t from = 0, to; from < cgroup.len_bytes; from = to + 1) {
		for (to = from; to < cgroup.len_bytes && cgroup.data[to] != '/'; to++)
			;
		struct fr_slice part = { cgroup.data + from, to - from };

		if (!in_pods)
			in_pods = memmem(part.data, part.len_bytes, "kubepods", 8) != NULL;
		uid = in_pods ? uid_of_component(part) : (struct fr_slice){ 0 };
		if (uid.len_bytes)
			found = uid; /* the innermost: a node may itself be a container */
	}
	for (size_t i = 0; i < found.len_bytes; i++)
		buf[i] = found.data[i] == '_' ? '-' : (char)found.data[i];
	if (found.len_bytes)
		found.data = (const uint8_t *)buf;
	return found;
}

static struct fr_slice arch_of(const char *machine)
{
	static const struct {
		const char *machine, *arch;
	} archs[] = {
		{ "x86_64", "amd64" }, { "aarch64", "arm64" }, { "i686", "x86" },
		{ "i386", "x86" },     { "armv7l", "arm32" },  { "armv6l", "arm32" },
		{ "ppc64", "ppc64" },  { "ppc64le", "ppc64" }, { "ppc", "ppc32" },
		{ "ia64", "ia64" },
	};

	for (size_t i = 0; i < sizeof(archs) / sizeof(*archs); i++)
		if (!strcmp(archs[i].machine, machine))
			return fr_otlp_z(archs[i].arch);
	return fr_otlp_z(machine); /* s390x is called that; others have no name of their own */
}

static void put_host(struct fr_otlp_resource *r, const struct fr_meta_host *h)
{
	put(r, FR_LIT("os.type"), FR_LIT("linux"));
	if (!h)
		return;
	put(r, FR_LIT("host.name"), fr_otlp_z(h->name));
	put(r, FR_LIT("host.id"), fr_otlp_z(h->machine_id));
	put(r, FR_LIT("host.arch"), arch_of(h->arch));
	put(r, FR_LIT("os.name"), FR_LIT("Linux"));
	put(r, FR_LIT("os.version"), fr_otlp_z(h->kernel_release));
	if (h->kernel_release[0])
		put(r, FR_LIT("os.description"),
		    fr_otlp_printf(&r->text, "Linux %s %s", h->kernel_release, h->kernel_version));
}

/* ---- whom it is about ----------------------------------------------------------------------- */

struct fr_otlp_source fr_otlp_source_of(const struct fr_names *n, uint32_t who, uint32_t tgid)
{
	const struct fr_who *w = who == FR_WHO_NONE ? NULL : fr_names_who(n, who);

	if (w && w->leader != FR_WHO_NONE)
		return (struct fr_otlp_source){ FR_OTLP_PROCESS, w->leader };
	if (w && w->tgid)
		tgid = w->tgid;
	return (struct fr_otlp_source){ FR_OTLP_UNKNOWN, tgid };
}

static void put_creation(struct fr_otlp_resource *r, const struct fr_session *s, uint64_t start_ns)
{
	char *text = fr_otlp_room(&r->text, ISO_TIME_BYTES);

	if (!text || !start_ns || !fr_session_to_unix(s, start_ns))
		return;
	fr_format_time(fr_session_to_unix(s, start_ns), 3, text, ISO_TIME_BYTES);
	fr_otlp_str(&r->attrs, FR_LIT("process.creation.time"), fr_otlp_z(text));
}

static void put_unknown_service(struct fr_otlp_resource *r, struct fr_slice name)
{
	if (fr_otlp_find(&r->attrs, FR_LIT("service.name")))
		return;
	name = fr_otlp_utf8(&r->text, name);
	fr_otlp_str(&r->attrs, FR_LIT("service.name"),
		    name.len_bytes ? fr_otlp_join(&r->text, FR_LIT("unknown_service"), ':', name)
				   : FR_LIT("unknown_service"));
}

static void put_process(struct fr_otlp_resource *r, const struct fr_session *s, uint32_t who)
{
	const struct fr_process *p = fr_names_process_of(s->names, who);
	const struct fr_who *w = fr_names_who(s->names, who);
	struct fr_slice exe = p ? p->exe : (struct fr_slice){ 0 }, name = base_name(exe), uid;
	char pod[36];

	fr_otlp_int(&r->attrs, FR_LIT("process.pid"), w->tid);
	put_creation(r, s, w->start_ns);
	put(r, FR_LIT("process.executable.name"), name);
	put(r, FR_LIT("process.executable.path"), exe);
	if (!p) {
		put_unknown_service(r, fr_otlp_z(w->comm));
		return;
	}
	put_args(r, p->args);
	if (p->go_version.len_bytes) {
		put(r, FR_LIT("process.runtime.name"), FR_LIT("go"));
		put(r, FR_LIT("process.runtime.version"), p->go_version);
	}
	put_environment(r, p->environment);
	put_unknown_service(r, name.len_bytes ? name : fr_otlp_z(w->comm));
	put(r, FR_LIT("container.id"), p->container_id);
	uid = fr_otlp_pod_uid(p->cgroup, pod);
	if (uid.len_bytes)
		put(r, FR_LIT("k8s.pod.uid"),
		    fr_otlp_printf(&r->text, "%.*s", (int)uid.len_bytes, pod));
}

static void put_recorder(struct fr_otlp_resource *r, const struct fr_session *s,
			 const struct fr_meta_host *h)
{
	fr_otlp_str(&r->attrs, FR_LIT("service.name"), FR_LIT("flightrecd"));
	if (!h)
		return;
	put(r, FR_LIT("service.version"), fr_otlp_z(h->recorder_version));
	if (h->recorder_pid)
		fr_otlp_int(&r->attrs, FR_LIT("process.pid"), h->recorder_pid);
	put_creation(r, s, h->recorder_start_ns);
}

void fr_otlp_describe(const struct fr_session *s, struct fr_otlp_source source,
		      struct fr_otlp_resource *ret)
{
	size_t dump = source.type == FR_OTLP_RECORDER ? source.id : 0;
	const struct fr_meta_host *h = dump < s->dump_cnt ? fr_dump_host(s->dumps[dump].dump)
							  : NULL;

	ret->attrs = (struct fr_otlp_attrs){ .at = ret->attrs_at, .cap = FR_OTLP_RESOURCE_ATTRS };
	fr_otlp_text_reset(&ret->text);
	switch (source.type) {
	case FR_OTLP_PROCESS:
		put_process(ret, s, source.id);
		break;
	case FR_OTLP_UNKNOWN:
		put_unknown_service(ret, (struct fr_slice){ 0 });
		if (source.id)
			fr_otlp_int(&ret->attrs, FR_LIT("process.pid"), source.id);
		break;
	case FR_OTLP_RECORDER:
		put_recorder(ret, s, h);
		break;
	}
	put_host(ret, h);
}
