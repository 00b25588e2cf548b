/* SPDX-License-Identifier: BSD-2-Clause */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "exe.h"
#include "exe_int.h"

#define PAGE_BYTES 4096u /* the smallest there is: larger pages are multiples */

_Static_assert(FR_EXE_PHDRS_MAX * sizeof(Elf64_Phdr) <= FR_EXE_WINDOW_BYTES, "read in one go");

int fr_exe_read(const struct fr_exe_mem *mem, uint64_t addr, void *buf, uint32_t len_bytes)
{
	int err;

	if (len_bytes > FR_EXE_WINDOW_BYTES)
		return -EINVAL;
	if (addr > UINT64_MAX - len_bytes)
		return -EFAULT;
	err = mem->read(mem->ctx, addr, buf, len_bytes);
	return err > 0 ? -EIO : err;
}

uint64_t fr_exe_room(const struct fr_exe_elf *elf, uint64_t addr)
{
	for (uint32_t i = 0; i < elf->segment_cnt; i++) {
		const struct fr_exe_segment *s = &elf->segments[i];

		if (addr >= s->addr && addr - s->addr < s->file_bytes)
			return s->file_bytes - (addr - s->addr);
	}
	return 0;
}

/* The header of a program, of whatever machine: not of an object file or a core. */
static bool is_program(const Elf64_Ehdr *h)
{
	/* e_type is at the same place in the 32-bit header */
	return !memcmp(h->e_ident, ELFMAG, SELFMAG) && h->e_ident[EI_DATA] == ELFDATA2LSB &&
	       (h->e_type == ET_EXEC || h->e_type == ET_DYN);
}

static int header_check(const Elf64_Ehdr *h, struct fr_exe_elf *elf)
{
	if (!is_program(h) || h->e_ident[EI_CLASS] != ELFCLASS64 ||
	    h->e_ident[EI_VERSION] != EV_CURRENT || h->e_phentsize != sizeof(Elf64_Phdr) ||
	    !h->e_phnum)
		return -ENOEXEC;
	if (h->e_machine == EM_X86_64)
		elf->machine = FR_EXE_AMD64;
	else if (h->e_machine == EM_AARCH64)
		elf->machine = FR_EXE_ARM64;
	else
		return -ENOEXEC;
	elf->position_independent = h->e_type == ET_DYN;
	return h->e_phnum > FR_EXE_PHDRS_MAX ? -E2BIG : 0;
}

static int segment_add(struct fr_exe_elf *elf, const Elf64_Phdr *p)
{
	struct fr_exe_segment *s = &elf->segments[elf->segment_cnt];
	const struct fr_exe_segment *last = s - 1;

	if (elf->segment_cnt == FR_EXE_SEGMENTS_MAX)
		return -E2BIG;
	/* the header is mapped: it is the beginning of the file, and so of the first segment */
	if (!elf->segment_cnt) {
		if (p->p_offset >= PAGE_BYTES)
			return -ENOEXEC;
		elf->bias = elf->load_addr - (p->p_vaddr - p->p_offset);
		if (!elf->position_independent && elf->bias)
			return -ENOEXEC;
	}
	*s = (struct fr_exe_segment){
		.addr = p->p_vaddr + elf->bias,
		.file_bytes = p->p_filesz,
		.mem_bytes = p->p_memsz,
		.file_off = p->p_offset,
		.writable = p->p_flags & PF_W,
		.executable = p->p_flags & PF_X,
	};
	if (s->file_bytes > s->mem_bytes || s->addr > INT64_MAX ||
	    s->mem_bytes > INT64_MAX - s->addr || s->file_off > INT64_MAX)
		return -ENOEXEC;
	if (elf->segment_cnt && s->addr - last->addr < last->mem_bytes)
		return -ENOEXEC;
	if (elf->segment_cnt && s->addr < last->addr)
		return -ENOEXEC;
	elf->segment_cnt++;
	return 0;
}

