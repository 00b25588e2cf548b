/* SPDX-License-Identifier: BSD-2-Clause */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "exe.h"

/* Before the segments are known: the header and what follows it, at the address it asks for. */
struct raw_head {
	const uint8_t *data;
	uint64_t len_bytes;
	uint64_t load_addr;
};

static int raw_read(void *ctx, uint64_t addr, void *buf, uint32_t len_bytes)
{
	const struct raw_head *raw = ctx;
	uint64_t off = addr - raw->load_addr;

	if (off > raw->len_bytes || len_bytes > raw->len_bytes - off)
		return -EFAULT;
	memcpy(buf, raw->data + off, len_bytes);
	return 0;
}

/* As much of a read as one segment serves; 0 = nothing is mapped there. */
static uint32_t image_part(const struct fr_exe_image *m, uint64_t addr, uint8_t *to,
			   uint32_t len_bytes)
{
	for (uint32_t i = 0; i < m->elf.segment_cnt; i++) {
		const struct fr_exe_segment *s = &m->elf.segments[i];
		uint64_t in = addr - s->addr, left;

		if (addr < s->addr || in >= s->mem_bytes)
			continue;
		left = in < s->file_bytes ? s->file_bytes - in : s->mem_bytes - in;
		if (len_bytes > left)
			len_bytes = (uint32_t)left;
		if (in >= s->file_bytes) {
			memset(to, 0, len_bytes);
			return len_bytes;
		}
		/* the sum can't wrap: file_off <= INT64_MAX, in < file_bytes <= INT64_MAX */
		if (s->file_off + in > m->len_bytes ||
		    len_bytes > m->len_bytes - (s->file_off + in))
			return 0;
		memcpy(to, m->data + s->file_off + in, len_bytes);
		return len_bytes;
	}
	return 0;
}

static int image_read(void *ctx, uint64_t addr, void *buf, uint32_t len_bytes)
{
	uint8_t *to = buf;

	while (len_bytes) {
		uint32_t got = image_part(ctx, addr, to, len_bytes);

		if (!got)
			return -EFAULT;
		addr += got;
		to += got;
		len_bytes -= got;
	}
	return 0;
}

/* Where the file wants its header to be: the address of its first segment's beginning. */
static int wanted_addr(const struct raw_head *raw, uint64_t *ret_addr)
{
	Elf64_Ehdr head;
	Elf64_Phdr p;

	if (raw->len_bytes < sizeof(head))
		return -ENOEXEC;
	memcpy(&head, raw->data, sizeof(head));
	for (uint32_t i = 0; i < head.e_phnum && i < FR_EXE_PHDRS_MAX; i++) {
		uint64_t off = head.e_phoff + i * sizeof(p);

		if (off > raw->len_bytes || raw->len_bytes - off < sizeof(p))
			return -ENOEXEC;
		memcpy(&p, raw->data + off, sizeof(p));
		if (p.p_type != PT_LOAD || !p.p_memsz)
			continue;
		*ret_addr = p.p_vaddr - p.p_offset;
		return 0;
	}
	return -ENOEXEC;
}

int fr_exe_mem_from_bytes(const void *data, uint64_t len_bytes, struct fr_exe_image *image,
			  struct fr_exe_mem *ret_mem)
{
	struct raw_head raw = { .data = data, .len_bytes = len_bytes };
	struct fr_exe_mem head = { .read = raw_read, .ctx = &raw };
	int err;

	err = wanted_addr(&raw, &raw.load_addr);
	if (!err)
		err = fr_exe_parse_elf(&head, raw.load_addr, &image->elf);
	if (err)
		return err == -EFAULT ? -ENOEXEC : err; /* cut in its headers */
	image->data = data;
	image->len_bytes = len_bytes;
	*ret_mem = (struct fr_exe_mem){ .read = image_read, .ctx = image };
	return 0;
}
