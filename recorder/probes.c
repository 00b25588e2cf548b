/* SPDX-License-Identifier: BSD-2-Clause */
#include "probes.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf_embed.h"
#include "bpflog.h"
#include "formats/base/log.h"
#include "irqctx.h"

#define FR_MAPS_MAX 64
#define FR_PROGS_MAX 128
#define FR_OBJECTS_MAX 48
#define FR_NAME_BYTES 48
#define FR_NO_FAMILY UINT32_MAX

struct shared_map {
	char name[FR_NAME_BYTES];
	int fd;
};

/* A loaded program: its fd for running it and for asking how often it was refused; its link's fd
 * if it is attached or an iterator. */
struct prog {
	char name[FR_NAME_BYTES];
	int fd;
	int link_fd; /* -1 = none */
	bool iter;
};

struct object {
	const char *name; /* of the embedded object */
	struct bpf_object *bpf; /* NULL once attached: only descriptors are kept */
	uint32_t family;	/* FR_NO_FAMILY for bpf/aux */
};

struct fr_probes {
	struct fr_knobs knobs;
	uint32_t want;	/* families, as configured */
	uint32_t have;	/* families that are recorded */
	char why[FR_FAMILY_CNT][120]; /* why one is not */
	const struct fr_layout *layout;
	char btf_path[PATH_MAX];
	uint32_t max_sockets;
	bool by_syscalls; /* socket hooks */
	struct object objects[FR_OBJECTS_MAX];
	uint32_t object_cnt;
	struct shared_map maps[FR_MAPS_MAX];
	uint32_t map_cnt;
	struct prog progs[FR_PROGS_MAX];
	uint32_t prog_cnt;
};

/* ---- what there is to load ---------------------------------------------------------------------- */

/* Objects that belong to one of the two ways of hooking sockets. */
static const struct {
	const char *name;
	bool by_syscalls;
} variants[] = {
	{ "bpf/sock", false },
	{ "bpf/sock_sys", true },
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

	if (!strcmp(object, "bpf/aux/context"))
		return false; /* irqctx.c loads it, uses it and lets it go */
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++)
		if (!strcmp(variants[i].name, object)) {
			if (variants[i].by_syscalls != p->by_syscalls)
				return false;
			if (family == FR_NO_FAMILY && !(p->have & 1u << FR_FAMILY_SOCK))
				return false;
		}
	return family == FR_NO_FAMILY || p->want & 1u << family;
}

/* ---- names to handles ----------------------------------------------------------------------------- */

int fr_probes_map_fd(const struct fr_probes *p, const char *name)
{
	for (uint32_t i = 0; i < p->map_cnt; i++)
		if (!strcmp(p->maps[i].name, name))
			return p->maps[i].fd;
	return -ENOENT;
}

static const struct prog *prog_by_name(const struct fr_probes *p, const char *name)
{
	for (uint32_t i = 0; i < p->prog_cnt; i++)
		if (!strcmp(p->progs[i].name, name))
			return &p->progs[i];
	return NULL;
}

int fr_probes_prog_fd(const struct fr_probes *p, const char *name)
{
	const struct prog *prog = prog_by_name(p, name);

	return prog ? prog->fd : -ENOENT;
}

int fr_probes_iter_link_fd(const struct fr_probes *p, const char *name)
{
	const struct prog *prog = prog_by_name(p, name);

	return prog && prog->iter && prog->link_fd >= 0 ? prog->link_fd : -ENOENT;
}

static int dup_fd(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? -errno : copy;
}

