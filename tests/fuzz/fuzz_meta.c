/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first byte chooses a metadata message, the rest are its bytes. What decodes must come back
 * the same when it is encoded and decoded again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/dump/meta.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes);

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_meta: %s\n", what);
	abort();
}

static struct fr_slice bytes_of(const struct fr_buf *b)
{
	must(!b->err, "encoding failed");
	return (struct fr_slice){ b->data, b->len_bytes };
}

/* One message that a dump has once: decoded, encoded, decoded, encoded: the same bytes. */
#define TWICE(type, name)                                                                          \
	static void name##_twice(struct fr_slice raw)                                              \
	{                                                                                          \
		struct fr_buf one = { 0 }, two = { 0 };                                            \
		struct type *m = calloc(1, sizeof(*m));                                            \
                                                                                                   \
		must(m, "memory");                                                                 \
		if (fr_meta_read_##name(raw, m) >= 0) {                                            \
			fr_meta_add_##name(&one, m);                                               \
			DONE_##name(m);                                                            \
			must(fr_meta_read_##name(bytes_of(&one), m) == 0,                          \
			     #name " does not come back");                                         \
			fr_meta_add_##name(&two, m);                                               \
			DONE_##name(m);                                                            \
			must(one.len_bytes == two.len_bytes &&                                     \
				     (!one.len_bytes ||                                            \
				      !memcmp(one.data, two.data, one.len_bytes)),                 \
			     #name " changes");                                                    \
		}                                                                                  \
		fr_buf_done(&one);                                                                 \
		fr_buf_done(&two);                                                                 \
		free(m);                                                                           \
	}
#define DONE_trigger(m) (void)(m)
#define DONE_clocks(m) (void)(m)
#define DONE_host(m) (void)(m)
#define DONE_config(m) (void)(m)
#define DONE_loss(m) fr_meta_loss_done(m)
TWICE(fr_meta_trigger, trigger)
TWICE(fr_meta_clocks, clocks)
TWICE(fr_meta_host, host)
TWICE(fr_meta_config, config)
TWICE(fr_meta_loss, loss)

static int next_thread(struct fr_cursor *c, struct fr_buf *out)
{
	struct fr_meta_thread t;
	int ret = fr_meta_next_thread(c, &t);

	if (ret == 1) {
		must(t.rename_cnt <= FR_RENAMES_MAX && !t.comm[FR_COMM_BYTES - 1], "thread");
		fr_meta_add_thread(out, &t);
	}
	return ret;
}

static int next_process(struct fr_cursor *c, struct fr_buf *out)
{
	struct fr_buf scratch = { 0 };
	struct fr_meta_process p;
	int ret = fr_meta_next_process(c, &p, &scratch);

	if (ret == 1) {
		must(!p.args.len_bytes || !p.args.data[p.args.len_bytes - 1], "args");
		fr_meta_add_process(out, &p);
	}
	fr_buf_done(&scratch);
	return ret;
}

static int next_socket(struct fr_cursor *c, struct fr_buf *out)
{
	struct fr_meta_socket s;
	int ret = fr_meta_next_socket(c, &s);

	if (ret == 1)
		fr_meta_add_socket(out, &s);
	return ret;
}

/* Walks a table, encoding what decodes. Rows, or an abort when the walk does not end. */
static size_t walk_rows(struct fr_slice raw, int (*next)(struct fr_cursor *, struct fr_buf *),
			struct fr_buf *out, size_t *ret_bad)
{
	struct fr_cursor c = fr_cursor_of(raw.data, raw.len_bytes);
	size_t rows = 0;
	int ret;

	*ret_bad = 0;
	while ((ret = next(&c, out))) {
		must(ret == 1 || ret == -EBADMSG, "a row fails in another way");
		rows += ret == 1;
		*ret_bad += ret < 0;
		must(rows + *ret_bad <= raw.len_bytes, "the walk does not end");
	}
	return rows;
}

static void table_twice(struct fr_slice raw, int (*next)(struct fr_cursor *, struct fr_buf *))
{
	struct fr_buf one = { 0 }, two = { 0 };
	size_t bad, rows = walk_rows(raw, next, &one, &bad);

	must(walk_rows(bytes_of(&one), next, &two, &bad) == rows && !bad, "rows are lost");
	must(one.len_bytes == two.len_bytes &&
		     (!one.len_bytes || !memcmp(one.data, two.data, one.len_bytes)),
	     "rows change");
	fr_buf_done(&one);
	fr_buf_done(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes)
{
	static void (*const messages[])(struct fr_slice raw) = {
		trigger_twice, clocks_twice, host_twice, config_twice, loss_twice,
	};
	static int (*const rows[])(struct fr_cursor *, struct fr_buf *) = {
		next_thread,
		next_process,
		next_socket,
	};
	struct fr_slice raw;
	size_t which;

	if (!data_bytes)
		return 0;
	which = data[0] % 8;
	raw = (struct fr_slice){ data + 1, data_bytes - 1 };
	if (which < 5)
		messages[which](raw);
	else
		table_twice(raw, rows[which - 5]);
	return 0;
}
