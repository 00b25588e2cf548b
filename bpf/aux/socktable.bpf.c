// SPDX-License-Identifier: GPL-2.0-only
/* The rows of fr_iter_socks where the fallback hooks keep their states in a table. */
#define FR_SOCK_BY_ADDRESS 1
#include "sockstate.bpf.h"

SEC("iter/bpf_map_elem")
int fr_iter_socktable(struct bpf_iter__bpf_map_elem *ctx);
int fr_iter_socktable(struct bpf_iter__bpf_map_elem *ctx)
{
	const struct fr_sock_kept *k = ctx->value;
	const __u64 *key = ctx->key;

	if (key && k)
		fr_sock_list(ctx->meta->seq, k, (void *)*key);
	return 0;
}

/* The iterator needs a program that uses the table, for its type. */
SEC("raw_tp")
int FR_PROG(fr_socktable_size)
{
	__u64 key = 0;

	return bpf_map_lookup_elem(&fr_sock_table, &key) ? 1 : 0;
}
