/* SPDX-License-Identifier: BSD-2-Clause */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "exe.h"
#include "exe_int.h"
#include "formats/base/bytes.h"

#define BLOB_ALIGN 16u
#define BLOB_HEAD_BYTES 32u
#define BLOB_INLINE 0x2u
#define VERSION_BYTES_MAX 1024u /* longer isn't a version */
#define MODULE_BYTES_MAX 1024u	/* looked at: the two lines we want come first */
#define SENTINEL_BYTES 16u
#define VARINT_BYTES_MAX 10u
#define GO_NOTE_NAME "Go\0" /* with the literal's own zero: 4 bytes */
#define GO_NOTE_BUILD_ID 4u

static const uint8_t magic[14] = { 0xff, ' ', 'G', 'o', ' ', 'b', 'u',
				   'i',	 'l', 'd', 'i', 'n', 'f', ':' };

struct text_at {
	uint64_t addr;
	uint64_t len_bytes;
};

struct search {
	const struct fr_exe_mem *mem;
	const struct fr_exe_elf *elf;
	struct fr_exe_go *ret_go;
	uint32_t left_bytes;	  /* of FR_EXE_SCAN_BYTES */
	uint32_t candidates_left;
	int read_err;		  /* first one; 0 = none */
	bool cut;		  /* a bound ended it */
	bool found;
};

/* Printable ASCII, up to the first byte that ends a field of a line; true if all of it fits. */
static bool text_copy(char *to, uint32_t cap_bytes, const uint8_t *from, uint32_t from_bytes)
{
	uint32_t i;

	for (i = 0; i < from_bytes && from[i] != '\t' && from[i] != '\n'; i++) {
		if (i == cap_bytes - 1) {
			to[i] = 0;
			return false;
		}
		to[i] = from[i] >= 0x20 && from[i] < 0x7f ? (char)from[i] : '?';
	}
	to[i] = 0;
	return true;
}

/* Reads the start of a text, which must lie in a segment as a whole. */
static int text_read(const struct search *s, const struct text_at *t, uint8_t *buf,
		     uint32_t cap_bytes, uint32_t *ret_bytes)
{
	uint32_t bytes = t->len_bytes < cap_bytes ? (uint32_t)t->len_bytes : cap_bytes;
	int err;

	if (!bytes || t->len_bytes > fr_exe_room(s->elf, t->addr))
		return -ENOENT;
	err = fr_exe_read(s->mem, t->addr, buf, bytes);
	if (!err)
		*ret_bytes = bytes;
	return err;
}

static int version_read(const struct search *s, const struct text_at *t, struct fr_exe_go *go)
{
	uint8_t buf[sizeof(go->version)];
	uint32_t bytes = 0;
	int err;

	if (t->len_bytes > VERSION_BYTES_MAX)
		return -ENOENT;
	err = text_read(s, t, buf, sizeof(buf), &bytes);
	if (err)
		return err;
	for (uint32_t i = 0; i < bytes; i++)
		if (buf[i] < 0x20 || buf[i] >= 0x7f)
			return -ENOENT; /* the magic word by chance: that is no version */
	if (!text_copy(go->version, sizeof(go->version), buf, bytes))
		go->cut = true;
	return 0;
}

/* Splits "mod\tMODULE\tVERSION\tSUM" and "path\tPACKAGE". */
static void module_line(struct fr_exe_go *go, const uint8_t *line, uint32_t line_bytes)
{
	const uint8_t *tab;
	bool whole = true;

	if (line_bytes > 5 && !memcmp(line, "path\t", 5)) {
		whole = text_copy(go->main_package, sizeof(go->main_package), line + 5,
				  line_bytes - 5);
	} else if (line_bytes > 4 && !memcmp(line, "mod\t", 4)) {
		line += 4;
		line_bytes -= 4;
		whole = text_copy(go->module, sizeof(go->module), line, line_bytes);
		tab = memchr(line, '\t', line_bytes);
		if (tab)
			whole &= text_copy(go->module_version, sizeof(go->module_version), tab + 1,
					   line_bytes - (uint32_t)(tab + 1 - line));
	}
	if (!whole)
		go->cut = true;
}

