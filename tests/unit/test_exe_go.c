/* SPDX-License-Identifier: BSD-2-Clause */
#include "exe_fixture.h"

#define LOAD 0x55d000000000u

static struct fr_exe_elf elf;
static struct fr_exe_go go;

static int learn(void)
{
	memset(&go, 0xa5, sizeof(go));
	assert_int_equal(fr_exe_parse_elf(&fix_mem, fix.load_addr, &elf), 0);
	fix.read_cnt = fix.read_bytes = 0;
	return fr_exe_go_buildinfo(&fix_mem, &elf, &go);
}

static void expect_whole(const char *version)
{
	assert_int_equal(learn(), 0);
	assert_string_equal(go.version, version);
	assert_string_equal(go.main_package, "example.com/a/cmd");
	assert_string_equal(go.module, "example.com/a");
	assert_string_equal(go.module_version, "v1.2.3");
	assert_false(go.cut);
}

static void the_blob_at_the_beginning_of_data_is_read(void **state)
{
	(void)state;
	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix_inline(fix.data, "go1.26.1");
	expect_whole("go1.26.1");
	assert_true(fix.read_cnt <= 6);
}

static void the_blob_behind_megabytes_of_relro_costs_few_reads(void **state)
{
	(void)state;
	fix_make(LOAD, ET_DYN, 0x380000, 0x300000);
	fix_inline(fix.data + 0x300000 + 0xd0a0, "go1.26.1 X:nocoverageredesign");
	expect_whole("go1.26.1 X:nocoverageredesign");
	assert_true(fix.read_cnt <= 20);
}

static void the_blob_may_be_inside_of_relro(void **state)
{
	(void)state;
	fix_make(LOAD, ET_DYN, 0x8000, 0x4000);
	fix_inline(fix.data + 0x2230, "go1.26.1");
	expect_whole("go1.26.1");
}

static void text_is_searched_only_if_a_note_says_go(void **state)
{
	(void)state;
	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix_inline(fix.text + 0x1000, "go1.26.1");
	assert_int_equal(learn(), -ENOENT);
	fix_note("Go\0", 4, "abc/def", 7, true);
	expect_whole("go1.26.1");
	memset(fix.text + 0x1000, 0, 16);
	assert_int_equal(learn(), -ENODATA);
}

/* Go 1.13-1.17: {address, bytes} pairs */
static void point(uint32_t header_off, uint64_t addr, uint64_t bytes)
{
	memcpy(fix.data + header_off, &addr, 8);
	memcpy(fix.data + header_off + 8, &bytes, 8);
}

static void make_pointed(void)
{
	uint64_t version = LOAD + DATA_GAP + 0x100, module = LOAD + DATA_GAP + 0x110;

	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix_blob(fix.data, 0);
	memcpy(fix.data + 16, &version, 8);
	memcpy(fix.data + 24, &module, 8);
	point(0x100, LOAD + 0x2000, 9);
	point(0x110, LOAD + 0x2100, sizeof(FIX_MODINFO) - 1);
	memcpy(fix.text + 0x2000, "go1.17.13", 9);
	memcpy(fix.text + 0x2100, FIX_MODINFO, sizeof(FIX_MODINFO) - 1);
}

static void pointers_of_go_1_17_are_followed(void **state)
{
	(void)state;
	make_pointed();
	expect_whole("go1.17.13");
}

static void pointers_out_of_the_program_are_not_followed(void **state)
{
	static const uint64_t wild[] = { 0, 8, LOAD + DATA_GAP + 0x8000, LOAD + DATA_GAP + 0x7ffc,
					 LOAD + TEXT_BYTES, UINT64_MAX, UINT64_MAX - 15,
					 LOAD - 4 };

	(void)state;
	for (size_t i = 0; i < sizeof(wild) / sizeof(*wild); i++) {
		make_pointed();
		memcpy(fix.data + 16, &wild[i], 8);
		assert_int_equal(learn(), -ENOENT);
		make_pointed();
		point(0x100, wild[i], 9);
		assert_int_equal(learn(), -ENOENT);
		make_pointed();
		memcpy(fix.data + 24, &wild[i], 8);
		assert_int_equal(learn(), 0);
		assert_string_equal(go.module, "");
		make_pointed();
		point(0x110, wild[i], 100);
		assert_int_equal(learn(), 0);
		assert_string_equal(go.module, "");
	}
	make_pointed();
	point(0x100, LOAD + 0x2000, UINT64_MAX);
	assert_int_equal(learn(), -ENOENT);
	point(0x100, LOAD + 0x2000, 0);
	assert_int_equal(learn(), -ENOENT);
}

static void what_only_looks_like_a_blob_is_passed_over(void **state)
{
	uint8_t *at = fix.data;

	(void)state;
	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix_inline(at + 0x08, "go1.1");	     /* not on a multiple of 16 */
	fix_inline(at + 0x400, "go1.2");
	at[0x400 + 14] = 4;		     /* pointers of 4 bytes */
	fix_inline(at + 0x500, "go1.3");
	at[0x500 + 15] = 1;		     /* big-endian */
	fix_inline(at + 0x600, "go1.4");
	at[0x600 + 20] = 1;		     /* not zero where it must be */
	fix_inline(at + 0x700, "go1.\n5");
	fix_inline(at + 0x800, "");
	/* the word itself, as debug/buildinfo has it */
	memcpy(at + 0x900, "\xff Go buildinf:", 14);
	fix_inline(at + 0x1770, "go1.26.1");
	expect_whole("go1.26.1");
}

