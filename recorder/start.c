/* SPDX-License-Identifier: BSD-2-Clause */
#include "start.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "clock.h"
#include "formats/abi/rec.h"
#include "formats/base/log.h"

static int share_out(struct fr_recorder *rec)
{
	struct fr_cpus cpus;
	char why[200];
	int err = fr_cpus_read(&cpus);

	if (err) {
		fr_err("cannot read which CPUs there are from /sys/devices/system/cpu: %s; is /sys "
		       "mounted?",
		       strerror(-err));
		return err;
	}
	err = fr_layout_make(&rec->layout, &cpus, rec->config.ring_bytes, why, sizeof(why));
	if (err)
		fr_err("ring-size %s", why);
	return err;
}

/* Before the first record: which share is whose, and a first time for the first sub-buffer of each
 * (record times are rebuilt from it; all others get theirs from whoever opens them). */
static int begin_shares(const struct fr_recorder *rec, int subs_fd, int ctl_fd)
{
	struct fr_ring_sub first = { .first_time_ns = rec->start_clock.boot_ns };
	const struct fr_layout *l = &rec->layout;
	struct fr_ring_ctl ctl;

	for (uint32_t cpu = 0; cpu < l->cpu_cnt; cpu++) {
		ctl = FR_RING_CTL(l->cpu_slot[cpu], l->sub_shift);
		if (bpf_map_update_elem(ctl_fd, &cpu, &ctl, BPF_ANY))
			return -errno;
		if (ctl.first_sub != FR_NO_SUB &&
		    bpf_map_update_elem(subs_fd, &ctl.first_sub, &first, BPF_ANY))
			return -errno;
	}
	return 0;
}

static int open_ring(struct fr_recorder *rec)
{
	int ring_fd = fr_probes_map_fd(rec->probes, "fr_ring");
	int subs_fd = fr_probes_map_fd(rec->probes, "fr_subs");
	int ctl_fd = fr_probes_map_fd(rec->probes, "fr_ctl"), err;

	err = ring_fd < 0 || subs_fd < 0 || ctl_fd < 0 ? -ENOENT : 0;
	if (!err)
		err = fr_layout_map(&rec->layout, ring_fd, subs_fd, ctl_fd, &rec->ring);
	if (!err)
		err = fr_clock_pair(rec->probes, FR_CLOCK_START, &rec->start_clock);
	if (!err)
		err = begin_shares(rec, subs_fd, ctl_fd);
	if (err)
		fr_err("cannot set up the ring: %s", strerror(-err));
	return err;
}

static void note_families(struct fr_recorder *rec)
{
	int fd = fr_probes_prog_fd(rec->probes, "fr_note_family");
	uint64_t args[3];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));

	for (uint32_t bit = 1; bit < FR_FAMILY_CNT; bit++) {
		struct fr_family_state *f = &rec->families[rec->family_cnt++];
		const char *why;
		bool asked = rec->config.families & 1u << bit;

		f->on = fr_probes_family(rec->probes, bit, &why);
		snprintf(f->name, sizeof(f->name), "%s", fr_family_name(bit));
		snprintf(f->why, sizeof(f->why), "%s", f->on ? "" : asked ? why : "not asked for");
		args[0] = bit;
		args[1] = f->on;
		args[2] = asked && !f->on ? FR_FAMILY_WHY_FAILED : FR_FAMILY_WHY_START;
		if (fd < 0 || bpf_prog_test_run_opts(fd, &opts) || opts.retval)
			fr_warn("cannot note in the ring whether %s is on, continuing without",
				f->name);
	}
}

int fr_recorder_iterate(const struct fr_recorder *rec, const char *name,
			void (*take)(void *ctx, const void *bytes, size_t cnt), void *ctx)
{
	int link_fd = fr_probes_iter_link_fd(rec->probes, name), fd, err = 0;
	char bytes[16384];
	ssize_t n;

	if (link_fd < 0)
		return link_fd;
	fd = bpf_iter_create(link_fd);
	if (fd < 0)
		return -errno;
	for (;;) {
		n = read(fd, bytes, sizeof(bytes));
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			err = -errno;
		if (n <= 0)
			break;
		if (take)
			take(ctx, bytes, (size_t)n);
	}
	close(fd);
	return err;
}

/* After attaching: what is born in between is told twice rather than not at all. */
static void snapshot(struct fr_recorder *rec)
{
	static const struct {
		const char *iter;
		const char *what;
		uint32_t family;
	} parts[] = {
		{ "fr_iter_states", "threads", FR_FAMILY_PROC },
		{ "fr_iter_files", "open sockets", FR_FAMILY_SOCK },
	};
	const char *why;
	int err = fr_recorder_iterate(rec, "fr_iter_batches", NULL, NULL);

	if (err && err != -ENOENT) /* hooks at system calls have no need of it */
		fr_features_degrade(&rec->features,
				    "datagrams of sendmmsg and recvmmsg are recorded without their "
				    "bytes: the calls under way at start are not known: %s",
				    strerror(-err));
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!fr_probes_family(rec->probes, parts[i].family, &why))
			continue;
		err = fr_recorder_iterate(rec, parts[i].iter, NULL, NULL);
		if (err)
			fr_features_degrade(&rec->features,
					    "the state of %s at start is not known: %s",
					    parts[i].what,
					    err == -ENOENT ?
						    "hooks at system calls cannot list them" :
						    strerror(-err));
	}
}

int fr_recorder_start(struct fr_recorder *rec)
{
	int err = share_out(rec);

	if (!err)
		err = fr_cgroup_find(&rec->config, &rec->features);
	if (!err)
		err = fr_probes_load(&rec->probes, fr_bpf_embeds, &rec->config, &rec->features,
				     &rec->layout);
	if (err)
		return err;
	err = open_ring(rec);
	if (!err)
		err = fr_probes_attach(rec->probes, &rec->features);
	if (err)
		return err;
	rec->ring.flush_prog_fd = fr_probes_prog_fd(rec->probes, "fr_flush");
	note_families(rec);
	snapshot(rec);
	/* kernel type information and object files were most of the heap: give it back */
	fr_features_done(&rec->features);
	malloc_trim(0);
	return 0;
}

void fr_recorder_stop(struct fr_recorder *rec)
{
	fr_layout_unmap(&rec->ring);
	fr_probes_free(rec->probes);
	rec->probes = NULL;
	fr_features_done(&rec->features);
}