/* What modules there are is a bonus: the blob counts without it. */
static void module_read(const struct search *s, const struct text_at *t, struct fr_exe_go *go)
{
	uint8_t buf[MODULE_BYTES_MAX];
	struct text_at in = *t;
	uint32_t bytes = 0, at = 0;

	if (t->len_bytes < 2 * SENTINEL_BYTES + 1)
		return;
	in.addr += SENTINEL_BYTES; /* can't wrap: checked to lie in a segment by text_read */
	in.len_bytes -= 2 * SENTINEL_BYTES;
	if (text_read(s, &in, buf, sizeof(buf), &bytes))
		return;
	while (at < bytes) {
		const uint8_t *end = memchr(buf + at, '\n', bytes - at);

		if (!end)
			break; /* cut by the buffer: half a line says something else */
		module_line(go, buf + at, (uint32_t)(end - (buf + at)));
		at = (uint32_t)(end - buf) + 1;
	}
}

/* Go 1.18 on: a varint and a text; where it ends is where the next one begins. */
static int inline_text(const struct search *s, uint64_t addr, struct text_at *ret_text)
{
	uint64_t room = fr_exe_room(s->elf, addr);
	uint32_t bytes = room < VARINT_BYTES_MAX ? (uint32_t)room : VARINT_BYTES_MAX;
	uint8_t buf[VARINT_BYTES_MAX];
	uint64_t v = 0;
	int err;

	if (!bytes)
		return -ENOENT;
	err = fr_exe_read(s->mem, addr, buf, bytes);
	if (err)
		return err;
	/* 9 bytes carry 63 bits: more than a length that fits anywhere */
	for (uint32_t i = 0; i < bytes && i < 9; i++) {
		v |= (uint64_t)(buf[i] & 0x7f) << (7 * i);
		if (buf[i] & 0x80)
			continue;
		if (v > room - (i + 1))
			return -ENOENT;
		*ret_text = (struct text_at){ .addr = addr + i + 1, .len_bytes = v };
		return 0;
	}
	return -ENOENT;
}

/* Up to Go 1.17: the address of a string header, which lies in a segment, as must the string. */
static int pointed_text(const struct search *s, uint64_t addr, struct text_at *ret_text)
{
	uint64_t header[2];
	int err;

	if (fr_exe_room(s->elf, addr) < sizeof(header))
		return -ENOENT;
	err = fr_exe_read(s->mem, addr, header, sizeof(header));
	if (!err)
		*ret_text = (struct text_at){ .addr = header[0], .len_bytes = header[1] };
	return err;
}

/* Is this the blob? -ENOENT: no. */
static int blob_read(const struct search *s, uint64_t addr, struct fr_exe_go *go)
{
	struct text_at version, module = { 0 };
	uint8_t head[BLOB_HEAD_BYTES];
	bool has_module;
	int err;

	if (fr_exe_room(s->elf, addr) < sizeof(head))
		return -ENOENT;
	err = fr_exe_read(s->mem, addr, head, sizeof(head));
	if (err)
		return err;
	if (head[15] == BLOB_INLINE) {
		if (fr_load64(head + 16) || fr_load64(head + 24))
			return -ENOENT;
		err = inline_text(s, addr + sizeof(head), &version);
		has_module = !err && !inline_text(s, version.addr + version.len_bytes, &module);
	} else {
		err = pointed_text(s, fr_load64(head + 16), &version);
		has_module = !err && !pointed_text(s, fr_load64(head + 24), &module);
	}
	if (!err)
		err = version_read(s, &version, go);
	if (!err && has_module)
		module_read(s, &module, go);
	return err;
}

static void candidate(struct search *s, uint64_t addr)
{
	struct fr_exe_go go = { 0 };
	int err;

	/* a segment full of magic words shall not cost four reads each */
	if (!s->candidates_left) {
		s->cut = true;
		return;
	}
	s->candidates_left--;
	err = blob_read(s, addr, &go);
	if (!err) {
		*s->ret_go = go;
		s->found = true;
	} else if (err != -ENOENT && !s->read_err) {
		s->read_err = err;
	}
}

