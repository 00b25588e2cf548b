/* SPDX-License-Identifier: BSD-2-Clause */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpflog.h"
#include "formats/base/log.h"
#include "irqctx.h"
#include "probes_parts.h"
#include "selfpid.h"

/* ---- what there is to load --------------------------------------------------------------- */

/* Objects that belong to one of the two ways of hooking sockets. Where no sockets are recorded,
 * the families beside them take the way that needs no table. */
static const struct {
	const char *name;
	bool by_syscalls;
} variants[] = {
	{ "bpf/sock", false },
	{ "bpf/sock_sys", true },
	{ "bpf/tcp", false },
	{ "bpf/tcp_sys", true },
	{ "bpf/dns", false },
	{ "bpf/dns_sys", true },
	{ "bpf/aux/socks", false },
	{ "bpf/aux/socktable", true },
};

/* Family by the object's name: "bpf/sched", "bpf/sock_sys". */
static uint32_t family_of(const char *object)
{
	size_t len;

	if (strncmp(object, "bpf/", 4) || strchr(object + 4, '/'))
		return FR_NO_FAMILY;
	len = strcspn(object + 4, "_");
	for (uint32_t bit = 0; bit < FR_FAMILY_CNT; bit++)
		if (strlen(fr_family_name(bit)) == len &&
		    !strncmp(object + 4, fr_family_name(bit), len))
			return bit;
	return FR_NO_FAMILY;
}

static bool is_wanted(const struct fr_probes *p, const char *object)
{
	uint32_t family = family_of(object);
	bool sock = p->have & 1u << FR_FAMILY_SOCK;
	bool beside = family == FR_FAMILY_TCP || family == FR_FAMILY_DNS;
	bool by_syscalls = p->by_syscalls && (sock || !beside);

	if (!strcmp(object, "bpf/aux/context") || !strcmp(object, "bpf/aux/self"))
		return false; /* irqctx.c and selfpid.c load theirs, use it and let it go */
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++)
		if (!strcmp(variants[i].name, object)) {
			if (variants[i].by_syscalls != by_syscalls)
				return false;
			if (family == FR_NO_FAMILY && !sock)
				return false;
		}
	return family == FR_NO_FAMILY || p->want & 1u << family;
}

/* ---- one object -------------------------------------------------------------------------- */

static bool is_shared(const struct bpf_map *map)
{
	return !strchr(bpf_map__name(map), '.');
}

static uint32_t map_entries(const struct fr_probes *p, const char *name)
{
	if (!strcmp(name, "fr_ring") || !strcmp(name, "fr_subs"))
		return p->layout->slot_cnt << p->layout->sub_shift;
	if (!strcmp(name, "fr_ctl") || !strcmp(name, "fr_cpus") || !strcmp(name, "fr_sock_counts"))
		return p->layout->cpu_cnt;
	if (!strcmp(name, "fr_sock_table"))
		return p->max_sockets;
	return 0; /* as the object says */
}

static bool ends_with(const char *s, const char *end)
{
	size_t s_len = strlen(s), end_len = strlen(end);

	return s_len >= end_len && !strcmp(s + s_len - end_len, end);
}

static int prepare_maps(const struct fr_probes *p, struct bpf_object *bpf)
{
	struct bpf_map *map;
	uint32_t entries;
	int err = 0, fd;

	bpf_object__for_each_map (map, bpf) {
		const char *name = bpf_map__name(map);

		if (ends_with(name, ".rodata.knobs"))
			err = bpf_map__set_initial_value(map, &p->knobs, sizeof(p->knobs));
		if (err)
			return err;
		if (!is_shared(map))
			continue;
		fd = fr_probes_map_fd(p, name);
		entries = map_entries(p, name);
		if (fd >= 0)
			err = bpf_map__reuse_fd(map, fd);
		else if (entries)
			err = bpf_map__set_max_entries(map, entries);
		if (err)
			return err;
	}
	return 0;
}

