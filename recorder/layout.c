/* SPDX-License-Identifier: BSD-2-Clause */
#include "layout.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* One number of a CPU list; -EBADMSG if there is none or it cannot be a CPU. */
static int parse_cpu(const char **at, uint32_t *ret)
{
	uint64_t v = 0;

	if (!isdigit((unsigned char)**at))
		return -EBADMSG;
	while (isdigit((unsigned char)**at)) {
		v = v * 10 + (uint64_t)(*(*at)++ - '0');
		if (v >= FR_CPU_SLOTS_MAX)
			return -ERANGE;
	}
	*ret = (uint32_t)v;
	return 0;
}

int fr_cpus_parse(const char *list, uint8_t *marks, uint32_t *ret_cnt, uint32_t *ret_end)
{
	uint32_t first, last, cnt = 0, end = 0;
	const char *at = list;
	int err;

	while (*at && *at != '\n') {
		err = parse_cpu(&at, &first);
		if (err)
			return err;
		last = first;
		if (*at == '-') {
			at++;
			err = parse_cpu(&at, &last);
			if (err)
				return err;
		}
		if (last < first)
			return -EBADMSG;
		for (uint32_t cpu = first; cpu <= last; cpu++) {
			cnt += !marks[cpu];
			marks[cpu] = 1;
		}
		end = last + 1 > end ? last + 1 : end;
		if (*at == ',')
			at++;
		else if (*at && *at != '\n')
			return -EBADMSG;
	}
	if (!cnt)
		return -EBADMSG;
	*ret_cnt = cnt;
	*ret_end = end;
	return 0;
}

static int read_list(const char *path, uint8_t *marks, uint32_t *ret_cnt, uint32_t *ret_end)
{
	char text[4096];
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return (int)n;
	text[n] = 0;
	return fr_cpus_parse(text, marks, ret_cnt, ret_end);
}

int fr_cpus_read(struct fr_cpus *ret_cpus)
{
	uint32_t cnt, end;
	int err;

	*ret_cpus = (struct fr_cpus){ 0 };
	err = read_list("/sys/devices/system/cpu/possible", ret_cpus->possible, &cnt,
			&ret_cpus->possible_cnt);
	if (err)
		return err;
	err = read_list("/sys/devices/system/cpu/online", ret_cpus->online, &ret_cpus->online_cnt,
			&end);
	if (err)
		return err;
	return end <= ret_cpus->possible_cnt ? 0 : -EBADMSG;
}

static uint64_t default_bytes(const struct fr_cpus *cpus)
{
	uint64_t by_cpu = FR_RING_BYTES_PER_CPU * cpus->online_cnt;

	return by_cpu > FR_RING_BYTES_MIN ? by_cpu : FR_RING_BYTES_MIN;
}

/* Online CPUs first; what rounding left over goes to CPUs that may come online. */
static void give_slots(struct fr_layout *layout, const struct fr_cpus *cpus, uint64_t subs)
{
	uint64_t slots_max = subs >> layout->sub_shift;

	for (uint32_t cpu = 0; cpu < FR_CPU_SLOTS_MAX; cpu++)
		layout->cpu_slot[cpu] = FR_NO_SLOT;
	for (int online = 1; online >= 0; online--)
		for (uint32_t cpu = 0; cpu < cpus->possible_cnt; cpu++)
			if (cpus->possible[cpu] && cpus->online[cpu] == online &&
			    layout->slot_cnt < slots_max)
				layout->cpu_slot[cpu] = (uint16_t)layout->slot_cnt++;
}

int fr_layout_make(struct fr_layout *ret_layout, const struct fr_cpus *cpus, uint64_t want_bytes,
		   char *err, size_t err_bytes)
{
	uint64_t bytes = want_bytes ? want_bytes : default_bytes(cpus);
	uint64_t subs = bytes >> FR_SUB_SHIFT, share = subs / cpus->online_cnt;
	uint64_t least_mib = (uint64_t)FR_SUBS_MIN * FR_SUB_BYTES * cpus->online_cnt >> 20;

	if (share < FR_SUBS_MIN) {
		snprintf(err, err_bytes,
			 "gives each of %u CPUs %llu sub-buffers of 64 KiB, but %u are needed: "
			 "use at least %lluM",
			 cpus->online_cnt, (unsigned long long)share, FR_SUBS_MIN,
			 (unsigned long long)least_mib);
		return -ERANGE;
	}
	if (subs > UINT32_MAX / 2) {
		snprintf(err, err_bytes, "is more than the kernel can index: use less than 64T");
		return -ERANGE;
	}
	*ret_layout = (struct fr_layout){ .cpu_cnt = cpus->possible_cnt };
	while ((2ull << ret_layout->sub_shift) <= share)
		ret_layout->sub_shift++;
	give_slots(ret_layout, cpus, subs);
	ret_layout->ring_bytes = (uint64_t)ret_layout->slot_cnt << ret_layout->sub_shift
								<< FR_SUB_SHIFT;
	return 0;
}

static size_t page_round(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) & ~(page - 1);
}

static size_t subs_map_bytes(uint32_t slot_cnt, uint32_t sub_shift)
{
	return page_round(((size_t)slot_cnt << sub_shift) * sizeof(struct fr_ring_sub));
}

int fr_layout_map(const struct fr_layout *layout, int ring_fd, int subs_fd, int ctl_fd,
		  struct fr_ring_view *ret_view)
{
	size_t subs_bytes = subs_map_bytes(layout->slot_cnt, layout->sub_shift);
	size_t ctl_bytes = page_round(layout->cpu_cnt * sizeof(struct fr_ring_ctl));
	void *subs, *ctl;
	int err;

	subs = mmap(NULL, subs_bytes, PROT_READ, MAP_SHARED, subs_fd, 0);
	if (subs == MAP_FAILED)
		return -errno;
	ctl = mmap(NULL, ctl_bytes, PROT_READ, MAP_SHARED, ctl_fd, 0);
	if (ctl == MAP_FAILED) {
		err = -errno;
		munmap(subs, subs_bytes);
		return err;
	}
	*ret_view = (struct fr_ring_view){
		.ctl = ctl,
		.sub = subs,
		.ring_fd = ring_fd,
		.sub_shift = layout->sub_shift,
		.slot_cnt = layout->slot_cnt,
		.cpu_cnt = layout->cpu_cnt,
		.cpu_slot = layout->cpu_slot,
		.flush_prog_fd = -1,
	};
	return 0;
}

void fr_layout_unmap(struct fr_ring_view *view)
{
	if (!view->sub)
		return;
	munmap((void *)(uintptr_t)view->sub, subs_map_bytes(view->slot_cnt, view->sub_shift));
	munmap((void *)(uintptr_t)view->ctl,
	       page_round(view->cpu_cnt * sizeof(struct fr_ring_ctl)));
	*view = (struct fr_ring_view){ .ring_fd = -1, .flush_prog_fd = -1 };
}
