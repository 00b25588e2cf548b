/* SPDX-License-Identifier: BSD-2-Clause */
#include "probes.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpflog.h"
#include "formats/base/log.h"
#include "probes_parts.h"

/* ---- names to handles -------------------------------------------------------------------- */

int fr_probes_map_fd(const struct fr_probes *p, const char *name)
{
	for (uint32_t i = 0; i < p->map_cnt; i++)
		if (!strcmp(p->maps[i].name, name))
			return p->maps[i].fd;
	return -ENOENT;
}

static const struct fr_prog *prog_by_name(const struct fr_probes *p, const char *name)
{
	for (uint32_t i = 0; i < p->prog_cnt; i++)
		if (!strcmp(p->progs[i].name, name))
			return &p->progs[i];
	return NULL;
}

int fr_probes_prog_fd(const struct fr_probes *p, const char *name)
{
	const struct fr_prog *prog = prog_by_name(p, name);

	return prog ? prog->fd : -ENOENT;
}

int fr_probes_iter_link_fd(const struct fr_probes *p, const char *name)
{
	const struct fr_prog *prog = prog_by_name(p, name);

	return prog && prog->iter && prog->link_fd >= 0 ? prog->link_fd : -ENOENT;
}

int fr_fd_dup(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? -errno : copy;
}

/* ---- attaching --------------------------------------------------------------------------- */

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
	bpf_object__for_each_map (map, bpf) {
		if (storage ? bpf_map__type(map) == BPF_MAP_TYPE_SK_STORAGE
			    : bpf_map__type(map) == BPF_MAP_TYPE_LRU_HASH ||
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
	struct fr_prog *kept = &p->progs[p->prog_cnt];
	int fd = p->prog_cnt == FR_PROGS_MAX ? -E2BIG : fr_fd_dup(bpf_program__fd(prog));

	if (fd < 0)
		return fd;
	*kept = (struct fr_prog){
		.fd = fd,
		.link_fd = link ? bpf_link__fd(link) : -1,
		.iter = is_iterator(bpf_program__section_name(prog)),
	};
	snprintf(kept->name, sizeof(kept->name), "%s", bpf_program__name(prog));
	p->prog_cnt++;
	return 0;
}

static int attach_prog(struct fr_probes *p, const struct fr_object *o, struct bpf_program *prog)
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

static int attach_object(struct fr_probes *p, const struct fr_object *o,
			 struct fr_features *features)
{
	struct bpf_program *prog;
	uint32_t first = p->prog_cnt;
	int err = 0;

	bpf_object__for_each_program (prog, o->bpf) {
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
			return -ENOTSUP;
		fr_probes_lose(p, features, o->family, "cannot attach %s: %s",
			       bpf_program__name(prog), strerror(-err));
		break;
	}
	/* half a family would tell half the truth */
	for (; err && p->prog_cnt > first; p->prog_cnt--) {
		close(p->progs[p->prog_cnt - 1].link_fd);
		close(p->progs[p->prog_cnt - 1].fd);
	}
	return 0;
}

int fr_probes_attach_some(struct fr_probes *p, struct fr_features *features, bool families)
{
	struct fr_object *o;
	int err = 0;

	for (o = p->objects; o < p->objects + p->object_cnt; o++) {
		if (!o->bpf || families == (o->family == FR_NO_FAMILY))
			continue;
		err = err ? err : attach_object(p, o, features);
		bpf_object__close(o->bpf);
		o->bpf = NULL;
	}
	return err;
}

int fr_probes_attach(struct fr_probes *p, struct fr_features *features)
{
	return fr_probes_attach_some(p, features, true);
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

/* ---- questions --------------------------------------------------------------------------- */

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