static void lengths_that_lie_are_refused(void **state)
{
	static const uint8_t lengths[][10] = {
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01 },
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
		{ 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80 },
		{ 0x80, 0x80, 0x02 }, /* up to 1 byte beyond the end */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		fix_make(LOAD, ET_DYN, 0x8000, 0);
		fix_inline(fix.data, "go1.26.1");
		memcpy(fix.data + 32, lengths[i], sizeof(lengths[i]));
		assert_int_equal(learn(), -ENOENT);
	}
	/* at the very end of the segment, with and without room for the text */
	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix_text(fix_blob(fix.data + 0x8000 - 48, 2), "go1.26.10123456", 15);
	assert_int_equal(learn(), 0);
	assert_string_equal(go.module, "");
	fix.data[0x8000 - 16] = 16;
	assert_int_equal(learn(), -ENOENT);
	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix_blob(fix.data + 0x8000 - 32, 2);
	assert_int_equal(learn(), -ENOENT);
	/* and with half of its header */
	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix_blob(fix.data + 0x8000 - 16, 2);
	assert_int_equal(learn(), -ENOENT);
}

static void long_texts_are_cut_and_cleaned(void **state)
{
	char version[301], module[700];
	uint8_t *to;

	(void)state;
	memset(version, 'x', sizeof(version) - 1);
	memcpy(version, "go1.26.1 ", 9);
	version[sizeof(version) - 1] = 0;
	memset(module, 'm', sizeof(module));
	memcpy(module, FIX_SENTINEL "path\ta\x01" "b\xff\nmod\t", 16 + 5 + 4 + 5);
	module[400] = '\t'; /* a version without end */
	module[680] = '\n';
	fix_make(LOAD, ET_DYN, 0x8000, 0);
	to = fix_text(fix_blob(fix.data, 2), version, sizeof(version) - 1);
	fix_text(to, module, sizeof(module));
	assert_int_equal(learn(), 0);
	assert_true(go.cut);
	assert_int_equal(strlen(go.version), sizeof(go.version) - 1);
	assert_memory_equal(go.version, version, sizeof(go.version) - 1);
	assert_string_equal(go.main_package, "a?b?");
	assert_int_equal(strlen(go.module), sizeof(go.module) - 1);
	assert_int_equal(strlen(go.module_version), sizeof(go.module_version) - 1);
}

static void a_page_that_cannot_be_read_hides_only_itself(void **state)
{
	(void)state;
	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix_inline(fix.data + 0x3010, "go1.26.1");
	fix.fault_addr = LOAD + DATA_GAP + 0x1000;
	fix.fault_bytes = 0x1000;
	expect_whole("go1.26.1");
	fix.fault_addr = LOAD + DATA_GAP + 0x3000; /* the page with the blob */
	assert_int_equal(learn(), -EFAULT);
	/* the blob's header before, its version behind the edge of a page that can't be read */
	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix_inline(fix.data + 0x2fe0, "go1.26.1");
	fix.fault_addr = LOAD + DATA_GAP + 0x3000;
	fix.fault_bytes = 0x1000;
	assert_int_equal(learn(), -EFAULT);
	/* only the module information is out of reach */
	fix_make(LOAD, ET_DYN, 0x8000, 0);
	fix_inline(fix.data + 0x2fc0, "go1.26.1");
	fix.fault_addr = LOAD + DATA_GAP + 0x3000;
	fix.fault_bytes = 0x1000;
	assert_int_equal(learn(), 0);
	assert_string_equal(go.version, "go1.26.1");
	assert_string_equal(go.module, "");
}

/* The process ended while it was looked at: that says nothing about the program. */
static void a_bound_that_is_hit_after_a_failed_read_says_nothing(void **state)
{
	(void)state;
	fix_make(LOAD, ET_DYN, FR_EXE_SCAN_BYTES + 0x110000, FR_EXE_SCAN_BYTES + 0x100000);
	fix_inline(fix.data + FR_EXE_SCAN_BYTES + 0x100000, "go1.23.12");
	expect_whole("go1.23.12");
	fix.fault_addr = LOAD + DATA_GAP + FR_EXE_SCAN_BYTES + 0x100000;
	fix.fault_bytes = 0x10000;
	assert_int_equal(learn(), -EFAULT);
}

static void the_search_is_bounded(void **state)
{
	(void)state;
	fix_make(LOAD, ET_DYN, FR_EXE_SCAN_BYTES + 0x10000, 0);
	fix_inline(fix.data + FR_EXE_SCAN_BYTES + 0x8000, "go1.26.1");
	assert_int_equal(learn(), -EFBIG);
	assert_true(fix.read_bytes <= FR_EXE_SCAN_BYTES);
	fix_make(LOAD, ET_DYN, 0x100000, 0);
	for (uint32_t i = 0; i + 16 < fix.data_bytes; i += 16) {
		memcpy(fix.data + i, "\xff Go buildinf:", 14);
		fix.data[i + 14] = 8;
		fix.data[i + 15] = 2;
	}
	assert_int_equal(learn(), -EFBIG);
	assert_true(fix.read_cnt <= 4 * FR_EXE_CANDIDATES_MAX);
}

