/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an executable is, learned from the memory of a process that runs it (or from its file):
 * ELF64 or not, its build id, and for Go which release built it and where in a goroutine's g its
 * number lies. Nothing is allocated, nothing is opened: memory is reached through a callback, a
 * few KiB at a time, so stripped and deleted files are no different from others.
 *
 * Every byte read is hostile: lengths and addresses are checked before use, pointers are followed
 * into the program's own segments only, and all loops are bounded (the bounds are below).
 *
 * How Go says which release built a program (debug/buildinfo in Go's standard library; the linker
 * writes it in cmd/link/internal/ld/data.go, buildinfo()): a blob on an address that is a multiple
 * of 16, all integers little-endian here:
 *
 *   off  bytes
 *     0     14  ff " Go buildinf:"
 *    14      1  size of a pointer: 8
 *    15      1  flags: 1 = big-endian, 2 = strings follow (Go 1.18 on)
 *    16      8  flags & 2: zero. Else (Go 1.13-1.17) address of a string header {address, bytes}
 *    24      8  the same for the module information
 *    32         flags & 2: varint length and bytes of the version, then of the module information
 *
 * The version is runtime.Version(): "go1.26.1", "go1.26rc1", "go1.26.1 X:nocoverageredesign",
 * "go1.22.9 (Red Hat 1.22.9-1)", "devel go1.25-1f5a3b2 Tue ...", "go1.27-devel_1f5a3b2 ...".
 * The module information is text lines between two 16-byte sentinels: "path\tMAIN PACKAGE",
 * "mod\tMODULE\tVERSION\tSUM", and more.
 *
 * Where the blob is (built and looked at: 1.17 to 1.26; amd64 and arm64; static, PIE, stripped, cgo
 * linked by GNU ld): always in a writable segment. Go's own linker begins its data segment with it;
 * GNU ld puts it behind .data, so that a PIE has megabytes of .data.rel.ro in front. But that part
 * ends where PT_GNU_RELRO says, and behind it the blob was never farther than 61 KiB.
 */
#ifndef FR_EXE_EXE_H
#define FR_EXE_EXE_H

#include <stdbool.h>
#include <stdint.h>

/* Bounds. One read is never longer than a window and never crosses a multiple of it unless it
 * must (a string that lies across). */
#define FR_EXE_WINDOW_BYTES 4096u
#define FR_EXE_SCAN_BYTES (2u * 1024 * 1024) /* looked through for the blob */
#define FR_EXE_CANDIDATES_MAX 16u	 /* magic words that turn out not to be a blob */
#define FR_EXE_WALK_PAGES 2048u		 /* back from the code to the ELF header */
#define FR_EXE_PHDRS_MAX 64u
#define FR_EXE_SEGMENTS_MAX 16u
#define FR_EXE_NOTES_MAX 4u		 /* PT_NOTE headers looked at */
#define FR_EXE_BUILD_ID_MAX 32u

/* The memory. read() fills all of buf or returns a negative errno; it may be slow, and it may fail
 * anywhere. Addresses are those of the process. */
struct fr_exe_mem {
	int (*read)(void *ctx, uint64_t addr, void *buf, uint32_t len_bytes);
	void *ctx;
};

enum fr_exe_machine {
	FR_EXE_AMD64 = 1,
	FR_EXE_ARM64 = 2,
};

/* A PT_LOAD as the process sees it. Ends don't wrap: addr + mem_bytes was checked. */
struct fr_exe_segment {
	uint64_t addr;
	uint64_t file_bytes; /* <= mem_bytes; what lies behind began as zeros */
	uint64_t mem_bytes;
	uint64_t file_off;
	bool writable;
	bool executable;
};

struct fr_exe_range {
	uint64_t addr;
	uint32_t len_bytes;
	uint32_t align_bytes;
};

/*
 * Invariants after success: segment_cnt >= 1; segments ascend and don't overlap; every range
 * (notes, relro) lies inside one segment's file_bytes or is empty.
 */
