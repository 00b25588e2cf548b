/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where g.goid is, by release. The field's place follows from what is declared before it in
 * runtime/runtime2.go: 1.23 added syscallbp, 1.25 took ret out of gobuf. All pointers have 8 bytes
 * on both machines. tests/integration/go_goid_offsets.sh holds this table against the DWARF of
 * programs built by each release.
 *
 * The table starts at 1.17, the first release that keeps g in r14 on amd64: what probes go by.
 */
#include <errno.h>
#include <string.h>

#include "exe.h"

#define MINOR_DIGITS_MAX 4u

struct goid_row {
	enum fr_exe_machine machine;
	uint32_t first_minor;
	uint32_t last_minor;
	uint32_t off_bytes;
};

static const struct goid_row goid_rows[] = {
	{ FR_EXE_AMD64, 17, 22, 152 }, { FR_EXE_AMD64, 23, 24, 160 }, { FR_EXE_AMD64, 25, 26, 152 },
	{ FR_EXE_ARM64, 17, 22, 152 }, { FR_EXE_ARM64, 23, 24, 160 }, { FR_EXE_ARM64, 25, 26, 152 },
};

/* Other compilers of the language: their g is another one, or there is none. */
static const char *const foreign_compilers[] = { "gccgo", "gollvm", "llgo", "tinygo" };

struct go_release {
	uint32_t minor;
	bool unreleased; /* built from a tree between the release before and this one */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static uint32_t digits(const char *s)
{
	uint32_t n = 0;

	while (is_digit(s[n]))
		n++;
	return n;
}

static bool skip_word(const char **s, const char *word)
{
	size_t word_bytes = strlen(word);

	if (strncmp(*s, word, word_bytes))
		return false;
	*s += word_bytes;
	return true;
}

/*
 * What may follow "go1.N" and "go1.N.P":
 *   nothing · " ..." experiments, a distributor's remark · "rcN" · "bN" the boringcrypto branch
 *   "betaN", "-devel...", "-YYYYMMDD..." (a snapshot's date): unreleased
 *   "-..." a vendor's mark on a release
 */
static bool suffix_parse(const char *s, struct go_release *r)
{
	if (!*s || *s == ' ')
		return true;
	if (skip_word(&s, "beta")) {
		r->unreleased = true;
		return digits(s) > 0;
	}
	if (skip_word(&s, "rc") || skip_word(&s, "b"))
		return digits(s) > 0;
	if (*s != '-')
		return false;
	if (!strncmp(s, "-devel", 6) || digits(s + 1) == 8)
		r->unreleased = true;
	return true;
}

static bool version_parse(const char *s, struct go_release *ret_release)
{
	struct go_release r = { 0 };
	uint32_t n;

	r.unreleased = skip_word(&s, "devel ");
	if (!skip_word(&s, "go1."))
		return false;
	n = digits(s);
	if (!n || n > MINOR_DIGITS_MAX || *s == '0')
		return false;
	for (; n; n--, s++)
		r.minor = r.minor * 10 + (uint32_t)(*s - '0');
	if (*s == '.') {
		n = digits(s + 1);
		if (!n)
			return false;
		s += 1 + n;
	}
	if (!suffix_parse(s, &r))
		return false;
	*ret_release = r;
	return true;
}

/* 0 = not in the table */
static uint32_t off_of(enum fr_exe_machine machine, uint32_t minor)
{
	for (size_t i = 0; i < sizeof(goid_rows) / sizeof(*goid_rows); i++) {
		const struct goid_row *row = &goid_rows[i];

		if (row->machine == machine && minor >= row->first_minor &&
		    minor <= row->last_minor)
			return row->off_bytes;
	}
	return 0;
}

int fr_exe_go_goid_offset(const char *version, enum fr_exe_machine machine,
			  uint32_t *ret_off_bytes)
{
	struct go_release r;
	uint32_t off;

	for (size_t i = 0; i < sizeof(foreign_compilers) / sizeof(*foreign_compilers); i++)
		if (strstr(version, foreign_compilers[i]))
			return -ENOTSUP;
	if (!version_parse(version, &r))
		return -ENOTSUP;
	off = off_of(machine, r.minor);
	if (!off || (r.unreleased && off_of(machine, r.minor - 1) != off))
		return -ENOTSUP;
	*ret_off_bytes = off;
	return 0;
}
