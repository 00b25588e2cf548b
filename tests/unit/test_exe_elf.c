/* SPDX-License-Identifier: BSD-2-Clause */
#include "exe_fixture.h"

#define LOAD 0x7f1200000000u
#define FIXED 0x400000u

static struct fr_exe_elf elf;

static int parse(void)
{
	memset(&elf, 0xa5, sizeof(elf));
	return fr_exe_parse_elf(&fix_mem, fix.load_addr, &elf);
}

static void segments_are_where_the_process_has_them(void **state)
{
	(void)state;
	fix_make(LOAD, ET_DYN, 0x8000, 0x2000);
	assert_int_equal(parse(), 0);
	assert_int_equal(elf.machine, FR_EXE_AMD64);
	assert_true(elf.position_independent);
	assert_int_equal(elf.bias, LOAD);
	assert_int_equal(elf.segment_cnt, 2);
	assert_int_equal(elf.segments[0].addr, LOAD);
	assert_true(elf.segments[0].executable && !elf.segments[0].writable);
	assert_int_equal(elf.segments[1].addr, LOAD + DATA_GAP);
	assert_int_equal(elf.segments[1].file_bytes, 0x8000);
	assert_int_equal(elf.segments[1].mem_bytes, 0xd000);
	assert_true(elf.segments[1].writable && !elf.segments[1].executable);
	assert_int_equal(elf.relro_addr, LOAD + DATA_GAP);
	assert_int_equal(elf.relro_end, LOAD + DATA_GAP + 0x2000);
	assert_int_equal(fix.read_cnt, 2);

	fix_make(FIXED, ET_EXEC, 0x8000, 0);
	fix_head()->e_machine = EM_AARCH64;
	assert_int_equal(parse(), 0);
	assert_int_equal(elf.machine, FR_EXE_ARM64);
	assert_false(elf.position_independent);
	assert_int_equal(elf.bias, 0);
	assert_int_equal(elf.relro_end, 0);
}

