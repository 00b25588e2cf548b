/* SPDX-License-Identifier: BSD-2-Clause */
/* The metadata that a dump has once: trigger, clocks, host, configuration. */
#include <errno.h>

#include "meta.h"
#include "meta_fields.h"

/* ---- trigger -------------------------------------------------------------------------------- */

#define TRIGGER_JOINED 5
#define TRIGGER_JOINED_MORE 6

static const struct fr_meta_field trigger_fields[] = {
	FR_META_FIELD(1, FR_META_STR, fr_trigger_info, name),
	FR_META_FIELD(2, FR_META_STR, fr_trigger_info, reason),
	FR_META_FIELD(3, FR_META_FIXED64, fr_trigger_info, boot_ns),
	FR_META_FIELD(4, FR_META_FIXED64, fr_trigger_info, unix_ns),
	FR_META_FIELD(7, FR_META_UINT, fr_trigger_info, sender_pid),
	FR_META_FIELD(8, FR_META_UINT, fr_trigger_info, number),
	FR_META_FIELD(9, FR_META_UINT, fr_trigger_info, post_window_ns),
	FR_META_FIELD(10, FR_META_UINT, fr_trigger_info, tgid),
	FR_META_FIELD(11, FR_META_UINT, fr_trigger_info, tid),
	FR_META_FIELD(12, FR_META_UINT, fr_trigger_info, sock_id),
	FR_META_FIELD(13, FR_META_UINT, fr_trigger_info, goid),
	FR_META_FIELD(14, FR_META_UINT, fr_trigger_info, seen),
	FR_META_FIELD(15, FR_META_UINT, fr_trigger_info, suppressed),
	FR_META_FIELDS_END,
};
_Static_assert(offsetof(struct fr_meta_trigger, main) == 0, "trigger_fields serve both structs");

void fr_meta_add_trigger(struct fr_buf *b, const struct fr_meta_trigger *t)
{
	size_t mark;

	fr_meta_put_fields(b, trigger_fields, &t->main);
	if (t->joined_more)
		fr_pb_add_u64(b, TRIGGER_JOINED_MORE, t->joined_more);
	for (uint32_t i = 0; i < t->joined_cnt && i < FR_JOINED_MAX; i++) {
		mark = fr_pb_open(b, TRIGGER_JOINED);
		fr_meta_put_fields(b, trigger_fields, &t->joined[i]);
		fr_pb_close(b, mark);
	}
}

static int read_joined(void *row, const struct fr_pb_field *f)
{
	struct fr_meta_trigger *t = row;

	if (f->number == TRIGGER_JOINED_MORE && f->wire == FR_PB_VARINT)
		t->joined_more += f->value;
	if (f->number != TRIGGER_JOINED || f->wire != FR_PB_BYTES)
		return 0;
	if (t->joined_cnt == FR_JOINED_MAX) {
		t->joined_more++;
		return 1;
	}
	return fr_meta_read_fields(f->bytes, trigger_fields, &t->joined[t->joined_cnt++], NULL);
}

int fr_meta_read_trigger(struct fr_slice raw, struct fr_meta_trigger *ret)
{
	*ret = (struct fr_meta_trigger){ 0 };
	return fr_meta_read_fields(raw, trigger_fields, ret, read_joined);
}

/* ---- clocks --------------------------------------------------------------------------------- */

static const struct fr_meta_field clock_fields[] = {
	FR_META_FIELD(1, FR_META_UINT, fr_clock_pair, when),
	FR_META_FIELD(2, FR_META_FIXED64, fr_clock_pair, boot_ns),
	FR_META_FIELD(3, FR_META_FIXED64, fr_clock_pair, unix_ns),
	FR_META_FIELD(4, FR_META_UINT, fr_clock_pair, bound_ns),
	FR_META_FIELDS_END,
};

static const struct fr_meta_field no_fields[] = { FR_META_FIELDS_END };

void fr_meta_add_clocks(struct fr_buf *b, const struct fr_meta_clocks *c)
{
	size_t mark;

	for (uint32_t i = 0; i < c->pair_cnt && i < FR_CLOCK_PAIRS_MAX; i++) {
		mark = fr_pb_open(b, 1);
		fr_meta_put_fields(b, clock_fields, &c->pairs[i]);
		fr_pb_close(b, mark);
	}
}

static int read_pair(void *row, const struct fr_pb_field *f)
{
	struct fr_meta_clocks *c = row;

	if (f->number != 1 || f->wire != FR_PB_BYTES)
		return 0;
	if (c->pair_cnt == FR_CLOCK_PAIRS_MAX)
		return 1;
	return fr_meta_read_fields(f->bytes, clock_fields, &c->pairs[c->pair_cnt++], NULL);
}

int fr_meta_read_clocks(struct fr_slice raw, struct fr_meta_clocks *ret)
{
	*ret = (struct fr_meta_clocks){ 0 };
	return fr_meta_read_fields(raw, no_fields, ret, read_pair);
}

/* ---- host ----------------------------------------------------------------------------------- */