/* Tracepoint that a program hooks by its type or raw; NULL for other kinds. */
static const char *tracepoint_of(const struct bpf_program *prog)
{
	const char *section = bpf_program__section_name(prog);
	const char *slash = strchr(section, '/');

	if (slash && (!strncmp(section, "tp_btf/", 7) || !strncmp(section, "raw_tp/", 7)))
		return slash + 1;
	return NULL;
}

/* Leaves out programs whose tracepoint this kernel lacks. Returns how many are left. */
static uint32_t prepare_progs(struct fr_features *features, const char *object,
			      struct bpf_object *bpf)
{
	struct bpf_program *prog;
	const char *tracepoint;
	uint32_t left_cnt = 0;

	bpf_object__for_each_program (prog, bpf) {
		tracepoint = tracepoint_of(prog);
		if (tracepoint && !fr_features_has_tracepoint(features, tracepoint)) {
			bpf_program__set_autoload(prog, false);
			fr_features_degrade(features,
					    "%s: this kernel has no tracepoint %s: "
					    "continuing without %s",
					    object, tracepoint, bpf_program__name(prog));
		} else {
			left_cnt++;
		}
	}
	return left_cnt;
}

static int keep_maps(struct fr_probes *p, struct bpf_object *bpf)
{
	struct bpf_map *map;
	int fd;

	bpf_object__for_each_map (map, bpf) {
		if (!is_shared(map) || fr_probes_map_fd(p, bpf_map__name(map)) >= 0)
			continue;
		if (p->map_cnt == FR_MAPS_MAX)
			return -E2BIG;
		fd = fr_fd_dup(bpf_map__fd(map));
		if (fd < 0)
			return fd;
		snprintf(p->maps[p->map_cnt].name, FR_NAME_BYTES, "%s", bpf_map__name(map));
		p->maps[p->map_cnt++].fd = fd;
	}
	return 0;
}

static int open_object(const struct fr_probes *p, const struct fr_bpf_embed *e,
		       struct bpf_object **ret_bpf)
{
	const char *slash = strrchr(e->name, '/');
	char name[16];
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = name);

	snprintf(name, sizeof(name), "fr_%s", slash ? slash + 1 : e->name);
	if (p->btf_path[0])
		opts.btf_custom_path = p->btf_path;
	*ret_bpf = bpf_object__open_mem(e->start, (size_t)(e->end - e->start), &opts);
	return *ret_bpf ? 0 : -errno;
}

static const char *next_step(int err)
{
	switch (-err) {
	case EPERM:
		return "; run as root, and look whether the kernel is locked down "
		       "(/sys/kernel/security/lockdown)";
	case ENOMEM:
		return "; use a smaller ring-size";
	default:
		return "";
	}
}

/* What a failure to load means, for people. */
static void explain(const char *object, int err)
{
	const char *program = fr_bpflog_program(), *tail = fr_bpflog_tail(), *end;

	if (program[0])
		fr_err("%s: the kernel refused program %s: %s%s", object, program, strerror(-err),
		       next_step(err));
	else
		fr_err("%s: cannot be loaded: %s%s", object, strerror(-err), next_step(err));
	if (tail[0])
		fr_err("%s: the last lines of the log were:", object);
	for (; *tail; tail = *end ? end + 1 : end) {
		end = strchrnul(tail, '\n');
		fr_err("  | %.*s", (int)(end - tail), tail);
	}
}

