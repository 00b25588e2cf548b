/* SPDX-License-Identifier: BSD-2-Clause */
#include "traceparent.h"

#include <errno.h>

/* ---- traceparent ---------------------------------------------------------------------------- */

/* Lower case only: the specification allows no other. -1 = not a digit. */
static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex_bytes(const uint8_t *at, uint8_t *ret, size_t ret_bytes)
{
	int high, low;

	for (size_t i = 0; i < ret_bytes; i++) {
		high = hex_digit(at[2 * i]);
		low = hex_digit(at[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool is_zero(const uint8_t *at, size_t at_bytes)
{
	for (size_t i = 0; i < at_bytes; i++)
		if (at[i])
			return false;
	return true;
}

int fr_traceparent_parse(struct fr_slice value, struct fr_traceparent *ret)
{
	struct fr_slice v = fr_slice_trimmed(value);
	struct fr_traceparent p;

	if (v.len_bytes < FR_TRACEPARENT_BYTES || v.data[2] != '-' || v.data[35] != '-' ||
	    v.data[52] != '-')
		return -EINVAL;
	if (!hex_bytes(v.data, &p.version, 1) || !hex_bytes(v.data + 3, p.trace_id, 16) ||
	    !hex_bytes(v.data + 36, p.parent_id, 8) || !hex_bytes(v.data + 53, &p.flags, 1))
		return -EINVAL;
	if (p.version == 0xff || is_zero(p.trace_id, 16) || is_zero(p.parent_id, 8))
		return -EINVAL;
	if (v.len_bytes > FR_TRACEPARENT_BYTES &&
	    (!p.version || v.data[FR_TRACEPARENT_BYTES] != '-'))
		return -EINVAL;
	*ret = p;
	return 0;
}

/* ---- tracestate ----------------------------------------------------------------------------- */

static bool is_key_start(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_key(struct fr_slice s)
{
	if (!s.len_bytes || s.len_bytes > FR_TRACESTATE_KEY_BYTES_MAX || !is_key_start(s.data[0]))
		return false;
	for (size_t i = 1; i < s.len_bytes; i++)
		if (!is_key_start(s.data[i]) && (!s.data[i] || !strchr("_-*/@", s.data[i])))
			return false;
	return true;
}

/* Printable ASCII without ',' and '='; not empty, not ending in a blank. */
static bool is_value(struct fr_slice s)
{
	if (!s.len_bytes || s.len_bytes > FR_TRACESTATE_VALUE_BYTES_MAX ||
	    s.data[s.len_bytes - 1] == ' ')
		return false;
	for (size_t i = 0; i < s.len_bytes; i++)
		if (s.data[i] < 0x20 || s.data[i] > 0x7e || s.data[i] == ',' || s.data[i] == '=')
			return false;
	return true;
}

static void add_member(struct fr_trace_headers *h, struct fr_slice member)
{
	const uint8_t *equals;
	struct fr_slice key = member, value = member;

	if (h->state_bad || !member.len_bytes)
		return; /* empty members are allowed and mean nothing */
	equals = memchr(member.data, '=', member.len_bytes);
	if (equals) {
		key.len_bytes = (size_t)(equals - member.data);
		value.data = equals + 1;
		value.len_bytes = member.len_bytes - key.len_bytes - 1;
	}
	if (!equals || !is_key(key) || !is_value(value) ||
	    h->member_cnt == FR_TRACESTATE_MEMBERS_MAX) {
		h->state_bad = true;
		return;
	}
	if (h->member_cnt++)
		fr_buf_add_char(h->tracestate, ',');
	fr_buf_add(h->tracestate, member.data, member.len_bytes);
}

static void add_members(struct fr_trace_headers *h, struct fr_slice value)
{
	const uint8_t *comma;
	struct fr_slice member;

	while (value.len_bytes) {
		comma = memchr(value.data, ',', value.len_bytes);
		member = value;
		if (comma)
			member.len_bytes = (size_t)(comma - value.data);
		add_member(h, fr_slice_trimmed(member));
		if (!comma)
			return;
		value.len_bytes -= member.len_bytes + 1;
		value.data = comma + 1;
	}
}

/* ---- header lines --------------------------------------------------------------------------- */

/* ASCII only, no locale; `lower` has no letters in upper case. */
static bool is_named(struct fr_slice name, const char *lower)
{
	size_t i;

	for (i = 0; i < name.len_bytes && lower[i]; i++) {
		uint8_t c = name.data[i];

		if (c >= 'A' && c <= 'Z')
			c = (uint8_t)(c - 'A' + 'a');
		if (c != (uint8_t)lower[i])
			return false;
	}
	return i == name.len_bytes && !lower[i];
}

void fr_trace_headers_add(struct fr_trace_headers *h, struct fr_slice name, struct fr_slice value)
{
	if (is_named(name, "traceparent")) {
		h->parent_cnt++;
		if (fr_traceparent_parse(value, &h->parent))
			h->parent_bad = true;
	} else if (is_named(name, "tracestate")) {
		add_members(h, value);
	}
}

int fr_trace_headers_end(struct fr_trace_headers *h, struct fr_traceparent *ret)
{
	bool is_bad = h->parent_bad || h->parent_cnt > 1;

	if (h->state_bad || is_bad || !h->parent_cnt)
		h->tracestate->len_bytes = 0;
	if (!h->parent_cnt)
		return -ENOENT;
	if (is_bad)
		return -EINVAL;
	*ret = h->parent;
	return 0;
}
