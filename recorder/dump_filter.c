/* SPDX-License-Identifier: BSD-2-Clause */
#include "dump_filter.h"

#include <stdio.h>
#include <string.h>

#include "formats/abi/event.h"
#include "formats/base/bytes.h"

static const char *const removal_names[FR_REMOVAL_CNT] = {
#define REMOVAL_NAME(NAME, name) [FR_REMOVAL_##NAME] = #name,
	FR_REMOVALS(REMOVAL_NAME)
#undef REMOVAL_NAME
};

/* Zeros behind the last byte kept, up to a whole unit, and the new size into the word. */
static uint32_t shorten(uint8_t *record, uint64_t word, uint32_t keep_bytes)
{
	uint32_t bytes = (keep_bytes + 7) & ~7u;

	memset(record + keep_bytes, 0, bytes - keep_bytes);
	word = FR_RECORD_WORD(word, FR_RECORD_KIND(word), bytes / 8);
	memcpy(record, &word, sizeof(word));
	return bytes;
}

static uint32_t strip_sock_io(struct fr_filter *f, uint8_t *record, uint64_t word, uint32_t bytes)
{
	struct fr_sock_io e;
	uint32_t keep_bytes = sizeof(e);

	if (bytes < sizeof(e))
		return bytes;
	memcpy(&e, record, sizeof(e));
	if (e.flags & FR_IO_ADDR)
		keep_bytes += sizeof(struct fr_sock_addr);
	if (keep_bytes > bytes)
		keep_bytes = sizeof(e);
	if (f->redact == FR_REDACT_OFF && keep_bytes + e.captured_bytes <= bytes)
		/* a copy that ended early left bytes of an older lap behind the captured ones */
		return shorten(record, word, keep_bytes + e.captured_bytes);
	f->removed_bytes[FR_REMOVAL_CAPTURED] += e.captured_bytes;
	e.captured_bytes = 0;
	memcpy(record, &e, sizeof(e));
	return shorten(record, word, keep_bytes);
}

static uint32_t strip_exec(struct fr_filter *f, uint8_t *record, uint64_t word, uint32_t bytes)
{
	struct fr_proc_exec e;
	size_t keep_bytes, args_off;

	if (bytes < sizeof(e))
		return bytes;
	memcpy(&e, record, sizeof(e));
	if (sizeof(e) + e.path_bytes + e.args_bytes > bytes)
		e.path_bytes = e.args_bytes = 0;
	args_off = sizeof(e) + e.path_bytes;
	keep_bytes = fr_filter_args(f, record + args_off, e.args_bytes);
	if (keep_bytes < e.args_bytes)
		e.flags |= FR_EXEC_ARGS_CUT;
	e.args_bytes = (uint16_t)keep_bytes;
	memcpy(record, &e, sizeof(e));
	return shorten(record, word, (uint32_t)(args_off + keep_bytes));
}

uint32_t fr_filter_record(struct fr_filter *f, uint8_t *record)
{
	uint64_t word = fr_load64(record);
	uint32_t bytes = FR_RECORD_UNITS(word) * 8, kind = FR_RECORD_KIND(word);

	if (kind == FR_EV_SOCK_SEND || kind == FR_EV_SOCK_RECV)
		return strip_sock_io(f, record, word, bytes);
	if (kind == FR_EV_PROC_EXEC && f->redact != FR_REDACT_OFF)
		return strip_exec(f, record, word, bytes);
	return bytes;
}

size_t fr_filter_args(struct fr_filter *f, const uint8_t *args, size_t args_bytes)
{
	size_t keep_bytes;

	if (f->redact == FR_REDACT_OFF || !args_bytes)
		return args_bytes;
	keep_bytes = strnlen((const char *)args, args_bytes);
	if (keep_bytes < args_bytes)
		keep_bytes++; /* its zero */
	f->removed_bytes[FR_REMOVAL_ARGUMENTS] += args_bytes - keep_bytes;
	return keep_bytes;
}

void fr_filter_report(const struct fr_filter *f, struct fr_meta_loss *loss)
{
	struct fr_counter *c;

	for (uint32_t i = 0; i < FR_REMOVAL_CNT && loss->removed_cnt < FR_COUNTERS_MAX; i++) {
		c = &loss->removed[loss->removed_cnt++];
		snprintf(c->name, sizeof(c->name), "%s", removal_names[i]);
		c->value = f->removed_bytes[i];
	}
}