/* ---- one object ----------------------------------------------------------------------------------- */

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

	bpf_object__for_each_map(map, bpf) {
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

	bpf_object__for_each_program(prog, bpf) {
		tracepoint = tracepoint_of(prog);
		if (tracepoint && !fr_features_has_tracepoint(features, tracepoint)) {
			bpf_program__set_autoload(prog, false);
			fr_features_degrade(features, "%s: this kernel has no tracepoint %s: "
					    "continuing without %s", object, tracepoint,
					    bpf_program__name(prog));
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

	bpf_object__for_each_map(map, bpf) {
		if (!is_shared(map) || fr_probes_map_fd(p, bpf_map__name(map)) >= 0)
			continue;
		if (p->map_cnt == FR_MAPS_MAX)
			return -E2BIG;
		fd = dup_fd(bpf_map__fd(map));
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

/* What a failure to load means, for people; the object's name stands before it. */
static void explain(const char *object, int err)
{
	const char *program = fr_bpflog_program(), *tail = fr_bpflog_tail(), *end;

	if (program[0])
		fr_err("%s: the kernel refused program %s: %s", object, program, strerror(-err));
	else
		fr_err("%s: cannot be loaded: %s", object, strerror(-err));
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
	p->objects[p->object_cnt++] = (struct object){
		.name = e->name,
		.bpf = bpf,
		.family = family_of(e->name),
	};
	return 0;
}

/* ---- families ------------------------------------------------------------------------------------- */

__attribute__((format(printf, 4, 5))) static void lose_family(struct fr_probes *p,
							      struct fr_features *features,
							      uint32_t family, const char *fmt, ...)
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

static int load_one(struct fr_probes *p, struct fr_features *features,
		    const struct fr_bpf_embed *e)
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
		return err;
	if (err == -ENODEV)
		lose_family(p, features, family, "this kernel has none of its tracepoints");
	else if (fr_bpflog_program()[0])
		lose_family(p, features, family, "the kernel refused program %s: %s",
			    fr_bpflog_program(), strerror(-err));
	else
		lose_family(p, features, family, "cannot be loaded: %s", strerror(-err));
	return 0;
}

/* Identity first: without it nothing is worth recording. Then the families, then the helpers,
 * which share the families' maps. */
static int load_all(struct fr_probes *p, struct fr_features *features)
{
	const struct fr_bpf_embed *e;
	uint32_t family;
	int err = 0;

	for (int pass = 0; pass < 3; pass++)
		for (e = fr_bpf_embeds; !err && e->name; e++) {
			family = family_of(e->name);
			if (pass != (family == FR_FAMILY_PROC ? 0 : family == FR_NO_FAMILY ? 2 : 1))
				continue;
			if (is_wanted(p, e->name))
				err = load_one(p, features, e);
		}
	if (err)
		return err;
	if (!(p->have & 1u << FR_FAMILY_PROC)) {
		fr_err("bpf/proc: the program for identity is not built in: build flightrecd again");
		return -ENOENT;
	}
	for (family = 1; family < FR_FAMILY_CNT; family++)
		if (p->want & ~p->have & 1u << family && !p->why[family][0])
			lose_family(p, features, family, "no probe of this release records it");
	return 0;
}

/* ---- attaching -------------------------------------------------------------------------------------- */

static bool is_iterator(const char *section)
{
	return !strncmp(section, "iter/", 5) || !strncmp(section, "iter.s/", 7);
}

/* Programs that are run by request: they have a handle and no link. */
static bool is_on_demand(const char *section)
{
	return !strcmp(section, "syscall") || !strcmp(section, "raw_tp");
}

/* An iterator over a map takes that map: the object's first shared one of the right type. */
static int iterated_map(const struct bpf_object *bpf, const char *section)
{
	bool storage = !strcmp(section, "iter/bpf_sk_storage_map");
	struct bpf_map *map;

	if (!storage && strcmp(section, "iter/bpf_map_elem"))
		return -1;
	bpf_object__for_each_map(map, bpf) {
		if (storage ? bpf_map__type(map) == BPF_MAP_TYPE_SK_STORAGE :
			      bpf_map__type(map) == BPF_MAP_TYPE_LRU_HASH ||
				      bpf_map__type(map) == BPF_MAP_TYPE_HASH)
			return bpf_map__fd(map);
	}
	return -1;
}

static struct bpf_link *attach(const struct bpf_object *bpf, struct bpf_program *prog)
{
	const char *section = bpf_program__section_name(prog);
	union bpf_iter_link_info info = { 0 };
	LIBBPF_OPTS(bpf_iter_attach_opts, opts);
	int map_fd;

	if (!is_iterator(section))
		return bpf_program__attach(prog);
	map_fd = iterated_map(bpf, section);
	if (map_fd >= 0) {
		info.map.map_fd = (uint32_t)map_fd;
		opts.link_info = &info;
		opts.link_info_len = sizeof(info);
	}
	return bpf_program__attach_iter(prog, &opts);
}

/* Takes over the program and, if it is attached, its link. The link lives by its fd alone. */
static int keep_prog(struct fr_probes *p, const struct bpf_program *prog,
		     const struct bpf_link *link)
{
	struct prog *kept = &p->progs[p->prog_cnt];
	int fd = p->prog_cnt == FR_PROGS_MAX ? -E2BIG : dup_fd(bpf_program__fd(prog));

	if (fd < 0)
		return fd;
	*kept = (struct prog){
		.fd = fd,
		.link_fd = link ? bpf_link__fd(link) : -1,
		.iter = is_iterator(bpf_program__section_name(prog)),
	};
	snprintf(kept->name, sizeof(kept->name), "%s", bpf_program__name(prog));
	p->prog_cnt++;
	return 0;
}

static int attach_prog(struct fr_probes *p, const struct object *o, struct bpf_program *prog)
{
	struct bpf_link *link = NULL;
	int err;

	errno = 0;
	if (!is_on_demand(bpf_program__section_name(prog))) {
		fr_bpflog_clear();
		link = attach(o->bpf, prog);
		if (!link)
			return errno ? -errno : -EINVAL;
	}
	err = keep_prog(p, prog, link);
	if (link && !err)
		bpf_link__disconnect(link); /* its descriptor is ours now */
	bpf_link__destroy(link);
	return err;
}

static int attach_object(struct fr_probes *p, const struct object *o,
			 struct fr_features *features)
{
	struct bpf_program *prog;
	uint32_t first = p->prog_cnt;
	int err = 0;

	bpf_object__for_each_program(prog, o->bpf) {
		if (!bpf_program__autoload(prog))
			continue;
		err = attach_prog(p, o, prog);
		if (!err)
			continue;
		fr_err("%s: cannot attach program %s (%s): %s", o->name, bpf_program__name(prog),
		       bpf_program__section_name(prog), strerror(-err));
		if (o->family == FR_NO_FAMILY) {
			fr_features_degrade(features, "%s: %s is not there: %s", o->name,
					    bpf_program__name(prog), strerror(-err));
			err = 0;
			continue;
		}
		if (o->family == FR_FAMILY_PROC)
			return err;
		lose_family(p, features, o->family, "cannot attach %s: %s", bpf_program__name(prog),
			    strerror(-err));
		break;
	}
	/* half a family would tell half the truth */
	for (; err && p->prog_cnt > first; p->prog_cnt--) {
		close(p->progs[p->prog_cnt - 1].link_fd);
		close(p->progs[p->prog_cnt - 1].fd);
	}
	return 0;
}

static int attach_all(struct fr_probes *p, struct fr_features *features, bool helpers)
{
	struct object *o;
	int err = 0;

	for (o = p->objects; o < p->objects + p->object_cnt; o++) {
		if (!o->bpf || helpers != (o->family == FR_NO_FAMILY))
			continue;
		err = err ? err : attach_object(p, o, features);
		bpf_object__close(o->bpf);
		o->bpf = NULL;
	}
	return err;
}

/* ---- start ------------------------------------------------------------------------------------------ */

static void set_knobs(struct fr_probes *p, const struct fr_config *config,
		      const struct fr_features *features)
{
	struct fr_knobs *k = &p->knobs;

	k->sub_shift = p->layout->sub_shift;
	k->self_tgid = (uint32_t)getpid();
	k->features = features->bits;
	k->families = config->families;
	k->capture_request_bytes = config->capture_request_bytes;
	k->capture_response_bytes = config->capture_response_bytes;
	k->max_sockets = config->max_sockets;
	k->filter_kind = config->filter_kind;
	k->filter_cnt = config->filter_cnt;
	k->filter_cgroup_subsys = config->filter_cgroup_subsys;
	for (uint32_t i = 0; i < config->filter_cnt; i++)
		k->filter_ids[i] = config->filter_kind == FR_FILTER_CGROUP ?
					   config->filter_cgroup_ids[i] :
					   config->filter_pids[i];
	memcpy(k->filter_comms, config->filter_comms, sizeof(k->filter_comms));
	memcpy(k->cpu_slot, p->layout->cpu_slot, sizeof(k->cpu_slot));
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

int fr_probes_load(struct fr_probes **ret_probes, const struct fr_config *config,
		   struct fr_features *features, const struct fr_layout *layout)
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
	err = load_all(p, features);
	if (!err)
		err = fill_cpus(p, addresses);
	if (!err) /* helpers only: nothing that records */
		err = attach_all(p, features, true);
out:
	free(addresses);
	if (err)
		fr_probes_free(p);
	else
		*ret_probes = p;
	return err;
}

int fr_probes_attach(struct fr_probes *p, struct fr_features *features)
{
	return attach_all(p, features, false);
}

void fr_probes_free(struct fr_probes *p)
{
	if (!p)
		return;
	for (uint32_t i = 0; i < p->object_cnt; i++)
		bpf_object__close(p->objects[i].bpf);
	for (uint32_t i = 0; i < p->prog_cnt; i++) {
		if (p->progs[i].link_fd >= 0)
			close(p->progs[i].link_fd);
		close(p->progs[i].fd);
	}
	for (uint32_t i = 0; i < p->map_cnt; i++)
		close(p->maps[i].fd);
	free(p);
}

void fr_probes_forget_links(struct fr_probes *p)
{
	for (uint32_t i = 0; i < p->prog_cnt; i++)
		if (!p->progs[i].iter && p->progs[i].link_fd >= 0) {
			close(p->progs[i].link_fd);
			p->progs[i].link_fd = -1;
		}
}

/* ---- questions -------------------------------------------------------------------------------------- */

uint64_t fr_probes_misses(const struct fr_probes *p)
{
	struct bpf_prog_info info;
	uint64_t misses = 0;
	uint32_t bytes;

	for (uint32_t i = 0; i < p->prog_cnt; i++) {
		info = (struct bpf_prog_info){ 0 };
		bytes = sizeof(info);
		if (!bpf_obj_get_info_by_fd(p->progs[i].fd, &info, &bytes))
			misses += info.recursion_misses;
	}
	return misses;
}

/* "memlock: N" of the map's fdinfo is what the kernel charges for it. */
uint64_t fr_probes_map_bytes(const struct fr_probes *p)
{
	char path[64], line[128];
	unsigned long long bytes;
	uint64_t total = 0;
	FILE *file;

	for (uint32_t i = 0; i < p->map_cnt; i++) {
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", p->maps[i].fd);
		file = fopen(path, "re");
		while (file && fgets(line, sizeof(line), file))
			if (sscanf(line, "memlock: %llu", &bytes) == 1)
				total += bytes;
		if (file)
			fclose(file);
	}
	return total;
}
