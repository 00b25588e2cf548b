/* SPDX-License-Identifier: BSD-2-Clause */
#include "dump_filter.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "formats/abi/event.h"
#include "formats/base/bytes.h"

int fr_filter_init(struct fr_filter *f, const struct fr_redact_rules *rules)
{
	*f = (struct fr_filter){ .rules = *rules };
	if (rules->level == FR_REDACT_OFF)
		return 0;
	f->redactor = fr_redactor_new(&f->rules, &f->counts);
	return f->redactor ? 0 : -ENOMEM;
}

void fr_filter_done(struct fr_filter *f)
{
	fr_redactor_free(f->redactor);
	f->redactor = NULL;
}

/* Zeros behind the last byte kept, up to a whole unit, and the new size into the word. */
static uint32_t shorten(uint8_t *record, uint64_t word, uint32_t keep_bytes)
{
	uint32_t bytes = (keep_bytes + 7) & ~7u;

	memset(record + keep_bytes, 0, bytes - keep_bytes);
	word = FR_RECORD_WORD(word, FR_RECORD_KIND(word), bytes / 8);
	memcpy(record, &word, sizeof(word));
	return bytes;
}

/* How many of the captured bytes are left. */
static uint16_t redact(struct fr_filter *f, const struct fr_sock_io *e, bool is_send,
		       uint8_t *captured)
{
	struct fr_redact_part part = {
		.sock_id = e->sock_id,
		.stream_off = e->stream_off,
		.transfer_bytes = e->result > 0 ? (uint64_t)e->result : 0,
		.is_send = is_send,
		.start = e->flags & FR_IO_MSG_START,
		.datagram = e->flags & FR_IO_ADDR,
	};

	if (f->rules.level == FR_REDACT_OFF || !e->captured_bytes)
		return e->captured_bytes;
	if (!f->redactor || e->flags & FR_IO_PEEK) {
		f->counts.removed_bytes[FR_REMOVED_UNKNOWN] += e->captured_bytes;
		return 0;
	}
	return (uint16_t)fr_redact_bytes(f->redactor, &part, captured, e->captured_bytes);
}

static uint32_t filter_sock_io(struct fr_filter *f, uint8_t *record, uint64_t word, uint32_t bytes)
{
	struct fr_sock_io e;
	uint32_t fixed_bytes = sizeof(e);

	if (bytes < sizeof(e))
		return bytes;
	memcpy(&e, record, sizeof(e));
	if (e.flags & FR_IO_ADDR)
		fixed_bytes += sizeof(struct fr_sock_addr);
	if (fixed_bytes + e.captured_bytes > bytes) {
		f->counts.removed_bytes[FR_REMOVED_UNKNOWN] += e.captured_bytes;
		e.captured_bytes = 0;
		if (fixed_bytes > bytes)
			fixed_bytes = sizeof(e);
	}
	e.captured_bytes = redact(f, &e, FR_RECORD_KIND(word) == FR_EV_SOCK_SEND,
				  record + fixed_bytes);
	memcpy(record, &e, sizeof(e));
	/* a copy that ended early left bytes of an older lap behind the captured ones */
	return shorten(record, word, fixed_bytes + e.captured_bytes);
}

static uint32_t filter_exec(struct fr_filter *f, uint8_t *record, uint64_t word, uint32_t bytes)
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
	if (keep_bytes < e.args_bytes && f->rules.level == FR_REDACT_STRICT)
		e.flags |= FR_EXEC_ARGS_CUT;
	e.args_bytes = (uint16_t)keep_bytes;
	memcpy(record, &e, sizeof(e));
	return shorten(record, word, (uint32_t)(args_off + keep_bytes));
}

static void forget_socket(struct fr_filter *f, const uint8_t *record, uint32_t bytes)
{
	if (f->redactor && bytes >= sizeof(struct fr_sock_open))
		fr_redact_forget(f->redactor,
				 fr_load64(record + offsetof(struct fr_sock_open, sock_id)));
}

uint32_t fr_filter_record(struct fr_filter *f, uint8_t *record)
{
	uint64_t word = fr_load64(record);
	uint32_t bytes = FR_RECORD_UNITS(word) * 8, kind = FR_RECORD_KIND(word);

	if (kind == FR_EV_SOCK_SEND || kind == FR_EV_SOCK_RECV)
		return filter_sock_io(f, record, word, bytes);
	if (kind == FR_EV_PROC_EXEC && f->rules.level != FR_REDACT_OFF)
		return filter_exec(f, record, word, bytes);
	if (kind == FR_EV_SOCK_CLOSE)
		forget_socket(f, record, bytes);
	return bytes;
}

size_t fr_filter_args(struct fr_filter *f, uint8_t *args, size_t args_bytes)
{
	return fr_redact_args(&f->rules, &f->counts, args, args_bytes);
}

size_t fr_filter_environment(struct fr_filter *f, uint8_t *env, size_t env_bytes)
{
	return fr_redact_environment(&f->counts, env, env_bytes);
}

void fr_filter_report(const struct fr_filter *f, struct fr_meta_loss *loss)
{
	struct fr_counter *c;

	for (uint32_t i = 0; i < FR_REMOVAL_CNT && loss->removed_cnt < FR_COUNTERS_MAX; i++) {
		c = &loss->removed[loss->removed_cnt++];
		snprintf(c->name, sizeof(c->name), "%s", fr_removal_name((enum fr_removal)i));
		c->value = f->counts.removed_bytes[i];
	}
}