/* -ENODEV: none of its programs can run on this kernel. */
static int load_object(struct fr_probes *p, struct fr_features *features,
		       const struct fr_bpf_embed *e)
{
	struct bpf_object *bpf = NULL;
	int err;

	if (p->object_cnt == FR_OBJECTS_MAX)
		return -E2BIG;
	fr_bpflog_clear();
	err = open_object(p, e, &bpf);
	if (!err && !prepare_progs(features, e->name, bpf))
		err = -ENODEV;
	if (!err)
		err = prepare_maps(p, bpf);
	if (!err)
		err = bpf_object__load(bpf);
	if (!err)
		err = keep_maps(p, bpf);
	if (err) {
		if (err != -ENODEV)
			explain(e->name, err);
		bpf_object__close(bpf);
		return err;
	}
	p->objects[p->object_cnt++] = (struct fr_object){
		.name = e->name,
		.bpf = bpf,
		.family = family_of(e->name),
	};
	return 0;
}

/* ---- families ---------------------------------------------------------------------------- */

void fr_probes_lose(struct fr_probes *p, struct fr_features *features, uint32_t family,
		    const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(p->why[family], sizeof(p->why[family]), fmt, args);
	va_end(args);
	p->have &= ~(1u << family);
	fr_features_degrade(features, "family %s is not recorded: %s", fr_family_name(family),
			    p->why[family]);
	fr_warn("family %s: %s, continuing without it", fr_family_name(family), p->why[family]);
}

bool fr_probes_family(const struct fr_probes *p, uint32_t family_bit, const char **ret_why)
{
	*ret_why = p->why[family_bit];
	return p->have & 1u << family_bit;
}

/* Refused by the verifier is not a lack of permission, although its errno says so. */
static int no_identity(int err)
{
	fr_err("without bpf/proc no event has a name, so nothing is recorded");
	return err == -ENOMEM || err == -EPERM ? err : -ENOTSUP;
}

static int load_one(struct fr_probes *p, struct fr_features *features, const struct fr_bpf_embed *e)
{
	uint32_t family = family_of(e->name);
	int err = load_object(p, features, e);

	if (!err) {
		if (family != FR_NO_FAMILY)
			p->have |= 1u << family;
		return 0;
	}
	if (err == -EPERM && !p->object_cnt)
		return err;
	if (family == FR_NO_FAMILY) {
		fr_features_degrade(features, "%s is not loaded: %s", e->name, strerror(-err));
		return 0;
	}
	if (family == FR_FAMILY_PROC)
		return no_identity(err);
	if (err == -ENODEV)
		fr_probes_lose(p, features, family, "this kernel has none of its tracepoints");
	else if (fr_bpflog_program()[0])
		fr_probes_lose(p, features, family, "the kernel refused program %s: %s",
			       fr_bpflog_program(), strerror(-err));
	else
		fr_probes_lose(p, features, family, "cannot be loaded: %s", strerror(-err));
	return 0;
}

static int pass_of(uint32_t family)
{
	if (family == FR_FAMILY_PROC)
		return 0;
	return family == FR_NO_FAMILY || family == FR_FAMILY_TCP || family == FR_FAMILY_DNS ? 2 : 1;
}

/* Identity first: without it nothing is worth recording. Then the families, then the helpers,
 * which share the families' maps, as tcp and dns do with sock. */
static int load_all(struct fr_probes *p, struct fr_features *features,
		    const struct fr_bpf_embed *objects)
{
	const struct fr_bpf_embed *e;
	uint32_t family;
	int err = 0;

	for (int pass = 0; pass < 3; pass++)
		for (e = objects; !err && e->name; e++) {
			family = family_of(e->name);
			if (pass != pass_of(family))
				continue;
			if (is_wanted(p, e->name))
				err = load_one(p, features, e);
		}
	if (err)
		return err;
	if (!(p->have & 1u << FR_FAMILY_PROC)) {
		fr_err("bpf/proc: the program for identity is not built in: build again");
		return -ENOENT;
	}
	for (family = 1; family < FR_FAMILY_CNT; family++)
		if (p->want & ~p->have & 1u << family && !p->why[family][0])
			fr_probes_lose(p, features, family, "no probe of this release records it");
	return 0;
}

/* ---- start ------------------------------------------------------------------------------- */

