/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects of tests and benches that write into a ring of their own (bpf/lib/ring.bpf.h): the
 * loader's part of it, as recorder/probes_load.c does it for the probes.
 */
#ifndef FR_TEST_RING_OBJECT_H
#define FR_TEST_RING_OBJECT_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "formats/abi/knobs.h"
#include "formats/abi/ring.h"

static inline int ring_object_knobs(struct bpf_object *obj, uint32_t sub_shift, uint32_t features)
{
	struct bpf_map *map;
	struct fr_knobs *k;
	size_t bytes;

	bpf_object__for_each_map(map, obj)
	{
		if (!strstr(bpf_map__name(map), ".rodata.knobs"))
			continue;
		k = (void *)(uintptr_t)bpf_map__initial_value(map, &bytes);
		if (!k || bytes < sizeof(*k))
			return -EINVAL;
		k->sub_shift = sub_shift;
		k->features = features;
		return 0;
	}
	return -ENOENT;
}

static inline int ring_object_size(struct bpf_object *obj, const char *name, uint32_t entries)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, name);

	return map ? bpf_map__set_max_entries(map, entries) : -ENOENT;
}

/* Opens dir/name with a ring of cpu_cnt shares of 1 << sub_shift sub-buffers; it is not loaded yet.
 * features: FR_FEAT_*. *ret_obj is the caller's, after an error, too, unless it is NULL. */
static inline int ring_object_open(const char *dir, const char *name, uint32_t cpu_cnt,
				   uint32_t sub_shift, uint32_t features,
				   struct bpf_object **ret_obj)
{
	char path[4200];
	int err;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	*ret_obj = bpf_object__open_file(path, NULL);
	if (!*ret_obj)
		return -errno;
	err = ring_object_knobs(*ret_obj, sub_shift, features);
	err = err ? err : ring_object_size(*ret_obj, "fr_ring", cpu_cnt << sub_shift);
	err = err ? err : ring_object_size(*ret_obj, "fr_subs", cpu_cnt << sub_shift);
	return err ? err : ring_object_size(*ret_obj, "fr_ctl", cpu_cnt);
}

/* Once it is loaded: each CPU gets its share. */
static inline int ring_object_share(const struct bpf_object *obj, uint32_t cpu_cnt,
				    uint32_t sub_shift)
{
	int fd = bpf_object__find_map_fd_by_name(obj, "fr_ctl"), err = 0;

	for (uint32_t cpu = 0; cpu < cpu_cnt && !err; cpu++) {
		struct fr_ring_ctl ctl = FR_RING_CTL(cpu, sub_shift);

		err = bpf_map_update_elem(fd, &cpu, &ctl, BPF_ANY);
	}
	return err;
}

#endif