static void what_is_no_program_of_ours_is_refused(void **state)
{
	static const struct {
		size_t off;
		uint8_t byte;
	} wrong[] = {
		{ 0, 0x7e },
		{ 3, 'G' },
		{ EI_CLASS, ELFCLASS32 },
		{ EI_DATA, ELFDATA2MSB },
		{ EI_VERSION, 0 },
		{ offsetof(Elf64_Ehdr, e_type), ET_REL },
		{ offsetof(Elf64_Ehdr, e_type), ET_CORE },
		{ offsetof(Elf64_Ehdr, e_machine), EM_PPC64 },
		{ offsetof(Elf64_Ehdr, e_phentsize), 32 },
		{ offsetof(Elf64_Ehdr, e_phnum), 0 },
		{ offsetof(Elf64_Ehdr, e_phoff) + 7, 0x80 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		fix_make(LOAD, ET_DYN, 0x8000, 0);
		assert_int_equal(parse(), 0);
		fix.text[wrong[i].off] = wrong[i].byte;
		assert_int_equal(parse(), -ENOEXEC);
	}
	fix_make(FIXED, ET_EXEC, 0x8000, 0);
	fix_phdr(0)->p_vaddr += 0x1000; /* fixed, yet not where it says */
	assert_int_equal(parse(), -ENOEXEC);
}

static void a_segment_that_cannot_be_is_refused(void **state)
{
	(void)state;
	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix_phdr(1)->p_filesz = fix_phdr(1)->p_memsz + 1;
	assert_int_equal(parse(), -ENOEXEC);

	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix_phdr(1)->p_memsz = UINT64_MAX - 0x1000;
	assert_int_equal(parse(), -ENOEXEC);

	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix_phdr(1)->p_vaddr = 0x1000; /* inside of text */
	assert_int_equal(parse(), -ENOEXEC);

	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix_phdr(1)->p_vaddr = 0 - (uint64_t)0x1000; /* wraps to before text */
	assert_int_equal(parse(), -ENOEXEC);

	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix_phdr(1)->p_vaddr = (uint64_t)1 << 63; /* no user memory there */
	assert_int_equal(parse(), -ENOEXEC);

	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix_phdr(0)->p_offset = 0x1000; /* then the header isn't mapped where we read it */
	assert_int_equal(parse(), -ENOEXEC);

	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix_phdr(0)->p_type = fix_phdr(1)->p_type = PT_NULL;
	assert_int_equal(parse(), -ENOEXEC);
}

static void too_many_headers_are_said_to_be_too_many(void **state)
{
	(void)state;
	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix_head()->e_phnum = FR_EXE_PHDRS_MAX;
	assert_int_equal(parse(), 0);
	fix_head()->e_phnum = FR_EXE_PHDRS_MAX + 1;
	assert_int_equal(parse(), -E2BIG);
	fix_head()->e_phnum = FR_EXE_SEGMENTS_MAX + 2;
	for (uint32_t i = 2; i < FR_EXE_SEGMENTS_MAX + 2; i++)
		*fix_phdr(i) = (Elf64_Phdr){ .p_type = PT_LOAD, .p_vaddr = DATA_GAP * (i + 1),
					     .p_memsz = 1 };
	assert_int_equal(parse(), -E2BIG);
	fix_head()->e_phnum = FR_EXE_SEGMENTS_MAX;
	assert_int_equal(parse(), 0);
	assert_int_equal(elf.segment_cnt, FR_EXE_SEGMENTS_MAX);
}

static void ranges_outside_of_segments_are_left_out(void **state)
{
	(void)state;
	fix_make(LOAD, ET_DYN, 0x8000, 0x2000);
	fix_phdr(2)->p_vaddr = DATA_GAP + 0x9000; /* where no file bytes are */
	fix_note("GNU", 3, "12345678", 8, true);
	fix_phdr(3)->p_filesz = TEXT_BYTES; /* from NOTE_OFF on: beyond the end */
	assert_int_equal(parse(), 0);
	assert_int_equal(elf.relro_end, 0);
	assert_int_equal(elf.note_cnt, 0);

	fix_make(LOAD, ET_DYN, 0x8000, 0x2000);
	fix_phdr(2)->p_filesz = UINT64_MAX; /* cut to the segment */
	assert_int_equal(parse(), 0);
	assert_int_equal(elf.relro_end, LOAD + DATA_GAP + 0x8000);
}

static void errors_of_memory_come_through(void **state)
{
	(void)state;
	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix.fault_addr = LOAD + 100; /* in the program headers */
	fix.fault_bytes = 1;
	fix.fault_err = -ETIMEDOUT;
	assert_int_equal(parse(), -ETIMEDOUT);
	fix.fault_addr = LOAD;
	assert_int_equal(parse(), -ETIMEDOUT);
	fix.fault_err = 7; /* breaks the contract */
	assert_int_equal(parse(), -EIO);
	assert_int_equal(fr_exe_parse_elf(&fix_mem, UINT64_MAX - 3, &elf), -EFAULT);
}

static void the_header_is_found_from_the_code(void **state)
{
	(void)state;
	fix_make(LOAD, ET_DYN, 0x8000, 0);
	assert_int_equal(fr_exe_find_elf(&fix_mem, LOAD + 64, &elf), 0);
	assert_int_equal(fr_exe_find_elf(&fix_mem, LOAD + 0x2abc, &elf), 0);
	assert_int_equal(elf.load_addr, LOAD);
	/* across the hole between the segments */
	assert_int_equal(fr_exe_find_elf(&fix_mem, LOAD + DATA_GAP + 0x1000, &elf), 0);
	assert_int_equal(elf.load_addr, LOAD);
	assert_int_equal(fr_exe_find_elf(&fix_mem, LOAD + DATA_GAP - 1, &elf), -EFAULT);
}

/* "Not a program that we know" is believed for good, so the end of a process must not look so. */
static void the_end_of_the_process_is_no_hole(void **state)
{
	(void)state;
	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix.fault_addr = LOAD;
	fix.fault_bytes = 0x1000;
	assert_int_equal(fr_exe_find_elf(&fix_mem, LOAD + 0x2abc, &elf), -ENOENT);
	fix.fault_err = -ESRCH;
	assert_int_equal(fr_exe_find_elf(&fix_mem, LOAD + 0x2abc, &elf), -ESRCH);
	/* the header can be read, the program headers no more */
	fix.fault_addr = LOAD + sizeof(Elf64_Ehdr);
	assert_int_equal(fr_exe_find_elf(&fix_mem, LOAD + 0x2abc, &elf), -ESRCH);
}

static void a_program_carried_inside_is_not_the_program(void **state)
{
	(void)state;
	fix_make(LOAD, ET_DYN, 0x8000, 0);
	/* a whole copy of the header, of a program that ends before the address asked about */
	memcpy(fix.text + 0x1000, fix.text, 0x200);
	((Elf64_Phdr *)(fix.text + 0x1000 + sizeof(Elf64_Ehdr)))->p_filesz = 0x800;
	((Elf64_Phdr *)(fix.text + 0x1000 + sizeof(Elf64_Ehdr)))->p_memsz = 0x800;
	/* and an object file, as programs that load BPF carry */
	memcpy(fix.text + 0x2000, fix.text, 0x200);
	((Elf64_Ehdr *)(fix.text + 0x2000))->e_type = ET_REL;
	assert_int_equal(fr_exe_find_elf(&fix_mem, LOAD + 0x2abc, &elf), 0);
	assert_int_equal(elf.load_addr, LOAD);
}

static void the_walk_back_ends(void **state)
{
	(void)state;
	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix.text[0] = 0;
	assert_int_equal(fr_exe_find_elf(&fix_mem, LOAD + 0x2abc, &elf), -ENOENT);
	assert_int_equal(fix.read_cnt, FR_EXE_WALK_PAGES + 1);
	fix_make(0x1000, ET_EXEC, 0x8000, 0);
	fix.text[0] = 0;
	assert_int_equal(fr_exe_find_elf(&fix_mem, 0x2000, &elf), -ENOENT); /* down to address 0 */
	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix_head()->e_ident[EI_CLASS] = ELFCLASS32;
	assert_int_equal(fr_exe_find_elf(&fix_mem, LOAD + 0x2abc, &elf), -ENOEXEC);
	assert_true(fix.read_cnt < 8);
}

static void build_id(const char *want, int want_err)
{
	uint8_t id[FR_EXE_BUILD_ID_MAX];
	uint32_t id_bytes = 77;

	assert_int_equal(parse(), 0);
	assert_int_equal(fr_exe_build_id(&fix_mem, &elf, id, &id_bytes), want_err);
	if (want_err) {
		assert_int_equal(id_bytes, 77);
		return;
	}
	assert_int_equal(id_bytes, strlen(want));
	assert_memory_equal(id, want, id_bytes);
}

static void the_build_id_is_found_among_notes(void **state)
{
	(void)state;
	fix_make(LOAD, ET_DYN, 0x8000, 0);
	build_id(NULL, -ENOENT);
	fix_note("Go\0", 4, "abc/def", 7, true); /* its padding isn't part of it */
	fix_note("GNU", 1, "version", 8, true);
	build_id(NULL, -ENOENT);
	fix_note("GNU", 3, "twenty bytes of hash", 20, true);
	build_id("twenty bytes of hash", 0);

	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix_note("GNU", 3, "0123456789abcdef0123456789abcdef-more", 37, true);
	build_id("0123456789abcdef0123456789abcdef", 0);

	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix_note("GNU", 3, "", 0, true);
	build_id(NULL, -ENOENT);
}

static void a_build_id_that_pt_note_forgot_is_found(void **state)
{
	(void)state;
	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix_note("Go\0", 4, "abc/de", 6, true);
	fix_note("GNU", 3, "twenty bytes of hash", 20, false);
	build_id("twenty bytes of hash", 0);
}

static void broken_notes_end_the_list(void **state)
{
	static const uint32_t lengths[] = { 0xffffffff, 0xfffffff4, 0x80000000, 0x1000 };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
		for (size_t field = 0; field < 8; field += 4) {
			fix_make(LOAD, ET_DYN, 0x8000, 0);
			fix_note("GNU", 1, "version", 8, true);
			fix_note("GNU", 3, "twenty bytes of hash", 20, true);
			memcpy(fix.text + NOTE_OFF + field, &lengths[i], 4);
			build_id(NULL, -ENOENT);
			/* the same in the note that is wanted */
			fix_make(LOAD, ET_DYN, 0x8000, 0);
			fix_note("GNU", 3, "twenty bytes of hash", 20, true);
			memcpy(fix.text + NOTE_OFF + field, &lengths[i], 4);
			build_id(NULL, -ENOENT);
		}
	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix_note("GNU", 3, "twenty bytes of hash", 20, true);
	fix.fault_addr = LOAD + NOTE_OFF;
	fix.fault_bytes = 1;
	build_id(NULL, -EFAULT);
}

static void a_file_reads_as_it_would_be_mapped(void **state)
{
	static uint8_t file[TEXT_BYTES + 0x8000];
	struct fr_exe_image image;
	struct fr_exe_mem mem;
	uint8_t got[64], zeros[64] = { 0 };

	(void)state;
	fix_make(0, ET_DYN, 0x8000, 0);
	memset(fix.data, 0x11, fix.data_bytes);
	memcpy(file, fix.text, TEXT_BYTES);
	memcpy(file + TEXT_BYTES, fix.data, fix.data_bytes);
	assert_int_equal(fr_exe_mem_from_bytes(file, sizeof(file), &image, &mem), 0);
	assert_int_equal(image.elf.segment_cnt, 2);
	/* half of it from the file, half zeros */
	assert_int_equal(mem.read(mem.ctx, DATA_GAP + 0x7fe0, got, 64), 0);
	assert_memory_equal(got, fix.data, 32);
	assert_memory_equal(got + 32, zeros, 32);
	assert_int_equal(mem.read(mem.ctx, TEXT_BYTES - 32, got, 64), -EFAULT);
	assert_int_equal(mem.read(mem.ctx, DATA_GAP + 0xd000 - 32, got, 64), -EFAULT);
	assert_int_equal(mem.read(mem.ctx, UINT64_MAX - 3, got, 64), -EFAULT);
	/* cut in its data, in its headers, and to nothing */
	assert_int_equal(fr_exe_mem_from_bytes(file, TEXT_BYTES + 16, &image, &mem), 0);
	assert_int_equal(mem.read(mem.ctx, DATA_GAP, got, 16), 0);
	assert_int_equal(mem.read(mem.ctx, DATA_GAP, got, 17), -EFAULT);
	assert_int_equal(fr_exe_mem_from_bytes(file, 200, &image, &mem), -ENOEXEC);
	assert_int_equal(fr_exe_mem_from_bytes(file, 0, &image, &mem), -ENOEXEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_are_where_the_process_has_them),
		cmocka_unit_test(what_is_no_program_of_ours_is_refused),
		cmocka_unit_test(a_segment_that_cannot_be_is_refused),
		cmocka_unit_test(too_many_headers_are_said_to_be_too_many),
		cmocka_unit_test(ranges_outside_of_segments_are_left_out),
		cmocka_unit_test(errors_of_memory_come_through),
		cmocka_unit_test(the_header_is_found_from_the_code),
		cmocka_unit_test(the_end_of_the_process_is_no_hole),
		cmocka_unit_test(a_program_carried_inside_is_not_the_program),
		cmocka_unit_test(the_walk_back_ends),
		cmocka_unit_test(the_build_id_is_found_among_notes),
		cmocka_unit_test(a_build_id_that_pt_note_forgot_is_found),
		cmocka_unit_test(broken_notes_end_the_list),
		cmocka_unit_test(a_file_reads_as_it_would_be_mapped),
	};

	return cmocka_run_group_tests_name("exe_elf", tests, NULL, NULL);
}
