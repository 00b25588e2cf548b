/* SPDX-License-Identifier: BSD-2-Clause */
#include "cgroup.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "formats/base/log.h"

#define FR_UNIFIED UINT32_MAX
#define FR_MOUNTS_MAX 32

struct mount {
	char path[PATH_MAX];
	bool unified;
	char options[128]; /* v1: the controllers are among them */
};

static struct mount mounts[FR_MOUNTS_MAX]; /* used at start only */

/* "36 31 0:33 / /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices" */
static bool parse_mount(char *line, struct mount *ret)
{
	char *dash = strstr(line, " - "), type[32], path[PATH_MAX], options[128];

	if (!dash || sscanf(dash, " - %31s %*s %127s", type, options) != 2)
		return false;
	if (sscanf(line, "%*s %*s %*s %*s %4095s", path) != 1)
		return false;
	if (strcmp(type, "cgroup") && strcmp(type, "cgroup2"))
		return false;
	ret->unified = !strcmp(type, "cgroup2");
	memcpy(ret->path, path, sizeof(path));
	memcpy(ret->options, options, sizeof(options));
	return true;
}

static uint32_t read_mounts(void)
{
	char line[PATH_MAX + 512];
	FILE *file = fopen("/proc/self/mountinfo", "re");
	uint32_t cnt = 0;

	while (file && cnt < FR_MOUNTS_MAX && fgets(line, sizeof(line), file))
		cnt += parse_mount(line, &mounts[cnt]);
	if (file)
		fclose(file);
	return cnt;
}

/* Index into css_set.subsys of a v1 hierarchy's controller, by its name in the mount options. */
static int subsys_of(const struct btf *btf, const struct mount *m, uint32_t *ret_subsys)
{
	int id = btf__find_by_name_kind(btf, "cgroup_subsys_id", BTF_KIND_ENUM);
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, (uint32_t)id);
	char want[64], options[128], *save = NULL, *word;

	memcpy(options, m->options, sizeof(options));
	for (word = strtok_r(options, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		snprintf(want, sizeof(want), "%.48s_cgrp_id", strcmp(word, "blkio") ? word : "io");
		for (uint32_t i = 0; t && i < btf_vlen(t); i++)
			if (!strcmp(btf__name_by_offset(btf, btf_enum(t)[i].name_off), want)) {
				*ret_subsys = (uint32_t)btf_enum(t)[i].val;
				return 0;
			}
	}
	return -ENOENT;
}

static bool lies_below(const char *path, const char *mount)
{
	size_t len = strlen(mount);

	return !strncmp(path, mount, len) && (!path[len] || path[len] == '/');
}

/* The mount that the path lies in, or in which it is a cgroup: the unified one first. */
static const struct mount *find_mount(uint32_t cnt, const char *path, struct stat *ret_stat)
{
	char whole[PATH_MAX + 256];

	for (uint32_t i = 0; i < cnt; i++)
		if (lies_below(path, mounts[i].path) && !stat(path, ret_stat))
			return &mounts[i];
	for (int unified = 1; unified >= 0; unified--)
		for (uint32_t i = 0; i < cnt; i++) {
			if (mounts[i].unified != unified)
				continue;
			if ((size_t)snprintf(whole, sizeof(whole), "%s%s", mounts[i].path, path) <
				    sizeof(whole) &&
			    !stat(whole, ret_stat))
				return &mounts[i];
		}
	return NULL;
}

static int find_one(struct fr_config *config, const struct fr_features *features,
		    uint32_t mount_cnt, uint32_t i)
{
	const char *path = config->filter_cgroups[i];
	uint32_t subsys = FR_UNIFIED;
	const struct mount *m;
	struct stat st;

	m = find_mount(mount_cnt, path, &st);
	if (!m || !S_ISDIR(st.st_mode)) {
		fr_err("filter-cgroup '%s': there is no such cgroup; use a path below "
		       "/sys/fs/cgroup, or one as /proc/PID/cgroup shows it",
		       path);
		return -EINVAL;
	}
	if (!m->unified && subsys_of(features->btf, m, &subsys)) {
		fr_err("filter-cgroup '%s': its hierarchy %s has no controller that programs can "
		       "see; use a path of another hierarchy",
		       path, m->path);
		return -EINVAL;
	}
	if (i && subsys != config->filter_cgroup_subsys) {
		fr_err("filter-cgroup '%s': it lies in another hierarchy than the one before; use "
		       "paths of one hierarchy",
		       path);
		return -EINVAL;
	}
	config->filter_cgroup_subsys = subsys;
	config->filter_cgroup_ids[i] = st.st_ino; /* kernfs: the inode number is the cgroup's id */
	return 0;
}

int fr_cgroup_find(struct fr_config *config, const struct fr_features *features)
{
	uint32_t mount_cnt;
	int err = 0;

	config->filter_cgroup_subsys = FR_UNIFIED;
	if (config->filter_kind != FR_FILTER_CGROUP)
		return 0;
	mount_cnt = read_mounts();
	for (uint32_t i = 0; !err && i < config->filter_cnt; i++)
		err = find_one(config, features, mount_cnt, i);
	return err;
}
