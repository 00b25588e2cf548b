/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BOOTTIME to REALTIME and back by the dump's clock pairs.
 *
 * Between two pairs the line through both is followed (the clocks are slewed against each other by
 * at most 500 ppm). When the two disagree by more than slewing can do, REALTIME was set in between,
 * nobody knows when: then the earlier pair holds up to the later one. Before the first and behind
 * the last pair the nearest one holds.
 */
#include "meta.h"

#define SLEW_MAX_PPM 1000
#define SPAN_MAX ((__int128)1 << 62) /* 146 years; products of two stay inside 128 bits */

struct stretch {
	const struct fr_clock_pair *from; /* nearest pair at or before; NULL = before the first */
	const struct fr_clock_pair *to;	  /* next pair; NULL = behind the last */
};

static bool was_set(const struct fr_clock_pair *a, const struct fr_clock_pair *b)
{
	__int128 boot = (__int128)b->boot_ns - a->boot_ns;
	__int128 drift = (__int128)b->unix_ns - a->unix_ns - boot;
	__int128 allowed = boot * SLEW_MAX_PPM / 1000000 + a->bound_ns + b->bound_ns;

	return drift > allowed || -drift > allowed;
}

static uint64_t clamped(__int128 v)
{
	return v < 0 ? 0 : v > UINT64_MAX ? UINT64_MAX : (uint64_t)v;
}

static uint64_t shifted(uint64_t from, uint64_t to, uint64_t t)
{
	return clamped((__int128)to + t - from);
}

static uint64_t on_line(uint64_t x0, uint64_t x1, uint64_t y0, uint64_t y1, uint64_t x)
{
	__int128 dx = (__int128)x1 - x0, dy = (__int128)y1 - y0;

	if (dx <= 0 || dx > SPAN_MAX || dy > SPAN_MAX || dy < -SPAN_MAX)
		return shifted(x0, y0, x);
	return clamped(y0 + ((__int128)x - x0) * dy / dx);
}

/* `unix_side`: t and the order are by unix_ns, else by boot_ns. */
static uint64_t time_of(const struct fr_clock_pair *p, bool unix_side)
{
	return unix_side ? p->unix_ns : p->boot_ns;
}

static struct stretch find(const struct fr_meta_clocks *c, uint64_t t, bool unix_side)
{
	struct stretch s = { 0 };

	for (uint32_t i = 0; i < c->pair_cnt && i < FR_CLOCK_PAIRS_MAX; i++) {
		const struct fr_clock_pair *p = &c->pairs[i];
		uint64_t at = time_of(p, unix_side);

		if (at <= t && (!s.from || at >= time_of(s.from, unix_side)))
			s.from = p;
		if (at > t && (!s.to || at < time_of(s.to, unix_side)))
			s.to = p;
	}
	return s;
}

static uint64_t convert(const struct fr_meta_clocks *c, uint64_t t, bool unix_side)
{
	struct stretch s = find(c, t, unix_side);
	const struct fr_clock_pair *one = s.from ? s.from : s.to;

	if (!one)
		return 0;
	if (s.from && s.to && s.to->boot_ns > s.from->boot_ns && !was_set(s.from, s.to))
		return on_line(time_of(s.from, unix_side), time_of(s.to, unix_side),
			       time_of(s.from, !unix_side), time_of(s.to, !unix_side), t);
	return shifted(time_of(one, unix_side), time_of(one, !unix_side), t);
}

uint64_t fr_clocks_to_unix(const struct fr_meta_clocks *c, uint64_t boot_ns)
{
	return convert(c, boot_ns, false);
}

uint64_t fr_clocks_to_boot(const struct fr_meta_clocks *c, uint64_t unix_ns)
{
	return convert(c, unix_ns, true);
}
