/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long the replies of each service (a listening port) usually take: two histograms with four
 * buckets for each power of two, one filled and one of the minute before.
 */
#ifndef FR_BPF_SERVICES_H
#define FR_BPF_SERVICES_H

#include "probe.bpf.h"

#define FR_BUCKETS 128 /* from 1 us to over an hour */
#define FR_BUCKET_SHIFT 10
#define FR_SERVICE_TURN_NS 60000000000ull
#define FR_SERVICE_LEAST 200 /* replies before anything is called usual */
#define FR_SERVICE_EACH 64   /* replies after which the percentile is found anew */

struct fr_service {
	__u64 turn_ns; /* when the other histogram is to be filled */
	__u64 p99_ns;  /* as last found; 0 = too few replies */
	__u32 now;     /* which is being filled */
	__u32 cnt[2];
	__u32 reserved_zero;
	__u32 buckets[2][FR_BUCKETS];
};

/* The least used service makes room for a new one. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct fr_service);
} fr_services SEC(".maps");

struct fr_service fr_service_none;

FR_INLINE __u32 fr_log2(__u64 v)
{
	__u32 r = 0;

#pragma unroll
	for (__u32 step = 32; step; step >>= 1)
		if (v >> step) {
			v >>= step;
			r += step;
		}
	return r;
}

FR_INLINE __u32 fr_bucket_of(__u64 ns)
{
	__u32 power, bucket;

	if (ns >> FR_BUCKET_SHIFT == 0)
		return 0;
	power = fr_forget(fr_log2(ns)) & 63;
	bucket = (power - FR_BUCKET_SHIFT) * 4 + (ns >> ((power - 2) & 63) & 3);
	return bucket < FR_BUCKETS ? bucket : FR_BUCKETS - 1;
}

/* The least time that is longer than all of the bucket. */
FR_INLINE __u64 fr_bucket_end(__u32 bucket)
{
	return (5ull + (bucket & 3)) << (bucket / 4 + FR_BUCKET_SHIFT - 2);
}

/* Where the slowest hundredth of all replies begins. */
__u64 fr_service_find(struct fr_service *s);
__attribute__((noinline)) __u64 fr_service_find(struct fr_service *s)
{
	__u32 total, slow = 0;

	if (!s)
		return 0;
	total = s->cnt[0] + s->cnt[1];
	if (total < FR_SERVICE_LEAST)
		return 0;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < FR_BUCKETS; i++) {
		__u32 bucket = FR_BUCKETS - 1 - i;

		slow += s->buckets[0][bucket] + s->buckets[1][bucket];
		if (slow > total / 100)
			return fr_bucket_end(bucket);
	}
	return 0;
}

FR_INLINE void fr_service_turn(struct fr_service *s, __u64 now)
{
	__u64 turn = s->turn_ns;
	__u32 next = (s->now & 1) ^ 1;

	if (__sync_val_compare_and_swap(&s->turn_ns, turn, now + FR_SERVICE_TURN_NS) != turn)
		return; /* another CPU does it */
	s->p99_ns = fr_service_find(s);
	s->cnt[next] = 0;
	__builtin_memset(s->buckets[next], 0, sizeof(s->buckets[next]));
	s->now = next;
}

FR_INLINE void fr_service_add(struct fr_service *s, __u64 took, __u32 weight)
{
	__u32 which = s->now & 1, cnt;

	__sync_fetch_and_add(&s->buckets[which][fr_bucket_of(took) & (FR_BUCKETS - 1)], weight);
	cnt = __sync_fetch_and_add(&s->cnt[which], weight);
	if ((cnt ^ (cnt + weight)) & ~(FR_SERVICE_EACH - 1u))
		s->p99_ns = fr_service_find(s);
}

/* Adds a reply that stands for `weight`, if any. Returns what 99 of 100 took at most until now; 0 =
 * not known. */
__u64 fr_service_p99(__u32 key, __u64 took, __u32 weight, __u64 now);
__attribute__((noinline)) __u64 fr_service_p99(__u32 key, __u64 took, __u32 weight, __u64 now)
{
	struct fr_service *s = bpf_map_lookup_elem(&fr_services, &key);
	__u64 usual;

	if (!s) {
		bpf_map_update_elem(&fr_services, &key, &fr_service_none, BPF_NOEXIST);
		s = bpf_map_lookup_elem(&fr_services, &key);
	}
	if (!s)
		return 0;
	if (now >= s->turn_ns)
		fr_service_turn(s, now);
	usual = s->p99_ns;
	if (weight)
		fr_service_add(s, took, weight);
	return usual;
}

#endif