/* Ranges are optional: one that doesn't lie in a segment is left out. */
static void range_add(struct fr_exe_elf *elf, const Elf64_Phdr *p)
{
	uint64_t addr = p->p_vaddr + elf->bias;
	uint64_t room = fr_exe_room(elf, addr);

	if (!p->p_filesz || !room)
		return;
	if (p->p_type == PT_GNU_RELRO && !elf->relro_end) {
		elf->relro_addr = addr;
		elf->relro_end = addr + (p->p_filesz < room ? p->p_filesz : room);
	} else if (p->p_type == PT_NOTE && p->p_filesz <= room &&
		   elf->note_cnt < FR_EXE_NOTES_MAX) {
		elf->notes[elf->note_cnt++] = (struct fr_exe_range){
			.addr = addr,
			.len_bytes = p->p_filesz > FR_EXE_WINDOW_BYTES ? FR_EXE_WINDOW_BYTES :
									 (uint32_t)p->p_filesz,
			.align_bytes = p->p_align == 8 ? 8 : 4,
		};
	}
}

int fr_exe_parse_elf(const struct fr_exe_mem *mem, uint64_t load_addr, struct fr_exe_elf *ret_elf)
{
	struct fr_exe_elf elf = { .load_addr = load_addr };
	Elf64_Phdr phdrs[FR_EXE_PHDRS_MAX];
	Elf64_Ehdr head;
	int err;

	err = fr_exe_read(mem, load_addr, &head, sizeof(head));
	if (!err)
		err = header_check(&head, &elf);
	if (err)
		return err;
	if (head.e_phoff > INT64_MAX || load_addr > INT64_MAX)
		return -ENOEXEC;
	err = fr_exe_read(mem, load_addr + head.e_phoff, phdrs,
			  (uint32_t)(head.e_phnum * sizeof(*phdrs)));
	for (uint32_t i = 0; !err && i < head.e_phnum; i++)
		if (phdrs[i].p_type == PT_LOAD && phdrs[i].p_memsz)
			err = segment_add(&elf, &phdrs[i]);
	if (err)
		return err;
	if (!elf.segment_cnt)
		return -ENOEXEC;
	/* after all segments are known, as these headers usually come first */
	for (uint32_t i = 0; i < head.e_phnum; i++)
		range_add(&elf, &phdrs[i]);
	*ret_elf = elf;
	return 0;
}

/* Looks at one page. 0 = found; -EAGAIN = not here, look further; else what there is to say. */
static int find_step(const struct fr_exe_mem *mem, uint64_t page, uint64_t addr,
		     struct fr_exe_elf *ret_elf)
{
	Elf64_Ehdr head = { 0 };
	struct fr_exe_elf elf;
	int err;

	err = fr_exe_read(mem, page, &head, sizeof(head));
	if (err) /* holes between segments are ordinary; the end of the process is not one */
		return err == -ESRCH ? err : -EAGAIN;
	if (!is_program(&head))
		return -EAGAIN;
	err = fr_exe_parse_elf(mem, page, &elf);
	if (err == -E2BIG || err == -ESRCH || (err && head.e_ident[EI_CLASS] == ELFCLASS32))
		return err;
	/* else some other program's bytes, carried inside of this one */
	if (err || !fr_exe_room(&elf, addr))
		return -EAGAIN;
	*ret_elf = elf;
	return 0;
}

int fr_exe_find_elf(const struct fr_exe_mem *mem, uint64_t addr, struct fr_exe_elf *ret_elf)
{
	uint64_t page = addr & ~(uint64_t)(PAGE_BYTES - 1);
	uint8_t probe;
	int err = fr_exe_read(mem, addr, &probe, sizeof(probe));

	if (err)
		return err;
	for (uint32_t i = 0; i < FR_EXE_WALK_PAGES; i++, page -= PAGE_BYTES) {
		err = find_step(mem, page, addr, ret_elf);
		if (err != -EAGAIN)
			return err;
		if (page < PAGE_BYTES)
			break;
	}
	return -ENOENT;
}