struct fr_exe_elf {
	enum fr_exe_machine machine;
	bool position_independent;
	uint64_t load_addr; /* where the ELF header is */
	uint64_t bias;	    /* what to add to an address of the file (modulo 2^64) */
	uint32_t segment_cnt;
	uint32_t note_cnt;
	struct fr_exe_segment segments[FR_EXE_SEGMENTS_MAX];
	struct fr_exe_range notes[FR_EXE_NOTES_MAX];
	uint64_t relro_end; /* end of the part made read-only after relocation; 0 = there is none */
	uint64_t relro_addr;
};

/* Text is cut to the fields, ends with a zero, and holds printable ASCII only. */
struct fr_exe_go {
	char version[128];	 /* never empty */
	char main_package[128];	 /* these three may be empty: built without modules */
	char module[128];
	char module_version[64];
	bool cut;		 /* a text was longer than its field */
};

/*
 * Reads the headers of the ELF whose header is mapped at load_addr.
 *   -ENOEXEC  no ELF64 little-endian program for amd64 or arm64, or its headers make no sense
 *   -E2BIG    more program headers or segments than the bounds above
 *   others    from read()
 */
int fr_exe_parse_elf(const struct fr_exe_mem *mem, uint64_t load_addr, struct fr_exe_elf *ret_elf);

/*
 * Finds the ELF header, given an address in the mapped program: best is AT_PHDR (the header is in
 * the same page), the start of the code will do (the pages before it are tried one by one).
 *   -ENOEXEC  found, but not for us (32 bits, another machine)
 *   -ENOENT   none in FR_EXE_WALK_PAGES pages
 *   -E2BIG    as above
 *   -ESRCH    read() said so on the way: the process has ended
 *   others    from read(): none found and the page of the address itself can't be read
 */
int fr_exe_find_elf(const struct fr_exe_mem *mem, uint64_t addr, struct fr_exe_elf *ret_elf);

/*
 * Finds what Go says about the program.
 *   -ENOENT   not built by Go
 *   -ENODATA  built by Go (it has Go's build id note), but there is no blob
 *   -EFBIG    the search hit a bound before its end: may be Go or not
 *   others    from read(), when no blob was found and part of the memory couldn't be read
 */
int fr_exe_go_buildinfo(const struct fr_exe_mem *mem, const struct fr_exe_elf *elf,
			struct fr_exe_go *ret_go);

/*
 * Where in a g the goroutine's number lies, in bytes, as 64 bits. No number is better than a wrong
 * one: -ENOTSUP for a release that isn't in the table of goversion.c (newer ones, too), for other
 * compilers, for what isn't a version, and for builds of an unreleased tree (they may be from
 * before or after a change) unless the releases on both sides agree.
 */
int fr_exe_go_goid_offset(const char *version, enum fr_exe_machine machine,
			  uint32_t *ret_off_bytes);

/*
 * The GNU build id, binary.
 *   -ENOENT   has none
 *   others    from read()
 */
int fr_exe_build_id(const struct fr_exe_mem *mem, const struct fr_exe_elf *elf,
		    uint8_t ret_id[FR_EXE_BUILD_ID_MAX], uint32_t *ret_id_bytes);

/* A file's bytes, seen as the memory the loader would make of them (without relocation). */
struct fr_exe_image {
	const uint8_t *data; /* borrowed */
	uint64_t len_bytes;
	struct fr_exe_elf elf;
};

/*
 * Makes a memory of a file's bytes, for tools and tests. image must outlive ret_mem; its elf is
 * parsed already. Reads in a segment's file part that the file doesn't hold give -EFAULT.
 *   -ENOEXEC, -E2BIG  as fr_exe_parse_elf
 */
int fr_exe_mem_from_bytes(const void *data, uint64_t len_bytes, struct fr_exe_image *image,
			  struct fr_exe_mem *ret_mem);

#endif
