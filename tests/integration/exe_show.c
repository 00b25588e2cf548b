/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exe_show FILE | --pid PID | --pid-code PID: prints in one line what formats/exe makes of a
 * program, from its file or from the memory of a process (found by AT_PHDR, or by where its code
 * starts). For tests: "amd64 pie=0 go1.26.1 off=152 mod=M pkg=P build-id=HEX reads=N".
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "formats/exe/exe.h"

#define AUXV_PHDR 3u
#define STAT_START_CODE 26 /* field of /proc/PID/stat, counted from 1 */

struct counted {
	struct fr_exe_mem below;
	pid_t pid;
	uint64_t read_cnt;
};

static int counted_read(void *ctx, uint64_t addr, void *buf, uint32_t len_bytes)
{
	struct counted *c = ctx;

	c->read_cnt++;
	return c->below.read(c->below.ctx, addr, buf, len_bytes);
}

static int process_read(void *ctx, uint64_t addr, void *buf, uint32_t len_bytes)
{
	const struct counted *c = ctx;
	struct iovec to = { .iov_base = buf, .iov_len = len_bytes };
	struct iovec from = { .iov_base = (void *)(uintptr_t)addr, .iov_len = len_bytes };
	ssize_t n = process_vm_readv(c->pid, &to, 1, &from, 1, 0);

	if (n < 0)
		return -errno;
	return n == (ssize_t)len_bytes ? 0 : -EFAULT;
}

static size_t slurp(const char *pid, const char *what, void *buf, size_t cap_bytes)
{
	char path[64];
	size_t got;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, what);
	f = fopen(path, "re");
	if (!f)
		return 0;
	got = fread(buf, 1, cap_bytes, f);
	fclose(f);
	return got;
}

static uint64_t phdr_addr(const char *pid)
{
	uint64_t aux[128];
	size_t words = slurp(pid, "auxv", aux, sizeof(aux)) / sizeof(*aux);

	for (size_t i = 0; i + 1 < words; i += 2)
		if (aux[i] == AUXV_PHDR)
			return aux[i + 1];
	return 0;
}

static uint64_t code_addr(const char *pid)
{
	char text[1024] = { 0 };
	char *at;

	slurp(pid, "stat", text, sizeof(text) - 1);
	at = strrchr(text, ')'); /* ends field 2 */
	for (int field = 2; at && field < STAT_START_CODE; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at, NULL, 10) : 0;
}

static int file_open(const char *path, struct fr_exe_image *image, struct fr_exe_mem *ret_mem)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *map;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return -errno;
	return fr_exe_mem_from_bytes(map, (uint64_t)st.st_size, image, ret_mem);
}

static void show(const struct fr_exe_mem *mem, const struct fr_exe_elf *elf)
{
	uint8_t id[FR_EXE_BUILD_ID_MAX];
	struct fr_exe_go go;
	uint32_t off = 0, id_bytes = 0;
	int err = fr_exe_go_buildinfo(mem, elf, &go);

	printf("%s pie=%d ", elf->machine == FR_EXE_AMD64 ? "amd64" : "arm64",
	       elf->position_independent);
	if (err)
		printf("no-go(%s)", strerror(-err));
	else if (fr_exe_go_goid_offset(go.version, elf->machine, &off))
		printf("%s off=none mod=%s pkg=%s", go.version, go.module, go.main_package);
	else
		printf("%s off=%" PRIu32 " mod=%s pkg=%s", go.version, off, go.module,
		       go.main_package);
	printf(" build-id=");
	if (!fr_exe_build_id(mem, elf, id, &id_bytes))
		for (uint32_t i = 0; i < id_bytes; i++)
			printf("%02x", id[i]);
	else
		printf("none");
}

int main(int argc, char **argv)
{
	struct fr_exe_image image;
	struct fr_exe_elf elf;
	struct counted c = { 0 };
	struct fr_exe_mem mem = { .read = counted_read, .ctx = &c };
	int err;

	if (argc == 3) {
		bool by_code = !strcmp(argv[1], "--pid-code");

		c.pid = (pid_t)strtol(argv[2], NULL, 10);
		c.below = (struct fr_exe_mem){ .read = process_read, .ctx = &c };
		err = fr_exe_find_elf(&mem, by_code ? code_addr(argv[2]) : phdr_addr(argv[2]),
				      &elf);
	} else if (argc == 2) {
		err = file_open(argv[1], &image, &c.below);
		if (!err)
			elf = image.elf;
	} else {
		fprintf(stderr, "usage: exe_show FILE | --pid PID | --pid-code PID\n");
		return 2;
	}
	if (err) {
		fprintf(stderr, "exe_show: %s: %s\n", argv[argc - 1], strerror(-err));
		return 1;
	}
	show(&mem, &elf);
	printf(" reads=%" PRIu64 "\n", c.read_cnt);
	return 0;
}
