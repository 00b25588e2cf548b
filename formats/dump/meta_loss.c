/* SPDX-License-Identifier: BSD-2-Clause */
/* What was lost, and what was left out on purpose. */
#include <errno.h>
#include <stdlib.h>

#include "meta.h"
#include "meta_fields.h"

#define LOSS_CPU 1
#define LOSS_COUNTER 4
#define LOSS_REMOVED 5

static const struct fr_meta_field loss_fields[] = {
	FR_META_FIELD(2, FR_META_FIXED64, fr_meta_loss, common_start_ns),
	FR_META_FIELD(3, FR_META_FIXED64, fr_meta_loss, end_ns),
	FR_META_FIELD(6, FR_META_UINT, fr_meta_loss, unnamed_threads),
	FR_META_FIELD(7, FR_META_UINT, fr_meta_loss, unnamed_sockets),
	FR_META_FIELDS_END,
};

static const struct fr_meta_field cpu_fields[] = {
	FR_META_FIELD(1, FR_META_UINT, fr_cpu_loss, cpu),
	FR_META_FIELD(2, FR_META_FIXED64, fr_cpu_loss, oldest_ns),
	FR_META_FIELD(3, FR_META_UINT, fr_cpu_loss, emitted),
	FR_META_FIELD(4, FR_META_UINT, fr_cpu_loss, kept),
	FR_META_FIELD(5, FR_META_UINT, fr_cpu_loss, overwritten),
	FR_META_FIELD(6, FR_META_UINT, fr_cpu_loss, overtaken),
	FR_META_FIELD(7, FR_META_UINT, fr_cpu_loss, unfinished),
	FR_META_FIELD(8, FR_META_UINT, fr_cpu_loss, dropped_retry),
	FR_META_FIELD(9, FR_META_UINT, fr_cpu_loss, dropped_busy),
	FR_META_FIELD(10, FR_META_UINT, fr_cpu_loss, dropped_nocpu),
	FR_META_FIELD(11, FR_META_UINT, fr_cpu_loss, recursion_misses),
	FR_META_FIELDS_END,
};

static const struct fr_meta_field counter_fields[] = {
	FR_META_FIELD(1, FR_META_STR, fr_counter, name),
	FR_META_FIELD(2, FR_META_UINT, fr_counter, value),
	FR_META_FIELDS_END,
};

static void put_counters(struct fr_buf *b, uint32_t field, const struct fr_counter *c, uint32_t cnt)
{
	size_t mark;

	for (uint32_t i = 0; i < cnt && i < FR_COUNTERS_MAX; i++) {
		mark = fr_pb_open(b, field);
		fr_meta_put_fields(b, counter_fields, &c[i]);
		fr_pb_close(b, mark);
	}
}

void fr_meta_add_loss(struct fr_buf *b, const struct fr_meta_loss *l)
{
	size_t mark;

	fr_meta_put_fields(b, loss_fields, l);
	for (uint32_t i = 0; i < l->cpu_cnt; i++) {
		mark = fr_pb_open(b, LOSS_CPU);
		fr_meta_put_fields(b, cpu_fields, &l->cpus[i]);
		fr_pb_close(b, mark);
	}
	put_counters(b, LOSS_COUNTER, l->counters, l->counter_cnt);
	put_counters(b, LOSS_REMOVED, l->removed, l->removed_cnt);
}

static int read_counter(struct fr_counter *c, uint32_t *cnt, struct fr_slice raw)
{
	if (*cnt == FR_COUNTERS_MAX)
		return 1;
	return fr_meta_read_fields(raw, counter_fields, &c[(*cnt)++], NULL);
}

static int read_cpu(struct fr_meta_loss *l, struct fr_slice raw)
{
	struct fr_cpu_loss *more;
	size_t cap;

	if (l->cpu_cnt == FR_CPUS_MAX)
		return 1;
	/* the array doubles at each power of two: no capacity to keep beside it */
	if (!(l->cpu_cnt & (l->cpu_cnt - 1))) {
		cap = l->cpu_cnt ? 2 * (size_t)l->cpu_cnt : 1;
		more = realloc(l->cpus, cap * sizeof(*more));
		if (!more)
			return -ENOMEM;
		l->cpus = more;
	}
	l->cpus[l->cpu_cnt] = (struct fr_cpu_loss){ 0 };
	return fr_meta_read_fields(raw, cpu_fields, &l->cpus[l->cpu_cnt++], NULL);
}

static int read_loss_row(void *row, const struct fr_pb_field *f)
{
	struct fr_meta_loss *l = row;

	if (f->wire != FR_PB_BYTES)
		return 0;
	if (f->number == LOSS_CPU)
		return read_cpu(l, f->bytes);
	if (f->number == LOSS_COUNTER)
		return read_counter(l->counters, &l->counter_cnt, f->bytes);
	if (f->number == LOSS_REMOVED)
		return read_counter(l->removed, &l->removed_cnt, f->bytes);
	return 0;
}

int fr_meta_read_loss(struct fr_slice raw, struct fr_meta_loss *ret)
{
	int err;

	*ret = (struct fr_meta_loss){ 0 };
	err = fr_meta_read_fields(raw, loss_fields, ret, read_loss_row);
	if (err < 0)
		fr_meta_loss_done(ret);
	return err;
}

void fr_meta_loss_done(struct fr_meta_loss *l)
{
	free(l->cpus);
	*l = (struct fr_meta_loss){ 0 };
}