struct version_row {
	const char *version;
	uint32_t off; /* 0 = none may be given */
};

static const struct version_row versions[] = {
	{ "go1.17", 152 }, { "go1.17.13", 152 }, { "go1.18.10", 152 }, { "go1.22.12", 152 },
	{ "go1.23.0", 160 }, { "go1.24.9", 160 }, { "go1.25.4", 152 }, { "go1.26.8", 152 },
	/* experiments, distributors, vendors */
	{ "go1.26.1 X:nocoverageredesign", 152 },
	{ "go1.21.13 (Red Hat 1.21.13-1.el9)", 152 },
	{ "go1.26-vendor", 152 }, { "go1.24.4-bigcorp", 160 }, { "go1.24.1-1-devel", 160 },
	{ "go1.20.1b7", 152 }, { "go1.18.5b7 X:boringcrypto", 152 },
	/* candidates are as the release; betas may be from before the change or after it */
	{ "go1.23rc1", 160 }, { "go1.25rc2", 152 }, { "go1.18beta1", 152 },
	{ "go1.23beta1", 0 }, { "go1.25beta1", 0 }, { "go1.17beta1", 0 },
	/* unreleased trees: only where both neighbours agree */
	{ "devel go1.24-1f5a3b2 Tue Nov 12 10:00:00 2024 +0000", 160 },
	{ "devel go1.23-1f5a3b2 Tue Mar 12 10:00:00 2024 +0000", 0 },
	{ "go1.26-devel_1f5a3b2 Tue Nov 11 10:00:00 2025 +0000", 152 },
	{ "go1.25-devel_1f5a3b2 Tue Mar 11 10:00:00 2025 +0000", 0 },
	{ "go1.21-20230317-RC00 cl/517409681 +b8b7c4a0c5", 152 },
	{ "go1.23-20240626-RC01 cl/646990413 +5a18e79687", 0 },
	{ "devel go1.17-1f5a3b2", 0 }, { "devel +1f5a3b2 Tue Mar 11 10:00:00 2025", 0 },
	/* not known, or not yet */
	{ "go1.16.15", 0 }, { "go1.13", 0 }, { "go1.27", 0 }, { "go1.27rc1", 0 },
	{ "go1.27.0", 0 }, { "devel go1.27-abcdef", 0 }, { "go1.27-devel_abcdef", 0 },
	{ "go1.99.1", 0 }, { "go1.4294967318", 0 }, { "go2.26", 0 }, { "go1.260", 0 },
	/* other compilers */
	{ "go1.18 gccgo (Debian 12.2.0-14) 12.2.0", 0 }, { "go1.22 tinygo", 0 },
	/* not versions */
	{ "", 0 }, { "go", 0 }, { "go1", 0 }, { "go1.", 0 }, { "go1.x", 0 }, { "go1.026", 0 },
	{ "go1.26.", 0 }, { "go1.26.x", 0 }, { "go1.26.1x", 0 }, { "go1.26rc", 0 },
	{ "go1.26foo", 0 }, { "1.26", 0 }, { "Go1.26", 0 }, { " go1.26", 0 }, { "go1.-26", 0 },
};

static void offsets_are_given_for_known_releases_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
		const struct version_row *v = &versions[i];

		for (int m = FR_EXE_AMD64; m <= FR_EXE_ARM64; m++) {
			uint32_t off = 7;
			int err = fr_exe_go_goid_offset(v->version, (enum fr_exe_machine)m, &off);

			if (err != (v->off ? 0 : -ENOTSUP) || off != (v->off ? v->off : 7))
				fail_msg("'%s': %d, offset %u", v->version, err, off);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_blob_at_the_beginning_of_data_is_read),
		cmocka_unit_test(the_blob_behind_megabytes_of_relro_costs_few_reads),
		cmocka_unit_test(the_blob_may_be_inside_of_relro),
		cmocka_unit_test(text_is_searched_only_if_a_note_says_go),
		cmocka_unit_test(pointers_of_go_1_17_are_followed),
		cmocka_unit_test(pointers_out_of_the_program_are_not_followed),
		cmocka_unit_test(what_only_looks_like_a_blob_is_passed_over),
		cmocka_unit_test(lengths_that_lie_are_refused),
		cmocka_unit_test(long_texts_are_cut_and_cleaned),
		cmocka_unit_test(a_page_that_cannot_be_read_hides_only_itself),
		cmocka_unit_test(a_bound_that_is_hit_after_a_failed_read_says_nothing),
		cmocka_unit_test(the_search_is_bounded),
		cmocka_unit_test(offsets_are_given_for_known_releases_only),
	};

	return cmocka_run_group_tests_name("exe_go", tests, NULL, NULL);
}
