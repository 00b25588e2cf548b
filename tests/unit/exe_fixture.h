/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A made-up program in made-up memory, for the tests of formats/exe. The file is laid out like one
 * of GNU ld's: text (with the headers), then data whose first part is RELRO. Memory counts reads,
 * fails where it is told to, and fails the test when asked for more than a window.
 */
#ifndef FR_TESTS_EXE_FIXTURE_H
#define FR_TESTS_EXE_FIXTURE_H

#include "cm.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>

#include "formats/exe/exe.h"

#define TEXT_BYTES 0x3000u
#define NOTE_OFF 0x400u
#define DATA_GAP 0x200000u /* from the beginning of text to that of data: as with large pages */
#define DATA_BYTES_MAX 0x400000u
#define NO_FAULT UINT64_MAX

struct exe_fixture {
	uint64_t load_addr;
	uint8_t text[TEXT_BYTES];
	uint8_t data[DATA_BYTES_MAX];
	uint32_t data_bytes;
	uint64_t fault_addr; /* reads that touch fault_addr .. + fault_bytes fail */
	uint64_t fault_bytes;
	int fault_err;
	uint64_t read_cnt;
	uint64_t read_bytes;
};

static struct exe_fixture fix;

static int fix_read(void *ctx, uint64_t addr, void *buf, uint32_t len_bytes)
{
	struct exe_fixture *f = ctx;
	uint64_t in_text = addr - f->load_addr, in_data = in_text - DATA_GAP;

	f->read_cnt++;
	f->read_bytes += len_bytes;
	assert_true(len_bytes > 0 && len_bytes <= FR_EXE_WINDOW_BYTES);
	assert_true(addr <= UINT64_MAX - len_bytes);
	if (f->fault_addr != NO_FAULT && addr < f->fault_addr + f->fault_bytes &&
	    addr + len_bytes > f->fault_addr)
		return f->fault_err;
	if (in_text < TEXT_BYTES && len_bytes <= TEXT_BYTES - in_text)
		memcpy(buf, f->text + in_text, len_bytes);
	else if (in_data < f->data_bytes && len_bytes <= f->data_bytes - in_data)
		memcpy(buf, f->data + in_data, len_bytes);
	else
		return -EFAULT;
	return 0;
}

static const struct fr_exe_mem fix_mem = { .read = fix_read, .ctx = &fix };

static inline Elf64_Ehdr *fix_head(void)
{
	return (Elf64_Ehdr *)fix.text;
}

static inline Elf64_Phdr *fix_phdr(uint32_t i)
{
	return (Elf64_Phdr *)(fix.text + sizeof(Elf64_Ehdr)) + i;
}

/* Headers 0 text, 1 data, 2 RELRO (empty when relro_bytes is 0), 3 notes (empty). */
static inline void fix_make(uint64_t load_addr, uint16_t type, uint32_t data_bytes,
			    uint32_t relro_bytes)
{
	uint64_t link_addr = type == ET_EXEC ? load_addr : 0;

	memset(&fix, 0, sizeof(fix));
	fix.load_addr = load_addr;
	fix.data_bytes = data_bytes;
	fix.fault_addr = NO_FAULT;
	fix.fault_err = -EFAULT;
	memcpy(fix_head()->e_ident, ELFMAG, SELFMAG);
	fix_head()->e_ident[EI_CLASS] = ELFCLASS64;
	fix_head()->e_ident[EI_DATA] = ELFDATA2LSB;
	fix_head()->e_ident[EI_VERSION] = EV_CURRENT;
	fix_head()->e_type = type;
	fix_head()->e_machine = EM_X86_64;
	fix_head()->e_phoff = sizeof(Elf64_Ehdr);
	fix_head()->e_phentsize = sizeof(Elf64_Phdr);
	fix_head()->e_phnum = 4;
	*fix_phdr(0) = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X,
				     .p_vaddr = link_addr, .p_filesz = TEXT_BYTES,
				     .p_memsz = TEXT_BYTES };
	*fix_phdr(1) = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_W,
				     .p_offset = TEXT_BYTES, .p_vaddr = link_addr + DATA_GAP,
				     .p_filesz = data_bytes, .p_memsz = data_bytes + 0x5000 };
	*fix_phdr(2) = (Elf64_Phdr){ .p_type = PT_GNU_RELRO, .p_vaddr = link_addr + DATA_GAP,
				     .p_filesz = relro_bytes, .p_memsz = relro_bytes };
	*fix_phdr(3) = (Elf64_Phdr){ .p_type = PT_NOTE, .p_vaddr = link_addr + NOTE_OFF,
				     .p_align = 4 };
}

/* Appends a note; counted = false leaves it out of PT_NOTE. */
static inline void fix_note(const char name[4], uint32_t type, const void *desc,
			    uint32_t desc_bytes, bool counted)
{
	static uint32_t at;
	Elf64_Nhdr h = { .n_namesz = 4, .n_descsz = desc_bytes, .n_type = type };

	if (!fix_phdr(3)->p_filesz)
		at = NOTE_OFF;
	memcpy(fix.text + at, &h, sizeof(h));
	memcpy(fix.text + at + sizeof(h), name, 4);
	memcpy(fix.text + at + sizeof(h) + 4, desc, desc_bytes);
	at += sizeof(h) + 4 + ((desc_bytes + 3) & ~3u);
	if (counted)
		fix_phdr(3)->p_filesz = at - NOTE_OFF;
}

/* The 32 bytes that begin a blob, somewhere in text or data. */
static inline uint8_t *fix_blob(uint8_t *at, uint8_t flags)
{
	memset(at, 0, 32);
	memcpy(at, "\xff Go buildinf:", 14);
	at[14] = 8;
	at[15] = flags;
	return at + 32;
}

static inline uint8_t *fix_text(uint8_t *at, const char *text, size_t text_bytes)
{
	size_t left = text_bytes;

	for (; left > 127; left >>= 7)
		*at++ = (uint8_t)(left | 0x80);
	*at++ = (uint8_t)left;
	memcpy(at, text, text_bytes);
	return at + text_bytes;
}

#define FIX_SENTINEL "0123456789abcdef"
#define FIX_MODINFO FIX_SENTINEL "path\texample.com/a/cmd\nmod\texample.com/a\tv1.2.3\th1:xyz=\n" \
	"dep\texample.com/b\tv0.1.0\n" FIX_SENTINEL

/* A whole blob of Go 1.18 or later. */
static inline void fix_inline(uint8_t *at, const char *version)
{
	uint8_t *to = fix_text(fix_blob(at, 2), version, strlen(version));

	fix_text(to, FIX_MODINFO, sizeof(FIX_MODINFO) - 1);
}

#endif