/* bytes of memory at addr, which is a multiple of BLOB_ALIGN */
static void window_scan(struct search *s, uint64_t addr, const uint8_t *d, uint32_t bytes)
{
	for (uint32_t i = 0; i + BLOB_ALIGN <= bytes && !s->found && !s->cut; i += BLOB_ALIGN)
		if (d[i] == magic[0] && !memcmp(d + i, magic, sizeof(magic)) && d[i + 14] == 8 &&
		    (d[i + 15] == BLOB_INLINE || !d[i + 15]))
			candidate(s, addr + i);
}

static void range_scan(struct search *s, uint64_t at, uint64_t end)
{
	uint8_t window[FR_EXE_WINDOW_BYTES];

	/* addresses in segments are < 2^63: none of these sums can wrap */
	at = (at + BLOB_ALIGN - 1) & ~(uint64_t)(BLOB_ALIGN - 1);
	while (at < end && end - at >= BLOB_HEAD_BYTES && !s->found && !s->cut) {
		uint32_t bytes = FR_EXE_WINDOW_BYTES - (at & (FR_EXE_WINDOW_BYTES - 1));
		int err;

		if (bytes > end - at)
			bytes = (uint32_t)(end - at);
		if (bytes > s->left_bytes) {
			s->cut = true;
			return;
		}
		s->left_bytes -= bytes;
		err = fr_exe_read(s->mem, at, window, bytes);
		if (!err)
			window_scan(s, at, window, bytes);
		else if (!s->read_err)
			s->read_err = err;
		if (err == -ESRCH)
			return; /* the process is gone: no use to go on */
		at += bytes;
	}
}

/* Likeliest first: the bound may end the search. */
enum stage {
	STAGE_DATA,  /* what stays writable: every Go so far */
	STAGE_RELRO, /* what was writable during relocation */
	STAGE_REST,  /* what never was: none so far, so only if the note says that it is Go */
	STAGE_CNT
};

static void segment_scan(struct search *s, const struct fr_exe_segment *seg, enum stage stage)
{
	const struct fr_exe_elf *elf = s->elf;
	uint64_t end = seg->addr + seg->file_bytes, split = seg->addr;

	if (elf->relro_addr < end && elf->relro_end > seg->addr)
		split = elf->relro_end < end ? elf->relro_end : end;
	if (seg->writable && stage == STAGE_DATA)
		range_scan(s, split, end);
	else if (seg->writable && stage == STAGE_RELRO)
		range_scan(s, seg->addr, split);
	else if (!seg->writable && stage == STAGE_REST)
		range_scan(s, seg->addr, end);
}

int fr_exe_go_buildinfo(const struct fr_exe_mem *mem, const struct fr_exe_elf *elf,
			struct fr_exe_go *ret_go)
{
	struct search s = {
		.mem = mem,
		.elf = elf,
		.ret_go = ret_go,
		.left_bytes = FR_EXE_SCAN_BYTES,
		.candidates_left = FR_EXE_CANDIDATES_MAX,
	};
	bool has_note = false;
	uint8_t id;
	uint32_t id_bytes;

	for (int stage = STAGE_DATA; stage < STAGE_CNT && !s.found && !s.cut; stage++) {
		if (stage == STAGE_REST) {
			has_note = !fr_exe_note(mem, elf, GO_NOTE_NAME, GO_NOTE_BUILD_ID, &id,
						sizeof(id), &id_bytes);
			if (!has_note)
				break;
		}
		for (uint32_t i = 0; i < elf->segment_cnt; i++)
			segment_scan(&s, &elf->segments[i], (enum stage)stage);
	}
	if (s.found)
		return 0;
	if (s.read_err) /* before the bound: what could not be read may have held it */
		return s.read_err;
	if (s.cut)
		return -EFBIG;
	return has_note ? -ENODATA : -ENOENT;
}
