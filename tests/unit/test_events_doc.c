/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * formats/dump/EVENTS.md against the structs of formats/abi/: each event has a section with the
 * size of its struct, and a table that names each field at its offset, with its type, in order.
 * Runs in the root of the tree. The structs are read from their headers' text; that this is read
 * right shows in the sizes, which the compiler tells.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/abi/event.h"
#include "formats/base/buf.h"

#define FIELDS_MAX 24

struct field {
	char name[32];
	char type[16]; /* as the document says it: "u32", "char[16]" */
	unsigned int off;
};

struct layout {
	struct field fields[FIELDS_MAX];
	unsigned int field_cnt;
	unsigned int bytes;
};

static char *doc;     /* EVENTS.md */
static char *headers; /* formats/abi, all of them */

static void add_file(struct fr_buf *b, const char *path)
{
	char block[4096];
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		fail_msg("%s: cannot be opened; run this in the root of the tree", path);
	while ((n = fread(block, 1, sizeof(block), f)))
		fr_buf_add(b, block, n);
	fclose(f);
}

static int load(void **state)
{
	struct fr_buf d = { 0 }, h = { 0 };
	glob_t found;
	size_t i;

	(void)state;
	add_file(&d, "formats/dump/EVENTS.md");
	if (glob("formats/abi/*.h", 0, NULL, &found))
		fail_msg("no formats/abi/*.h");
	for (i = 0; i < found.gl_pathc; i++)
		add_file(&h, found.gl_pathv[i]);
	globfree(&found);
	fr_buf_add_char(&d, 0);
	fr_buf_add_char(&h, 0);
	doc = (char *)d.data;
	headers = (char *)h.data;
	return d.err || h.err;
}

static int unload(void **state)
{
	(void)state;
	free(doc);
	free(headers);
	return 0;
}

struct scalar {
	const char *c;	 /* in the header */
	const char *doc; /* in the document */
	unsigned int bytes;
};

static const struct scalar scalars[] = {
	{ "uint8_t", "u8", 1 },	  { "uint16_t", "u16", 2 }, { "uint32_t", "u32", 4 },
	{ "uint64_t", "u64", 8 }, { "int32_t", "i32", 4 },  { "char", "char", 1 },
};

/* One line of a struct; adds nothing when it declares no member (a comment that goes on). */
static void add_member(struct layout *l, const char *line)
{
	struct field *f = &l->fields[l->field_cnt];
	char type[32], dimension[32] = "";
	unsigned int cnt = 1;
	size_t i;

	assert_true(l->field_cnt < FIELDS_MAX);
	f->off = l->bytes;
	if (sscanf(line, " struct fr_sock_addr %31[a-z_0-9];", f->name) == 1) {
		snprintf(f->type, sizeof(f->type), "addr");
		l->bytes += sizeof(struct fr_sock_addr);
		l->field_cnt++;
		return;
	}
	if (sscanf(line, " %31[a-z_0-9] %31[a-z_0-9][%31[A-Z_0-9]]", type, f->name, dimension) < 2)
		return;
	for (i = 0; i < sizeof(scalars) / sizeof(*scalars); i++)
		if (!strcmp(scalars[i].c, type))
			break;
	if (i == sizeof(scalars) / sizeof(*scalars))
		return;
	if (dimension[0])
		cnt = !strcmp(dimension, "FR_COMM_BYTES") ? FR_COMM_BYTES :
							(unsigned int)strtoul(dimension, NULL, 10);
	snprintf(f->type, sizeof(f->type), dimension[0] ? "%s[%u]" : "%s", scalars[i].doc, cnt);
	l->bytes += scalars[i].bytes * cnt;
	l->field_cnt++;
}

static struct layout layout_of(const char *struct_name)
{
	struct layout l = { 0 };
	char head[64];
	const char *at;

	snprintf(head, sizeof(head), "\nstruct %s {\n", struct_name);
	at = strstr(headers, head);
	if (!at)
		fail_msg("struct %s is in no header", struct_name);
	for (at += strlen(head); strncmp(at, "};", 2); at = strchr(at, '\n') + 1)
		add_member(&l, at);
	return l;
}

/* The rows of a table from `at` on, up to the next heading or behind the fixed part. */
static void check_table(const char *name, const struct layout *l, const char *at)
{
	unsigned int found = 0, off;
	char type[32], field[32];

	for (; (at = strchr(at, '\n')) && at[1] != '#'; at++) {
		if (sscanf(at + 1, "| %u | %31[^ ] | %31[a-z_0-9] |", &off, type, field) < 3)
			continue;
		if (off >= l->bytes)
			break; /* variable parts */
		if (found == l->field_cnt)
			fail_msg("%s: %s is no field of the struct", name, field);
		if (off != l->fields[found].off || strcmp(type, l->fields[found].type) ||
		    strcmp(field, l->fields[found].name))
			fail_msg("%s: the document has %u %s %s, the struct %u %s %s", name, off,
				 type, field, l->fields[found].off, l->fields[found].type,
				 l->fields[found].name);
		found++;
	}
	if (found != l->field_cnt)
		fail_msg("%s: %s is not in the table", name, l->fields[found].name);
}

static void check_event(unsigned int id, const char *name, const char *struct_name,
			size_t struct_bytes)
{
	struct layout l = layout_of(struct_name);
	char text[128];
	const char *section, *end, *size;

	assert_int_equal(l.bytes, struct_bytes);
	snprintf(text, sizeof(text), "\n### %s (%u)\n", name, id);
	section = strstr(doc, text);
	if (!section)
		fail_msg("no section '%s (%u)'", name, id);
	end = strstr(section + 4, "\n##");
	snprintf(text, sizeof(text), "Fixed part: %zu bytes, `struct %s`", struct_bytes,
		 struct_name);
	size = strstr(section, text);
	if (!size || (end && size > end))
		fail_msg("%s: the section does not say '%s'", name, text);
	check_table(name, &l, section + 4);
}

static void every_event_is_described_as_it_is(void **state)
{
	(void)state;
#define CHECK(id, NAME, name, family, type) check_event(id, #name, #type, sizeof(struct type));
	FR_EVENTS(CHECK)
#undef CHECK
}

static void addresses_are_described_as_they_are(void **state)
{
	struct layout l = layout_of("fr_sock_addr");
	const char *at = strstr(doc, "`struct fr_sock_addr`, 40 bytes");

	(void)state;
	assert_int_equal(l.bytes, sizeof(struct fr_sock_addr));
	assert_non_null(at);
	check_table("fr_sock_addr", &l, at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_is_described_as_it_is),
		cmocka_unit_test(addresses_are_described_as_they_are),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
