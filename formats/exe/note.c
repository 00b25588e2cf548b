/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notes: {name bytes, contents bytes, type}, the name, the contents, each padded to the alignment
 * of its PT_NOTE (4, or 8 for .note.gnu.property).
 */
#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "exe.h"
#include "exe_int.h"
#include "formats/base/bytes.h"

#define BEHIND_BYTES 64u /* where a note is looked for that PT_NOTE left out */

static uint64_t round_up(uint64_t v, uint32_t align)
{
	return (v + align - 1) & ~(uint64_t)(align - 1);
}

/* Offset of the contents within d, or 0. */
static uint32_t note_seek(const uint8_t *d, const struct fr_exe_range *r, const char name[4],
			  uint32_t type, uint32_t *ret_bytes)
{
	uint64_t at = 0;

	/* lengths are 32 bits each, so these sums of 64 bits can't wrap; each step is >= 12 */
	while (at + sizeof(Elf64_Nhdr) <= r->len_bytes) {
		uint32_t name_bytes = fr_load32(d + at);
		uint32_t desc_bytes = fr_load32(d + at + 4);
		uint64_t desc = at + round_up(sizeof(Elf64_Nhdr) + (uint64_t)name_bytes,
					      r->align_bytes);

		if (desc + desc_bytes > r->len_bytes)
			return 0;
		if (fr_load32(d + at + 8) == type && name_bytes == 4 &&
		    !memcmp(d + at + sizeof(Elf64_Nhdr), name, 4)) {
			*ret_bytes = desc_bytes;
			return (uint32_t)desc;
		}
		at = round_up(desc + desc_bytes, r->align_bytes);
	}
	return 0;
}

/* Looks into one range of notes. -ENOENT: not there. */
static int range_note(const struct fr_exe_mem *mem, const struct fr_exe_range *r,
		      const char name[4], uint32_t type, void *buf, uint32_t cap_bytes,
		      uint32_t *ret_bytes)
{
	uint8_t window[FR_EXE_WINDOW_BYTES];
	uint32_t off, bytes = 0;
	int err = fr_exe_read(mem, r->addr, window, r->len_bytes);

	if (err)
		return err;
	off = note_seek(window, r, name, type, &bytes);
	if (!off)
		return -ENOENT;
	if (bytes > cap_bytes)
		bytes = cap_bytes;
	memcpy(buf, window + off, bytes);
	*ret_bytes = bytes;
	return 0;
}

int fr_exe_note(const struct fr_exe_mem *mem, const struct fr_exe_elf *elf, const char name[4],
		uint32_t type, void *buf, uint32_t cap_bytes, uint32_t *ret_bytes)
{
	int first_err = -ENOENT;

	for (uint32_t i = 0; i < elf->note_cnt; i++) {
		int err = range_note(mem, &elf->notes[i], name, type, buf, cap_bytes, ret_bytes);

		if (!err)
			return 0;
		if (first_err == -ENOENT)
			first_err = err;
	}
	return first_err;
}

/*
 * Go's linker (seen in 1.24 to 1.26) writes a GNU build id right behind its own note and leaves it
 * out of PT_NOTE: only the section headers tell of it, and those aren't in memory.
 */
static int behind_note(const struct fr_exe_mem *mem, const struct fr_exe_elf *elf, uint8_t *id,
		       uint32_t *ret_bytes)
{
	int first_err = -ENOENT;

	for (uint32_t i = 0; i < elf->note_cnt; i++) {
		struct fr_exe_range r = elf->notes[i];
		uint64_t room;
		int err = -ENOENT;

		r.addr = round_up(r.addr + r.len_bytes, r.align_bytes);
		room = fr_exe_room(elf, r.addr);
		r.len_bytes = room < BEHIND_BYTES ? (uint32_t)room : BEHIND_BYTES;
		if (r.len_bytes)
			err = range_note(mem, &r, ELF_NOTE_GNU, NT_GNU_BUILD_ID, id,
					 FR_EXE_BUILD_ID_MAX, ret_bytes);
		if (!err)
			return 0;
		if (first_err == -ENOENT)
			first_err = err;
	}
	return first_err;
}

int fr_exe_build_id(const struct fr_exe_mem *mem, const struct fr_exe_elf *elf,
		    uint8_t ret_id[FR_EXE_BUILD_ID_MAX], uint32_t *ret_id_bytes)
{
	uint8_t id[FR_EXE_BUILD_ID_MAX];
	uint32_t bytes = 0;
	int err = fr_exe_note(mem, elf, ELF_NOTE_GNU, NT_GNU_BUILD_ID, id, sizeof(id), &bytes);

	if (err == -ENOENT)
		err = behind_note(mem, elf, id, &bytes);
	if (err)
		return err;
	if (!bytes)
		return -ENOENT;
	memcpy(ret_id, id, bytes);
	*ret_id_bytes = bytes;
	return 0;
}