static void set_knobs(struct fr_probes *p, const struct fr_config *config,
		      const struct fr_features *features)
{
	struct fr_knobs *k = &p->knobs;

	k->sub_shift = p->layout->sub_shift;
	k->features = features->bits;
	k->families = config->families;
	k->capture_request_bytes = config->capture_request_bytes;
	k->capture_response_bytes = config->capture_response_bytes;
	k->max_sockets = config->max_sockets;
	k->filter_kind = config->filter_kind;
	k->filter_cnt = config->filter_cnt;
	k->filter_cgroup_subsys = config->filter_cgroup_subsys;
	for (uint32_t i = 0; i < config->filter_cnt; i++)
		k->filter_ids[i] = config->filter_kind == FR_FILTER_CGROUP
					   ? config->filter_cgroup_ids[i]
					   : config->filter_pids[i];
	memcpy(k->filter_comms, config->filter_comms, sizeof(k->filter_comms));
}

/* Whose work is our own, and what our namespace hides from the iterators. */
static void find_self(struct fr_knobs *k, struct fr_features *features)
{
	int err = fr_self_tgid(&k->self_tgid);

	if (err) { /* nobody's number: better recorded than somebody else left out */
		k->self_tgid = UINT32_MAX;
		fr_features_degrade(features, "the recorder's own work is recorded, too: its "
				    "number outside of its pid namespace is not known: %s",
				    strerror(-err));
	}
	if (!fr_pid_namespace_is_first())
		fr_features_degrade(features, "runs in a pid namespace: who lives outside of it is "
				    "known by records only; start it in the host's");
}

/* Before the programs are loaded, as they are built for what this finds. */
static void find_irq_context(struct fr_features *features, uint64_t *addresses, uint32_t cpu_cnt)
{
	char why[96] = "";

	if (fr_irqctx_find(features->btf, addresses, cpu_cnt, why, sizeof(why)))
		fr_features_degrade(features, "wakers are not told from interrupts: %s", why);
	else
		features->bits |= FR_FEAT_IRQ_CONTEXT;
}

static int fill_cpus(const struct fr_probes *p, const uint64_t *addresses)
{
	int fd = fr_probes_map_fd(p, "fr_cpus");

	for (uint32_t cpu = 0; fd >= 0 && cpu < p->layout->cpu_cnt; cpu++)
		if (bpf_map_update_elem(fd, &cpu, &addresses[cpu], BPF_ANY))
			return -errno;
	return 0;
}

int fr_probes_load(struct fr_probes **ret_probes, const struct fr_bpf_embed *objects,
		   const struct fr_config *config, struct fr_features *features,
		   const struct fr_layout *layout)
{
	struct fr_probes *p = calloc(1, sizeof(*p));
	uint64_t *addresses = calloc(layout->cpu_cnt, sizeof(*addresses));
	int err = p && addresses ? 0 : -ENOMEM;

	if (err)
		goto out;
	p->layout = layout;
	p->want = config->families;
	p->have = 1u << FR_FAMILY_REC;
	p->max_sockets = config->max_sockets;
	p->by_syscalls = config->hooks == FR_HOOKS_SYSCALLS ||
			 (config->hooks == FR_HOOKS_AUTO && !features->sock_tracepoints);
	memcpy(p->btf_path, config->btf_path, sizeof(p->btf_path));
	fr_bpflog_start();
	if (p->want & 1u << FR_FAMILY_WAKING)
		find_irq_context(features, addresses, layout->cpu_cnt);
	set_knobs(p, config, features);
	find_self(&p->knobs, features);
	err = load_all(p, features, objects);
	if (!err)
		err = fill_cpus(p, addresses);
	if (!err) /* helpers only: nothing that records */
		err = fr_probes_attach_some(p, features, false);
out:
	free(addresses);
	if (err)
		fr_probes_free(p);
	else
		*ret_probes = p;
	return err;
}
