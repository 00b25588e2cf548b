/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * formats/exe over hostile bytes, as a file and as a process's memory. The first byte is the way:
 * bit 0 chooses memory (mapped at LOAD_ADDR, some pages of it unreadable by the other bits), else
 * the rest is a file. Any answer is right; a read beyond a window, or too many of them, is not.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "formats/exe/exe.h"

#define LOAD_ADDR 0x400000u
#define PAGE_BYTES 4096u
/* the walk back, the scan with ragged ends of each segment, candidates, notes and headers */
#define READS_MAX                                                                                  \
	(3 * FR_EXE_WALK_PAGES + FR_EXE_SCAN_BYTES / FR_EXE_WINDOW_BYTES +                         \
	 6 * FR_EXE_SEGMENTS_MAX + 8 * FR_EXE_CANDIDATES_MAX + 64)

struct fuzz_mem {
	const uint8_t *data;
	size_t data_bytes;
	uint8_t faults; /* bit n: pages with number % 8 == n can't be read */
	struct fr_exe_mem below;
	uint64_t read_cnt;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes);

static int memory_read(void *ctx, uint64_t addr, void *buf, uint32_t len_bytes)
{
	const struct fuzz_mem *m = ctx;
	uint64_t off = addr - LOAD_ADDR;

	if (off > m->data_bytes || len_bytes > m->data_bytes - off)
		return -EFAULT;
	for (uint64_t page = off / PAGE_BYTES; page * PAGE_BYTES < off + len_bytes; page++)
		if (m->faults >> (page % 8) & 1)
			return -EFAULT;
	memcpy(buf, m->data + off, len_bytes);
	return 0;
}

static int checked_read(void *ctx, uint64_t addr, void *buf, uint32_t len_bytes)
{
	struct fuzz_mem *m = ctx;

	if (!len_bytes || len_bytes > FR_EXE_WINDOW_BYTES || addr > UINT64_MAX - len_bytes ||
	    ++m->read_cnt > READS_MAX)
		abort();
	return m->below.read(m->below.ctx, addr, buf, len_bytes);
}

static void check_text(const char *text, size_t cap_bytes)
{
	size_t n = strnlen(text, cap_bytes);

	if (n == cap_bytes)
		abort();
	for (size_t i = 0; i < n; i++)
		if (text[i] < 0x20 || text[i] >= 0x7f)
			abort();
}

static void check_elf(const struct fr_exe_elf *elf)
{
	if (!elf->segment_cnt || elf->segment_cnt > FR_EXE_SEGMENTS_MAX ||
	    elf->note_cnt > FR_EXE_NOTES_MAX || elf->relro_end < elf->relro_addr)
		abort();
	for (uint32_t i = 0; i < elf->segment_cnt; i++) {
		const struct fr_exe_segment *s = &elf->segments[i];

		if (s->file_bytes > s->mem_bytes || s->addr + s->mem_bytes < s->addr)
			abort();
		if (i && s->addr < s[-1].addr + s[-1].mem_bytes)
			abort();
	}
}

static void look(const struct fr_exe_mem *mem, const struct fr_exe_elf *elf)
{
	uint8_t id[FR_EXE_BUILD_ID_MAX];
	uint32_t off = 0, id_bytes = 0;
	struct fr_exe_go go;

	check_elf(elf);
	if (!fr_exe_build_id(mem, elf, id, &id_bytes) && (!id_bytes || id_bytes > sizeof(id)))
		abort();
	if (fr_exe_go_buildinfo(mem, elf, &go))
		return;
	check_text(go.version, sizeof(go.version));
	check_text(go.main_package, sizeof(go.main_package));
	check_text(go.module, sizeof(go.module));
	check_text(go.module_version, sizeof(go.module_version));
	if (!go.version[0])
		abort();
	if (!fr_exe_go_goid_offset(go.version, elf->machine, &off) && !off)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes)
{
	struct fuzz_mem m = { 0 };
	struct fr_exe_mem mem = { .read = checked_read, .ctx = &m };
	struct fr_exe_image image;
	struct fr_exe_elf elf;
	uint64_t hint;

	if (!data_bytes)
		return 0;
	m.data = data + 1;
	m.data_bytes = data_bytes - 1;
	if (!(data[0] & 1)) {
		if (fr_exe_mem_from_bytes(m.data, m.data_bytes, &image, &m.below))
			return 0;
		look(&mem, &image.elf);
		return 0;
	}
	m.faults = data[0] & 0xfe;
	m.below = (struct fr_exe_mem){ .read = memory_read, .ctx = &m };
	if (!fr_exe_parse_elf(&mem, LOAD_ADDR, &elf))
		look(&mem, &elf);
	m.read_cnt = 0;
	hint = LOAD_ADDR + m.data_bytes - (m.data_bytes ? 1 : 0);
	if (!fr_exe_find_elf(&mem, hint, &elf))
		look(&mem, &elf);
	return 0;
}