static const struct fr_meta_field host_fields[] = {
	FR_META_FIELD(1, FR_META_STR, fr_meta_host, name),
	FR_META_FIELD(2, FR_META_STR, fr_meta_host, machine_id),
	FR_META_FIELD(3, FR_META_STR, fr_meta_host, boot_id),
	FR_META_FIELD(4, FR_META_STR, fr_meta_host, kernel_release),
	FR_META_FIELD(5, FR_META_STR, fr_meta_host, kernel_version),
	FR_META_FIELD(6, FR_META_STR, fr_meta_host, arch),
	FR_META_FIELD(7, FR_META_UINT, fr_meta_host, cpus_possible),
	FR_META_FIELD(8, FR_META_UINT, fr_meta_host, cpus_online),
	FR_META_FIELD(9, FR_META_UINT, fr_meta_host, memory_bytes),
	FR_META_FIELD(10, FR_META_STR, fr_meta_host, recorder_version),
	FR_META_FIELD(11, FR_META_FIXED64, fr_meta_host, recorder_start_ns),
	FR_META_FIELD(12, FR_META_UINT, fr_meta_host, recorder_pid),
	FR_META_FIELD(13, FR_META_UINT, fr_meta_host, page_bytes),
	FR_META_FIELD(14, FR_META_I32, fr_meta_host, utc_offset_s),
	FR_META_FIELDS_END,
};

void fr_meta_add_host(struct fr_buf *b, const struct fr_meta_host *h)
{
	fr_meta_put_fields(b, host_fields, h);
}

int fr_meta_read_host(struct fr_slice raw, struct fr_meta_host *ret)
{
	*ret = (struct fr_meta_host){ 0 };
	return fr_meta_read_fields(raw, host_fields, ret, NULL);
}

/* ---- configuration -------------------------------------------------------------------------- */

#define CONFIG_SETTING 1
#define CONFIG_FAMILY 3
#define CONFIG_DEGRADED 4

static const struct fr_meta_field config_fields[] = {
	FR_META_FIELD(2, FR_META_STR, fr_meta_config, redact),
	FR_META_FIELDS_END,
};

static const struct fr_meta_field setting_fields[] = {
	FR_META_FIELD(1, FR_META_STR, fr_setting, key),
	FR_META_FIELD(2, FR_META_STR, fr_setting, value),
	FR_META_FIELDS_END,
};

static const struct fr_meta_field family_fields[] = {
	FR_META_FIELD(1, FR_META_STR, fr_family_state, name),
	FR_META_FIELD(2, FR_META_UINT, fr_family_state, on),
	FR_META_FIELD(3, FR_META_STR, fr_family_state, why),
	FR_META_FIELDS_END,
};

void fr_meta_add_config(struct fr_buf *b, const struct fr_meta_config *c)
{
	size_t mark;

	fr_meta_put_fields(b, config_fields, c);
	for (uint32_t i = 0; i < c->setting_cnt && i < FR_SETTINGS_MAX; i++) {
		mark = fr_pb_open(b, CONFIG_SETTING);
		fr_meta_put_fields(b, setting_fields, &c->settings[i]);
		fr_pb_close(b, mark);
	}
	for (uint32_t i = 0; i < c->family_cnt && i < FR_FAMILY_CNT; i++) {
		mark = fr_pb_open(b, CONFIG_FAMILY);
		fr_meta_put_fields(b, family_fields, &c->families[i]);
		fr_pb_close(b, mark);
	}
	for (uint32_t i = 0; i < c->degraded_cnt && i < FR_DEGRADED_MAX; i++)
		fr_pb_add_bytes(b, CONFIG_DEGRADED, c->degraded[i],
				strnlen(c->degraded[i], sizeof(c->degraded[i])));
}

/* 1 = does not fit, as fr_meta_read_fields. */
static int read_config_row(void *row, const struct fr_pb_field *f)
{
	struct fr_meta_config *c = row;
	char *line;

	if (f->wire != FR_PB_BYTES)
		return 0;
	if (f->number == CONFIG_SETTING && c->setting_cnt < FR_SETTINGS_MAX)
		return fr_meta_read_fields(f->bytes, setting_fields, &c->settings[c->setting_cnt++],
					   NULL);
	if (f->number == CONFIG_FAMILY && c->family_cnt < FR_FAMILY_CNT)
		return fr_meta_read_fields(f->bytes, family_fields, &c->families[c->family_cnt++],
					   NULL);
	if (f->number == CONFIG_DEGRADED && c->degraded_cnt < FR_DEGRADED_MAX) {
		line = c->degraded[c->degraded_cnt++];
		return fr_meta_take_str(line, sizeof(c->degraded[0]), f->bytes);
	}
	return f->number == CONFIG_SETTING || f->number == CONFIG_FAMILY ||
	       f->number == CONFIG_DEGRADED;
}

int fr_meta_read_config(struct fr_slice raw, struct fr_meta_config *ret)
{
	*ret = (struct fr_meta_config){ 0 };
	return fr_meta_read_fields(raw, config_fields, ret, read_config_row);
}
