/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside of probes.h: shared by loading (probes_load.c) and by what comes after (probes.c). */
#ifndef FR_RECORDER_PROBES_PARTS_H
#define FR_RECORDER_PROBES_PARTS_H

#include <bpf/libbpf.h>

#include "probes.h"

#define FR_MAPS_MAX 64
#define FR_PROGS_MAX 128
#define FR_OBJECTS_MAX 48
#define FR_NAME_BYTES 48
#define FR_NO_FAMILY UINT32_MAX

struct fr_shared_map {
	char name[FR_NAME_BYTES];
	int fd;
};

/* A loaded program: its fd for running it and for asking how often it was refused; its link's fd
 * if it is attached or an iterator. */
struct fr_prog {
	char name[FR_NAME_BYTES];
	int fd;
	int link_fd; /* -1 = none */
	bool iter;
};

struct fr_object {
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
	struct fr_object objects[FR_OBJECTS_MAX];
	uint32_t object_cnt;
	struct fr_shared_map maps[FR_MAPS_MAX];
	uint32_t map_cnt;
	struct fr_prog progs[FR_PROGS_MAX];
	uint32_t prog_cnt;
};

/* A copy of the descriptor, closed on exec. */
int fr_fd_dup(int fd);
/* Takes note that a family is not recorded, and tells. */
__attribute__((format(printf, 4, 5))) void fr_probes_lose(struct fr_probes *p,
							  struct fr_features *features,
							  uint32_t family, const char *fmt, ...);
/* Attaches the helpers (families: false) or the families' programs; lets go of their objects. */
int fr_probes_attach_some(struct fr_probes *p, struct fr_features *features, bool families);

#endif
