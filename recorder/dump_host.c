/* SPDX-License-Identifier: BSD-2-Clause */
#include "dump_host.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* The first line of a small file. */
static void read_line(const char *path, char *buf, size_t buf_bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;

	if (fd >= 0) {
		n = read(fd, buf, buf_bytes - 1);
		close(fd);
	}
	buf[n > 0 ? n : 0] = 0;
	buf[strcspn(buf, "\n")] = 0;
}

static int32_t utc_offset_s(void)
{
	time_t now = time(NULL);
	struct tm tm;

	return localtime_r(&now, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

void fr_host_describe(const struct fr_recorder *rec, struct fr_meta_host *ret_host)
{
	struct fr_meta_host h = {
		.cpus_possible = rec->layout.cpu_cnt,
		.cpus_online = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN),
		.recorder_version = FR_VERSION,
		.recorder_start_ns = rec->start_clock.boot_ns,
		.recorder_pid = (uint32_t)getppid(), /* the dumper is the daemon's child */
		.page_bytes = (uint32_t)sysconf(_SC_PAGESIZE),
		.utc_offset_s = utc_offset_s(),
	};
	struct sysinfo info;
	struct utsname u;

	if (!uname(&u)) {
		snprintf(h.name, sizeof(h.name), "%s", u.nodename);
		snprintf(h.kernel_release, sizeof(h.kernel_release), "%s", u.release);
		snprintf(h.kernel_version, sizeof(h.kernel_version), "%s", u.version);
		snprintf(h.arch, sizeof(h.arch), "%.15s", u.machine);
	}
	if (!sysinfo(&info))
		h.memory_bytes = (uint64_t)info.totalram * info.mem_unit;
	read_line("/etc/machine-id", h.machine_id, sizeof(h.machine_id));
	read_line("/proc/sys/kernel/random/boot_id", h.boot_id, sizeof(h.boot_id));
	*ret_host = h;
}
